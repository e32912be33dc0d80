//! TLS to the server or to an `https://` proxy.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Error, InvalidMessage,
    PeerIncompatible, RootCertStore,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::domain::connection::connect_info::{FailureKind, TlsInfo};
use crate::domain::connection::pem_text;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::tls_inspection::{CertificateFacts, RootSource};
use crate::domain::format::variant_words;

use super::certificate;
use super::server_verifier::{ServerVerifier, SharedPresented};
use crate::net::dial_error::DialError;
use crate::net::os_error;
use crate::net::time_limit::TimeLimit;
use crate::net::tls_error::describe_tls_error;

/// The user's TLS options.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// PEM files of the only roots to trust; if empty, the system's roots.
    pub cacert: Vec<PathBuf>,
    /// A PEM file with the client certificate and its chain.
    pub cert: Option<PathBuf>,
    /// A PEM file with the private key of `cert`.
    pub key: Option<PathBuf>,
    /// Skip the check of the server's certificate.
    pub insecure: bool,
    /// The server name to request and check instead of the URL's host.
    pub server_name: Option<String>,
}

/// A valid TLS configuration. The system's roots are loaded at first use.
#[derive(Default)]
pub struct TlsPlan {
    /// Where the trusted roots are from.
    pub(super) source: RootSource,
    /// The only roots, if the user named some.
    roots: Vec<CertificateDer<'static>>,
    /// The client certificate and its key.
    pub(super) identity: Option<Arc<SingleCertAndKey>>,
    server_name: Option<ServerName<'static>>,
    /// Checks certificates; `None`: any is accepted.
    verifier: OnceLock<Result<Option<Arc<dyn ServerCertVerifier>>, String>>,
}

impl fmt::Debug for TlsPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPlan").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl TlsPlan {
    /// Loads the files in `options`. The error is one line that names the file and the rule.
    pub fn build(options: &TlsOptions) -> Result<TlsPlan, String> {
        let (source, roots) = match (options.insecure, options.cacert.as_slice()) {
            (true, _) => (RootSource::Unchecked, Vec::new()),
            (false, []) => (RootSource::System, Vec::new()),
            (false, files) => (RootSource::Custom, roots(files)?),
        };
        let server_name = options.server_name.as_deref().map(parse_name).transpose()?;
        let verifier = OnceLock::new();
        let plan = TlsPlan { source, roots, identity: identity(options)?, server_name, verifier };
        if source != RootSource::System {
            plan.prepare()?;
        }
        Ok(plan)
    }

    /// The same plan without verification of the server's certificate, unless it has a client certificate, which is shown to
    /// no server that is not verified.
    pub fn unverified(&self) -> Option<TlsPlan> {
        let (source, server_name) = (RootSource::Unchecked, self.server_name.clone());
        self.identity.is_none().then(|| TlsPlan { source, server_name, ..TlsPlan::default() })
    }

    /// Loads the system's roots now, so that the delay does not fall into a run.
    pub fn prepare(&self) -> Result<(), String> {
        self.verifier().map(|_| ())
    }

    /// The server name for `host`.
    pub fn name_for(&self, host: &Host<String>) -> Result<ServerName<'static>, DialError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => host_name(host),
        }
    }

    fn verifier(&self) -> Result<Option<Arc<dyn ServerCertVerifier>>, String> {
        self.verifier.get_or_init(|| verifier(self)).clone()
    }

    /// The configuration of one connection, which notes in `presented` what the server shows. If it `inspects`, it accepts
    /// any certificate. `identity` answers a request for a client certificate.
    pub(super) fn config(
        &self,
        alpn: &[&[u8]],
        identity: Option<Arc<dyn ResolvesClientCert>>,
        inspects: bool,
        presented: &SharedPresented,
    ) -> Result<ClientConfig, DialError> {
        let local = |why| DialError::new(FailureKind::Local, why);
        let trust =
            self.verifier().map_err(|why| local(why).hint("--cacert FILE names the roots to trust"))?;
        let provider = ring::default_provider();
        let algorithms = provider.signature_verification_algorithms;
        let (pinned, presented) = (self.roots.clone(), presented.clone());
        let verifier = ServerVerifier { trust, pinned, algorithms, inspects, presented };
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| local(format!("TLS cannot be set up: {}", describe_tls_error(&error))))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match identity {
            Some(identity) => config.with_client_cert_resolver(identity),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        // Without resumption, every opening measures a full handshake.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

/// The ALPN name of HTTP/1.1 (RFC 7301 section 6).
pub(super) const HTTP1: &[u8] = b"http/1.1";

/// The hint for a server that does not speak HTTP/2.
pub(super) const TRY_HTTP1: &str = "try --http 1.1, as most clients connect";

/// The ALPN name of HTTP/2 over TLS (RFC 9113 section 3.2).
pub(super) const HTTP2: &[u8] = b"h2";

/// The TLS server name of `host`.
pub fn host_name(host: &Host<String>) -> Result<ServerName<'static>, DialError> {
    match host {
        Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Domain(name) => parse_name(name).map_err(|why| DialError::new(FailureKind::Local, why)),
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_string())
        .map_err(|_| format!("'{name}' is not a host name that TLS can carry"))
}

