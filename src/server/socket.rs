//! What the server needs of a socket beyond reading and writing.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::domain::connection::close_cause::CloseKind;

/// Besides errors, which poll(2) always tells: on Linux also the client's FIN.
#[cfg(target_os = "linux")]
const PEER_CLOSED: libc::c_short = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const PEER_CLOSED: libc::c_short = 0;

/// A stream on TCP, under TLS or not.
pub trait ClientSocket: AsyncRead + AsyncWrite + Unpin + Send {
    /// How the stream has ended when a read brings nothing.
    const END: CloseKind;

    /// Sends a bare FIN now, under whatever is above TCP; reading goes on.
    fn send_fin(&self) -> io::Result<()>;

    /// Whether the client has closed or reset its side, told without reading what it sent before.
    fn is_abandoned(&self) -> bool;

    /// From now on, dropping the socket sends RST.
    fn reset_on_drop(&self) -> io::Result<()>;
}

impl ClientSocket for TcpStream {
    const END: CloseKind = CloseKind::Fin;

    fn send_fin(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    fn is_abandoned(&self) -> bool {
        let mut asked = [PollFd::new(self.as_fd(), PollFlags::from_bits_retain(PEER_CLOSED))];
        poll(&mut asked, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }
}

impl ClientSocket for TlsStream<TcpStream> {
    /// rustls tells a FIN without close_notify as an error.
    const END: CloseKind = CloseKind::TlsClose;

    fn send_fin(&self) -> io::Result<()> {
        self.get_ref().0.send_fin()
    }

    fn is_abandoned(&self) -> bool {
        self.get_ref().0.is_abandoned()
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        self.get_ref().0.reset_on_drop()
    }
}

/// A pipe in memory has neither FIN nor RST apart from being dropped.
#[cfg(test)]
impl ClientSocket for tokio::io::DuplexStream {
    const END: CloseKind = CloseKind::Fin;

    fn send_fin(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_abandoned(&self) -> bool {
        false
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        Ok(())
    }
}
