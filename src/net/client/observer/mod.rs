//! A connection that lives with a server and hears what it says by itself. How it behaves is a [`ObserverConfig`]: what it
//! answers, and what it says of its own. It runs over any stream, with the runtime's clock.

mod ping_tracker;
mod relay_detector;
#[cfg(test)]
mod tests;

pub use relay_detector::RelayDetector;

use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::closing;
use super::disconnect::Disconnect;
use super::gzip_message::unpacked;
use super::idle_probe::say_goodbye;
use super::keepalive_sender::KeepaliveSender;
use super::schedule::Schedule;
use super::session::heartbeat_state::{ping_payload, seq_of};
use super::websocket::{SendOutcome, SocketEvent, WebSocket, is_buffer_full, to_message};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply};
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::heartbeat::classifier::{Classifier, MessageMeaning};
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::inbound::{shown, shown_bytes};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::{ServerEvent, ServerEventKind};
use crate::net::time::{at, unix_ms};
use ping_tracker::PingTracker;
use relay_detector::is_same;

/// How often the system is asked whether a connection that is not read is over.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// What equals our answer and comes so soon is its echo.
const ECHO_WINDOW: Duration = Duration::from_millis(500);
/// How long the peer's answer to our close frame may take.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How long an answer to a close frame may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(200);

/// How a guest behaves.
#[derive(Debug, Clone)]
pub struct ObserverConfig {
    /// What heartbeats in messages look like.
    pub shapes: KnownPings,
    /// Answers them. (Pong frames leave by themselves, unless the valve below is shut.)
    pub answers_messages: bool,
    /// Sends Ping frames this often.
    pub pings: Option<Duration>,
    /// Sends messages as often.
    pub messages: bool,
    /// What they say, and what answers them.
    pub ask: Template,
    pub answer: Pattern,
    /// How the server speaks of heartbeats.
    pub convention: ProtocolProfile,
}

/// What a guest hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObserverEvent {
    /// The server said something by itself; `answered` when an answer went back, and left. `repeats`: it reads like what
    /// another connection of the run has just said, and may be that, passed on.
    ServerEvent { at: Instant, said: ServerEvent, answered: bool, repeats: bool },
    /// It answered something of ours; a Ping of which it is known when it was sent `took` so long.
    Answered { at: Instant, took: Option<Duration> },
    /// Bytes came that complete no message: the server says something, and it is not known what.
    Bytes { at: Instant },
    /// The guest kept its convention alive, by a message.
    KeepaliveSent { at: Instant },
    /// It is over.
    Ended(Disconnect),
}

/// A guest at work.
pub struct Observer<'a, S> {
    socket: &'a mut WebSocket<S>,
    config: ObserverConfig,
    nonce: u64,
    seq: u64,
    pings: PingTracker,
    classifier: Classifier,
    talk: OwnMessages,
    /// What all connections of the run say...
    words: Option<RelayDetector>,
    /// ... of which so many may have been passed on to this one.
    repeated: u64,
    traffic: Option<Schedule>,
    /// What keeps the convention alive.
    keepalive: Option<KeepaliveSender>,
    /// The last byte in either direction, before what is at hand.
    quiet_since: Instant,
    opened: Instant,
    /// It ended while what was said before is still to be told.
    over: Option<Disconnect>,
    /// When it last answered a message by the same.
    mirrored: Option<Instant>,
}

/// What the guest said by messages.
#[derive(Debug, Clone, Copy)]
enum OwnMessages {
    Nothing,
    /// It introduced itself then, and has not been answered.
    Hello(Instant),
    /// It says something now and then.
    Regular,
}

/// What woke a guest.
enum ObserverWake {
    Step(SocketEvent),
    Due,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Observer<'a, S> {
    /// On a connection that opened at this moment.
    pub fn new(socket: &'a mut WebSocket<S>, config: ObserverConfig, opened: Instant) -> Observer<'a, S> {
        let nonce = rand::random();
        let classifier = Classifier::new(config.ask.clone(), config.answer.clone(), false, nonce)
            .speaking(&config.convention);
        let traffic = config.pings.map(|every| Schedule::new(Instant::now() + every, Some(every), None));
        let keepalive = config.convention.upkeep.as_ref().map(|upkeep| KeepaliveSender::new(upkeep, nonce));
        // What keeps the convention alive may have an answer.
        let talk = if keepalive.is_some() { OwnMessages::Regular } else { OwnMessages::Nothing };
        Observer {
            socket,
            config,
            nonce,
            seq: 0,
            pings: PingTracker::default(),
            classifier,
            talk,
            words: None,
            repeated: 0,
            traffic,
            keepalive,
            quiet_since: opened,
            opened,
            over: None,
            mirrored: None,
        }
    }

    /// One of several, whose words the server may pass on to each other.
    pub fn among(self, words: RelayDetector) -> Observer<'a, S> {
        Observer { words: Some(words), ..self }
    }

