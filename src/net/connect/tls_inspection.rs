//! Inspects the TLS of a server: a handshake that ends whatever the server's certificates are, with the verdict on them.
//!
//! Public roots are those of `webpki-roots`, Mozilla's list in the form that rustls reads: the system's store does not
//! tell which of its roots the machine's owner added.

use std::io;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    AlertDescription, CertificateError, Error, PeerMisbehaved, ProtocolVersion, RootCertStore,
    SignatureScheme,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate;
use super::certificate_facts::{distinguished_name, read_chain};
use super::dial::{DialPlan, DialProgress, FailedPhase, at};
use super::server_verifier::SharedPresented;
use super::tls::{self, TlsPeer, TlsPlan};
use crate::domain::connection::connect_info::{ConnectError, FailureKind};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::connection::tls_inspection::{
    AlpnResult, CertificateFacts, ClientCertificate, ClientCertificateReaction, ClientCertificateRequest,
    Distrust, MAX_CLIENT_ISSUERS, RootSource, TlsInspection, TlsVersion, Trust,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::dial_error::DialError;
use crate::net::tls_error::describe_tls_error;

/// How long the server's reaction to our answer for a client certificate is awaited (TLS 1.3).
const MAX_REACTION_WAIT: Duration = Duration::from_secs(2);
/// How long the server's end of the connection is awaited.
const MAX_CLOSE_WAIT: Duration = Duration::from_millis(300);
/// The most bytes that are read while the end is awaited.
const MAX_UNREAD_BYTES: usize = 64 * 1024;

/// Connects to `target` as [`super::dial::open`] does, up to TLS, and reports what the handshake shows.
///
/// It uses the plan's proxy, server name, roots, client certificate and time limit. Certificates that are not trusted
/// are part of the result; so is a server that refuses for lack of a client certificate. In TLS 1.3 the server judges
/// our client certificate after our end of the handshake, so that its refusal is awaited for at most 2 s: without
/// an alert or an orderly end the reaction is `Unknown`.
///
/// Opens one connection, and a second one if the server does not take HTTP/1.1 by ALPN. The error is that of the first
/// connection: the target has no TLS, could not be reached, or ended the handshake early.
pub async fn inspect(plan: &DialPlan, target: &Target) -> Result<TlsInspection, ConnectError> {
    match attempt(plan, target, &[tls::HTTP1]).await {
        Err(FailedAttempt { error, refused_http1: true }) => {
            let again = attempt(plan, target, &[tls::HTTP1, tls::HTTP2]).await;
            let mut inspection = again.map_err(|_| error)?;
            inspection.alpn.refused_http1 = true;
            Ok(inspection)
        }
        first => first.map_err(|failed| failed.error),
    }
}

/// A connection that showed no result.
struct FailedAttempt {
    error: ConnectError,
    /// The server does not take HTTP/1.1.
    refused_http1: bool,
}

async fn attempt(plan: &DialPlan, target: &Target, alpn: &[&[u8]]) -> Result<TlsInspection, FailedAttempt> {
    let mut opening = DialProgress::begin(plan, target);
    let mut refused_http1 = false;
    let inspected = connect_and_shake(&mut opening, plan, target, alpn, &mut refused_http1).await;
    inspected.map_err(|(phase, fault)| FailedAttempt { error: opening.error(phase, fault), refused_http1 })
}

/// Sets `refused_http1` if the server ended the handshake because of it.
async fn connect_and_shake(
    opening: &mut DialProgress<'_>,
    plan: &DialPlan,
    target: &Target,
    alpn: &[&[u8]],
    refused_http1: &mut bool,
) -> Result<TlsInspection, FailedPhase> {
    if !target.secure() {
        let no_tls = DialError::new(FailureKind::Usage, "a ws:// URL has no TLS to inspect");
        return Err(at(Phase::Tls)(no_tls));
    }
    let (stream, _) = opening.connect().await?;
    let name = plan.tls.name_for(target.host()).map_err(at(Phase::Tls))?;
    let handshake = InspectedHandshake { plan: &plan.tls, name, alpn, presented: SharedPresented::default() };
    let connector = handshake.connector().map_err(at(Phase::Tls))?;
    let peer = TlsPeer::Server(handshake.name.clone());
    match timeout_at(opening.limit.end, connector.connect(handshake.name.clone(), stream)).await {
        Err(_) => Err(at(Phase::Tls)(tls::handshake_timeout(opening.limit, &peer))),
        Ok(Ok(stream)) => Ok(handshake.established(stream, opening.limit.end).await),
        Ok(Err(error)) => {
            *refused_http1 = refuses_http1(&error);
            handshake.failed(&error, &peer).map_err(at(Phase::Tls))
        }
    }
}

/// One handshake and what it shows.
struct InspectedHandshake<'a> {
    plan: &'a TlsPlan,
    name: ServerName<'static>,
    alpn: &'a [&'a [u8]],
    presented: SharedPresented,
}

