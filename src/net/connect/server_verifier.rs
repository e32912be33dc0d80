//! Judges a server's certificates, and notes what the server presented: that matters most when it is rejected.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::is_ca_as_server;
use super::certificate_facts::read_chain;
use crate::domain::connection::tls_inspection::{CertificateFacts, ClientCertificateRequest, TlsVersion};

/// What a server showed in a handshake.
#[derive(Debug, Default)]
pub struct Presented {
    /// The certificates as they were sent, the server's own first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Why the chain is not trusted.
    pub verdict: Option<Error>,
    pub version: Option<TlsVersion>,
    /// Why the server's signature is not accepted.
    pub signature_fault: Option<Error>,
    /// Its request for a client certificate; noted by inspections only.
    pub request: Option<ClientCertificateRequest>,
}

impl Presented {
    /// The server's own certificate, if it is readable.
    pub fn leaf(&self) -> Option<CertificateFacts> {
        read_chain(self.chain.get(..1)?).pop()
    }
}

/// What a server showed, shared with the callbacks of rustls.
#[derive(Debug, Clone, Default)]
pub struct SharedPresented(Arc<Mutex<Presented>>);

impl SharedPresented {
    /// Locks it; its users cannot panic while they hold the lock.
    pub fn lock(&self) -> MutexGuard<'_, Presented> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The verifier of one connection. But for inspections, the server must show that it holds the certificate's key,
/// whatever certificates are accepted.
#[derive(Debug)]
pub struct ServerVerifier {
    /// `None`: any certificate is accepted.
    pub trust: Option<Arc<dyn ServerCertVerifier>>,
    /// Certificates that the user trusts explicitly, whatever their type.
    pub pinned: Vec<CertificateDer<'static>>,
    pub algorithms: WebPkiSupportedAlgorithms,
    /// What is wrong is only noted, and the handshake goes on, also with a server whose key cannot be verified.
    pub inspects: bool,
    pub presented: SharedPresented,
}

impl ServerVerifier {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        let Some(trust) = &self.trust else { return Ok(()) };
        match trust.verify_server_cert(leaf, intermediates, name, ocsp, now) {
            Err(error) if self.is_pinned(&error, leaf) => {
                verify_server_name(&ParsedCertificate::try_from(leaf)?, name)
            }
            judged => judged.map(drop),
        }
    }

    /// Whether the user trusts exactly this certificate. webpki rejects a self-signed CA certificate, as
    /// `openssl req -x509` makes it, even if it is a root itself; OpenSSL accepts it. (webpki has checked the dates
    /// before.)
    fn is_pinned(&self, error: &Error, leaf: &CertificateDer<'_>) -> bool {
        let ca = matches!(error, Error::InvalidCertificate(e) if is_ca_as_server(e));
        ca && self.pinned.iter().any(|pinned| pinned == leaf)
    }

    fn note_signature(
        &self,
        version: TlsVersion,
        verdict: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let mut presented = self.presented.lock();
        presented.version = Some(version);
        presented.signature_fault = verdict.as_ref().err().cloned();
        if self.inspects { Ok(HandshakeSignatureValid::assertion()) } else { verdict }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge(leaf, intermediates, name, ocsp, now);
        let mut presented = self.presented.lock();
        presented.chain =
            std::iter::once(leaf).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        presented.verdict = verdict.clone().err();
        match verdict {
            Err(error) if !self.inspects => Err(error),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = verify_tls12_signature(message, cert, signed, &self.algorithms);
        self.note_signature(TlsVersion::Tls12, verdict)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = verify_tls13_signature(message, cert, signed, &self.algorithms);
        self.note_signature(TlsVersion::Tls13, verdict)
    }

    /// An inspection offers those of keys that it cannot verify last, so that a server with such a key alone shows its
    /// certificate.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.algorithms.supported_schemes();
        if self.inspects {
            schemes.extend([SignatureScheme::ECDSA_NISTP521_SHA512, SignatureScheme::ED448]);
        }
        schemes
    }
}
