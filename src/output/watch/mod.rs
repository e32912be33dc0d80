//! What `watch` shows: lines with the time for what changes, and the report of `ping`, or one of several groups.

mod document;
pub mod live;
mod log;
mod ndjson_events;
mod view;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use document::WatchDocument;
pub use ndjson_events::{HookEnded, HostChanged, hook_message};

use std::time::SystemTime;

use super::archive;
use super::envelope::RunOrigin;
use super::finished_run::FinishedRun;
use super::human::HumanOptions;
use super::output_format::Format;
use super::presenter::{EventFilter, Lines, Presenter};
use super::view::View;
use crate::commands::watch::WatchEvent;
use crate::domain::ping::event::{ConnEvent, Event};
use crate::domain::ping::report::PingReport;
use crate::domain::watch::report::{GroupReport, HostChanges, WatchReport};
use log::WatchLog;

/// Shows a watch.
pub struct WatchPresenter {
    log: WatchLog,
    names: GroupNames,
}

/// The names of the groups, in their order; `None` for targets of the command line.
pub type GroupNames = Vec<Option<String>>;

impl WatchPresenter {
    pub fn new(options: HumanOptions, names: GroupNames) -> WatchPresenter {
        WatchPresenter { log: WatchLog::new(options, names.clone()), names }
    }
}

impl Presenter for WatchPresenter {
    type Event = WatchEvent;
    type Report = WatchReport;
    type Document = WatchDocument;

    fn report_in(event: &WatchEvent) -> Option<&WatchReport> {
        if let WatchEvent::Finished(report) = event { Some(report) } else { None }
    }

    fn lines(&mut self, event: &WatchEvent) -> Lines {
        self.log.lines(event)
    }

    fn interim_in(event: &WatchEvent) -> Option<&WatchReport> {
        if let WatchEvent::Interim(report) = event { Some(report) } else { None }
    }

    fn interim_line(&self, report: &WatchReport) -> Option<String> {
        Some(log::interim_line(report))
    }

    fn progress(&mut self, _event: &WatchEvent) -> Option<String> {
        None
    }

    fn ndjson_line(&self, event: &WatchEvent) -> Option<String> {
        ndjson_events::line(event, &self.names)
    }

    fn view(&self, report: &WatchReport) -> View {
        view::view(report)
    }

    fn document(&self, report: &WatchReport) -> WatchDocument {
        WatchDocument::new(report)
    }

    fn is_droppable(event: &WatchEvent) -> bool {
        matches!(event, WatchEvent::OfGroup { event: Event::Connection { .. } | Event::StatusCounts(_), .. })
    }

    fn filter(format: Format, options: HumanOptions) -> EventFilter<WatchEvent> {
        Box::new(move |event| {
            let WatchEvent::OfGroup { event: Event::Connection { event, .. }, .. } = event else {
                return true;
            };
            match format {
                Format::Ndjson => true,
                Format::Human => options.verbose || !is_ordinary(event),
                Format::Json | Format::CompactJson | Format::Report(_) => false,
            }
        })
    }
}

/// A watch of a configuration file of which only the events were kept, by the names of its groups. At least one.
pub fn cut_off(groups: Vec<(String, PingReport)>) -> FinishedRun {
    let reports = || groups.iter().map(|(_, report)| report);
    let started_at = reports().map(|report| report.started_at).min().unwrap_or(SystemTime::UNIX_EPOCH);
    let elapsed = reports().map(|report| report.elapsed).max().unwrap_or_default();
    let groups = groups.into_iter().map(|(name, report)| GroupReport { name: Some(name), report });
    let report = WatchReport {
        file: None,
        groups: groups.collect(),
        changes: HostChanges::default(),
        started_at,
        elapsed,
        interrupted: true,
    };
    let mut view = view::view(&report);
    view.headline.rest += archive::CUT_OFF;
    FinishedRun::new(RunOrigin::default(), view, WatchDocument::new(&report))
}

/// What happens all the time while nothing changes.
fn is_ordinary(event: &ConnEvent) -> bool {
    match event {
        ConnEvent::Heartbeat(beat) | ConnEvent::ExtraHeartbeat(beat) => beat.outcome.is_answered(),
        ConnEvent::Opening
        | ConnEvent::Standing { .. }
        | ConnEvent::Unjudged { .. }
        | ConnEvent::Announced(_)
        | ConnEvent::ServerTraffic(_) => true,
        _ => false,
    }
}
