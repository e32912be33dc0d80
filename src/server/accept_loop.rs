//! The server: accepts connections, keeps the registry of clients, and stops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{ClientInit, ClientState};
use super::client_stats::ClientStats;
use super::config::ServerConfig;
use super::connection;
use super::event::{ServeEvent, ServeEventKind};
use super::faults::Faults;
use super::handshake::{AcceptedUpgrade, HTTP2_PREFACE, RejectedConnection, looks_like_tls};
use super::handshake_task::{self, AdmittedClient};
use super::http2::{self, Http2Driver, Http2End, Http2Limits, Http2Request};
use super::lock::lock;
use super::memory;
use super::snapshot::{ClientSnapshot, ServerSnapshot};
use super::socket::{ClientSocket, OpeningSocket};
use super::summary::ServerSummary;
use super::tls::{HTTP2_ALPN, describe_tls_handshake_error, with_http2};
use super::two_ended::TWO_ENDED;
use crate::domain::client_test::connection_record::ConnectionRecord;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::target::redact_text;
use crate::domain::connection::untrusted_text::UntrustedText;

/// Delay after a failed accept(2), for example when file descriptors run out.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Minimum number of departed clients before memory is returned while others are connected.
const MIN_CLIENTS_TO_FREE: usize = 100;

/// Maximum number of connections being opened beyond the client limit; others wait in the kernel's queue.
const MAX_OPENING_CONNECTIONS: usize = 1024;

/// Names of what faults did beside cuts.
const PONG_DROPPED: &str = "pong_dropped";
const UPGRADE_REFUSED: &str = "upgrade_refused";

/// Spreads consecutive numbers over 64 bits (golden ratio times 2^64).
const GOLDEN_RATIO_BITS: u64 = 0x9e37_79b9_7f4a_7c15;

/// Runs a server on `listener` until `stop`; closes each client with 1001 then. `events` receives its events, but need
/// not be read.
pub async fn run(
    listener: TcpListener,
    config: ServerConfig,
    events: UnboundedSender<ServeEvent>,
    stop: CancellationToken,
) -> ServerSummary {
    let server = Arc::new(Server::new(config, events));
    server.run(listener, stop).await
}

/// A server and the state shared by its connections.
pub struct Server {
    config: Arc<ServerConfig>,
    faults: Arc<Faults>,
    no_faults: Arc<Faults>,
    registry: Mutex<ClientRegistry>,
    events: UnboundedSender<ServeEvent>,
    started: Instant,
}

/// Connected clients, and totals of departed ones.
struct ClientRegistry {
    arrived: u64,
    connected: BTreeMap<u64, ConnectedClient>,
    /// Slots in use: by connected clients, and by those being admitted.
    used_slots: usize,
    /// Connections that get the faults, so far.
    faulty: u64,
    /// Without what connected clients sent and answered.
    summary: ServerSummary,
    /// Clients that departed since memory was last returned.
    departed_since_trim: usize,
}

impl ClientRegistry {
    /// Whether to return memory after this departure: the more clients remain, the more must have departed.
    fn should_trim_memory(&mut self) -> bool {
        self.departed_since_trim += 1;
        let remaining = self.connected.len();
        let is_worthwhile = remaining == 0 || self.departed_since_trim >= remaining.max(MIN_CLIENTS_TO_FREE);
        if is_worthwhile {
            self.departed_since_trim = 0;
        }
        is_worthwhile
    }
}

/// A connection: its number, its address, and whether it gets the faults.
#[derive(Debug, Clone, Copy)]
struct IncomingConnection {
    id: u64,
    remote: SocketAddr,
    faulty: bool,
}

/// One of the client slots; dropping it frees the slot.
struct ConnectionSlot<'a>(&'a Server);

impl Drop for ConnectionSlot<'_> {
    fn drop(&mut self) {
        self.0.registry().used_slots -= 1;
    }
}

