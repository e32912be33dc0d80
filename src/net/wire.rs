//! The byte tap: sits directly on the socket, under TLS, and notes when bytes went by.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// How the stream of bytes from the peer ended, as the socket told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireEnd {
    /// A read returned nothing: the peer sent FIN.
    Fin,
    /// A read or write failed with this error number; `None` when the system gave none.
    Error(Option<i32>),
}

/// A stream that may know when what it reads arrived.
pub trait Stamped: AsyncRead {
    /// Reads as [`AsyncRead::poll_read`] does; gives how long ago the kernel had the bytes, where it says so.
    fn poll_read_stamped(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Duration>>> {
        self.poll_read(cx, buf).map_ok(|()| None)
    }
}

/// Tests read from memory, at once.
#[cfg(test)]
impl Stamped for tokio::io::DuplexStream {}

/// What the tap saw last. Shared between the tap and whoever asks; instants are the monotonic
/// clock's (the runtime's own, so that tests can pause it).
#[derive(Debug)]
pub struct Marks {
    epoch: Instant,
    /// Nanoseconds since the epoch plus one; 0: never.
    last_read: AtomicU64,
    last_write: AtomicU64,
    /// The first write since the marks were armed; 0: none yet.
    armed_write: AtomicU64,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    /// 0: open, 1: FIN, 2: an error.
    end: AtomicU8,
    errno: AtomicI32,
}

impl Marks {
    fn new() -> Marks {
        Marks {
            epoch: Instant::now(),
            last_read: AtomicU64::new(0),
            last_write: AtomicU64::new(0),
            armed_write: AtomicU64::new(0),
            read_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            end: AtomicU8::new(0),
            errno: AtomicI32::new(0),
        }
    }

    /// When the last bytes that were read arrived: by the kernel's stamp where there is one, else when the
    /// read returned.
    pub fn last_read(&self) -> Option<Instant> {
        self.instant(&self.last_read)
    }

    /// Just before the last write that took bytes.
    pub fn last_write(&self) -> Option<Instant> {
        self.instant(&self.last_write)
    }

    /// Forgets the first write, so that the next one is it.
    pub fn arm(&self) {
        self.armed_write.store(0, Relaxed);
    }

    /// Just before the first write since [`Marks::arm`] that took bytes.
    pub fn first_armed_write(&self) -> Option<Instant> {
        self.instant(&self.armed_write)
    }

    /// Bytes that came from the socket so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Relaxed)
    }

