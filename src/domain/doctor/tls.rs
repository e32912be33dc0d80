//! What a TLS handshake says about an endpoint.
//!
//! A chain is called incomplete only if one of these holds; otherwise the weaker "unknown issuer" is reported:
//!
//! 1. The leaf's issuer was not sent, and the leaf holds timestamps of Certificate Transparency logs: a public CA issued
//!    it, and public CAs issue servers' certificates by intermediates only (CA/Browser Forum Baseline Requirements,
//!    section 6.1.7).
//! 2. The issuer is unknown and was not sent, but other CA certificates were: the server sends the wrong ones.
//!
//! A trusted chain is called private only if the system's roots are used, Mozilla's list does not verify it, and
//! the leaf holds no such timestamps.

use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::catalogue::{self, Product};
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::tls_inspection::{
    CertificateFacts, ClientCertificate, ClientCertificateReaction, ClientCertificateRequest, KeyAlgorithm,
    KeyFacts, RootSource, TlsInspection, TlsVersion, Trust,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::run::finding::{Finding, Severity};

/// Below this time left, a certificate's renewal is late: Let's Encrypt recommends to renew with a third of the
/// lifetime left, which is 30 days of 90.
const EXPIRY_WARNING: Duration = Duration::from_secs(21 * 24 * 60 * 60);
/// Below this time left, an expiry is urgent.
const EXPIRY_PROBLEM: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The share of a certificate's lifetime that bounds `EXPIRY_WARNING`: certificates of a few days are renewed later.
const WARNING_SHARE: u32 = 4;
/// The share of a certificate's lifetime that bounds `EXPIRY_PROBLEM`.
const PROBLEM_SHARE: u32 = 12;
/// The shortest RSA key that clients accept (CA/Browser Forum Baseline Requirements, section 6.1.5).
const MIN_RSA_BITS: u32 = 2048;
/// The longest RSA key that the ring library accepts.
const MAX_RSA_BITS: u32 = 8192;
/// The shortest elliptic curve that clients accept (the same section).
const MIN_CURVE_BITS: u32 = 256;
/// The most names that a finding lists.
const MAX_LISTED_NAMES: usize = 10;

/// One thing that a TLS handshake says about an endpoint.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(TlsFindingCode), strum(serialize_all = "snake_case"))]
pub enum TlsFinding {
    /// The TLS handshake succeeded, with a signature that clients accept.
    TlsOk { version: TlsVersion, cipher: String, alpn: Option<UntrustedText> },
    /// The server chose TLS 1.2 although TLS 1.3 was offered.
    TlsVersionOld { version: TlsVersion },
    /// The server does not take HTTP/1.1 by ALPN, which a WebSocket of RFC 6455 needs.
    TlsHttp1Refused { chosen: Option<UntrustedText> },
    /// Clients do not accept the server's signature in the handshake.
    TlsSignatureRejected { cause: String },
    /// The certificate is trusted, covers the name that was asked for, and does not expire soon.
    CertificateOk {
        subject: Option<UntrustedText>,
        issuer: Option<UntrustedText>,
        names: ListedNames,
        /// Whole days until the leaf expires.
        days_left: i64,
        /// Whole days until the first certificate of the chain expires.
        chain_days_left: i64,
    },
    /// The certificate was not checked, since the user skipped the check.
    CertificateUnchecked,
    /// A certificate of the chain has expired.
    CertificateExpired {
        certificate: CertificateName,
        ago: Duration,
        /// This machine trusts the chain nevertheless, by another issuer.
        trusted_here: bool,
    },
    /// A certificate of the chain is not valid yet, or this machine's clock is wrong.
    CertificateNotYetValid { certificate: CertificateName, wait: Duration },
    /// A certificate of the chain expires soon.
    CertificateExpiresSoon {
        certificate: CertificateName,
        left: Duration,
        lifetime: Duration,
        /// Less than 7 days or a twelfth of its lifetime is left.
        urgent: bool,
    },
    /// The certificate does not cover the name that was asked for.
    CertificateWrongName { asked: String, names: ListedNames, mismatch: NameMismatch },
    /// The server does not send an intermediate certificate that clients need.
    CertificateChainIncomplete {
        /// The certificate whose issuer was not sent.
        certificate: CertificateName,
        missing: Option<UntrustedText>,
        evidence: IncompleteEvidence,
        issuer_url: Option<UntrustedText>,
        /// How many certificates the server sent.
        sent: usize,
        /// This machine trusts the chain nevertheless: it has the intermediate certificate.
        trusted_here: bool,
    },
    /// This machine does not know the certificate's issuer.
    CertificateUnknownIssuer {
        issuer: Option<UntrustedText>,
        reason: UnknownIssuerReason,
        roots: RootSource,
        /// The product for TLS inspection that the issuer's name names.
        inspector: Option<&'static str>,
    },
    /// The issuer is not a public CA, though this machine trusts it: a private CA, or TLS inspection on the path.
    CertificatePrivateIssuer {
        issuer: Option<UntrustedText>,
        /// The product for TLS inspection that the issuer's name names.
        inspector: Option<&'static str>,
    },
    /// The server sends its certificates in the wrong order.
    CertificateChainDisordered { sent: usize },
    /// A certificate of the chain has a key that clients refuse, since it is too short or obsolete.
    CertificateKeyWeak { certificate: CertificateName, key: KeyFacts },
    /// A certificate of the chain has a key of a kind that many clients do not accept.
    CertificateKeyUncommon { certificate: CertificateName, key: KeyFacts },
    /// A certificate of the chain has a signature that clients refuse, by a hash that can be forged.
    CertificateSignatureWeak { certificate: CertificateName, algorithm: String },
    /// The issuer revoked the certificate.
    CertificateRevoked,
    /// The certificate is not acceptable for another reason.
    CertificateRejected { cause: String },
    /// The server asked for a client certificate and did not refuse in TLS.
    ClientCertificateAsked { request: ClientCertificateRequest },
    /// The server refuses clients without a certificate.
    ClientCertificateRequired { alert: String, request: ClientCertificateRequest },
    /// The server refused our client certificate.
    ClientCertificateRefused { alert: String, request: ClientCertificateRequest },
}

/// A certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateName {
    /// Its place in what the server sent; 0 is the leaf.
    pub position: usize,
    pub subject: Option<UntrustedText>,
}

