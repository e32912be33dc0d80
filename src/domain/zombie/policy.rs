//! What a server's policy towards dead clients is, as far as it can be seen from outside.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::server_schedule::ServerSchedule;
use super::timer_kind::TimerKind;

/// What the server does about clients that say nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapingPolicy {
    /// It sends heartbeats, and an answer to them keeps a client.
    Heartbeat(HeartbeatPolicy),
    /// It lets go of who is idle, whether it sends heartbeats or not: answering them does not help.
    Idle(IdlePolicy, Option<ServerSchedule>),
    /// It sends none, and keeps everybody.
    KeepsAll,
    /// The evidence does not tell.
    Unknown,
}

/// Heartbeats and what follows when they stay unanswered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatPolicy {
    pub beats: ServerSchedule,
    pub reaping: ReapingRule,
    /// And a timer besides, that strikes who answers them and says nothing else.
    pub idle: Option<IdlePolicy>,
}

impl HeartbeatPolicy {
    /// For how long a client is kept that dies just after it answered: an interval until it is asked again, and what
    /// follows. `None` where it is not known, or the next comes later to who talks, or may.
    pub(super) fn at_worst(&self) -> Option<Duration> {
        let ReapingRule::After { total, .. } = self.reaping else { return None };
        (self.beats.skips_active == Some(false)).then_some(self.beats.interval? + total)
    }

    /// Whether it gives up when the next heartbeat is due, or would be.
    pub fn is_when_next_is_due(&self) -> bool {
        let ReapingRule::After { timeout, .. } = self.reaping else { return false };
        self.beats.interval.is_some_and(|interval| timeout.abs_diff(interval) <= interval / 20)
    }
}

/// When a client that does not answer is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapingRule {
    /// Not in the time that was waited: so long, from the first unanswered heartbeat.
    Never { waited: Duration },
    /// So long after so many unanswered heartbeats. From outside nobody can tell a patience that is longer than the
    /// interval from a higher number of them.
    After {
        misses: u64,
        /// From the last unanswered heartbeat to the end.
        timeout: Duration,
        /// From the first.
        total: Duration,
    },
}

/// A timer that what the client sends starts afresh, and no deadline for the first that it sends: all clients spoke before
/// they fell silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdlePolicy {
    /// At this age a client was closed.
    pub after: Duration,
    /// Whether that is the timer's length.
    pub edge: TimerKind,
    pub needs: RequiredTraffic,
}

/// What a client must send to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RequiredTraffic {
    /// Frames of any kind: Pings do.
    AnyFrame,
    /// Frames of its own accord: Pings do, answers to the server's heartbeats do not.
    OwnFrames,
    /// Messages: Pings and Pongs do not count.
    Messages,
}
