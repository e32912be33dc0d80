//! One connection of an idle timeout search: idle for a span and then asked once ([`ask_after_idle`]), or kept busy
//! ([`keepalive`]). Both run over any stream with the runtime's clock, so tests check their timing exactly.

pub mod ask_after_idle;
pub mod keepalive;
mod question_codec;
mod two_ended;
mod unmatched_log;

#[cfg(test)]
mod flow_control_tests;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::websocket::{SocketEvent, WebSocket};

pub use question_codec::QuestionCodec;
pub use two_ended::{TWO_ENDED, supports_two_ended};
pub use unmatched_log::UnmatchedLog;

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
            HeartbeatKind::Protocol | HeartbeatKind::Http2 => HeartbeatKind::App,
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
    End(Box<Disconnect>),
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
    mut matches: impl FnMut(&SocketEvent) -> bool,
) -> ListenResult {
    let (asked, mut until) = (Instant::now(), until);
    let timeout = until.saturating_duration_since(asked);
    while let Ok(event) = timeout_at(until, socket.step()).await {
        match event {
            SocketEvent::Ended(disconnect) => return ListenResult::End(disconnect),
            SocketEvent::Bytes => until = answer_deadline(asked, timeout, Some(socket.last_read_at())),
            event if matches(&event) => return ListenResult::Found(socket.last_read_at()),
            _ => {}
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= until {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    ListenResult::Nothing
}
