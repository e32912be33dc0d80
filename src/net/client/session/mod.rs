//! One open connection: heartbeats out, answers in, until it ends.
//!
//! Runs over any stream, with the runtime's clock, so that its timing is tested exactly. A
//! `select!` arm yields a value; plain functions decide what it means.

pub(super) mod heartbeat_state;
mod peer_traffic_throttle;
pub mod plan;

#[cfg(test)]
mod convention_tests;
#[cfg(test)]
mod tests;

use std::pin::{Pin, pin};
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use self::heartbeat_state::{HeartbeatState, OutgoingHeartbeat, ping_payload, seq_of};
use self::peer_traffic_throttle::PeerTrafficThrottle;
use self::plan::SessionPlan;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply, ClosedBy};
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::classifier::{Classifier, Correlation, MessageMeaning};
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::outstanding::{self, Resolution};
use crate::domain::heartbeat::template::Payload;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::nanos::Nanos;
use crate::domain::ping::event::{ConnEvent, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::server_traffic::{ServerTraffic, ServerTrafficRecorder};
use crate::net::client::disconnect::{Disconnect, code_for};
use crate::net::client::gzip_message::unpacked;
use crate::net::client::keepalive_sender::KeepaliveSender;
use crate::net::client::websocket::{SendOutcome, SocketEvent, WebSocket, is_buffer_full, to_message};
use crate::net::time::unix_ms;
use crate::net::transport::tap::{SendTime, TcpIntrospect};

/// How long the closing handshake may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a close frame to a peer that is given up may take to leave.
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(100);
/// How many heartbeats may leave before something else gets its turn.
const MAX_HEARTBEATS_PER_WAKE: usize = 64;
/// How long what is overdue is not yet declared missed while there is still something to read: the pong
/// may be among it.
const READ_BEFORE_JUDGING: Duration = Duration::from_millis(100);
/// How many heartbeats that have left may wait for the kernel's stamp of it.
const MAX_UNSTAMPED_HEARTBEATS: usize = 16;
/// How often the runtime is sent to ask the kernel what there is to read, before a heartbeat is missed.
/// Each time it brings up to 1024 sockets.
const MAX_READS_BEFORE_JUDGING: usize = 8;

/// Where a session starts: its place among the others, and what an earlier connection left.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// Part of every payload, so that no other connection's can be taken for ours.
    pub nonce: u64,
    /// When the first heartbeat of each kind is due, in the order of the plan's kinds.
    pub first_due: Vec<Instant>,
    /// The number of the first heartbeat of each kind.
    pub first_seq: Vec<u64>,
    /// When the upgrade was over.
    pub opened_at: Instant,
    /// What was last told of the status, by an earlier connection.
    pub status: Status,
}

/// What ends a session from outside.
#[derive(Debug, Clone, Copy)]
pub struct StopSignals<'a> {
    /// The time of the run is over: nothing more is sent, and answers without id are waited for.
    pub over: &'a CancellationToken,
    /// The user wants the end at once. It cancels `over`, too.
    pub at_once: &'a CancellationToken,
}

/// How a session ended, and what the next one goes on from.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionEnd {
    pub ending: CloseCause,
    pub ended_at: Instant,
    /// The number of the next heartbeat of each kind.
    pub next_seq: Vec<u64>,
    /// Whether any heartbeat is still to be sent.
    pub has_more: bool,
    /// Whether any heartbeat was answered.
    pub answered: bool,
    /// The status as last told.
    pub status: Status,
}

/// Why a session is over.
enum EndReason {
    /// All heartbeats are judged, or the caller stopped us.
    Done,
    /// So many were missed that the connection counts as dead.
    GaveUp,
    Lost(Disconnect),
}

/// What woke the session.
enum SessionWake {
    Stopped,
    Socket(SocketEvent),
    Timer,
}

/// Runs heartbeats on an open connection until they are all judged, it is stopped, or the
/// connection ends. `emit` is told everything, the ending last.
///
/// No `async fn`, which would keep its arguments beside what is made of them: thousands of these are held.
pub fn run<'a, S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin>(
    socket: WebSocket<S>,
    plan: &'a SessionPlan,
    start: SessionStart,
    emit: Box<dyn FnMut(ConnEvent) + Send + 'a>,
    stops: StopSignals<'a>,
) -> impl Future<Output = SessionEnd> + use<'a, S> {
    let mut session = Session::new(socket, plan, start, emit);
    async move { session.run(stops).await }
}

/// A heartbeat whose bytes wait for the network.
#[derive(Debug, Clone, Copy)]
struct BlockedHeartbeat {
    pulse: usize,
    ask: OutgoingHeartbeat,
    /// It was told to be unsent; should it leave after all, that is revised.
    given_up: bool,
}

