//! Reads a server's certificate and describes what is wrong with it.

use std::net::IpAddr;

use rustls::CertificateError;
use rustls::pki_types::{ServerName, UnixTime};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::variant_words;

use crate::net::dial_error::DialError;

const DAY: i64 = 24 * 60 * 60;
/// Maximum number of a certificate's names that are shown.
const MAX_SHOWN_NAMES: usize = 4;

/// The server's own certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafCertificate {
    /// The common name, or the first of `names`.
    pub subject: Option<UntrustedText>,
    /// The issuer's common name, or its organization.
    pub issuer: Option<UntrustedText>,
    /// The names it is valid for, up to the maximum shown.
    pub names: Vec<UntrustedText>,
    /// Number of further names.
    pub more_names: usize,
    /// Issuer and subject are the same.
    pub self_signed: bool,
    /// Seconds since the Unix epoch.
    pub not_after: i64,
}

impl LeafCertificate {
    /// Parses a DER certificate; `None` if it is malformed.
    pub fn parse(der: &[u8]) -> Option<LeafCertificate> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let mut names = names(&certificate);
        let more_names = names.len().saturating_sub(MAX_SHOWN_NAMES);
        names.truncate(MAX_SHOWN_NAMES);
        Some(LeafCertificate {
            subject: common_name(certificate.subject()).or_else(|| names.first().cloned()),
            issuer: common_name(certificate.issuer()).or_else(|| organization(certificate.issuer())),
            self_signed: certificate.subject().as_raw() == certificate.issuer().as_raw(),
            not_after: certificate.validity().not_after.timestamp(),
            names,
            more_names,
        })
    }

    /// Whole days until it expires at `now` (seconds since the Unix epoch). Negative once expired: whole days since
    /// then, -1 on the first day.
    pub fn days_left(&self, now: i64) -> i64 {
        match self.not_after.saturating_sub(now) {
            left @ 0.. => left / DAY,
            past => (past / DAY).min(-1),
        }
    }

    /// The common name, if the certificate has no subjectAltName.
    fn common_name_alone(&self) -> Option<&UntrustedText> {
        self.subject.as_ref().filter(|_| self.names.is_empty())
    }

    fn valid_for(&self) -> String {
        let names: Vec<_> = self.names.iter().map(UntrustedText::as_str).collect();
        match (names.len(), self.more_names) {
            (0, _) => "no name".to_string(),
            (_, 0) => names.join(", "),
            (_, more) => format!("{} and {more} more", names.join(", ")),
        }
    }
}

/// The first common name of a distinguished name.
pub(super) fn common_name(name: &X509Name<'_>) -> Option<UntrustedText> {
    name.iter_common_name().find_map(|attribute| attribute.as_str().ok()).map(UntrustedText::new)
}

/// The first organization of a distinguished name.
pub(super) fn organization(name: &X509Name<'_>) -> Option<UntrustedText> {
    name.iter_organization().find_map(|attribute| attribute.as_str().ok()).map(UntrustedText::new)
}

/// The DNS names and IP addresses of a certificate's subjectAltName.
pub(super) fn names(certificate: &X509Certificate<'_>) -> Vec<UntrustedText> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(shown).collect()
}