    /// Bytes that the socket took so far.
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Relaxed)
    }

    /// How the stream ended, once it has.
    pub fn end(&self) -> Option<WireEnd> {
        match (self.end.load(Relaxed), self.errno.load(Relaxed)) {
            (0, _) => None,
            (1, _) => Some(WireEnd::Fin),
            (_, 0) => Some(WireEnd::Error(None)),
            (_, errno) => Some(WireEnd::Error(Some(errno))),
        }
    }

    fn instant(&self, mark: &AtomicU64) -> Option<Instant> {
        let nanos = mark.load(Relaxed).checked_sub(1)?;
        Some(self.epoch + Duration::from_nanos(nanos))
    }

    fn nanos(&self, at: Instant) -> u64 {
        at.duration_since(self.epoch).as_nanos() as u64 + 1
    }

    fn saw_read(&self, bytes: usize, age: Option<Duration>) {
        if bytes == 0 {
            let _ = self.end.compare_exchange(0, 1, Relaxed, Relaxed);
            return;
        }
        let returned = self.nanos(Instant::now());
        // The wall clock may have been set in between; nothing arrives before what came earlier.
        let arrived = returned.saturating_sub(age.unwrap_or_default().as_nanos() as u64);
        self.last_read.fetch_max(arrived.max(1), Relaxed);
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn saw_write(&self, began: Instant, bytes: usize) {
        let nanos = self.nanos(began);
        self.last_write.store(nanos, Relaxed);
        let _ = self.armed_write.compare_exchange(0, nanos, Relaxed, Relaxed);
        self.written_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// An error outranks a FIN: data written after the peer's FIN may bring an RST.
    fn saw_error(&self, error: &io::Error) {
        self.errno.store(error.raw_os_error().unwrap_or(0), Relaxed);
        self.end.store(2, Relaxed);
    }
}

/// Whether what is written leaves. A client that must not answer is muted here, below TLS and below the WebSocket,
/// which both answer by themselves: what they write is taken, and thrown away. There is no way back: TLS has
/// counted records that the peer never saw.
#[derive(Debug, Default)]
pub struct Valve {
    shut: AtomicBool,
}

impl Valve {
    /// From now on nothing leaves.
    pub fn shut(&self) {
        self.shut.store(true, Relaxed);
    }

    /// Whether nothing leaves.
    pub fn is_shut(&self) -> bool {
        self.shut.load(Relaxed)
    }
}

/// A stream whose bytes are watched.
#[derive(Debug)]
pub struct Tap<S> {
    inner: S,
    marks: Arc<Marks>,
    valve: Arc<Valve>,
}

impl<S> Tap<S> {
    /// Watches `inner` from now on.
    pub fn new(inner: S) -> Tap<S> {
        Tap { inner, marks: Arc::new(Marks::new()), valve: Arc::default() }
    }

    /// What can keep its bytes from leaving.
    pub fn valve(&self) -> Arc<Valve> {
        Arc::clone(&self.valve)
    }

    /// What has been seen; stays valid when the tap is gone.
    pub fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.marks)
    }

    /// The stream below.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: Stamped + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.inner).poll_read_stamped(cx, buf));
        match &result {
            Ok(age) if room > 0 => self.marks.saw_read(buf.filled().len() - before, *age),
            Ok(_) => {}
            Err(error) => self.marks.saw_error(error),
        }
        Poll::Ready(result.map(|_| ()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.valve.is_shut() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let began = Instant::now();
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        match &result {
            Ok(taken) => self.marks.saw_write(began, *taken),
            Err(error) => self.marks.saw_error(error),
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.valve.is_shut() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.valve.is_shut() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.inner).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn reads_and_writes_are_stamped_at_the_socket() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let marks = tap.marks();
        let start = Instant::now();
        assert_eq!(marks.last_write(), None);
        tokio::time::advance(Duration::from_millis(5)).await;
        tap.write_all(b"abc").await.unwrap();
        assert_eq!(marks.last_write(), Some(start + Duration::from_millis(5)));
        tokio::time::advance(Duration::from_millis(7)).await;
        far.write_all(b"de").await.unwrap();
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(marks.last_read(), Some(start + Duration::from_millis(12)));
        assert_eq!((marks.written_bytes(), marks.read_bytes()), (3, 2));
    }

    /// A stream whose bytes came so long ago.
    struct Aged(tokio::io::DuplexStream, Duration);

    impl AsyncRead for Aged {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl Stamped for Aged {
        fn poll_read_stamped(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<Option<Duration>>> {
            let age = self.1;
            self.poll_read(cx, buf).map_ok(|()| Some(age))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_lay_in_the_kernel_arrived_when_the_kernel_says_and_never_before_what_came_earlier() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(Aged(near, Duration::from_millis(3)));
        let (marks, start) = (tap.marks(), Instant::now());
        tokio::time::advance(Duration::from_millis(5)).await;
        far.write_all(b"abcd").await.unwrap();
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(marks.last_read(), Some(start + Duration::from_millis(2)));
        tap.inner.1 = Duration::from_secs(3600);
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(marks.last_read(), Some(start + Duration::from_millis(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_stream_is_a_fin() {
        let (near, far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let marks = tap.marks();
        drop(far);
        assert_eq!(marks.end(), None);
        assert_eq!(tap.read(&mut [0; 2]).await.unwrap(), 0);
        assert_eq!(marks.end(), Some(WireEnd::Fin));
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_shut_valve_all_is_taken_and_nothing_leaves() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut tap = Tap::new(near);
        tap.write_all(b"abc").await.unwrap();
        tap.valve().shut();
        tap.write_all(&[0; 100]).await.unwrap();
        tap.shutdown().await.unwrap();
        assert_eq!(tap.marks().written_bytes(), 3);
        far.write_all(b"de").await.unwrap();
        assert_eq!(tap.read(&mut [0; 8]).await.unwrap(), 2, "it still reads");
        drop(tap);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"abc");
    }
}
