//! A trial: a connection that is idle for a span and then sends one question.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::{ListenResult, Question, QuestionCodec, two_ended, wait_for};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::idle::{DeathCause, ProbeEvent, VisibleEnd};
use crate::net::client::disconnect::Disconnect;
use crate::net::client::websocket::{SendOutcome, SocketEvent, WebSocket};
use crate::net::time::at;
use crate::net::transport::tap::TcpIntrospect;

/// Minimum time between two reports of unsolicited server traffic, so that a flood stays cheap.
const MIN_REPORT_INTERVAL: Duration = Duration::from_millis(10);
/// After a FIN, time for a write to come back as an RST, in addition to a round trip.
const RST_WAIT: Duration = Duration::from_millis(100);

/// Time without writes after a FIN.
const NO_WRITE_AFTER_FIN: Duration = Duration::from_millis(250);
/// A masked, empty Ping frame to write after a FIN.
const LONE_PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// Parameters of a trial.
#[derive(Debug)]
pub struct IdleProbePlan<'a> {
    pub question: &'a Question,
    /// How much earlier than we the path may have seen the last byte: one round trip at most. It is added to the
    /// idle span of an unanswered question, so that the span is never too short. An end that was seen needs no
    /// correction: it took the same path as the byte before it.
    pub slack: Duration,
    /// The server sends first after the idle span (see [`super::TWO_ENDED`]).
    pub two_ended: bool,
}

/// Stays idle until the span in `span` has passed, then asks; `None` in `span` means to wait. Emits what is seen and
/// when: [`ProbeEvent::ServerMessage`], [`ProbeEvent::Asked`], and at last [`ProbeEvent::Survived`],
/// [`ProbeEvent::Died`], [`ProbeEvent::Ended`] or [`ProbeEvent::HeldBack`].
pub async fn run<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: &mut WebSocket<S>,
    plan: &IdleProbePlan<'_>,
    span: &mut watch::Receiver<Option<Duration>>,
    emit: &mut (dyn FnMut(Instant, ProbeEvent) + Send),
) {
    let codec = QuestionCodec::new(plan.question, rand::random());
    let began = Instant::now();
    IdleProbe {
        socket,
        plan,
        codec,
        began,
        quiet_since: began,
        last_reported: None,
        requested: None,
        held_back: None,
        held_since: None,
        flushed_at: None,
        emit,
    }
    .run(span)
    .await;
}

struct IdleProbe<'a, S> {
    socket: &'a mut WebSocket<S>,
    plan: &'a IdleProbePlan<'a>,
    codec: QuestionCodec,
    began: Instant,
    /// Time of the last byte in either direction, before the current event.
    quiet_since: Instant,
    /// Time of the last report of server traffic.
    last_reported: Option<Instant>,
    /// The server is to send after this idle span.
    requested: Option<Duration>,
    /// The window that held back something that was sent.
    held_back: Option<ExhaustedWindow>,
    /// Since when something waits that was due while idle: the library's answer to a Ping of the server.
    held_since: Option<Instant>,
    /// When the question left, if some of it had to wait.
    flushed_at: Option<Instant>,
    emit: &'a mut (dyn FnMut(Instant, ProbeEvent) + Send),
}

/// A question that was sent.
#[derive(Debug, Clone, Copy)]
struct SentQuestion {
    at: Instant,
    /// Bytes written by then, including its own; `None` if some of them wait.
    end: Option<u64>,
}

enum IdleProbeWake {
    Order,
    Socket(SocketEvent),
    Due,
}

/// What a socket event means for a trial.
enum ProbeStep {
    Nothing,
    /// The message that the server was to send after the idle span.
    Requested,
    End(Box<Disconnect>),
}

