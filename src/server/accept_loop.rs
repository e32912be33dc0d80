//! The server as a whole: accepts, keeps the register of its clients, and stops.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::net::{TcpListener, TcpStream};
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
use super::handshake::{RejectedConnection, looks_like_tls};
use super::handshake_task::{self, AdmittedClient};
use super::memory;
use super::snapshot::{ClientSnapshot, ServerSnapshot};
use super::socket::ClientSocket;
use super::summary::ServerSummary;
use super::timer_queue::{ClientTimer, TimerQueue};
use super::tls::handshake_words;
use super::two_ended::TWO_ENDED;
use crate::domain::connection::close_cause::CloseKindName;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::target::redact_text;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::label::Label;
use crate::domain::stats::Counts;

/// After accept(2) failed, for want of file descriptors say, it is tried again so much later.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// The memory of fewer clients is not worth giving back while others are there.
const MIN_CLIENTS_TO_FREE: usize = 100;

/// So many connections may be opening when there is no room for more clients; others wait in the
/// kernel's queue.
const MAX_OPENING_CONNECTIONS: usize = 1024;

/// Splits a connection's number off its neighbours' (the golden ratio times 2^64).
const GOLDEN_RATIO_BITS: u64 = 0x9e37_79b9_7f4a_7c15;

/// Runs a server on `listener` until `stop`; each client is then closed with 1001. Events go to
/// `events`; nobody need listen.
pub async fn run(
    listener: TcpListener,
    config: ServerConfig,
    events: UnboundedSender<ServeEvent>,
    stop: CancellationToken,
) -> ServerSummary {
    let server = Arc::new(Server::new(config, events));
    server.run(listener, stop).await
}

/// A server, and what all its connections share.
pub struct Server {
    config: Arc<ServerConfig>,
    faults: Arc<Faults>,
    no_faults: Arc<Faults>,
    wheel: Arc<TimerQueue>,
    register: Mutex<ClientRegistry>,
    events: UnboundedSender<ServeEvent>,
    started: Instant,
    started_at: SystemTime,
}

/// Who is there, and what those who left have come to.
#[derive(Default)]
struct ClientRegistry {
    arrived: u64,
    present: BTreeMap<u64, ConnectedClient>,
    /// Seats that are taken: by who is there, and by who is just being let in.
    seats: usize,
    clients: u64,
    most_at_once: usize,
    turned_away: u64,
    reaped: u64,
    endings: BTreeMap<String, u64>,
    left: ClientTotals,
    /// Clients that left since memory was last given back.
    left_since: usize,
}

impl ClientRegistry {
    /// Whether a client that leaves now makes it worth while to give memory back: it takes the longer the more
    /// are still there.
    fn gives_back(&mut self) -> bool {
        self.left_since += 1;
        let there = self.present.len();
        let worth_while = there == 0 || self.left_since >= there.max(MIN_CLIENTS_TO_FREE);
        if worth_while {
            self.left_since = 0;
        }
        worth_while
    }
}

/// A connection: its number, where it comes from, and whether the faults happen to it.
#[derive(Debug, Clone, Copy)]
struct IncomingConnection {
    id: u64,
    remote: SocketAddr,
    faulty: bool,
}

/// A client's place among the most that are let in; dropping it gives it back.
struct ConnectionSlot<'a>(&'a Server);

impl Drop for ConnectionSlot<'_> {
    fn drop(&mut self) {
        self.0.register().seats -= 1;
    }
}

/// A client that is there.
struct ConnectedClient {
    guest: IncomingConnection,
    resource: String,
    subprotocol: Option<String>,
    opened: Instant,
    figures: Arc<Mutex<ClientStats>>,
}

/// Figures of many clients, added up.
#[derive(Default, Clone, Copy)]
struct ClientTotals {
    messages: u64,
    pings: u64,
    app_pings: u64,
    heartbeats: Counts,
}

