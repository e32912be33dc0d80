//! The server's state of one client: received data, pending answers, due times. It does no I/O; the connection driver
//! does.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use tokio::time::Instant;

use super::app_ping;
use super::client_stats::{ClientStats, HeartbeatStats};
use super::config::ServerConfig;
use super::deflate::{self, Deflate};
use super::event::{FaultAction, ServeEventKind};
use super::faults::{CutAction, Faults};
use super::frame::{FrameDecoder, FrameViolation, Opcode, encode, encode_close, message_in};
use super::heartbeat::{ClientHeartbeats, HeartbeatAction};
use super::idle_timer::IdleTimer;
use super::lock::lock;
use super::message::{ClientMessage, MessageAssembler};
use super::periodic::PeriodicFrames;
use super::pong_queue::{PendingPong, PongQueue};
use super::two_ended::ScheduledReplies;
use super::write_buffer::WriteBuffer;
use crate::domain::client_test::connection_record::{ConnectionEnd, ConnectionRecord, FaultKind, FaultOnset};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy, Violation};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format::{self, counted};
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::ping::event::StatusChange;
use crate::domain::ping::health::Status;
use crate::domain::stats::Counts;

/// The code of a reset stream (RFC 8441 section 5, RFC 9113 section 7).
const CANCEL: Http2Code = Http2Code(8);

/// With this many unsent bytes, the server stops reading and sends nothing unsolicited.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;

/// One client of the server.
pub struct ClientState {
    config: Arc<ServerConfig>,
    faults: Arc<Faults>,
    rng: SmallRng,
    opened: Instant,
    http: HttpVersion,
    mode: ClientMode,
    decoder: FrameDecoder,
    assembler: MessageAssembler,
    deflate: Option<Box<Deflate>>,
    answers: PongQueue,
    /// Bytes to be written.
    pub write_buffer: WriteBuffer,
    idle: Option<IdleTimer>,
    /// `None`: there are no heartbeats, or they have stopped.
    heartbeats: Option<Box<ClientHeartbeats>>,
    /// Only in two-ended mode.
    scheduled_replies: Option<Box<ScheduledReplies>>,
    /// A join message came, or none is required.
    joined: bool,
    status: Status,
    /// Pending cuts and their times.
    timeline: Vec<(Instant, CutAction)>,
    repeats: PeriodicFrames,
    /// Send a FIN while the socket stays open.
    half_close: bool,
    ending: Option<(ClosedBy, CloseKind, Option<String>)>,
    /// The connection's number, and when the run started.
    id: u64,
    epoch: Instant,
    /// The first fault that ended the connection or made the server silent.
    fault: Option<FaultOnset>,
    /// When the client began to end a connection whose server was silent, since the start of the run.
    noticed: Option<Duration>,
    close_frame_received: bool,
    /// While the server is silent, the client's frames are looked through for a close frame.
    awaits_close_frame: bool,
    /// The server ends the connection because it stops.
    ends_at_stop: bool,
    figures: Arc<Mutex<ClientStats>>,
    /// Events that were not reported yet.
    pub notes: Vec<ServeEventKind>,
}

/// What the connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientMode {
    Live,
    /// Reads, but answers nothing.
    Mute,
    /// Neither reads nor writes.
    Stalled,
    /// Like `Mute` until the client sends something.
    RstOnUse,
    /// Our close frame was sent; waits for the client's until this time.
    Closing {
        until: Instant,
    },
    /// The client's close frame was answered; ends when the answer is written, or at this time.
    Leaving {
        until: Instant,
    },
    Gone(SocketExit),
}

/// How to close the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketExit {
    /// Regularly: TLS close_notify, then FIN.
    Clean,
    /// A bare FIN, without TLS close_notify.
    Fin,
    Rst,
    /// Writes what fits at once, then drops the socket.
    Terminate,
}

/// Initial parameters of a client.
pub struct ClientInit {
    /// The connection's number.
    pub id: u64,
    /// Seed of its random numbers.
    pub seed: u64,
    /// Origin of the time grid over which all clients' heartbeats are spread.
    pub epoch: Instant,
    pub two_ended: bool,
    pub http: HttpVersion,
    /// The agreed compression, as in the answer.
    pub compression: Option<String>,
    /// Shared with the status pages.
    pub figures: Arc<Mutex<ClientStats>>,
}

