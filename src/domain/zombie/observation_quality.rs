//! How well the clients of a run were observed.

use std::time::Duration;

use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::stats::interval::tolerance;

/// How well the clients were observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservationQuality {
    /// How often the control and the Pings-only client send.
    pub every: Duration,
    /// Each client was observed until its end or for the maximum time.
    pub whole: bool,
    /// The control was answered after the last observation of the others.
    pub control_confirmed: bool,
    /// The longest stall of this host, during which no client ran; `None` if there was none.
    pub stood_still: Option<Duration>,
    /// The longest time that the server left the control unanswered, from the first question to the end.
    pub unanswered: Duration,
    /// The window that held back the control's question in that time, if one did.
    pub held_back: Option<ExhaustedWindow>,
}

/// The minimum age of a client that has clearly outlived one closed at `age`.
pub fn outlived(age: Duration) -> Duration {
    age + tolerance(age) * 2
}