/// A connected client.
struct ConnectedClient {
    connection: IncomingConnection,
    http: HttpVersion,
    resource: String,
    subprotocol: Option<String>,
    opened: Instant,
    figures: Arc<Mutex<ClientStats>>,
}

impl ConnectedClient {
    fn snapshot(&self, now: Instant) -> ClientSnapshot {
        let figures = lock(&self.figures).clone();
        ClientSnapshot {
            id: self.connection.id,
            remote: self.connection.remote.to_string(),
            http: self.http,
            resource: self.resource.clone(),
            subprotocol: self.subprotocol.clone(),
            faulty: self.connection.faulty,
            age: now - self.opened,
            idle: now - figures.last_heard.unwrap_or(self.opened),
            figures,
        }
    }
}

impl Server {
    /// `events` receives the server's events, but need not be read.
    pub fn new(mut config: ServerConfig, events: UnboundedSender<ServeEvent>) -> Server {
        config.tls = config.tls.map(|tls| if config.http2 { with_http2(&tls) } else { tls });
        Server {
            faults: Arc::new(config.faults.clone()),
            no_faults: Arc::new(config.faults.harmless()),
            config: Arc::new(config),
            registry: Mutex::new(ClientRegistry {
                arrived: 0,
                connected: BTreeMap::new(),
                used_slots: 0,
                faulty: 0,
                summary: ServerSummary::begin(SystemTime::now()),
                departed_since_trim: 0,
            }),
            events,
            started: Instant::now(),
        }
    }

    /// Accepts connections until `stop`, then waits until all have ended.
    pub async fn run(self: Arc<Server>, listener: TcpListener, stop: CancellationToken) -> ServerSummary {
        let mut tasks = JoinSet::new();
        self.accept(&listener, &mut tasks, &stop).await;
        drop(listener);
        self.registry().summary.activity.record_stop(self.started.elapsed());
        while tasks.join_next().await.is_some() {}
        let summary = self.summary();
        self.send_event(None, ServeEventKind::Stopped(Box::new(summary.clone())));
        summary
    }

