//! Drives one client: bytes between its socket and its state, until it is gone.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::client::{ClientState, SocketExit};
use super::event::ServeEventKind;
use super::socket::ClientSocket;
use super::timer_queue::ClientTimer;
use crate::domain::connection::close_cause::CloseKind;

/// Bytes read at a time. The buffer lives on the stack while the socket is polled, so an idle client
/// has none.
const READ_BUFFER: usize = 4096;

/// What can happen to a connection.
enum ConnectionInput {
    Bytes(Vec<u8>),
    End(CloseKind),
    Failed(io::Error),
    Wrote(usize),
    Rung,
    Stop,
}

/// Serves a client until it is gone; says how its socket is to be let go. What happens is told to
/// `tell`.
pub async fn serve<S: ClientSocket>(
    stream: &mut S,
    client: &mut ClientState,
    timer: &ClientTimer,
    stop: &CancellationToken,
    mut tell: impl FnMut(ServeEventKind),
) -> SocketExit {
    let mut told_to_stop = false;
    loop {
        client.notes.drain(..).for_each(&mut tell);
        if let Some(exit) = client.exit() {
            return exit;
        }
        if client.takes_half_close() {
            // A socket that cannot be shut down any more will say so when it is read.
            let _ = stream.send_fin();
        }
        if client.takes_look(Instant::now()) && stream.is_abandoned() {
            client.saw_end(CloseKind::Fin);
            continue;
        }
        timer.ring_by(client.due(Instant::now()));
        let input = tokio::select! {
            biased;
            () = stop.cancelled(), if !told_to_stop => ConnectionInput::Stop,
            input = poll_fn(|cx| poll_stream(stream, client, cx)) => input,
            () = timer.rung() => ConnectionInput::Rung,
        };
        told_to_stop |= matches!(input, ConnectionInput::Stop);
        take(client, input, Instant::now());
    }
}

fn take(client: &mut ClientState, input: ConnectionInput, now: Instant) {
    match input {
        ConnectionInput::Bytes(bytes) => client.received(&bytes, now),
        ConnectionInput::End(how) => client.saw_end(how),
        ConnectionInput::Failed(error) => client.saw_error(how(&error), os_error(&error)),
        ConnectionInput::Wrote(count) => client.wrote(count, now),
        ConnectionInput::Rung => {}
        ConnectionInput::Stop => client.stop(now),
    }
    client.wake(now);
}

/// Writes what is ready; reads, unless too much is owed already.
fn poll_stream<S: ClientSocket>(
    stream: &mut S,
    client: &ClientState,
    cx: &mut Context<'_>,
) -> Poll<ConnectionInput> {
    let ready = client.outbox.ready(Instant::now());
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

/// For so long what crosses a FIN is taken in.
const CROSSING: Duration = Duration::from_millis(100);

/// Lets a socket go; a goodbye takes no longer than `within`. The socket is as good as gone: what fails now changes nothing.
pub async fn let_go<S: ClientSocket>(
    mut stream: S,
    client: &ClientState,
    exit: SocketExit,
    within: Duration,
) {
    match exit {
        SocketExit::Clean => {
            let _ = timeout(within, say_goodbye(&mut stream)).await;
        }
        SocketExit::Fin => {
            // What crosses the FIN would be answered by RST, which can overtake it in the client. What comes
            // later finds nobody: that is how this differs from a half-close.
            let _ = stream.send_fin();
            let _ = timeout(within.min(CROSSING), poll_fn(|cx| poll_drain(&mut stream, cx))).await;
        }
        SocketExit::Terminate => {
            let last_words = client.outbox.ready(Instant::now());
            poll_fn(|cx| Poll::Ready(Pin::new(&mut stream).poll_write(cx, last_words).is_ready())).await;
        }
        SocketExit::Rst => {
            let _ = stream.reset_on_drop();
        }
    }
}

/// A close over unread bytes would be an RST, and might overtake our close frame: the client is heard out.
async fn say_goodbye<S: ClientSocket>(stream: &mut S) -> io::Result<()> {
    stream.shutdown().await?;
    poll_fn(|cx| poll_drain(stream, cx)).await;
    Ok(())
}

/// Takes what comes, to the end; what has come already is taken at once.
fn poll_drain<S: ClientSocket>(stream: &mut S, cx: &mut Context<'_>) -> Poll<()> {
    // On the stack: held across an await, it would be part of every client's future.
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

fn how(error: &io::Error) -> CloseKind {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted => {
            CloseKind::Rst
        }
        // rustls says so of a stream that ended without close_notify.
        io::ErrorKind::UnexpectedEof => CloseKind::Fin,
        io::ErrorKind::TimedOut => CloseKind::Timeout,
        _ => CloseKind::Error,
    }
}

/// The error's name as the system's headers have it.
fn os_error(error: &io::Error) -> Option<String> {
    let name = match error.raw_os_error()? {
        libc::ECONNRESET => "ECONNRESET",
        libc::EPIPE => "EPIPE",
        libc::ETIMEDOUT => "ETIMEDOUT",
        libc::ECONNABORTED => "ECONNABORTED",
        libc::EHOSTUNREACH => "EHOSTUNREACH",
        libc::ENETUNREACH => "ENETUNREACH",
        libc::ENETDOWN => "ENETDOWN",
        other => return Some(format!("errno {other}")),
    };
    Some(name.to_string())
}
