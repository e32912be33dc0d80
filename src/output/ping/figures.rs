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
    rows.add("rtt", format!("{} {}", numbers(RTT_UNIT, rtt_figures(&rtt)), RTT_UNIT.symbol()));
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

fn rtt_figures(rtt: &RttSummary) -> [(&'static str, Duration); 6] {
    [
        ("min", rtt.min),
        ("p50", rtt.p50),
        ("p95", rtt.p95),
        ("p99", rtt.p99),
        ("max", rtt.max),
        ("mean", rtt.mean),
    ]
}

/// `min 0.187  p50 0.207`
pub fn numbers<const N: usize>(unit: TimeUnit, figures: [(&str, Duration); N]) -> String {
    figures.map(|(name, span)| format!("{name} {}", unit.number(span))).join("  ")
}

fn jitter_figures(jitter: JitterSummary) -> [(&'static str, Option<Duration>); 3] {
    [("stddev", jitter.stddev), ("rfc3550", jitter.rfc3550), ("ipdv_mean", jitter.ipdv_mean)]
}

fn jitter(jitter: JitterSummary) -> String {
    let known = jitter_figures(jitter)
        .iter()
        .filter_map(|(name, span)| span.map(|span| format!("{name} {}", RTT_UNIT.number(span))))
        .collect::<Vec<_>>()
        .join("  ");
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
    let row = |(label, cells): (&str, Vec<String>)| {
        std::iter::once(label.to_string()).chain(cells).map(Cell::from).collect()
    };
    Table {
        name: "figures".into(),
        columns: std::iter::once(Column::text("figure")).chain(names).collect(),
        rows: side_by_side_lines(kinds).into_iter().map(row).collect(),
        note: None,
    }
}

fn side_by_side_lines(kinds: &[KindReport]) -> Vec<(&'static str, Vec<String>)> {
    let all = |show: &dyn Fn(&KindReport) -> String| kinds.iter().map(show).collect::<Vec<_>>();
    let mut lines = vec![
        ("status", all(&|kind| kind.status.label().to_string())),
        ("sent", all(&|kind| kind.counts.sent().to_string())),
    ];
    lines.extend(count_lines(kinds));
    lines.push(("unanswered", all(&|kind| kind.counts.unanswered().to_string())));
    lines.push(("loss", all(&|kind| loss_percent(&kind.counts))));
    lines.extend(span_lines(kinds));
    lines
}

/// The counts: those that add up to `sent`, those that never left, and the strays, when there are any.
fn count_lines(kinds: &[KindReport]) -> Vec<(&'static str, Vec<String>)> {
    type Pick = fn(&Counts) -> u64;
    let outcomes: [(&str, Pick); 6] = [
        ("ok", |counts| counts.ok),
        ("late", |counts| counts.late),
        ("superseded", |counts| counts.superseded),
        ("missed", |counts| counts.missed),
        ("in flight", |counts| counts.in_flight),
        ("unsent", |counts| counts.unsent),
    ];
    let others: [(&str, Pick); 5] = [
        ("unsolicited", |counts| counts.unsolicited),
        ("mismatched", |counts| counts.mismatched),
        ("duplicate", |counts| counts.duplicate),
        ("without id", |counts| counts.ambiguous),
        ("extra", |counts| counts.extra),
    ];
    let any = |pick: Pick| kinds.iter().any(|kind| pick(&kind.counts) > 0);
    let line = |(label, pick): (&'static str, Pick)| {
        (label, kinds.iter().map(|kind| pick(&kind.counts).to_string()).collect())
    };
    outcomes.into_iter().chain(others.into_iter().filter(|(_, pick)| any(*pick))).map(line).collect()
}

fn span_lines(kinds: &[KindReport]) -> Vec<(&'static str, Vec<String>)> {
    let cell = |span: Option<Duration>| span.map_or_else(|| "-".to_string(), |span| RTT_UNIT.span(span));
    let rtt = |index: usize| {
        let figure = |kind: &KindReport| cell(kind.rtt.map(|rtt| rtt_figures(&rtt)[index].1));
        kinds.iter().map(figure).collect()
    };
    let jitter = |index: usize| kinds.iter().map(|kind| cell(jitter_figures(kind.jitter)[index].1)).collect();
    let rtt_labels = ["rtt min", "rtt p50", "rtt p95", "rtt p99", "rtt max", "rtt mean"];
    let jitter_labels = ["jitter stddev", "jitter rfc3550", "jitter ipdv_mean"];
    let rtts = (0..).zip(rtt_labels).map(|(index, label)| (label, rtt(index)));
    rtts.chain((0..).zip(jitter_labels).map(|(index, label)| (label, jitter(index)))).collect()
}
