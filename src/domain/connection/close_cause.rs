//! How a connection ended, as data.

use std::fmt;
use std::time::{Duration, SystemTime};

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::http2::Http2Code;
use super::tcp::TcpView;
use super::untrusted_text::UntrustedText;
use crate::domain::format;
use crate::domain::label::Label;

/// Which side ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ClosedBy {
    /// The other end of the WebSocket, or a hop on its behalf.
    Peer,
    /// wscheck, because it was done or gave the peer up.
    Us,
    /// Neither end: the operating system reported a broken path.
    Network,
}

/// A rule of RFC 6455 that the peer broke, so that the connection could not continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Violation {
    /// A server's frame was masked (section 5.1).
    MaskedFrame,
    /// Text or a close reason was not UTF-8 (section 8.1).
    InvalidUtf8,
    /// The data was not a WebSocket frame: unknown opcode, reserved bits, an invalid sequence.
    Garbage,
    /// A frame of HTTP/2 broke RFC 9113.
    Http2,
    /// A compressed message could not be decompressed, or a frame was marked as compressed that must not be (RFC 7692).
    Compression,
    /// A close frame's code is not allowed on the wire (section 7.4.1).
    InvalidCloseCode,
    /// A close frame's payload is a single byte, which is half a code (section 5.5.1).
    InvalidClosePayload,
}

/// The code and reason of a close frame, as far as readable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClosePayload {
    /// `None` if the frame had none.
    pub code: Option<u16>,
    pub reason: UntrustedText,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(CloseKindName), strum(serialize_all = "snake_case"))]
pub enum CloseKind {
    /// A close frame; `code` is `None` when the frame was empty (1005 in the RFC's terms).
    CloseFrame { code: Option<u16>, reason: UntrustedText },
    /// The TCP stream ended without a close frame (1006).
    Fin,
    /// TCP was reset.
    Rst,
    /// TLS was closed by close_notify, without a close frame.
    TlsClose,
    /// The peer ended the stream of HTTP/2 (END_STREAM) without a close frame; the connection may live on.
    H2EndStream,
    /// The peer reset the stream of HTTP/2 (RST_STREAM).
    H2RstStream { code: Http2Code },
    /// The peer announced the end of the connection of HTTP/2 (GOAWAY), and ended it. `debug` is its additional data.
    H2Goaway { code: Http2Code, debug: UntrustedText },
    /// The peer ended TLS with an alert: its name in the IANA TLS Alerts registry (`decode_error`).
    TlsAlert { alert: UntrustedText },
    /// The peer broke the protocol, and wscheck closed. `close` is the invalid close frame, if it was one.
    Violation { rule: Violation, detail: UntrustedText, close: Option<Box<ClosePayload>> },
    /// A message exceeded `--max-message-size`, and wscheck closed. `size` is the announced or received size.
    #[strum_discriminants(strum(serialize = "message_size_limit"))]
    TooLarge { size: u64, limit: u64 },
    /// The path dropped all data silently.
    Silent,
    /// Heartbeats stayed unanswered and wscheck gave up, or the operating system's timer expired.
    Timeout,
    /// Another error of the operating system; its name is in `os_error`.
    Error,
}

/// How the peer reacted to our close frame.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum CloseReply {
    /// It answered with a close frame.
    CloseFrame(ClosePayload),
    /// It ended TCP without a close frame.
    Fin,
    /// It reset TCP.
    Rst,
    /// It ended TLS without a close frame.
    TlsClose,
    /// The stream broke in another way: a lower-case fragment.
    #[strum(serialize = "error")]
    Broken(String),
    /// Nothing came within the time limit.
    #[strum(serialize = "none")]
    Nothing { waited: Duration },
    /// Our close frame could not be sent.
    NotSent,
}

