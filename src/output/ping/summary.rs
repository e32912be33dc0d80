//! The summary: what the figures are, what they mean together, and last the verdict with its reasons.

use std::time::Duration;

use strum::IntoEnumIterator;

use super::figures::{numbers, one_kind, side_by_side};
use super::table::{by_status, table};
use super::view::view;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectInfo;
use crate::domain::format::{self, counted};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{ConnReport, PingReport, RttSpikes, StampingReport, TargetReport};
use crate::domain::stats::LagSummary;
use crate::domain::stats::interval::Interval;
use crate::output::human::{LabelledRows, Styler, conclusion, ending, facts, findings, phases, preset};
use crate::output::time_unit::{RTT_UNIT, TimeUnit};

/// With more targets than this, only those that are not healthy have a block of their own beside the table.
const MAX_TARGETS_IN_FULL: usize = 4;
/// Of more connections to one target, the worst of the run are shown instead.
const MAX_CONNECTIONS_IN_FULL: usize = crate::domain::ping::worst::MAX_LISTED_CONNECTIONS;

/// The whole summary.
pub fn summary(report: &PingReport, paint: Styler, width: Option<usize>) -> String {
    let connections = connections(report);
    let mut rows = LabelledRows::new(paint, width);
    for target in report.targets.iter().filter(|target| deserves_block(report, target)) {
        rows.add_raw(&format!("{}\n", paint.strong(&format!("--- {} ---", target.url))));
        block(&mut rows, target, paint);
        if connections > 1 {
            rows.add_raw("\n");
        }
    }
    if connections > 1 {
        rows.add_raw(&format!("{}\n", table(report, paint, width)));
        rows.add("connections", &format!("{connections}: {}", by_status(&report.status_counts)));
        worst(&mut rows, report);
    }
    preset(&mut rows, report.info.preset.as_ref());
    closing(&mut rows, report, paint);
    rows.into_text()
}

fn connections(report: &PingReport) -> usize {
    report.targets.iter().map(|target| target.connections.len()).sum()
}

fn deserves_block(report: &PingReport, target: &TargetReport) -> bool {
    report.targets.len() <= MAX_TARGETS_IN_FULL || target.status > Status::Healthy
}

fn block(rows: &mut LabelledRows, target: &TargetReport, paint: Styler) {
    rows.add("status", &status(target, paint));
    rows.add_some("last status", last_status(target, paint));
    match target.connections.as_slice() {
        [connection] => opening(rows, connection),
        several => openings(rows, several),
    }
    if target.connections.iter().all(|connection| connection.opened.is_none()) {
        return;
    }
    match target.kinds.as_slice() {
        [] => {}
        [kind] => one_kind(rows, kind),
        kinds => side_by_side(rows, kinds),
    }
    doings(rows, &target.connections);
    match target.connections.as_slice() {
        [connection] => {
            rows.add_some("tcp", tcp(connection));
            rows.add_some("ended", one_ending(connection));
            rows.add_some("last loss", last_loss(connection));
        }
        several => troubled(rows, several),
    }
}

/// TCP's own round trips, at the end.
fn tcp(connection: &ConnReport) -> Option<String> {
    let view = connection.ending.as_ref()?.tcp?;
    let least = view.min_rtt.map(|least| format!(", min {}", format::duration(least))).unwrap_or_default();
    let again = counted(u64::from(view.retransmits), "retransmit");
    let spikes = match connection.spikes {
        RttSpikes { sent_again: 0, .. } => String::new(),
        RttSpikes { count, sent_again } => {
            format!(", before {sent_again} of {}", counted(count, "RTT spike"))
        }
    };
    Some(format!("RTT {} (smoothed){least}; {again}{spikes}", format::duration(view.rtt)))
}

fn status(target: &TargetReport, paint: Styler) -> String {
    let shown = paint.status(target.status, target.status.label());
    match target.connections.as_slice() {
        [connection] => format!("{shown}: {}", connection.status_reason),
        several => {
            let count = |status: Status| several.iter().filter(|c| c.status == status).count();
            let counts: Vec<(Status, usize)> =
                Status::iter().rev().map(|status| (status, count(status))).collect();
            if several.iter().any(|connection| connection.status == target.status) {
                format!("{shown}: {}", by_status(&counts))
            } else {
                format!("{shown}: {}; {}", target.status_reason, by_status(&counts))
            }
        }
    }
}

