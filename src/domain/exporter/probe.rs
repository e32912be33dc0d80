//! What one probe found, and its metrics.
//!
//! Metrics named `probe_*` have the names and the meaning of Prometheus' blackbox_exporter, so that its alerts and
//! dashboards work here. The differences:
//!
//! 1. `probe_success` also needs the module's pongs.
//! 2. What is not known has no sample. Only the status code and the IP protocol are 0 then, as there.
//! 3. `probe_ssl_last_chain_expiry_timestamp_seconds` covers the certificates that the server sent, from its own to
//!    the last issuer among them. A root that only this machine has is not covered.

use std::time::Duration;

use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::tls_inspection::CertificateFacts;
use crate::domain::exposition::{FamilyUnit, MetricFamily, Sample};
use crate::domain::label::Label;

/// What one probe of a target found. Durations are `None` for phases that did not happen or did not end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProbeResult {
    pub resolve: Option<Duration>,
    pub connect: Option<Duration>,
    pub proxy: Option<Duration>,
    pub tls: Option<Duration>,
    /// From the upgrade request to the end of the response's head.
    pub processing: Option<Duration>,
    /// From our close frame to the peer's.
    pub close: Option<Duration>,
    /// Of the whole probe.
    pub total: Duration,
    /// The octets of the address used: 4 or 16.
    pub address: Option<Vec<u8>>,
    /// Of the response to the upgrade.
    pub status_code: Option<u16>,
    pub is_upgraded: bool,
    pub tls_facts: Option<ProbeTls>,
    /// How many pings were to be answered.
    pub pings: u32,
    /// Of the answered pings, in order.
    pub rtts: Vec<Duration>,
    pub failure: Option<ProbeFailure>,
}

/// TLS with the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeTls {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The certificates that the server sent, its own first.
    pub chain: Vec<CertificateFacts>,
    /// The certificates were checked.
    pub is_verified: bool,
}

/// Why a probe failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFailure {
    pub step: ProbeStep,
    pub kind: FailureKind,
    /// One line without secrets.
    pub error: String,
}

/// A step of a probe that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeStep {
    Opening(Phase),
    Pings,
}

impl ProbeStep {
    /// The name in metrics.
    pub fn label(self) -> &'static str {
        match self {
            ProbeStep::Opening(phase) => phase.label(),
            ProbeStep::Pings => "ping",
        }
    }
}

impl ProbeResult {
    /// Whether the connection was upgraded and every ping answered.
    pub fn is_success(&self) -> bool {
        self.failure.is_none()
    }

    /// 4 or 6.
    fn ip_protocol(&self) -> Option<f64> {
        Some(if self.address.as_ref()?.len() == 4 { 4.0 } else { 6.0 })
    }

    /// The metrics of the probe.
    pub fn families(&self) -> Vec<MetricFamily> {
        let tls = self.tls_facts.iter().flat_map(ProbeTls::families);
        self.of_blackbox().into_iter().chain(tls).chain(self.of_wscheck()).collect()
    }

    fn of_blackbox(&self) -> Vec<MetricFamily> {
        let success = f64::from(u8::from(self.is_success()));
        let upgraded = f64::from(u8::from(self.is_upgraded));
        let phases = [
            ("resolve", self.resolve),
            ("connect", self.connect),
            ("tls", self.tls),
            ("processing", self.processing),
        ];
        vec![
            gauge(
                "probe_success",
                "whether the connection was upgraded and every ping answered",
                Some(success),
            ),
            seconds("probe_duration", "duration of the probe", Some(self.total)),
            seconds("probe_dns_lookup_time", "duration of the name's resolution", self.resolve),
            gauge(
                "probe_ip_protocol",
                "IP protocol of the connection: 4 or 6; 0 if there was none",
                Some(self.ip_protocol().unwrap_or_default()),
            ),
            gauge(
                "probe_ip_addr_hash",
                "hash of the IP address, to notice when it changes",
                self.address.as_deref().map(|octets| f64::from(fnv1a(octets))),
            ),
            gauge(
                "probe_websocket_connection_upgraded",
                "whether the connection was upgraded",
                Some(upgraded),
            ),
            gauge(
                "probe_websocket_status_code",
                "HTTP status code of the response to the upgrade; 0 if there was none",
                Some(self.status_code.map_or(0.0, f64::from)),
            ),
            by_phase("probe_websocket_duration", "duration of the opening by phase", &phases),
        ]
    }

