//! TLS to the server (or to an `https://` proxy), and what it tells.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, DigitallySignedStruct, Error, InvalidMessage,
    PeerIncompatible, RootCertStore, SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::domain::opening::{FailureKind, TlsFacts};
use crate::domain::phase::Phase;

use super::certificate::{self, Leaf};
use super::fault::Fault;

/// What the user wants of TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// PEM files with the only roots to trust, in place of the system's; empty: the system's.
    pub cacert: Vec<PathBuf>,
    /// A PEM file with our own certificate and its chain.
    pub cert: Option<PathBuf>,
    /// A PEM file with the private key of `cert`.
    pub key: Option<PathBuf>,
    /// Do not check the server's certificate.
    pub insecure: bool,
    /// The name to ask for and to check, in place of the URL's host.
    pub server_name: Option<String>,
}

/// How TLS is to be spoken. Always valid; the system's roots are read at the first use only.
#[derive(Default)]
pub struct TlsPlan {
    trust: Trust,
    identity: Option<Arc<SingleCertAndKey>>,
    server_name: Option<ServerName<'static>>,
    verifier: OnceLock<Result<Arc<dyn ServerCertVerifier>, String>>,
}

#[derive(Default)]
enum Trust {
    #[default]
    System,
    These(Vec<CertificateDer<'static>>),
    Anybody,
}

impl fmt::Debug for TlsPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsPlan").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl TlsPlan {
    /// Reads the files that `options` names. The error is one line that names the file and the rule.
    pub fn build(options: &TlsOptions) -> Result<TlsPlan, String> {
        let trust = match (options.insecure, options.cacert.as_slice()) {
            (true, _) => Trust::Anybody,
            (false, []) => Trust::System,
            (false, files) => Trust::These(roots(files)?),
        };
        let server_name = options.server_name.as_deref().map(parse_name).transpose()?;
        let plan = TlsPlan { trust, identity: identity(options)?, server_name, ..TlsPlan::default() };
        if !matches!(plan.trust, Trust::System) {
            plan.prepare()?;
        }
        Ok(plan)
    }

    /// Reads the system's roots now, so that it does not take its time in the middle of a run.
    pub fn prepare(&self) -> Result<(), String> {
        self.verifier().map(|_| ())
    }

    /// The name to ask `host` for.
    pub fn name_for(&self, host: &Host<String>) -> Result<ServerName<'static>, Fault> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => host_name(host),
        }
    }

    fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, String> {
        self.verifier.get_or_init(|| verifier(&self.trust)).clone()
    }

    /// A configuration for one connection, and what will have been seen of its certificate.
    fn config(&self, identity: bool) -> Result<(ClientConfig, Seen), Fault> {
        let no_roots =
            |why| Fault::new(FailureKind::Local, why).hint("--cacert FILE names the roots to trust");
        let inner = self.verifier().map_err(no_roots)?;
        let seen = Seen::default();
        let pinned = match &self.trust {
            Trust::These(roots) => roots.clone(),
            Trust::System | Trust::Anybody => Vec::new(),
        };
        let witness = Arc::new(Witness { inner, pinned, seen: Arc::clone(&seen) });
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Fault::new(FailureKind::Local, format!("TLS cannot be set up: {error}")))?
            .dangerous()
            .with_custom_certificate_verifier(witness);
        let mut config = match &self.identity {
            Some(own) if identity => config.with_client_cert_resolver(Arc::clone(own) as _),
            _ => config.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each opening is to show a whole handshake, the first as well as the tenth.
        config.resumption = Resumption::disabled();
        Ok((config, seen))
    }
}

