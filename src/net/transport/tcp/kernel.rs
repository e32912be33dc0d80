//! A TCP connection with kernel timestamps of sent and received bytes (Linux).
//!
//! Send timestamps arrive on the socket's error queue. While one waits there, the kernel reports EPOLLERR, which the
//! runtime takes for a closed write side: its own stream would then spin in a blocked write. So this type registers for
//! reading only, writes without waiting for readiness, and waits for buffer space on a second handle that exists only
//! during the wait.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::time::Instant;

use super::{tcp_info, timestamps};
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::tcp::TcpView;
use crate::net::transport::tap::{TimestampedRead, TxTimestamp};

/// A connected TCP socket.
#[derive(Debug)]
pub struct TcpConnection {
    stream: AsyncFd<TcpStream>,
    /// Second handle, which waits for send buffer space while a write is blocked.
    write_space: Option<Box<AsyncFd<TcpStream>>>,
    timestamps: TimestampSource,
    /// Bytes that TCP had acknowledged before any data: the SYN.
    acked_before: u64,
}

impl TcpConnection {
    /// Wraps a stream that was just connected and has carried no data.
    pub fn new(stream: tokio::net::TcpStream) -> io::Result<TcpConnection> {
        let stream = registered(stream.into_std()?, Interest::READABLE)?;
        let acked_before = tcp_info::read(stream.get_ref()).map_or(0, |view| view.acked);
        Ok(TcpConnection { stream, write_space: None, timestamps: TimestampSource::User, acked_before })
    }

    /// Asks the kernel to timestamp what arrives, and `departures` too; [`TcpConnection::timestamps`] returns what it agreed to.
    pub fn enable_timestamps(&mut self, departures: bool) {
        self.timestamps = timestamps::enable(self.stream.get_ref(), departures);
    }

    /// Source of the timestamps.
    pub fn timestamps(&self) -> TimestampSource {
        self.timestamps
    }

    /// TCP's current figures.
    pub fn view(&self) -> Option<TcpView> {
        let view = tcp_info::read(self.stream.get_ref())?;
        Some(TcpView { acked: view.acked.saturating_sub(self.acked_before), ..view })
    }

    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().peer_addr()
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().local_addr()
    }

    /// Whether the peer's FIN or RST has arrived. Earlier bytes may still wait to be read.
    pub fn is_over(&self) -> bool {
        let ready = self.stream.ready(Interest::READABLE).now_or_never();
        ready.is_some_and(|ready| ready.map_or(true, |guard| guard.ready().is_read_closed()))
    }

    /// Reads available bytes; also returns when the kernel received the last of them, if known.
    fn receive(&self, bytes: &mut [u8]) -> io::Result<(usize, Option<Instant>)> {
        let mut stream = self.stream.get_ref();
        match self.timestamps {
            TimestampSource::User => Ok((stream.read(bytes)?, None)),
            TimestampSource::KernelReceive | TimestampSource::Kernel => timestamps::receive(stream, bytes),
        }
    }

    fn poll_write_space(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let write_space = match self.write_space.take() {
            Some(write_space) => write_space,
            None => Box::new(registered(self.stream.get_ref().try_clone()?, Interest::WRITABLE)?),
        };
        match write_space.poll_write_ready(cx) {
            Poll::Ready(ready) => Poll::Ready(ready.map(drop)),
            Poll::Pending => {
                self.write_space = Some(write_space);
                Poll::Pending
            }
        }
    }
}

/// Registers a stream with the runtime.
#[expect(unsafe_code, reason = "there is no safe AsyncFd for a stream that is shared")]
fn registered(stream: TcpStream, interest: Interest) -> io::Result<AsyncFd<TcpStream>> {
    // SAFETY: the standard library's stream owns its descriptor for its whole life, and the descriptor never changes.
    unsafe { AsyncFd::register_with_interest(stream, interest) }.map_err(io::Error::from)
}

impl AsFd for TcpConnection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
    }
}

impl AsyncRead for TcpConnection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_read_stamped(cx, buf).map_ok(|_| ())
    }
}

