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
pub use ndjson_events::*;

use std::time::SystemTime;

use super::archive;
use super::envelope::RunOrigin;
use super::finished_run::FinishedRun;
use super::human::HumanOptions;
use super::output_format::Format;
use super::ping::ReplayedGroup;
use super::presenter::{EventFilter, Lines, Presenter};
use super::view::View;
use crate::commands::watch::WatchEvent;
use crate::domain::ping::event::{ConnEvent, Event};
use crate::domain::watch::report::{GroupReport, HostChanges, RemovedGroups, WatchReport};
use log::WatchLog;

/// Shows a watch.
pub struct WatchPresenter {
    log: WatchLog,
}

impl Presenter for WatchPresenter {
    type Event = WatchEvent;
    type Report = WatchReport;
    type Document = WatchDocument;

    fn new(options: HumanOptions) -> WatchPresenter {
        WatchPresenter { log: WatchLog::new(options) }
    }

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
        ndjson_events::line(event)
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

/// A watch of a configuration file of which only the events were kept. At least one group.
pub fn cut_off(replayed: Vec<ReplayedGroup>) -> FinishedRun {
    let reports = || replayed.iter().map(|group| &group.report);
    let started_at = reports().map(|report| report.started_at).min().unwrap_or(SystemTime::UNIX_EPOCH);
    let ended_at = reports().map(|report| report.started_at + report.elapsed).max();
    let elapsed = ended_at.and_then(|at| at.duration_since(started_at).ok()).unwrap_or_default();
    let (mut groups, mut removed) = (Vec::new(), RemovedGroups::default());
    for ReplayedGroup { name, report, removed_at } in replayed {
        let group = GroupReport { name: Some(name), report };
        match removed_at {
            None => groups.push(group),
            Some(at) => removed.record(at, group),
        }
    }
    let report = WatchReport {
        file: None,
        groups,
        removed,
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