/// A heartbeat that has left, and whose stamp has not come.
#[derive(Debug, Clone, Copy)]
struct UnstampedHeartbeat {
    pulse: usize,
    seq: u64,
    departure: SendTime,
}

struct Session<'a, S> {
    socket: WebSocket<S>,
    classifier: Classifier,
    nonce: u64,
    opened_at: Instant,
    /// When the last bytes came, before the message at hand.
    heard: Instant,
    /// They complete nothing yet.
    receiving: bool,
    pulses: Vec<HeartbeatState>,
    /// The worst of the pulses', as last told.
    status: Status,
    /// The heartbeat whose bytes have not all left.
    blocked: Option<Box<BlockedHeartbeat>>,
    unstamped: Vec<UnstampedHeartbeat>,
    /// The segments that TCP had sent again when it was last asked.
    retransmits: u32,
    throttle: PeerTrafficThrottle,
    /// What is said without an answer, where the convention wants it.
    keepalive: Option<Box<KeepaliveSender>>,
    is_curious: bool,
    /// Made when there is something to hear.
    listener: Option<Box<ServerTrafficRecorder>>,
    /// Since when something is overdue while there is still something to read.
    overdue_since: Option<Instant>,
    /// Our close frame has left: nothing is sent any more.
    closing: bool,
    last_stamp: u64,
    /// Where the payloads of Pings are made: used again and again, so that a heartbeat allocates nothing.
    payloads: BytesMut,
    resolutions: Vec<Resolution>,
    emit: Box<dyn FnMut(ConnEvent) + Send + 'a>,
}

