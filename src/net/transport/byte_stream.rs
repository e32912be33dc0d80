//! The byte stream to the peer: the tapped socket, plain or under TLS.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::socket::TransportSocket;
use super::tap::Tap;

/// A byte stream to the peer. TLS may be nested: the target's inside that of an `https://` proxy.
pub enum ByteStream {
    Plain(Tap<TransportSocket>),
    Tls(Box<TlsStream<ByteStream>>),
}

impl ByteStream {
    /// The socket below all layers.
    pub fn socket(&self) -> &TransportSocket {
        match self {
            ByteStream::Plain(tap) => tap.inner(),
            ByteStream::Tls(tls) => tls.get_ref().0.socket(),
        }
    }

    /// The certificates that the peer of the outermost TLS sent, its own first; empty without TLS.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        match self {
            ByteStream::Plain(_) => &[],
            ByteStream::Tls(tls) => tls.get_ref().1.peer_certificates().unwrap_or_default(),
        }
    }
}

impl fmt::Debug for ByteStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            ByteStream::Plain(_) => "Plain",
            ByteStream::Tls(_) => "Tls",
        };
        f.debug_tuple(name).field(self.socket()).finish()
    }
}

impl AsyncRead for ByteStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ByteStream::Plain(tap) => Pin::new(tap).poll_read(cx, buf),
            ByteStream::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            ByteStream::Plain(tap) => Pin::new(tap).poll_write(cx, bytes),
            ByteStream::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ByteStream::Plain(tap) => Pin::new(tap).poll_flush(cx),
            ByteStream::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            ByteStream::Plain(tap) => Pin::new(tap).poll_shutdown(cx),
            ByteStream::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}
