//! The stream below a WebSocket: the tapped socket, plain or under TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::socket::TransportSocket;
use super::tap::{Mute, Tap, TcpIntrospect};
use crate::domain::connection::tcp::TcpView;

/// A byte stream to the peer. TLS may be nested: the target's inside that of an `https://` proxy.
pub enum Stream {
    Plain(Tap<TransportSocket>),
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// The socket below all layers.
    pub fn socket(&self) -> &TransportSocket {
        match self {
            Stream::Plain(tap) => tap.inner(),
            Stream::Tls(tls) => tls.get_ref().0.socket(),
        }
    }

    /// The certificates that the peer of the outermost TLS sent, its own first; empty without TLS.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        match self {
            Stream::Plain(_) => &[],
            Stream::Tls(tls) => tls.get_ref().1.peer_certificates().unwrap_or_default(),
        }
    }

    /// Can mute the socket below all layers.
    pub fn mute(&self) -> Arc<Mute> {
        match self {
            Stream::Plain(tap) => tap.mute(),
            Stream::Tls(tls) => tls.get_ref().0.mute(),
        }
    }
}

impl TcpIntrospect for Stream {
    fn tcp(&self) -> Option<TcpView> {
        self.socket().tcp()
    }

    fn ask_peer(&self) -> io::Result<()> {
        self.socket().ask_peer()
    }

    fn is_over(&self) -> bool {
        self.socket().is_over()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Stream::Plain(_) => "Plain",
            Stream::Tls(_) => "Tls",
        };
        f.debug_tuple(name).field(self.socket()).finish()
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tap) => Pin::new(tap).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tap) => Pin::new(tap).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tap) => Pin::new(tap).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tap) => Pin::new(tap).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
