//! The outstanding pings of one connection and kind, and their outcomes.
//!
//! Pure: times are `Duration`s since the session began, passed in. Outcomes are pushed to a buffer that the
//! caller reuses, so that steady heartbeats allocate nothing.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use super::passed_over::{self, LargestRtt};
use super::{HeartbeatOutcome, StrayPong};
use crate::domain::nanos::Nanos;

/// Maximum number of pings kept after their timeout, so that their own pong can still make them late. Beyond
/// it the oldest are dropped and stay missed.
const MAX_OVERDUE: usize = 4096;
/// Maximum number of these that a later pong passed over. A server that drops pongs creates them all the
/// time, and there may be thousands of connections.
const MAX_OVERDUE_PASSED: usize = 32;

/// How many of the latest pings without a timestamp of the kernel may still get one.
const MAX_UNSTAMPED: usize = 16;

/// The outcome of a ping, or its revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    pub seq: u64,
    pub outcome: HeartbeatOutcome,
    /// The earlier outcome, in a revision.
    pub was: Option<HeartbeatOutcome>,
    /// Present for `ok` and `late`.
    pub rtt: Option<Duration>,
    /// From the due time to the start of the write, or to the discovery that this host slept through it;
    /// `None` if it was held back.
    pub lag: Option<Duration>,
    /// From the start of the write to the kernel's send timestamp, if there is one.
    pub to_wire: Option<Nanos>,
    /// Whether TCP had acknowledged it when it was missed, if known.
    pub acked: Option<bool>,
    /// It was missed or superseded although a later ping was answered, or an answer without id came after it
    /// was sent: no silence. A revision repeats the earlier value.
    pub later_answered: bool,
}

/// A ping that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SentHeartbeat {
    pub seq: u64,
    pub at: Duration,
    /// The time in the request; 0 if it carries none.
    pub stamp: u64,
    /// From the due time to the start of the write.
    pub lag: Duration,
    /// From the start of the write to the kernel's send timestamp, which is `at`; `None` without a timestamp:
    /// then `at` is the start of the write.
    pub to_wire: Option<Nanos>,
    /// The stream position after this ping, in bytes.
    pub end: u64,
    /// The outcome reported before it was sent after all.
    pub was: Option<HeartbeatOutcome>,
}

/// Whether the pong of a later ping replaces the pongs of earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Superseding {
    /// Protocol pings: RFC 6455 5.5.3 lets a peer answer only the latest.
    Allowed,
    /// App messages: no standard allows an unanswered one.
    No,
}

/// The outstanding pings. A ping is in flight until its pong, a later pong or its timeout decides its
/// outcome. Its own pong may still revise what a timeout or a later pong decided.
///
/// A pong passes over all earlier pings without a pong that no pong has passed over yet. They share one
/// outcome, see [`passed_over::outcome`].
#[derive(Debug)]
pub struct OutstandingPings {
    timeout: Nanos,
    superseding: Superseding,
    next_seq: u64,
    /// Sent and within the timeout, by seq; a ping that was passed over waits here for its own pong.
    waiting: VecDeque<OutstandingPing>,
    /// Past the timeout and without a pong, by seq. Those passed over come first.
    overdue: VecDeque<OutstandingPing>,
    in_flight: u64,
    largest_rtt: LargestRtt,
    /// The number after the latest answered ping.
    answered_before: u64,
    /// When the last answer without id came; it may belong to any ping sent before.
    without_id_at: Option<Nanos>,
}

/// An outstanding ping in little memory: each of thousands of connections has one.
#[derive(Debug, Clone, Copy)]
struct OutstandingPing {
    seq: u64,
    at: Nanos,
    stamp: u64,
    lag: Nanos,
    to_wire: Option<Nanos>,
    end: u64,
    was: Option<HeartbeatOutcome>,
    /// The outcome by a later pong.
    passed: Option<HeartbeatOutcome>,
    acked: Option<bool>,
    later_answered: bool,
}

impl OutstandingPing {
    fn new(sent: SentHeartbeat) -> OutstandingPing {
        let SentHeartbeat { seq, at, stamp, lag, to_wire, end, was } = sent;
        let (at, lag) = (at.into(), lag.into());
        OutstandingPing {
            seq,
            at,
            stamp,
            lag,
            to_wire,
            end,
            was,
            passed: None,
            acked: None,
            later_answered: false,
        }
    }

    fn sent(&self) -> SentHeartbeat {
        let OutstandingPing { seq, at, stamp, lag, to_wire, end, was, .. } = *self;
        SentHeartbeat { seq, at: at.into(), stamp, lag: lag.into(), to_wire, end, was }
    }