    async fn accept(
        self: &Arc<Server>,
        listener: &TcpListener,
        tasks: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) {
        let max = self.config.max_clients.saturating_add(MAX_OPENING_CONNECTIONS);
        let mut has_failed = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(_) = tasks.join_next() => continue,
                accepted = listener.accept(), if tasks.len() < max => accepted,
            };
            match accepted {
                Ok((stream, remote)) => {
                    has_failed = false;
                    let connection_task = Arc::clone(self).handle_connection(stream, remote, stop.clone());
                    tasks.spawn(connection_task);
                }
                Err(error) => {
                    // Reported once, although accepting is retried five times a second.
                    if !std::mem::replace(&mut has_failed, true) {
                        self.send_event(
                            None,
                            ServeEventKind::Error(format!("cannot accept a connection: {error}")),
                        );
                    }
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// Handles one connection from arrival to end.
    async fn handle_connection(
        self: Arc<Server>,
        stream: TcpStream,
        remote: SocketAddr,
        stop: CancellationToken,
    ) {
        // Nagle's algorithm would delay pongs. If it cannot be disabled, pongs are late.
        let _ = stream.set_nodelay(true);
        let connection = self.connection(remote);
        let secured = tokio::select! {
            () = stop.cancelled() => return,
            secured = Box::pin(self.start_tls(stream)) => secured,
        };
        match secured {
            Ok(AcceptedStream::Plain(stream)) => Box::pin(self.admit(stream, connection, stop)).await,
            Ok(AcceptedStream::Tls(stream)) => Box::pin(self.admit(*stream, connection, stop)).await,
            Ok(AcceptedStream::Http2(stream)) => {
                Box::pin(self.serve_http2(stream, connection, stop)).await;
            }
            Ok(AcceptedStream::Http2Tls(stream)) => {
                Box::pin(self.serve_http2(*stream, connection, stop)).await;
            }
            Err((mut stream, why)) => {
                self.record_rejection(connection, &why);
                if let Some(stream) = &mut stream {
                    Box::pin(handshake_task::reject(stream, &why, self.config.close_timeout)).await;
                }
            }
        }
    }

    /// Starts TLS, if configured.
    async fn start_tls(
        &self,
        stream: TcpStream,
    ) -> Result<AcceptedStream, (Option<TcpStream>, RejectedConnection)> {
        let within = self.config.handshake_timeout;
        let Some(tls) = &self.config.tls else {
            if !self.config.http2 {
                return Ok(AcceptedStream::Plain(stream));
            }
            return match timeout(within, has_http2_preface(&stream)).await {
                Ok(true) => Ok(AcceptedStream::Http2(stream)),
                Ok(false) => Ok(AcceptedStream::Plain(stream)),
                Err(_) => Err((None, RejectedConnection::TooSlow(within))),
            };
        };
        let mut first = [0; 2];
        match timeout(within, stream.peek(&mut first)).await {
            Err(_) => return Err((None, RejectedConnection::TooSlow(within))),
            Ok(Ok(0) | Err(_)) => return Err((None, RejectedConnection::ClosedEarly)),
            Ok(Ok(1)) => {}
            Ok(Ok(_)) if looks_like_tls(&first) => {}
            Ok(Ok(_)) => return Err((Some(stream), RejectedConnection::PlainOnTls)),
        }
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(tls));
        match timeout(within, acceptor.accept(stream)).await {
            Ok(Ok(stream)) if stream.get_ref().1.alpn_protocol() == Some(HTTP2_ALPN) => {
                Ok(AcceptedStream::Http2Tls(Box::new(stream)))
            }
            Ok(Ok(stream)) => Ok(AcceptedStream::Tls(Box::new(stream))),
            Ok(Err(error)) => Err((
                None,
                RejectedConnection::Tls(UntrustedText::new(&describe_tls_handshake_error(&error))),
            )),
            Err(_) => Err((None, RejectedConnection::TooSlow(within))),
        }
    }

    /// Serves all requests of an HTTP/2 client. Its first WebSocket has the number of the connection.
    async fn serve_http2<S: AsyncRead + AsyncWrite + Unpin + Send>(
        self: &Arc<Server>,
        stream: S,
        connection: IncomingConnection,
        stop: CancellationToken,
    ) {
        let faults = self.faults_of(connection).http2.clone();
        let ServerConfig { handshake_timeout, close_timeout, .. } = *self.config;
        let limits =
            Http2Limits { handshake: handshake_timeout, close: close_timeout, faults: faults.clone() };
        let (mut first, opened) = (Some(connection), Arc::new(Notify::new()));
        let requested = |request: Http2Request| {
            let (server, opened, stop) = (Arc::clone(self), Arc::clone(&opened), stop.clone());
            let read = request.read();
            let client = match &read {
                Ok(_) => first.take().unwrap_or_else(|| self.connection(connection.remote)),
                Err(_) => connection,
            };
            async move {
                match read {
                    Ok(upgrade) => server.admit_http2(request, upgrade, client, &opened, stop).await,
                    Err(why) => server.refuse_http2(request, client, &why),
                }
            }
        };
        let driver = Http2Driver::new(limits, Arc::clone(&opened), stop.clone());
        let why = match driver.run(stream, requested).await {
            Http2End::Failed(error) => {
                RejectedConnection::Http2(UntrustedText::new(&http2::describe_error(&error)))
            }
            _ if faults.no_connect_protocol => RejectedConnection::NoConnectProtocol,
            Http2End::Closed => return,
            Http2End::ClosedEarly => RejectedConnection::ClosedEarly,
            Http2End::TooSlow => RejectedConnection::TooSlow(handshake_timeout),
        };
        self.record_rejection(connection, &why);
    }

    async fn admit_http2(
        &self,
        mut request: Http2Request,
        upgrade: AcceptedUpgrade,
        connection: IncomingConnection,
        opened: &Notify,
        stop: CancellationToken,
    ) {
        let faults = self.faults_of(connection);
        let admitted = tokio::select! {
            () = stop.cancelled() => return,
            admitted = http2::open(&mut request, upgrade, faults, || self.slot()) => admitted,
        };
        match admitted {
            Ok((admitted, slot)) => match request.accept(&admitted) {
                Some(stream) => {
                    opened.notify_one();
                    self.serve(stream, connection, admitted, slot, &stop).await;
                }
                None => self.record_rejection(connection, &RejectedConnection::ClosedUnanswered),
            },
            Err(why) => self.refuse_http2(request, connection, &why),
        }
    }

    fn refuse_http2(&self, request: Http2Request, connection: IncomingConnection, why: &RejectedConnection) {
        self.record_rejection(connection, why);
        http2::reject(request, why);
    }

    async fn admit<S: OpeningSocket>(
        &self,
        mut stream: S,
        connection: IncomingConnection,
        stop: CancellationToken,
    ) {
        let faults = self.faults_of(connection);
        let within = self.config.handshake_timeout;
        let opened = tokio::select! {
            () = stop.cancelled() => return,
            opened = Box::pin(handshake_task::open(&mut stream, &faults.opening, within, || self.slot())) => opened,
        };
        match opened {
            Ok((admitted, slot)) => self.serve(stream, connection, admitted, slot, &stop).await,
            Err(why) => {
                self.record_rejection(connection, &why);
                Box::pin(handshake_task::reject(&mut stream, &why, self.config.close_timeout)).await;
            }
        }
    }

    async fn serve<S: ClientSocket>(
        &self,
        mut stream: S,
        connection: IncomingConnection,
        admitted: AdmittedClient,
        slot: ConnectionSlot<'_>,
        stop: &CancellationToken,
    ) {
        let id = connection.id;
        let now = Instant::now();
        let figures = self.add_client(connection, &admitted, now);
        let init = ClientInit {
            id,
            seed: self.config.seed.wrapping_add(id).wrapping_mul(GOLDEN_RATIO_BITS),
            epoch: self.started,
            two_ended: admitted.subprotocol.as_deref() == Some(TWO_ENDED),
            http: admitted.http,
            compression: admitted.compression.clone(),
            figures,
        };
        let mut client =
            ClientState::new(Arc::clone(&self.config), Arc::clone(self.faults_of(connection)), init, now);
        client.received(&admitted.early, now);
        drop(admitted);
        let tell = |what| self.record_note(id, what);
        let exit = connection::serve(&mut stream, &mut client, stop, tell).await;
        let ending = client.ending(Instant::now());
        let record = client.record(&ending);
        self.remove_client(&record, ending, slot);
        Box::pin(connection::close_socket(stream, &client, exit, self.config.close_timeout)).await;
    }

    fn connection(&self, remote: SocketAddr) -> IncomingConnection {
        let mut registry = self.registry();
        registry.arrived += 1;
        let id = registry.arrived;
        let faulty = *self.faults != *self.no_faults
            && self.config.max_faulty.is_none_or(|max| registry.faulty < max)
            && is_faulty(id, self.config.fault_share, self.config.seed);
        registry.faulty += u64::from(faulty);
        IncomingConnection { id, remote, faulty }
    }

    fn faults_of(&self, connection: IncomingConnection) -> &Arc<Faults> {
        if connection.faulty { &self.faults } else { &self.no_faults }
    }

    fn slot(&self) -> Result<ConnectionSlot<'_>, RejectedConnection> {
        let max = self.config.max_clients;
        let mut registry = self.registry();
        if registry.used_slots >= max {
            return Err(RejectedConnection::Full(max));
        }
        registry.used_slots += 1;
        Ok(ConnectionSlot(self))
    }