impl CloseReply {
    /// The end of the connection after our close frame.
    pub fn of(who: ClosedBy, how: &CloseKind, os_error: Option<&str>) -> CloseReply {
        match how {
            CloseKind::CloseFrame { code, reason } => {
                CloseReply::CloseFrame(ClosePayload { code: *code, reason: reason.clone() })
            }
            CloseKind::Violation { close: Some(close), .. } => {
                CloseReply::CloseFrame(ClosePayload::clone(close))
            }
            CloseKind::Fin => CloseReply::Fin,
            CloseKind::Rst => CloseReply::Rst,
            CloseKind::TlsClose => CloseReply::TlsClose,
            CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::TlsAlert { .. }
            | CloseKind::Violation { close: None, .. }
            | CloseKind::TooLarge { .. }
            | CloseKind::Silent
            | CloseKind::Timeout
            | CloseKind::Error => CloseReply::Broken(CloseCause::describe(who, how, os_error)),
        }
    }
}

impl fmt::Display for CloseReply {
    /// A fragment that follows our action: `the peer answered with close 1000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CloseReply::CloseFrame(ClosePayload { code: None, .. }) => {
                f.write_str("the peer answered with an empty close frame")
            }
            CloseReply::CloseFrame(ClosePayload { code: Some(code), reason }) => {
                write!(f, "the peer answered with close {code}")?;
                if reason.is_empty() { Ok(()) } else { write!(f, " \"{reason}\"") }
            }
            CloseReply::Fin => f.write_str("the peer closed TCP (FIN) without a close frame"),
            CloseReply::Rst => f.write_str("the peer reset the connection (RST) instead of an answer"),
            CloseReply::TlsClose => f.write_str("the peer closed TLS (close_notify) without a close frame"),
            CloseReply::Broken(why) => write!(f, "then {why}"),
            CloseReply::Nothing { waited } => {
                write!(f, "the peer did not answer the close within {}", format::duration(*waited))
            }
            CloseReply::NotSent => f.write_str("the close frame could not be sent"),
        }
    }
}

/// How, when and by which side a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseCause {
    pub who: ClosedBy,
    pub how: CloseKind,
    /// How the peer reacted to our close frame; `None` if none was sent or awaited.
    pub reply: Option<CloseReply>,
    /// The operating system's name of the error (`ECONNRESET`), if there was one.
    pub os_error: Option<String>,
    /// TCP's state at the end, if known.
    pub tcp: Option<TcpView>,
    /// Time from the upgrade to the end.
    pub age: Duration,
    /// How long no data had passed in either direction.
    pub idle: Duration,
    pub at: SystemTime,
}

impl CloseCause {
    /// Whether it ended as planned: by us, without an error.
    pub fn was_planned(&self) -> bool {
        self.who == ClosedBy::Us && matches!(self.how, CloseKind::CloseFrame { .. })
    }

    /// Whether it was lost: ended unplanned, and not by a limit of wscheck.
    pub fn is_loss(&self) -> bool {
        !self.was_planned() && !matches!(self.how, CloseKind::TooLarge { .. })
    }

    /// Whether over HTTP/2 it was the connection that ended, and with it each of its streams.
    pub fn is_of_whole_connection(&self) -> bool {
        match self.how {
            CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
            | CloseKind::TlsAlert { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::Violation { rule: Violation::Http2, .. }
            | CloseKind::Error => true,
            CloseKind::Timeout => self.who == ClosedBy::Network,
            CloseKind::CloseFrame { .. }
            | CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::Violation { .. }
            | CloseKind::TooLarge { .. }
            | CloseKind::Silent => false,
        }
    }

    /// Whether the peer, or a hop on its behalf, ended it deliberately.
    pub fn is_by_peers_hand(&self) -> bool {
        let by_hand = match self.how {
            CloseKind::CloseFrame { .. }
            | CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
            | CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::TlsAlert { .. } => true,
            // Still a close frame: nats-server closes stale clients with 1006.
            CloseKind::Violation { close: Some(_), .. } => true,
            CloseKind::Violation { close: None, .. }
            | CloseKind::TooLarge { .. }
            | CloseKind::Silent
            | CloseKind::Timeout
            | CloseKind::Error => false,
        };
        by_hand && self.who == ClosedBy::Peer
    }
}

/// The meaning of a close code: RFC 6455 7.4.1 and the IANA WebSocket Close Code Number Registry.
pub fn close_code_meaning(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1004 => "reserved",
        1005 => "no status received",
        1006 => "abnormal closure",
        1007 => "invalid frame payload data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "mandatory extension",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake",
        3000 => "unauthorized",
        3003 => "forbidden",
        3008 => "timeout",
        3001..=3999 => "registered by a library or framework",
        4000..=4999 => "private to the application",
        0..=999 => "not used",
        5000.. => "outside the range of close codes",
        1016..=2999 => "unassigned",
    }
}