    /// Says who it is, before it behaves as it will: a Ping and, if it `talks`, a message. A server that waits for a first
    /// word, a login perhaps, has it then.
    pub fn introduce(&mut self, talks: bool) {
        let said = self.ping().and_then(|()| if talks { self.say().map(Some) } else { Ok(None) });
        match said {
            Ok(said) => self.talk = said.map_or(OwnMessages::Nothing, OwnMessages::Hello),
            Err(cut) => self.over = Some(cut),
        }
    }

    /// What comes next. Cancel-safe.
    pub async fn next(&mut self) -> ObserverEvent {
        if let Some(cut) = self.over.take() {
            return ObserverEvent::Ended(cut);
        }
        loop {
            self.quiet_since = self.last_byte();
            let upkeep = self.keepalive.as_ref().and_then(KeepaliveSender::next_due);
            let due = self.traffic.as_ref().and_then(Schedule::next_due).into_iter().chain(upkeep).min();
            let socket = &mut self.socket;
            let woken = tokio::select! {
                biased;
                step = socket.step() => ObserverWake::Step(step),
                () = at(due) => ObserverWake::Due,
            };
            let heard = match woken {
                ObserverWake::Step(step) => self.on_step(step),
                ObserverWake::Due => self.on_time(),
            };
            match heard {
                Some(heard) => return heard,
                None => tokio::task::coop::consume_budget().await,
            }
        }
    }

    /// Says something of its own, as a message; gives when it left. `None`: nothing was said, for what was said before
    /// has not left yet.
    pub fn talk(&mut self) -> Result<Option<Instant>, Disconnect> {
        if self.socket.is_blocked() {
            return Ok(None);
        }
        self.talk = OwnMessages::Regular;
        self.say().map(Some)
    }

    /// Says out of turn what it says now and then: a Ping and, where it sends messages, one of those.
    pub fn ask(&mut self) -> Result<(), Disconnect> {
        if self.socket.is_blocked() {
            return Ok(());
        }
        self.ping()?;
        if self.config.messages {
            self.talk()?;
        }
        Ok(())
    }

    fn ping(&mut self) -> Result<(), Disconnect> {
        let seq = self.next_seq();
        self.pings.sent(seq, Instant::now());
        self.send(Message::Ping(ping_payload(self.nonce, seq).to_vec().into())).map(drop)
    }

    fn say(&mut self) -> Result<Instant, Disconnect> {
        let seq = self.next_seq();
        let Some(payload) = self.classifier.ask(seq, unix_ms()) else { return Ok(Instant::now()) };
        // Before it leaves, or it might come back before that.
        self.words.iter().for_each(|words| words.say(Instant::now(), payload.clone()));
        Ok(self.send(to_message(payload))?.unwrap_or_else(Instant::now))
    }

    /// The stream below, to ask it something.
    pub fn stream(&self) -> &S {
        self.socket.stream()
    }

