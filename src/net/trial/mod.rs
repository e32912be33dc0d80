//! One connection of a search for an idle timeout: either silent for a span and then asked once
//! ([`silence`]), or never idle ([`keep`]). Both run over any stream, with the runtime's clock, so that
//! their timing is tested exactly.

pub mod keep;
pub mod silence;
mod two_ended;
mod unmatched_log;
mod voice;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::domain::heartbeat::Kind;
use crate::domain::heartbeat::convention::Convention;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::net::endings::Cut;
use crate::net::websocket::{Socket, Step};

pub use two_ended::{TWO_ENDED, speaks};
pub use unmatched_log::UnmatchedLog;
pub use voice::Voice;

/// How long a closing handshake may take.
const PARTING_WAIT: Duration = Duration::from_millis(200);

/// What is asked on a connection, and how long an answer may take.
#[derive(Debug, Clone)]
pub struct Question {
    pub kind: Kind,
    /// What app heartbeats ask, and what answers them.
    pub ask: Template,
    pub answer: Pattern,
    pub timeout: Duration,
    /// How the server speaks of heartbeats.
    pub convention: Convention,
    /// The server's own app pings are answered.
    pub answers_server: bool,
    /// What comes without being an answer.
    pub unmatched: UnmatchedLog,
}

impl Question {
    /// The same of the other kind.
    pub fn of_other_kind(&self) -> Question {
        let kind = match self.kind {
            Kind::Protocol => Kind::App,
            Kind::App => Kind::Protocol,
        };
        Question { kind, ..self.clone() }
    }
}

/// What came of listening for something.
enum Answer {
    /// It came; the moment is the return of the read that brought it.
    It(Instant),
    /// The connection ended instead.
    End(Cut),
    Nothing,
}

/// An answer that the server is in the middle of sending, or that comes behind what it is sending, is waited for so many
/// times as long.
const SENDING: u32 = 3;

/// When an answer is overdue that was asked for at that moment, if bytes came last at this one that complete nothing yet.
fn overdue(asked: Instant, timeout: Duration, bytes: Option<Instant>) -> Instant {
    let sending = bytes.map(|bytes| (bytes + timeout).min(asked + timeout * SENDING));
    (asked + timeout).max(sending.unwrap_or(asked))
}

/// Waits for a message until a moment, or longer while the server is sending one; others are passed over.
async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    until: Instant,
    mut is_it: impl FnMut(&Message) -> bool,
) -> Answer {
    let (asked, mut until) = (Instant::now(), until);
    let timeout = until.saturating_duration_since(asked);
    while let Ok(step) = timeout_at(until, socket.step()).await {
        if matches!(step, Step::Bytes) {
            until = overdue(asked, timeout, Some(socket.heard_at()));
        }
        match ended(socket, step) {
            Err(cut) => return Answer::End(cut),
            Ok(Some(message)) if is_it(&message) => return Answer::It(socket.heard_at()),
            // A flood is always ready, and the timeout is not looked at while it is.
            Ok(_) if Instant::now() >= until => break,
            Ok(_) => tokio::task::coop::consume_budget().await,
        }
    }
    Answer::Nothing
}

/// The message that a step brought, if it brought one; the error says how the connection ended.
fn ended<S: AsyncRead + AsyncWrite + Unpin>(socket: &Socket<S>, step: Step) -> Result<Option<Message>, Cut> {
    match step {
        Step::Flushed(_) | Step::Bytes => Ok(None),
        Step::Lost(error) => Err(socket.lost_by(error)),
        Step::Message(Message::Close(frame)) => Err(socket.closed_by(frame)),
        Step::Message(message) => Ok(Some(message)),
    }
}

/// Says goodbye on a connection that is of no more use, and waits a moment for the answer.
pub async fn part<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut Socket<S>) {
    let goodbye = Message::Close(Some(CloseFrame { code: 1000_u16.into(), reason: "".into() }));
    if socket.marks().end().is_some() || socket.send(goodbye).is_err() {
        return;
    }
    listen(socket, Instant::now() + PARTING_WAIT, |_| false).await;
}
