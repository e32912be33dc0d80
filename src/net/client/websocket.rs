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
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use super::checked_stream::CheckedStream;
use super::deflate::Compressor;
use super::disconnect::Disconnect;
use super::gzip_message::decompress_gzip;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::template::Payload;
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::tap::{SendTime, TapState, TcpIntrospect};
use crate::net::transport::upgraded_stream::UpgradedStream;

/// Read buffer of one connection, in bytes. The library's default is 128 KiB.
pub const READ_BUFFER: usize = 4096;
/// Read buffer per connection in a run of many, in bytes: 7 of our own Pongs.
pub const SMALL_READ_BUFFER: usize = 32;
/// So much of a payload is written to a trace.
const TRACED_CHARS: usize = 200;
/// Maximum bytes that wait to be written, so that a peer which floods us with pings and reads no pongs stays cheap.
const MAX_WRITE_BUFFER: usize = 256 * 1024;
/// Maximum number of messages to read in search of a close frame.
const MAX_MESSAGES_BEFORE_CLOSE: usize = 1000;

/// The client's end of an open WebSocket.
#[derive(Debug)]
pub struct WebSocket<S> {
    /// Boxed: several futures hold it in turn, and each would reserve its size.
    ws: Box<WebSocketStream<CheckedStream<S>>>,
    tap_state: Arc<TapState>,
    /// Compresses sent messages, if that was agreed.
    compressor: Option<Box<Compressor>>,
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
    /// The write buffer is full: nothing of it was taken.
    Refused,
}

impl SendOutcome {
    /// When all its bytes were written, if they were.
    pub fn left_at(self) -> Option<Instant> {
        match self {
            SendOutcome::Left(send_time) => Some(send_time.at),
            SendOutcome::Blocked | SendOutcome::Refused => None,
        }
    }
}

/// An event on the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A Ping frame. The library answers it when it writes next.
    Ping(Bytes),
    Pong(Bytes),
    Message(ReceivedMessage),
    /// All blocked bytes were written; the time is just before the last write.
    Flushed(Instant),
    /// Bytes came that complete no message. [`WebSocket::last_read_at`] is their time.
    Bytes,
    /// The connection ended: by a close frame, or because the stream was lost. Boxed, since most events are small.
    Ended(Box<Disconnect>),
}

/// A message as received; one that is compressed with gzip is decompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceivedMessage {
    Text(Utf8Bytes),
    Binary(Bytes),
}

impl ReceivedMessage {
    fn binary(bytes: Bytes) -> ReceivedMessage {
        match decompress_gzip(&bytes) {
            Some(text) => ReceivedMessage::Text(text.into()),
            None => ReceivedMessage::Binary(bytes),
        }
    }

    /// The message, borrowed.
    pub fn content(&self) -> MessageRef<'_> {
        match self {
            ReceivedMessage::Text(text) => MessageRef::Text(text),
            ReceivedMessage::Binary(bytes) => MessageRef::Binary(bytes),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Wraps a stream after its upgrade. `largest`: maximum size of a received message in bytes; `largest_request`: size of
    /// the largest message to send.
    pub async fn new(upgraded: UpgradedStream<S>, largest: usize, largest_request: usize) -> WebSocket<S> {
        WebSocket::with_read_buffer(READ_BUFFER, upgraded, largest, largest_request).await
    }

    /// Like [`WebSocket::new`], with another read buffer size.
    pub async fn with_read_buffer(
        buffer: usize,
        upgraded: UpgradedStream<S>,
        largest: usize,
        largest_request: usize,
    ) -> WebSocket<S> {
        let UpgradedStream { stream, mut leftover, tap_state, deflate } = upgraded;
        let stream = CheckedStream::new(stream, &mut leftover, deflate, largest);
        let config = WebSocketConfig::default()
            .read_buffer_size(buffer)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_WRITE_BUFFER + 2 * largest_request)
            .max_message_size(Some(largest))
            .max_frame_size(Some(largest));
        let ws = WebSocketStream::from_partially_read(stream, leftover, Role::Client, Some(config)).await;
        let reported_bytes = tap_state.read_bytes();
        let compressor = deflate.map(|agreed| Box::new(Compressor::new(&agreed)));
        WebSocket { ws: Box::new(ws), tap_state, compressor, blocked: false, reported_bytes }
    }

    /// What the tap recorded.
    pub fn tap_state(&self) -> &TapState {
        &self.tap_state
    }

