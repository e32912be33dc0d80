//! One connection of a search for an idle timeout: either silent for a span and then asked once
//! ([`silence`]), or never idle ([`keep`]). Both run over any stream, with the runtime's clock, so that
//! their timing is tested exactly.

pub mod ask_after_idle;
pub mod keepalive;
mod question_codec;
mod two_ended;
mod unmatched_log;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::websocket::{SocketEvent, WebSocket};

pub use question_codec::QuestionCodec;
pub use two_ended::{TWO_ENDED, speaks};
pub use unmatched_log::UnmatchedLog;

/// How long a closing handshake may take.
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(200);

/// What is asked on a connection, and how long an answer may take.
#[derive(Debug, Clone)]
pub struct Question {
    pub kind: HeartbeatKind,
    /// What app heartbeats ask, and what answers them.
    pub ask: Template,
    pub answer: Pattern,
    pub timeout: Duration,
    /// How the server speaks of heartbeats.
    pub convention: ProtocolProfile,
    /// The server's own app pings are answered.
    pub answers_server: bool,
    /// What comes without being an answer.
    pub unmatched: UnmatchedLog,
}

impl Question {
    /// The same of the other kind.
    pub fn of_other_kind(&self) -> Question {
        let kind = match self.kind {
            HeartbeatKind::Protocol => HeartbeatKind::App,
            HeartbeatKind::App => HeartbeatKind::Protocol,
        };
        Question { kind, ..self.clone() }
    }
}

/// What came of listening for something.
enum ListenResult {
    /// It came; the moment is the return of the read that brought it.
    Found(Instant),
    /// The connection ended instead.
    End(Disconnect),
    Nothing,
}

/// An answer that the server is in the middle of sending, or that comes behind what it is sending, is waited for so many
/// times as long.
const MAX_TIMEOUTS_WHILE_RECEIVING: u32 = 3;

/// When an answer is overdue that was asked for at that moment, if bytes came last at this one that complete nothing yet.
fn overdue(asked: Instant, timeout: Duration, bytes: Option<Instant>) -> Instant {
    let sending = bytes.map(|bytes| (bytes + timeout).min(asked + timeout * MAX_TIMEOUTS_WHILE_RECEIVING));
    (asked + timeout).max(sending.unwrap_or(asked))
}

/// Waits for a message until a moment, or longer while the server is sending one; others are passed over.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    until: Instant,
    mut is_it: impl FnMut(&Message) -> bool,
) -> ListenResult {
    let (asked, mut until) = (Instant::now(), until);
    let timeout = until.saturating_duration_since(asked);
    while let Ok(step) = timeout_at(until, socket.step()).await {
        if matches!(step, SocketEvent::Bytes) {
            until = overdue(asked, timeout, Some(socket.heard_at()));
        }
        match ended(socket, step) {
            Err(cut) => return ListenResult::End(cut),
            Ok(Some(message)) if is_it(&message) => return ListenResult::Found(socket.heard_at()),
            // A flood is always ready, and the timeout is not looked at while it is.
            Ok(_) if Instant::now() >= until => break,
            Ok(_) => tokio::task::coop::consume_budget().await,
        }
    }
    ListenResult::Nothing
}

/// The message that a step brought, if it brought one; the error says how the connection ended.
fn ended<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &WebSocket<S>,
    step: SocketEvent,
) -> Result<Option<Message>, Disconnect> {
    match step {
        SocketEvent::Flushed(_) | SocketEvent::Bytes => Ok(None),
        SocketEvent::Lost(error) => Err(socket.lost_by(error)),
        SocketEvent::Message(Message::Close(frame)) => Err(socket.closed_by(frame)),
        SocketEvent::Message(message) => Ok(Some(message)),
    }
}

/// Says goodbye on a connection that is of no more use, and waits a moment for the answer.
pub async fn say_goodbye<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) {
    let goodbye = Message::Close(Some(CloseFrame { code: 1000_u16.into(), reason: "".into() }));
    if socket.tap_state().end().is_some() || socket.send(goodbye).is_err() {
        return;
    }
    listen(socket, Instant::now() + CLOSE_REPLY_TIMEOUT, |_| false).await;
}