/// The names of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedNames {
    /// At most 10.
    pub listed: Vec<UntrustedText>,
    /// Number of further names.
    pub more: usize,
}

/// How a certificate's names miss the asked name.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum NameMismatch {
    /// It has no subjectAltName; clients ignore its common name (RFC 9525 section 2).
    CommonNameOnly,
    /// The wildcard does not cover the asked name: it stands for exactly one label (RFC 9525 section 6.3).
    Wildcard(UntrustedText),
    /// It is the certificate that this product presents where none is configured for the name.
    DefaultOf(&'static str),
    Other,
}

/// Why a chain is called incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IncompleteEvidence {
    /// A public CA issued the leaf, and these use intermediate certificates.
    PublicCa,
    /// Other CA certificates were sent, but not the issuer's.
    WrongCertificates,
}

/// What is known of an issuer that is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum UnknownIssuerReason {
    /// The certificate issued itself.
    SelfSigned,
    /// Mozilla's list verifies the chain: this machine's roots lack a public CA.
    PublicRootMissing,
    /// The server sent the whole chain, and its root is not trusted.
    UntrustedRoot(Option<UntrustedText>),
    /// An intermediate certificate may be missing, or the CA is not trusted.
    Undecided { issuer_url: Option<UntrustedText> },
}

impl Finding for TlsFinding {
    fn severity(&self) -> Severity {
        match self {
            TlsFinding::TlsOk { .. } | TlsFinding::CertificateOk { .. } => Severity::Ok,
            TlsFinding::TlsVersionOld { .. }
            | TlsFinding::CertificateUnchecked
            | TlsFinding::CertificatePrivateIssuer { inspector: None, .. }
            | TlsFinding::ClientCertificateAsked { .. } => Severity::Info,
            TlsFinding::CertificateExpired { trusted_here: true, .. }
            | TlsFinding::CertificateExpiresSoon { urgent: false, .. }
            | TlsFinding::CertificatePrivateIssuer { inspector: Some(_), .. }
            | TlsFinding::CertificateChainDisordered { .. }
            | TlsFinding::CertificateKeyUncommon { .. } => Severity::Warning,
            TlsFinding::TlsHttp1Refused { .. }
            | TlsFinding::TlsSignatureRejected { .. }
            | TlsFinding::CertificateExpired { trusted_here: false, .. }
            | TlsFinding::CertificateNotYetValid { .. }
            | TlsFinding::CertificateExpiresSoon { urgent: true, .. }
            | TlsFinding::CertificateWrongName { .. }
            | TlsFinding::CertificateChainIncomplete { .. }
            | TlsFinding::CertificateUnknownIssuer { .. }
            | TlsFinding::CertificateKeyWeak { .. }
            | TlsFinding::CertificateSignatureWeak { .. }
            | TlsFinding::CertificateRevoked
            | TlsFinding::CertificateRejected { .. }
            | TlsFinding::ClientCertificateRequired { .. }
            | TlsFinding::ClientCertificateRefused { .. } => Severity::Problem,
        }
    }
}

