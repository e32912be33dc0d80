//! What the effects of traffic show about the timer of the server's heartbeats.

use super::findings::KindFindings;
use super::listen_finding::ListenFinding;
use super::timer_evidence::{IntervalOrigin, Sender, TimerDoubt, TimerEvidence};
use super::traffic_effect::TrafficEffect;

/// The finding about the timer of this kind of heartbeat; `None` without an interval. `answer` and `talk`: what the
/// client did.
pub fn timer_finding(
    kind: &KindFindings,
    origin: Option<IntervalOrigin>,
    answer: bool,
    talk: bool,
) -> Option<ListenFinding> {
    let (by_client, by_server) = (kind.by_client, kind.by_server);
    let gaps = kind.interval.filter(|_| kind.since_traffic.is_some());
    // Without an answer the client may not send either.
    let evidence = TimerEvidence { by_client, by_server, gaps, talk: talk || !answer };
    match origin {
        Some(IntervalOrigin::LastTraffic) => Some(ListenFinding::TimerRestartsOnTraffic(evidence)),
        Some(IntervalOrigin::FixedClock) => Some(match by_client.map(|client| client.effect) {
            Some(TrafficEffect::Skipped) => ListenFinding::SkipsActiveClients(evidence),
            Some(TrafficEffect::Unmoved | TrafficEffect::Postponed | TrafficEffect::Mixed) | None => {
                ListenFinding::TimerIgnoresTraffic(evidence)
            }
        }),
        None => timer_doubt(kind, answer, talk).map(ListenFinding::TimerUnknown),
    }
}

fn timer_doubt(kind: &KindFindings, answer: bool, talk: bool) -> Option<TimerDoubt> {
    let is_timed = kind.sure && kind.interval.is_some_and(|interval| !interval.is_fast());
    Some(match (kind.by_client, kind.by_server) {
        _ if kind.in_step => TimerDoubt::InStep,
        (Some(client), Some(server)) if client.effect != TrafficEffect::Mixed => {
            TimerDoubt::Disagreeing { client, server }
        }
        (Some(effects), _) => TimerDoubt::Unclear { sender: Sender::Client, effects },
        (None, Some(effects)) if effects.effect == TrafficEffect::Unmoved => {
            TimerDoubt::OnlyServer { effects, talk: talk || !answer }
        }
        (None, Some(effects)) => TimerDoubt::Unclear { sender: Sender::Server, effects },
        (None, None) if is_timed && !talk && answer => TimerDoubt::Untested,
        (None, None) if talk => TimerDoubt::NoInterval,
        (None, None) => return None,
    })
}
