//! How a connection ended, in JSON.

use serde::{Deserialize, Serialize};

use super::document::document;
use super::names::Name;
use super::values::{FieldError, Ms, Text, Timestamp, ms};
use crate::domain::connection::close_cause::{
    CloseCause, CloseKind, CloseKindName, ClosePayload, CloseReply, ClosedBy, Violation, close_code_meaning,
};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::tcp::TcpView;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format;

document! {
    /// How and when a connection ended, and who ended it.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Ending"))]
    pub struct JsonEndingDocument from ending: &CloseCause {
        /// Who ended the connection.
        who: Name<ClosedBy> = ending.who,
        /// How the connection ended.
        how: Name<CloseKindName> = Name(CloseKindName::from(&ending.how)),
        /// The close code, the peer's or ours, even if it is not allowed on the wire; null without a close frame, or if
        /// that was empty.
        code: Option<u16> = close_frame(&ending.how, ending.who).and_then(|(code, _)| code),
        code_meaning: Option<Text> =
            close_frame(&ending.how, ending.who).and_then(|(code, _)| Some(close_code_meaning(code?).into())),
        /// The reason in the close frame; control characters from the peer are escaped.
        reason: Option<Text> = close_frame(&ending.how, ending.who).and_then(|(_, reason)| shown(&reason)),
        /// The error code by which HTTP/2 ended (RFC 9113 section 7); null if it did not.
        h2_code: Option<u32> = h2_code(&ending.how).map(|code| code.0),
        /// The name of `h2_code`; null if it has none.
        h2_code_name: Option<Text> = h2_code(&ending.how).and_then(|code| Some(code.name()?.into())),
        /// The rule of RFC 6455, RFC 7692 or RFC 9113 that the peer broke.
        violation: Option<Name<Violation>> = broken_rule(&ending.how).map(|(rule, _)| Name(rule)),
        /// Details of the violation; for a TLS alert, its name; for GOAWAY, its debug data.
        detail: Option<Text> = detail(&ending.how),
        /// The message that exceeded our limit (`--max-message-size`).
        too_large: Option<TooLargeDocument> = too_large(&ending.how),
        /// How the peer reacted to our close frame; null if wscheck sent none, or did not wait for a reaction.
        close_reply: Option<CloseReplyDocument> = ending.reply.as_ref().map(Into::into),
        /// The operating system's name for the error.
        os_error: Option<Text> = ending.os_error.as_ref().map(Into::into),
        /// TCP statistics at that moment, where the system provides them (Linux). They describe the path to the first TCP
        /// hop, which may be a proxy or a load balancer.
        tcp: Option<TcpDocument> = ending.tcp.map(Into::into),
        /// Time from the upgrade to the end.
        age_ms: Ms = ending.age,
        /// Time without traffic in either direction before the end.
        idle_ms: Ms = ending.idle,
        at: Timestamp = ending.at,
    }
}

/// A message above our limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "TooLarge"))]
pub struct TooLargeDocument {
    /// The size that was announced or received.
    bytes: u64,
    limit_bytes: u64,
}

document! {
    /// How the peer reacted to our close frame.
    #[derive(Deserialize)]
    pub struct CloseReplyDocument from reply: &CloseReply {
        /// What came after our close frame.
        how: Name<CloseReply> = reply.clone(),
        /// The code of the peer's close frame; null without one, or if it was empty.
        code: Option<u16> = reply_frame(reply).and_then(|close| close.code),
        /// The reason in the peer's close frame; control characters are escaped.
        reason: Option<Text> = reply_frame(reply).and_then(|close| shown(close.reason.as_str())),
        /// A description, if no name fits.
        detail: Option<Text> = if let CloseReply::Broken(why) = reply { Some(why.into()) } else { None },
        /// How long wscheck waited in vain; null if something came.
        waited_ms: Option<Ms> =
            if let CloseReply::Nothing { waited } = reply { Some((*waited).into()) } else { None },
    }
}

fn reply_frame(reply: &CloseReply) -> Option<&ClosePayload> {
    if let CloseReply::CloseFrame(close) = reply { Some(close) } else { None }
}

/// A reason that was given.
fn shown(reason: &str) -> Option<Text> {
    (!reason.is_empty()).then(|| reason.into())
}

document! {
    /// TCP statistics of one connection (TCP_INFO).
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Tcp"))]
    struct TcpDocument from view: TcpView {
        /// Smoothed RTT; it includes the delay of delayed acknowledgements.
        rtt_ms: Ms = view.rtt,
        rtt_deviation_ms: Ms = view.rtt_deviation,
        /// Minimum RTT of the last five minutes.
        min_rtt_ms: Option<Ms> = ms(view.min_rtt),
        /// Retransmitted segments since the connection began, without those that the peer reports as duplicates.
        retransmits: u32 = view.retransmits,
        /// Segments sent and not acknowledged.
        unacknowledged_segments: u32 = view.unacked,
        /// Bytes in the send buffer that were not sent.
        unsent_bytes: u32 = view.unsent,
        /// Time since the last acknowledgement.
        last_ack_ms: Ms = view.last_ack,
        /// Time since data last arrived.
        last_data_ms: Ms = view.last_data,
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
            | CloseKind::H2EndStream
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::TlsAlert { .. }
            | CloseKind::Violation { close: None, .. }
            | CloseKind::Silent
            | CloseKind::Error,
            _,
        ) => None,
    }
}

