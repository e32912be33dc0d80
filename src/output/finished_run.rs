//! A run that is over, with everything that any format needs.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::envelope::{DocumentBody, Envelope, RunOrigin};
use super::human::{self, HumanOptions};
use super::json::{compact, error_document, pretty};
use super::output_format::Format;
use super::report_formats::RenderedRun;
use super::view::{Phrase, Rows, Tone, View};
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
        let envelope = Envelope::new(&origin, view.clone(), body);
        let document = serde_json::to_value(&envelope).unwrap_or_default();
        FinishedRun { command: B::COMMAND.to_string(), origin, view, document }
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
        let mut evidence = Rows::default();
        evidence.add_some("hint", hint.map(str::to_string));
        let view = View {
            subject: format!("wscheck {command}"),
            started_at: SystemTime::now(),
            elapsed: Duration::ZERO,
            interrupted: false,
            done: None,
            is_already_said: true,
            headline: Phrase::new("not started", Tone::Bad, format!(": {message}")),
            result,
            reasons: vec![message.to_string()],
            criteria: Vec::new(),
            findings: Vec::new(),
            evidence,
            tables: Vec::new(),
            charts: Vec::new(),
            sections: Vec::new(),
            about_run: Rows::default(),
            metrics: Vec::new(),
        };
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
