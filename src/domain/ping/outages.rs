//! When the other end of a connection was away, in bounded memory.

use std::collections::VecDeque;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// The most outages that are kept one by one; older ones stay in the sums.
pub const MAX_KEPT: usize = 100;

/// What began an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum OutageCause {
    /// The connection ended.
    Ended,
    /// Heartbeats stayed unanswered on an open connection.
    Unanswered,
    /// The connection did not open at the start of the run.
    NotOpened,
}

/// One outage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// The last proof of life before it, or the start of the run; since the start of the run.
    pub from: Duration,
    /// The first answer after it; `None` while it lasts.
    pub until: Option<Duration>,
    pub cause: OutageCause,
    /// How it ended, what TCP knew, or why it did not open: a lower-case fragment.
    pub detail: String,
    /// Attempts to open that failed in it.
    pub failed_attempts: u32,
    /// Why the last of them failed: a lower-case fragment.
    pub last_error: Option<String>,
    /// Our own pause before the attempt that succeeded: the other end may have been back already.
    pub uncertain: Duration,
}

impl Outage {
    /// How long it took; `None` while it lasts.
    pub fn length(&self) -> Option<Duration> {
        Some(self.until?.saturating_sub(self.from))
    }
}

/// All outages of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outages {
    /// The latest ones, in order.
    pub latest: VecDeque<Outage>,
    /// How many there were, with the current one.
    pub count: u64,
    /// The length of those that ended, together.
    pub ended_total: Duration,
    /// The longest that ended.
    pub ended_longest: Duration,
    /// The time since the start of the run; one that lasts goes on up to here.
    pub observed: Duration,
}

impl Outages {
    /// The one that lasts.
    pub fn current(&self) -> Option<&Outage> {
        self.latest.back().filter(|outage| outage.until.is_none())
    }

    /// How long the current one has lasted.
    fn so_far(&self) -> Duration {
        self.current().map_or(Duration::ZERO, |outage| self.observed.saturating_sub(outage.from))
    }

    /// The time away, the current outage included.
    pub fn total(&self) -> Duration {
        self.ended_total.saturating_add(self.so_far())
    }

    /// The longest one, the current one included.
    pub fn longest(&self) -> Duration {
        self.ended_longest.max(self.so_far())
    }

    fn up(&self) -> Duration {
        self.observed.saturating_sub(self.total())
    }

    /// The part of the observed time in which the other end was not away; `None` if none was observed.
    pub fn availability(&self) -> Option<f64> {
        (!self.observed.is_zero()).then(|| self.up().as_secs_f64() / self.observed.as_secs_f64())
    }

    /// Mean time between failures: the time up by the number of outages; `None` without one.
    pub fn mean_time_between(&self) -> Option<Duration> {
        (self.count > 0).then(|| self.up().div_f64(self.count as f64))
    }

    pub(super) fn begin(&mut self, from: Duration, cause: OutageCause, detail: String) {
        self.count += 1;
        if self.latest.len() == MAX_KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(Outage {
            from,
            until: None,
            cause,
            detail,
            failed_attempts: 0,
            last_error: None,
            uncertain: Duration::ZERO,
        });
    }

    pub(super) fn end(&mut self, until: Duration, pause: Duration) {
        let Some(outage) = self.latest.back_mut().filter(|outage| outage.until.is_none()) else { return };
        let until = until.max(outage.from);
        outage.until = Some(until);
        outage.uncertain = pause.min(until.saturating_sub(outage.from));
        let length = until.saturating_sub(outage.from);
        self.ended_total = self.ended_total.saturating_add(length);
        self.ended_longest = self.ended_longest.max(length);
    }
}
