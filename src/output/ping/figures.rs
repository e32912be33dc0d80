//! The figures of heartbeats: counts, loss, RTT, jitter and the distribution of the RTTs.

use std::time::Duration;

use crate::domain::format;
use crate::domain::label::Label;
use crate::domain::ping::report::KindReport;
use crate::domain::stats::{Counts, JitterSummary, RttSummary};
use crate::output::time_unit::{RTT_UNIT, TimeUnit};
use crate::output::view::{Cell, Chart, Column, Distribution, Rows, Table};

/// One kind's figures, a row each.
pub fn of_one_kind(rows: &mut Rows, report: &KindReport) {
    let counts = &report.counts;
    rows.add("heartbeats", heartbeats(counts));
    rows.add_some("strays", strays(counts));
    rows.add("unanswered", unanswered(counts));
    rows.add("loss", loss(counts));
    let Some(rtt) = report.rtt else {
        rows.add("rtt", "- (no answer)");
        return;
    };
    let RttSummary { min, p50, p95, p99, max, mean, .. } = rtt;
    let figures = [("min", min), ("p50", p50), ("p95", p95), ("p99", p99), ("max", max), ("mean", mean)];
    rows.add("rtt", format!("{} {}", numbers(RTT_UNIT, figures), RTT_UNIT.symbol()));
    rows.add("jitter", jitter(report.jitter));
}

/// How the RTTs of each kind are distributed.
pub fn distributions(kinds: &[KindReport]) -> Vec<Chart> {
    let distribution = |kind: &KindReport| {
        let rtt = kind.rtt?;
        let name = (kinds.len() > 1).then(|| kind.kind.label().to_string());
        let counts = kind.histogram.iter().map(|(_, count)| *count).collect();
        let (min_ms, max_ms) = (rtt.min.into(), rtt.max.into());
        Some(Chart::Distribution(Distribution { name, min_ms, max_ms, counts }))
    };
    kinds.iter().filter_map(distribution).collect()
}

fn heartbeats(counts: &Counts) -> String {
    let Counts { ok, late, superseded, missed, unsent, in_flight, extra, .. } = *counts;
    let sent = counts.sent();
    let mut text = format!("{sent} sent: {ok} ok, {late} late, {superseded} superseded, {missed} missed");
    if in_flight > 0 {
        text.push_str(&format!(", {in_flight} in flight"));
    }
    text.push_str(&format!("; {unsent} unsent"));
    if extra > 0 {
        text.push_str(&format!("; {extra} extra, in no other figure"));
    }
    text
}

/// `5 of 25: 4 missed, 1 superseded`
fn unanswered(counts: &Counts) -> String {
    let Counts { superseded, missed, .. } = *counts;
    match counts.judged() {
        0 => "- (nothing was judged)".to_string(),
        judged => format!("{} of {judged}: {missed} missed, {superseded} superseded", counts.unanswered()),
    }
}

