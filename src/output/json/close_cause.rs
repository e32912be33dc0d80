//! How a connection ended, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::heartbeat_figures::{Ms, Timestamp};
use super::names::Name;
use crate::domain::connection::close_cause::{self, Violation};
use crate::domain::connection::close_cause::{
    CloseKind, CloseKindName, CloseReply, ClosedBy, close_code_meaning,
};
use crate::domain::connection::tcp::TcpView;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format;

/// How and when a connection ended, and who ended it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Ending")]
pub struct JsonEndingDocument {
    /// Who ended the connection.
    who: Name<ClosedBy>,
    /// How the connection ended.
    how: Name<CloseKindName>,
    /// The close code, the peer's or ours, even if it is not allowed on the wire; null without a close frame, or if
    /// that was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame; control characters from the peer are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455 that the peer broke.
    violation: Option<Name<Violation>>,
    /// Details of the violation; for a TLS alert, its name.
    detail: Option<String>,
    /// The message that exceeded our limit (`--max-message-size`).
    too_large: Option<TooLargeDocument>,
    /// How the peer reacted to our close frame; null if wscheck sent none, or did not wait for a reaction.
    close_reply: Option<CloseReplyDocument>,
    /// The operating system's name for the error.
    os_error: Option<String>,
    /// TCP statistics at that moment, where the system provides them (Linux). They describe the path to the first TCP
    /// hop, which may be a proxy or a load balancer.
    tcp: Option<TcpDocument>,
    /// Time from the upgrade to the end.
    age_ms: Ms,
    /// Time without traffic in either direction before the end.
    idle_ms: Ms,
    at: Timestamp,
}

/// A message above our limit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "TooLarge")]
pub struct TooLargeDocument {
    /// The size that was announced or received.
    bytes: u64,
    limit_bytes: u64,
}

/// How the peer reacted to our close frame.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CloseReplyDocument {
    /// What came after our close frame.
    how: Name<CloseReply>,
    /// The code of the peer's close frame; null without one, or if it was empty.
    code: Option<u16>,
    /// The reason in the peer's close frame; control characters are escaped.
    reason: Option<String>,
    /// A description, if no name fits.
    detail: Option<String>,
    /// How long wscheck waited in vain; null if something came.
    waited_ms: Option<Ms>,
}

impl From<&CloseReply> for CloseReplyDocument {
    fn from(reply: &CloseReply) -> CloseReplyDocument {
        let close = if let CloseReply::CloseFrame(close) = reply { Some(close) } else { None };
        CloseReplyDocument {
            how: reply.clone().into(),
            code: close.and_then(|close| close.code),
            reason: close.map(|close| close.reason.to_string()).filter(|reason| !reason.is_empty()),
            detail: if let CloseReply::Broken(why) = reply { Some(why.clone()) } else { None },
            waited_ms: if let CloseReply::Nothing { waited } = reply { Some((*waited).into()) } else { None },
        }
    }
}

/// TCP statistics of one connection (TCP_INFO).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Tcp")]
struct TcpDocument {
    /// Smoothed RTT; it includes the delay of delayed acknowledgements.
    rtt_ms: Ms,
    rtt_deviation_ms: Ms,
    /// Minimum RTT of the last five minutes.
    min_rtt_ms: Option<Ms>,
    /// Retransmitted segments since the connection began, without those that the peer reports as duplicates.
    retransmits: u32,
    /// Segments sent and not acknowledged.
    unacknowledged_segments: u32,
    /// Bytes in the send buffer that were not sent.
    unsent_bytes: u32,
    /// Time since the last acknowledgement.
    last_ack_ms: Ms,
    /// Time since data last arrived.
    last_data_ms: Ms,
}

