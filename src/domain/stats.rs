//! The statistics: counts, RTT and jitter, each with its definition.

use std::time::Duration;

/// How many heartbeats came to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub ok: u64,
    pub late: u64,
    pub superseded: u64,
    pub missed: u64,
    pub unsent: u64,
    /// Sent, and not yet judged when the figures were taken; no part of the loss.
    pub in_flight: u64,
    pub unsolicited: u64,
    pub mismatched: u64,
    pub duplicate: u64,
    /// Answers without id that came while several asks were outstanding; matched in order.
    pub ambiguous: u64,
}

/// RTT over the answered heartbeats (ok and late).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RttSummary {
    pub count: u64,
    pub min: Duration,
    pub mean: Duration,
    pub max: Duration,
    pub p50: Duration,
    pub p90: Duration,
    pub p95: Duration,
    pub p99: Duration,
}

/// Jitter by three definitions; each is `None` with fewer than two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterSummary {
    pub stddev: Option<Duration>,
    pub rfc3550: Option<Duration>,
    pub ipdv_mean: Option<Duration>,
}

/// How late this host was: from a heartbeat's due moment to the start of its write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagSummary {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}
