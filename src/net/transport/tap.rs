//! The byte tap: sits directly on the socket, under TLS, and notes when bytes went by.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::domain::connection::tcp::TcpView;

/// How the stream of bytes from the peer ended, as the socket told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// A read returned nothing: the peer sent FIN.
    Fin,
    /// A read or write failed with this error number; `None` when the system gave none.
    Error(Option<i32>),
}

/// What the kernel says of bytes that left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxTimestamp {
    /// The number of the last byte of the write they belong to, counted from 0 since the stream was new, modulo 2^32.
    pub last_byte: u32,
    /// When they left.
    pub at: Instant,
}

/// A stream that may know when what it reads arrived, and when what it wrote left.
pub trait TimestampedRead: AsyncRead {
    /// Reads as [`AsyncRead::poll_read`] does; gives when the kernel had the bytes, where it says so.
    fn poll_read_stamped(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Instant>>> {
        self.poll_read(cx, buf).map_ok(|()| None)
    }

    /// Whether the kernel stamps what leaves.
    fn stamps_departures(&self) -> bool {
        false
    }

    /// The next of what left and was not told yet.
    fn departed(&mut self) -> Option<TxTimestamp> {
        None
    }
}

/// A stream that may know what TCP knows of it.
pub trait TcpIntrospect {
    /// TCP's figures now.
    fn tcp(&self) -> Option<TcpView> {
        None
    }

    /// Has the system ask the peer's whether it still knows the connection, at once and then every second (TCP
    /// keepalive): that an acknowledgement came, [`TcpIntrospect::tcp`] tells.
    fn ask_peer(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether the peer's FIN or RST has come, as the system tells without anything being read.
    fn is_over(&self) -> bool {
        false
    }
}

#[cfg(test)]
impl TcpIntrospect for tokio::io::DuplexStream {}

impl<S: TcpIntrospect> TcpIntrospect for Tap<S> {
    fn tcp(&self) -> Option<TcpView> {
        self.inner.tcp()
    }

    fn ask_peer(&self) -> io::Result<()> {
        self.inner.ask_peer()
    }

