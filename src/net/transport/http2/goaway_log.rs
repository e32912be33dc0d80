//! The GOAWAYs of a command that opens connections of HTTP/2 and observes none of them for GOAWAY by itself.

use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::connection::goaway::{GoawayNotice, GoawaySummary};

/// The notice of each connection that got one. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct GoawayLog(Arc<Mutex<Vec<GoawayNotice>>>);

impl GoawayLog {
    /// Records the notice of a connection; `place` is where an earlier one of the same connection stands. Returns that of this one.
    pub(super) fn record(&self, notice: GoawayNotice, place: Option<usize>) -> usize {
        let mut notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match place {
            Some(place) => {
                notices[place] = notice;
                place
            }
            None => {
                notices.push(notice);
                notices.len() - 1
            }
        }
    }

    /// All notices so far.
    pub fn summary(&self) -> Option<GoawaySummary> {
        let notices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        GoawaySummary::of(notices.iter().map(|notice| (notice, 1)), None)
    }
}