    fn resolved(
        &self,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        rtt: Option<Duration>,
    ) -> Resolution {
        let OutstandingPing { seq, lag, to_wire, acked, later_answered, .. } = *self;
        let (was, lag) = (was.or(self.was), Some(lag.into()));
        Resolution { seq, outcome, was, rtt, lag, to_wire, acked, later_answered }
    }
}

impl OutstandingPings {
    /// Numbers its pings from `first_seq`.
    pub fn new(timeout: Duration, superseding: Superseding, first_seq: u64) -> OutstandingPings {
        OutstandingPings {
            timeout: timeout.into(),
            superseding,
            next_seq: first_seq,
            waiting: VecDeque::new(),
            overdue: VecDeque::new(),
            in_flight: 0,
            largest_rtt: LargestRtt::default(),
            answered_before: first_seq,
            without_id_at: None,
        }
    }

    pub fn timeout(&self) -> Duration {
        self.timeout.into()
    }

    /// Takes the next number, for a ping that is about to be sent or stays unsent.
    pub fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// The latest ping without a pong of its own, in flight or missed.
    pub fn latest(&self) -> Option<u64> {
        self.waiting.back().or(self.overdue.back()).map(|ping| ping.seq)
    }

    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Records a sent ping. Numbers and times must not decrease.
    pub fn sent(&mut self, sent: SentHeartbeat) {
        if self.waiting.len() == self.waiting.capacity() {
            // Usually one is outstanding, on each of thousands of connections.
            self.waiting.reserve_exact(self.waiting.len().max(1));
        }
        self.waiting.push_back(OutstandingPing::new(sent));
        self.in_flight += 1;
    }

    /// Applies the kernel's send timestamps that came after their pings had left. `departed`: when the last byte of a ping
    /// left that ends at this stream position, if it is known by now.
    pub fn stamp_departures(&mut self, mut departed: impl FnMut(u64) -> Option<Duration>) {
        let entries = self.waiting.iter_mut().rev().chain(self.overdue.iter_mut().rev());
        for entry in entries.filter(|entry| entry.to_wire.is_none()).take(MAX_UNSTAMPED) {
            if let Some(at) = departed(entry.end) {
                entry.to_wire = Some(at.saturating_sub(entry.at.into()).into());
                entry.at = at.into();
            }
        }
    }

    /// Sent and not yet judged.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// How many of these have a sequence number that is `wanted`.
    pub fn in_flight_of(&self, wanted: impl Fn(u64) -> bool) -> u64 {
        self.waiting.iter().filter(|entry| entry.passed.is_none() && wanted(entry.seq)).count() as u64
    }

    /// Pings without a pong of their own, in flight or missed: an answer without id may belong to any of
    /// them.
    pub fn unanswered(&self) -> u64 {
        self.in_flight + (self.overdue.len() - self.overdue_passed()) as u64
    }

