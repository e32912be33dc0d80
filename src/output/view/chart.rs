//! What charts show.

use std::time::Duration;

/// How durations are distributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The kind of heartbeat, if there are several.
    pub name: Option<String>,
    pub min: Duration,
    pub max: Duration,
    /// Upper ends of the intervals, ascending, and how many durations each has.
    pub buckets: Vec<(Duration, u64)>,
}
