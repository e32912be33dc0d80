//! A bare client that shares no code with wscheck, and a server to connect it to.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wscheck::domain::label::Label;
use wscheck::server::{self, ServeEvent, ServeEventKind, ServerConfig, ServerSummary};

/// Upper bound of any wait in these tests.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(20);

/// A running server.
pub struct Served {
    pub address: SocketAddr,
    pub events: UnboundedReceiver<ServeEvent>,
    pub stop: CancellationToken,
    task: JoinHandle<ServerSummary>,
}

impl Served {
    /// Starts a server with a short close timeout, since these clients may not answer a close frame.
    pub async fn start(config: ServerConfig) -> Served {
        let config = ServerConfig { close_timeout: Duration::from_millis(100), ..config };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (events, happened) = unbounded_channel();
        let stop = CancellationToken::new();
        let task = tokio::spawn(server::run(listener, config, events, stop.clone()));
        Served { address, events: happened, stop, task }
    }

    /// With these faults, each `NAME` or `NAME=VALUE`.
    pub async fn with_faults(faults: &[&str]) -> Served {
        Served::configured(ServerConfig::default(), faults).await
    }

    /// With this configuration and these faults.
    pub async fn configured(mut config: ServerConfig, faults: &[&str]) -> Served {
        for fault in faults {
            let (name, value) = fault.split_once('=').unwrap_or((fault, ""));
            server::faults::set(&mut config.faults, name, value).unwrap();
        }
        config.faults.check().unwrap();
        Served::start(config).await
    }

    /// The next event that `pick` accepts.
    pub async fn event<T>(&mut self, mut pick: impl FnMut(&ServeEvent) -> Option<T>) -> T {
        within(async {
            loop {
                let event = self.events.recv().await.expect("the server told all it had to tell");
                if let Some(picked) = pick(&event) {
                    return picked;
                }
            }
        })
        .await
    }

    /// Description of the next client's ending.
    pub async fn ended(&mut self) -> String {
        self.event(|event| match &event.what {
            ServeEventKind::Closed { ending, .. } => Some(ending.to_string()),
            _ => None,
        })
        .await
    }

    /// Name of the next rejection.
    pub async fn rejected(&mut self) -> String {
        self.event(|event| match &event.what {
            ServeEventKind::Rejected { why, .. } => Some(why.label().to_string()),
            _ => None,
        })
        .await
    }

    pub async fn stop(self) -> ServerSummary {
        self.stop.cancel();
        within(self.task).await.unwrap()
    }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TEST_TIMEOUT, future).await.expect("it takes too long")
}

/// A received frame: first byte and payload.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Raw(pub u8, pub Vec<u8>);

/// How reading ended.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Got {
    Frame(Raw),
    Fin,
    Rst,
}

pub const TEXT: u8 = 0x81;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// The client.
pub struct Bare {
    pub stream: TcpStream,
}

impl Bare {
    /// Opens TCP only.
    pub async fn knock(address: SocketAddr) -> Bare {
        Bare { stream: within(TcpStream::connect(address)).await.unwrap() }
    }

    /// Opens TCP and upgrades.
    pub async fn connect(address: SocketAddr) -> Bare {
        let mut bare = Bare::knock(address).await;
        bare.write(UPGRADE.as_bytes()).await;
        let head = bare.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        bare
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        within(self.stream.write_all(bytes)).await.unwrap();
    }

    /// The response head, including its empty line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(within(self.stream.read_u8()).await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// All data until the server closes.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        within(self.stream.read_to_end(&mut rest)).await.unwrap();
        String::from_utf8(rest).unwrap()
    }

    /// Sends a masked frame of less than 126 bytes.
    pub async fn send(&mut self, first: u8, payload: &[u8]) {
        let key = [1, 2, 3, 4];
        let mut frame = vec![first, 0x80 | payload.len() as u8];
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
        self.write(&frame).await;
    }

    /// The next frame of less than 64 KiB, or the end.
    pub async fn next(&mut self) -> Got {
        within(self.read_frame()).await.map_or_else(
            |error| match error.kind() {
                io::ErrorKind::UnexpectedEof => Got::Fin,
                io::ErrorKind::ConnectionReset => Got::Rst,
                other => panic!("reading failed: {other}"),
            },
            Got::Frame,
        )
    }

    async fn read_frame(&mut self) -> io::Result<Raw> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).await?;
        let length = match head[1] {
            126 => usize::from(self.stream.read_u16().await?),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).await?;
        Ok(Raw(head[0], payload))
    }

    /// The next frame; panics at the end.
    pub async fn frame(&mut self) -> (u8, String) {
        match self.next().await {
            Got::Frame(Raw(first, payload)) => (first, String::from_utf8_lossy(&payload).into_owned()),
            end => panic!("a frame was expected, not {end:?}"),
        }
    }
}

pub const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
