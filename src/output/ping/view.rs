//! What the report says, whatever the command.

use std::cmp::Reverse;
use std::time::Duration;

use super::figures::numbers;
use super::findings::shown_findings;
use super::history;
use super::outages;
use super::section::{one_of_the_worst, section};
use super::status::{by_status, tone};
use super::table::table;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::ping::fail_if::metric_values;
use crate::domain::ping::merged_runs::MergedRuns;
use crate::domain::ping::report::{ConnReport, PingReport, StampingReport, TargetReport};
use crate::domain::stats::LagSummary;
use crate::output::time_unit::TimeUnit;
use crate::output::view::{Chart, Phrase, Rows, View, connection};

/// Of more runs, the first are named.
const MAX_NAMED_RUNS: usize = 5;

pub fn view(report: &PingReport) -> View {
    let targets = worst_first(report);
    let is_only = targets.len() == 1;
    View {
        interrupted: report.interrupted,
        done: report.done(),
        is_already_said: is_already_said(report),
        headline: headline(report),
        reasons: report.reasons.clone(),
        criteria: report.criteria.clone(),
        findings: shown_findings(report),
        tables: (!is_only)
            .then(|| table(&targets, &report.info.kinds))
            .into_iter()
            .chain(outages::table(report))
            .collect(),
        charts: [Some(Chart::RttOverTime((&report.timeline).into())), history::chart(report)]
            .into_iter()
            .flatten()
            .collect(),
        sections: targets.iter().map(|target| section(target, is_only)).collect(),
        about_run: about_run(report),
        metrics: metric_values(report),
        ..View::new(subject(report), report.started_at, report.elapsed, report.verdict)
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

/// A single connection that never opened said why, unless it was to be refused.
fn is_already_said(report: &PingReport) -> bool {
    let is_refusal_wanted = !report.info.demands.endings.refused_with.is_empty();
    let never_opened = |only: &ConnReport| only.opened.is_none() && only.open_error.is_some();
    let is_merged = !report.merged.is_empty();
    !is_refusal_wanted && !is_merged && report.only_connection().is_some_and(never_opened)
}

/// `healthy: mean RTT of the last 5 is 0.223 ms`, or `dead: 6 connections to 3 targets: 1 dead, 5 healthy`.
fn headline(report: &PingReport) -> Phrase {
    let only = report.only_connection();
    if let Some(ConnReport { opened: None, open_error: Some(error), .. }) = only {
        return connection::not_opened(error);
    }
    let all = || report.connections().map(|(_, connection)| connection).collect::<Vec<_>>();
    let number = counted(report.connection_count(), "connection");
    let text = match (only, report.targets.as_slice()) {
        (Some(only), _) => only.status_reason.clone(),
        (None, [target]) if all().iter().all(|connection| connection.status != target.status) => {
            format!("{}; {}", target.status_reason, by_status(all()))
        }
        (None, [_]) => format!("{number}: {}", by_status(all())),
        (None, targets) => {
            format!("{number} to {}: {}", counted(targets.len() as u64, "target"), by_status(all()))
        }
    };
    Phrase::new(report.status.label(), tone(report.status), format!(": {text}"))
}

/// How the run was measured, and the worst of many connections.
fn about_run(report: &PingReport) -> Rows {
    let mut rows = Rows::default();
    rows.add_some("runs", merged_runs(&report.merged));
    if report.connection_count() > 1 {
        rows.add_all("worst", worst(report));
    }
    connection::preset(&mut rows, report.info.preset.as_ref());
    if report.interrupted && report.cut_short().is_none() {
        rows.add("interrupted", format!("after {}", format::duration(report.elapsed)));
    }
    let whose = if report.merged.0.len() > 1 { " (of each figure the worst host's)" } else { "" };
    rows.add_some("host lag", report.host_lag.map(|lag| format!("{}{whose}", lag_figures(lag))));
    rows.add("timestamps", timestamps(report));
    rows
}

/// `3 merged: a.json, b.json, c.json; all ran at the same time for 58 s`
fn merged_runs(merged: &MergedRuns) -> Option<String> {
    let names: Vec<&str> = merged.0.iter().map(|run| run.name.as_ref()).take(MAX_NAMED_RUNS).collect();
    let more = match merged.0.len().saturating_sub(MAX_NAMED_RUNS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let together = match (merged.0.len(), merged.common_time()) {
        (0, _) => return None,
        (1, _) => String::new(),
        (_, Duration::ZERO) => "; they did not all run at the same time".to_string(),
        (_, common) => format!("; all ran at the same time for {}", format::duration(common)),
    };
    Some(format!("{} merged: {}{more}{together}", merged.0.len(), names.join(", ")))
}

/// The connections with the worst figures.
fn worst(report: &PingReport) -> impl Iterator<Item = String> {
    report.worst.iter().filter_map(|id| {
        let (target, connection) = report.connection(*id)?;
        let url = if report.targets.len() > 1 { format!("{} ", target.url) } else { String::new() };
        Some(format!("{url}{}", one_of_the_worst(connection)))
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
    let rtts = report.kinds.iter().filter_map(|figures| Some(figures.rtt?.count)).sum::<u64>();
    let sentence = match (fell_back, to_wire, from_wire) {
        (0, _, _) => report.timestamps().sentence().to_string(),
        (all, None, None) if all >= rtts => {
            format!("{}: the kernel gave none", TimestampSource::User.sentence())
        }
        (all, None, Some(_)) if all >= rtts => TimestampSource::KernelReceive.sentence().to_string(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::ping::report::samples;

    #[test]
    fn source_of_timestamps_is_that_of_the_rtts() {
        let lag = LagSummary { p50: Duration::ZERO, p99: Duration::ZERO, max: Duration::ZERO };
        let said = |fell_back, from_wire| {
            let kinds = vec![samples::kind(HeartbeatKind::Protocol, &[1, 2, 3])];
            let mut report = samples::report(vec![samples::target("ws://a/", kinds.clone())]);
            let opened = report.targets[0].connections[0].opened.as_mut().unwrap();
            std::sync::Arc::make_mut(opened).timestamps = TimestampSource::Kernel;
            report.kinds = kinds;
            report.stamping = StampingReport { to_wire: None, from_wire, fell_back };
            timestamps(&report)
        };
        assert_eq!(said(0, None), "from the kernel");
        assert_eq!(said(2, None), "from the kernel; from this program for 2 RTTs");
        assert_eq!(said(3, None), "from this program, at the socket: the kernel gave none");
        let arrivals = said(3, Some(lag));
        assert!(arrivals.starts_with("from the kernel for arrivals, from this program"), "{arrivals}");
    }
}
