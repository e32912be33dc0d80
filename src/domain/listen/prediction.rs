//! Predicts the next heartbeat.

use std::time::Duration;

use super::server_event::ServerEventClass;
use crate::domain::stats::interval::Interval;

/// A server's clock, as far as the observations confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatClock {
    pub kind: ServerEventClass,
    pub interval: Interval,
    /// When the last of them came.
    pub last: Duration,
    /// Where the interval to the next one starts: the last heartbeat, or the server's last event of any kind.
    pub from: Duration,
}
