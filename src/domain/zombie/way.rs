//! The ways in which clients die.

/// How one connection behaves.
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

    /// Whether a client that behaves so is dead, and ought to be let go.
    pub fn is_dead(self) -> bool {
        match self {
            Way::Mute | Way::Stalled | Way::HalfClosed => true,
            Way::Control | Way::Quiet | Way::PingsOnly => false,
        }
    }
}
