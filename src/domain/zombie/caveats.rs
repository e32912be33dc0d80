//! What makes a client's end inconclusive.

use std::sync::Arc;
use std::time::Duration;

use strum::IntoEnumIterator;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, client_of, dead};
use super::observation_quality::outlived;
use super::policy::ReapingPolicy;
use super::server_schedule::ScheduleEstimator;
use super::timer_kind::ended_at_one_moment;
use super::zombie_finding::ZombieFinding;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::listen::{Interarrival, ServerEventKind};

/// Why the quiet or the Pings-only client shows nothing.
pub(super) fn unusable_client(client: &ClientRecord) -> Option<ZombieFinding> {
    let behaviour = client.behaviour;
    if !matches!(behaviour, Behaviour::Quiet | Behaviour::PingsOnly) {
        None
    } else if client.last_ping_unanswered {
        Some(ZombieFinding::LastPingUnanswered { client: behaviour })
    } else if let ClientEnd::Lost { .. } = client.end {
        Some(ZombieFinding::PathDropped { clients: vec![behaviour], after: None })
    } else {
        not_closed(client)
    }
}

/// A client that never opened, or that ended without the server's close.
fn not_closed(record: &ClientRecord) -> Option<ZombieFinding> {
    let client = record.behaviour;
    match &record.end {
        ClientEnd::Unopened { why } => Some(ZombieFinding::ClientNotOpened { client, why: why.clone() }),
        ClientEnd::Ended { ending, .. } if record.broken().is_some() => {
            Some(ZombieFinding::ClientNotClosedByServer { client, ending: Arc::clone(ending) })
        }
        ClientEnd::Ended { .. }
        | ClientEnd::Kept { .. }
        | ClientEnd::Lost { .. }
        | ClientEnd::HeldBack { .. } => None,
    }
}

/// Whether the server relays one client's messages to the others and they look like its own heartbeats: most
/// of the messages sent came back this way.
pub(super) fn relay_caveat(clients: &[ClientRecord]) -> Option<ZombieFinding> {
    let others = || {
        clients.iter().filter(|client| !matches!(client.behaviour, Behaviour::Control | Behaviour::Stalled))
    };
    let sent: u64 = others().map(|client| client.relayed.sent).sum();
    let returned: u64 = others().map(|client| client.relayed.returned).sum();
    (returned * 2 > sent).then_some(ZombieFinding::ServerRelaysMessages)
}

/// Close codes that do not show a dead client was detected. IANA WebSocket Close Code Number Registry.
const UNRELATED_CLOSE_CODES: [u16; 2] = [1012, 1013];

/// Why a client may have been closed for another reason than its silence.
pub(super) fn other_cause_of_end(clients: &[ClientRecord], client: &ClientRecord) -> Option<ZombieFinding> {
    let alone = unrelated_close_code(client).or_else(|| simultaneous_going_away(clients, client));
    alone.or_else(|| contradicted_by_quiet(clients, client)).or_else(|| contradicted_by_mute(clients, client))
}

/// If the quiet client had nothing to answer, it was as silent as the mute one. If it was kept, silence was
/// not the reason.
fn contradicted_by_quiet(clients: &[ClientRecord], client: &ClientRecord) -> Option<ZombieFinding> {
    let after = client.ended().filter(|_| client.behaviour == Behaviour::Mute && client.asks().is_empty())?;
    let quiet = client_of(clients, Behaviour::Quiet)?;
    let was_asked = quiet.asks().iter().any(|(_, arrivals)| quiet.since_greeting(arrivals.begun) <= after);
    let (client, kept) = (Behaviour::Mute, Behaviour::Quiet);
    (!was_asked && quiet.kept()? > outlived(after)).then_some(ZombieFinding::SilenceNotTheReason {
        client,
        after,
        kept,
    })
}

/// A stalled client that was sent no heartbeat does not differ from the mute one before that was sent anything. One that was
/// sent some does: a server may begin its heartbeats at another time on each connection.
fn contradicted_by_mute(clients: &[ClientRecord], client: &ClientRecord) -> Option<ZombieFinding> {
    let after =
        client.ended().filter(|_| client.behaviour == Behaviour::Stalled && !ended_at_one_moment(clients))?;
    let mute = client_of(clients, Behaviour::Mute)?;
    let received = ServerEventKind::iter().flat_map(|event_kind| mute.listening.arrivals_by_form(event_kind));
    let has_received =
        received.map(|arrivals| mute.since_greeting(arrivals.begun)).any(|moment| moment <= outlived(after));
    let was_asked = client.unanswered().is_some_and(|heartbeats| heartbeats > 0);
    let at_latest = client.end.is_at_latest();
    let (client, kept) = (Behaviour::Stalled, Behaviour::Mute);
    (!at_latest && !was_asked && !has_received && mute.kept()? > outlived(after))
        .then_some(ZombieFinding::SilenceNotTheReason { client, after, kept })
}

/// A server that goes away closes its clients at the same moment.
fn simultaneous_going_away(clients: &[ClientRecord], client: &ClientRecord) -> Option<ZombieFinding> {
    let is_so = matches!(client.ending()?.how, CloseKind::CloseFrame { code: Some(1001), .. });
    (is_so && ended_at_one_moment(clients))
        .then_some(ZombieFinding::PerhapsRestart { client: client.behaviour })
}

