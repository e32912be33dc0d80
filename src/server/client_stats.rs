//! What is counted of one client, and the status that follows from it.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::label::Label;
use crate::domain::ping::health::{HealthTracker, Status, StatusLimits, StatusMetrics};
use crate::domain::stats::{Counts, JitterSummary, Moments, Successive};

/// One client's figures.
#[derive(Debug, Clone, Default)]
pub struct ClientStats {
    /// Ordinary messages that came.
    pub messages: u64,
    /// Ping frames that came.
    pub pings: u64,
    /// App pings that came.
    pub app_pings: u64,
    /// It missed its heartbeats and was given up.
    pub terminated: bool,
    /// When bytes last came.
    pub last_heard: Option<Instant>,
    /// Of the server's own heartbeats, one entry a kind.
    pub beats: Vec<HeartbeatStats>,
}

impl ClientStats {
    /// The worst of its kinds; unknown without heartbeats, dead when it was given up.
    pub fn status(&self) -> Status {
        if self.terminated {
            return Status::Dead;
        }
        self.beats.iter().map(HeartbeatStats::status).max().unwrap_or(Status::Unknown)
    }

    /// What the client is told of itself, as JSON: `health_status`, and the figures behind it.
    pub fn health_word(&self) -> String {
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

    /// The kind whose status is the client's.
    pub fn worst(&self) -> Option<&HeartbeatStats> {
        self.beats.iter().max_by_key(|beat| beat.status())
    }
}

/// The figures of one kind of heartbeat that a client was sent.
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

    /// Takes the outcome of heartbeat `seq`, and what it was taken for before. `alive`: the client has proved its life
    /// since, so that a missed heartbeat is no part of a silence.
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

    /// The figures of this moment: window, last RTT, loss, consecutive missed.
    pub fn metrics(&self) -> StatusMetrics {
        self.health.metrics()
    }

    /// Why the status is what it is: a lower-case fragment.
    pub fn reason(&self) -> String {
        format!("{}: {}", self.kind, self.health.reason())
    }
}
