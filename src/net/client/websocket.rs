//! A WebSocket over a tapped stream: sends and receives messages, and reports when sent bytes have left.

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

/// Read buffer of one connection, in bytes. The library's default is 128 KiB.
pub const READ_BUFFER: usize = 4096;
/// Read buffer per connection in a run of many, in bytes: 7 of our own Pongs.
pub const SMALL_READ_BUFFER: usize = 32;
/// Maximum bytes that wait to be written, so that a peer which floods us with pings and reads no pongs stays cheap.
/// So much of a payload is written to a trace.
const TRACED_CHARS: usize = 200;
const MAX_WRITE_BUFFER: usize = 256 * 1024;
/// Maximum number of messages to read in search of a close frame.
const MAX_MESSAGES_BEFORE_CLOSE: usize = 1000;

/// The client's end of an open WebSocket.
#[derive(Debug)]
pub struct WebSocket<S> {
    /// Boxed: several futures hold it in turn, and each would reserve its size.
    ws: Box<WebSocketStream<CheckedStream<S>>>,
    tap_state: Arc<TapState>,
    blocked: bool,
    /// Bytes received when a step last reported any.
    reported_bytes: u64,
}

/// What happened to a message passed to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendOutcome {
    /// All its bytes were written.
    Left(SendTime),
    /// Some bytes wait because of local back-pressure. [`SocketEvent::Flushed`] reports when they have left.
    Blocked,
}

/// An event on the socket.
#[derive(Debug)]
pub enum SocketEvent {
    Message(Message),
    /// All blocked bytes were written; the time is just before the last write.
    Flushed(Instant),
    /// Bytes came that complete no message. [`WebSocket::last_read_at`] is their time.
    Bytes,
    /// The stream ended; `None` after a complete closing handshake.
    Lost(Option<Error>),
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Wraps a stream after its upgrade. `leftover`: bytes received after the response head; `largest`: maximum size of
    /// a received message in bytes; `largest_request`: size of the largest message to send.
    pub async fn new(
        stream: S,
        leftover: Vec<u8>,
        tap_state: Arc<TapState>,
        largest: usize,
        largest_request: usize,
    ) -> WebSocket<S> {
        WebSocket::with_read_buffer(READ_BUFFER, stream, leftover, tap_state, largest, largest_request).await
    }

