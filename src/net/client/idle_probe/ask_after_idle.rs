//! A connection that is silent for a span, and then asked once: is it still there?

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::{ListenResult, Question, QuestionCodec, ended, listen, two_ended};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::idle::{DeathCause, ProbeEvent, VisibleEnd as IdleCut};
use crate::net::client::disconnect::Disconnect;
use crate::net::client::websocket::{SendOutcome, SocketEvent, WebSocket, is_buffer_full};
use crate::net::time::at;

/// How often the server's unasked words are told at most: a flood costs no more than this.
const MIN_REPORT_INTERVAL: Duration = Duration::from_millis(10);
/// After a FIN, how long what is written has to come back as an RST, beyond a round trip.
const RST_WAIT: Duration = Duration::from_millis(100);

/// After a FIN so long nothing is written.
const NO_WRITE_AFTER_FIN: Duration = Duration::from_millis(250);
/// A masked, empty Ping frame: what is written after a FIN.
const LONE_PING: [u8; 6] = [0x89, 0x80, 0, 0, 0, 0];

/// How a connection is to be silent.
#[derive(Debug)]
pub struct IdleProbePlan<'a> {
    pub question: &'a Question,
    /// How much earlier than we the path may have seen the last byte: a round trip at most. It is added to the spans after
    /// which a question found the connection dead, so that they are never told too short. An end that was seen took
    /// the same way as the byte before it, and needs none.
    pub slack: Duration,
    /// The server speaks first after the silence (see [`super::TWO_ENDED`]).
    pub two_ended: bool,
}

/// Is silent until `span` tells after how much of it to ask, and that is reached; `None` means to wait. Tells
/// what is seen and when: [`ObservedCut::Spoke`], [`ObservedCut::Asked`], and at last [`ObservedCut::Survived`],
/// [`ObservedCut::Died`] or [`ObservedCut::Ended`].
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    plan: &IdleProbePlan<'_>,
    span: &mut watch::Receiver<Option<Duration>>,
    emit: &mut (dyn FnMut(Instant, ProbeEvent) + Send),
) {
    let codec = QuestionCodec::new(plan.question, rand::random());
    let began = Instant::now();
    IdleProbe { socket, plan, codec, began, quiet_since: began, told: None, promised: None, emit }
        .run(span)
        .await;
}

struct IdleProbe<'a, S> {
    socket: &'a mut WebSocket<S>,
    plan: &'a IdleProbePlan<'a>,
    codec: QuestionCodec,
    began: Instant,
    /// The last byte in either direction, before what is at hand.
    quiet_since: Instant,
    /// When the server's words were last told.
    told: Option<Instant>,
    /// After this span of silence the server is to speak.
    promised: Option<Duration>,
    emit: &'a mut (dyn FnMut(Instant, ProbeEvent) + Send),
}

/// What woke the silence.
enum IdleProbeWake {
    Order,
    Socket(SocketEvent),
    Due,
}

/// What a step of the socket means to a silence.
enum ProbeStep {
    Nothing,
    /// The word that the server was to say after the silence.
    Promised,
    End(Disconnect),
}

