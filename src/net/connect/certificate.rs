//! Describes what is wrong with a server's certificate.

use rustls::CertificateError;
use rustls::pki_types::{ServerName, UnixTime};

use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::tls_inspection::CertificateFacts;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::{counted, variant_words};

use crate::net::dial_error::DialError;

const DAY: u64 = 24 * 60 * 60;
/// Maximum number of a certificate's names that are shown.
const MAX_SHOWN_NAMES: usize = 4;

/// Describes what is wrong with the certificate presented for `name`.
pub fn fault(error: &CertificateError, leaf: Option<&CertificateFacts>, name: &ServerName<'_>) -> DialError {
    match error {
        CertificateError::ExpiredContext { time, not_after } => expired(*time, *not_after, leaf),
        CertificateError::Expired => DialError::new(FailureKind::CertificateExpired, "certificate expired"),
        CertificateError::NotValidYetContext { time, not_before } => {
            let wait = span(*time, *not_before);
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

fn expired(time: UnixTime, not_after: UnixTime, leaf: Option<&CertificateFacts>) -> DialError {
    let ago = span(not_after, time);
    let own = leaf.is_none_or(|leaf| u64::try_from(leaf.not_after) == Ok(not_after.as_secs()));
    let which = if own { "certificate" } else { "the certificate of its issuer" };
    DialError::new(FailureKind::CertificateExpired, format!("{which} expired {ago} ago"))
}

/// The time from one to the other in its largest unit: `3 days`, `1 hour`.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    match seconds {
        DAY.. => counted(seconds / DAY, "day"),
        3600.. => counted(seconds / 3600, "hour"),
        60.. => counted(seconds / 60, "minute"),
        _ => counted(seconds, "second"),
    }
}

/// The first names that a certificate is valid for, and the number of the others.
fn valid_for(leaf: &CertificateFacts) -> String {
    let names: Vec<_> = leaf.names.iter().take(MAX_SHOWN_NAMES).map(UntrustedText::as_str).collect();
    match (names.len(), leaf.names.len() - names.len() + leaf.more_names) {
        (0, _) => "no name".to_string(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn wrong_name(leaf: Option<&CertificateFacts>, name: &ServerName<'_>) -> DialError {
    let valid_for = leaf.map_or("other names".to_string(), valid_for);
    let cause = format!("certificate is for {valid_for}; not for {}", name.to_str());
    let fault = DialError::new(FailureKind::CertificateWrongName, cause);
    let alone = leaf.filter(|leaf| leaf.names.is_empty());
    if let Some(common_name) = alone.and_then(|leaf| leaf.common_name.as_ref()) {
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

fn unknown_issuer(leaf: Option<&CertificateFacts>) -> DialError {
    let issuer = leaf.and_then(|leaf| leaf.issuer.as_ref()).filter(|issuer| !issuer.is_empty());
    let cause = match (leaf.is_some_and(|leaf| leaf.is_self_issued), issuer) {
        (true, _) => "certificate is self-signed and not trusted here".to_string(),
        (false, Some(issuer)) => format!("certificate has an unknown issuer, {issuer}"),
        (false, None) => "certificate has an unknown issuer".to_string(),
    };
    DialError::new(FailureKind::CertificateUnknownIssuer, cause).hint(match leaf {
        Some(CertificateFacts { is_self_issued: true, .. }) => {
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

fn invalid(error: &CertificateError, leaf: Option<&CertificateFacts>) -> DialError {
    if is_ca_as_server(error) && leaf.is_some_and(|leaf| leaf.is_self_issued) {
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
    use crate::net::connect::certificate_facts::read_chain;
    use proptest::prelude::*;
    use rustls::pki_types::CertificateDer;

    fn leaf(names: &[&str]) -> CertificateFacts {
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        read_chain(&[certificate.der().clone()]).remove(0)
    }

    #[test]
    fn certificate_names_and_issuer_are_read() {
        let leaf = leaf(&["a.example", "127.0.0.1", "::1"]);
        assert_eq!(valid_for(&leaf), "a.example, 127.0.0.1, ::1");
        assert_eq!(leaf.subject.unwrap().as_str(), "rcgen self signed cert");
        assert!(leaf.is_self_issued);
    }

    #[test]
    fn long_name_lists_are_shortened() {
        assert_eq!(valid_for(&leaf(&["a", "b", "c", "d", "e", "f"])), "a, b, c, d and 2 more");
        assert_eq!(valid_for(&leaf(&[])), "no name");
    }

    #[test]
    fn days_left_are_whole_days() {
        let leaf = CertificateFacts { not_after: 10 * DAY as i64, ..leaf(&[]) };
        assert_eq!(leaf.days_left(7 * DAY as i64), 3);
        assert_eq!(leaf.days_left(7 * DAY as i64 + 1), 2);
        assert_eq!(leaf.days_left(10 * DAY as i64), 0);
        assert_eq!(leaf.days_left(10 * DAY as i64 + 1), -1);
        assert_eq!(leaf.days_left(11 * DAY as i64), -1);
    }

    #[test]
    fn days_since_expiry_match_the_error() {
        let leaf = CertificateFacts { not_after: 10 * DAY as i64, ..leaf(&[]) };
        let time = |seconds: i64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds as u64));
        let now = leaf.not_after + 2484 * DAY as i64 + DAY as i64 / 2;
        assert_eq!(leaf.days_left(now), -2484);
        let fault = expired(time(now), time(leaf.not_after), Some(&leaf));
        assert_eq!(fault.cause, "certificate expired 2484 days ago");
    }

    #[test]
    fn only_valid_host_names_are_offered() {
        let asked = ServerName::try_from("a.example").unwrap();
        let hint = |name: &str| {
            let leaf = CertificateFacts { names: vec![UntrustedText::new(name)], ..leaf(&[]) };
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
        let time = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        for (seconds, shown) in
            [(3 * DAY + 7, "3 days"), (3600, "1 hour"), (120, "2 minutes"), (1, "1 second"), (0, "0 seconds")]
        {
            assert_eq!(span(time(9), time(9 + seconds)), shown);
        }
    }

    #[test]
    fn expired_issuer_differs_from_expired_server() {
        let time = |days: u64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(days * 86_400));
        let leaf = CertificateFacts { not_after: 10 * DAY as i64, ..leaf(&[]) };
        assert_eq!(expired(time(13), time(10), Some(&leaf)).cause, "certificate expired 3 days ago");
        assert_eq!(
            expired(time(13), time(12), Some(&leaf)).cause,
            "the certificate of its issuer expired 1 day ago"
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_chain(&[CertificateDer::from(bytes)]);
        }

        #[test]
        fn damaged_certificates_never_panic(at in any::<proptest::sample::Index>(), byte: u8) {
            let key = rcgen::KeyPair::generate().unwrap();
            let params = rcgen::CertificateParams::new(vec!["a.example".to_string()]).unwrap();
            let mut der = params.self_signed(&key).unwrap().der().to_vec();
            let index = at.index(der.len());
            der[index] = byte;
            let _ = read_chain(&[CertificateDer::from(der)]);
        }
    }
}