    /// Like [`WebSocket::new`], with another read buffer size.
    pub async fn with_read_buffer(
        buffer: usize,
        stream: S,
        mut leftover: Vec<u8>,
        tap_state: Arc<TapState>,
        largest: usize,
        largest_request: usize,
    ) -> WebSocket<S> {
        let stream = CheckedStream::new(stream, &mut leftover);
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER + 2 * largest_request)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let ws = WebSocketStream::from_partially_read(stream, leftover, Role::Client, Some(config)).await;
        let reported_bytes = tap_state.read_bytes();
        WebSocket { ws: Box::new(ws), tap_state, blocked: false, reported_bytes }
    }

    /// What the tap recorded.
    pub fn tap_state(&self) -> &TapState {
        &self.tap_state
    }

    /// When the last bytes came: the return of the last read.
    pub fn last_read_at(&self) -> Instant {
        self.tap_state.last_read().unwrap_or_else(Instant::now)
    }

    /// The incomplete frame or message and the time since its last bytes.
    pub fn incomplete(&self) -> Option<IncompleteData> {
        let part = self.ws.get_ref().incomplete()?;
        Some(IncompleteData { part, since: self.last_read_at().elapsed() })
    }

    /// Whether sent bytes wait for the network.
    pub fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Sends a message without waiting.
    pub fn send(&mut self, message: Message) -> Result<SendOutcome, Error> {
        self.tap_state.arm();
        self.trace("sent", &message);
        Pin::new(&mut *self.ws).start_send(message)?;
        Ok(if self.try_flush()? { SendOutcome::Left(self.send_time()) } else { SendOutcome::Blocked })
    }

    /// Writes queued bytes, including the library's Pongs, without waiting. Returns whether all of them left.
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

    /// When the last message left. A muted message, which is discarded, leaves now.
    fn send_time(&self) -> SendTime {
        self.tap_state.departure().unwrap_or_else(|| SendTime::unstamped(Instant::now(), &self.tap_state))
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn step(&mut self) -> SocketEvent {
        std::future::poll_fn(|cx| self.poll_step(cx)).await
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        if self.blocked
            && let Poll::Ready(result) = Pin::new(&mut *self.ws).poll_flush(cx)
        {
            self.blocked = false;
            return Poll::Ready(match result {
                Ok(()) => SocketEvent::Flushed(self.tap_state.last_write().unwrap_or_else(Instant::now)),
                Err(error) => SocketEvent::Lost(Some(error)),
            });
        }
        let polled = Pin::new(&mut *self.ws).poll_next(cx);
        let read_bytes = self.tap_state.read_bytes();
        let has_more = std::mem::replace(&mut self.reported_bytes, read_bytes) < read_bytes;
        match polled {
            Poll::Ready(Some(Ok(message))) => {
                self.trace("received", &message);
                Poll::Ready(SocketEvent::Message(message))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(SocketEvent::Lost(Some(error))),
            Poll::Ready(None) => Poll::Ready(SocketEvent::Lost(None)),
            // The waker is registered: new bytes wake the next caller of `step`.
            Poll::Pending if has_more => Poll::Ready(SocketEvent::Bytes),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Writes a frame to the trace, if there is one.
    fn trace(&self, direction: &'static str, message: &Message) {
        if !tracing::enabled!(target: "frame", tracing::Level::INFO) {
            return;
        }
        let kind = match message {
            Message::Text(_) => "text",
            Message::Binary(_) => "binary",
            Message::Ping(_) => "ping",
            Message::Pong(_) => "pong",
            Message::Close(_) => "close",
            Message::Frame(_) => "frame",
        };
        // The socket's state is where it is for as long as the connection lives.
        let connection = format!("{:p}", Arc::as_ptr(&self.tap_state));
        let length = message.len() as u64;
        tracing::info!(target: "frame", connection, direction, frame = kind, length, start = start_of(message));
    }

    /// How the connection ended if a send failed. A close frame that was not read yet is the actual cause.
    pub fn disconnect_on_send_error(&mut self, error: Error) -> Disconnect {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..MAX_MESSAGES_BEFORE_CLOSE {
            match Pin::new(&mut *self.ws).poll_next(&mut context) {
                Poll::Ready(Some(Ok(Message::Close(frame)))) => return self.disconnect_on_close(frame),
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => break,
            }
        }
        self.disconnect_on_loss(Some(error))
    }

    /// How the connection ended if this close frame came.
    pub fn disconnect_on_close(&self, frame: Option<CloseFrame>) -> Disconnect {
        Disconnect::by_close_frame(self.close_payload(), frame)
    }

    /// How the connection ended if the stream was lost; `None` after a complete closing handshake.
    pub fn disconnect_on_loss(&self, error: Option<Error>) -> Disconnect {
        Disconnect::by_loss(error, &self.tap_state, self.close_payload())
    }

    fn close_payload(&self) -> Option<&[u8]> {
        self.ws.get_ref().check().close_payload()
    }

    /// The stream below the WebSocket.
    pub fn stream(&self) -> &S {
        self.ws.get_ref().inner()
    }

    /// The stream below the WebSocket and the frame check.
    pub fn stream_mut(&mut self) -> &mut S {
        self.ws.get_mut().inner_mut()
    }

    /// Waits until no bytes are blocked.
    pub async fn flush(&mut self) -> Result<(), Error> {
        let result = std::future::poll_fn(|cx| Pin::new(&mut *self.ws).poll_flush(cx)).await;
        self.blocked = false;
        result
    }
}

/// Whether an error only means that the write buffer is full.
pub fn is_buffer_full(error: &Error) -> bool {
    match error {
        Error::WriteBufferFull(_) => true,
        Error::Io(error) => error.kind() == io::ErrorKind::WouldBlock,
        _ => false,
    }
}

/// The start of a payload: of a close frame its code and reason, and text where it is text, else hexadecimal.
fn start_of(message: &Message) -> String {
    match message {
        Message::Close(frame) => {
            frame.as_ref().map(|frame| format!("{} {}", frame.code, frame.reason)).unwrap_or_default()
        }
        other => {
            let bytes = other.clone().into_data();
            match std::str::from_utf8(&bytes) {
                Ok(text) if !text.contains(char::is_control) => text.chars().take(TRACED_CHARS).collect(),
                Ok(_) | Err(_) => {
                    bytes.iter().take(TRACED_CHARS / 2).map(|byte| format!("{byte:02x}")).collect()
                }
            }
        }
    }
}

pub fn to_message(payload: Payload) -> Message {
    match payload {
        Payload::Text(text) => Message::text(text),
        Payload::Binary(bytes) => Message::binary(bytes),
    }
}