    fn of_wscheck(&self) -> Vec<MetricFamily> {
        let phases =
            [("proxy", self.proxy), ("first_pong", self.rtts.first().copied()), ("close", self.close)];
        let answered = u32::try_from(self.rtts.len()).unwrap_or(u32::MAX);
        let pings = [
            ("answered", answered),
            ("unanswered", if self.is_upgraded { self.pings.saturating_sub(answered) } else { 0 }),
        ];
        let pings = pings.map(|(outcome, number)| Sample::plain(f64::from(number)).with("outcome", outcome));
        let failure = self.failure.as_ref().map(|failure| {
            Sample::plain(1.0).with("step", failure.step.label()).with("kind", failure.kind.label())
        });
        vec![
            by_phase("wscheck_probe_phase", "duration of further phases", &phases),
            self.rtt(),
            MetricFamily::gauge(
                "wscheck_probe_pings",
                FamilyUnit::None,
                "pings of the probe, by outcome",
                pings.into(),
            ),
            MetricFamily::gauge(
                "wscheck_probe_failure_info",
                FamilyUnit::None,
                "why the probe failed",
                failure.into_iter().collect(),
            ),
        ]
    }

    fn rtt(&self) -> MetricFamily {
        let sum: Duration = self.rtts.iter().sum();
        let mean = u32::try_from(self.rtts.len()).ok().and_then(|number| sum.checked_div(number));
        let values = [
            ("min", self.rtts.iter().min().copied()),
            ("mean", mean),
            ("max", self.rtts.iter().max().copied()),
        ];
        let samples = values
            .into_iter()
            .filter_map(|(stat, rtt)| Some(Sample::plain(rtt?.as_secs_f64()).with("stat", stat)));
        let help = "from the ping's bytes leaving to the pong's bytes arriving, over the pings of the probe";
        MetricFamily::gauge("wscheck_probe_rtt", FamilyUnit::Seconds, help, samples.collect())
    }
}

impl ProbeTls {
    fn families(&self) -> Vec<MetricFamily> {
        let version = Sample::plain(1.0).with("version", self.version.replace("TLSv", "TLS "));
        vec![
            gauge(
                "probe_ssl_earliest_cert_expiry",
                "when the first of the server's certificates expires, in seconds since 1970",
                self.chain.iter().map(|certificate| certificate.not_after as f64).reduce(f64::min),
            ),
            gauge(
                "probe_ssl_last_chain_expiry_timestamp_seconds",
                "when the first certificate of the verified chain expires, in seconds since 1970",
                self.chain_expiry().filter(|_| self.is_verified).map(|expiry| expiry as f64),
            ),
            MetricFamily::gauge(
                "probe_tls_version_info",
                FamilyUnit::None,
                "TLS version of the connection",
                vec![version],
            ),
        ]
    }

    /// The earliest expiry among the server's certificate and its issuers.
    fn chain_expiry(&self) -> Option<i64> {
        let issuer = |one: &&CertificateFacts| self.chain.get(one.issuer_position?);
        // A malformed chain may name its issuers in a circle.
        let path = std::iter::successors(self.chain.first(), issuer).take(self.chain.len());
        path.map(|certificate| certificate.not_after).min()
    }
}

fn gauge(name: &'static str, help: &'static str, value: Option<f64>) -> MetricFamily {
    MetricFamily::gauge(name, FamilyUnit::None, help, value.map(Sample::plain).into_iter().collect())
}

