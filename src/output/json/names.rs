//! The words that scripts may rely on. Each list mirrors a domain enum, so that renaming inside
//! breaks nobody's jq, and a new variant does not compile until it has a name here.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::ending::{How, Violation, Who};
use crate::domain::health::Status;
use crate::domain::heartbeat::{Kind, Outcome, Stray};
use crate::domain::opening::FailureKind;
use crate::domain::phase::Phase;
use crate::domain::report::Verdict;

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

names! {
    /// What the run comes to; the exit code says the same. `usage` is that of arguments which make no sense.
    VerdictName of Verdict { Passed, Failed, NotMeasured, Inconclusive, Interrupted; Usage }
}

names! {
    /// The layer at which a heartbeat asks.
    KindName of Kind { Protocol, App }
}

names! {
    /// What became of a heartbeat.
    OutcomeName of Outcome { Ok, Late, Superseded, Missed, Unsent }
}

names! {
    /// A pong that answers no outstanding ping.
    StrayName of Stray { Unsolicited, Mismatched, Duplicate }
}

names! {
    /// The step at which a connection could not be opened.
    PhaseName of Phase { Dns, Tcp, Proxy, Tls, Upgrade, Await }
}

names! {
    /// Who ended a connection.
    WhoName of Who { Peer, Us, Network }
}

names! {
    /// A rule of RFC 6455 that the peer broke.
    ViolationName of Violation {
        MaskedFrame,
        InvalidUtf8,
        #[serde(rename = "oversized_frame")]
        Oversized,
        Garbage,
        InvalidCloseCode,
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
    Silent,
    Timeout,
    Error,
}

impl From<&How> for HowName {
    fn from(how: &How) -> HowName {
        match how {
            How::CloseFrame { .. } => HowName::CloseFrame,
            How::Fin => HowName::Fin,
            How::Rst => HowName::Rst,
            How::TlsClose => HowName::TlsClose,
            How::TlsAlert { .. } => HowName::TlsAlert,
            How::Violation { .. } => HowName::Violation,
            How::Silent => HowName::Silent,
            How::Timeout => HowName::Timeout,
            How::Error => HowName::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::peer_text::PeerText;

    fn name(value: impl Serialize) -> String {
        serde_json::to_value(value).unwrap().as_str().unwrap().to_string()
    }

    #[test]
    fn json_and_the_domain_use_the_same_words() {
        for status in Status::ALL {
            assert_eq!(name(StatusName::from(status)), status.label());
        }
        for outcome in [Outcome::Ok, Outcome::Late, Outcome::Superseded, Outcome::Missed, Outcome::Unsent] {
            assert_eq!(name(OutcomeName::from(outcome)), outcome.label());
        }
        for rule in [Violation::MaskedFrame, Violation::InvalidUtf8, Violation::Oversized, Violation::Garbage]
        {
            assert_eq!(name(ViolationName::from(rule)), rule.label());
        }
        for verdict in [Verdict::NotMeasured, Verdict::Passed, Verdict::Interrupted] {
            assert_eq!(name(VerdictName::from(verdict)), verdict.label());
        }
        for how in [How::Fin, How::TlsClose, How::TlsAlert { alert: PeerText::default() }, How::Silent] {
            assert_eq!(name(HowName::from(&how)), how.label());
        }
        assert_eq!(
            name(FailureName::from(FailureKind::CertificateNotYetValid)),
            FailureKind::CertificateNotYetValid.label()
        );
    }
}
