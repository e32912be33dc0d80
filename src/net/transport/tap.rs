//! The byte tap: sits on the socket, below TLS, and records when bytes pass.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::tcp::TcpView;

/// How the byte stream from the peer ended at the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnd {
    /// A read returned nothing: the peer sent FIN.
    Fin,
    /// A read or write failed with this error number; `None` if the system gave none.
    Error(Option<i32>),
}

/// The kernel's timestamp of sent bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxTimestamp {
    /// Index of the last byte of the write, counted from 0 at the start of the stream, modulo 2^32.
    pub last_byte: u32,
    /// When they left.
    pub at: Instant,
}

/// A stream that may know when the kernel received bytes and sent bytes.
pub trait TimestampedRead: AsyncRead {
    /// Like [`AsyncRead::poll_read`]; also returns when the kernel received the bytes, if known.
    fn poll_read_stamped(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Instant>>> {
        self.poll_read(cx, buf).map_ok(|()| None)
    }

    /// Whether the kernel timestamps sent bytes.
    fn stamps_departures(&self) -> bool {
        false
    }

    /// The next send timestamp.
    fn departed(&mut self) -> Option<TxTimestamp> {
        None
    }
}

/// A stream that may know TCP's state.
pub trait TcpIntrospect {
    /// TCP's current figures.
    fn tcp(&self) -> Option<TcpView> {
        None
    }

