//! Drives one client: moves bytes between its socket and its state until it ends.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::errno::Errno;
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{ClientState, SocketExit};
use super::event::ServeEventKind;
use super::http2;
use super::socket::ClientSocket;
use crate::domain::connection::close_cause::CloseKind;

/// Bytes per read. The buffer is on the stack during a poll, so idle clients need none.
const READ_BUFFER: usize = 4096;

/// What can happen on a connection.
enum ConnectionInput {
    Bytes(Vec<u8>),
    End(CloseKind),
    Failed(io::Error),
    Wrote(usize),
    TimerFired,
    Stop,
}

/// Serves a client until it ends; passes events to `tell`. Returns how to close the socket.
pub async fn serve<S: ClientSocket>(
    stream: &mut S,
    client: &mut ClientState,
    stop: &CancellationToken,
    mut tell: impl FnMut(ServeEventKind),
) -> SocketExit {
    let mut is_stopping = false;
    let mut timer = pin!(sleep_until(Instant::now()));
    let mut is_set = false;
    loop {
        client.notes.drain(..).for_each(&mut tell);
        if let Some(exit) = client.exit() {
            return exit;
        }
        if client.take_half_close() {
            // If the socket cannot be shut down, the next read reports it.
            let _ = stream.send_fin();
        }
        // A time that is too early stays and ends for nothing: a deadline that moves with every frame then need not reset
        // the timer each time.
        let due = client.due(Instant::now()).filter(|due| !is_set || *due < timer.deadline());
        if let Some(due) = due {
            timer.as_mut().reset(due);
            is_set = true;
        }
        let input = tokio::select! {
            biased;
            () = stop.cancelled(), if !is_stopping => ConnectionInput::Stop,
            input = next_input(stream, client) => input,
            () = timer.as_mut(), if is_set => ConnectionInput::TimerFired,
        };
        is_set &= !matches!(input, ConnectionInput::TimerFired);
        is_stopping |= matches!(input, ConnectionInput::Stop);
        handle_input(client, input, Instant::now());
    }
}

/// What comes next from the client. Of a client that is not read only the end matters.
async fn next_input<S: ClientSocket>(stream: &mut S, client: &ClientState) -> ConnectionInput {
    if client.is_stalled() {
        // Boxed, so that the other clients need no room for it.
        return match Box::pin(stream.abandoned()).await {
            Ok(how) => ConnectionInput::End(how),
            Err(error) => ConnectionInput::Failed(error),
        };
    }
    poll_fn(|cx| poll_stream(stream, client, cx)).await
}

fn handle_input(client: &mut ClientState, input: ConnectionInput, now: Instant) {
    match input {
        ConnectionInput::Bytes(bytes) => client.received(&bytes, now),
        ConnectionInput::End(how) => client.on_stream_end(how, now),
        ConnectionInput::Failed(error) if http2::is_our_goaway(&error) => client.on_goaway(now),
        ConnectionInput::Failed(error) => client.on_error(close_kind(&error), os_error(&error), now),
        ConnectionInput::Wrote(count) => client.record_written(count, now),
        ConnectionInput::TimerFired => {}
        ConnectionInput::Stop => client.stop(now),
    }
    client.wake(now);
}

/// Writes what is ready; reads unless the backlog is full.
fn poll_stream<S: ClientSocket>(
    stream: &mut S,
    client: &ClientState,
    cx: &mut Context<'_>,
) -> Poll<ConnectionInput> {
    let ready = client.write_buffer.ready(Instant::now());
    let mut stream = Pin::new(stream);
    let written = if ready.is_empty() {
        stream.as_mut().poll_flush(cx).map_ok(|()| None)
    } else {
        stream.as_mut().poll_write(cx, ready).map_ok(Some)
    };
    match written {
        Poll::Ready(Ok(Some(count))) => return Poll::Ready(ConnectionInput::Wrote(count)),
        Poll::Ready(Err(error)) => return Poll::Ready(ConnectionInput::Failed(error)),
        Poll::Ready(Ok(None)) | Poll::Pending => {}
    }
    if !client.wants_input() {
        return Poll::Pending;
    }
    let mut bytes = [0; READ_BUFFER];
    let mut buffer = ReadBuf::new(&mut bytes);
    stream.as_mut().poll_read(cx, &mut buffer).map(|result| match result {
        Ok(()) if buffer.filled().is_empty() => ConnectionInput::End(S::END),
        Ok(()) => ConnectionInput::Bytes(buffer.filled().to_vec()),
        Err(error) => ConnectionInput::Failed(error),
    })
}

/// How long to read data that crosses our FIN.
const FIN_DRAIN_TIME: Duration = Duration::from_millis(100);

/// Closes a socket, within the time limit. Errors no longer matter.
pub async fn close_socket<S: ClientSocket>(
    mut stream: S,
    client: &ClientState,
    exit: SocketExit,
    within: Duration,
) {
    match exit {
        SocketExit::Clean => {
            let _ = timeout(within, shut_down(&mut stream)).await;
        }
        SocketExit::Fin => {
            // Data that crosses the FIN would be answered by an RST, which can overtake the FIN. Later data is not
            // read, in contrast to a half-close.
            let _ = stream.send_fin();
            let _ = timeout(within.min(FIN_DRAIN_TIME), poll_fn(|cx| poll_drain(&mut stream, cx))).await;
        }
        SocketExit::Terminate => {
            let last_bytes = client.write_buffer.ready(Instant::now());
            poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_write(cx, last_bytes).is_ready())).await;
        }
        SocketExit::Rst => {
            let _ = stream.reset_on_drop();
        }
    }
}

/// Shuts down and reads to the end: closing with unread bytes would send an RST, which might overtake our close frame.
async fn shut_down<S: ClientSocket>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    poll_fn(|cx| poll_drain(stream, cx)).await;
    Ok(())
}

/// Reads and discards until the end; available bytes are discarded at once.
fn poll_drain<S: ClientSocket>(stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
    // On the stack: across an await, the buffer would be part of every client's future.
    let mut bytes = [0; READ_BUFFER];
    loop {
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
            Poll::Ready(_) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
}

fn close_kind(error: &io::Error) -> CloseKind {
    if let Some(kind) = http2::close_kind(error) {
        return kind;
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            CloseKind::Rst
        }
        // rustls reports a stream that ended without close_notify so.
        io::ErrorKind::UnexpectedEof => CloseKind::Fin,
        io::ErrorKind::TimedOut => CloseKind::Timeout,
        _ => CloseKind::Error,
    }
}

/// The error's name in the system's headers.
fn os_error(error: &io::Error) -> Option<String> {
    let errno = error.raw_os_error()?;
    Some(match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("errno {errno}"),
        known => format!("{known:?}"),
    })
}
