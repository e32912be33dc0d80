//! One open connection: sends heartbeats and matches their answers until it ends.
//!
//! It runs over any stream with the runtime's clock, so tests check its timing exactly. A `select!` arm yields a value;
//! plain functions decide what it means.

mod extra_heartbeats;
pub mod heartbeat_state;
pub mod plan;
mod scratch;

#[cfg(test)]
mod extra_tests;
#[cfg(test)]
mod flow_control_tests;
#[cfg(test)]
mod http2_tests;
#[cfg(test)]
mod profile_tests;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use self::heartbeat_state::{HeartbeatState, NextNumbers, OutgoingHeartbeat, ping_payload, seq_of};
use self::plan::SessionPlan;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply, ClosedBy};
use crate::domain::connection::goaway::{Goaway, GoawayNotice};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::classifier::{Classifier, Correlation, MessageMeaning};
use crate::domain::heartbeat::inbound::{MessageRef, shown};
use crate::domain::heartbeat::outstanding::{self, Resolution};
use crate::domain::heartbeat::template::Payload;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::nanos::Nanos;
use crate::domain::ping::event::{ConnEvent, HeartbeatResult, PeerTraffic, ServerPingKind, StatusChange};
use crate::domain::ping::expected_ending::expects_close;
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::held_back::HeldBack;
use crate::domain::ping::server_traffic::{ServerTraffic, ServerTrafficRecorder};
use crate::net::client::ask_now::AskNow;
use crate::net::client::disconnect::{Disconnect, code_for};
use crate::net::client::keepalive_sender::KeepaliveSender;
use crate::net::client::schedule::DueHeartbeat;
use crate::net::client::websocket::{SendOutcome, SocketEvent, WebSocket, to_message};
use crate::net::event_throttle::EventThrottle;
use crate::net::time::unix_ms;
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::tap::{SendTime, TcpIntrospect};

/// Time limit of the closing handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a close frame to a dead peer may take to leave.
const CLOSE_REPLY_TIMEOUT: Duration = Duration::from_millis(100);
/// Heartbeats sent in a row before other work gets a turn.
const MAX_HEARTBEATS_PER_WAKE: usize = 64;
/// How long to keep reading before an overdue heartbeat counts as missed: its pong may be among the unread bytes.
const READ_BEFORE_JUDGING: Duration = Duration::from_millis(100);
/// How often the runtime polls the kernel before a heartbeat counts as missed. Each poll returns up to 1024 sockets.
const MAX_READS_BEFORE_JUDGING: u8 = 8;

/// Where a session starts: its due times, and the state from an earlier connection.
#[derive(Debug, Clone)]
pub struct SessionStart {
    /// Part of every payload, so that other connections' payloads never match.
    pub nonce: u64,
    /// When the first heartbeat of each kind is due, in the order of the plan's kinds.
    pub first_due: Vec<Instant>,
    /// The numbers of the first heartbeats of each kind.
    pub first: Vec<NextNumbers>,
    /// End of the upgrade.
    pub opened_at: Instant,
    /// The status last reported by an earlier connection.
    pub status: Status,
}

/// What the run wants of a session.
#[derive(Debug, Clone, Copy)]
pub struct SessionSignals<'a> {
    /// The run's time is over: send nothing more, but await answers without an id.
    pub over: &'a CancellationToken,
    /// The user wants to stop at once. It also cancels `over`.
    pub at_once: &'a CancellationToken,
    /// Send a heartbeat now; without effect if the plan has no extra heartbeats.
    pub ask_now: Option<&'a AskNow>,
}

/// How a session ended, and the state for the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionEnd {
    pub ending: CloseCause,
    pub ended_at: Instant,
    /// The next numbers of each kind.
    pub next: Vec<NextNumbers>,
    /// Whether any heartbeat is still to be sent.
    pub has_more: bool,
    /// Whether any heartbeat was answered.
    pub answered: bool,
    /// The status as last reported.
    pub status: Status,
}

/// Why a session ended.
enum EndReason {
    /// All heartbeats have an outcome, or the caller stopped the session.
    Done,
    /// Enough heartbeats were missed that the connection counts as dead.
    GaveUp,
    Lost(Box<Disconnect>),
}

impl EndReason {
    fn lost(disconnect: Disconnect) -> EndReason {
        EndReason::Lost(Box::new(disconnect))
    }
}

/// What woke the session.
enum SessionWake {
    Stopped,
    Socket(SocketEvent),
    /// The PING of HTTP/2 was acknowledged then.
    Http2Pong(Instant),
    /// The peer announced then that it ends the connection of HTTP/2. Boxed, since it is rare.
    Goaway(Box<(Goaway, Instant)>),
    /// A heartbeat is wanted at once.
    AskNow,
    Timer,
}

/// What a session can run over.
pub trait SessionStream: AsyncRead + AsyncWrite + TcpIntrospect + Http2Signals + Unpin {}

impl<S: AsyncRead + AsyncWrite + TcpIntrospect + Http2Signals + Unpin> SessionStream for S {}

/// Runs heartbeats on an open connection until all have an outcome, it is stopped, or the connection ends. Passes every
/// event to `emit`, the ending last.
///
/// Not an `async fn`, which would store its arguments beside the session: there may be thousands of sessions.
pub fn run<'a, S: SessionStream, E: FnMut(ConnEvent)>(
    socket: WebSocket<S>,
    plan: &'a SessionPlan,
    start: SessionStart,
    emit: E,
    signals: SessionSignals<'a>,
) -> impl Future<Output = SessionEnd> + use<'a, S, E> {
    Session::new(socket, plan, start, emit, signals).run()
}

