//! What is known about the timer of the server's heartbeats: does traffic restart it?

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::traffic_effect::TrafficEffects;
use crate::domain::stats::interval::Interval;

/// What the server counts its intervals from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IntervalOrigin {
    /// A fixed clock: neither the client's traffic nor the server's own (if any) moves it.
    FixedClock,
    /// The last traffic.
    LastTraffic,
}

/// What the spans of an interval measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IntervalSpan {
    /// From one heartbeat to the next.
    Heartbeats,
    /// From the server's last event of any kind to each heartbeat.
    SinceTraffic,
}

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
