//! Opens a WebSocket to a target: times every phase and explains every failure.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::connection::connect_info::{
    ConnectError, ConnectInfo, FailureKind, HttpVersion, ReachedPeer,
};
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::permessage_deflate::AgreedDeflate;
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::target::Target;

pub use super::dial_plan::DialPlan;
use super::endpoint::Endpoint;
use super::extended_connect;
use super::happy_eyeballs::{interleave, most_informative, race};
use super::http2_pool::Http2Pool;
use super::proxy::{self, ProxyScheme, ProxyUrl};
use super::resolve;
use super::tls::{self, TRY_HTTP1, TlsPeer};
use super::upgrade::{self, Upgraded};
use crate::net::dial_error::DialError;
use crate::net::time_limit::TimeLimit;
use crate::net::transport::byte_stream::ByteStream;
use crate::net::transport::http2::Http2Connection;
use crate::net::transport::socket::{SocketOptions, TransportSocket};
use crate::net::transport::stream::Stream;
use crate::net::transport::tap::{Tap, TapState};
use crate::net::transport::upgraded_stream::UpgradedStream;

/// An open WebSocket, before its first frame.
#[derive(Debug)]
pub struct Open {
    pub upgraded: UpgradedStream<Stream>,
    pub facts: ConnectInfo,
}

/// Opens a WebSocket to `target`.
///
/// The error names the failed phase, the cause, and every address that was tried.
pub async fn open(plan: &DialPlan, target: &Target) -> Result<Open, ConnectError> {
    open_with_phases(plan, target).await.map_err(|failed| failed.error)
}

/// A connection that could not be opened.
#[derive(Debug)]
pub struct FailedOpening {
    pub error: ConnectError,
    /// The durations of the phases that ended, also of the one that failed.
    pub phases: PhaseTimes,
}

/// Opens a WebSocket to `target`; the error also has the durations of the phases.
pub async fn open_with_phases(plan: &DialPlan, target: &Target) -> Result<Open, FailedOpening> {
    let mut opening = DialProgress::begin(plan, target);
    match opening.run().await {
        Ok(upgraded) => {
            opening.facts.phases.total = opening.began.elapsed();
            Ok(Open { upgraded, facts: opening.facts })
        }
        Err((phase, fault)) => {
            let phases = opening.facts.phases;
            Err(FailedOpening { error: opening.error(phase, fault), phases })
        }
    }
}

/// Owner of an address, put before it in error messages; empty for the target.
const OF_TARGET: &str = "";
const OF_PROXY: &str = "the proxy ";
const OF_SOCKET: &str = "the socket ";

/// An error and the phase it occurred in.
pub(super) type FailedPhase = (Phase, DialError);

/// Puts an error into this phase, unless it belongs to an earlier one.
pub(super) fn at(phase: Phase) -> impl Fn(DialError) -> FailedPhase {
    move |fault| (fault.phase.unwrap_or(phase), fault)
}

/// What a WebSocket is opened on.
enum Connected {
    Http1(ByteStream, Arc<TapState>),
    /// With the time that it took to start HTTP/2; none if it was there already.
    Http2(Arc<Http2Connection>, Duration),
}

/// State of one opening.
pub(super) struct DialProgress<'a> {
    plan: &'a DialPlan,
    target: &'a Target,
    proxy: Option<ProxyUrl>,
    began: Instant,
    pub(super) limit: TimeLimit,
    facts: ConnectInfo,
    /// The name that the resolver was asked for, and how long its answer took.
    pub(super) lookup: Option<(String, Duration)>,
    /// All addresses that may be tried.
    candidates: Vec<String>,
}

