//! By which clock the next heartbeat is to come.

use std::time::Duration;

use super::server_event::ServerEventClass;
use crate::domain::stats::interval::Interval;

/// A server's clock, as far as it is borne out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatClock {
    /// Of which heartbeats.
    pub kind: ServerEventClass,
    pub interval: Interval,
    /// When the last of them came.
    pub last: Duration,
    /// From what the interval to the next is counted: the same, or the last that the server said, whatever it was.
    pub from: Duration,
}