impl CloseCause {
    /// Which side and how, as a fragment such as `peer sent close 1001 (going away) "bye"`.
    pub fn describe(who: ClosedBy, how: &CloseKind, os_error: Option<&str>) -> String {
        let text = match (how, who) {
            (CloseKind::CloseFrame { code, reason }, who) => close_frame(who, *code, reason),
            (CloseKind::Fin, _) => "peer closed TCP (FIN) without a close frame".to_string(),
            (CloseKind::Rst, _) => "connection reset (RST)".to_string(),
            (CloseKind::TlsClose, _) => "peer closed TLS (close_notify) without a close frame".to_string(),
            (CloseKind::H2EndStream, _) => {
                "peer ended the stream of HTTP/2 (END_STREAM) without a close frame".to_string()
            }
            (CloseKind::H2RstStream { code }, _) => {
                format!("peer reset the stream of HTTP/2 (RST_STREAM {code})")
            }
            (CloseKind::H2Goaway { code, debug }, _) if debug.is_empty() => {
                format!("peer ended the connection of HTTP/2 (GOAWAY {code})")
            }
            (CloseKind::H2Goaway { code, debug }, _) => {
                format!("peer ended the connection of HTTP/2 (GOAWAY {code} \"{debug}\")")
            }
            (CloseKind::TlsAlert { alert }, _) => {
                format!("peer gave up TLS (alert {alert}) without a close frame")
            }
            (CloseKind::Violation { rule, detail, .. }, _) if detail.is_empty() => {
                format!("peer broke the protocol: {}", rule.label().replace('_', " "))
            }
            (CloseKind::Violation { detail, .. }, _) => format!("peer broke the protocol: {detail}"),
            (CloseKind::TooLarge { size, limit }, _) => format!(
                "wscheck closed it: a message of {} is above the limit of {} (raise it with --max-message-size)",
                format::size(*size),
                format::size(*limit)
            ),
            (CloseKind::Silent, _) => "peer stopped answering".to_string(),
            (CloseKind::Timeout, ClosedBy::Us) => {
                "wscheck closed it: heartbeats unanswered (close 4000 \"Heartbeat timeout\")".to_string()
            }
            (CloseKind::Timeout, _) => "the network timed out".to_string(),
            (CloseKind::Error, _) => "the network failed".to_string(),
        };
        match os_error {
            Some(name) => format!("{text} [{name}]"),
            None => text,
        }
    }
}

impl fmt::Display for CloseCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&CloseCause::describe(self.who, &self.how, self.os_error.as_deref()))?;
        match &self.reply {
            Some(reply) => write!(f, "; {reply}"),
            None => Ok(()),
        }
    }
}