/// The status by the latest heartbeats, where it differs from that of the run.
fn last_status(target: &TargetReport, paint: Styler) -> Option<String> {
    let [connection] = target.connections.as_slice() else { return None };
    let last = connection.last_status;
    (connection.opened.is_some() && last != connection.status)
        .then(|| format!("{}: {}", paint.status(last, last.label()), connection.last_status_reason))
}

fn opening(rows: &mut LabelledRows, connection: &ConnReport) {
    match (&connection.opened, &connection.open_error) {
        (Some(opened), _) => {
            rows.add("opened in", &phases(&opened.phases));
            facts(rows, opened);
        }
        (None, Some(error)) => rows.add("not opened", &format!("{}: {}", error.phase, error.cause)),
        (None, None) => rows.add("not opened", "still opening when the run ended"),
    }
}

/// Several connections to one target differ in little but their time.
fn openings(rows: &mut LabelledRows, connections: &[ConnReport]) {
    let opened: Vec<&ConnectInfo> = connections.iter().filter_map(|c| c.opened.as_deref()).collect();
    let totals = || opened.iter().map(|opened| opened.phases.total);
    let count = format!("{} of {}", opened.len(), connections.len());
    match (totals().min(), totals().max(), opened.first()) {
        (Some(min), Some(max), Some(first)) => {
            rows.add("opened", &format!("{count}, in {}", range(min, max)));
            facts(rows, first);
        }
        _ => rows.add("opened", &count),
    }
}

/// `31.2 to 40.1 ms`, or one number where both look the same.
fn range(min: Duration, max: Duration) -> String {
    let unit = TimeUnit::of([min, max]);
    match unit.number(min) {
        low if low == unit.number(max) => unit.span(max),
        low => format!("{low} to {}", unit.span(max)),
    }
}

/// What else happened on these connections, where something did.
fn doings(rows: &mut LabelledRows, connections: &[ConnReport]) {
    let sum = |pick: fn(&ConnReport) -> u64| connections.iter().map(pick).sum::<u64>();
    let counts = [
        (sum(|c| c.messages), "message"),
        (sum(|c| c.server_pings_protocol), "protocol ping"),
        (sum(|c| c.server_pings_app), "app ping"),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(*count, what));
    let counts = some.collect::<Vec<_>>().join(", ");
    rows.add_some("server sent", Some(counts).filter(|counts| !counts.is_empty()));
    rows.add_some("announced", announced(connections));
    let asks = connections.iter().filter_map(|c| c.server_traffic.as_ref()?.interval());
    rows.add_some(
        "server pings",
        asks.into_iter().next().map(|(kind, interval)| server_asks(kind, &interval)),
    );
    let echoes = sum(|c| c.echoes);
    let echo = || format!("{} of ours came back unchanged: the server echoes", counted(echoes, "app ping"));
    rows.add_some("echoes", (echoes > 0).then(echo));
    rows.add_some("outage", outage(connections));
}

/// How often the server sends heartbeats by itself; those of several connections are alike.
fn server_asks(kind: HeartbeatKind, interval: &Interval) -> String {
    let what = match kind {
        HeartbeatKind::Protocol => "Ping frames",
        HeartbeatKind::App => "messages",
    };
    format!(
        "{what} every {} (median of {})",
        format::duration(interval.median),
        counted(interval.gaps as u64, "interval")
    )
}

/// What the server said of it in its hello.
fn announced(connections: &[ConnReport]) -> Option<String> {
    let every = connections.iter().find_map(|connection| connection.announced)?;
    Some(format!("it pings every {}", format::duration(every)))
}