/// What a handshake says about the endpoint: the protocol, then the certificates, then the client certificate. The
/// certificates are judged for the name that was asked for.
pub fn judge(inspection: &TlsInspection) -> Vec<TlsFinding> {
    let mut findings = protocol(inspection);
    findings.extend(certificates(inspection));
    findings.extend(client_certificate(&inspection.client_certificate));
    findings
}

fn protocol(inspection: &TlsInspection) -> Vec<TlsFinding> {
    let mut findings = Vec::new();
    findings.extend(established(inspection));
    if let Some(version @ TlsVersion::Tls12) = inspection.version {
        findings.push(TlsFinding::TlsVersionOld { version });
    }
    if inspection.alpn.refused_http1 {
        findings.push(TlsFinding::TlsHttp1Refused { chosen: inspection.alpn.chosen.clone() });
    }
    findings.extend(signature_rejected(inspection));
    findings
}

/// A handshake that other clients, too, can end, if they trust the certificate.
fn established(inspection: &TlsInspection) -> Option<TlsFinding> {
    let is_refused = matches!(
        &inspection.client_certificate,
        ClientCertificate::Asked(request) if matches!(request.reaction, ClientCertificateReaction::Refused(_))
    );
    let (version, cipher) = (inspection.version?, inspection.cipher.clone()?);
    let succeeded = inspection.signature_fault.is_none() && !is_refused;
    succeeded.then(|| TlsFinding::TlsOk { version, cipher, alpn: inspection.alpn.chosen.clone() })
}

/// A rejected signature, unless the leaf's key explains it.
fn signature_rejected(inspection: &TlsInspection) -> Option<TlsFinding> {
    let cause = inspection.signature_fault.clone()?;
    let explained = inspection.leaf().is_some_and(|leaf| key_quality(&leaf.key) != KeyQuality::Usual);
    (!explained).then_some(TlsFinding::TlsSignatureRejected { cause })
}

fn certificates(inspection: &TlsInspection) -> Vec<TlsFinding> {
    let mut findings = Vec::new();
    for (position, certificate) in checked(inspection) {
        let name = CertificateName { position, subject: certificate.subject.clone() };
        findings.extend(validity(inspection, certificate, &name));
        findings.extend(key(certificate, &name));
        findings.extend(weak_signature(certificate, name));
    }
    findings.extend(wrong_name(inspection));
    match incomplete(inspection) {
        Some(incomplete) => findings.push(incomplete),
        None => findings.extend(unknown_issuer(inspection)),
    }
    findings.extend(private_issuer(inspection));
    findings.extend(disordered(inspection));
    findings.extend(verdict(inspection, &findings));
    findings
}

/// The leaf and the issuers that clients check. They have their own copies of roots.
fn checked(inspection: &TlsInspection) -> impl Iterator<Item = (usize, &CertificateFacts)> {
    let path = inspection.path().into_iter();
    let certificates = path.filter_map(|position| Some((position, inspection.chain.get(position)?)));
    certificates.filter(|(position, certificate)| *position == 0 || !certificate.is_self_issued)
}

fn seconds(count: i64) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(0))
}

fn validity(
    inspection: &TlsInspection,
    certificate: &CertificateFacts,
    name: &CertificateName,
) -> Option<TlsFinding> {
    let (now, name) = (inspection.inspected_at, name.clone());
    let left = certificate.not_after.saturating_sub(now);
    let wait = certificate.not_before.saturating_sub(now);
    let lifetime = seconds(certificate.not_after.saturating_sub(certificate.not_before));
    if left < 0 {
        let trusted_here = inspection.trust == Trust::Trusted;
        return Some(TlsFinding::CertificateExpired { certificate: name, ago: seconds(-left), trusted_here });
    }
    if wait > 0 {
        return Some(TlsFinding::CertificateNotYetValid { certificate: name, wait: seconds(wait) });
    }
    let left = seconds(left);
    let urgent = left < EXPIRY_PROBLEM.min(lifetime / PROBLEM_SHARE);
    let soon = left < EXPIRY_WARNING.min(lifetime / WARNING_SHARE);
    soon.then_some(TlsFinding::CertificateExpiresSoon { certificate: name, left, lifetime, urgent })
}

/// How clients treat a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyQuality {
    Usual,
    Uncommon,
    Weak,
}