    fn add_client(
        &self,
        connection: IncomingConnection,
        admitted: &AdmittedClient,
        now: Instant,
    ) -> Arc<Mutex<ClientStats>> {
        let IncomingConnection { id, remote, faulty } = connection;
        let resource = UntrustedText::new(&redact_text(&admitted.upgrade.resource));
        let (subprotocol, compression) = (admitted.subprotocol.clone(), admitted.compression.clone());
        let (figures, http) = (Arc::default(), admitted.http);
        let connected = ConnectedClient {
            connection,
            http,
            resource: resource.to_string(),
            subprotocol: subprotocol.clone(),
            opened: now,
            figures: Arc::clone(&figures),
        };
        let mut registry = self.registry();
        registry.connected.insert(id, connected);
        let connected = registry.connected.len();
        let summary = &mut registry.summary;
        summary.clients += 1;
        summary.most_at_once = summary.most_at_once.max(connected);
        summary.activity.record_opening(now - self.started);
        drop(registry);
        self.send_event(
            Some(id),
            ServeEventKind::Opened {
                remote: remote.to_string(),
                http,
                resource,
                subprotocol,
                compression,
                faulty,
            },
        );
        figures
    }

    /// Reports what a client's state noted, and counts it.
    fn record_note(&self, id: u64, what: ServeEventKind) {
        match &what {
            ServeEventKind::Fault(fault) => {
                *self.registry().summary.faults.entry(fault.cut.name()).or_default() += 1;
            }
            ServeEventKind::SilenceNoticed { .. } => {
                self.registry().summary.activity.record_noticing(self.started.elapsed());
            }
            _ => {}
        }
        self.send_event(Some(id), what);
    }

