//! How the lives of a run were watched.

use std::time::Duration;

use crate::domain::stats::interval::tolerance;

/// How the lives were watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservationQuality {
    /// How often the control, and the client of Pings only, sent something.
    pub every: Duration,
    /// Each was waited for until it ended, or for the longest time.
    pub whole: bool,
    /// The control was answered after all that was seen of the others.
    pub vouched: bool,
    /// For so long at the longest this host stood still, and all clients with it; `None`: it never did.
    pub stood_still: Option<Duration>,
    /// The longest that the server did not answer the control, from its first question to its end.
    pub unanswered: Duration,
}

/// The age of a client that has visibly outlived one that was closed at this age.
pub fn outlived(age: Duration) -> Duration {
    age + tolerance(age) * 2
}
