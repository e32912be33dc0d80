//! Listens on one connection until the time is over.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::plan::ListenPlan;
use super::recorder::ListenRecorder;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply};
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::listen::report::{ListenEvent, ListenProgress};
use crate::domain::listen::{
    EndLiveness, EndedBy, ListenFindings, ObservationConditions, ServerEvent, ServerEventClass, Stimulus,
};
use crate::domain::run::reporter::Reporter;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::observer::{Observer, ObserverConfig, ObserverEvent};
use crate::net::client::websocket::WebSocket;
use crate::net::stall_detector::StallDetector;
use crate::net::time::at;
use crate::net::transport::tap::TcpIntrospect;
use crate::net::transport::tcp_liveness::{Liveness, check_until};

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How long reading an end that has arrived may take.
const END_READ_TIMEOUT: Duration = Duration::from_millis(300);

/// A server that closes a client because of missing answers does so within this time, judging by known servers.
const UNANSWERED_END_WINDOW: Duration = Duration::from_secs(120);

/// Bytes this soon after the opening belong to it.
const OPENING_WINDOW: Duration = Duration::from_secs(1);

/// What listening found.
pub struct ListenerResult {
    pub conditions: ObservationConditions,
    pub findings: ListenFindings,
    /// How the connection ended, if the peer or the path ended it.
    pub ending: Option<Arc<CloseCause>>,
    /// The peer's reaction to our close; `None` if the peer ended the connection or nothing is answered.
    pub close_reply: Option<CloseReply>,
    /// This host stalled so shortly before the end that the server may have closed because of it.
    pub may_be_our_fault: bool,
}

/// Listens on one connection.
pub struct Listener<'a, S> {
    observer: Observer<'a, S>,
    recorder: ListenRecorder,
    end: Instant,
    count: Option<u64>,
    answer: bool,
    /// `None`: the client sends no messages of its own.
    stimulus: Option<Stimulus>,
    progress_at: Instant,
    stall_detector: StallDetector,
    /// End of this host's last stall.
    stalled_until: Option<Instant>,
    /// When the last bytes of a complete message came.
    read: Option<Instant>,
    reporter: &'a mut dyn Reporter<ListenEvent>,
}

enum ListenerWake {
    Interrupted,
    Event(ObserverEvent),
    Stimulus,
    Progress,
    StallCheck,
    End,
}

/// Why listening stopped.
enum StopReason {
    Time,
    Interrupt,
    Ended(Disconnect),
}

