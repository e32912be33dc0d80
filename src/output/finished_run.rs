//! A run that is over, with everything that any format needs.

use std::time::SystemTime;

use serde_json::Value;

use super::envelope::{DocumentBody, Envelope, RunOrigin};
use super::human::{self, HumanOptions};
use super::json::{compact, error_document, pretty};
use super::output_format::Format;
use super::presenter::Presenter;
use super::report_formats::RenderedRun;
use super::view::View;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::run::run_result::RunResult;

/// A run that is over.
#[derive(Debug)]
pub struct FinishedRun {
    pub command: String,
    pub origin: RunOrigin,
    pub view: View,
    /// The whole JSON document.
    pub document: Value,
}

impl FinishedRun {
    /// A run with the command's own fields in its document.
    pub fn new<B: DocumentBody>(origin: RunOrigin, view: View, body: B) -> FinishedRun {
        let document = Envelope::new(&origin, view.clone(), body).into_json();
        FinishedRun { command: B::COMMAND.to_string(), origin, view, document }
    }

    /// The run of this report.
    pub fn of<P: Presenter>(presenter: &P, origin: RunOrigin, report: &P::Report) -> FinishedRun {
        FinishedRun::new(origin, presenter.view(report), presenter.document(report))
    }

    /// A run that could not start: a port is in use, a program is missing. The message and the hint are lower-case fragments.
    pub fn not_started(
        command: &str,
        origin: RunOrigin,
        result: RunResult,
        message: &str,
        hint: Option<&str>,
    ) -> FinishedRun {
        let kind = if result == RunResult::Usage { FailureKind::Usage } else { FailureKind::Local };
        let document = error_document(Some(command), kind, message, hint, result.exit_code());
        let mut view =
            View::not_run(format!("wscheck {command}"), SystemTime::now(), result, ("not started", message));
        view.is_already_said = true;
        view.evidence.add_some("hint", hint.map(str::to_string));
        let document = serde_json::to_value(&document).unwrap_or_default();
        FinishedRun { command: command.to_string(), origin, view, document }
    }

    /// The report in this format.
    pub fn render(&self, format: Format, options: HumanOptions) -> String {
        match format {
            Format::Human => human::report_always(&self.view, options),
            Format::Json => pretty(&self.document),
            Format::CompactJson | Format::Ndjson => compact(&self.document),
            Format::Report(format) => format.render(&RenderedRun {
                command: &self.command,
                origin: &self.origin,
                view: &self.view,
                document: &|| compact(&self.document),
            }),
        }
    }
}
