//! A short sleep between two polls of the network, so that thousands of heartbeats a second are handled in batches
//! instead of one wake-up each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Equal to the tick of the runtime's timers: heartbeats due within it are sent together anyway.
pub const BATCH_SLEEP: Duration = Duration::from_millis(1);

/// Whether the connections' thread sleeps for [`BATCH_SLEEP`] before it waits for the next event.
///
/// The kernel timestamps what arrives meanwhile, so RTTs stay exact. With timestamps from user space, the sleep would
/// be measured as part of the RTT; it must not be allowed then.
#[derive(Debug, Clone, Default)]
pub struct BatchSleep(Arc<AtomicBool>);

impl BatchSleep {
    /// Allows or forbids the sleep from now on.
    pub fn allow(&self, allowed: bool) {
        self.0.store(allowed, Relaxed);
    }

    pub fn is_allowed(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Sleeps, if that is allowed. The runtime's thread calls it when it has nothing to do.
    pub fn sleep_if_allowed(&self) {
        if self.is_allowed() {
            std::thread::sleep(BATCH_SLEEP);
        }
    }
}
