//! A look at a server before anything is said to it: which convention of heartbeats does it seem to speak?

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::target::Target;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::presets::{FingerprintInput, PresetMatches, offered_at, resembles};
use crate::net::client::gzip_message::decompress_gzip;
use crate::net::client::idle_probe::send_close;
use crate::net::client::websocket::{SocketEvent, WebSocket};
use crate::net::connect::dial::{self, DialPlan};
use crate::net::transport::stream::Stream;

/// Who speaks first does so by then.
const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that ends the connection so soon, beyond a round trip, did not wait for anything: it does not want it.
const IMMEDIATE_CLOSE: Duration = Duration::from_millis(500);
/// So many messages are looked at.
const MAX_MESSAGES: usize = 4;

/// So many connections are opened at most.
const MAX_CONNECTIONS: usize = 3;

/// What one look at a server showed.
struct DetectionAttempt {
    subprotocol: Option<String>,
    messages: Vec<(PresetMatches, String)>,
    /// The server ended the connection at once.
    refused: bool,
}

/// Opens a connection, hears what the server says first, and says goodbye. Where the user offers no subprotocol, those
/// are offered that go with the URL's path. `largest` bounds a message in bytes.
///
/// Many servers' libraries choose the first that is offered, whatever their applications speak, which then close: such
/// a choice tells nothing, and the others are offered without it.
pub async fn reconnoitre(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
) -> Result<FingerprintInput, ConnectError> {
    let mut dial = dial.clone();
    let is_ours = dial.subprotocols.is_empty();
    if is_ours {
        dial.subprotocols = offered_at(target.resource()).into_iter().map(str::to_string).collect();
    }
    let mut seen = look(target, &dial, largest).await?;
    for _ in 1..MAX_CONNECTIONS {
        let Some(refused) = seen.subprotocol.clone().filter(|_| is_ours && seen.refused) else { break };
        dial.subprotocols.retain(|name| *name != refused);
        if dial.subprotocols.is_empty() {
            seen.subprotocol = None;
            break;
        }
        seen = look(target, &dial, largest).await?;
    }
    let subprotocol = seen.subprotocol.filter(|_| !(is_ours && seen.refused));
    Ok(FingerprintInput { resource: target.resource().to_string(), subprotocol, messages: seen.messages })
}

async fn look(target: &Target, dial: &DialPlan, largest: usize) -> Result<DetectionAttempt, ConnectError> {
    let dial::Open { stream, leftover, tap_state, facts } = dial::open(dial, target).await?;
    let mut socket = WebSocket::new(stream, leftover, tap_state, largest, 1024).await;
    let began = Instant::now();
    let (messages, ended) = first_words(&mut socket).await;
    let refused = ended && began.elapsed() < IMMEDIATE_CLOSE + facts.phases.upgrade.unwrap_or_default();
    send_close(&mut socket).await;
    let subprotocol = facts.subprotocol.map(|name| name.as_str().to_string());
    Ok(DetectionAttempt { subprotocol, messages, refused })
}

/// What it says, until that is typical of something, or is enough; and whether it ended the connection.
async fn first_words(socket: &mut WebSocket<Stream>) -> (Vec<(PresetMatches, String)>, bool) {
    let until = Instant::now() + FIRST_MESSAGE_TIMEOUT;
    let mut words = Vec::new();
    while let Ok(step) = timeout_at(until, socket.step()).await {
        let message = match step {
            SocketEvent::Lost(_) | SocketEvent::Message(Message::Close(_)) => return (words, true),
            SocketEvent::Flushed(_) | SocketEvent::Bytes => continue,
            SocketEvent::Message(message) => message,
        };
        if let Some((presets, shown)) = word(&message) {
            let is_known = !presets.is_empty();
            words.push((presets, shown));
            if is_known || words.len() == MAX_MESSAGES {
                break;
            }
        }
        // A flood is always ready, and the timeout is not looked at while it is.
        if Instant::now() >= until {
            break;
        }
    }
    (words, false)
}

/// What a message is typical of; `None` of a frame that is none.
fn word(message: &Message) -> Option<(PresetMatches, String)> {
    let heard = match message {
        Message::Text(text) => MessageRef::Text(text),
        Message::Binary(bytes) => MessageRef::Binary(bytes),
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return None,
    };
    let unpacked = decompress_gzip(heard);
    let heard = unpacked.as_deref().map_or(heard, MessageRef::Text);
    Some((resembles(heard), shown(heard).as_str().to_string()))
}
