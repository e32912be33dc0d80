//! When a connection was away: from the last proof of life to the first answer after it, in bounded memory.

use std::collections::VecDeque;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;

/// The most outages that are kept one by one; older ones stay in the sums.
pub const MAX_KEPT: usize = 100;

/// What began an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum OutageCause {
    /// The connection ended.
    Ended,
    /// Heartbeats stayed unanswered on an open connection.
    Unanswered,
    /// The connection did not open at the start of the run.
    NotOpened,
}

/// One outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The last proof of life before it, or the start of the run; since the start of the run.
    pub from: Duration,
    /// The first answer after it; `None` while it lasts.
    pub until: Option<Duration>,
    pub cause: OutageCause,
    /// How it ended, what TCP knew, or why it did not open: a lower-case fragment.
    pub detail: String,
    /// Attempts to open that failed in it.
    pub failed_attempts: u32,
    /// Why the last of them failed: a lower-case fragment.
    pub last_error: Option<String>,
    /// Our own pause before the attempt that succeeded: the other end may have been back already.
    pub uncertain: Duration,
}

impl Outage {
    /// How long it took; `None` while it lasts.
    pub fn length(&self) -> Option<Duration> {
        Some(self.until?.saturating_sub(self.from))
    }
}

/// All outages of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outages {
    /// The latest ones, in order.
    pub latest: VecDeque<Outage>,
    /// How many there were, with the current one.
    pub count: u64,
    /// The length of those that ended, together.
    pub ended_total: Duration,
    /// The longest that ended.
    pub ended_longest: Duration,
    /// The time since the start of the run; one that lasts goes on up to here.
    pub observed: Duration,
}

impl Outages {
    /// The one that lasts.
    pub fn current(&self) -> Option<&Outage> {
        self.latest.back().filter(|outage| outage.until.is_none())
    }

    /// How long the current one has lasted.
    fn so_far(&self) -> Duration {
        self.current().map_or(Duration::ZERO, |outage| self.observed.saturating_sub(outage.from))
    }

    /// The time away, the current outage included.
    pub fn total(&self) -> Duration {
        self.ended_total.saturating_add(self.so_far())
    }

    /// The longest one, the current one included.
    pub fn longest(&self) -> Duration {
        self.ended_longest.max(self.so_far())
    }

    fn up(&self) -> Duration {
        self.observed.saturating_sub(self.total())
    }

    /// The part of the observed time in which the other end was not away; `None` if none was observed.
    pub fn availability(&self) -> Option<f64> {
        (!self.observed.is_zero()).then(|| self.up().as_secs_f64() / self.observed.as_secs_f64())
    }

    /// Mean time between failures: the time up by the number of outages; `None` without one.
    pub fn mean_time_between(&self) -> Option<Duration> {
        (self.count > 0).then(|| self.up().div_f64(self.count as f64))
    }

    fn begin(&mut self, from: Duration, cause: OutageCause, detail: String) {
        self.count += 1;
        if self.latest.len() == MAX_KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(Outage {
            from,
            until: None,
            cause,
            detail,
            failed_attempts: 0,
            last_error: None,
            uncertain: Duration::ZERO,
        });
    }

    fn end(&mut self, until: Duration, pause: Duration) {
        let Some(outage) = self.latest.back_mut().filter(|outage| outage.until.is_none()) else { return };
        let until = until.max(outage.from);
        outage.until = Some(until);
        outage.uncertain = pause.min(until.saturating_sub(outage.from));
        let length = until.saturating_sub(outage.from);
        self.ended_total = self.ended_total.saturating_add(length);
        self.ended_longest = self.ended_longest.max(length);
    }
}

/// Finds the outages of one connection. Times are since the start of the run.
#[derive(Debug, Clone, Default)]
pub struct OutageTracker {
    /// The last proof of life.
    alive_at: Duration,
    /// When the first heartbeat since then left that is still unanswered.
    asked_at: Option<Duration>,
    /// Our pause before the current attempt to open.
    pause: Duration,
    /// Made at the first outage: most connections have none.
    outages: Option<Box<Outages>>,
}

