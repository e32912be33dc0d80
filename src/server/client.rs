//! One client as the server sees it: what came, what is owed, and when something is due. Pure but for
//! the clock's instants; the socket is the driver's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use super::app_ping;
use super::client_stats::{ClientStats, HeartbeatStats};
use super::config::ServerConfig;
use super::event::ServeEventKind;
use super::faults::{CutAction, Faults};
use super::frame::{FrameDecoder, FrameViolation, Opcode, encode, encode_close, is_message};
use super::heartbeat::{ClientHeartbeats, HeartbeatAction, HeartbeatRequest};
use super::idle_timer::IdleTimer;
use super::message::{ClientMessage, MessageAssembler};
use super::periodic::PeriodicFrames;
use super::pong_queue::{PendingPong, PongQueue};
use super::two_ended::ScheduledReplies;
use super::write_buffer::WriteBuffer;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy, Violation};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::counted;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Payload;
use crate::domain::ping::event::StatusChange;
use crate::domain::ping::health::Status;

/// With so many bytes owed to a client, nothing more is read from it and nothing unasked is sent.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;

/// So often a stalled connection's socket is looked at.
const STALL_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// One client.
pub struct ClientState {
    config: Arc<ServerConfig>,
    faults: Arc<Faults>,
    rng: SmallRng,
    opened: Instant,
    mode: ClientMode,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    answers: PongQueue,
    /// What is to be written.
    pub outbox: WriteBuffer,
    /// When bytes last came.
    came: Instant,
    idle: Option<IdleTimer>,
    /// `None`: there are no heartbeats, or no more.
    pulse: Option<Box<ClientHeartbeats>>,
    /// Present in the two-ended mode.
    promises: Option<Box<ScheduledReplies>>,
    /// A join message came, or none is required.
    joined: bool,
    status: Status,
    /// Cuts that are still to happen.
    timeline: Vec<(Instant, CutAction)>,
    repeats: PeriodicFrames,
    /// A FIN is to be sent while the socket stays open.
    half_close: bool,
    ending: Option<(ClosedBy, CloseKind, Option<String>)>,
    figures: Arc<Mutex<ClientStats>>,
    /// What happened and was not yet told.
    pub notes: Vec<ServeEventKind>,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientMode {
    Live,
    /// Reads, and answers nothing.
    Mute,
    /// Neither reads nor writes; looks now and then, next at this moment, whether the client is still
    /// there.
    Stalled {
        look: Instant,
    },
    /// As mute, until something comes.
    RstOnUse,
    /// Our close frame is on its way; waits for the client's until then.
    Closing {
        until: Instant,
    },
    /// The client's close frame is answered; ends when that is written, or then.
    Leaving {
        until: Instant,
    },
    Gone(SocketExit),
}

/// How the socket is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketExit {
    /// As one should: TLS says goodbye, then FIN.
    Clean,
    /// FIN, under whatever is above it.
    Fin,
    Rst,
    /// What can be written at once is, then it is dropped.
    Terminate,
}

/// What a client is told of itself at the beginning.
pub struct ClientInit {
    /// Its number.
    pub id: u64,
    /// Where its randomness begins.
    pub seed: u64,
    /// The moment from which all clients' heartbeats are spread.
    pub epoch: Instant,
    pub two_ended: bool,
    /// Shared with whoever wants to look.
    pub figures: Arc<Mutex<ClientStats>>,
}

