//! A connection that reports what the server sends by itself. Its [`ObserverConfig`] sets what it answers and what it
//! sends. It runs over any stream with the runtime's clock.

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
use super::keepalive_sender::KeepaliveSender;
use super::schedule::Schedule;
use super::session::heartbeat_state::{ping_payload, seq_of};
use super::websocket::{SocketEvent, WebSocket, to_message};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply};
use crate::domain::connection::http2::ExhaustedWindow;
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
use crate::net::transport::tap::TcpIntrospect;
use ping_tracker::PingTracker;
use relay_detector::is_same;

/// How often to check whether a connection that is not read has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// A message equal to our answer within this time is its echo.
const ECHO_WINDOW: Duration = Duration::from_millis(500);
/// How long to wait for the peer's reply to our close frame.
const CLOSE_WAIT: Duration = Duration::from_secs(1);
/// How long a reply to a close frame may take to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(200);

/// How an observer behaves.
#[derive(Debug, Clone)]
pub struct ObserverConfig {
    /// Shapes of app pings.
    pub known_pings: KnownPings,
    /// Whether app pings are answered. (Pong frames leave by themselves, unless muted.)
    pub answers_messages: bool,
    /// Interval of Ping frames; `None`: none are sent.
    pub pings: Option<Duration>,
    /// Whether messages are sent at the same interval.
    pub messages: bool,
    /// The message to send, and the pattern of its answer.
    pub ask: Template,
    pub answer: Pattern,
    /// How the server's heartbeat protocol works.
    pub profile: ProtocolProfile,
}

/// What an observer reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObserverEvent {
    /// The server sent something by itself. `answered`: a reply left. `repeats`: it equals a recent message of another
    /// connection of this run and may be relayed.
    ServerEvent { at: Instant, event: ServerEvent, answered: bool, repeats: bool },
    /// The server answered us; `took` is the round trip if the Ping's send time is known. `held_back`: the window that held back
    /// something we sent since the answer before.
    Answered { at: Instant, took: Option<Duration>, held_back: Option<ExhaustedWindow> },
    /// Bytes came that complete no message yet.
    Bytes { at: Instant },
    /// A protocol keepalive message left.
    KeepaliveSent { at: Instant },
    /// The connection ended.
    Ended(Disconnect),
}

/// An observer on one connection.
pub struct Observer<'a, S> {
    socket: &'a mut WebSocket<S>,
    config: ObserverConfig,
    nonce: u64,
    seq: u64,
    pings: PingTracker,
    classifier: Classifier,
    own_messages: OwnMessages,
    /// Recent messages of all connections of the run.
    relay: Option<RelayDetector>,
    /// Number of the last message that was relayed to this connection.
    repeated: u64,
    traffic: Option<Schedule>,
    /// Sends the protocol's keepalive messages.
    keepalive: Option<KeepaliveSender>,
    /// Time of the last byte in either direction, before the current event.
    quiet_since: Instant,
    opened: Instant,
    /// The connection ended, but an earlier event is still to be reported.
    over: Option<Disconnect>,
    /// When it last answered a message with an equal one.
    mirrored_at: Option<Instant>,
    /// The window that held back something we sent since the last answer.
    held_back: Option<ExhaustedWindow>,
}

/// The messages this client has sent.
#[derive(Debug, Clone, Copy)]
enum OwnMessages {
    Nothing,
    /// One message at this time, not answered yet.
    Hello(Instant),
    /// Messages now and then.
    Regular,
}

impl<'a, S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin> Observer<'a, S> {
    /// Observes a connection that opened at `opened`.
    pub fn new(socket: &'a mut WebSocket<S>, config: ObserverConfig, opened: Instant) -> Observer<'a, S> {
        let nonce = rand::random();
        let classifier = Classifier::new(config.ask.clone(), config.answer.clone(), false, nonce)
            .speaking(&config.profile);
        let traffic = config.pings.map(|every| Schedule::new(Instant::now() + every, Some(every), None));
        let keepalive =
            config.profile.keepalive.as_ref().map(|keepalive| KeepaliveSender::new(keepalive, nonce));
        // A keepalive message may have an answer.
        let own_messages = if keepalive.is_some() { OwnMessages::Regular } else { OwnMessages::Nothing };
        Observer {
            socket,
            config,
            nonce,
            seq: 0,
            pings: PingTracker::default(),
            classifier,
            own_messages,
            relay: None,
            repeated: 0,
            traffic,
            keepalive,
            quiet_since: opened,
            opened,
            over: None,
            mirrored_at: None,
            held_back: None,
        }
    }

    /// Makes it one of several observers whose messages the server may relay to each other.
    pub fn among(self, relay: RelayDetector) -> Observer<'a, S> {
        Observer { relay: Some(relay), ..self }
    }

