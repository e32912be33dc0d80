//! Whether the recommended interval keeps a connection open.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::connection::close_cause::CloseCause;

/// The result of the connection held at the recommended interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The interval of its heartbeats.
    pub interval: Duration,
    /// How long it was to be held: more than two timeouts.
    pub wanted: Duration,
    /// How long it was held.
    pub held: Duration,
    /// How many heartbeats were answered.
    pub beats: u64,
    pub outcome: VerifyOutcome,
}

/// Whether the recommendation holds.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyOutcome {
    Held,
    /// The connection ended too early.
    Ended(Arc<CloseCause>),
    /// The result is unclear; a lower-case fragment says why.
    Unknown(String),
}
