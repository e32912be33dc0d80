//! Pending answers to a client: when each is sent, and which are dropped.

use std::collections::VecDeque;

use rand::RngExt;
use rand::rngs::SmallRng;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::faults::AnswerFaults;
use super::frame::{Opcode, encode};

/// The answer to one ping.
#[derive(Debug, Clone, PartialEq)]
pub enum PendingPong {
    /// A Pong frame's payload.
    Pong(Vec<u8>),
    /// An app pong.
    App(Map<String, Value>),
}

impl PendingPong {
    /// Encodes it as a frame; `wrong` falsifies the payload.
    fn encode(self, wrong: bool) -> Vec<u8> {
        match self {
            PendingPong::Pong(payload) if wrong => encode(Opcode::Pong, &falsify(payload)),
            PendingPong::Pong(payload) => encode(Opcode::Pong, &payload),
            PendingPong::App(mut message) => {
                if wrong {
                    message.iter_mut().filter(|(name, _)| is_token(name)).for_each(|(_, value)| {
                        *value = Value::from("wrong");
                    });
                }
                encode(Opcode::Text, Value::Object(message).to_string().as_bytes())
            }
        }
    }
}

/// Inverts every bit; an empty payload becomes one byte.
fn falsify(payload: Vec<u8>) -> Vec<u8> {
    if payload.is_empty() { vec![0xff] } else { payload.iter().map(|byte| !byte).collect() }
}

/// Whether a field identifies the ping that an app pong answers.
fn is_token(name: &str) -> bool {
    !matches!(name, "type" | "event" | "serverTime")
}

/// Which pongs are lost: a fixed number of every block of pings, at random positions.
#[derive(Debug, Default)]
struct PongLosses {
    /// Pings left in the block, and how many of their pongs are to be lost.
    left: u32,
    to_lose: u32,
    /// Fraction of a loss carried over from earlier blocks.
    carry: f64,
}

impl PongLosses {
    /// Whether the next pong is lost. A block has as many pings as make one loss.
    fn next_is_lost(&mut self, share: f64, rng: &mut SmallRng) -> bool {
        if share <= 0.0 {
            return false;
        }
        if self.left == 0 {
            // 5e-7 absorbs rounding of the fraction's binary form.
            let block = (1.0 / share - 5e-7).ceil().max(1.0);
            let due = block * share + self.carry;
            let whole = (due + 5e-7).floor();
            (self.left, self.to_lose, self.carry) = (block as u32, whole as u32, due - whole);
        }
        let lost = rng.random_range(0..self.left) < self.to_lose;
        self.left -= 1;
        self.to_lose -= u32::from(lost);
        lost
    }
}

/// Pings that are merged; only the latest is answered.
#[derive(Debug)]
struct HeldPings {
    /// Pings after this time start a new group.
    until: Instant,
    /// Number of frames at the end of `waiting` that answer the group so far.
    frames: usize,
}

/// Answers to one client, in the order of its pings.
#[derive(Debug, Default)]
pub struct PongQueue {
    waiting: VecDeque<(Instant, Vec<u8>)>,
    /// Number of queued bytes.
    pub bytes: usize,
    /// Pings since the last answered one, if not every ping is answered.
    passed_over: u32,
    losses: PongLosses,
    held: Option<HeldPings>,
    /// Pongs that were not sent.
    pub dropped: u64,
}

impl PongQueue {
    /// Queues an answer by the faults' timing. Like a real server's, pongs stay in order: jitter never moves one ahead
    /// of an earlier one.
    pub fn queue(&mut self, answer: PendingPong, faults: &AnswerFaults, rng: &mut SmallRng, now: Instant) {
        if self.should_skip(faults) || self.losses.next_is_lost(faults.loss, rng) {
            self.dropped += 1;
            return;
        }
        let hold = faults.merge.unwrap_or_default();
        self.drop_merged_answer(now);
        let jitter = faults.jitter.map_or_else(Default::default, |jitter| jitter.draw(rng));
        let due = now + faults.delay + jitter + hold;
        let due = self.waiting.back().map_or(due, |(last, _)| due.max(*last));
        let frame = answer.encode(faults.wrong);
        if faults.duplicate {
            self.push(due, frame.clone());
        }
        self.push(due, frame);
        if !hold.is_zero() {
            let until = self.held.as_ref().map_or(now + hold, |held| held.until);
            self.held = Some(HeldPings { until, frames: 1 + usize::from(faults.duplicate) });
        }
    }

    /// Drops the answer to the merged pings, since a later ping of the group has come.
    fn drop_merged_answer(&mut self, now: Instant) {
        if self.held.take_if(|held| held.until <= now).is_some() {
            return;
        }
        let frames = self.held.as_ref().map_or(0, |held| held.frames);
        let kept = self.waiting.len().saturating_sub(frames);
        self.dropped += u64::from(kept < self.waiting.len());
        self.bytes -= self.waiting.drain(kept..).map(|(_, frame)| frame.len()).sum::<usize>();
    }

    fn should_skip(&mut self, faults: &AnswerFaults) -> bool {
        self.passed_over += 1;
        let passed_over = self.passed_over < faults.latest_of.unwrap_or(1);
        if !passed_over {
            self.passed_over = 0;
        }
        passed_over
    }

