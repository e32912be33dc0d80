//! When to try again.

use std::time::Duration;

/// Exponential backoff with full jitter: the wait before attempt n is a random part of min(cap, base * 2^n).
/// So clients that were cut together do not return together.
///
/// Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The maximum wait before the first attempt.
    pub base: Duration,
    /// The maximum wait before any attempt.
    pub cap: Duration,
    /// Maximum attempts since the last lasting connection; `None`: unlimited.
    pub max_attempts: Option<u32>,
    /// A connection counts as lasting if it was open for this long and a heartbeat was answered.
    pub lasted_after: Duration,
}

/// The attempts for one connection, counted since it was last a lasting one.
///
/// A server that accepts a connection and ends it at once must not be tried repeatedly without a pause, so
/// only a lasting connection resets the count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReconnectAttempts(u32);

impl ReconnectAttempts {
    /// How many attempts were made.
    pub fn count(self) -> u32 {
        self.0
    }

    /// Counts another attempt.
    pub fn made(&mut self) {
        self.0 = self.0.saturating_add(1);
    }

    /// Records that an open connection ended at this age; `answered`: a heartbeat was answered.
    pub fn ended(&mut self, age: Duration, answered: bool, backoff: &Backoff) {
        if answered && age >= backoff.lasted_after {
            self.0 = 0;
        }
    }
}

impl Backoff {
    /// The wait before attempt `attempt`, counted from 0. `uniform` is a random number in [0, 1). `None` if
    /// no attempts are left.
    pub fn delay(&self, attempt: u32, uniform: f64) -> Option<Duration> {
        let left = self.max_attempts.is_none_or(|max| attempt < max);
        left.then(|| self.longest(attempt).mul_f64(uniform.clamp(0.0, 1.0)))
    }

    /// min(cap, base * 2^attempt)
    fn longest(&self, attempt: u32) -> Duration {
        if self.base.is_zero() {
            return Duration::ZERO;
        }
        let nanos = 1_u128.checked_shl(attempt).and_then(|factor| self.base.as_nanos().checked_mul(factor));
        let doubled = nanos.and_then(|nanos| u64::try_from(nanos).ok()).map(Duration::from_nanos);
        doubled.map_or(self.cap, |wait| wait.min(self.cap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff {
        base: Duration::from_millis(500),
        cap: Duration::from_secs(30),
        max_attempts: Some(10),
        lasted_after: Duration::from_secs(5),
    };

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let longest: Vec<_> = (0..8).map(|attempt| BACKOFF.longest(attempt).as_millis()).collect();
        assert_eq!(longest, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    }

    #[test]
    fn the_wait_is_a_random_part_of_the_longest() {
        assert_eq!(BACKOFF.delay(2, 0.0), Some(Duration::ZERO));
        assert_eq!(BACKOFF.delay(2, 0.25), Some(Duration::from_millis(500)));
        assert_eq!(BACKOFF.delay(2, 0.5), Some(Duration::from_secs(1)));
    }

    #[test]
    fn attempts_are_used_up() {
        assert!(BACKOFF.delay(9, 0.5).is_some());
        assert_eq!(BACKOFF.delay(10, 0.5), None);
        assert_eq!(Backoff { max_attempts: Some(0), ..BACKOFF }.delay(0, 0.5), None);
        assert!(Backoff { max_attempts: None, ..BACKOFF }.delay(u32::MAX, 0.5).is_some());
    }

    #[test]
    fn only_a_connection_that_lasted_starts_the_count_again() {
        let ended = |age_ms, answered| {
            let mut attempts = ReconnectAttempts(3);
            attempts.ended(Duration::from_millis(age_ms), answered, &BACKOFF);
            attempts.count()
        };
        assert_eq!([ended(0, false), ended(4999, true), ended(60_000, false)], [3, 3, 3]);
        assert_eq!(ended(5000, true), 0);
    }

    #[test]
    fn connections_that_end_at_once_are_given_up_in_the_end() {
        let mut attempts = ReconnectAttempts::default();
        let mut waits = Vec::new();
        while let Some(wait) = BACKOFF.delay(attempts.count(), 0.5) {
            attempts.made();
            attempts.ended(Duration::from_millis(3), true, &BACKOFF);
            waits.push(wait.as_millis());
        }
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 15000]);
    }

    #[test]
    fn the_smallest_base_doubles_all_the_way_too() {
        let small = Backoff { base: Duration::from_nanos(1), max_attempts: None, ..BACKOFF };
        assert_eq!(small.longest(34), Duration::from_nanos(1 << 34));
        assert_eq!(small.longest(35), BACKOFF.cap);
    }

    #[test]
    fn no_base_is_no_wait() {
        let none = Backoff { base: Duration::ZERO, max_attempts: None, ..BACKOFF };
        assert_eq!(none.delay(40, 0.9), Some(Duration::ZERO));
    }

    proptest! {
        #[test]
        fn no_attempt_overflows_and_no_wait_exceeds_the_cap(
            base in any::<u64>(), cap in any::<u64>(), attempt in any::<u32>(), uniform in 0.0..1.0_f64,
        ) {
            let (base, cap) = (Duration::from_nanos(base), Duration::from_nanos(cap));
            let delay = Backoff { base, cap, max_attempts: None, ..BACKOFF }.delay(attempt, uniform);
            prop_assert!(delay.unwrap() <= cap);
        }
    }
}
