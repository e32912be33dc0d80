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

/// The byte stream of one client: TCP, TLS, or a stream of HTTP/2.
pub trait ClientSocket: AsyncRead + AsyncWrite + Unpin + Send {
    /// How the stream has ended when a read returns no bytes.
    const END: CloseKind;

    /// Sends a bare FIN, below TLS; reading continues. Over HTTP/2: END_STREAM.
    fn send_fin(&mut self) -> io::Result<()>;

    /// Waits until the client has closed or reset the stream. Its data is not read, so that what it may send is used
    /// up. The stream cannot be read afterwards. Returns how it ended.
    fn abandoned(&mut self) -> impl Future<Output = io::Result<CloseKind>> + Send;

    /// Makes dropping the stream send an RST. Over HTTP/2: RST_STREAM with CANCEL (RFC 8441 section 5).
    fn reset_on_drop(&mut self) -> io::Result<()>;
}

/// A stream whose opening is an HTTP/1.1 request.
pub trait OpeningSocket: ClientSocket {
    /// Whether the client has closed or reset the connection, without reading its data.
    fn is_abandoned(&self) -> bool;
}

/// A TCP stream, with or without TLS.
pub trait TcpBacked: AsyncRead + AsyncWrite + Unpin + Send {
    /// How the stream has ended when a read returns no bytes.
    const TCP_END: CloseKind;

    /// The socket below TLS.
    fn tcp(&self) -> &TcpStream;
}

impl<S: TcpBacked> ClientSocket for S {
    const END: CloseKind = S::TCP_END;

    fn send_fin(&mut self) -> io::Result<()> {
        SockRef::from(self.tcp()).shutdown(Shutdown::Write)
    }

    fn abandoned(&mut self) -> impl Future<Output = io::Result<CloseKind>> + Send {
        let tcp = self.tcp();
        async move {
            while tcp.ready(Interest::READABLE).await.is_ok_and(|ready| !ready.is_read_closed()) {
                // This task does not read: data that waits must not wake it again.
                let _ = tcp.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
            }
            Ok(CloseKind::Fin)
        }
    }

    fn reset_on_drop(&mut self) -> io::Result<()> {
        SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO))
    }
}

impl<S: TcpBacked> OpeningSocket for S {
    fn is_abandoned(&self) -> bool {
        let mut fds = [PollFd::new(self.tcp().as_fd(), PollFlags::from_bits_retain(PEER_CLOSED))];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }
}

impl TcpBacked for TcpStream {
    const TCP_END: CloseKind = CloseKind::Fin;

    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl TcpBacked for TlsStream<TcpStream> {
    /// rustls reports a FIN without close_notify as an error.
    const TCP_END: CloseKind = CloseKind::TlsClose;

    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// An in-memory pipe has neither FIN nor RST.
#[cfg(test)]
impl ClientSocket for tokio::io::DuplexStream {
    const END: CloseKind = CloseKind::Fin;

    fn send_fin(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn abandoned(&mut self) -> io::Result<CloseKind> {
        std::future::pending().await
    }

    fn reset_on_drop(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
impl OpeningSocket for tokio::io::DuplexStream {
    fn is_abandoned(&self) -> bool {
        false
    }
}
