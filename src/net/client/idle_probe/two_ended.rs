//! Client side of the two-ended mode: the server sends first after an idle span, which shows in which direction the
//! path loses data. The server's module of the same name describes the messages.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{ListenResult, wait_for};
use crate::net::client::websocket::{ReceivedMessage, SocketEvent, WebSocket};

/// Subprotocol that offers the two-ended mode.
pub const TWO_ENDED: &str = "wscheck.two-ended.v1";

/// The request that the server send after an idle span.
pub fn request(after: Duration, nonce: u64) -> Message {
    let text = json!({ "wscheck": "speak_after", "ms": millis(after), "id": id(nonce) }).to_string();
    Message::text(text)
}

/// The span in milliseconds, rounded up as the server counts it.
pub fn millis(after: Duration) -> u64 {
    u64::try_from(after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Whether it is the requested message.
pub fn is_requested_message(event: &SocketEvent, nonce: u64) -> bool {
    let SocketEvent::Message(ReceivedMessage::Text(text)) = event else { return false };
    let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
    let is = |key: &str, wanted: &str| value.get(key).and_then(Value::as_str) == Some(wanted);
    is("wscheck", "spoke") && is("id", &id(nonce))
}

/// Whether the server sends when asked. The chosen subprotocol does not prove it: some libraries choose whatever is
/// offered first.
pub async fn supports_two_ended<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    patience: Duration,
) -> bool {
    let (nonce, until) = (rand::random(), Instant::now() + patience);
    if socket.send(request(Duration::ZERO, nonce)).is_err() {
        return false;
    }
    matches!(
        wait_for(socket, until, |event| is_requested_message(event, nonce)).await,
        ListenResult::Found(_)
    )
}

fn id(nonce: u64) -> String {
    format!("{nonce:016x}")
}
