//! What `probe-zombie` shows: the answer and its evidence for people, the JSON document, and NDJSON lines.

mod client_names;
mod document;
mod findings;
mod log;
mod metrics;
mod ndjson_events;
mod policy_words;
mod run_limits;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use document::{ClientDocument, ZombieDocument};
pub use findings::explain;
pub use ndjson_events::{ClientNotOpened, ClientOpened, ClientOver, ClientReceived, ZombieStarted};

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::domain::zombie::report::{ZombieEvent, ZombieReport};

/// Shows a run of `probe-zombie`.
pub struct ZombiePresenter {
    log: log::ZombieLog,
}

impl Presenter for ZombiePresenter {
    type Event = ZombieEvent;
    type Report = ZombieReport;
    type Document = ZombieDocument;

    fn new(options: HumanOptions) -> ZombiePresenter {
        ZombiePresenter { log: log::ZombieLog::new(options) }
    }

    fn report_in(event: &ZombieEvent) -> Option<&ZombieReport> {
        if let ZombieEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn lines(&mut self, event: &ZombieEvent) -> Lines {
        Lines::to_stderr(self.log.lines(event))
    }

    fn progress(&mut self, event: &ZombieEvent) -> Option<String> {
        if let ZombieEvent::Progress(progress) = event { Some(log::progress(progress)) } else { None }
    }

    fn ndjson_line(&self, event: &ZombieEvent) -> Option<String> {
        ndjson_events::line(event)
    }

    fn view(&self, report: &ZombieReport) -> View {
        view::view(report)
    }

    fn document(&self, report: &ZombieReport) -> ZombieDocument {
        ZombieDocument::from(report)
    }

    fn is_droppable(event: &ZombieEvent) -> bool {
        matches!(event, ZombieEvent::Progress(_) | ZombieEvent::Received { .. })
    }
}