impl InspectedHandshake<'_> {
    fn connector(&self) -> Result<TlsConnector, DialError> {
        let resolver =
            InspectingResolver { identity: self.plan.identity.clone(), presented: self.presented.clone() };
        let config = self.plan.config(self.alpn, Some(Arc::new(resolver)), true, &self.presented)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// Whether the server asked for a client certificate.
    fn was_asked(&self) -> bool {
        self.presented.lock().request.is_some()
    }

    async fn established<S>(self, mut stream: TlsStream<S>, deadline: Instant) -> TlsInspection
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let session = stream.get_ref().1;
        let version = session.protocol_version().and_then(known_version);
        let cipher = tls::cipher_name(session);
        let chosen = session.alpn_protocol().map(UntrustedText::from_bytes);
        let awaits_reaction = version == Some(TlsVersion::Tls13) && self.was_asked();
        let limit = if awaits_reaction { MAX_REACTION_WAIT } else { MAX_CLOSE_WAIT };
        let reaction = close(&mut stream, deadline.min(Instant::now() + limit)).await;
        let inspection =
            self.inspection(if awaits_reaction { reaction } else { ClientCertificateReaction::Accepted });
        let alpn = AlpnResult { chosen, ..inspection.alpn };
        TlsInspection { version: version.or(inspection.version), cipher, alpn, ..inspection }
    }

    /// A handshake that did not end: a result if the server wanted another client certificate.
    fn failed(self, error: &io::Error, peer: &TlsPeer) -> Result<TlsInspection, DialError> {
        let refusal = client_certificate_alert(error).filter(|_| self.was_asked());
        if let Some(alert) = refusal {
            return Ok(self.inspection(ClientCertificateReaction::Refused(alert)));
        }
        let leaf = self.presented.lock().leaf();
        Err(tls::handshake_fault(error, leaf.as_ref(), peer))
    }

    fn inspection(&self, reaction: ClientCertificateReaction) -> TlsInspection {
        let presented = std::mem::take(&mut *self.presented.lock());
        let (chain, source) = (read_chain(&presented.chain), self.plan.source);
        let describe = |error: &Error| describe(error, chain.first(), &self.name);
        let trust = match (presented.verdict, source) {
            (None, RootSource::Unchecked) => Trust::Unchecked,
            (None, RootSource::System | RootSource::Custom) => Trust::Trusted,
            (Some(error), _) => Trust::Distrusted(describe(&error)),
        };
        let offered = self.alpn.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let asked = |request| ClientCertificate::Asked(ClientCertificateRequest { reaction, ..request });
        TlsInspection {
            version: presented.version,
            cipher: None,
            alpn: AlpnResult { offered, chosen: None, refused_http1: false },
            asked_name: self.name.to_str().into_owned(),
            covers_asked_name: covers(&presented.chain, &self.name),
            sent: presented.chain.len(),
            roots: source,
            trust,
            leads_to_public_root: leads_to_public_root(&presented.chain, &self.name),
            signature_fault: presented.signature_fault.map(|error| describe(&error).cause),
            client_certificate: presented.request.map_or(ClientCertificate::NotAsked, asked),
            inspected_at: tls::unix_now(),
            chain,
        }
    }
}

fn describe(error: &Error, leaf: Option<&CertificateFacts>, name: &ServerName<'_>) -> Distrust {
    match error {
        Error::InvalidCertificate(wrong) => {
            let fault = certificate::fault(wrong, leaf, name);
            Distrust { kind: fault.kind, cause: fault.cause }
        }
        other => Distrust { kind: FailureKind::CertificateInvalid, cause: describe_tls_error(other) },
    }
}

