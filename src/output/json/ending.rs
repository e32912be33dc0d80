//! How a connection finished, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::figures::{Ms, Timestamp};
use super::names::{HowName, ViolationName, WhoName};
use crate::domain::ending::{How, Who, close_code_meaning};
use crate::domain::tcp::TcpView;
use crate::domain::{ending, ending::Violation, peer_text::PeerText};

/// How, when and by whom a connection ended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ending {
    who: WhoName,
    how: HowName,
    /// The close code, theirs or ours; null without a close frame, or when it was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame, as it was given; a peer's control characters are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455 that the peer broke.
    violation: Option<ViolationName>,
    /// What was wrong about it; of a TLS alert, its name.
    detail: Option<String>,
    /// The operating system's name for the error.
    os_error: Option<String>,
    /// How TCP stood then, where the system tells (Linux): the way to the first TCP hop, which may be a proxy or a
    /// balancer.
    tcp: Option<Tcp>,
    /// From the end of the upgrade to the end.
    age_ms: Ms,
    /// How long nothing had passed, in either direction.
    idle_ms: Ms,
    at: Timestamp,
}

/// TCP's own figures of one connection (TCP_INFO).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Tcp {
    /// Smoothed RTT; an acknowledgement that the peer holds back is part of it.
    rtt_ms: Ms,
    rtt_deviation_ms: Ms,
    /// The least RTT of the last five minutes.
    min_rtt_ms: Option<Ms>,
    /// Segments sent again, since the connection began, without those that the peer reports to have had already.
    retransmits: u32,
    /// Segments sent and not acknowledged.
    unacknowledged_segments: u32,
    /// Bytes that were taken and not sent.
    unsent_bytes: u32,
    /// Since the last acknowledgement came.
    last_ack_ms: Ms,
    /// Since the last data came.
    last_data_ms: Ms,
}

impl From<TcpView> for Tcp {
    fn from(view: TcpView) -> Tcp {
        Tcp {
            rtt_ms: view.rtt.into(),
            rtt_deviation_ms: view.rtt_deviation.into(),
            min_rtt_ms: view.min_rtt.map(Ms::from),
            retransmits: view.retransmits,
            unacknowledged_segments: view.unacked,
            unsent_bytes: view.unsent,
            last_ack_ms: view.last_ack.into(),
            last_data_ms: view.last_data.into(),
        }
    }
}

impl From<&ending::Ending> for Ending {
    fn from(ending: &ending::Ending) -> Ending {
        let (code, reason) = close_frame(&ending.how, ending.who).unzip();
        let code = code.flatten();
        let (violation, detail) = broken_rule(&ending.how).unzip();
        let alert = if let How::TlsAlert { alert } = &ending.how { Some(alert) } else { None };
        Ending {
            who: ending.who.into(),
            how: (&ending.how).into(),
            code,
            code_meaning: code.map(close_code_meaning),
            reason: reason.filter(|reason| !reason.is_empty()),
            violation: violation.map(ViolationName::from),
            detail: detail.or(alert).map(PeerText::to_string),
            os_error: ending.os_error.clone(),
            tcp: ending.tcp.map(Tcp::from),
            age_ms: ending.age.into(),
            idle_ms: ending.idle.into(),
            at: ending.at.into(),
        }
    }
}

/// Code and reason of the close frame that came, or that we sent to a peer that we gave up.
pub fn close_frame(how: &How, who: Who) -> Option<(Option<u16>, String)> {
    match (how, who) {
        (How::CloseFrame { code, reason }, _) => Some((*code, reason.to_string())),
        (How::Timeout, Who::Us) => Some((Some(4000), "Heartbeat timeout".to_string())),
        (
            How::Timeout
            | How::Fin
            | How::Rst
            | How::TlsClose
            | How::TlsAlert { .. }
            | How::Violation { .. }
            | How::Silent
            | How::Error,
            _,
        ) => None,
    }
}

/// The rule of RFC 6455 that was broken, and what was wrong.
pub fn broken_rule(how: &How) -> Option<(Violation, &PeerText)> {
    match how {
        How::Violation { rule, detail } => Some((*rule, detail)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn shown(who: Who, how: How) -> serde_json::Value {
        let (age, idle, at) = (Duration::ZERO, Duration::ZERO, SystemTime::UNIX_EPOCH);
        serde_json::to_value(Ending::from(&ending::Ending {
            who,
            how,
            os_error: None,
            tcp: None,
            age,
            idle,
            at,
        }))
        .unwrap()
    }

    #[test]
    fn a_peer_that_we_gave_up_was_sent_a_close_frame_too() {
        let ours = shown(Who::Us, How::Timeout);
        assert_eq!((&ours["code"], &ours["reason"]), (&4000.into(), &"Heartbeat timeout".into()));
        let networks = shown(Who::Network, How::Timeout);
        assert!(networks["code"].is_null() && networks["reason"].is_null());
    }

    #[test]
    fn an_empty_close_frame_has_neither_code_nor_reason() {
        let empty = shown(Who::Peer, How::CloseFrame { code: None, reason: PeerText::default() });
        assert!(empty["code"].is_null() && empty["code_meaning"].is_null() && empty["reason"].is_null());
    }
}