fn outage(connections: &[ConnReport]) -> Option<String> {
    let sum = |pick: fn(&ConnReport) -> u32| connections.iter().map(|c| u64::from(pick(c))).sum::<u64>();
    let outage = connections.iter().filter_map(|connection| connection.outage).max()?;
    let whose = if connections.len() == 1 { "total" } else { "at most, on one connection" };
    let (endings, reconnects) = (sum(|c| c.unplanned_endings), sum(|c| c.reconnects));
    let shown = || {
        format!(
            "{} {whose} ({}, {})",
            format::duration(outage),
            counted(endings, "unplanned close"),
            counted(reconnects, "reconnect")
        )
    };
    (!outage.is_zero() || reconnects > 0).then(shown)
}

fn one_ending(connection: &ConnReport) -> Option<String> {
    let last = connection.ending.as_deref()?;
    Some(if last.was_planned() { ending(last) } else { with_losses(connection, last) })
}

/// The last unplanned end, if the connection was opened again and ended as planned.
fn last_loss(connection: &ConnReport) -> Option<String> {
    connection.ending.as_deref().filter(|ending| ending.was_planned())?;
    Some(with_losses(connection, connection.lost.as_deref()?))
}

/// An unplanned end, and the number of them if there were several.
fn with_losses(connection: &ConnReport, lost: &CloseCause) -> String {
    let text = ending(lost);
    match connection.unplanned_endings {
        0 | 1 => text,
        several => format!("{text} (the last of {several} unplanned closes)"),
    }
}

/// Those of many connections that fared worst.
fn worst(rows: &mut LabelledRows, report: &PingReport) {
    let listed = report.worst.iter().filter_map(|id| {
        let target = report.targets.get(id.target)?;
        Some((target, target.connections.get(id.index)?))
    });
    for (number, (target, connection)) in listed.enumerate() {
        let url = if report.targets.len() > 1 { format!("{} ", target.url) } else { String::new() };
        rows.add(if number == 0 { "worst" } else { "" }, &format!("{url}{}", one_of_the_worst(connection)));
    }
}

/// `#812 from 127.0.0.1:40112: healthy; rtt mean 4.21  p99 12.0  max 33.1 ms; 0 missed`
fn one_of_the_worst(connection: &ConnReport) -> String {
    let from = connection.opened.as_ref().and_then(|opened| opened.local.as_ref());
    let from = from.map(|local| format!(" from {local}")).unwrap_or_default();
    let how = match connection.status {
        Status::Healthy => connection.status.label().to_string(),
        _ => problem(connection),
    };
    let slowest = connection.kinds.iter().filter_map(|kind| kind.rtt).max_by_key(|rtt| rtt.mean);
    let rtt = slowest.map(|rtt| {
        let figures = numbers(RTT_UNIT, [("mean", rtt.mean), ("p99", rtt.p99), ("max", rtt.max)]);
        format!("; rtt {figures} {}", RTT_UNIT.symbol())
    });
    let missed: u64 = connection.kinds.iter().map(|kind| kind.counts.missed).sum();
    format!("#{}{from}: {how}{}; {missed} missed", connection.index, rtt.unwrap_or_default())
}

/// The connections that fared ill, each by itself as far as they are few.
fn troubled(rows: &mut LabelledRows, connections: &[ConnReport]) {
    if connections.len() > MAX_CONNECTIONS_IN_FULL {
        // The worst of them are listed.
        return;
    }
    let ill: Vec<&ConnReport> = connections
        .iter()
        .filter(|connection| connection.status > Status::Healthy || connection.unplanned_endings > 0)
        .collect();
    for connection in ill {
        rows.add(&format!("#{}", connection.index), &problem(connection));
    }
}

fn problem(connection: &ConnReport) -> String {
    let status = connection.status.label();
    match (&connection.opened, &connection.open_error) {
        (None, Some(error)) => format!("{status}: {}: {}", error.phase, error.cause),
        _ => format!("{status}: {}", connection.status_reason),
    }
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

fn closing(rows: &mut LabelledRows, report: &PingReport, paint: Styler) {
    if report.interrupted && report.cut_short().is_none() {
        rows.add("interrupted", &format!("after {}", format::duration(report.elapsed)));
    }
    if let Some(lag) = report.host_lag {
        rows.add("host lag", &lag_figures(lag));
    }
    rows.add("timestamps", &timestamps(report));
    let view = view(report);
    findings(rows, &view.findings, paint);
    conclusion(rows, &view, paint);
}
