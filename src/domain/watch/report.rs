//! What became of connections that were watched.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use super::host_event::HostEvent;
use crate::domain::ping::report::PingReport;
use crate::domain::run::run_result::RunResult;

/// The most changes of this host that are kept; the latest ones.
const MAX_KEPT_CHANGES: usize = 100;
/// The most targets that were removed whose reports are kept; the latest ones.
const MAX_KEPT_REMOVED: usize = 100;

/// The report of `watch`.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchReport {
    /// The configuration file, if there is one.
    pub file: Option<String>,
    /// At least one.
    pub groups: Vec<GroupReport>,
    /// Those that another reading of the configuration file removed. They are shown and not judged.
    pub removed: RemovedGroups,
    pub changes: HostChanges,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub interrupted: bool,
}

/// The targets that were watched with the same options.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupReport {
    /// Its name in the configuration file; `None` for targets of the command line.
    pub name: Option<String>,
    pub report: PingReport,
}

/// The groups that were removed during a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RemovedGroups {
    /// How many there were.
    pub count: u64,
    /// The latest ones, the oldest first, each with the moment at which its connections had ended.
    pub latest: VecDeque<(SystemTime, GroupReport)>,
}

impl RemovedGroups {
    pub fn record(&mut self, at: SystemTime, group: GroupReport) {
        self.count += 1;
        if self.latest.len() == MAX_KEPT_REMOVED {
            self.latest.pop_front();
        }
        self.latest.push_back((at, group));
    }
}

/// The changes of this host during a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostChanges {
    /// How many there were.
    pub count: u64,
    /// The latest ones, the oldest first.
    pub latest: VecDeque<(SystemTime, HostEvent)>,
}

impl HostChanges {
    pub fn record(&mut self, at: SystemTime, event: HostEvent) {
        self.count += 1;
        if self.latest.len() == MAX_KEPT_CHANGES {
            self.latest.pop_front();
        }
        self.latest.push_back((at, event));
    }
}

impl WatchReport {
    /// What the criteria of all groups come to.
    pub fn result(&self) -> RunResult {
        let results: Vec<RunResult> = self.groups.iter().map(|group| group.report.verdict).collect();
        RunResult::of_several(&results)
    }

    /// The only group, of targets of the command line.
    pub fn only(&self) -> Option<&PingReport> {
        match self.groups.as_slice() {
            [GroupReport { name: None, report }] => Some(report),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_changes_are_kept_and_all_are_counted() {
        let mut changes = HostChanges::default();
        for number in 0..250 {
            changes.record(SystemTime::UNIX_EPOCH, HostEvent::Resumed { slept: Duration::from_secs(number) });
        }
        assert_eq!((changes.count, changes.latest.len()), (250, MAX_KEPT_CHANGES));
        let oldest = HostEvent::Resumed { slept: Duration::from_secs(150) };
        assert_eq!(changes.latest.front().map(|(_, event)| event), Some(&oldest));
    }
}