impl TimestampedRead for TcpConnection {
    fn poll_read_stamped(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Instant>>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(None));
        }
        loop {
            let mut ready = ready!(self.stream.poll_read_ready(cx))?;
            let write_space = buf.remaining();
            match self.receive(buf.initialize_unfilled()) {
                Ok((count, stamp)) => {
                    if 0 < count && count < write_space {
                        // A short read means the socket is empty (epoll(7), question 9), so skip the read that would
                        // confirm it.
                        ready.clear_ready();
                    }
                    buf.advance(count);
                    return Poll::Ready(Ok(stamp));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn stamps_departures(&self) -> bool {
        self.timestamps == TimestampSource::Kernel
    }

    fn departed(&mut self) -> Option<TxTimestamp> {
        match self.timestamps {
            TimestampSource::Kernel => timestamps::departed(self.stream.get_ref()),
            TimestampSource::User | TimestampSource::KernelReceive => None,
        }
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            match self.stream.get_ref().write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.poll_write_space(cx))?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return Poll::Ready(result),
            }
            // A timestamp in the error queue makes the new handle ready at once.
            while self.departed().is_some() {}
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.stream.get_ref().shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::task::{Wake, Waker};

    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpConnection, tokio::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let near = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut near = TcpConnection::new(near).unwrap();
        near.enable_timestamps(true);
        (near, listener.accept().await.unwrap().0)
    }

    /// Counts wake-ups.
    #[derive(Default)]
    struct WakeCounter(AtomicUsize);

    impl Wake for WakeCounter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[tokio::test]
    async fn blocked_write_waits_despite_queued_timestamps() {
        let (mut near, mut far) = pair().await;
        let (block, mut filled) = (vec![0; 1 << 16], 0);
        let woken = Arc::new(WakeCounter::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        // The runtime wakes it until the buffer is full; then it sleeps.
        loop {
            let before = woken.0.load(SeqCst);
            match Pin::new(&mut near).poll_write(&mut cx, &block) {
                Poll::Ready(result) => filled += result.unwrap(),
                Poll::Pending => {
                    for _ in 0..100 {
                        tokio::task::yield_now().await;
                    }
                    if woken.0.load(SeqCst) == before {
                        break;
                    }
                }
            }
        }
        let (mut left, mut bytes) = (filled, vec![0; 1 << 16]);
        while left > 0 {
            left -= far.read(&mut bytes).await.unwrap();
        }
        near.write_all(b"on").await.unwrap();
        assert_eq!(far.read(&mut bytes).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn fin_reads_no_bytes_and_reset_is_an_error() {
        let (mut near, far) = pair().await;
        drop(far);
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0);
        assert!(near.is_over());
        let (mut near, far) = pair().await;
        assert!(!near.is_over());
        socket2::SockRef::from(&far).set_linger(Some(Duration::ZERO)).unwrap();
        drop(far);
        assert_eq!(near.read(&mut [0; 8]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn both_ends_of_a_round_trip_are_stamped_within_the_calls() {
        let (mut near, mut far) = pair().await;
        assert_eq!(near.timestamps(), TimestampSource::Kernel);
        let mut last_byte = 0;
        // The kernel begins to timestamp received bytes a moment after the first request.
        for _ in 0..100_000 {
            near.write_all(b"ask").await.unwrap();
            far.read_exact(&mut [0; 3]).await.unwrap();
            let departed = near.departed().expect("over loopback it left within the write");
            assert_eq!(departed.last_byte, last_byte + 2);
            last_byte += 3;
            far.write_all(b"answer").await.unwrap();
            let (mut bytes, mut stamp) = ([0; 6], None);
            let mut buf = ReadBuf::new(&mut bytes);
            while buf.remaining() > 0 {
                stamp = std::future::poll_fn(|cx| Pin::new(&mut near).poll_read_stamped(cx, &mut buf))
                    .await
                    .unwrap();
            }
            if stamp.is_some() {
                return;
            }
        }
        panic!("the kernel stamps nothing that arrives");
    }
}