    fn push(&mut self, due: Instant, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.waiting.push_back((due, frame));
    }

    /// The next answer that is due.
    pub fn take_due(&mut self, now: Instant) -> Option<Vec<u8>> {
        self.due().filter(|due| *due <= now)?;
        let (_, frame) = self.waiting.pop_front()?;
        self.bytes -= frame.len();
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some(frame)
    }

    /// When the next answer is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|(due, _)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::faults::JitterSpec;
    use rand::SeedableRng;
    use std::time::Duration;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    /// Pings numbered from 0, every 10 ms; returns when which answers were sent, in ms.
    fn run(faults: &AnswerFaults, pings: u8) -> Vec<(u64, u8)> {
        let mut rng = SmallRng::seed_from_u64(3);
        let (start, mut answers, mut left) = (Instant::now(), PongQueue::default(), Vec::new());
        for tick in 0..2000 {
            let now = start + ms(tick);
            if tick % 10 == 0 && tick / 10 < u64::from(pings) {
                answers.queue(PendingPong::Pong(vec![(tick / 10) as u8]), faults, &mut rng, now);
            }
            while let Some(frame) = answers.take_due(now) {
                left.push((tick, frame[2]));
            }
        }
        assert_eq!((answers.bytes, answers.due()), (0, None));
        left
    }

    #[test]
    fn without_faults_every_ping_is_answered_at_once() {
        assert_eq!(run(&AnswerFaults::default(), 3), [(0, 0), (10, 1), (20, 2)]);
    }

    #[test]
    fn delay_affects_only_the_answer() {
        let faults = AnswerFaults { delay: ms(1000), ..Default::default() };
        assert_eq!(run(&faults, 3), [(1000, 0), (1010, 1), (1020, 2)]);
    }

    #[test]
    fn jitter_never_reorders() {
        let faults = AnswerFaults { jitter: JitterSpec::parse("100ms").ok(), ..Default::default() };
        let left = run(&faults, 50);
        assert_eq!(left.iter().map(|(_, n)| *n).collect::<Vec<_>>(), (0..50).collect::<Vec<u8>>());
        assert!(left.iter().all(|(at, n)| (0..=100).contains(&(at - u64::from(*n) * 10))), "{left:?}");
    }

    #[test]
    fn only_the_latest_of_three_is_answered() {
        let faults = AnswerFaults { latest_of: Some(3), ..Default::default() };
        assert_eq!(run(&faults, 7), [(20, 2), (50, 5)]);
    }

    #[test]
    fn merged_pings_get_one_delayed_pong() {
        let faults = AnswerFaults { merge: Some(ms(25)), ..Default::default() };
        assert_eq!(run(&faults, 7), [(45, 2), (75, 5), (85, 6)]);
        assert_eq!(run(&AnswerFaults { duplicate: true, ..faults.clone() }, 2), [(35, 1), (35, 1)]);
        assert_eq!(run(&AnswerFaults { delay: ms(100), ..faults }, 4), [(145, 2), (155, 3)]);
        let alone = AnswerFaults { merge: Some(ms(10)), ..Default::default() };
        assert_eq!(run(&alone, 3), [(10, 0), (20, 1), (30, 2)]);
    }

    #[test]
    fn every_block_loses_its_share() {
        let lost_of = |share: f64, pings: u8| {
            let left: Vec<u8> = run(&AnswerFaults { loss: share, ..Default::default() }, pings)
                .into_iter()
                .map(|(_, n)| n)
                .collect();
            (0..pings).filter(|n| !left.contains(n)).collect::<Vec<u8>>()
        };
        let lost = lost_of(0.2, 100);
        assert_eq!(lost.iter().map(|n| n / 5).collect::<Vec<_>>(), (0..20).collect::<Vec<u8>>());
        let places: std::collections::BTreeSet<u8> = lost.iter().map(|n| n % 5).collect();
        assert!(places.len() > 1, "at random places: {lost:?}");
        for (share, count) in [(0.01, 1), (0.3, 30), (0.7, 70), (0.99, 99)] {
            assert_eq!(lost_of(share, 100).len(), count, "{share}");
        }
    }

    #[test]
    fn share_of_the_pongs_is_lost() {
        let faults = AnswerFaults { loss: 0.3, ..Default::default() };
        let left = run(&faults, 200).len();
        assert!((120..=160).contains(&left), "{left} of 200 answered at a loss of 30 %");
        assert!(run(&AnswerFaults { loss: 1.0, ..Default::default() }, 9).is_empty());
    }

    #[test]
    fn duplicate_and_wrong_pongs_are_sent() {
        let faults = AnswerFaults { duplicate: true, ..Default::default() };
        assert_eq!(run(&faults, 1), [(0, 0), (0, 0)]);
        let faults = AnswerFaults { wrong: true, ..Default::default() };
        assert_eq!(run(&faults, 2), [(0, 0xff), (10, 0xfe)]);
    }

    #[test]
    fn wrong_app_pong_keeps_its_type_only() {
        let Value::Object(message) = serde_json::json!({"type": "pong", "id": "a", "serverTime": 1}) else {
            unreachable!()
        };
        let frame = PendingPong::App(message).encode(true);
        assert_eq!(&frame[2..], br#"{"type":"pong","id":"wrong","serverTime":1}"#);
    }
}
