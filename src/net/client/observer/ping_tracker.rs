//! The Pings of a guest that were not answered yet.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So many of the latest are remembered.
const MAX_TRACKED_PINGS: usize = 64;

/// When each was sent.
#[derive(Debug, Default)]
pub struct PingTracker {
    sent: VecDeque<(u64, Instant)>,
}

impl PingTracker {
    /// The next one leaves.
    pub fn sent(&mut self, seq: u64, at: Instant) {
        if self.sent.len() == MAX_TRACKED_PINGS {
            self.sent.pop_front();
        }
        self.sent.push_back((seq, at));
    }

    /// How long this answer took; those before it need no answer any more (RFC 6455 5.5.3). `None` of one that was sent too
    /// long ago, or answered before.
    pub fn answered(&mut self, seq: u64, at: Instant) -> Option<Duration> {
        while self.sent.front().is_some_and(|(first, _)| *first < seq) {
            self.sent.pop_front();
        }
        let (_, sent) = self.sent.front().copied().filter(|(first, _)| *first == seq)?;
        self.sent.pop_front();
        Some(at.saturating_duration_since(sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_took_as_long_as_since_its_own_ping() {
        let (mut pings, now) = (PingTracker::default(), Instant::now());
        let at = |millis| now + Duration::from_millis(millis);
        [(0, 0), (2, 100), (4, 200)].into_iter().for_each(|(seq, millis)| pings.sent(seq, at(millis)));
        assert_eq!(pings.answered(2, at(2000)), Some(Duration::from_millis(1900)));
        assert_eq!(pings.answered(0, at(2000)), None, "a later one was answered");
        assert_eq!(pings.answered(4, at(2000)), Some(Duration::from_millis(1800)));
        assert_eq!(pings.answered(4, at(2000)), None, "once");
    }

    #[test]
    fn memory_does_not_grow_with_pings_that_nobody_answers() {
        let (mut pings, now) = (PingTracker::default(), Instant::now());
        (0..1000).for_each(|seq| pings.sent(seq, now));
        assert_eq!((pings.answered(900, now), pings.sent.len()), (None, MAX_TRACKED_PINGS));
        assert_eq!(pings.answered(999, now), Some(Duration::ZERO));
    }
}