impl ClientState {
    /// A client whose upgrade was just answered.
    pub fn new(
        config: Arc<ServerConfig>,
        faults: Arc<Faults>,
        init: ClientInit,
        now: Instant,
    ) -> ClientState {
        let mut rng = SmallRng::seed_from_u64(init.seed);
        let nonce = rng.next_u32();
        let mut client = ClientState {
            decoder: FrameDecoder::new(config.max_message_size, init.compression.is_some()),
            assembler: MessageAssembler::new(config.max_message_size),
            deflate: init.compression.as_deref().map(|agreed| Box::new(Deflate::new(agreed))),
            idle: IdleTimer::new(&faults.idle, &mut rng, now),
            timeline: faults.timeline.iter().map(|&(age, cut)| (now + age, cut)).collect(),
            repeats: PeriodicFrames::new(&faults.repeats, now),
            heartbeats: heartbeats(&config, &init, nonce, now),
            scheduled_replies: init.two_ended.then(Box::default),
            joined: config.require.is_none(),
            status: Status::Unknown,
            config,
            rng,
            opened: now,
            http: init.http,
            mode: ClientMode::Live,
            answers: PongQueue::default(),
            write_buffer: WriteBuffer::default(),
            half_close: false,
            ending: None,
            id: init.id,
            epoch: init.epoch,
            fault: None,
            noticed: None,
            close_frame_received: false,
            awaits_close_frame: false,
            ends_at_stop: false,
            figures: init.figures,
            notes: Vec::new(),
            faults,
        };
        client.begin(now);
        client
    }

    fn begin(&mut self, now: Instant) {
        if let Some(every) = self.faults.trickle {
            self.write_buffer.trickle(every, now);
        }
        if self.heartbeats.is_some() {
            let kinds = &self.config.heartbeats.kinds;
            lock(&self.figures).beats = kinds.iter().map(|kind| HeartbeatStats::new(*kind)).collect();
        }
        self.write_buffer.push(&self.faults.first_bytes);
        if self.faults.deflate_bomb && self.deflate.is_some() {
            self.write_buffer.push(&deflate::bomb());
        }
        if let Some(greeting) = self.config.greet.clone() {
            self.send(&encode(Opcode::Text, greeting.as_bytes()), now);
        }
    }

    /// Processes received bytes.
    pub fn received(&mut self, bytes: &[u8], now: Instant) {
        lock(&self.figures).last_heard = Some(now);
        match self.mode {
            ClientMode::Live | ClientMode::Closing { .. } => self.decode(bytes, now),
            ClientMode::Mute => self.look_for_close_frame(bytes, now),
            ClientMode::Stalled | ClientMode::Leaving { .. } | ClientMode::Gone(_) => {}
            ClientMode::RstOnUse => self.end_now(SocketExit::Rst, ClosedBy::Us, self.rst()),
        }
    }