fn roots(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, String> = files.iter().map(|file| certificates("--cacert", file)).collect();
    Ok(all?.into_iter().flatten().collect())
}

fn certificates(option: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read_pem(option, file)?;
    let unreadable = |error| format!("{option}: {}", pem_fault("a certificate", file, &bytes, &error));
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let certificates = certificates.map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn read_pem(option: &str, file: &Path) -> Result<Vec<u8>, String> {
    let bytes = std::fs::read(file).map_err(|error| {
        format!("{option}: cannot read {}: {}", file.display(), os_error::describe(&error))
    })?;
    Ok(pem_text::decode(bytes))
}

fn pem_fault(what: &str, file: &Path, bytes: &[u8], error: &pem::Error) -> String {
    let file = file.display();
    match (error, pem_text::other_format(bytes)) {
        (pem::Error::NoItemsFound, Some(format)) => format!("'{file}' holds {format}"),
        (pem::Error::NoItemsFound, None) => match pem_text::labels(bytes).as_slice() {
            [] => format!("'{file}' holds no PEM block with {what}"),
            labels => format!("'{file}' holds no PEM block with {what}, but {}", labels.join(", ")),
        },
        (pem::Error::MissingSectionEnd { .. }, _) => {
            format!("'{file}' is not readable as PEM: a block has no END line, or is not broken into lines")
        }
        (pem::Error::IllegalSectionStart { .. }, _) => {
            format!("'{file}' is not readable as PEM: a BEGIN line does not end with -----")
        }
        (pem::Error::Base64Decode(_), _) => {
            format!("'{file}' is not readable as PEM: between BEGIN and END is no base64")
        }
        (other, _) => format!("'{file}' is not readable as PEM: {other}"),
    }
}

fn identity(options: &TlsOptions) -> Result<Option<Arc<SingleCertAndKey>>, String> {
    let (cert, key) = match (&options.cert, &options.key) {
        (None, None) => return Ok(None),
        (Some(cert), Some(key)) => (cert, key),
        (Some(cert), None) => {
            return Err(format!(
                "the certificate '{}' (--cert) needs its private key (--key)",
                cert.display()
            ));
        }
        (None, Some(key)) => {
            return Err(format!(
                "the private key '{}' (--key) needs its certificate (--cert)",
                key.display()
            ));
        }
    };
    let chain = certificates("--cert", cert)?;
    let bytes = read_pem("--key", key)?;
    let unusable = |error| pem_fault("a private key (an encrypted one cannot be used)", key, &bytes, &error);
    let secret =
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| format!("--key: {}", unusable(error)))?;
    match CertifiedKey::from_der(chain, secret, &ring::default_provider()) {
        Ok(own) => Ok(Some(Arc::new(SingleCertAndKey::from(own)))),
        Err(Error::InconsistentKeys(_)) => {
            Err(format!("the key '{}' is not that of the certificate '{}'", key.display(), cert.display()))
        }
        Err(error) => {
            Err(format!("the key '{}' cannot be used: {}", key.display(), describe_tls_error(&error)))
        }
    }
}

fn verifier(plan: &TlsPlan) -> Result<Option<Arc<dyn ServerCertVerifier>>, String> {
    let provider = Arc::new(ring::default_provider());
    match plan.source {
        RootSource::Unchecked => Ok(None),
        RootSource::System => match rustls_platform_verifier::Verifier::new(provider) {
            Ok(verifier) => Ok(Some(Arc::new(verifier))),
            Err(error) => {
                Err(format!("the system's root certificates cannot be read: {}", describe_tls_error(&error)))
            }
        },
        RootSource::Custom => {
            let mut store = RootCertStore::empty();
            for root in &plan.roots {
                store.add(root.clone()).map_err(|error| {
                    format!("a root certificate is unusable: {}", describe_tls_error(&error))
                })?;
            }
            match WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build() {
                Ok(verifier) => Ok(Some(verifier)),
                Err(error) => Err(format!("the root certificates are unusable: {}", variant_words(&error))),
            }
        }
    }
}

