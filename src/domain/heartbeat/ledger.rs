//! The outstanding pings of one connection and kind, and what each came to.
//!
//! Pure: moments are `Duration`s since the session began, handed in. What is decided is pushed to
//! a buffer that the caller reuses, so that steady heartbeats allocate nothing.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Outcome, Stray};
use crate::domain::nanos::Nanos;

/// How many missed pings are remembered so that a pong may still make them late. Beyond that the
/// oldest is forgotten and stays missed.
const REMEMBERED: usize = 4096;

/// What became of one ping, or what it is taken for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolution {
    pub seq: u64,
    pub outcome: Outcome,
    /// What it was taken for before.
    pub was: Option<Outcome>,
    /// Present for `ok` and `late`.
    pub rtt: Option<Duration>,
    /// How late this host was to send it, or to find that it slept through its moment; `None` when it was
    /// held back.
    pub lag: Option<Duration>,
    /// From the start of its write to its leaving, where the kernel stamped that.
    pub to_wire: Option<Nanos>,
    /// Whether TCP had acknowledged it when it was missed, where that is known.
    pub acked: Option<bool>,
}

/// A ping that has left this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    pub seq: u64,
    pub at: Duration,
    /// The time that the ask carried; 0 when it carried none.
    pub stamp: u64,
    /// From the moment it was due to the start of its write.
    pub lag: Duration,
    /// From the start of its write to its leaving, which is `at`; `None` where the kernel has not stamped that, and `at`
    /// is the start of the write.
    pub to_wire: Option<Nanos>,
    /// How many bytes had been written then, its own included.
    pub end: u64,
    /// What it was told to be before it left after all.
    pub was: Option<Outcome>,
}

/// Whether the pong of a later ping stands for the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Superseding {
    /// Protocol pings: RFC 6455 5.5.3 lets a peer answer only the latest.
    Allowed,
    /// App messages: no standard excuses an unanswered one.
    No,
}

/// The outstanding pings. Every sent ping is in flight until its pong, a later pong or its timeout
/// decides; what a timeout or a later pong decided may still be revised by the ping's own pong.
#[derive(Debug)]
pub struct Ledger {
    timeout: Duration,
    superseding: Superseding,
    next_seq: u64,
    /// Sent and within the timeout, by seq; a superseded one waits here for its own pong.
    waiting: VecDeque<Entry>,
    /// Missed, by seq.
    overdue: VecDeque<Entry>,
    in_flight: u64,
}

/// A ping that is outstanding, in little memory: each of thousands of connections has one.
#[derive(Debug, Clone, Copy)]
struct Entry {
    seq: u64,
    at: Nanos,
    stamp: u64,
    lag: Nanos,
    to_wire: Option<Nanos>,
    end: u64,
    was: Option<Outcome>,
    superseded: bool,
    acked: Option<bool>,
}

impl Entry {
    fn new(sent: Sent) -> Entry {
        let Sent { seq, at, stamp, lag, to_wire, end, was } = sent;
        let (at, lag) = (at.into(), lag.into());
        Entry { seq, at, stamp, lag, to_wire, end, was, superseded: false, acked: None }
    }

    fn sent(&self) -> Sent {
        let Entry { seq, at, stamp, lag, to_wire, end, was, .. } = *self;
        Sent { seq, at: at.into(), stamp, lag: lag.into(), to_wire, end, was }
    }

    fn resolved(&self, outcome: Outcome, was: Option<Outcome>, rtt: Option<Duration>) -> Resolution {
        let Entry { seq, lag, to_wire, acked, .. } = *self;
        Resolution { seq, outcome, was: was.or(self.was), rtt, lag: Some(lag.into()), to_wire, acked }
    }
}