    /// Starts TCP keepalive, which asks the peer's kernel at once and then every second whether it still has the
    /// connection. [`TcpIntrospect::tcp`] shows the acknowledgement.
    fn ask_peer(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Whether the peer's FIN or RST has arrived, without reading.
    fn is_over(&self) -> bool {
        false
    }

    /// The window whose room bytes wait for, because the peer of HTTP/2 granted none (RFC 9113 section 5.2).
    fn exhausted_window(&self) -> Option<ExhaustedWindow> {
        None
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

/// In-memory streams for tests have no kernel timestamps.
#[cfg(test)]
impl TimestampedRead for tokio::io::DuplexStream {}

/// What the tap last saw; shared with its readers. Instants are the runtime's monotonic clock, which tests can pause.
#[derive(Debug)]
pub struct TapState {
    /// Of a stream of an HTTP/2 connection: the state of the socket, through which it writes.
    below: Option<Arc<TapState>>,
    epoch: Instant,
    /// Nanoseconds since the epoch, plus one; 0: never.
    last_read: AtomicU64,
    /// How long the last bytes waited in the kernel, in nanoseconds plus one; 0: unknown.
    last_lay: AtomicU64,
    last_write: AtomicU64,
    requests: Mutex<SendTimes>,
    stamps_departures: bool,
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    /// Further writes are discarded.
    muted: AtomicBool,
    /// 0: open, 1: FIN, 2: an error.
    end: AtomicU8,
    errno: AtomicI32,
}

impl TapState {
    fn new(stamps_departures: bool) -> TapState {
        TapState {
            below: None,
            epoch: Instant::now(),
            last_read: AtomicU64::new(0),
            last_lay: AtomicU64::new(0),
            last_write: AtomicU64::new(0),
            requests: Mutex::default(),
            stamps_departures,
            read_bytes: AtomicU64::new(0),
            written_bytes: AtomicU64::new(0),
            muted: AtomicBool::new(false),
            end: AtomicU8::new(0),
            errno: AtomicI32::new(0),
        }
    }

    /// State of one stream of the HTTP/2 connection whose socket has the state `below`: what it reads is its own, what it
    /// writes is the socket's.
    pub fn of_stream(below: Arc<TapState>) -> TapState {
        TapState { epoch: below.epoch, below: Some(below), ..TapState::new(false) }
    }

    /// The state of the socket.
    fn socket(&self) -> &TapState {
        self.below.as_deref().unwrap_or(self)
    }

    /// Records that the stream received `bytes`, which came with the last read of the socket.
    pub fn record_stream_read(&self, bytes: usize) {
        let socket = self.socket();
        self.last_read.store(socket.last_read.load(Relaxed), Relaxed);
        self.last_lay.store(socket.last_lay.load(Relaxed), Relaxed);
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// When the last bytes arrived: by the kernel's timestamp if there is one, else when the read returned.
    pub fn last_read(&self) -> Option<Instant> {
        self.instant(&self.last_read)
    }

    /// Time just before the last successful write.
    pub fn last_write(&self) -> Option<Instant> {
        self.instant(&self.socket().last_write)
    }

    /// How long the last bytes waited in the kernel before they were read; `None` if unknown.
    pub fn last_lay(&self) -> Option<Duration> {
        self.last_lay.load(Relaxed).checked_sub(1).map(Duration::from_nanos)
    }

    /// Whether the kernel timestamps sent bytes.
    pub fn stamps_departures(&self) -> bool {
        self.socket().stamps_departures
    }

    /// Marks the next successful write as a request, so that its send time is recorded. Over HTTP/2 a request may leave as several
    /// frames, each in a write: the last one before [`TapState::departure`] counts.
    pub fn arm(&self) {
        let expected = if self.below.is_some() { ExpectedWrites::Several } else { ExpectedWrites::One };
        self.requests().arm(expected, self.stamps_departures());
    }

    /// The request's write since [`TapState::arm`], if it has happened.
    pub fn departure(&self) -> Option<SendTime> {
        let mut requests = self.requests();
        requests.expected = ExpectedWrites::None;
        requests.current
    }

    /// The kernel's send time of the request that ends at this stream position and had none before, if it has arrived.
    pub fn stamped_since(&self, end: u64) -> Option<SendTime> {
        self.requests().take_stamped(end)
    }

    /// Bytes read from the socket so far.
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Relaxed)
    }

    /// Bytes written to the socket so far.
    pub fn written_bytes(&self) -> u64 {
        self.socket().written_bytes.load(Relaxed)
    }

    /// Discards all further writes. A client that must not answer is muted here, because TLS and the WebSocket above answer by
    /// themselves. Muting is permanent: TLS has counted records that the peer never received.
    pub fn mute(&self) {
        self.socket().muted.store(true, Relaxed);
    }

    fn is_muted(&self) -> bool {
        self.muted.load(Relaxed)
    }

    /// How the stream ended, once it has.
    pub fn end(&self) -> Option<StreamEnd> {
        let socket = self.socket();
        match (socket.end.load(Relaxed), socket.errno.load(Relaxed)) {
            (0, _) => None,
            (1, _) => Some(StreamEnd::Fin),
            (_, 0) => Some(StreamEnd::Error(None)),
            (_, errno) => Some(StreamEnd::Error(Some(errno))),
        }
    }

    fn requests(&self) -> std::sync::MutexGuard<'_, SendTimes> {
        self.socket().requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instant(&self, mark: &AtomicU64) -> Option<Instant> {
        let nanos = mark.load(Relaxed).checked_sub(1)?;
        Some(self.epoch + Duration::from_nanos(nanos))
    }

    fn nanos(&self, at: Instant) -> u64 {
        at.duration_since(self.epoch).as_nanos() as u64 + 1
    }

    fn record_read(&self, bytes: usize, stamp: Option<Instant>) {
        if bytes == 0 {
            let _ = self.end.compare_exchange(0, 1, Relaxed, Relaxed);
            return;
        }
        let returned = self.nanos(Instant::now());
        // The wall clock may have been set meanwhile; arrival times never go backwards.
        let arrived = stamp.map_or(returned, |stamp| self.nanos(stamp).min(returned));
        self.last_read.fetch_max(arrived.max(1), Relaxed);
        self.last_lay.store(stamp.map_or(0, |_| returned - arrived + 1), Relaxed);
        self.read_bytes.fetch_add(bytes as u64, Relaxed);
    }

    fn record_write(&self, began: Instant, bytes: usize) {
        self.last_write.store(self.nanos(began), Relaxed);
        let end = self.written_bytes.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        self.requests().record_write(began, end);
    }

    fn record_sent(&self, departed: TxTimestamp) {
        let behind = (self.written_bytes() as u32).wrapping_sub(departed.last_byte.wrapping_add(1));
        let Some(end) = self.written_bytes().checked_sub(behind.into()) else { return };
        self.requests().apply_timestamp(end, departed.at);
    }

    /// Records an error. It outranks a FIN: data written after the peer's FIN may trigger an RST.
    fn record_error(&self, error: &io::Error) {
        self.errno.store(error.raw_os_error().unwrap_or(0), Relaxed);
        self.end.store(2, Relaxed);
    }
}

/// When a request left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendTime {
    /// The kernel's timestamp, or else the time just before its write.
    pub at: Instant,
    /// Time just before its write.
    pub began: Instant,
    /// Bytes written by then, including its own.
    pub end: u64,
    /// Whether `at` is the kernel's timestamp.
    pub by_kernel: bool,
}

impl SendTime {
    /// A request whose write began at `began` and has no kernel timestamp.
    pub fn unstamped(began: Instant, state: &TapState) -> SendTime {
        SendTime { at: began, began, end: state.written_bytes(), by_kernel: false }
    }
}

/// Maximum number of requests that wait for the kernel's timestamp; the oldest is dropped.
const MAX_UNSTAMPED_WRITES: usize = 16;
/// Maximum number of unread timestamps of other writes. They occupy the receive buffer (SO_RCVBUF): after some two
/// hundred unread ones, nothing could be received.
const MAX_UNREAD_TIMESTAMPS: u32 = 16;
/// A timestamp this much before its write comes from a clock that was set meanwhile.
const MAX_CLOCK_SKEW: Duration = Duration::from_micros(100);

/// Which of the next writes are of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ExpectedWrites {
    #[default]
    None,
    One,
    Several,
}

/// Send times of requests.
#[derive(Debug, Default)]
struct SendTimes {
    /// Which of the next writes are of a request.
    expected: ExpectedWrites,
    current: Option<SendTime>,
    /// Earlier requests without a kernel timestamp when the next one was armed.
    earlier: Vec<SendTime>,
}

impl SendTimes {
    fn arm(&mut self, expected: ExpectedWrites, is_stamped: bool) {
        self.expected = expected;
        let unstamped = self.current.take().filter(|ask| is_stamped && !ask.by_kernel);
        if self.earlier.len() == MAX_UNSTAMPED_WRITES && unstamped.is_some() {
            self.earlier.remove(0);
        }
        if let Some(ask) = unstamped {
            // Usually one waits, on each of thousands of connections.
            self.earlier.reserve_exact(1);
            self.earlier.push(ask);
        }
    }

