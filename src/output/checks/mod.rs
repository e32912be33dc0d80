//! What `wscheck run` shows: a line for each check that is over, and one report over all of them.

mod document;
mod log;
mod ndjson_events;
mod report;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use document::ChecksDocument;
pub use ndjson_events::*;
pub use report::{CheckIdentity, CheckOutcome, ChecksEvent, ChecksReport, FinishedCheck};
pub use view::view;

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;

/// Shows a run of several checks.
pub struct ChecksPresenter {
    log: log::ChecksLog,
}

impl Presenter for ChecksPresenter {
    type Event = ChecksEvent;
    type Report = ChecksReport;
    type Document = ChecksDocument;

    fn new(options: HumanOptions) -> ChecksPresenter {
        ChecksPresenter { log: log::ChecksLog::new(options) }
    }

    fn report_in(event: &ChecksEvent) -> Option<&ChecksReport> {
        if let ChecksEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn lines(&mut self, event: &ChecksEvent) -> Lines {
        Lines::to_stderr(self.log.lines(event))
    }

    fn progress(&mut self, event: &ChecksEvent) -> Option<String> {
        self.log.progress(event)
    }

    fn ndjson_line(&self, event: &ChecksEvent) -> Option<String> {
        ndjson_events::line(event)
    }

    fn view(&self, report: &ChecksReport) -> View {
        view(report)
    }

    fn document(&self, report: &ChecksReport) -> ChecksDocument {
        ChecksDocument::from(report)
    }

    fn is_droppable(event: &ChecksEvent) -> bool {
        matches!(event, ChecksEvent::Progress { .. })
    }
}