    fn is_over(&self) -> bool {
        self.inner.is_over()
    }
}

/// Tests read from memory, at once.
#[cfg(test)]
impl TimestampedRead for tokio::io::DuplexStream {}

/// What the tap saw last. Shared between the tap and whoever asks; instants are the monotonic
/// clock's (the runtime's own, so that tests can pause it).
#[derive(Debug)]
pub struct TapState {
    epoch: Instant,
    /// Nanoseconds since the epoch plus one; 0: never.
    last_read: AtomicU64,
    /// For how many nanoseconds plus one the last bytes lay in the kernel; 0: it does not say.
    last_lay: AtomicU64,
    last_write: AtomicU64,
    asks: Mutex<SendTimes>,
    stamps_departures: bool,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    /// 0: open, 1: FIN, 2: an error.
    end: AtomicU8,
    errno: AtomicI32,
}

impl TapState {
    fn new(stamps_departures: bool) -> TapState {
        TapState {
            epoch: Instant::now(),
            last_read: AtomicU64::new(0),
            last_lay: AtomicU64::new(0),
            last_write: AtomicU64::new(0),
            asks: Mutex::default(),
            stamps_departures,
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

    /// For how long the last bytes that were read lay in the kernel before; `None` where it does not say.
    pub fn last_lay(&self) -> Option<Duration> {
        self.last_lay.load(Relaxed).checked_sub(1).map(Duration::from_nanos)
    }

    /// Whether the kernel stamps what leaves.
    pub fn stamps_departures(&self) -> bool {
        self.stamps_departures
    }

    /// The next write that takes bytes is an ask's: when it leaves matters.
    pub fn arm(&self) {
        self.asks().arm(self.stamps_departures);
    }

    /// The ask's write since [`TapState::arm`], once there was one.
    pub fn departure(&self) -> Option<SendTime> {
        self.asks().current
    }

    /// When an ask left whose departure was not yet stamped by the kernel, if it is by now.
    pub fn stamped_since(&self, ask: &SendTime) -> Option<SendTime> {
        self.asks().take_stamped(ask.end)
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
    pub fn end(&self) -> Option<StreamEnd> {
        match (self.end.load(Relaxed), self.errno.load(Relaxed)) {
            (0, _) => None,
            (1, _) => Some(StreamEnd::Fin),
            (_, 0) => Some(StreamEnd::Error(None)),
            (_, errno) => Some(StreamEnd::Error(Some(errno))),
        }
    }

    fn asks(&self) -> std::sync::MutexGuard<'_, SendTimes> {
        self.asks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instant(&self, mark: &AtomicU64) -> Option<Instant> {
        let nanos = mark.load(Relaxed).checked_sub(1)?;
        Some(self.epoch + Duration::from_nanos(nanos))
    }

    fn nanos(&self, at: Instant) -> u64 {
        at.duration_since(self.epoch).as_nanos() as u64 + 1
    }

    fn saw_read(&self, bytes: usize, stamp: Option<Instant>) {
        if bytes == 0 {
            let _ = self.end.compare_exchange(0, 1, Relaxed, Relaxed);
            return;
        }
        let returned = self.nanos(Instant::now());
        // The wall clock may have been set in between; nothing arrives before what came earlier.
        let arrived = stamp.map_or(returned, |stamp| self.nanos(stamp).min(returned));
        self.last_read.fetch_max(arrived.max(1), Relaxed);
        self.last_lay.store(stamp.map_or(0, |_| returned - arrived + 1), Relaxed);
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn saw_write(&self, began: Instant, bytes: usize) {
        self.last_write.store(self.nanos(began), Relaxed);
        let end = self.written_bytes.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        self.asks().wrote(began, end);
    }

    fn saw_departed(&self, departed: TxTimestamp) {
        let behind = (self.written_bytes() as u32).wrapping_sub(departed.last_byte.wrapping_add(1));
        let Some(end) = self.written_bytes().checked_sub(behind.into()) else { return };
        self.asks().left(end, departed.at);
    }

    /// An error outranks a FIN: data written after the peer's FIN may bring an RST.
    fn saw_error(&self, error: &io::Error) {
        self.errno.store(error.raw_os_error().unwrap_or(0), Relaxed);
        self.end.store(2, Relaxed);
    }
}

/// When an ask left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendTime {
    /// By the kernel's stamp, or else just before its write.
    pub at: Instant,
    /// Just before its write.
    pub began: Instant,
    /// How many bytes had been written then, its own included.
    pub end: u64,
    /// Whether the kernel stamped it.
    pub by_kernel: bool,
}

impl SendTime {
    /// What began to leave then, and the kernel does not stamp.
    pub fn unstamped(began: Instant, marks: &TapState) -> SendTime {
        SendTime { at: began, began, end: marks.written_bytes(), by_kernel: false }
    }
}

/// So many asks may wait for the kernel's stamp; the oldest goes without.
const MAX_UNSTAMPED_WRITES: usize = 16;
/// So many stamps of other writes may lie in the kernel. They take room that what arrives wants, too (SO_RCVBUF):
/// whoever left them all there would hear nothing more after some two hundred.
const MAX_UNREAD_TIMESTAMPS: u32 = 16;
/// A stamp so much before the write it belongs to is that of a clock that was set meanwhile.
const MAX_CLOCK_SKEW: Duration = Duration::from_micros(100);

/// The writes that are asks.
#[derive(Debug, Default)]
struct SendTimes {
    /// The next write is one.
    armed: bool,
    current: Option<SendTime>,
    /// Earlier ones whose stamp had not come when the next one was armed.
    earlier: Vec<SendTime>,
}

impl SendTimes {
    fn arm(&mut self, is_stamped: bool) {
        self.armed = true;
        let unstamped = self.current.take().filter(|ask| is_stamped && !ask.by_kernel);
        if self.earlier.len() == MAX_UNSTAMPED_WRITES && unstamped.is_some() {
            self.earlier.remove(0);
        }
        if let Some(ask) = unstamped {
            // Mostly one waits, on each of thousands of connections.
            self.earlier.reserve_exact(1);
            self.earlier.push(ask);
        }
    }

    fn wrote(&mut self, began: Instant, end: u64) {
        if std::mem::take(&mut self.armed) {
            self.current = Some(SendTime { at: began, began, end, by_kernel: false });
        }
    }

    /// The bytes up to `end` have left. Writes that went in one packet have one stamp, the last one's.
    fn left(&mut self, end: u64, at: Instant) {
        let unstamped = self.earlier.iter_mut().chain(&mut self.current).filter(|ask| !ask.by_kernel);
        for ask in unstamped.filter(|ask| ask.end <= end && at + MAX_CLOCK_SKEW >= ask.began) {
            (ask.at, ask.by_kernel) = (at.max(ask.began), true);
        }
    }

    fn is_waiting(&self) -> bool {
        !self.earlier.is_empty() || self.current.is_some_and(|ask| !ask.by_kernel)
    }

    fn take_stamped(&mut self, end: u64) -> Option<SendTime> {
        let is_it = |ask: &SendTime| ask.end == end && ask.by_kernel;
        if let Some(index) = self.earlier.iter().position(is_it) {
            return Some(self.take_earlier(index));
        }
        self.current.filter(is_it)
    }

    /// Gives back what several needed when none is left.
    fn take_earlier(&mut self, index: usize) -> SendTime {
        let ask = self.earlier.remove(index);
        if self.earlier.is_empty() && self.earlier.capacity() > 1 {
            self.earlier.shrink_to(1);
        }
        ask
    }
}

/// Whether what is written leaves. A client that must not answer is muted here, below TLS and below the WebSocket,
/// which both answer by themselves: what they write is taken, and thrown away. There is no way back: TLS has
/// counted records that the peer never saw.
#[derive(Debug, Default)]
pub struct Mute {
    shut: AtomicBool,
}

impl Mute {
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
    marks: Arc<TapState>,
    mute: Arc<Mute>,
    /// So many writes were made whose stamps were not taken.
    owed: u32,
}

impl<S: TimestampedRead> Tap<S> {
    /// Watches `inner` from now on.
    pub fn new(inner: S) -> Tap<S> {
        let marks = Arc::new(TapState::new(inner.stamps_departures()));
        Tap { inner, marks, mute: Arc::default(), owed: 0 }
    }

    /// Takes what the kernel says of what left, as long as an ask's is missing, or many were left there.
    fn hear_departures(&mut self) {
        let stamps = self.marks.stamps_departures;
        while stamps && (self.owed > MAX_UNREAD_TIMESTAMPS || self.marks.asks().is_waiting()) {
            self.owed = self.owed.saturating_sub(1);
            let Some(departed) = self.inner.departed() else {
                self.owed = 0;
                return;
            };
            self.marks.saw_departed(departed);
        }
    }
}

impl<S> Tap<S> {
    /// What can keep its bytes from leaving.
    pub fn mute(&self) -> Arc<Mute> {
        Arc::clone(&self.mute)
    }

    /// What has been seen; stays valid when the tap is gone.
    pub fn state(&self) -> Arc<TapState> {
        Arc::clone(&self.marks)
    }

    /// The stream below.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

impl<S: TimestampedRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let room = buf.remaining();
        let before = buf.filled().len();
        // What left before the answer that is to be read.
        self.hear_departures();
        let result = ready!(Pin::new(&mut self.inner).poll_read_stamped(cx, buf));
        match &result {
            Ok(stamp) if room > 0 => self.marks.saw_read(buf.filled().len() - before, *stamp),
            Ok(_) => {}
            Err(error) => self.marks.saw_error(error),
        }
        Poll::Ready(result.map(|_| ()))
    }
}

impl<S: AsyncWrite + TimestampedRead + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.mute.is_shut() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let began = Instant::now();
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        match &result {
            Ok(taken) => {
                self.marks.saw_write(began, *taken);
                self.owed += 1;
                self.hear_departures();
            }
            Err(error) => self.marks.saw_error(error),
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute.is_shut() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute.is_shut() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_shutdown(cx) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::fake_tcp_stream::FakeTcpStream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn reads_and_writes_are_stamped_at_the_socket() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let marks = tap.state();
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

    #[tokio::test(start_paused = true)]
    async fn kernel_timestamps_give_arrival_and_never_go_backwards() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(FakeTcpStream::plain(near));
        let kernel = tap.inner.kernel();
        kernel.lock().unwrap().age = Some(Duration::from_millis(3));
        let (marks, start) = (tap.state(), Instant::now());
        tokio::time::advance(Duration::from_millis(5)).await;
        far.write_all(b"abcd").await.unwrap();
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(marks.last_read(), Some(start + Duration::from_millis(2)));
        kernel.lock().unwrap().age = Some(Duration::from_secs(3600));
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(marks.last_read(), Some(start + Duration::from_millis(2)));
    }

    /// A tap over a kernel that stamps what leaves, and its far end, which must not go.
    fn stamping() -> (Tap<FakeTcpStream>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1024);
        (Tap::new(FakeTcpStream::stamping(near)), far)
    }