    /// When the next ping in flight becomes missed.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.waiting.front().map(|entry| Duration::from(entry.at) + self.timeout())
    }

    /// The number of the outstanding request that carries this time.
    pub fn seq_of_stamp(&self, stamp: u64) -> Option<u64> {
        let entries = self.waiting.iter().rev().chain(self.overdue.iter().rev());
        entries.into_iter().find(|entry| entry.stamp == stamp).map(|entry| entry.seq)
    }

    /// The oldest unanswered request, to which an answer without id belongs.
    pub fn oldest_unanswered(&self) -> Option<u64> {
        let mut entries = self.overdue.iter().skip(self.overdue_passed()).chain(&self.waiting);
        entries.find(|entry| entry.passed.is_none()).map(|entry| entry.seq)
    }

    /// Records an answer without id at `at`; returns the oldest unanswered request, to which it belongs.
    pub fn answer_without_id(&mut self, at: Duration) -> Option<u64> {
        self.without_id_at = Some(at.into());
        self.oldest_unanswered()
    }

    /// Classifies a pong with a foreign payload.
    pub fn classify_foreign_pong(&self) -> StrayPong {
        if self.in_flight > 0 { StrayPong::Mismatched } else { StrayPong::Unsolicited }
    }

    /// Records the pong of ping `seq` at `at`. Pushes the outcomes of the pings it passes over, oldest first,
    /// then its own. Fails if it answers no outstanding ping.
    pub fn pong(&mut self, seq: u64, at: Duration, out: &mut Vec<Resolution>) -> Result<(), StrayPong> {
        let (entry, was) = self.remove(seq).ok_or_else(|| self.classify_unmatched(seq))?;
        let rtt = at.saturating_sub(entry.at.into());
        let largest_before = self.largest_rtt.record(rtt);
        if self.superseding == Superseding::Allowed {
            self.pass_over(&entry, rtt, largest_before, out);
        }
        self.answered_before = self.answered_before.max(seq.saturating_add(1));
        let outcome = if rtt <= self.timeout() { HeartbeatOutcome::Ok } else { HeartbeatOutcome::Late };
        out.push(entry.resolved(outcome, was, Some(rtt)));
        Ok(())
    }

    /// Marks pings as missed that are in flight for longer than the timeout. `has_acked`: whether TCP
    /// acknowledged a ping, if known.
    pub fn expire(
        &mut self,
        now: Duration,
        has_acked: impl Fn(&SentHeartbeat) -> Option<bool>,
        out: &mut Vec<Resolution>,
    ) {
        while self.next_expiry().is_some_and(|expiry| expiry <= now) {
            self.miss_oldest(&has_acked, out);
        }
    }

    /// Removes the oldest ping past its timeout. It is missed, unless a later pong decided before.
    fn miss_oldest(&mut self, has_acked: impl Fn(&SentHeartbeat) -> Option<bool>, out: &mut Vec<Resolution>) {
        let Some(mut entry) = self.waiting.pop_front() else { return };
        if entry.passed.is_none() {
            self.in_flight -= 1;
            entry.acked = has_acked(&entry.sent());
            let is_alive = self.without_id_at.is_some_and(|answer| answer > entry.at);
            entry.later_answered = is_alive || entry.seq < self.answered_before;
            out.push(entry.resolved(HeartbeatOutcome::Missed, None, None));
        }
        self.shrink();
        self.overdue.reserve_exact(1);
        self.overdue.push_back(entry);
        self.drop_oldest();
    }

    fn drop_oldest(&mut self) {
        let surplus = self.overdue.len().saturating_sub(MAX_OVERDUE);
        let surplus_passed = self.overdue_passed().saturating_sub(MAX_OVERDUE_PASSED);
        self.overdue.drain(..surplus.max(surplus_passed));
    }

    /// How many pings past the timeout were passed over; they come first.
    fn overdue_passed(&self) -> usize {
        self.overdue.partition_point(|entry| entry.passed.is_some())
    }

    /// Releases a burst's memory: usually one ping is outstanding, on each of thousands of connections.
    fn shrink(&mut self) {
        if self.waiting.is_empty() && self.waiting.capacity() > 2 {
            self.waiting.shrink_to(1);
        }
    }

    /// Removes a ping; returns it with its earlier outcome.
    fn remove(&mut self, seq: u64) -> Option<(OutstandingPing, Option<HeartbeatOutcome>)> {
        if let Some(entry) = remove_from(&mut self.waiting, seq) {
            self.shrink();
            self.in_flight -= u64::from(entry.passed.is_none());
            return Some((entry, entry.passed));
        }
        remove_from(&mut self.overdue, seq)
            .map(|entry| (entry, entry.passed.or(Some(HeartbeatOutcome::Missed))))
    }

    /// The pong of `answered` decides the outcome of all earlier undecided pings.
    fn pass_over(
        &mut self,
        answered: &OutstandingPing,
        rtt: Duration,
        largest: Duration,
        out: &mut Vec<Resolution>,
    ) {
        let seqs = self.answered_before..answered.seq;
        let (overdue, waiting) = (indices(&self.overdue, &seqs), indices(&self.waiting, &seqs));
        let last = self.waiting.range(waiting.clone()).next_back();
        let Some(last) = last.or_else(|| self.overdue.range(overdue.clone()).next_back()) else { return };
        let gap = Duration::from(answered.at).saturating_sub(last.at.into());
        let outcome = passed_over::outcome(gap, rtt, largest);
        self.in_flight -= waiting.len() as u64;
        let overdue = self.overdue.range_mut(overdue).map(|entry| (entry, Some(HeartbeatOutcome::Missed)));
        for (entry, was) in overdue.chain(self.waiting.range_mut(waiting).map(|entry| (entry, None))) {
            entry.passed = Some(outcome);
            if was != Some(outcome) {
                entry.later_answered = true;
                out.push(entry.resolved(outcome, was, None));
            }
        }
        self.drop_oldest();
    }

    fn classify_unmatched(&self, seq: u64) -> StrayPong {
        if seq < self.next_seq { StrayPong::Duplicate } else { self.classify_foreign_pong() }
    }
}

fn find(entries: &VecDeque<OutstandingPing>, seq: u64) -> Option<usize> {
    entries.binary_search_by_key(&seq, |entry| entry.seq).ok()
}