    fn record_write(&mut self, began: Instant, end: u64) {
        match self.expected {
            ExpectedWrites::None => return,
            ExpectedWrites::One => self.expected = ExpectedWrites::None,
            ExpectedWrites::Several => {}
        }
        self.current = Some(SendTime { at: began, began, end, by_kernel: false });
    }

    /// Applies a kernel timestamp to all bytes up to `end`. Writes sent in one packet share the last one's timestamp.
    fn apply_timestamp(&mut self, end: u64, at: Instant) {
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

    /// Removes an earlier request; frees surplus capacity once none is left.
    fn take_earlier(&mut self, index: usize) -> SendTime {
        let ask = self.earlier.remove(index);
        if self.earlier.is_empty() && self.earlier.capacity() > 1 {
            self.earlier.shrink_to(1);
        }
        ask
    }
}

/// A stream whose traffic is recorded.
#[derive(Debug)]
pub struct Tap<S> {
    inner: S,
    state: Arc<TapState>,
    /// Writes whose timestamps were not read yet.
    unread_timestamps: u32,
}

impl<S: TimestampedRead> Tap<S> {
    /// Records the traffic of `inner` from now on.
    pub fn new(inner: S) -> Tap<S> {
        let state = Arc::new(TapState::new(inner.stamps_departures()));
        Tap { inner, state, unread_timestamps: 0 }
    }