impl<S: AsyncRead + AsyncWrite + Unpin> IdleProbe<'_, S> {
    async fn run(mut self, span: &mut watch::Receiver<Option<Duration>>) {
        self.request_words(*span.borrow_and_update());
        loop {
            self.quiet_since = self.last_byte();
            let ask_at = self.bound(*span.borrow_and_update());
            match self.wait(span, ask_at).await {
                IdleProbeWake::Order => {}
                IdleProbeWake::Due if ask_at.is_some_and(|at| self.last_byte().elapsed() >= at) => {
                    return self.question(ask_at).await;
                }
                IdleProbeWake::Due => {}
                IdleProbeWake::Socket(step) => match self.on_step(step) {
                    ProbeStep::Nothing => {}
                    ProbeStep::Promised => return self.keep_promise().await,
                    ProbeStep::End(cut) => return self.end(cut).await,
                },
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Has the server speak after the silence; the request is the last byte before it.
    fn request_words(&mut self, span: Option<Duration>) {
        let Some(span) = span.filter(|_| self.plan.two_ended) else { return };
        if self.socket.send(two_ended::request(span, self.codec.nonce())).is_ok() {
            self.promised = Some(span);
        }
    }

    /// A promised word is the question, even where a later one is wanted since.
    fn bound(&self, span: Option<Duration>) -> Option<Duration> {
        span.map(|span| self.promised.map_or(span, |promised| promised.min(span)))
    }

    async fn wait(
        &mut self,
        span: &mut watch::Receiver<Option<Duration>>,
        ask_at: Option<Duration>,
    ) -> IdleProbeWake {
        let due = ask_at.map(|at| self.quiet_since + at);
        let socket = &mut self.socket;
        tokio::select! {
            biased;
            () = changed(span) => IdleProbeWake::Order,
            step = socket.step() => IdleProbeWake::Socket(step),
            () = at(due) => IdleProbeWake::Due,
        }
    }

    fn last_byte(&self) -> Instant {
        let marks = self.socket.tap_state();
        marks.last_read().max(marks.last_write()).unwrap_or(self.began)
    }

    fn on_step(&mut self, step: SocketEvent) -> ProbeStep {
        if matches!(step, SocketEvent::Bytes) {
            self.spoke();
        }
        match ended(self.socket, step) {
            Err(cut) => ProbeStep::End(cut),
            Ok(Some(message))
                if self.promised.is_some() && two_ended::is_word(&message, self.codec.nonce()) =>
            {
                ProbeStep::Promised
            }
            Ok(Some(message)) => {
                self.spoke();
                match self.reply(&message) {
                    Ok(replied) => {
                        if replied {
                            (self.emit)(Instant::now(), ProbeEvent::Replied);
                        }
                        ProbeStep::Nothing
                    }
                    Err(cut) => ProbeStep::End(cut),
                }
            }
            Ok(None) => ProbeStep::Nothing,
        }
    }

    /// Answers what the server asks by messages: it would close a client that does not, as one that sends no Pongs.
    /// Gives whether there was anything to answer.
    fn reply(&mut self, message: &Message) -> Result<bool, Disconnect> {
        let replies = self.codec.hear(message).replies;
        let has_replies = !replies.is_empty();
        let sent = replies.into_iter().try_for_each(|reply| match self.socket.send(reply) {
            Ok(_) => Ok(()),
            Err(error) if is_buffer_full(&error) => Ok(()),
            Err(error) => Err(self.socket.cut_by(error)),
        });
        sent.map(|()| has_replies)
    }

    /// The server kept its promise before our own timer was up: by its clock the silence is over.
    async fn keep_promise(self) {
        let gap = self.socket.heard_at().saturating_duration_since(self.quiet_since);
        let idle = self.promised.map_or(gap, |promised| promised.min(gap));
        (self.emit)(self.quiet_since + idle, ProbeEvent::Asked { idle });
        self.hear_client(idle, true).await;
    }

    /// Of several messages in one read, the first is told, and of the bytes of a slow one those that are apart.
    fn spoke(&mut self) {
        let heard = self.socket.heard_at();
        let gap = heard.saturating_duration_since(self.quiet_since);
        let is_told = self.told.is_some_and(|told| heard < told + MIN_REPORT_INTERVAL);
        if !gap.is_zero() && !is_told {
            self.told = Some(heard);
            (self.emit)(heard, ProbeEvent::Spoke { gap });
        }
    }

    /// It ended before it was asked. The bytes of a close frame are not those that made it busy.
    async fn end(mut self, cut: Disconnect) {
        let now = Instant::now();
        let half_open = match cut.how {
            CloseKind::Fin | CloseKind::TlsClose => Some(self.still_takes().await),
            _ => None,
        };
        let idle = now - self.quiet_since;
        (self.emit)(now, ProbeEvent::Ended { idle, cut: IdleCut { how: cut.how, half_open } });
    }

    /// Whether what is written after the peer's FIN is still taken: had the peer closed altogether, the
    /// first write would bring an RST, and the second fail.
    async fn still_takes(&mut self) -> bool {
        // A peer that closes with care takes in for a moment what crosses its FIN.
        sleep(NO_WRITE_AFTER_FIN).await;
        let stream = self.socket.stream_mut();
        if stream.write_all(&LONE_PING).await.is_err() || stream.flush().await.is_err() {
            return false;
        }
        sleep(RST_WAIT + self.plan.slack).await;
        let stream = self.socket.stream_mut();
        stream.write_all(&LONE_PING).await.is_ok() && stream.flush().await.is_ok()
    }

    /// Asks, and tells what comes of it.
    async fn question(mut self, span: Option<Duration>) {
        let since = self.last_byte();
        if let Some(promised) = self.promised.filter(|promised| span == Some(*promised)) {
            return self.hear_server(since, promised).await;
        }
        let (asked, idle) = match self.ask() {
            Ok(asked) => (asked, asked - since),
            Err(cut) => return self.die_at_once(since, cut),
        };
        (self.emit)(asked, ProbeEvent::Asked { idle });
        let until = asked + self.plan.question.timeout;
        match self.answer(until).await {
            ListenResult::Found(heard) => {
                (self.emit)(heard, ProbeEvent::Survived { idle, rtt: heard - asked })
            }
            ListenResult::End(cut) => self.die(idle, DeathCause::CutOnUse(cut.how.into())),
            ListenResult::Nothing => self.die(idle, DeathCause::Unanswered),
        }
    }

    /// The question leaves; gives when. What cannot leave at once counts as asked now.
    fn ask(&mut self) -> Result<Instant, Disconnect> {
        let message = self.codec.ask();
        match self.socket.send(message) {
            Ok(SendOutcome::Left(departure)) => Ok(departure.at),
            Ok(SendOutcome::Blocked) => Ok(Instant::now()),
            Err(error) => Err(self.socket.cut_by(error)),
        }
    }

    fn die_at_once(&mut self, since: Instant, cut: Disconnect) {
        let now = Instant::now();
        (self.emit)(now, ProbeEvent::Asked { idle: now - since });
        self.die(now - since, DeathCause::CutOnUse(cut.how.into()));
    }

    async fn answer(&mut self, until: Instant) -> ListenResult {
        let codec = &mut self.codec;
        listen(self.socket, until, |message| codec.is_answer(message)).await
    }

    fn die(&mut self, idle: Duration, death: DeathCause) {
        (self.emit)(Instant::now(), ProbeEvent::Died { idle: idle + self.plan.slack, death });
    }

    /// The server speaks first: half of the patience is for its word, half for the answer to ours.
    async fn hear_server(mut self, since: Instant, idle: Duration) {
        (self.emit)(since + idle, ProbeEvent::Asked { idle });
        let nonce = self.codec.nonce();
        let until = Instant::now() + self.plan.question.timeout / 2;
        match listen(self.socket, until, |message| two_ended::is_word(message, nonce)).await {
            ListenResult::End(cut) => self.die(idle, DeathCause::CutOnUse(cut.how.into())),
            ListenResult::Found(_) => self.hear_client(idle, true).await,
            ListenResult::Nothing => self.hear_client(idle, false).await,
        }
    }

    /// The server's word was heard, or was not; now ours, and what answers it.
    async fn hear_client(mut self, idle: Duration, heard: bool) {
        let asked = match self.ask() {
            Ok(asked) => asked,
            Err(cut) => return self.die(idle, DeathCause::CutOnUse(cut.how.into())),
        };
        match (self.answer(asked + self.plan.question.timeout / 2).await, heard) {
            (ListenResult::Found(at), true) => {
                (self.emit)(at, ProbeEvent::Survived { idle, rtt: at - asked })
            }
            (ListenResult::Found(_), false) => self.die(idle, DeathCause::ServerUnheard),
            (ListenResult::End(cut), _) => self.die(idle, DeathCause::CutOnUse(cut.how.into())),
            (ListenResult::Nothing, true) => self.die(idle, DeathCause::ClientUnheard),
            (ListenResult::Nothing, false) => self.die(idle, DeathCause::Unanswered),
        }
    }
}

/// Waits for the next order; for ever when there will be none.
async fn changed(span: &mut watch::Receiver<Option<Duration>>) {
    if span.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
