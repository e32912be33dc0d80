//! What the report of a watch says: the report of `ping`, or one over several groups; and the changes of this host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::format::{counted, duration};
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::outages::Outages;
use crate::domain::watch::report::{GroupReport, HostChanges, RemovedGroups, WatchReport};
use crate::output::checks::{self, CheckIdentity, CheckOutcome, ChecksReport, FinishedCheck};
use crate::output::envelope::RunOrigin;
use crate::output::ping::{self, outages::clock};
use crate::output::view::{Column, Phrase, Table, Tone, View};

/// The most changes of this host that the table lists.
const MAX_ROWS: usize = 20;

pub fn view(report: &WatchReport) -> View {
    let mut view = match report.only() {
        // What failed first was said long ago.
        Some(only) => View { is_already_said: false, ..ping::view(only) },
        None => {
            View { headline: headline(report), tables: vec![groups(report)], ..checks::view(&checks(report)) }
        }
    };
    view.tables.extend(removed(&report.removed));
    view.tables.extend(host_changes(&report.changes));
    view
}

/// `1 of 2 targets healthy: feed dead`
fn headline(report: &WatchReport) -> Phrase {
    let others: Vec<String> = report
        .groups
        .iter()
        .filter(|group| group.report.last_status != Status::Healthy)
        .map(|group| format!("{} {}", name(group), group.report.last_status.label()))
        .collect();
    let all = report.groups.len();
    let claim = format!("{} of {} healthy at the end", all - others.len(), counted(all as u64, "target"));
    let tone = if others.is_empty() { Tone::Good } else { Tone::Bad };
    let rest = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    Phrase::new(claim, tone, rest)
}

fn name(group: &GroupReport) -> &str {
    group.name.as_deref().unwrap_or_default()
}

/// A row for each group: how it ended, and how long it was away.
fn groups(report: &WatchReport) -> Table {
    let [target, result, status, answer] = ["target", "result", "at the end", "answer"].map(Column::text);
    let [outages, away] =
        [("outages", 2), ("total outage", 3)].map(|(name, rank)| Column::number(name, rank));
    let rows = report.groups.iter().map(|group| {
        let outages = || group.report.connections().map(|(_, connection)| &connection.outages);
        let away: Duration = outages().map(Outages::total).sum();
        vec![
            name(group).to_string().into(),
            group.report.verdict.label().to_string().into(),
            group.report.last_status.label().to_string().into(),
            outages().map(|of| of.count).sum::<u64>().to_string().into(),
            duration(away).into(),
            ping::view(&group.report).headline.text().into(),
        ]
    });
    let columns = vec![target, result, status, outages, away, answer];
    Table { name: "targets".into(), columns, rows: rows.collect(), note: None }
}

/// What became of the targets that were removed.
fn removed(removed: &RemovedGroups) -> Option<Table> {
    if removed.latest.is_empty() {
        return None;
    }
    let shown = removed.latest.len().min(MAX_ROWS);
    let rows = removed.latest.iter().skip(removed.latest.len() - shown);
    let rows = rows.map(|(at, group)| {
        let answer = ping::view(&group.report).headline.text();
        [clock(*at, Duration::ZERO), name(group).to_string(), answer]
    });
    let titles = ["removed at (UTC)", "target", "answer until then"];
    let mut table = Table::of_texts("removed targets", titles, rows);
    let left_out = removed.count - shown as u64;
    table.note = (left_out > 0).then(|| format!("{left_out} before these"));
    Some(table)
}

/// The groups as parts of one report.
pub fn checks(report: &WatchReport) -> ChecksReport {
    ChecksReport {
        file: report.file.clone().unwrap_or_else(|| counted(report.groups.len() as u64, "target")),
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
    let rows = rows.map(|(at, event)| [clock(*at, Duration::ZERO), event.to_string()]);
    let mut table = Table::of_texts("changes of this host", ["at (UTC)", "change"], rows);
    let left_out = changes.count - shown as u64;
    table.note = (left_out > 0).then(|| format!("{left_out} before these"));
    Some(table)
}