fn shown(name: &GeneralName<'_>) -> Option<UntrustedText> {
    match name {
        GeneralName::DNSName(name) => Some(UntrustedText::new(name)),
        GeneralName::IPAddress(bytes) => ip(bytes).map(|ip| UntrustedText::new(&ip.to_string())),
        _ => None,
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Describes what is wrong with the certificate presented for `name`.
pub fn fault(error: &CertificateError, leaf: Option<&LeafCertificate>, name: &ServerName<'_>) -> DialError {
    match error {
        CertificateError::ExpiredContext { time, not_after } => expired(*time, *not_after, leaf),
        CertificateError::Expired => DialError::new(FailureKind::CertificateExpired, "certificate expired"),
        CertificateError::NotValidYetContext { time, not_before } => {
            let wait = span(seconds(*not_before).saturating_sub(seconds(*time)));
            let cause = format!("certificate is not valid yet: it will be in {wait}");
            DialError::new(FailureKind::CertificateNotYetValid, cause).hint(CHECK_CLOCK)
        }
        CertificateError::NotValidYet => {
            DialError::new(FailureKind::CertificateNotYetValid, "certificate is not valid yet")
                .hint(CHECK_CLOCK)
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            wrong_name(leaf, name)
        }
        CertificateError::UnknownIssuer => unknown_issuer(leaf),
        CertificateError::Revoked => {
            DialError::new(FailureKind::CertificateRevoked, "certificate was revoked by its issuer")
        }
        other => invalid(other, leaf),
    }
}

const CHECK_CLOCK: &str = "check this machine's clock, too";

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn expired(time: UnixTime, not_after: UnixTime, leaf: Option<&LeafCertificate>) -> DialError {
    let ago = span(seconds(time).saturating_sub(seconds(not_after)));
    let own = leaf.is_none_or(|leaf| leaf.not_after == seconds(not_after));
    let which = if own { "certificate" } else { "the certificate of its issuer" };
    DialError::new(FailureKind::CertificateExpired, format!("{which} expired {ago} ago"))
}

/// A number of seconds in its largest unit: `3 days`, `1 hour`.
fn span(seconds: i64) -> String {
    let (count, unit) = match seconds {
        DAY.. => (seconds / DAY, "day"),
        3600.. => (seconds / 3600, "hour"),
        60.. => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn wrong_name(leaf: Option<&LeafCertificate>, name: &ServerName<'_>) -> DialError {
    let valid_for = leaf.map_or("other names".to_string(), LeafCertificate::valid_for);
    let cause = format!("certificate is for {valid_for}; not for {}", name.to_str());
    let fault = DialError::new(FailureKind::CertificateWrongName, cause);
    if let Some(common_name) = leaf.and_then(LeafCertificate::common_name_alone) {
        return fault.hint(format!(
            "names must be in subjectAltName; the common name ({}) is ignored (RFC 9525 section 2)",
            common_name.as_str()
        ));
    }
    let first = leaf.and_then(|leaf| leaf.names.first()).filter(|name| is_host_name(name));
    match first {
        Some(first) => fault.hint(format!("if {first} is what you meant: --server-name {first}")),
        None => fault,
    }
}

/// Whether a certificate's name is a valid host name. A peer chose it, so other text must not be offered for typing.
fn is_host_name(name: &UntrustedText) -> bool {
    ServerName::try_from(name.as_str()).is_ok()
}

fn unknown_issuer(leaf: Option<&LeafCertificate>) -> DialError {
    let issuer = leaf.and_then(|leaf| leaf.issuer.as_ref()).filter(|issuer| !issuer.is_empty());
    let cause = match (leaf.is_some_and(|leaf| leaf.self_signed), issuer) {
        (true, _) => "certificate is self-signed and not trusted here".to_string(),
        (false, Some(issuer)) => format!("certificate has an unknown issuer, {issuer}"),
        (false, None) => "certificate has an unknown issuer".to_string(),
    };
    DialError::new(FailureKind::CertificateUnknownIssuer, cause).hint(match leaf {
        Some(LeafCertificate { self_signed: true, .. }) => {
            "use --cacert FILE to trust it, or --insecure to skip the check"
        }
        _ => {
            "use --cacert FILE with the issuer's certificate, or --insecure to skip the check; \
             a server that does not send its intermediate certificates looks the same"
        }
    })
}

/// Whether webpki rejected a CA certificate used as a server's, as `openssl req -x509` makes them. Its error type
/// cannot be named without a dependency on webpki.
pub fn is_ca_as_server(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity"))
}

fn invalid(error: &CertificateError, leaf: Option<&LeafCertificate>) -> DialError {
    if is_ca_as_server(error) && leaf.is_some_and(|leaf| leaf.self_signed) {
        return unknown_issuer(leaf);
    }
    let fault = |why: &str| {
        DialError::new(FailureKind::CertificateInvalid, format!("certificate is not acceptable: {why}"))
    };
    match error {
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id, ..
        } => {
            let algorithm = algorithm_name(signature_algorithm_id);
            fault(&format!("it, or one in its chain, is signed with {algorithm}, which is not accepted"))
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            fault("its extended key usage does not allow a TLS server")
        }
        CertificateError::BadSignature => fault(BAD_SIGNATURE),
        CertificateError::UnhandledCriticalExtension => fault(CRITICAL_EXTENSION),
        CertificateError::Other(other) if other.to_string().contains("UnsupportedCriticalExtension") => {
            fault(CRITICAL_EXTENSION)
        }
        CertificateError::Other(_) => fault("the TLS library rejects it without a reason"),
        other => fault(&variant_words(other)),
    }
}

/// webpki reports a key that is too short as a bad signature.
const BAD_SIGNATURE: &str = "its signature, or the server's by its key, is wrong, or a key is too short (RSA below 2048 bits is not accepted)";
const CRITICAL_EXTENSION: &str = "it has a critical extension that wscheck does not know";

/// Signature algorithms that servers use and TLS libraries reject, by the DER of their object identifier (RFC 3279,
/// RFC 5758, RFC 8017, RFC 8410).
const REFUSED_ALGORITHMS: &[(&[u8], &str)] = &[
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], "MD5 (and RSA)"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], "SHA-1 (and RSA)"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], "SHA-1 (and ECDSA)"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03], "SHA-1 (and DSA)"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0e], "SHA-224 (and RSA)"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x01], "SHA-224 (and ECDSA)"),
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04], "SHA-512 (and ECDSA, as with a P-521 key)"),
    (&[0x2b, 0x65, 0x71], "Ed448"),
];

