//! Connections that are alike, described together: a document of very many lists only the worst of them, and the others in
//! groups. So the document stays small, and the run can still be judged again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::report::{ConnReport, KindReport, RttSpikes};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName};
use crate::domain::connection::connect_info::ConnectInfo;
use crate::domain::connection::phase::PhaseTimes;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::label::Label;
use crate::domain::stats::JitterSummary;

/// The connections in groups of alike ones, in order of appearance. A group is described by one of them: where answers
/// stopped first, or where the peer cut after the shortest quiet time. Its counts are sums; outage and opening times are
/// the maxima. A connection that is like no other stays as it is.
pub fn grouped<'a>(connections: impl Iterator<Item = &'a ConnReport>) -> Vec<ConnReport> {
    let (mut groups, mut places) = (Vec::<ConnReport>::new(), HashMap::<Likeness, usize>::new());
    for connection in connections {
        let place = *places.entry(likeness(connection)).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => join(group, connection),
            None => groups.push(connection.clone()),
        }
    }
    groups
}

/// Everything about a connection that a verdict, a criterion or a finding distinguishes.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Likeness {
    statuses: [&'static str; 3],
    opening: Opening,
    ending: Option<Ending>,
    lost: Option<Ending>,
    /// The code of GOAWAY.
    goaway: Option<u32>,
    unplanned_endings: u32,
    reconnects: u32,
    /// Whether there is a total outage, a last answer, echoes, and app pings of the server.
    has: [bool; 4],
    announced: Option<Duration>,
    kinds: Vec<KindLikeness>,
    traffic: Option<TrafficLikeness>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Opening {
    Unfinished,
    /// The phase, the kind of failure, and the HTTP status of a refusal.
    Failed(&'static str, &'static str, Option<u16>),
    /// The source of timestamps, whether subprotocols were offered, and chosen, and the header of that came.
    Opened(&'static str, [bool; 4]),
}

type Ending = (&'static str, &'static str, Option<u32>);

/// The kind, its status, and whether heartbeats were sent, answered, missed, all missed, not sent in time, and answered
/// ambiguously.
type KindLikeness = (&'static str, &'static str, [bool; 6]);

#[derive(Debug, PartialEq, Eq, Hash)]
struct TrafficLikeness {
    substitute: Option<&'static str>,
    looks_like: Vec<&'static str>,
    /// Whether it has an incomplete frame, an answer with a foreign id, a nearest message, an end soon after a Ping.
    has: [bool; 4],
}

fn likeness(connection: &ConnReport) -> Likeness {
    let statuses = [connection.status, connection.status_without_rtt, connection.last_status];
    let has = [
        connection.outage.is_some(),
        connection.answered_until.is_some(),
        connection.echoes > 0,
        connection.server_pings_app > 0,
    ];
    Likeness {
        statuses: statuses.map(|status| status.label()),
        opening: opening(connection),
        ending: connection.ending.as_deref().map(ending),
        lost: connection.lost.as_deref().map(ending),
        goaway: connection.goaway.as_ref().map(|notice| notice.goaway.code.0),
        unplanned_endings: connection.unplanned_endings,
        reconnects: connection.reconnects,
        has,
        announced: connection.announced,
        kinds: connection.kinds.iter().map(kind).collect(),
        traffic: traffic(connection),
    }
}

fn opening(connection: &ConnReport) -> Opening {
    match (&connection.opened, &connection.open_error) {
        (Some(opened), _) => {
            let has_header = opened.headers.iter().any(|(name, _)| name == "sec-websocket-protocol");
            let offered = !opened.subprotocols_offered.is_empty();
            let compresses = opened.compression.is_some();
            let found = [offered, opened.subprotocol.is_some(), has_header, compresses];
            Opening::Opened(opened.timestamps.label(), found)
        }
        (None, Some(error)) => {
            let refusal = error.refusal.as_ref().map(|refusal| refusal.status);
            Opening::Failed(error.phase.label(), error.kind.label(), refusal)
        }
        (None, None) => Opening::Unfinished,
    }
}

fn ending(ending: &CloseCause) -> Ending {
    let code = match &ending.how {
        CloseKind::CloseFrame { code, .. } => code.map(u32::from),
        CloseKind::Violation { close, .. } => close.as_ref().and_then(|close| close.code).map(u32::from),
        CloseKind::H2RstStream { code } | CloseKind::H2Goaway { code, .. } => Some(code.0),
        CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::H2EndStream
        | CloseKind::TlsAlert { .. }
        | CloseKind::TooLarge { .. }
        | CloseKind::Silent
        | CloseKind::Timeout
        | CloseKind::Error => None,
    };
    (ending.who.label(), CloseKindName::from(&ending.how).label(), code)
}

fn kind(figures: &KindReport) -> KindLikeness {
    let counts = &figures.counts;
    let has = [
        counts.sent() > 0,
        counts.answered() > 0,
        counts.missed > 0,
        counts.missed > 0 && counts.missed == counts.judged(),
        counts.is_schedule_broken(),
        counts.ambiguous > 0,
    ];
    (figures.kind.label(), figures.status.label(), has)
}

fn traffic(connection: &ConnReport) -> Option<TrafficLikeness> {
    let traffic = connection.server_traffic.as_deref()?;
    let substitute = traffic.substitute.as_ref().map(|substitute| match substitute {
        Substitute::Pongs { .. } => "pongs",
        Substitute::Pings { .. } => "pings",
        Substitute::Messages { .. } => "messages",
    });
    let has = [
        traffic.incomplete.is_some(),
        traffic.foreign.is_some(),
        traffic.nearest.is_some(),
        traffic.ended_after_ping.is_some(),
    ];
    Some(TrafficLikeness { substitute, looks_like: traffic.looks_like.clone(), has })
}

/// Adds a connection, or a group, to a group of alike ones.
fn join(group: &mut ConnReport, other: &ConnReport) {
    if order(other) < order(group) {
        group.status_reason = other.status_reason.clone();
        group.last_status_reason = other.last_status_reason.clone();
        (group.index, group.origin) = (other.index, other.origin.clone());
        (group.ending, group.lost) = (other.ending.clone(), other.lost.clone());
        (group.answered_until, group.server_traffic) = (other.answered_until, other.server_traffic.clone());
    }
    if group.lost_on != other.lost_on {
        group.lost_on = None;
    }
    if let (Some(ours), Some(theirs)) = (&group.goaway, &other.goaway)
        && theirs.age < ours.age
    {
        group.goaway = other.goaway.clone();
    }
    group.alike = group.alike.saturating_add(other.count());
    group.kinds.iter_mut().zip(&other.kinds).for_each(|(sum, part)| add_counts(sum, part));
    group.outage = group.outage.max(other.outage);
    if other.outages.total() > group.outages.total() {
        group.outages = other.outages.clone();
    }
    group.messages += other.messages;
    group.server_pings_protocol += other.server_pings_protocol;
    group.server_pings_app += other.server_pings_app;
    group.echoes += other.echoes;
    group.spikes = RttSpikes {
        count: group.spikes.count + other.spikes.count,
        sent_again: group.spikes.sent_again + other.spikes.sent_again,
    };
    if let (Some(ours), Some(theirs)) = (&mut group.opened, &other.opened) {
        take_extremes(Arc::make_mut(ours), theirs);
    }
}

/// Which of alike connections describes them: findings name the earliest.
fn order(connection: &ConnReport) -> (Option<Duration>, Option<Duration>) {
    (connection.answered_until, connection.lost.as_ref().map(|lost| lost.idle))
}

/// The RTTs of a group are not known together: those of the target have them.
fn add_counts(sum: &mut KindReport, part: &KindReport) {
    sum.counts.add(&part.counts);
    sum.longest_miss_run = sum.longest_miss_run.max(part.longest_miss_run);
    (sum.missed_at_end, sum.rtt, sum.jitter) = (0, None, JitterSummary::default());
    sum.histogram.clear();
}

fn take_extremes(ours: &mut ConnectInfo, theirs: &ConnectInfo) {
    let (a, b) = (ours.phases, theirs.phases);
    ours.phases = PhaseTimes {
        dns: a.dns.max(b.dns),
        tcp: a.tcp.max(b.tcp),
        proxy: a.proxy.max(b.proxy),
        tls: a.tls.max(b.tls),
        upgrade: a.upgrade.max(b.upgrade),
        total: a.total.max(b.total),
    };
    if let (Some(ours), Some(theirs)) = (&mut ours.tls, &theirs.tls) {
        let days = ours.days_left.into_iter().chain(theirs.days_left);
        ours.days_left = days.min();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::ping::health::Status;
    use crate::domain::ping::report::{count_of, samples};

    fn connection(index: usize, rtt: u64) -> ConnReport {
        let mut opened = samples::opened_tls(30 - index as i64);
        opened.phases.total = Duration::from_millis(rtt);
        ConnReport {
            kinds: vec![samples::kind(HeartbeatKind::Protocol, &[rtt, rtt + 1])],
            opened: Some(Arc::new(opened)),
            messages: 2,
            ..samples::connection(index)
        }
    }

    #[test]
    fn alike_connections_are_one_entry_with_sums_and_extremes() {
        let all = [connection(0, 5), connection(1, 9), connection(2, 7)];
        let groups = grouped(all.iter());
        let [group] = groups.as_slice() else { panic!("{groups:?}") };
        assert_eq!((group.index, group.count(), group.messages), (0, 3, 6));
        assert_eq!((group.kinds[0].counts.ok, group.kinds[0].rtt), (6, None));
        let opened = group.opened.as_deref().unwrap();
        let days = opened.tls.as_ref().and_then(|tls| tls.days_left);
        assert_eq!((opened.phases.total, days), (Duration::from_millis(9), Some(28)));
        assert_eq!(group.name(), "#0 and 2 like it");
    }

    #[test]
    fn what_a_verdict_distinguishes_is_not_alike() {
        let dead = ConnReport { status: Status::Dead, ..connection(1, 5) };
        let reconnected = ConnReport { reconnects: 1, ..connection(2, 5) };
        let mut lossy = connection(3, 5);
        lossy.kinds[0].counts.missed = 1;
        let mut compressing = connection(5, 5);
        compressing.opened = compressing.opened.map(|opened| {
            Arc::new(ConnectInfo { compression: Some("permessage-deflate".to_string()), ..(*opened).clone() })
        });
        let all = [connection(0, 5), dead, reconnected, lossy, connection(4, 5), compressing];
        let groups = grouped(all.iter());
        assert_eq!(groups.iter().map(ConnReport::count).collect::<Vec<_>>(), [2, 1, 1, 1, 1]);
        assert_eq!(groups[1], all[1], "a connection by itself keeps everything");
        assert_eq!(count_of(&groups), 6);
    }

    #[test]
    fn groups_of_groups_are_those_of_all() {
        let all: Vec<ConnReport> = (0..9).map(|n| connection(n, 5 + (n as u64 * 7) % 4)).collect();
        let parts: Vec<ConnReport> = all.chunks(2).flat_map(|part| grouped(part.iter())).collect();
        assert_eq!(grouped(parts.iter()), grouped(all.iter()));
    }
}
