//! Send times of an observer's unanswered Pings.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Maximum number of remembered Pings; the oldest is dropped.
const MAX_TRACKED_PINGS: usize = 64;

/// Sent and unanswered Pings, in order.
#[derive(Debug, Default)]
pub struct PingTracker {
    sent: VecDeque<(u64, Instant)>,
}

impl PingTracker {
    /// Records a Ping that leaves.
    pub fn sent(&mut self, seq: u64, at: Instant) {
        if self.sent.len() == MAX_TRACKED_PINGS {
            self.sent.pop_front();
        }
        self.sent.push_back((seq, at));
    }

    /// The RTT of an answer. Drops earlier Pings, which need no answer any more (RFC 6455 5.5.3). `None` if the Ping
    /// was dropped or already answered.
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
    fn rtt_is_measured_from_the_answered_ping() {
        let (mut pings, now) = (PingTracker::default(), Instant::now());
        let at = |millis| now + Duration::from_millis(millis);
        [(0, 0), (2, 100), (4, 200)].into_iter().for_each(|(seq, millis)| pings.sent(seq, at(millis)));
        assert_eq!(pings.answered(2, at(2000)), Some(Duration::from_millis(1900)));
        assert_eq!(pings.answered(0, at(2000)), None, "a later ping was answered");
        assert_eq!(pings.answered(4, at(2000)), Some(Duration::from_millis(1800)));
        assert_eq!(pings.answered(4, at(2000)), None, "once");
    }

    #[test]
    fn memory_is_bounded_when_no_ping_is_answered() {
        let (mut pings, now) = (PingTracker::default(), Instant::now());
        (0..1000).for_each(|seq| pings.sent(seq, now));
        assert_eq!((pings.answered(900, now), pings.sent.len()), (None, MAX_TRACKED_PINGS));
        assert_eq!(pings.answered(999, now), Some(Duration::ZERO));
    }
}
