//! The limit on openings that run at once.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit};

/// Maximum number of concurrent openings.
pub const MAX_CONCURRENT_OPENINGS: usize = 64;

/// Bounds the openings that run at once, of all runs that share it: after a common outage, many connections are opened
/// again at the same time.
#[derive(Debug, Clone)]
pub struct OpeningLimit(Arc<Semaphore>);

impl Default for OpeningLimit {
    /// Shared with no other run yet.
    fn default() -> OpeningLimit {
        OpeningLimit(Arc::new(Semaphore::new(MAX_CONCURRENT_OPENINGS)))
    }
}

impl OpeningLimit {
    /// Waits until another opening may run; it may for as long as the permit lives.
    pub async fn permit(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        self.0.acquire().await.ok()
    }
}
