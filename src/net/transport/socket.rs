//! The socket: TCP or Unix, with its options.

use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpSocket;
use tokio::time::Instant;

use super::tap::{TcpIntrospect, TimestampedRead, TxTimestamp};
use super::tcp::TcpConnection;
use crate::domain::connection::connect_info::{FailureKind, TimestampChoice, TimestampSource};
use crate::domain::connection::tcp::TcpView;
use crate::net::dial_error::DialError;

/// A connected socket.
#[derive(Debug)]
pub enum TransportSocket {
    Tcp(TcpConnection),
    Unix(tokio::net::UnixStream),
}

/// Options of a TCP socket. TCP_NODELAY is always set, or the delay of Nagle's algorithm would be measured.
#[derive(Debug, Clone, Copy, Default)]
pub struct SocketOptions {
    /// The local address to connect from, with port 0.
    pub bind: Option<SocketAddr>,
    /// TCP keepalive: both the idle time before the first probe and the probe interval. It is rounded up to whole
    /// seconds, the systems' unit.
    pub keepalive: Option<Duration>,
    /// How long sent data may stay unacknowledged (TCP_USER_TIMEOUT, RFC 5482); Linux only.
    pub user_timeout: Option<Duration>,
    pub timestamps: TimestampChoice,
}

impl TransportSocket {
    /// Connects to `address` over TCP.
    pub async fn tcp(address: SocketAddr, options: SocketOptions) -> Result<TransportSocket, DialError> {
        let shown = address.to_string();
        let failed = |error: io::Error| DialError::connecting(&shown, &error);
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let socket = socket.map_err(failed)?;
        if let Some(bind) = options.bind {
            choose_port_late(&socket);
            socket.bind(bind).map_err(|error| bind_error(bind.ip(), &error))?;
        }
        let stream = socket.connect(address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        if let Some(every) = options.keepalive {
            SockRef::from(&stream).set_tcp_keepalive(&keepalive_options(every)).map_err(failed)?;
        }
        #[cfg(target_os = "linux")]
        SockRef::from(&stream).set_tcp_user_timeout(options.user_timeout).map_err(failed)?;
        let mut stream = TcpConnection::new(stream).map_err(failed)?;
        match options.timestamps {
            TimestampChoice::User => {}
            TimestampChoice::Arrivals => stream.enable_timestamps(false),
            TimestampChoice::Auto | TimestampChoice::Kernel => stream.enable_timestamps(true),
        }
        match (options.timestamps, stream.timestamps()) {
            (TimestampChoice::Kernel, TimestampSource::User | TimestampSource::KernelReceive) => {
                Err(no_timestamps_error(&shown))
            }
            _ => Ok(TransportSocket::Tcp(stream)),
        }
    }

    /// Connects to the Unix socket at `path`.
    pub async fn unix(path: &Path) -> Result<TransportSocket, DialError> {
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => Ok(TransportSocket::Unix(stream)),
            Err(error) => Err(DialError::connecting(&path.display().to_string(), &error)),
        }
    }

    /// Source of the timestamps.
    pub fn timestamps(&self) -> TimestampSource {
        match self {
            TransportSocket::Tcp(stream) => stream.timestamps(),
            TransportSocket::Unix(_) => TimestampSource::User,
        }
    }

    /// The peer's address, if it has one.
    pub fn peer(&self) -> Option<String> {
        match self {
            TransportSocket::Tcp(stream) => stream.peer_addr().ok().map(|address| address.to_string()),
            TransportSocket::Unix(stream) => {
                stream.peer_addr().ok()?.as_pathname().map(|path| path.display().to_string())
            }
        }
    }

