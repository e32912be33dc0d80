//! Faults of a connection, as values.

use std::time::Duration;

use strum::EnumString;

use super::cut::CutAction;
use super::value::{DurationRange, JitterSpec};
use crate::domain::connection::http2::Http2Code;
use crate::server::deflate::DeflateAnswer;

/// Faults of pongs, protocol and app.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AnswerFaults {
    pub delay: Duration,
    /// Added to the delay. Pongs keep their order nevertheless.
    pub jitter: Option<JitterSpec>,
    /// Share of lost pongs, 0 to 1.
    pub loss: f64,
    /// Answer only the last of this many pings, at once; `None`: answer each.
    pub latest_of: Option<u32>,
    /// Answer only the latest of the pings within this time, and hold the answer for this time.
    pub merge: Option<Duration>,
    pub wrong: bool,
    pub duplicate: bool,
}

/// The direction whose bytes reset the idle timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString)]
#[strum(serialize_all = "lowercase")]
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

/// An idle timeout like those of middleboxes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdleFault {
    /// `None`: no timeout, and the other fields are unused.
    pub after: Option<DurationRange>,
    /// `None`: FIN.
    pub cut: Option<CutAction>,
    pub resets: Option<IdleReset>,
    /// Only messages reset the timer, not pings and pongs.
    pub messages_only: bool,
    /// Go silent at the timeout, and cut this much later.
    pub linger: Option<Duration>,
}

/// Faults of the opening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OpeningFaults {
    /// Answer with this status instead of 101.
    pub refuse: Option<u16>,
    /// Answer with 302 and this Location.
    pub redirect: Option<String>,
    /// Delay the answer by this time.
    pub slow: Duration,
    pub wrong_accept: bool,
    /// The response header never ends.
    pub endless_header: bool,
    /// Accept upgrades in HTTP/1.0 and without a Host header.
    pub lenient: bool,
    /// Agree to permessage-deflate with these parameters, if it is offered.
    pub deflate: Option<DeflateAnswer>,
}

/// Faults of an HTTP/2 connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http2Faults {
    /// Leave out SETTINGS_ENABLE_CONNECT_PROTOCOL.
    pub no_connect_protocol: bool,
    /// Answer the CONNECT of a WebSocket by RST_STREAM with this code.
    pub reset: Option<Http2Code>,
    /// Send GOAWAY and close this long after the first WebSocket was opened.
    pub goaway_after: Option<Duration>,
    /// The window of each stream, in bytes; `None`: the initial one of RFC 9113.
    pub window: Option<u32>,
}

/// What the server sends repeatedly without being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatedSend {
    /// A message.
    Chatter,
    UnsolicitedPong,
    Ping,
}

/// All faults of a connection; the default has none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults {
    pub opening: OpeningFaults,
    pub http2: Http2Faults,
    pub answers: AnswerFaults,
    pub idle: IdleFault,
    /// Cuts, each at an age of the connection, counted from the upgrade.
    pub timeline: Vec<(Duration, CutAction)>,
    /// Repeated sends with their intervals.
    pub repeats: Vec<(Duration, RepeatedSend)>,
    /// Raw bytes sent right after the upgrade.
    pub first_bytes: Vec<u8>,
    /// Send a message right after the upgrade that decompresses to a gibibyte, if compression was agreed.
    pub deflate_bomb: bool,
    /// After the upgrade, send one byte per this time.
    pub trickle: Option<Duration>,
}

impl Faults {
    /// What connections without faults have of these: compression as the client offers it is none.
    pub fn harmless(&self) -> Faults {
        let is_plain = |answer: &DeflateAnswer| *answer == DeflateAnswer::default() && !self.deflate_bomb;
        let deflate = self.opening.deflate.clone().filter(is_plain);
        Faults { opening: OpeningFaults { deflate, ..OpeningFaults::default() }, ..Faults::default() }
    }

    /// Checks that the combination makes sense.
    pub fn check(&self) -> Result<(), String> {
        let idle = &self.idle;
        let dependent = [
            ("--idle-cut", idle.cut.is_some()),
            ("--idle-resets", idle.resets.is_some()),
            ("--messages-only", idle.messages_only),
            ("--linger", idle.linger.is_some()),
        ];
        match dependent.iter().find(|(_, set)| *set && idle.after.is_none()) {
            Some((name, _)) => Err(format!("{name} modifies --idle-timeout and needs it")),
            None => Ok(()),
        }
    }
}
