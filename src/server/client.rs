//! One client as the server sees it: what came, what is owed, and when something is due. Pure but for
//! the clock's instants; the socket is the driver's.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use super::answers::{Answer, Answers};
use super::app_ping;
use super::config::Config;
use super::event::What;
use super::faults::{Cut, Faults};
use super::figures::{BeatFigures, Figures};
use super::frame::{Breach, Decoder, Opcode, encode, encode_close, is_message};
use super::idle::Idle;
use super::message::{Assembler, Message};
use super::outbox::Outbox;
use super::pulse::{Pulse, Question, Step};
use super::repeats::Repeats;
use super::two_ended::Promises;
use crate::domain::ending::{Ending, How, Violation, Who};
use crate::domain::event::StatusChange;
use crate::domain::health::Status;
use crate::domain::heartbeat::incoming::{Incoming, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Payload;
use crate::domain::peer_text::PeerText;
use crate::domain::shown::counted;

/// With so many bytes owed to a client, nothing more is read from it and nothing unasked is sent.
const LARGEST_BACKLOG: usize = 256 * 1024;

/// So often a stalled connection's socket is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// One client.
pub struct Client {
    config: Arc<Config>,
    faults: Arc<Faults>,
    rng: SmallRng,
    opened: Instant,
    mode: Mode,
    decoder: Decoder,
    assembler: Assembler,
    answers: Answers,
    /// What is to be written.
    pub outbox: Outbox,
    /// When bytes last came.
    came: Instant,
    idle: Option<Idle>,
    /// `None`: there are no heartbeats, or no more.
    pulse: Option<Box<Pulse>>,
    /// Present in the two-ended mode.
    promises: Option<Box<Promises>>,
    /// A join message came, or none is required.
    joined: bool,
    status: Status,
    /// Cuts that are still to happen.
    timeline: Vec<(Instant, Cut)>,
    repeats: Repeats,
    /// A FIN is to be sent while the socket stays open.
    half_close: bool,
    ending: Option<(Who, How, Option<String>)>,
    figures: Arc<Mutex<Figures>>,
    /// What happened and was not yet told.
    pub notes: Vec<What>,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
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
    Gone(Exit),
}

/// How the socket is let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As one should: TLS says goodbye, then FIN.
    Clean,
    /// FIN, under whatever is above it.
    Fin,
    Rst,
    /// What can be written at once is, then it is dropped.
    Terminate,
}

/// What a client is told of itself at the beginning.
pub struct Birth {
    /// Its number.
    pub id: u64,
    /// Where its randomness begins.
    pub seed: u64,
    /// The moment from which all clients' heartbeats are spread.
    pub epoch: Instant,
    pub two_ended: bool,
    /// Shared with whoever wants to look.
    pub figures: Arc<Mutex<Figures>>,
}

impl Client {
    /// A client whose upgrade has just been answered.
    pub fn new(config: Arc<Config>, faults: Arc<Faults>, birth: Birth, now: Instant) -> Client {
        let mut rng = SmallRng::seed_from_u64(birth.seed);
        let nonce = rng.next_u32();
        let mut client = Client {
            decoder: Decoder::new(config.max_message_size),
            assembler: Assembler::new(config.max_message_size),
            idle: Idle::new(&faults.idle, &mut rng, now),
            timeline: faults.timeline.iter().map(|&(age, cut)| (now + age, cut)).collect(),
            repeats: Repeats::new(&faults.repeats, now),
            pulse: pulse(&config, &birth, nonce, now),
            promises: birth.two_ended.then(Box::default),
            joined: config.require.is_none(),
            status: Status::Unknown,
            config,
            rng,
            opened: now,
            mode: Mode::Live,
            answers: Answers::default(),
            outbox: Outbox::default(),
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
            self.figures().beats = kinds.iter().map(|kind| BeatFigures::new(*kind)).collect();
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
            Mode::Live | Mode::Closing { .. } => self.decode(bytes, now),
            Mode::Mute | Mode::Stalled { .. } | Mode::Leaving { .. } | Mode::Gone(_) => {}
            Mode::RstOnUse => self.go(Exit::Rst, Who::Us, How::Rst),
        }
    }

