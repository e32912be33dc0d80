//! Limits how often events of one kind are reported: a flood becomes a few counts.

use std::time::Duration;

use tokio::time::Instant;

/// Minimum time between two reports of one kind.
const MIN_REPORT_INTERVAL: Duration = Duration::from_millis(10);

/// Reports the first event of each kind at once, and later ones as a count every few milliseconds.
#[derive(Debug)]
pub struct EventThrottle<K> {
    /// One entry for each kind seen; there are only a few kinds.
    kinds: Vec<PendingCount<K>>,
}

#[derive(Debug)]
struct PendingCount<K> {
    kind: K,
    /// Events that are counted and not reported yet.
    unreported: u64,
    reported_at: Instant,
}

impl<K> Default for EventThrottle<K> {
    fn default() -> EventThrottle<K> {
        EventThrottle { kinds: Vec::new() }
    }
}

impl<K: Copy + PartialEq> EventThrottle<K> {
    /// Counts an event; returns the number of events to report now.
    pub fn count(&mut self, kind: K, now: Instant) -> Option<u64> {
        let Some(pending) = self.kinds.iter_mut().find(|pending| pending.kind == kind) else {
            self.kinds.push(PendingCount { kind, unreported: 0, reported_at: now });
            return Some(1);
        };
        pending.unreported += 1;
        if now < pending.reported_at + MIN_REPORT_INTERVAL {
            return None;
        }
        pending.reported_at = now;
        Some(std::mem::take(&mut pending.unreported))
    }

    /// When the next pending count is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let pending = self.kinds.iter().filter(|pending| pending.unreported > 0);
        pending.map(|pending| pending.reported_at + MIN_REPORT_INTERVAL).min()
    }

    /// Takes one pending count that is due at `now`; `None` takes any pending count.
    pub fn take_due(&mut self, now: Option<Instant>) -> Option<(K, u64)> {
        let is_due = |pending: &&mut PendingCount<K>| {
            pending.unreported > 0 && now.is_none_or(|now| pending.reported_at + MIN_REPORT_INTERVAL <= now)
        };
        let pending = self.kinds.iter_mut().find(is_due)?;
        pending.reported_at = now.unwrap_or(pending.reported_at);
        Some((pending.kind, std::mem::take(&mut pending.unreported)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flood_is_reported_once_and_then_in_counts() {
        let (mut throttle, start) = (EventThrottle::default(), Instant::now());
        assert_eq!(throttle.count("ping", start), Some(1));
        for _ in 0..100 {
            assert_eq!(throttle.count("ping", start), None);
        }
        assert_eq!(throttle.count("pong", start), Some(1), "each kind is throttled by itself");
        assert_eq!(throttle.count("ping", start + MIN_REPORT_INTERVAL), Some(101));
    }

    #[test]
    fn pending_counts_are_taken_when_due() {
        let (mut throttle, start) = (EventThrottle::default(), Instant::now());
        for _ in 0..1001 {
            let _ = throttle.count("message", start);
        }
        assert_eq!(throttle.next_deadline(), Some(start + MIN_REPORT_INTERVAL));
        assert_eq!(throttle.take_due(Some(start)), None);
        assert_eq!(throttle.take_due(Some(start + MIN_REPORT_INTERVAL)), Some(("message", 1000)));
        assert_eq!((throttle.take_due(None), throttle.next_deadline()), (None, None));
        assert_eq!(throttle.count("message", start + 2 * MIN_REPORT_INTERVAL), Some(1));
        assert_eq!(throttle.count("message", start + 2 * MIN_REPORT_INTERVAL), None);
        assert_eq!(throttle.take_due(None), Some(("message", 1)));
    }
}