impl ClientState {
    /// A client whose upgrade has just been answered.
    pub fn new(
        config: Arc<ServerConfig>,
        faults: Arc<Faults>,
        birth: ClientInit,
        now: Instant,
    ) -> ClientState {
        let mut rng = SmallRng::seed_from_u64(birth.seed);
        let nonce = rng.next_u32();
        let mut client = ClientState {
            decoder: FrameDecoder::new(config.max_message_size),
            assembler: MessageAssembler::new(config.max_message_size),
            idle: IdleTimer::new(&faults.idle, &mut rng, now),
            timeline: faults.timeline.iter().map(|&(age, cut)| (now + age, cut)).collect(),
            repeats: PeriodicFrames::new(&faults.repeats, now),
            pulse: pulse(&config, &birth, nonce, now),
            promises: birth.two_ended.then(Box::default),
            joined: config.require.is_none(),
            status: Status::Unknown,
            config,
            rng,
            opened: now,
            mode: ClientMode::Live,
            answers: PongQueue::default(),
            outbox: WriteBuffer::default(),
            came: now,
            half_close: false,
            ending: None,
            figures: birth.figures,
            notes: Vec::new(),
            faults,
        };
        client.begin(now);
        client
    }

    fn begin(&mut self, now: Instant) {
        if let Some(every) = self.faults.trickle {
            self.outbox.trickle(every, now);
        }
        if self.pulse.is_some() {
            let kinds = &self.config.heartbeats.kinds;
            self.figures().beats = kinds.iter().map(|kind| HeartbeatStats::new(*kind)).collect();
        }
        self.outbox.push(&self.faults.first_bytes);
        if let Some(greeting) = self.config.greet.clone() {
            self.send(&encode(Opcode::Text, greeting.as_bytes()), now);
        }
    }

    /// Bytes came.
    pub fn received(&mut self, bytes: &[u8], now: Instant) {
        self.came = now;
        self.figures().last_heard = Some(now);
        match self.mode {
            ClientMode::Live | ClientMode::Closing { .. } => self.decode(bytes, now),
            ClientMode::Mute
            | ClientMode::Stalled { .. }
            | ClientMode::Leaving { .. }
            | ClientMode::Gone(_) => {}
            ClientMode::RstOnUse => self.go(SocketExit::Rst, ClosedBy::Us, CloseKind::Rst),
        }
    }