/// The name of a DER algorithm identifier. rustls may leave a tag and a length before the object identifier.
fn algorithm_name(der: &[u8]) -> String {
    let known = REFUSED_ALGORITHMS.iter().find(|(oid, _)| contains(der, oid));
    known.map_or_else(
        || "an algorithm that wscheck does not know".to_string(),
        |(_, name)| (*name).to_string(),
    )
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(names: &[&str]) -> LeafCertificate {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        LeafCertificate::parse(certificate.der()).unwrap()
    }

    #[test]
    fn certificate_names_and_issuer_are_read() {
        let leaf = leaf(&["a.example", "127.0.0.1", "::1"]);
        assert_eq!(leaf.valid_for(), "a.example, 127.0.0.1, ::1");
        assert_eq!(leaf.subject.unwrap().as_str(), "rcgen self signed cert");
        assert!(leaf.self_signed);
    }

    #[test]
    fn long_name_lists_are_shortened() {
        assert_eq!(leaf(&["a", "b", "c", "d", "e", "f"]).valid_for(), "a, b, c, d and 2 more");
        assert_eq!(leaf(&[]).valid_for(), "no name");
    }

    #[test]
    fn days_left_are_whole_days() {
        let leaf = LeafCertificate { not_after: 10 * DAY, ..leaf(&[]) };
        assert_eq!(leaf.days_left(7 * DAY), 3);
        assert_eq!(leaf.days_left(7 * DAY + 1), 2);
        assert_eq!(leaf.days_left(10 * DAY), 0);
        assert_eq!(leaf.days_left(10 * DAY + 1), -1);
        assert_eq!(leaf.days_left(11 * DAY), -1);
    }

    #[test]
    fn days_since_expiry_match_the_error() {
        let leaf = LeafCertificate { not_after: 10 * DAY, ..leaf(&[]) };
        let time = |seconds: i64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds as u64));
        let now = leaf.not_after + 2484 * DAY + DAY / 2;
        assert_eq!(leaf.days_left(now), -2484);
        let fault = expired(time(now), time(leaf.not_after), Some(&leaf));
        assert_eq!(fault.cause, "certificate expired 2484 days ago");
    }

    #[test]
    fn only_valid_host_names_are_offered() {
        let asked = ServerName::try_from("a.example").unwrap();
        let hint = |name: &str| {
            let leaf = LeafCertificate { names: vec![UntrustedText::new(name)], ..leaf(&[]) };
            wrong_name(Some(&leaf), &asked).hint
        };
        assert!(hint("b.example").is_some_and(|hint| hint.ends_with("--server-name b.example")));
        assert!(hint("127.0.0.1").is_some());
        for name in ["x; reboot", "$(id)", "*.b.example", "--insecure", "a b", "b\u{202e}", ""] {
            assert_eq!(hint(name), None, "{name}");
        }
    }

    #[test]
    fn span_is_shown_in_its_largest_unit() {
        assert_eq!(span(3 * DAY + 7), "3 days");
        assert_eq!(span(3600), "1 hour");
        assert_eq!(span(120), "2 minutes");
        assert_eq!(span(1), "1 second");
    }

    #[test]
    fn expired_issuer_differs_from_expired_server() {
        let time = |days: u64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(days * 86_400));
        let leaf = LeafCertificate { not_after: 10 * DAY, ..leaf(&[]) };
        assert_eq!(expired(time(13), time(10), Some(&leaf)).cause, "certificate expired 3 days ago");
        assert_eq!(
            expired(time(13), time(12), Some(&leaf)).cause,
            "the certificate of its issuer expired 1 day ago"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = LeafCertificate::parse(&bytes);
        }

        #[test]
        fn damaged_certificates_never_panic(at in any::<proptest::sample::Index>(), byte: u8) {
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap();
            let mut der = params.self_signed(&key).unwrap().der().to_vec();
            let index = at.index(der.len());
            der[index] = byte;
            let _ = LeafCertificate::parse(&der);
        }
    }
}
