//! Detects a server's heartbeat protocol from its first messages, before anything is sent.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::connect::{Connected, connect};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::target::Target;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::presets::{FingerprintInput, PresetMatches, offered_at, resembles};
use crate::net::client::closing::close_briefly;
use crate::net::client::websocket::{SocketEvent, WebSocket};
use crate::net::connect::dial::DialPlan;
use crate::net::transport::stream::Stream;

/// A server that sends first does so within this time.
const FIRST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(2);
/// A server that closes within this time, plus a round trip, rejects the connection itself.
const IMMEDIATE_CLOSE: Duration = Duration::from_millis(500);
/// Maximum number of messages that are examined.
const MAX_MESSAGES: usize = 4;

/// Maximum number of connections that are opened.
const MAX_CONNECTIONS: usize = 3;

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
    let (mut seen, mut is_refused) = try_connection(target, &dial, largest).await?;
    for _ in 1..MAX_CONNECTIONS {
        let Some(refused) = seen.subprotocol.clone().filter(|_| is_ours && is_refused) else { break };
        dial.subprotocols.retain(|name| *name != refused);
        if dial.subprotocols.is_empty() {
            break;
        }
        (seen, is_refused) = try_connection(target, &dial, largest).await?;
    }
    if is_ours && is_refused {
        seen.subprotocol = None;
    }
    Ok(seen)
}

/// What one connection shows, and whether the server closed it immediately.
async fn try_connection(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
) -> Result<(FingerprintInput, bool), ConnectError> {
    let Connected { mut socket, info: facts, .. } = connect(target, dial, largest, 1024).await?;
    let began = Instant::now();
    let (messages, ended) = read_first_messages(&mut socket).await;
    let refused = ended && began.elapsed() < IMMEDIATE_CLOSE + facts.phases.upgrade.unwrap_or_default();
    close_briefly(&mut socket).await;
    let subprotocol = facts.subprotocol.map(|name| name.as_str().to_string());
    Ok((FingerprintInput { resource: target.resource().to_string(), subprotocol, messages }, refused))
}

/// The server's first messages, until one is typical of a preset or enough came; and whether the server closed.
async fn read_first_messages(socket: &mut WebSocket<Stream>) -> (Vec<(PresetMatches, String)>, bool) {
    let until = Instant::now() + FIRST_MESSAGE_TIMEOUT;
    let mut messages = Vec::new();
    while let Ok(step) = timeout_at(until, socket.step()).await {
        match step {
            SocketEvent::Ended(_) => return (messages, true),
            SocketEvent::Message(message) => {
                let presets = resembles(message.content());
                let is_known = !presets.is_empty();
                messages.push((presets, shown(message.content()).as_str().to_string()));
                if is_known || messages.len() == MAX_MESSAGES {
                    break;
                }
            }
            SocketEvent::Ping(_) | SocketEvent::Pong(_) | SocketEvent::Flushed(_) | SocketEvent::Bytes => {
                continue;
            }
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= until {
            break;
        }
    }
    (messages, false)
}
