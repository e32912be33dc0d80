//! How a connection opened, in JSON.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::document::document;
use super::names::Name;
use super::values::{Ms, Text, ms, strings};
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectInfo, HttpVersion, SharedHttp2, TimestampSource, TlsInfo,
};
use crate::domain::connection::phase::PhaseTimes;
use crate::domain::connection::untrusted_text::{UntrustedText, without_controls};

document! {
    /// Duration of each step of the opening; null for a step that did not happen.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Phases"))]
    pub struct PhasesDocument from phases: PhaseTimes {
        dns_ms: Option<Ms> = ms(phases.dns),
        tcp_ms: Option<Ms> = ms(phases.tcp),
        proxy_ms: Option<Ms> = ms(phases.proxy),
        tls_ms: Option<Ms> = ms(phases.tls),
        upgrade_ms: Option<Ms> = ms(phases.upgrade),
        /// Time from the start to the end of the upgrade.
        total_ms: Ms = phases.total,
    }
}

document! {
    /// One address that was tried.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Attempt"))]
    pub struct AttemptDocument from attempt: &ConnectAttempt {
        address: Text = (&attempt.address),
        took_ms: Ms = attempt.took,
        /// Why the attempt failed; null for the address that was used.
        error: Option<Text> = attempt.error.as_ref().map(Into::into),
    }
}

document! {
    /// The TLS parameters and the server's certificate.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Tls"))]
    pub struct TlsDocument from tls: &TlsInfo {
        version: Text = (&tls.version),
        cipher: Text = (&tls.cipher),
        alpn: Option<Text> = tls.alpn.as_ref().map(Into::into),
        /// Whole days until the certificate expires; negative if it has expired.
        days_left: Option<i64> = tls.days_left,
        subject: Option<Text> = tls.subject.as_ref().map(Into::into),
        issuer: Option<Text> = tls.issuer.as_ref().map(Into::into),
        /// False if the certificate was not verified (`--insecure`).
        verified: bool = tls.verified,
    }
}

/// Response headers that identify servers and proxies, by lower-case name. Repeated headers are joined by commas (RFC
/// 9110 5.3).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Headers(BTreeMap<String, Text>);

impl From<&[(String, UntrustedText)]> for Headers {
    fn from(headers: &[(String, UntrustedText)]) -> Headers {
        let mut joined = BTreeMap::<String, Text>::new();
        for (name, value) in headers {
            let before = &mut joined.entry(name.clone()).or_default().0;
            if !before.is_empty() {
                before.push_str(", ");
            }
            before.push_str(value.as_str());
        }
        Headers(joined)
    }
}

document! {
    /// A connection of HTTP/2 that WebSockets share.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "SharedHttp2"))]
    pub struct SharedHttp2Document from shared: SharedHttp2 {
        /// Which of the run's connections of HTTP/2 it is, from 1.
        connection: NonZeroU32 = shared.number,
        /// How many WebSockets were to share it.
        streams_wanted: u32 = shared.streams_wanted,
        /// How many streams its server allows at once (SETTINGS_MAX_CONCURRENT_STREAMS); null if it sets no limit.
        streams_allowed: Option<u32> = shared.streams_allowed,
    }
}

impl From<SharedHttp2Document> for SharedHttp2 {
    fn from(shared: SharedHttp2Document) -> SharedHttp2 {
        let SharedHttp2Document { connection: number, streams_wanted, streams_allowed } = shared;
        SharedHttp2 { number, streams_wanted, streams_allowed }
    }
}

