//! A connection that is kept busy in one way: the control of a search, and those that show what keeps a path
//! open.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{ListenResult, Question, QuestionCodec, ended, listen, overdue};
use crate::net::client::disconnect::Disconnect;
use crate::net::client::schedule::Schedule;
use crate::net::client::websocket::{SocketEvent, WebSocket, is_buffer_full};
use crate::net::time::at;

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveTraffic {
    /// Questions, which are answered.
    Questions,
    /// Questions of both kinds: an answer to either is a sign of life.
    Both,
    /// Pongs that nobody asked for: nothing comes back.
    Pongs,
    /// Nothing; what there is of traffic is TCP's own.
    Nothing,
}

/// How a connection is kept.
#[derive(Debug, Clone, Copy)]
pub struct KeepalivePlan<'a> {
    pub question: &'a Question,
    pub traffic: KeepaliveTraffic,
    pub every: Duration,
    /// Then it is asked for the last time; `None`: it is kept until it ends.
    pub until: Option<Duration>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepaliveResult {
    /// The last question was answered.
    Answered,
    /// A question was not answered in time; the last sign of life came so long ago.
    Unanswered { silent: Duration },
    /// It ended, after so much idleness. `unanswered`: since the last answer, where a question had been without one for
    /// longer than half the time between two; else nothing.
    Ended { cut: Disconnect, idle: Duration, unanswered: Duration },
}

/// Keeps a connection; `beat` is told the moment of each answer.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    plan: KeepalivePlan<'_>,
    beat: &mut (dyn FnMut(Instant) + Send),
) -> KeepaliveResult {
    let codec = QuestionCodec::new(plan.question, rand::random());
    let other = (plan.traffic == KeepaliveTraffic::Both)
        .then(|| QuestionCodec::new(&plan.question.of_other_kind(), rand::random()));
    let began = Instant::now();
    let schedule = match plan.traffic {
        KeepaliveTraffic::Nothing => None,
        KeepaliveTraffic::Questions | KeepaliveTraffic::Both | KeepaliveTraffic::Pongs => {
            Some(Schedule::new(began + plan.every, Some(plan.every), None))
        }
    };
    KeptConnection {
        socket,
        plan,
        codec,
        other,
        began,
        quiet_since: began,
        alive_at: began,
        asked: None,
        bytes: None,
        schedule,
        beat,
    }
    .run()
    .await
}

struct KeptConnection<'a, S> {
    socket: &'a mut WebSocket<S>,
    plan: KeepalivePlan<'a>,
    codec: QuestionCodec,
    /// Asks questions of the other kind.
    other: Option<QuestionCodec>,
    began: Instant,
    /// The last byte in either direction, before what is at hand.
    quiet_since: Instant,
    /// The last answer.
    alive_at: Instant,
    /// The first question since the last answer.
    asked: Option<Instant>,
    /// When bytes last came that complete nothing yet.
    bytes: Option<Instant>,
    schedule: Option<Schedule>,
    beat: &'a mut (dyn FnMut(Instant) + Send),
}

