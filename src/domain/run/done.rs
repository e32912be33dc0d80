//! How much of a bounded run was done.

use std::time::Duration;

use crate::domain::format::{counted, duration};

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
    /// How much was done when the user ended the run: `interrupted after 3 of 20 heartbeats`. `None` if nothing was left.
    pub fn cut_short(self) -> Option<String> {
        match self {
            Done::Heartbeats { done, of } if done < of => {
                Some(format!("interrupted after {done} of {}", counted(of, "heartbeat")))
            }
            Done::Heartbeats { .. } => None,
            Done::Time { done, of } => {
                Some(format!("interrupted after {} of {}", duration(done), duration(of)))
            }
        }
    }

    /// Both together; `None` if one counts heartbeats and the other time.
    pub fn plus(self, other: Done) -> Option<Done> {
        match (self, other) {
            (Done::Heartbeats { done, of }, Done::Heartbeats { done: more, of: planned }) => {
                Some(Done::Heartbeats { done: done.saturating_add(more), of: of.saturating_add(planned) })
            }
            (Done::Time { done, of }, Done::Time { done: more, of: planned }) => {
                Some(Done::Time { done: done.saturating_add(more), of: of.saturating_add(planned) })
            }
            (Done::Heartbeats { .. }, Done::Time { .. }) | (Done::Time { .. }, Done::Heartbeats { .. }) => {
                None
            }
        }
    }

    /// Whether nothing is left of what was planned.
    pub fn is_complete(self) -> bool {
        match self {
            Done::Heartbeats { done, of } => done >= of,
            Done::Time { done, of } => done >= of,
        }
    }
}