fn key_quality(key: &KeyFacts) -> KeyQuality {
    match (&key.algorithm, key.bits) {
        (KeyAlgorithm::Rsa, Some(..MIN_RSA_BITS)) | (KeyAlgorithm::Dsa, _) => KeyQuality::Weak,
        (KeyAlgorithm::Ecdsa(_), Some(..MIN_CURVE_BITS)) => KeyQuality::Weak,
        (KeyAlgorithm::Rsa, bits) if bits.is_none_or(|bits| bits <= MAX_RSA_BITS) => KeyQuality::Usual,
        (KeyAlgorithm::Ecdsa(curve), _) if curve == "P-256" || curve == "P-384" => KeyQuality::Usual,
        (
            KeyAlgorithm::Rsa
            | KeyAlgorithm::Ecdsa(_)
            | KeyAlgorithm::Ed25519
            | KeyAlgorithm::Ed448
            | KeyAlgorithm::Other(_),
            _,
        ) => KeyQuality::Uncommon,
    }
}

fn key(certificate: &CertificateFacts, name: &CertificateName) -> Option<TlsFinding> {
    let (certificate, key) = (name.clone(), certificate.key.clone());
    match key_quality(&key) {
        KeyQuality::Usual => None,
        KeyQuality::Uncommon => Some(TlsFinding::CertificateKeyUncommon { certificate, key }),
        KeyQuality::Weak => Some(TlsFinding::CertificateKeyWeak { certificate, key }),
    }
}

/// Nobody checks the signature of a certificate that issued itself.
fn weak_signature(certificate: &CertificateFacts, name: CertificateName) -> Option<TlsFinding> {
    let weak = certificate.signature.is_forgeable && !certificate.is_self_issued;
    let algorithm = certificate.signature.algorithm.clone();
    weak.then_some(TlsFinding::CertificateSignatureWeak { certificate: name, algorithm })
}

fn listed_names(certificate: &CertificateFacts) -> ListedNames {
    let listed: Vec<_> = certificate.names.iter().take(MAX_LISTED_NAMES).cloned().collect();
    let more = certificate.names.len() - listed.len() + certificate.more_names;
    ListedNames { listed, more }
}

fn wrong_name(inspection: &TlsInspection) -> Option<TlsFinding> {
    let leaf = inspection.leaf().filter(|_| inspection.covers_asked_name == Some(false))?;
    Some(TlsFinding::CertificateWrongName {
        asked: inspection.asked_name.clone(),
        names: listed_names(leaf),
        mismatch: mismatch(leaf, &inspection.asked_name),
    })
}

fn mismatch(leaf: &CertificateFacts, asked: &str) -> NameMismatch {
    let subject = leaf.subject.as_ref().map_or("", UntrustedText::as_str);
    let presents = |product: &&Product| product.default_certificate == Some(subject);
    if let Some(product) = catalogue::products().find(presents) {
        return NameMismatch::DefaultOf(product.name);
    }
    if leaf.names.is_empty() {
        return NameMismatch::CommonNameOnly;
    }
    match leaf.names.iter().find(|name| is_near_wildcard(name.as_str(), asked)) {
        Some(wildcard) => NameMismatch::Wildcard(wildcard.clone()),
        None => NameMismatch::Other,
    }
}

/// Whether `asked` is the wildcard's domain itself or lies in it.
fn is_near_wildcard(name: &str, asked: &str) -> bool {
    let Some(domain) = name.strip_prefix("*.").map(str::to_ascii_lowercase) else { return false };
    let asked = asked.to_ascii_lowercase();
    asked == domain || asked.ends_with(&format!(".{domain}"))
}

fn is_unknown_issuer(inspection: &TlsInspection) -> bool {
    let unknown = FailureKind::CertificateUnknownIssuer;
    matches!(&inspection.trust, Trust::Distrusted(distrust) if distrust.kind == unknown)
}

fn incomplete(inspection: &TlsInspection) -> Option<TlsFinding> {
    let path = inspection.path();
    let position = *path.last()?;
    let last = inspection.chain.get(position).filter(|last| !last.is_self_issued)?;
    if !inspection.is_whole() || inspection.leads_to_public_root == Some(true) {
        return None;
    }
    let is_other_ca =
        |(position, other): (usize, &CertificateFacts)| other.is_ca && !path.contains(&position);
    let evidence = if position == 0 && last.has_log_timestamps {
        IncompleteEvidence::PublicCa
    } else if is_unknown_issuer(inspection) && inspection.chain.iter().enumerate().any(is_other_ca) {
        IncompleteEvidence::WrongCertificates
    } else {
        return None;
    };
    Some(TlsFinding::CertificateChainIncomplete {
        certificate: CertificateName { position, subject: last.subject.clone() },
        missing: last.issuer.clone(),
        evidence,
        issuer_url: last.issuer_url.clone(),
        sent: inspection.sent,
        trusted_here: inspection.trust == Trust::Trusted,
    })
}

