//! The status of a connection: what it is, when it changes, and why.

use std::time::Duration;

/// How a connection is doing, from best to worst; `Ord` follows that order.
///
/// `Unknown` ranks above `critical` because over several connections one of which nothing is known
/// must not be hidden by those that are merely slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    Healthy,
    Degraded,
    Poor,
    Critical,
    /// Before the first answer.
    Unknown,
    /// One or two consecutive heartbeats missed.
    Timeout,
    /// Three consecutive missed, or the connection ended and we did not end it.
    Dead,
}

impl Status {
    /// All of them, best first.
    pub const ALL: [Status; 7] = [
        Status::Healthy,
        Status::Degraded,
        Status::Poor,
        Status::Critical,
        Status::Unknown,
        Status::Timeout,
        Status::Dead,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Poor => "poor",
            Status::Critical => "critical",
            Status::Unknown => "unknown",
            Status::Timeout => "timeout",
            Status::Dead => "dead",
        }
    }
}

/// The figures at the moment of a status change.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Metrics {
    /// Mean RTT of the rolling window; `None` before the first answer.
    pub window_mean: Option<Duration>,
    /// RTT of the last answer.
    pub last_rtt: Option<Duration>,
    /// missed / (ok + late + superseded + missed), so far; `None` before the first is judged.
    pub loss: Option<f64>,
    pub consecutive_missed: u32,
    /// Heartbeats judged so far.
    pub judged: u64,
}
