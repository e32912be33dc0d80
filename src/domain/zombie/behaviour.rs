//! How clients fall silent.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::label::Label;
use std::time::Duration;

/// How much later than the others one client starts: more than timers are late, and no multiple of usual
/// timeouts.
const START_OFFSET: Duration = Duration::from_millis(370);

/// What a client does after its first Ping and message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Behaviour {
    /// Healthy: answers everything, and sends Ping frames and messages.
    Control,
    /// Reads everything and answers nothing: no Pong, no message.
    Mute,
    /// Stops reading.
    Stalled,
    /// Sends a FIN and continues to read.
    HalfClosed,
    /// Answers everything, and sends nothing else.
    Quiet,
    /// Sends Ping frames, and no messages.
    PingsOnly,
}

impl Behaviour {
    /// Its name in a sentence: `half-closed`.
    pub fn name(self) -> String {
        self.label().replace('_', "-")
    }

    /// How much later than the others it starts. A silent client with another start shows whether the server
    /// closes at an age or checks at intervals.
    pub fn begins_later(self) -> Duration {
        if self == Behaviour::Stalled { START_OFFSET } else { Duration::ZERO }
    }

    /// Whether a client with this behaviour is dead and should be closed.
    pub fn is_dead(self) -> bool {
        matches!(self, Behaviour::Mute | Behaviour::Stalled | Behaviour::HalfClosed)
    }
}