impl ClientTotals {
    fn add(&mut self, figures: &ClientStats) {
        self.messages += figures.messages;
        self.pings += figures.pings;
        self.app_pings += figures.app_pings;
        figures.beats.iter().for_each(|beat| self.heartbeats.add(&beat.counts));
    }
}

impl ConnectedClient {
    fn snapshot(&self, now: Instant) -> ClientSnapshot {
        let figures = lock(&self.figures).clone();
        ClientSnapshot {
            id: self.guest.id,
            remote: self.guest.remote.to_string(),
            resource: self.resource.clone(),
            subprotocol: self.subprotocol.clone(),
            faulty: self.guest.faulty,
            age: now - self.opened,
            idle: now - figures.last_heard.unwrap_or(self.opened),
            figures,
        }
    }
}

impl Server {
    /// Events go to `events`; nobody need listen.
    pub fn new(config: ServerConfig, events: UnboundedSender<ServeEvent>) -> Server {
        Server {
            faults: Arc::new(config.faults.clone()),
            no_faults: Arc::default(),
            config: Arc::new(config),
            wheel: Arc::default(),
            register: Mutex::default(),
            events,
            started: Instant::now(),
            started_at: SystemTime::now(),
        }
    }

    /// Accepts connections until `stop`, then waits until each is gone.
    pub async fn run(self: Arc<Server>, listener: TcpListener, stop: CancellationToken) -> ServerSummary {
        let mut tasks = JoinSet::new();
        tokio::select! {
            never = self.wheel.turn() => never,
            () = self.accept(&listener, &mut tasks, &stop) => {}
        }
        drop(listener);
        tokio::select! {
            never = self.wheel.turn() => never,
            () = async { while tasks.join_next().await.is_some() {} } => {}
        }
        let summary = self.summary();
        self.tell(None, ServeEventKind::Stopped(Box::new(summary.clone())));
        summary
    }

