//! What a peer sends at will, told in counts: the first of a kind at once, what follows every few
//! milliseconds, so that a flood costs no more than its figures.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::ping::event::PeerTraffic;

/// At most so often is one kind told.
const REPORT_INTERVAL: Duration = Duration::from_millis(10);

/// What was heard and is still to be told.
#[derive(Debug, Default)]
pub struct PeerTrafficThrottle {
    /// One entry for each of the few kinds there are.
    kinds: Vec<PendingCount>,
}

#[derive(Debug)]
struct PendingCount {
    heard: PeerTraffic,
    untold: u64,
    told_at: Instant,
}

impl PeerTrafficThrottle {
    /// Takes one; gives how many are to be told now.
    pub fn note(&mut self, heard: PeerTraffic, now: Instant) -> Option<u64> {
        let Some(count) = self.kinds.iter_mut().find(|count| count.heard == heard) else {
            self.kinds.push(PendingCount { heard, untold: 0, told_at: now });
            return Some(1);
        };
        count.untold += 1;
        if now < count.told_at + REPORT_INTERVAL {
            return None;
        }
        count.told_at = now;
        Some(std::mem::take(&mut count.untold))
    }

    /// When something is to be told that was not yet.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.kinds.iter().filter(|count| count.untold > 0).map(|count| count.told_at + REPORT_INTERVAL).min()
    }

    /// One kind whose time has come, with its count; with `now` as `None`, whatever is untold.
    pub fn take_due(&mut self, now: Option<Instant>) -> Option<(PeerTraffic, u64)> {
        let is_due = |count: &&mut PendingCount| {
            count.untold > 0 && now.is_none_or(|now| count.told_at + REPORT_INTERVAL <= now)
        };
        let count = self.kinds.iter_mut().find(is_due)?;
        count.told_at = now.unwrap_or(count.told_at);
        Some((count.heard, std::mem::take(&mut count.untold)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_a_flood_in_counts() {
        let start = Instant::now();
        let mut throttle = PeerTrafficThrottle::default();
        assert_eq!(throttle.note(PeerTraffic::Message, start), Some(1));
        for _ in 0..1000 {
            assert_eq!(throttle.note(PeerTraffic::Message, start), None);
        }
        assert_eq!(throttle.note(PeerTraffic::Echo, start), Some(1), "each kind has its own turn");
        assert_eq!(throttle.next_deadline(), Some(start + REPORT_INTERVAL));
        assert_eq!(throttle.take_due(Some(start)), None);
        assert_eq!(throttle.take_due(Some(start + REPORT_INTERVAL)), Some((PeerTraffic::Message, 1000)));
        assert_eq!((throttle.take_due(None), throttle.next_deadline()), (None, None));
        assert_eq!(throttle.note(PeerTraffic::Message, start + 2 * REPORT_INTERVAL), Some(1));
        assert_eq!(throttle.note(PeerTraffic::Message, start + 2 * REPORT_INTERVAL), None);
        assert_eq!(throttle.take_due(None), Some((PeerTraffic::Message, 1)));
    }
}
