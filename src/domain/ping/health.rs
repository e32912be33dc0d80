//! The status of a connection: its current value, its changes, and the reason.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use strum::{EnumCount, EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::format;
use crate::domain::heartbeat::HeartbeatOutcome;

/// How well a connection works, from best to worst; `Ord` follows that order.
///
/// `Unknown` ranks above `critical`, so that among several connections slow ones do not hide one without an
/// answer.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    IntoStaticStr,
    EnumIter,
    EnumCount,
    EnumMessage,
)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    Healthy,
    Degraded,
    Poor,
    Critical,
    /// Before the first answer.
    #[default]
    Unknown,
    /// One or two consecutive heartbeats missed.
    Timeout,
    /// Three consecutive missed, or the connection ended and wscheck did not end it.
    Dead,
}

/// The figures at the time of a status change.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StatusMetrics {
    /// Mean RTT of the rolling window; `None` before the first answer.
    pub window_mean: Option<Duration>,
    /// RTT of the last answer.
    pub last_rtt: Option<Duration>,
    /// missed / (ok + late + superseded + missed) so far; `None` before the first heartbeat is judged.
    pub loss: Option<f64>,
    pub consecutive_missed: u32,
    /// Number of heartbeats judged so far.
    pub judged: u64,
}

/// The limits between the statuses. All of them are command options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusLimits {
    /// Healthy up to this window mean.
    pub healthy: Duration,
    /// Degraded up to this.
    pub degraded: Duration,
    /// Poor up to this; critical above.
    pub poor: Duration,
    /// Consecutive missed heartbeats that make a connection dead. At least 1.
    pub dead_after: u32,
    /// How many answered heartbeats the rolling window contains. At least 1.
    pub window: usize,
}

impl Default for StatusLimits {
    fn default() -> StatusLimits {
        StatusLimits {
            healthy: Duration::from_millis(100),
            degraded: Duration::from_millis(500),
            poor: Duration::from_millis(1000),
            dead_after: 3,
            window: 10,
        }
    }
}

impl StatusLimits {
    /// The status: by consecutive missed heartbeats first, then by the window's mean RTT.
    pub fn status(&self, window_mean: Option<Duration>, consecutive_missed: u32) -> Status {
        match (consecutive_missed, window_mean) {
            (missed, _) if missed >= self.dead_after => Status::Dead,
            (1.., _) => Status::Timeout,
            (0, None) => Status::Unknown,
            (0, Some(mean)) => self.status_of_mean(mean),
        }
    }

    /// The status for a mean RTT.
    pub fn status_of_mean(&self, mean: Duration) -> Status {
        match mean {
            mean if mean <= self.healthy => Status::Healthy,
            mean if mean <= self.degraded => Status::Degraded,
            mean if mean <= self.poor => Status::Poor,
            _ => Status::Critical,
        }
    }
}

/// Heartbeats missed in a row, with no answer since.
///
/// A missed heartbeat with a later one answered is a loss, not a silence, and does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissStreak(u32);

impl MissStreak {
    /// Records an outcome, or the revision of an earlier one. `later_answered`: a later heartbeat was
    /// answered.
    pub fn record(&mut self, outcome: HeartbeatOutcome, later_answered: bool) {
        match outcome {
            HeartbeatOutcome::Ok | HeartbeatOutcome::Late | HeartbeatOutcome::Superseded => self.0 = 0,
            HeartbeatOutcome::Missed if later_answered => {}
            HeartbeatOutcome::Missed => self.0 = self.0.saturating_add(1),
            HeartbeatOutcome::Unsent => {}
        }
    }

    pub fn missed(self) -> u32 {
        self.0
    }
}

/// Tracks the status of one kind of heartbeat on one connection.
#[derive(Debug, Clone)]
pub struct HealthTracker {
    limits: Arc<StatusLimits>,
    /// In nanoseconds.
    window: VecDeque<u64>,
    sum: Duration,
    silence: MissStreak,
    /// Heartbeats that were sent and judged, and how many of them were missed.
    judged: u64,
    missed: u64,
}

impl HealthTracker {
    pub fn new(limits: impl Into<Arc<StatusLimits>>) -> HealthTracker {
        HealthTracker {
            limits: limits.into(),
            window: VecDeque::new(),
            sum: Duration::ZERO,
            silence: MissStreak::default(),
            judged: 0,
            missed: 0,
        }
    }

    /// Records an outcome, or the revision of an earlier one. `later_answered`: a later heartbeat was
    /// answered, so a missed one is no silence.
    pub fn record(
        &mut self,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        rtt: Option<Duration>,
        later_answered: bool,
    ) {
        if let Some(was) = was {
            self.judged = self.judged.saturating_sub(u64::from(was != HeartbeatOutcome::Unsent));
            self.missed = self.missed.saturating_sub(u64::from(was == HeartbeatOutcome::Missed));
        }
        self.judged += u64::from(outcome != HeartbeatOutcome::Unsent);
        self.missed += u64::from(outcome == HeartbeatOutcome::Missed);
        self.silence.record(outcome, later_answered);
        if let Some(rtt) = rtt {
            self.push(rtt);
        }
    }

