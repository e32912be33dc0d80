//! When the thread of the connections may rest between two looks at the network.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use crate::domain::connection::connect_info::TimestampSource;
use crate::net::batch_sleep::{self, BatchSleep};

/// Allows naps when all of this holds:
///
/// - more than one heartbeat is due in the length of one: waking up for each would be what a run costs
/// - no connection is being opened: the phases are timed in user space
/// - the kernel says of every connection when bytes arrive
#[derive(Debug)]
pub struct BatchingPolicy {
    batch_sleep: BatchSleep,
    is_worth_it: bool,
    openings: AtomicUsize,
    /// Some connection's bytes arrive when they are read.
    is_user_stamped: AtomicBool,
}

impl BatchingPolicy {
    /// For so many heartbeats an interval; without an interval, each waits for an answer and none for its time.
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

    /// A connection is being opened as long as this lasts.
    pub fn disturb(&self) -> OpeningGuard<'_> {
        self.openings.fetch_add(1, Relaxed);
        self.decide();
        OpeningGuard(self)
    }

    /// Who says when the bytes of one more connection arrive.
    pub fn heed(&self, timestamps: TimestampSource) {
        if timestamps == TimestampSource::User {
            self.is_user_stamped.store(true, Relaxed);
        }
        self.decide();
    }

    fn decide(&self) {
        let batching = self.openings.load(Relaxed) == 0 && !self.is_user_stamped.load(Relaxed);
        self.batch_sleep.allow(self.is_worth_it && batching);
    }
}

/// An opening under way.
#[derive(Debug)]
pub struct OpeningGuard<'a>(&'a BatchingPolicy);

impl Drop for OpeningGuard<'_> {
    fn drop(&mut self) {
        self.0.openings.fetch_sub(1, Relaxed);
        self.0.decide();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Option<Duration> = Some(Duration::from_secs(1));

    #[test]
    fn there_are_naps_only_while_nothing_opens() {
        let batch_sleep = BatchSleep::default();
        let batching = BatchingPolicy::new(batch_sleep.clone(), 10_000, SECOND);
        let (one, other) = (batching.disturb(), batching.disturb());
        drop(one);
        assert!(!batch_sleep.is_allowed());
        drop(other);
        assert!(batch_sleep.is_allowed());
        let _another = batching.disturb();
        assert!(!batch_sleep.is_allowed());
    }

    #[test]
    fn a_nap_is_never_measured() {
        let batch_sleep = BatchSleep::default();
        let batching = BatchingPolicy::new(batch_sleep.clone(), 10_000, SECOND);
        batching.heed(TimestampSource::KernelReceive);
        assert!(batch_sleep.is_allowed());
        batching.heed(TimestampSource::User);
        batching.heed(TimestampSource::KernelReceive);
        assert!(!batch_sleep.is_allowed());
    }

    #[test]
    fn few_or_unpaced_heartbeats_are_never_batched() {
        for (heartbeats, interval) in [(1000, SECOND), (1, SECOND), (10_000, None)] {
            let batch_sleep = BatchSleep::default();
            BatchingPolicy::new(batch_sleep.clone(), heartbeats, interval)
                .heed(TimestampSource::KernelReceive);
            assert!(!batch_sleep.is_allowed(), "{heartbeats} in {interval:?}");
        }
    }
}
