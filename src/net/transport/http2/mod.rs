//! HTTP/2 below WebSockets (RFC 8441): the connection, which a task of its own drives, and its streams.
//!
//! The h2 library speaks the protocol. It reads the tapped socket through [`ObservedIo`], which notes when each stream's data
//! came. What a stream writes leaves at once, in the same call, so that its time of departure is that of the socket.

pub mod end;
pub mod goaway_log;
pub mod inbound_frames;
pub mod send_windows;
pub mod signals;
pub mod stream;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use h2::PingPong;
use h2::client::{self, SendRequest};
use http::{Request, Response};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::AbortHandle;

use self::end::Http2End;
use self::goaway_log::GoawayLog;
use self::inbound_frames::InboundFrames;
use self::stream::{Http2Stream, WatchedStream};
use super::byte_stream::ByteStream;
use super::socket::TransportSocket;
use super::tap::TapState;
use crate::domain::connection::goaway::Goaway;
use crate::domain::connection::http2::{ExhaustedWindow, Http2Code};

/// How much a stream may hold that was not read, in bytes: the default of RFC 9113 section 6.9.2.
const STREAM_WINDOW: u32 = 65_535;
/// How much memory unread frames may take beside their data, in bytes: a window full of frames with a byte each, at 256 a frame. A
/// burst of small messages is no fault of the server's, but the library's default would end the connection for it.
const MAX_FRAME_OVERHEAD: usize = STREAM_WINDOW as usize * 256;
/// The largest header list that is accepted, in bytes.
const MAX_HEADER_LIST: u32 = 64 * 1024;
/// A connection that fails within this time of a GOAWAY without an error was ended by it.
const GOAWAY_TO_END: Duration = Duration::from_secs(1);
/// How many bytes of a stream may wait for the socket.
const MAX_SEND_BUFFER: usize = 1024 * 1024;

/// A connection of HTTP/2 to a server. When it is dropped, it ends with GOAWAY, without waiting for the peer.
pub struct Http2Connection {
    /// `None` only while it is dropped.
    requests: Option<SendRequest<Bytes>>,
    shared: Arc<Shared>,
    driver: AbortHandle,
}

/// What the connection, its streams and its driver share.
struct Shared {
    /// `None`: it has ended.
    connection: Mutex<Option<client::Connection<ObservedIo, Bytes>>>,
    /// Why it ended, if not by its own will.
    error: Mutex<Option<h2::Error>>,
    /// The driver's. Streams poll the connection with it, too, so that it is the driver that wakes when there is more.
    driver_waker: Mutex<Waker>,
    /// What sends PINGs, until a stream takes it.
    pings: Mutex<Option<PingPong>>,
    /// Waits for blocked bytes to leave.
    flush_wakers: Mutex<Vec<Waker>>,
    observed: Observed,
    tap_state: Arc<TapState>,
}

