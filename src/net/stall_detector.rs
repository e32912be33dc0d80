//! Whether this host runs: who is stopped, starved or suspended reads late what comes meanwhile, and answers nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::time;

/// How often it is looked. A standstill is told as shorter by up to that.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// So late this process may be without a word about it.
const STALL_THRESHOLD: Duration = Duration::from_millis(500);

/// Looks now and then, and notes when it does not come to.
#[derive(Debug)]
pub struct StallDetector {
    due: Instant,
    longest: Option<Duration>,
    /// For how long the host was suspended in all, now...
    suspended: fn() -> Duration,
    /// ... and when it last looked.
    before: Duration,
}

impl StallDetector {
    /// From now on.
    pub fn begin() -> StallDetector {
        StallDetector::by(time::suspended)
    }

    fn by(suspended: fn() -> Duration) -> StallDetector {
        StallDetector { due: Instant::now() + CHECK_INTERVAL, longest: None, suspended, before: suspended() }
    }

    /// When to look again at the latest.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Looks, first of all that is done when the process runs again; gives for how long it just stood still, if it did.
    pub fn look(&mut self) -> Option<Duration> {
        let standstill = Some(self.late() + self.slept()).filter(|still| *still >= STALL_THRESHOLD);
        self.longest = self.longest.max(standstill);
        standstill
    }

    fn late(&mut self) -> Duration {
        let now = Instant::now();
        let Some(late) = now.checked_duration_since(self.due) else { return Duration::ZERO };
        self.due = now + CHECK_INTERVAL;
        late
    }

    /// The clocks are read one behind the other: a suspension is no shorter than what may lie between.
    fn slept(&mut self) -> Duration {
        let now = (self.suspended)();
        let slept = now.saturating_sub(self.before);
        if slept < STALL_THRESHOLD {
            return Duration::ZERO;
        }
        self.before = now;
        slept
    }

    /// The longest standstill; `None`: it never stood still.
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
    async fn who_was_suspended_stood_still_though_no_time_went_by() {
        let mut stall_detector = StallDetector::by(suspended);
        assert_eq!(stall_detector.look(), None, "what was before is not told");
        SUSPENDED.set(7499);
        assert_eq!(stall_detector.look(), None);
        SUSPENDED.set(67_000);
        assert_eq!(stall_detector.look(), Some(Duration::from_secs(60)));
        assert_eq!((stall_detector.look(), stall_detector.longest()), (None, Some(Duration::from_secs(60))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_late_stood_still() {
        let mut stall_detector = StallDetector::begin();
        assert_eq!(stall_detector.look(), None, "it is not due");
        for late in [0, 499, 500, 3000, 700] {
            advance(CHECK_INTERVAL + Duration::from_millis(late)).await;
            let told = Some(Duration::from_millis(late)).filter(|late| *late >= STALL_THRESHOLD);
            assert_eq!(stall_detector.look(), told);
        }
        assert_eq!(stall_detector.longest(), Some(Duration::from_secs(3)));
    }
}
