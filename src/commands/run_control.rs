//! External control of a run.

use std::sync::Arc;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio_util::sync::CancellationToken;

use crate::net::batch_sleep::BatchSleep;
use crate::net::client::ask_now::AskNow;

/// External control of a run.
#[derive(Debug)]
pub struct RunControl {
    /// The user wants the run to end with a report.
    pub interrupt: CancellationToken,
    /// The user wants an interim report now.
    pub interim: mpsc::UnboundedReceiver<()>,
    /// Lets the connections' thread sleep between polls.
    pub batch_sleep: BatchSleep,
    /// Requests to send a heartbeat at once: one entry a connection, by its number; empty if the run takes none.
    pub ask_now: Arc<[AskNow]>,
    /// Bounds the openings of this run, and of others that share it.
    pub openings: OpeningLimit,
}

impl RunControl {
    /// Control of a run that can only be interrupted: no interim reports, and no heartbeats at once.
    pub fn until(interrupt: CancellationToken) -> RunControl {
        RunControl {
            interrupt,
            interim: mpsc::unbounded_channel().1,
            batch_sleep: BatchSleep::default(),
            ask_now: Arc::default(),
            openings: OpeningLimit::default(),
        }
    }
}

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
