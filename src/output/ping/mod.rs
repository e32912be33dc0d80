//! What `ping` shows: lines as it happens, tables and a summary for people, the JSON document, and NDJSON lines.

mod archived;
mod connection_document;
mod document;
mod event_filter;
mod event_lines;
mod figures;
mod findings;
mod history;
mod http2_findings;
mod interim;
mod log;
mod ndjson_events;
pub mod outages;
mod progress;
mod section;
mod server_traffic;
mod settings;
pub mod status;
mod table;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use archived::{ReplayedGroup, read_run, replay, replay_groups};
pub use document::PingDocument;
pub use findings::explain;
pub use ndjson_events::*;
pub use settings::Settings;
pub use view::view;

use super::archive;
use super::envelope::RunOrigin;
use super::finished_run::FinishedRun;
use super::human::HumanOptions;
use super::output_format::Format;
use super::presenter::{EventFilter, Lines, Presenter};
use super::view::View;
use crate::domain::ping::event::Event;
use crate::domain::ping::report::PingReport;
use event_filter::PingEventFilter;
pub use log::PingLog;

const COMMAND: &str = "ping";
/// The command whose runs are those of `ping`, kept until they are stopped.
pub const WATCH: &str = "watch";

/// A run of `ping` that is over.
pub fn finished(origin: RunOrigin, report: &PingReport) -> FinishedRun {
    FinishedRun::new(origin, view::view(report), PingDocument::from(report))
}

/// A run of `ping` of which only the events were kept.
pub fn cut_off(report: &PingReport) -> FinishedRun {
    // The lines say neither how it was called nor on what machine.
    let origin = RunOrigin::default();
    let mut view = view::view(report);
    view.headline.rest += archive::CUT_OFF;
    FinishedRun::new(origin, view, PingDocument::from(report))
}

/// Shows a run of `ping`.
pub struct PingPresenter {
    log: PingLog,
}

impl Presenter for PingPresenter {
    type Event = Event;
    type Report = PingReport;
    type Document = PingDocument;

    fn new(options: HumanOptions) -> PingPresenter {
        PingPresenter { log: PingLog::new(options) }
    }

    fn report_in(event: &Event) -> Option<&PingReport> {
        if let Event::Finished(report) = event { Some(report) } else { None }
    }

    fn lines(&mut self, event: &Event) -> Lines {
        self.log.lines(event)
    }

    fn interim_in(event: &Event) -> Option<&PingReport> {
        if let Event::Interim(report) = event { Some(report) } else { None }
    }

    fn interim_line(&self, report: &PingReport) -> Option<String> {
        Some(interim::interim_line(report))
    }

    fn progress(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::StatusCounts(tally) if self.log.has_several() => Some(progress::line(tally)),
            _ => None,
        }
    }

    fn ndjson_line(&self, event: &Event) -> Option<String> {
        ndjson_events::event_line(COMMAND, event)
    }

    fn view(&self, report: &PingReport) -> View {
        view::view(report)
    }

    fn document(&self, report: &PingReport) -> PingDocument {
        PingDocument::from(report)
    }

    fn is_droppable(event: &Event) -> bool {
        matches!(event, Event::Connection { .. } | Event::StatusCounts(_))
    }

    fn filter(format: Format, options: HumanOptions) -> EventFilter<Event> {
        let mut filter = PingEventFilter::new(format, options);
        Box::new(move |event| filter.is_in(event))
    }
}
