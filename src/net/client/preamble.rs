//! What is said and awaited before the first heartbeat: join, subscribe, authenticate.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::disconnect::Disconnect;
use super::gzip_message::unpacked;
use super::websocket::{SocketEvent, WebSocket, to_message};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind, ReachedPeer};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::duration as show;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::classifier::{Classifier, MessageMeaning};
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::presets::{PresetRefusal, resembles};
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::{RequestKeys, Template};
use crate::domain::ping::event::{ConnEvent, PeerTraffic};
use crate::domain::secrets;
use crate::net::time::unix_ms;

/// What is said first, and what must come before heartbeats begin.
#[derive(Debug, Clone, Default)]
pub struct Preamble {
    /// What must come before anything is sent.
    pub first: Option<Pattern>,
    /// Messages to send, in order.
    pub send: Vec<Template>,
    /// Heartbeats begin when a message matches.
    pub awaited: Option<Pattern>,
    /// How long sending and awaiting may take together.
    pub timeout: Duration,
    /// Whether the server's own app pings are answered meanwhile.
    pub answer_pings: bool,
    /// How the server speaks of heartbeats.
    pub convention: ProtocolProfile,
}

impl Preamble {
    /// The size of the largest message to be sent, in bytes.
    pub fn largest(&self) -> usize {
        self.send.iter().map(|template| template.as_str().len()).max().unwrap_or(0)
    }
}

/// The failure with the address that it is of. What failed on a connection where none of the subprotocols was chosen
/// that were offered may have failed for that.
pub fn blame(error: ConnectError, facts: &ConnectInfo) -> ConnectError {
    let reached = facts.remote.clone().map(|address| ReachedPeer {
        address,
        proxy: facts.proxy.clone(),
        untried: Vec::new(),
    });
    let error = ConnectError { reached, attempts: facts.attempts.clone(), ..error };
    if facts.subprotocols_offered.is_empty() || facts.subprotocol.is_some() {
        return error;
    }
    let offered = facts.subprotocols_offered.join(", ");
    let more = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    ConnectError {
        hint: Some(format!("the server chose none of the subprotocols offered ({offered}){more}")),
        ..error
    }
}

/// So many of the messages that were not awaited are compared with what is known.
const MAX_COMPARED_MESSAGES: u64 = 8;

/// Why a greeting failed.
struct PreambleFailure {
    kind: FailureKind,
    cause: String,
}

/// Something that was said during a greeting.
#[derive(Debug, Clone, Copy)]
pub struct PreambleEvent<'a> {
    /// When it came, or left.
    pub at: Instant,
    pub saying: PreambleEventKind<'a>,
    /// It asks, and was answered.
    pub answered: bool,
}

