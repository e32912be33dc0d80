//! What the peer's flow control of HTTP/2 held back (RFC 9113 section 5.2).

use std::time::Duration;

use crate::domain::connection::http2::ExhaustedWindow;

/// The heartbeats of one connection, or of several, that waited for room in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldBack {
    /// How many left, but not at once. The others were not sent.
    pub delayed: u64,
    /// The longest time until the last byte of one of these left; zero if there is none.
    pub longest: Duration,
    /// The window without room.
    pub window: ExhaustedWindow,
}

impl HeldBack {
    /// A heartbeat that left after this time.
    pub fn delayed(longest: Duration, window: ExhaustedWindow) -> HeldBack {
        HeldBack { delayed: 1, longest, window }
    }

    /// A heartbeat that was not sent.
    pub fn unsent(window: ExhaustedWindow) -> HeldBack {
        HeldBack { delayed: 0, longest: Duration::ZERO, window }
    }

    /// Both together.
    pub fn and(self, other: HeldBack) -> HeldBack {
        HeldBack {
            delayed: self.delayed.saturating_add(other.delayed),
            longest: self.longest.max(other.longest),
            window: self.window.and(other.window),
        }
    }
}
