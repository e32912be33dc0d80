//! The time limit of an opening.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::dial_error::DialError;

/// Upper bound that can be added to an instant without overflow.
const MAX_SPAN: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// When all steps of an opening must have ended.
#[derive(Debug, Clone, Copy)]
pub struct TimeLimit {
    pub end: Instant,
    /// The whole time, for error texts.
    pub span: Duration,
}

impl TimeLimit {
    /// The limit that ends after this time from now.
    pub fn from_now(span: Duration) -> TimeLimit {
        TimeLimit { end: Instant::now() + span.min(MAX_SPAN), span }
    }

    /// Runs a step until the limit; `doing` says what did not end then.
    pub async fn run<T>(self, step: impl Future<Output = T>, doing: impl Display) -> Result<T, DialError> {
        timeout_at(self.end, step).await.map_err(|_| self.error(doing))
    }

    /// The error of a step that did not end.
    pub fn error(self, doing: impl Display) -> DialError {
        DialError::timeout(self.span, doing)
    }
}