fn known_version(version: ProtocolVersion) -> Option<TlsVersion> {
    match version {
        ProtocolVersion::TLSv1_2 => Some(TlsVersion::Tls12),
        ProtocolVersion::TLSv1_3 => Some(TlsVersion::Tls13),
        _ => None,
    }
}

/// Whether the server ended the handshake because of our offer of HTTP/1.1.
fn refuses_http1(error: &io::Error) -> bool {
    matches!(
        tls::tls_error(error),
        Some(
            Error::AlertReceived(AlertDescription::NoApplicationProtocol)
                | Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol)
        )
    )
}

/// The alert by which a server refuses a client certificate or its absence (RFC 8446 section 6.2, RFC 5246 section
/// 7.4.6).
fn client_certificate_alert(error: &io::Error) -> Option<String> {
    match tls::tls_error(error)? {
        Error::AlertReceived(
            AlertDescription::CertificateRequired
            | AlertDescription::HandshakeFailure
            | AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => tls::alert_name(error),
        _ => None,
    }
}

/// Closes the connection and waits for the server to close, which shows whether it accepted a client without a certificate:
/// its close_notify, or an alert. `Unknown`: it closed without either, or did not close in time.
async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut TlsStream<S>,
    deadline: Instant,
) -> ClientCertificateReaction {
    let ending = async {
        // A server that has reset the connection may have sent an alert before.
        let _ = stream.shutdown().await;
        let (mut bytes, mut unread) = ([0; 4096], 0);
        while unread < MAX_UNREAD_BYTES {
            match stream.read(&mut bytes).await {
                Ok(0) => return ClientCertificateReaction::Accepted,
                Ok(count) => unread += count,
                Err(error) => {
                    let refusal = client_certificate_alert(&error).map(ClientCertificateReaction::Refused);
                    return refusal.unwrap_or(ClientCertificateReaction::Unknown);
                }
            }
        }
        ClientCertificateReaction::Unknown
    };
    timeout_at(deadline, ending).await.unwrap_or(ClientCertificateReaction::Unknown)
}

/// Notes whether the server asks for a client certificate, and answers with the user's.
#[derive(Debug)]
struct InspectingResolver {
    identity: Option<Arc<SingleCertAndKey>>,
    presented: SharedPresented,
}

impl ResolvesClientCert for InspectingResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let own = self.identity.as_ref().and_then(|own| own.resolve(issuers, schemes));
        let answered = own.as_ref().is_some_and(|own| own.key.choose_scheme(schemes).is_some());
        let named = issuers.iter().take(MAX_CLIENT_ISSUERS).filter_map(|name| distinguished_name(name));
        self.presented.lock().request = Some(ClientCertificateRequest {
            issuers: named.collect(),
            more_issuers: issuers.len().saturating_sub(MAX_CLIENT_ISSUERS),
            answered,
            reaction: ClientCertificateReaction::Unknown,
        });
        own
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

/// Whether the first certificate covers a name; `None` if there is none that is readable.
fn covers(chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Option<bool> {
    let leaf = ParsedCertificate::try_from(chain.first()?).ok()?;
    Some(verify_server_name(&leaf, name).is_ok())
}

static PUBLIC_ROOTS: LazyLock<Option<Arc<WebPkiServerVerifier>>> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()
});

