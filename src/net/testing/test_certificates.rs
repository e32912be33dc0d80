//! Certificates, and TLS servers that present them, for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
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

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct TestCertificate {
    pub cert: String,
    pub key: String,
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

    /// A certificate for these names.
    pub fn issue(&self, names: &[&str], span: ValidityPeriod) -> TestCertificate {
        let key = KeyPair::generate().unwrap();
        let cert = params(names, span).signed_by(&key, &self.issuer).unwrap();
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
}

impl TestTlsServer {
    pub fn new(presented: &TestCertificate) -> TestTlsServer {
        TestTlsServer {
            presented: presented.clone(),
            versions: rustls::ALL_VERSIONS,
            alpn: &[b"http/1.1"],
            clients: None,
        }
    }

    fn config(&self) -> ServerConfig {
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
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = <PrivateKeyDer as rustls::pki_types::pem::PemObject>::from_pem_slice(
            self.presented.key.as_bytes(),
        );
        let chain = vec![certificate(&self.presented.cert)];
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
    rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap()
}
