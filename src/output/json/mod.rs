//! JSON: one document at the end of the run. The shapes live here and only grow, so that renaming inside
//! breaks nobody's jq.

mod close_cause;
mod connect_error;
mod connect_info;
mod document;
mod heartbeat_figures;
mod names;

use std::io;

use serde::Serialize;

pub use close_cause::{CloseReplyDocument, JsonEndingDocument};
pub(super) use close_cause::{broken_rule, close_frame};
pub use connect_error::{ErrorDocument, FailedOpening, FailureDocument, error_document};
pub use connect_info::OpeningDocument;
pub use document::{PresetName, RunDocument, Settings};
pub use heartbeat_figures::{Ms, Timestamp, ms};
pub use names::Name;

use super::human::interim_line;
use super::writer::{ReportWriter, Writer};
use crate::domain::ping::event::{Event, Reporter};
use crate::output::reporter::Output;

/// The version of all shapes. Fields are only ever added; a change that breaks a reader would raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// The program's version, as every document carries it.
pub const WSCHECK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A value over several lines, for eyes and for jq.
pub fn pretty(value: &impl Serialize) -> String {
    line(serde_json::to_string_pretty(value))
}

/// A value on one line.
pub fn compact(value: &impl Serialize) -> String {
    line(serde_json::to_string(value))
}

fn line(json: serde_json::Result<String>) -> String {
    json.expect("a shape without maps of other keys than text has a JSON form") + "\n"
}

/// Prints one document when the run is over.
pub struct Json {
    command: &'static str,
    stdout: ReportWriter,
    stderr: ReportWriter,
}

impl Json {
    /// A reporter for a run of this command. Nothing but interim figures goes to `stderr`.
    pub fn new(command: &'static str, stdout: Writer, stderr: Writer) -> Json {
        Json { command, stdout: ReportWriter::new(stdout), stderr: ReportWriter::new(stderr) }
    }
}

impl Reporter for Json {
    fn report(&mut self, event: &Event) {
        match event {
            Event::Started { .. } | Event::Connection { .. } | Event::StatusCounts(_) => {}
            Event::Interim(report) => self.stderr.write(&interim_line(report)),
            Event::Finished(report) => self.stdout.write(&pretty(&RunDocument::new(self.command, report))),
        }
    }
}

impl Output for Json {
    fn error(&self) -> Option<&io::Error> {
        self.stdout.error()
    }
}