    async fn accept(
        self: &Arc<Server>,
        listener: &TcpListener,
        tasks: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) {
        let most = self.config.max_clients.saturating_add(MAX_OPENING_CONNECTIONS);
        let mut in_trouble = false;
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(_) = tasks.join_next() => continue,
                accepted = listener.accept(), if tasks.len() < most => accepted,
            };
            match accepted {
                Ok((stream, remote)) => {
                    in_trouble = false;
                    let knock = Arc::clone(self).attend(stream, remote, stop.clone());
                    tasks.spawn(knock);
                }
                Err(error) => {
                    // Said once, though it is tried five times a second until it works again.
                    if !std::mem::replace(&mut in_trouble, true) {
                        self.tell(
                            None,
                            ServeEventKind::Trouble(format!("cannot accept a connection: {error}")),
                        );
                    }
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    /// One connection, from its arrival to its end.
    async fn attend(self: Arc<Server>, stream: TcpStream, remote: SocketAddr, stop: CancellationToken) {
        // Nagle's algorithm would make pongs late; where it cannot be switched off, they are.
        let _ = stream.set_nodelay(true);
        let guest = self.guest(remote);
        let secured = tokio::select! {
            () = stop.cancelled() => return,
            secured = Box::pin(self.secure(stream)) => secured,
        };
        match secured {
            Ok(AcceptedStream::Plain(stream)) => Box::pin(self.admit(stream, guest, stop)).await,
            Ok(AcceptedStream::Tls(stream)) => Box::pin(self.admit(*stream, guest, stop)).await,
            Err((mut stream, why)) => {
                self.turned_away(guest, &why);
                if let Some(stream) = &mut stream {
                    Box::pin(handshake_task::turn_away(stream, &why, self.config.close_timeout)).await;
                }
            }
        }
    }

    /// TLS, where it is asked for.
    async fn secure(
        &self,
        stream: TcpStream,
    ) -> Result<AcceptedStream, (Option<TcpStream>, RejectedConnection)> {
        let Some(tls) = &self.config.tls else { return Ok(AcceptedStream::Plain(stream)) };
        let within = self.config.handshake_timeout;
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
            Ok(Ok(stream)) => Ok(AcceptedStream::Tls(Box::new(stream))),
            Ok(Err(error)) => {
                Err((None, RejectedConnection::Tls(UntrustedText::new(&handshake_words(&error)))))
            }
            Err(_) => Err((None, RejectedConnection::TooSlow(within))),
        }
    }

    async fn admit<S: ClientSocket>(
        &self,
        mut stream: S,
        guest: IncomingConnection,
        stop: CancellationToken,
    ) {
        let faults = self.faults_for(guest);
        let within = self.config.handshake_timeout;
        let opened = tokio::select! {
            () = stop.cancelled() => return,
            opened = Box::pin(handshake_task::open(&mut stream, &faults.opening, within, || self.seat())) => opened,
        };
        match opened {
            Ok((admitted, seat)) => self.serve(stream, guest, admitted, seat, &stop).await,
            Err(why) => {
                self.turned_away(guest, &why);
                Box::pin(handshake_task::turn_away(&mut stream, &why, self.config.close_timeout)).await;
            }
        }
    }

    async fn serve<S: ClientSocket>(
        &self,
        mut stream: S,
        guest: IncomingConnection,
        admitted: AdmittedClient,
        seat: ConnectionSlot<'_>,
        stop: &CancellationToken,
    ) {
        let id = guest.id;
        let now = Instant::now();
        let figures = self.arrived(guest, &admitted, now);
        let birth = ClientInit {
            id,
            seed: self.config.seed.wrapping_add(id).wrapping_mul(GOLDEN_RATIO_BITS),
            epoch: self.started,
            two_ended: admitted.subprotocol.as_deref() == Some(TWO_ENDED),
            figures,
        };
        let mut client =
            ClientState::new(Arc::clone(&self.config), Arc::clone(self.faults_for(guest)), birth, now);
        client.received(&admitted.early, now);
        drop(admitted);
        let timer = ClientTimer::new(Arc::clone(&self.wheel));
        let tell = |what| self.tell(Some(id), what);
        let exit = connection::serve(&mut stream, &mut client, &timer, stop, tell).await;
        self.left(id, client.ending(Instant::now()), seat);
        Box::pin(connection::let_go(stream, &client, exit, self.config.close_timeout)).await;
    }

    fn guest(&self, remote: SocketAddr) -> IncomingConnection {
        let mut register = self.register();
        register.arrived += 1;
        let id = register.arrived;
        let faulty =
            *self.faults != *self.no_faults && is_faulty(id, self.config.fault_share, self.config.seed);
        IncomingConnection { id, remote, faulty }
    }

    fn faults_for(&self, guest: IncomingConnection) -> &Arc<Faults> {
        if guest.faulty { &self.faults } else { &self.no_faults }
    }

    fn seat(&self) -> Result<ConnectionSlot<'_>, RejectedConnection> {
        let most = self.config.max_clients;
        let mut register = self.register();
        if register.seats >= most {
            return Err(RejectedConnection::Full(most));
        }
        register.seats += 1;
        Ok(ConnectionSlot(self))
    }

    fn arrived(
        &self,
        guest: IncomingConnection,
        admitted: &AdmittedClient,
        now: Instant,
    ) -> Arc<Mutex<ClientStats>> {
        let IncomingConnection { id, remote, faulty } = guest;
        let resource = UntrustedText::new(&redact_text(&admitted.upgrade.resource));
        let subprotocol = admitted.subprotocol.clone();
        let figures = Arc::default();
        let present = ConnectedClient {
            guest,
            resource: resource.to_string(),
            subprotocol: subprotocol.clone(),
            opened: now,
            figures: Arc::clone(&figures),
        };
        let mut register = self.register();
        register.clients += 1;
        register.present.insert(id, present);
        register.most_at_once = register.most_at_once.max(register.present.len());
        drop(register);
        self.tell(
            Some(id),
            ServeEventKind::Connected { remote: remote.to_string(), resource, subprotocol, faulty },
        );
        figures
    }

