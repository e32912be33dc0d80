//! Recent messages of a run's connections, to detect a server that relays messages between clients: a relayed message
//! is not one of the server's own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::template::Payload;

/// A record of sent messages; clones share it.
#[derive(Debug, Clone)]
pub struct RelayDetector(Arc<Mutex<RecentMessages>>);

#[derive(Debug)]
struct RecentMessages {
    /// Maximum delay of a relayed copy.
    within: Duration,
    count: u64,
    /// Messages that may still be relayed, each with its number and send time.
    recent: VecDeque<(u64, Instant, Payload)>,
}

impl RelayDetector {
    /// `within`: maximum delay of a relayed copy. It must be shorter than the interval of our messages, or the server's
    /// own would be taken for copies.
    pub fn new(within: Duration) -> RelayDetector {
        RelayDetector(Arc::new(Mutex::new(RecentMessages { within, count: 0, recent: VecDeque::new() })))
    }

    /// Number of messages sent.
    pub fn count(&self) -> u64 {
        self.with(|record| record.count)
    }

    /// Records that a connection sends this message.
    pub fn record_sent(&self, at: Instant, payload: Payload) {
        self.with(|record| {
            record.forget(at);
            record.count += 1;
            record.recent.push_back((record.count, at, payload));
        });
    }

    /// The number of the first recorded message after number `seen` that equals this one; it may be relayed.
    pub fn find_relayed(&self, at: Instant, message: MessageRef<'_>, seen: u64) -> Option<u64> {
        self.with(|record| {
            record.forget(at);
            let mut recent = record.recent.iter();
            let equals =
                |(number, _, payload): &&(u64, Instant, Payload)| *number > seen && is_same(payload, message);
            recent.find(equals).map(|(number, ..)| *number)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut RecentMessages) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RecentMessages {
    fn forget(&mut self, now: Instant) {
        let within = self.within;
        let is_old =
            |(_, sent_at, _): &(u64, Instant, Payload)| now.saturating_duration_since(*sent_at) > within;
        while self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
    }
}

/// Whether a message equals this payload.
pub(super) fn is_same(payload: &Payload, message: MessageRef<'_>) -> bool {
    match (payload, message) {
        (Payload::Text(ours), MessageRef::Text(theirs)) => ours == theirs,
        (Payload::Binary(ours), MessageRef::Binary(theirs)) => ours == theirs,
        (Payload::Text(_) | Payload::Binary(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_relayed_once_and_soon() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let detector = RelayDetector::new(Duration::from_millis(100));
        let ping = || Payload::Text("ping".to_string());
        detector.record_sent(at(0), ping());
        detector.clone().record_sent(at(10), ping());
        detector.record_sent(at(20), Payload::Text("hello".to_string()));
        let find_relayed =
            |millis, text, seen| detector.find_relayed(at(millis), MessageRef::Text(text), seen);
        assert_eq!(find_relayed(30, "ping", 0), Some(1));
        assert_eq!(find_relayed(31, "ping", 1), Some(2));
        assert_eq!(find_relayed(32, "ping", 2), None, "the server sends that by itself");
        assert_eq!(find_relayed(33, "pong", 0), None);
        assert_eq!(find_relayed(101, "ping", 0), Some(2), "the first is too long ago");
        assert_eq!(find_relayed(111, "ping", 0), None);
        assert_eq!(detector.count(), 3);
    }
}