fn seconds(name: &'static str, help: &'static str, value: Option<Duration>) -> MetricFamily {
    let value = value.map(|span| Sample::plain(span.as_secs_f64()));
    MetricFamily::gauge(name, FamilyUnit::Seconds, help, value.into_iter().collect())
}

fn by_phase(
    name: &'static str,
    help: &'static str,
    phases: &[(&'static str, Option<Duration>)],
) -> MetricFamily {
    let samples = phases
        .iter()
        .filter_map(|(phase, span)| Some(Sample::plain(span.as_ref()?.as_secs_f64()).with("phase", *phase)));
    MetricFamily::gauge(name, FamilyUnit::Seconds, help, samples.collect())
}

/// FNV-1a with 32 bits (draft-eastlake-fnv), which blackbox_exporter uses.
fn fnv1a(octets: &[u8]) -> u32 {
    let step = |hash: u32, octet: &u8| (hash ^ u32::from(*octet)).wrapping_mul(0x0100_0193);
    octets.iter().fold(0x811c_9dc5, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::tls_inspection::{KeyAlgorithm, KeyFacts, SignatureFacts};
    use crate::domain::exposition::encode;

    fn certificate(not_after: i64, issuer_position: Option<usize>) -> CertificateFacts {
        CertificateFacts {
            subject: None,
            common_name: None,
            issuer: None,
            names: Vec::new(),
            more_names: 0,
            not_before: 0,
            not_after,
            key: KeyFacts { algorithm: KeyAlgorithm::Ed25519, bits: None },
            signature: SignatureFacts { algorithm: String::new(), is_forgeable: false },
            is_self_issued: false,
            is_ca: false,
            issuer_url: None,
            has_log_timestamps: false,
            issuer_position,
        }
    }

    #[test]
    fn success_has_every_metric() {
        let ms = |ms| Some(Duration::from_millis(ms));
        // The last certificate belongs to no chain of the server's.
        let chain = vec![certificate(300, Some(1)), certificate(200, None), certificate(100, None)];
        let tls = ProbeTls { version: "TLSv1.3".to_string(), chain, is_verified: true };
        let result = ProbeResult {
            resolve: ms(1),
            connect: ms(2),
            proxy: ms(3),
            tls: ms(4),
            processing: ms(5),
            close: ms(6),
            total: Duration::from_millis(50),
            address: Some(vec![192, 0, 2, 1]),
            status_code: Some(101),
            is_upgraded: true,
            tls_facts: Some(tls),
            pings: 2,
            rtts: vec![Duration::from_millis(10), Duration::from_millis(20)],
            failure: None,
        };
        insta::assert_snapshot!("success", encode(&result.families()));
    }

    #[test]
    fn failure_has_no_sample_of_what_is_unknown() {
        let failure = ProbeFailure {
            step: ProbeStep::Opening(Phase::Tcp),
            kind: FailureKind::Refused,
            error: "cannot open".to_string(),
        };
        let result = ProbeResult { pings: 1, failure: Some(failure), ..ProbeResult::default() };
        insta::assert_snapshot!("failure", encode(&result.families()));
    }

    #[test]
    fn circle_of_issuers_ends_and_unverified_chains_have_no_expiry() {
        let chain = vec![certificate(300, Some(1)), certificate(200, Some(0))];
        let tls = ProbeTls { version: "TLSv1.2".to_string(), chain, is_verified: false };
        assert_eq!(tls.chain_expiry(), Some(200));
        let text = encode(&tls.families());
        assert!(text.contains("probe_tls_version_info{version=\"TLS 1.2\"} 1\n"), "{text}");
        assert!(!text.contains("last_chain"), "{text}");
    }

    /// Values of the specification.
    #[test]
    fn hash_is_fnv_1a() {
        assert_eq!((fnv1a(b""), fnv1a(b"a"), fnv1a(b"foobar")), (0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968));
    }
}
