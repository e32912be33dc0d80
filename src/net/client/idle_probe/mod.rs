//! One connection of an idle timeout search: idle for a span and then asked once ([`ask_after_idle`]), or kept busy
//! ([`keepalive`]). Both run over any stream with the runtime's clock, so tests check their timing exactly.

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
pub use two_ended::{TWO_ENDED, supports_two_ended};
pub use unmatched_log::UnmatchedLog;

/// Maximum duration of the closing handshake.
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(200);

/// The question asked on a connection, and how long its answer may take.
#[derive(Debug, Clone)]
pub struct Question {
    pub kind: HeartbeatKind,
    /// Request of app heartbeats, and the pattern of its answer.
    pub ask: Template,
    pub answer: Pattern,
    pub timeout: Duration,
    /// How the server's heartbeat protocol works.
    pub profile: ProtocolProfile,
    /// Whether the server's app pings are answered.
    pub answers_server: bool,
    /// Messages that were expected to be answers and are not.
    pub unmatched: UnmatchedLog,
}

impl Question {
    /// The same question of the other heartbeat kind.
    pub fn of_other_kind(&self) -> Question {
        let kind = match self.kind {
            HeartbeatKind::Protocol => HeartbeatKind::App,
            HeartbeatKind::App => HeartbeatKind::Protocol,
        };
        Question { kind, ..self.clone() }
    }
}

/// Result of waiting for a message.
enum ListenResult {
    /// It came; the time is that of the read that brought it.
    Found(Instant),
    /// The connection ended instead.
    End(Disconnect),
    Nothing,
}

/// While the server is sending, an answer may take this many timeouts.
const MAX_TIMEOUTS_WHILE_RECEIVING: u32 = 3;

/// Deadline of an answer to a question asked at `asked`; `bytes`: time of the last bytes of an incomplete message.
fn answer_deadline(asked: Instant, timeout: Duration, bytes: Option<Instant>) -> Instant {
    let sending = bytes.map(|bytes| (bytes + timeout).min(asked + timeout * MAX_TIMEOUTS_WHILE_RECEIVING));
    (asked + timeout).max(sending.unwrap_or(asked))
}

/// Waits for a matching message until a deadline, longer while the server is sending. Ignores other messages.
async fn wait_for<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    until: Instant,
    mut matches: impl FnMut(&Message) -> bool,
) -> ListenResult {
    let (asked, mut until) = (Instant::now(), until);
    let timeout = until.saturating_duration_since(asked);
    while let Ok(step) = timeout_at(until, socket.step()).await {
        if matches!(step, SocketEvent::Bytes) {
            until = answer_deadline(asked, timeout, Some(socket.last_read_at()));
        }
        match message_or_end(socket, step) {
            Err(disconnect) => return ListenResult::End(disconnect),
            Ok(Some(message)) if matches(&message) => return ListenResult::Found(socket.last_read_at()),
            // A flood keeps the socket always ready, so the timeout never fires by itself.
            Ok(_) if Instant::now() >= until => break,
            Ok(_) => tokio::task::coop::consume_budget().await,
        }
    }
    ListenResult::Nothing
}

/// The message of a socket event, if any; the error says how the connection ended.
fn message_or_end<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &WebSocket<S>,
    step: SocketEvent,
) -> Result<Option<Message>, Disconnect> {
    match step {
        SocketEvent::Flushed(_) | SocketEvent::Bytes => Ok(None),
        SocketEvent::Lost(error) => Err(socket.disconnect_on_loss(error)),
        SocketEvent::Message(Message::Close(frame)) => Err(socket.disconnect_on_close(frame)),
        SocketEvent::Message(message) => Ok(Some(message)),
    }
}

/// Sends a close frame and waits briefly for the reply.
pub async fn send_close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocket<S>) {
    let close = Message::Close(Some(CloseFrame { code: 1000_u16.into(), reason: "".into() }));
    if socket.tap_state().end().is_some() || socket.send(close).is_err() {
        return;
    }
    wait_for(socket, Instant::now() + CLOSE_REPLY_TIMEOUT, |_| false).await;
}
