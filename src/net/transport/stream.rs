//! The stream below a WebSocket: a byte stream of its own, or a stream of HTTP/2.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::byte_stream::ByteStream;
use super::http2::signals::Http2Signals;
use super::http2::stream::Http2Stream;
use super::socket::TransportSocket;
use super::tap::TcpIntrospect;
use crate::domain::connection::goaway::Goaway;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::tcp::TcpView;

/// A stream that can carry a WebSocket.
#[derive(Debug)]
pub enum Stream {
    Bytes(ByteStream),
    Http2(Box<Http2Stream>),
}

impl Stream {
    /// Calls `look` with the socket below all layers.
    pub fn with_socket<T>(&self, look: impl FnOnce(&TransportSocket) -> T) -> T {
        match self {
            Stream::Bytes(stream) => look(stream.socket()),
            Stream::Http2(stream) => stream.connection().with_socket(look),
        }
    }

    /// The certificates that the peer of the outermost TLS sent, its own first; empty without TLS.
    pub fn peer_certificates(&self) -> Vec<CertificateDer<'static>> {
        match self {
            Stream::Bytes(stream) => stream.peer_certificates().to_vec(),
            Stream::Http2(stream) => stream.connection().peer_certificates(),
        }
    }

    /// Half-closes: sends FIN, or over HTTP/2 END_STREAM, which stands for it (RFC 8441 section 5), and keeps the read side open.
    pub fn half_close(&mut self) -> io::Result<()> {
        match self {
            Stream::Bytes(stream) => stream.socket().shut_write(),
            Stream::Http2(stream) => {
                stream.end_sending();
                Ok(())
            }
        }
    }
}

impl TcpIntrospect for Stream {
    fn tcp(&self) -> Option<TcpView> {
        self.with_socket(TcpIntrospect::tcp)
    }

    fn ask_peer(&self) -> io::Result<()> {
        self.with_socket(TcpIntrospect::ask_peer)
    }

    fn is_over(&self) -> bool {
        self.with_socket(TransportSocket::is_over)
    }

    fn exhausted_window(&self) -> Option<ExhaustedWindow> {
        match self {
            Stream::Bytes(_) => None,
            Stream::Http2(stream) => stream.exhausted_window(),
        }
    }
}

impl Http2Signals for Stream {
    fn claim_http2_pings(&mut self) -> bool {
        match self {
            Stream::Bytes(_) => false,
            Stream::Http2(stream) => stream.claim_http2_pings(),
        }
    }

    fn queue_http2_ping(&mut self) -> bool {
        match self {
            Stream::Bytes(_) => false,
            Stream::Http2(stream) => stream.queue_http2_ping(),
        }
    }

    fn poll_http2_pong(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        match self {
            Stream::Bytes(_) => Poll::Pending,
            Stream::Http2(stream) => stream.poll_http2_pong(cx),
        }
    }

    fn poll_goaway(&mut self, cx: &mut Context<'_>) -> Poll<(Goaway, Instant)> {
        match self {
            Stream::Bytes(_) => Poll::Pending,
            Stream::Http2(stream) => stream.poll_goaway(cx),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Bytes(stream) => Pin::new(stream).poll_read(cx, buf),
            Stream::Http2(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Bytes(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Http2(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Bytes(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Http2(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Bytes(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Http2(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