impl OutageTracker {
    /// The outages so far.
    pub fn outages(&self) -> Option<&Outages> {
        self.outages.as_deref()
    }

    /// Something came from the other end: a message, or the end of an opening.
    pub fn alive(&mut self, now: Duration) {
        self.alive_at = self.alive_at.max(now);
        self.asked_at = None;
        let pause = std::mem::take(&mut self.pause);
        if let Some(outages) = &mut self.outages {
            outages.end(now, pause);
        }
    }

    /// An answer came to a heartbeat that left at `sent`.
    pub fn answered(&mut self, sent: Duration, now: Duration, outage_after: Duration) {
        self.unanswered(sent, now, outage_after, None);
        self.alive(now);
    }

    /// No answer came to a heartbeat that left at `sent`, up to now.
    pub fn unanswered(&mut self, sent: Duration, now: Duration, outage_after: Duration, acked: Option<bool>) {
        // What came after it left proves life, though it was no answer.
        if sent < self.alive_at {
            return;
        }
        let asked_at = *self.asked_at.get_or_insert(sent);
        if now.saturating_sub(asked_at) >= outage_after && !self.is_away() {
            self.begin(OutageCause::Unanswered, what_tcp_knew(acked).to_string());
        }
    }

    /// The connection ended, unplanned.
    pub fn ended(&mut self, cause: &CloseCause) {
        self.asked_at = None;
        if !self.is_away() {
            self.begin(OutageCause::Ended, cause.to_string());
        }
    }

    /// An attempt to open failed.
    pub fn not_opened(&mut self, error: &ConnectError) {
        if !self.is_away() {
            self.begin(OutageCause::NotOpened, format!("{}: {}", error.phase, error.cause));
        }
        let Some(outage) = self.outages.as_mut().and_then(|outages| outages.latest.back_mut()) else {
            return;
        };
        outage.failed_attempts = outage.failed_attempts.saturating_add(1);
        outage.last_error = Some(format!("{}: {}", error.phase, error.cause));
    }

    /// The next attempt follows after this pause.
    pub fn pausing(&mut self, pause: Duration) {
        self.pause = pause;
    }

    fn is_away(&self) -> bool {
        self.outages().is_some_and(|outages| outages.current().is_some())
    }

    fn begin(&mut self, cause: OutageCause, detail: String) {
        self.outages.get_or_insert_default().begin(self.alive_at, cause, detail);
    }
}

