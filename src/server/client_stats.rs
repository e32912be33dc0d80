//! Counters of one client, and its status.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::label::Label;
use crate::domain::ping::health::{HealthTracker, Status, StatusLimits, StatusMetrics};
use crate::domain::stats::{Counts, JitterSummary, Moments, Successive};

/// Counters of one client.
#[derive(Debug, Clone, Default)]
pub struct ClientStats {
    /// Ordinary messages received.
    pub messages: u64,
    /// Ping frames received.
    pub pings: u64,
    /// App pings received.
    pub app_pings: u64,
    /// Pongs that a fault dropped.
    pub pongs_dropped: u64,
    /// It was terminated because it missed heartbeats.
    pub terminated: bool,
    /// When the last bytes came.
    pub last_heard: Option<Instant>,
    /// Results of the server's heartbeats, one entry per kind.
    pub beats: Vec<HeartbeatStats>,
}

impl ClientStats {
    /// The worst status of all kinds: unknown without heartbeats, dead once terminated.
    pub fn status(&self) -> Status {
        if self.terminated {
            return Status::Dead;
        }
        self.beats.iter().map(HeartbeatStats::status).max().unwrap_or(Status::Unknown)
    }

    /// The health message to the client, as JSON: `health_status` and its figures.
    pub fn health_message(&self) -> String {
        let worst = self.worst();
        let metrics = worst.map(HeartbeatStats::metrics);
        let ms = |duration: Option<Duration>| duration.map(|duration| duration.as_micros() as f64 / 1000.0);
        let word = json!({
            "type": "health_status",
            "health_status": self.status().label(),
            "rtt_ms": ms(metrics.and_then(|metrics| metrics.last_rtt)),
            "mean_rtt_ms": ms(metrics.and_then(|metrics| metrics.window_mean)),
            "jitter_stddev_ms": ms(worst.and_then(|worst| worst.jitter().stddev)),
            "consecutive_missed": metrics.map(|metrics| metrics.consecutive_missed),
        });
        word.to_string()
    }

    /// The kind with the worst status.
    pub fn worst(&self) -> Option<&HeartbeatStats> {
        self.beats.iter().max_by_key(|beat| beat.status())
    }
}

/// Results of one kind of heartbeat sent to a client.
#[derive(Debug, Clone)]
pub struct HeartbeatStats {
    pub kind: HeartbeatKind,
    pub counts: Counts,
    pub rtts: Moments,
    successive: Successive,
    health: HealthTracker,
}

impl HeartbeatStats {
    pub fn new(kind: HeartbeatKind) -> HeartbeatStats {
        HeartbeatStats {
            kind,
            counts: Counts::default(),
            rtts: Moments::default(),
            successive: Successive::default(),
            health: HealthTracker::new(StatusLimits::default()),
        }
    }

    /// Records the outcome of heartbeat `seq`; `was` is its outcome before. `alive`: a later sign of life came, so a
    /// missed heartbeat does not count as silence.
    pub fn record(
        &mut self,
        seq: u64,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        rtt: Option<Duration>,
        alive: bool,
    ) {
        self.counts.record(outcome, was);
        self.successive.record(seq, rtt);
        self.health.record(outcome, was, rtt, alive);
        if let Some(rtt) = rtt {
            self.rtts.record(rtt);
        }
    }

    pub fn jitter(&self) -> JitterSummary {
        JitterSummary::new(&self.rtts, &self.successive.differences())
    }

    pub fn status(&self) -> Status {
        self.health.status()
    }

    /// Current metrics: window, last RTT, loss, consecutive missed.
    pub fn metrics(&self) -> StatusMetrics {
        self.health.metrics()
    }

    /// Why the status is what it is: a lower-case fragment.
    pub fn reason(&self) -> String {
        format!("{}: {}", self.kind, self.health.reason())
    }
}
