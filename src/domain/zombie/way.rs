//! The ways in which clients die.

use std::time::Duration;

/// So much later than the others does one begin: longer than timers are late, and no multiple of what servers wait.
const LATER: Duration = Duration::from_millis(370);

/// How one connection behaves, once it has introduced itself by a Ping and a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// Healthy: answers everything, and sends Ping frames and messages.
    Control,
    /// Reads everything and answers nothing: no Pong, no message.
    Mute,
    /// Stops reading altogether.
    Stalled,
    /// Sends a FIN and goes on reading.
    HalfClosed,
    /// Answers everything, and sends nothing of its own.
    Quiet,
    /// Sends Ping frames, and no messages.
    PingsOnly,
}

impl Way {
    /// All of them, the control first.
    pub const ALL: [Way; 6] =
        [Way::Control, Way::Mute, Way::Stalled, Way::HalfClosed, Way::Quiet, Way::PingsOnly];

    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Way::Control => "control",
            Way::Mute => "mute",
            Way::Stalled => "stalled",
            Way::HalfClosed => "half_closed",
            Way::Quiet => "quiet",
            Way::PingsOnly => "pings_only",
        }
    }

    /// Its name in a sentence: `half-closed`.
    pub fn name(self) -> String {
        self.label().replace('_', "-")
    }

    /// How much later than the others it begins: who is silent as others are, from another moment on, shows whether the
    /// server lets go at an age, or looks for such clients now and then.
    pub fn begins_later(self) -> Duration {
        match self {
            Way::Stalled => LATER,
            Way::Control | Way::Mute | Way::HalfClosed | Way::Quiet | Way::PingsOnly => Duration::ZERO,
        }
    }

    /// Whether a client that behaves so is dead, and ought to be let go.
    pub fn is_dead(self) -> bool {
        match self {
            Way::Mute | Way::Stalled | Way::HalfClosed => true,
            Way::Control | Way::Quiet | Way::PingsOnly => false,
        }
    }
}
