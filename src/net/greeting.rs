//! What is said and awaited before the first heartbeat: join, subscribe, authenticate.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::clock::unix_ms;
use super::endings::Cut;
use super::websocket::{Socket, Step, to_message};
use crate::domain::ending::Ending;
use crate::domain::event::{ConnEvent, Heard};
use crate::domain::heartbeat::Kind;
use crate::domain::heartbeat::incoming::{Incoming, MessageRef};
use crate::domain::heartbeat::message::{Classifier, Meaning};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::{Keys, Template};
use crate::domain::opening::{FailureKind, OpenError};
use crate::domain::peer_text::PeerText;
use crate::domain::phase::Phase;
use crate::domain::shown::duration as show;
use crate::domain::target::Target;

/// What is said first, and what must come before heartbeats begin.
#[derive(Debug, Clone, Default)]
pub struct Greeting {
    /// Messages to send, in order.
    pub send: Vec<Template>,
    /// Heartbeats begin when a message matches.
    pub awaited: Option<Pattern>,
    /// How long sending and awaiting may take together.
    pub timeout: Duration,
    /// Whether the server's own app pings are answered meanwhile.
    pub answer_pings: bool,
}

impl Greeting {
    /// The size of the largest message to be sent, in bytes.
    pub fn largest(&self) -> usize {
        self.send.iter().map(|template| template.as_str().len()).max().unwrap_or(0)
    }
}

/// Why a greeting failed.
struct Failure {
    kind: FailureKind,
    cause: String,
}

/// Sends the greeting and waits for what is awaited. Other messages are told as such; the server's
/// own pings are answered.
pub async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    greeting: &Greeting,
    target: &Target,
    emit: &(dyn Fn(ConnEvent) + Send + Sync),
) -> Result<(), OpenError> {
    let began = Instant::now();
    let mut seen = Seen::default();
    let exchange = exchange(socket, greeting, &mut seen);
    let result = match timeout_at(began + greeting.timeout, exchange).await {
        Ok(result) => result,
        Err(_) => Err(Failure { kind: FailureKind::NotAwaited, cause: seen.complain(greeting) }),
    };
    seen.tell(emit);
    result.map_err(|Failure { kind, cause }| OpenError {
        url: target.to_string(),
        phase: Phase::Await,
        kind,
        cause,
        hint: None,
        attempts: Vec::new(),
        refusal: None,
        took: began.elapsed(),
    })
}

/// What came and was not awaited.
#[derive(Debug, Default)]
struct Seen {
    count: u64,
    first: PeerText,
    /// How many of each; told when the greeting is over.
    heard: Vec<(Heard, u64)>,
}

impl Seen {
    fn note(&mut self, message: MessageRef<'_>) {
        if self.count == 0 {
            self.first = match message {
                MessageRef::Text(text) => PeerText::new(text),
                MessageRef::Binary(bytes) => PeerText::new(&format!("{} bytes of binary", bytes.len())),
            };
        }
        self.count += 1;
    }

    fn hear(&mut self, heard: Heard) {
        match self.heard.iter_mut().find(|(known, _)| *known == heard) {
            Some((_, count)) => *count += 1,
            None => self.heard.push((heard, 1)),
        }
    }

    fn tell(&self, emit: &(dyn Fn(ConnEvent) + Send + Sync)) {
        self.heard.iter().for_each(|(heard, count)| emit(ConnEvent::Heard(*heard, *count)));
    }

    fn complain(&self, greeting: &Greeting) -> String {
        let Some(pattern) = &greeting.awaited else {
            return format!("the greeting could not be sent within {}", show(greeting.timeout));
        };
        let others = match self.count {
            0 => "no message came at all".to_string(),
            1 => format!("one other came: {}", self.first),
            count => format!("{count} others came, the first: {}", self.first),
        };
        format!("no message matched '{pattern}' within {}; {others}", show(greeting.timeout))
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    greeting: &Greeting,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let mut classifier = Classifier::without_asks(greeting.answer_pings);
    for (seq, template) in greeting.send.iter().enumerate() {
        say(socket, to_message(template.render(&keys(seq as u64)))).await?;
    }
    let Some(pattern) = &greeting.awaited else { return Ok(()) };
    loop {
        tokio::task::coop::consume_budget().await;
        let message = match socket.step().await {
            Step::Flushed(_) => continue,
            Step::Lost(error) => return Err(lost(Cut::by_loss(error, socket.marks()), seen)),
            Step::Message(message) => message,
        };
        let heard = match &message {
            Message::Text(text) => MessageRef::Text(text),
            Message::Binary(bytes) => MessageRef::Binary(bytes),
            Message::Close(frame) => return Err(lost(Cut::by_close_frame(frame.clone()), seen)),
            Message::Ping(_) => {
                seen.hear(Heard::ServerPing { kind: Kind::Protocol, answered: true });
                continue;
            }
            Message::Pong(_) | Message::Frame(_) => continue,
        };
        let incoming = Incoming::new(heard);
        if pattern.matches(&incoming).is_some() {
            return Ok(());
        }
        match classifier.classify(&incoming) {
            Meaning::ServerPing { reply } => {
                seen.hear(Heard::ServerPing { kind: Kind::App, answered: reply.is_some() });
                if let Some(reply) = reply {
                    say(socket, to_message(reply)).await?;
                }
            }
            Meaning::Answer(_) | Meaning::Echo | Meaning::Ordinary => seen.hear(Heard::Message),
        }
        seen.note(heard);
    }
}

/// What a greeting's placeholders stand for: its place in the order, a random id, and the time.
fn keys(seq: u64) -> Keys {
    Keys { seq, id: format!("{:016x}", rand::random::<u64>()), now_ms: unix_ms() }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut Socket<S>,
    message: Message,
) -> Result<(), Failure> {
    let sent = socket.send(message).map(drop);
    let flushed = match sent {
        Ok(()) => socket.flush().await,
        Err(error) => Err(error),
    };
    flushed.map_err(|error| lost(Cut::by_loss(Some(error), socket.marks()), &Seen::default()))
}

fn lost(cut: Cut, seen: &Seen) -> Failure {
    let how = Ending::describe(cut.who, &cut.how, cut.os_error.as_deref());
    let cause = match seen.count {
        0 => how,
        _ => format!("{how}, after '{}'", seen.first),
    };
    Failure { kind: FailureKind::ClosedEarly, cause }
}