impl<S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin> IdleProbe<'_, S> {
    async fn run(mut self, span: &mut watch::Receiver<Option<Duration>>) {
        self.request_server_message(*span.borrow_and_update());
        loop {
            self.quiet_since = self.last_byte();
            self.note_held_back();
            let ask_at = self.ask_after(*span.borrow_and_update());
            match self.wait(span, ask_at).await {
                IdleProbeWake::Order => {}
                IdleProbeWake::Due if ask_at.is_some_and(|at| self.last_byte().elapsed() >= at) => {
                    return self.ask_and_judge(ask_at).await;
                }
                IdleProbeWake::Due => {
                    if let Some(window) = self.held_back_too_long() {
                        return (self.emit)(Instant::now(), ProbeEvent::HeldBack { window });
                    }
                }
                IdleProbeWake::Socket(event) => match self.on_event(event) {
                    ProbeStep::Nothing => {}
                    ProbeStep::Requested => return self.on_requested_message().await,
                    ProbeStep::End(disconnect) => return self.report_end(disconnect).await,
                },
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Notes whether an answer to the server is held back. Its server has reason to end such a connection.
    fn note_held_back(&mut self) {
        let now = Instant::now();
        self.held_since = self.socket.held_back_by().map(|_| self.held_since.unwrap_or(now));
    }

    fn gives_up_at(&self) -> Option<Instant> {
        Some(self.held_since? + self.plan.question.timeout)
    }

    fn held_back_too_long(&self) -> Option<ExhaustedWindow> {
        self.socket.held_back_by().filter(|_| self.gives_up_at().is_some_and(|at| at <= Instant::now()))
    }

    /// Asks the server to send after the idle span; the request is the last byte before it.
    fn request_server_message(&mut self, span: Option<Duration>) {
        let Some(span) = span.filter(|_| self.plan.two_ended) else { return };
        if self.send(two_ended::request(span, self.codec.nonce())).is_ok() {
            self.requested = Some(span);
        }
    }

    /// The span to wait: a requested server message is the question, even if a later one is wanted now.
    fn ask_after(&self, span: Option<Duration>) -> Option<Duration> {
        span.map(|span| self.requested.map_or(span, |requested| requested.min(span)))
    }

    async fn wait(
        &mut self,
        span: &mut watch::Receiver<Option<Duration>>,
        ask_at: Option<Duration>,
    ) -> IdleProbeWake {
        let asks_at = ask_at.map(|at| self.quiet_since + at);
        let due = asks_at.into_iter().chain(self.gives_up_at()).min();
        let socket = &mut self.socket;
        tokio::select! {
            biased;
            () = changed(span) => IdleProbeWake::Order,
            event = socket.step() => IdleProbeWake::Socket(event),
            () = at(due) => IdleProbeWake::Due,
        }
    }

    fn last_byte(&self) -> Instant {
        self.socket.last_traffic().unwrap_or(self.began)
    }

    fn on_event(&mut self, event: SocketEvent) -> ProbeStep {
        match event {
            SocketEvent::Ended(disconnect) => ProbeStep::End(disconnect),
            SocketEvent::Flushed(_) => ProbeStep::Nothing,
            event
                if self.requested.is_some()
                    && two_ended::is_requested_message(&event, self.codec.nonce()) =>
            {
                ProbeStep::Requested
            }
            event => {
                self.report_server_traffic();
                match self.answer_server(&event) {
                    Ok(()) => ProbeStep::Nothing,
                    Err(disconnect) => ProbeStep::End(Box::new(disconnect)),
                }
            }
        }
    }

    /// Answers the server's app pings, since a server closes a client that does not.
    fn answer_server(&mut self, event: &SocketEvent) -> Result<(), Disconnect> {
        let replies = self.codec.read(event).replies;
        let has_replies = !replies.is_empty();
        replies.into_iter().try_for_each(|reply| self.send(reply).map(drop))?;
        if has_replies {
            (self.emit)(Instant::now(), ProbeEvent::Replied);
        }
        Ok(())
    }

    /// The requested message came before our own timer: by the server's clock the idle span is over.
    async fn on_requested_message(self) {
        let gap = self.socket.last_read_at().saturating_duration_since(self.quiet_since);
        let idle = self.requested.map_or(gap, |requested| requested.min(gap));
        (self.emit)(self.quiet_since + idle, ProbeEvent::Asked { idle });
        self.ask_second(idle, true).await;
    }

    /// Reports server traffic: the first of several messages in one read, and a slow message's bytes if far apart.
    fn report_server_traffic(&mut self) {
        let received_at = self.socket.last_read_at();
        let gap = received_at.saturating_duration_since(self.quiet_since);
        let was_just_reported =
            self.last_reported.is_some_and(|last_reported| received_at < last_reported + MIN_REPORT_INTERVAL);
        if !gap.is_zero() && !was_just_reported {
            self.last_reported = Some(received_at);
            (self.emit)(received_at, ProbeEvent::ServerMessage { gap });
        }
    }

    /// The connection ended before the question. A close frame's own bytes do not count as traffic.
    async fn report_end(mut self, disconnect: Box<Disconnect>) {
        let now = Instant::now();
        let half_open = match disconnect.how {
            CloseKind::Fin | CloseKind::TlsClose => Some(self.is_half_open().await),
            _ => None,
        };
        let idle = now - self.quiet_since;
        let visible_end = VisibleEnd { how: disconnect.how, half_open };
        self.emit_unless_held_back(now, ProbeEvent::Ended { idle, visible_end });
    }

    /// Whether the peer still accepts bytes after its FIN. If it closed both directions, the first write triggers an
    /// RST and the second fails.
    async fn is_half_open(&mut self) -> bool {
        // A careful peer accepts for a moment what crosses its FIN.
        sleep(NO_WRITE_AFTER_FIN).await;
        let stream = self.socket.stream_mut();
        if stream.write_all(&LONE_PING).await.is_err() || stream.flush().await.is_err() {
            return false;
        }
        sleep(RST_WAIT + self.plan.slack).await;
        let stream = self.socket.stream_mut();
        stream.write_all(&LONE_PING).await.is_ok() && stream.flush().await.is_ok()
    }

    /// Asks the question and emits the result.
    async fn ask_and_judge(mut self, span: Option<Duration>) {
        let since = self.last_byte();
        if let Some(requested) = self.requested.filter(|requested| span == Some(*requested)) {
            return self.wait_for_server_message(since, requested).await;
        }
        let sent = match self.send_question() {
            Ok(sent) => sent,
            Err(disconnect) => return self.report_failed_question(since, disconnect),
        };
        let (asked, idle) = (sent.at, sent.at - since);
        (self.emit)(asked, ProbeEvent::Asked { idle });
        let until = asked + self.plan.question.timeout;
        match self.wait_for_answer(until).await {
            ListenResult::Found(received_at) => {
                let rtt = received_at - self.flushed_at.unwrap_or(asked);
                (self.emit)(received_at, ProbeEvent::Survived { idle, rtt })
            }
            ListenResult::End(disconnect) => {
                self.report_death(idle, DeathCause::CutOnUse(disconnect.how.into()))
            }
            ListenResult::Nothing => {
                let acked = self.has_acked(sent);
                self.report_death(idle, DeathCause::Unanswered { acked })
            }
        }
    }

    /// Sends the question. If it is blocked, it counts as sent now.
    fn send_question(&mut self) -> Result<SentQuestion, Disconnect> {
        let message = self.codec.ask();
        Ok(match self.send(message)? {
            SendOutcome::Left(left) => SentQuestion { at: left.at, end: Some(left.end) },
            SendOutcome::Blocked | SendOutcome::Refused => SentQuestion { at: Instant::now(), end: None },
        })
    }

    /// Whether TCP acknowledged the question; `None` if that is unknown.
    fn has_acked(&self, sent: SentQuestion) -> Option<bool> {
        self.socket.stream().tcp()?.has_acked(sent.end?, sent.at.elapsed())
    }

    fn send(&mut self, message: Message) -> Result<SendOutcome, Disconnect> {
        let sent = self.socket.send(message);
        self.held_back = self.socket.held_back_by().or(self.held_back);
        sent
    }

    fn report_failed_question(&mut self, since: Instant, disconnect: Disconnect) {
        let now = Instant::now();
        (self.emit)(now, ProbeEvent::Asked { idle: now - since });
        self.report_death(now - since, DeathCause::CutOnUse(disconnect.how.into()));
    }

    async fn wait_for_answer(&mut self, until: Instant) -> ListenResult {
        let (codec, flushed_at) = (&mut self.codec, &mut self.flushed_at);
        let is_answer = |event: &SocketEvent| {
            if let SocketEvent::Flushed(at) = event {
                *flushed_at = Some(*at);
            }
            codec.is_answer(event)
        };
        wait_for(self.socket, until, is_answer).await
    }

    fn report_death(&mut self, idle: Duration, death: DeathCause) {
        let idle = idle + self.plan.slack;
        self.emit_unless_held_back(Instant::now(), ProbeEvent::Died { idle, death });
    }

    /// Emits an end, unless something that was sent was held back: then the peer did not get it in time, which may be why.
    fn emit_unless_held_back(&mut self, at: Instant, end: ProbeEvent) {
        let held_back = self.socket.held_back_by().or(self.held_back);
        (self.emit)(at, held_back.map_or(end, |window| ProbeEvent::HeldBack { window }));
    }

    /// The server sends first: half of the timeout is for its message, half for the answer to ours.
    async fn wait_for_server_message(mut self, since: Instant, idle: Duration) {
        (self.emit)(since + idle, ProbeEvent::Asked { idle });
        let nonce = self.codec.nonce();
        let until = Instant::now() + self.plan.question.timeout / 2;
        match wait_for(self.socket, until, |event| two_ended::is_requested_message(event, nonce)).await {
            ListenResult::End(disconnect) => {
                self.report_death(idle, DeathCause::CutOnUse(disconnect.how.into()))
            }
            ListenResult::Found(_) => self.ask_second(idle, true).await,
            ListenResult::Nothing => self.ask_second(idle, false).await,
        }
    }

    /// Asks after the server's message was received (`has_server_message`) or was not.
    async fn ask_second(mut self, idle: Duration, has_server_message: bool) {
        let sent = match self.send_question() {
            Ok(sent) => sent,
            Err(disconnect) => return self.report_death(idle, DeathCause::CutOnUse(disconnect.how.into())),
        };
        match (self.wait_for_answer(sent.at + self.plan.question.timeout / 2).await, has_server_message) {
            (ListenResult::Found(at), true) => {
                let rtt = at - self.flushed_at.unwrap_or(sent.at);
                (self.emit)(at, ProbeEvent::Survived { idle, rtt })
            }
            (ListenResult::Found(_), false) => self.report_death(idle, DeathCause::ServerUnheard),
            (ListenResult::End(disconnect), _) => {
                self.report_death(idle, DeathCause::CutOnUse(disconnect.how.into()))
            }
            (ListenResult::Nothing, true) => {
                let acked = self.has_acked(sent);
                self.report_death(idle, DeathCause::ClientUnheard { acked })
            }
            (ListenResult::Nothing, false) => {
                let acked = self.has_acked(sent);
                self.report_death(idle, DeathCause::Unanswered { acked })
            }
        }
    }
}

/// Waits for the next order; forever if the sender is gone.
async fn changed(span: &mut watch::Receiver<Option<Duration>>) {
    if span.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
