//! Heartbeats: the requests, their replies, and the outcome of each.

mod captures;
pub mod classifier;
mod decimal;
pub mod difference;
mod escapes;
pub mod extra_numbers;
pub mod framing;
mod hex_pattern;
pub mod inbound;
mod json_pattern;
pub mod outstanding;
pub mod passed_over;
pub mod pattern;
mod placeholder;
pub mod protocol_profile;
pub mod sent_message;
pub mod substitutes;
pub mod template;
pub mod unmatched;

use strum::{Display, EnumIter, EnumMessage, IntoStaticStr};

/// The layer of a heartbeat.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Display, IntoStaticStr, EnumIter, EnumMessage,
)]
#[strum(serialize_all = "snake_case")]
pub enum HeartbeatKind {
    /// An RFC 6455 Ping frame and its Pong.
    Protocol,
    /// An application message and the message that answers it.
    App,
    /// A PING frame of HTTP/2 and its acknowledgement (RFC 9113 section 6.7), which what ends HTTP/2 answers: perhaps a hop
    /// before the server.
    Http2,
}

/// The outcome of one heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum HeartbeatOutcome {
    /// The pong came within the timeout.
    Ok,
    /// The pong came after the timeout; its RTT is known.
    Late,
    /// No pong of its own; a later ping was answered, and the server may have held both at once (RFC 6455
    /// 5.5.3 lets it answer only the latest).
    Superseded,
    /// No pong of its own: none came within the timeout, or a later ping was answered although the server had
    /// time to answer this one first.
    Missed,
    /// Not sent: local back-pressure, or this host slept through the due time.
    Unsent,
}

impl HeartbeatOutcome {
    /// Whether the heartbeat's own reply came.
    pub fn is_answered(self) -> bool {
        matches!(self, HeartbeatOutcome::Ok | HeartbeatOutcome::Late)
    }
}

/// A pong that answers no outstanding ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum StrayPong {
    /// Unsolicited: nothing was outstanding. RFC 6455 5.5.3 allows such pongs.
    Unsolicited,
    /// Something was outstanding, but the payload is not one of ours.
    Mismatched,
    /// A second pong for a ping already answered.
    Duplicate,
}