/// The stream below the library, and what was seen on it.
#[derive(Clone)]
struct Observed {
    below: Arc<Mutex<ByteStream>>,
    frames: Arc<Mutex<InboundFrames>>,
    /// Whether the last write was refused for want of room.
    blocked: Arc<AtomicBool>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Http2Connection {
    /// Sends the preface and our settings on `below`, whose socket has the state `tap_state`, and starts the driver. GOAWAY is
    /// recorded in `goaways`.
    pub async fn start(
        below: ByteStream,
        tap_state: Arc<TapState>,
        goaways: Option<GoawayLog>,
    ) -> Result<Http2Connection, io::Error> {
        let frames = InboundFrames::new(Arc::clone(&tap_state)).recording(goaways);
        let observed = Observed {
            below: Arc::new(Mutex::new(below)),
            frames: Arc::new(Mutex::new(frames)),
            blocked: Arc::default(),
        };
        let handshake = client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .max_header_list_size(MAX_HEADER_LIST)
            .max_send_buffer_size(MAX_SEND_BUFFER)
            .data_frame_budget(MAX_FRAME_OVERHEAD)
            .handshake(ObservedIo(observed.clone()));
        let (requests, mut connection) = handshake.await.map_err(into_io)?;
        let pings = Mutex::new(connection.ping_pong());
        let shared = Arc::new(Shared {
            pings,
            connection: Mutex::new(Some(connection)),
            error: Mutex::default(),
            driver_waker: Mutex::new(Waker::noop().clone()),
            flush_wakers: Mutex::default(),
            observed,
            tap_state,
        });
        let driver = tokio::spawn(drive(Arc::clone(&shared))).abort_handle();
        Ok(Http2Connection { requests: Some(requests), shared, driver })
    }

    /// Waits for the server's settings. Returns whether they allow extended CONNECT (RFC 8441 section 3).
    pub async fn allows_connect_protocol(&self) -> Result<bool, io::Error> {
        poll_fn(|cx| {
            let allowed = self.frames().connect_protocol(cx.waker());
            match allowed {
                Some(allowed) => Poll::Ready(Ok(allowed)),
                None if lock(&self.shared.connection).is_some() => Poll::Pending,
                None => Poll::Ready(Err(self.end(None, None))),
            }
        })
        .await
    }

    /// Sends a request whose stream stays open, and holds the connection from then on; waits for the response. The error says
    /// how the stream ended.
    pub async fn request(self: Arc<Self>, request: Request<()>) -> io::Result<(Response<()>, Http2Stream)> {
        let Some(requests) = self.requests.clone() else { return Err(self.end(None, None)) };
        let mut ready = requests.ready().await.map_err(|error| self.end(Some(&error), None))?;
        let (response, send) =
            ready.send_request(request, false).map_err(|error| self.end(Some(&error), None))?;
        // From the start: data may come together with the response.
        let watched = WatchedStream::new(self, send.stream_id().as_u32());
        let response = response.await.map_err(|error| watched.end(Some(&error)))?;
        let (head, receive) = response.into_parts();
        Ok((Response::from_parts(head, ()), Http2Stream::new(watched, send, receive)))
    }

    /// What came so far.
    pub fn frames(&self) -> MutexGuard<'_, InboundFrames> {
        lock(&self.shared.observed.frames)
    }

    /// Which window has no room for more of a stream that the library lets send nothing; `None` if its bytes wait for the socket.
    fn exhausted_window(&self, stream: u32) -> Option<ExhaustedWindow> {
        let exhausted = self.frames().windows().exhausted(stream);
        let is_socket_blocked = self.shared.observed.blocked.load(Relaxed);
        exhausted.or_else(|| (!is_socket_blocked).then_some(ExhaustedWindow::Unknown))
    }

    /// How many streams the server allows at once.
    pub fn max_streams(&self) -> usize {
        self.requests.as_ref().map_or(0, SendRequest::current_max_send_streams)
    }

    /// Whether it has ended, or will take no more streams.
    pub fn is_over(&self) -> bool {
        lock(&self.shared.connection).is_none() || self.frames().goaway().is_some()
    }

    /// How the connection ended, or `stream` of it; `error` is what the library says of the latter.
    pub fn end(&self, error: Option<&h2::Error>, stream: Option<u32>) -> io::Error {
        let of_connection = lock(&self.shared.error);
        let errors = || error.into_iter().chain(of_connection.as_ref());
        let frames = self.frames();
        if let Some(code) = stream.and_then(|stream| frames.reset(stream)) {
            return Http2End::Reset(code).into();
        }
        let code = |error: &h2::Error| error.reason().map(|reason| Http2Code(reason.into()));
        if let Some(code) = errors().filter(|error| error.is_library()).find_map(code) {
            return Http2End::Broken(code).into();
        }
        let io_error = errors().find_map(h2::Error::get_io);
        let since_goaway = frames.goaway_at().map_or(Duration::MAX, |at| at.elapsed());
        let is_cause = |goaway: &&Goaway| io_error.is_none() || explains_reset(goaway, since_goaway);
        if let Some(goaway) = frames.goaway().filter(is_cause) {
            return Http2End::Goaway(goaway.clone()).into();
        }
        match io_error {
            Some(error) => io::Error::new(error.kind(), error.to_string()),
            None if lock(&self.shared.connection).is_none() => io::ErrorKind::UnexpectedEof.into(),
            None => errors().find_map(code).map_or(Http2End::EndStream, Http2End::Reset).into(),
        }
    }

    /// What sends PINGs; `None` if another stream does.
    fn take_pings(&self) -> Option<PingPong> {
        lock(&self.shared.pings).take()
    }

