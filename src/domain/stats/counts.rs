//! Heartbeats by outcome, and the loss.

use crate::domain::heartbeat::{HeartbeatOutcome, StrayPong};

/// If more than one in this many due heartbeats was not sent, the schedule was not kept.
const MAX_UNSENT_DIVISOR: u64 = 10;

/// Heartbeats by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub ok: u64,
    pub late: u64,
    pub superseded: u64,
    pub missed: u64,
    /// Missed heartbeats that TCP had or had not acknowledged; for the rest it is unknown.
    pub missed_acked: u64,
    pub missed_unacked: u64,
    /// Missed heartbeats with a later one answered, or an answer without id after they were sent: the
    /// connection was alive, and a reply was dropped.
    pub missed_later_answered: u64,
    pub unsent: u64,
    /// Unsent heartbeats for which the peer of HTTP/2 granted no room.
    pub unsent_window_exhausted: u64,
    /// Sent, and not yet judged when the figures were taken; not part of the loss.
    pub in_flight: u64,
    pub unsolicited: u64,
    pub mismatched: u64,
    pub duplicate: u64,
    /// Answers without id while several requests were outstanding; matched in order.
    pub ambiguous: u64,
    /// Heartbeats besides those of the schedule that were judged; they are in none of the other counts.
    pub extra: u64,
}

impl Counts {
    /// Heartbeats sent, judged or not.
    pub fn sent(&self) -> u64 {
        self.judged() + self.in_flight
    }

    /// Heartbeats sent and judged.
    pub fn judged(&self) -> u64 {
        self.ok + self.late + self.superseded + self.missed
    }

    /// Heartbeats whose own pong came, in time or late.
    pub fn answered(&self) -> u64 {
        self.ok + self.late
    }

    /// Whether more than a tenth of the due heartbeats was not sent.
    pub fn is_schedule_broken(&self) -> bool {
        let due = self.sent().saturating_add(self.unsent);
        self.unsent.saturating_mul(MAX_UNSENT_DIVISOR) > due
    }

    /// Heartbeats judged without a reply of their own: missed + superseded.
    pub fn unanswered(&self) -> u64 {
        self.missed + self.superseded
    }

    /// missed / (ok + late + superseded + missed), from 0 to 1; `None` before the first is judged.
    pub fn loss(&self) -> Option<f64> {
        let judged = self.judged();
        (judged > 0).then(|| self.missed as f64 / judged as f64)
    }

    /// Counts an outcome, and removes the earlier one of a revision.
    pub fn record(&mut self, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) {
        if let Some(was) = was {
            let before = self.of(was);
            *before = before.saturating_sub(1);
        }
        *self.of(outcome) += 1;
    }

    /// Counts TCP's acknowledgement of a missed heartbeat, or removes it in a revision.
    pub fn record_acked(
        &mut self,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        acked: Option<bool>,
    ) {
        let count = match acked {
            Some(true) => &mut self.missed_acked,
            Some(false) => &mut self.missed_unacked,
            None => return,
        };
        if was == Some(HeartbeatOutcome::Missed) {
            *count = count.saturating_sub(1);
        }
        if outcome == HeartbeatOutcome::Missed {
            *count += 1;
        }
    }

    /// Counts a heartbeat missed although a later one was answered, or removes it in a revision.
    pub fn record_later_answered(&mut self, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) {
        let count = &mut self.missed_later_answered;
        match outcome {
            HeartbeatOutcome::Missed => *count += 1,
            HeartbeatOutcome::Ok | HeartbeatOutcome::Late if was == Some(HeartbeatOutcome::Missed) => {
                *count = count.saturating_sub(1)
            }
            HeartbeatOutcome::Ok
            | HeartbeatOutcome::Late
            | HeartbeatOutcome::Superseded
            | HeartbeatOutcome::Unsent => {}
        }
    }

    /// Counts an unsent heartbeat for which the peer granted no room. One that left after all is not unsent any more, and so
    /// not among these.
    pub fn record_window_exhausted(&mut self, exhausted: bool) {
        let count = self.unsent_window_exhausted + u64::from(exhausted);
        self.unsent_window_exhausted = count.min(self.unsent);
    }

    /// Counts a pong that answers no outstanding ping.
    pub fn record_strays(&mut self, stray: StrayPong, count: u64) {
        match stray {
            StrayPong::Unsolicited => self.unsolicited += count,
            StrayPong::Mismatched => self.mismatched += count,
            StrayPong::Duplicate => self.duplicate += count,
        }
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Counts) {
        self.ok += other.ok;
        self.late += other.late;
        self.superseded += other.superseded;
        self.missed += other.missed;
        self.missed_acked += other.missed_acked;
        self.missed_unacked += other.missed_unacked;
        self.missed_later_answered += other.missed_later_answered;
        self.unsent += other.unsent;
        self.unsent_window_exhausted += other.unsent_window_exhausted;
        self.in_flight += other.in_flight;
        self.unsolicited += other.unsolicited;
        self.mismatched += other.mismatched;
        self.duplicate += other.duplicate;
        self.ambiguous += other.ambiguous;
        self.extra += other.extra;
    }