fn close_frame(who: ClosedBy, code: Option<u16>, reason: &UntrustedText) -> String {
    let subject = if who == ClosedBy::Us { "wscheck" } else { "peer" };
    let text = match code {
        Some(code) => format!("{subject} sent close {code} ({})", close_code_meaning(code)),
        None => format!("{subject} sent an empty close frame"),
    };
    if reason.is_empty() { text } else { format!("{text} \"{reason}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(who: ClosedBy, how: CloseKind) -> CloseCause {
        CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: Duration::ZERO,
            idle: Duration::ZERO,
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_hostile_reason_is_shown_escaped() {
        let how = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::new("bye\x1b[2J") };
        assert_eq!(
            ending(ClosedBy::Peer, how).to_string(),
            "peer sent close 1001 (going away) \"bye\\u{1b}[2J\""
        );
    }

    #[test]
    fn a_broken_path_is_not_the_peers_hand() {
        let violation = |rule, close| CloseKind::Violation { rule, detail: UntrustedText::default(), close };
        let close = Some(Box::default());
        assert!(ending(ClosedBy::Peer, CloseKind::Fin).is_by_peers_hand());
        assert!(ending(ClosedBy::Peer, violation(Violation::InvalidCloseCode, close)).is_by_peers_hand());
        assert!(!ending(ClosedBy::Peer, violation(Violation::Garbage, None)).is_by_peers_hand());
        assert!(!ending(ClosedBy::Us, CloseKind::TooLarge { size: 2, limit: 1 }).is_by_peers_hand());
        assert!(!ending(ClosedBy::Network, CloseKind::Rst).is_by_peers_hand());
        assert!(!ending(ClosedBy::Network, CloseKind::Timeout).is_by_peers_hand());
    }

    #[test]
    fn violation_is_shown_in_words() {
        let of = |detail| CloseKind::Violation {
            rule: Violation::MaskedFrame,
            detail: UntrustedText::new(detail),
            close: None,
        };
        let shown = |detail| ending(ClosedBy::Peer, of(detail)).to_string();
        assert_eq!(
            shown("a masked frame from the server"),
            "peer broke the protocol: a masked frame from the server"
        );
        assert_eq!(shown(""), "peer broke the protocol: masked frame");
    }

    #[test]
    fn own_size_limit_is_named() {
        let mib = |n: u64| n * 1024 * 1024;
        let how = CloseKind::TooLarge { size: mib(17), limit: mib(16) };
        assert_eq!(
            ending(ClosedBy::Us, how).to_string(),
            "wscheck closed it: a message of 17 MiB is above the limit of 16 MiB (raise it with --max-message-size)"
        );
    }

    #[test]
    fn each_reply_to_our_close_has_its_own_words() {
        let of = |how: CloseKind| CloseReply::of(ClosedBy::Peer, &how, None);
        let code = |code, reason| CloseKind::CloseFrame { code, reason: UntrustedText::new(reason) };
        assert_eq!(of(code(Some(1000), "")).to_string(), "the peer answered with close 1000");
        assert_eq!(of(code(Some(1011), "no")).to_string(), "the peer answered with close 1011 \"no\"");
        assert_eq!(of(code(None, "")).to_string(), "the peer answered with an empty close frame");
        assert!(of(CloseKind::Fin).to_string().contains("(FIN) without a close frame"));
        assert!(of(CloseKind::Rst).to_string().contains("(RST)"));
        let silent = CloseReply::Nothing { waited: Duration::from_secs(1) };
        assert_eq!(silent.to_string(), "the peer did not answer the close within 1 s");
        let broken = CloseReply::of(ClosedBy::Network, &CloseKind::Timeout, Some("ETIMEDOUT"));
        assert_eq!(broken.to_string(), "then the network timed out [ETIMEDOUT]");
    }

    #[test]
    fn only_our_own_close_is_planned() {
        let close = || CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() };
        assert!(ending(ClosedBy::Us, close()).was_planned());
        assert!(!ending(ClosedBy::Peer, close()).was_planned());
        assert!(!ending(ClosedBy::Us, CloseKind::Timeout).was_planned());
    }

    #[test]
    fn end_by_our_limit_is_neither_planned_nor_a_loss() {
        let limit = ending(ClosedBy::Us, CloseKind::TooLarge { size: 2, limit: 1 });
        assert!(!limit.was_planned() && !limit.is_loss());
        assert!(
            ending(ClosedBy::Us, CloseKind::Timeout).is_loss()
                && ending(ClosedBy::Peer, CloseKind::Fin).is_loss()
        );
    }
}
