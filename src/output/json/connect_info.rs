//! How a connection opened, in JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::heartbeat_figures::{Ms, ms};
use crate::domain::connection::connect_info::{self, ConnectInfo, TlsInfo};
use crate::domain::connection::phase;
use crate::domain::connection::untrusted_text::UntrustedText;

/// Duration of each step of the opening; null for a step that did not happen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Phases")]
pub struct PhasesDocument {
    dns_ms: Option<Ms>,
    tcp_ms: Option<Ms>,
    proxy_ms: Option<Ms>,
    tls_ms: Option<Ms>,
    upgrade_ms: Option<Ms>,
    /// Time from the start to the end of the upgrade.
    total_ms: Ms,
}

impl From<phase::PhaseTimes> for PhasesDocument {
    fn from(phases: phase::PhaseTimes) -> PhasesDocument {
        PhasesDocument {
            dns_ms: ms(phases.dns),
            tcp_ms: ms(phases.tcp),
            proxy_ms: ms(phases.proxy),
            tls_ms: ms(phases.tls),
            upgrade_ms: ms(phases.upgrade),
            total_ms: phases.total.into(),
        }
    }
}

/// One address that was tried.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Attempt")]
pub struct AttemptDocument {
    address: String,
    took_ms: Ms,
    /// Why the attempt failed; null for the address that was used.
    error: Option<String>,
}

impl From<&connect_info::ConnectAttempt> for AttemptDocument {
    fn from(attempt: &connect_info::ConnectAttempt) -> AttemptDocument {
        AttemptDocument {
            address: attempt.address.clone(),
            took_ms: attempt.took.into(),
            error: attempt.error.clone(),
        }
    }
}

/// The TLS parameters and the server's certificate.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Tls")]
pub struct TlsDocument {
    version: String,
    cipher: String,
    alpn: Option<String>,
    /// Whole days until the certificate expires; negative if it has expired.
    days_left: Option<i64>,
    subject: Option<String>,
    issuer: Option<String>,
    /// False if the certificate was not verified (`--insecure`).
    verified: bool,
}

impl From<&TlsInfo> for TlsDocument {
    fn from(tls: &TlsInfo) -> TlsDocument {
        TlsDocument {
            version: tls.version.clone(),
            cipher: tls.cipher.clone(),
            alpn: tls.alpn.clone(),
            days_left: tls.days_left,
            subject: tls.subject.as_ref().map(UntrustedText::to_string),
            issuer: tls.issuer.as_ref().map(UntrustedText::to_string),
            verified: tls.verified,
        }
    }
}

/// Response headers that identify servers and proxies, by lower-case name. Repeated headers are joined by commas (RFC
/// 9110 5.3).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Headers(BTreeMap<String, String>);

impl From<&[(String, UntrustedText)]> for Headers {
    fn from(headers: &[(String, UntrustedText)]) -> Headers {
        let mut joined = BTreeMap::<String, String>::new();
        for (name, value) in headers {
            let before = joined.entry(name.clone()).or_default();
            if !before.is_empty() {
                before.push_str(", ");
            }
            before.push_str(value.as_str());
        }
        Headers(joined)
    }
}

/// Details of an opened connection; all null or empty if it never opened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Opening")]
pub struct OpeningDocument {
    /// The address that the connection goes to: the server's, or the proxy's if there is one.
    remote: Option<String>,
    local: Option<String>,
    /// The proxy, if any; `phases` then measures the connection to the proxy.
    proxy: Option<String>,
    phases: Option<PhasesDocument>,
    /// Every address that was tried, in order.
    attempts: Vec<AttemptDocument>,
    /// Null without TLS.
    tls: Option<TlsDocument>,
    subprotocols_offered: Vec<String>,
    /// The subprotocol that the server chose.
    subprotocol: Option<String>,
    headers: Headers,
}

impl OpeningDocument {
    /// For a connection that never opened: only the attempts are known.
    pub fn failed(attempts: &[connect_info::ConnectAttempt]) -> OpeningDocument {
        OpeningDocument {
            remote: None,
            local: None,
            proxy: None,
            phases: None,
            attempts: attempts.iter().map(AttemptDocument::from).collect(),
            tls: None,
            subprotocols_offered: Vec::new(),
            subprotocol: None,
            headers: Headers(BTreeMap::new()),
        }
    }
}

impl From<&ConnectInfo> for OpeningDocument {
    fn from(opened: &ConnectInfo) -> OpeningDocument {
        OpeningDocument {
            remote: opened.remote.clone(),
            local: opened.local.clone(),
            proxy: opened.proxy.clone(),
            phases: Some(opened.phases.into()),
            attempts: opened.attempts.iter().map(AttemptDocument::from).collect(),
            tls: opened.tls.as_ref().map(TlsDocument::from),
            subprotocols_offered: opened.subprotocols_offered.clone(),
            subprotocol: opened.subprotocol.as_ref().map(UntrustedText::to_string),
            headers: opened.headers.as_slice().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_came_twice_is_one_value() {
        let headers = [("via", "1.1 a"), ("server", "x"), ("via", "1.1 b")]
            .map(|(name, value)| (name.to_string(), UntrustedText::new(value)));
        let json = serde_json::to_string(&Headers::from(headers.as_slice())).unwrap();
        assert_eq!(json, r#"{"server":"x","via":"1.1 a, 1.1 b"}"#);
    }
}