    fn left(&self, id: u64, ending: CloseCause, seat: ConnectionSlot<'_>) {
        let mut register = self.register();
        let Some(present) = register.present.remove(&id) else { return };
        let last = Box::new(present.snapshot(Instant::now()));
        register.left.add(&last.figures);
        register.reaped += u64::from(ending.who == ClosedBy::Us && ending.how == CloseKind::Timeout);
        *register
            .endings
            .entry(format!("{} {}", ending.who.label(), CloseKindName::from(&ending.how).label()))
            .or_default() += 1;
        let gives_back = register.gives_back();
        drop(register);
        drop(seat);
        self.tell(Some(id), ServeEventKind::Ended { ending, last });
        if gives_back {
            memory::give_back();
        }
    }

    fn turned_away(&self, guest: IncomingConnection, why: &RejectedConnection) {
        self.register().turned_away += 1;
        self.tell(
            Some(guest.id),
            ServeEventKind::TurnedAway { remote: guest.remote.to_string(), why: why.clone() },
        );
    }

    /// Whoever does not listen misses it.
    fn tell(&self, client: Option<u64>, what: ServeEventKind) {
        let _ = self.events.send(ServeEvent { at: SystemTime::now(), client, what });
    }

    /// The server at this moment.
    pub fn snapshot(&self) -> ServerSnapshot {
        let now = Instant::now();
        let clients = self.register().present.values().map(|present| present.snapshot(now)).collect();
        ServerSnapshot { at: SystemTime::now(), clients, so_far: self.summary() }
    }

    fn summary(&self) -> ServerSummary {
        let register = self.register();
        let mut totals = register.left;
        register.present.values().for_each(|present| totals.add(&lock(&present.figures)));
        ServerSummary {
            started_at: self.started_at,
            elapsed: self.started.elapsed(),
            clients: register.clients,
            most_at_once: register.most_at_once,
            turned_away: register.turned_away,
            reaped: register.reaped,
            heartbeats: totals.heartbeats,
            endings: register.endings.clone(),
            messages: totals.messages,
            pings: totals.pings,
            app_pings: totals.app_pings,
        }
    }

    fn register(&self) -> MutexGuard<'_, ClientRegistry> {
        lock(&self.register)
    }
}

/// Nothing that holds these locks can panic midway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection whose TLS, if any, stands.
enum AcceptedStream {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Whether the faults happen to this connection: evenly spread, so that of any hundred a share of 20 %
/// are twenty; the seed says with which it begins.
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

    /// A server whose wheel turns, and what it tells.
    fn server(config: ServerConfig) -> (Arc<Server>, UnboundedReceiver<ServeEvent>) {
        let (events, happened) = unbounded_channel();
        let server = Arc::new(Server::new(config, events));
        let turned = Arc::clone(&server);
        tokio::spawn(async move { turned.wheel.turn().await });
        (server, happened)
    }

