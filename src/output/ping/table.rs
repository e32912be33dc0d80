//! Several targets at a glance: a row each, the worst first.

use std::time::Duration;

use super::figures::loss_percent;
use super::section::problem;
use super::status::{by_status, tone};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::ping::report::{KindReport, TargetReport};
use crate::domain::stats::RttSummary;
use crate::output::time_unit::RTT_UNIT;
use crate::output::view::{Cell, Column, Table};

/// A figure in words.
type Show = fn(&KindReport) -> String;

/// The numbers, and how expendable each is where there is no room for all: the sum goes before its parts, `unanswered` and
/// `loss` stay. From `ok` to `in flight` they add up to `sent`; `unanswered` is missed and superseded.
const NUMBERS: [(&str, u8, Show); 11] = [
    ("sent", 8, |kind| kind.counts.sent().to_string()),
    ("ok", 6, |kind| kind.counts.ok.to_string()),
    ("late", 3, |kind| kind.counts.late.to_string()),
    ("superseded", 5, |kind| kind.counts.superseded.to_string()),
    ("missed", 2, |kind| kind.counts.missed.to_string()),
    ("in flight", 7, |kind| kind.counts.in_flight.to_string()),
    ("unanswered", 0, |kind| kind.counts.unanswered().to_string()),
    ("loss", 0, |kind| loss_percent(&kind.counts)),
    ("p50 ms", 1, |kind| rtt(kind, |rtt| rtt.p50)),
    ("p95 ms", 4, |kind| rtt(kind, |rtt| rtt.p95)),
    ("max ms", 9, |kind| rtt(kind, |rtt| rtt.max)),
];

/// One row a target, with its connections by status, and each kind's figures on a line of its own.
pub fn table(targets: &[&TargetReport], kinds: &[HeartbeatKind]) -> Table {
    let kind = (kinds.len() > 1).then(|| Column::text("kind"));
    let numbers = NUMBERS.iter().map(|(name, expendability, _)| Column::number(name, *expendability));
    let texts = ["target", "status"].map(Column::text);
    Table {
        name: "targets".into(),
        columns: texts.into_iter().chain(kind).chain(numbers).collect(),
        rows: targets.iter().map(|target| row(target, kinds)).collect(),
        note: None,
    }
}

fn row(target: &TargetReport, kinds: &[HeartbeatKind]) -> Vec<Cell> {
    let reports: Vec<Option<&KindReport>> =
        kinds.iter().map(|kind| target.kinds.iter().find(|report| report.kind == *kind)).collect();
    let lines = |show: &Show| {
        let line = |report: &Option<&KindReport>| report.map_or_else(|| "-".to_string(), show);
        Cell::from(reports.iter().map(line).collect::<Vec<_>>().join("\n"))
    };
    let names = || kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join("\n");
    let kind = (kinds.len() > 1).then(|| Cell::from(names()));
    let texts = [Cell::from(target.url.clone()), Cell { text: status(target), tone: tone(target.status) }];
    texts.into_iter().chain(kind).chain(NUMBERS.iter().map(|(_, _, show)| lines(show))).collect()
}

/// The connections by status; why, if none opened.
fn status(target: &TargetReport) -> String {
    let never_opened = target.connections.iter().all(|connection| connection.opened.is_none());
    if let Some(first) = target.connections.first().filter(|_| never_opened) {
        return problem(first);
    }
    let counts = by_status(&target.connections);
    // The loss over all connections may be worse than that on any one.
    let is_of_one = target.connections.iter().any(|connection| connection.status == target.status);
    if is_of_one { counts } else { format!("{}: {counts}", target.status.label()) }
}

fn rtt(kind: &KindReport, pick: fn(&RttSummary) -> Duration) -> String {
    kind.rtt.as_ref().map_or_else(|| "-".to_string(), |rtt| RTT_UNIT.number(pick(rtt)))
}
