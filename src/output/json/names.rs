//! The words that scripts may rely on. Each list mirrors a domain enum, so that renaming inside
//! breaks nobody's jq, and a new variant does not compile until it has a name here.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connection::close_cause::{CloseKind, ClosedBy, Violation};
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::phase::Phase;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::ping::health::Status;
use crate::domain::run::run_result::RunResult;

macro_rules! names {
    ($(#[$doc:meta])* $name:ident of $domain:ident {
        $($(#[$meta:meta])* $variant:ident),* $(; $(#[$other_doc:meta])* $other:ident)? $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$meta])* $variant,)*
            $($(#[$other_doc])* $other,)?
        }

        impl From<$domain> for $name {
            fn from(value: $domain) -> $name {
                match value {
                    $($domain::$variant => $name::$variant,)*
                }
            }
        }
    };
}

pub(in crate::output) use names;

names! {
    /// How a connection, a target or the run is doing.
    StatusName of Status { Healthy, Degraded, Poor, Critical, Unknown, Timeout, Dead }
}

/// The result of a run, the same words for every command; the exit code says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultName {
    /// The arguments make no sense; exit code 2.
    Usage,
    /// Measured, and every criterion was met; exit code 0.
    Passed,
    /// Measured, and a criterion was not met; exit code 1.
    Failed,
    /// Never measured: no connection opened; exit code 3.
    Unreachable,
    /// It ran, but the evidence does not support an answer; exit code 4.
    Inconclusive,
    /// The user ended a bounded run before it was complete, and no criterion had failed; exit code 4, or 130 when
    /// nothing was open yet.
    Interrupted,
}

impl From<RunResult> for ResultName {
    fn from(result: RunResult) -> ResultName {
        match result {
            RunResult::Usage => ResultName::Usage,
            RunResult::Passed => ResultName::Passed,
            RunResult::Failed => ResultName::Failed,
            RunResult::Unreachable => ResultName::Unreachable,
            RunResult::Inconclusive => ResultName::Inconclusive,
            RunResult::Interrupted { .. } => ResultName::Interrupted,
        }
    }
}

/// The result of a run in the words before `result` had them: `not_measured` for `unreachable`, else the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictName {
    Passed,
    Failed,
    NotMeasured,
    Inconclusive,
    Interrupted,
    Usage,
}

impl From<RunResult> for VerdictName {
    fn from(result: RunResult) -> VerdictName {
        match result {
            RunResult::Usage => VerdictName::Usage,
            RunResult::Passed => VerdictName::Passed,
            RunResult::Failed => VerdictName::Failed,
            RunResult::Unreachable => VerdictName::NotMeasured,
            RunResult::Inconclusive => VerdictName::Inconclusive,
            RunResult::Interrupted { .. } => VerdictName::Interrupted,
        }
    }
}

names! {
    /// The layer at which a heartbeat asks.
    KindName of HeartbeatKind { Protocol, App }
}

names! {
    /// What became of a heartbeat.
    OutcomeName of HeartbeatOutcome { Ok, Late, Superseded, Missed, Unsent }
}

names! {
    /// A pong that answers no outstanding ping.
    StrayName of StrayPong { Unsolicited, Mismatched, Duplicate }
}

names! {
    /// The step at which a connection could not be opened.
    PhaseName of Phase { Dns, Tcp, Proxy, Tls, Upgrade, Await }
}

names! {
    /// Who ended a connection.
    WhoName of ClosedBy { Peer, Us, Network }
}

names! {
    /// A rule of RFC 6455 that the peer broke.
    ViolationName of Violation {
        MaskedFrame,
        InvalidUtf8,
        Garbage,
        InvalidCloseCode,
        InvalidClosePayload,
    }
}

names! {
    /// What kept a connection from opening; `usage` is that of arguments which make no sense.
    FailureName of FailureKind {
        NameNotFound,
        ResolverFailed,
        Refused,
        Unreachable,
        Reset,
        Timeout,
        ProxyFailed,
        CertificateExpired,
        CertificateNotYetValid,
        CertificateWrongName,
        CertificateUnknownIssuer,
        CertificateRevoked,
        CertificateInvalid,
        TlsFailed,
        NotHttp,
        UpgradeRefused,
        BadUpgrade,
        EndlessHeader,
        ClosedEarly,
        NotAwaited,
        Local,
        Other;
        Usage
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HowName {
    CloseFrame,
    Fin,
    Rst,
    TlsClose,
    TlsAlert,
    Violation,
    /// A message was larger than --max-message-size; we closed.
    MessageSizeLimit,
    Silent,
    Timeout,
    Error,
}

impl From<&CloseKind> for HowName {
    fn from(how: &CloseKind) -> HowName {
        match how {
            CloseKind::CloseFrame { .. } => HowName::CloseFrame,
            CloseKind::Fin => HowName::Fin,
            CloseKind::Rst => HowName::Rst,
            CloseKind::TlsClose => HowName::TlsClose,
            CloseKind::TlsAlert { .. } => HowName::TlsAlert,
            CloseKind::Violation { .. } => HowName::Violation,
            CloseKind::TooLarge { .. } => HowName::MessageSizeLimit,
            CloseKind::Silent => HowName::Silent,
            CloseKind::Timeout => HowName::Timeout,
            CloseKind::Error => HowName::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::untrusted_text::UntrustedText;

    fn name(value: impl Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_string()
    }

    #[test]
    fn json_and_the_domain_use_the_same_words() {
        for status in Status::ALL {
            assert_eq!(name(StatusName::from(status)), status.label());
        }
        for outcome in [
            HeartbeatOutcome::Ok,
            HeartbeatOutcome::Late,
            HeartbeatOutcome::Superseded,
            HeartbeatOutcome::Missed,
            HeartbeatOutcome::Unsent,
        ] {
            assert_eq!(name(OutcomeName::from(outcome)), outcome.label());
        }
        for rule in [
            Violation::MaskedFrame,
            Violation::InvalidUtf8,
            Violation::InvalidClosePayload,
            Violation::Garbage,
        ] {
            assert_eq!(name(ViolationName::from(rule)), rule.label());
        }
        for result in RunResult::ALL {
            assert_eq!(name(ResultName::from(result)), result.label());
        }
        assert_eq!(name(VerdictName::from(RunResult::Unreachable)), "not_measured");
        for how in [
            CloseKind::Fin,
            CloseKind::TlsClose,
            CloseKind::TlsAlert { alert: UntrustedText::default() },
            CloseKind::Silent,
        ] {
            assert_eq!(name(HowName::from(&how)), how.label());
        }
        assert_eq!(
            name(FailureName::from(FailureKind::CertificateNotYetValid)),
            FailureKind::CertificateNotYetValid.label()
        );
    }
}