/// The certificate of `host`, as TLS names it.
pub fn host_name(host: &Host<String>) -> Result<ServerName<'static>, Fault> {
    match host {
        Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Domain(name) => parse_name(name).map_err(|why| Fault::new(FailureKind::Local, why)),
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, String> {
    ServerName::try_from(name.to_string())
        .map_err(|_| format!("'{name}' is not a host name that TLS can carry"))
}

fn roots(files: &[PathBuf]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, String> = files.iter().map(|file| certificates(file)).collect();
    Ok(all?.into_iter().flatten().collect())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let unreadable = |error| pem_fault("a certificate", file, &error);
    let certificates = CertificateDer::pem_file_iter(file).map_err(unreadable)?;
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>().map_err(unreadable)?;
    if certificates.is_empty() {
        return Err(unreadable(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

fn pem_fault(what: &str, file: &Path, error: &pem::Error) -> String {
    let file = file.display();
    match error {
        pem::Error::NoItemsFound => format!("'{file}' holds no PEM block with {what}"),
        pem::Error::Io(error) => format!("cannot read '{file}': {}", super::os_error::describe(error)),
        other => format!("'{file}' is not readable as PEM: {other}"),
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
    let chain = certificates(cert)?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| pem_fault("a private key (an encrypted one cannot be used)", key, &error))?;
    match CertifiedKey::from_der(chain, secret, &ring::default_provider()) {
        Ok(own) => Ok(Some(Arc::new(SingleCertAndKey::from(own)))),
        Err(Error::InconsistentKeys(_)) => {
            Err(format!("the key '{}' is not that of the certificate '{}'", key.display(), cert.display()))
        }
        Err(error) => Err(format!("the key '{}' cannot be used: {error}", key.display())),
    }
}

fn verifier(trust: &Trust) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let provider = Arc::new(ring::default_provider());
    match trust {
        Trust::Anybody => Ok(Arc::new(Unchecked(provider))),
        Trust::System => match rustls_platform_verifier::Verifier::new(provider) {
            Ok(verifier) => Ok(Arc::new(verifier)),
            Err(error) => Err(format!("the system's root certificates cannot be read: {error}")),
        },
        Trust::These(roots) => {
            let mut store = RootCertStore::empty();
            for root in roots {
                store
                    .add(root.clone())
                    .map_err(|error| format!("a root certificate is unusable: {error}"))?;
            }
            match WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider).build() {
                Ok(verifier) => Ok(verifier),
                Err(error) => Err(format!("the root certificates are unusable: {error}")),
            }
        }
    }
}

/// Accepts any certificate, but still wants the server to hold its key.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The server's certificate, once it was shown.
type Seen = Arc<Mutex<Option<Leaf>>>;

/// Lets another judge, and keeps what was shown: it is wanted most when it was refused.
#[derive(Debug)]
struct Witness {
    inner: Arc<dyn ServerCertVerifier>,
    /// Certificates that the user trusts by name, whatever their kind.
    pinned: Vec<CertificateDer<'static>>,
    seen: Seen,
}

impl Witness {
    /// A self-signed certificate marked as a CA's, as `openssl req -x509` makes them, is refused by
    /// webpki even where it is a root itself. The user named this very certificate: accept it, as
    /// OpenSSL does. (webpki has checked its dates before it says so.)
    fn is_pinned(&self, error: &Error, end_entity: &CertificateDer<'_>) -> bool {
        let ca = matches!(error, Error::InvalidCertificate(e) if certificate::is_ca_as_server(e));
        ca && self.pinned.iter().any(|pinned| pinned == end_entity)
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Leaf::parse(end_entity);
        }
        match self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if self.is_pinned(&error, end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            judged => judged,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whom TLS is spoken with.
#[derive(Debug, Clone)]
pub enum Party {
    /// The target of the URL, which may want to know who we are.
    Server(ServerName<'static>),
    /// An `https://` proxy, which does not learn it.
    Proxy(ServerName<'static>),
}

impl Party {
    fn name(&self) -> &ServerName<'static> {
        match self {
            Party::Server(name) | Party::Proxy(name) => name,
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Party::Server(_) => "the server",
            Party::Proxy(_) => "the proxy",
        }
    }
}

/// Negotiates TLS over `stream`; until `deadline`, of a `budget` that began earlier.
pub async fn handshake<S>(
    plan: &TlsPlan,
    stream: S,
    party: &Party,
    deadline: Instant,
    budget: Duration,
) -> Result<(TlsStream<S>, TlsFacts), Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (config, seen) = plan.config(matches!(party, Party::Server(_)))?;
    let connector = TlsConnector::from(Arc::new(config));
    let negotiated = timeout_at(deadline, connector.connect(party.name().clone(), stream)).await;
    let leaf = seen.lock().ok().and_then(|leaf| leaf.clone());
    match negotiated {
        Err(_) => Err(Fault::timeout(budget, format!("{} did not end the TLS handshake", party.label()))),
        Ok(Err(error)) => Err(handshake_fault(&error, leaf.as_ref(), party)),
        Ok(Ok(stream)) => {
            let verified = !matches!(plan.trust, Trust::Anybody);
            let facts = facts(stream.get_ref().1, leaf, verified);
            Ok((stream, facts))
        }
    }
}

fn facts(connection: &ClientConnection, leaf: Option<Leaf>, verified: bool) -> TlsFacts {
    let version = connection.protocol_version().map(|version| format!("{version:?}").replace('_', "."));
    let cipher = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()));
    let alpn = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    TlsFacts {
        version: version.unwrap_or_default(),
        // rustls marks TLS 1.3's suites, IANA does not.
        cipher: cipher.unwrap_or_default().replacen("TLS13_", "TLS_", 1),
        alpn,
        days_left: leaf.as_ref().map(|leaf| leaf.days_left(unix_now())),
        subject: leaf.as_ref().and_then(|leaf| leaf.subject.clone()),
        issuer: leaf.and_then(|leaf| leaf.issuer),
        verified,
    }
}

fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The TLS error inside an error of a TLS stream.
fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

const MAYBE_PLAIN: &str = "the server may speak plain ws:// on this port";

fn handshake_fault(error: &io::Error, leaf: Option<&Leaf>, party: &Party) -> Fault {
    let who = party.label();
    match tls_error(error) {
        Some(Error::InvalidCertificate(wrong)) => certificate::fault(wrong, leaf, party.name()),
        Some(Error::InvalidMessage(wrong)) => not_tls(*wrong, party),
        Some(Error::AlertReceived(alert)) => alert_fault(*alert, who),
        Some(Error::PeerIncompatible(wrong)) => incompatible(wrong, who),
        Some(other) => failed(format!("the TLS handshake failed: {other}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            let cause = format!("{who} closed the connection during the TLS handshake");
            maybe_plain(Fault::new(FailureKind::ClosedEarly, cause), party)
        }
        None => Fault::talking("during the TLS handshake", error),
    }
}

fn failed(cause: String) -> Fault {
    Fault::new(FailureKind::TlsFailed, cause)
}

fn maybe_plain(fault: Fault, party: &Party) -> Fault {
    match party {
        Party::Server(_) => fault.hint(MAYBE_PLAIN),
        Party::Proxy(_) => fault.hint("the proxy may be a plain one: give it as http://"),
    }
}

fn not_tls(wrong: InvalidMessage, party: &Party) -> Fault {
    let who = party.label();
    match wrong {
        InvalidMessage::InvalidContentType
        | InvalidMessage::UnknownProtocolVersion
        | InvalidMessage::MessageTooLarge => {
            maybe_plain(failed(format!("what {who} answered is not TLS")), party)
        }
        other => failed(format!("{who} sent a broken TLS message: {other:?}")),
    }
}

fn incompatible(wrong: &PeerIncompatible, who: &str) -> Fault {
    match wrong {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            failed(format!("{who} speaks neither TLS 1.2 nor TLS 1.3"))
        }
        other => failed(format!("{who} offers nothing that we accept in TLS: {other:?}")),
    }
}

fn alert_fault(alert: AlertDescription, who: &str) -> Fault {
    const WANTS_CERT: &str = "it may want a client certificate: --cert and --key";
    let (why, hint) = match alert {
        AlertDescription::CertificateRequired => {
            ("demands a client certificate (TLS alert certificate_required)", Some("--cert and --key"))
        }
        AlertDescription::NoApplicationProtocol => {
            ("refused HTTP/1.1 (TLS alert no_application_protocol)", Some("the server may offer HTTP/2 only"))
        }
        AlertDescription::HandshakeFailure => ("refused (TLS alert handshake_failure)", Some(WANTS_CERT)),
        AlertDescription::BadCertificate => ("refused (TLS alert bad_certificate)", Some(WANTS_CERT)),
        AlertDescription::UnknownCA => {
            ("refused (TLS alert unknown_ca)", Some("it does not trust the issuer of our client certificate"))
        }
        AlertDescription::CertificateExpired => {
            ("refused (TLS alert certificate_expired)", Some("our client certificate has expired"))
        }
        AlertDescription::CertificateUnknown => ("refused (TLS alert certificate_unknown)", Some(WANTS_CERT)),
        AlertDescription::AccessDenied => ("refused (TLS alert access_denied)", Some(WANTS_CERT)),
        AlertDescription::ProtocolVersion => {
            ("speaks neither TLS 1.2 nor TLS 1.3 (TLS alert protocol_version)", None)
        }
        AlertDescription::UnrecognisedName => (
            "does not know the name asked for (TLS alert unrecognized_name)",
            Some("--server-name asks for another"),
        ),
        other => return failed(format!("{who} refused (TLS alert {other:?})")),
    };
    Fault { hint: hint.map(str::to_string), ..failed(format!("{who} {why}")) }
}

/// The fault of TLS in an error that came after the handshake: in TLS 1.3 a server judges our
/// certificate when we are done already, so its alert meets us in the next phase.
pub fn alert(error: &io::Error) -> Option<Fault> {
    let fault = match tls_error(error)? {
        Error::AlertReceived(alert) => alert_fault(*alert, "the server"),
        other => failed(format!("the server broke TLS: {other}")),
    };
    Some(Fault { phase: Some(Phase::Tls), ..fault })
}
