//! The details of a target: how it opened, the figures of its heartbeats, and what else happened.

use std::time::Duration;

use super::figures::{distributions, numbers, of_one_kind, of_several_kinds};
use super::outages;
use super::status::{by_status, tone};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectInfo;
use crate::domain::format::{self, counted};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{ConnReport, RttSpikes, TargetReport, count_of};
use crate::domain::stats::interval::Interval;
use crate::output::time_unit::{RTT_UNIT, TimeUnit};
use crate::output::view::connection::{ending, facts, phases};
use crate::output::view::{Phrase, Rows, Section};

/// Of more connections to one target, the worst of the run are shown instead.
const MAX_CONNECTIONS_IN_FULL: usize = crate::domain::ping::worst::MAX_LISTED_CONNECTIONS;
/// With at least this many open connections, the opening times are shown as percentiles instead of a range.
const MIN_OPENINGS_FOR_PERCENTILES: usize = 10;

/// The details of a target. The only target has its status in the headline.
pub fn section(target: &TargetReport, is_only: bool) -> Section {
    let mut section = Section { title: target.url.clone(), ..Section::default() };
    let rows = &mut section.rows;
    if !is_only {
        rows.add_phrase("status", status(target));
    }
    if let Some(last) = last_status(target) {
        rows.add_phrase("last status", last);
    }
    match target.only_connection() {
        Some(connection) => opening(rows, connection),
        None => {
            openings(rows, &target.connections);
            rows.add_some("shared", shared_connections(target));
        }
    }
    if target.connections.iter().all(|connection| connection.opened.is_none()) {
        return section;
    }
    if let [kind] = target.kinds.as_slice() {
        of_one_kind(rows, kind);
    }
    other_events(rows, &target.connections);
    match target.only_connection() {
        Some(connection) => {
            rows.add_some("tcp", tcp(connection));
            rows.add_some("ended", one_ending(connection));
            rows.add_some("last loss", last_loss(connection));
        }
        None => troubled(rows, &target.connections),
    }
    if target.kinds.len() > 1 {
        section.tables.push(of_several_kinds(&target.kinds));
    }
    section.charts = distributions(&target.kinds);
    section
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

fn status(target: &TargetReport) -> Phrase {
    let all = &target.connections;
    let text = match target.only_connection() {
        Some(connection) => connection.status_reason.clone(),
        None if all.iter().any(|connection| connection.status == target.status) => by_status(all),
        None => format!("{}; {}", target.status_reason, by_status(all)),
    };
    Phrase::new(target.status.label(), tone(target.status), format!(": {text}"))
}

/// The status by the latest heartbeats, where it differs from that of the run.
fn last_status(target: &TargetReport) -> Option<Phrase> {
    let connection = target.only_connection()?;
    let last = connection.last_status;
    (connection.opened.is_some() && last != connection.status)
        .then(|| Phrase::new(last.label(), tone(last), format!(": {}", connection.last_status_reason)))
}

fn opening(rows: &mut Rows, connection: &ConnReport) {
    match (&connection.opened, &connection.open_error) {
        (Some(opened), _) => {
            rows.add("opened in", phases(&opened.phases));
            facts(rows, opened);
        }
        (None, Some(error)) => {
            rows.add("not opened", format!("{}: {}", error.phase, error.cause));
            rows.add_some("hint", error.hint.clone());
        }
        (None, None) => rows.add("not opened", "still opening when the run ended"),
    }
}

/// Several connections to one target differ in little but their time.
fn openings(rows: &mut Rows, connections: &[ConnReport]) {
    let opened = || connections.iter().filter(|connection| connection.opened.is_some());
    let infos: Vec<&ConnectInfo> = opened().filter_map(|c| c.opened.as_deref()).collect();
    let mut totals: Vec<Duration> = infos.iter().map(|opened| opened.phases.total).collect();
    totals.sort_unstable();
    let count = format!("{} of {}", count_of(opened()), count_of(connections));
    // Of connections that are described together only the longest time is known.
    let are_all_known = connections.iter().all(|connection| connection.alike == 0);
    let longest = totals.last().copied().unwrap_or_default();
    match infos.first() {
        Some(first) => {
            let times = if are_all_known {
                format!("in {}", opening_times(&totals))
            } else {
                format!("in at most {}", TimeUnit::of([longest]).span(longest))
            };
            rows.add("opened", format!("{count}, {times}"));
            facts(rows, first);
        }
        None => rows.add("opened", count),
    }
}

/// How many connections of HTTP/2 carried the WebSockets: `5 WebSockets opened on 1 HTTP/2 connection`.
fn shared_connections(target: &TargetReport) -> Option<String> {
    let connections = counted(target.shared_connections()?, "HTTP/2 connection");
    let websockets = target.connections.iter().filter(|connection| connection.opened.is_some());
    Some(format!("{} opened on {connections}", counted(count_of(websockets), "WebSocket")))
}

/// Of few openings the range, of many the percentiles; the times ascend.
fn opening_times(totals: &[Duration]) -> String {
    let (Some(min), Some(max)) = (totals.first(), totals.last()) else { return String::new() };
    if totals.len() < MIN_OPENINGS_FOR_PERCENTILES {
        return range(*min, *max);
    }
    let unit = TimeUnit::of([*min, *max]);
    let figures = [("p50", nearest_rank(totals, 50)), ("p95", nearest_rank(totals, 95)), ("max", *max)];
    format!("{} {}", numbers(unit, figures), unit.symbol())
}

/// The percentile by nearest rank: the least value that at least `percent` of all do not exceed.
fn nearest_rank(ascending: &[Duration], percent: usize) -> Duration {
    let rank = (ascending.len() * percent).div_ceil(100).max(1);
    ascending.get(rank - 1).copied().unwrap_or_default()
}

/// `31.2 to 40.1 ms`, or one number where both look the same.
fn range(min: Duration, max: Duration) -> String {
    let unit = TimeUnit::of([min, max]);
    match unit.number(min) {
        low if low == unit.number(max) => unit.span(max),
        low => format!("{low} to {}", unit.span(max)),
    }
}

/// What else happened on these connections.
fn other_events(rows: &mut Rows, connections: &[ConnReport]) {
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
    // One gap is no interval.
    let asks = connections.iter().filter_map(|c| c.server_traffic.as_ref()?.interval());
    let asks = asks.filter(|(_, interval)| interval.gaps > 1);
    rows.add_some(
        "server pings",
        asks.into_iter().next().map(|(kind, interval)| server_asks(kind, &interval)),
    );
    let echoes = sum(|c| c.echoes);
    let echo = || format!("{} of ours came back unchanged: the server echoes", counted(echoes, "app ping"));
    rows.add_some("echoes", (echoes > 0).then(echo));
    rows.add_some("unconnected", outage(connections));
    let most_away = connections.iter().max_by_key(|connection| connection.outages.total());
    rows.add_some("availability", most_away.and_then(|connection| outages::summary(&connection.outages)));
    rows.add_some("regular", most_away.and_then(|connection| outages::regularity(&connection.outages)));
}

/// How often the server sends heartbeats by itself; those of several connections are alike.
fn server_asks(kind: HeartbeatKind, interval: &Interval) -> String {
    let what = match kind {
        HeartbeatKind::Protocol => "Ping frames",
        HeartbeatKind::Http2 => "PINGs of HTTP/2",
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
    let sum = |pick: fn(&ConnReport) -> u32| {
        let each = connections.iter().map(|c| u64::from(pick(c)).saturating_mul(c.count()));
        each.fold(0, u64::saturating_add)
    };
    let outage = connections.iter().filter_map(|connection| connection.outage).max()?;
    let whose = if count_of(connections) == 1 { "total" } else { "at most, on one connection" };
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

/// `#812 from 127.0.0.1:40112: healthy; rtt mean 4.21  p99 12.0  max 33.1 ms; 0 missed`
pub fn one_of_the_worst(connection: &ConnReport) -> String {
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
    format!("{}{from}: {how}{}; {missed} missed", connection.name(), rtt.unwrap_or_default())
}

/// The connections with trouble, each by itself as long as they are few.
fn troubled(rows: &mut Rows, connections: &[ConnReport]) {
    if count_of(connections) > MAX_CONNECTIONS_IN_FULL as u64 {
        // The worst of them are listed.
        return;
    }
    let with_trouble: Vec<&ConnReport> = connections
        .iter()
        .filter(|connection| connection.status > Status::Healthy || connection.unplanned_endings > 0)
        .collect();
    for connection in with_trouble {
        rows.add(&connection.name(), problem(connection));
    }
}

pub fn problem(connection: &ConnReport) -> String {
    let status = connection.status.label();
    match (&connection.opened, &connection.open_error) {
        (None, Some(error)) => format!("{status}: {}: {}", error.phase, error.cause),
        _ => format!("{status}: {}", connection.status_reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let totals: Vec<Duration> = (1..=10).map(Duration::from_millis).collect();
        // Of ten values: ceil(0.5 * 10) = 5th, ceil(0.95 * 10) = 10th.
        assert_eq!(opening_times(&totals), "p50 5.00  p95 10.0  max 10.0 ms");
        assert_eq!(opening_times(&totals[..9]), "1.00 to 9.00 ms");
    }
}