/// A heartbeat whose bytes are blocked by back-pressure.
#[derive(Debug, Clone, Copy)]
struct BlockedHeartbeat {
    index: usize,
    ask: OutgoingHeartbeat,
    /// The window whose room it waits for.
    window: Option<ExhaustedWindow>,
    /// It was reported as unsent; if it leaves after all, that outcome is revised.
    given_up: bool,
}

/// What could not leave at once.
#[derive(Debug, Default)]
struct Backpressure {
    /// The heartbeat whose bytes have not all been written.
    heartbeat: Option<BlockedHeartbeat>,
    /// What flow control of HTTP/2 held back.
    held_back: Option<HeldBack>,
}

struct Session<'a, S, E> {
    socket: WebSocket<S>,
    plan: &'a SessionPlan,
    classifier: Classifier,
    nonce: u64,
    opened_at: Instant,
    /// When bytes last came, before the current event.
    last_bytes_at: Instant,
    /// The last bytes complete no message yet.
    receiving: bool,
    heartbeats: Box<[HeartbeatState]>,
    /// The worst status of all kinds, as last reported.
    status: Status,
    /// Created on first use.
    backpressure: Option<Box<Backpressure>>,
    /// TCP's retransmit count at the last query.
    retransmits: u32,
    throttle: EventThrottle<PeerTraffic>,
    /// Sends the protocol's keepalive messages.
    keepalive: Option<Box<KeepaliveSender>>,
    /// How many more messages of the peer to report as they come.
    messages_to_show: u8,
    /// Created on first use.
    traffic_recorder: Option<Box<ServerTrafficRecorder>>,
    /// Since when a heartbeat has been overdue while there was something to read.
    overdue_since: Option<Instant>,
    /// Our close frame was sent; nothing may follow.
    closing: bool,
    last_stamp: u64,
    /// How often the runtime polled the kernel since a heartbeat timed out, if nothing else woke the session.
    reads_before_judging: u8,
    signals: SessionSignals<'a>,
    emit: E,
}

