//! The server's certificate: generated, or the user's own.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::domain::connection::pem_text;
use crate::domain::format::variant_words;

/// The name of HTTP/2 in ALPN (RFC 9113 section 3.2).
pub const HTTP2_ALPN: &[u8] = b"h2";

/// Validity of a generated certificate, in days.
const VALID_DAYS: i64 = 90;

/// The server's TLS configuration, and what clients need to trust it.
#[derive(Debug, Clone)]
pub struct TlsIdentity {
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the DER certificate, as `AB:CD:...`.
    pub fingerprint: String,
    /// The issuer's certificate in PEM; `None` for the user's certificate.
    pub ca_pem: Option<String>,
}

/// Generates a certificate for localhost, the loopback addresses and `address`, signed by a new authority whose key is
/// discarded.
pub fn self_signed(address: IpAddr) -> Result<TlsIdentity, String> {
    let not_made = |why: &dyn fmt::Display| format!("cannot generate a certificate: {why}");
    let ca = authority().map_err(|why| not_made(&why))?;
    let key = KeyPair::generate().map_err(|why| not_made(&why))?;
    let certificate =
        leaf(address).and_then(|leaf| leaf.signed_by(&key, &ca)).map_err(|why| not_made(&why))?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(|why| not_made(&why))?;
    let chain = vec![certificate.der().clone()];
    let fingerprint = fingerprint(certificate.der());
    let config = server_config(chain, key).map_err(|why| not_made(&why))?;
    Ok(TlsIdentity { config, fingerprint, ca_pem: Some(ca.pem()) })
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "wscheck serve test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn leaf(address: IpAddr) -> Result<CertificateParams, rcgen::Error> {
    let mut names = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
    if !address.is_unspecified() && !address.is_loopback() {
        names.push(address.to_string());
    }
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "wscheck serve");
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    set_validity(&mut params);
    Ok(params)
}

/// Sets the validity: from yesterday, to tolerate clock differences.
fn set_validity(params: &mut CertificateParams) {
    let now = jiff::Timestamp::now();
    let day = |days: i64| {
        let at = now + jiff::SignedDuration::from_hours(24 * days);
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    params.not_before = day(-1);
    params.not_after = day(VALID_DAYS);
}

/// Loads the user's certificate chain and key (PEM). The error names the option and the file.
pub fn load(cert: &Path, key: &Path) -> Result<TlsIdentity, String> {
    let no_certificate = "a certificate: it has no PEM block 'CERTIFICATE'";
    let chain: Vec<_> = read_pem(cert)
        .and_then(|text| CertificateDer::pem_slice_iter(&text).collect())
        .map_err(|why| pem_error("--cert", cert, &why, no_certificate))?;
    let Some(first) = chain.first() else {
        return Err(pem_error("--cert", cert, &pem::Error::NoItemsFound, no_certificate));
    };
    let fingerprint = fingerprint(first);
    let private = read_pem(key)
        .and_then(|text| PrivateKeyDer::from_pem_slice(&text))
        .map_err(|why| pem_error("--key", key, &why, "a private key: it has no PEM block 'PRIVATE KEY'"))?;
    let config = server_config(chain, private).map_err(|why| {
        format!("certificate {} and key {} cannot be used: {why}", cert.display(), key.display())
    })?;
    Ok(TlsIdentity { config, fingerprint, ca_pem: None })
}

fn read_pem(path: &Path) -> Result<Vec<u8>, pem::Error> {
    std::fs::read(path).map(pem_text::decode).map_err(pem::Error::Io)
}

/// Describes a failed TLS handshake, as a fragment.
pub fn describe_tls_handshake_error(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("the client sent TLS alert {}", variant_words(alert).replace(' ', "_"))
        }
        Some(rustls::Error::InvalidMessage(why)) => format!("a broken message: {}", variant_words(why)),
        Some(rustls::Error::PeerIncompatible(why)) => format!("nothing in common: {}", variant_words(why)),
        Some(rustls::Error::PeerMisbehaved(why)) => {
            format!("the client broke the TLS protocol: {}", variant_words(why))
        }
        Some(named) => variant_words(named),
        None => error.to_string(),
    }
}

/// `what` it is not, if it holds nothing of the kind.
fn pem_error(option: &str, path: &Path, why: &pem::Error, what: &str) -> String {
    let path = path.display();
    match why {
        pem::Error::NoItemsFound => format!("{option}: {path} is not {what}"),
        pem::Error::Io(why) => format!("{option}: cannot read {path}: {why}"),
        why => format!("{option}: cannot read {path}: not PEM: {}", variant_words(why)),
    }
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The same configuration for a server that also speaks HTTP/2, which it prefers.
pub fn with_http2(config: &ServerConfig) -> Arc<ServerConfig> {
    let mut config = config.clone();
    config.alpn_protocols = vec![HTTP2_ALPN.to_vec(), b"http/1.1".to_vec()];
    Arc::new(config)
}

/// The fingerprint in the format of browsers and openssl.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, certificate);
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use x509_parser::prelude::{FromDer, X509Certificate};

    fn refusal(cert: &str, key: &str) -> String {
        let dir = tempfile::tempdir().unwrap();
        let (cert_path, key_path) = (dir.path().join("cert"), dir.path().join("key"));
        std::fs::write(&cert_path, cert).unwrap();
        std::fs::write(&key_path, key).unwrap();
        let error = load(&cert_path, &key_path).unwrap_err();
        error.replace(dir.path().to_str().unwrap(), "DIR")
    }

    #[test]
    fn generated_certificate_names_localhost_and_expires() {
        let identity = self_signed("127.0.0.1".parse().unwrap()).unwrap();
        let pem = pem_parse(&identity.ca_pem.unwrap());
        let (_, ca) = X509Certificate::from_der(&pem).unwrap();
        assert!(ca.is_ca());
        let left = ca.validity().time_to_expiration().unwrap().whole_days();
        assert!((88..=90).contains(&left), "{left} days");
        assert_eq!(identity.fingerprint.len(), 32 * 3 - 1);
    }

    fn pem_parse(pem: &str) -> Vec<u8> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn invalid_certificate_or_key_is_named() {
        let (cert, key) = pair();
        assert_eq!(
            refusal("hello", &key),
            "--cert: DIR/cert is not a certificate: it has no PEM block 'CERTIFICATE'"
        );
        assert_eq!(
            refusal(&cert, "hello"),
            "--key: DIR/key is not a private key: it has no PEM block 'PRIVATE KEY'"
        );
        assert_eq!(
            refusal(&key, &key),
            "--cert: DIR/cert is not a certificate: it has no PEM block 'CERTIFICATE'"
        );
        let missing = load(Path::new("/nonexistent/cert"), Path::new("/nonexistent/key")).unwrap_err();
        assert!(missing.starts_with("--cert: cannot read /nonexistent/cert: No such file"), "{missing}");
    }

    #[test]
    fn key_of_another_certificate_is_refused() {
        let ((cert, _), (_, key)) = (pair(), pair());
        assert!(refusal(&cert, &key).starts_with("certificate DIR/cert and key DIR/key cannot be used: "));
    }

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }
}