impl<'a, S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin> Session<'a, S> {
    fn new(
        socket: WebSocket<S>,
        plan: &'a SessionPlan,
        start: SessionStart,
        emit: Box<dyn FnMut(ConnEvent) + Send + 'a>,
    ) -> Session<'a, S> {
        let places = start.first_due.iter().zip(&start.first_seq);
        let pulses = plan.kinds.iter().zip(places);
        Session {
            heard: socket.heard_at(),
            receiving: false,
            retransmits: socket.stream().tcp().map_or(0, |view| view.retransmits),
            socket,
            classifier: plan.classifier(start.nonce),
            nonce: start.nonce,
            opened_at: start.opened_at,
            pulses: pulses.map(|(kind, (due, seq))| HeartbeatState::new(*kind, plan, *due, *seq)).collect(),
            status: start.status,
            blocked: None,
            unstamped: Vec::new(),
            throttle: PeerTrafficThrottle::default(),
            keepalive: plan
                .convention
                .upkeep
                .as_ref()
                .map(|upkeep| Box::new(KeepaliveSender::new(upkeep, start.nonce))),
            is_curious: plan.is_curious(),
            listener: None,
            overdue_since: None,
            closing: false,
            last_stamp: 0,
            payloads: BytesMut::new(),
            resolutions: Vec::with_capacity(1),
            emit,
        }
    }

    async fn run(&mut self, stops: StopSignals<'_>) -> SessionEnd {
        self.tell_anew();
        // Both last as long as the session: to enter and leave the lists that they wait in touches their neighbours'
        // memory, twice a heartbeat on each of thousands of connections.
        let mut stopped = pin!(stops.over.cancelled());
        let mut alarm = pin!(sleep_until(self.next_deadline().unwrap_or_else(Instant::now)));
        let end = loop {
            if let Some(end) = self.over() {
                break end;
            }
            let woken = self.wait(stopped.as_mut(), alarm.as_mut()).await;
            if matches!(woken, SessionWake::Stopped) && !stops.at_once.is_cancelled() {
                break Box::pin(self.await_answers_in_order(stops.at_once)).await;
            }
            if let Err(end) = self.react(woken) {
                break end;
            }
            tokio::task::coop::consume_budget().await;
        };
        // Boxed, as what is rare must not make every session larger.
        Box::pin(self.finish(end)).await
    }

    /// Sends no more heartbeats, and waits until those whose answers carry no id are judged: a lost answer shows only then.
    async fn await_answers_in_order(&mut self, stop: &CancellationToken) -> EndReason {
        self.pulses.iter_mut().for_each(|pulse| pulse.schedule.end());
        let mut stopped = pin!(stop.cancelled());
        let mut alarm = pin!(sleep_until(self.next_deadline().unwrap_or_else(Instant::now)));
        while self.pulses.iter().any(HeartbeatState::owes_in_order) {
            if let Some(end) = self.over() {
                return end;
            }
            let woken = self.wait(stopped.as_mut(), alarm.as_mut()).await;
            if let Err(end) = self.react(woken) {
                return end;
            }
            tokio::task::coop::consume_budget().await;
        }
        self.over().unwrap_or(EndReason::Done)
    }

    /// Whether there is nothing left to do.
    fn over(&self) -> Option<EndReason> {
        if !self.pulses.is_empty() && self.pulses.iter().all(HeartbeatState::is_dead) {
            return Some(EndReason::GaveUp);
        }
        let waits = self.blocked.as_ref().is_some_and(|blocked| !blocked.given_up);
        let idle = !waits && self.pulses.iter().all(HeartbeatState::is_done);
        (idle && !self.pulses.is_empty()).then_some(EndReason::Done)
    }

    async fn wait(
        &mut self,
        stopped: Pin<&mut WaitForCancellationFuture<'_>>,
        mut alarm: Pin<&mut Sleep>,
    ) -> SessionWake {
        let deadline = self.next_deadline();
        // An alarm that rings too early is harmless, and setting it anew for every answer is not free.
        if let Some(deadline) = deadline.filter(|at| *at < alarm.deadline() || alarm.is_elapsed()) {
            alarm.as_mut().reset(deadline);
        }
        let socket = &mut self.socket;
        let woken = tokio::select! {
            biased;
            () = stopped => SessionWake::Stopped,
            step = socket.step() => SessionWake::Socket(step),
            () = alarm, if deadline.is_some() => SessionWake::Timer,
        };
        match woken {
            SessionWake::Timer if self.is_overdue(Instant::now()) => Box::pin(self.look_again()).await,
            woken => woken,
        }
    }

    /// When this process stood still, its timers come first: the pongs that came meanwhile lie in the
    /// kernel, and the runtime has not asked for them yet.
    async fn look_again(&mut self) -> SessionWake {
        for _ in 0..MAX_READS_BEFORE_JUDGING {
            tokio::task::yield_now().await;
            if let Some(step) = self.socket.step().now_or_never() {
                return SessionWake::Socket(step);
            }
        }
        SessionWake::Timer
    }

    /// Whether a heartbeat in flight has had its time.
    fn is_overdue(&self, now: Instant) -> bool {
        let expiries = self.pulses.iter().filter_map(|pulse| pulse.outstanding.next_expiry());
        expiries.min().is_some_and(|expiry| self.opened_at + expiry <= now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let waiting = self.blocked.as_deref().filter(|blocked| !blocked.given_up);
        let given_up = waiting.map(|blocked| self.give_up_at(blocked));
        let pulses = self.pulses.iter().filter_map(|pulse| pulse.next_deadline(self.opened_at));
        let upkeep = self.keepalive.as_ref().and_then(|keepalive| keepalive.next_due());
        pulses.chain(given_up).chain(self.throttle.next_deadline()).chain(upkeep).min()
    }

    fn react(&mut self, woken: SessionWake) -> Result<(), EndReason> {
        match woken {
            SessionWake::Stopped => Err(EndReason::Done),
            SessionWake::Timer => self.on_time(true),
            SessionWake::Socket(step) => {
                self.on_step(step)?;
                self.on_time(false)
            }
        }
    }

    /// Does what is due: heartbeats leave, and those that are overdue are missed; `all_read` says that
    /// nothing is left to read.
    fn on_time(&mut self, all_read: bool) -> Result<(), EndReason> {
        let now = Instant::now();
        self.give_up_blocked(now);
        self.tell_heard(Some(now));
        self.keep_up(now)?;
        let may_miss = all_read || self.has_read_for_long(now);
        for index in 0..self.pulses.len() {
            self.beat_all_due(index, now)?;
            if may_miss {
                self.expire(index, now);
            }
        }
        Ok(())
    }

    /// What is overdue is missed; TCP is asked whether it was acknowledged.
    fn expire(&mut self, index: usize, now: Instant) {
        let since_opened = now - self.opened_at;
        let outstanding = &mut self.pulses[index].outstanding;
        if outstanding.next_expiry().is_none_or(|expiry| since_opened < expiry) {
            return;
        }
        let tcp = self.socket.stream().tcp();
        let has_acked = |sent: &outstanding::SentHeartbeat| {
            tcp?.has_acked(sent.end, since_opened.saturating_sub(sent.at))
        };
        outstanding.expire(since_opened, has_acked, &mut self.resolutions);
        self.tell_resolutions(index, None, 0);
    }

    /// Whether there was still something to read for so long since a heartbeat became overdue that its
    /// pong is not waited for any more: a flood has no end.
    fn has_read_for_long(&mut self, now: Instant) -> bool {
        if !self.is_overdue(now) {
            self.overdue_since = None;
            return false;
        }
        now - *self.overdue_since.get_or_insert(now) >= READ_BEFORE_JUDGING
    }

    /// Sends what is due, but never so much at a time that nothing else gets its turn.
    fn beat_all_due(&mut self, index: usize, now: Instant) -> Result<(), EndReason> {
        for _ in 0..MAX_HEARTBEATS_PER_WAKE {
            let Some(due) = self.pulses[index].schedule.take_due(now) else { break };
            self.beat(index, due.at, due.slept_through)?;
        }
        Ok(())
    }

    /// Sends what is never answered. While bytes wait for the network the connection is alive without it.
    fn keep_up(&mut self, now: Instant) -> Result<(), EndReason> {
        let due = self.keepalive.as_mut().and_then(|keepalive| keepalive.take_due(now));
        let Some(payload) = due.filter(|_| !self.socket.is_blocked()) else { return Ok(()) };
        match self.socket.send(to_message(payload)) {
            Err(error) if !is_buffer_full(&error) => Err(EndReason::Lost(self.socket.cut_by(error))),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn give_up_at(&self, blocked: &BlockedHeartbeat) -> Instant {
        blocked.ask.due + self.pulses[blocked.pulse].timeout()
    }

    fn give_up_blocked(&mut self, now: Instant) {
        let Some(blocked) = self.blocked.as_deref().copied().filter(|blocked| !blocked.given_up) else {
            return;
        };
        if self.give_up_at(&blocked) <= now {
            self.blocked = Some(Box::new(BlockedHeartbeat { given_up: true, ..blocked }));
            self.tell_unsent(blocked.pulse, blocked.ask.seq, None);
        }
    }

    /// One heartbeat leaves, or is told to be unsent.
    fn beat(&mut self, index: usize, due: Instant, slept_through: bool) -> Result<(), EndReason> {
        let seq = self.pulses[index].outstanding.take_seq();
        if slept_through || self.socket.is_blocked() {
            self.tell_unsent(index, seq, slept_through.then(|| Instant::now() - due));
            return Ok(());
        }
        let (message, stamp) = self.compose(self.pulses[index].kind, seq);
        let ask = OutgoingHeartbeat { seq, due, stamp, lag: Instant::now() - due };
        match self.socket.send(message) {
            Ok(SendOutcome::Left(at)) => self.left(index, ask, at, None),
            Ok(SendOutcome::Blocked) => {
                self.blocked = Some(Box::new(BlockedHeartbeat { pulse: index, ask, given_up: false }));
            }
            Err(error) if is_buffer_full(&error) => self.tell_unsent(index, seq, None),
            Err(error) => return Err(EndReason::Lost(self.socket.cut_by(error))),
        }
        Ok(())
    }

    /// The message that asks, and the time it carries.
    fn compose(&mut self, kind: HeartbeatKind, seq: u64) -> (Message, u64) {
        if kind == HeartbeatKind::App {
            self.last_stamp = unix_ms().max(self.last_stamp + 1);
            if let Some(payload) = self.classifier.ask(seq, self.last_stamp) {
                return (to_message(payload), self.last_stamp);
            }
        }
        self.payloads.extend_from_slice(&ping_payload(self.nonce, seq));
        (Message::Ping(self.payloads.split().freeze()), 0)
    }

    /// The heartbeat has left; `was` is what it was told to be before.
    fn left(
        &mut self,
        index: usize,
        ask: OutgoingHeartbeat,
        departure: SendTime,
        was: Option<HeartbeatOutcome>,
    ) {
        let OutgoingHeartbeat { seq, stamp, lag, .. } = ask;
        let at = departure.at - self.opened_at;
        let to_wire = departure.by_kernel.then(|| (departure.at - departure.began).into());
        let end = departure.end;
        self.pulses[index].outstanding.sent(outstanding::SentHeartbeat {
            seq,
            at,
            stamp,
            lag,
            to_wire,
            end,
            was,
        });
        self.pulses[index].left(departure.at);
        if to_wire.is_none() && self.socket.tap_state().stamps_departures() {
            if self.unstamped.len() == MAX_UNSTAMPED_HEARTBEATS {
                self.unstamped.remove(0);
            }
            // Mostly one waits, on each of thousands of connections.
            self.unstamped.reserve_exact(1);
            self.unstamped.push(UnstampedHeartbeat { pulse: index, seq, departure });
        }
    }

    /// Hands on the stamps that came after the heartbeats had left.
    fn settle_departures(&mut self) {
        let (marks, pulses, opened_at) = (self.socket.tap_state(), &mut self.pulses, self.opened_at);
        self.unstamped.retain(|unstamped| {
            let Some(departure) = marks.stamped_since(&unstamped.departure) else { return true };
            let outstanding = &mut pulses[unstamped.pulse].outstanding;
            outstanding.stamped(unstamped.seq, departure.at - opened_at, departure.at - departure.began);
            false
        });
    }

    fn on_step(&mut self, step: SocketEvent) -> Result<(), EndReason> {
        match step {
            SocketEvent::Flushed(at) => {
                if let Some(BlockedHeartbeat { pulse, ask, given_up }) =
                    self.blocked.take().map(|blocked| *blocked)
                {
                    let departure = SendTime::unstamped(at, self.socket.tap_state());
                    self.left(pulse, ask, departure, given_up.then_some(HeartbeatOutcome::Unsent));
                }
                Ok(())
            }
            SocketEvent::Bytes => {
                (self.heard, self.receiving) = (self.socket.heard_at(), true);
                Ok(())
            }
            SocketEvent::Lost(error) => Err(EndReason::Lost(self.socket.lost_by(error))),
            SocketEvent::Message(message) => self.on_message(message),
        }
    }

    fn on_message(&mut self, message: Message) -> Result<(), EndReason> {
        match message {
            Message::Close(frame) => return Err(EndReason::Lost(self.socket.closed_by(frame))),
            Message::Ping(payload) => {
                let answered = !self.closing && !self.socket.is_blocked();
                match self
                    .index_of(HeartbeatKind::Protocol)
                    .filter(|_| seq_of(&payload, self.nonce).is_some())
                {
                    // It is no heartbeat of the server's.
                    Some(index) => self.pulses[index].substitutes().returned_ping(),
                    None => {
                        let age = self.socket.heard_at() - self.opened_at;
                        self.listener().record_heartbeat(HeartbeatKind::Protocol, age);
                    }
                }
                self.hear(PeerTraffic::ServerPing { kind: HeartbeatKind::Protocol, answered });
            }
            Message::Pong(payload) => self.on_pong(&payload),
            Message::Text(text) => self.on_data(MessageRef::Text(&text))?,
            Message::Binary(bytes) => self.on_data(MessageRef::Binary(&bytes))?,
            Message::Frame(_) => {}
        }
        (self.heard, self.receiving) = (self.socket.heard_at(), false);
        Ok(())
    }

    fn on_pong(&mut self, payload: &[u8]) {
        match self.index_of(HeartbeatKind::Protocol) {
            Some(index) => match seq_of(payload, self.nonce) {
                Some(seq) => self.answered(index, seq, 0),
                None => self.on_alien_pong(index, payload),
            },
            None => self.tell_stray(HeartbeatKind::Protocol, StrayPong::Unsolicited),
        }
    }

    fn on_alien_pong(&mut self, index: usize, payload: &[u8]) {
        let pulse = &mut self.pulses[index];
        let stray = pulse.outstanding.classify_foreign_pong();
        if stray == StrayPong::Mismatched {
            let last = ping_payload(self.nonce, pulse.outstanding.next_seq().saturating_sub(1));
            pulse.substitutes().pong(payload, &last);
        }
        self.tell_stray(HeartbeatKind::Protocol, stray);
    }

    /// A message came that answers nothing: perhaps it stands for a Pong, or for an answer in another shape.
    fn on_stranger(&mut self, message: MessageRef<'_>) {
        // Beside app heartbeats a message answers those, if anything.
        if let [pulse] = self.pulses.as_mut_slice()
            && pulse.kind == HeartbeatKind::Protocol
            && pulse.is_unanswered()
        {
            pulse.substitutes().message(message);
        }
        if let Some(index) = self.index_of(HeartbeatKind::App) {
            self.pulses[index].unmatched();
        }
        if self.listener().wants_difference()
            && let Some(difference) = self.classifier.difference(message)
        {
            self.listener().record_unmatched(message, difference);
        }
        self.listener().record_unknown(message);
        self.hear(PeerTraffic::Message);
    }

    fn on_data(&mut self, message: MessageRef<'_>) -> Result<(), EndReason> {
        let unpacked = unpacked(message);
        let message = unpacked.as_deref().map_or(message, MessageRef::Text);
        for meaning in self.classifier.read(message, unix_ms()) {
            match meaning {
                MessageMeaning::Answer(Correlation::Foreign) => {
                    self.listener().record_foreign(message);
                    self.on_answer(Correlation::Foreign);
                }
                MessageMeaning::Answer(correlation) => self.on_answer(correlation),
                MessageMeaning::Echo => self.hear(PeerTraffic::Echo),
                MessageMeaning::ServerPing { reply } => self.on_server_ping(reply)?,
                MessageMeaning::Ordinary => self.on_stranger(message),
            }
        }
        Ok(())
    }

    fn on_answer(&mut self, correlation: Correlation) {
        let Some(index) = self.index_of(HeartbeatKind::App) else { return };
        let at = self.socket.heard_at() - self.opened_at;
        let pulse = &mut self.pulses[index];
        pulse.in_order |= correlation == Correlation::None;
        let outstanding = &mut pulse.outstanding;
        let rivals = u32::try_from(outstanding.unanswered()).unwrap_or(u32::MAX);
        let found = match correlation {
            Correlation::Exact { seq } => Some((seq, 0)),
            Correlation::Stamp { now_ms } => outstanding.seq_of_stamp(now_ms).map(|seq| (seq, 0)),
            Correlation::None => outstanding.answer_without_id(at).map(|seq| (seq, rivals)),
            Correlation::Foreign => None,
        };
        match found {
            Some((seq, rivals)) => self.answered(index, seq, rivals),
            None => {
                self.tell_stray(HeartbeatKind::App, self.pulses[index].outstanding.classify_foreign_pong())
            }
        }
    }

    fn answered(&mut self, index: usize, seq: u64, rivals: u32) {
        let at = self.socket.heard_at() - self.opened_at;
        if !self.unstamped.is_empty() {
            self.settle_departures();
            self.unstamped.retain(|unstamped| (unstamped.pulse, unstamped.seq) != (index, seq));
        }
        match self.pulses[index].outstanding.pong(seq, at, &mut self.resolutions) {
            Ok(()) => self.tell_resolutions(index, Some(seq), rivals),
            Err(stray) => self.tell_stray(self.pulses[index].kind, stray),
        }
    }

    /// Answers in kind, unless that is unwanted (`reply` is `None`), the socket is blocked, or we have
    /// said goodbye.
    fn on_server_ping(&mut self, reply: Option<Payload>) -> Result<(), EndReason> {
        let sent = match reply.filter(|_| !self.closing && !self.socket.is_blocked()) {
            None => None,
            Some(reply) => Some(self.socket.send(to_message(reply))),
        };
        let answered = matches!(sent, Some(Ok(_)));
        let age = self.socket.heard_at() - self.opened_at;
        self.listener().record_heartbeat(HeartbeatKind::App, age);
        self.hear(PeerTraffic::ServerPing { kind: HeartbeatKind::App, answered });
        match sent {
            Some(Err(error)) if !is_buffer_full(&error) => Err(EndReason::Lost(self.socket.cut_by(error))),
            _ => Ok(()),
        }
    }

    fn listener(&mut self) -> &mut ServerTrafficRecorder {
        let is_curious = self.is_curious;
        self.listener.get_or_insert_with(|| Box::new(ServerTrafficRecorder::new(is_curious)))
    }

    fn index_of(&self, kind: HeartbeatKind) -> Option<usize> {
        self.pulses.iter().position(|pulse| pulse.kind == kind)
    }

    fn tell(&mut self, event: ConnEvent) {
        (self.emit)(event);
    }

    fn tell_stray(&mut self, kind: HeartbeatKind, stray: StrayPong) {
        self.hear(PeerTraffic::Stray(kind, stray));
    }

    fn hear(&mut self, heard: PeerTraffic) {
        if let Some(count) = self.throttle.note(heard, Instant::now()) {
            self.tell(ConnEvent::PeerTraffic(heard, count));
        }
    }

    /// Tells what was heard and whose time has come; with `None`, all of it.
    fn tell_heard(&mut self, now: Option<Instant>) {
        while let Some((heard, count)) = self.throttle.take_due(now) {
            self.tell(ConnEvent::PeerTraffic(heard, count));
        }
    }

    /// A connection that follows another is unknown at first, whatever the other was.
    fn tell_anew(&mut self) {
        if self.status != Status::Unknown {
            let reason = "no answer yet on the new connection".to_string();
            self.tell_change(Status::Unknown, reason, StatusMetrics::default());
        }
    }

    /// `lag` is how late this host woke, when it slept through the heartbeat's moment.
    fn tell_unsent(&mut self, index: usize, seq: u64, lag: Option<Duration>) {
        let unsent = Resolution {
            seq,
            outcome: HeartbeatOutcome::Unsent,
            was: None,
            rtt: None,
            lag,
            to_wire: None,
            acked: None,
            later_answered: false,
        };
        self.resolutions.push(unsent);
        self.tell_resolutions(index, None, 0);
    }

    /// Tells what was decided, and what it does to the status.
    fn tell_resolutions(&mut self, index: usize, in_order: Option<u64>, rivals: u32) {
        let mut resolutions = std::mem::take(&mut self.resolutions);
        let outcome = resolutions.last().map(|resolution| resolution.outcome);
        for resolution in resolutions.drain(..) {
            let rivals = if in_order == Some(resolution.seq) { rivals } else { 0 };
            self.tell_beat(index, resolution, rivals);
            self.tell_status(index);
        }
        self.resolutions = resolutions;
        self.release(index, outcome);
    }

    /// The heartbeat is over, and another may follow at once; one that could not leave is not repeated at once.
    fn release(&mut self, index: usize, outcome: Option<HeartbeatOutcome>) {
        let pulse = &mut self.pulses[index];
        match outcome {
            Some(HeartbeatOutcome::Unsent) => pulse.schedule.release(Instant::now() + pulse.timeout()),
            Some(_) if pulse.outstanding.in_flight() == 0 => pulse.schedule.release(Instant::now()),
            _ => {}
        }
    }

    fn tell_beat(&mut self, index: usize, resolution: Resolution, rivals: u32) {
        let Resolution { seq, outcome, was, rtt, lag, to_wire, acked, later_answered } = resolution;
        let from_wire = rtt.and_then(|_| self.socket.tap_state().last_lay()).map(Nanos::from);
        let is_silence = !later_answered && !self.is_receiving(self.pulses[index].timeout());
        let is_spike = self.pulses[index].record(&Resolution { later_answered: !is_silence, ..resolution });
        let sent_again = if is_spike { self.sent_again() } else { None };
        let kind = self.pulses[index].kind;
        self.tell(ConnEvent::Heartbeat(HeartbeatResult {
            kind,
            seq,
            outcome,
            was,
            rtt,
            lag,
            to_wire,
            from_wire,
            acked,
            later_answered,
            sent_again,
            rivals,
        }));
    }

    /// Whether the peer is sending something that is not complete, of which bytes came within this time: it is alive, and
    /// no pong can come before the rest of a frame (RFC 6455 5.4).
    fn is_receiving(&self, within: Duration) -> bool {
        self.receiving && self.heard.elapsed() < within
    }

    /// The segments that TCP sent again since this was last asked.
    fn sent_again(&mut self) -> Option<u32> {
        let now = self.socket.stream().tcp()?.retransmits;
        let before = std::mem::replace(&mut self.retransmits, now);
        Some(now.saturating_sub(before))
    }

    /// Tells a change of one kind's status, and of the connection's, which is the worst of them.
    /// With one kind the two are the same, and only the connection's is told.
    fn tell_status(&mut self, index: usize) {
        let several = self.pulses.len() > 1;
        if let Some(change) = self.pulses[index].status_change()
            && several
        {
            self.tell(ConnEvent::Status(change));
        }
        let Some(worst) = self.pulses.iter().max_by_key(|pulse| pulse.health.status()) else { return };
        let to = worst.health.status();
        if to == self.status {
            return;
        }
        let (reason, metrics) = (self.reason(worst), worst.health.metrics());
        self.tell_change(to, reason, metrics);
    }

    fn tell_change(&mut self, to: Status, reason: String, metrics: StatusMetrics) {
        let from = std::mem::replace(&mut self.status, to);
        self.tell(ConnEvent::Status(StatusChange { kind: None, from, to, reason, metrics }));
    }

    async fn finish(&mut self, end: EndReason) -> SessionEnd {
        if let Some(blocked) = self.blocked.take_if(|blocked| !blocked.given_up) {
            self.tell_unsent(blocked.pulse, blocked.ask.seq, None);
        }
        let (ended_at, at) = (Instant::now(), SystemTime::now());
        let idle = ended_at - self.last_traffic();
        let tcp = self.socket.stream().tcp();
        let (Disconnect { who, how, os_error }, reply) = match end {
            EndReason::Done => self.say_goodbye().await,
            EndReason::GaveUp => (self.part().await, None),
            EndReason::Lost(cut) => (self.lose(cut).await, None),
        };
        let age = ended_at - self.opened_at;
        // The upgrade's own bytes came just before the age begins.
        let ending = CloseCause { who, how, reply, os_error, tcp, age, idle: idle.min(age), at };
        self.tell_end(&ending);
        SessionEnd {
            ending,
            ended_at,
            next_seq: self.pulses.iter().map(|pulse| pulse.outstanding.next_seq()).collect(),
            has_more: self.pulses.iter().any(|pulse| pulse.schedule.has_more()),
            answered: self.pulses.iter().any(|pulse| pulse.health.window_mean().is_some()),
            status: self.status,
        }
    }

    /// The last moment at which anything passed, in either direction, before what is at hand.
    fn last_traffic(&self) -> Instant {
        self.socket.tap_state().last_write().map_or(self.heard, |written| written.max(self.heard))
    }

    fn tell_end(&mut self, ending: &CloseCause) {
        self.tell_heard(None);
        if !ending.is_loss() {
            self.tell_standing();
        }
        for index in 0..self.pulses.len() {
            let (kind, count) = (self.pulses[index].kind, self.pulses[index].outstanding.in_flight());
            if count > 0 {
                self.tell(ConnEvent::Unjudged { kind, count });
            }
        }
        let overheard = self.overheard(ending);
        if !overheard.is_empty() {
            self.tell(ConnEvent::Overheard(std::sync::Arc::new(overheard)));
        }
        self.tell(ConnEvent::Ended(std::sync::Arc::new(ending.clone())));
    }

    fn overheard(&self, ending: &CloseCause) -> ServerTraffic {
        let by_us = ending.how == CloseKind::Timeout;
        let incomplete = self.socket.incomplete().filter(|part| by_us && part.blocks_pongs());
        let overheard = self.listener.as_deref().map(ServerTrafficRecorder::overheard).unwrap_or_default();
        let overheard = ServerTraffic { incomplete, ..overheard };
        let Some(pulse) = self.pulses.iter().find(|pulse| pulse.kind == HeartbeatKind::Protocol) else {
            return overheard;
        };
        let only_ping = pulse.only_unanswered_ping().filter(|_| ending.who == ClosedBy::Peer);
        let ended_after_ping =
            only_ping.map(|sent| (self.opened_at + ending.age).saturating_duration_since(sent));
        ServerTraffic { substitute: pulse.substitute(), ended_after_ping, ..overheard }
    }

    fn tell_standing(&mut self) {
        let Some(worst) = self.pulses.iter().max_by_key(|pulse| pulse.health.status()) else { return };
        let (status, reason) = (worst.health.status(), self.reason(worst));
        self.tell(ConnEvent::Standing { status, reason });
    }

    /// Why a kind's status is what it is; named when there are several.
    fn reason(&self, pulse: &HeartbeatState) -> String {
        let incomplete = self.socket.incomplete().filter(|_| pulse.health.status() >= Status::Timeout);
        let reason = match &incomplete {
            Some(incomplete) if incomplete.blocks_pongs() => {
                format!("{}; {incomplete}; {}", pulse.health.reason(), IncompleteData::BLOCKS)
            }
            Some(incomplete) => format!("{}; {incomplete}", pulse.reason()),
            None => pulse.reason(),
        };
        match self.pulses.len() {
            1 => reason,
            _ => format!("{}: {reason}", pulse.kind),
        }
    }

    /// The closing handshake, and how the peer took it. Pongs that come meanwhile still count.
    async fn say_goodbye(&mut self) -> (Disconnect, Option<CloseReply>) {
        let ours = Disconnect { who: ClosedBy::Us, how: close_frame(1000, ""), os_error: None };
        if self.socket.send(close_message(1000, "")).is_err() {
            return (ours, Some(CloseReply::NotSent));
        }
        self.closing = true;
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Ok(step) = timeout_at(deadline, self.socket.step()).await {
            if let Err(EndReason::Lost(Disconnect { who, how, os_error })) = self.on_step(step) {
                return (ours, Some(CloseReply::of(who, &how, os_error.as_deref())));
            }
            // A flood is always ready, and the timeout is not looked at while it is.
            if Instant::now() >= deadline {
                break;
            }
            tokio::task::coop::consume_budget().await;
        }
        let reply = if self.socket.is_blocked() {
            CloseReply::NotSent
        } else {
            CloseReply::Nothing { waited: CLOSE_TIMEOUT }
        };
        (ours, Some(reply))
    }

    /// Closes a connection that counts as dead; nobody is expected to answer.
    async fn part(&mut self) -> Disconnect {
        self.send_close(4000, "Heartbeat timeout").await;
        Disconnect { who: ClosedBy::Us, how: CloseKind::Timeout, os_error: None }
    }

    /// The connection ended, and we did not end it. What was in flight is left unjudged: its time was
    /// not over.
    async fn lose(&mut self, cut: Disconnect) -> Disconnect {
        match &cut.how {
            CloseKind::Violation { rule, .. } => self.send_close(code_for(*rule), "").await,
            CloseKind::TooLarge { .. } => self.send_close(1009, "").await,
            CloseKind::CloseFrame { .. } => {
                let _ = tokio::time::timeout(CLOSE_REPLY_TIMEOUT, self.socket.flush()).await;
            }
            _ => {}
        }
        self.tell_dead(&cut);
        cut
    }

    /// What a limit of ours ended is not dead.
    fn tell_dead(&mut self, cut: &Disconnect) {
        if self.status == Status::Dead || cut.who == ClosedBy::Us {
            return;
        }
        let metrics = self.pulses.first().map(|pulse| pulse.health.metrics()).unwrap_or_default();
        let reason = format!(
            "the connection ended: {}",
            CloseCause::describe(cut.who, &cut.how, cut.os_error.as_deref())
        );
        self.tell_change(Status::Dead, reason, metrics);
    }

    async fn send_close(&mut self, code: u16, reason: &'static str) {
        // Where the library has answered a close frame already, it refuses another, and its own still waits.
        let _ = self.socket.send(close_message(code, reason));
        let _ = tokio::time::timeout(CLOSE_REPLY_TIMEOUT, self.socket.flush()).await;
    }
}

fn close_frame(code: u16, reason: &str) -> CloseKind {
    CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }
}

fn close_message(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
}