    fn of(&mut self, outcome: HeartbeatOutcome) -> &mut u64 {
        match outcome {
            HeartbeatOutcome::Ok => &mut self.ok,
            HeartbeatOutcome::Late => &mut self.late,
            HeartbeatOutcome::Superseded => &mut self.superseded,
            HeartbeatOutcome::Missed => &mut self.missed,
            HeartbeatOutcome::Unsent => &mut self.unsent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_counts_late_and_superseded_as_no_loss() {
        let counts =
            Counts { ok: 5, late: 2, superseded: 1, missed: 2, unsent: 9, in_flight: 7, ..Counts::default() };
        assert_eq!(counts.loss(), Some(0.2));
        assert_eq!((counts.sent(), counts.judged(), counts.answered()), (17, 10, 7));
    }

    #[test]
    fn without_a_judged_heartbeat_there_is_no_loss() {
        assert_eq!(Counts { unsent: 3, in_flight: 2, ..Counts::default() }.loss(), None);
    }

    #[test]
    fn a_revision_takes_back_what_was_counted() {
        let mut counts = Counts::default();
        counts.record(HeartbeatOutcome::Missed, None);
        counts.record(HeartbeatOutcome::Superseded, None);
        counts.record(HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed));
        assert_eq!(counts, Counts { late: 1, superseded: 1, ..Counts::default() });
        counts.record(HeartbeatOutcome::Ok, Some(HeartbeatOutcome::Superseded));
        assert_eq!(counts, Counts { late: 1, ok: 1, ..Counts::default() });
    }

    #[test]
    fn unanswered_is_missed_and_superseded() {
        let counts = Counts { ok: 5, late: 2, superseded: 1, missed: 2, in_flight: 7, ..Counts::default() };
        assert_eq!((counts.unanswered(), counts.sent()), (3, 17));
    }

    #[test]
    fn own_reply_takes_back_missed_later_answered() {
        let mut counts = Counts::default();
        let (missed, late) = (HeartbeatOutcome::Missed, HeartbeatOutcome::Late);
        counts.record_later_answered(missed, None);
        counts.record_later_answered(missed, None);
        counts.record_later_answered(HeartbeatOutcome::Superseded, Some(missed));
        assert_eq!(counts.missed_later_answered, 2);
        counts.record_later_answered(late, Some(missed));
        counts.record_later_answered(HeartbeatOutcome::Ok, Some(HeartbeatOutcome::Superseded));
        assert_eq!(counts.missed_later_answered, 1);
    }

    #[test]
    fn strays_are_no_heartbeats() {
        let mut counts = Counts::default();
        for stray in [StrayPong::Unsolicited, StrayPong::Mismatched, StrayPong::Duplicate] {
            counts.record_strays(stray, 1);
        }
        assert_eq!((counts.unsolicited, counts.mismatched, counts.duplicate, counts.sent()), (1, 1, 1, 0));
    }

    #[test]
    fn what_tcp_said_of_a_missed_heartbeat_is_taken_back_with_it() {
        let mut counts = Counts::default();
        let (missed, late) = (HeartbeatOutcome::Missed, HeartbeatOutcome::Late);
        counts.record_acked(missed, None, Some(true));
        counts.record_acked(missed, None, Some(false));
        counts.record_acked(missed, None, None);
        assert_eq!((counts.missed_acked, counts.missed_unacked), (1, 1));
        counts.record_acked(late, Some(missed), Some(true));
        counts.record_acked(late, Some(missed), None);
        assert_eq!((counts.missed_acked, counts.missed_unacked), (0, 1));
    }

    #[test]
    fn a_sum_has_every_count() {
        let one = Counts {
            ok: 1,
            late: 2,
            superseded: 3,
            missed: 4,
            missed_acked: 11,
            missed_unacked: 12,
            missed_later_answered: 13,
            unsent: 5,
            unsent_window_exhausted: 2,
            in_flight: 6,
            unsolicited: 7,
            mismatched: 8,
            duplicate: 9,
            ambiguous: 10,
            extra: 14,
        };
        let mut sum = one;
        sum.add(&one);
        let expected = Counts {
            ok: 2,
            late: 4,
            superseded: 6,
            missed: 8,
            missed_acked: 22,
            missed_unacked: 24,
            missed_later_answered: 26,
            unsent: 10,
            unsent_window_exhausted: 4,
            in_flight: 12,
            unsolicited: 14,
            mismatched: 16,
            duplicate: 18,
            ambiguous: 20,
            extra: 28,
        };
        assert_eq!(sum, expected);
    }
}
