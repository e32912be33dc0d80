//! The connection of an HTTP/2 client: accepts its requests and moves the bytes of its streams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::server::{Builder, Connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::request::Http2Request;
use crate::server::faults::{Http2Faults, MAX_WINDOW};
use crate::server::handshake::MAX_HEAD_BYTES;

/// Maximum number of requests of one connection at a time (SETTINGS_MAX_CONCURRENT_STREAMS).
const MAX_STREAMS: u32 = 256;

/// Window of each stream: the initial one of RFC 9113 section 6.9.2, in bytes.
const STREAM_WINDOW: u32 = 65_535;

/// Maximum number of bytes that wait to be sent on one stream.
const MAX_SEND_BUFFER: usize = 64 * 1024;

/// How long a connection without requests is kept: browsers keep one for the next WebSocket.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Limits of a connection, and its faults.
#[derive(Debug, Clone)]
pub struct Http2Limits {
    /// Time limit for the preface and the first request.
    pub handshake: Duration,
    /// Time limit for the client to close the connection.
    pub close: Duration,
    pub faults: Http2Faults,
}

/// How a connection ended.
#[derive(Debug)]
pub enum Http2End {
    /// Regularly, after at least one request.
    Closed,
    /// The client closed before its first request.
    ClosedEarly,
    /// The first request did not come in time.
    TooSlow,
    Failed(h2::Error),
}

/// Drives one connection.
pub struct Http2Driver {
    limits: Http2Limits,
    stop: CancellationToken,
    /// A WebSocket was opened.
    opened: Arc<Notify>,
    requests: JoinSet<()>,
    /// A request came.
    is_used: bool,
    /// When to send GOAWAY.
    goaway_at: Option<Instant>,
}

/// What can happen on a connection.
enum DriverInput {
    Request(Box<Http2Request>),
    RequestEnded,
    Failed(h2::Error),
    Closed,
    Idle,
    Opened,
    GoAway,
    Stop,
}

impl Http2Driver {
    /// `opened` is notified when a WebSocket was opened.
    pub fn new(limits: Http2Limits, opened: Arc<Notify>, stop: CancellationToken) -> Http2Driver {
        Http2Driver { limits, stop, opened, requests: JoinSet::new(), is_used: false, goaway_at: None }
    }

    /// Serves until the connection and all its requests have ended; `serve` makes the task of a request.
    pub async fn run<S, F>(mut self, stream: S, serve: impl FnMut(Http2Request) -> F) -> Http2End
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
        F: Future<Output = ()> + Send + 'static,
    {
        let shaken = tokio::select! {
            () = self.stop.cancelled() => return Http2End::Closed,
            shaken = timeout(self.limits.handshake, builder(&self.limits.faults).handshake(stream)) => shaken,
        };
        let end = match shaken {
            Ok(Ok(mut connection)) => self.drive(&mut connection, serve).await,
            Ok(Err(error)) if error.is_io() => Http2End::ClosedEarly,
            Ok(Err(error)) => Http2End::Failed(error),
            Err(_) => Http2End::TooSlow,
        };
        // The streams learn from the dropped connection that it has ended.
        while self.requests.join_next().await.is_some() {}
        end
    }

    async fn drive<S, F>(
        &mut self,
        connection: &mut Connection<S, Bytes>,
        mut serve: impl FnMut(Http2Request) -> F,
    ) -> Http2End
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut idle_since = Instant::now();
        let mut is_stopping = false;
        loop {
            match self.next_input(connection, idle_since, is_stopping).await {
                DriverInput::Request(request) => {
                    self.is_used = true;
                    self.requests.spawn(serve(*request));
                }
                DriverInput::RequestEnded => idle_since = Instant::now(),
                DriverInput::Failed(error) if error.is_io() => return self.closed(),
                DriverInput::Failed(error) => return Http2End::Failed(error),
                DriverInput::Closed => return self.closed(),
                DriverInput::Idle => {
                    connection.graceful_shutdown();
                    self.close(connection).await;
                    let is_regular = self.is_used || is_stopping;
                    return if is_regular { Http2End::Closed } else { Http2End::TooSlow };
                }
                DriverInput::Opened => {
                    self.goaway_at = self.limits.faults.goaway_after.map(|after| Instant::now() + after);
                }
                DriverInput::GoAway => {
                    connection.abrupt_shutdown(Reason::NO_ERROR);
                    self.close(connection).await;
                    return Http2End::Closed;
                }
                DriverInput::Stop => is_stopping = true,
            }
        }
    }

    async fn next_input<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        connection: &mut Connection<S, Bytes>,
        idle_since: Instant,
        is_stopping: bool,
    ) -> DriverInput {
        let is_idle = self.requests.is_empty();
        if is_idle && is_stopping {
            return DriverInput::Idle;
        }
        let goaway_at = self.goaway_at;
        let awaits_opening = self.limits.faults.goaway_after.is_some() && goaway_at.is_none();
        let patience = if self.is_used { IDLE_TIME } else { self.limits.handshake };
        tokio::select! {
            biased;
            () = self.stop.cancelled(), if !is_stopping => DriverInput::Stop,
            () = self.opened.notified(), if awaits_opening => DriverInput::Opened,
            () = sleep_until(goaway_at.unwrap_or(idle_since)), if goaway_at.is_some() => DriverInput::GoAway,
            Some(_) = self.requests.join_next() => DriverInput::RequestEnded,
            accepted = connection.accept() => match accepted {
                Some(Ok((request, respond))) => DriverInput::Request(Box::new(Http2Request { request, respond })),
                Some(Err(error)) => DriverInput::Failed(error),
                None => DriverInput::Closed,
            },
            () = sleep_until(idle_since + patience), if is_idle => DriverInput::Idle,
        }
    }

    fn closed(&self) -> Http2End {
        if self.is_used { Http2End::Closed } else { Http2End::ClosedEarly }
    }

    /// Gives GOAWAY and the last answers time to leave.
    async fn close<S: AsyncRead + AsyncWrite + Unpin>(&self, connection: &mut Connection<S, Bytes>) {
        let closing = async { while let Some(Ok(_)) = connection.accept().await {} };
        let _ = timeout(self.limits.close, closing).await;
    }
}

/// The settings of a connection. h2's own limits end clients that reset streams rapidly or send headers without end.
fn builder(faults: &Http2Faults) -> Builder {
    let window = faults.window.unwrap_or(STREAM_WINDOW);
    // A stream that is not read must not stop the others.
    let connection_window = window.saturating_mul(MAX_STREAMS).clamp(STREAM_WINDOW, MAX_WINDOW);
    let mut builder = Builder::new();
    if !faults.no_connect_protocol {
        builder.enable_connect_protocol();
    }
    builder
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_send_buffer_size(MAX_SEND_BUFFER)
        .initial_window_size(window)
        .initial_connection_window_size(connection_window);
    builder
}
