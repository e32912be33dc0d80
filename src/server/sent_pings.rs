//! The server's own asks to one client, of one kind, and which of them an answer belongs to.

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::Value;
use tokio::time::Instant;

use crate::domain::heartbeat::inbound::InboundMessage;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::{Payload, RequestKeys, Template};
use crate::domain::heartbeat::{HeartbeatOutcome, StrayPong};

/// Judged asks that are remembered, to tell late and second answers from foreign ones.
const MAX_JUDGED_PINGS: usize = 16;
/// Asks that may be outstanding; at more, the oldest is forgotten.
const MAX_OUTSTANDING_PINGS: usize = 4096;

/// One ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingRecord {
    pub seq: u64,
    pub sent: Instant,
    /// The wall clock's, in milliseconds since 1970.
    stamp: u64,
    /// What it has come to so far.
    pub outcome: Option<HeartbeatOutcome>,
}

/// The asks of one kind.
#[derive(Debug)]
pub struct SentPings {
    /// What the ids of this client's asks have in common.
    nonce: u32,
    next: u64,
    asks: VecDeque<PingRecord>,
}

impl SentPings {
    pub fn new(nonce: u32) -> SentPings {
        SentPings { nonce, next: 0, asks: VecDeque::new() }
    }

    /// Notes one more ask.
    pub fn ask(&mut self, now: Instant, stamp: u64) -> PingRecord {
        let ask = PingRecord { seq: self.next, sent: now, stamp, outcome: None };
        self.next += 1;
        self.asks.push_back(ask);
        let judged = self.asks.iter().take_while(|ask| ask.outcome.is_some()).count();
        let surplus = judged
            .saturating_sub(MAX_JUDGED_PINGS)
            .max(self.asks.len().saturating_sub(MAX_OUTSTANDING_PINGS));
        self.asks.drain(..surplus);
        ask
    }

    /// What the ask says: only this ask has it.
    pub fn id(&self, seq: u64) -> String {
        format!("{:08x}-{seq}", self.nonce)
    }

    /// The ask as an app ping.
    pub fn render(&self, ask: &PingRecord, template: &Template) -> Payload {
        template.render(&RequestKeys { seq: ask.seq, id: self.id(ask.seq), now_ms: ask.stamp })
    }

    /// The oldest ask that is not judged.
    pub fn oldest_open(&self) -> Option<&PingRecord> {
        self.asks.iter().find(|ask| ask.outcome.is_none())
    }

    /// Judges an ask; gives what it was taken for before.
    pub fn judge(&mut self, seq: u64, outcome: HeartbeatOutcome) -> Option<HeartbeatOutcome> {
        let ask = self.asks.iter_mut().find(|ask| ask.seq == seq)?;
        ask.outcome.replace(outcome)
    }

    /// The asks among these numbers that have no answer.
    pub fn without_answer(&self, seqs: Range<u64>) -> Vec<PingRecord> {
        let unanswered = |ask: &&PingRecord| !ask.outcome.is_some_and(HeartbeatOutcome::is_answered);
        self.asks.iter().filter(|ask| seqs.contains(&ask.seq)).filter(unanswered).copied().collect()
    }

    /// The ask that a pong's payload answers.
    pub fn by_payload(&self, payload: &[u8]) -> Result<PingRecord, StrayPong> {
        let seq = std::str::from_utf8(payload).ok().and_then(|id| self.seq_of(id));
        self.find(|ask| Some(ask.seq) == seq)
    }

    /// The ask that a message answers. `None`: it is no answer at all.
    pub fn by_message(
        &self,
        incoming: &InboundMessage,
        pattern: &Pattern,
    ) -> Option<Result<PingRecord, StrayPong>> {
        let captured = pattern.matches(incoming)?;
        let seq = captured.seq.or_else(|| captured.id.as_deref().and_then(|id| self.seq_of(id)));
        Some(match (seq, captured.now_ms, pattern.has_places()) {
            (Some(seq), _, _) => self.find(|ask| ask.seq == seq),
            (None, Some(stamp), _) => self.find(|ask| ask.stamp == stamp),
            (None, None, true) => Err(self.stranger()),
            (None, None, false) => self.by_fields(incoming),
        })
    }

