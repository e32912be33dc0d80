//! The task of one client that falls silent by its behaviour.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::plan::ZombiePlan;
use super::stalled_client::{StalledClient, found_over};
use super::unread_backlog::read_backlog;
use crate::commands::connect::{self, Connected};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{ListenState, ServerEvent, ServerEventClass};
use crate::domain::zombie::{Behaviour, ClientEnd, ClientRecord, RelayCounts};
use crate::net::client::observer::{Observer, ObserverEvent, RelayDetector, until_over};
use crate::net::client::websocket::WebSocket;
use crate::net::event_throttle::EventThrottle;
use crate::net::transport::stream::Stream;
use crate::net::transport::tap::TcpIntrospect;
use crate::net::transport::tcp_liveness::{Liveness, check_until};

/// Maximum time to wait for the answer to the last Ping.
const MAX_LAST_PONG_WAIT: Duration = Duration::from_secs(5);

/// An event of a client.
#[derive(Debug)]
pub enum ClientTaskEvent {
    /// It is open and its preamble is over.
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    /// The server sent a heartbeat; a flood is throttled.
    Received(ServerEventNotice),
    /// The client ended.
    Over {
        record: Box<ClientRecord>,
        /// When the server last answered the control.
        answered: Option<Instant>,
        /// Longest time without an answer to the control.
        longest: Duration,
        /// The window that held back the control's question in that time.
        held_back: Option<ExhaustedWindow>,
    },
}

/// The client and its event.
pub type ClientTaskMessage = (Behaviour, ClientTaskEvent);

/// One client of a run.
pub struct ClientTask {
    pub behaviour: Behaviour,
    pub plan: Arc<ZombiePlan>,
    /// The run's start.
    pub start: Instant,
    pub events: mpsc::UnboundedSender<ClientTaskMessage>,
    /// Messages sent by all clients.
    pub relay_detector: RelayDetector,
    pub cancel: CancellationToken,
    /// All other clients have ended: the control does its final check and ends.
    pub final_check: CancellationToken,
}

impl ClientTask {
    /// Opens the connection and runs its behaviour until it ends, the time is over, or it is cancelled.
    pub async fn run(self) {
        let plan = &self.plan;
        let opening = async {
            sleep(self.behaviour.begins_later()).await;
            connect::open(&plan.connect, plan.largest()).await
        };
        let established = match self.cancel.run_until_cancelled(opening).await {
            None => return,
            Some(Err(error)) => return self.report(ClientTaskEvent::OpenFailed(Arc::new(error))),
            Some(Ok(established)) => established,
        };
        self.report(ClientTaskEvent::Opened(Arc::new(established.info.clone())));
        let (began, opened) = (established.ready_at, established.opened);
        let mut log = ServerEventLog::new(&established);
        let sent_before = self.relay_detector.count();
        let (end, unread) = if self.behaviour == Behaviour::Stalled {
            self.run_stalled(established).await
        } else {
            (self.run_reading(established, &mut log).await, 0)
        };
        // Only a client that pings all the time can measure unanswered time.
        let is_control = self.behaviour == Behaviour::Control;
        let (answered, longest) =
            if is_control { (log.answered, log.longest_unanswered()) } else { (None, Duration::ZERO) };
        let held_back = log.longest_held_back.filter(|_| is_control);
        let record = ClientRecord {
            behaviour: self.behaviour,
            began: began.saturating_duration_since(self.start),
            greeting: began - opened,
            listening: log.listening,
            relayed: RelayCounts { sent: self.relay_detector.count() - sent_before, returned: log.repeated },
            unread,
            last_ping_unanswered: log.last_ping_unanswered,
            end,
        };
        self.report(ClientTaskEvent::Over { record: Box::new(record), answered, longest, held_back });
    }

    /// Sends an event. After the run nobody receives it.
    fn report(&self, event: ClientTaskEvent) {
        let _ = self.events.send((self.behaviour, event));
    }

