//! External control of a run.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::opening_limit::OpeningLimit;
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
