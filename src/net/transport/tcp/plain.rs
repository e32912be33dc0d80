//! A TCP connection without kernel timestamps.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::tcp::TcpView;
use crate::net::transport::tap::TimestampedRead;

/// A connected TCP socket.
#[derive(Debug)]
pub struct TcpConnection(TcpStream);

impl TcpConnection {
    /// Wraps a stream that was just connected.
    pub fn new(stream: TcpStream) -> io::Result<TcpConnection> {
        Ok(TcpConnection(stream))
    }

    /// Does nothing: kernel timestamps are not available here.
    pub fn enable_timestamps(&mut self, _departures: bool) {}

    /// Source of the timestamps.
    pub fn timestamps(&self) -> TimestampSource {
        TimestampSource::User
    }

    /// TCP's figures, which are not available here.
    pub fn view(&self) -> Option<TcpView> {
        None
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Whether the peer's FIN or RST has arrived. Earlier bytes may still wait to be read.
    pub fn is_over(&self) -> bool {
        let ready = self.0.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.map_or(true, |ready| ready.is_read_closed()))
    }
}

impl std::os::fd::AsFd for TcpConnection {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl TimestampedRead for TcpConnection {}

impl AsyncRead for TcpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