document! {
    /// Details of an opened connection; all null or empty if it never opened.
    #[derive(Default, Deserialize)]
    #[cfg_attr(test, schemars(rename = "Opening"))]
    pub struct OpeningDocument from opened: &ConnectInfo {
        /// The address that the connection goes to: the server's, or the proxy's if there is one.
        pub remote: Option<Text> = opened.remote.as_ref().map(Into::into),
        pub local: Option<Text> = opened.local.as_ref().map(Into::into),
        /// The proxy, if any; `phases` then measures the connection to the proxy.
        pub proxy: Option<Text> = opened.proxy.as_ref().map(Into::into),
        pub phases: Option<PhasesDocument> = Some(opened.phases.into()),
        /// Every address that was tried, in order.
        pub attempts: Vec<AttemptDocument> = opened.attempts.iter().map(AttemptDocument::from).collect::<Vec<_>>(),
        /// Null without TLS.
        pub tls: Option<TlsDocument> = opened.tls.as_ref().map(TlsDocument::from),
        /// Which HTTP opened the WebSocket; null if it never opened.
        pub http: Option<Name<HttpVersion>> = Some(opened.http.into()),
        /// The connection of HTTP/2 that the WebSocket shares (`--streams-per-connection`); null if it shares none.
        pub shared_http2: Option<SharedHttp2Document> = opened.shared_http2.map(Into::into),
        pub subprotocols_offered: Vec<Text> = opened.subprotocols_offered.iter().map(Into::into).collect::<Vec<Text>>(),
        /// The subprotocol that the server chose.
        pub subprotocol: Option<Text> = opened.subprotocol.as_ref().map(Into::into),
        /// What `--compress` offered, as in the header; null without it.
        pub compression_offered: Option<Text> = opened.compression_offered.as_ref().map(Into::into),
        /// What the server agreed to, without default values.
        pub compression: Option<Text> = opened.compression.as_ref().map(Into::into),
        pub headers: Headers = opened.headers.as_slice(),
    }
}

impl OpeningDocument {
    /// For a connection that never opened: only the attempts are known.
    pub fn failed(attempts: &[ConnectAttempt]) -> OpeningDocument {
        let attempts = attempts.iter().map(AttemptDocument::from).collect();
        OpeningDocument { attempts, ..OpeningDocument::default() }
    }
}

impl From<PhasesDocument> for PhaseTimes {
    fn from(phases: PhasesDocument) -> PhaseTimes {
        PhaseTimes {
            dns: phases.dns_ms.map(Into::into),
            tcp: phases.tcp_ms.map(Into::into),
            proxy: phases.proxy_ms.map(Into::into),
            tls: phases.tls_ms.map(Into::into),
            upgrade: phases.upgrade_ms.map(Into::into),
            total: phases.total_ms.into(),
        }
    }
}

impl From<AttemptDocument> for ConnectAttempt {
    fn from(attempt: AttemptDocument) -> ConnectAttempt {
        ConnectAttempt {
            address: attempt.address.into(),
            took: attempt.took_ms.into(),
            error: attempt.error.map(Into::into),
        }
    }
}

impl From<TlsDocument> for TlsInfo {
    fn from(tls: TlsDocument) -> TlsInfo {
        TlsInfo {
            version: tls.version.into(),
            cipher: tls.cipher.into(),
            alpn: tls.alpn.map(Into::into),
            days_left: tls.days_left,
            subject: tls.subject.map(Into::into),
            issuer: tls.issuer.map(Into::into),
            verified: tls.verified,
        }
    }
}

impl From<Headers> for Vec<(String, UntrustedText)> {
    fn from(Headers(headers): Headers) -> Vec<(String, UntrustedText)> {
        headers.into_iter().map(|(name, value)| (without_controls(&name, false), value.into())).collect()
    }
}

impl OpeningDocument {
    /// The details of an opened connection, read back.
    pub fn info(self, timestamps: TimestampSource) -> ConnectInfo {
        ConnectInfo {
            remote: self.remote.map(Into::into),
            local: self.local.map(Into::into),
            proxy: self.proxy.map(Into::into),
            phases: self.phases.map(Into::into).unwrap_or_default(),
            attempts: self.attempts.into_iter().map(Into::into).collect(),
            tls: self.tls.map(Into::into),
            http: self.http.map(|http| http.0).unwrap_or_default(),
            shared_http2: self.shared_http2.map(Into::into),
            subprotocols_offered: strings(self.subprotocols_offered),
            subprotocol: self.subprotocol.map(Into::into),
            compression_offered: self.compression_offered.map(Into::into),
            compression: self.compression.map(Into::into),
            headers: self.headers.into(),
            timestamps,
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