    /// Reads send timestamps while a request's is missing or too many are unread.
    fn read_send_timestamps(&mut self) {
        let stamps = self.state.stamps_departures;
        while stamps && (self.unread_timestamps > MAX_UNREAD_TIMESTAMPS || self.state.requests().is_waiting())
        {
            self.unread_timestamps = self.unread_timestamps.saturating_sub(1);
            let Some(departed) = self.inner.departed() else {
                self.unread_timestamps = 0;
                return;
            };
            self.state.record_sent(departed);
        }
    }
}

impl<S> Tap<S> {
    /// The recorded state; stays valid when the tap is dropped.
    pub fn state(&self) -> Arc<TapState> {
        Arc::clone(&self.state)
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
        let capacity = buf.remaining();
        let before = buf.filled().len();
        // Send timestamps come before the answer to be read.
        self.read_send_timestamps();
        let result = ready!(Pin::new(&mut self.inner).poll_read_stamped(cx, buf));
        match &result {
            Ok(stamp) if capacity > 0 => self.state.record_read(buf.filled().len() - before, *stamp),
            Ok(_) => {}
            Err(error) => self.state.record_error(error),
        }
        Poll::Ready(result.map(|_| ()))
    }
}

impl<S: AsyncWrite + TimestampedRead + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.state.is_muted() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let began = Instant::now();
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        match &result {
            Ok(taken) => {
                self.state.record_write(began, *taken);
                self.unread_timestamps += 1;
                self.read_send_timestamps();
            }
            Err(error) => self.state.record_error(error),
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.is_muted() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state.is_muted() { Poll::Ready(Ok(())) } else { Pin::new(&mut self.inner).poll_shutdown(cx) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::fake_tcp_stream::FakeTcpStream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test(start_paused = true)]
    async fn reads_and_writes_are_timed_at_the_socket() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let state = tap.state();
        let start = Instant::now();
        assert_eq!(state.last_write(), None);
        tokio::time::advance(Duration::from_millis(5)).await;
        tap.write_all(b"abc").await.unwrap();
        assert_eq!(state.last_write(), Some(start + Duration::from_millis(5)));
        tokio::time::advance(Duration::from_millis(7)).await;
        far.write_all(b"de").await.unwrap();
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(state.last_read(), Some(start + Duration::from_millis(12)));
        assert_eq!((state.written_bytes(), state.read_bytes()), (3, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn kernel_timestamps_give_arrival_and_never_go_backwards() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut tap = Tap::new(FakeTcpStream::plain(near));
        let kernel = tap.inner.kernel();
        kernel.lock().unwrap().age = Some(Duration::from_millis(3));
        let (state, start) = (tap.state(), Instant::now());
        tokio::time::advance(Duration::from_millis(5)).await;
        far.write_all(b"abcd").await.unwrap();
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(state.last_read(), Some(start + Duration::from_millis(2)));
        kernel.lock().unwrap().age = Some(Duration::from_secs(3600));
        tap.read_exact(&mut [0; 2]).await.unwrap();
        assert_eq!(state.last_read(), Some(start + Duration::from_millis(2)));
    }

    /// A tap over a kernel that timestamps sent bytes, and its far end, which must stay open.
    fn stamping() -> (Tap<FakeTcpStream>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1024);
        (Tap::new(FakeTcpStream::stamping(near)), far)
    }

    /// Makes a timestamp available from the kernel.
    fn stamps(tap: &Tap<FakeTcpStream>, last_byte: u32, age: u64) {
        tap.inner.kernel().lock().unwrap().departed.push_back((last_byte, Duration::from_millis(age)));
    }

    async fn ask(tap: &mut Tap<FakeTcpStream>, bytes: usize) -> SendTime {
        let state = tap.state();
        state.arm();
        tap.write_all(&vec![0; bytes]).await.unwrap();
        state.departure().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn kernel_send_time_applies_at_once_or_later() {
        let (mut tap, mut far) = stamping();
        let state = tap.state();
        tap.write_all(b"the upgrade").await.unwrap();
        let start = Instant::now();
        stamps(&tap, 15, 0);
        let first = ask(&mut tap, 5).await;
        assert_eq!((first.at, first.by_kernel, first.end), (start, true, 16));
        let second = ask(&mut tap, 5).await;
        assert_eq!((second.by_kernel, state.stamped_since(second.end)), (false, None));
        let third = ask(&mut tap, 5).await;
        tokio::time::advance(Duration::from_millis(8)).await;
        // Both were sent in one packet, which has the timestamp of the last.
        stamps(&tap, 25, 3);
        far.write_all(b"pong").await.unwrap();
        tap.read_exact(&mut [0; 4]).await.unwrap();
        for ask in [second, third] {
            let stamped = state.stamped_since(ask.end).unwrap();
            assert_eq!((stamped.at, stamped.began), (start + Duration::from_millis(5), start));
        }
        assert_eq!(state.stamped_since(second.end), None, "it is returned once");
    }

    #[tokio::test(start_paused = true)]
    async fn timestamp_before_the_write_is_ignored() {
        let (mut tap, _far) = stamping();
        tokio::time::advance(Duration::from_secs(3600)).await;
        stamps(&tap, 4, 60_000);
        let asked = ask(&mut tap, 5).await;
        assert_eq!((asked.at, asked.by_kernel), (Instant::now(), false));
    }

    #[tokio::test(start_paused = true)]
    async fn byte_counter_wraps_at_two_to_the_32() {
        let (mut tap, _far) = stamping();
        tap.state.written_bytes.store((1 << 32) - 2, Relaxed);
        stamps(&tap, 2, 0);
        assert!(ask(&mut tap, 5).await.by_kernel);
        stamps(&tap, 2, 0);
        assert!(!ask(&mut tap, 5).await.by_kernel, "an old timestamp does not apply");
    }

    #[tokio::test(start_paused = true)]
    async fn unstamped_requests_use_bounded_memory() {
        let (mut tap, _far) = stamping();
        for _ in 0..10 * MAX_UNSTAMPED_WRITES {
            ask(&mut tap, 5).await;
        }
        assert_eq!(tap.state.requests().earlier.len(), MAX_UNSTAMPED_WRITES);
    }

    #[tokio::test(start_paused = true)]
    async fn end_of_stream_is_a_fin() {
        let (near, far) = tokio::io::duplex(64);
        let mut tap = Tap::new(near);
        let state = tap.state();
        drop(far);
        assert_eq!(state.end(), None);
        assert_eq!(tap.read(&mut [0; 2]).await.unwrap(), 0);
        assert_eq!(state.end(), Some(StreamEnd::Fin));
    }

    #[tokio::test(start_paused = true)]
    async fn muted_tap_accepts_writes_and_sends_nothing() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut tap = Tap::new(near);
        tap.write_all(b"abc").await.unwrap();
        tap.state().mute();
        tap.write_all(&[0; 100]).await.unwrap();
        tap.shutdown().await.unwrap();
        assert_eq!(tap.state().written_bytes(), 3);
        far.write_all(b"de").await.unwrap();
        assert_eq!(tap.read(&mut [0; 8]).await.unwrap(), 2, "it still reads");
        drop(tap);
        let mut received = Vec::new();
        far.read_to_end(&mut received).await.unwrap();
        assert_eq!(received, b"abc");
    }
}