    /// Runs a client that reads all the time.
    async fn run_reading(&self, mut established: Connected, log: &mut ServerEventLog) -> ClientEnd {
        let (began, opened) = (established.ready_at, established.opened);
        let mut observer = self.start_observer(&mut established.socket, opened);
        self.go_silent(&mut observer);
        let observing = async {
            match self.behaviour {
                Behaviour::Control => self.run_control(&mut observer, log).await,
                _ => self.observe_until(&mut observer, log, began + self.plan.info.max).await,
            }
        };
        let ending = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ending = observing => ending,
        };
        let end = match ending {
            Some(ending) => end_of(ending, began - opened),
            None => self.kept_or_lost(&mut observer, began.elapsed()).await,
        };
        if matches!(self.behaviour, Behaviour::Quiet | Behaviour::PingsOnly)
            && matches!(end, ClientEnd::Kept { .. })
        {
            log.last_ping_unanswered =
                log.min_answer_time.is_some() && self.leaves_last_ping_unanswered(&mut observer).await;
        }
        let end = self.unless_held_back(end, &observer, began);
        if !self.behaviour.is_dead() {
            observer.leave(end.ending().map(|ending| &ending.how)).await;
        }
        end
    }

    /// The client's end, unless flow control holds back what a healthy client sends: then the server had no such client.
    fn unless_held_back(&self, end: ClientEnd, observer: &Observer<'_, Stream>, began: Instant) -> ClientEnd {
        match observer.held_back_by().filter(|_| !self.behaviour.is_dead()) {
            Some(window) => {
                ClientEnd::HeldBack { after: end.kept().unwrap_or_else(|| began.elapsed()), window }
            }
            None => end,
        }
    }

    /// Whether a last Ping stays unanswered; false if there is no time to wait.
    async fn leaves_last_ping_unanswered(&self, observer: &mut Observer<'_, Stream>) -> bool {
        if observer.send_regular().is_err() {
            return false;
        }
        let answer = async {
            while !matches!(
                observer.next().await,
                ObserverEvent::Answered { took: Some(_), .. } | ObserverEvent::Ended(_)
            ) {
                tokio::task::coop::consume_budget().await;
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = answer => false,
            () = sleep(self.plan.answer_timeout.min(MAX_LAST_PONG_WAIT)) => true,
        }
    }

    /// Whether the peer's kernel still has the connection. The control needs no check: it was just answered.
    async fn liveness(&self, stream: &Stream) -> Liveness {
        if self.behaviour == Behaviour::Control {
            Liveness::Replied
        } else {
            check_until(stream, &self.cancel).await
        }
    }

    /// The end of a client that lasted `so_far` without an end in sight.
    async fn kept_or_lost(&self, observer: &mut Observer<'_, Stream>, so_far: Duration) -> ClientEnd {
        match self.liveness(observer.stream()).await {
            Liveness::Replied | Liveness::Unknown => ClientEnd::Kept { so_far, proven: true },
            Liveness::Unfinished => ClientEnd::Kept { so_far, proven: false },
            Liveness::Unheard => ClientEnd::Lost { after: so_far },
            Liveness::Over => found_over(read_backlog(observer, &self.cancel).await.ending, so_far),
        }
    }

    /// Starts an observer that sends a first message, so that a server which waits for one gets it from every client.
    fn start_observer<'a>(&self, socket: &'a mut WebSocket<Stream>, opened: Instant) -> Observer<'a, Stream> {
        let config = self.plan.config(self.behaviour);
        let mut observer = Observer::new(socket, config, opened).among(self.relay_detector.clone());
        observer.introduce(self.plan.talks);
        observer
    }

    /// Silences the client, if its behaviour requires it.
    fn go_silent(&self, observer: &mut Observer<'_, Stream>) {
        if self.behaviour == Behaviour::HalfClosed {
            // If this fails, the connection has ended, which will be detected.
            let _ = observer.stream_mut().half_close();
        }
        if self.behaviour.is_dead() {
            observer.mute();
        }
    }

    /// Observes until the connection ends or the time is over (`None`).
    async fn observe_until(
        &self,
        observer: &mut Observer<'_, Stream>,
        log: &mut ServerEventLog,
        until: Instant,
    ) -> Option<CloseCause> {
        loop {
            // The timeout comes first, since a flooding server is always ready.
            let event = tokio::select! {
                biased;
                () = sleep_until(until) => return None,
                event = observer.next() => event,
            };
            if let Some(ending) = self.on_event(observer, log, event) {
                return Some(ending);
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Runs the control while other clients live, and until the server then answers once more (`None`). By RFC 6455 5.5.2
    /// a healthy server must answer Pings.
    async fn run_control(
        &self,
        observer: &mut Observer<'_, Stream>,
        log: &mut ServerEventLog,
    ) -> Option<CloseCause> {
        let (began, ZombiePlan { info, answer_timeout, .. }) = (Instant::now(), &*self.plan);
        // When the final Ping was sent.
        let mut last = None;
        loop {
            let deadline =
                last.unwrap_or_else(|| log.last_sign_of_life.unwrap_or(began) + info.every) + *answer_timeout;
            let event = tokio::select! {
                biased;
                () = sleep_until(deadline) => return Some(control_unanswered(log)),
                () = self.final_check.cancelled(), if last.is_none() => {
                    last = Some(Instant::now());
                    observer.send_regular().err().map(ObserverEvent::Ended)
                }
                event = observer.next() => Some(event),
            };
            let ending = event.and_then(|event| self.on_event(observer, log, event));
            let is_confirmed = last.zip(log.answered).is_some_and(|(asked, answered)| answered > asked);
            if ending.is_some() || is_confirmed {
                return ending;
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Handles an event; returns how the connection ended, if it did.
    fn on_event(
        &self,
        observer: &Observer<'_, Stream>,
        log: &mut ServerEventLog,
        event: ObserverEvent,
    ) -> Option<CloseCause> {
        match event {
            ObserverEvent::Ended(disconnect) => return Some(observer.ending(disconnect)),
            ObserverEvent::Answered { at, took, held_back } => log.record_answer(at, took, held_back),
            ObserverEvent::Bytes { at } => log.record_bytes(at),
            ObserverEvent::KeepaliveSent { .. } => {}
            ObserverEvent::ServerEvent { at, event, answered, repeats } => {
                log.repeated += u64::from(repeats && event.event_kind.asks());
                // A server event is no answer, but proves that a server which has answered is alive.
                log.last_sign_of_life = log.last_sign_of_life.map(|_| at);
                let answered = answered && !self.behaviour.is_dead();
                if let Some(notice) = log.record_event(at, &event, answered) {
                    self.report(ClientTaskEvent::Received(notice));
                }
            }
        }
        None
    }

    /// Reads nothing until the operating system reports the end or the time is over; then reads what is there, since it
    /// shows how the connection ended.
    async fn run_stalled(&self, mut established: Connected) -> (ClientEnd, u64) {
        let (began, opened) = (established.ready_at, established.opened);
        let mut observer = self.start_observer(&mut established.socket, opened);
        self.go_silent(&mut observer);
        let is_end_seen = tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = until_over(|| observer.stream().is_over()) => true,
            () = sleep(self.plan.info.max) => false,
        };
        let after = began.elapsed();
        let liveness = if is_end_seen { Liveness::Unknown } else { self.liveness(observer.stream()).await };
        let backlog = read_backlog(&mut observer, &self.cancel).await;
        let (unread, read_until, secure) =
            (backlog.unread, Instant::now(), self.plan.connect.target.secure());
        let stalled = StalledClient { began, opened, after, is_end_seen, liveness, read_until, secure };
        (stalled.end(backlog), unread)
    }
}

/// Events of one client.
struct ServerEventLog {
    opened: Instant,
    /// When the server was first asked.
    first_request_at: Instant,
    listening: ListenState,
    throttle: EventThrottle<ServerEventClass>,
    /// Last sign of life of a server that has answered.
    last_sign_of_life: Option<Instant>,
    /// Last answer.
    answered: Option<Instant>,
    /// Longest time without an answer, from the first answer to the last.
    longest: Duration,
    /// The window that held back a question in that time.
    longest_held_back: Option<ExhaustedWindow>,
    /// First answer.
    first_answer: Option<Instant>,
    /// Shortest answer time; subtracted, since a slow server is not a stalled one.
    min_answer_time: Option<Duration>,
    /// Heartbeats that equal a recent message of another client.
    repeated: u64,
    /// Whether its last Ping was not answered.
    last_ping_unanswered: bool,
}

impl ServerEventLog {
    fn new(established: &Connected) -> ServerEventLog {
        let listening =
            ListenState::new(established.ready_at - established.opened, established.has_missed_pings);
        ServerEventLog {
            opened: established.opened,
            first_request_at: established.ready_at,
            listening,
            throttle: EventThrottle::default(),
            last_sign_of_life: None,
            answered: None,
            longest: Duration::ZERO,
            longest_held_back: None,
            first_answer: None,
            min_answer_time: None,
            repeated: 0,
            last_ping_unanswered: false,
        }
    }

    fn record_answer(&mut self, at: Instant, took: Option<Duration>, held_back: Option<ExhaustedWindow>) {
        self.first_answer.get_or_insert(at);
        let unanswered = self.unanswered_at(at);
        if unanswered > self.longest {
            (self.longest, self.longest_held_back) = (unanswered, held_back);
        }
        self.min_answer_time = self.min_answer_time.into_iter().chain(took).min();
        (self.last_sign_of_life, self.answered) = (Some(at), Some(at));
    }

    /// Records bytes of an incomplete message: a sign of life of a server that has answered.
    fn record_bytes(&mut self, at: Instant) {
        self.listening.record_bytes(at.saturating_duration_since(self.opened));
        self.last_sign_of_life = self.last_sign_of_life.map(|_| at);
    }

    /// Time since the last answer; zero if there was none.
    fn unanswered_at(&self, at: Instant) -> Duration {
        self.answered.map(|before| at.saturating_duration_since(before)).unwrap_or_default()
    }

    /// Longest time without an answer until now, minus the shortest answer time.
    fn longest_unanswered(&self) -> Duration {
        let now = Instant::now();
        let began = self.first_answer.unwrap_or(now).saturating_duration_since(self.first_request_at);
        let began = began.saturating_sub(self.min_answer_time.unwrap_or_default());
        self.longest.max(self.unanswered_at(now)).max(began)
    }

    /// Records a server event; returns a notice if it is a heartbeat. Other messages are only counted.
    fn record_event(
        &mut self,
        at: Instant,
        event: &ServerEvent,
        answered: bool,
    ) -> Option<ServerEventNotice> {
        let age = at.saturating_duration_since(self.opened);
        let before = self.listening.last(event.kind());
        self.listening.record_event(age, event);
        let count = self.throttle.count(event.kind(), at).filter(|_| event.event_kind.is_heartbeat())?;
        let gap = before.map(|before| age.saturating_sub(before));
        let (event_kind, shape, text) = (event.event_kind, event.shape, event.text.clone());
        Some(ServerEventNotice { at: SystemTime::now(), event_kind, shape, count, age, gap, text, answered })
    }
}

fn end_of(ending: CloseCause, greeting: Duration) -> ClientEnd {
    let after = ending.age.saturating_sub(greeting);
    ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: false }
}

/// The end of a control whose Pings are no longer answered.
fn control_unanswered(log: &ServerEventLog) -> CloseCause {
    CloseCause {
        who: ClosedBy::Network,
        how: CloseKind::Silent,
        reply: None,
        os_error: None,
        tcp: None,
        age: log.opened.elapsed(),
        idle: log.last_sign_of_life.map_or(Duration::ZERO, |alive_at| alive_at.elapsed()),
        at: SystemTime::now(),
    }
}
