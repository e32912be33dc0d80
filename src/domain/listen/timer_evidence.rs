//! What is known about the timer of the server's heartbeats: does traffic restart it?

use super::findings::{IntervalOrigin, KindFindings};
use super::listen_finding::ListenFinding;
use super::traffic_effect::{TrafficEffect, TrafficEffects};
use crate::domain::stats::interval::Interval;

/// How traffic between heartbeats affected them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimerEvidence {
    /// The effect of the client's messages; `None` if it sent none.
    pub by_client: Option<TrafficEffects>,
    /// The effect of the server's messages; `None` if it sent none.
    pub by_server: Option<TrafficEffects>,
    /// The gaps between the heartbeats, if the interval shows only in the times since the server's last traffic.
    pub gaps: Option<Interval>,
    /// The client's messages had been asked for.
    pub talk: bool,
}

/// Which side sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Server,
}

/// Why the timer is unknown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TimerDoubt {
    /// The server's messages keep step with its heartbeats, so that it may count from either.
    InStep,
    /// Messages of the two sides have different effects.
    Disagreeing { client: TrafficEffects, server: TrafficEffects },
    /// Messages of this side had no constant effect, or one that no timer explains.
    Unclear { sender: Sender, effects: TrafficEffects },
    /// The server's messages postpone nothing; the client sent none. `talk`: a client that sends would show more.
    OnlyServer { effects: TrafficEffects, talk: bool },
    /// The client sent nothing between two heartbeats.
    Untested,
    /// The client would have sent, but no interval was known in time.
    NoInterval,
}

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
    let is_timed = kind.sure && kind.interval.is_some_and(|interval| !interval.is_burst());
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