    fn decode(&mut self, bytes: &[u8], now: Instant) {
        self.heard(false, now);
        self.decoder.push(bytes);
        while matches!(self.mode, ClientMode::Live | ClientMode::Closing { .. }) {
            let frame = match self.decoder.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(breach) => return self.break_off(breach, now),
            };
            // A fragment proves life too, long before its message is whole.
            if let Some(pulse) = &mut self.pulse {
                pulse.heard(false, now);
            }
            match self.assembler.take(frame) {
                Ok(Some(message)) => self.heed(message, now),
                Ok(None) => {}
                Err(breach) => return self.break_off(breach, now),
            }
        }
    }

    fn heed(&mut self, message: ClientMessage, now: Instant) {
        self.heard(message.is_data(), now);
        if self.mode != ClientMode::Live && !matches!(message, ClientMessage::Close(_)) {
            return;
        }
        if let Some(pulse) = &mut self.pulse {
            pulse.heard(message.is_data(), now);
        }
        match message {
            ClientMessage::Ping(payload) => {
                self.figures().pings += 1;
                self.owe(PendingPong::Pong(payload), now);
            }
            ClientMessage::Pong(payload) => self.pong(&payload, now),
            ClientMessage::Close(body) => self.closed_by_client(body, now),
            ClientMessage::Text(text) => {
                if self.is_let_pass(&InboundMessage::new(MessageRef::Text(&text)), now) {
                    self.text(&text, now);
                }
            }
            ClientMessage::Binary(bytes) => {
                if self.is_let_pass(&InboundMessage::new(MessageRef::Binary(&bytes)), now) {
                    self.ordinary(Opcode::Binary, &bytes, now);
                }
            }
        }
    }

    fn pong(&mut self, payload: &[u8], now: Instant) {
        if let Some(mut pulse) = self.pulse.take() {
            pulse.pong(payload, now, &mut self.figures().beats);
            self.pulse = Some(pulse);
            self.look_at_status(now);
        }
    }

    /// Takes the answers to app pings out, and sees to it that a join message comes first.
    fn is_let_pass(&mut self, incoming: &InboundMessage, now: Instant) -> bool {
        if let Some(mut pulse) = self.pulse.take() {
            let is_answer = pulse.message(incoming, now, &mut self.figures().beats);
            self.pulse = Some(pulse);
            if is_answer {
                self.look_at_status(now);
                return false;
            }
        }
        let joins = |pattern: &Pattern| pattern.matches(incoming).is_some();
        self.joined = self.joined || self.config.require.as_ref().is_none_or(joins);
        if !self.joined {
            self.close(4401, "a join message must come first", now);
        }
        self.joined
    }

    fn text(&mut self, text: &str, now: Instant) {
        if self.promises.as_mut().is_some_and(|promises| promises.ask(text, now)) {
            return;
        }
        if let Some(pong) = app_ping::answer(text, unix_ms()) {
            self.figures().app_pings += 1;
            return self.owe(PendingPong::App(pong), now);
        }
        self.ordinary(Opcode::Text, text.as_bytes(), now);
    }

    fn ordinary(&mut self, opcode: Opcode, payload: &[u8], now: Instant) {
        self.figures().messages += 1;
        if self.config.echo {
            self.send(&encode(opcode, payload), now);
        }
    }

    fn owe(&mut self, answer: PendingPong, now: Instant) {
        self.answers.owe(answer, &self.faults.answers, &mut self.rng, now);
        self.answer(now);
    }

    /// Sends the answers whose moment has come.
    fn answer(&mut self, now: Instant) {
        while let Some(frame) = self.answers.next_at(now) {
            self.send(&frame, now);
        }
    }

    fn send(&mut self, frame: &[u8], now: Instant) {
        if self.mode != ClientMode::Live {
            return;
        }
        self.outbox.push(frame);
        if let Some(idle) = &mut self.idle {
            idle.spoke(is_message(frame), now);
        }
    }

    fn heard(&mut self, is_data: bool, now: Instant) {
        if let Some(idle) = &mut self.idle {
            idle.heard(is_data, now);
        }
    }

    /// Does what is due by `now`.
    pub fn wake(&mut self, now: Instant) {
        self.answer(now);
        self.repeat(now);
        self.keep_promises(now);
        self.beat(now);
        while let Some(at) = self.timeline.iter().position(|(due, _)| *due <= now) {
            let (due, cut) = self.timeline.swap_remove(at);
            self.cut(cut, &format!("at age {:?}", due - self.opened), now);
        }
        if self.mode == ClientMode::Live && self.idle.as_ref().is_some_and(|idle| idle.due() <= now) {
            self.idled_out(now);
        }
        if matches!(self.mode, ClientMode::Closing { until } | ClientMode::Leaving { until } if until <= now)
        {
            self.mode = ClientMode::Gone(SocketExit::Clean);
        }
    }

    fn repeat(&mut self, now: Instant) {
        for frame in self.repeats.take(now) {
            if self.outbox.backlog() < MAX_BACKLOG_BYTES {
                self.send(&frame, now);
            }
        }
    }

    fn keep_promises(&mut self, now: Instant) {
        let words = self.promises.as_mut().map(|promises| promises.speak(now)).unwrap_or_default();
        for word in words {
            self.send(&encode(Opcode::Text, word.as_bytes()), now);
        }
    }

    /// Sends the server's own heartbeats, and gives a client up that misses them.
    fn beat(&mut self, now: Instant) {
        if self.mode != ClientMode::Live {
            return;
        }
        let Some(mut pulse) = self.pulse.take() else { return };
        let steps = pulse.wake(now, unix_ms(), &mut self.figures().beats);
        let silent_for = pulse.silent_for(now);
        self.pulse = Some(pulse);
        self.look_at_status(now);
        for step in steps {
            match step {
                HeartbeatAction::Send(question) => self.ask(question, now),
                HeartbeatAction::GiveUp { missed } => self.give_up(missed, silent_for),
            }
        }
    }

    /// A client that takes nothing in any more is not sent more: that it says nothing will tell.
    fn ask(&mut self, question: HeartbeatRequest, now: Instant) {
        if self.outbox.backlog() >= MAX_BACKLOG_BYTES {
            return;
        }
        match question {
            HeartbeatRequest::Ping(id) => self.send(&encode(Opcode::Ping, id.as_bytes()), now),
            HeartbeatRequest::App(Payload::Text(text)) => {
                self.send(&encode(Opcode::Text, text.as_bytes()), now)
            }
            HeartbeatRequest::App(Payload::Binary(bytes)) => self.send(&encode(Opcode::Binary, &bytes), now),
        }
    }

    fn give_up(&mut self, missed: u32, silent_for: Duration) {
        self.notes.push(ServeEventKind::Reaped { missed, silent_for });
        self.figures().terminated = true;
        self.change_status(
            Status::Dead,
            format!("terminated after {}", counted(u64::from(missed), "missed heartbeat")),
        );
        self.outbox.push(&encode_close(4000, "Heartbeat timeout"));
        self.go(SocketExit::Terminate, ClosedBy::Us, CloseKind::Timeout);
    }

    fn look_at_status(&mut self, now: Instant) {
        let (status, reason) = {
            let figures = self.figures();
            (figures.status(), figures.worst().map(HeartbeatStats::reason))
        };
        if status != self.status {
            self.change_status(status, reason.unwrap_or_default());
            self.tell_health(now);
        }
    }

    fn change_status(&mut self, to: Status, reason: String) {
        let from = std::mem::replace(&mut self.status, to);
        if from != to {
            let metrics = self.figures().worst().map(HeartbeatStats::metrics).unwrap_or_default();
            self.notes.push(ServeEventKind::Status(StatusChange { kind: None, from, to, reason, metrics }));
        }
    }

    fn tell_health(&mut self, now: Instant) {
        if !self.config.tell_health {
            return;
        }
        let message = self.figures().health_word();
        self.send(&encode(Opcode::Text, message.as_bytes()), now);
    }

    fn idled_out(&mut self, now: Instant) {
        let Some(idle) = self.idle.take() else { return };
        let why = format!("after {:?} without life", idle.after);
        match idle.linger {
            None => self.cut(idle.cut, &why, now),
            Some(linger) => {
                self.cut(CutAction::Silent, &why, now);
                self.timeline.push((now + linger, idle.cut));
            }
        }
    }

    /// Lets the connection go in one of the ways there are.
    fn cut(&mut self, cut: CutAction, why: &str, now: Instant) {
        if matches!(self.mode, ClientMode::Gone(_) | ClientMode::Leaving { .. }) {
            return;
        }
        self.notes.push(ServeEventKind::Fault(format!("{cut} {why}")));
        match cut {
            CutAction::Close(code) => self.close(code, "", now),
            CutAction::Fin => self.go(SocketExit::Fin, ClosedBy::Us, CloseKind::Fin),
            CutAction::Rst => self.go(SocketExit::Rst, ClosedBy::Us, CloseKind::Rst),
            CutAction::HalfClose => {
                self.half_close = true;
                self.fall_silent(ClientMode::Mute);
            }
            CutAction::Silent | CutAction::Mute => self.fall_silent(ClientMode::Mute),
            CutAction::RstOnUse => self.fall_silent(ClientMode::RstOnUse),
            CutAction::Stall => self.fall_silent(ClientMode::Stalled { look: now + STALL_CHECK_INTERVAL }),
        }
    }

    fn fall_silent(&mut self, mode: ClientMode) {
        self.mode = mode;
        self.outbox.clear();
        self.answers = PongQueue::default();
        self.repeats = PeriodicFrames::default();
        self.idle = None;
        self.pulse = None;
        self.promises = None;
    }

    /// Sends a close frame, and waits for the client's.
    fn close(&mut self, code: u16, reason: &str, now: Instant) {
        self.outbox.push(&encode_close(code, reason));
        self.mode = ClientMode::Closing { until: now + self.config.close_timeout };
        let how = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) };
        self.end(ClosedBy::Us, how, None);
    }

    fn closed_by_client(&mut self, body: Option<(u16, String)>, now: Instant) {
        if self.mode == ClientMode::Live {
            let answer = match &body {
                Some((code, _)) => encode_close(*code, ""),
                None => encode(Opcode::Close, &[]),
            };
            self.outbox.push(&answer);
        }
        let (code, reason) = body.map_or((None, String::new()), |(code, reason)| (Some(code), reason));
        self.end(ClosedBy::Peer, CloseKind::CloseFrame { code, reason: UntrustedText::new(&reason) }, None);
        self.leave(now);
    }

    /// Nothing more is to be said once the outbox is empty.
    fn leave(&mut self, now: Instant) {
        self.mode = match self.outbox.backlog() {
            0 => ClientMode::Gone(SocketExit::Clean),
            _ => ClientMode::Leaving { until: now + self.config.close_timeout },
        };
    }

    fn break_off(&mut self, breach: FrameViolation, now: Instant) {
        self.end(ClosedBy::Us, how_of(breach), None);
        if self.mode == ClientMode::Live {
            self.outbox.push(&encode_close(breach.code(), &breach.to_string()));
        }
        self.leave(now);
    }

    /// The server stops: everybody is told, but those who are told nothing any more.
    pub fn stop(&mut self, now: Instant) {
        match self.mode {
            ClientMode::Live => self.close(1001, "server stops", now),
            ClientMode::Mute | ClientMode::Stalled { .. } | ClientMode::RstOnUse => {
                self.go(SocketExit::Fin, ClosedBy::Us, CloseKind::Silent)
            }
            ClientMode::Closing { .. } | ClientMode::Leaving { .. } | ClientMode::Gone(_) => {}
        }
    }

    /// The client's stream ended.
    pub fn saw_end(&mut self, how: CloseKind) {
        self.go(SocketExit::Clean, ClosedBy::Peer, how);
    }

    /// Reading or writing failed.
    pub fn saw_error(&mut self, how: CloseKind, os_error: Option<String>) {
        let who =
            if matches!(how, CloseKind::Rst | CloseKind::Fin) { ClosedBy::Peer } else { ClosedBy::Network };
        self.end(who, how, os_error);
        self.mode = ClientMode::Gone(SocketExit::Fin);
    }

    /// So many bytes were written.
    pub fn wrote(&mut self, count: usize, now: Instant) {
        self.outbox.wrote(count, now);
        if matches!(self.mode, ClientMode::Leaving { .. }) && self.outbox.backlog() == 0 {
            self.mode = ClientMode::Gone(SocketExit::Clean);
        }
    }

    fn go(&mut self, exit: SocketExit, who: ClosedBy, how: CloseKind) {
        self.end(who, how, None);
        self.mode = ClientMode::Gone(exit);
    }

    /// The first cause counts.
    fn end(&mut self, who: ClosedBy, how: CloseKind, os_error: Option<String>) {
        self.ending.get_or_insert((who, how, os_error));
    }

    /// Whether to read on.
    pub fn wants_input(&self) -> bool {
        !matches!(self.mode, ClientMode::Stalled { .. })
            && self.outbox.backlog() + self.answers.backlog() < MAX_BACKLOG_BYTES
    }

    /// Whether it is time to look if the client is still there, because nothing is read that would tell;
    /// said once each time.
    pub fn takes_look(&mut self, now: Instant) -> bool {
        match &mut self.mode {
            ClientMode::Stalled { look } if *look <= now => {
                *look = now + STALL_CHECK_INTERVAL;
                true
            }
            _ => false,
        }
    }

    /// Whether a FIN is to be sent now; said once.
    pub fn takes_half_close(&mut self) -> bool {
        std::mem::take(&mut self.half_close)
    }

    /// How to let the socket go, once it is time.
    pub fn exit(&self) -> Option<SocketExit> {
        match self.mode {
            ClientMode::Gone(exit) => Some(exit),
            _ => None,
        }
    }

    /// When [`ClientState::wake`] is to be called next.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let close = match self.mode {
            ClientMode::Closing { until } | ClientMode::Leaving { until } => Some(until),
            ClientMode::Stalled { look } => Some(look),
            ClientMode::Live | ClientMode::Mute | ClientMode::RstOnUse | ClientMode::Gone(_) => None,
        };
        let idle = self.idle.as_ref().filter(|_| self.mode == ClientMode::Live).map(IdleTimer::due);
        let timeline = self.timeline.iter().map(|(due, _)| *due);
        let pulse =
            self.pulse.as_ref().filter(|_| self.mode == ClientMode::Live).and_then(|pulse| pulse.due());
        let promise = self.promises.as_ref().and_then(|promises| promises.due());
        let owed = [self.answers.due(), self.outbox.due(now), self.repeats.due()];
        let single = [close, idle, pulse, promise].into_iter().chain(owed).flatten();
        single.chain(timeline).min()
    }

    /// How it ended, as far as it has.
    pub fn ending(&self, now: Instant) -> CloseCause {
        let unknown = || (ClosedBy::Us, CloseKind::Error, None);
        let (who, how, os_error) = self.ending.clone().unwrap_or_else(unknown);
        let (age, idle) = (now - self.opened, now - self.came);
        CloseCause { who, how, reply: None, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// Nothing that holds this lock can panic midway.
    fn figures(&self) -> MutexGuard<'_, ClientStats> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the two-ended mode the path belongs to the peer, and the server keeps quiet.
fn pulse(
    config: &ServerConfig,
    birth: &ClientInit,
    nonce: u32,
    now: Instant,
) -> Option<Box<ClientHeartbeats>> {
    let rules = &config.heartbeats;
    let beats = !rules.kinds.is_empty() && !birth.two_ended;
    beats.then(|| Box::new(ClientHeartbeats::new(Arc::clone(rules), birth.id, nonce, birth.epoch, now)))
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What an ending by a breach is called.
fn how_of(breach: FrameViolation) -> CloseKind {
    let rule = match breach {
        FrameViolation::TooLarge { size, limit } => return CloseKind::TooLarge { size, limit: limit as u64 },
        FrameViolation::NotUtf8 => Violation::InvalidUtf8,
        FrameViolation::BadCode(_) => Violation::InvalidCloseCode,
        _ => Violation::Garbage,
    };
    CloseKind::Violation { rule, detail: UntrustedText::new(&breach.to_string()), close: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::server::config::ServerHeartbeats;
    use crate::server::faults;
    use crate::server::frame::tests::masked;
    use proptest::prelude::*;

    const CLOSE: &[u8] = &[0x03, 0xe9];

    fn client(config: ServerConfig, now: Instant) -> ClientState {
        let birth = ClientInit { id: 1, seed: 1, epoch: now, two_ended: true, figures: Arc::default() };
        let faults = Arc::new(config.faults.clone());
        ClientState::new(Arc::new(config), faults, birth, now)
    }

    /// What is written by then.
    fn written(client: &mut ClientState, now: Instant) -> Vec<u8> {
        let bytes = client.outbox.ready(now).to_vec();
        client.wrote(bytes.len(), now);
        bytes
    }

    #[test]
    fn after_our_close_frame_only_the_clients_matters() {
        let now = Instant::now();
        let mut client = client(ServerConfig::default(), now);
        client.stop(now);
        assert_eq!(written(&mut client, now)[..4], [0x88, 14, 0x03, 0xe9]);
        client.received(&masked(0x89, b"still answering?"), now);
        assert_eq!((written(&mut client, now), client.exit()), (vec![], None));
        client.received(&masked(0x88, CLOSE), now);
        assert_eq!(client.exit(), Some(SocketExit::Clean));
        assert_eq!(client.ending(now).who, ClosedBy::Us);
    }

    #[test]
    fn a_client_that_does_not_answer_our_close_frame_is_let_go() {
        let now = Instant::now();
        let mut client = client(ServerConfig::default(), now);
        client.stop(now);
        let due = client.due(now).unwrap();
        assert_eq!(due, now + ServerConfig::default().close_timeout);
        client.wake(due);
        assert_eq!(client.exit(), Some(SocketExit::Clean));
    }

    #[test]
    fn an_app_pong_is_a_message_where_only_messages_count() {
        let mut config = ServerConfig::default();
        for (name, value) in [("idle-timeout", "10s"), ("messages-only", ""), ("idle-resets", "server")] {
            faults::set(&mut config.faults, name, value).unwrap();
        }
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut client = client(config, now);
        client.received(&masked(0x89, b"ping"), now + second);
        assert_eq!(client.due(now), Some(now + 10 * second));
        client.received(&masked(0x81, br#"{"type":"ping"}"#), now + 2 * second);
        assert_eq!(client.due(now), Some(now + 12 * second));
    }

    #[test]
    fn client_sending_a_long_message_slowly_is_alive() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let heartbeats = Arc::new(ServerHeartbeats {
            kinds: vec![HeartbeatKind::Protocol],
            ..ServerHeartbeats::default()
        });
        let birth = ClientInit { id: 1, seed: 1, epoch: start, two_ended: false, figures: Arc::default() };
        let config = Arc::new(ServerConfig { heartbeats, ..ServerConfig::default() });
        let mut client = ClientState::new(config, Arc::default(), birth, start);
        client.received(&masked(0x01, b"begin"), start);
        for n in 1..300 {
            client.received(&masked(0x00, b"and so on"), start + n * second);
            client.wake(start + n * second);
        }
        assert_eq!(client.exit(), None);
    }

    #[test]
    fn client_that_reads_nothing_has_a_bounded_backlog() {
        let now = Instant::now();
        let mut client = client(ServerConfig::default(), now);
        let ping = masked(0x89, &[0; 125]);
        let mut sent = 0;
        while client.wants_input() {
            client.received(&ping, now);
            sent += ping.len();
        }
        assert!(sent < 2 * MAX_BACKLOG_BYTES && client.outbox.backlog() < MAX_BACKLOG_BYTES + 200);
    }

    proptest! {
        #[test]
        fn nothing_that_a_client_sends_panics(
            frames in prop::collection::vec(
                (prop::sample::select(vec![0x00_u8, 0x01, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xff]),
                 prop_oneof![
                     prop::collection::vec(any::<u8>(), 0..130),
                     Just(br#"{"type":"ping","id":1}"#.to_vec()),
                     Just(br#"{"wscheck":"speak_after","ms":5,"id":"x"}"#.to_vec()),
                     Just(br#"{"type":"pong","id":"0-0"}"#.to_vec()),
                 ],
                 0_u64..50_000),
                0..40),
            two_ended in any::<bool>(),
        ) {
            let start = Instant::now();
            let kinds = vec![HeartbeatKind::Protocol, HeartbeatKind::App];
            let heartbeats = Arc::new(ServerHeartbeats { kinds, max_missed: 3, ..ServerHeartbeats::default() });
            let config = Arc::new(ServerConfig { heartbeats, tell_health: true, ..ServerConfig::default() });
            let birth = ClientInit { id: 1, seed: 1, epoch: start, two_ended, figures: Arc::default() };
            let mut client = ClientState::new(config, Arc::default(), birth, start);
            let mut now = start;
            for (first, payload, ms) in frames {
                now += Duration::from_millis(ms);
                client.received(&masked(first, &payload), now);
                client.wake(now);
                written(&mut client, now);
                // Whatever is due lies ahead, or the driver would turn in circles.
                let due = client.due(now).filter(|_| client.exit().is_none());
                prop_assert!(due.is_none_or(|due| due > now), "due {:?} before now", due.map(|due| now - due));
            }
        }
    }
}
