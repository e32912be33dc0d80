//! The formats of a run.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::report_formats::{RenderedRun, github, html, junit, markdown, nagios, prometheus};
use crate::domain::label::Label;

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// For people: lines as it happens, and a report.
    #[default]
    Human,
    /// One document at the end.
    Json,
    /// The same document on one line; chosen by a flag, not by a name.
    #[strum(disabled)]
    CompactJson,
    /// One event a line, and the document as the last.
    Ndjson,
    /// A report at the end, made of the view alone.
    #[strum(disabled)]
    Report(ReportFormat),
}

/// A format of reports, made of the view: it knows no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ReportFormat {
    /// Markdown, for tickets and summaries.
    #[default]
    Markdown,
    /// One HTML file that needs nothing else.
    Html,
    /// JUnit XML, as GitLab and Jenkins read it.
    Junit,
    /// Annotations of GitHub Actions, and a table in its step summary.
    Github,
    /// A Nagios plugin's line with performance data, and its exit codes.
    Nagios,
    /// Metrics in Prometheus' text format, for node_exporter's textfile collector.
    Prometheus,
}

impl Format {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Report(format) => format.label(),
            Format::CompactJson => Format::Json.label(),
            other => other.label(),
        }
    }
}

impl ReportFormat {
    /// The whole report.
    pub fn render(self, run: &RenderedRun<'_>) -> String {
        match self {
            ReportFormat::Markdown => markdown::render(run),
            ReportFormat::Html => html::render(run),
            ReportFormat::Junit => junit::render(run),
            ReportFormat::Github => github::render(run),
            ReportFormat::Nagios => nagios::render(run),
            ReportFormat::Prometheus => prometheus::render(run),
        }
    }
}