fn unknown_issuer(inspection: &TlsInspection) -> Option<TlsFinding> {
    let leaf = inspection.leaf().filter(|_| is_unknown_issuer(inspection))?;
    let last = inspection.path().last().and_then(|position| inspection.chain.get(*position))?;
    let reason = if leaf.is_self_issued {
        UnknownIssuerReason::SelfSigned
    } else if inspection.leads_to_public_root == Some(true) {
        UnknownIssuerReason::PublicRootMissing
    } else if last.is_self_issued {
        UnknownIssuerReason::UntrustedRoot(last.subject.clone())
    } else {
        UnknownIssuerReason::Undecided { issuer_url: last.issuer_url.clone() }
    };
    let (issuer, roots) = (last.issuer.clone(), inspection.roots);
    Some(TlsFinding::CertificateUnknownIssuer { issuer, reason, roots, inspector: inspector(inspection) })
}

/// Products for TLS inspection, by what the names of their CAs contain unless their owner renamed these.
const INSPECTORS: &[(&str, &str)] = &[
    ("mitmproxy", "mitmproxy"),
    ("Zscaler", "Zscaler"),
    ("Cisco Umbrella", "Cisco Umbrella"),
    ("FortiGate", "FortiGate"),
    ("Fortinet", "FortiGate"),
    ("ESET SSL Filter", "ESET"),
    ("PortSwigger CA", "Burp Suite"),
    ("Charles Proxy", "Charles"),
    ("DO_NOT_TRUST_FiddlerRoot", "Fiddler"),
];

/// The product that the name of an issuer in the chain names.
fn inspector(inspection: &TlsInspection) -> Option<&'static str> {
    let path = inspection.path();
    let issuers = path.iter().filter_map(|position| inspection.chain.get(*position)?.issuer.as_ref());
    let named = |issuer: &UntrustedText| INSPECTORS.iter().find(|(part, _)| issuer.as_str().contains(part));
    issuers.filter_map(named).map(|(_, product)| *product).next()
}

fn private_issuer(inspection: &TlsInspection) -> Option<TlsFinding> {
    let is_private = inspection.trust == Trust::Trusted
        && inspection.roots == RootSource::System
        && inspection.leads_to_public_root == Some(false);
    inspection.leaf().filter(|leaf| is_private && !leaf.has_log_timestamps)?;
    let last = inspection.path().last().and_then(|position| inspection.chain.get(*position))?;
    let issuer = last.issuer.clone();
    Some(TlsFinding::CertificatePrivateIssuer { issuer, inspector: inspector(inspection) })
}

/// TLS 1.2 wants each certificate right after the one that it certifies (RFC 5246 section 7.4.2); TLS 1.3 clients cope.
fn disordered(inspection: &TlsInspection) -> Option<TlsFinding> {
    let is_ordered = inspection.path().into_iter().enumerate().all(|(place, position)| place == position);
    (!is_ordered).then_some(TlsFinding::CertificateChainDisordered { sent: inspection.sent })
}

/// What follows from the verdict besides what the other findings say.
fn verdict(inspection: &TlsInspection, so_far: &[TlsFinding]) -> Option<TlsFinding> {
    let worst = so_far.iter().map(Finding::severity).max();
    match &inspection.trust {
        Trust::Unchecked => Some(TlsFinding::CertificateUnchecked),
        Trust::Trusted if worst < Some(Severity::Warning) => trusted(inspection),
        Trust::Trusted => None,
        Trust::Distrusted(distrust) if distrust.kind == FailureKind::CertificateRevoked => {
            Some(TlsFinding::CertificateRevoked)
        }
        Trust::Distrusted(_) if worst == Some(Severity::Problem) => None,
        Trust::Distrusted(distrust) => {
            Some(TlsFinding::CertificateRejected { cause: distrust.cause.clone() })
        }
    }
}

fn trusted(inspection: &TlsInspection) -> Option<TlsFinding> {
    let (leaf, now) = (inspection.leaf()?, inspection.inspected_at);
    let days_left = leaf.days_left(now);
    let soonest = checked(inspection).map(|(_, certificate)| certificate.days_left(now)).min();
    Some(TlsFinding::CertificateOk {
        subject: leaf.subject.clone(),
        issuer: leaf.issuer.clone(),
        names: listed_names(leaf),
        days_left,
        chain_days_left: soonest.unwrap_or(days_left),
    })
}

