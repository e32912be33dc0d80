//! A connection that is kept busy: a search's control, or a trial of a keepalive method.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{ListenResult, Question, QuestionCodec, answer_deadline, wait_for};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::schedule::Schedule;
use crate::net::client::websocket::{SocketEvent, WebSocket};
use crate::net::time::at;
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::tap::TcpIntrospect;

/// The traffic that keeps a connection busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepaliveTraffic {
    /// Questions, which the server answers.
    Questions,
    /// Questions of both kinds; an answer to either shows that the connection is alive.
    Both,
    /// Unsolicited Pongs; nothing comes back.
    Pongs,
    /// PINGs of HTTP/2, one at a time; nothing of the WebSocket.
    Http2Pings,
    /// Nothing but TCP's own keepalive.
    Nothing,
}

/// Parameters of a kept connection.
#[derive(Debug, Clone, Copy)]
pub struct KeepalivePlan<'a> {
    pub question: &'a Question,
    pub traffic: KeepaliveTraffic,
    pub every: Duration,
    /// When to ask the last question, from the start; `None`: keep until the connection ends.
    pub until: Option<Duration>,
}

/// How a kept connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepaliveResult {
    /// The last question was answered.
    Answered,
    /// The peer's flow control held traffic back until a timeout or the end, so that neither shows anything.
    HeldBack { window: ExhaustedWindow },
    /// A question timed out; `silent` is the time since the last sign of life.
    Unanswered { silent: Duration },
    /// It ended after `idle`. `unanswered`: time since the last answer if a question had waited longer than half the
    /// interval; else zero.
    Ended { disconnect: Disconnect, idle: Duration, unanswered: Duration },
}

/// Keeps a connection busy; calls `beat` with the time of each answer.
pub async fn run<S: AsyncRead + AsyncWrite + TcpIntrospect + Http2Signals + Unpin>(
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
        KeepaliveTraffic::Questions
        | KeepaliveTraffic::Both
        | KeepaliveTraffic::Pongs
        | KeepaliveTraffic::Http2Pings => Some(Schedule::new(began + plan.every, Some(plan.every), None)),
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
        held_back: None,
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
    /// Time of the last byte in either direction, before the current event.
    quiet_since: Instant,
    /// The last answer.
    alive_at: Instant,
    /// The first question since the last answer.
    asked: Option<Instant>,
    /// The window that held back what was sent since the last answer.
    held_back: Option<ExhaustedWindow>,
    /// When bytes last came of a message that is still incomplete.
    bytes: Option<Instant>,
    schedule: Option<Schedule>,
    beat: &'a mut (dyn FnMut(Instant) + Send),
}

