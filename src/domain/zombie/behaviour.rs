//! The ways in which clients die.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::label::Label;
use std::time::Duration;

/// So much later than the others does one begin: longer than timers are late, and no multiple of what servers wait.
const START_OFFSET: Duration = Duration::from_millis(370);

/// How one connection behaves, once it has introduced itself by a Ping and a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Behaviour {
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

impl Behaviour {
    /// Its name in a sentence: `half-closed`.
    pub fn name(self) -> String {
        self.label().replace('_', "-")
    }

    /// How much later than the others it begins: who is silent as others are, from another moment on, shows whether the
    /// server lets go at an age, or looks for such clients now and then.
    pub fn begins_later(self) -> Duration {
        match self {
            Behaviour::Stalled => START_OFFSET,
            Behaviour::Control
            | Behaviour::Mute
            | Behaviour::HalfClosed
            | Behaviour::Quiet
            | Behaviour::PingsOnly => Duration::ZERO,
        }
    }

    /// Whether a client that behaves so is dead, and ought to be let go.
    pub fn is_dead(self) -> bool {
        match self {
            Behaviour::Mute | Behaviour::Stalled | Behaviour::HalfClosed => true,
            Behaviour::Control | Behaviour::Quiet | Behaviour::PingsOnly => false,
        }
    }
}
