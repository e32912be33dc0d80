//! What several connections of one run said by messages: a server that passes on to the others what one of them says
//! says nothing of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::template::Payload;

/// The words of all of them; a clone is the same record.
#[derive(Debug, Clone)]
pub struct RelayDetector(Arc<Mutex<RecentMessages>>);

#[derive(Debug)]
struct RecentMessages {
    /// What comes later than this is not passed on.
    within: Duration,
    count: u64,
    /// Those that may still be passed on, each with its number.
    lately: VecDeque<(u64, Instant, Payload)>,
}

impl RelayDetector {
    /// `within`: so soon after it was said does come what is passed on. Shorter than what is between two words, or the
    /// server's own would be taken for them.
    pub fn new(within: Duration) -> RelayDetector {
        RelayDetector(Arc::new(Mutex::new(RecentMessages { within, count: 0, lately: VecDeque::new() })))
    }

    /// How many were said.
    pub fn count(&self) -> u64 {
        self.with(|record| record.count)
    }

    /// One of them said this.
    pub fn say(&self, at: Instant, payload: Payload) {
        self.with(|record| {
            record.forget(at);
            record.count += 1;
            record.lately.push_back((record.count, at, payload));
        });
    }

    /// The number of the first of the words after number `seen` that reads like this message and may just have been
    /// passed on.
    pub fn passed_on(&self, at: Instant, message: MessageRef<'_>, seen: u64) -> Option<u64> {
        self.with(|record| {
            record.forget(at);
            let mut lately = record.lately.iter();
            let reads =
                |(number, _, payload): &&(u64, Instant, Payload)| *number > seen && is_same(payload, message);
            lately.find(reads).map(|(number, ..)| *number)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut RecentMessages) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RecentMessages {
    fn forget(&mut self, now: Instant) {
        let within = self.within;
        let is_past = |said: &(u64, Instant, Payload)| now.saturating_duration_since(said.1) > within;
        while self.lately.front().is_some_and(is_past) {
            self.lately.pop_front();
        }
    }
}

/// Whether it is this payload.
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
    fn each_word_is_passed_on_once_to_each_and_soon() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let words = RelayDetector::new(Duration::from_millis(100));
        let ping = || Payload::Text("ping".to_string());
        words.say(at(0), ping());
        words.clone().say(at(10), ping());
        words.say(at(20), Payload::Text("hello".to_string()));
        let passed_on = |millis, text, seen| words.passed_on(at(millis), MessageRef::Text(text), seen);
        assert_eq!(passed_on(30, "ping", 0), Some(1));
        assert_eq!(passed_on(31, "ping", 1), Some(2));
        assert_eq!(passed_on(32, "ping", 2), None, "it says that by itself");
        assert_eq!(passed_on(33, "pong", 0), None);
        assert_eq!(passed_on(101, "ping", 0), Some(2), "the first is too long ago");
        assert_eq!(passed_on(111, "ping", 0), None);
        assert_eq!(words.count(), 3);
    }
}