impl Ledger {
    /// A ledger whose pings are numbered from `first_seq`.
    pub fn new(timeout: Duration, superseding: Superseding, first_seq: u64) -> Ledger {
        Ledger {
            timeout,
            superseding,
            next_seq: first_seq,
            waiting: VecDeque::new(),
            overdue: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Takes the next number, for a ping that is about to be sent or will stay unsent.
    pub fn take_seq(&mut self) -> u64 {
        self.next_seq += 1;
        self.next_seq - 1
    }

    /// The number that the next ping will have.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// A ping left this machine. Numbers and moments must not fall.
    pub fn sent(&mut self, sent: Sent) {
        if self.waiting.len() == self.waiting.capacity() {
            // Mostly one is outstanding, on each of thousands of connections.
            self.waiting.reserve_exact(self.waiting.len().max(1));
        }
        self.waiting.push_back(Entry::new(sent));
        self.in_flight += 1;
    }

    /// The kernel's stamp of a ping that has left comes after it.
    pub fn stamped(&mut self, seq: u64, at: Duration, to_wire: Duration) {
        for entries in [&mut self.waiting, &mut self.overdue] {
            if let Some(entry) = find(entries, seq).and_then(|index| entries.get_mut(index)) {
                (entry.at, entry.to_wire) = (at.into(), Some(to_wire.into()));
            }
        }
    }

    /// Sent and not yet judged.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Without an answer of their own so far, in flight or missed: those that an answer without id
    /// could belong to.
    pub fn unanswered(&self) -> u64 {
        self.in_flight + self.overdue.len() as u64
    }

    /// When the next ping in flight becomes missed.
    pub fn next_expiry(&self) -> Option<Duration> {
        self.waiting.front().map(|entry| Duration::from(entry.at) + self.timeout)
    }

    /// The number of the outstanding ask that carried this time.
    pub fn seq_of_stamp(&self, stamp: u64) -> Option<u64> {
        let entries = self.waiting.iter().rev().chain(self.overdue.iter().rev());
        entries.into_iter().find(|entry| entry.stamp == stamp).map(|entry| entry.seq)
    }

    /// The oldest ask without an answer, to which an answer without id belongs.
    pub fn oldest_unanswered(&self) -> Option<u64> {
        let waiting = self.waiting.iter().filter(|entry| !entry.superseded);
        self.overdue.iter().chain(waiting).next().map(|entry| entry.seq)
    }

    /// What a pong is that carries a payload none of ours.
    pub fn alien_pong(&self) -> Stray {
        if self.in_flight > 0 { Stray::Mismatched } else { Stray::Unsolicited }
    }

    /// The pong of ping `seq` arrived at `at`. Pushes its resolution and those of the pings it
    /// supersedes, oldest first; or says that it answers nothing that is outstanding.
    pub fn pong(&mut self, seq: u64, at: Duration, out: &mut Vec<Resolution>) -> Result<(), Stray> {
        let (entry, was) = self.take(seq).ok_or_else(|| self.stray(seq))?;
        if self.superseding == Superseding::Allowed {
            self.supersede_before(seq, out);
        }
        let rtt = at.saturating_sub(entry.at.into());
        let outcome = if rtt <= self.timeout { Outcome::Ok } else { Outcome::Late };
        out.push(entry.resolved(outcome, was, Some(rtt)));
        Ok(())
    }

    /// Declares missed what is in flight for longer than the timeout. `has_acked` tells whether TCP acknowledged a
    /// ping, where that is known.
    pub fn expire(
        &mut self,
        now: Duration,
        has_acked: impl Fn(&Sent) -> Option<bool>,
        out: &mut Vec<Resolution>,
    ) {
        while self.next_expiry().is_some_and(|expiry| expiry <= now) {
            self.miss_oldest(&has_acked, out);
        }
    }

    fn miss_oldest(&mut self, has_acked: impl Fn(&Sent) -> Option<bool>, out: &mut Vec<Resolution>) {
        let Some(mut entry) = self.waiting.pop_front() else { return };
        entry.acked = has_acked(&entry.sent());
        if entry.superseded {
            return;
        }
        self.in_flight -= 1;
        if self.overdue.len() == REMEMBERED {
            self.overdue.pop_front();
        }
        self.overdue.push_back(entry);
        out.push(entry.resolved(Outcome::Missed, None, None));
    }

    /// Removes the ping, with what it was taken for.
    fn take(&mut self, seq: u64) -> Option<(Entry, Option<Outcome>)> {
        if let Some(entry) = remove(&mut self.waiting, seq) {
            if entry.superseded {
                return Some((entry, Some(Outcome::Superseded)));
            }
            self.in_flight -= 1;
            return Some((entry, None));
        }
        remove(&mut self.overdue, seq).map(|entry| (entry, Some(Outcome::Missed)))
    }

    fn supersede_before(&mut self, seq: u64, out: &mut Vec<Resolution>) {
        let superseded = |entry: &Entry, was| entry.resolved(Outcome::Superseded, was, None);
        while self.overdue.front().is_some_and(|entry| entry.seq < seq) {
            let Some(entry) = self.overdue.pop_front() else { break };
            out.push(superseded(&entry, Some(Outcome::Missed)));
        }
        for entry in self.waiting.iter_mut().take_while(|entry| entry.seq < seq) {
            if !entry.superseded {
                entry.superseded = true;
                self.in_flight -= 1;
                out.push(superseded(entry, None));
            }
        }
    }

    fn stray(&self, seq: u64) -> Stray {
        if seq < self.next_seq { Stray::Duplicate } else { self.alien_pong() }
    }
}

fn find(entries: &VecDeque<Entry>, seq: u64) -> Option<usize> {
    entries.binary_search_by_key(&seq, |entry| entry.seq).ok()
}

fn remove(entries: &mut VecDeque<Entry>, seq: u64) -> Option<Entry> {
    entries.remove(find(entries, seq)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn s(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A ledger with pings 0..n sent one second apart.
    fn with_sent(superseding: Superseding, n: u64) -> Ledger {
        let mut ledger = Ledger::new(TIMEOUT, superseding, 0);
        for k in 0..n {
            let seq = ledger.take_seq();
            ledger.sent(Sent { seq, at: Duration::from_secs(k), stamp: 1000 + k, ..Sent::default() });
        }
        ledger
    }

    fn pong(ledger: &mut Ledger, seq: u64, at: f64) -> Vec<(u64, Outcome, Option<Outcome>)> {
        let mut out = Vec::new();
        ledger.pong(seq, s(at), &mut out).unwrap();
        out.iter().map(|r| (r.seq, r.outcome, r.was)).collect()
    }

    fn expire(ledger: &mut Ledger, at: f64) -> Vec<u64> {
        let mut out = Vec::new();
        ledger.expire(s(at), |_| None, &mut out);
        assert!(out.iter().all(|r| r.outcome == Outcome::Missed && r.rtt.is_none()));
        out.iter().map(|r| r.seq).collect()
    }

    #[test]
    fn a_pong_in_time_is_ok_with_its_rtt() {
        let mut ledger = with_sent(Superseding::Allowed, 1);
        let mut out = Vec::new();
        ledger.pong(0, s(0.25), &mut out).unwrap();
        let lag = Some(Duration::ZERO);
        let (outcome, rtt) = (Outcome::Ok, Some(s(0.25)));
        assert_eq!(out, [Resolution { seq: 0, outcome, was: None, rtt, lag, to_wire: None, acked: None }]);
        assert_eq!(ledger.in_flight(), 0);
    }

    #[test]
    fn what_tcp_said_of_a_missed_ping_is_told_again_when_it_turns_out_late() {
        let mut ledger = with_sent(Superseding::No, 2);
        let mut out = Vec::new();
        ledger.expire(s(11.0), |sent| Some(sent.seq == 0), &mut out);
        ledger.pong(0, s(12.0), &mut out).unwrap();
        ledger.pong(1, s(12.0), &mut out).unwrap();
        let seen: Vec<_> = out.iter().map(|r| (r.seq, r.outcome, r.acked)).collect();
        let (missed, late) = (Outcome::Missed, Outcome::Late);
        let expected = [
            (0, missed, Some(true)),
            (1, missed, Some(false)),
            (0, late, Some(true)),
            (1, late, Some(false)),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_stamp_that_comes_later_moves_the_start_of_the_rtt() {
        let mut ledger = with_sent(Superseding::No, 3);
        ledger.stamped(0, s(0.125), s(0.125));
        ledger.stamped(7, s(9.0), s(9.0));
        let mut out = Vec::new();
        ledger.pong(0, s(0.25), &mut out).unwrap();
        ledger.expire(s(11.0), |_| None, &mut out);
        ledger.stamped(1, s(1.5), s(0.5));
        ledger.pong(1, s(12.0), &mut out).unwrap();
        let seen: Vec<_> =
            out.iter().map(|r| (r.seq, r.outcome, r.rtt, r.to_wire.map(Duration::from))).collect();
        let expected = [
            (0, Outcome::Ok, Some(s(0.125)), Some(s(0.125))),
            (1, Outcome::Missed, None, None),
            (1, Outcome::Late, Some(s(10.5)), Some(s(0.5))),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_pong_at_the_timeout_is_ok_and_after_it_late() {
        let mut ledger = with_sent(Superseding::No, 2);
        assert_eq!(pong(&mut ledger, 0, 10.0), [(0, Outcome::Ok, None)]);
        assert_eq!(pong(&mut ledger, 1, 11.001), [(1, Outcome::Late, None)]);
    }

    #[test]
    fn a_missed_ping_whose_pong_comes_is_late() {
        let mut ledger = with_sent(Superseding::Allowed, 1);
        assert_eq!(expire(&mut ledger, 10.0), [0]);
        assert_eq!(pong(&mut ledger, 0, 12.0), [(0, Outcome::Late, Some(Outcome::Missed))]);
    }

    #[test]
    fn a_later_pong_supersedes_what_is_in_flight_and_what_was_missed() {
        let mut ledger = with_sent(Superseding::Allowed, 3);
        assert_eq!(expire(&mut ledger, 10.5), [0]);
        assert_eq!(
            pong(&mut ledger, 2, 10.6),
            [
                (0, Outcome::Superseded, Some(Outcome::Missed)),
                (1, Outcome::Superseded, None),
                (2, Outcome::Ok, None)
            ]
        );
        assert_eq!(ledger.in_flight(), 0);
    }

    #[test]
    fn a_superseded_ping_may_still_get_its_own_pong() {
        let mut ledger = with_sent(Superseding::Allowed, 2);
        pong(&mut ledger, 1, 1.5);
        assert_eq!(pong(&mut ledger, 0, 1.6), [(0, Outcome::Ok, Some(Outcome::Superseded))]);
    }

    #[test]
    fn an_app_answer_supersedes_nothing() {
        let mut ledger = with_sent(Superseding::No, 2);
        assert_eq!(pong(&mut ledger, 1, 1.5), [(1, Outcome::Ok, None)]);
        assert_eq!(ledger.in_flight(), 1);
        assert_eq!(expire(&mut ledger, 10.0), [0]);
    }

    #[test]
    fn a_second_answer_is_a_duplicate_and_an_unknown_number_a_stray() {
        let mut ledger = with_sent(Superseding::Allowed, 1);
        pong(&mut ledger, 0, 0.1);
        assert_eq!(ledger.pong(0, s(0.2), &mut Vec::new()), Err(Stray::Duplicate));
        assert_eq!(ledger.pong(9, s(0.2), &mut Vec::new()), Err(Stray::Unsolicited));
        let seq = ledger.take_seq();
        ledger.sent(Sent { seq, at: s(1.0), ..Sent::default() });
        assert_eq!(ledger.pong(9, s(1.2), &mut Vec::new()), Err(Stray::Mismatched));
    }

    #[test]
    fn what_was_told_before_it_left_is_revised_by_what_becomes_of_it() {
        let mut ledger = Ledger::new(TIMEOUT, Superseding::Allowed, 0);
        let seq = ledger.take_seq();
        ledger.sent(Sent { seq, was: Some(Outcome::Unsent), ..Sent::default() });
        assert_eq!(pong(&mut ledger, 0, 1.0), [(0, Outcome::Ok, Some(Outcome::Unsent))]);
    }

    #[test]
    fn an_answer_without_id_belongs_to_the_oldest_ask() {
        let mut ledger = with_sent(Superseding::No, 3);
        assert_eq!((ledger.oldest_unanswered(), ledger.unanswered()), (Some(0), 3));
        expire(&mut ledger, 10.0);
        assert_eq!((ledger.oldest_unanswered(), ledger.unanswered()), (Some(0), 3));
        pong(&mut ledger, 0, 10.5);
        assert_eq!((ledger.oldest_unanswered(), ledger.unanswered()), (Some(1), 2));
    }

    #[test]
    fn a_stamp_finds_its_ask_in_flight_or_missed() {
        let mut ledger = with_sent(Superseding::No, 2);
        expire(&mut ledger, 10.0);
        assert_eq!((ledger.seq_of_stamp(1000), ledger.seq_of_stamp(1001)), (Some(0), Some(1)));
        assert_eq!(ledger.seq_of_stamp(7), None);
    }

    #[test]
    fn memory_of_missed_pings_is_bounded() {
        let mut ledger = with_sent(Superseding::No, REMEMBERED as u64 + 5);
        let mut out = Vec::new();
        ledger.expire(s(1e6), |_| None, &mut out);
        assert_eq!(out.len(), REMEMBERED + 5);
        assert_eq!(ledger.unanswered(), REMEMBERED as u64);
        assert_eq!(ledger.pong(0, s(1e6), &mut Vec::new()), Err(Stray::Duplicate));
    }

    /// What can happen to a ledger.
    #[derive(Debug, Clone, Copy)]
    enum Step {
        Send,
        Pong(u64),
        Wait(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Send),
            4 => (0u64..12).prop_map(Step::Pong),
            2 => (1u64..15).prop_map(Step::Wait),
        ]
    }

    /// The definitions of design.md section 2, applied to the whole history at once. `now` is the
    /// moment the history ends. Superseded holds only until the ping's own timeout has passed.
    fn judge(
        sent: Duration,
        own: Option<Duration>,
        later: Option<Duration>,
        now: Duration,
    ) -> Option<Outcome> {
        match (own, later) {
            (Some(at), _) if at - sent <= TIMEOUT => Some(Outcome::Ok),
            (Some(_), _) => Some(Outcome::Late),
            (None, Some(_)) => Some(Outcome::Superseded),
            (None, None) if sent + TIMEOUT <= now => Some(Outcome::Missed),
            (None, None) => None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Every interleaving of sends, pongs (own, later, repeated, unknown) and waits ends in
        /// exactly the outcomes that the definitions give for the whole history.
        #[test]
        fn every_interleaving_ends_as_the_definitions_say(
            steps in proptest::collection::vec(step(), 1..60),
            allowed in any::<bool>(),
        ) {
            let superseding = if allowed { Superseding::Allowed } else { Superseding::No };
            let mut ledger = Ledger::new(TIMEOUT, superseding, 0);
            let mut now = Duration::ZERO;
            let mut sent: Vec<Duration> = Vec::new();
            let mut own: BTreeMap<u64, Duration> = BTreeMap::new();
            let mut later: BTreeMap<u64, Duration> = BTreeMap::new();
            let mut said: BTreeMap<u64, Outcome> = BTreeMap::new();
            for step in steps {
                let mut out = Vec::new();
                match step {
                    Step::Send => {
                        let seq = ledger.take_seq();
                        prop_assert_eq!(seq, sent.len() as u64);
                        ledger.sent(Sent { seq, at: now, ..Sent::default() });
                        sent.push(now);
                    }
                    Step::Wait(seconds) => now += Duration::from_secs(seconds),
                    Step::Pong(seq) => {
                        let result = ledger.pong(seq, now, &mut out);
                        // A superseded ping is given up at its own timeout, and so is its pong.
                        let given_up = sent.get(seq as usize).is_some_and(|at| {
                            allowed && later.contains_key(&seq)
                                && (*at + TIMEOUT <= now || said.get(&seq) == Some(&Outcome::Superseded))
                        });
                        if seq >= sent.len() as u64 || own.contains_key(&seq) {
                            prop_assert!(result.is_err());
                        } else if result.is_ok() {
                            own.insert(seq, now);
                            if allowed {
                                for earlier in 0..seq {
                                    later.entry(earlier).or_insert(now);
                                }
                            }
                        } else {
                            prop_assert!(given_up, "seq {} refused", seq);
                        }
                    }
                }
                ledger.expire(now, |_| None, &mut out);
                for r in &out {
                    prop_assert_eq!(said.insert(r.seq, r.outcome), r.was, "revisions name what was said");
                    prop_assert_eq!(r.rtt.is_some(), matches!(r.outcome, Outcome::Ok | Outcome::Late));
                }
            }
            for (seq, at) in sent.iter().enumerate() {
                let seq = seq as u64;
                let expected = judge(*at, own.get(&seq).copied(), later.get(&seq).copied(), now);
                prop_assert_eq!(said.get(&seq).copied(), expected, "seq {}", seq);
            }
            let waiting = sent.len() - said.len();
            prop_assert_eq!(ledger.in_flight(), waiting as u64);
        }
    }
}