    fn decode(&mut self, bytes: &[u8], now: Instant) {
        self.record_received(false, now);
        self.decoder.push(bytes);
        while matches!(self.mode, ClientMode::Live | ClientMode::Closing { .. }) {
            let frame = match self.decoder.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(violation) => return self.close_for_violation(violation, now),
            };
            // A fragment is a sign of life, too, long before its message is complete.
            if let Some(heartbeats) = &mut self.heartbeats {
                heartbeats.record_frame(false, now);
            }
            match self.assembler.add_frame(frame, self.deflate.as_deref_mut()) {
                Ok(Some(message)) => self.on_message(message, now),
                Ok(None) => {}
                Err(violation) => return self.close_for_violation(violation, now),
            }
        }
    }

    /// A close frame to a silent server shows that the client has noticed the silence.
    fn look_for_close_frame(&mut self, bytes: &[u8], now: Instant) {
        if !self.awaits_close_frame {
            return;
        }
        self.decoder.push(bytes);
        loop {
            match self.decoder.next() {
                Ok(Some(frame)) if frame.opcode == Opcode::Close => {
                    self.close_frame_received = true;
                    self.awaits_close_frame = false;
                    return self.note_client_leaves(now);
                }
                Ok(Some(_)) => {}
                Ok(None) => return,
                // No further frame can be found.
                Err(_) => {
                    self.awaits_close_frame = false;
                    return;
                }
            }
        }
    }

    /// The client begins to end the connection: if the server is silent, it has noticed that.
    fn note_client_leaves(&mut self, now: Instant) {
        let Some(fault) = self.fault.filter(|fault| fault.kind == FaultKind::Silence) else { return };
        if self.noticed.is_none() && self.ending.is_none() {
            let at = now - self.epoch;
            self.noticed = Some(at);
            self.notes.push(ServeEventKind::SilenceNoticed { after: at.saturating_sub(fault.at) });
        }
    }

    fn on_message(&mut self, message: ClientMessage, now: Instant) {
        self.record_received(message.is_data(), now);
        if self.mode != ClientMode::Live && !matches!(message, ClientMessage::Close(_)) {
            return;
        }
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.record_frame(message.is_data(), now);
        }
        match message {
            ClientMessage::Ping(payload) => {
                lock(&self.figures).pings += 1;
                self.queue_answer(PendingPong::Pong(payload), now);
            }
            ClientMessage::Pong(payload) => self.on_pong(&payload, now),
            ClientMessage::Close(body) => self.on_close(body, now),
            ClientMessage::Text(text) => {
                if self.should_process(&InboundMessage::new(MessageRef::Text(&text)), now) {
                    self.on_text(&text, now);
                }
            }
            ClientMessage::Binary(bytes) => {
                if self.should_process(&InboundMessage::new(MessageRef::Binary(&bytes)), now) {
                    self.on_ordinary_message(Opcode::Binary, &bytes, now);
                }
            }
        }
    }

    fn on_pong(&mut self, payload: &[u8], now: Instant) {
        if let Some(heartbeats) = &mut self.heartbeats {
            heartbeats.on_pong(payload, now, &mut lock(&self.figures).beats);
            self.update_status(now);
        }
    }

    /// Consumes answers to app pings, and enforces that a join message comes first. Returns whether to process the
    /// message.
    fn should_process(&mut self, incoming: &InboundMessage, now: Instant) -> bool {
        if let Some(heartbeats) = &mut self.heartbeats {
            let is_answer = heartbeats.on_message(incoming, now, &mut lock(&self.figures).beats);
            if is_answer {
                self.update_status(now);
                return false;
            }
        }
        let joins = |pattern: &Pattern| pattern.matches(incoming).is_some();
        self.joined = self.joined || self.config.require.as_ref().is_none_or(joins);
        if !self.joined {
            lock(&self.figures).messages += 1;
            self.close(4401, "a join message must come first", now);
        }
        self.joined
    }

    fn on_text(&mut self, text: &str, now: Instant) {
        if self
            .scheduled_replies
            .as_mut()
            .is_some_and(|scheduled_replies| scheduled_replies.add_request(text, now))
        {
            return;
        }
        if let Some(pong) = app_ping::answer(text, unix_ms()) {
            lock(&self.figures).app_pings += 1;
            return self.queue_answer(PendingPong::App(pong), now);
        }
        self.on_ordinary_message(Opcode::Text, text.as_bytes(), now);
    }

    fn on_ordinary_message(&mut self, opcode: Opcode, payload: &[u8], now: Instant) {
        lock(&self.figures).messages += 1;
        if self.config.echo {
            self.send(&encode(opcode, payload), now);
        }
    }

    fn queue_answer(&mut self, answer: PendingPong, now: Instant) {
        let dropped = self.answers.dropped;
        self.answers.queue(answer, &self.faults.answers, &mut self.rng, now);
        lock(&self.figures).pongs_dropped += self.answers.dropped - dropped;
        self.send_due_answers(now);
    }

    /// Sends the answers that are due.
    fn send_due_answers(&mut self, now: Instant) {
        while let Some(frame) = self.answers.take_due(now) {
            self.send(&frame, now);
        }
    }

    fn send(&mut self, frame: &[u8], now: Instant) {
        if self.mode != ClientMode::Live {
            return;
        }
        match &mut self.deflate {
            Some(deflate) => self.write_buffer.push(&deflate.compressed(frame)),
            None => self.write_buffer.push(frame),
        }
        if let Some(idle) = &mut self.idle {
            idle.record_sent(message_in(frame).is_some(), now);
        }
    }

    fn record_received(&mut self, is_data: bool, now: Instant) {
        if let Some(idle) = &mut self.idle {
            idle.record_received(is_data, now);
        }
    }

    /// Does what is due by `now`.
    pub fn wake(&mut self, now: Instant) {
        self.send_due_answers(now);
        self.send_periodic(now);
        self.send_scheduled_replies(now);
        self.send_heartbeats(now);
        while let Some(at) = self.timeline.iter().position(|(due, _)| *due <= now) {
            let (due, cut) = self.timeline.swap_remove(at);
            self.execute_cut(cut, &format!("at age {}", format::duration(due - self.opened)), now);
        }
        if self.mode == ClientMode::Live && self.idle.as_ref().is_some_and(|idle| idle.due() <= now) {
            self.on_idle_timeout(now);
        }
        if matches!(self.mode, ClientMode::Closing { until } | ClientMode::Leaving { until } if until <= now)
        {
            self.mode = ClientMode::Gone(SocketExit::Clean);
        }
    }

    fn send_periodic(&mut self, now: Instant) {
        for frame in self.repeats.take_due(now) {
            if self.write_buffer.backlog() < MAX_BACKLOG_BYTES {
                self.send(&frame, now);
            }
        }
    }

    fn send_scheduled_replies(&mut self, now: Instant) {
        let words = self
            .scheduled_replies
            .as_mut()
            .map(|scheduled_replies| scheduled_replies.take_due(now))
            .unwrap_or_default();
        for word in words {
            self.send(&encode(Opcode::Text, word.as_bytes()), now);
        }
    }

    /// Sends the server's heartbeats, and terminates a client that misses them.
    fn send_heartbeats(&mut self, now: Instant) {
        if self.mode != ClientMode::Live {
            return;
        }
        let Some(heartbeats) = &mut self.heartbeats else { return };
        let steps = heartbeats.wake(now, unix_ms(), &mut lock(&self.figures).beats);
        let silent_for = heartbeats.silent_for(now);
        self.update_status(now);
        for step in steps {
            match step {
                // Without room it will be missed.
                HeartbeatAction::Send(_) if self.write_buffer.backlog() >= MAX_BACKLOG_BYTES => {}
                HeartbeatAction::Send(frame) => self.send(&frame, now),
                HeartbeatAction::GiveUp { missed } => self.terminate_client(missed, silent_for),
            }
        }
    }

    fn terminate_client(&mut self, missed: u32, silent_for: Duration) {
        self.notes.push(ServeEventKind::DeadClientClosed { missed, silent_for });
        lock(&self.figures).terminated = true;
        self.change_status(
            Status::Dead,
            format!("terminated after {}", counted(u64::from(missed), "missed heartbeat")),
        );
        self.write_buffer.push(&encode_close(4000, "Heartbeat timeout"));
        self.end_now(SocketExit::Terminate, ClosedBy::Us, CloseKind::Timeout);
    }

    fn update_status(&mut self, now: Instant) {
        let (status, reason) = {
            let figures = lock(&self.figures);
            (figures.status(), figures.worst().map(HeartbeatStats::reason))
        };
        if status != self.status {
            self.change_status(status, reason.unwrap_or_default());
            self.send_health_status(now);
        }
    }

    fn change_status(&mut self, to: Status, reason: String) {
        let from = std::mem::replace(&mut self.status, to);
        if from != to {
            let metrics = lock(&self.figures).worst().map(HeartbeatStats::metrics).unwrap_or_default();
            self.notes.push(ServeEventKind::Status(StatusChange { kind: None, from, to, reason, metrics }));
        }
    }

    fn send_health_status(&mut self, now: Instant) {
        if !self.config.tell_health {
            return;
        }
        let message = lock(&self.figures).health_message();
        self.send(&encode(Opcode::Text, message.as_bytes()), now);
    }

    fn on_idle_timeout(&mut self, now: Instant) {
        let Some(idle) = self.idle.take() else { return };
        let why = format!("after {} idle", format::duration(idle.after));
        match idle.linger {
            None => self.execute_cut(idle.cut, &why, now),
            Some(linger) => {
                self.execute_cut(CutAction::Silent, &why, now);
                self.timeline.push((now + linger, idle.cut));
            }
        }
    }

    /// Executes a cut.
    fn execute_cut(&mut self, cut: CutAction, why: &str, now: Instant) {
        // A fault must not keep a server from stopping.
        if matches!(self.mode, ClientMode::Gone(_) | ClientMode::Leaving { .. }) || self.ends_at_stop {
            return;
        }
        self.notes.push(ServeEventKind::Fault(FaultAction { cut, reason: why.to_string() }));
        let onset = FaultOnset { at: now - self.epoch, kind: cut.kind() };
        self.fault.get_or_insert(onset);
        match cut {
            CutAction::Close(code) => self.close(code, "", now),
            CutAction::Fin => self.end_now(SocketExit::Fin, ClosedBy::Us, self.fin()),
            CutAction::GoAway => {
                let how = CloseKind::H2Goaway { code: Http2Code(0), debug: UntrustedText::default() };
                self.end_now(SocketExit::Fin, ClosedBy::Us, how);
            }
            CutAction::Rst => self.end_now(SocketExit::Rst, ClosedBy::Us, self.rst()),
            CutAction::HalfClose => {
                self.half_close = true;
                self.go_silent(ClientMode::Mute);
            }
            CutAction::Silent | CutAction::Mute => self.go_silent(ClientMode::Mute),
            CutAction::RstOnUse => self.go_silent(ClientMode::RstOnUse),
            CutAction::Stall => self.go_silent(ClientMode::Stalled),
        }
    }

    /// How a FIN of the server's is recorded.
    fn fin(&self) -> CloseKind {
        match self.http {
            HttpVersion::Http1 => CloseKind::Fin,
            HttpVersion::Http2 => CloseKind::H2EndStream,
        }
    }

    /// How an RST of the server's is recorded.
    fn rst(&self) -> CloseKind {
        match self.http {
            HttpVersion::Http1 => CloseKind::Rst,
            HttpVersion::Http2 => CloseKind::H2RstStream { code: CANCEL },
        }
    }

    fn go_silent(&mut self, mode: ClientMode) {
        self.awaits_close_frame = mode == ClientMode::Mute;
        self.mode = mode;
        self.write_buffer.clear();
        self.answers = PongQueue::default();
        self.repeats = PeriodicFrames::default();
        self.idle = None;
        self.heartbeats = None;
        self.scheduled_replies = None;
    }

    /// Sends a close frame and waits for the client's.
    fn close(&mut self, code: u16, reason: &str, now: Instant) {
        self.write_buffer.push(&encode_close(code, reason));
        self.mode = ClientMode::Closing { until: now + self.config.close_timeout };
        let how = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) };
        self.record_end(ClosedBy::Us, how, None);
    }

    fn on_close(&mut self, body: Option<(u16, String)>, now: Instant) {
        self.close_frame_received = true;
        if self.mode == ClientMode::Live {
            let answer = match &body {
                Some((code, _)) => encode_close(*code, ""),
                None => encode(Opcode::Close, &[]),
            };
            self.write_buffer.push(&answer);
        }
        let (code, reason) = body.map_or((None, String::new()), |(code, reason)| (Some(code), reason));
        self.record_end(
            ClosedBy::Peer,
            CloseKind::CloseFrame { code, reason: UntrustedText::new(&reason) },
            None,
        );
        self.finish_writing(now);
    }

    /// Ends the connection once the write buffer is empty.
    fn finish_writing(&mut self, now: Instant) {
        self.mode = match self.write_buffer.backlog() {
            0 => ClientMode::Gone(SocketExit::Clean),
            _ => ClientMode::Leaving { until: now + self.config.close_timeout },
        };
    }

    fn close_for_violation(&mut self, violation: FrameViolation, now: Instant) {
        // Our own limit is no rule that the client broke.
        let who = match violation {
            FrameViolation::TooLarge { .. } => ClosedBy::Us,
            _ => ClosedBy::Peer,
        };
        self.record_end(who, close_kind_of(violation), None);
        if self.mode == ClientMode::Live {
            self.write_buffer.push(&encode_close(violation.code(), &violation.to_string()));
        }
        self.finish_writing(now);
    }

    /// Closes the client because the server stops; silent modes send no close frame.
    pub fn stop(&mut self, now: Instant) {
        self.ends_at_stop = self.ending.is_none();
        match self.mode {
            ClientMode::Live => self.close(1001, "server stops", now),
            ClientMode::Mute | ClientMode::Stalled | ClientMode::RstOnUse => {
                self.end_now(SocketExit::Fin, ClosedBy::Us, CloseKind::Silent)
            }
            ClientMode::Closing { .. } | ClientMode::Leaving { .. } | ClientMode::Gone(_) => {}
        }
    }

    /// The client's stream ended.
    pub fn on_stream_end(&mut self, how: CloseKind, now: Instant) {
        self.note_client_leaves(now);
        self.end_now(SocketExit::Clean, ClosedBy::Peer, how);
    }

    /// A read or write failed.
    pub fn on_error(&mut self, how: CloseKind, os_error: Option<String>, now: Instant) {
        let who = match how {
            CloseKind::Rst
            | CloseKind::Fin
            | CloseKind::H2RstStream { .. }
            | CloseKind::H2Goaway { .. }
            | CloseKind::Violation { .. } => ClosedBy::Peer,
            _ => ClosedBy::Network,
        };
        if who == ClosedBy::Peer {
            self.note_client_leaves(now);
        }
        self.record_end(who, how, os_error);
        self.mode = ClientMode::Gone(SocketExit::Fin);
    }

    /// The server went away: it sent GOAWAY on the HTTP/2 connection, which ends all its streams.
    pub fn on_goaway(&mut self, now: Instant) {
        self.execute_cut(CutAction::GoAway, "on its HTTP/2 connection", now);
    }

    /// Records that `count` bytes were written.
    pub fn record_written(&mut self, count: usize, now: Instant) {
        self.write_buffer.record_written(count, now);
        if matches!(self.mode, ClientMode::Leaving { .. }) && self.write_buffer.backlog() == 0 {
            self.mode = ClientMode::Gone(SocketExit::Clean);
        }
    }

    fn end_now(&mut self, exit: SocketExit, who: ClosedBy, how: CloseKind) {
        self.record_end(who, how, None);
        self.mode = ClientMode::Gone(exit);
    }

    /// Records how the connection ended; the first cause counts.
    fn record_end(&mut self, who: ClosedBy, how: CloseKind, os_error: Option<String>) {
        self.ending.get_or_insert((who, how, os_error));
    }

    /// Whether to read from the socket.
    pub fn wants_input(&self) -> bool {
        !self.is_stalled() && self.write_buffer.backlog() + self.answers.bytes < MAX_BACKLOG_BYTES
    }

    /// Whether nothing is read: only the client's end matters.
    pub fn is_stalled(&self) -> bool {
        self.mode == ClientMode::Stalled
    }

    /// Whether to send a FIN now; true once.
    pub fn take_half_close(&mut self) -> bool {
        std::mem::take(&mut self.half_close)
    }

    /// How to close the socket, once it is time.
    pub fn exit(&self) -> Option<SocketExit> {
        match self.mode {
            ClientMode::Gone(exit) => Some(exit),
            _ => None,
        }
    }

    /// When to call [`ClientState::wake`] next.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let close = match self.mode {
            ClientMode::Closing { until } | ClientMode::Leaving { until } => Some(until),
            ClientMode::Live
            | ClientMode::Stalled
            | ClientMode::Mute
            | ClientMode::RstOnUse
            | ClientMode::Gone(_) => None,
        };
        let idle = self.idle.as_ref().filter(|_| self.mode == ClientMode::Live).map(IdleTimer::due);
        let timeline = self.timeline.iter().map(|(due, _)| *due);
        let heartbeats = self
            .heartbeats
            .as_ref()
            .filter(|_| self.mode == ClientMode::Live)
            .and_then(|heartbeats| heartbeats.due());
        let promise = self.scheduled_replies.as_ref().and_then(|scheduled_replies| scheduled_replies.due());
        let owed = [self.answers.due(), self.write_buffer.due(now), self.repeats.due()];
        let single = [close, idle, heartbeats, promise].into_iter().chain(owed).flatten();
        single.chain(timeline).min()
    }

    /// How the connection ended, as far as known.
    pub fn ending(&self, now: Instant) -> CloseCause {
        let unknown = || (ClosedBy::Us, CloseKind::Error, None);
        let (who, how, os_error) = self.ending.clone().unwrap_or_else(unknown);
        let last_heard = lock(&self.figures).last_heard.unwrap_or(self.opened);
        let (age, idle) = (now - self.opened, now - last_heard);
        CloseCause { who, how, reply: None, os_error, tcp: None, age, idle, at: SystemTime::now() }
    }

    /// What was seen of the client, now that the connection has ended so.
    pub fn record(&self, ending: &CloseCause) -> ConnectionRecord {
        let mut pings = Counts::default();
        lock(&self.figures).beats.iter().for_each(|beat| pings.add(&beat.counts));
        let opened = self.opened - self.epoch;
        ConnectionRecord {
            id: self.id,
            opened,
            pings,
            fault: self.fault,
            noticed: self.noticed,
            close_frame_received: self.close_frame_received,
            end: Some(ConnectionEnd {
                at: opened + ending.age,
                by: ending.who,
                how: CloseKindName::from(&ending.how),
                at_stop: self.ends_at_stop,
            }),
        }
    }
}

