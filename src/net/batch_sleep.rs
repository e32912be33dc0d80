//! Rest between two looks at the network, so that thousands of heartbeats a second are handled in batches and not each
//! at the price of waking up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The runtime's timers tick as often: what is due within it leaves together anyway.
pub const BATCH_SLEEP: Duration = Duration::from_millis(1);

/// Whether the thread of the connections rests for [`BATCH_SLEEP`] before it waits for what happens next.
///
/// What arrives meanwhile lies in the kernel, which has stamped it: RTTs stay as they are. Where user space stamps, a nap
/// would be measured as the path's, and nobody must take one.
#[derive(Debug, Clone, Default)]
pub struct BatchSleep(Arc<AtomicBool>);

impl BatchSleep {
    /// From now on naps are taken, or not.
    pub fn allow(&self, allowed: bool) {
        self.0.store(allowed, Relaxed);
    }

    /// Whether naps are taken.
    pub fn is_allowed(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Takes one, if that is allowed: for the runtime's thread, when it has nothing to do.
    pub fn take(&self) {
        if self.is_allowed() {
            std::thread::sleep(BATCH_SLEEP);
        }
    }
}
