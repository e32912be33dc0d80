//! What makes a client's end inconclusive; each reason is a lower-case fragment.

use std::time::Duration;

use strum::IntoEnumIterator;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, dead};
use super::observation_quality::outlived;
use super::policy::ReapingPolicy;
use super::server_schedule::ScheduleEstimator;
use super::timer_kind::ended_at_one_moment;
use crate::domain::connection::close_cause::{CloseKind, close_code_meaning};
use crate::domain::format::duration as show;
use crate::domain::listen::{Interarrival, ServerEventKind};

/// For example `the mute, the stalled and the half-closed client`.
pub fn names(clients: &[&ClientRecord]) -> String {
    let names: Vec<String> =
        clients.iter().map(|client| format!("the {}", client.behaviour.name())).collect();
    match names.split_last() {
        None => "no client".to_string(),
        Some((last, [])) => format!("{last} client"),
        Some((last, others)) => format!("{} and {last} client", others.join(", ")),
    }
}

/// Why the quiet or the Pings-only client shows nothing.
pub(super) fn unusable_client(client: &ClientRecord) -> Option<String> {
    let why = match (&client.end, client.broken()) {
        _ if !matches!(client.behaviour, Behaviour::Quiet | Behaviour::PingsOnly) => return None,
        _ if client.last_ping_unanswered => {
            "was still connected, but its last Ping was not answered: the server had dropped it silently"
                .to_string()
        }
        (ClientEnd::Unopened { why }, _) => format!("could not be opened: {why}"),
        (ClientEnd::Lost { .. }, _) => "lost its connection on the path".to_string(),
        (_, Some(ending)) => format!("was not closed by the server: {ending}"),
        (ClientEnd::Kept { .. } | ClientEnd::Ended { .. }, None) => return None,
    };
    let name = client.behaviour.name();
    Some(format!("the {name} client {why}; so it is unknown how the server treats such clients"))
}

/// Whether the server relays one client's messages to the others and they look like its own heartbeats: most
/// of the messages sent came back this way.
pub(super) fn relay_caveat(clients: &[ClientRecord]) -> Option<String> {
    let others = || {
        clients.iter().filter(|client| !matches!(client.behaviour, Behaviour::Control | Behaviour::Stalled))
    };
    let (sent, returned): (u64, u64) = others()
        .map(|client| (client.relayed.sent, client.relayed.returned))
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (returned * 2 > sent).then(|| {
        "the server relays one client's messages to the others, and they look like its own heartbeats: it is unknown \
         what it sends by itself (send messages with an {id}: --say)"
            .to_string()
    })
}

/// Close codes that do not show a dead client was detected. IANA WebSocket Close Code Number Registry.
const UNRELATED_CLOSE_CODES: [u16; 2] = [1012, 1013];

/// Why a client may have been closed for another reason than its silence.
pub(super) fn other_cause_of_end(clients: &[ClientRecord], client: &ClientRecord) -> Option<String> {
    let alone = unrelated_close_code(client).or_else(|| simultaneous_going_away(clients, client));
    alone.or_else(|| contradicted_by_quiet(clients, client)).or_else(|| contradicted_by_mute(clients, client))
}

/// If the quiet client had nothing to answer, it was as silent as the mute one. If it was kept, silence was
/// not the reason.
fn contradicted_by_quiet(clients: &[ClientRecord], client: &ClientRecord) -> Option<String> {
    let after = client.ended().filter(|_| client.behaviour == Behaviour::Mute && client.asks().is_empty())?;
    let quiet = clients.iter().find(|client| client.behaviour == Behaviour::Quiet)?;
    let was_asked = quiet.asks().iter().any(|(_, arrivals)| quiet.since_greeting(arrivals.begun) <= after);
    (!was_asked && quiet.kept()? > outlived(after)).then(|| {
        format!(
            "the mute client was closed after {}, but the quiet one, equally silent because it had nothing to answer \
             by then, was not: silence may not be the reason",
            show(after)
        )
    })
}

/// Before the server sends anything, the stalled client does not differ from the mute one.
fn contradicted_by_mute(clients: &[ClientRecord], client: &ClientRecord) -> Option<String> {
    let after =
        client.ended().filter(|_| client.behaviour == Behaviour::Stalled && !ended_at_one_moment(clients))?;
    let mute = clients.iter().find(|client| client.behaviour == Behaviour::Mute)?;
    let received = ServerEventKind::iter().flat_map(|event_kind| mute.listening.arrivals_by_form(event_kind));
    let has_received =
        received.map(|arrivals| mute.since_greeting(arrivals.begun)).any(|moment| moment <= outlived(after));
    let at_latest = matches!(client.end, ClientEnd::Ended { at_latest: true, .. });
    (!at_latest && !has_received && mute.kept()? > outlived(after)).then(|| {
        format!(
            "the stalled client was closed after {}, but the mute one, equally silent because it had received \
             nothing by then, was not: silence may not be the reason",
            show(after)
        )
    })
}

/// A server that goes away closes its clients at the same moment.
fn simultaneous_going_away(clients: &[ClientRecord], client: &ClientRecord) -> Option<String> {
    let is_so = matches!(client.ending()?.how, CloseKind::CloseFrame { code: Some(1001), .. });
    (is_so && ended_at_one_moment(clients)).then(|| {
        let (name, meaning) = (client.behaviour.name(), close_code_meaning(1001));
        format!(
            "the {name} client was closed by close 1001 ({meaning}), and others of any age with it: perhaps a restart"
        )
    })
}