    /// Sends a Ping and, if `talks`, a message, for a server that waits for a first message such as a login.
    pub fn introduce(&mut self, talks: bool) {
        let sent =
            self.send_ping().and_then(|()| if talks { self.send_message().map(Some) } else { Ok(None) });
        match sent {
            Ok(sent_at) => self.own_messages = sent_at.map_or(OwnMessages::Nothing, OwnMessages::Hello),
            Err(disconnect) => self.over = Some(disconnect),
        }
    }

    /// Sends nothing from now on.
    pub fn mute(&self) {
        self.socket.tap_state().mute();
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn next(&mut self) -> ObserverEvent {
        if let Some(disconnect) = self.over.take() {
            return ObserverEvent::Ended(disconnect);
        }
        loop {
            self.quiet_since = self.socket.last_traffic().unwrap_or(self.opened);
            let keepalive = self.keepalive.as_ref().and_then(KeepaliveSender::next_due);
            let due = self.traffic.as_ref().and_then(Schedule::next_due).into_iter().chain(keepalive).min();
            let socket = &mut self.socket;
            let woken = tokio::select! {
                biased;
                event = socket.step() => Some(event),
                () = at(due) => None,
            };
            let event = match woken {
                Some(event) => self.on_event(event),
                None => self.send_due(),
            };
            match event {
                Some(event) => return event,
                None => tokio::task::coop::consume_budget().await,
            }
        }
    }

    /// Sends a message; returns when it left. `None`: not sent, because earlier bytes are still blocked.
    pub fn send_own_message(&mut self) -> Result<Option<Instant>, Disconnect> {
        if self.socket.is_blocked() {
            return Ok(None);
        }
        self.own_messages = OwnMessages::Regular;
        self.send_message().map(Some)
    }

    /// Sends an extra Ping and, if configured, a message.
    pub fn send_regular(&mut self) -> Result<(), Disconnect> {
        if self.socket.is_blocked() {
            return Ok(());
        }
        self.send_ping()?;
        if self.config.messages {
            self.send_own_message()?;
        }
        Ok(())
    }

    fn send_ping(&mut self) -> Result<(), Disconnect> {
        let seq = self.next_seq();
        self.pings.sent(seq, Instant::now());
        self.send(Message::Ping(ping_payload(self.nonce, seq).to_vec().into())).map(drop)
    }

    fn send_message(&mut self) -> Result<Instant, Disconnect> {
        let seq = self.next_seq();
        let Some(payload) = self.classifier.ask(seq, unix_ms()) else { return Ok(Instant::now()) };
        // Recorded before sending, or a relayed copy could come first.
        if let Some(relay) = &self.relay {
            relay.record_sent(Instant::now(), payload.clone());
        }
        Ok(self.send(to_message(payload))?.unwrap_or_else(Instant::now))
    }

    /// The stream below the WebSocket.
    pub fn stream(&self) -> &S {
        self.socket.stream()
    }

    /// The stream below the WebSocket.
    pub fn stream_mut(&mut self) -> &mut S {
        self.socket.stream_mut()
    }

    /// Details of how the connection ended.
    pub fn ending(&self, disconnect: Disconnect) -> CloseCause {
        let Disconnect { who, how, os_error } = disconnect;
        let age = self.opened.elapsed();
        // Bytes of the upgrade may have been read before `opened`.
        let idle = self.quiet_since.elapsed().min(age);
        CloseCause { who, how, reply: None, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// Ends the connection: sends a close frame, or flushes the reply to the server's.
    pub async fn leave(self, ended: Option<&CloseKind>) {
        match ended {
            None => closing::close_briefly(self.socket).await,
            Some(CloseKind::CloseFrame { .. }) => drop(timeout(FLUSH_TIMEOUT, self.socket.flush()).await),
            Some(_) => {}
        }
    }

    /// Closes the connection; returns the peer's reaction.
    pub async fn close(self) -> CloseReply {
        closing::close(self.socket, CLOSE_WAIT).await
    }

    /// The incomplete frame or message, if any.
    pub fn incomplete(&self) -> Option<IncompleteData> {
        self.socket.incomplete()
    }

    /// The window that holds back what we sent, or held it back since the last answer.
    pub fn held_back_by(&self) -> Option<ExhaustedWindow> {
        self.socket.held_back_by().or(self.held_back)
    }

    /// When bytes last came, of a complete message or not.
    pub fn last_read(&self) -> Option<Instant> {
        self.socket.tap_state().last_read()
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    fn on_event(&mut self, event: SocketEvent) -> Option<ObserverEvent> {
        let at = self.socket.last_read_at();
        Some(match event {
            SocketEvent::Flushed(_) => return None,
            SocketEvent::Bytes => ObserverEvent::Bytes { at },
            SocketEvent::Ended(disconnect) => ObserverEvent::Ended(*disconnect),
            SocketEvent::Ping(payload) => {
                frame_event(at, ServerEventKind::Ping, &payload, self.has_pong_left())
            }
            SocketEvent::Pong(payload) => match self.seq_of_ours(&payload) {
                Some(seq) => {
                    let took = self.pings.answered(seq, at);
                    self.answered(at, took)
                }
                None => frame_event(at, ServerEventKind::Pong, &payload, false),
            },
            SocketEvent::Message(message) => self.on_message(at, message.content()),
        })
    }

    fn answered(&mut self, at: Instant, took: Option<Duration>) -> ObserverEvent {
        let held_back = std::mem::replace(&mut self.held_back, self.socket.held_back_by());
        ObserverEvent::Answered { at, took, held_back }
    }

    /// Whether the library's Pong has left.
    fn has_pong_left(&mut self) -> bool {
        self.socket.try_flush().unwrap_or_else(|disconnect| {
            self.over = Some(disconnect);
            false
        })
    }

    fn seq_of_ours(&self, payload: &[u8]) -> Option<u64> {
        seq_of(payload, self.nonce).filter(|seq| *seq < self.seq)
    }

    fn on_message(&mut self, at: Instant, message: MessageRef<'_>) -> ObserverEvent {
        if self.is_answer_or_echo(at, message) {
            return self.answered(at, None);
        }
        if self.classifier.is_sent_on(message) {
            let event = ServerEvent::plain(ServerEventKind::Message, shown(message));
            return ObserverEvent::ServerEvent { at, event, answered: false, repeats: false };
        }
        let repeats = self.is_relayed(at, message);
        let (event, mut replies) = self.config.known_pings.hear(message, unix_ms());
        if !self.config.answers_messages {
            replies.clear();
        }
        if replies.iter().any(|reply| is_same(reply, message)) {
            // Answering an echo server would never end.
            if self
                .mirrored_at
                .take()
                .is_some_and(|before| at.saturating_duration_since(before) < ECHO_WINDOW)
            {
                return self.answered(at, None);
            }
            self.mirrored_at = Some(at);
        }
        let has_replies = !replies.is_empty();
        let sent = replies
            .into_iter()
            .try_fold(has_replies, |left, reply| Ok(self.send(to_message(reply))?.is_some() && left));
        match sent {
            Ok(answered) => ObserverEvent::ServerEvent { at, event, answered, repeats },
            Err(disconnect) => ObserverEvent::Ended(disconnect),
        }
    }

    /// Whether it answers our message, or is its echo. A single message has one answer; a later equal one is the
    /// server's own.
    fn is_answer_or_echo(&mut self, at: Instant, message: MessageRef<'_>) -> bool {
        if matches!(self.own_messages, OwnMessages::Nothing) {
            return false;
        }
        let meanings = self.classifier.read(message, unix_ms());
        let says = |wanted: fn(&MessageMeaning) -> bool| meanings.iter().any(wanted);
        let (answers, echoes) =
            (says(|it| matches!(it, MessageMeaning::Answer(_))), says(|it| *it == MessageMeaning::Echo));
        match self.own_messages {
            OwnMessages::Hello(_) if answers => {
                self.own_messages = OwnMessages::Nothing;
                true
            }
            OwnMessages::Hello(sent_at) => echoes && at.saturating_duration_since(sent_at) < ECHO_WINDOW,
            OwnMessages::Nothing | OwnMessages::Regular => answers || echoes,
        }
    }

    /// Whether another connection has just sent the same message.
    fn is_relayed(&mut self, at: Instant, message: MessageRef<'_>) -> bool {
        let number = self.relay.as_ref().and_then(|relay| relay.find_relayed(at, message, self.repeated));
        self.repeated = number.unwrap_or(self.repeated);
        number.is_some()
    }

    /// Sends what is due.
    fn send_due(&mut self) -> Option<ObserverEvent> {
        let now = Instant::now();
        let keepalive = self.keepalive.as_mut().and_then(|keepalive| keepalive.take_due(now));
        if let Some(payload) = keepalive {
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
        self.send_regular().err().map(ObserverEvent::Ended)
    }

    /// Returns when the message left; `None`: it is blocked, or the buffer is full.
    fn send(&mut self, message: Message) -> Result<Option<Instant>, Disconnect> {
        let sent = self.socket.send(message)?;
        self.held_back = self.socket.held_back_by().or(self.held_back);
        Ok(sent.left_at())
    }
}

fn frame_event(at: Instant, event_kind: ServerEventKind, payload: &[u8], answered: bool) -> ObserverEvent {
    ObserverEvent::ServerEvent {
        at,
        event: ServerEvent::plain(event_kind, shown_bytes(payload)),
        answered,
        repeats: false,
    }
}

/// Waits until the operating system reports the end of a connection that nobody reads.
pub async fn until_over(is_over: impl Fn() -> bool) {
    while !is_over() {
        sleep(POLL_INTERVAL).await;
    }
}