impl<S: AsyncRead + AsyncWrite + TcpIntrospect + Http2Signals + Unpin> KeptConnection<'_, S> {
    async fn run(mut self) -> KeepaliveResult {
        loop {
            self.quiet_since = self.socket.last_traffic().unwrap_or(self.began);
            // An answer of the library's, too.
            if self.socket.held_back_by().is_some() {
                self.note_held_back(Instant::now());
            }
            let deadline = self.next_deadline();
            let socket = &mut self.socket;
            let event = tokio::select! {
                biased;
                event = std::future::poll_fn(|cx| poll_step(socket, cx)) => Some(event),
                () = at(deadline) => None,
            };
            let done = match event {
                Some(event) => self.on_event(event).err(),
                None => self.on_time(Instant::now()).await,
            };
            if let Some(result) = done {
                return result;
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    fn end_at(&self) -> Option<Instant> {
        self.plan.until.map(|until| self.began + until)
    }

    fn answer_deadline(&self) -> Option<Instant> {
        self.asked.map(|asked| answer_deadline(asked, self.plan.question.timeout, self.bytes))
    }

    fn next_deadline(&self) -> Option<Instant> {
        let due = self.schedule.as_ref().and_then(Schedule::next_due);
        [due, self.answer_deadline(), self.end_at()].into_iter().flatten().min()
    }

    fn on_event(&mut self, event: SocketEvent) -> Result<(), KeepaliveResult> {
        // Bytes of a message that is now complete also delay the answer behind them.
        if self.bytes.is_some() || matches!(event, SocketEvent::Bytes) {
            self.bytes = Some(self.socket.last_read_at());
        }
        if let SocketEvent::Ended(disconnect) = event {
            return Err(self.end_result(*disconnect));
        }
        if matches!(event, SocketEvent::Flushed(_)) {
            self.on_flushed();
        }
        let reading = self.codec.read(&event);
        let is_other = self.other.as_mut().is_some_and(|other| other.is_answer(&event));
        // Further answers to the same question add nothing.
        if (reading.is_answer || is_other) && self.asked.is_some() {
            self.record_answer();
        }
        reading.replies.into_iter().try_for_each(|reply| self.send_message(reply))
    }

    fn record_answer(&mut self) {
        self.alive_at = self.socket.last_read_at();
        // What is still held back is another question.
        self.held_back = self.socket.held_back_by();
        (self.asked, self.bytes) = (self.held_back.map(|_| Instant::now()), None);
        (self.beat)(self.alive_at);
    }

    fn asks(&self) -> bool {
        matches!(self.plan.traffic, KeepaliveTraffic::Questions | KeepaliveTraffic::Both)
    }

    /// What was held back has left, so that an answer is awaited from now on.
    fn on_flushed(&mut self) {
        if self.held_back.is_some() {
            self.asked = self.asks().then(Instant::now);
        }
    }

    /// Notes whether flow control holds back what is due. Unlike other traffic, it then has a time limit, too.
    fn note_held_back(&mut self, now: Instant) {
        match self.socket.held_back_by() {
            Some(window) => {
                self.held_back = Some(window);
                self.asked.get_or_insert(now);
            }
            // Nothing answers this traffic.
            None if !self.asks() => self.held_back = None,
            None => {}
        }
    }

    /// The result, unless what was sent was held back.
    fn unless_held_back(&self, result: KeepaliveResult) -> KeepaliveResult {
        match self.socket.held_back_by().or(self.held_back) {
            Some(window) => KeepaliveResult::HeldBack { window },
            None => result,
        }
    }

    fn end_result(&self, disconnect: Disconnect) -> KeepaliveResult {
        let overdue = self.asked.is_some_and(|asked| asked.elapsed() > self.plan.every / 2);
        let unanswered = if overdue { self.alive_at.elapsed() } else { Duration::ZERO };
        let idle = self.quiet_since.elapsed();
        self.unless_held_back(KeepaliveResult::Ended { disconnect, idle, unanswered })
    }

    /// Handles what is due: a timeout, the end, the next send. Returns the result when it is over.
    async fn on_time(&mut self, now: Instant) -> Option<KeepaliveResult> {
        if self.answer_deadline().is_some_and(|overdue| overdue <= now) {
            let silent = now - self.alive_at;
            return Some(self.unless_held_back(KeepaliveResult::Unanswered { silent }));
        }
        if self.end_at().is_some_and(|end| end <= now) {
            return Some(self.ask_last_question(now).await);
        }
        let due = self.schedule.as_mut().is_some_and(|schedule| take_all_due(schedule, now));
        if !due {
            return None;
        }
        let sent = if self.socket.is_blocked() { Ok(()) } else { self.send(now) };
        self.note_held_back(now);
        sent.err()
    }

    fn send(&mut self, now: Instant) -> Result<(), KeepaliveResult> {
        let message = match self.plan.traffic {
            KeepaliveTraffic::Questions | KeepaliveTraffic::Both => self.codec.ask(),
            KeepaliveTraffic::Pongs => self.codec.pong(),
            KeepaliveTraffic::Http2Pings => {
                self.socket.send_http2_ping();
                return Ok(());
            }
            KeepaliveTraffic::Nothing => return Ok(()),
        };
        self.send_message(message)?;
        if let Some(other) = self.other.as_mut().map(QuestionCodec::ask) {
            self.send_message(other)?;
        }
        let asks = self.asks();
        if asks && let Some(keepalive) = self.codec.take_keepalive(now) {
            self.send_message(keepalive)?;
        }
        if asks {
            self.asked.get_or_insert(now);
        }
        Ok(())
    }

    fn send_message(&mut self, message: Message) -> Result<(), KeepaliveResult> {
        self.socket.send(message).map(drop).map_err(|disconnect| self.end_result(disconnect))
    }

    /// Asks the last question and returns its result.
    async fn ask_last_question(&mut self, now: Instant) -> KeepaliveResult {
        let question = self.codec.ask();
        if let Err(result) = self.send_message(question) {
            return result;
        }
        self.note_held_back(now);
        let codec = &mut self.codec;
        match wait_for(self.socket, now + self.plan.question.timeout, |event| codec.is_answer(event)).await {
            ListenResult::Found(_) => KeepaliveResult::Answered,
            ListenResult::End(disconnect) => self.end_result(*disconnect),
            ListenResult::Nothing => {
                let silent = self.alive_at.elapsed();
                self.unless_held_back(KeepaliveResult::Unanswered { silent })
            }
        }
    }
}

/// Polls for the next event. An acknowledgement of a PING of HTTP/2 is none, but lets the next one leave.
fn poll_step<S: AsyncRead + AsyncWrite + Http2Signals + Unpin>(
    socket: &mut WebSocket<S>,
    cx: &mut Context<'_>,
) -> Poll<SocketEvent> {
    while socket.stream_mut().poll_http2_pong(cx).is_ready() {}
    socket.poll_step(cx)
}

/// Takes every due heartbeat; returns whether there was one.
fn take_all_due(schedule: &mut Schedule, now: Instant) -> bool {
    std::iter::from_fn(|| schedule.take_due(now)).count() > 0
}