impl<S: AsyncRead + AsyncWrite + Unpin> KeptConnection<'_, S> {
    async fn run(mut self) -> KeepaliveResult {
        loop {
            self.quiet_since = self.last_byte();
            let deadline = self.next_deadline();
            let socket = &mut self.socket;
            let step = tokio::select! {
                biased;
                step = socket.step() => Some(step),
                () = at(deadline) => None,
            };
            let done = match step {
                Some(step) => self.on_step(step).err(),
                None => self.on_time(Instant::now()).await,
            };
            if let Some(kept) = done {
                return kept;
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    fn end(&self) -> Option<Instant> {
        self.plan.until.map(|until| self.began + until)
    }

    fn overdue(&self) -> Option<Instant> {
        self.asked.map(|asked| overdue(asked, self.plan.question.timeout, self.bytes))
    }

    fn next_deadline(&self) -> Option<Instant> {
        let due = self.schedule.as_ref().and_then(Schedule::next_due);
        [due, self.overdue(), self.end()].into_iter().flatten().min()
    }

    fn last_byte(&self) -> Instant {
        let marks = self.socket.tap_state();
        marks.last_read().max(marks.last_write()).unwrap_or(self.began)
    }

    fn on_step(&mut self, step: SocketEvent) -> Result<(), KeepaliveResult> {
        // What is complete at last was under way, too: the answer comes behind it.
        if self.bytes.is_some() || matches!(step, SocketEvent::Bytes) {
            self.bytes = Some(self.socket.heard_at());
        }
        match ended(self.socket, step) {
            Err(cut) => Err(self.ended(cut)),
            Ok(None) => Ok(()),
            Ok(Some(message)) => {
                let words = self.codec.hear(&message);
                let is_other = self.other.as_mut().is_some_and(|other| other.is_answer(&message));
                // Further answers to the same question say no more, however many there are.
                if (words.is_answer || is_other) && self.asked.is_some() {
                    self.alive();
                }
                words.replies.into_iter().try_for_each(|reply| self.say(reply))
            }
        }
    }

    fn alive(&mut self) {
        self.alive_at = self.socket.heard_at();
        (self.asked, self.bytes) = (None, None);
        (self.beat)(self.alive_at);
    }

    fn ended(&self, cut: Disconnect) -> KeepaliveResult {
        let overdue = self.asked.is_some_and(|asked| asked.elapsed() > self.plan.every / 2);
        let unanswered = if overdue { self.alive_at.elapsed() } else { Duration::ZERO };
        KeepaliveResult::Ended { cut, idle: self.quiet_since.elapsed(), unanswered }
    }

    /// What is due: the end, giving up, the next piece of traffic. Gives result when it is over.
    async fn on_time(&mut self, now: Instant) -> Option<KeepaliveResult> {
        if self.overdue().is_some_and(|overdue| overdue <= now) {
            return Some(KeepaliveResult::Unanswered { silent: now - self.alive_at });
        }
        if self.end().is_some_and(|end| end <= now) {
            return Some(self.finish(now).await);
        }
        let due = self.schedule.as_mut().is_some_and(|schedule| take_all(schedule, now));
        if due && !self.socket.is_blocked() {
            return self.send(now).err();
        }
        None
    }

    fn send(&mut self, now: Instant) -> Result<(), KeepaliveResult> {
        let message = match self.plan.traffic {
            KeepaliveTraffic::Questions | KeepaliveTraffic::Both => self.codec.ask(),
            KeepaliveTraffic::Pongs => self.codec.pong(),
            KeepaliveTraffic::Nothing => return Ok(()),
        };
        self.say(message)?;
        if let Some(other) = self.other.as_mut().map(QuestionCodec::ask) {
            self.say(other)?;
        }
        let asks = matches!(self.plan.traffic, KeepaliveTraffic::Questions | KeepaliveTraffic::Both);
        if asks && let Some(upkeep) = self.codec.upkeep(now) {
            self.say(upkeep)?;
        }
        if asks {
            self.asked.get_or_insert(now);
        }
        Ok(())
    }

    fn say(&mut self, message: Message) -> Result<(), KeepaliveResult> {
        match self.socket.send(message) {
            Ok(_) => Ok(()),
            Err(error) if is_buffer_full(&error) => Ok(()),
            Err(error) => {
                let cut = self.socket.cut_by(error);
                Err(self.ended(cut))
            }
        }
    }

    /// The last question, and what it comes to.
    async fn finish(&mut self, now: Instant) -> KeepaliveResult {
        let question = self.codec.ask();
        if let Err(kept) = self.say(question) {
            return kept;
        }
        let codec = &mut self.codec;
        match listen(self.socket, now + self.plan.question.timeout, |message| codec.is_answer(message)).await
        {
            ListenResult::Found(_) => KeepaliveResult::Answered,
            ListenResult::End(cut) => self.ended(cut),
            ListenResult::Nothing => KeepaliveResult::Unanswered { silent: self.alive_at.elapsed() },
        }
    }
}

/// Takes all that is due; only whether anything was matters.
fn take_all(schedule: &mut Schedule, now: Instant) -> bool {
    std::iter::from_fn(|| schedule.take_due(now)).count() > 0
}
