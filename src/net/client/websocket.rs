//! A WebSocket over a tapped stream: messages in, messages out, and whether they have left.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::disconnect::Disconnect;
use super::frame_check::CheckedStream;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::heartbeat::template::Payload;
use crate::net::transport::tap::{SendTime, TapState};

/// Read buffer of one connection. The library's own default is 128 KiB for each.
pub const READ_BUFFER: usize = 4096;
/// That of one of many: 7 of our own Pongs.
pub const SMALL_READ_BUFFER: usize = 32;
/// What may wait to be written, so that a peer that floods us with pings and reads no pongs costs
/// no more than this.
const MAX_WRITE_BUFFER: usize = 256 * 1024;
/// No more messages are read in search of a goodbye.
const MAX_MESSAGES_BEFORE_CLOSE: usize = 1000;

/// A client's end of an open WebSocket.
#[derive(Debug)]
pub struct WebSocket<S> {
    /// Boxed: it is moved through several futures, and each would keep a place for it.
    ws: Box<WebSocketStream<CheckedStream<S>>>,
    marks: Arc<TapState>,
    blocked: bool,
    /// How many bytes had come when a step last told of any.
    told_bytes: u64,
}

/// What became of a message that was handed to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// All its bytes were taken.
    Left(SendTime),
    /// Some still wait: local back-pressure. [`SocketEvent::Flushed`] will tell when they have left.
    Blocked,
}

/// What happened on the socket.
#[derive(Debug)]
pub enum SocketEvent {
    Message(Message),
    /// What was blocked has left; the moment is that just before the last write.
    Flushed(Instant),
    /// Bytes came that complete no message: the peer is sending. [`WebSocket::heard_at`] has their moment.
    Bytes,
    /// The stream is over; `None` after a complete closing handshake.
    Lost(Option<Error>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Takes over a stream after its upgrade. `leftover` is what came behind the response's head;
    /// `largest` bounds a message in bytes; `asks` is the size of the largest message to be sent.
    pub async fn new(
        stream: S,
        leftover: Vec<u8>,
        marks: Arc<TapState>,
        largest: usize,
        asks: usize,
    ) -> WebSocket<S> {
        WebSocket::reading(READ_BUFFER, stream, leftover, marks, largest, asks).await
    }

    /// The same with another read buffer.
    pub async fn reading(
        buffer: usize,
        stream: S,
        mut leftover: Vec<u8>,
        marks: Arc<TapState>,
        largest: usize,
        asks: usize,
    ) -> WebSocket<S> {
        let stream = CheckedStream::new(stream, &mut leftover);
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER + 2 * asks)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let ws = WebSocketStream::from_partially_read(stream, leftover, Role::Client, Some(config)).await;
        let told_bytes = marks.read_bytes();
        WebSocket { ws: Box::new(ws), marks, blocked: false, told_bytes }
    }

    /// The tap's marks.
    pub fn tap_state(&self) -> &TapState {
        &self.marks
    }

    /// When the bytes of the last message came: the return of the last read.
    pub fn heard_at(&self) -> Instant {
        self.marks.last_read().unwrap_or_else(Instant::now)
    }

    /// What has come of a frame or a message that is not complete, and how long ago its last bytes came.
    pub fn incomplete(&self) -> Option<IncompleteData> {
        let part = self.ws.get_ref().incomplete()?;
        Some(IncompleteData { part, since: self.heard_at().elapsed() })
    }

    /// Whether bytes of ours wait for the network.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Hands a message over without waiting.
    pub fn send(&mut self, message: Message) -> Result<SendOutcome, Error> {
        self.marks.arm();
        Pin::new(&mut *self.ws).start_send(message)?;
        Ok(if self.try_flush()? { SendOutcome::Left(self.departure()) } else { SendOutcome::Blocked })
    }

    /// Writes what waits to be written, the library's own Pongs included, without waiting; whether all of it left.
    pub fn try_flush(&mut self) -> Result<bool, Error> {
        match Pin::new(&mut *self.ws).poll_flush(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Ok(true),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => {
                self.blocked = true;
                Ok(false)
            }
        }
    }

    /// What was thrown away, behind a shut valve, left now.
    fn departure(&self) -> SendTime {
        self.marks.departure().unwrap_or_else(|| SendTime::unstamped(Instant::now(), &self.marks))
    }

    /// Waits for what happens next. Cancel-safe: nothing is lost when it is dropped.
    pub async fn step(&mut self) -> SocketEvent {
        std::future::poll_fn(|cx| self.poll_step(cx)).await
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        if self.blocked
            && let Poll::Ready(result) = Pin::new(&mut *self.ws).poll_flush(cx)
        {
            self.blocked = false;
            return Poll::Ready(match result {
                Ok(()) => SocketEvent::Flushed(self.marks.last_write().unwrap_or_else(Instant::now)),
                Err(error) => SocketEvent::Lost(Some(error)),
            });
        }
        let polled = Pin::new(&mut *self.ws).poll_next(cx);
        let read_bytes = self.marks.read_bytes();
        let has_more = std::mem::replace(&mut self.told_bytes, read_bytes) < read_bytes;
        match polled {
            Poll::Ready(Some(Ok(message))) => Poll::Ready(SocketEvent::Message(message)),
            Poll::Ready(Some(Err(error))) => Poll::Ready(SocketEvent::Lost(Some(error))),
            Poll::Ready(None) => Poll::Ready(SocketEvent::Lost(None)),
            // The waker is kept: what comes next wakes whoever steps again.
            Poll::Pending if has_more => Poll::Ready(SocketEvent::Bytes),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Why what was to be sent could not be: a goodbye that came before waits to be read, and is what ended it.
    pub fn cut_by(&mut self, error: Error) -> Disconnect {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..MAX_MESSAGES_BEFORE_CLOSE {
            match Pin::new(&mut *self.ws).poll_next(&mut context) {
                Poll::Ready(Some(Ok(Message::Close(frame)))) => return self.closed_by(frame),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
            }
        }
        self.lost_by(Some(error))
    }

    /// How a connection ended on which this close frame came.
    pub fn closed_by(&self, frame: Option<CloseFrame>) -> Disconnect {
        Disconnect::by_close_frame(self.close_payload(), frame)
    }

    /// How a connection ended whose stream was lost; `None` after a complete closing handshake.
    pub fn lost_by(&self, error: Option<Error>) -> Disconnect {
        Disconnect::by_loss(error, &self.marks, self.close_payload())
    }

    fn close_payload(&self) -> Option<&[u8]> {
        self.ws.get_ref().check().close_payload()
    }

    /// The stream below, to ask it something.
    pub fn stream(&self) -> &S {
        self.ws.get_ref().inner()
    }

    /// The stream below, past whatever the WebSocket makes of its end.
    pub fn stream_mut(&mut self) -> &mut S {
        self.ws.get_mut().inner_mut()
    }

    /// Waits until nothing is blocked any more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        let result = std::future::poll_fn(|cx| Pin::new(&mut *self.ws).poll_flush(cx)).await;
        self.blocked = false;
        result
    }
}

/// Whether an error only says that the write buffer is full.
pub fn is_buffer_full(error: &Error) -> bool {
    match error {
        Error::WriteBufferFull(_) => true,
        Error::Io(error) => error.kind() == io::ErrorKind::WouldBlock,
        _ => false,
    }
}

/// The message that carries a payload.
pub fn to_message(payload: Payload) -> Message {
    match payload {
        Payload::Text(text) => Message::text(text),
        Payload::Binary(bytes) => Message::binary(bytes),
    }
}
