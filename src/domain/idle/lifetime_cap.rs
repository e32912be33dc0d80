//! The age at which connections end.

use std::time::Duration;

/// The age at which connections end, idle or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeCap {
    /// The age at which they were last known to be alive.
    pub lo: Duration,
    /// The age at which they were known to be gone; equals `lo` if the end was seen.
    pub hi: Duration,
}