/// What was said.
#[derive(Debug, Clone, Copy)]
pub enum PreambleEventKind<'a> {
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// Not what was waited for.
    Message(MessageRef<'a>),
    /// What was waited for.
    Awaited(MessageRef<'a>),
    /// A message of the greeting itself.
    Ours,
}

/// Hears what is said, as it is said.
pub type PreambleListener<'a> = &'a mut (dyn FnMut(PreambleEvent<'_>) + Send);

/// Sends the greeting and waits for what is awaited. Other messages are told as such; the server's
/// own pings are answered.
pub async fn run_preamble<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    greeting: &Preamble,
    target: &Target,
    emit: &(dyn Fn(ConnEvent) + Send + Sync),
) -> Result<(), ConnectError> {
    run_preamble_heard_by(socket, greeting, target, emit, &mut |_| {}).await
}

/// The same, and `ear` hears each word at its moment.
pub async fn run_preamble_heard_by<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    greeting: &Preamble,
    target: &Target,
    emit: &(dyn Fn(ConnEvent) + Send + Sync),
    ear: PreambleListener<'_>,
) -> Result<(), ConnectError> {
    let began = Instant::now();
    let mut seen = UnawaitedMessages::default();
    let exchange = exchange(socket, greeting, &mut seen, ear);
    let result = match timeout_at(began + greeting.timeout, exchange).await {
        Ok(result) => result,
        Err(_) => Err(PreambleFailure { kind: FailureKind::NotAwaited, cause: seen.complain(greeting) }),
    };
    seen.tell(emit);
    result.map_err(|PreambleFailure { kind, cause }| ConnectError {
        url: target.to_string(),
        phase: Phase::Await,
        kind,
        cause,
        hint: seen.hint(greeting),
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: began.elapsed(),
    })
}

/// What came and was not awaited.
#[derive(Debug, Default)]
struct UnawaitedMessages {
    count: u64,
    first: UntrustedText,
    /// The presets that such messages are typical of.
    looks_like: Vec<&'static str>,
    /// The first message that is a refusal of a known kind.
    refusal: Option<PresetRefusal>,
    /// How often the server will ask, as it says.
    announced: Option<Duration>,
    /// What is waited for.
    awaiting: Option<Pattern>,
    /// How many of each; told when the greeting is over.
    heard: Vec<(PeerTraffic, u64)>,
}

impl UnawaitedMessages {
    fn note(&mut self, message: MessageRef<'_>) {
        if self.count == 0 {
            self.first = shown(message);
        }
        self.count += 1;
        if self.refusal.is_none() {
            self.refusal = PresetRefusal::read(message);
        }
        if self.count <= MAX_COMPARED_MESSAGES {
            let names = resembles(message).into_iter().map(|preset| preset.name);
            self.looks_like.extend(names.filter(|name| !self.looks_like.contains(name)).collect::<Vec<_>>());
        }
    }

    fn hear(&mut self, heard: PeerTraffic) {
        match self.heard.iter_mut().find(|(known, _)| *known == heard) {
            Some((_, count)) => *count += 1,
            None => self.heard.push((heard, 1)),
        }
    }

    fn tell(&self, emit: &(dyn Fn(ConnEvent) + Send + Sync)) {
        self.announced.into_iter().for_each(|every| emit(ConnEvent::Announced(every)));
        self.heard.iter().for_each(|(heard, count)| emit(ConnEvent::PeerTraffic(*heard, *count)));
    }

    /// Nothing that was waited for came in time.
    fn complain(&self, greeting: &Preamble) -> String {
        let Some(pattern) = &self.awaiting else {
            return format!("the greeting could not be sent within {}", show(greeting.timeout));
        };
        let others = match self.count {
            0 => "no message was received".to_string(),
            1 => format!("one other came: {}", self.first),
            count => format!("{count} others came, the first: {}", self.first),
        };
        let whose = greeting.convention.name.map(|name| format!(" of the preset {name}")).unwrap_or_default();
        let within = show(greeting.timeout);
        let what = self.refused().unwrap_or_else(|| format!("{others}{}", self.looks()));
        let pattern = secrets::redact(&pattern.to_string());
        format!("no message matched '{pattern}'{whose} within {within}; {what}")
    }

    /// The server's refusal, unless what came is typical of something else.
    fn refusal(&self) -> Option<&PresetRefusal> {
        let is_typical = |refusal: &&PresetRefusal| {
            self.looks_like.is_empty() || self.looks_like.contains(&refusal.preset)
        };
        self.refusal.as_ref().filter(is_typical)
    }

    /// The refusal in words.
    fn refused(&self) -> Option<String> {
        Some(format!("the server refused: {}", self.refusal()?.sentence))
    }

    /// Whether the preset's server refused, and leaves the connection open for another try.
    fn is_refused_but_open(&self, greeting: &Preamble) -> bool {
        let refusal = self.refusal().filter(|refusal| refusal.stays_open);
        refusal.is_some_and(|refusal| greeting.convention.name == Some(refusal.preset))
    }

    /// What that looks like, where it is typical of something.
    fn looks(&self) -> String {
        match self.looks_like.as_slice() {
            [] => String::new(),
            names => format!(", which looks like {}", names.join(" or ")),
        }
    }

    /// What to try, where the preset seems to be another's.
    fn hint(&self, greeting: &Preamble) -> Option<String> {
        if let Some(hint) = self.refusal().and_then(|refusal| refusal.hint) {
            return Some(hint.to_string());
        }
        let own = greeting.convention.name?;
        Some(match self.looks_like.first() {
            Some(name) if *name != own => format!("try --preset {name}"),
            Some(_) => format!("'wscheck presets {own}' tells what it expects of a server"),
            None => format!("does this server speak {own}? 'wscheck listen' tells what it says by itself"),
        })
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    greeting: &Preamble,
    seen: &mut UnawaitedMessages,
    ear: PreambleListener<'_>,
) -> Result<(), PreambleFailure> {
    let mut classifier = Classifier::without_asks(greeting.answer_pings).speaking(&greeting.convention);
    if let Some(first) = &greeting.first {
        await_message(socket, first, greeting, &mut classifier, seen, ear).await?;
    }
    for (seq, template) in greeting.send.iter().enumerate() {
        say(socket, to_message(template.render(&keys(seq as u64)))).await?;
        let at = socket.tap_state().last_write().unwrap_or_else(Instant::now);
        ear(PreambleEvent { at, saying: PreambleEventKind::Ours, answered: false });
    }
    match &greeting.awaited {
        Some(awaited) => await_message(socket, awaited, greeting, &mut classifier, seen, ear).await,
        None => Ok(()),
    }
}

/// Waits for a message that matches.
async fn await_message<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    pattern: &Pattern,
    greeting: &Preamble,
    classifier: &mut Classifier,
    seen: &mut UnawaitedMessages,
    ear: PreambleListener<'_>,
) -> Result<(), PreambleFailure> {
    seen.awaiting = Some(pattern.clone());
    loop {
        tokio::task::coop::consume_budget().await;
        let message = match socket.step().await {
            SocketEvent::Flushed(_) | SocketEvent::Bytes => continue,
            SocketEvent::Lost(error) => return Err(lost(socket.lost_by(error), seen)),
            SocketEvent::Message(message) => message,
        };
        let at = socket.heard_at();
        let heard = match &message {
            Message::Text(text) => MessageRef::Text(text),
            Message::Binary(bytes) => MessageRef::Binary(bytes),
            Message::Close(frame) => return Err(lost(socket.closed_by(frame.clone()), seen)),
            Message::Ping(payload) => {
                // The library answers by itself; if the stream broke, the next step tells.
                let answered = socket.try_flush().unwrap_or(false);
                ear(PreambleEvent { at, saying: PreambleEventKind::Ping(payload), answered });
                seen.hear(PeerTraffic::ServerPing { kind: HeartbeatKind::Protocol, answered: true });
                continue;
            }
            Message::Pong(payload) => {
                ear(PreambleEvent { at, saying: PreambleEventKind::Pong(payload), answered: false });
                continue;
            }
            Message::Frame(_) => continue,
        };
        let unpacked = unpacked(heard);
        let heard = unpacked.as_deref().map_or(heard, MessageRef::Text);
        seen.announced = seen.announced.or_else(|| announced(greeting, heard));
        let mut units = greeting.convention.framing.units(heard);
        if units.any(|unit| pattern.matches(&InboundMessage::new(unit)).is_some()) {
            ear(PreambleEvent { at, saying: PreambleEventKind::Awaited(heard), answered: false });
            return Ok(());
        }
        let mut answered = false;
        for meaning in classifier.read(heard, unix_ms()) {
            answered |= answer(socket, meaning, seen).await?;
        }
        ear(PreambleEvent { at, saying: PreambleEventKind::Message(heard), answered });
        seen.note(heard);
        if seen.is_refused_but_open(greeting) {
            let cause = seen.refused().unwrap_or_default();
            return Err(PreambleFailure { kind: FailureKind::ClosedEarly, cause });
        }
    }
}

/// How often the server will ask, where a message says so.
fn announced(greeting: &Preamble, message: MessageRef<'_>) -> Option<Duration> {
    let announces = greeting.convention.announces.as_ref()?;
    let mut units = greeting.convention.framing.units(message);
    units.find_map(|unit| announces.read(&InboundMessage::new(unit)))
}

/// Answers the server's own pings, and says whether it did; everything else is only told.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    meaning: MessageMeaning,
    seen: &mut UnawaitedMessages,
) -> Result<bool, PreambleFailure> {
    match meaning {
        MessageMeaning::ServerPing { reply } => {
            seen.hear(PeerTraffic::ServerPing { kind: HeartbeatKind::App, answered: reply.is_some() });
            match reply {
                Some(reply) => say(socket, to_message(reply)).await.map(|()| true),
                None => Ok(false),
            }
        }
        MessageMeaning::Answer(_) | MessageMeaning::Echo | MessageMeaning::Ordinary => {
            seen.hear(PeerTraffic::Message);
            Ok(false)
        }
    }
}

/// What a greeting's placeholders stand for: its place in the order, a random id, and the time.
fn keys(seq: u64) -> RequestKeys {
    RequestKeys { seq, id: format!("{:016x}", rand::random::<u64>()), now_ms: unix_ms() }
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    message: Message,
) -> Result<(), PreambleFailure> {
    let sent = socket.send(message).map(drop);
    let flushed = match sent {
        Ok(()) => socket.flush().await,
        Err(error) => Err(error),
    };
    flushed.map_err(|error| lost(socket.lost_by(Some(error)), &UnawaitedMessages::default()))
}

fn lost(cut: Disconnect, seen: &UnawaitedMessages) -> PreambleFailure {
    let how = CloseCause::describe(cut.who, &cut.how, cut.os_error.as_deref());
    let cause = match (seen.count, seen.refused()) {
        (0, _) => how,
        (_, Some(refused)) => format!("{refused}; then {how}"),
        _ => format!("{how}, after '{}'{}", seen.first, seen.looks()),
    };
    PreambleFailure { kind: FailureKind::ClosedEarly, cause }
}