/// The client's heartbeats. There are none in two-ended mode, where the server must be silent.
fn heartbeats(
    config: &ServerConfig,
    init: &ClientInit,
    nonce: u32,
    now: Instant,
) -> Option<Box<ClientHeartbeats>> {
    let rules = &config.heartbeats;
    let beats = !rules.kinds.is_empty() && !init.two_ended;
    beats.then(|| Box::new(ClientHeartbeats::new(Arc::clone(rules), init.id, nonce, init.epoch, now)))
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// The close cause of a protocol violation.
fn close_kind_of(violation: FrameViolation) -> CloseKind {
    let rule = match violation {
        FrameViolation::TooLarge { size, limit } => return CloseKind::TooLarge { size, limit: limit as u64 },
        FrameViolation::NotUtf8 => Violation::InvalidUtf8,
        FrameViolation::NotDeflate => Violation::Compression,
        FrameViolation::BadCode(_) => Violation::InvalidCloseCode,
        _ => Violation::Garbage,
    };
    CloseKind::Violation { rule, detail: UntrustedText::new(&violation.to_string()), close: None }
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
        let init = ClientInit {
            id: 1,
            seed: 1,
            epoch: now,
            two_ended: true,
            http: HttpVersion::Http1,
            compression: None,
            figures: Arc::default(),
        };
        let faults = Arc::new(config.faults.clone());
        ClientState::new(Arc::new(config), faults, init, now)
    }

    /// The bytes written by `now`.
    fn written(client: &mut ClientState, now: Instant) -> Vec<u8> {
        let bytes = client.write_buffer.ready(now).to_vec();
        client.record_written(bytes.len(), now);
        bytes
    }

    #[test]
    fn after_our_close_only_the_clients_close_matters() {
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
    fn unanswered_close_frame_times_out() {
        let now = Instant::now();
        let mut client = client(ServerConfig::default(), now);
        client.stop(now);
        let due = client.due(now).unwrap();
        assert_eq!(due, now + ServerConfig::default().close_timeout);
        client.wake(due);
        assert_eq!(client.exit(), Some(SocketExit::Clean));
    }

    #[test]
    fn app_pong_counts_as_a_message() {
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

    /// A client of a server that is mute after 3 s.
    fn muted(start: Instant) -> ClientState {
        let mut config = ServerConfig::default();
        faults::set(&mut config.faults, "mute", "3s").unwrap();
        let mut client = client(config, start);
        client.wake(start + 3 * SECOND);
        client.notes.clear();
        client
    }

    /// How long the server was silent when the client noticed that, by the notes.
    fn noticed(client: &ClientState) -> Vec<Duration> {
        let after = |note: &ServeEventKind| match note {
            ServeEventKind::SilenceNoticed { after } => Some(*after),
            _ => None,
        };
        client.notes.iter().filter_map(after).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn close_frame_to_a_silent_server_shows_that_the_client_noticed() {
        let start = Instant::now();
        let mut client = muted(start);
        client.received(&masked(0x89, b"ping"), start + 4 * SECOND);
        assert_eq!(noticed(&client), Vec::<Duration>::new());
        let close = masked(0x88, CLOSE);
        client.received(&close[..3], start + 5 * SECOND);
        client.received(&close[3..], start + 8 * SECOND);
        client.on_stream_end(CloseKind::Fin, start + 18 * SECOND);
        assert_eq!(noticed(&client), [5 * SECOND], "once");
        let record = client.record(&client.ending(start + 18 * SECOND));
        assert_eq!((record.noticed, record.silent_since()), (Some(8 * SECOND), Some(3 * SECOND)));
        assert_eq!(record.end.map(|end| (end.at, end.by)), Some((18 * SECOND, ClosedBy::Peer)));
        assert_eq!(record.is_closed_cleanly(), None, "the server would not have answered");
    }

    #[test]
    fn end_of_the_stream_of_a_silent_server_is_noticing_too() {
        let start = Instant::now();
        let mut client = muted(start);
        client.on_error(CloseKind::Rst, None, start + 4 * SECOND);
        assert_eq!(noticed(&client), [SECOND]);
        let mut stopped = muted(start);
        stopped.stop(start + 9 * SECOND);
        let record = stopped.record(&stopped.ending(start + 9 * SECOND));
        assert_eq!((record.noticed, record.end.map(|end| end.at_stop)), (None, Some(true)));
    }

    #[test]
    fn fault_does_not_keep_a_server_from_stopping() {
        let start = Instant::now();
        let mut config = ServerConfig::default();
        faults::set(&mut config.faults, "stall", "1s").unwrap();
        let mut client = client(config, start);
        client.stop(start);
        client.wake(start + SECOND);
        client.wake(start + 2 * SECOND);
        assert_eq!(client.exit(), Some(SocketExit::Clean));
    }

    #[test]
    fn violation_is_the_clients_end_and_a_limit_is_ours() {
        let now = Instant::now();
        let mut violator = client(ServerConfig::default(), now);
        violator.received(&[0x81, 0x01, b'x'], now);
        assert_eq!(violator.ending(now).who, ClosedBy::Peer);
        let mut verbose = client(ServerConfig { max_message_size: 4, ..ServerConfig::default() }, now);
        verbose.received(&masked(0x81, b"too long"), now);
        assert_eq!(verbose.ending(now).who, ClosedBy::Us);
    }

    #[test]
    fn message_that_is_refused_is_counted() {
        let now = Instant::now();
        let config = ServerConfig { require: "join".parse().ok(), ..ServerConfig::default() };
        let mut refused = client(config.clone(), now);
        refused.received(&masked(0x81, b"hello"), now);
        assert_eq!(lock(&refused.figures).messages, 1);
        let mut joined = client(config, now);
        joined.received(&[masked(0x81, b"join"), masked(0x81, b"hello")].concat(), now);
        assert_eq!(lock(&joined.figures).messages, 2);
    }

    #[test]
    fn close_handshake_is_recorded_for_either_side() {
        let now = Instant::now();
        let cleanly = |client: &ClientState| client.record(&client.ending(now)).is_closed_cleanly();
        let mut closing = client(ServerConfig::default(), now);
        closing.received(&masked(0x88, CLOSE), now);
        assert_eq!(cleanly(&closing), Some(true));
        let mut stopped = client(ServerConfig::default(), now);
        stopped.stop(now);
        assert_eq!(cleanly(&stopped), Some(false));
        stopped.received(&masked(0x88, CLOSE), now);
        assert_eq!(cleanly(&stopped), Some(true));
    }

    #[test]
    fn client_sending_a_slow_message_is_alive() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let heartbeats = Arc::new(ServerHeartbeats {
            kinds: vec![HeartbeatKind::Protocol],
            ..ServerHeartbeats::default()
        });
        let init = ClientInit {
            id: 1,
            seed: 1,
            epoch: start,
            two_ended: false,
            http: HttpVersion::Http1,
            compression: None,
            figures: Arc::default(),
        };
        let config = Arc::new(ServerConfig { heartbeats, ..ServerConfig::default() });
        let mut client = ClientState::new(config, Arc::default(), init, start);
        client.received(&masked(0x01, b"begin"), start);
        for n in 1..300 {
            client.received(&masked(0x00, b"and so on"), start + n * second);
            client.wake(start + n * second);
        }
        assert_eq!(client.exit(), None);
    }

    #[test]
    fn backlog_of_a_non_reading_client_is_bounded() {
        let now = Instant::now();
        let mut client = client(ServerConfig::default(), now);
        let ping = masked(0x89, &[0; 125]);
        let mut sent = 0;
        while client.wants_input() {
            client.received(&ping, now);
            sent += ping.len();
        }
        assert!(sent < 2 * MAX_BACKLOG_BYTES && client.write_buffer.backlog() < MAX_BACKLOG_BYTES + 200);
    }

    proptest! {
        #[test]
        fn arbitrary_client_bytes_never_panic(
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
            let init = ClientInit { id: 1, seed: 1, epoch: start, two_ended, http: HttpVersion::Http1, compression: None, figures: Arc::default() };
            let mut client = ClientState::new(config, Arc::default(), init, start);
            let mut now = start;
            for (first, payload, ms) in frames {
                now += Duration::from_millis(ms);
                client.received(&masked(first, &payload), now);
                client.wake(now);
                written(&mut client, now);
                // The next due time must be in the future, or the driver would loop.
                let due = client.due(now).filter(|_| client.exit().is_none());
                prop_assert!(due.is_none_or(|due| due > now), "due {:?} before now", due.map(|due| now - due));
            }
        }
    }
}