/// The TLS peer.
#[derive(Debug, Clone)]
pub enum TlsPeer {
    /// The target; it may receive our client certificate.
    Server(ServerName<'static>),
    /// An `https://` proxy; it does not receive our client certificate.
    Proxy(ServerName<'static>),
}

impl TlsPeer {
    fn name(&self) -> &ServerName<'static> {
        match self {
            TlsPeer::Server(name) | TlsPeer::Proxy(name) => name,
        }
    }

    fn words(&self) -> &'static str {
        match self {
            TlsPeer::Server(_) => "the server",
            TlsPeer::Proxy(_) => "the proxy",
        }
    }
}

/// Negotiates TLS over `stream`, and by ALPN one of the protocols in `alpn`.
pub async fn handshake<S>(
    plan: &TlsPlan,
    stream: S,
    peer: &TlsPeer,
    alpn: &[&[u8]],
    limit: TimeLimit,
) -> Result<(TlsStream<S>, TlsInfo), DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let identity = plan.identity.clone().filter(|_| matches!(peer, TlsPeer::Server(_)));
    let presented = SharedPresented::default();
    let config = plan.config(alpn, identity.map(|own| own as _), false, &presented)?;
    let connector = TlsConnector::from(Arc::new(config));
    let negotiated = timeout_at(limit.end, connector.connect(peer.name().clone(), stream)).await;
    let leaf = presented.lock().leaf();
    match negotiated {
        Err(_) => Err(handshake_timeout(limit, peer)),
        Ok(Err(error)) if alpn == [HTTP2] && is_alpn_refused(&error) => Err(http2_refused(peer)),
        Ok(Err(error)) => Err(handshake_fault(&error, leaf.as_ref(), peer)),
        Ok(Ok(stream)) => {
            let verified = plan.source != RootSource::Unchecked;
            let facts = facts(stream.get_ref().1, leaf, verified);
            Ok((stream, facts))
        }
    }
}

/// The error of a handshake that did not end in time.
pub(super) fn handshake_timeout(limit: TimeLimit, peer: &TlsPeer) -> DialError {
    let doing = format!("{} did not end the TLS handshake", peer.words());
    // A plain-text server waits for the end of a request and so answers nothing.
    maybe_plain(limit.error(doing), peer)
}

/// The IANA name of the cipher suite.
pub(super) fn cipher_name(connection: &ClientConnection) -> Option<String> {
    let suite = connection.negotiated_cipher_suite()?;
    // rustls marks TLS 1.3 cipher suites in their names; IANA does not.
    Some(format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1))
}

fn facts(connection: &ClientConnection, leaf: Option<CertificateFacts>, verified: bool) -> TlsInfo {
    let version = connection.protocol_version().map(|version| format!("{version:?}").replace('_', "."));
    let alpn = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    TlsInfo {
        version: version.unwrap_or_default(),
        cipher: cipher_name(connection).unwrap_or_default(),
        alpn,
        days_left: leaf.as_ref().map(|leaf| leaf.days_left(unix_now())),
        subject: leaf
            .as_ref()
            .and_then(|leaf| leaf.common_name.clone().or_else(|| leaf.names.first().cloned())),
        issuer: leaf.and_then(|leaf| leaf.issuer),
        verified,
    }
}

/// Seconds since the Unix epoch.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The TLS error inside an I/O error.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

const MAYBE_PLAIN: &str = "the server may speak plain HTTP on this port: use ws://";

fn is_alpn_refused(error: &io::Error) -> bool {
    matches!(tls_error(error), Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)))
}

fn http2_refused(peer: &TlsPeer) -> DialError {
    let cause = format!("{} refused HTTP/2 (TLS alert no_application_protocol)", peer.words());
    DialError::new(FailureKind::NotHttp2, cause).hint(TRY_HTTP1)
}

/// The error of a handshake that failed after `leaf` was presented.
pub(super) fn handshake_fault(
    error: &io::Error,
    leaf: Option<&CertificateFacts>,
    peer: &TlsPeer,
) -> DialError {
    let who = peer.words();
    match tls_error(error) {
        Some(Error::InvalidCertificate(wrong)) => certificate_fault(wrong, leaf, peer),
        Some(Error::InvalidMessage(wrong)) => not_tls(*wrong, peer),
        Some(Error::AlertReceived(AlertDescription::HandshakeFailure)) if leaf.is_none() => {
            nothing_in_common(who)
        }
        Some(Error::AlertReceived(alert)) => alert_fault(*alert, who),
        Some(Error::PeerIncompatible(wrong)) => incompatible(wrong, who),
        Some(other) => failed(format!("the TLS handshake failed: {}", describe_tls_error(other))),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            let cause = format!("{who} closed the connection during the TLS handshake");
            maybe_plain(DialError::new(FailureKind::ClosedEarly, cause), peer)
        }
        None => match DialError::on_open_connection("during the TLS handshake", error) {
            // A plain-text server that closes with our hello unread sends an RST.
            reset if reset.kind == FailureKind::Reset => maybe_plain(reset, peer),
            fault => fault,
        },
    }
}

