//! Durations in eight bytes, for values stored by the thousand.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

/// A duration of up to 584 years in whole nanoseconds; an `Option` of it takes the same size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(NonZeroU64);

impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Nanos {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Nanos(NonZeroU64::MIN.saturating_add(nanos))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Duration {
        Duration::from_nanos(nanos.0.get() - 1)
    }
}

impl fmt::Debug for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out() {
        for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1 << 32)] {
            assert_eq!(Duration::from(Nanos::from(duration)), duration);
        }
        assert_eq!(Duration::from(Nanos::from(Duration::MAX)), Duration::from_nanos(u64::MAX - 1));
        assert_eq!(size_of::<Option<Nanos>>(), 8);
    }
}
