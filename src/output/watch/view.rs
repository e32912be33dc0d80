//! What the report of a watch says: the report of `ping`, or one over several groups; and the changes of this host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::watch::report::{GroupReport, HostChanges, WatchReport};
use crate::output::checks::{self, CheckIdentity, CheckOutcome, ChecksReport, FinishedCheck};
use crate::output::envelope::RunOrigin;
use crate::output::ping;
use crate::output::view::{Table, View};

/// The most changes of this host that the table lists.
const MAX_ROWS: usize = 20;

pub fn view(report: &WatchReport) -> View {
    let mut view = match report.only() {
        Some(only) => ping::view(only),
        None => checks::view(&checks(report)),
    };
    view.tables.extend(host_changes(&report.changes));
    view
}

/// The groups as parts of one report.
pub fn checks(report: &WatchReport) -> ChecksReport {
    ChecksReport {
        file: report.file.clone().unwrap_or_default(),
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.interrupted,
        checks: report.groups.iter().map(|group| Arc::new(check(group))).collect(),
    }
}

fn check(group: &GroupReport) -> FinishedCheck {
    let run = ping::finished(RunOrigin::default(), &group.report);
    let identity = CheckIdentity {
        name: group.name.clone().unwrap_or_default(),
        command: run.command.clone(),
        target: run.view.subject.clone(),
        labels: BTreeMap::new(),
    };
    FinishedCheck { identity, outcome: CheckOutcome::Ran(Box::new(run)) }
}

fn host_changes(changes: &HostChanges) -> Option<Table> {
    if changes.latest.is_empty() {
        return None;
    }
    let shown = changes.latest.len().min(MAX_ROWS);
    let rows = changes.latest.iter().skip(changes.latest.len() - shown);
    let rows = rows.map(|(at, event)| [clock(*at), event.to_string()]);
    let mut table = Table::of_texts("changes of this host", ["at (UTC)", "change"], rows);
    let left_out = changes.count - shown as u64;
    table.note = (left_out > 0).then(|| format!("{left_out} before these"));
    Some(table)
}

fn clock(at: SystemTime) -> String {
    let at = jiff::Timestamp::try_from(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