fn client_certificate(client: &ClientCertificate) -> Option<TlsFinding> {
    let ClientCertificate::Asked(request) = client else { return None };
    let request = request.clone();
    Some(match (request.reaction.clone(), request.answered) {
        (ClientCertificateReaction::Refused(alert), true) => {
            TlsFinding::ClientCertificateRefused { alert, request }
        }
        (ClientCertificateReaction::Refused(alert), false) => {
            TlsFinding::ClientCertificateRequired { alert, request }
        }
        (ClientCertificateReaction::Accepted | ClientCertificateReaction::Unknown, _) => {
            TlsFinding::ClientCertificateAsked { request }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::tls_inspection::{AlpnResult, Distrust, SignatureFacts};
    use crate::domain::label::Label;

    const DAY: i64 = 24 * 60 * 60;
    const NOW: i64 = 20_000 * DAY;

    fn text(text: &str) -> UntrustedText {
        UntrustedText::new(text)
    }

    /// A certificate of a year with 200 days left.
    fn certificate(subject: &str, issuer: &str) -> CertificateFacts {
        CertificateFacts {
            subject: Some(text(subject)),
            common_name: None,
            issuer: Some(text(issuer)),
            names: vec![text(subject)],
            more_names: 0,
            not_before: NOW - 165 * DAY,
            not_after: NOW + 200 * DAY,
            key: KeyFacts { algorithm: KeyAlgorithm::Ecdsa("P-256".to_string()), bits: Some(256) },
            signature: SignatureFacts { algorithm: "SHA-256 with RSA".to_string(), is_forgeable: false },
            is_self_issued: subject == issuer,
            is_ca: false,
            issuer_url: None,
            has_log_timestamps: false,
            issuer_position: None,
        }
    }

    fn inspection(chain: Vec<CertificateFacts>) -> TlsInspection {
        TlsInspection {
            version: Some(TlsVersion::Tls13),
            cipher: Some("TLS_AES_128_GCM_SHA256".to_string()),
            alpn: AlpnResult::default(),
            asked_name: "a.example".to_string(),
            covers_asked_name: Some(true),
            sent: chain.len(),
            chain,
            roots: RootSource::System,
            trust: Trust::Trusted,
            leads_to_public_root: Some(true),
            signature_fault: None,
            client_certificate: ClientCertificate::NotAsked,
            inspected_at: NOW,
        }
    }

    fn chain() -> Vec<CertificateFacts> {
        let leaf = CertificateFacts { issuer_position: Some(1), ..certificate("a.example", "Intermediate") };
        vec![leaf, CertificateFacts { is_ca: true, ..certificate("Intermediate", "Root") }]
    }

    fn lone(change: impl FnOnce(&mut CertificateFacts)) -> TlsInspection {
        let mut leaf = certificate("a.example", "Intermediate");
        change(&mut leaf);
        inspection(vec![leaf])
    }

    fn distrusted(kind: FailureKind, inspection: TlsInspection) -> TlsInspection {
        let trust = Trust::Distrusted(Distrust { kind, cause: "why".to_string() });
        TlsInspection { trust, leads_to_public_root: Some(false), ..inspection }
    }

    fn unknown(inspection: TlsInspection) -> TlsInspection {
        distrusted(FailureKind::CertificateUnknownIssuer, inspection)
    }

    /// The codes besides `tls_ok`.
    fn codes(inspection: &TlsInspection) -> Vec<&'static str> {
        let findings = judge(inspection);
        findings.iter().map(Label::label).filter(|code| *code != "tls_ok").collect()
    }

    #[test]
    fn good_chain_is_ok() {
        assert_eq!(codes(&inspection(chain())), ["certificate_ok"]);
        let mut chain = chain();
        chain[1].not_after = NOW + 100 * DAY;
        let TlsFinding::CertificateOk { days_left, chain_days_left, .. } =
            judge(&inspection(chain)).pop().unwrap()
        else {
            panic!()
        };
        assert_eq!((days_left, chain_days_left), (200, 100));
    }

    #[test]
    fn expiry_is_judged_by_days_and_lifetime() {
        let soon = |lifetime_days: i64, left: i64| {
            let inspection = lone(|leaf| {
                leaf.not_after = NOW + left;
                leaf.not_before = leaf.not_after - lifetime_days * DAY;
            });
            judge(&inspection).into_iter().find_map(|finding| match finding {
                TlsFinding::CertificateExpiresSoon { urgent, .. } => Some(urgent),
                _ => None,
            })
        };
        assert_eq!(soon(90, 21 * DAY), None);
        assert_eq!(soon(90, 21 * DAY - 1), Some(false));
        assert_eq!(soon(90, 7 * DAY), Some(false));
        assert_eq!(soon(90, 7 * DAY - 1), Some(true));
        // A quarter and a twelfth of 6 days: 36 and 12 hours.
        assert_eq!(soon(6, 36 * 3600), None);
        assert_eq!(soon(6, 36 * 3600 - 1), Some(false));
        assert_eq!(soon(6, 12 * 3600 - 1), Some(true));
    }

    #[test]
    fn expired_intermediate_matters_less_where_the_chain_is_trusted() {
        let mut chain = chain();
        chain[1].not_after = NOW - DAY;
        let trusted = inspection(chain.clone());
        let expired = judge(&trusted).into_iter().find(|finding| finding.label() == "certificate_expired");
        assert_eq!(expired.unwrap().severity(), Severity::Warning);
        let distrusted = distrusted(FailureKind::CertificateExpired, inspection(chain));
        let finding = judge(&distrusted).pop().unwrap();
        assert_eq!((finding.label(), finding.severity()), ("certificate_expired", Severity::Problem));
    }

    #[test]
    fn sent_root_is_not_checked() {
        let mut chain = chain();
        chain[1].issuer_position = Some(2);
        let mut root = certificate("Root", "Root");
        root.not_after = NOW - DAY;
        root.signature.is_forgeable = true;
        root.key = KeyFacts { algorithm: KeyAlgorithm::Rsa, bits: Some(1024) };
        chain.push(root);
        assert_eq!(codes(&inspection(chain)), ["certificate_ok"]);
    }

    #[test]
    fn incomplete_chain_needs_evidence() {
        let logged = || lone(|leaf| leaf.has_log_timestamps = true);
        assert_eq!(codes(&unknown(logged())), ["certificate_chain_incomplete"]);
        // Trusted since this machine has the intermediate.
        let known_here = TlsInspection { leads_to_public_root: Some(false), ..logged() };
        assert_eq!(codes(&known_here), ["certificate_chain_incomplete"]);
        assert_eq!(codes(&unknown(lone(|_| ()))), ["certificate_unknown_issuer"]);
        let published = lone(|leaf| leaf.issuer_url = Some(text("http://ca.example/i.der")));
        assert_eq!(codes(&unknown(published)), ["certificate_unknown_issuer"]);
        let cut = TlsInspection { sent: 2, ..logged() };
        assert_eq!(codes(&unknown(cut)), ["certificate_unknown_issuer"]);
        // An intermediate was sent; its issuer may be a root.
        let mut chain = chain();
        chain[0].has_log_timestamps = true;
        assert_eq!(codes(&unknown(inspection(chain.clone()))), ["certificate_unknown_issuer"]);
        chain[0].issuer_position = None;
        chain[0].has_log_timestamps = false;
        assert_eq!(codes(&unknown(inspection(chain))), ["certificate_chain_incomplete"]);
    }

    #[test]
    fn unknown_issuer_has_its_reason() {
        let reason = |inspection: &TlsInspection| {
            judge(inspection).into_iter().find_map(|finding| match finding {
                TlsFinding::CertificateUnknownIssuer { reason, .. } => Some(reason),
                _ => None,
            })
        };
        let own = unknown(inspection(vec![certificate("a.example", "a.example")]));
        assert_eq!(reason(&own), Some(UnknownIssuerReason::SelfSigned));
        let public = TlsInspection { leads_to_public_root: Some(true), ..unknown(inspection(chain())) };
        assert_eq!(reason(&public), Some(UnknownIssuerReason::PublicRootMissing));
        let mut whole = chain();
        whole[1].issuer_position = Some(2);
        whole.push(certificate("Root", "Root"));
        let root = Some(UnknownIssuerReason::UntrustedRoot(Some(text("Root"))));
        assert_eq!(reason(&unknown(inspection(whole))), root);
        let undecided = Some(UnknownIssuerReason::Undecided { issuer_url: None });
        assert_eq!(reason(&unknown(lone(|_| ()))), undecided);
    }

    #[test]
    fn private_issuer_needs_the_systems_roots_and_no_public_ca() {
        let private = TlsInspection { leads_to_public_root: Some(false), ..inspection(chain()) };
        assert_eq!(codes(&private), ["certificate_private_issuer", "certificate_ok"]);
        let custom = TlsInspection { roots: RootSource::Custom, ..private.clone() };
        assert_eq!(codes(&custom), ["certificate_ok"]);
        let unsure = TlsInspection { leads_to_public_root: None, ..private.clone() };
        assert_eq!(codes(&unsure), ["certificate_ok"]);
        let mut logged = private.clone();
        logged.chain[0].has_log_timestamps = true;
        assert_eq!(codes(&logged), ["certificate_ok"]);
        let mut inspected = private;
        inspected.chain[1].issuer = Some(text("Zscaler Root CA"));
        let finding =
            judge(&inspected).into_iter().find(|f| f.label() == "certificate_private_issuer").unwrap();
        assert_eq!(finding.severity(), Severity::Warning);
        assert!(matches!(finding, TlsFinding::CertificatePrivateIssuer { inspector: Some("Zscaler"), .. }));
    }

    #[test]
    fn keys_are_judged_by_kind_and_length() {
        let quality = |algorithm: KeyAlgorithm, bits| key_quality(&KeyFacts { algorithm, bits });
        let curve = |name: &str| KeyAlgorithm::Ecdsa(name.to_string());
        assert_eq!(quality(KeyAlgorithm::Rsa, Some(2047)), KeyQuality::Weak);
        assert_eq!(quality(KeyAlgorithm::Rsa, Some(2048)), KeyQuality::Usual);
        assert_eq!(quality(KeyAlgorithm::Rsa, Some(16384)), KeyQuality::Uncommon);
        assert_eq!(quality(KeyAlgorithm::Rsa, None), KeyQuality::Usual);
        assert_eq!(quality(curve("P-384"), Some(384)), KeyQuality::Usual);
        assert_eq!(quality(curve("P-224"), Some(224)), KeyQuality::Weak);
        assert_eq!(quality(curve("P-521"), Some(521)), KeyQuality::Uncommon);
        assert_eq!(quality(curve("secp256k1"), Some(256)), KeyQuality::Uncommon);
        assert_eq!(quality(KeyAlgorithm::Dsa, None), KeyQuality::Weak);
        assert_eq!(quality(KeyAlgorithm::Ed25519, Some(255)), KeyQuality::Uncommon);
    }

    #[test]
    fn rejected_signature_is_explained_by_the_key() {
        let weak = |bits| {
            let key = KeyFacts { algorithm: KeyAlgorithm::Rsa, bits: Some(bits) };
            TlsInspection { signature_fault: Some("why".to_string()), ..lone(|leaf| leaf.key = key) }
        };
        assert_eq!(codes(&weak(1024)), ["certificate_key_weak"]);
        assert!(!judge(&weak(1024)).iter().any(|finding| finding.label() == "tls_ok"));
        assert_eq!(codes(&weak(2048)), ["tls_signature_rejected", "certificate_ok"]);
    }

    #[test]
    fn name_mismatch_has_its_reason() {
        let of = |subject: &str, names: &[&str]| {
            let mut leaf = certificate(subject, "Root");
            leaf.names = names.iter().map(|name| text(name)).collect();
            mismatch(&leaf, "a.b.example")
        };
        assert_eq!(of("a.b.example", &[]), NameMismatch::CommonNameOnly);
        assert_eq!(of("x", &["c.example", "*.example"]), NameMismatch::Wildcard(text("*.example")));
        assert_eq!(of("x", &["*.A.b.example"]), NameMismatch::Wildcard(text("*.A.b.example")));
        assert_eq!(of("x", &["*.c.example", "*"]), NameMismatch::Other);
        let fake = "Kubernetes Ingress Controller Fake Certificate";
        assert_eq!(of(fake, &["ingress.local"]), NameMismatch::DefaultOf("kubernetes/ingress-nginx"));
    }

    #[test]
    fn distrust_always_is_a_problem() {
        let revoked = distrusted(FailureKind::CertificateRevoked, inspection(chain()));
        assert_eq!(codes(&revoked), ["certificate_revoked"]);
        let other = distrusted(FailureKind::CertificateInvalid, inspection(chain()));
        assert_eq!(codes(&other), ["certificate_rejected"]);
        let unreadable = distrusted(FailureKind::CertificateInvalid, inspection(Vec::new()));
        assert_eq!(codes(&unreadable), ["certificate_rejected"]);
        let weak = lone(|leaf| leaf.signature.is_forgeable = true);
        let weak = distrusted(FailureKind::CertificateInvalid, weak);
        assert_eq!(codes(&weak), ["certificate_signature_weak"]);
    }

    #[test]
    fn circular_issuers_end() {
        let mut chain = chain();
        chain[1].issuer_position = Some(0);
        assert_eq!(inspection(chain).path(), [0, 1]);
    }

    #[test]
    fn each_code_has_a_meaning() {
        use strum::{EnumMessage, IntoEnumIterator};
        for code in TlsFindingCode::iter() {
            assert!(
                code.get_documentation().is_some_and(|meaning| meaning.ends_with('.')),
                "{}",
                code.label()
            );
        }
    }
}
