//! Sends a message in two fragments with a Ping frame between them (RFC 6455 section 5.4): an endpoint must answer control
//! frames in the middle of a fragmented message. Intermediaries and servers that collect fragments often do not.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::disconnect::Disconnect;
use super::websocket::{SocketEvent, WebSocket};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::doctor::evidence::FragmentsOutcome;

/// The payload of the Ping frame.
const PAYLOAD: &[u8] = b"wscheck between fragments";

/// Sends `text` in two fragments and waits up to `wait` for the Pong to the Ping between them.
pub async fn ping_between_fragments<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    text: &str,
    wait: Duration,
) -> FragmentsOutcome {
    if let Some(why) = control(socket, text, wait).await {
        return FragmentsOutcome::NotTried(why);
    }
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
    let (first, rest) = text.split_at(middle);
    let part = |text: &str, code: Data, is_last: bool| {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Message::Frame(Frame::message(bytes, OpCode::Data(code), is_last))
    };
    let frames = [
        part(first, Data::Text, false),
        Message::Ping(Bytes::from_static(PAYLOAD)),
        part(rest, Data::Continue, true),
    ];
    for frame in frames {
        if let Err(error) = socket.send(frame) {
            return ended(&socket.disconnect_on_send_error(error));
        }
    }
    await_pong(socket, wait).await
}

/// The same Ping and the same message, one after the other and in one frame each: why nothing follows from fragments.
async fn control<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    text: &str,
    wait: Duration,
) -> Option<&'static str> {
    for frame in [Message::text(text), Message::Ping(Bytes::from_static(PAYLOAD))] {
        if socket.send(frame).is_err() {
            return Some("the server ended the connection at the same message in one frame");
        }
    }
    match await_pong(socket, wait).await {
        FragmentsOutcome::Answered => None,
        FragmentsOutcome::Ended(_) => {
            Some("the server ended the connection at the same message in one frame")
        }
        FragmentsOutcome::PingUnanswered { .. } | FragmentsOutcome::NotTried(_) => {
            Some("the server answers no Ping frame after that message")
        }
    }
}

fn ended(disconnect: &Disconnect) -> FragmentsOutcome {
    let Disconnect { who, how, os_error } = disconnect;
    FragmentsOutcome::Ended(CloseCause::describe(*who, how, os_error.as_deref()))
}

async fn await_pong<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    wait: Duration,
) -> FragmentsOutcome {
    let deadline = Instant::now() + wait;
    while let Ok(step) = timeout_at(deadline, socket.step()).await {
        match step {
            SocketEvent::Message(Message::Pong(payload)) if payload == PAYLOAD => {
                return FragmentsOutcome::Answered;
            }
            SocketEvent::Message(Message::Close(frame)) => {
                return ended(&socket.disconnect_on_close(frame));
            }
            SocketEvent::Lost(error) => return ended(&socket.disconnect_on_loss(error)),
            SocketEvent::Message(_) | SocketEvent::Flushed(_) | SocketEvent::Bytes => {}
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= deadline {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    FragmentsOutcome::PingUnanswered { waited: wait }
}
