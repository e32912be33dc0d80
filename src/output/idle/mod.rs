//! What an idle search shows: the answer and its evidence for people, the JSON document, and NDJSON lines.

mod document;
mod findings;
mod format;
mod log;
mod metrics;
mod ndjson_events;
mod product_findings;
mod progress;
mod refresh_findings;
mod tables;
mod trials;
mod undecided_findings;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

pub use document::IdleDocument;
pub use findings::explain;
pub use ndjson_events::{
    Asked, BracketSoFar, IdleStarted, ProbeFailed, ProbeOpened, ProvisionalAnswer, RefreshTried, Spoke,
    TrialOver, VerifyOver,
};

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::domain::idle::report::{IdleEvent, IdleReport};
use trials::TrialTable;

/// Shows an idle search.
pub struct IdlePresenter {
    started_at: SystemTime,
    trials: TrialTable,
    log: log::SearchLog,
}

impl Presenter for IdlePresenter {
    type Event = IdleEvent;
    type Report = IdleReport;
    type Document = IdleDocument;

    fn new(options: HumanOptions) -> IdlePresenter {
        IdlePresenter {
            started_at: SystemTime::UNIX_EPOCH,
            trials: TrialTable::default(),
            log: log::SearchLog::new(options),
        }
    }

    fn report_in(event: &IdleEvent) -> Option<&IdleReport> {
        if let IdleEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn observe(&mut self, event: &IdleEvent) {
        if let IdleEvent::Started { at, .. } = event {
            self.started_at = *at;
        }
        self.trials.note(event);
    }

    fn lines(&mut self, event: &IdleEvent) -> Lines {
        Lines::to_stderr(self.log.lines(event))
    }

    fn progress(&mut self, event: &IdleEvent) -> Option<String> {
        progress::text(event)
    }

    fn ndjson_line(&self, event: &IdleEvent) -> Option<String> {
        ndjson_events::line(event, self.started_at)
    }

    fn view(&self, report: &IdleReport) -> View {
        view::view(report, self.trials.all())
    }

    fn document(&self, report: &IdleReport) -> IdleDocument {
        IdleDocument::from((report, self.trials.all()))
    }

    fn is_droppable(event: &IdleEvent) -> bool {
        matches!(event, IdleEvent::Progress(_) | IdleEvent::VerifyBeat { .. })
    }
}
