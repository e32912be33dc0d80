//! What `test-client` shows: a line for each step of a client, the verdict on each fault, the JSON document, NDJSON lines.

mod document;
mod log;
mod ndjson_events;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use document::ClientTestDocument;
pub use ndjson_events::*;

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::commands::test_client::{TestClientEvent, TestClientEventKind};
use crate::domain::client_test::report::ClientTestReport;
use crate::domain::format::counted;

/// Shows a run of `test-client`.
pub struct ClientTestPresenter {
    log: log::ClientTestLog,
    /// Faults whose test is over, and all.
    over: usize,
    faults: usize,
}

impl Presenter for ClientTestPresenter {
    type Event = TestClientEvent;
    type Report = ClientTestReport;
    type Document = ClientTestDocument;

    fn new(options: HumanOptions) -> ClientTestPresenter {
        ClientTestPresenter { log: log::ClientTestLog::new(options), over: 0, faults: 0 }
    }

    fn report_in(event: &TestClientEvent) -> Option<&ClientTestReport> {
        if let TestClientEventKind::Finished(report) = &event.what { Some(report) } else { None }
    }

    fn observe(&mut self, event: &TestClientEvent) {
        match &event.what {
            TestClientEventKind::Started { faults, .. } => self.faults = faults.len(),
            TestClientEventKind::TestOver(_) => self.over += 1,
            TestClientEventKind::ClientStarted { .. }
            | TestClientEventKind::Server(_)
            | TestClientEventKind::ClientExited(_)
            | TestClientEventKind::Finished(_) => {}
        }
    }

    fn lines(&mut self, event: &TestClientEvent) -> Lines {
        Lines::to_stderr(self.log.line(event))
    }

    fn progress(&mut self, _event: &TestClientEvent) -> Option<String> {
        Some(format!("{} of {} tested", self.over, counted(self.faults as u64, "fault")))
    }

    fn ndjson_line(&self, event: &TestClientEvent) -> Option<String> {
        ndjson_events::line(event)
    }

    fn view(&self, report: &ClientTestReport) -> View {
        view::view(report)
    }

    fn document(&self, report: &ClientTestReport) -> ClientTestDocument {
        ClientTestDocument::from(report)
    }

    fn is_droppable(event: &TestClientEvent) -> bool {
        matches!(event.what, TestClientEventKind::Server(_))
    }
}
