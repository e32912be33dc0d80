//! What `listen` shows: the answer and its evidence for people, the JSON document, and NDJSON lines.

mod document;
mod findings;
mod interval_words;
mod log;
mod metrics;
mod ndjson_events;
mod rhythm;
mod timer_words;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use document::ListenDocument;
pub use findings::explain;
pub use ndjson_events::*;

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::domain::listen::report::{ListenEvent, ListenReport};

/// Shows a run of `listen`.
pub struct ListenPresenter {
    log: log::ListenLog,
    rhythm: rhythm::Rhythm,
}

impl Presenter for ListenPresenter {
    type Event = ListenEvent;
    type Report = ListenReport;
    type Document = ListenDocument;

    fn new(options: HumanOptions) -> ListenPresenter {
        ListenPresenter { log: log::ListenLog::new(options), rhythm: rhythm::Rhythm::default() }
    }

    fn report_in(event: &ListenEvent) -> Option<&ListenReport> {
        if let ListenEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn observe(&mut self, event: &ListenEvent) {
        self.rhythm.observe(event);
    }

    fn lines(&mut self, event: &ListenEvent) -> Lines {
        Lines::to_stderr(self.log.lines(event))
    }

    fn progress(&mut self, event: &ListenEvent) -> Option<String> {
        if let ListenEvent::Progress(progress) = event { Some(log::progress(progress)) } else { None }
    }

    fn ndjson_line(&self, event: &ListenEvent) -> Option<String> {
        ndjson_events::line(event)
    }

    fn view(&self, report: &ListenReport) -> View {
        View { charts: self.rhythm.chart(report).into_iter().collect(), ..view::view(report) }
    }

    fn document(&self, report: &ListenReport) -> ListenDocument {
        ListenDocument::from(report)
    }

    fn is_droppable(event: &ListenEvent) -> bool {
        matches!(event, ListenEvent::Progress(_) | ListenEvent::Received(_))
    }
}
