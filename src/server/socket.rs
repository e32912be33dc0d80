//! Socket operations of the server beyond reading and writing.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::domain::connection::close_cause::CloseKind;

/// Event for the client's FIN (Linux only). poll(2) always reports errors.
#[cfg(target_os = "linux")]
const PEER_CLOSED: libc::c_short = libc::POLLRDHUP;
#[cfg(not(target_os = "linux"))]
const PEER_CLOSED: libc::c_short = 0;

/// A TCP stream, with or without TLS.
pub trait ClientSocket: AsyncRead + AsyncWrite + Unpin + Send {
    /// How the stream has ended when a read returns no bytes.
    const END: CloseKind;

    /// Sends a bare FIN, below TLS; reading continues.
    fn send_fin(&self) -> io::Result<()>;

    /// Whether the client has closed or reset the connection, without reading its data.
    fn is_abandoned(&self) -> bool;

    /// Waits until the client has closed or reset the connection, without reading its data. The stream cannot be read
    /// afterwards.
    fn abandoned(&self) -> impl Future<Output = ()> + Send;

    /// Makes dropping the socket send an RST.
    fn reset_on_drop(&self) -> io::Result<()>;
}

impl ClientSocket for TcpStream {
    const END: CloseKind = CloseKind::Fin;

    fn send_fin(&self) -> io::Result<()> {
        SockRef::from(self).shutdown(Shutdown::Write)
    }

    fn is_abandoned(&self) -> bool {
        let mut fds = [PollFd::new(self.as_fd(), PollFlags::from_bits_retain(PEER_CLOSED))];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    async fn abandoned(&self) {
        while self.ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
            // This task does not read: data that waits must not wake it again.
            let _ = self.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }
}

impl ClientSocket for TlsStream<TcpStream> {
    /// rustls reports a FIN without close_notify as an error.
    const END: CloseKind = CloseKind::TlsClose;

    fn send_fin(&self) -> io::Result<()> {
        self.get_ref().0.send_fin()
    }

    fn is_abandoned(&self) -> bool {
        self.get_ref().0.is_abandoned()
    }

    async fn abandoned(&self) {
        self.get_ref().0.abandoned().await;
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        self.get_ref().0.reset_on_drop()
    }
}

/// An in-memory pipe has neither FIN nor RST.
#[cfg(test)]
impl ClientSocket for tokio::io::DuplexStream {
    const END: CloseKind = CloseKind::Fin;

    fn send_fin(&self) -> io::Result<()> {
        Ok(())
    }

    fn is_abandoned(&self) -> bool {
        false
    }

    async fn abandoned(&self) {
        std::future::pending().await
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        Ok(())
    }
}
