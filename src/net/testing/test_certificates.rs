//! Certificates, and TLS servers that present them, for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::loopback_peer::{LoopbackPeer, peer};

/// From `since_days` (plus an hour) before now until `until_days` (plus an hour) after it; negative ends lie in the
/// past.
#[derive(Clone, Copy)]
pub struct ValidityPeriod {
    pub since_days: i64,
    pub until_days: i64,
}

pub const VALID: ValidityPeriod = ValidityPeriod { since_days: 1, until_days: 30 };

/// A certificate, with its chain if one is presented, and its key, in PEM.
#[derive(Clone)]
pub struct TestCertificate {
    pub cert: String,
    pub key: String,
}

impl TestCertificate {
    /// The certificate followed by these.
    pub fn with_chain(&self, chain: &[&str]) -> TestCertificate {
        TestCertificate { cert: format!("{}{}", self.cert, chain.concat()), key: self.key.clone() }
    }
}

/// A private certificate authority.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    pub cert: String,
}

impl TestAuthority {
    pub fn new(name: &str) -> TestAuthority {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[], VALID);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key).unwrap().pem();
        TestAuthority { issuer: Issuer::new(params, key), cert }
    }

    /// An intermediate authority of this one.
    pub fn issue_authority(&self, name: &str) -> TestAuthority {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[], VALID);
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &self.issuer).unwrap().pem();
        TestAuthority { issuer: Issuer::new(params, key), cert }
    }

    /// A certificate for these names.
    pub fn issue(&self, names: &[&str], span: ValidityPeriod) -> TestCertificate {
        self.sign(params(names, span))
    }

    /// A certificate for this name with a timestamp of a log for Certificate Transparency, as public CAs issue them.
    pub fn issue_logged(&self, name: &str) -> TestCertificate {
        let mut params = params(&[name], VALID);
        params.custom_extensions.push(CustomExtension::from_oid_content(LOG_TIMESTAMPS, log_timestamps()));
        self.sign(params)
    }

    fn sign(&self, mut params: CertificateParams) -> TestCertificate {
        let key = KeyPair::generate().unwrap();
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        TestCertificate { cert: cert.pem(), key: key.serialize_pem() }
    }

    /// A certificate whose only name is its common name.
    pub fn issue_for_common_name(&self, name: &str) -> TestCertificate {
        let key = KeyPair::generate().unwrap();
        let mut params = params(&[], VALID);
        params.distinguished_name.push(DnType::CommonName, name);
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        TestCertificate { cert: cert.pem(), key: key.serialize_pem() }
    }
}

/// The object identifier of a certificate's log timestamps (RFC 6962 section 3.3).
const LOG_TIMESTAMPS: &[u64] = &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// A list of one timestamp with a made-up log and signature, in DER.
fn log_timestamps() -> Vec<u8> {
    // Version, log, time, no extensions, SHA-256 with ECDSA, signature of 2 bytes.
    let timestamp = [vec![0; 1 + 32 + 8], vec![0, 0, 4, 3, 0, 2, 1, 2]].concat();
    let length = timestamp.len() as u8;
    [vec![4, length + 4, 0, length + 2, 0, length], timestamp].concat()
}

/// A self-signed certificate; `ca` marks it as a CA's, as `openssl req -x509` does.
pub fn self_signed(names: &[&str], ca: bool) -> TestCertificate {
    let key = KeyPair::generate().unwrap();
    let mut params = params(names, VALID);
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    TestCertificate { cert: params.self_signed(&key).unwrap().pem(), key: key.serialize_pem() }
}

fn params(names: &[&str], span: ValidityPeriod) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| name.to_string()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(rcgen::SanType::DnsName(name)) = params.subject_alt_names.first() {
        params.distinguished_name.push(DnType::CommonName, name.as_str());
    }
    params.not_before = from_now(-span.since_days, -1).into();
    params.not_after = from_now(span.until_days, if span.until_days < 0 { -1 } else { 1 }).into();
    params
}

fn from_now(days: i64, hours: i64) -> SystemTime {
    let seconds = (days * 24 + hours) * 3600;
    match seconds {
        0.. => SystemTime::now() + Duration::from_secs(seconds as u64),
        _ => SystemTime::now() - Duration::from_secs(-seconds as u64),
    }
}

/// PEM files in a temporary directory.
pub struct PemFiles(TempDir);

impl PemFiles {
    pub fn create() -> PemFiles {
        PemFiles(tempfile::tempdir().unwrap())
    }

    pub fn put(&self, name: &str, text: &str) -> PathBuf {
        self.put_bytes(name, text.as_bytes())
    }

    pub fn put_bytes(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// TLS settings of a test server.
pub struct TestTlsServer {
    pub presented: TestCertificate,
    pub versions: &'static [&'static SupportedProtocolVersion],
    pub alpn: &'static [&'static [u8]],
    /// The authority that must have issued client certificates.
    pub clients: Option<String>,
    /// Clients need no certificate.
    pub clients_optional: bool,
}

impl TestTlsServer {
    pub fn new(presented: &TestCertificate) -> TestTlsServer {
        TestTlsServer {
            presented: presented.clone(),
            versions: rustls::ALL_VERSIONS,
            alpn: &[b"http/1.1"],
            clients: None,
            clients_optional: false,
        }
    }

    /// The configuration of the server.
    pub fn config(&self) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = match &self.clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate(authority)).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier =
                    if self.clients_optional { verifier.allow_unauthenticated() } else { verifier };
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.presented.key.as_bytes());
        let chain = CertificateDer::pem_slice_iter(self.presented.cert.as_bytes());
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let mut config = builder.with_single_cert(chain, key.unwrap()).unwrap();
        config.alpn_protocols = self.alpn.iter().map(|name| name.to_vec()).collect();
        config
    }

    /// The acceptor for incoming connections.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::new(self.config()))
    }

    /// Accepts one connection and runs `script` inside TLS; `None` if TLS failed.
    pub async fn run<F, Fut, T>(self, script: F) -> LoopbackPeer<Option<T>>
    where
        F: FnOnce(TlsStream<TcpStream>) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let acceptor = self.acceptor();
        peer(async move |stream| match acceptor.accept(stream).await {
            Ok(stream) => Some(script(stream).await),
            Err(_) => None,
        })
        .await
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}
