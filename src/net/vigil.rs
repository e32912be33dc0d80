//! Whether this host runs: who is stopped, or starved, reads late what comes meanwhile, and answers nothing.

use std::time::Duration;

use tokio::time::Instant;

/// How often it is looked. A standstill is told as shorter by up to that.
const EVERY: Duration = Duration::from_millis(250);
/// So late this process may be without a word about it.
const LATE: Duration = Duration::from_millis(500);

/// Looks now and then, and notes when it does not come to.
#[derive(Debug)]
pub struct Vigil {
    due: Instant,
    longest: Option<Duration>,
}

impl Vigil {
    /// From now on.
    pub fn begin() -> Vigil {
        Vigil { due: Instant::now() + EVERY, longest: None }
    }

    /// When to look again at the latest.
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Looks, first of all that is done when the process runs again; gives for how long it just stood still, if it did.
    pub fn look(&mut self) -> Option<Duration> {
        let now = Instant::now();
        let late = now.checked_duration_since(self.due)?;
        self.due = now + EVERY;
        let standstill = Some(late).filter(|late| *late >= LATE);
        self.longest = self.longest.max(standstill);
        standstill
    }

    /// The longest standstill; `None`: it never stood still.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn who_comes_late_stood_still() {
        let mut vigil = Vigil::begin();
        assert_eq!(vigil.look(), None, "it is not due");
        for late in [0, 499, 500, 3000, 700] {
            advance(EVERY + Duration::from_millis(late)).await;
            let told = Some(Duration::from_millis(late)).filter(|late| *late >= LATE);
            assert_eq!(vigil.look(), told);
        }
        assert_eq!(vigil.longest(), Some(Duration::from_secs(3)));
    }
}