/// The error code by which HTTP/2 ended.
fn h2_code(how: &CloseKind) -> Option<Http2Code> {
    match how {
        CloseKind::H2RstStream { code } | CloseKind::H2Goaway { code, .. } => Some(*code),
        _ => None,
    }
}

/// The rule that was broken, and what was wrong.
pub fn broken_rule(how: &CloseKind) -> Option<(Violation, &UntrustedText)> {
    match how {
        CloseKind::Violation { rule, detail, .. } => Some((*rule, detail)),
        _ => None,
    }
}

/// What was wrong: with a frame, with TLS, or with the size of a message.
fn detail(how: &CloseKind) -> Option<Text> {
    match how {
        CloseKind::Violation { detail, .. } => Some(detail.into()),
        CloseKind::TlsAlert { alert } => Some(alert.into()),
        CloseKind::H2Goaway { debug, .. } if !debug.is_empty() => Some(debug.into()),
        CloseKind::TooLarge { size, limit } => {
            let (size, limit) = (format::size(*size), format::size(*limit));
            Some((&format!("a message of {size} above our limit of {limit}")).into())
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

impl JsonEndingDocument {
    /// The end of a connection, read back from this field.
    pub fn cause(self, field: &str) -> Result<CloseCause, FieldError> {
        let missing = |name: &str| FieldError::missing(format!("{field}.{name}"));
        let reason: UntrustedText = self.reason.map(Into::into).unwrap_or_default();
        let detail: UntrustedText = self.detail.map(Into::into).unwrap_or_default();
        let how = match self.how.0 {
            CloseKindName::CloseFrame => CloseKind::CloseFrame { code: self.code, reason },
            CloseKindName::Fin => CloseKind::Fin,
            CloseKindName::Rst => CloseKind::Rst,
            CloseKindName::TlsClose => CloseKind::TlsClose,
            CloseKindName::H2EndStream => CloseKind::H2EndStream,
            CloseKindName::H2RstStream => {
                CloseKind::H2RstStream { code: Http2Code(self.h2_code.ok_or_else(|| missing("h2_code"))?) }
            }
            CloseKindName::H2Goaway => CloseKind::H2Goaway {
                code: Http2Code(self.h2_code.ok_or_else(|| missing("h2_code"))?),
                debug: detail,
            },
            CloseKindName::TlsAlert => CloseKind::TlsAlert { alert: detail },
            CloseKindName::Violation => {
                let has_close = self.code.is_some() || !reason.is_empty();
                CloseKind::Violation {
                    rule: self.violation.ok_or_else(|| missing("violation"))?.0,
                    detail,
                    close: has_close.then(|| Box::new(ClosePayload { code: self.code, reason })),
                }
            }
            CloseKindName::TooLarge => {
                let too_large = self.too_large.ok_or_else(|| missing("too_large"))?;
                CloseKind::TooLarge { size: too_large.bytes, limit: too_large.limit_bytes }
            }
            CloseKindName::Silent => CloseKind::Silent,
            CloseKindName::Timeout => CloseKind::Timeout,
            CloseKindName::Error => CloseKind::Error,
        };
        Ok(CloseCause {
            who: self.who.0,
            how,
            reply: self.close_reply.map(CloseReply::from),
            os_error: self.os_error.map(Into::into),
            tcp: self.tcp.map(Into::into),
            age: self.age_ms.into(),
            idle: self.idle_ms.into(),
            at: self.at.into(),
        })
    }
}

impl From<CloseReplyDocument> for CloseReply {
    fn from(reply: CloseReplyDocument) -> CloseReply {
        let reason = reply.reason.map(Into::into).unwrap_or_default();
        match reply.how.0 {
            CloseReply::CloseFrame(_) => CloseReply::CloseFrame(ClosePayload { code: reply.code, reason }),
            CloseReply::Broken(_) => CloseReply::Broken(reply.detail.unwrap_or_default().into()),
            CloseReply::Nothing { .. } => {
                CloseReply::Nothing { waited: reply.waited_ms.unwrap_or_default().into() }
            }
            other @ (CloseReply::Fin | CloseReply::Rst | CloseReply::TlsClose | CloseReply::NotSent) => other,
        }
    }
}

impl From<TcpDocument> for TcpView {
    fn from(tcp: TcpDocument) -> TcpView {
        TcpView {
            rtt: tcp.rtt_ms.into(),
            rtt_deviation: tcp.rtt_deviation_ms.into(),
            min_rtt: tcp.min_rtt_ms.map(Into::into),
            retransmits: tcp.retransmits,
            unacked: tcp.unacknowledged_segments,
            unsent: tcp.unsent_bytes,
            last_ack: tcp.last_ack_ms.into(),
            last_data: tcp.last_data_ms.into(),
            acked: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn document(who: ClosedBy, how: CloseKind) -> serde_json::Value {
        let (age, idle, at) = (Duration::ZERO, Duration::ZERO, SystemTime::UNIX_EPOCH);
        serde_json::to_value(JsonEndingDocument::from(&CloseCause {
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
