//! The server's sent heartbeats of one kind, and the matching of answers to them.

use std::collections::VecDeque;
use std::ops::Range;

use serde_json::Value;
use tokio::time::Instant;

use crate::domain::heartbeat::inbound::InboundMessage;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::{Payload, RequestKeys, Template};
use crate::domain::heartbeat::{HeartbeatOutcome, StrayPong};

/// Number of judged heartbeats remembered, to tell late and duplicate answers from foreign ones.
const MAX_JUDGED_PINGS: usize = 16;
/// Maximum number of outstanding heartbeats; the oldest is dropped.
const MAX_OUTSTANDING_PINGS: usize = 4096;

/// One sent heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PingRecord {
    pub seq: u64,
    pub sent: Instant,
    /// Wall clock in milliseconds since the Unix epoch.
    stamp: u64,
    /// Its outcome so far.
    pub outcome: Option<HeartbeatOutcome>,
}

/// Sent heartbeats of one kind.
#[derive(Debug)]
pub struct SentPings {
    /// Common part of the ids of this client's heartbeats.
    nonce: u32,
    next: u64,
    pings: VecDeque<PingRecord>,
}

impl SentPings {
    pub fn new(nonce: u32) -> SentPings {
        SentPings { nonce, next: 0, pings: VecDeque::new() }
    }

    /// Records a new heartbeat.
    pub fn record(&mut self, now: Instant, stamp: u64) -> PingRecord {
        let ping = PingRecord { seq: self.next, sent: now, stamp, outcome: None };
        self.next += 1;
        self.pings.push_back(ping);
        let judged = self.pings.iter().take_while(|ping| ping.outcome.is_some()).count();
        let surplus = judged
            .saturating_sub(MAX_JUDGED_PINGS)
            .max(self.pings.len().saturating_sub(MAX_OUTSTANDING_PINGS));
        self.pings.drain(..surplus);
        ping
    }

    /// The heartbeat's unique id.
    pub fn id(&self, seq: u64) -> String {
        format!("{:08x}-{seq}", self.nonce)
    }

    /// The heartbeat as an app ping.
    pub fn render(&self, ping: &PingRecord, template: &Template) -> Payload {
        template.render(&RequestKeys { seq: ping.seq, id: self.id(ping.seq), now_ms: ping.stamp })
    }

    /// The oldest heartbeat without an outcome.
    pub fn oldest_open(&self) -> Option<&PingRecord> {
        self.pings.iter().find(|ping| ping.outcome.is_none())
    }

    /// Sets a heartbeat's outcome; returns the earlier one.
    pub fn set_outcome(&mut self, seq: u64, outcome: HeartbeatOutcome) -> Option<HeartbeatOutcome> {
        let ping = self.pings.iter_mut().find(|ping| ping.seq == seq)?;
        ping.outcome.replace(outcome)
    }

    /// The heartbeats in this range without an answer.
    pub fn without_answer(&self, seqs: Range<u64>) -> Vec<PingRecord> {
        let unanswered = |ping: &&PingRecord| !ping.outcome.is_some_and(HeartbeatOutcome::is_answered);
        self.pings.iter().filter(|ping| seqs.contains(&ping.seq)).filter(unanswered).copied().collect()
    }

    /// The heartbeat that a pong's payload answers.
    pub fn by_payload(&self, payload: &[u8]) -> Result<PingRecord, StrayPong> {
        let seq = std::str::from_utf8(payload).ok().and_then(|id| self.seq_of(id));
        self.find(|ping| Some(ping.seq) == seq)
    }

    /// The heartbeat that a message answers; `None` if it is not an answer.
    pub fn by_message(
        &self,
        incoming: &InboundMessage,
        pattern: &Pattern,
    ) -> Option<Result<PingRecord, StrayPong>> {
        let captured = pattern.matches(incoming)?;
        let seq = captured.seq.or_else(|| captured.id.as_deref().and_then(|id| self.seq_of(id)));
        Some(match (seq, captured.now_ms, pattern.has_places()) {
            (Some(seq), _, _) => self.find(|ping| ping.seq == seq),
            (None, Some(stamp), _) => self.find(|ping| ping.stamp == stamp),
            (None, None, true) => Err(self.stray_kind()),
            (None, None, false) => self.by_fields(incoming),
        })
    }

    /// Matches by an id or time in one of the message's fields, else in order.
    fn by_fields(&self, incoming: &InboundMessage) -> Result<PingRecord, StrayPong> {
        let fields =
            || incoming.json().and_then(Value::as_object).into_iter().flat_map(|object| object.values());
        if let Some(seq) = fields().filter_map(Value::as_str).find_map(|id| self.seq_of(id)) {
            return self.find(|ping| ping.seq == seq);
        }
        let stamps: Vec<u64> = fields().filter_map(Value::as_u64).collect();
        let stamped = self.find(|ping| stamps.contains(&ping.stamp));
        stamped.or_else(|_| self.oldest_open().copied().ok_or(StrayPong::Unsolicited))
    }

    fn find(&self, matches: impl Fn(&PingRecord) -> bool) -> Result<PingRecord, StrayPong> {
        self.pings.iter().find(|ping| matches(ping)).copied().ok_or_else(|| self.stray_kind())
    }

    fn stray_kind(&self) -> StrayPong {
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
        let mut pings = SentPings::new(0xabcd);
        let now = Instant::now();
        for n in 0..count {
            pings.record(now, 1000 + n);
        }
        pings
    }

    fn seq(pings: &SentPings, message: &str, pattern: &str) -> Option<Result<u64, StrayPong>> {
        let pattern = pattern.parse().unwrap();
        pings
            .by_message(&InboundMessage::new(MessageRef::Text(message)), &pattern)
            .map(|found| found.map(|ping| ping.seq))
    }

    #[test]
    fn pong_is_matched_by_payload() {
        let pings = asked(3);
        assert_eq!(pings.by_payload(b"0000abcd-1").map(|ping| ping.seq), Ok(1));
        assert_eq!(pings.by_payload(b"0000abcd-7"), Err(StrayPong::Mismatched));
        assert_eq!(pings.by_payload(b"0000abcd-01"), Err(StrayPong::Mismatched));
        assert_eq!(asked(0).by_payload(b"0000abcd-1"), Err(StrayPong::Unsolicited));
    }

    #[test]
    fn app_pong_is_matched_by_id_time_or_order() {
        let pings = asked(3);
        let pong = r#"{"type":"pong"}"#;
        assert_eq!(seq(&pings, r#"{"type":"pong","id":"0000abcd-2"}"#, pong), Some(Ok(2)));
        assert_eq!(seq(&pings, r#"{"type":"pong","timestamp":1001}"#, pong), Some(Ok(1)));
        assert_eq!(seq(&pings, pong, pong), Some(Ok(0)));
        assert_eq!(seq(&pings, "hello", pong), None);
        assert_eq!(seq(&pings, "pong 1", "pong {seq}"), Some(Ok(1)));
        assert_eq!(seq(&pings, "pong 9", "pong {seq}"), Some(Err(StrayPong::Mismatched)));
    }

    #[test]
    fn old_outcomes_are_dropped() {
        let mut pings = asked(0);
        for n in 0..100 {
            pings.record(Instant::now(), n);
            pings.set_outcome(n, HeartbeatOutcome::Ok);
        }
        assert!(pings.pings.len() <= MAX_JUDGED_PINGS + 1);
    }
}