impl From<TcpView> for TcpDocument {
    fn from(view: TcpView) -> TcpDocument {
        TcpDocument {
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

impl From<&close_cause::CloseCause> for JsonEndingDocument {
    fn from(ending: &close_cause::CloseCause) -> JsonEndingDocument {
        let (code, reason) = close_frame(&ending.how, ending.who).unzip();
        let code = code.flatten();
        let (violation, detail) = broken_rule(&ending.how).unzip();
        let alert = if let CloseKind::TlsAlert { alert } = &ending.how { Some(alert) } else { None };
        JsonEndingDocument {
            who: ending.who.into(),
            how: Name(CloseKindName::from(&ending.how)),
            code,
            code_meaning: code.map(close_code_meaning),
            reason: reason.filter(|reason| !reason.is_empty()),
            violation: violation.map(Name),
            detail: detail.or(alert).map(UntrustedText::to_string).or_else(|| exceeded(&ending.how)),
            too_large: too_large(&ending.how),
            close_reply: ending.reply.as_ref().map(CloseReplyDocument::from),
            os_error: ending.os_error.clone(),
            tcp: ending.tcp.map(TcpDocument::from),
            age_ms: ending.age.into(),
            idle_ms: ending.idle.into(),
            at: ending.at.into(),
        }
    }
}

/// Code and reason of the close frame: the peer's, or the one that wscheck sent to a peer that stopped answering.
pub fn close_frame(how: &CloseKind, who: ClosedBy) -> Option<(Option<u16>, String)> {
    match (how, who) {
        (CloseKind::CloseFrame { code, reason }, _) => Some((*code, reason.to_string())),
        (CloseKind::Violation { close: Some(close), .. }, _) => Some((close.code, close.reason.to_string())),
        (CloseKind::TooLarge { .. }, _) => Some((Some(1009), String::new())),
        (CloseKind::Timeout, ClosedBy::Us) => Some((Some(4000), "Heartbeat timeout".to_string())),
        (
            CloseKind::Timeout
            | CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
            | CloseKind::TlsAlert { .. }
            | CloseKind::Violation { close: None, .. }
            | CloseKind::Silent
            | CloseKind::Error,
            _,
        ) => None,
    }
}

/// The rule of RFC 6455 that was broken, and what was wrong.
pub fn broken_rule(how: &CloseKind) -> Option<(Violation, &UntrustedText)> {
    match how {
        CloseKind::Violation { rule, detail, .. } => Some((*rule, detail)),
        _ => None,
    }
}

/// The size of the message that exceeded `--max-message-size`, and the limit.
fn exceeded(how: &CloseKind) -> Option<String> {
    match how {
        CloseKind::TooLarge { size, limit } => {
            Some(format!("a message of {} above our limit of {}", format::size(*size), format::size(*limit)))
        }
        _ => None,
    }
}

fn too_large(how: &CloseKind) -> Option<TooLargeDocument> {
    match how {
        CloseKind::TooLarge { size, limit } => Some(TooLargeDocument { bytes: *size, limit_bytes: *limit }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::close_cause::ClosePayload;
    use std::time::{Duration, SystemTime};

    fn document(who: ClosedBy, how: CloseKind) -> serde_json::Value {
        let (age, idle, at) = (Duration::ZERO, Duration::ZERO, SystemTime::UNIX_EPOCH);
        serde_json::to_value(JsonEndingDocument::from(&close_cause::CloseCause {
            who,
            how,
            reply: None,
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
        let ours = document(ClosedBy::Us, CloseKind::Timeout);
        assert_eq!((&ours["code"], &ours["reason"]), (&4000.into(), &"Heartbeat timeout".into()));
        let networks = document(ClosedBy::Network, CloseKind::Timeout);
        assert!(networks["code"].is_null() && networks["reason"].is_null());
    }

    #[test]
    fn an_empty_close_frame_has_neither_code_nor_reason() {
        let empty =
            document(ClosedBy::Peer, CloseKind::CloseFrame { code: None, reason: UntrustedText::default() });
        assert!(empty["code"].is_null() && empty["code_meaning"].is_null() && empty["reason"].is_null());
    }

    #[test]
    fn a_broken_close_frame_keeps_its_code_and_reason() {
        let close = Some(Box::new(ClosePayload { code: Some(1006), reason: UntrustedText::new("gone") }));
        let rule = Violation::InvalidCloseCode;
        let broken =
            document(ClosedBy::Peer, CloseKind::Violation { rule, detail: UntrustedText::new("x"), close });
        assert_eq!((&broken["code"], &broken["reason"]), (&1006.into(), &"gone".into()));
        assert_eq!(broken["violation"], "invalid_close_code");
    }

    #[test]
    fn our_size_limit_is_ours() {
        let ours = document(ClosedBy::Us, CloseKind::TooLarge { size: 2048, limit: 1024 });
        assert_eq!((&ours["who"], &ours["how"]), (&"us".into(), &"message_size_limit".into()));
        assert_eq!((&ours["code"], &ours["violation"]), (&1009.into(), &serde_json::Value::Null));
        assert_eq!(ours["detail"], "a message of 2 KiB above our limit of 1 KiB");
    }
}
