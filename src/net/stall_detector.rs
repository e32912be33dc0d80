//! Detects that this process was stopped, starved of CPU or suspended. Timings around a stall are unreliable.

use std::time::Duration;

use tokio::time::Instant;

use super::suspended_time::SuspendedTime;
use super::time;

/// How often to check. A stall is reported as up to this much too short.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Delays shorter than this are not stalls.
const STALL_THRESHOLD: Duration = Duration::from_millis(500);

/// Detects stalls: a check that runs late, or time the host spent suspended.
#[derive(Debug)]
pub struct StallDetector {
    due: Instant,
    longest: Option<Duration>,
    suspended: SuspendedTime,
}

impl StallDetector {
    /// Starts detecting now.
    pub fn start() -> StallDetector {
        StallDetector::with_clock(time::suspended)
    }

    fn with_clock(suspended: fn() -> Duration) -> StallDetector {
        StallDetector {
            due: Instant::now() + CHECK_INTERVAL,
            longest: None,
            suspended: SuspendedTime::since_now(suspended),
        }
    }

    /// When the next check is due.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Checks for a stall and returns its length. Call it first when the process runs again.
    pub fn check(&mut self) -> Option<Duration> {
        let suspended = self.suspended.take().unwrap_or_default();
        let stall = Some(self.lateness() + suspended).filter(|still| *still >= STALL_THRESHOLD);
        self.longest = self.longest.max(stall);
        stall
    }

    fn lateness(&mut self) -> Duration {
        let now = Instant::now();
        let Some(lateness) = now.checked_duration_since(self.due) else { return Duration::ZERO };
        self.due = now + CHECK_INTERVAL;
        lateness
    }

    /// The longest stall so far.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use tokio::time::advance;

    thread_local! {
        static SUSPENDED: Cell<u64> = const { Cell::new(7000) };
    }

    fn suspended() -> Duration {
        Duration::from_millis(SUSPENDED.get())
    }

    #[tokio::test(start_paused = true)]
    async fn suspension_counts_as_a_stall() {
        let mut stall_detector = StallDetector::with_clock(suspended);
        assert_eq!(stall_detector.check(), None, "suspension before the start does not count");
        SUSPENDED.set(7499);
        assert_eq!(stall_detector.check(), None);
        SUSPENDED.set(67_000);
        assert_eq!(stall_detector.check(), Some(Duration::from_secs(60)));
        assert_eq!((stall_detector.check(), stall_detector.longest()), (None, Some(Duration::from_secs(60))));
    }

    #[tokio::test(start_paused = true)]
    async fn late_check_counts_as_a_stall() {
        let mut stall_detector = StallDetector::start();
        assert_eq!(stall_detector.check(), None, "the check is not due");
        for lateness in [0, 499, 500, 3000, 700] {
            advance(CHECK_INTERVAL + Duration::from_millis(lateness)).await;
            let expected =
                Some(Duration::from_millis(lateness)).filter(|lateness| *lateness >= STALL_THRESHOLD);
            assert_eq!(stall_detector.check(), expected);
        }
        assert_eq!(stall_detector.longest(), Some(Duration::from_secs(3)));
    }
}
