//! Detects a server's heartbeat protocol from its first messages, before anything is sent.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::target::Target;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::presets::{FingerprintInput, PresetMatches, offered_at, resembles};
use crate::net::client::gzip_message::decompress_gzip;
use crate::net::client::idle_probe::send_close;
use crate::net::client::websocket::{SocketEvent, WebSocket};
use crate::net::connect::dial::{self, DialPlan};
use crate::net::transport::stream::Stream;

/// A server that sends first does so within this time.
const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that closes within this time, plus a round trip, rejects the connection itself.
const IMMEDIATE_CLOSE: Duration = Duration::from_millis(500);
/// Maximum number of messages that are examined.
const MAX_MESSAGES: usize = 4;

/// Maximum number of connections that are opened.
const MAX_CONNECTIONS: usize = 3;

/// What one connection showed.
struct DetectionAttempt {
    subprotocol: Option<String>,
    messages: Vec<(PresetMatches, String)>,
    /// The server closed the connection immediately.
    refused: bool,
}

/// Opens a connection, reads the server's first messages, and closes. If the user offers no subprotocol, offers those
/// that match the URL's path. `largest` bounds a message in bytes.
///
/// Many servers' libraries choose the first offered subprotocol, even if the application does not speak it and closes.
/// Such a choice means nothing, so the others are offered without it.
pub async fn collect_fingerprint(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
) -> Result<FingerprintInput, ConnectError> {
    let mut dial = dial.clone();
    let is_ours = dial.subprotocols.is_empty();
    if is_ours {
        dial.subprotocols = offered_at(target.resource()).into_iter().map(str::to_string).collect();
    }
    let mut seen = try_connection(target, &dial, largest).await?;
    for _ in 1..MAX_CONNECTIONS {
        let Some(refused) = seen.subprotocol.clone().filter(|_| is_ours && seen.refused) else { break };
        dial.subprotocols.retain(|name| *name != refused);
        if dial.subprotocols.is_empty() {
            seen.subprotocol = None;
            break;
        }
        seen = try_connection(target, &dial, largest).await?;
    }
    let subprotocol = seen.subprotocol.filter(|_| !(is_ours && seen.refused));
    Ok(FingerprintInput { resource: target.resource().to_string(), subprotocol, messages: seen.messages })
}

async fn try_connection(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
) -> Result<DetectionAttempt, ConnectError> {
    let dial::Open { stream, leftover, tap_state, facts } = dial::open(dial, target).await?;
    let mut socket = WebSocket::new(stream, leftover, tap_state, largest, 1024).await;
    let began = Instant::now();
    let (messages, ended) = read_first_messages(&mut socket).await;
    let refused = ended && began.elapsed() < IMMEDIATE_CLOSE + facts.phases.upgrade.unwrap_or_default();
    send_close(&mut socket).await;
    let subprotocol = facts.subprotocol.map(|name| name.as_str().to_string());
    Ok(DetectionAttempt { subprotocol, messages, refused })
}

/// The server's first messages, until one is typical of a preset or enough came; and whether the server closed.
async fn read_first_messages(socket: &mut WebSocket<Stream>) -> (Vec<(PresetMatches, String)>, bool) {
    let until = Instant::now() + FIRST_MESSAGE_TIMEOUT;
    let mut messages = Vec::new();
    while let Ok(step) = timeout_at(until, socket.step()).await {
        let message = match step {
            SocketEvent::Lost(_) | SocketEvent::Message(Message::Close(_)) => return (messages, true),
            SocketEvent::Flushed(_) | SocketEvent::Bytes => continue,
            SocketEvent::Message(message) => message,
        };
        if let Some((presets, shown)) = match_presets(&message) {
            let is_known = !presets.is_empty();
            messages.push((presets, shown));
            if is_known || messages.len() == MAX_MESSAGES {
                break;
            }
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= until {
            break;
        }
    }
    (messages, false)
}

/// The presets that a message is typical of; `None` for a control frame.
fn match_presets(message: &Message) -> Option<(PresetMatches, String)> {
    let message = match message {
        Message::Text(text) => MessageRef::Text(text),
        Message::Binary(bytes) => MessageRef::Binary(bytes),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return None,
    };
    let unpacked = decompress_gzip(message);
    let message = unpacked.as_deref().map_or(message, MessageRef::Text);
    Some((resembles(message), shown(message).as_str().to_string()))
}
