//! One client as the server sees it: what came, what is owed, and when something is due. Pure but for
//! the clock's instants; the socket is the driver's.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::answers::{Answer, Answers};
use super::app_ping;
use super::config::Config;
use super::event::What;
use super::faults::{Cut, Faults, Repeat, Resets};
use super::figures::Figures;
use super::frame::{Breach, Decoder, Opcode, encode, encode_close};
use super::message::{Assembler, Message};
use super::outbox::Outbox;
use crate::domain::ending::{Ending, How, Violation, Who};
use crate::domain::peer_text::PeerText;

/// With so many bytes owed to a client, nothing more is read from it and nothing unasked is sent.
const LARGEST_BACKLOG: usize = 256 * 1024;

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
    /// Cuts that are still to happen.
    timeline: Vec<(Instant, Cut)>,
    repeats: Vec<Repeating>,
    /// A FIN is to be sent while the socket stays open.
    half_close: bool,
    ending: Option<(Who, How, Option<String>)>,
    figures: Figures,
    /// What happened and was not yet told.
    pub notes: Vec<What>,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Live,
    /// Reads, and answers nothing.
    Mute,
    /// Neither reads nor writes.
    Stalled,
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
}

/// The idle timer of a faulty connection.
struct Idle {
    after: Duration,
    cut: Cut,
    resets: Resets,
    messages_only: bool,
    linger: Option<Duration>,
    /// When the client last gave a sign of life that counts.
    heard: Instant,
    /// When the server last did.
    spoke: Instant,
}

impl Idle {
    fn due(&self) -> Instant {
        let alive = match self.resets {
            Resets::Either => self.heard.max(self.spoke),
            Resets::Client => self.heard,
            Resets::Server => self.spoke,
            Resets::Both => self.heard.min(self.spoke),
        };
        alive + self.after
    }
}

struct Repeating {
    next: Instant,
    every: Duration,
    what: Repeat,
    count: u64,
}

impl Client {
    /// A client whose upgrade has just been answered. `seed` is its own.
    pub fn new(config: Arc<Config>, faults: Arc<Faults>, seed: u64, now: Instant) -> Client {
        let mut rng = SmallRng::seed_from_u64(seed);
        let repeats = &faults.repeats;
        let repeats =
            repeats.iter().map(|&(every, what)| Repeating { next: now + every, every, what, count: 0 });
        let mut client = Client {
            decoder: Decoder::new(config.max_message_size),
            assembler: Assembler::new(config.max_message_size),
            idle: idle(&faults, &mut rng, now),
            timeline: faults.timeline.iter().map(|&(age, cut)| (now + age, cut)).collect(),
            repeats: repeats.collect(),
            config,
            rng,
            opened: now,
            mode: Mode::Live,
            answers: Answers::default(),
            outbox: Outbox::default(),
            came: now,
            half_close: false,
            ending: None,
            figures: Figures::default(),
            notes: Vec::new(),
            faults: Arc::clone(&faults),
        };
        if let Some(every) = faults.trickle {
            client.outbox.trickle(every, now);
        }
        client.outbox.push(&faults.first_bytes);
        client
    }

    /// Bytes came.
    pub fn received(&mut self, bytes: &[u8], now: Instant) {
        self.came = now;
        match self.mode {
            Mode::Live | Mode::Closing { .. } => self.decode(bytes, now),
            Mode::Mute | Mode::Stalled | Mode::Leaving { .. } | Mode::Gone(_) => {}
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
            match self.assembler.take(frame) {
                Ok(Some(message)) => self.heed(message, now),
                Ok(None) => {}
                Err(breach) => return self.break_off(breach, now),
            }
        }
    }

    fn heed(&mut self, message: Message, now: Instant) {
        if message.is_data() {
            self.heard(true, now);
        }
        match message {
            Message::Ping(payload) => {
                self.figures.pings += 1;
                self.owe(Answer::Pong(payload), now);
            }
            Message::Pong(_) => {}
            Message::Close(body) => self.closed_by_client(body, now),
            Message::Text(text) => self.text(text, now),
            Message::Binary(bytes) => {
                self.figures.messages += 1;
                self.echo(Opcode::Binary, &bytes, now);
            }
        }
    }

    fn text(&mut self, text: String, now: Instant) {
        if let Some(pong) = app_ping::answer(&text, unix_ms()) {
            self.figures.app_pings += 1;
            return self.owe(Answer::App(pong), now);
        }
        self.figures.messages += 1;
        self.echo(Opcode::Text, text.as_bytes(), now);
    }

    fn owe(&mut self, answer: Answer, now: Instant) {
        self.answers.owe(answer, &self.faults.answers, &mut self.rng, now);
        self.answer(now);
    }

    /// Sends the answers whose moment has come.
    fn answer(&mut self, now: Instant) {
        while let Some(frame) = self.answers.next_at(now) {
            self.send(&frame, false, now);
        }
    }