/// Whether the chain leads to a root of Mozilla's list; `None` if another fault hides it.
fn leads_to_public_root(chain: &[CertificateDer<'_>], name: &ServerName<'_>) -> Option<bool> {
    let (leaf, intermediates) = chain.split_first()?;
    match PUBLIC_ROOTS.as_ref()?.verify_server_cert(leaf, intermediates, name, &[], UnixTime::now()) {
        Ok(_) => Some(true),
        // The name is checked after the chain.
        Err(Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => Some(true),
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => Some(false),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doctor::tls::{
        IncompleteEvidence, NameMismatch, TlsFinding, UnknownIssuerReason, judge,
    };
    use crate::domain::label::Label;
    use crate::net::connect::proxy::ProxyUrl;
    use crate::net::connect::tls::TlsOptions;
    use crate::net::testing::loopback_peer::{LoopbackPeer, answering, connect_proxy, peer};
    use crate::net::testing::test_certificates::{
        PemFiles, TestAuthority, TestCertificate, TestTlsServer, VALID, ValidityPeriod, self_signed,
    };
    use rustls::SupportedProtocolVersion;
    use rustls::version::{TLS12, TLS13};
    use tokio::net::{TcpListener, TcpStream};

    static ONLY_1_2: &[&SupportedProtocolVersion] = &[&TLS12];
    static ONLY_1_3: &[&SupportedProtocolVersion] = &[&TLS13];
    const NAME: &str = "127.0.0.1";

    fn with_options(options: &TlsOptions) -> DialPlan {
        DialPlan { tls: Arc::new(TlsPlan::build(options).unwrap()), ..DialPlan::default() }
    }

    fn trusting(authority: &TestAuthority) -> DialPlan {
        let files = PemFiles::create();
        let cacert = vec![files.put("ca.pem", &authority.cert)];
        with_options(&TlsOptions { cacert, ..TlsOptions::default() })
    }

    fn insecure() -> DialPlan {
        with_options(&TlsOptions { insecure: true, ..TlsOptions::default() })
    }

    /// Reads until the client closes, and closes in order.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> bool {
        let ended = stream.read_to_end(&mut Vec::new()).await.is_ok();
        let _ = stream.shutdown().await;
        ended
    }

    async fn inspected(plan: &DialPlan, server: TestTlsServer) -> TlsInspection {
        let peer = server.run(serve).await;
        inspect(plan, &peer.secure_target()).await.unwrap()
    }

    async fn shown(plan: &DialPlan, presented: &TestCertificate) -> TlsInspection {
        inspected(plan, TestTlsServer::new(presented)).await
    }

    fn codes(inspection: &TlsInspection) -> Vec<&'static str> {
        judge(inspection).iter().map(Label::label).collect()
    }

    #[tokio::test]
    async fn whole_chain_is_read_and_trusted() {
        let root = TestAuthority::new("Root");
        let intermediate = root.issue_authority("Intermediate");
        let leaf = intermediate.issue(&["a.example", NAME], VALID).with_chain(&[&intermediate.cert]);
        let peer = TestTlsServer::new(&leaf).run(serve).await;
        let seen = inspect(&trusting(&root), &peer.secure_target()).await.unwrap();
        assert_eq!((seen.version, &seen.trust), (Some(TlsVersion::Tls13), &Trust::Trusted));
        assert!(seen.cipher.as_deref().is_some_and(|cipher| cipher.starts_with("TLS_")), "{:?}", seen.cipher);
        assert_eq!(seen.alpn.offered, ["http/1.1"]);
        assert_eq!(seen.alpn.chosen.as_ref().unwrap().as_str(), "http/1.1");
        assert_eq!((seen.sent, seen.path()), (2, vec![0, 1]));
        assert_eq!((seen.asked_name.as_str(), seen.covers_asked_name), (NAME, Some(true)));
        let names: Vec<_> = seen.chain[0].names.iter().map(UntrustedText::as_str).collect();
        assert_eq!(names, ["a.example", NAME]);
        assert_eq!(seen.chain[0].issuer.as_ref().unwrap().as_str(), "Intermediate");
        assert_eq!(seen.chain[0].days_left(seen.inspected_at), 30);
        assert!(seen.chain[1].is_ca && !seen.chain[0].is_ca);
        assert_eq!(seen.leads_to_public_root, Some(false));
        assert_eq!(seen.client_certificate, ClientCertificate::NotAsked);
        assert_eq!(codes(&seen), ["tls_ok", "certificate_ok"]);
        // The connection was closed in order.
        assert_eq!(peer.task.await.unwrap(), Some(true));
    }

    #[tokio::test]
    async fn missing_intermediate_is_named_where_evidence_shows_it() {
        let root = TestAuthority::new("Root");
        let (plan, intermediate) = (trusting(&root), root.issue_authority("Intermediate"));
        let seen = shown(&plan, &intermediate.issue_logged(NAME)).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_chain_incomplete"]);
        let finding = judge(&seen).pop().unwrap();
        let TlsFinding::CertificateChainIncomplete { missing, evidence, .. } = finding else { panic!() };
        assert_eq!((missing.unwrap().as_str(), evidence), ("Intermediate", IncompleteEvidence::PublicCa));
        // Its issuer may as well be a private root.
        let leaf = intermediate.issue(&[NAME], VALID);
        let seen = shown(&plan, &leaf).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_unknown_issuer"]);
        // A root in place of the intermediate.
        let seen = shown(&plan, &leaf.with_chain(&[&root.cert])).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_chain_incomplete"]);
        let seen = shown(&plan, &intermediate.issue_logged(NAME).with_chain(&[&intermediate.cert])).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_ok"]);
    }

    #[tokio::test]
    async fn chain_in_wrong_order_is_named() {
        let root = TestAuthority::new("Root");
        let intermediate = root.issue_authority("Intermediate");
        let leaf = intermediate.issue(&[NAME], VALID).with_chain(&[&root.cert, &intermediate.cert]);
        let seen = shown(&trusting(&root), &leaf).await;
        assert_eq!((seen.path(), &seen.trust), (vec![0, 2, 1], &Trust::Trusted));
        assert_eq!(codes(&seen), ["tls_ok", "certificate_chain_disordered"]);
    }

    #[tokio::test]
    async fn untrusted_certificates_are_results() {
        let root = TestAuthority::new("Root");
        let plan = trusting(&root);
        let expired = ValidityPeriod { since_days: 30, until_days: -3 };
        let seen = shown(&plan, &root.issue(&["b.example"], expired)).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_expired", "certificate_wrong_name"]);
        let Trust::Distrusted(distrust) = &seen.trust else { panic!() };
        assert_eq!(distrust.kind, FailureKind::CertificateExpired);
        assert_eq!(distrust.cause, "certificate expired 3 days ago");
        let future = ValidityPeriod { since_days: -3, until_days: 30 };
        let seen = shown(&plan, &root.issue(&[NAME], future)).await;
        assert_eq!(codes(&seen), ["tls_ok", "certificate_not_yet_valid"]);
        for ca in [false, true] {
            let seen = shown(&plan, &self_signed(&[NAME], ca)).await;
            assert_eq!(codes(&seen), ["tls_ok", "certificate_unknown_issuer"]);
            let TlsFinding::CertificateUnknownIssuer { reason, .. } = judge(&seen).pop().unwrap() else {
                panic!()
            };
            assert_eq!(reason, UnknownIssuerReason::SelfSigned);
        }
        let other = TestAuthority::new("Other");
        let seen = shown(&plan, &other.issue(&[NAME], VALID).with_chain(&[&other.cert])).await;
        let TlsFinding::CertificateUnknownIssuer { reason, .. } = judge(&seen).pop().unwrap() else {
            panic!()
        };
        assert!(matches!(reason, UnknownIssuerReason::UntrustedRoot(Some(root)) if root.as_str() == "Other"));
    }

    #[tokio::test]
    async fn server_name_is_asked_for() {
        let (root, files) = (TestAuthority::new("Root"), PemFiles::create());
        let plan = with_options(&TlsOptions {
            cacert: vec![files.put("ca.pem", &root.cert)],
            server_name: Some("a.b.example".into()),
            ..TlsOptions::default()
        });
        let seen = shown(&plan, &root.issue(&["*.b.example"], VALID)).await;
        assert_eq!(
            (seen.asked_name.as_str(), codes(&seen)),
            ("a.b.example", vec!["tls_ok", "certificate_ok"])
        );
        let seen = shown(&plan, &root.issue(&["*.example"], VALID)).await;
        let TlsFinding::CertificateWrongName { mismatch, .. } = judge(&seen).pop().unwrap() else { panic!() };
        assert!(matches!(mismatch, NameMismatch::Wildcard(name) if name.as_str() == "*.example"));
    }

    #[tokio::test]
    async fn skipped_check_still_shows_the_certificate() {
        let root = TestAuthority::new("Root");
        let seen = shown(&insecure(), &root.issue(&["b.example"], VALID)).await;
        assert_eq!((&seen.trust, seen.roots), (&Trust::Unchecked, RootSource::Unchecked));
        assert_eq!(codes(&seen), ["tls_ok", "certificate_wrong_name", "certificate_unchecked"]);
    }

    #[tokio::test]
    async fn tls_1_2_is_named() {
        let root = TestAuthority::new("Root");
        let leaf = root.issue(&[NAME], VALID);
        let server = TestTlsServer { versions: ONLY_1_2, alpn: &[], ..TestTlsServer::new(&leaf) };
        let seen = inspected(&trusting(&root), server).await;
        assert_eq!((seen.version, seen.alpn.chosen.clone()), (Some(TlsVersion::Tls12), None));
        assert_eq!(codes(&seen), ["tls_ok", "tls_version_old", "certificate_ok"]);
    }

    #[tokio::test]
    async fn forgeable_signature_is_a_result() {
        let files = PemFiles::create();
        let ca = include_str!("fixtures/signed_with_sha1.ca.pem");
        let plan = with_options(&TlsOptions {
            cacert: vec![files.put("ca.pem", ca)],
            server_name: Some("a.example".into()),
            ..TlsOptions::default()
        });
        let presented = TestCertificate {
            cert: include_str!("fixtures/signed_with_sha1.pem").to_string(),
            key: include_str!("fixtures/signed_with_sha1.key").to_string(),
        };
        let seen = shown(&plan, &presented).await;
        assert_eq!(seen.chain[0].signature.algorithm, "SHA-1 with ECDSA");
        assert_eq!(codes(&seen), ["tls_ok", "certificate_signature_weak"]);
    }

    /// A server that asks for certificates of `clients`, and a plan that trusts it.
    fn asking(
        clients: &TestAuthority,
        versions: &'static [&'static SupportedProtocolVersion],
        optional: bool,
        own: Option<&TestCertificate>,
    ) -> (DialPlan, TestTlsServer) {
        let (root, files) = (TestAuthority::new("Root"), PemFiles::create());
        let leaf = root.issue(&[NAME], VALID);
        let plan = with_options(&TlsOptions {
            cacert: vec![files.put("ca.pem", &root.cert)],
            cert: own.map(|own| files.put("cert.pem", &own.cert)),
            key: own.map(|own| files.put("key.pem", &own.key)),
            ..TlsOptions::default()
        });
        let server = TestTlsServer {
            versions,
            clients: Some(clients.cert.clone()),
            clients_optional: optional,
            ..TestTlsServer::new(&leaf)
        };
        (plan, server)
    }

    async fn requested(
        versions: &'static [&'static SupportedProtocolVersion],
        optional: bool,
        own: Option<&TestCertificate>,
        clients: &TestAuthority,
    ) -> (TlsInspection, ClientCertificateRequest) {
        let (plan, server) = asking(clients, versions, optional, own);
        let seen = inspected(&plan, server).await;
        let ClientCertificate::Asked(request) = seen.client_certificate.clone() else { panic!("{seen:?}") };
        (seen, request)
    }

    #[tokio::test]
    async fn required_client_certificate_is_a_result() {
        let clients = TestAuthority::new("Clients");
        for (versions, version) in [(ONLY_1_2, TlsVersion::Tls12), (ONLY_1_3, TlsVersion::Tls13)] {
            let (seen, request) = requested(versions, false, None, &clients).await;
            let issuers: Vec<_> = request.issuers.iter().map(UntrustedText::as_str).collect();
            assert_eq!((issuers, request.answered), (vec!["Clients"], false));
            let refused = ClientCertificateReaction::Refused("certificate_required".into());
            assert_eq!((seen.version, &request.reaction), (Some(version), &refused));
            assert_eq!(seen.trust, Trust::Trusted);
            assert_eq!(codes(&seen).last(), Some(&"client_certificate_required"));
            assert!(codes(&seen).contains(&"certificate_ok") && !codes(&seen).contains(&"tls_ok"));
        }
    }

    #[tokio::test]
    async fn optional_client_certificate_is_asked_for() {
        let clients = TestAuthority::new("Clients");
        let own = clients.issue(&["me"], VALID);
        for versions in [ONLY_1_2, ONLY_1_3] {
            let (seen, request) = requested(versions, true, None, &clients).await;
            assert_eq!((request.answered, &request.reaction), (false, &ClientCertificateReaction::Accepted));
            assert_eq!(codes(&seen).last(), Some(&"client_certificate_asked"));
            let (_, request) = requested(versions, false, Some(&own), &clients).await;
            assert_eq!((request.answered, &request.reaction), (true, &ClientCertificateReaction::Accepted));
        }
    }

    #[tokio::test]
    async fn refused_client_certificate_is_a_result() {
        let (clients, others) = (TestAuthority::new("Clients"), TestAuthority::new("Others"));
        let own = others.issue(&["me"], VALID);
        for versions in [ONLY_1_2, ONLY_1_3] {
            let (seen, request) = requested(versions, false, Some(&own), &clients).await;
            assert!(request.answered);
            let refused = ClientCertificateReaction::Refused("unknown_ca".into());
            assert_eq!(request.reaction, refused);
            assert_eq!(codes(&seen).last(), Some(&"client_certificate_refused"));
        }
    }

    #[tokio::test]
    async fn end_without_an_alert_leaves_the_reaction_unknown() {
        let clients = TestAuthority::new("Clients");
        let (plan, server) = asking(&clients, ONLY_1_3, true, None);
        let peer = server.run(async |stream| drop(stream)).await;
        let seen = inspect(&plan, &peer.secure_target()).await.unwrap();
        let ClientCertificate::Asked(request) = &seen.client_certificate else { panic!("{seen:?}") };
        assert_eq!(request.reaction, ClientCertificateReaction::Unknown);
        assert_eq!(codes(&seen), ["tls_ok", "certificate_ok", "client_certificate_asked"]);
    }

    #[tokio::test]
    async fn http_2_only_server_is_asked_twice() {
        let root = TestAuthority::new("Root");
        let leaf = root.issue(&[NAME], VALID);
        let acceptor = TestTlsServer { alpn: &[b"h2"], ..TestTlsServer::new(&leaf) }.acceptor();
        let listener = TcpListener::bind((NAME, 0)).await.unwrap();
        let target: Target = format!("wss://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            for _ in 0..2 {
                if let Ok(stream) = acceptor.accept(listener.accept().await.unwrap().0).await {
                    serve(stream).await;
                }
            }
        });
        let seen = inspect(&trusting(&root), &target).await.unwrap();
        assert_eq!(seen.alpn.offered, ["http/1.1", "h2"]);
        assert_eq!(seen.alpn.chosen.as_ref().map(UntrustedText::as_str), Some("h2"));
        assert_eq!(codes(&seen), ["tls_ok", "tls_http1_refused", "certificate_ok"]);
    }

    #[tokio::test]
    async fn inspection_goes_through_the_proxy() {
        let root = TestAuthority::new("Root");
        let server: LoopbackPeer<_> = TestTlsServer::new(&root.issue(&[NAME], VALID)).run(serve).await;
        let proxy = peer(connect_proxy).await;
        let url: ProxyUrl = format!("http://{}", proxy.address).parse().unwrap();
        let plan = DialPlan { proxy: url.into(), ..trusting(&root) };
        let seen = inspect(&plan, &server.secure_target()).await.unwrap();
        assert_eq!(codes(&seen), ["tls_ok", "certificate_ok"]);
        assert!(proxy.task.await.unwrap().starts_with(&format!("CONNECT {} ", server.address)));
    }

    #[tokio::test]
    async fn endpoints_without_tls_are_errors() {
        let plain = answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let failed = async |plan: &DialPlan, target: &Target| inspect(plan, target).await.unwrap_err();
        let plain_answer = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 64]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
            serve(stream).await
        })
        .await;
        let error = failed(&insecure(), &plain_answer.secure_target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::TlsFailed));
        assert_eq!(error.cause, "the server did not answer with TLS");
        assert!(error.reached.is_some() && error.hint.unwrap().contains("ws://"));
        let error = failed(&insecure(), &plain.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::Usage));
    }

    #[tokio::test]
    async fn stalled_handshake_ends_at_the_time_limit() {
        let silent = peer(async |mut stream: TcpStream| serve(&mut stream).await).await;
        let plan = DialPlan { connect_timeout: Duration::from_millis(200), ..insecure() };
        let error = inspect(&plan, &silent.secure_target()).await.unwrap_err();
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::Timeout));
        assert_eq!(error.cause, "the server did not end the TLS handshake within 200 ms");
    }
}
