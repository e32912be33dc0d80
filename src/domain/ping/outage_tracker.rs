//! Finds the outages of a connection: from the last proof of life to the first answer after it.

use std::time::Duration;

use super::event::ConnEvent;
use super::outages::{OutageCause, Outages};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::nanos::Nanos;

/// Finds the outages of one connection. Times are since the start of the run.
#[derive(Debug, Clone, Default)]
pub struct OutageTracker {
    /// The last proof of life; `None`: the start.
    alive_at: Option<Nanos>,
    /// When the first heartbeat since then left that is still unanswered.
    asked_at: Option<Nanos>,
    /// Our pause before the current attempt to open.
    pause: Option<Nanos>,
    /// Made at the first outage: most connections have none.
    outages: Option<Box<Outages>>,
}

impl OutageTracker {
    /// The outages so far, `observed` long.
    pub fn report(&self, observed: Duration) -> Outages {
        Outages { observed, ..self.outages.as_deref().cloned().unwrap_or_default() }
    }

    /// Follows an event of the connection. `timeout`: of its heartbeats; `outage_after`: the silence after a heartbeat left
    /// that is an outage.
    pub fn observe(&mut self, now: Duration, event: &ConnEvent, timeout: Duration, outage_after: Duration) {
        match event {
            ConnEvent::Opened(_) | ConnEvent::PeerTraffic(..) => self.alive(now),
            ConnEvent::OpenFailed(error) => self.not_opened(error),
            ConnEvent::Retry { after, .. } => self.pause = Some((*after).into()),
            ConnEvent::Ended(ending) if ending.is_loss() => self.ended(ending),
            ConnEvent::Heartbeat(beat) | ConnEvent::ExtraHeartbeat(beat) => match (beat.outcome, beat.rtt) {
                (HeartbeatOutcome::Ok | HeartbeatOutcome::Late, Some(rtt)) => {
                    self.answered(now.saturating_sub(rtt), now, outage_after);
                }
                (HeartbeatOutcome::Missed, _) if !beat.later_answered => {
                    self.unanswered(now.saturating_sub(timeout), now, outage_after, beat.acked);
                }
                (_, _) => {}
            },
            _ => {}
        }
    }

    /// Something came from the other end: a message, or the end of an opening.
    fn alive(&mut self, now: Duration) {
        self.alive_at = self.alive_at.max(Some(now.into()));
        self.asked_at = None;
        let pause = self.pause.take().map_or(Duration::ZERO, Duration::from);
        if let Some(outages) = &mut self.outages {
            outages.end(now, pause);
        }
    }

    /// An answer came to a heartbeat that left at `sent`.
    fn answered(&mut self, sent: Duration, now: Duration, outage_after: Duration) {
        self.unanswered(sent, now, outage_after, None);
        self.alive(now);
    }

    /// No answer came to a heartbeat that left at `sent`, up to now.
    fn unanswered(&mut self, sent: Duration, now: Duration, outage_after: Duration, acked: Option<bool>) {
        // What came after it left proves life, though it was no answer.
        if sent < self.alive_at() {
            return;
        }
        let asked_at = *self.asked_at.get_or_insert(sent.into());
        if now.saturating_sub(asked_at.into()) >= outage_after && !self.is_away() {
            self.begin(OutageCause::Unanswered, what_tcp_knew(acked).to_string());
        }
    }

    /// The connection ended, unplanned.
    fn ended(&mut self, cause: &CloseCause) {
        self.asked_at = None;
        if !self.is_away() {
            self.begin(OutageCause::Ended, cause.to_string());
        }
    }

    /// An attempt to open failed.
    fn not_opened(&mut self, error: &ConnectError) {
        if !self.is_away() {
            self.begin(OutageCause::NotOpened, format!("{}: {}", error.phase, error.cause));
        }
        let Some(outage) = self.outages.as_mut().and_then(|outages| outages.latest.back_mut()) else {
            return;
        };
        outage.failed_attempts = outage.failed_attempts.saturating_add(1);
        outage.last_error = Some(format!("{}: {}", error.phase, error.cause));
    }

    /// Whether the other end is away.
    pub fn is_away(&self) -> bool {
        self.outages.as_ref().is_some_and(|outages| outages.current().is_some())
    }

    fn begin(&mut self, cause: OutageCause, detail: String) {
        let alive_at = self.alive_at();
        self.outages.get_or_insert_default().begin(alive_at, cause, detail);
    }

    fn alive_at(&self) -> Duration {
        self.alive_at.map_or(Duration::ZERO, Duration::from)
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
    use crate::domain::ping::outages::MAX_KEPT;

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
        tracker.report(ms(0)).latest.iter().map(|one| (one.from, one.until)).collect()
    }

    /// The server is killed at 5.4 s and back at 8 s; attempts at 5.9 s and 8.5 s, the last after a pause of 1.5 s.
    #[test]
    fn outage_lasts_from_the_last_answer_to_the_first_after_it() {
        let mut tracker = OutageTracker::default();
        tracker.alive(ms(10));
        tracker.answered(ms(5000), ms(5001), AFTER);
        tracker.ended(&reset());
        tracker.pause = Some(ms(500).into());
        tracker.not_opened(&refused());
        tracker.pause = Some(ms(1500).into());
        tracker.alive(ms(8500));
        assert_eq!(spans(&tracker), [(ms(5001), Some(ms(8500)))]);
        let outages = tracker.report(ms(10_000));
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
        let so_far = tracker.report(ms(5000));
        assert_eq!((so_far.longest(), so_far.total()), (ms(3999), ms(3999)));
        tracker.answered(ms(2000), ms(6000), AFTER);
        assert_eq!(spans(&tracker), [(ms(1001), Some(ms(6000)))]);
        let outage = &tracker.report(ms(6000)).latest[0];
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
        tracker.pause = Some(ms(700).into());
        tracker.not_opened(&refused());
        tracker.alive(ms(2000));
        let outages = tracker.report(ms(2000));
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
        let outages = tracker.report(ms(604_800_000));
        assert_eq!((outages.latest.len(), outages.count), (MAX_KEPT, 604_800));
        assert_eq!(outages.total(), ms(604_800_000));
    }
}
