//! The exchange before the first heartbeat: join, subscribe, authenticate.

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use super::disconnect::Disconnect;
use super::websocket::{SocketEvent, WebSocket, to_message};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind, ReachedPeer};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::duration as show;
use crate::domain::heartbeat::classifier::{Classifier, MessageMeaning};
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::{RequestKeys, Template};
use crate::domain::ping::event::{ConnEvent, PeerTraffic, ServerPingKind};
use crate::domain::presets::{PresetRefusal, resembles};
use crate::domain::secrets;
use crate::net::time::unix_ms;
use crate::net::transport::tap::TcpIntrospect;

/// What is sent and awaited before heartbeats begin.
#[derive(Debug, Clone, Default)]
pub struct Preamble {
    /// Pattern that must match before anything is sent.
    pub first: Option<Pattern>,
    /// Messages to send, in order.
    pub send: Vec<Template>,
    /// Pattern that must match before heartbeats begin.
    pub awaited: Option<Pattern>,
    /// Time limit for the whole preamble.
    pub timeout: Duration,
    /// Whether the server's app pings are answered during the preamble.
    pub answer_pings: bool,
    /// How the server's heartbeat protocol works.
    pub profile: ProtocolProfile,
}

impl Preamble {
    /// Size of the largest message to send, in bytes.
    pub fn largest(&self) -> usize {
        self.send.iter().map(|template| template.as_str().len()).max().unwrap_or(0)
    }
}

/// Adds the peer's address to a failure. If the server chose none of the offered subprotocols, the hint says so, since
/// that may be the cause.
pub fn add_context(error: ConnectError, facts: &ConnectInfo) -> ConnectError {
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

/// Number of unmatched messages that are compared with known presets.
const MAX_COMPARED_MESSAGES: u64 = 8;

/// Why a preamble failed.
struct PreambleFailure {
    kind: FailureKind,
    cause: String,
}

/// Something sent or received during a preamble.
#[derive(Debug, Clone, Copy)]
pub struct PreambleEvent<'a> {
    /// When it was received or sent.
    pub at: Instant,
    pub kind: PreambleEventKind<'a>,
    /// It is a ping, and a reply was sent.
    pub answered: bool,
}