    fn echo(&mut self, opcode: Opcode, payload: &[u8], now: Instant) {
        if self.config.echo {
            self.send(&encode(opcode, payload), true, now);
        }
    }

    fn send(&mut self, frame: &[u8], is_data: bool, now: Instant) {
        if self.mode != Mode::Live {
            return;
        }
        self.outbox.push(frame);
        if let Some(idle) = self.idle.as_mut().filter(|idle| is_data || !idle.messages_only) {
            idle.spoke = now;
        }
    }

    fn heard(&mut self, is_data: bool, now: Instant) {
        if let Some(idle) = self.idle.as_mut().filter(|idle| is_data || !idle.messages_only) {
            idle.heard = now;
        }
    }

    /// Does what is due by `now`.
    pub fn wake(&mut self, now: Instant) {
        self.answer(now);
        self.repeat(now);
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
        let mut due = Vec::new();
        for repeating in &mut self.repeats {
            while repeating.next <= now && due.len() < 1000 {
                repeating.next += repeating.every;
                due.push((repeating.what, repeating.count));
                repeating.count += 1;
            }
        }
        for (what, count) in due {
            if self.outbox.backlog() < LARGEST_BACKLOG {
                self.send(&unasked(what, count), what == Repeat::Chatter, now);
            }
        }
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
            Cut::Stall => self.fall_silent(Mode::Stalled),
        }
    }

    fn fall_silent(&mut self, mode: Mode) {
        self.mode = mode;
        self.outbox.clear();
        self.answers = Answers::default();
        self.repeats.clear();
        self.idle = None;
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
        self.mode = Mode::Leaving { until: now + self.config.close_timeout };
    }

    fn break_off(&mut self, breach: Breach, now: Instant) {
        let rule = match breach {
            Breach::TooLarge(_) => Violation::Oversized,
            Breach::NotUtf8 => Violation::InvalidUtf8,
            _ => Violation::Garbage,
        };
        self.end(Who::Us, How::Violation { rule, detail: PeerText::new(&breach.to_string()) }, None);
        self.outbox.push(&encode_close(breach.code(), &breach.to_string()));
        self.mode = Mode::Leaving { until: now + self.config.close_timeout };
    }

    /// The server stops: everybody is told, but those who are told nothing any more.
    pub fn stop(&mut self, now: Instant) {
        match self.mode {
            Mode::Live => self.close(1001, "server stops", now),
            Mode::Mute | Mode::Stalled | Mode::RstOnUse => self.go(Exit::Fin, Who::Us, How::Silent),
            Mode::Closing { .. } | Mode::Leaving { .. } | Mode::Gone(_) => {}
        }
    }

    /// The client's stream ended.
    pub fn saw_fin(&mut self) {
        self.go(Exit::Clean, Who::Peer, How::Fin);
    }

    /// Reading or writing failed.
    pub fn saw_error(&mut self, how: How, os_error: Option<String>) {
        let who = if how == How::Rst { Who::Peer } else { Who::Network };
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
        self.mode != Mode::Stalled && self.outbox.backlog() + self.answers.backlog() < LARGEST_BACKLOG
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
    pub fn due(&self) -> Option<Instant> {
        let close = match self.mode {
            Mode::Closing { until } | Mode::Leaving { until } => Some(until),
            _ => None,
        };
        let idle = self.idle.as_ref().filter(|_| self.mode == Mode::Live).map(Idle::due);
        let timeline = self.timeline.iter().map(|(due, _)| *due);
        let repeats = self.repeats.iter().map(|repeating| repeating.next);
        let single = [close, idle, self.answers.due(), self.outbox.due()].into_iter().flatten();
        single.chain(timeline).chain(repeats).min()
    }

    /// How it ended, as far as it has.
    pub fn ending(&self, now: Instant) -> Ending {
        let unknown = || (Who::Us, How::Error, None);
        let (who, how, os_error) = self.ending.clone().unwrap_or_else(unknown);
        let (age, idle) = (now - self.opened, now - self.came);
        Ending { who, how, os_error, age, idle, at: SystemTime::now() }
    }

    pub fn figures(&self) -> &Figures {
        &self.figures
    }
}

fn idle(faults: &Faults, rng: &mut SmallRng, now: Instant) -> Option<Idle> {
    let fault = &faults.idle;
    Some(Idle {
        after: fault.after?.draw(rng),
        cut: fault.cut.unwrap_or(Cut::Fin),
        resets: fault.resets.unwrap_or_default(),
        messages_only: fault.messages_only,
        linger: fault.linger,
        heard: now,
        spoke: now,
    })
}

fn unasked(what: Repeat, count: u64) -> Vec<u8> {
    match what {
        Repeat::Chatter => encode(Opcode::Text, format!(r#"{{"type":"chatter","seq":{count}}}"#).as_bytes()),
        Repeat::UnsolicitedPong => encode(Opcode::Pong, format!("unsolicited-{count}").as_bytes()),
        Repeat::Ping => encode(Opcode::Ping, format!("flood-{count}").as_bytes()),
    }
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