    /// Sends a FIN and keeps the read side open, as if the process had half-closed. Sends no TLS close_notify.
    pub fn shut_write(&self) -> io::Result<()> {
        match self {
            TransportSocket::Tcp(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
            TransportSocket::Unix(stream) => SockRef::from(stream).shutdown(Shutdown::Write),
        }
    }

    /// Whether the peer's FIN or RST has arrived, without reading. Earlier bytes may still wait to be read.
    pub fn is_over(&self) -> bool {
        match self {
            TransportSocket::Tcp(stream) => stream.is_over(),
            TransportSocket::Unix(stream) => {
                let ready = stream.ready(Interest::READABLE).now_or_never();
                ready.is_some_and(|ready| ready.map_or(true, |ready| ready.is_read_closed()))
            }
        }
    }

    /// The local address, if it has one.
    pub fn local(&self) -> Option<String> {
        match self {
            TransportSocket::Tcp(stream) => stream.local_addr().ok().map(|address| address.to_string()),
            TransportSocket::Unix(_) => None,
        }
    }
}

/// Maximum that Linux accepts, in seconds (MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL in its net/tcp.h).
const MAX_KEEPALIVE_SECS: u64 = 32_767;

fn keepalive_options(every: Duration) -> TcpKeepalive {
    let seconds = every.as_secs() + u64::from(every.subsec_nanos() > 0);
    let every = Duration::from_secs(seconds.clamp(1, MAX_KEEPALIVE_SECS));
    TcpKeepalive::new().with_time(every).with_interval(every)
}

fn no_timestamps_error(address: &str) -> DialError {
    let cause = format!("the kernel does not timestamp traffic with {address}");
    DialError::new(FailureKind::Local, cause)
        .hint("without --timestamps kernel, wscheck takes the timestamps itself where needed")
}

/// Delays the choice of the local port until connect (IP_BIND_ADDRESS_NO_PORT, ip(7)), so that connections to
/// different servers can share a port. If unsupported, fewer ports are available.
#[cfg(target_os = "linux")]
fn choose_port_late(socket: &TcpSocket) {
    let _ = nix::sys::socket::setsockopt(socket, nix::sys::socket::sockopt::IpBindAddressNoPort, &true);
}

#[cfg(not(target_os = "linux"))]
fn choose_port_late(_: &TcpSocket) {}

fn bind_error(bind: IpAddr, error: &io::Error) -> DialError {
    let cause = format!("cannot connect from {bind}: {}", crate::net::os_error::describe(error));
    let fault = DialError::new(FailureKind::Local, cause);
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => fault.hint(format!("{bind} is not an address of this machine")),
        _ => fault,
    }
}

impl std::os::fd::AsRawFd for TransportSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        match self {
            TransportSocket::Tcp(stream) => std::os::fd::AsFd::as_fd(stream).as_raw_fd(),
            TransportSocket::Unix(stream) => stream.as_raw_fd(),
        }
    }
}

impl AsyncRead for TransportSocket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TransportSocket::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            TransportSocket::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl TcpIntrospect for TransportSocket {
    fn tcp(&self) -> Option<TcpView> {
        match self {
            TransportSocket::Tcp(stream) => stream.view(),
            TransportSocket::Unix(_) => None,
        }
    }

    fn ask_peer(&self) -> io::Result<()> {
        match self {
            TransportSocket::Tcp(stream) => {
                SockRef::from(stream).set_tcp_keepalive(&keepalive_options(Duration::from_secs(1)))
            }
            TransportSocket::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn is_over(&self) -> bool {
        TransportSocket::is_over(self)
    }
}

impl TimestampedRead for TransportSocket {
    fn poll_read_stamped(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Instant>>> {
        match self.get_mut() {
            TransportSocket::Tcp(stream) => Pin::new(stream).poll_read_stamped(cx, buf),
            TransportSocket::Unix(stream) => Pin::new(stream).poll_read(cx, buf).map_ok(|()| None),
        }
    }

    fn stamps_departures(&self) -> bool {
        self.timestamps() == TimestampSource::Kernel
    }

    fn departed(&mut self) -> Option<TxTimestamp> {
        match self {
            TransportSocket::Tcp(stream) => stream.departed(),
            TransportSocket::Unix(_) => None,
        }
    }
}

impl AsyncWrite for TransportSocket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            TransportSocket::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            TransportSocket::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TransportSocket::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            TransportSocket::Unix(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            TransportSocket::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            TransportSocket::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