    /// A client in memory whose upgrade is answered.
    async fn client(server: &Arc<Server>) -> DuplexStream {
        let (near, mut far) = tokio::io::duplex(4096);
        let admitting = Arc::clone(server);
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        let guest = server.guest(remote);
        tokio::spawn(async move { admitting.admit(near, guest, CancellationToken::new()).await });
        far.write_all(UPGRADE).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(far.read_u8().await.unwrap());
        }
        far
    }

    /// The next ending's age and how.
    async fn ended(happened: &mut UnboundedReceiver<ServeEvent>) -> (Duration, CloseKind) {
        loop {
            if let ServeEventKind::Ended { ending, .. } = happened.recv().await.unwrap().what {
                return (ending.age, ending.how);
            }
        }
    }

    #[test]
    fn a_share_of_the_connections_is_faulty() {
        for seed in [0, 1, 99] {
            for (share, expected) in [(0.0, 0), (0.2, 20), (0.5, 50), (1.0, 100)] {
                let faulty = (1..=100).filter(|id| is_faulty(*id, share, seed)).count();
                assert!(faulty.abs_diff(expected) <= usize::from(share > 0.0 && share < 1.0), "{faulty}");
            }
        }
    }

    #[test]
    fn nobody_is_faulty_where_there_are_no_faults() {
        let remote = SocketAddr::from(([127, 0, 0, 1], 1));
        let with = |config| Server::new(config, unbounded_channel().0).guest(remote).faulty;
        assert_eq!((with(ServerConfig::default()), with(faulty(&[("delay", "1s")]))), (false, true));
    }

    #[test]
    fn memory_is_given_back_in_few_steps() {
        let (server, mut steps) = (Server::new(ServerConfig::default(), unbounded_channel().0), 0);
        let present = |id| ConnectedClient {
            guest: IncomingConnection { id, remote: SocketAddr::from(([127, 0, 0, 1], 1)), faulty: false },
            resource: String::new(),
            subprotocol: None,
            opened: Instant::now(),
            figures: Arc::default(),
        };
        let mut register = server.register();
        register.present = (0..10_000).map(|id| (id, present(id))).collect();
        while register.present.pop_first().is_some() {
            steps += usize::from(register.gives_back());
        }
        // At 5000, 2500, 1250, ... and when the last has left.
        assert_eq!((steps, register.left_since), (8, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_zombies_are_gone_within_interval_and_timeout() {
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
            // The wheel's moments are a millisecond apart, rounded up; asks and deadlines are both.
            assert!(age >= seconds(10) && age <= seconds(40) + Duration::from_millis(2), "{age:?}");
            assert_eq!(how, CloseKind::Timeout);
        }
        assert_eq!((server.snapshot().clients.len(), server.summary().reaped), (0, 1000));
    }

    /// The config with these faults, each `NAME=VALUE`.
    fn faulty(faults: &[(&str, &str)]) -> ServerConfig {
        let mut config = ServerConfig::default();
        for (name, value) in faults {
            crate::server::faults::set(&mut config.faults, name, value).unwrap();
        }
        config
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_is_exact_and_pings_overlap() {
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
    async fn an_idle_timeout_is_exact_and_activity_puts_it_off() {
        let (server, mut happened) = server(faulty(&[("idle-timeout", "55s")]));
        let mut client = client(&server).await;
        tokio::time::sleep(seconds(20)).await;
        client.write_all(&crate::server::frame::tests::masked(0x8a, b"life")).await.unwrap();
        assert_eq!(ended(&mut happened).await, (seconds(75), CloseKind::Fin));
    }

    #[tokio::test(start_paused = true)]
    async fn a_lifetime_is_exact_whatever_the_activity() {
        let (server, mut happened) = server(faulty(&[("lifetime", "60s:rst"), ("chatter", "1s")]));
        let mut client = client(&server).await;
        tokio::spawn(async move { tokio::io::copy(&mut client, &mut tokio::io::sink()).await });
        assert_eq!(ended(&mut happened).await, (seconds(60), CloseKind::Rst));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stochastic_timeout_is_another_for_each_connection() {
        let (server, mut happened) = server(faulty(&[("idle-timeout", "30s..90s")]));
        let _clients = [client(&server).await, client(&server).await, client(&server).await];
        let mut ages =
            [ended(&mut happened).await.0, ended(&mut happened).await.0, ended(&mut happened).await.0];
        ages.sort();
        assert!(ages[0] >= seconds(30) && ages[0] < ages[1] && ages[1] < ages[2], "{ages:?}");
        assert!(ages[2] <= seconds(90) + Duration::from_millis(1), "{ages:?}");
    }
}