/// A proxy's certificate must match its URL; --server-name does not apply.
fn certificate_fault(wrong: &CertificateError, leaf: Option<&CertificateFacts>, peer: &TlsPeer) -> DialError {
    let fault = certificate::fault(wrong, leaf, peer.name());
    match peer {
        TlsPeer::Proxy(_) if fault.kind == FailureKind::CertificateWrongName => {
            DialError { hint: None, ..fault }
        }
        TlsPeer::Proxy(_) | TlsPeer::Server(_) => fault,
    }
}

fn failed(cause: String) -> DialError {
    DialError::new(FailureKind::TlsFailed, cause)
}

fn maybe_plain(fault: DialError, peer: &TlsPeer) -> DialError {
    match peer {
        TlsPeer::Server(_) => fault.hint(MAYBE_PLAIN),
        TlsPeer::Proxy(_) => fault.hint("the proxy may be a plain one: give it as http://"),
    }
}

fn not_tls(wrong: InvalidMessage, peer: &TlsPeer) -> DialError {
    let who = peer.words();
    match wrong {
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::MessageTooLarge => {
            maybe_plain(failed(format!("{who} did not answer with TLS")), peer)
        }
        other => failed(format!("{who} sent a broken TLS message: {}", variant_words(&other))),
    }
}

fn incompatible(wrong: &PeerIncompatible, who: &str) -> DialError {
    match wrong {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            failed(format!("{who} speaks neither TLS 1.2 nor TLS 1.3"))
        }
        other => failed(format!("{who} offers nothing that we accept in TLS: {}", variant_words(other))),
    }
}

/// The server refused before it presented a certificate: usually no common algorithm. A server that wants a client
/// certificate presents its own first.
fn nothing_in_common(who: &str) -> DialError {
    failed(format!(
        "{who} refused before it showed a certificate (TLS alert handshake_failure): as a rule both sides have no \
         cipher, group or signature algorithm in common"
    ))
    .hint(
        "wscheck offers TLS 1.2 and 1.3 with ECDHE (X25519, P-256, P-384), AES-GCM and ChaCha20, and accepts server \
         keys of the kinds RSA, ECDSA P-256 and P-384, and Ed25519: not P-521, secp256k1 or DSA",
    )
}

fn alert_fault(alert: AlertDescription, who: &str) -> DialError {
    const WANTS_CERT: &str = "it may want a client certificate: --cert and --key";
    let (why, hint) = match alert {
        AlertDescription::CertificateRequired => ("demands a client certificate", Some("--cert and --key")),
        AlertDescription::NoApplicationProtocol => {
            ("refused HTTP/1.1", Some("the server may offer HTTP/2 only: --http 2"))
        }
        AlertDescription::HandshakeFailure
        | AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => ("refused", Some(WANTS_CERT)),
        AlertDescription::UnknownCA => {
            ("refused", Some("it does not trust the issuer of our client certificate"))
        }
        AlertDescription::CertificateExpired => ("refused", Some("our client certificate has expired")),
        AlertDescription::ProtocolVersion => ("speaks neither TLS 1.2 nor TLS 1.3", None),
        AlertDescription::UnrecognisedName => {
            ("does not know the name asked for", Some("--server-name asks for another"))
        }
        _ => ("refused", None),
    };
    let fault = failed(format!("{who} {why} (TLS alert {})", iana_name(alert)));
    DialError { hint: hint.map(str::to_string), ..fault }
}

/// The IANA name of an alert, which is not everywhere spelled as in rustls.
fn iana_name(alert: AlertDescription) -> String {
    variant_words(&alert).replace(' ', "_").replace("unrecognised", "unrecognized")
}

/// The TLS error after the handshake: in TLS 1.3 the server checks our certificate after our handshake is done, so its
/// alert arrives in the next phase.
pub fn alert(error: &io::Error) -> Option<DialError> {
    let fault = match tls_error(error)? {
        Error::AlertReceived(alert) => alert_fault(*alert, "the server"),
        other => failed(format!("TLS with the server failed: {}", describe_tls_error(other))),
    };
    Some(DialError { phase: Some(Phase::Tls), ..fault })
}

