//! A server's policy on dead clients, as far as it shows from outside.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::server_schedule::ServerSchedule;
use super::timer_kind::TimerKind;

/// What the server does about clients that send nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapingPolicy {
    /// It sends heartbeats, and answering them keeps a client.
    Heartbeat(HeartbeatPolicy),
    /// It closes idle clients, whether it sends heartbeats or not; answers to them do not help.
    Idle(IdlePolicy, Option<ServerSchedule>),
    /// It sends none, and closes nobody.
    KeepsAll,
    /// The evidence does not show it.
    Unknown,
}

/// A server's heartbeats, and what follows if they stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatPolicy {
    pub beats: ServerSchedule,
    pub reaping: ReapingRule,
    /// An additional idle timer that closes clients which only answer heartbeats.
    pub idle: Option<IdlePolicy>,
}

impl HeartbeatPolicy {
    /// How long a client is kept that dies just after an answer: one interval until the next request, and the
    /// rule's total. `None` if that is unknown, or the next heartbeat may come later to active clients.
    pub(super) fn at_worst(&self) -> Option<Duration> {
        let ReapingRule::After { total, .. } = self.reaping else { return None };
        (self.beats.skips_active == Some(false)).then_some(self.beats.interval? + total)
    }

    /// Whether it gives up when the next heartbeat is due.
    pub fn is_when_next_is_due(&self) -> bool {
        let ReapingRule::After { timeout, .. } = self.reaping else { return false };
        self.beats.interval.is_some_and(|interval| timeout.abs_diff(interval) <= interval / 20)
    }
}

/// When a client that does not answer is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapingRule {
    /// Not in the observed time, counted from the first unanswered heartbeat.
    Never { waited: Duration },
    /// After this many unanswered heartbeats and this time. From outside, a timeout longer than the interval
    /// looks like a higher number of misses.
    After {
        misses: u64,
        /// Time from the last unanswered heartbeat to the end.
        timeout: Duration,
        /// Time from the first unanswered heartbeat to the end.
        total: Duration,
    },
}

/// A timer that the client's traffic resets; no deadline for its first message, because all clients send
/// before they fall silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdlePolicy {
    /// The age at which a client was closed.
    pub after: Duration,
    /// Whether that is the timer's exact length.
    pub edge: TimerKind,
    pub needs: RequiredTraffic,
}

/// What a client must send to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RequiredTraffic {
    /// Frames of any kind: Pings suffice.
    AnyFrame,
    /// Frames besides answers: Pings suffice, answers to the server's heartbeats do not.
    OwnFrames,
    /// Messages: Pings and Pongs do not count.
    Messages,
}

/// What a client must send besides Pongs, and after how long those that did not were closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficEvidence {
    /// Nothing: the quiet and the Pings-only client were kept for this long.
    NotNeeded { kept: Duration },
    /// Frames of its own; Pings suffice: the quiet client was closed.
    Pings { quiet: Duration },
    /// Messages: the Pings-only client was closed too.
    Messages { quiet: Duration, pings: Duration },
    /// Answers to app pings: the Pings-only client was closed, the quiet one was not.
    Answers { pings: Duration },
}
