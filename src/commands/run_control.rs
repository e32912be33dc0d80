//! How a run is steered from outside.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::net::batch_sleep::BatchSleep;

/// How a run is steered from outside.
#[derive(Debug)]
pub struct RunControl {
    /// The user wants it to end, with a report.
    pub interrupt: CancellationToken,
    /// The user wants to see figures now.
    pub interim: mpsc::UnboundedReceiver<()>,
    /// Lets the thread of the connections rest.
    pub batch_sleep: BatchSleep,
}