/// Unknown messages may have been heartbeats that all clients but the control left unanswered.
pub(super) fn unknown_messages(clients: &[ClientRecord], policy: &ReapingPolicy) -> Option<ZombieFinding> {
    let is_none = matches!(policy, ReapingPolicy::Idle(_, None) | ReapingPolicy::KeepsAll);
    let mute = client_of(clients, Behaviour::Mute).filter(|_| is_none)?;
    let arrivals = mute
        .listening
        .arrivals_by_form(ServerEventKind::Message)
        .find(|arrivals| arrivals.last > WELCOME_WINDOW)?;
    Some(ZombieFinding::UnknownMessages { sample: arrivals.sample.clone() })
}

/// A message this early is a greeting.
const WELCOME_WINDOW: Duration = Duration::from_millis(500);

fn unrelated_close_code(client: &ClientRecord) -> Option<ZombieFinding> {
    let CloseKind::CloseFrame { code: Some(code), .. } = client.ending()?.how else { return None };
    UNRELATED_CLOSE_CODES
        .contains(&code)
        .then_some(ZombieFinding::UnrelatedCloseCode { client: client.behaviour, code })
}

/// Which dead clients the server may not have closed, and why.
pub(super) fn unproven(clients: &[ClientRecord]) -> Vec<ZombieFinding> {
    dead(clients).filter_map(not_closed).chain(lost(clients)).collect()
}

/// Intervals for which heartbeats must stay unanswered before "never closes" is certain; few servers wait for
/// more than three.
const MIN_UNANSWERED_INTERVALS: f64 = 3.5;

/// A dead client was kept, but not as long as the server may take to close it, judging by its heartbeats.
pub(super) fn waited_too_short(clients: &[ClientRecord], every: Duration) -> Option<ZombieFinding> {
    let (kept, behaviour) = dead(clients)
        .filter(|client| client.is_kept())
        .filter_map(|client| Some((client.kept()?, client.behaviour)))
        .min()?;
    let mute = client_of(clients, Behaviour::Mute);
    let needed = match mute.and_then(ClientRecord::ended) {
        None => age_after_enough_requests(clients, every)?,
        Some(ended) => {
            outlived(ended)
                + asks(clients).into_iter().map(|ask| interval(clients, every, ask)).max().unwrap_or_default()
        }
    };
    let is_known = |ask: &FirstRequest| estimated_interval(clients, every, *ask).is_some();
    let (client, interval_known) = (behaviour, asks(clients).iter().all(is_known));
    (kept < needed).then_some(ZombieFinding::WaitedTooShort { client, kept, needed, interval_known })
}

/// The age at which a client has left enough heartbeats of each kind unanswered; `None` if no client was
/// asked.
fn age_after_enough_requests(clients: &[ClientRecord], every: Duration) -> Option<Duration> {
    let needed =
        |ask: FirstRequest| ask.first + interval(clients, every, ask).mul_f64(MIN_UNANSWERED_INTERVALS);
    asks(clients).into_iter().map(needed).max()
}

/// A kind of heartbeat, and the age at which a client got the first one.
#[derive(Clone, Copy)]
struct FirstRequest {
    event_kind: ServerEventKind,
    first: Duration,
}

/// The requests to the mute client, or else to any other: the mute one would have got the same.
fn asks(clients: &[ClientRecord]) -> Vec<FirstRequest> {
    let of = |client: &ClientRecord| -> Vec<FirstRequest> {
        let ask = |(event_kind, arrivals): (ServerEventKind, &Interarrival)| FirstRequest {
            event_kind,
            first: client.since_greeting(arrivals.begun),
        };
        client.asks().into_iter().map(ask).collect()
    };
    let mute = client_of(clients, Behaviour::Mute).map(of).filter(|asks| !asks.is_empty());
    mute.unwrap_or_else(|| clients.iter().flat_map(of).collect())
}

/// The interval of these heartbeats. If it is unknown: the longest gap of any client, or the time to the
/// first.
fn interval(clients: &[ClientRecord], every: Duration, ask: FirstRequest) -> Duration {
    let gaps = |client: &ClientRecord| client.listening.arrivals(ask.event_kind)?.interval();
    let longest = || clients.iter().filter_map(gaps).map(|gaps| gaps.max).max().unwrap_or_default();
    estimated_interval(clients, every, ask).unwrap_or_else(|| longest().max(ask.first))
}

fn estimated_interval(clients: &[ClientRecord], every: Duration, ask: FirstRequest) -> Option<Duration> {
    ScheduleEstimator { clients, event_kind: ask.event_kind, every }.estimate().interval
}

/// No known server behaviour explains the end.
pub(super) fn unexplained(client: &ClientRecord) -> Option<ZombieFinding> {
    Some(ZombieFinding::PerhapsConnectionLimit { client: client.behaviour, after: client.ended()? })
}

/// The lost clients, if there are any.
fn lost(clients: &[ClientRecord]) -> Option<ZombieFinding> {
    let lost_after =
        |client: &ClientRecord| if let ClientEnd::Lost { after } = client.end { Some(after) } else { None };
    let after = Some(dead(clients).filter_map(lost_after).max()?);
    let lost = dead(clients).filter(|client| lost_after(client).is_some());
    let clients = lost.map(|client| client.behaviour).collect();
    Some(ZombieFinding::PathDropped { clients, after })
}
