//! How a connection finished, as data.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::peer_text::PeerText;
use super::tcp::TcpView;

/// Who ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The other end of the WebSocket, or a hop that speaks in its name.
    Peer,
    /// wscheck itself, because it was done or because it gave the peer up.
    Us,
    /// Neither end: the operating system reported the path as broken.
    Network,
}

impl Who {
    pub fn label(self) -> &'static str {
        match self {
            Who::Peer => "peer",
            Who::Us => "us",
            Who::Network => "network",
        }
    }
}

/// A rule of RFC 6455 that a peer broke, so that the connection could not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Violation {
    /// A server's frame was masked (section 5.1).
    MaskedFrame,
    /// Text or a close reason was not UTF-8 (section 8.1).
    InvalidUtf8,
    /// A frame or message was larger than `--max-message-size`.
    Oversized,
    /// What came was not a WebSocket frame: unknown opcode, reserved bits, a broken sequence.
    Garbage,
    /// A close frame's code must not appear on the wire (section 7.4.1).
    InvalidCloseCode,
}

impl Violation {
    pub fn label(self) -> &'static str {
        match self {
            Violation::MaskedFrame => "masked_frame",
            Violation::InvalidUtf8 => "invalid_utf8",
            Violation::Oversized => "oversized_frame",
            Violation::Garbage => "garbage",
            Violation::InvalidCloseCode => "invalid_close_code",
        }
    }
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// A close frame; `code` is `None` when the frame was empty (1005 in the RFC's terms).
    CloseFrame { code: Option<u16>, reason: PeerText },
    /// The TCP stream ended without a close frame (1006).
    Fin,
    /// TCP was reset.
    Rst,
    /// TLS was closed by close_notify, without a close frame.
    TlsClose,
    /// The peer gave TLS up by an alert: its name in the IANA TLS Alerts registry (`decode_error`).
    TlsAlert { alert: PeerText },
    /// The peer broke the protocol; wscheck closed.
    Violation { rule: Violation, detail: PeerText },
    /// The path swallowed everything without a sign.
    Silent,
    /// Heartbeats stayed unanswered (we gave up), or the operating system's own timer ran out.
    Timeout,
    /// Another error of the operating system; its name is in `os_error`.
    Error,
}

impl How {
    /// The name that scripts see.
    pub fn label(&self) -> &'static str {
        match self {
            How::CloseFrame { .. } => "close_frame",
            How::Fin => "fin",
            How::Rst => "rst",
            How::TlsClose => "tls_close",
            How::TlsAlert { .. } => "tls_alert",
            How::Violation { .. } => "violation",
            How::Silent => "silent",
            How::Timeout => "timeout",
            How::Error => "error",
        }
    }
}

/// How, when and by whom one connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub who: Who,
    pub how: How,
    /// The operating system's name for the error (`ECONNRESET`), where there was one.
    pub os_error: Option<String>,
    /// How TCP stood then, where that is known.
    pub tcp: Option<TcpView>,
    /// From the end of the upgrade to the end.
    pub age: Duration,
    /// How long nothing had passed, in either direction.
    pub idle: Duration,
    pub at: SystemTime,
}

impl Ending {
    /// Whether the connection ended as planned: by us, with nothing wrong.
    pub fn was_planned(&self) -> bool {
        self.who == Who::Us && matches!(self.how, How::CloseFrame { .. })
    }

    /// Whether the connection ended by the peer's own hand, or that of a hop that speaks in its name.
    pub fn is_by_peers_hand(&self) -> bool {
        let by_hand = match self.how {
            How::CloseFrame { .. } | How::Fin | How::Rst | How::TlsClose | How::TlsAlert { .. } => true,
            // A close frame all the same: nats-server lets stale clients go with 1006.
            How::Violation { rule: Violation::InvalidCloseCode, .. } => true,
            How::Violation { .. } | How::Silent | How::Timeout | How::Error => false,
        };
        by_hand && self.who == Who::Peer
    }
}

/// The meaning of a close code: RFC 6455 7.4.1 and the IANA WebSocket Close Code Number Registry.
pub fn close_code_meaning(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
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
        _ => "unassigned",
    }
}

impl Ending {
    /// Who and how, as a fragment such as `peer sent close 1001 (going away) "bye"`.
    pub fn describe(who: Who, how: &How, os_error: Option<&str>) -> String {
        let said = match (how, who) {
            (How::CloseFrame { code, reason }, who) => close_frame(who, *code, reason),
            (How::Fin, _) => "peer closed TCP (FIN) without a close frame".to_string(),
            (How::Rst, _) => "connection reset (RST)".to_string(),
            (How::TlsClose, _) => "peer closed TLS (close_notify) without a close frame".to_string(),
            (How::TlsAlert { alert }, _) => format!("peer gave up TLS (alert {alert}) without a close frame"),
            (How::Violation { rule, detail }, _) => {
                format!("peer broke the protocol: {} ({detail})", rule.label())
            }
            (How::Silent, _) => "went silent".to_string(),
            (How::Timeout, Who::Us) => {
                "we gave up: heartbeats unanswered (close 4000 \"Heartbeat timeout\")".to_string()
            }
            (How::Timeout, _) => "the network timed out".to_string(),
            (How::Error, _) => "the network failed".to_string(),
        };
        match os_error {
            Some(name) => format!("{said} [{name}]"),
            None => said,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Ending::describe(self.who, &self.how, self.os_error.as_deref()))
    }
}

fn close_frame(who: Who, code: Option<u16>, reason: &PeerText) -> String {
    let subject = if who == Who::Us { "we" } else { "peer" };
    let said = match code {
        Some(code) => format!("{subject} sent close {code} ({})", close_code_meaning(code)),
        None => format!("{subject} sent an empty close frame"),
    };
    if reason.is_empty() { said } else { format!("{said} \"{reason}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(who: Who, how: How) -> Ending {
        Ending {
            who,
            how,
            os_error: None,
            tcp: None,
            age: Duration::ZERO,
            idle: Duration::ZERO,
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_hostile_reason_is_shown_escaped() {
        let how = How::CloseFrame { code: Some(1001), reason: PeerText::new("bye\x1b[2J") };
        assert_eq!(ending(Who::Peer, how).to_string(), "peer sent close 1001 (going away) \"bye\\u{1b}[2J\"");
    }

    #[test]
    fn a_broken_path_is_not_the_peers_hand() {
        let violation = |rule| How::Violation { rule, detail: PeerText::default() };
        assert!(ending(Who::Peer, How::Fin).is_by_peers_hand());
        assert!(ending(Who::Peer, violation(Violation::InvalidCloseCode)).is_by_peers_hand());
        assert!(!ending(Who::Peer, violation(Violation::Garbage)).is_by_peers_hand());
        assert!(!ending(Who::Network, How::Rst).is_by_peers_hand());
        assert!(!ending(Who::Network, How::Timeout).is_by_peers_hand());
    }

    #[test]
    fn only_our_own_close_is_planned() {
        let close = || How::CloseFrame { code: Some(1000), reason: PeerText::default() };
        assert!(ending(Who::Us, close()).was_planned());
        assert!(!ending(Who::Peer, close()).was_planned());
        assert!(!ending(Who::Us, How::Timeout).was_planned());
    }
}
