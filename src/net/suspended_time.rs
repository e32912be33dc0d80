//! How long this host was suspended.

use std::time::Duration;

/// The two clocks are not read at the same instant, so a smaller difference is no suspension.
const MIN_SUSPENSION: Duration = Duration::from_millis(500);

/// Notices that this host was suspended. A process that was only stopped or starved of CPU is none.
#[derive(Debug)]
pub struct SuspendedTime {
    /// Returns the host's total time in suspension.
    total: fn() -> Duration,
    /// That time at the last suspension noticed, or at the start.
    before: Duration,
}

impl SuspendedTime {
    /// Starts now; `total` is [`time::suspended`](super::time::suspended), or a test's clock.
    pub fn since_now(total: fn() -> Duration) -> SuspendedTime {
        SuspendedTime { total, before: total() }
    }

    /// The time suspended since the last suspension that was returned; `None` for less than half a second.
    pub fn take(&mut self) -> Option<Duration> {
        let now = (self.total)();
        let suspended = now.saturating_sub(self.before);
        if suspended < MIN_SUSPENSION {
            return None;
        }
        self.before = now;
        Some(suspended)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static TOTAL: Cell<u64> = const { Cell::new(7000) };
    }

    #[test]
    fn short_suspensions_add_up() {
        let mut suspended = SuspendedTime::since_now(|| Duration::from_millis(TOTAL.get()));
        assert_eq!(suspended.take(), None, "suspension before the start does not count");
        TOTAL.set(7499);
        assert_eq!(suspended.take(), None);
        TOTAL.set(7600);
        assert_eq!(suspended.take(), Some(Duration::from_millis(600)));
        assert_eq!(suspended.take(), None);
        TOTAL.set(7000);
        assert_eq!(suspended.take(), None, "a clock that goes back");
    }
}
