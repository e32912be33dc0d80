//! External control of a run.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::net::batch_sleep::BatchSleep;

/// External control of a run.
#[derive(Debug)]
pub struct RunControl {
    /// The user wants the run to end with a report.
    pub interrupt: CancellationToken,
    /// The user wants an interim report now.
    pub interim: mpsc::UnboundedReceiver<()>,
    /// Lets the connections' thread sleep between polls.
    pub batch_sleep: BatchSleep,
}
