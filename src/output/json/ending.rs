//! How a connection finished, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::figures::{Ms, Timestamp};
use super::names::{HowName, ViolationName, WhoName};
use crate::domain::ending::{How, close_code_meaning};
use crate::domain::{ending, ending::Violation, peer_text::PeerText};

/// How, when and by whom a connection ended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ending {
    who: WhoName,
    how: HowName,
    /// The close code; null without a close frame, or when it was empty.
    code: Option<u16>,
    code_meaning: Option<&'static str>,
    /// The reason in the close frame, as the peer gave it; control characters are escaped.
    reason: Option<String>,
    /// The rule of RFC 6455 that the peer broke.
    violation: Option<ViolationName>,
    /// What was wrong about it.
    detail: Option<String>,
    /// The operating system's name for the error.
    os_error: Option<String>,
    /// From the end of the upgrade to the end.
    age_ms: Ms,
    /// How long nothing had come from the peer.
    idle_ms: Ms,
    at: Timestamp,
}

impl From<&ending::Ending> for Ending {
    fn from(ending: &ending::Ending) -> Ending {
        let code = close_code(&ending.how);
        let (violation, detail) = broken_rule(&ending.how).unzip();
        Ending {
            who: ending.who.into(),
            how: (&ending.how).into(),
            code,
            code_meaning: code.map(close_code_meaning),
            reason: close_reason(&ending.how).map(PeerText::to_string),
            violation: violation.map(ViolationName::from),
            detail: detail.map(PeerText::to_string),
            os_error: ending.os_error.clone(),
            age_ms: ending.age.into(),
            idle_ms: ending.idle.into(),
            at: ending.at.into(),
        }
    }
}

/// The code of a close frame.
pub fn close_code(how: &How) -> Option<u16> {
    match how {
        How::CloseFrame { code, .. } => *code,
        How::Fin
        | How::Rst
        | How::TlsClose
        | How::Violation { .. }
        | How::Silent
        | How::Timeout
        | How::Error => None,
    }
}

/// What a close frame says.
pub fn close_reason(how: &How) -> Option<&PeerText> {
    match how {
        How::CloseFrame { reason, .. } if !reason.is_empty() => Some(reason),
        _ => None,
    }
}

/// The rule of RFC 6455 that was broken, and what was wrong.
pub fn broken_rule(how: &How) -> Option<(Violation, &PeerText)> {
    match how {
        How::Violation { rule, detail } => Some((*rule, detail)),
        _ => None,
    }
}