/// What TCP knew of the first heartbeat that stayed unanswered.
fn what_tcp_knew(acked: Option<bool>) -> &'static str {
    match acked {
        Some(true) => "TCP acknowledged the heartbeat, and no answer came",
        Some(false) => "TCP did not acknowledge the heartbeat",
        None => "no answer came",
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::connection::close_cause::{CloseKind, ClosedBy};
    use crate::domain::connection::connect_info::FailureKind;
    use crate::domain::connection::phase::Phase;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    const AFTER: Duration = Duration::from_secs(2);

    fn reset() -> CloseCause {
        CloseCause {
            who: ClosedBy::Peer,
            how: CloseKind::Rst,
            os_error: None,
            at: SystemTime::UNIX_EPOCH,
            age: ms(5000),
            idle: ms(1000),
            tcp: None,
            reply: None,
        }
    }

    fn refused() -> ConnectError {
        ConnectError {
            url: "ws://a.example/".to_string(),
            phase: Phase::Tcp,
            kind: FailureKind::Refused,
            cause: "connection refused (ECONNREFUSED)".to_string(),
            hint: None,
            attempts: Vec::new(),
            reached: None,
            refusal: None,
            took: Duration::ZERO,
        }
    }

    fn spans(tracker: &OutageTracker) -> Vec<(Duration, Option<Duration>)> {
        tracker.outages().into_iter().flat_map(|all| &all.latest).map(|one| (one.from, one.until)).collect()
    }

    /// The server is killed at 5.4 s and back at 8 s; attempts at 5.9 s and 8.5 s, the last after a pause of 1.5 s.
    #[test]
    fn outage_lasts_from_the_last_answer_to_the_first_after_it() {
        let mut tracker = OutageTracker::default();
        tracker.alive(ms(10));
        tracker.answered(ms(5000), ms(5001), AFTER);
        tracker.ended(&reset());
        tracker.pausing(ms(500));
        tracker.not_opened(&refused());
        tracker.pausing(ms(1500));
        tracker.alive(ms(8500));
        assert_eq!(spans(&tracker), [(ms(5001), Some(ms(8500)))]);
        let outages = Outages { observed: ms(10_000), ..tracker.outages().unwrap().clone() };
        let outage = &outages.latest[0];
        assert_eq!((outage.failed_attempts, outage.uncertain), (1, ms(1500)));
        assert_eq!(outage.cause, OutageCause::Ended);
        assert_eq!((outages.total(), outages.longest()), (ms(3499), ms(3499)));
        // (10 - 3.499) / 10
        assert!((outages.availability().unwrap() - 0.6501).abs() < 1e-9);
        assert_eq!(outages.mean_time_between(), Some(ms(6501)));
    }

    /// A process that is stopped for 5 s: its heartbeats are missed after 1 s, and answered late.
    #[test]
    fn silence_that_is_asked_into_is_an_outage() {
        let mut tracker = OutageTracker::default();
        tracker.answered(ms(1000), ms(1001), AFTER);
        for sent in [2000, 3000, 4000] {
            tracker.unanswered(ms(sent), ms(sent + 1000), AFTER, Some(true));
        }
        assert_eq!(spans(&tracker), [(ms(1001), None)]);
        let so_far = Outages { observed: ms(5000), ..tracker.outages().unwrap().clone() };
        assert_eq!((so_far.longest(), so_far.total()), (ms(3999), ms(3999)));
        tracker.answered(ms(2000), ms(6000), AFTER);
        assert_eq!(spans(&tracker), [(ms(1001), Some(ms(6000)))]);
        let outage = &tracker.outages().unwrap().latest[0];
        assert_eq!(
            (outage.cause, outage.detail.starts_with("TCP acknowledged")),
            (OutageCause::Unanswered, true)
        );
    }

    /// Nothing was missed, and yet 3 s without a proof of life passed after a heartbeat had left.
    #[test]
    fn slow_answer_shows_an_outage_too() {
        let mut tracker = OutageTracker::default();
        tracker.answered(ms(1000), ms(1001), AFTER);
        tracker.answered(ms(2000), ms(5000), AFTER);
        assert_eq!(spans(&tracker), [(ms(1001), Some(ms(5000)))]);
    }

    #[test]
    fn quiet_by_a_long_interval_is_no_outage() {
        let mut tracker = OutageTracker::default();
        for sent in [0, 60_000, 120_000] {
            tracker.answered(ms(sent), ms(sent + 20), AFTER);
        }
        assert_eq!(spans(&tracker), []);
    }

    #[test]
    fn other_traffic_proves_life() {
        let mut tracker = OutageTracker::default();
        tracker.answered(ms(0), ms(1), AFTER);
        tracker.alive(ms(1500));
        // It left before that traffic came.
        tracker.unanswered(ms(1000), ms(3500), AFTER, None);
        assert_eq!(spans(&tracker), []);
    }

    #[test]
    fn target_that_is_down_at_the_start_is_away_from_the_start() {
        let mut tracker = OutageTracker::default();
        tracker.not_opened(&refused());
        tracker.pausing(ms(700));
        tracker.not_opened(&refused());
        tracker.alive(ms(2000));
        let outages = tracker.outages().unwrap();
        assert_eq!(spans(&tracker), [(ms(0), Some(ms(2000)))]);
        assert_eq!(outages.latest[0].cause, OutageCause::NotOpened);
        assert_eq!(outages.latest[0].failed_attempts, 2);
    }

    #[test]
    fn a_connection_that_flaps_for_a_week_stays_small() {
        let mut tracker = OutageTracker::default();
        for second in 0..604_800 {
            tracker.alive(ms(second * 1000));
            tracker.ended(&reset());
        }
        let outages = Outages { observed: ms(604_800_000), ..tracker.outages().unwrap().clone() };
        assert_eq!((outages.latest.len(), outages.count), (MAX_KEPT, 604_800));
        assert_eq!(outages.total(), ms(604_800_000));
    }
}