    /// How the connection ended.
    pub fn ending(&self, cut: Disconnect) -> CloseCause {
        let Disconnect { who, how, os_error } = cut;
        let age = self.opened.elapsed();
        // What came with the opening was read before it was known to be over.
        let idle = self.quiet_since.elapsed().min(age);
        CloseCause { who, how, reply: None, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// Leaves as one should: with a goodbye, or with an answer to the server's.
    pub async fn leave(self, ended: Option<&CloseKind>) {
        match ended {
            None => say_goodbye(self.socket).await,
            Some(CloseKind::CloseFrame { .. }) => drop(timeout(FLUSH_TIMEOUT, self.socket.flush()).await),
            Some(_) => {}
        }
    }

    /// Ends the connection, and tells how the peer took it.
    pub async fn close(self) -> CloseReply {
        closing::close(self.socket, CLOSE_WAIT).await
    }

    /// What has come of a frame or a message that is not complete.
    pub fn incomplete(&self) -> Option<IncompleteData> {
        self.socket.incomplete()
    }

    /// When bytes last came, be they a whole message or not.
    pub fn last_read(&self) -> Option<Instant> {
        self.socket.tap_state().last_read()
    }

    fn last_byte(&self) -> Instant {
        let marks = self.socket.tap_state();
        marks.last_read().max(marks.last_write()).unwrap_or(self.opened)
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    fn on_step(&mut self, step: SocketEvent) -> Option<ObserverEvent> {
        let message = match step {
            SocketEvent::Flushed(_) => return None,
            SocketEvent::Bytes => return Some(ObserverEvent::Bytes { at: self.socket.heard_at() }),
            SocketEvent::Lost(error) => return Some(ObserverEvent::Ended(self.socket.lost_by(error))),
            SocketEvent::Message(message) => message,
        };
        let at = self.socket.heard_at();
        match &message {
            Message::Close(frame) => Some(ObserverEvent::Ended(self.socket.closed_by(frame.clone()))),
            Message::Ping(payload) => Some(frame_said(at, ServerEventKind::Ping, payload, self.has_ponged())),
            Message::Pong(payload) => Some(match self.seq_of_ours(payload) {
                Some(seq) => ObserverEvent::Answered { at, took: self.pings.answered(seq, at) },
                None => frame_said(at, ServerEventKind::Pong, payload, false),
            }),
            Message::Text(text) => Some(self.on_message(at, MessageRef::Text(text))),
            Message::Binary(bytes) => Some(self.on_message(at, MessageRef::Binary(bytes))),
            Message::Frame(_) => None,
        }
    }

    /// Whether the library's Pong left.
    fn has_ponged(&mut self) -> bool {
        match self.socket.try_flush() {
            Ok(left) => left,
            Err(error) if is_buffer_full(&error) => false,
            Err(error) => {
                self.over = Some(self.socket.cut_by(error));
                false
            }
        }
    }

    fn seq_of_ours(&self, payload: &[u8]) -> Option<u64> {
        seq_of(payload, self.nonce).filter(|seq| *seq < self.seq)
    }

    fn on_message(&mut self, at: Instant, message: MessageRef<'_>) -> ObserverEvent {
        let unpacked = unpacked(message);
        let message = unpacked.as_deref().map_or(message, MessageRef::Text);
        if self.is_answer(at, message) {
            return ObserverEvent::Answered { at, took: None };
        }
        if self.classifier.is_sent_on(message) {
            let said = ServerEvent::plain(ServerEventKind::Message, shown(message));
            return ObserverEvent::ServerEvent { at, said, answered: false, repeats: false };
        }
        let repeats = self.repeats(at, message);
        let (said, mut replies) = self.config.shapes.hear(message, unix_ms());
        if !self.config.answers_messages {
            replies.clear();
        }
        if replies.iter().any(|reply| is_same(reply, message)) {
            // Who echoes would be answered for ever.
            if self.mirrored.take().is_some_and(|before| at.saturating_duration_since(before) < ECHO_WINDOW) {
                return ObserverEvent::Answered { at, took: None };
            }
            self.mirrored = Some(at);
        }
        let is_to_be = !replies.is_empty();
        let sent = replies
            .into_iter()
            .try_fold(is_to_be, |left, reply| Ok(self.send(to_message(reply))?.is_some() && left));
        match sent {
            Ok(answered) => ObserverEvent::ServerEvent { at, said, answered, repeats },
            Err(cut) => ObserverEvent::Ended(cut),
        }
    }

    /// Whether it answers what was said, or is that, come back. To a single word there is one answer, and what reads like
    /// it later on is the server's own.
    fn is_answer(&mut self, at: Instant, message: MessageRef<'_>) -> bool {
        if matches!(self.talk, OwnMessages::Nothing) {
            return false;
        }
        let meanings = self.classifier.read(message, unix_ms());
        let says = |wanted: fn(&MessageMeaning) -> bool| meanings.iter().any(wanted);
        let (answers, echoes) =
            (says(|it| matches!(it, MessageMeaning::Answer(_))), says(|it| *it == MessageMeaning::Echo));
        match self.talk {
            OwnMessages::Hello(_) if answers => {
                self.talk = OwnMessages::Nothing;
                true
            }
            OwnMessages::Hello(said) => echoes && at.saturating_duration_since(said) < ECHO_WINDOW,
            OwnMessages::Nothing | OwnMessages::Regular => answers || echoes,
        }
    }

    /// Whether another connection has just said the same.
    fn repeats(&mut self, at: Instant, message: MessageRef<'_>) -> bool {
        let number = self.words.as_ref().and_then(|words| words.passed_on(at, message, self.repeated));
        self.repeated = number.unwrap_or(self.repeated);
        number.is_some()
    }

    /// Its own traffic is due.
    fn on_time(&mut self) -> Option<ObserverEvent> {
        let now = Instant::now();
        let upkeep = self.keepalive.as_mut().and_then(|keepalive| keepalive.take_due(now));
        if let Some(payload) = upkeep {
            let sent = self.send(to_message(payload));
            return Some(sent.map_or_else(ObserverEvent::Ended, |left| ObserverEvent::KeepaliveSent {
                at: left.unwrap_or(now),
            }));
        }
        let schedule = self.traffic.as_mut()?;
        let is_due = std::iter::from_fn(|| schedule.take_due(now)).count() > 0;
        if !is_due {
            return None;
        }
        self.ask().err().map(ObserverEvent::Ended)
    }

    /// When it left; `None`: it still waits, or there was no room for it.
    fn send(&mut self, message: Message) -> Result<Option<Instant>, Disconnect> {
        match self.socket.send(message) {
            Ok(SendOutcome::Left(departure)) => Ok(Some(departure.at)),
            Ok(SendOutcome::Blocked) => Ok(None),
            Err(error) if is_buffer_full(&error) => Ok(None),
            Err(error) => Err(self.socket.cut_by(error)),
        }
    }
}

fn frame_said(at: Instant, sound: ServerEventKind, payload: &[u8], answered: bool) -> ObserverEvent {
    ObserverEvent::ServerEvent {
        at,
        said: ServerEvent::plain(sound, shown_bytes(payload)),
        answered,
        repeats: false,
    }
}

/// Waits until a connection that nobody reads is over, as the system tells.
pub async fn until_over(is_over: impl Fn() -> bool) {
    while !is_over() {
        sleep(POLL_INTERVAL).await;
    }
}
