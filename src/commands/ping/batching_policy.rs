//! Decides when the connections' thread may sleep between two polls of the network.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::domain::connection::connect_info::{TimestampChoice, TimestampSource};
use crate::net::batch_sleep::{self, BatchSleep};

/// Allows batch sleeps while all of this holds:
///
/// - more than one heartbeat is due per sleep, so that one wake-up for each would dominate the cost
/// - no connection is being opened, since phases are timed in user space
/// - the kernel timestamps received bytes on every connection
#[derive(Debug)]
pub struct BatchingPolicy {
    batch_sleep: BatchSleep,
    is_worth_it: bool,
    openings: AtomicUsize,
    /// Some connection has no kernel timestamps.
    is_user_stamped: AtomicBool,
}

impl BatchingPolicy {
    /// For `heartbeats` heartbeats per interval. Without an interval, heartbeats follow answers and are never batched.
    pub fn new(batch_sleep: BatchSleep, heartbeats: usize, interval: Option<Duration>) -> BatchingPolicy {
        let is_worth_it = interval.is_some_and(|interval| {
            let length = batch_sleep::BATCH_SLEEP.as_nanos().saturating_mul(heartbeats as u128);
            length > interval.as_nanos()
        });
        BatchingPolicy {
            batch_sleep,
            is_worth_it,
            openings: AtomicUsize::new(0),
            is_user_stamped: AtomicBool::new(false),
        }
    }

    /// The timestamps to ask the kernel for. Where heartbeats are batched, departures are not timestamped: that took a tenth
    /// of the CPU and corrected each RTT by 2 µs (docs/benchmarks.md).
    pub fn timestamps(&self, chosen: TimestampChoice) -> TimestampChoice {
        match chosen {
            TimestampChoice::Auto if self.is_worth_it => TimestampChoice::Arrivals,
            chosen => chosen,
        }
    }

    /// Forbids batching while the guard lives, because a connection is being opened.
    pub fn begin_opening(&self) -> OpeningGuard<'_> {
        self.openings.fetch_add(1, Relaxed);
        self.update();
        OpeningGuard(self)
    }

    /// Takes the timestamp source of a new connection into account.
    pub fn add_connection(&self, timestamps: TimestampSource) {
        if timestamps == TimestampSource::User {
            self.is_user_stamped.store(true, Relaxed);
        }
        self.update();
    }

    fn update(&self) {
        let batching = self.openings.load(Relaxed) == 0 && !self.is_user_stamped.load(Relaxed);
        self.batch_sleep.allow(self.is_worth_it && batching);
    }
}

/// Marks an opening in progress.
#[derive(Debug)]
pub struct OpeningGuard<'a>(&'a BatchingPolicy);

impl Drop for OpeningGuard<'_> {
    fn drop(&mut self) {
        self.0.openings.fetch_sub(1, Relaxed);
        self.0.update();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    #[test]
    fn batching_is_off_while_a_connection_opens() {
        let batch_sleep = BatchSleep::default();
        let batching = BatchingPolicy::new(batch_sleep.clone(), 10_000, SECOND);
        let (one, other) = (batching.begin_opening(), batching.begin_opening());
        drop(one);
        assert!(!batch_sleep.is_allowed());
        drop(other);
        assert!(batch_sleep.is_allowed());
        let _another = batching.begin_opening();
        assert!(!batch_sleep.is_allowed());
    }

    #[test]
    fn user_timestamps_forbid_batching() {
        let batch_sleep = BatchSleep::default();
        let batching = BatchingPolicy::new(batch_sleep.clone(), 10_000, SECOND);
        batching.add_connection(TimestampSource::KernelReceive);
        assert!(batch_sleep.is_allowed());
        batching.add_connection(TimestampSource::User);
        batching.add_connection(TimestampSource::KernelReceive);
        assert!(!batch_sleep.is_allowed());
    }

    #[test]
    fn departures_of_many_heartbeats_are_stamped_only_if_demanded() {
        let policy = |heartbeats| BatchingPolicy::new(BatchSleep::default(), heartbeats, SECOND);
        assert_eq!(policy(1000).timestamps(TimestampChoice::Auto), TimestampChoice::Auto);
        assert_eq!(policy(1001).timestamps(TimestampChoice::Auto), TimestampChoice::Arrivals);
        assert_eq!(policy(1001).timestamps(TimestampChoice::Kernel), TimestampChoice::Kernel);
        assert_eq!(policy(1001).timestamps(TimestampChoice::User), TimestampChoice::User);
    }

    #[test]
    fn few_or_unpaced_heartbeats_are_never_batched() {
        for (heartbeats, interval) in [(1000, SECOND), (1, SECOND), (10_000, None)] {
            let batch_sleep = BatchSleep::default();
            BatchingPolicy::new(batch_sleep.clone(), heartbeats, interval)
                .add_connection(TimestampSource::KernelReceive);
            assert!(!batch_sleep.is_allowed(), "{heartbeats} in {interval:?}");
        }
    }
}