impl<'a, S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin> Listener<'a, S> {
    /// Continues on a connection whose events so far are in `recorder`.
    pub fn new(
        plan: &ListenPlan,
        socket: &'a mut WebSocket<S>,
        recorder: ListenRecorder,
        reporter: &'a mut dyn Reporter<ListenEvent>,
    ) -> Listener<'a, S> {
        let now = Instant::now();
        let config = ObserverConfig { known_pings: recorder.known_pings.clone(), ..plan.config() };
        Listener {
            observer: Observer::new(socket, config, recorder.opened),
            recorder,
            end: now + plan.info.listen_for,
            count: plan.info.count,
            answer: plan.info.answer,
            stimulus: plan.stimulus.as_ref().map(|_| Stimulus::default()),
            progress_at: now + PROGRESS_INTERVAL,
            stall_detector: StallDetector::start(),
            stalled_until: None,
            read: None,
            reporter,
        }
    }

    /// Listens until the time is over, enough heartbeats came, the connection ended, or the user interrupts.
    pub async fn listen(mut self, interrupt: &CancellationToken) -> ListenerResult {
        let pending = self.recorder.take_pending();
        for notice in pending {
            self.reporter.report(&ListenEvent::Received(notice));
        }
        let mut stop_reason = self.is_enough();
        while stop_reason.is_none() {
            let woken = self.wait(interrupt).await;
            let has_stalled = self.stall_detector.check().is_some();
            if has_stalled {
                let now = self.recorder.age(Instant::now());
                self.recorder.listening.stood_still(now);
                self.stalled_until = Some(Instant::now());
            }
            stop_reason = match woken {
                ListenerWake::Interrupted => Some(StopReason::Interrupt),
                ListenerWake::End if has_stalled => {
                    // The time passed during the stall: reads what arrived meanwhile.
                    self.end = Instant::now() + END_READ_TIMEOUT;
                    None
                }
                ListenerWake::End => Some(StopReason::Time),
                ListenerWake::Event(event) => self.on_event(event),
                ListenerWake::Stimulus => self.send_stimulus(),
                ListenerWake::Progress => self.progress(),
                ListenerWake::StallCheck => None,
            };
            tokio::task::coop::consume_budget().await;
        }
        self.finish(stop_reason.unwrap_or(StopReason::Time), interrupt).await
    }

    /// Whether the requested number of heartbeats came.
    fn is_enough(&self) -> Option<StopReason> {
        let enough = self.count.is_some_and(|count| self.recorder.listening.heartbeats() >= count);
        enough.then_some(StopReason::Time)
    }

    async fn wait(&mut self, interrupt: &CancellationToken) -> ListenerWake {
        let stimulus_at = self.stimulus_due().map(|due| self.recorder.opened + due);
        let (end, progress_at, look_at) = (self.end, self.progress_at, self.stall_detector.due());
        let observer = &mut self.observer;
        tokio::select! {
            biased;
            () = interrupt.cancelled() => ListenerWake::Interrupted,
            () = at(Some(end)) => ListenerWake::End,
            event = observer.next() => ListenerWake::Event(event),
            () = at(stimulus_at) => ListenerWake::Stimulus,
            () = at(Some(progress_at)) => ListenerWake::Progress,
            () = at(Some(look_at)) => ListenerWake::StallCheck,
        }
    }

    /// When to send the next message before the server's next heartbeat.
    fn stimulus_due(&self) -> Option<Duration> {
        self.stimulus.as_ref()?.due(&self.recorder.listening.clock()?)
    }

    fn on_event(&mut self, event: ObserverEvent) -> Option<StopReason> {
        if !matches!(event, ObserverEvent::Bytes { .. }) {
            self.read = self.observer.last_read();
        }
        match event {
            ObserverEvent::Answered { at, .. } => self.recorder.listening.answered(self.recorder.age(at)),
            ObserverEvent::Bytes { at } => self.recorder.listening.record_bytes(self.recorder.age(at)),
            ObserverEvent::KeepaliveSent { at } => self.record_sent(at),
            ObserverEvent::Ended(disconnect) => return Some(StopReason::Ended(disconnect)),
            ObserverEvent::ServerEvent { at, event, answered, .. } => {
                self.record_event(at, &event, answered && self.answer);
                return self.is_enough();
            }
        }
        None
    }

    fn record_event(&mut self, at: Instant, event: &ServerEvent, answered: bool) {
        let before = self.recorder.listening.last(event.kind());
        let notice = self.recorder.record(at, event, answered);
        if answered {
            self.recorder.listening.was_answered(event.kind());
        }
        self.update_stimulus(event.kind(), before, self.recorder.age(at));
        if let Some(notice) = notice {
            self.reporter.report(&ListenEvent::Received(notice));
        }
    }

    fn update_stimulus(&mut self, kind: ServerEventClass, before: Option<Duration>, age: Duration) {
        let (Some(stimulus), Some(before)) = (&mut self.stimulus, before) else { return };
        if self.recorder.listening.clock().is_some_and(|clock| clock.kind == kind) {
            stimulus.record_heartbeat(before, age);
        }
    }

    fn send_stimulus(&mut self) -> Option<StopReason> {
        let last = self.recorder.listening.clock()?.last;
        match self.observer.send_own_message() {
            Err(disconnect) => Some(StopReason::Ended(disconnect)),
            Ok(left) => {
                if let Some(left) = left {
                    self.record_sent(left);
                }
                if let Some(stimulus) = &mut self.stimulus {
                    stimulus.record_sent(last);
                }
                None
            }
        }
    }

    /// Records a message of the client's own that is not an answer.
    fn record_sent(&mut self, left: Instant) {
        let age = self.recorder.age(left);
        self.recorder.listening.record_client_message(age);
        self.reporter.report(&ListenEvent::StimulusSent { at: SystemTime::now(), age });
    }

    fn progress(&mut self) -> Option<StopReason> {
        self.progress_at = Instant::now() + PROGRESS_INTERVAL;
        self.reporter.report(&ListenEvent::Progress(ListenProgress {
            listened: self.recorder.opened.elapsed(),
            until: self.end - self.recorder.opened,
            heartbeats: self.recorder.listening.heartbeats(),
            interval: self.recorder.listening.clock().map(|clock| clock.interval.median),
        }));
        None
    }

    /// Whether the peer still has the connection, if no end was seen.
    async fn end_liveness(&mut self, stop_reason: &StopReason, interrupt: &CancellationToken) -> EndLiveness {
        let liveness = match stop_reason {
            StopReason::Time | StopReason::Interrupt => check_until(self.observer.stream(), interrupt).await,
            StopReason::Ended(_) => return EndLiveness::ToTheEnd,
        };
        match liveness {
            Liveness::Unheard => EndLiveness::Forgotten,
            Liveness::Over if self.is_reset().await => EndLiveness::Forgotten,
            Liveness::Over | Liveness::Replied | Liveness::Unknown => EndLiveness::ToTheEnd,
            Liveness::Unfinished => EndLiveness::Unasked,
        }
    }

    /// Whether the end is an RST. A regular close that arrives now is a coincidence.
    async fn is_reset(&mut self) -> bool {
        while let Ok(event) = timeout(END_READ_TIMEOUT, self.observer.next()).await {
            if let ObserverEvent::Ended(disconnect) = event {
                return matches!(disconnect.how, CloseKind::Rst);
            }
        }
        false
    }

    /// The incomplete message, if any. Later bytes outside any frame belong to TLS, which may send some after the
    /// handshake.
    fn incomplete(&self) -> Option<IncompleteData> {
        let since = self.read.max(Some(self.recorder.opened + OPENING_WINDOW));
        let last_read = self.observer.last_read().filter(|_| self.observer.last_read() > since);
        let record = || Some(IncompleteData { part: IncompletePart::Record, since: last_read?.elapsed() });
        self.observer.incomplete().or_else(record)
    }

    async fn finish(mut self, stop_reason: StopReason, interrupt: &CancellationToken) -> ListenerResult {
        let listened = self.recorder.opened.elapsed();
        let ending = match &stop_reason {
            StopReason::Ended(disconnect) => Some(Arc::new(self.observer.ending(disconnect.clone()))),
            StopReason::Time | StopReason::Interrupt => None,
        };
        // A rejected message need not be complete.
        let is_refused = ending.as_deref().is_some_and(|ending| {
            matches!(ending.how, CloseKind::Violation { .. } | CloseKind::TooLarge { .. })
        });
        let incomplete = self.incomplete().filter(|_| !is_refused);
        let known = self.end_liveness(&stop_reason, interrupt).await;
        let held_back = self.observer.held_back_by();
        let conditions = ObservationConditions {
            listened,
            answered: self.answer && held_back.is_none(),
            held_back,
            ended: ending.as_deref().map(EndedBy::from),
            interrupted: matches!(stop_reason, StopReason::Interrupt),
            stood_still: self.stall_detector.longest(),
            known,
            incomplete,
        };
        let listening = &self.recorder.listening;
        let findings = listening.findings(&conditions);
        tracing::info!(target: "inference", of = "server heartbeats", ?listening, ?conditions, ?findings);
        let may_be_our_fault =
            self.stalled_until.is_some_and(|until| until.elapsed() < UNANSWERED_END_WINDOW);
        // A muted client cannot send a close frame.
        let close_reply = match &ending {
            _ if !self.answer => None,
            None => Some(self.observer.close().await),
            Some(ending) => {
                self.observer.leave(Some(&ending.how)).await;
                None
            }
        };
        ListenerResult { conditions, findings, ending, close_reply, may_be_our_fault }
    }
}