/// The IANA name of the peer's TLS alert (`decode_error`).
pub fn alert_name(error: &io::Error) -> Option<String> {
    let Error::AlertReceived(alert) = tls_error(error)? else { return None };
    Some(iana_name(*alert))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::loopback_peer::{LoopbackPeer, peer};
    use crate::net::testing::test_certificates::{
        PemFiles, TestAuthority, TestCertificate, TestTlsServer, VALID, ValidityPeriod, self_signed,
    };
    use rustls::version::TLS12;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::Instant;

    const BUDGET: Duration = Duration::from_secs(10);
    static ONLY_1_2: &[&rustls::SupportedProtocolVersion] = &[&TLS12];

    fn trusting(pem: &str) -> TlsPlan {
        let files = PemFiles::create();
        let options = TlsOptions { cacert: vec![files.put("ca.pem", pem)], ..TlsOptions::default() };
        TlsPlan::build(&options).unwrap()
    }

    fn insecure() -> TlsPlan {
        TlsPlan::build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap()
    }

    async fn negotiated<T>(plan: &TlsPlan, peer: &LoopbackPeer<T>, name: &str) -> Result<TlsInfo, DialError> {
        let stream = TcpStream::connect(peer.address).await.unwrap();
        let peer = TlsPeer::Server(parse_name(name).unwrap());
        let (_, facts) = handshake(plan, stream, &peer, &[HTTP1], TimeLimit::from_now(BUDGET)).await?;
        Ok(facts)
    }

    /// Presents a certificate to a client that requests `a.example`.
    async fn shown(plan: &TlsPlan, shown: &TestCertificate) -> Result<TlsInfo, DialError> {
        let peer = TestTlsServer::new(shown).run(hold).await;
        negotiated(plan, &peer, "a.example").await
    }

    /// Reads until the client closes.
    async fn hold<S: AsyncRead + Unpin>(mut stream: S) {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }

    async fn wrong(plan: &TlsPlan, certificate: &TestCertificate) -> (FailureKind, String, String) {
        let fault = shown(plan, certificate).await.unwrap_err();
        (fault.kind, fault.cause, fault.hint.unwrap_or_default())
    }

    #[tokio::test]
    async fn tls_info_describes_connection_and_certificate() {
        let authority = TestAuthority::new("Test Root");
        let certificate = authority.issue(&["a.example", "b.example"], VALID);
        let facts = shown(&trusting(&authority.cert), &certificate).await.unwrap();
        assert_eq!(facts.version, "TLSv1.3");
        assert!(
            ["TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"]
                .contains(&facts.cipher.as_str()),
            "{}",
            facts.cipher
        );
        assert_eq!(facts.alpn.as_deref(), Some("http/1.1"));
        assert_eq!(facts.days_left, Some(30));
        assert_eq!(facts.subject.unwrap().as_str(), "a.example");
        assert_eq!(facts.issuer.unwrap().as_str(), "Test Root");
        assert!(facts.verified);
    }

    #[tokio::test]
    async fn tls_1_2_and_missing_alpn_are_reported() {
        let authority = TestAuthority::new("Test Root");
        let certificate = authority.issue(&["127.0.0.1"], VALID);
        let server = TestTlsServer { versions: ONLY_1_2, alpn: &[], ..TestTlsServer::new(&certificate) };
        let peer = server.run(hold).await;
        let facts = negotiated(&trusting(&authority.cert), &peer, "127.0.0.1").await.unwrap();
        assert_eq!((facts.version.as_str(), facts.alpn), ("TLSv1.2", None));
        assert!(facts.cipher.starts_with("TLS_ECDHE_"), "{}", facts.cipher);
    }

    #[tokio::test]
    async fn each_certificate_fault_is_named() {
        let authority = TestAuthority::new("Test Root");
        let plan = trusting(&authority.cert);
        let span = |since_days, until_days| ValidityPeriod { since_days, until_days };
        let (kind, cause, _) = wrong(&plan, &authority.issue(&["a.example"], span(30, -3))).await;
        assert_eq!(
            (kind, cause.as_str()),
            (FailureKind::CertificateExpired, "certificate expired 3 days ago")
        );
        let (kind, cause, _) = wrong(&plan, &authority.issue(&["a.example"], span(-3, 30))).await;
        assert_eq!(kind, FailureKind::CertificateNotYetValid);
        assert_eq!(cause, "certificate is not valid yet: it will be in 2 days");
        let (kind, cause, hint) = wrong(&plan, &authority.issue(&["b.example", "c.example"], VALID)).await;
        assert_eq!(kind, FailureKind::CertificateWrongName);
        assert_eq!(cause, "certificate is for b.example, c.example; not for a.example");
        assert!(hint.ends_with("--server-name b.example"), "{hint}");
        let other_authority = TestAuthority::new("Another \x1bRoot");
        let (kind, cause, hint) = wrong(&plan, &other_authority.issue(&["a.example"], VALID)).await;
        assert_eq!(kind, FailureKind::CertificateUnknownIssuer);
        assert_eq!(cause, "certificate has an unknown issuer, Another \\u{1b}Root");
        assert!(hint.contains("--cacert") && hint.contains("--insecure"), "{hint}");
    }

    #[tokio::test]
    async fn proxy_error_offers_no_other_name() {
        let authority = TestAuthority::new("Test Root");
        let peer = TestTlsServer::new(&authority.issue(&["b.example"], VALID)).run(hold).await;
        let stream = TcpStream::connect(peer.address).await.unwrap();
        let peer = TlsPeer::Proxy(parse_name("a.example").unwrap());
        let plan = trusting(&authority.cert);
        let fault = handshake(&plan, stream, &peer, &[HTTP1], TimeLimit::from_now(BUDGET)).await.unwrap_err();
        assert_eq!((fault.kind, fault.hint), (FailureKind::CertificateWrongName, None));
    }

    #[tokio::test]
    async fn self_signed_certificate_is_named() {
        let plan = trusting(&TestAuthority::new("Test Root").cert);
        for ca in [false, true] {
            let (kind, cause, hint) = wrong(&plan, &self_signed(&["a.example"], ca)).await;
            assert_eq!(kind, FailureKind::CertificateUnknownIssuer, "{cause}");
            assert_eq!(cause, "certificate is self-signed and not trusted here");
            assert!(hint.contains("--cacert"), "{hint}");
        }
    }

    #[tokio::test]
    async fn self_signed_certificate_is_trusted_for_its_name_only() {
        for ca in [false, true] {
            let own = self_signed(&["a.example"], ca);
            assert!(shown(&trusting(&own.cert), &own).await.unwrap().verified);
            let other = self_signed(&["b.example"], ca);
            let (kind, _, _) = wrong(&trusting(&other.cert), &other).await;
            assert_eq!(kind, FailureKind::CertificateWrongName);
        }
    }

    #[tokio::test]
    async fn insecure_accepts_and_reports_the_certificate() {
        let authority = TestAuthority::new("Test Root");
        let expired = authority.issue(&["b.example"], ValidityPeriod { since_days: 30, until_days: -3 });
        let facts = shown(&insecure(), &expired).await.unwrap();
        assert_eq!((facts.verified, facts.days_left), (false, Some(-3)));
        assert_eq!(facts.issuer.unwrap().as_str(), "Test Root");
    }

    #[tokio::test]
    async fn client_certificate_is_sent_or_demanded() {
        let (servers, clients) = (TestAuthority::new("Servers"), TestAuthority::new("Clients"));
        let certificate = servers.issue(&["a.example"], VALID);
        let demanding = || TestTlsServer {
            versions: ONLY_1_2,
            clients: Some(clients.cert.clone()),
            ..TestTlsServer::new(&certificate)
        };
        let peer = demanding().run(hold).await;
        let fault = negotiated(&trusting(&servers.cert), &peer, "a.example").await.unwrap_err();
        assert_eq!(fault.kind, FailureKind::TlsFailed);
        assert!(fault.hint.unwrap().contains("--cert and --key"), "{}", fault.cause);
        let files = PemFiles::create();
        let own = clients.issue(&["me"], VALID);
        let plan = TlsPlan::build(&TlsOptions {
            cacert: vec![files.put("ca.pem", &servers.cert)],
            cert: Some(files.put("cert.pem", &own.cert)),
            key: Some(files.put("key.pem", &own.key)),
            ..TlsOptions::default()
        })
        .unwrap();
        let peer = demanding().run(hold).await;
        assert!(negotiated(&plan, &peer, "a.example").await.is_ok());
    }

    #[tokio::test]
    async fn server_name_can_be_overridden() {
        let authority = TestAuthority::new("Test Root");
        let files = PemFiles::create();
        let plan = TlsPlan::build(&TlsOptions {
            cacert: vec![files.put("ca.pem", &authority.cert)],
            server_name: Some("b.example".into()),
            ..TlsOptions::default()
        })
        .unwrap();
        let name = plan.name_for(&Host::Domain("a.example".into())).unwrap();
        assert_eq!(name.to_str(), "b.example");
        let peer = TestTlsServer::new(&authority.issue(&["b.example"], VALID)).run(hold).await;
        assert!(negotiated(&plan, &peer, &name.to_str()).await.is_ok());
    }

    #[tokio::test]
    async fn http_2_only_server_is_suspected() {
        let authority = TestAuthority::new("Test Root");
        let certificate = authority.issue(&["a.example"], VALID);
        let peer = TestTlsServer { alpn: &[b"h2"], ..TestTlsServer::new(&certificate) }.run(hold).await;
        let fault = negotiated(&trusting(&authority.cert), &peer, "a.example").await.unwrap_err();
        assert_eq!(fault.kind, FailureKind::TlsFailed);
        assert_eq!(fault.hint.as_deref(), Some("the server may offer HTTP/2 only: --http 2"));
    }

    #[tokio::test]
    async fn sha1_signature_is_named() {
        let cert = include_str!("fixtures/signed_with_sha1.pem").to_string();
        let key = include_str!("fixtures/signed_with_sha1.key").to_string();
        let plan = trusting(include_str!("fixtures/signed_with_sha1.ca.pem"));
        let (kind, cause, _) = wrong(&plan, &TestCertificate { cert, key }).await;
        assert_eq!(kind, FailureKind::CertificateInvalid);
        assert_eq!(
            cause,
            "certificate is not acceptable: it, or one in its chain, is signed with SHA-1 (and ECDSA), which is not \
             accepted"
        );
    }

    #[tokio::test]
    async fn common_name_alone_does_not_count() {
        let authority = TestAuthority::new("Test Root");
        let shown = authority.issue_for_common_name("a.example");
        let (kind, cause, hint) = wrong(&trusting(&authority.cert), &shown).await;
        assert_eq!(kind, FailureKind::CertificateWrongName);
        assert_eq!(cause, "certificate is for no name; not for a.example");
        assert!(hint.starts_with("names must be in subjectAltName; the common name (a.example)"), "{hint}");
    }

    /// Reads the client's hello and answers with this alert (RFC 8446 section 6).
    async fn alerted(alert: u8) -> DialError {
        let peer = peer(async move |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, alert]).await;
            hold(stream).await;
        })
        .await;
        negotiated(&insecure(), &peer, "a.example").await.unwrap_err()
    }

    #[tokio::test]
    async fn handshake_failure_before_a_certificate_names_the_algorithms() {
        let fault = alerted(40).await;
        assert!(
            fault.cause.ends_with("no cipher, group or signature algorithm in common"),
            "{}",
            fault.cause
        );
        assert!(fault.hint.unwrap().contains("not P-521, secp256k1"));
        let fault = alerted(116).await;
        assert_eq!(fault.cause, "the server demands a client certificate (TLS alert certificate_required)");
        assert_eq!(alerted(71).await.cause, "the server refused (TLS alert insufficient_security)");
    }

    #[test]
    fn tls_errors_have_no_debug_text() {
        use rustls::{CertRevocationListError, PeerMisbehaved};
        let errors = [
            Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
            Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Error::InvalidMessage(InvalidMessage::MissingData("Finished")),
            Error::InvalidCertificate(CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                signature_algorithm_id: vec![42; 300],
                public_key_algorithm_id: vec![42; 300],
            }),
            Error::InvalidCertRevocationList(CertRevocationListError::BadSignature),
            Error::InappropriateMessage { expect_types: vec![], got_type: rustls::ContentType::Alert },
            Error::DecryptError,
        ];
        for error in errors {
            let text = describe_tls_error(&error);
            let odd = |c: char| "{}[]()_".contains(c) || c.is_ascii_uppercase();
            assert!(!text.contains(odd) && text.len() < 100, "{text}");
        }
        assert_eq!(
            describe_tls_error(&Error::PeerMisbehaved(PeerMisbehaved::TooManyEmptyFragments)),
            "the peer broke the protocol: too many empty fragments"
        );
    }

    #[test]
    fn pem_files_are_read_in_any_encoding() {
        let own = self_signed(&["a.example"], false);
        let files = PemFiles::create();
        let utf16: Vec<u8> =
            format!("\u{feff}{}", own.cert).encode_utf16().flat_map(u16::to_le_bytes).collect();
        let cert = files.put_bytes("utf16.pem", &utf16);
        let key = files.put("bom.key", &format!("\u{feff}{}", own.key));
        let options = TlsOptions {
            cert: Some(cert.clone()),
            key: Some(key),
            cacert: vec![cert],
            ..TlsOptions::default()
        };
        TlsPlan::build(&options).unwrap();
        let der = files.put_bytes("der.pem", &certificates("--cacert", &options.cacert[0]).unwrap()[0]);
        let error = TlsPlan::build(&TlsOptions { cacert: vec![der], ..TlsOptions::default() }).unwrap_err();
        assert!(error.contains("holds DER or PKCS #12, not PEM"), "{error}");
    }

    #[test]
    fn damaged_pem_files_are_explained() {
        let (own, files) = (self_signed(&["a.example"], false), PemFiles::create());
        for (text, expected) in [
            (own.cert.replace(['\r', '\n'], " "), "a block has no END line, or is not broken into lines"),
            (own.cert.replace('\n', "\\n"), "a BEGIN line does not end with -----"),
            (own.cert[..100].to_string(), "a block has no END line"),
            (own.cert.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE-----\n%%%%"), "is no base64"),
            (own.cert.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), "but TRUSTED CERTIFICATE"),
        ] {
            let cacert = vec![files.put("x.pem", &text)];
            let error = TlsPlan::build(&TlsOptions { cacert, ..TlsOptions::default() }).unwrap_err();
            assert!(error.contains(expected) && error.len() < 200 && !error.contains("[6"), "{error}");
        }
    }

    #[tokio::test]
    async fn non_tls_answer_is_named() {
        let plain = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 64]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            hold(stream).await;
        })
        .await;
        let fault = negotiated(&insecure(), &plain, "a.example").await.unwrap_err();
        assert_eq!((fault.kind, fault.hint.as_deref()), (FailureKind::TlsFailed, Some(MAYBE_PLAIN)));
        assert_eq!(fault.cause, "the server did not answer with TLS");
        let closing = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 4096]).await;
        })
        .await;
        let fault = negotiated(&insecure(), &closing, "a.example").await.unwrap_err();
        assert_eq!((fault.kind, fault.hint.as_deref()), (FailureKind::ClosedEarly, Some(MAYBE_PLAIN)));
    }

    #[tokio::test(start_paused = true)]
    async fn silent_server_times_out() {
        let (near, _far) = tokio::io::duplex(1 << 16);
        let peer = TlsPeer::Server(parse_name("a.example").unwrap());
        let began = Instant::now();
        let fault =
            handshake(&insecure(), near, &peer, &[HTTP1], TimeLimit::from_now(BUDGET)).await.unwrap_err();
        assert_eq!(began.elapsed(), BUDGET);
        assert_eq!(fault.kind, FailureKind::Timeout);
        assert_eq!(fault.cause, "the server did not end the TLS handshake within 10 s");
        assert_eq!(fault.hint.as_deref(), Some(MAYBE_PLAIN));
    }

    #[test]
    fn system_roots_are_loaded_on_first_use() {
        let plan = TlsPlan::build(&TlsOptions::default()).unwrap();
        assert!(plan.verifier.get().is_none());
    }

    #[test]
    fn unusable_files_are_named_with_the_rule() {
        let files = PemFiles::create();
        let own = self_signed(&["a.example"], false);
        let cert = files.put("cert.pem", &own.cert);
        let key = files.put("key.pem", &own.key);
        let other = files.put("other.pem", &self_signed(&["a.example"], false).key);
        let missing = files.put("x", "").with_file_name("missing.pem");
        let error = |options: TlsOptions| TlsPlan::build(&options).unwrap_err();
        let pair = |cert: Option<&Path>, key: Option<&Path>| {
            let owned = |path: Option<&Path>| path.map(Path::to_path_buf);
            error(TlsOptions { cert: owned(cert), key: owned(key), ..TlsOptions::default() })
        };
        assert_eq!(
            pair(Some(&cert), None),
            format!("the certificate '{}' (--cert) needs its private key (--key)", cert.display())
        );
        assert_eq!(
            pair(None, Some(&key)),
            format!("the private key '{}' (--key) needs its certificate (--cert)", key.display())
        );
        assert_eq!(
            pair(Some(&cert), Some(&other)),
            format!("the key '{}' is not that of the certificate '{}'", other.display(), cert.display())
        );
        assert_eq!(
            pair(Some(&key), Some(&key)),
            format!("--cert: '{}' holds no PEM block with a certificate, but PRIVATE KEY", key.display())
        );
        assert_eq!(
            pair(Some(&cert), Some(&missing)),
            format!("--key: cannot read {}: no such file or directory (ENOENT)", missing.display())
        );
        let name = TlsOptions { server_name: Some("a b".into()), ..TlsOptions::default() };
        assert_eq!(error(name), "'a b' is not a host name that TLS can carry");
    }

    #[test]
    fn alert_after_the_handshake_is_a_close_by_the_peer() {
        for (alert, name) in [
            (AlertDescription::DecodeError, "decode_error"),
            (AlertDescription::UnknownCA, "unknown_ca"),
            (AlertDescription::InternalError, "internal_error"),
        ] {
            let error = io::Error::new(io::ErrorKind::InvalidData, Error::AlertReceived(alert));
            assert_eq!(alert_name(&error).as_deref(), Some(name));
        }
        assert_eq!(alert_name(&io::ErrorKind::InvalidData.into()), None);
    }
}