    /// By the id or the time that the message brings back in one of its fields, else in order.
    fn by_fields(&self, incoming: &InboundMessage) -> Result<PingRecord, StrayPong> {
        let fields =
            || incoming.json().and_then(Value::as_object).into_iter().flat_map(|object| object.values());
        if let Some(seq) = fields().filter_map(Value::as_str).find_map(|id| self.seq_of(id)) {
            return self.find(|ask| ask.seq == seq);
        }
        let stamps: Vec<u64> = fields().filter_map(Value::as_u64).collect();
        let stamped = self.find(|ask| stamps.contains(&ask.stamp));
        stamped.or_else(|_| self.oldest_open().copied().ok_or(StrayPong::Unsolicited))
    }

    fn find(&self, is_it: impl Fn(&PingRecord) -> bool) -> Result<PingRecord, StrayPong> {
        self.asks.iter().find(|ask| is_it(ask)).copied().ok_or_else(|| self.stranger())
    }

    fn stranger(&self) -> StrayPong {
        match self.oldest_open() {
            Some(_) => StrayPong::Mismatched,
            None => StrayPong::Unsolicited,
        }
    }

    fn seq_of(&self, id: &str) -> Option<u64> {
        let seq = id.split_once('-')?.1.parse().ok()?;
        (self.id(seq) == id).then_some(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::inbound::MessageRef;

    fn asked(count: u64) -> SentPings {
        let mut asks = SentPings::new(0xabcd);
        let now = Instant::now();
        for n in 0..count {
            asks.ask(now, 1000 + n);
        }
        asks
    }

    fn seq(asks: &SentPings, message: &str, pattern: &str) -> Option<Result<u64, StrayPong>> {
        let pattern = pattern.parse().unwrap();
        asks.by_message(&InboundMessage::new(MessageRef::Text(message)), &pattern)
            .map(|found| found.map(|ask| ask.seq))
    }

    #[test]
    fn a_pong_belongs_to_the_ask_whose_payload_it_carries() {
        let asks = asked(3);
        assert_eq!(asks.by_payload(b"0000abcd-1").map(|ask| ask.seq), Ok(1));
        assert_eq!(asks.by_payload(b"0000abcd-7"), Err(StrayPong::Mismatched));
        assert_eq!(asks.by_payload(b"0000abcd-01"), Err(StrayPong::Mismatched));
        assert_eq!(asked(0).by_payload(b"0000abcd-1"), Err(StrayPong::Unsolicited));
    }

    #[test]
    fn an_app_pong_is_known_by_its_id_or_time_or_else_its_turn() {
        let asks = asked(3);
        let pong = r#"{"type":"pong"}"#;
        assert_eq!(seq(&asks, r#"{"type":"pong","id":"0000abcd-2"}"#, pong), Some(Ok(2)));
        assert_eq!(seq(&asks, r#"{"type":"pong","timestamp":1001}"#, pong), Some(Ok(1)));
        assert_eq!(seq(&asks, pong, pong), Some(Ok(0)));
        assert_eq!(seq(&asks, "hello", pong), None);
        assert_eq!(seq(&asks, "pong 1", "pong {seq}"), Some(Ok(1)));
        assert_eq!(seq(&asks, "pong 9", "pong {seq}"), Some(Err(StrayPong::Mismatched)));
    }

    #[test]
    fn what_was_judged_long_ago_is_forgotten() {
        let mut asks = asked(0);
        for n in 0..100 {
            asks.ask(Instant::now(), n);
            asks.judge(n, HeartbeatOutcome::Ok);
        }
        assert!(asks.asks.len() <= MAX_JUDGED_PINGS + 1);
    }
}