impl<'a> DialProgress<'a> {
    /// Loads the roots that TLS needs, and starts the clock.
    pub(super) fn begin(plan: &'a DialPlan, target: &'a Target) -> DialProgress<'a> {
        let proxy = plan.proxy_for(target);
        // Loading the system's roots is local work and belongs to no phase. An error recurs when TLS begins.
        if target.secure() || proxy.as_ref().is_some_and(|proxy| proxy.scheme == ProxyScheme::Https) {
            let _ = plan.tls.prepare();
        }
        let began = Instant::now();
        let facts = ConnectInfo { proxy: proxy.as_ref().map(ProxyUrl::to_string), ..ConnectInfo::default() };
        let limit = TimeLimit::from_now(plan.connect_timeout);
        DialProgress { plan, target, proxy, began, limit, facts, lookup: None, candidates: Vec::new() }
    }

    async fn run(&mut self) -> Result<UpgradedStream<Stream>, FailedPhase> {
        let connected = self.connected().await?;
        let began = Instant::now();
        let (upgraded, start) = match connected {
            Connected::Http1(stream, tap_state) => (self.upgrade(stream, tap_state).await, Duration::ZERO),
            Connected::Http2(connection, start) => (self.open_stream(connection).await, start),
        };
        self.facts.phases.upgrade = Some(start + began.elapsed());
        upgraded.map_err(at(Phase::Upgrade))
    }

    /// Connects up to where the WebSocket is asked for; a connection of HTTP/2 may be there already.
    async fn connected(&mut self) -> Result<Connected, FailedPhase> {
        if let Some(pool) = &self.plan.http2_pool {
            return self.pooled(pool).await;
        }
        let (stream, tap_state) = self.connect_securely().await?;
        match self.facts.http {
            HttpVersion::Http1 => Ok(Connected::Http1(stream, tap_state)),
            HttpVersion::Http2 => self.start_http2(stream, tap_state).await,
        }
    }

    async fn start_http2(
        &mut self,
        stream: ByteStream,
        tap_state: Arc<TapState>,
    ) -> Result<Connected, FailedPhase> {
        let began = Instant::now();
        let started = extended_connect::start(
            stream,
            tap_state,
            self.plan.goaways.clone(),
            self.target.secure(),
            self.limit,
        )
        .await;
        self.facts.phases.upgrade = Some(began.elapsed());
        Ok(Connected::Http2(started.map_err(at(Phase::Upgrade))?, began.elapsed()))
    }

    /// Connects to the target, with TLS if it has that, and notes which HTTP is to be spoken.
    async fn connect_securely(&mut self) -> Result<(ByteStream, Arc<TapState>), FailedPhase> {
        let (mut stream, tap_state) = self.connect().await?;
        if self.target.secure() {
            stream = self.start_tls(stream).await?;
        }
        self.facts.http = self.http_version().map_err(at(Phase::Tls))?;
        Ok((stream, tap_state))
    }

    /// A connection of HTTP/2 that has room for a WebSocket, opened if there is none.
    async fn pooled(&mut self, pool: &Http2Pool) -> Result<Connected, FailedPhase> {
        let waiting = self.limit.run(pool.open.lock(), "the connection to share was not opened");
        let mut open = waiting.await.map_err(at(Phase::Tcp))?;
        if let Some((connection, facts)) = pool.free(&mut open, self.target) {
            self.facts = facts;
            return Ok(Connected::Http2(connection, Duration::ZERO));
        }
        let (stream, tap_state) = self.connect_securely().await?;
        let connected = self.start_http2(stream, tap_state).await?;
        if let Connected::Http2(connection, _) = &connected {
            pool.add(&mut open, self.target, connection, &mut self.facts);
        }
        Ok(connected)
    }

    /// Which HTTP to speak, by the user's choice and what TLS agreed on.
    fn http_version(&self) -> Result<HttpVersion, DialError> {
        let Some(tls) = self.facts.tls.as_ref().filter(|_| self.target.secure()) else {
            // Without TLS there is nothing to choose by: HTTP/2 is begun with prior knowledge (RFC 9113 section 3.3).
            return Ok(match self.plan.http {
                HttpChoice::Http2 => HttpVersion::Http2,
                HttpChoice::Http1 | HttpChoice::Auto => HttpVersion::Http1,
            });
        };
        match (tls.alpn.as_deref(), self.plan.http) {
            (Some("h2"), _) => Ok(HttpVersion::Http2),
            (_, HttpChoice::Http1 | HttpChoice::Auto) => Ok(HttpVersion::Http1),
            (_, HttpChoice::Http2) => {
                let cause = "the server does not offer HTTP/2: it chose no protocol by ALPN";
                Err(DialError::new(FailureKind::NotHttp2, cause).hint(TRY_HTTP1))
            }
        }
    }

    /// Connects to the target, through the proxy if there is one: everything before TLS with the target.
    pub(super) async fn connect(&mut self) -> Result<(ByteStream, Arc<TapState>), FailedPhase> {
        let socket = self.connect_socket().await?;
        self.facts.remote = self.facts.attempts.iter().find(|a| a.error.is_none()).map(|a| a.address.clone());
        self.facts.local = socket.local();
        self.facts.timestamps = socket.timestamps();
        let tap = Tap::new(socket);
        let tap_state = tap.state();
        let mut stream = ByteStream::Plain(tap);
        if let Some(proxy) = self.proxy.clone() {
            stream = self.tunnel(stream, &proxy).await?;
        }
        Ok((stream, tap_state))
    }

    async fn connect_socket(&mut self) -> Result<TransportSocket, FailedPhase> {
        if let Some(path) = &self.plan.unix_socket {
            return self.connect_unix(path).await;
        }
        let reached = self.connect_to_endpoint().await;
        reached.map_err(|(phase, fault)| match &self.proxy {
            None => (phase, fault),
            Some(proxy) => (phase, proxy.with_origin(fault)),
        })
    }

    /// Where the socket goes, and whose that is: the target, or the proxy on the path to it.
    fn first_hop(&self) -> (Endpoint, &'static str) {
        match &self.proxy {
            None => (self.plan.endpoint(self.target), OF_TARGET),
            Some(proxy) => (proxy.endpoint.clone(), OF_PROXY),
        }
    }

    /// The addresses of the target, or of the proxy on the path to it, that can be reached from `bind`.
    pub(super) async fn resolve(&mut self, bind: Option<SocketAddr>) -> Result<Vec<SocketAddr>, DialError> {
        let (endpoint, whose) = self.first_hop();
        self.addresses(&endpoint, bind, whose).await
    }

    async fn connect_to_endpoint(&mut self) -> Result<TransportSocket, FailedPhase> {
        let (bind, whose) = (self.plan.bind.next(), self.first_hop().1);
        let addresses = self.resolve(bind).await.map_err(at(Phase::Dns))?;
        self.candidates = addresses.iter().map(SocketAddr::to_string).collect();
        let options = SocketOptions {
            bind,
            keepalive: self.plan.tcp_keepalive,
            user_timeout: self.plan.user_timeout,
            timestamps: self.plan.timestamps,
        };
        let connect = async |address: SocketAddr| {
            resolve::check_zone(address)?;
            let socket = TransportSocket::tcp(address, options).await;
            socket.map_err(|fault| fault.with_owner(&address.to_string(), whose))
        };
        self.connect_to_first(addresses, whose, connect).await
    }

    /// The addresses of the endpoint's host, in the order of trying. Adds the lookup to the DNS phase's time.
    async fn addresses(
        &mut self,
        endpoint: &Endpoint,
        bind: Option<SocketAddr>,
        whose: &str,
    ) -> Result<Vec<SocketAddr>, DialError> {
        let Endpoint { host, port, .. } = endpoint;
        let all = match resolve::known(endpoint, &self.plan.resolve) {
            Some(known) => known.iter().map(|address| address.at(*port)).collect::<Result<_, _>>()?,
            None => self.resolve_name(&host.to_string().to_ascii_lowercase(), *port, whose).await?,
        };
        let wanted =
            resolve::restrict(&format!("{whose}{host}"), all, self.plan.family, bind.map(|bind| bind.ip()))?;
        Ok(interleave(wanted))
    }

    async fn resolve_name(
        &mut self,
        name: &str,
        port: u16,
        whose: &str,
    ) -> Result<Vec<SocketAddr>, DialError> {
        let began = Instant::now();
        let doing = format!("the resolver did not answer for {whose}{name}");
        let answer = self.limit.run(resolve::ask(name, port, whose), doing).await?;
        let took = began.elapsed();
        *self.facts.phases.dns.get_or_insert_default() += took;
        self.lookup = Some((name.to_string(), took));
        answer
    }

    async fn connect_unix(&mut self, path: &Path) -> Result<TransportSocket, FailedPhase> {
        self.connect_to_first(vec![path.display()], OF_SOCKET, |_| TransportSocket::unix(path)).await
    }

    async fn connect_to_first<A, F, Fut>(
        &mut self,
        addresses: Vec<A>,
        whose: &str,
        connect: F,
    ) -> Result<TransportSocket, FailedPhase>
    where
        A: fmt::Display,
        F: Fn(A) -> Fut,
        Fut: Future<Output = Result<TransportSocket, DialError>>,
    {
        let raced = race(addresses, whose, self.limit, connect).await;
        self.facts.phases.tcp = Some(raced.took);
        self.facts.attempts = raced.attempts;
        let nothing = || DialError::new(FailureKind::Other, "the name has no address to try");
        raced.won.ok_or_else(|| at(Phase::Tcp)(most_informative(raced.faults).unwrap_or_else(nothing)))
    }

    /// Opens a tunnel through the proxy, inside TLS if the proxy requires it.
    async fn tunnel(&mut self, stream: ByteStream, proxy: &ProxyUrl) -> Result<ByteStream, FailedPhase> {
        let destination = self.destination(proxy).await.map_err(at(Phase::Dns))?;
        let began = Instant::now();
        let with_origin = |fault| at(Phase::Proxy)(proxy.with_origin(fault));
        let stream = self.start_proxy_tls(stream, proxy).await.map_err(with_origin)?;
        let tunnelled = proxy::tunnel(stream, proxy, &destination, self.limit).await;
        self.facts.phases.proxy = Some(began.elapsed());
        tunnelled.map_err(with_origin)
    }

    async fn start_proxy_tls(&self, stream: ByteStream, proxy: &ProxyUrl) -> Result<ByteStream, DialError> {
        if proxy.scheme != ProxyScheme::Https {
            return Ok(stream);
        }
        let party = TlsPeer::Proxy(tls::host_name(&proxy.endpoint.host)?);
        let (tls, _) = tls::handshake(&self.plan.tls, stream, &party, &[tls::HTTP1], self.limit).await?;
        Ok(ByteStream::Tls(Box::new(tls)))
    }

    /// The destination to request from the proxy: the target's name, or an address if the proxy needs one.
    async fn destination(&mut self, proxy: &ProxyUrl) -> Result<Endpoint, DialError> {
        if let Some(zone) = self.target.zone() {
            let cause = format!("a proxy cannot use '{zone}', a network interface of this host");
            return Err(
                DialError::new(FailureKind::Local, cause).hint("--proxy none connects without the proxy")
            );
        }
        if !proxy.scheme.resolves_here() {
            return Ok(Endpoint::from(self.target));
        }
        let addresses = self.addresses(&Endpoint::from(self.target), None, OF_TARGET).await?;
        let usable = addresses.iter().find(|a| proxy.scheme != ProxyScheme::Socks4 || a.is_ipv4());
        let address = usable.or(addresses.first()).copied();
        Ok(address.map_or_else(|| Endpoint::from(self.target), Endpoint::from))
    }

    async fn start_tls(&mut self, stream: ByteStream) -> Result<ByteStream, FailedPhase> {
        let began = Instant::now();
        let name = self.plan.tls.name_for(self.target.host()).map_err(at(Phase::Tls))?;
        let (peer, alpn) = (TlsPeer::Server(name), self.plan.alpn());
        let handshake = tls::handshake(&self.plan.tls, stream, &peer, alpn, self.limit).await;
        self.facts.phases.tls = Some(began.elapsed());
        let (tls, facts) = handshake.map_err(at(Phase::Tls))?;
        self.facts.tls = Some(facts);
        Ok(ByteStream::Tls(Box::new(tls)))
    }

    async fn upgrade(
        &mut self,
        mut stream: ByteStream,
        tap_state: Arc<TapState>,
    ) -> Result<UpgradedStream<Stream>, DialError> {
        let upgraded = upgrade::upgrade(&mut stream, self.plan, self.target, self.limit).await?;
        let (leftover, deflate) = self.note(upgraded);
        Ok(UpgradedStream { stream: Stream::Bytes(stream), leftover, tap_state, deflate })
    }

    /// Opens a stream of HTTP/2 for the WebSocket.
    async fn open_stream(
        &mut self,
        connection: Arc<Http2Connection>,
    ) -> Result<UpgradedStream<Stream>, DialError> {
        let opened = extended_connect::open(connection, self.plan, self.target, self.limit).await;
        let (stream, upgraded) = opened?;
        let (leftover, deflate) = self.note(upgraded);
        let tap_state = stream.tap_state();
        Ok(UpgradedStream { stream: Stream::Http2(Box::new(stream)), leftover, tap_state, deflate })
    }

    /// Notes what was agreed. Returns the first bytes of the WebSocket, and how its messages are compressed.
    fn note(&mut self, upgraded: Upgraded) -> (Vec<u8>, Option<AgreedDeflate>) {
        self.facts.subprotocols_offered = upgraded.subprotocols_offered;
        self.facts.subprotocol = upgraded.subprotocol;
        self.facts.compression_offered = self.plan.deflate.map(|offer| offer.to_string());
        self.facts.compression = upgraded.deflate.map(|agreed| agreed.to_string());
        self.facts.headers = upgraded.headers;
        (upgraded.leftover, upgraded.deflate)
    }

    /// The connected peer, if there is one.
    fn reached_peer(&self) -> Option<ReachedPeer> {
        let address = self.facts.remote.clone()?;
        let tried =
            |address: &&String| self.facts.attempts.iter().any(|attempt| attempt.address == **address);
        let untried = self.candidates.iter().filter(|address| !tried(address)).cloned().collect();
        Some(ReachedPeer { address, proxy: self.facts.proxy.clone(), untried })
    }

    /// The error of this opening.
    pub(super) fn error(self, phase: Phase, fault: DialError) -> ConnectError {
        ConnectError {
            reached: self.reached_peer(),
            attempts: self.facts.attempts,
            ..fault.failed_opening(self.target, phase, self.began.elapsed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::connect::proxy::ProxyChoice;
    use crate::net::connect::resolve::AddressFamily;
    use crate::net::connect::tls::{TlsOptions, TlsPlan};
    use crate::net::testing::loopback_peer::{
        accept, accepting, answering, connect_proxy, header, peer, peer_on, request,
    };
    use crate::net::testing::test_certificates::{
        PemFiles, TestAuthority, TestCertificate, TestTlsServer, VALID, ValidityPeriod,
    };
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    fn plan() -> DialPlan {
        DialPlan::default()
    }

    fn hurried() -> DialPlan {
        DialPlan { connect_timeout: Duration::from_millis(200), ..plan() }
    }

    /// An address without a listener.
    async fn closed_port() -> SocketAddr {
        TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap()
    }

    async fn failed(plan: &DialPlan, target: &Target) -> ConnectError {
        open(plan, target).await.unwrap_err()
    }

    async fn echoes(open: &mut Open) {
        open.upgraded.stream.write_all(b"abc").await.unwrap();
        open.upgraded.stream.flush().await.unwrap();
        let mut back = [0; 3];
        open.upgraded.stream.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"abc");
    }

    #[tokio::test]
    async fn plain_websocket_opens_over_the_tap() {
        let peer = peer(accept).await;
        let mut open = open(&plan(), &peer.target()).await.unwrap();
        let (read, written) = (open.upgraded.tap_state.read_bytes(), open.upgraded.tap_state.written_bytes());
        echoes(&mut open).await;
        assert_eq!(
            (open.upgraded.tap_state.read_bytes() - read, open.upgraded.tap_state.written_bytes() - written),
            (3, 3)
        );
        assert_eq!(open.facts.remote, Some(peer.address.to_string()));
        assert!(open.facts.local.as_deref().is_some_and(|local| local.starts_with("127.0.0.1:")));
        let PhaseTimes { dns, tcp, proxy, tls, upgrade, total } = open.facts.phases;
        assert_eq!((dns, proxy, tls), (None, None, None));
        assert!(tcp.unwrap() + upgrade.unwrap() <= total);
        assert_eq!(open.facts.attempts.len(), 1);
        assert_eq!(Some(open.facts.attempts[0].took), tcp);
        assert_eq!(open.facts.headers[0].0, "server");
    }

    #[tokio::test]
    async fn resolved_name_reports_every_attempt() {
        let peer = peer(accept).await;
        let target: Target = format!("ws://localhost:{}/", peer.address.port()).parse().unwrap();
        let open = open(&plan(), &target).await.unwrap();
        assert!(open.facts.phases.dns.is_some());
        let used = open.facts.attempts.iter().find(|attempt| attempt.error.is_none()).unwrap();
        assert_eq!(used.address, peer.address.to_string());
    }

    #[tokio::test]
    async fn refusal_names_address_and_error() {
        let address = closed_port().await;
        let target: Target = format!("ws://bob:hunter2@{address}/?token=t0p").parse().unwrap();
        let error = failed(&plan(), &target).await;
        assert_eq!(
            error.to_string(),
            format!(
                "cannot open ws://***@{address}/?token=***: TCP: connection refused by {address} (ECONNREFUSED)"
            )
        );
        assert_eq!((error.phase, error.kind), (Phase::Tcp, FailureKind::Refused));
        assert_eq!(error.attempts[0].address, address.to_string());
    }

    #[tokio::test]
    async fn resolve_override_tries_all_its_addresses() {
        let peer = peer(accept).await;
        let port = peer.address.port();
        let resolve = ["127.0.0.2", "127.0.0.1"]
            .map(|addr| format!("a.example:{port}:{addr}").parse().unwrap())
            .to_vec();
        let target: Target = format!("ws://a.example:{port}/").parse().unwrap();
        let open = open(&DialPlan { resolve, ..plan() }, &target).await.unwrap();
        assert_eq!(open.facts.phases.dns, None);
        let errors: Vec<_> = open.facts.attempts.iter().map(|a| a.error.as_deref()).collect();
        let refused = format!("connection refused by 127.0.0.2:{port} (ECONNREFUSED)");
        assert_eq!(errors, [Some(refused.as_str()), None]);
        drop(open);
        let request = peer.task.await.unwrap();
        assert_eq!(header(&request, "Host"), Some(format!("a.example:{port}").as_str()));
    }

    #[tokio::test]
    async fn ipv6_works_and_missing_family_is_named() {
        let peer = peer_on("::1", accept).await;
        let open =
            open(&DialPlan { family: Some(AddressFamily::V6), ..plan() }, &peer.target()).await.unwrap();
        assert_eq!(open.facts.remote, Some(format!("[::1]:{}", peer.address.port())));
        let error = failed(&DialPlan { family: Some(AddressFamily::V4), ..plan() }, &peer.target()).await;
        assert_eq!((error.phase, error.cause.as_str()), (Phase::Dns, "[::1] has no IPv4 address"));
    }

    #[tokio::test]
    async fn another_place_gets_the_request_for_the_urls_host() {
        let peer = peer(accept).await;
        let connect_to = Some(peer.address.to_string().parse().unwrap());
        let target: Target = "ws://a.invalid:8080/x".parse().unwrap();
        let open = open(&DialPlan { connect_to, ..plan() }, &target).await.unwrap();
        assert_eq!(open.facts.remote, Some(peer.address.to_string()));
        drop(open);
        assert_eq!(header(&peer.task.await.unwrap(), "Host"), Some("a.invalid:8080"));
    }

    #[tokio::test]
    async fn local_address_is_used() {
        let peer = peer(accept).await;
        let from =
            |ip: &str| DialPlan { bind: vec![SocketAddr::new(ip.parse().unwrap(), 0)].into(), ..plan() };
        let open = open(&from("127.0.0.3"), &peer.target()).await.unwrap();
        assert!(open.facts.local.unwrap().starts_with("127.0.0.3:"));
        let error = failed(&from("192.0.2.1"), &peer.target()).await;
        assert_eq!(error.kind, FailureKind::Local);
        assert!(error.cause.starts_with("cannot connect from 192.0.2.1:"), "{}", error.cause);
        assert_eq!(error.hint.as_deref(), Some("192.0.2.1 is not an address of this machine"));
        let error = failed(&from("::1"), &peer.target()).await;
        assert_eq!(error.cause, "127.0.0.1 has no address that can be reached from ::1");
    }

    #[tokio::test]
    async fn socket_options_are_set() {
        let peer = peer(accept).await;
        let plan = DialPlan { tcp_keepalive: Some(Duration::from_millis(6500)), ..plan() };
        let open = open(&plan, &peer.target()).await.unwrap();
        open.upgraded.stream.with_socket(check_options);
    }

    fn check_options(socket: &TransportSocket) {
        let TransportSocket::Tcp(socket) = socket else { panic!("not TCP") };
        let options = socket2::SockRef::from(socket);
        assert!(options.tcp_nodelay().unwrap());
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), Duration::from_secs(7));
        assert_eq!(options.tcp_keepalive_interval().unwrap(), Duration::from_secs(7));
    }

    /// A real link-local address would need a network namespace and privileges. The loopback interface has no
    /// link-local address, but its number stands for the interface in the errors.
    #[tokio::test]
    async fn link_local_address_is_tried_through_its_interface() {
        let cause = async |url: &str| open(&plan(), &url.parse().unwrap()).await.unwrap_err();
        let error = cause("ws://[fe80::1]:9/").await;
        assert_eq!(error.cause, "fe80::1 is a link-local address without a network interface");
        assert_eq!(error.hint.as_deref(), Some("name the interface: [fe80::1%eth0] in the URL"));
        let error = cause("ws://[fe80::1%nosuch]:9/").await;
        assert_eq!(error.cause, "this host has no network interface 'nosuch'");
        let error = cause("ws://[fe80::1%lo]:9/").await;
        assert!(error.attempts.iter().any(|a| a.address == "[fe80::1%1]:9"), "{error:?}");
    }

    #[tokio::test]
    async fn unix_socket_is_used_for_any_host() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ws");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let task = tokio::spawn(async move { accept(listener.accept().await.unwrap().0).await });
        let through = |path: &Path| DialPlan { unix_socket: Some(path.to_path_buf()), ..plan() };
        let target: Target = "ws://a.example/x".parse().unwrap();
        let mut open = open(&through(&path), &target).await.unwrap();
        echoes(&mut open).await;
        assert_eq!(open.facts.remote, Some(path.display().to_string()));
        assert_eq!(open.facts.phases.dns, None);
        assert!(open.facts.phases.tcp.is_some());
        drop(open);
        assert_eq!(header(&task.await.unwrap(), "Host"), Some("a.example"));
        let error = failed(&through(&path), &target).await;
        let refused = format!("connection refused by {} (ECONNREFUSED)", path.display());
        assert_eq!((error.kind, error.cause), (FailureKind::Refused, refused));
        assert_eq!(error.hint.as_deref(), Some("no process listens on that socket: check its path"));
        let missing = directory.path().join("none");
        let error = failed(&through(&missing), &target).await;
        assert_eq!(error.kind, FailureKind::Local);
        assert_eq!(error.cause, format!("{} does not exist (ENOENT)", missing.display()));
        assert!(error.to_string().contains(": Unix socket: "), "{error}");
    }

    #[tokio::test]
    async fn bytes_after_the_response_are_kept() {
        let peer = peer(async |mut stream: TcpStream| {
            let request = request(&mut stream).await;
            let answer = [accepting(&request, "").as_bytes(), b"\x81\x02hi"].concat();
            stream.write_all(&answer).await.unwrap();
            let _ = stream.read(&mut [0]).await;
        })
        .await;
        assert_eq!(open(&plan(), &peer.target()).await.unwrap().upgraded.leftover, b"\x81\x02hi");
    }

    #[tokio::test]
    async fn longest_timeout_is_accepted() {
        let peer = peer(accept).await;
        let plan = DialPlan { connect_timeout: Duration::MAX, ..plan() };
        assert!(open(&plan, &peer.target()).await.is_ok());
    }

    #[tokio::test]
    async fn silent_and_slow_servers_time_out_in_their_phase() {
        let silent = peer(async |mut stream: TcpStream| {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let error = failed(&hurried(), &silent.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::Timeout));
        assert_eq!(error.cause, "the server did not answer within 200 ms");
        assert!(error.took >= Duration::from_millis(200));
        let trickle = peer(async |mut stream: TcpStream| {
            while stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        })
        .await;
        let error = failed(&hurried(), &trickle.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::Timeout));
        assert_eq!(error.cause, "the server did not end its response headers (34 bytes came) within 200 ms");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn unanswered_address_times_out_in_tcp() {
        // With a full backlog the system drops further SYNs, as a firewall would.
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let _filling = TcpStream::connect(address).await.unwrap();
        let target: Target = format!("ws://{address}/").parse().unwrap();
        let error = failed(&hurried(), &target).await;
        assert_eq!((error.phase, error.kind), (Phase::Tcp, FailureKind::Timeout));
        assert_eq!(error.cause, format!("{address} did not answer within 200 ms"));
        assert_eq!(error.attempts[0].error.as_ref(), Some(&error.cause));
    }

    #[tokio::test]
    async fn refused_upgrade_shows_the_response() {
        let answer =
            b"HTTP/1.1 301 Moved\r\nLocation: https://b.example/?token=t0p\r\nSet-Cookie: s3cret=1\r\n\
            Server: nginx\r\nContent-Length: 5\r\n\r\nmoved";
        let peer = answering(answer).await;
        let error = failed(&plan(), &peer.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::UpgradeRefused));
        assert_eq!(error.cause, "HTTP 301 (Moved Permanently) instead of 101");
        assert_eq!(error.hint.as_deref(), Some("follow it with wss://b.example/?token=***"));
        let shown = format!("{error:?}");
        assert!(!shown.contains("t0p") && !shown.contains("s3cret"), "{shown}");
        let refusal = error.refusal.unwrap();
        assert_eq!((refusal.status, refusal.body.as_str()), (301, "moved"));
        let names: Vec<_> = refusal.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["location", "server"]);
    }

    #[tokio::test]
    async fn non_http_answer_is_named() {
        let error = failed(&plan(), &answering(b"SSH-2.0-OpenSSH_9.2\r\n").await.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::NotHttp));
        assert!(error.cause.ends_with(r#"begins "SSH-2.0-OpenSSH_9.2\r\n""#), "{}", error.cause);
    }

    #[tokio::test]
    async fn endless_header_is_an_error() {
        let peer = peer(async |mut stream: TcpStream| {
            request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 101 X\r\n").await;
            while stream.write_all(&[b'x'; 1024]).await.is_ok() {}
        })
        .await;
        let error = failed(&plan(), &peer.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::EndlessHeader));
        drop(peer.task.await);
    }

    #[tokio::test]
    async fn immediate_close_differs_from_reset() {
        let closes = answering(b"").await;
        let error = failed(&plan(), &closes.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::ClosedEarly));
        assert_eq!(error.cause, "the server closed the connection without an answer");
        let resets = peer(async |mut stream: TcpStream| {
            request(&mut stream).await;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        })
        .await;
        let error = failed(&plan(), &resets.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::Reset));
        assert!(error.cause.ends_with("connection reset by peer (ECONNRESET)"), "{}", error.cause);
    }

    /// TLS options that trust only this authority.
    fn trusting(authority: &TestAuthority, files: &PemFiles) -> TlsOptions {
        TlsOptions { cacert: vec![files.put("ca.pem", &authority.cert)], ..TlsOptions::default() }
    }

    fn with_tls(options: &TlsOptions) -> DialPlan {
        DialPlan { tls: Arc::new(TlsPlan::build(options).unwrap()), ..plan() }
    }

    fn local_certificate(authority: &TestAuthority) -> TestCertificate {
        authority.issue(&["127.0.0.1", "a.example"], VALID)
    }

    #[tokio::test]
    async fn tls_websocket_opens_over_the_tap() {
        let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
        let peer = TestTlsServer::new(&local_certificate(&authority)).run(accept).await;
        let mut open = open(&with_tls(&trusting(&authority, &files)), &peer.secure_target()).await.unwrap();
        let before = open.upgraded.tap_state.written_bytes();
        echoes(&mut open).await;
        // Three bytes, as TLS 1.3 wraps them: header 5, content type 1, tag 16 (RFC 8446 section 5.2).
        assert_eq!(open.upgraded.tap_state.written_bytes() - before, 3 + 5 + 1 + 16);
        assert!(open.facts.phases.tls.is_some());
        assert_eq!(open.facts.tls.unwrap().version, "TLSv1.3");
    }

    #[tokio::test]
    async fn tls_runs_over_a_unix_socket() {
        let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
        let path = files.put("x", "").with_file_name("ws");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let server = TestTlsServer::new(&local_certificate(&authority)).acceptor();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            accept(server.accept(stream).await.unwrap()).await
        });
        let plan = DialPlan { unix_socket: Some(path), ..with_tls(&trusting(&authority, &files)) };
        let mut open = open(&plan, &"wss://a.example/".parse().unwrap()).await.unwrap();
        echoes(&mut open).await;
        assert!(open.facts.tls.unwrap().verified);
    }

    #[tokio::test]
    async fn bad_certificate_fails_in_the_tls_phase() {
        let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
        let expired = authority.issue(&["127.0.0.1"], ValidityPeriod { since_days: 9, until_days: -3 });
        let peer = TestTlsServer::new(&expired).run(accept).await;
        let error = failed(&with_tls(&trusting(&authority, &files)), &peer.secure_target()).await;
        assert_eq!(
            error.to_string(),
            format!("cannot open wss://{}/: TLS: certificate expired 3 days ago", peer.address)
        );
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::CertificateExpired));
    }

    #[tokio::test]
    async fn client_certificate_alert_after_handshake_is_a_tls_error() {
        let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
        let clients = Some(TestAuthority::new("Clients").cert);
        let peer =
            TestTlsServer { clients, ..TestTlsServer::new(&local_certificate(&authority)) }.run(accept).await;
        let error = failed(&with_tls(&trusting(&authority, &files)), &peer.secure_target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::TlsFailed));
        assert_eq!(error.cause, "the server demands a client certificate (TLS alert certificate_required)");
        assert_eq!(error.hint.as_deref(), Some("--cert and --key"));
    }

    #[tokio::test]
    async fn plain_and_tls_mixups_are_recognised() {
        let authority = TestAuthority::new("Root");
        let tls = TestTlsServer::new(&local_certificate(&authority)).run(accept).await;
        let error = failed(&plan(), &tls.target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Upgrade, FailureKind::NotHttp));
        assert_eq!(error.hint.as_deref(), Some("the server speaks TLS on this port: use wss://"));
        let plain = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        })
        .await;
        let insecure = TlsOptions { insecure: true, ..TlsOptions::default() };
        let error = failed(&with_tls(&insecure), &plain.secure_target()).await;
        assert_eq!((error.phase, error.kind), (Phase::Tls, FailureKind::TlsFailed));
        assert_eq!(error.hint.as_deref(), Some("the server may speak plain HTTP on this port: use ws://"));
    }

    fn through(url: String) -> DialPlan {
        DialPlan { proxy: url.parse::<ProxyUrl>().unwrap().into(), ..plan() }
    }

    #[tokio::test]
    async fn http_proxy_opens_a_tunnel() {
        let (peer, proxy) = (peer(accept).await, peer(connect_proxy).await);
        let plan = through(format!("http://bob:hunter2@{}", proxy.address));
        let mut open = open(&plan, &peer.target()).await.unwrap();
        echoes(&mut open).await;
        assert_eq!(open.facts.proxy, Some(format!("http://{}", proxy.address)));
        assert_eq!(open.facts.remote, Some(proxy.address.to_string()));
        assert!(open.facts.phases.proxy.is_some());
        assert!(!format!("{:?}", open.facts).contains("hunter2"));
        drop(open);
        let request = proxy.task.await.unwrap();
        assert!(request.starts_with(&format!("CONNECT {} HTTP/1.1\r\n", peer.address)), "{request}");
        // Base64 by Python: b64encode(b"bob:hunter2").
        assert_eq!(header(&request, "Proxy-Authorization"), Some("Basic Ym9iOmh1bnRlcjI="));
        assert_eq!(header(&peer.task.await.unwrap(), "Proxy-Authorization"), None);
    }

    #[tokio::test]
    async fn tls_runs_through_a_tls_proxy() {
        let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
        let peer = TestTlsServer::new(&local_certificate(&authority)).run(accept).await;
        let proxy = TestTlsServer::new(&local_certificate(&authority)).run(connect_proxy).await;
        let url = format!("https://{}", proxy.address);
        let tls = with_tls(&trusting(&authority, &files)).tls;
        let mut open = open(&DialPlan { tls, ..through(url) }, &peer.secure_target()).await.unwrap();
        echoes(&mut open).await;
        assert!(open.facts.tls.is_some() && open.facts.phases.proxy.is_some());
    }

    #[tokio::test]
    async fn environment_proxy_is_used_unless_no_proxy_matches() {
        let choice = |proxy: SocketAddr, no: &str| {
            let proxy = format!("http://{proxy}");
            let read = |name: &str| match name {
                "HTTP_PROXY" => Some(proxy.clone().into()),
                "NO_PROXY" => Some(no.into()),
                _ => None,
            };
            DialPlan { proxy: ProxyChoice::read(read).unwrap(), ..plan() }
        };
        let (target, proxy) = (peer(accept).await, peer(connect_proxy).await);
        let proxied = open(&choice(proxy.address, "b.example"), &target.target()).await.unwrap();
        assert!(proxied.facts.proxy.is_some());
        for no in ["127.0.0.1", "*"] {
            let target = peer(accept).await;
            let direct = open(&choice(proxy.address, no), &target.target()).await.unwrap();
            assert_eq!(direct.facts.proxy, None);
            assert_eq!(direct.facts.remote, Some(target.address.to_string()));
        }
    }

    #[tokio::test]
    async fn each_http_proxy_refusal_is_named() {
        let refusal = async |userinfo: &str, answer: &'static [u8]| {
            let proxy = answering(answer).await;
            let url = format!("http://{userinfo}{}", proxy.address);
            let error = failed(&through(url), &"ws://a.example/".parse().unwrap()).await;
            assert_eq!((error.phase, error.kind), (Phase::Proxy, FailureKind::ProxyFailed));
            (error.cause, error.hint.unwrap_or_default(), error.refusal.map(|refusal| refusal.status))
        };
        let wants = b"HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n";
        let (cause, hint, status) = refusal("", wants).await;
        assert_eq!(cause, "the proxy wants a user name and password (HTTP 407)");
        assert!(hint.contains("http://user:password@host:port"), "{hint}");
        assert_eq!(status, Some(407));
        let (cause, ..) = refusal("bob:hunter2@", wants).await;
        assert_eq!(cause, "the proxy did not accept the user name and password (HTTP 407)");
        let (cause, ..) = refusal("", b"HTTP/1.1 403 X\r\n\r\n").await;
        assert_eq!(cause, "the proxy forbids connections to a.example:80 (HTTP 403)");
        let (cause, ..) = refusal("", b"HTTP/1.1 502 X\r\n\r\n").await;
        assert_eq!(cause, "the proxy could not reach a.example:80 (HTTP 502)");
        let (cause, hint, _) = refusal("", b"\x05\xff").await;
        assert!(cause.starts_with("the proxy does not speak HTTP/1.1"), "{cause}");
        assert!(hint.contains("socks5://"), "{hint}");
        let (cause, hint, _) = refusal("", b"\x15\x03\x03\x00\x02\x02\x46").await;
        assert!(cause.starts_with("the proxy does not speak HTTP/1.1"), "{cause}");
        assert!(hint.contains("https://"), "{hint}");
        let (cause, ..) = refusal("", b"HTTP/1.1 200 OK\r\n\r\nabc").await;
        assert_eq!(cause, "the proxy sent 3 unexpected bytes after its response");
    }

    #[tokio::test]
    async fn missing_or_silent_proxy_fails_in_its_phase() {
        let nobody = closed_port().await;
        let target: Target = "ws://a.example/".parse().unwrap();
        let error = failed(&through(format!("http://{nobody}")), &target).await;
        assert_eq!((error.phase, error.kind), (Phase::Tcp, FailureKind::Refused));
        assert_eq!(error.cause, format!("connection refused by the proxy {nobody} (ECONNREFUSED)"));
        assert!(error.hint.unwrap().ends_with("the proxy is from --proxy"));
        let six = DialPlan { family: Some(AddressFamily::V6), ..through(format!("http://{nobody}")) };
        let error = failed(&six, &target).await;
        assert_eq!(error.cause, "the proxy 127.0.0.1 has no IPv6 address");
        let silent = peer(async |mut stream: TcpStream| stream.read_to_end(&mut Vec::new()).await).await;
        let plan = DialPlan { proxy: through(format!("http://{}", silent.address)).proxy, ..hurried() };
        let error = failed(&plan, &target).await;
        assert_eq!((error.phase, error.kind), (Phase::Proxy, FailureKind::Timeout), "{}", error.cause);
        assert_eq!(error.hint.as_deref(), Some("the proxy is from --proxy"));
        let silent = peer(async |mut stream: TcpStream| stream.read_to_end(&mut Vec::new()).await).await;
        let plan = DialPlan { proxy: through(format!("socks5h://{}", silent.address)).proxy, ..hurried() };
        let error = failed(&plan, &target).await;
        assert_eq!((error.phase, error.kind), (Phase::Proxy, FailureKind::Timeout));
        assert_eq!(error.cause, "the proxy did not connect to a.example:80 within 200 ms");
        assert_eq!(error.hint.as_deref(), Some("it may be an HTTP proxy: give it as http://"));
    }

    #[tokio::test]
    async fn slow_socks_proxy_differs_from_no_socks_proxy() {
        let target: Target = "ws://a.example/".parse().unwrap();
        let slow = peer(async |mut stream: TcpStream| {
            let _ = stream.write_all(b"\x05\x00").await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        let plan = DialPlan { proxy: through(format!("socks5h://{}", slow.address)).proxy, ..hurried() };
        let error = failed(&plan, &target).await;
        assert_eq!(error.kind, FailureKind::Timeout);
        assert_eq!(error.hint.as_deref(), Some("the proxy is from --proxy"));
        let closes = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        let error = failed(&through(format!("socks5h://{}", closes.address)), &target).await;
        assert_eq!(error.cause, "no connection to a.example:80: the proxy closed the connection");
        assert_eq!(error.hint.as_deref(), Some("it may be an HTTP proxy: give it as http://"));
        let resets = peer(async |mut stream: TcpStream| {
            let _ = stream.read(&mut [0; 64]).await;
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        })
        .await;
        let error = failed(&through(format!("socks5h://{}", resets.address)), &target).await;
        let broke = "the connection to the proxy broke: connection reset by peer (ECONNRESET)";
        assert_eq!(error.cause, format!("no connection to a.example:80: {broke}"));
    }

    /// A SOCKS 5 proxy (RFC 1928, RFC 1929) that sends this reply; returns the received address type, address and
    /// credentials.
    async fn socks5_proxy(mut stream: TcpStream, reply: u8) -> (u8, Vec<u8>, Vec<u8>) {
        let [_, count] = bytes(&mut stream).await;
        let mut methods = vec![0; count.into()];
        stream.read_exact(&mut methods).await.unwrap();
        let mut login = Vec::new();
        stream.write_all(&[5, methods[0]]).await.unwrap();
        if methods[0] == 2 {
            let [_, length] = bytes(&mut stream).await;
            login = vec![0; length.into()];
            stream.read_exact(&mut login).await.unwrap();
            let [length] = bytes(&mut stream).await;
            let mut password = vec![0; length.into()];
            stream.read_exact(&mut password).await.unwrap();
            login.push(b':');
            login.extend(password);
            stream.write_all(&[1, 0]).await.unwrap();
        }
        let [_, _, _, kind] = bytes(&mut stream).await;
        let length = match kind {
            1 => 4,
            4 => 16,
            _ => bytes::<1>(&mut stream).await[0],
        };
        let mut address = vec![0; length.into()];
        stream.read_exact(&mut address).await.unwrap();
        let port = u16::from_be_bytes(bytes(&mut stream).await);
        stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        if reply == 0 {
            let mut onward = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
        }
        (kind, address, login)
    }

    async fn bytes<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
        let mut bytes = [0; N];
        stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test]
    async fn socks5_resolves_locally_socks5h_remotely() {
        for (scheme, expected) in
            [("socks5", (1, b"\x7f\x00\x00\x01".to_vec())), ("socks5h", (3, b"localhost".to_vec()))]
        {
            let target = peer(accept).await;
            let proxy = peer(async |stream| socks5_proxy(stream, 0).await).await;
            let url = format!("{scheme}://bob:hunter2@{}", proxy.address);
            let plan = DialPlan { family: Some(AddressFamily::V4), ..through(url) };
            let local: Target = format!("ws://localhost:{}/", target.address.port()).parse().unwrap();
            let mut open = open(&plan, &local).await.unwrap();
            echoes(&mut open).await;
            assert_eq!(open.facts.phases.dns.is_some(), scheme == "socks5");
            assert_eq!(open.facts.proxy, Some(format!("{scheme}://{}", proxy.address)));
            drop(open);
            let (kind, address, login) = proxy.task.await.unwrap();
            assert_eq!((kind, address), expected);
            assert_eq!(login, b"bob:hunter2");
        }
    }

    #[tokio::test]
    async fn each_socks5_reply_is_named() {
        for (reply, words) in [
            (1, "the proxy failed (SOCKS reply 1)"),
            (2, "the proxy's rules forbid it (SOCKS reply 2)"),
            (3, "the proxy has no route to its network (SOCKS reply 3)"),
            (4, "the proxy cannot reach the host (SOCKS reply 4)"),
            (5, "the server refused the proxy's connection (SOCKS reply 5)"),
            (6, "the TTL expired between the proxy and the server (SOCKS reply 6)"),
            (7, "the proxy does not support CONNECT (SOCKS reply 7)"),
            (8, "the proxy does not support this address type (SOCKS reply 8)"),
        ] {
            let proxy = peer(async move |stream| socks5_proxy(stream, reply).await).await;
            let url = format!("socks5h://{}", proxy.address);
            let error = failed(&through(url), &"ws://a.example/".parse().unwrap()).await;
            assert_eq!((error.phase, error.kind), (Phase::Proxy, FailureKind::ProxyFailed));
            assert_eq!(error.cause, format!("no connection to a.example:80: {words}"));
        }
    }

    #[tokio::test]
    async fn other_socks_failures_are_named() {
        let error = async |url: &str, answer: &'static [u8]| {
            let proxy = peer(async move |mut stream: TcpStream| {
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(answer).await;
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(b"\x01\x01").await;
            })
            .await;
            let url = url.replace("PROXY", &proxy.address.to_string());
            failed(&through(url), &"ws://a.example/".parse().unwrap()).await.cause
        };
        let no_route = "no connection to a.example:80: ";
        assert_eq!(
            error("socks5h://PROXY", b"\x05\xff").await,
            format!("{no_route}the proxy accepts none of our authentication methods")
        );
        assert_eq!(
            error("socks5h://bob:hunter2@PROXY", b"\x05\x02").await,
            format!("{no_route}the proxy did not accept the user name and password")
        );
        assert_eq!(
            error("socks5h://PROXY", b"HTTP/1.1 400 Bad Request\r\n\r\n").await,
            format!("{no_route}the proxy's answer is not SOCKS")
        );
        assert_eq!(
            error("socks4a://PROXY", b"\x00\x5b\x00\x00\x00\x00\x00\x00").await,
            format!("{no_route}the proxy refused or failed (SOCKS 4 reply 91)")
        );
    }

    #[tokio::test]
    async fn socks4_carries_an_ipv4_address() {
        let target = peer(accept).await;
        let onward = target.address;
        let proxy = peer(async move |mut stream: TcpStream| {
            let request: [u8; 9] = bytes(&mut stream).await;
            stream.write_all(&[0, 90, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let mut onward = TcpStream::connect(onward).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
            request
        })
        .await;
        let open = open(&through(format!("socks4://{}", proxy.address)), &target.target()).await.unwrap();
        drop(open);
        let [high, low] = onward.port().to_be_bytes();
        assert_eq!(proxy.task.await.unwrap(), [4, 1, high, low, 127, 0, 0, 1, 0]);
        let error = failed(
            &through(format!("socks4://{}", peer(accept).await.address)),
            &"ws://[::1]/".parse().unwrap(),
        )
        .await;
        assert_eq!(error.cause, "no connection to [::1]:80: SOCKS 4 cannot carry an IPv6 address");
    }
}
