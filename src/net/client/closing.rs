//! The closing handshake on a connection that wscheck ends (RFC 6455 section 7.1.2).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::websocket::{SendOutcome, SocketEvent, WebSocket};
use crate::domain::connection::close_cause::CloseReply;

/// How long to wait for the peer's reaction where nothing depends on it.
const SHORT_WAIT: Duration = Duration::from_millis(200);

/// Sends close 1000 and waits briefly for the reply.
pub async fn close_briefly<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) {
    close(socket, SHORT_WAIT).await;
}

/// Sends close 1000 and waits up to `wait` for the peer's reaction. Ignores other messages meanwhile.
pub async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    wait: Duration,
) -> CloseReply {
    let frame = CloseFrame { code: 1000_u16.into(), reason: "".into() };
    let is_over = socket.tap_state().end().is_some();
    if is_over || matches!(socket.send(Message::Close(Some(frame))), Err(_) | Ok(SendOutcome::Refused)) {
        return CloseReply::NotSent;
    }
    let deadline = Instant::now() + wait;
    while let Ok(event) = timeout_at(deadline, socket.step()).await {
        if let SocketEvent::Ended(end) = event {
            return CloseReply::of(end.who, &end.how, end.os_error.as_deref());
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= deadline {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    if socket.is_blocked() { CloseReply::NotSent } else { CloseReply::Nothing { waited: wait } }
}