    fn remove_client(&self, record: &ConnectionRecord, ending: CloseCause, slot: ConnectionSlot<'_>) {
        let id = record.id;
        let mut registry = self.registry();
        registry.summary.activity.record_end(record);
        let Some(connected) = registry.connected.remove(&id) else { return };
        let last = Box::new(connected.snapshot(Instant::now()));
        let summary = &mut registry.summary;
        summary.add(&last.figures);
        if last.figures.pongs_dropped > 0 {
            *summary.faults.entry(PONG_DROPPED).or_default() += last.figures.pongs_dropped;
        }
        summary.dead_clients_closed +=
            u64::from(ending.who == ClosedBy::Us && ending.how == CloseKind::Timeout);
        *summary.endings.entry((ending.who, CloseKindName::from(&ending.how))).or_default() += 1;
        let should_trim_memory = registry.should_trim_memory();
        drop(registry);
        drop(slot);
        self.send_event(Some(id), ServeEventKind::Closed { ending, last });
        if should_trim_memory {
            memory::trim();
        }
    }

    fn record_rejection(&self, connection: IncomingConnection, why: &RejectedConnection) {
        let mut registry = self.registry();
        registry.summary.rejected += 1;
        registry.summary.activity.record_rejection();
        if why.is_ordered() {
            *registry.summary.faults.entry(UPGRADE_REFUSED).or_default() += 1;
        }
        drop(registry);
        self.send_event(
            Some(connection.id),
            ServeEventKind::Rejected { remote: connection.remote.to_string(), why: why.clone() },
        );
    }

    /// Sends an event; it is lost if nobody reads events.
    fn send_event(&self, client: Option<u64>, what: ServeEventKind) {
        let _ = self.events.send(ServeEvent { at: SystemTime::now(), client, what });
    }

    /// The server's current state.
    pub fn snapshot(&self) -> ServerSnapshot {
        let now = Instant::now();
        let clients = self.registry().connected.values().map(|connected| connected.snapshot(now)).collect();
        ServerSnapshot { at: SystemTime::now(), clients, so_far: self.summary() }
    }

    fn summary(&self) -> ServerSummary {
        let registry = self.registry();
        let mut summary = registry.summary.clone();
        summary.elapsed = self.started.elapsed();
        registry.connected.values().for_each(|connected| summary.add(&lock(&connected.figures)));
        summary
    }

    fn registry(&self) -> MutexGuard<'_, ClientRegistry> {
        lock(&self.registry)
    }
}

