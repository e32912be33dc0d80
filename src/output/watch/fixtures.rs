//! Scripted watches, made of the scripted runs of `ping`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::commands::watch::WatchEvent;
use crate::domain::ping::event::Event;
use crate::domain::ping::report::PingReport;
use crate::domain::watch::group::Group;
use crate::domain::watch::report::{GroupReport, HostChanges, RemovedGroups, WatchReport};

/// A group of a file, or of the command line.
pub fn group(id: u64, name: Option<&str>) -> Arc<Group> {
    let targets = vec!["ws://a.example/".to_string()];
    Arc::new(Group { id, name: name.map(ToString::to_string), labels: Default::default(), targets })
}

/// The events of a run as those of the command line's targets, without its report.
pub fn watched(events: &[Event]) -> Vec<WatchEvent> {
    watched_as(&group(0, None), events)
}

/// The events of a run as those of a group, without its report.
pub fn watched_as(group: &Arc<Group>, events: &[Event]) -> Vec<WatchEvent> {
    let events = events.iter().filter(|event| !matches!(event, Event::Finished(_)));
    let of_group = |event: &Event| WatchEvent::OfGroup { group: Arc::clone(group), event: event.clone() };
    events.map(of_group).collect()
}

/// A watch of the targets of the command line.
pub fn events(run: &[Event]) -> Vec<WatchEvent> {
    let mut all = watched(run);
    all.push(WatchEvent::Finished(Box::new(report_of_line(run))));
    all
}

pub fn report_of_line(run: &[Event]) -> WatchReport {
    with_groups(None, vec![GroupReport { name: None, report: report_in(run) }])
}

/// The report of a watch of these groups of a file.
pub fn report(groups: &[(&str, Vec<Event>)]) -> WatchReport {
    let group = |(name, run): &(&str, Vec<Event>)| GroupReport {
        name: Some(name.to_string()),
        report: report_in(run),
    };
    with_groups(Some("wscheck.toml".to_string()), groups.iter().map(group).collect())
}

fn with_groups(file: Option<String>, groups: Vec<GroupReport>) -> WatchReport {
    WatchReport {
        file,
        groups,
        removed: RemovedGroups::default(),
        changes: HostChanges::default(),
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: Duration::from_secs(90),
        interrupted: true,
    }
}

pub fn report_in(run: &[Event]) -> PingReport {
    let report = run.iter().find_map(|event| match event {
        Event::Finished(report) => Some(report.as_ref().clone()),
        _ => None,
    });
    report.unwrap()
}
