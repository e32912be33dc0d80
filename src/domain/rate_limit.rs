//! A rate limit: a burst at once, and then one each interval (the generic cell rate algorithm, ITU-T I.371).

use std::time::Duration;

/// A limit on how often something happens. All times are since one fixed start.
#[derive(Debug, Clone)]
pub struct RateLimit {
    /// Minimum mean time between two.
    interval: Duration,
    /// How far ahead of the mean rate a burst may get.
    tolerance: Duration,
    /// When the next one is due at the mean rate.
    due: Duration,
}

impl RateLimit {
    /// One each `interval`, and up to `burst` at once.
    pub fn new(interval: Duration, burst: u32) -> RateLimit {
        let tolerance = interval.saturating_mul(burst.saturating_sub(1));
        RateLimit { interval, tolerance, due: Duration::ZERO }
    }

    /// Whether one more may happen at `now`; if so, it is counted.
    pub fn take(&mut self, now: Duration) -> bool {
        if now < self.next_at() {
            return false;
        }
        self.due = self.due.max(now) + self.interval;
        true
    }

    /// The earliest time at which [`take`](Self::take) succeeds.
    pub fn next_at(&self) -> Duration {
        self.due.saturating_sub(self.tolerance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn burst_is_followed_by_one_each_interval() {
        let mut limit = RateLimit::new(ms(1000), 5);
        let taken = (0..100).filter(|step| limit.take(ms(100 * step))).count();
        assert_eq!(taken, 5 + 9, "five at once, and one in each of the nine further seconds");
        assert_eq!(limit.next_at(), ms(10_000));
    }

    #[test]
    fn quiet_time_allows_one_burst_and_no_more() {
        let mut limit = RateLimit::new(ms(1000), 2);
        assert!(limit.take(ms(60_000)) && limit.take(ms(60_000)) && !limit.take(ms(60_000)));
        assert!(!limit.take(ms(60_999)) && limit.take(ms(61_000)) && !limit.take(ms(61_000)));
    }
}