/// A connection after its TLS handshake, if any.
enum AcceptedStream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
    Http2(TcpStream),
    Http2Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// How often a connection is looked at whose first bytes may become the preface of HTTP/2.
const PREFACE_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// Whether a client speaks HTTP/2, by its first bytes, which stay unread. A request of HTTP/1.1 differs in the third
/// byte at the latest, unless its method begins with `PRI`.
async fn has_http2_preface(stream: &TcpStream) -> bool {
    let mut first = [0; HTTP2_PREFACE.len()];
    loop {
        match stream.peek(&mut first).await {
            Ok(count @ 1..) if first[..count] == *HTTP2_PREFACE => return true,
            Ok(count @ 1..) if HTTP2_PREFACE.starts_with(&first[..count]) => {}
            _ => return false,
        }
        // Bytes that were seen but not read do not wake again.
        sleep(PREFACE_CHECK_INTERVAL).await;
    }
}

/// Whether this connection gets the faults. They are spread evenly: with a share of 20 %, exactly twenty of any
/// hundred. The seed determines where the pattern begins.
fn is_faulty(id: u64, share: f64, seed: u64) -> bool {
    let phase = (seed.wrapping_mul(GOLDEN_RATIO_BITS) >> 11) as f64 / (1_u64 << 53) as f64;
    let before = |n: u64| (n as f64 * share + phase).floor();
    before(id) > before(id - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::server::config::ServerHeartbeats;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// A running server and its events.
    fn server(config: ServerConfig) -> (Arc<Server>, UnboundedReceiver<ServeEvent>) {
        let (events, happened) = unbounded_channel();
        (Arc::new(Server::new(config, events)), happened)
    }

    /// An in-memory client whose upgrade is answered.
    async fn client(server: &Arc<Server>) -> DuplexStream {
        let (near, mut far) = tokio::io::duplex(4096);
        let admitting = Arc::clone(server);
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        let connection = server.connection(remote);
        tokio::spawn(async move { admitting.admit(near, connection, CancellationToken::new()).await });
        far.write_all(UPGRADE).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(far.read_u8().await.unwrap());
        }
        far
    }

    /// Age and manner of the next ending.
    async fn ended(happened: &mut UnboundedReceiver<ServeEvent>) -> (Duration, CloseKind) {
        loop {
            if let ServeEventKind::Closed { ending, .. } = happened.recv().await.unwrap().what {
                return (ending.age, ending.how);
            }
        }
    }

    #[test]
    fn share_of_the_connections_is_faulty() {
        for seed in [0, 1, 99] {
            for (share, expected) in [(0.0, 0), (0.2, 20), (0.5, 50), (1.0, 100)] {
                let faulty = (1..=100).filter(|id| is_faulty(*id, share, seed)).count();
                assert!(faulty.abs_diff(expected) <= usize::from(share > 0.0 && share < 1.0), "{faulty}");
            }
        }
    }

    #[test]
    fn only_so_many_connections_are_faulty() {
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        let config = ServerConfig { max_faulty: Some(2), ..faulty(&[("delay", "1s")]) };
        let server = Server::new(config, unbounded_channel().0);
        let faulty: Vec<bool> = (0..4).map(|_| server.connection(remote).faulty).collect();
        assert_eq!(faulty, [true, true, false, false]);
    }

    #[test]
    fn no_connection_is_faulty_without_faults() {
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        let with = |config| Server::new(config, unbounded_channel().0).connection(remote).faulty;
        assert_eq!((with(ServerConfig::default()), with(faulty(&[("delay", "1s")]))), (false, true));
    }

    #[test]
    fn memory_is_returned_in_few_steps() {
        let (server, mut steps) = (Server::new(ServerConfig::default(), unbounded_channel().0), 0);
        let connected = |id| ConnectedClient {
            connection: IncomingConnection {
                id,
                remote: SocketAddr::from(([127, 0, 0, 1], 1)),
                faulty: false,
            },
            http: HttpVersion::Http1,
            resource: String::new(),
            subprotocol: None,
            opened: Instant::now(),
            figures: Arc::default(),
        };
        let mut registry = server.registry();
        registry.connected = (0..10_000).map(|id| (id, connected(id))).collect();
        while registry.connected.pop_first().is_some() {
            steps += usize::from(registry.should_trim_memory());
        }
        // At 5000, 2500, 1250, ... and when the last has departed.
        assert_eq!((steps, registry.departed_since_trim), (8, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn thousand_dead_clients_are_closed_in_time() {
        let kinds = vec![HeartbeatKind::Protocol];
        let heartbeats = ServerHeartbeats {
            kinds,
            interval: seconds(30),
            timeout: seconds(10),
            ..ServerHeartbeats::default()
        };
        let (server, mut happened) =
            server(ServerConfig { heartbeats: Arc::new(heartbeats), ..ServerConfig::default() });
        let mut zombies = Vec::new();
        for _ in 0..1000 {
            zombies.push(client(&server).await);
        }
        assert_eq!(server.snapshot().clients.len(), 1000);
        for _ in 0..1000 {
            let (age, how) = ended(&mut happened).await;
            // Timers have millisecond resolution, rounded up; both requests and deadlines are rounded.
            assert!(age >= seconds(10) && age <= seconds(40) + Duration::from_millis(2), "{age:?}");
            assert_eq!(how, CloseKind::Timeout);
        }
        assert_eq!((server.snapshot().clients.len(), server.summary().dead_clients_closed), (0, 1000));
    }

    /// A config with these faults, as name and value.
    fn faulty(faults: &[(&str, &str)]) -> ServerConfig {
        let mut config = ServerConfig::default();
        for (name, value) in faults {
            crate::server::faults::set(&mut config.faults, name, value).unwrap();
        }
        config
    }

    #[tokio::test(start_paused = true)]
    async fn delay_is_exact_and_pings_overlap() {
        let (server, _happened) = server(faulty(&[("delay", "1s")]));
        let mut client = client(&server).await;
        let start = Instant::now();
        for n in 0..100 {
            client.write_all(&crate::server::frame::tests::masked(0x89, &[n])).await.unwrap();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for n in 0..100 {
            let mut pong = [0; 3];
            client.read_exact(&mut pong).await.unwrap();
            assert_eq!(pong, [0x8a, 1, n]);
            assert_eq!(start.elapsed(), Duration::from_millis(1000 + 10 * u64::from(n)));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn idle_timeout_is_exact_and_activity_resets_it() {
        let (server, mut happened) = server(faulty(&[("idle-timeout", "55s")]));
        let mut client = client(&server).await;
        tokio::time::sleep(seconds(20)).await;
        client.write_all(&crate::server::frame::tests::masked(0x8a, b"life")).await.unwrap();
        assert_eq!(ended(&mut happened).await, (seconds(75), CloseKind::Fin));
    }

    #[tokio::test(start_paused = true)]
    async fn lifetime_is_exact_despite_activity() {
        let (server, mut happened) = server(faulty(&[("lifetime", "60s:rst"), ("chatter", "1s")]));
        let mut client = client(&server).await;
        tokio::spawn(async move { tokio::io::copy(&mut client, &mut tokio::io::sink()).await });
        assert_eq!(ended(&mut happened).await, (seconds(60), CloseKind::Rst));
    }

    #[tokio::test(start_paused = true)]
    async fn random_timeout_differs_by_connection() {
        let (server, mut happened) = server(faulty(&[("idle-timeout", "30s..90s")]));
        let _clients = [client(&server).await, client(&server).await, client(&server).await];
        let mut ages =
            [ended(&mut happened).await.0, ended(&mut happened).await.0, ended(&mut happened).await.0];
        ages.sort();
        assert!(ages[0] >= seconds(30) && ages[0] < ages[1] && ages[1] < ages[2], "{ages:?}");
        assert!(ages[2] <= seconds(90) + Duration::from_millis(1), "{ages:?}");
    }
}