fn strays(counts: &Counts) -> Option<String> {
    let kinds = [
        (counts.unsolicited, "unsolicited"),
        (counts.mismatched, "mismatched"),
        (counts.duplicate, "duplicate"),
        (counts.ambiguous, "without id, matched in order"),
    ];
    let some = kinds.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    Some(some.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
}

fn loss(counts: &Counts) -> String {
    let (judged, missed, late) = (counts.judged(), counts.missed, counts.late);
    if judged == 0 {
        return "- (nothing was judged)".to_string();
    }
    let below = missed_below(counts).map(|below| format!(", {below}")).unwrap_or_default();
    format!("{} ({missed} missed of {judged}{below}; {late} late)", loss_percent(counts))
}

/// The loss as a percentage; `-` when nothing was judged.
pub fn loss_percent(counts: &Counts) -> String {
    counts.loss().map_or_else(|| "-".to_string(), format::percent)
}

/// What TCP says of those missed.
fn missed_below(counts: &Counts) -> Option<String> {
    match (counts.missed_acked, counts.missed_unacked) {
        (0, 0) => None,
        (acked, 0) => Some(format!("{acked} acknowledged by TCP")),
        (0, unacked) => Some(format!("{unacked} not acknowledged by TCP")),
        (acked, unacked) => Some(format!("TCP acknowledged {acked}, not {unacked}")),
    }
}

/// `min 0.187  p50 0.207`
pub fn numbers<const N: usize>(unit: TimeUnit, figures: [(&str, Duration); N]) -> String {
    figures.map(|(name, span)| format!("{name} {}", unit.number(span))).join("  ")
}

fn jitter(jitter: JitterSummary) -> String {
    let figures = [("stddev", jitter.stddev), ("rfc3550", jitter.rfc3550), ("ipdv_mean", jitter.ipdv_mean)];
    let known =
        figures.iter().filter_map(|(name, span)| Some(format!("{name} {}", RTT_UNIT.number((*span)?))));
    let known = known.collect::<Vec<_>>().join("  ");
    if known.is_empty() {
        return "- (needs two answers)".to_string();
    }
    let successive = match jitter.rfc3550 {
        Some(_) => "",
        None => " (rfc3550 and ipdv_mean need successive answers)",
    };
    format!("{known} {}{successive}", RTT_UNIT.symbol())
}

/// A column for each kind, so that a figure of one stands beside that of the other.
pub fn of_several_kinds(kinds: &[KindReport]) -> Table {
    let names = kinds.iter().map(|kind| Column::number(kind.kind.label(), 0));
    let row = |(label, show): &(&str, Show)| {
        let cells: Vec<String> = kinds.iter().map(show).collect();
        let is_shown = !EXCEPTIONAL.contains(label) || cells.iter().any(|cell| cell != "0");
        is_shown.then(|| std::iter::once(label.to_string()).chain(cells).map(Cell::from).collect())
    };
    Table {
        name: "figures".into(),
        columns: std::iter::once(Column::text("figure")).chain(names).collect(),
        rows: FIGURES.iter().filter_map(row).collect(),
        note: None,
    }
}

/// What a figure of one kind of heartbeat is in words.
type Show = fn(&KindReport) -> String;

const FIGURES: [(&str, Show); 24] = [
    ("status", |kind| kind.status.label().to_string()),
    ("sent", |kind| kind.counts.sent().to_string()),
    ("ok", |kind| kind.counts.ok.to_string()),
    ("late", |kind| kind.counts.late.to_string()),
    ("superseded", |kind| kind.counts.superseded.to_string()),
    ("missed", |kind| kind.counts.missed.to_string()),
    ("in flight", |kind| kind.counts.in_flight.to_string()),
    ("unsent", |kind| kind.counts.unsent.to_string()),
    ("unsolicited", |kind| kind.counts.unsolicited.to_string()),
    ("mismatched", |kind| kind.counts.mismatched.to_string()),
    ("duplicate", |kind| kind.counts.duplicate.to_string()),
    ("without id", |kind| kind.counts.ambiguous.to_string()),
    ("extra", |kind| kind.counts.extra.to_string()),
    ("unanswered", |kind| kind.counts.unanswered().to_string()),
    ("loss", |kind| loss_percent(&kind.counts)),
    ("rtt min", |kind| span(kind.rtt.map(|rtt| rtt.min))),
    ("rtt p50", |kind| span(kind.rtt.map(|rtt| rtt.p50))),
    ("rtt p95", |kind| span(kind.rtt.map(|rtt| rtt.p95))),
    ("rtt p99", |kind| span(kind.rtt.map(|rtt| rtt.p99))),
    ("rtt max", |kind| span(kind.rtt.map(|rtt| rtt.max))),
    ("rtt mean", |kind| span(kind.rtt.map(|rtt| rtt.mean))),
    ("jitter stddev", |kind| span(kind.jitter.stddev)),
    ("jitter rfc3550", |kind| span(kind.jitter.rfc3550)),
    ("jitter ipdv_mean", |kind| span(kind.jitter.ipdv_mean)),
];

/// These are left out where there are none.
const EXCEPTIONAL: [&str; 5] = ["unsolicited", "mismatched", "duplicate", "without id", "extra"];

fn span(span: Option<Duration>) -> String {
    span.map_or_else(|| "-".to_string(), |span| RTT_UNIT.span(span))
}