    fn push(&mut self, rtt: Duration) {
        if self.window.len() == self.limits.window {
            self.sum -= Duration::from_nanos(self.window.pop_front().unwrap_or_default());
        } else if self.window.len() == self.window.capacity() {
            // Allocates no more than the window needs: each of thousands of connections has one.
            self.window.reserve_exact(self.window.len().max(2).min(self.limits.window - self.window.len()));
        }
        let nanos = u64::try_from(rtt.as_nanos()).unwrap_or(u64::MAX);
        self.window.push_back(nanos);
        self.sum += Duration::from_nanos(nanos);
    }

    /// Mean RTT of the rolling window.
    pub fn window_mean(&self) -> Option<Duration> {
        let count = u32::try_from(self.window.len()).ok().filter(|count| *count > 0)?;
        Some(self.sum / count)
    }

    /// The current status of an open connection.
    pub fn status(&self) -> Status {
        self.limits.status(self.window_mean(), self.silence.missed())
    }

    /// The reason of the status, as a fragment.
    pub fn reason(&self) -> String {
        match (self.silence.missed(), self.window_mean()) {
            (0, None) => "no answer yet".to_string(),
            (0, Some(mean)) if self.window.len() == 1 => {
                format!("the only RTT so far is {}", format::rtt(mean))
            }
            (0, Some(mean)) => format!("mean RTT of the last {} is {}", self.window.len(), format::rtt(mean)),
            (1, _) => "1 heartbeat missed".to_string(),
            (missed, _) => format!("{missed} consecutive heartbeats missed"),
        }
    }

    pub fn metrics(&self) -> StatusMetrics {
        StatusMetrics {
            window_mean: self.window_mean(),
            last_rtt: self.window.back().map(|nanos| Duration::from_nanos(*nanos)),
            loss: (self.judged > 0).then(|| self.missed as f64 / self.judged as f64),
            consecutive_missed: self.silence.missed(),
            judged: self.judged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn answer(health: &mut HealthTracker, rtt: u64) -> Status {
        health.record(HeartbeatOutcome::Ok, None, Some(ms(rtt)), false);
        health.status()
    }

    fn miss(health: &mut HealthTracker) -> Status {
        health.record(HeartbeatOutcome::Missed, None, None, false);
        health.status()
    }

    #[test]
    fn limits_belong_to_the_better_status() {
        let at = |rtt| answer(&mut HealthTracker::new(StatusLimits::default()), rtt);
        assert_eq!([at(100), at(101)], [Status::Healthy, Status::Degraded]);
        assert_eq!([at(500), at(501)], [Status::Degraded, Status::Poor]);
        assert_eq!([at(1000), at(1001)], [Status::Poor, Status::Critical]);
    }

    #[test]
    fn status_before_the_first_answer_is_unknown() {
        let mut health = HealthTracker::new(StatusLimits::default());
        assert_eq!(health.status(), Status::Unknown);
        health.record(HeartbeatOutcome::Unsent, None, None, false);
        assert_eq!(health.status(), Status::Unknown);
        assert_eq!(health.metrics().window_mean, None);
    }

    #[test]
    fn one_or_two_missed_are_timeout_and_three_are_dead() {
        let mut health = HealthTracker::new(StatusLimits::default());
        answer(&mut health, 10);
        assert_eq!(
            [miss(&mut health), miss(&mut health), miss(&mut health)],
            [Status::Timeout, Status::Timeout, Status::Dead]
        );
        assert_eq!(health.reason(), "3 consecutive heartbeats missed");
    }

    #[test]
    fn answer_restores_the_status_of_the_window() {
        let mut health = HealthTracker::new(StatusLimits::default());
        answer(&mut health, 10);
        miss(&mut health);
        assert_eq!(answer(&mut health, 10), Status::Healthy);
        miss(&mut health);
        health.record(HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed), Some(ms(11_000)), false);
        assert_eq!(health.status(), Status::Critical, "(10 + 10 + 11000) / 3 ms");
    }

    #[test]
    fn superseded_heartbeat_ends_a_silence_without_an_rtt() {
        let mut health = HealthTracker::new(StatusLimits::default());
        miss(&mut health);
        health.record(HeartbeatOutcome::Superseded, None, None, false);
        assert_eq!(health.status(), Status::Unknown);
        assert_eq!(health.metrics().consecutive_missed, 0);
    }

    #[test]
    fn missed_with_later_answered_is_no_silence() {
        let mut health = HealthTracker::new(StatusLimits::default());
        for _ in 0..5 {
            health.record(HeartbeatOutcome::Missed, None, None, true);
        }
        assert_eq!(answer(&mut health, 10), Status::Healthy);
        assert_eq!((health.metrics().consecutive_missed, health.metrics().loss), (0, Some(5.0 / 6.0)));
        miss(&mut health);
        health.record(HeartbeatOutcome::Missed, None, None, true);
        assert_eq!(health.metrics().consecutive_missed, 1, "it neither adds to a silence nor ends it");
    }

    #[test]
    fn only_the_last_ten_rtts_count() {
        let mut health = HealthTracker::new(StatusLimits::default());
        for _ in 0..10 {
            answer(&mut health, 2000);
        }
        for _ in 0..9 {
            answer(&mut health, 1);
        }
        assert_eq!(health.window_mean(), Some(Duration::from_micros(200_900)), "(2000 + 9 * 1) / 10 ms");
        answer(&mut health, 1);
        assert_eq!(health.window_mean(), Some(ms(1)));
        assert_eq!(health.reason(), "mean RTT of the last 10 is 1.00 ms");
    }
}
