//! What can go wrong with a connection, as values.

use std::time::Duration;

use super::cut::CutAction;
use super::value::{DurationRange, JitterSpec};

/// How pongs, protocol and app, go wrong.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerFaults {
    pub delay: Duration,
    /// Added to the delay. Pongs keep their order all the same.
    pub jitter: Option<JitterSpec>,
    /// The share of the pongs that is lost, 0 to 1.
    pub loss: f64,
    /// Only the last of this many pings is answered, at once; `None`: each.
    pub latest_of: Option<u32>,
    /// Of the pings that come within this time only the latest is answered, and its answer is held for this time.
    pub merge: Option<Duration>,
    pub wrong: bool,
    pub duplicate: bool,
}

/// Whose bytes reset the idle timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdleReset {
    /// Bytes in either direction (nginx, HAProxy, Envoy).
    #[default]
    Either,
    /// Only from client to server (Cowboy).
    Client,
    /// Only from server to client (CloudFront).
    Server,
    /// Each direction has its own timer, and both must be kept alive (lighttpd).
    Both,
}

/// An idle timeout such as middleboxes have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdleFault {
    /// `None`: there is none, and the rest says nothing.
    pub after: Option<DurationRange>,
    /// `None`: FIN.
    pub cut: Option<CutAction>,
    pub resets: Option<IdleReset>,
    /// Only messages count as life, not pings and pongs.
    pub messages_only: bool,
    /// The connection is let go at the timeout, and cut so much later.
    pub linger: Option<Duration>,
}

/// What goes wrong while the connection opens.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpeningFaults {
    /// Answered with this status instead of 101.
    pub refuse: Option<u16>,
    /// Answered with 302 to this place.
    pub redirect: Option<String>,
    /// The answer is held back so long.
    pub slow: Duration,
    pub wrong_accept: bool,
    /// The answer's header never ends.
    pub endless_header: bool,
    /// Upgrades in HTTP/1.0 and without a Host header are taken, too.
    pub lenient: bool,
}

/// What the server sends again and again without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatedSend {
    /// A message.
    Chatter,
    UnsolicitedPong,
    Ping,
}

/// Everything that goes wrong with a connection; nothing by default.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    pub opening: OpeningFaults,
    pub answers: AnswerFaults,
    pub idle: IdleFault,
    /// At this age of the connection, counted from the upgrade, this happens.
    pub timeline: Vec<(Duration, CutAction)>,
    /// So often, this is sent.
    pub repeats: Vec<(Duration, RepeatedSend)>,
    /// Sent as they are, right after the upgrade.
    pub first_bytes: Vec<u8>,
    /// Everything after the upgrade is sent one byte in so long.
    pub trickle: Option<Duration>,
}

impl Faults {
    /// Whether what was set makes sense together.
    pub fn check(&self) -> Result<(), String> {
        let idle = &self.idle;
        let lone = [
            ("--idle-cut", idle.cut.is_some()),
            ("--idle-resets", idle.resets.is_some()),
            ("--messages-only", idle.messages_only),
            ("--linger", idle.linger.is_some()),
        ];
        match lone.iter().find(|(_, set)| *set && idle.after.is_none()) {
            Some((name, _)) => Err(format!("{name} says how --idle-timeout works, and needs it")),
            None => Ok(()),
        }
    }
}
