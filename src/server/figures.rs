//! What is counted of one client, and the status that follows from it.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use crate::domain::health::{Metrics, Status};
use crate::domain::heartbeat::{Kind, Outcome};
use crate::domain::stats::{Counts, JitterSummary, Moments, Successive};

use super::standing::{self, WINDOW};

/// One client's figures.
#[derive(Debug, Clone, Default)]
pub struct Figures {
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
    pub beats: Vec<BeatFigures>,
}

impl Figures {
    /// The worst of its kinds; unknown without heartbeats, dead when it was given up.
    pub fn status(&self) -> Status {
        if self.terminated {
            return Status::Dead;
        }
        self.beats.iter().map(BeatFigures::status).max().unwrap_or(Status::Unknown)
    }

    /// What the client is told of itself, as JSON: `health_status`, and the figures behind it.
    pub fn health_word(&self) -> String {
        let worst = self.worst();
        let ms = |duration: Option<Duration>| duration.map(|duration| duration.as_micros() as f64 / 1000.0);
        let word = json!({
            "type": "health_status",
            "health_status": self.status().label(),
            "rtt_ms": ms(worst.and_then(|worst| worst.last_rtt)),
            "mean_rtt_ms": ms(worst.and_then(BeatFigures::window_mean)),
            "jitter_stddev_ms": ms(worst.and_then(|worst| worst.jitter().stddev)),
            "consecutive_missed": worst.map(|worst| worst.consecutive_missed),
        });
        word.to_string()
    }

    /// The kind whose status is the client's.
    pub fn worst(&self) -> Option<&BeatFigures> {
        self.beats.iter().max_by_key(|beat| beat.status())
    }
}

/// The figures of one kind of heartbeat that a client was sent.
#[derive(Debug, Clone)]
pub struct BeatFigures {
    pub kind: Kind,
    pub counts: Counts,
    pub last_rtt: Option<Duration>,
    pub rtts: Moments,
    pub consecutive_missed: u32,
    successive: Successive,
    window: VecDeque<Duration>,
}

impl BeatFigures {
    pub fn new(kind: Kind) -> BeatFigures {
        BeatFigures {
            kind,
            counts: Counts::default(),
            last_rtt: None,
            rtts: Moments::default(),
            consecutive_missed: 0,
            successive: Successive::default(),
            window: VecDeque::new(),
        }
    }

    /// Takes what heartbeat `seq` came to, and what it was taken for before.
    pub fn record(&mut self, seq: u64, outcome: Outcome, was: Option<Outcome>, rtt: Option<Duration>) {
        self.counts.record(outcome, was);
        self.successive.record(seq, rtt);
        if let Some(rtt) = rtt {
            self.rtts.record(rtt);
            self.last_rtt = Some(rtt);
            self.window.push_back(rtt);
            self.window.drain(..self.window.len().saturating_sub(WINDOW));
        }
        match outcome {
            Outcome::Missed => self.consecutive_missed = self.consecutive_missed.saturating_add(1),
            Outcome::Ok | Outcome::Late | Outcome::Superseded => self.consecutive_missed = 0,
            Outcome::Unsent => {}
        }
    }

    /// The mean of the rolling window.
    pub fn window_mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.window.len()).ok().filter(|count| *count > 0)?;
        Some(self.window.iter().sum::<Duration>() / count)
    }

    pub fn jitter(&self) -> JitterSummary {
        JitterSummary::new(&self.rtts, &self.successive.differences())
    }

    pub fn status(&self) -> Status {
        standing::status(self.window_mean(), self.consecutive_missed)
    }

    pub fn metrics(&self) -> Metrics {
        Metrics {
            window_mean: self.window_mean(),
            last_rtt: self.last_rtt,
            loss: self.counts.loss(),
            consecutive_missed: self.consecutive_missed,
            judged: self.counts.judged(),
        }
    }

    /// Why the status is what it is: a lower-case fragment.
    pub fn reason(&self) -> String {
        match (self.consecutive_missed, self.window_mean()) {
            (0, Some(mean)) => {
                let ms = mean.as_secs_f64() * 1000.0;
                format!("mean {} RTT of the last {} is {ms:.1} ms", self.kind, self.window.len())
            }
            (0, None) => format!("no {} heartbeat was answered yet", self.kind),
            (missed, _) => format!("{missed} {} heartbeats missed in a row", self.kind),
        }
    }
}
