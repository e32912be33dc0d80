//! The closing handshake on a connection that wscheck ends (RFC 6455 section 7.1.2).

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::websocket::{SocketEvent, WebSocket};
use crate::domain::connection::close_cause::CloseReply;

/// Sends close 1000 and waits up to `wait` for the peer's reaction. Ignores other messages meanwhile.
pub async fn close<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    wait: Duration,
) -> CloseReply {
    let frame = CloseFrame { code: 1000_u16.into(), reason: "".into() };
    if socket.tap_state().end().is_some() || socket.send(Message::Close(Some(frame))).is_err() {
        return CloseReply::NotSent;
    }
    let deadline = Instant::now() + wait;
    while let Ok(step) = timeout_at(deadline, socket.step()).await {
        let cut = match step {
            SocketEvent::Lost(error) => Some(socket.disconnect_on_loss(error)),
            SocketEvent::Message(Message::Close(frame)) => Some(socket.disconnect_on_close(frame)),
            SocketEvent::Message(_) | SocketEvent::Flushed(_) | SocketEvent::Bytes => None,
        };
        if let Some(cut) = cut {
            return CloseReply::of(cut.who, &cut.how, cut.os_error.as_deref());
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= deadline {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    if socket.is_blocked() { CloseReply::NotSent } else { CloseReply::Nothing { waited: wait } }
}
