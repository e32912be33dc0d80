//! Figures so far on one line, as ping(8) prints them on SIGQUIT.

use super::figures::loss_percent;
use crate::domain::label::Label;
use crate::domain::ping::report::{KindReport, PingReport};
use crate::output::time_unit::RTT_UNIT;

/// One line for the conversation, its newline included.
pub fn interim_line(report: &PingReport) -> String {
    let kinds: Vec<String> = report.kinds.iter().map(figures).collect();
    format!("{}: {}\n", report.status.label(), kinds.join("; "))
}

fn figures(report: &KindReport) -> String {
    let counts = &report.counts;
    let answered = counts.ok + counts.late;
    let loss = loss_percent(counts);
    let (late, unanswered) = (counts.late, counts.unanswered());
    let rtt = rtt(report).unwrap_or_else(|| "no answer yet".to_string());
    let (kind, sent) = (report.kind, counts.sent());
    format!("{kind} {answered}/{sent} answered, {unanswered} unanswered, {loss} loss, {late} late, {rtt}")
}

fn rtt(report: &KindReport) -> Option<String> {
    let rtt = report.rtt?;
    let numbers = [rtt.min, rtt.p50, rtt.mean, rtt.max].map(|span| RTT_UNIT.number(span)).join("/");
    let jitter = report.jitter.stddev.map(|stddev| format!(", stddev {}", RTT_UNIT.span(stddev)));
    Some(format!("rtt min/p50/mean/max = {numbers} {}{}", RTT_UNIT.symbol(), jitter.unwrap_or_default()))
}
