//! What the report says, whatever the command.

use std::cmp::Reverse;

use super::figures::numbers;
use super::findings::shown_findings;
use super::history;
use super::section::{one_of_the_worst, section};
use super::status::{by_status, tone};
use super::table::table;
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::ping::fail_if::metric_values;
use crate::domain::ping::report::{ConnReport, PingReport, StampingReport, TargetReport};
use crate::domain::stats::LagSummary;
use crate::output::time_unit::TimeUnit;
use crate::output::view::{Chart, Phrase, Rows, View, connection};

pub fn view(report: &PingReport) -> View {
    let targets = worst_first(report);
    let is_only = targets.len() == 1;
    View {
        subject: subject(report),
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.interrupted,
        done: report.done(),
        is_already_said: is_already_said(report),
        headline: headline(report),
        result: report.verdict,
        reasons: report.reasons.clone(),
        criteria: report.criteria.clone(),
        findings: shown_findings(report),
        evidence: Rows::default(),
        tables: if is_only { Vec::new() } else { vec![table(&targets, &report.info.kinds)] },
        charts: [Some(Chart::RttOverTime((&report.timeline).into())), history::chart(report)]
            .into_iter()
            .flatten()
            .collect(),
        sections: targets.iter().map(|target| section(target, is_only)).collect(),
        about_run: about_run(report),
        metrics: metric_values(report),
        parts: Vec::new(),
    }
}

fn subject(report: &PingReport) -> String {
    match report.targets.as_slice() {
        [only] => only.url.clone(),
        several => counted(several.len() as u64, "target"),
    }
}

/// The targets, the worst status first.
fn worst_first(report: &PingReport) -> Vec<&TargetReport> {
    let mut targets: Vec<&TargetReport> = report.targets.iter().collect();
    targets.sort_by_key(|target| Reverse(target.status));
    targets
}

fn connections(report: &PingReport) -> Vec<&ConnReport> {
    report.targets.iter().flat_map(|target| &target.connections).collect()
}

/// A single connection that never opened said why, unless it was to be refused.
fn is_already_said(report: &PingReport) -> bool {
    let is_refusal_wanted = !report.info.demands.endings.refused_with.is_empty();
    let never_opened = |only: &ConnReport| only.opened.is_none() && only.open_error.is_some();
    !is_refusal_wanted && matches!(connections(report).as_slice(), [only] if never_opened(only))
}

/// `healthy: mean RTT of the last 5 is 0.223 ms`, or `dead: 6 connections to 3 targets: 1 dead, 5 healthy`.
fn headline(report: &PingReport) -> Phrase {
    if let [ConnReport { opened: None, open_error: Some(error), .. }] = connections(report).as_slice() {
        return connection::not_opened(error);
    }
    let text = match (connections(report).as_slice(), report.targets.as_slice()) {
        ([only], _) => only.status_reason.clone(),
        (several, [target]) if several.iter().all(|connection| connection.status != target.status) => {
            format!("{}; {}", target.status_reason, by_status(several.iter().copied()))
        }
        (several, [_]) => {
            format!("{}: {}", counted(several.len() as u64, "connection"), by_status(several.iter().copied()))
        }
        (several, targets) => format!(
            "{} to {}: {}",
            counted(several.len() as u64, "connection"),
            counted(targets.len() as u64, "target"),
            by_status(several.iter().copied())
        ),
    };
    Phrase::new(report.status.label(), tone(report.status), format!(": {text}"))
}

/// How the run was measured, and the worst of many connections.
fn about_run(report: &PingReport) -> Rows {
    let mut rows = Rows::default();
    if connections(report).len() > 1 {
        rows.add_all("worst", worst(report));
    }
    connection::preset(&mut rows, report.info.preset.as_ref());
    if report.interrupted && report.cut_short().is_none() {
        rows.add("interrupted", format!("after {}", format::duration(report.elapsed)));
    }
    rows.add_some("host lag", report.host_lag.map(lag_figures));
    rows.add("timestamps", timestamps(report));
    rows
}

/// The connections with the worst figures.
fn worst(report: &PingReport) -> impl Iterator<Item = String> {
    report.worst.iter().filter_map(|id| {
        let target = report.targets.get(id.target)?;
        let url = if report.targets.len() > 1 { format!("{} ", target.url) } else { String::new() };
        Some(format!("{url}{}", one_of_the_worst(target.connections.get(id.index)?)))
    })
}

fn lag_figures(lag: LagSummary) -> String {
    let unit = TimeUnit::of([lag.p50, lag.max]);
    let figures = numbers(unit, [("p50", lag.p50), ("p99", lag.p99), ("max", lag.max)]);
    format!("{figures} {}", unit.symbol())
}

/// The source of the RTTs' timestamps, and the delays that they leave out.
fn timestamps(report: &PingReport) -> String {
    let StampingReport { to_wire, from_wire, fell_back } = report.stamping;
    let sentence = match fell_back {
        0 => report.timestamps().sentence().to_string(),
        _ => {
            format!("{}; from this program for {}", report.timestamps().sentence(), counted(fell_back, "RTT"))
        }
    };
    let added = |lag: Option<LagSummary>| lag.map(|lag| format::duration(lag.p50));
    let delays = match (added(to_wire), added(from_wire)) {
        (Some(to), Some(from)) => format!("{to} sending, {from} receiving"),
        (None, Some(from)) => format!("{from} receiving"),
        (_, None) => return sentence,
    };
    format!("{sentence}; this program's own delay (p50 {delays}) is not in the RTT")
}
