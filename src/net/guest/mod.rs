//! A connection that lives with a server and hears what it says by itself. How it behaves is a [`Manners`]: what it
//! answers, and what it says of its own. It runs over any stream, with the runtime's clock.

#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::clock::{at, unix_ms};
use super::endings::Cut;
use super::packed::unpacked;
use super::schedule::Schedule;
use super::session::pulse::{ping_payload, seq_of};
use super::trial::part;
use super::upkeep::Keeper;
use super::websocket::{Sent, Socket, Step, is_buffer_full, to_message};
use crate::domain::ending::{Ending, How};
use crate::domain::heartbeat::convention::Convention;
use crate::domain::heartbeat::incoming::MessageRef;
use crate::domain::heartbeat::message::{Classifier, Meaning};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::{Payload, Template};
use crate::domain::listen::shapes::{Shapes, shown_bytes};
use crate::domain::listen::{Sound, Utterance};

/// How often the system is asked whether a connection that is not read is over.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// What equals our answer and comes so soon is its echo.
const ECHO: Duration = Duration::from_millis(500);
/// How long an answer to a close frame may take to leave.
const FLUSH_WAIT: Duration = Duration::from_millis(200);

/// How a guest behaves.
#[derive(Debug, Clone)]
pub struct Manners {
    /// What heartbeats in messages look like.
    pub shapes: Shapes,
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
    pub convention: Convention,
}

/// What a guest hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The server said something by itself; `answered` when an answer went back, and left.
    Said { at: Instant, said: Utterance, answered: bool },
    /// It answered something of ours.
    Answered { at: Instant },
    /// It is over.
    Ended(Cut),
}

/// A guest at work.
pub struct Guest<'a, S> {
    socket: &'a mut Socket<S>,
    manners: Manners,
    nonce: u64,
    seq: u64,
    classifier: Classifier,
    has_talked: bool,
    traffic: Option<Schedule>,
    /// What keeps the convention alive.
    keeper: Option<Keeper>,
    /// The last byte in either direction, before what is at hand.
    quiet_since: Instant,
    opened: Instant,
    /// It ended while what was said before is still to be told.
    over: Option<Cut>,
    /// When it last answered a message by the same.
    mirrored: Option<Instant>,
}