/// The positions of the pings with these numbers.
fn indices(entries: &VecDeque<OutstandingPing>, seqs: &Range<u64>) -> Range<usize> {
    let from = entries.partition_point(|entry| entry.seq < seqs.start);
    from..entries.partition_point(|entry| entry.seq < seqs.end).max(from)
}

fn remove_from(entries: &mut VecDeque<OutstandingPing>, seq: u64) -> Option<OutstandingPing> {
    entries.remove(find(entries, seq)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// Pings 0..n, sent one second apart.
    fn with_sent(superseding: Superseding, n: u64) -> OutstandingPings {
        let mut outstanding = OutstandingPings::new(TIMEOUT, superseding, 0);
        for k in 0..n {
            let seq = outstanding.take_seq();
            outstanding.sent(SentHeartbeat {
                seq,
                at: Duration::from_secs(k),
                stamp: 1000 + k,
                end: k,
                ..SentHeartbeat::default()
            });
        }
        outstanding
    }

    /// The ping at this stream position left then, by the kernel.
    fn stamp(outstanding: &mut OutstandingPings, end: u64, at: f64) {
        outstanding.stamp_departures(|ends| (ends == end).then_some(s(at)));
    }

    fn pong(
        outstanding: &mut OutstandingPings,
        seq: u64,
        at: f64,
    ) -> Vec<(u64, HeartbeatOutcome, Option<HeartbeatOutcome>)> {
        let mut out = Vec::new();
        outstanding.pong(seq, s(at), &mut out).unwrap();
        out.iter().map(|r| (r.seq, r.outcome, r.was)).collect()
    }

    fn expire(outstanding: &mut OutstandingPings, at: f64) -> Vec<u64> {
        let mut out = Vec::new();
        outstanding.expire(s(at), |_| None, &mut out);
        assert!(out.iter().all(|r| r.outcome == HeartbeatOutcome::Missed && r.rtt.is_none()));
        out.iter().map(|r| r.seq).collect()
    }

    #[test]
    fn latest_is_in_flight_or_missed() {
        let mut outstanding = with_sent(Superseding::No, 2);
        assert_eq!(outstanding.latest(), Some(1));
        expire(&mut outstanding, 11.5);
        outstanding.take_seq();
        assert_eq!(outstanding.latest(), Some(1), "the third was never sent");
        pong(&mut outstanding, 1, 12.0);
        assert_eq!(outstanding.latest(), Some(0));
    }

    #[test]
    fn pong_in_time_is_ok_with_its_rtt() {
        let mut outstanding = with_sent(Superseding::Allowed, 1);
        let mut out = Vec::new();
        outstanding.pong(0, s(0.25), &mut out).unwrap();
        let lag = Some(Duration::ZERO);
        let (outcome, rtt) = (HeartbeatOutcome::Ok, Some(s(0.25)));
        let (seq, later_answered) = (0, false);
        let expected =
            Resolution { seq, outcome, was: None, rtt, lag, to_wire: None, acked: None, later_answered };
        assert_eq!(out, [expected]);
        assert_eq!(outstanding.in_flight(), 0);
    }

    #[test]
    fn tcp_ack_of_a_missed_ping_is_repeated_when_late() {
        let mut outstanding = with_sent(Superseding::No, 2);
        let mut out = Vec::new();
        outstanding.expire(s(11.0), |sent| Some(sent.seq == 0), &mut out);
        outstanding.pong(0, s(12.0), &mut out).unwrap();
        outstanding.pong(1, s(12.0), &mut out).unwrap();
        let seen: Vec<_> = out.iter().map(|r| (r.seq, r.outcome, r.acked)).collect();
        let (missed, late) = (HeartbeatOutcome::Missed, HeartbeatOutcome::Late);
        let expected = [
            (0, missed, Some(true)),
            (1, missed, Some(false)),
            (0, late, Some(true)),
            (1, late, Some(false)),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn later_timestamp_moves_the_start_of_the_rtt() {
        let mut outstanding = with_sent(Superseding::No, 3);
        stamp(&mut outstanding, 0, 0.125);
        stamp(&mut outstanding, 7, 9.0);
        let mut out = Vec::new();
        outstanding.pong(0, s(0.25), &mut out).unwrap();
        outstanding.expire(s(11.0), |_| None, &mut out);
        stamp(&mut outstanding, 1, 1.5);
        outstanding.pong(1, s(12.0), &mut out).unwrap();
        let seen: Vec<_> =
            out.iter().map(|r| (r.seq, r.outcome, r.rtt, r.to_wire.map(Duration::from))).collect();
        let expected = [
            (0, HeartbeatOutcome::Ok, Some(s(0.125)), Some(s(0.125))),
            (1, HeartbeatOutcome::Missed, None, None),
            (1, HeartbeatOutcome::Late, Some(s(10.5)), Some(s(0.5))),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn pong_at_the_timeout_is_ok_and_after_it_late() {
        let mut outstanding = with_sent(Superseding::No, 2);
        assert_eq!(pong(&mut outstanding, 0, 10.0), [(0, HeartbeatOutcome::Ok, None)]);
        assert_eq!(pong(&mut outstanding, 1, 11.001), [(1, HeartbeatOutcome::Late, None)]);
    }

    #[test]
    fn pong_of_a_missed_ping_makes_it_late() {
        let mut outstanding = with_sent(Superseding::Allowed, 1);
        assert_eq!(expire(&mut outstanding, 10.0), [0]);
        assert_eq!(
            pong(&mut outstanding, 0, 12.0),
            [(0, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed))]
        );
    }

    /// Pings sent at these times in seconds.
    fn with_sent_at<const N: usize>(moments: [f64; N]) -> OutstandingPings {
        let mut outstanding = OutstandingPings::new(TIMEOUT, Superseding::Allowed, 0);
        for at in moments {
            let seq = outstanding.take_seq();
            outstanding.sent(SentHeartbeat { seq, at: s(at), end: seq, ..SentHeartbeat::default() });
        }
        outstanding
    }

    #[test]
    fn quick_pong_of_later_ping_makes_earlier_ones_missed() {
        let mut outstanding = with_sent(Superseding::Allowed, 3);
        assert_eq!(
            pong(&mut outstanding, 2, 2.1),
            [
                (0, HeartbeatOutcome::Missed, None),
                (1, HeartbeatOutcome::Missed, None),
                (2, HeartbeatOutcome::Ok, None)
            ]
        );
        assert_eq!((outstanding.in_flight(), outstanding.next_expiry()), (0, Some(TIMEOUT)));
        assert_eq!(expire(&mut outstanding, 30.0), [0; 0], "they are judged");
    }

    #[test]
    fn slow_pong_of_later_ping_supersedes_earlier_ones() {
        let mut outstanding = with_sent(Superseding::Allowed, 3);
        let superseded = HeartbeatOutcome::Superseded;
        assert_eq!(
            pong(&mut outstanding, 2, 2.5),
            [(0, superseded, None), (1, superseded, None), (2, HeartbeatOutcome::Ok, None)]
        );
    }

    #[test]
    fn time_from_the_last_passed_over_ping_decides_for_all() {
        let mut outstanding = with_sent_at([0.0, 5.0, 6.0, 6.2, 6.4]);
        pong(&mut outstanding, 0, 0.3);
        let all = pong(&mut outstanding, 4, 6.41);
        assert_eq!(all.iter().map(|one| one.1).collect::<Vec<_>>()[..3], [HeartbeatOutcome::Superseded; 3]);
        let mut outstanding = with_sent_at([0.0, 5.0, 5.1, 6.0]);
        pong(&mut outstanding, 0, 0.3);
        let all = pong(&mut outstanding, 3, 6.01);
        assert_eq!(all.iter().map(|one| one.1).collect::<Vec<_>>()[..2], [HeartbeatOutcome::Missed; 2]);
    }

    #[test]
    fn kernel_stamp_moves_the_time_between_two_pings() {
        for (left, outcome) in [(1.0, HeartbeatOutcome::Missed), (1.8, HeartbeatOutcome::Superseded)] {
            let mut outstanding = with_sent_at([0.0, 1.0, 2.0]);
            pong(&mut outstanding, 0, 0.3);
            stamp(&mut outstanding, 1, left);
            assert_eq!(pong(&mut outstanding, 2, 2.01)[0], (1, outcome, None));
        }
    }

    #[test]
    fn late_pong_raises_the_largest_rtt() {
        let mut outstanding = with_sent_at([0.0, 20.0, 30.0]);
        assert_eq!(expire(&mut outstanding, 10.0), [0]);
        assert_eq!(
            pong(&mut outstanding, 0, 12.0),
            [(0, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed))]
        );
        assert_eq!(pong(&mut outstanding, 2, 30.01)[0], (1, HeartbeatOutcome::Superseded, None));
    }

    #[test]
    fn pong_of_passed_over_ping_corrects_it() {
        for (at, outcome) in [(1.6, HeartbeatOutcome::Ok), (10.5, HeartbeatOutcome::Late)] {
            for (later, taken_for) in [(1.01, HeartbeatOutcome::Missed), (1.5, HeartbeatOutcome::Superseded)]
            {
                let mut outstanding = with_sent(Superseding::Allowed, 2);
                assert_eq!(pong(&mut outstanding, 1, later)[0], (0, taken_for, None));
                assert_eq!(expire(&mut outstanding, at), [0; 0]);
                assert_eq!(pong(&mut outstanding, 0, at), [(0, outcome, Some(taken_for))]);
                assert_eq!(outstanding.pong(0, s(at), &mut Vec::new()), Err(StrayPong::Duplicate));
            }
        }
    }

    #[test]
    fn missed_ping_is_superseded_by_slow_later_pong() {
        let mut outstanding = with_sent(Superseding::Allowed, 3);
        assert_eq!(expire(&mut outstanding, 10.5), [0]);
        assert_eq!(
            pong(&mut outstanding, 2, 10.6),
            [
                (0, HeartbeatOutcome::Superseded, Some(HeartbeatOutcome::Missed)),
                (1, HeartbeatOutcome::Superseded, None),
                (2, HeartbeatOutcome::Ok, None)
            ]
        );
        assert_eq!(outstanding.in_flight(), 0);
        assert_eq!(
            pong(&mut outstanding, 0, 10.7),
            [(0, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Superseded))]
        );
    }

    #[test]
    fn missed_ping_stays_missed_after_quick_later_pong() {
        let mut outstanding = with_sent_at([0.0, 10.0, 11.0]);
        assert_eq!(expire(&mut outstanding, 10.5), [0]);
        assert_eq!(
            pong(&mut outstanding, 2, 11.01),
            [(1, HeartbeatOutcome::Missed, None), (2, HeartbeatOutcome::Ok, None)]
        );
        assert_eq!(
            pong(&mut outstanding, 0, 11.1),
            [(0, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed))]
        );
        assert_eq!(
            pong(&mut outstanding, 1, 11.2),
            [(1, HeartbeatOutcome::Ok, Some(HeartbeatOutcome::Missed))]
        );
    }

    #[test]
    fn missed_pings_report_whether_a_later_one_was_answered() {
        let misses = |superseding| {
            let mut outstanding = with_sent(superseding, 3);
            let mut out = Vec::new();
            outstanding.pong(1, s(1.01), &mut out).unwrap();
            outstanding.expire(s(20.0), |_| None, &mut out);
            outstanding.pong(0, s(20.0), &mut out).unwrap();
            let unanswered = out.iter().filter(|r| r.outcome == HeartbeatOutcome::Missed || r.was.is_some());
            unanswered.map(|r| (r.seq, r.later_answered)).collect::<Vec<_>>()
        };
        assert_eq!(misses(Superseding::Allowed), [(0, true), (2, false), (0, true)]);
        assert_eq!(misses(Superseding::No), [(0, true), (2, false), (0, true)]);
    }

    #[test]
    fn memory_of_passed_over_pings_is_bounded() {
        let mut outstanding = OutstandingPings::new(TIMEOUT, Superseding::Allowed, 0);
        for k in 0..10_000_u32 {
            let (seq, at) = (outstanding.take_seq(), s(1.0) * k);
            outstanding.sent(SentHeartbeat { seq, at, ..SentHeartbeat::default() });
            if k % 2 == 1 {
                outstanding.pong(seq, at + s(0.01), &mut Vec::new()).unwrap();
            }
            outstanding.expire(at, |_| None, &mut Vec::new());
        }
        let entries = outstanding.overdue.capacity() + outstanding.waiting.capacity();
        assert!(
            entries * size_of::<OutstandingPing>() < 4096,
            "{} bytes",
            entries * size_of::<OutstandingPing>()
        );
    }

    #[test]
    fn app_answer_supersedes_nothing() {
        let mut outstanding = with_sent(Superseding::No, 2);
        assert_eq!(pong(&mut outstanding, 1, 1.5), [(1, HeartbeatOutcome::Ok, None)]);
        assert_eq!(outstanding.in_flight(), 1);
        assert_eq!(expire(&mut outstanding, 10.0), [0]);
    }

    #[test]
    fn second_pong_is_duplicate_and_unknown_number_is_stray() {
        let mut outstanding = with_sent(Superseding::Allowed, 1);
        pong(&mut outstanding, 0, 0.1);
        assert_eq!(outstanding.pong(0, s(0.2), &mut Vec::new()), Err(StrayPong::Duplicate));
        assert_eq!(outstanding.pong(9, s(0.2), &mut Vec::new()), Err(StrayPong::Unsolicited));
        let seq = outstanding.take_seq();
        outstanding.sent(SentHeartbeat { seq, at: s(1.0), ..SentHeartbeat::default() });
        assert_eq!(outstanding.pong(9, s(1.2), &mut Vec::new()), Err(StrayPong::Mismatched));
    }

    #[test]
    fn unsent_outcome_is_revised_after_leaving() {
        let mut outstanding = OutstandingPings::new(TIMEOUT, Superseding::Allowed, 0);
        let seq = outstanding.take_seq();
        outstanding.sent(SentHeartbeat {
            seq,
            was: Some(HeartbeatOutcome::Unsent),
            ..SentHeartbeat::default()
        });
        assert_eq!(
            pong(&mut outstanding, 0, 1.0),
            [(0, HeartbeatOutcome::Ok, Some(HeartbeatOutcome::Unsent))]
        );
    }

    #[test]
    fn answer_without_id_belongs_to_the_oldest_request() {
        let mut outstanding = with_sent(Superseding::No, 3);
        assert_eq!((outstanding.oldest_unanswered(), outstanding.unanswered()), (Some(0), 3));
        expire(&mut outstanding, 10.0);
        assert_eq!((outstanding.oldest_unanswered(), outstanding.unanswered()), (Some(0), 3));
        pong(&mut outstanding, 0, 10.5);
        assert_eq!((outstanding.oldest_unanswered(), outstanding.unanswered()), (Some(1), 2));
    }

    #[test]
    fn lost_answer_without_id_is_no_silence() {
        let mut outstanding = with_sent(Superseding::No, 4);
        let mut out = Vec::new();
        for at in [0.1, 2.1] {
            let seq = outstanding.answer_without_id(s(at)).unwrap();
            outstanding.pong(seq, s(at), &mut out).unwrap();
        }
        outstanding.expire(s(20.0), |_| None, &mut out);
        let missed: Vec<_> = out.iter().filter(|r| r.outcome == HeartbeatOutcome::Missed).collect();
        let misses: Vec<_> = missed.iter().map(|r| (r.seq, r.later_answered)).collect();
        assert_eq!(misses, [(2, true), (3, false)], "an answer came after 2 was sent, none after 3");
    }

    #[test]
    fn time_finds_its_request_in_flight_or_missed() {
        let mut outstanding = with_sent(Superseding::No, 2);
        expire(&mut outstanding, 10.0);
        assert_eq!((outstanding.seq_of_stamp(1000), outstanding.seq_of_stamp(1001)), (Some(0), Some(1)));
        assert_eq!(outstanding.seq_of_stamp(7), None);
    }

    #[test]
    fn memory_of_missed_pings_is_bounded() {
        let mut outstanding = with_sent(Superseding::No, MAX_OVERDUE as u64 + 5);
        let mut out = Vec::new();
        outstanding.expire(s(1e6), |_| None, &mut out);
        assert_eq!(out.len(), MAX_OVERDUE + 5);
        assert_eq!(outstanding.unanswered(), MAX_OVERDUE as u64);
        assert_eq!(outstanding.pong(0, s(1e6), &mut Vec::new()), Err(StrayPong::Duplicate));
    }

    /// A step of a test history.
    #[derive(Debug, Clone, Copy)]
    enum LedgerStep {
        Send,
        Pong(u64),
        /// In milliseconds.
        Wait(u64),
        /// How much later the kernel's timestamp of this ping is, in milliseconds.
        Stamp(u64, u64),
    }

    fn step() -> impl Strategy<Value = LedgerStep> {
        prop_oneof![
            4 => Just(LedgerStep::Send),
            4 => (0u64..16).prop_map(LedgerStep::Pong),
            1 => (1u64..15_000).prop_map(LedgerStep::Wait),
            3 => (1u64..300).prop_map(LedgerStep::Wait),
            1 => (0u64..16, 1u64..200).prop_map(|(seq, later)| LedgerStep::Stamp(seq, later)),
        ]
    }

    /// A pong that answered a ping, and the pings' send times as known then.
    #[derive(Debug, Clone)]
    struct LedgerReply {
        seq: usize,
        at: Duration,
        sent: Vec<Duration>,
    }

    impl LedgerReply {
        fn rtt(&self) -> Duration {
            self.at - self.sent[self.seq]
        }
    }

    /// A whole history, and the definitions of outcomes applied to it.
    #[derive(Debug, Default)]
    struct History {
        sent: Vec<Duration>,
        replies: Vec<LedgerReply>,
        now: Duration,
    }

    impl History {
        fn own_reply(&self, ping: usize) -> Option<&LedgerReply> {
            self.replies.iter().find(|reply| reply.seq == ping)
        }

        /// The reply that passes over a ping: the first one to a later ping before its own.
        fn passed_by(&self, ping: usize) -> Option<usize> {
            let first = self.replies.iter().position(|reply| reply.seq >= ping && reply.sent.len() > ping)?;
            (self.replies[first].seq > ping).then_some(first)
        }

        /// The outcome that a reply gives to all pings it passes over.
        fn of_passed_over(&self, reply: usize) -> HeartbeatOutcome {
            let LedgerReply { seq, sent, .. } = &self.replies[reply];
            let last = (0..*seq).filter(|ping| self.passed_by(*ping) == Some(reply)).max().unwrap();
            let time = sent[*seq] - sent[last];
            let before = self.replies[..reply].iter().map(LedgerReply::rtt).max().unwrap_or_default();
            let rtt = self.replies[reply].rtt();
            let held_both = time <= before || time <= rtt;
            let slow = rtt > before + before && rtt * 10 > time;
            if held_both || slow { HeartbeatOutcome::Superseded } else { HeartbeatOutcome::Missed }
        }

        fn outcome(&self, ping: usize, superseding: Superseding) -> Option<HeartbeatOutcome> {
            if let Some(own) = self.own_reply(ping) {
                return Some(if own.rtt() <= TIMEOUT {
                    HeartbeatOutcome::Ok
                } else {
                    HeartbeatOutcome::Late
                });
            }
            match self.passed_by(ping) {
                Some(reply) if superseding == Superseding::Allowed => Some(self.of_passed_over(reply)),
                _ => (self.sent[ping] + TIMEOUT <= self.now).then_some(HeartbeatOutcome::Missed),
            }
        }

        /// Applies a timestamp while the ping is outstanding, keeping the order.
        fn stamp(&mut self, ping: usize, later: Duration) -> Option<Duration> {
            let next = self.sent.get(ping + 1).copied().unwrap_or(self.now);
            let sent = self.sent.get_mut(ping)?;
            *sent = (*sent + later).min(next);
            Some(*sent)
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        /// For every interleaving of sends, timestamps, pongs (own, later, repeated, unknown) and waits, the
        /// outcomes after each step are exactly those of the definitions.
        #[test]
        fn every_interleaving_follows_the_definitions(
            steps in proptest::collection::vec(step(), 1..60),
            allowed in any::<bool>(),
        ) {
            let superseding = if allowed { Superseding::Allowed } else { Superseding::No };
            let mut outstanding = OutstandingPings::new(TIMEOUT, superseding, 0);
            let mut history = History::default();
            let mut outcomes: BTreeMap<u64, HeartbeatOutcome> = BTreeMap::new();
            let mut stamped = BTreeSet::new();
            for step in steps {
                let mut out = Vec::new();
                match step {
                    // Few enough that none is dropped.
                    LedgerStep::Send if history.sent.len() < MAX_OVERDUE_PASSED => {
                        let seq = outstanding.take_seq();
                        prop_assert_eq!(seq, history.sent.len() as u64);
                        let (at, end) = (history.now, seq);
                        outstanding.sent(SentHeartbeat { seq, at, end, ..SentHeartbeat::default() });
                        history.sent.push(history.now);
                    }
                    LedgerStep::Send => {}
                    LedgerStep::Wait(millis) => history.now += Duration::from_millis(millis),
                    LedgerStep::Stamp(seq, later) => {
                        // Each ping is stamped once, and the older of too many never.
                        let is_late = history.sent.len() > seq as usize + MAX_UNSTAMPED;
                        let is_open = !outcomes.contains_key(&seq) && !is_late && stamped.insert(seq);
                        if is_open && let Some(at) = history.stamp(seq as usize, Duration::from_millis(later)) {
                            outstanding.stamp_departures(|end| (end == seq).then_some(at));
                        }
                    }
                    LedgerStep::Pong(seq) => {
                        let ping = seq as usize;
                        let answers = ping < history.sent.len() && history.own_reply(ping).is_none();
                        prop_assert_eq!(outstanding.pong(seq, history.now, &mut out).is_ok(), answers);
                        if answers {
                            let sent = history.sent.clone();
                            history.replies.push(LedgerReply { seq: ping, at: history.now, sent });
                        }
                    }
                }
                outstanding.expire(history.now, |_| None, &mut out);
                for r in &out {
                    prop_assert_eq!(outcomes.insert(r.seq, r.outcome), r.was, "revisions name what was said");
                    prop_assert_eq!(r.rtt.is_some(), r.outcome.is_answered());
                }
                for seq in 0..history.sent.len() {
                    let expected = history.outcome(seq, superseding);
                    prop_assert_eq!(outcomes.get(&(seq as u64)).copied(), expected, "seq {}", seq);
                }
                prop_assert_eq!(outstanding.in_flight(), (history.sent.len() - outcomes.len()) as u64);
            }
        }
    }
}