    /// The kernel has a stamp to tell.
    fn stamps(tap: &Tap<FakeTcpStream>, last_byte: u32, age: u64) {
        tap.inner.kernel().lock().unwrap().departed.push_back((last_byte, Duration::from_millis(age)));
    }

    async fn ask(tap: &mut Tap<FakeTcpStream>, bytes: usize) -> SendTime {
        let marks = tap.state();
        marks.arm();
        tap.write_all(&vec![0; bytes]).await.unwrap();
        marks.departure().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_ask_left_when_the_kernel_says_at_once_or_later() {
        let (mut tap, mut far) = stamping();
        let marks = tap.state();
        tap.write_all(b"the upgrade").await.unwrap();
        let start = Instant::now();
        stamps(&tap, 15, 0);
        let first = ask(&mut tap, 5).await;
        assert_eq!((first.at, first.by_kernel, first.end), (start, true, 16));
        let second = ask(&mut tap, 5).await;
        assert_eq!((second.by_kernel, marks.stamped_since(&second)), (false, None));
        let third = ask(&mut tap, 5).await;
        tokio::time::advance(Duration::from_millis(8)).await;
        // Both went in one packet, which has the stamp of the last.
        stamps(&tap, 25, 3);
        far.write_all(b"pong").await.unwrap();
        tap.read_exact(&mut [0; 4]).await.unwrap();
        for ask in [second, third] {
            let stamped = marks.stamped_since(&ask).unwrap();
            assert_eq!((stamped.at, stamped.began), (start + Duration::from_millis(5), start));
        }
        assert_eq!(marks.stamped_since(&second), None, "it is told once");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stamp_from_before_the_write_is_a_clock_s_that_was_set() {
        let (mut tap, _far) = stamping();
        tokio::time::advance(Duration::from_secs(3600)).await;
        stamps(&tap, 4, 60_000);
        let asked = ask(&mut tap, 5).await;
        assert_eq!((asked.at, asked.by_kernel), (Instant::now(), false));
    }

    #[tokio::test(start_paused = true)]
    async fn the_kernel_counts_bytes_modulo_two_to_the_32() {
        let (mut tap, _far) = stamping();
        tap.marks.written_bytes.store((1 << 32) - 2, Relaxed);
        stamps(&tap, 2, 0);
        assert!(ask(&mut tap, 5).await.by_kernel);
        stamps(&tap, 2, 0);
        assert!(!ask(&mut tap, 5).await.by_kernel, "an old stamp says nothing of it");
    }

    #[tokio::test(start_paused = true)]
    async fn asks_that_are_never_stamped_cost_bounded_memory() {
        let (mut tap, _far) = stamping();
        for _ in 0..10 * MAX_UNSTAMPED_WRITES {
            ask(&mut tap, 5).await;
        }
        assert_eq!(tap.marks.asks().earlier.len(), MAX_UNSTAMPED_WRITES);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_the_stream_is_a_fin() {
        let (near, far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let marks = tap.state();
        drop(far);
        assert_eq!(marks.end(), None);
        assert_eq!(tap.read(&mut [0; 2]).await.unwrap(), 0);
        assert_eq!(marks.end(), Some(StreamEnd::Fin));
    }

    #[tokio::test(start_paused = true)]
    async fn behind_a_shut_valve_all_is_taken_and_nothing_leaves() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut tap = Tap::new(near);
        tap.write_all(b"abc").await.unwrap();
        tap.mute().shut();
        tap.write_all(&[0; 100]).await.unwrap();
        tap.shutdown().await.unwrap();
        assert_eq!(tap.state().written_bytes(), 3);
        far.write_all(b"de").await.unwrap();
        assert_eq!(tap.read(&mut [0; 8]).await.unwrap(), 2, "it still reads");
        drop(tap);
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"abc");
    }
}