    /// When bytes came and left on the socket.
    pub fn tap_state(&self) -> Arc<TapState> {
        Arc::clone(&self.shared.tap_state)
    }

    /// The certificates that the server sent; empty without TLS.
    pub fn peer_certificates(&self) -> Vec<CertificateDer<'static>> {
        lock(&self.shared.observed.below).peer_certificates().to_vec()
    }

    /// Calls `look` with the socket.
    pub fn with_socket<T>(&self, look: impl FnOnce(&TransportSocket) -> T) -> T {
        look(lock(&self.shared.observed.below).socket())
    }

    /// Reads and writes what can be read and written now.
    fn drive(&self) {
        self.shared.drive();
    }

    /// Writes what waits. Ready once all of it is with the socket.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.drive();
        if !self.shared.observed.blocked.load(Relaxed) {
            return Poll::Ready(());
        }
        let mut wakers = lock(&self.shared.flush_wakers);
        // A task may ask often while it waits.
        if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl std::fmt::Debug for Http2Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http2Connection").finish_non_exhaustive()
    }
}

impl Drop for Http2Connection {
    fn drop(&mut self) {
        self.requests = None;
        // Without streams and requests, the library ends the connection: first what resets the streams leaves, then what ends
        // the connection. What cannot leave now never will.
        for _ in 0..2 {
            self.shared.drive();
        }
        self.driver.abort();
    }
}

/// Drives the connection to its end.
async fn drive(shared: Arc<Shared>) {
    poll_fn(|cx| {
        lock(&shared.driver_waker).clone_from(cx.waker());
        shared.drive();
        if lock(&shared.connection).is_some() { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

impl Shared {
    /// Reads and writes what can be read and written now. The driver is woken when there is more.
    fn drive(&self) {
        let waker = lock(&self.driver_waker).clone();
        let mut connection = lock(&self.connection);
        let Some(open) = connection.as_mut() else { return };
        if let Poll::Ready(result) = Pin::new(open).poll(&mut Context::from_waker(&waker)) {
            *lock(&self.error) = result.err();
            *connection = None;
            self.observed.blocked.store(false, Relaxed);
            lock(&self.observed.frames).wake();
        }
        drop(connection);
        if !self.observed.blocked.load(Relaxed) {
            lock(&self.flush_wakers).drain(..).for_each(Waker::wake);
        }
    }
}

/// Whether a GOAWAY is why the connection fails this long after it. A server that only announces the end may go on for long, until
/// something else ends the connection.
fn explains_reset(goaway: &Goaway, since: Duration) -> bool {
    goaway.code != Http2Code::NO_ERROR || since < GOAWAY_TO_END
}

fn into_io(error: h2::Error) -> io::Error {
    match error.is_io() {
        true => error.into_io().unwrap_or_else(|| io::ErrorKind::Other.into()),
        false => io::Error::other(error.to_string()),
    }
}

/// The stream below the library, which notes what comes.
struct ObservedIo(Observed);

impl ObservedIo {
    fn note_blocked<T>(&self, polled: Poll<T>) -> Poll<T> {
        self.0.blocked.store(polled.is_pending(), Relaxed);
        polled
    }
}

impl AsyncRead for ObservedIo {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut *lock(&self.0.below)).poll_read(cx, buf))?;
        lock(&self.0.frames).take(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ObservedIo {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *lock(&self.0.below)).poll_write(cx, bytes);
        self.note_blocked(written)
    }

    /// The library keeps the head of a large frame apart from its payload. Both leave in one write, so that the time of departure
    /// is that of the whole frame.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [whole] => self.poll_write(cx, whole),
            parts => {
                let parts: Vec<&[u8]> = parts.iter().map(|part| &part[..]).collect();
                self.poll_write(cx, &parts.concat())
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut *lock(&self.0.below)).poll_flush(cx);
        self.note_blocked(flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *lock(&self.0.below)).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_announcement_explains_no_reset() {
        let explains = |code, after| {
            let goaway = Goaway { code, last_stream: 1, debug: Default::default() };
            explains_reset(&goaway, Duration::from_millis(after))
        };
        assert!(explains(Http2Code::NO_ERROR, 100) && !explains(Http2Code::NO_ERROR, 2000));
        assert!(explains(Http2Code::ENHANCE_YOUR_CALM, 2000), "an error is no announcement");
    }
}