    /// When the last byte passed, in either direction.
    pub fn last_traffic(&self) -> Option<Instant> {
        self.tap_state.last_read().max(self.tap_state.last_write())
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

    /// The window of HTTP/2 whose room the last bytes wait for; `None` if they have left, or wait for the network.
    pub fn held_back_by(&self) -> Option<ExhaustedWindow>
    where
        S: TcpIntrospect,
    {
        self.stream().exhausted_window()
    }

    /// Sends a message without waiting. The error says how the connection ended.
    pub fn send(&mut self, message: Message) -> Result<SendOutcome, Disconnect> {
        self.tap_state.arm();
        self.trace("sent", &message);
        let message = match &mut self.compressor {
            Some(compressor) => compressor.compress(message),
            None => message,
        };
        match self.start_send(message) {
            Ok(true) => Ok(SendOutcome::Left(self.send_time())),
            Ok(false) => Ok(SendOutcome::Blocked),
            Err(error) if is_buffer_full(&error) => {
                self.compressor.iter_mut().for_each(|compressor| compressor.forget());
                Ok(SendOutcome::Refused)
            }
            Err(error) => Err(self.disconnect_on_send_error(error)),
        }
    }

    /// Queues a message and writes what is queued. Returns whether all of it left.
    fn start_send(&mut self, message: Message) -> Result<bool, Error> {
        Pin::new(&mut *self.ws).start_send(message)?;
        self.write_queued()
    }

    fn write_queued(&mut self) -> Result<bool, Error> {
        match Pin::new(&mut *self.ws).poll_flush(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(|()| true),
            Poll::Pending => {
                self.blocked = true;
                Ok(false)
            }
        }
    }

    /// Writes queued bytes, including the library's Pongs, without waiting. Returns whether all of them left.
    pub fn try_flush(&mut self) -> Result<bool, Disconnect> {
        match self.write_queued() {
            Err(error) if is_buffer_full(&error) => Ok(false),
            left => left.map_err(|error| self.disconnect_on_send_error(error)),
        }
    }

    /// Sends a PING of HTTP/2, unless one is in flight: then `None`.
    pub fn send_http2_ping(&mut self) -> Option<SendTime>
    where
        S: Http2Signals,
    {
        if !self.stream_mut().queue_http2_ping() {
            return None;
        }
        self.tap_state.arm();
        let mut context = Context::from_waker(Waker::noop());
        // What waits for the socket leaves later; that the connection has ended shows when it is read.
        let _ = Pin::new(self.stream_mut()).poll_flush(&mut context);
        Some(self.send_time())
    }

    /// When the last message left. A muted message, which is discarded, leaves now.
    fn send_time(&self) -> SendTime {
        self.tap_state.departure().unwrap_or_else(|| SendTime::unstamped(Instant::now(), &self.tap_state))
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn step(&mut self) -> SocketEvent {
        std::future::poll_fn(|cx| self.poll_step(cx)).await
    }

    /// Polls for the next event.
    pub fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        if self.blocked
            && let Poll::Ready(result) = Pin::new(&mut *self.ws).poll_flush(cx)
        {
            self.blocked = false;
            return Poll::Ready(match result {
                Ok(()) => SocketEvent::Flushed(self.tap_state.last_write().unwrap_or_else(Instant::now)),
                Err(error) => self.ended(Some(error)),
            });
        }
        let polled = Pin::new(&mut *self.ws).poll_next(cx);
        let read_bytes = self.tap_state.read_bytes();
        let has_more = std::mem::replace(&mut self.reported_bytes, read_bytes) < read_bytes;
        match polled {
            Poll::Ready(Some(Ok(message))) => {
                self.trace("received", &message);
                Poll::Ready(self.read(message))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(self.ended(Some(error))),
            Poll::Ready(None) => Poll::Ready(self.ended(None)),
            // The waker is registered: new bytes wake the next caller of `step`.
            Poll::Pending if has_more => Poll::Ready(SocketEvent::Bytes),
            Poll::Pending => Poll::Pending,
        }
    }

    fn read(&self, message: Message) -> SocketEvent {
        match message {
            Message::Ping(payload) => SocketEvent::Ping(payload),
            Message::Pong(payload) => SocketEvent::Pong(payload),
            Message::Text(text) => SocketEvent::Message(ReceivedMessage::Text(text)),
            Message::Binary(bytes) => SocketEvent::Message(ReceivedMessage::binary(bytes)),
            Message::Close(frame) => SocketEvent::Ended(Box::new(self.disconnect_on_close(frame))),
            // The library only takes these, and returns none.
            Message::Frame(_) => SocketEvent::Bytes,
        }
    }

    /// The stream was lost; `error` is `None` after a complete closing handshake.
    fn ended(&self, error: Option<Error>) -> SocketEvent {
        SocketEvent::Ended(Box::new(self.disconnect_on_loss(error)))
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
    fn disconnect_on_send_error(&mut self, error: Error) -> Disconnect {
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

    fn disconnect_on_close(&self, frame: Option<CloseFrame>) -> Disconnect {
        Disconnect::by_close_frame(self.close_payload(), frame)
    }

    fn disconnect_on_loss(&self, error: Option<Error>) -> Disconnect {
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

    /// Waits until no bytes are blocked. The error says how the connection ended.
    pub async fn flush(&mut self) -> Result<(), Disconnect> {
        let result = std::future::poll_fn(|cx| Pin::new(&mut *self.ws).poll_flush(cx)).await;
        self.blocked = false;
        result.map_err(|error| self.disconnect_on_loss(Some(error)))
    }
}

/// Whether an error only means that the write buffer is full.
fn is_buffer_full(error: &Error) -> bool {
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

/// A payload as a message to send.
pub fn to_message(payload: Payload) -> Message {
    match payload {
        Payload::Text(text) => Message::text(text),
        Payload::Binary(bytes) => Message::binary(bytes),
    }
}
