//! How much of a bounded run was done.

use std::time::Duration;

/// How much of what was planned was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Heartbeats that were judged, or could not be sent.
    Heartbeats {
        done: u64,
        of: u64,
    },
    Time {
        done: Duration,
        of: Duration,
    },
}

impl Done {
    /// Whether nothing is left of what was planned.
    pub fn is_complete(self) -> bool {
        match self {
            Done::Heartbeats { done, of } => done >= of,
            Done::Time { done, of } => done >= of,
        }
    }
}