/// Unknown messages may have been heartbeats that all clients but the control left unanswered.
pub(super) fn unknown_messages(clients: &[ClientRecord], policy: &ReapingPolicy) -> Option<String> {
    let is_none = matches!(policy, ReapingPolicy::Idle(_, None) | ReapingPolicy::KeepsAll);
    let mute = clients.iter().find(|client| client.behaviour == Behaviour::Mute).filter(|_| is_none)?;
    let arrivals = mute
        .listening
        .arrivals_by_form(ServerEventKind::Message)
        .find(|arrivals| arrivals.last > WELCOME_WINDOW)?;
    Some(format!(
        "the server sent messages that are no known heartbeats, the first \"{}\"; if they are heartbeats, describe \
         them (--app-ping): the policy may then differ",
        shortened(&arrivals.sample.to_string())
    ))
}

/// A message this early is a greeting.
const WELCOME_WINDOW: Duration = Duration::from_millis(500);
const MAX_SHOWN_CHARS: usize = 60;

fn shortened(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if text.chars().count() > MAX_SHOWN_CHARS { format!("{shown}…") } else { shown }
}

fn unrelated_close_code(client: &ClientRecord) -> Option<String> {
    let CloseKind::CloseFrame { code: Some(code), .. } = client.ending()?.how else { return None };
    UNRELATED_CLOSE_CODES.contains(&code).then(|| {
        let (name, meaning) = (client.behaviour.name(), close_code_meaning(code));
        format!("the {name} client was closed by close {code} ({meaning}): silence may not be the reason")
    })
}

/// Which dead clients the server may not have closed, and why.
pub(super) fn unproven(clients: &[ClientRecord]) -> Vec<String> {
    let reason = |client: &ClientRecord| match (&client.end, client.broken()) {
        (ClientEnd::Unopened { why }, _) => {
            Some(format!("the {} client could not be opened: {why}", client.behaviour.name()))
        }
        (_, Some(ending)) => {
            Some(format!("the {} client was not closed by the server: {ending}", client.behaviour.name()))
        }
        (ClientEnd::Kept { .. } | ClientEnd::Ended { .. } | ClientEnd::Lost { .. }, None) => None,
    };
    dead(clients).filter_map(reason).chain(lost(clients)).collect()
}

/// Intervals for which heartbeats must stay unanswered before "never closes" is certain; few servers wait for
/// more than three.
const MIN_UNANSWERED_INTERVALS: f64 = 3.5;

/// A dead client was kept, but not as long as the server may take to close it, judging by its heartbeats.
pub(super) fn waited_too_short(clients: &[ClientRecord], every: Duration) -> Option<String> {
    let (kept, behaviour) = dead(clients)
        .filter(|client| client.is_kept())
        .filter_map(|client| Some((client.kept()?, client.behaviour)))
        .min()?;
    let mute = clients.iter().find(|client| client.behaviour == Behaviour::Mute);
    let needed = match mute.and_then(ClientRecord::ended) {
        None => age_after_enough_requests(clients, every)?,
        Some(ended) => {
            outlived(ended)
                + asks(clients).into_iter().map(|ask| interval(clients, every, ask)).max().unwrap_or_default()
        }
    };
    (kept < needed).then(|| {
        format!(
            "the {} client was observed for only {}; judging by its heartbeats the server may still close it (use \
             --max {}s)",
            behaviour.name(),
            show(kept),
            needed.as_secs() + 1
        )
    })
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
    let mute = clients
        .iter()
        .find(|client| client.behaviour == Behaviour::Mute)
        .map(of)
        .filter(|asks| !asks.is_empty());
    mute.unwrap_or_else(|| clients.iter().flat_map(of).collect())
}

/// The interval of these heartbeats. If it is unknown: the longest gap of any client, or the time to the
/// first.
fn interval(clients: &[ClientRecord], every: Duration, ask: FirstRequest) -> Duration {
    let seen = ScheduleEstimator::new(clients, ask.event_kind, every).estimate().interval;
    let gaps = |client: &ClientRecord| client.listening.arrivals(ask.event_kind)?.interval();
    let longest = || clients.iter().filter_map(gaps).map(|gaps| gaps.max).max().unwrap_or_default();
    seen.unwrap_or_else(|| longest().max(ask.first))
}

/// No known server behaviour explains the end.
pub(super) fn describe_unexplained(client: &ClientRecord) -> Option<String> {
    let name = client.behaviour.name();
    Some(format!(
        "the {name} client was closed after {}, but the mute one, which sends nothing at all, was not: perhaps a \
         connection limit",
        show(client.ended()?)
    ))
}

/// The lost clients, if there are any.
fn lost(clients: &[ClientRecord]) -> Option<String> {
    let lost: Vec<&ClientRecord> =
        dead(clients).filter(|client| matches!(client.end, ClientEnd::Lost { .. })).collect();
    let after =
        |client: &&ClientRecord| if let ClientEnd::Lost { after } = client.end { Some(after) } else { None };
    let after = lost.iter().filter_map(after).max()?;
    Some(format!(
        "after {} the peer no longer knew the connection of {}, and no end had been received: the path dropped it, \
         or lost the server's close (`wscheck probe-idle` measures after how long a path drops connections; use a \
         shorter --max)",
        show(after),
        names(&lost)
    ))
}
