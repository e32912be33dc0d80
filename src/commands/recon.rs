//! A look at a server before anything is said to it: which convention of heartbeats does it seem to speak?

use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::domain::heartbeat::incoming::MessageRef;
use crate::domain::heartbeat::presets::{Clues, Preset, offered_at, resembles};
use crate::domain::listen::shapes::shown;
use crate::domain::opening::OpenError;
use crate::domain::target::Target;
use crate::net::dial::{self, DialPlan};
use crate::net::packed::unpacked;
use crate::net::stream::Stream;
use crate::net::trial::part;
use crate::net::websocket::{Socket, Step};

/// Who speaks first does so by then.
const PATIENCE: Duration = Duration::from_secs(2);
/// So many messages are looked at.
const MOST: usize = 4;

/// Opens a connection, hears what the server says first, and says goodbye. Where the user offers no subprotocol, those
/// are offered that go with the URL's path. `largest` bounds a message in bytes.
pub async fn reconnoitre(target: &Target, dial: &DialPlan, largest: usize) -> Result<Clues, OpenError> {
    let mut dial = dial.clone();
    if dial.subprotocols.is_empty() {
        dial.subprotocols = offered_at(target.resource()).into_iter().map(str::to_string).collect();
    }
    let dial::Open { stream, leftover, marks, facts } = dial::open(&dial, target).await?;
    let mut socket = Socket::new(stream, leftover, marks, largest, 1024).await;
    let messages = first_words(&mut socket).await;
    part(&mut socket).await;
    let subprotocol = facts.subprotocol.map(|name| name.as_str().to_string());
    Ok(Clues { resource: target.resource().to_string(), subprotocol, messages })
}

/// What it says, until that is typical of something, or is enough.
async fn first_words(socket: &mut Socket<Stream>) -> Vec<(Vec<&'static Preset>, String)> {
    let until = Instant::now() + PATIENCE;
    let mut words = Vec::new();
    while let Ok(Step::Message(message)) = timeout_at(until, socket.step()).await {
        let heard = match &message {
            Message::Text(text) => MessageRef::Text(text),
            Message::Binary(bytes) => MessageRef::Binary(bytes),
            Message::Close(_) => break,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) if Instant::now() < until => continue,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => break,
        };
        let unpacked = unpacked(heard);
        let heard = unpacked.as_deref().map_or(heard, MessageRef::Text);
        let presets = resembles(heard);
        let is_known = !presets.is_empty();
        words.push((presets, shown(heard).as_str().to_string()));
        if is_known || words.len() == MOST {
            break;
        }
    }
    words
}