impl<'a, S: SessionStream, E: FnMut(ConnEvent)> Session<'a, S, E> {
    fn new(
        mut socket: WebSocket<S>,
        plan: &'a SessionPlan,
        start: SessionStart,
        emit: E,
        signals: SessionSignals<'a>,
    ) -> Session<'a, S, E> {
        let places = start.first_due.iter().zip(&start.first);
        let heartbeats = plan.kinds.iter().zip(places);
        let pings_http2 =
            plan.kinds.contains(&HeartbeatKind::Http2) && socket.stream_mut().claim_http2_pings();
        Session {
            last_bytes_at: socket.last_read_at(),
            receiving: false,
            retransmits: socket.stream().tcp().map_or(0, |view| view.retransmits),
            socket,
            plan,
            classifier: plan.classifier(start.nonce),
            nonce: start.nonce,
            opened_at: start.opened_at,
            heartbeats: heartbeats
                .filter(|(kind, _)| **kind != HeartbeatKind::Http2 || pings_http2)
                .map(|(kind, (due, first))| HeartbeatState::new(*kind, plan, *due, *first))
                .collect(),
            status: start.status,
            backpressure: None,
            throttle: EventThrottle::default(),
            keepalive: plan
                .profile
                .keepalive
                .as_ref()
                .map(|keepalive| Box::new(KeepaliveSender::new(keepalive, start.nonce))),
            messages_to_show: plan.shown_messages,
            traffic_recorder: None,
            overdue_since: None,
            closing: false,
            last_stamp: 0,
            reads_before_judging: 0,
            signals,
            emit,
        }
    }

    /// Runs the session to its end. Not an `async fn`, which would store the session twice.
    #[expect(clippy::manual_async_fn, reason = "there may be thousands of sessions")]
    fn run(mut self) -> impl Future<Output = SessionEnd> + use<'a, S, E> {
        async move {
            self.reset_status();
            // Both live as long as the session: inserting and removing timers touches their neighbours' memory, twice a
            // heartbeat on each of thousands of connections.
            let mut stopped = pin!(self.signals.over.cancelled());
            let mut timer = pin!(sleep_until(self.next_deadline().unwrap_or_else(Instant::now)));
            let end = loop {
                if let Some(end) = self.end_reason() {
                    break end;
                }
                self.set_timer(timer.as_mut());
                let woken = poll_fn(|cx| self.poll_wake(stopped.as_mut(), timer.as_mut(), cx)).await;
                if matches!(woken, SessionWake::Stopped) && !self.signals.at_once.is_cancelled() {
                    break Box::pin(self.await_answers_in_order()).await;
                }
                if let Err(end) = self.react(woken) {
                    break end;
                }
                tokio::task::coop::consume_budget().await;
            };
            // Boxed, so that rare code does not enlarge every session's future.
            Box::pin(self.finish(end)).await
        }
    }

    /// Sends no more heartbeats and waits for those whose answers carry no id: a lost answer shows only then.
    async fn await_answers_in_order(&mut self) -> EndReason {
        for heartbeat in &mut self.heartbeats {
            heartbeat.schedule.end();
        }
        self.signals.ask_now = None;
        let mut stopped = pin!(self.signals.at_once.cancelled());
        let mut timer = pin!(sleep_until(self.next_deadline().unwrap_or_else(Instant::now)));
        while self.heartbeats.iter().any(HeartbeatState::awaits_in_order) {
            if let Some(end) = self.end_reason() {
                return end;
            }
            self.set_timer(timer.as_mut());
            let woken = poll_fn(|cx| self.poll_wake(stopped.as_mut(), timer.as_mut(), cx)).await;
            if let Err(end) = self.react(woken) {
                return end;
            }
            tokio::task::coop::consume_budget().await;
        }
        self.end_reason().unwrap_or(EndReason::Done)
    }

    /// Why the session is over, if it is.
    fn end_reason(&self) -> Option<EndReason> {
        if !self.heartbeats.is_empty() && self.heartbeats.iter().all(HeartbeatState::is_dead) {
            return Some(EndReason::GaveUp);
        }
        let waits = self.waiting().is_some();
        let idle = !waits && self.heartbeats.iter().all(HeartbeatState::is_done);
        (idle && !self.heartbeats.is_empty()).then_some(EndReason::Done)
    }

    /// A timer that fires too early is harmless; resetting it for every answer would cost time.
    fn set_timer(&self, timer: Pin<&mut Sleep>) {
        let deadline = self.next_deadline().filter(|at| *at < timer.deadline() || timer.is_elapsed());
        if let Some(deadline) = deadline {
            timer.reset(deadline);
        }
    }

    /// Polls for what wakes the session.
    fn poll_wake(
        &mut self,
        stopped: Pin<&mut WaitForCancellationFuture<'_>>,
        timer: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<SessionWake> {
        let woken = if stopped.poll(cx).is_ready() {
            SessionWake::Stopped
        } else if let Poll::Ready(event) = self.socket.poll_step(cx) {
            SessionWake::Socket(event)
        } else if let Poll::Ready(at) = self.socket.stream_mut().poll_http2_pong(cx) {
            SessionWake::Http2Pong(at)
        } else if let Poll::Ready(notice) = self.socket.stream_mut().poll_goaway(cx) {
            SessionWake::Goaway(Box::new(notice))
        } else if self.signals.ask_now.is_some_and(|ask| ask.poll_asked(cx).is_ready()) {
            SessionWake::AskNow
        } else {
            ready!(self.poll_timer(timer, cx))
        };
        self.reads_before_judging = 0;
        Poll::Ready(woken)
    }

    /// Lets the kernel be asked once more before a heartbeat counts as missed. After a stall, timers fire before the runtime
    /// polls the kernel for the pongs that arrived meanwhile.
    fn poll_timer(&mut self, timer: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<SessionWake> {
        ready!(timer.poll(cx));
        if self.next_deadline().is_none() {
            return Poll::Pending;
        }
        if self.reads_before_judging < MAX_READS_BEFORE_JUDGING && self.is_overdue(Instant::now()) {
            self.reads_before_judging += 1;
            // The runtime polls the kernel before it wakes a task that yields; the future needs no further poll.
            let _ = pin!(tokio::task::yield_now()).poll(cx);
            return Poll::Pending;
        }
        Poll::Ready(SessionWake::Timer)
    }

    /// Whether a heartbeat in flight has timed out.
    fn is_overdue(&self, now: Instant) -> bool {
        let expiries = self.heartbeats.iter().filter_map(|heartbeat| heartbeat.outstanding.next_expiry());
        expiries.min().is_some_and(|expiry| self.opened_at + expiry <= now)
    }

    fn next_deadline(&self) -> Option<Instant> {
        let given_up = self.waiting().map(|blocked| self.send_deadline(&blocked));
        let heartbeats =
            self.heartbeats.iter().filter_map(|heartbeat| heartbeat.next_deadline(self.opened_at));
        let keepalive = self.keepalive.as_ref().and_then(|keepalive| keepalive.next_due());
        heartbeats.chain(given_up).chain(self.throttle.next_deadline()).chain(keepalive).min()
    }

    fn react(&mut self, woken: SessionWake) -> Result<(), EndReason> {
        match woken {
            SessionWake::Stopped => Err(EndReason::Done),
            SessionWake::Timer => self.handle_due(true),
            SessionWake::AskNow => {
                let now = Instant::now();
                self.heartbeats.iter_mut().for_each(|heartbeat| heartbeat.ask_now(now));
                self.handle_due(false)
            }
            SessionWake::Socket(event) => {
                self.on_event(event)?;
                self.handle_due(false)
            }
            SessionWake::Http2Pong(at) => {
                self.on_http2_pong(at);
                self.handle_due(false)
            }
            SessionWake::Goaway(notice) => {
                let (goaway, at) = *notice;
                self.report_goaway(goaway, at);
                self.handle_due(false)
            }
        }
    }

    /// Sends heartbeats that are due and expires those that are overdue; `all_read`: nothing is left to read.
    fn handle_due(&mut self, all_read: bool) -> Result<(), EndReason> {
        let now = Instant::now();
        self.give_up_if_overdue(now);
        self.report_pending_traffic(Some(now));
        self.send_keepalive(now)?;
        let may_miss = all_read || self.has_read_long_enough(now);
        for index in 0..self.heartbeats.len() {
            self.send_due_heartbeats(index, now)?;
            if may_miss {
                self.expire_overdue(index, now);
            }
        }
        Ok(())
    }

    /// Marks overdue heartbeats as missed, and asks TCP whether each was acknowledged.
    fn expire_overdue(&mut self, index: usize, now: Instant) {
        let since_opened = now - self.opened_at;
        let outstanding = &mut self.heartbeats[index].outstanding;
        if outstanding.next_expiry().is_none_or(|expiry| since_opened < expiry) {
            return;
        }
        let tcp = self.socket.stream().tcp();
        let has_acked = |sent: &outstanding::SentHeartbeat| {
            tcp?.has_acked(sent.end, since_opened.saturating_sub(sent.at))
        };
        let mut resolutions = scratch::resolutions();
        outstanding.expire(since_opened, has_acked, &mut resolutions);
        self.report_resolutions(index, resolutions, None, 0);
    }

    /// Whether there was still something to read for so long after a timeout that the pong is not awaited any more. A
    /// flood would never end.
    fn has_read_long_enough(&mut self, now: Instant) -> bool {
        if !self.is_overdue(now) {
            self.overdue_since = None;
            return false;
        }
        now - *self.overdue_since.get_or_insert(now) >= READ_BEFORE_JUDGING
    }

    /// Sends what is due, limited so that other work gets a turn.
    fn send_due_heartbeats(&mut self, index: usize, now: Instant) -> Result<(), EndReason> {
        for _ in 0..MAX_HEARTBEATS_PER_WAKE {
            let Some(due) = self.heartbeats[index].schedule.take_due(now) else { break };
            if self.heartbeats[index].kind == HeartbeatKind::Http2 {
                self.send_http2_ping(index, due.at);
                continue;
            }
            let seq = self.heartbeats[index].take_seq(now);
            self.send_heartbeat(index, seq, due)?;
        }
        if let Some((at, seq)) = self.heartbeats[index].take_due_extra(now) {
            self.send_heartbeat(index, seq, DueHeartbeat { at, slept_through: false })?;
        }
        Ok(())
    }

    /// Sends the protocol's keepalive message if due. Blocked bytes keep the connection alive without it.
    fn send_keepalive(&mut self, now: Instant) -> Result<(), EndReason> {
        let due = self.keepalive.as_mut().and_then(|keepalive| keepalive.take_due(now));
        let Some(payload) = due.filter(|_| !self.socket.is_blocked()) else { return Ok(()) };
        self.send(to_message(payload)).map(drop)
    }

    fn send(&mut self, message: Message) -> Result<SendOutcome, EndReason> {
        self.socket.send(message).map_err(EndReason::lost)
    }

    /// The blocked heartbeat that was not given up.
    fn waiting(&self) -> Option<BlockedHeartbeat> {
        self.backpressure.as_ref()?.heartbeat.filter(|blocked| !blocked.given_up)
    }

    fn set_blocked(&mut self, blocked: BlockedHeartbeat) {
        self.backpressure.get_or_insert_default().heartbeat = Some(blocked);
    }

    fn send_deadline(&self, blocked: &BlockedHeartbeat) -> Instant {
        blocked.ask.due + self.heartbeats[blocked.index].timeout()
    }

    fn give_up_if_overdue(&mut self, now: Instant) {
        let Some(blocked) = self.waiting() else { return };
        if self.send_deadline(&blocked) <= now {
            self.set_blocked(BlockedHeartbeat { given_up: true, ..blocked });
            self.report_unsent(blocked.index, blocked.ask.seq, None);
        }
    }

    /// Sends a PING of HTTP/2. None is due while one is in flight. If one was missed and is still not acknowledged, no other can be
    /// sent: it is unsent.
    fn send_http2_ping(&mut self, index: usize, due: Instant) {
        let now = Instant::now();
        let Some(send_time) = self.socket.send_http2_ping() else {
            if self.heartbeats[index].outstanding.in_flight() == 0 {
                let seq = self.heartbeats[index].take_seq(now);
                self.report_unsent(index, seq, None);
            }
            return;
        };
        let seq = self.heartbeats[index].take_seq(now);
        let ask = OutgoingHeartbeat { seq, due, timestamp_ms: 0, lag: now - due };
        self.record_sent(index, ask, send_time, None);
    }

    /// The last PING of HTTP/2 was acknowledged.
    fn on_http2_pong(&mut self, at: Instant) {
        let Some(index) = self.index_of(HeartbeatKind::Http2) else { return };
        if let Some(seq) = self.heartbeats[index].outstanding.latest() {
            self.record_answer_at(index, seq, 0, at);
        }
    }

    fn report_goaway(&mut self, goaway: Goaway, at: Instant) {
        let age = at.saturating_duration_since(self.opened_at);
        self.emit_event(ConnEvent::Goaway(Arc::new(GoawayNotice { goaway, age })));
    }

    /// Reports a GOAWAY that came together with the end.
    fn report_last_goaway(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready((goaway, at)) = self.socket.stream_mut().poll_goaway(&mut context) {
            self.report_goaway(goaway, at);
        }
    }

    /// Sends one heartbeat, or reports it as unsent.
    fn send_heartbeat(&mut self, index: usize, seq: u64, due: DueHeartbeat) -> Result<(), EndReason> {
        let DueHeartbeat { at: due, slept_through } = due;
        if slept_through || self.socket.is_blocked() {
            self.report_unsent(index, seq, slept_through.then(|| Instant::now() - due));
            return Ok(());
        }
        let (message, timestamp_ms) = self.build_request(self.heartbeats[index].kind, seq);
        let ask = OutgoingHeartbeat { seq, due, timestamp_ms, lag: Instant::now() - due };
        match self.send(message)? {
            SendOutcome::Left(at) => self.record_sent(index, ask, at, None),
            SendOutcome::Blocked => {
                let window = self.socket.held_back_by();
                self.set_blocked(BlockedHeartbeat { index, ask, window, given_up: false });
            }
            SendOutcome::Refused => self.report_unsent(index, seq, None),
        }
        Ok(())
    }

    /// The request message, and the time it carries.
    fn build_request(&mut self, kind: HeartbeatKind, seq: u64) -> (Message, u64) {
        if kind == HeartbeatKind::App {
            self.last_stamp = unix_ms().max(self.last_stamp + 1);
            if let Some(payload) = self.classifier.ask(seq, self.last_stamp) {
                return (to_message(payload), self.last_stamp);
            }
        }
        (Message::Ping(scratch::payload(&ping_payload(self.nonce, seq))), 0)
    }

    /// Records that a heartbeat left; `was` is an outcome reported earlier.
    fn record_sent(
        &mut self,
        index: usize,
        ask: OutgoingHeartbeat,
        send_time: SendTime,
        was: Option<HeartbeatOutcome>,
    ) {
        let OutgoingHeartbeat { seq, timestamp_ms, lag, .. } = ask;
        let at = send_time.at - self.opened_at;
        let to_wire = send_time.by_kernel.then(|| (send_time.at - send_time.began).into());
        let end = send_time.end;
        self.heartbeats[index].outstanding.sent(outstanding::SentHeartbeat {
            seq,
            at,
            stamp: timestamp_ms,
            lag,
            to_wire,
            end,
            was,
        });
        self.heartbeats[index].record_sent(send_time.at);
    }

    fn on_event(&mut self, event: SocketEvent) -> Result<(), EndReason> {
        let is_part = matches!(event, SocketEvent::Bytes);
        match event {
            SocketEvent::Flushed(at) => {
                self.on_flushed(at);
                return Ok(());
            }
            SocketEvent::Ended(disconnect) => return Err(EndReason::Lost(disconnect)),
            SocketEvent::Bytes => {}
            SocketEvent::Ping(payload) => self.on_ping(&payload),
            SocketEvent::Pong(payload) => self.on_pong(&payload),
            SocketEvent::Message(message) => self.on_data(message.content())?,
        }
        (self.last_bytes_at, self.receiving) = (self.socket.last_read_at(), is_part);
        Ok(())
    }

    /// The blocked heartbeat, if there is one, has left.
    fn on_flushed(&mut self, at: Instant) {
        let blocked = self.backpressure.as_mut().and_then(|backpressure| backpressure.heartbeat.take());
        let Some(BlockedHeartbeat { index, ask, window, given_up }) = blocked else { return };
        if let Some(window) = window {
            self.note_held_back(HeldBack::delayed(at - (ask.due + ask.lag), window));
        }
        let send_time = SendTime::unstamped(at, self.socket.tap_state());
        self.record_sent(index, ask, send_time, given_up.then_some(HeartbeatOutcome::Unsent));
    }

    fn on_ping(&mut self, payload: &[u8]) {
        let answered = !self.closing && !self.socket.is_blocked();
        match self.index_of(HeartbeatKind::Protocol).filter(|_| seq_of(payload, self.nonce).is_some()) {
            // Our own Ping returned; not a server ping.
            Some(index) => self.heartbeats[index].substitutes().returned_ping(),
            None => {
                let age = self.socket.last_read_at() - self.opened_at;
                self.traffic_recorder().record_heartbeat(HeartbeatKind::Protocol, age);
            }
        }
        self.report_traffic(PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, answered });
    }

    fn on_pong(&mut self, payload: &[u8]) {
        match self.index_of(HeartbeatKind::Protocol) {
            Some(index) => match seq_of(payload, self.nonce) {
                Some(seq) => self.record_answer(index, seq, 0),
                None => self.on_unmatched_pong(index, payload),
            },
            None => self.report_stray(HeartbeatKind::Protocol, StrayPong::Unsolicited),
        }
    }

    fn on_unmatched_pong(&mut self, index: usize, payload: &[u8]) {
        let heartbeat = &mut self.heartbeats[index];
        let stray = heartbeat.outstanding.classify_foreign_pong();
        if stray == StrayPong::Mismatched {
            let last = ping_payload(self.nonce, heartbeat.outstanding.next_seq().saturating_sub(1));
            heartbeat.substitutes().pong(payload, &last);
        }
        self.report_stray(HeartbeatKind::Protocol, stray);
    }

    /// Handles a message that answers nothing. It may stand for a Pong, or be an answer in another format.
    fn on_unmatched_message(&mut self, message: MessageRef<'_>) {
        // With app heartbeats, a message may answer those instead.
        if let [heartbeat] = &mut *self.heartbeats
            && heartbeat.kind == HeartbeatKind::Protocol
            && heartbeat.is_unanswered()
        {
            heartbeat.substitutes().message(message);
        }
        if let Some(index) = self.index_of(HeartbeatKind::App) {
            self.heartbeats[index].count_unmatched();
        }
        if self.traffic_recorder().wants_difference()
            && let Some(difference) = self.classifier.difference(message)
        {
            self.traffic_recorder().record_unmatched(message, difference);
        }
        self.traffic_recorder().record_unknown(message);
        self.report_traffic(PeerTraffic::Message);
    }

    fn on_data(&mut self, message: MessageRef<'_>) -> Result<(), EndReason> {
        self.show_message(message);
        for meaning in self.classifier.read(message, unix_ms()) {
            match meaning {
                MessageMeaning::Answer(Correlation::Foreign) => {
                    self.traffic_recorder().record_foreign(message);
                    self.on_answer(Correlation::Foreign);
                }
                MessageMeaning::Answer(correlation) => self.on_answer(correlation),
                MessageMeaning::Echo => self.report_traffic(PeerTraffic::Echo),
                MessageMeaning::ServerPing { reply } => self.on_server_ping(reply)?,
                MessageMeaning::Ordinary => self.on_unmatched_message(message),
            }
        }
        Ok(())
    }

    /// Reports a message itself, as long as messages are to be shown.
    fn show_message(&mut self, message: MessageRef<'_>) {
        if let Some(rest) = self.messages_to_show.checked_sub(1) {
            self.messages_to_show = rest;
            self.emit_event(ConnEvent::PeerMessage(shown(message)));
        }
    }

    fn on_answer(&mut self, correlation: Correlation) {
        let Some(index) = self.index_of(HeartbeatKind::App) else { return };
        let at = self.socket.last_read_at() - self.opened_at;
        let heartbeat = &mut self.heartbeats[index];
        heartbeat.in_order |= correlation == Correlation::None;
        let outstanding = &mut heartbeat.outstanding;
        let rivals = u32::try_from(outstanding.unanswered()).unwrap_or(u32::MAX);
        let found = match correlation {
            Correlation::Exact { seq } => Some((seq, 0)),
            Correlation::Stamp { now_ms } => outstanding.seq_of_stamp(now_ms).map(|seq| (seq, 0)),
            Correlation::None => outstanding.answer_without_id(at).map(|seq| (seq, rivals)),
            Correlation::Foreign => None,
        };
        match found {
            Some((seq, rivals)) => self.record_answer(index, seq, rivals),
            None => self
                .report_stray(HeartbeatKind::App, self.heartbeats[index].outstanding.classify_foreign_pong()),
        }
    }

    fn record_answer(&mut self, index: usize, seq: u64, rivals: u32) {
        self.record_answer_at(index, seq, rivals, self.socket.last_read_at());
    }

    fn record_answer_at(&mut self, index: usize, seq: u64, rivals: u32, at: Instant) {
        let at = at - self.opened_at;
        let tap_state = self.socket.tap_state();
        if tap_state.stamps_departures() {
            let departed = |end| Some(tap_state.stamped_since(end)?.at - self.opened_at);
            self.heartbeats[index].outstanding.stamp_departures(departed);
        }
        let mut resolutions = scratch::resolutions();
        match self.heartbeats[index].outstanding.pong(seq, at, &mut resolutions) {
            Ok(()) => self.report_resolutions(index, resolutions, Some(seq), rivals),
            Err(stray) => {
                scratch::keep(resolutions);
                self.report_stray(self.heartbeats[index].kind, stray);
            }
        }
    }

    /// Replies to a server ping, unless replies are disabled (`reply` is `None`), the socket is blocked, or we are
    /// closing.
    fn on_server_ping(&mut self, reply: Option<Payload>) -> Result<(), EndReason> {
        let reply = reply.filter(|_| !self.closing && !self.socket.is_blocked());
        let sent = reply.map_or(Ok(SendOutcome::Refused), |reply| self.send(to_message(reply)));
        let answered = matches!(sent, Ok(SendOutcome::Left(_) | SendOutcome::Blocked));
        let age = self.socket.last_read_at() - self.opened_at;
        self.traffic_recorder().record_heartbeat(HeartbeatKind::App, age);
        self.report_traffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered });
        sent.map(drop)
    }

    fn traffic_recorder(&mut self) -> &mut ServerTrafficRecorder {
        let plan = self.plan;
        self.traffic_recorder
            .get_or_insert_with(|| Box::new(ServerTrafficRecorder::new(plan.inspects_server_traffic())))
    }

    fn index_of(&self, kind: HeartbeatKind) -> Option<usize> {
        self.heartbeats.iter().position(|heartbeat| heartbeat.kind == kind)
    }

    fn emit_event(&mut self, event: ConnEvent) {
        (self.emit)(event);
    }

    fn report_stray(&mut self, kind: HeartbeatKind, stray: StrayPong) {
        self.report_traffic(PeerTraffic::Stray(kind, stray));
    }

    fn report_traffic(&mut self, traffic: PeerTraffic) {
        self.heartbeats.iter_mut().for_each(|heartbeat| heartbeat.record_peer_traffic(traffic));
        if let Some(count) = self.throttle.count(traffic, Instant::now()) {
            self.emit_event(ConnEvent::PeerTraffic(traffic, count));
        }
    }

    /// Reports traffic counts that are due; all of them if `now` is `None`.
    fn report_pending_traffic(&mut self, now: Option<Instant>) {
        while let Some((traffic, count)) = self.throttle.take_due(now) {
            self.emit_event(ConnEvent::PeerTraffic(traffic, count));
        }
    }

    /// Resets the status to unknown on a connection that follows another.
    fn reset_status(&mut self) {
        if self.status != Status::Unknown {
            let reason = "no answer yet on the new connection".to_string();
            self.report_status(Status::Unknown, reason, StatusMetrics::default());
        }
    }

    /// `lag`: how late this host woke, if it missed the due time.
    fn report_unsent(&mut self, index: usize, seq: u64, lag: Option<Duration>) {
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
        let mut resolutions = scratch::resolutions();
        resolutions.push(unsent);
        self.report_resolutions(index, resolutions, None, 0);
    }

    /// Reports resolutions and the status changes they cause.
    fn report_resolutions(
        &mut self,
        index: usize,
        mut resolutions: Vec<Resolution>,
        in_order: Option<u64>,
        rivals: u32,
    ) {
        let outcome = resolutions.last().map(|resolution| resolution.outcome);
        for resolution in resolutions.drain(..) {
            let rivals = if in_order == Some(resolution.seq) { rivals } else { 0 };
            self.report_heartbeat(index, resolution, rivals);
            self.report_status_changes(index);
        }
        self.heartbeats[index].follow_status(Instant::now());
        scratch::keep(resolutions);
        self.release(index, outcome);
    }

    /// Lets the next heartbeat follow at once, if there is no interval. One that could not leave waits for the timeout.
    fn release(&mut self, index: usize, outcome: Option<HeartbeatOutcome>) {
        let heartbeat = &mut self.heartbeats[index];
        match outcome {
            Some(HeartbeatOutcome::Unsent) => {
                heartbeat.schedule.release(Instant::now() + heartbeat.timeout())
            }
            Some(_) if heartbeat.outstanding.in_flight() == 0 => heartbeat.schedule.release(Instant::now()),
            _ => {}
        }
    }

    fn report_heartbeat(&mut self, index: usize, resolution: Resolution, rivals: u32) {
        let Resolution { seq, outcome, was, rtt, lag, to_wire, acked, later_answered } = resolution;
        let lay = |kind| match kind {
            HeartbeatKind::Http2 => None,
            HeartbeatKind::Protocol | HeartbeatKind::App => self.socket.tap_state().last_lay(),
        };
        let from_wire = rtt.and_then(|_| lay(self.heartbeats[index].kind)).map(Nanos::from);
        let is_silence = !later_answered && !self.is_receiving(self.heartbeats[index].timeout());
        let is_spike =
            self.heartbeats[index].record(&Resolution { later_answered: !is_silence, ..resolution });
        let retransmits = if is_spike { self.new_retransmits() } else { None };
        let exhausted_window = self.exhausted_window(index, outcome);
        let heartbeat = &self.heartbeats[index];
        let (kind, number) = (heartbeat.kind, heartbeat.number(seq));
        let result = HeartbeatResult {
            kind,
            seq: number.seq,
            outcome,
            was,
            rtt,
            lag,
            to_wire,
            from_wire,
            acked,
            later_answered,
            exhausted_window,
            sent_again: retransmits,
            rivals,
        };
        self.emit_event(if number.is_extra {
            ConnEvent::ExtraHeartbeat(result)
        } else {
            ConnEvent::Heartbeat(result)
        });
    }

    /// The window without room for an unsent heartbeat. PINGs of HTTP/2 need none.
    fn exhausted_window(&mut self, index: usize, outcome: HeartbeatOutcome) -> Option<ExhaustedWindow> {
        let needs_room =
            outcome == HeartbeatOutcome::Unsent && self.heartbeats[index].kind != HeartbeatKind::Http2;
        let window = self.socket.held_back_by().filter(|_| needs_room)?;
        self.note_held_back(HeldBack::unsent(window));
        Some(window)
    }

    fn note_held_back(&mut self, held_back: HeldBack) {
        let all = &mut self.backpressure.get_or_insert_default().held_back;
        *all = Some(all.map_or(held_back, |before| before.and(held_back)));
    }

    /// Whether the peer has sent part of a message within this time: it is alive, and no pong can come inside a frame
    /// (RFC 6455 5.4).
    fn is_receiving(&self, within: Duration) -> bool {
        self.receiving && self.last_bytes_at.elapsed() < within
    }

    /// TCP retransmits since the last query.
    fn new_retransmits(&mut self) -> Option<u32> {
        let now = self.socket.stream().tcp()?.retransmits;
        let before = std::mem::replace(&mut self.retransmits, now);
        Some(now.saturating_sub(before))
    }

    /// Reports the status changes of one kind and of the connection, which has the worst status of all kinds.
    /// With one kind both are the same; only the connection's is reported.
    fn report_status_changes(&mut self, index: usize) {
        let several = self.heartbeats.len() > 1;
        if let Some(change) = self.heartbeats[index].status_change()
            && several
        {
            self.emit_event(ConnEvent::Status(change));
        }
        let Some(worst) = self.heartbeats.iter().max_by_key(|heartbeat| heartbeat.health.status()) else {
            return;
        };
        let to = worst.health.status();
        if to == self.status {
            return;
        }
        let (reason, metrics) = (self.reason(worst), worst.health.metrics());
        self.report_status(to, reason, metrics);
    }

    fn report_status(&mut self, to: Status, reason: String, metrics: StatusMetrics) {
        let from = std::mem::replace(&mut self.status, to);
        self.emit_event(ConnEvent::Status(StatusChange { kind: None, from, to, reason, metrics }));
    }

    async fn finish(&mut self, end: EndReason) -> SessionEnd {
        if let Some(blocked) = self.waiting() {
            self.backpressure.get_or_insert_default().heartbeat = None;
            self.report_unsent(blocked.index, blocked.ask.seq, None);
        }
        self.report_last_goaway();
        let (ended_at, at) = (Instant::now(), SystemTime::now());
        let idle = ended_at - self.last_traffic();
        let tcp = self.socket.stream().tcp();
        let (Disconnect { who, how, os_error }, reply) = match end {
            EndReason::Done => self.close_gracefully().await,
            EndReason::GaveUp => (self.close_dead().await, None),
            EndReason::Lost(disconnect) => (self.handle_loss(*disconnect).await, None),
        };
        let age = ended_at - self.opened_at;
        // The upgrade's bytes came just before `opened_at`.
        let ending = CloseCause { who, how, reply, os_error, tcp, age, idle: idle.min(age), at };
        self.report_end(&ending);
        SessionEnd {
            ending,
            ended_at,
            next: self.heartbeats.iter().map(HeartbeatState::next_numbers).collect(),
            has_more: self.heartbeats.iter().any(|heartbeat| heartbeat.schedule.has_more()),
            answered: self.heartbeats.iter().any(|heartbeat| heartbeat.health.window_mean().is_some()),
            status: self.status,
        }
    }

    /// Time of the last byte in either direction, before the current event.
    fn last_traffic(&self) -> Instant {
        self.socket
            .tap_state()
            .last_write()
            .map_or(self.last_bytes_at, |written| written.max(self.last_bytes_at))
    }

    fn report_end(&mut self, ending: &CloseCause) {
        self.report_pending_traffic(None);
        if !ending.is_loss() {
            self.report_final_status();
        }
        for index in 0..self.heartbeats.len() {
            let (kind, count) = (self.heartbeats[index].kind, self.heartbeats[index].unjudged());
            if count > 0 {
                self.emit_event(ConnEvent::Unjudged { kind, count });
            }
        }
        let server_traffic = self.server_traffic(ending);
        if !server_traffic.is_empty() {
            self.emit_event(ConnEvent::ServerTraffic(Arc::new(server_traffic)));
        }
        self.emit_event(ConnEvent::Ended(Arc::new(ending.clone())));
    }

    fn server_traffic(&self, ending: &CloseCause) -> ServerTraffic {
        let by_us = ending.how == CloseKind::Timeout;
        let incomplete = self.socket.incomplete().filter(|part| by_us && part.blocks_pongs());
        let server_traffic =
            self.traffic_recorder.as_deref().map(ServerTrafficRecorder::server_traffic).unwrap_or_default();
        let held_back = self.backpressure.as_ref().and_then(|backpressure| backpressure.held_back);
        let server_traffic = ServerTraffic { incomplete, held_back, ..server_traffic };
        let Some(heartbeat) =
            self.heartbeats.iter().find(|heartbeat| heartbeat.kind == HeartbeatKind::Protocol)
        else {
            return server_traffic;
        };
        let only_ping = heartbeat.only_unanswered_ping().filter(|_| ending.who == ClosedBy::Peer);
        let ended_after_ping =
            only_ping.map(|sent| (self.opened_at + ending.age).saturating_duration_since(sent));
        ServerTraffic { substitute: heartbeat.substitute(), ended_after_ping, ..server_traffic }
    }

    fn report_final_status(&mut self) {
        let Some(worst) = self.heartbeats.iter().max_by_key(|heartbeat| heartbeat.health.status()) else {
            return;
        };
        let (status, reason) = (worst.health.status(), self.reason(worst));
        self.emit_event(ConnEvent::Standing { status, reason });
    }

    /// Why a kind has its status; names the kind if there are several.
    fn reason(&self, heartbeat: &HeartbeatState) -> String {
        let incomplete = self.socket.incomplete().filter(|_| heartbeat.health.status() >= Status::Timeout);
        let reason = match &incomplete {
            Some(incomplete) if incomplete.blocks_pongs() => {
                format!("{}; {incomplete}; {}", heartbeat.health.reason(), IncompleteData::BLOCKS)
            }
            Some(incomplete) => format!("{}; {incomplete}", heartbeat.reason()),
            None => heartbeat.reason(),
        };
        match self.heartbeats.len() {
            1 => reason,
            _ => format!("{}: {reason}", heartbeat.kind),
        }
    }

    /// Runs the closing handshake and returns the peer's reaction. Pongs that come meanwhile still count.
    async fn close_gracefully(&mut self) -> (Disconnect, Option<CloseReply>) {
        let ours = Disconnect { who: ClosedBy::Us, how: close_frame(1000, ""), os_error: None };
        if !matches!(
            self.socket.send(close_message(1000, "")),
            Ok(SendOutcome::Left(_) | SendOutcome::Blocked)
        ) {
            return (ours, Some(CloseReply::NotSent));
        }
        self.closing = true;
        let deadline = Instant::now() + CLOSE_TIMEOUT;
        while let Ok(event) = timeout_at(deadline, self.socket.step()).await {
            if let Err(EndReason::Lost(end)) = self.on_event(event) {
                return (ours, Some(CloseReply::of(end.who, &end.how, end.os_error.as_deref())));
            }
            // A flood keeps the socket always ready, so the timeout never fires by itself.
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

    /// Closes a connection that counts as dead; no reply is expected.
    async fn close_dead(&mut self) -> Disconnect {
        self.send_close(4000, "Heartbeat timeout").await;
        Disconnect { who: ClosedBy::Us, how: CloseKind::Timeout, os_error: None }
    }

    /// The peer or the network ended the connection. Heartbeats in flight get no outcome: their timeout had not passed.
    async fn handle_loss(&mut self, disconnect: Disconnect) -> Disconnect {
        match &disconnect.how {
            CloseKind::Violation { rule, .. } => self.send_close(code_for(*rule), "").await,
            CloseKind::TooLarge { .. } => self.send_close(1009, "").await,
            CloseKind::CloseFrame { .. } => {
                let _ = tokio::time::timeout(CLOSE_REPLY_TIMEOUT, self.socket.flush()).await;
            }
            _ => {}
        }
        self.report_dead(&disconnect);
        disconnect
    }

    /// Reports the status dead, unless the end was expected, or one of our own limits ended the connection.
    fn report_dead(&mut self, disconnect: &Disconnect) {
        let expected = expects_close(&self.plan.expected_close, disconnect.who, &disconnect.how);
        if expected || self.status == Status::Dead || disconnect.who == ClosedBy::Us {
            return;
        }
        let metrics = self.heartbeats.first().map(|heartbeat| heartbeat.health.metrics()).unwrap_or_default();
        let reason = format!("the connection ended: {disconnect}");
        self.report_status(Status::Dead, reason, metrics);
    }

    async fn send_close(&mut self, code: u16, reason: &'static str) {
        // If the library has already replied to a close frame, it refuses another; its reply may still be queued.
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
