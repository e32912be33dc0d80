//! A stream of an HTTP/2 connection as a byte stream.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Ping, PingPong, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::Http2Connection;
use super::end::Http2End;
use super::signals::Http2Signals;
use crate::domain::connection::goaway::Goaway;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::net::transport::tap::TapState;

/// A stream whose arrivals are noted.
pub(super) struct WatchedStream {
    connection: Arc<Http2Connection>,
    id: u32,
    tap_state: Arc<TapState>,
}

impl WatchedStream {
    pub(super) fn new(connection: Arc<Http2Connection>, id: u32) -> WatchedStream {
        let tap_state = Arc::new(TapState::of_stream(connection.tap_state()));
        connection.frames().watch(id, Arc::clone(&tap_state));
        WatchedStream { connection, id, tap_state }
    }

    /// Which window has no room for more, if the library lets nothing leave.
    fn exhausted_window(&self) -> Option<ExhaustedWindow> {
        self.connection.exhausted_window(self.id)
    }

    fn note_sent(&self, bytes: usize) {
        self.connection.frames().windows().send(self.id, bytes);
    }

    /// How the stream ended; `error` is what the library says of it, if anything.
    pub(super) fn end(&self, error: Option<&h2::Error>) -> io::Error {
        self.connection.end(error, Some(self.id))
    }
}

impl Drop for WatchedStream {
    fn drop(&mut self) {
        self.connection.frames().forget(self.id);
    }
}

/// An open stream of a connection that other streams may share. Dropping it resets the stream if it has not ended.
pub struct Http2Stream {
    send: SendStream<Bytes>,
    receive: RecvStream,
    /// Received and not read yet.
    received: Bytes,
    /// The window whose room the last write waits for.
    exhausted_window: Option<ExhaustedWindow>,
    /// What sends PINGs, if this stream does.
    pings: Option<PingPong>,
    /// Last: the connection is to outlive what belongs to the stream.
    watched: WatchedStream,
}

impl Http2Stream {
    pub(super) fn new(watched: WatchedStream, send: SendStream<Bytes>, receive: RecvStream) -> Http2Stream {
        Http2Stream { send, receive, received: Bytes::new(), exhausted_window: None, pings: None, watched }
    }

    /// When the stream's bytes came and left.
    pub fn tap_state(&self) -> Arc<TapState> {
        Arc::clone(&self.watched.tap_state)
    }

    /// The connection that it is a stream of.
    pub fn connection(&self) -> &Arc<Http2Connection> {
        &self.watched.connection
    }

    /// The window whose room bytes wait for, since the peer granted none.
    pub fn exhausted_window(&self) -> Option<ExhaustedWindow> {
        self.exhausted_window
    }

    /// Sends END_STREAM, and keeps the receiving side open.
    pub(in crate::net::transport) fn end_sending(&mut self) {
        // It fails if the stream has ended already.
        let _ = self.send.send_data(Bytes::new(), true);
        self.watched.connection.drive();
    }

    /// The start of a body, at most `size` bytes; empty at its end.
    pub async fn body(&mut self, size: usize) -> Bytes {
        let Some(Ok(bytes)) = self.receive.data().await else { return Bytes::new() };
        let _ = self.receive.flow_control().release_capacity(bytes.len());
        bytes.slice(..bytes.len().min(size))
    }
}

impl Http2Signals for Http2Stream {
    fn claim_http2_pings(&mut self) -> bool {
        self.pings = self.pings.take().or_else(|| self.watched.connection.take_pings());
        self.pings.is_some()
    }

    fn queue_http2_ping(&mut self) -> bool {
        self.pings.as_mut().is_some_and(|pings| pings.send_ping(Ping::opaque()).is_ok())
    }

    fn poll_http2_pong(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let Some(pings) = &mut self.pings else { return Poll::Pending };
        match ready!(pings.poll_pong(cx)) {
            Ok(_) => Poll::Ready(self.watched.connection.frames().pong_at().unwrap_or_else(Instant::now)),
            // The connection is over, which the stream tells.
            Err(_) => Poll::Pending,
        }
    }

    fn poll_goaway(&mut self, cx: &mut Context<'_>) -> Poll<(Goaway, Instant)> {
        self.watched.connection.frames().poll_goaway(self.watched.id, cx)
    }
}

impl fmt::Debug for Http2Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http2Stream").field("id", &self.watched.id).finish_non_exhaustive()
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.received.is_empty() {
            match ready!(self.receive.poll_data(cx)) {
                Some(Ok(bytes)) => self.received = bytes,
                Some(Err(error)) => return Poll::Ready(Err(self.watched.end(Some(&error)))),
                // It ended in order, whatever else came.
                None => return Poll::Ready(Err(Http2End::EndStream.into())),
            }
        }
        let count = self.received.len().min(buf.remaining());
        buf.put_slice(&self.received[..count]);
        self.received.advance(count);
        // What was read makes room in the window (RFC 9113 section 5.2). It fails only if the stream is over.
        let _ = self.receive.flow_control().release_capacity(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        self.send.reserve_capacity(bytes.len());
        loop {
            let count = self.send.capacity().min(bytes.len());
            if count > 0 {
                self.exhausted_window = None;
                self.watched.note_sent(count);
                let sent = self.send.send_data(Bytes::copy_from_slice(&bytes[..count]), false);
                return Poll::Ready(sent.map(|()| count).map_err(|error| self.watched.end(Some(&error))));
            }
            self.exhausted_window = self.watched.exhausted_window();
            match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(self.watched.end(Some(&error)))),
                None => return Poll::Ready(Err(self.watched.end(None))),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.watched.connection.poll_flush(cx).map(Ok)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end_sending();
        self.watched.connection.poll_flush(cx).map(Ok)
    }
}
