//! What the server needs of a socket beyond reading and writing.

use std::io;
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::domain::ending::How;

/// A stream on TCP, under TLS or not.
pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send {
    /// How the stream has ended when a read brings nothing.
    const END: How;

    /// Sends a bare FIN now, under whatever is above TCP; reading goes on.
    fn send_fin(&self) -> io::Result<()>;

    /// From now on, dropping the socket sends RST.
    fn reset_on_drop(&self) -> io::Result<()>;
}

impl Socket for TcpStream {
    const END: How = How::Fin;

    fn send_fin(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }
}

impl Socket for TlsStream<TcpStream> {
    /// rustls tells a FIN without close_notify as an error.
    const END: How = How::TlsClose;

    fn send_fin(&self) -> io::Result<()> {
        self.get_ref().0.send_fin()
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        self.get_ref().0.reset_on_drop()
    }
}

/// A pipe in memory has neither FIN nor RST apart from being dropped.
#[cfg(test)]
impl Socket for tokio::io::DuplexStream {
    const END: How = How::Fin;

    fn send_fin(&self) -> io::Result<()> {
        Ok(())
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        Ok(())
    }
}