    fn decode(&mut self, bytes: &[u8], now: Instant) {
        self.heard(false, now);
        self.decoder.push(bytes);
        while matches!(self.mode, Mode::Live | Mode::Closing { .. }) {
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

    fn heed(&mut self, message: Message, now: Instant) {
        self.heard(message.is_data(), now);
        if self.mode != Mode::Live && !matches!(message, Message::Close(_)) {
            return;
        }
        if let Some(pulse) = &mut self.pulse {
            pulse.heard(message.is_data(), now);
        }
        match message {
            Message::Ping(payload) => {
                self.figures().pings += 1;
                self.owe(Answer::Pong(payload), now);
            }
            Message::Pong(payload) => self.pong(&payload, now),
            Message::Close(body) => self.closed_by_client(body, now),
            Message::Text(text) => {
                if self.is_let_pass(&Incoming::new(MessageRef::Text(&text)), now) {
                    self.text(&text, now);
                }
            }
            Message::Binary(bytes) => {
                if self.is_let_pass(&Incoming::new(MessageRef::Binary(&bytes)), now) {
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
    fn is_let_pass(&mut self, incoming: &Incoming, now: Instant) -> bool {
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
            return self.owe(Answer::App(pong), now);
        }
        self.ordinary(Opcode::Text, text.as_bytes(), now);
    }

    fn ordinary(&mut self, opcode: Opcode, payload: &[u8], now: Instant) {
        self.figures().messages += 1;
        if self.config.echo {
            self.send(&encode(opcode, payload), now);
        }
    }

    fn owe(&mut self, answer: Answer, now: Instant) {
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
        if self.mode != Mode::Live {
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
        if self.mode == Mode::Live && self.idle.as_ref().is_some_and(|idle| idle.due() <= now) {
            self.idled_out(now);
        }
        if matches!(self.mode, Mode::Closing { until } | Mode::Leaving { until } if until <= now) {
            self.mode = Mode::Gone(Exit::Clean);
        }
    }

    fn repeat(&mut self, now: Instant) {
        for frame in self.repeats.take(now) {
            if self.outbox.backlog() < LARGEST_BACKLOG {
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
        if self.mode != Mode::Live {
            return;
        }
        let Some(mut pulse) = self.pulse.take() else { return };
        let steps = pulse.wake(now, unix_ms(), &mut self.figures().beats);
        let silent_for = pulse.silent_for(now);
        self.pulse = Some(pulse);
        self.look_at_status(now);
        for step in steps {
            match step {
                Step::Send(question) => self.ask(question, now),
                Step::GiveUp { missed } => self.give_up(missed, silent_for),
            }
        }
    }

    /// A client that takes nothing in any more is not sent more: that it says nothing will tell.
    fn ask(&mut self, question: Question, now: Instant) {
        if self.outbox.backlog() >= LARGEST_BACKLOG {
            return;
        }
        match question {
            Question::Ping(id) => self.send(&encode(Opcode::Ping, id.as_bytes()), now),
            Question::App(Payload::Text(text)) => self.send(&encode(Opcode::Text, text.as_bytes()), now),
            Question::App(Payload::Binary(bytes)) => self.send(&encode(Opcode::Binary, &bytes), now),
        }
    }

    fn give_up(&mut self, missed: u32, silent_for: Duration) {
        self.notes.push(What::Reaped { missed, silent_for });
        self.figures().terminated = true;
        self.change_status(
            Status::Dead,
            format!("terminated after {}", counted(u64::from(missed), "missed heartbeat")),
        );
        self.outbox.push(&encode_close(4000, "Heartbeat timeout"));
        self.go(Exit::Terminate, Who::Us, How::Timeout);
    }

    fn look_at_status(&mut self, now: Instant) {
        let (status, reason) = {
            let figures = self.figures();
            (figures.status(), figures.worst().map(BeatFigures::reason))
        };
        if status != self.status {
            self.change_status(status, reason.unwrap_or_default());
            self.tell_health(now);
        }
    }

    fn change_status(&mut self, to: Status, reason: String) {
        let from = std::mem::replace(&mut self.status, to);
        if from != to {
            let metrics = self.figures().worst().map(BeatFigures::metrics).unwrap_or_default();
            self.notes.push(What::Status(StatusChange { kind: None, from, to, reason, metrics }));
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
                self.cut(Cut::Silent, &why, now);
                self.timeline.push((now + linger, idle.cut));
            }
        }
    }

    /// Lets the connection go in one of the ways there are.
    fn cut(&mut self, cut: Cut, why: &str, now: Instant) {
        if matches!(self.mode, Mode::Gone(_) | Mode::Leaving { .. }) {
            return;
        }
        self.notes.push(What::Fault(format!("{cut} {why}")));
        match cut {
            Cut::Close(code) => self.close(code, "", now),
            Cut::Fin => self.go(Exit::Fin, Who::Us, How::Fin),
            Cut::Rst => self.go(Exit::Rst, Who::Us, How::Rst),
            Cut::HalfClose => {
                self.half_close = true;
                self.fall_silent(Mode::Mute);
            }
            Cut::Silent | Cut::Mute => self.fall_silent(Mode::Mute),
            Cut::RstOnUse => self.fall_silent(Mode::RstOnUse),
            Cut::Stall => self.fall_silent(Mode::Stalled { look: now + LOOK }),
        }
    }

    fn fall_silent(&mut self, mode: Mode) {
        self.mode = mode;
        self.outbox.clear();
        self.answers = Answers::default();
        self.repeats = Repeats::default();
        self.idle = None;
        self.pulse = None;
        self.promises = None;
    }

    /// Sends a close frame, and waits for the client's.
    fn close(&mut self, code: u16, reason: &str, now: Instant) {
        self.outbox.push(&encode_close(code, reason));
        self.mode = Mode::Closing { until: now + self.config.close_timeout };
        let how = How::CloseFrame { code: Some(code), reason: PeerText::new(reason) };
        self.end(Who::Us, how, None);
    }

    fn closed_by_client(&mut self, body: Option<(u16, String)>, now: Instant) {
        if self.mode == Mode::Live {
            let answer = match &body {
                Some((code, _)) => encode_close(*code, ""),
                None => encode(Opcode::Close, &[]),
            };
            self.outbox.push(&answer);
        }
        let (code, reason) = body.map_or((None, String::new()), |(code, reason)| (Some(code), reason));
        self.end(Who::Peer, How::CloseFrame { code, reason: PeerText::new(&reason) }, None);
        self.leave(now);
    }

    /// Nothing more is to be said once the outbox is empty.
    fn leave(&mut self, now: Instant) {
        self.mode = match self.outbox.backlog() {
            0 => Mode::Gone(Exit::Clean),
            _ => Mode::Leaving { until: now + self.config.close_timeout },
        };
    }

    fn break_off(&mut self, breach: Breach, now: Instant) {
        self.end(Who::Us, how_of(breach), None);
        if self.mode == Mode::Live {
            self.outbox.push(&encode_close(breach.code(), &breach.to_string()));
        }
        self.leave(now);
    }

    /// The server stops: everybody is told, but those who are told nothing any more.
    pub fn stop(&mut self, now: Instant) {
        match self.mode {
            Mode::Live => self.close(1001, "server stops", now),
            Mode::Mute | Mode::Stalled { .. } | Mode::RstOnUse => self.go(Exit::Fin, Who::Us, How::Silent),
            Mode::Closing { .. } | Mode::Leaving { .. } | Mode::Gone(_) => {}
        }
    }

    /// The client's stream ended.
    pub fn saw_end(&mut self, how: How) {
        self.go(Exit::Clean, Who::Peer, how);
    }

    /// Reading or writing failed.
    pub fn saw_error(&mut self, how: How, os_error: Option<String>) {
        let who = if matches!(how, How::Rst | How::Fin) { Who::Peer } else { Who::Network };
        self.end(who, how, os_error);
        self.mode = Mode::Gone(Exit::Fin);
    }

    /// So many bytes were written.
    pub fn wrote(&mut self, count: usize, now: Instant) {
        self.outbox.wrote(count, now);
        if matches!(self.mode, Mode::Leaving { .. }) && self.outbox.backlog() == 0 {
            self.mode = Mode::Gone(Exit::Clean);
        }
    }

    fn go(&mut self, exit: Exit, who: Who, how: How) {
        self.end(who, how, None);
        self.mode = Mode::Gone(exit);
    }

    /// The first cause counts.
    fn end(&mut self, who: Who, how: How, os_error: Option<String>) {
        self.ending.get_or_insert((who, how, os_error));
    }

    /// Whether to read on.
    pub fn wants_input(&self) -> bool {
        !matches!(self.mode, Mode::Stalled { .. })
            && self.outbox.backlog() + self.answers.backlog() < LARGEST_BACKLOG
    }

    /// Whether it is time to look if the client is still there, because nothing is read that would tell;
    /// said once each time.
    pub fn takes_look(&mut self, now: Instant) -> bool {
        match &mut self.mode {
            Mode::Stalled { look } if *look <= now => {
                *look = now + LOOK;
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
    pub fn exit(&self) -> Option<Exit> {
        match self.mode {
            Mode::Gone(exit) => Some(exit),
            _ => None,
        }
    }

    /// When [`Client::wake`] is to be called next.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let close = match self.mode {
            Mode::Closing { until } | Mode::Leaving { until } => Some(until),
            Mode::Stalled { look } => Some(look),
            Mode::Live | Mode::Mute | Mode::RstOnUse | Mode::Gone(_) => None,
        };
        let idle = self.idle.as_ref().filter(|_| self.mode == Mode::Live).map(Idle::due);
        let timeline = self.timeline.iter().map(|(due, _)| *due);
        let pulse = self.pulse.as_ref().filter(|_| self.mode == Mode::Live).and_then(|pulse| pulse.due());
        let promise = self.promises.as_ref().and_then(|promises| promises.due());
        let owed = [self.answers.due(), self.outbox.due(now), self.repeats.due()];
        let single = [close, idle, pulse, promise].into_iter().chain(owed).flatten();
        single.chain(timeline).min()
    }

    /// How it ended, as far as it has.
    pub fn ending(&self, now: Instant) -> Ending {
        let unknown = || (Who::Us, How::Error, None);
        let (who, how, os_error) = self.ending.clone().unwrap_or_else(unknown);
        let (age, idle) = (now - self.opened, now - self.came);
        Ending { who, how, reply: None, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// Nothing that holds this lock can panic midway.
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the two-ended mode the path belongs to the peer, and the server keeps quiet.
fn pulse(config: &Config, birth: &Birth, nonce: u32, now: Instant) -> Option<Box<Pulse>> {
    let rules = &config.heartbeats;
    let beats = !rules.kinds.is_empty() && !birth.two_ended;
    beats.then(|| Box::new(Pulse::new(Arc::clone(rules), birth.id, nonce, birth.epoch, now)))
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What an ending by a breach is called.
fn how_of(breach: Breach) -> How {
    let rule = match breach {
        Breach::TooLarge { size, limit } => return How::TooLarge { size, limit: limit as u64 },
        Breach::NotUtf8 => Violation::InvalidUtf8,
        Breach::BadCode(_) => Violation::InvalidCloseCode,
        _ => Violation::Garbage,
    };
    How::Violation { rule, detail: PeerText::new(&breach.to_string()), close: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::Kind;
    use crate::server::config::Heartbeats;
    use crate::server::faults;
    use crate::server::frame::tests::masked;
    use proptest::prelude::*;

    const CLOSE: &[u8] = &[0x03, 0xe9];

    fn client(config: Config, now: Instant) -> Client {
        let birth = Birth { id: 1, seed: 1, epoch: now, two_ended: true, figures: Arc::default() };
        let faults = Arc::new(config.faults.clone());
        Client::new(Arc::new(config), faults, birth, now)
    }

    /// What is written by then.
    fn written(client: &mut Client, now: Instant) -> Vec<u8> {
        let bytes = client.outbox.ready(now).to_vec();
        client.wrote(bytes.len(), now);
        bytes
    }

    #[test]
    fn after_our_close_frame_only_the_clients_matters() {
        let now = Instant::now();
        let mut client = client(Config::default(), now);
        client.stop(now);
        assert_eq!(written(&mut client, now)[..4], [0x88, 14, 0x03, 0xe9]);
        client.received(&masked(0x89, b"still answering?"), now);
        assert_eq!((written(&mut client, now), client.exit()), (vec![], None));
        client.received(&masked(0x88, CLOSE), now);
        assert_eq!(client.exit(), Some(Exit::Clean));
        assert_eq!(client.ending(now).who, Who::Us);
    }

    #[test]
    fn a_client_that_does_not_answer_our_close_frame_is_let_go() {
        let now = Instant::now();
        let mut client = client(Config::default(), now);
        client.stop(now);
        let due = client.due(now).unwrap();
        assert_eq!(due, now + Config::default().close_timeout);
        client.wake(due);
        assert_eq!(client.exit(), Some(Exit::Clean));
    }

    #[test]
    fn an_app_pong_is_a_message_where_only_messages_count() {
        let mut config = Config::default();
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
    fn a_client_that_is_sending_a_long_message_piece_by_piece_is_alive() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let heartbeats = Arc::new(Heartbeats { kinds: vec![Kind::Protocol], ..Heartbeats::default() });
        let birth = Birth { id: 1, seed: 1, epoch: start, two_ended: false, figures: Arc::default() };
        let config = Arc::new(Config { heartbeats, ..Config::default() });
        let mut client = Client::new(config, Arc::default(), birth, start);
        client.received(&masked(0x01, b"begin"), start);
        for n in 1..300 {
            client.received(&masked(0x00, b"and so on"), start + n * second);
            client.wake(start + n * second);
        }
        assert_eq!(client.exit(), None);
    }

    #[test]
    fn a_client_that_takes_nothing_in_is_not_read_and_owed_no_more_than_so_much() {
        let now = Instant::now();
        let mut client = client(Config::default(), now);
        let ping = masked(0x89, &[0; 125]);
        let mut sent = 0;
        while client.wants_input() {
            client.received(&ping, now);
            sent += ping.len();
        }
        assert!(sent < 2 * LARGEST_BACKLOG && client.outbox.backlog() < LARGEST_BACKLOG + 200);
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
            let kinds = vec![Kind::Protocol, Kind::App];
            let heartbeats = Arc::new(Heartbeats { kinds, max_missed: 3, ..Heartbeats::default() });
            let config = Arc::new(Config { heartbeats, tell_health: true, ..Config::default() });
            let birth = Birth { id: 1, seed: 1, epoch: start, two_ended, figures: Arc::default() };
            let mut client = Client::new(config, Arc::default(), birth, start);
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