/// What was sent or received.
#[derive(Debug, Clone, Copy)]
pub enum PreambleEventKind<'a> {
    Ping(&'a [u8]),
    Pong(&'a [u8]),
    /// A message that was not awaited.
    Message(MessageRef<'a>),
    /// The awaited message.
    Awaited(MessageRef<'a>),
    /// A message of the preamble itself.
    Ours,
}

/// Receives the events of a preamble as they happen.
pub type PreambleListener<'a> = &'a mut (dyn FnMut(PreambleEvent<'_>) + Send);

/// Sends the preamble and waits for the awaited messages. Reports other messages, and answers the server's pings.
pub async fn run_preamble<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    preamble: &Preamble,
    target: &Target,
    emit: &(dyn Fn(ConnEvent) + Send + Sync),
) -> Result<(), ConnectError> {
    run_preamble_with_listener(socket, preamble, target, emit, &mut |_| {}).await
}

/// Like [`run_preamble`], and also passes each event to `listener`.
pub async fn run_preamble_with_listener<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    preamble: &Preamble,
    target: &Target,
    emit: &(dyn Fn(ConnEvent) + Send + Sync),
    listener: PreambleListener<'_>,
) -> Result<(), ConnectError> {
    let began = Instant::now();
    let mut seen = UnawaitedMessages::default();
    let exchange = exchange(socket, preamble, &mut seen, listener);
    let result = match timeout_at(began + preamble.timeout, exchange).await {
        Ok(result) => result,
        Err(_) => Err(PreambleFailure {
            kind: FailureKind::NotAwaited,
            cause: seen.timeout_cause(preamble, socket.held_back_by()),
        }),
    };
    seen.report(emit);
    result.map_err(|PreambleFailure { kind, cause }| ConnectError {
        url: target.to_string(),
        phase: Phase::Await,
        kind,
        cause,
        hint: seen.hint(preamble),
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: began.elapsed(),
    })
}

/// Messages that came and were not awaited.
#[derive(Debug, Default)]
struct UnawaitedMessages {
    count: u64,
    first: UntrustedText,
    /// Presets whose servers typically send such messages.
    looks_like: Vec<&'static str>,
    /// The first message that is a known refusal.
    refusal: Option<PresetRefusal>,
    /// The heartbeat interval that the server announced.
    announced: Option<Duration>,
    /// The pattern being awaited.
    awaiting: Option<Pattern>,
    /// Count of each kind of traffic, reported when the preamble is over.
    traffic: Vec<(PeerTraffic, u64)>,
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

    fn count(&mut self, traffic: PeerTraffic) {
        match self.traffic.iter_mut().find(|(known, _)| *known == traffic) {
            Some((_, count)) => *count += 1,
            None => self.traffic.push((traffic, 1)),
        }
    }

    fn report(&self, emit: &(dyn Fn(ConnEvent) + Send + Sync)) {
        if let Some(every) = self.announced {
            emit(ConnEvent::Announced(every));
        }
        for (traffic, count) in &self.traffic {
            emit(ConnEvent::PeerTraffic(*traffic, *count));
        }
    }

    /// The failure's cause: the time limit passed. `held_back`: the window that has no room for what was to be sent.
    fn timeout_cause(&self, preamble: &Preamble, held_back: Option<ExhaustedWindow>) -> String {
        let Some(pattern) = &self.awaiting else {
            let why = held_back.map(|window| format!(": {}", window.sentence())).unwrap_or_default();
            return format!("the preamble could not be sent within {}{why}", show(preamble.timeout));
        };
        let others = match self.count {
            0 => "no message was received".to_string(),
            1 => format!("one other came: {}", self.first),
            count => format!("{count} others came, the first: {}", self.first),
        };
        let whose = preamble.profile.name.map(|name| format!(" of the preset {name}")).unwrap_or_default();
        let within = show(preamble.timeout);
        let what = self.refusal_sentence().unwrap_or_else(|| format!("{others}{}", self.resemblance()));
        let pattern = secrets::redact(&pattern.to_string());
        format!("no message matched '{pattern}'{whose} within {within}; {what}")
    }

    /// The server's refusal, unless its messages are typical of another preset.
    fn refusal(&self) -> Option<&PresetRefusal> {
        let is_typical = |refusal: &&PresetRefusal| {
            self.looks_like.is_empty() || self.looks_like.contains(&refusal.preset)
        };
        self.refusal.as_ref().filter(is_typical)
    }

    /// The refusal as a sentence.
    fn refusal_sentence(&self) -> Option<String> {
        Some(format!("the server refused: {}", self.refusal()?.sentence))
    }

    /// Whether the preset's server refused and keeps the connection open for another try.
    fn is_refused_but_open(&self, preamble: &Preamble) -> bool {
        let refusal = self.refusal().filter(|refusal| refusal.stays_open);
        refusal.is_some_and(|refusal| preamble.profile.name == Some(refusal.preset))
    }

    /// Which presets the messages are typical of, as text.
    fn resemblance(&self) -> String {
        match self.looks_like.as_slice() {
            [] => String::new(),
            names => format!(", which looks like {}", names.join(" or ")),
        }
    }

    /// What to try if the preset seems wrong.
    fn hint(&self, preamble: &Preamble) -> Option<String> {
        if let Some(hint) = self.refusal().and_then(|refusal| refusal.hint) {
            return Some(hint.to_string());
        }
        let own = preamble.profile.name?;
        Some(match self.looks_like.first() {
            Some(name) if *name != own => format!("try --preset {name}"),
            Some(_) => format!("'wscheck presets {own}' shows what it expects from a server"),
            None => format!("does this server speak {own}? 'wscheck listen' shows what it sends by itself"),
        })
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    preamble: &Preamble,
    seen: &mut UnawaitedMessages,
    listener: PreambleListener<'_>,
) -> Result<(), PreambleFailure> {
    let mut classifier = Classifier::without_asks(preamble.answer_pings).speaking(&preamble.profile);
    if let Some(first) = &preamble.first {
        await_message(socket, first, preamble, &mut classifier, seen, listener).await?;
    }
    for (seq, template) in preamble.send.iter().enumerate() {
        send_message(socket, to_message(template.render(&request_keys(seq as u64)))).await?;
        let at = socket.tap_state().last_write().unwrap_or_else(Instant::now);
        listener(PreambleEvent { at, kind: PreambleEventKind::Ours, answered: false });
    }
    match &preamble.awaited {
        Some(awaited) => await_message(socket, awaited, preamble, &mut classifier, seen, listener).await,
        None => Ok(()),
    }
}

/// Waits for a message that matches the pattern.
async fn await_message<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    pattern: &Pattern,
    preamble: &Preamble,
    classifier: &mut Classifier,
    seen: &mut UnawaitedMessages,
    listener: PreambleListener<'_>,
) -> Result<(), PreambleFailure> {
    seen.awaiting = Some(pattern.clone());
    loop {
        tokio::task::coop::consume_budget().await;
        let event = socket.step().await;
        let at = socket.last_read_at();
        let message = match event {
            SocketEvent::Flushed(_) | SocketEvent::Bytes => continue,
            SocketEvent::Ended(disconnect) => return Err(early_close(&disconnect, seen)),
            SocketEvent::Message(message) => message,
            SocketEvent::Ping(payload) => {
                // The library answers by itself; if the stream broke, the next step reports it.
                let answered = socket.try_flush().unwrap_or(false);
                listener(PreambleEvent { at, kind: PreambleEventKind::Ping(&payload), answered });
                seen.count(PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, answered: true });
                continue;
            }
            SocketEvent::Pong(payload) => {
                listener(PreambleEvent { at, kind: PreambleEventKind::Pong(&payload), answered: false });
                continue;
            }
        };
        let content = message.content();
        seen.announced = seen.announced.or_else(|| announced(preamble, content));
        let mut units = preamble.profile.framing.units(content);
        if units.any(|unit| pattern.matches(&InboundMessage::new(unit)).is_some()) {
            listener(PreambleEvent { at, kind: PreambleEventKind::Awaited(content), answered: false });
            return Ok(());
        }
        let mut answered = false;
        for meaning in classifier.read(content, unix_ms()) {
            answered |= answer(socket, meaning, seen).await?;
        }
        listener(PreambleEvent { at, kind: PreambleEventKind::Message(content), answered });
        seen.note(content);
        if seen.is_refused_but_open(preamble) {
            let cause = seen.refusal_sentence().unwrap_or_default();
            return Err(PreambleFailure { kind: FailureKind::ClosedEarly, cause });
        }
    }
}

/// The server's announced heartbeat interval, if a message contains it.
fn announced(preamble: &Preamble, message: MessageRef<'_>) -> Option<Duration> {
    let announces = preamble.profile.announces.as_ref()?;
    let mut units = preamble.profile.framing.units(message);
    units.find_map(|unit| announces.read(&InboundMessage::new(unit)))
}

/// Answers the server's pings and returns whether it did; only counts everything else.
async fn answer<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    meaning: MessageMeaning,
    seen: &mut UnawaitedMessages,
) -> Result<bool, PreambleFailure> {
    match meaning {
        MessageMeaning::ServerPing { reply } => {
            seen.count(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: reply.is_some() });
            match reply {
                Some(reply) => send_message(socket, to_message(reply)).await.map(|()| true),
                None => Ok(false),
            }
        }
        MessageMeaning::Answer(_) | MessageMeaning::Echo | MessageMeaning::Ordinary => {
            seen.count(PeerTraffic::Message);
            Ok(false)
        }
    }
}

/// Values for a preamble's placeholders: position, random id, and time.
fn request_keys(seq: u64) -> RequestKeys {
    RequestKeys { seq, id: format!("{:016x}", rand::random::<u64>()), now_ms: unix_ms() }
}

async fn send_message<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    message: Message,
) -> Result<(), PreambleFailure> {
    let sent = match socket.send(message) {
        Ok(_) => socket.flush().await,
        Err(disconnect) => Err(disconnect),
    };
    sent.map_err(|disconnect| early_close(&disconnect, &UnawaitedMessages::default()))
}

fn early_close(disconnect: &Disconnect, seen: &UnawaitedMessages) -> PreambleFailure {
    let how = disconnect.to_string();
    let cause = match (seen.count, seen.refusal_sentence()) {
        (0, _) => how,
        (_, Some(refused)) => format!("{refused}; then {how}"),
        _ => format!("{how}, after '{}'{}", seen.first, seen.resemblance()),
    };
    PreambleFailure { kind: FailureKind::ClosedEarly, cause }
}
