//! What is asked, what answers it, and what became of each ask.

mod bytes;
mod captures;
pub mod convention;
mod decimal;
pub mod difference;
mod escapes;
pub mod framing;
pub mod incoming;
mod json_shape;
pub mod ledger;
pub mod message;
pub mod passed_over;
pub mod pattern;
mod placeholder;
pub mod presets;
pub mod substitutes;
pub mod template;
pub mod unmatched;

use std::fmt;

/// The layer at which a heartbeat asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An RFC 6455 Ping frame and its Pong.
    Protocol,
    /// An ordinary message and the message that answers it.
    App,
}

impl Kind {
    pub fn label(self) -> &'static str {
        match self {
            Kind::Protocol => "protocol",
            Kind::App => "app",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// What became of one heartbeat; exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The pong came within the timeout.
    Ok,
    /// The pong came after the timeout; its RTT is known.
    Late,
    /// No pong of its own; a later ping was answered, and the server may have held both at once (RFC 6455 5.5.3 lets it
    /// answer only the latest).
    Superseded,
    /// No pong of its own: nothing came within the timeout, or a later ping was answered although the server had time
    /// to answer this one first.
    Missed,
    /// It never left this machine: local back-pressure, or this host slept through its moment.
    Unsent,
}

impl Outcome {
    /// Whether the heartbeat's own answer came.
    pub fn is_answered(self) -> bool {
        matches!(self, Outcome::Ok | Outcome::Late)
    }

    pub fn label(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Late => "late",
            Outcome::Superseded => "superseded",
            Outcome::Missed => "missed",
            Outcome::Unsent => "unsent",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// A pong that answers no outstanding ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stray {
    /// Nobody asked: nothing was outstanding. RFC 6455 5.5.3 allows such pongs.
    Unsolicited,
    /// Something was outstanding, but the payload is none of ours.
    Mismatched,
    /// A second answer to a ping that was answered already.
    Duplicate,
}

impl Stray {
    pub fn label(self) -> &'static str {
        match self {
            Stray::Unsolicited => "unsolicited",
            Stray::Mismatched => "mismatched",
            Stray::Duplicate => "duplicate",
        }
    }
}