/// What woke a guest.
enum Woken {
    Step(Step),
    Due,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Guest<'a, S> {
    /// On a connection that opened at this moment.
    pub fn new(socket: &'a mut Socket<S>, manners: Manners, opened: Instant) -> Guest<'a, S> {
        let nonce = rand::random();
        let classifier = Classifier::new(manners.ask.clone(), manners.answer.clone(), false, nonce)
            .speaking(&manners.convention);
        let traffic = manners.pings.map(|every| Schedule::new(Instant::now() + every, Some(every), None));
        let keeper = manners.convention.upkeep.as_ref().map(|upkeep| Keeper::new(upkeep, nonce));
        // What keeps the convention alive may have an answer.
        let (seq, has_talked, quiet_since) = (0, keeper.is_some(), opened);
        let over = None;
        Guest {
            socket,
            manners,
            nonce,
            seq,
            classifier,
            has_talked,
            traffic,
            keeper,
            quiet_since,
            opened,
            over,
            mirrored: None,
        }
    }

    /// What comes next. Cancel-safe.
    pub async fn next(&mut self) -> Heard {
        if let Some(cut) = self.over.take() {
            return Heard::Ended(cut);
        }
        loop {
            self.quiet_since = self.last_byte();
            let upkeep = self.keeper.as_ref().and_then(Keeper::next_due);
            let due = self.traffic.as_ref().and_then(Schedule::next_due).into_iter().chain(upkeep).min();
            let socket = &mut self.socket;
            let woken = tokio::select! {
                biased;
                step = socket.step() => Woken::Step(step),
                () = at(due) => Woken::Due,
            };
            let heard = match woken {
                Woken::Step(step) => self.on_step(step),
                Woken::Due => self.on_time(),
            };
            match heard {
                Some(heard) => return heard,
                None => tokio::task::coop::consume_budget().await,
            }
        }
    }

    /// Says something of its own, as a message; gives when it left.
    pub fn talk(&mut self) -> Result<Instant, Cut> {
        self.has_talked = true;
        let seq = self.next_seq();
        match self.classifier.ask(seq, unix_ms()) {
            Some(payload) => Ok(self.send(to_message(payload))?.unwrap_or_else(Instant::now)),
            None => Ok(Instant::now()),
        }
    }

    /// Says out of turn what it says now and then: a Ping and, where it sends messages, one of those.
    pub fn ask(&mut self) -> Result<(), Cut> {
        if self.socket.is_blocked() {
            return Ok(());
        }
        let seq = self.next_seq();
        self.send(Message::Ping(ping_payload(self.nonce, seq).to_vec().into()))?;
        if self.manners.messages {
            self.talk()?;
        }
        Ok(())
    }

    /// The stream below, to ask it something.
    pub fn stream(&self) -> &S {
        self.socket.stream()
    }

    /// How the connection ended.
    pub fn ending(&self, cut: Cut) -> Ending {
        let Cut { who, how, os_error } = cut;
        let (age, idle) = (self.opened.elapsed(), self.quiet_since.elapsed());
        Ending { who, how, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// Leaves as one should: with a goodbye, or with an answer to the server's.
    pub async fn leave(self, ended: Option<&How>) {
        match ended {
            None => part(self.socket).await,
            Some(How::CloseFrame { .. }) => drop(timeout(FLUSH_WAIT, self.socket.flush()).await),
            Some(_) => {}
        }
    }

    fn last_byte(&self) -> Instant {
        let marks = self.socket.marks();
        marks.last_read().max(marks.last_write()).unwrap_or(self.opened)
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    fn on_step(&mut self, step: Step) -> Option<Heard> {
        let message = match step {
            Step::Flushed(_) => return None,
            Step::Lost(error) => return Some(Heard::Ended(Cut::by_loss(error, self.socket.marks()))),
            Step::Message(message) => message,
        };
        let at = self.socket.heard_at();
        match &message {
            Message::Close(frame) => Some(Heard::Ended(Cut::by_close_frame(frame.clone()))),
            Message::Ping(payload) => Some(frame_said(at, Sound::Ping, payload, self.has_ponged())),
            Message::Pong(payload) if self.is_ours(payload) => Some(Heard::Answered { at }),
            Message::Pong(payload) => Some(frame_said(at, Sound::Pong, payload, false)),
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
                self.over = Some(Cut::by_loss(Some(error), self.socket.marks()));
                false
            }
        }
    }

    fn is_ours(&self, payload: &[u8]) -> bool {
        seq_of(payload, self.nonce).is_some_and(|seq| seq < self.seq)
    }

    fn on_message(&mut self, at: Instant, message: MessageRef<'_>) -> Heard {
        let unpacked = unpacked(message);
        let message = unpacked.as_deref().map_or(message, MessageRef::Text);
        if self.has_talked && self.is_answer(message) {
            return Heard::Answered { at };
        }
        let (said, mut replies) = self.manners.shapes.hear(message, unix_ms());
        if !self.manners.answers_messages {
            replies.clear();
        }
        if replies.iter().any(|reply| is_same(reply, message)) {
            // Who echoes would be answered for ever.
            if self.mirrored.take().is_some_and(|before| at.saturating_duration_since(before) < ECHO) {
                return Heard::Answered { at };
            }
            self.mirrored = Some(at);
        }
        let is_to_be = !replies.is_empty();
        let sent = replies
            .into_iter()
            .try_fold(is_to_be, |left, reply| Ok(self.send(to_message(reply))?.is_some() && left));
        match sent {
            Ok(answered) => Heard::Said { at, said, answered },
            Err(cut) => Heard::Ended(cut),
        }
    }

    fn is_answer(&mut self, message: MessageRef<'_>) -> bool {
        let meanings = self.classifier.read(message, unix_ms());
        meanings.iter().any(|meaning| matches!(meaning, Meaning::Answer(_) | Meaning::Echo))
    }

    /// Its own traffic is due.
    fn on_time(&mut self) -> Option<Heard> {
        let now = Instant::now();
        let upkeep = self.keeper.as_mut().and_then(|keeper| keeper.take_due(now));
        if let Some(Err(cut)) = upkeep.map(|payload| self.send(to_message(payload))) {
            return Some(Heard::Ended(cut));
        }
        let schedule = self.traffic.as_mut()?;
        let is_due = std::iter::from_fn(|| schedule.take_due(now)).count() > 0;
        if !is_due {
            return None;
        }
        self.ask().err().map(Heard::Ended)
    }

    /// When it left; `None`: it still waits, or there was no room for it.
    fn send(&mut self, message: Message) -> Result<Option<Instant>, Cut> {
        match self.socket.send(message) {
            Ok(Sent::Left(departure)) => Ok(Some(departure.at)),
            Ok(Sent::Blocked) => Ok(None),
            Err(error) if is_buffer_full(&error) => Ok(None),
            Err(error) => Err(Cut::by_loss(Some(error), self.socket.marks())),
        }
    }
}

fn is_same(payload: &Payload, message: MessageRef<'_>) -> bool {
    match (payload, message) {
        (Payload::Text(ours), MessageRef::Text(theirs)) => ours == theirs,
        (Payload::Binary(ours), MessageRef::Binary(theirs)) => ours == theirs,
        (Payload::Text(_) | Payload::Binary(_), _) => false,
    }
}

fn frame_said(at: Instant, sound: Sound, payload: &[u8], answered: bool) -> Heard {
    Heard::Said { at, said: Utterance::plain(sound, shown_bytes(payload)), answered }
}

/// Waits until a connection that nobody reads is over, as the system tells.
pub async fn until_over(is_over: impl Fn() -> bool) {
    while !is_over() {
        sleep(LOOK_EVERY).await;
    }
}
