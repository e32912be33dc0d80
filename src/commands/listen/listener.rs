//! Listens on one connection until it was long enough.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::plan::ListenPlan;
use super::recorder::ListenRecorder;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply};
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::listen::report::{ListenEvent, ListenProgress, ListenReporter};
use crate::domain::listen::{
    EndLiveness, EndedBy, ListenFindings, ObservationConditions, ServerEvent, ServerEventClass, Stimulus,
};
use crate::net::client::disconnect::Disconnect;
use crate::net::client::observer::{Observer, ObserverConfig, ObserverEvent};
use crate::net::client::websocket::WebSocket;
use crate::net::stall_detector::StallDetector;
use crate::net::time::at;
use crate::net::transport::tap::TcpIntrospect;
use crate::net::transport::tcp_liveness::{Liveness, check_until};

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// An end that has come is read by then.
const END_READ_TIMEOUT: Duration = Duration::from_millis(300);

/// A server that gives up who did not answer does so by then, as the patience of the known ones goes.
const UNANSWERED_END_WINDOW: Duration = Duration::from_secs(120);

/// What comes so soon belongs to the opening.
const OPENING_WINDOW: Duration = Duration::from_secs(1);

/// What listening brought.
pub struct ListenerResult {
    pub circumstances: ObservationConditions,
    pub findings: ListenFindings,
    /// The peer, or the path, ended it.
    pub ending: Option<Arc<CloseCause>>,
    /// How the peer took our close; `None` where it ended the connection, or where we answer nothing.
    pub close_reply: Option<CloseReply>,
    /// This host stood still so shortly before the end that a server may have given it up for that.
    pub excused: bool,
}

/// An ear at work.
pub struct Listener<'a, S> {
    observer: Observer<'a, S>,
    notes: ListenRecorder,
    end: Instant,
    count: Option<u64>,
    answer: bool,
    /// `None`: the client says nothing of its own.
    talk: Option<Stimulus>,
    progress_at: Instant,
    stall_detector: StallDetector,
    /// When this host last stood still, it did until then.
    stood_until: Option<Instant>,
    /// When bytes last came that were part of something whole.
    read: Option<Instant>,
    reporter: &'a mut dyn ListenReporter,
}

enum ListenerWake {
    Interrupted,
    Heard(ObserverEvent),
    Talk,
    Progress,
    Vigil,
    End,
}

/// Why it is over.
enum StopReason {
    Time,
    Interrupt,
    Cut(Disconnect),
}

impl<'a, S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin> Listener<'a, S> {
    /// On a connection of which this was heard already.
    pub fn new(
        plan: &ListenPlan,
        socket: &'a mut WebSocket<S>,
        notes: ListenRecorder,
        reporter: &'a mut dyn ListenReporter,
    ) -> Listener<'a, S> {
        let now = Instant::now();
        let config = ObserverConfig { shapes: notes.shapes.clone(), ..plan.config() };
        Listener {
            observer: Observer::new(socket, config, notes.opened),
            notes,
            end: now + plan.listen_for,
            count: plan.count,
            answer: plan.answer,
            talk: plan.talk.as_ref().map(|_| Stimulus::default()),
            progress_at: now + PROGRESS_INTERVAL,
            stall_detector: StallDetector::start(),
            stood_until: None,
            read: None,
            reporter,
        }
    }

    /// Listens until the time is over, enough was heard, the connection ended, or the user wants no more.
    pub async fn listen(mut self, interrupt: &CancellationToken) -> ListenerResult {
        let untold = self.notes.take_untold();
        untold.into_iter().for_each(|said| self.reporter.report(&ListenEvent::Said(said)));
        let mut over = self.is_enough();
        while over.is_none() {
            let woken = self.wait(interrupt).await;
            let stood_still = self.stall_detector.check().is_some();
            if stood_still {
                let now = self.notes.age(Instant::now());
                self.notes.listening.stood_still(now);
                self.stood_until = Some(Instant::now());
            }
            over = match woken {
                ListenerWake::Interrupted => Some(StopReason::Interrupt),
                ListenerWake::End if stood_still => self.read_up(),
                ListenerWake::End => Some(StopReason::Time),
                ListenerWake::Heard(heard) => self.on_heard(heard),
                ListenerWake::Talk => self.speak(),
                ListenerWake::Progress => self.progress(),
                ListenerWake::Vigil => None,
            };
            tokio::task::coop::consume_budget().await;
        }
        self.finish(over.unwrap_or(StopReason::Time), interrupt).await
    }

    /// The time went by while nobody listened: what came meanwhile is still to be read.
    fn read_up(&mut self) -> Option<StopReason> {
        self.end = Instant::now() + END_READ_TIMEOUT;
        None
    }

    /// So many heartbeats were asked for, and so many came.
    fn is_enough(&self) -> Option<StopReason> {
        let enough = self.count.is_some_and(|count| self.notes.listening.heartbeats() >= count);
        enough.then_some(StopReason::Time)
    }

    async fn wait(&mut self, interrupt: &CancellationToken) -> ListenerWake {
        let talk_at = self.talk_due().map(|due| self.notes.opened + due);
        let (end, progress_at, look_at) = (self.end, self.progress_at, self.stall_detector.due());
        let observer = &mut self.observer;
        tokio::select! {
            biased;
            () = interrupt.cancelled() => ListenerWake::Interrupted,
            () = at(Some(end)) => ListenerWake::End,
            heard = observer.next() => ListenerWake::Heard(heard),
            () = at(talk_at) => ListenerWake::Talk,
            () = at(Some(progress_at)) => ListenerWake::Progress,
            () = at(Some(look_at)) => ListenerWake::Vigil,
        }
    }

    /// When to speak before the next heartbeat.
    fn talk_due(&self) -> Option<Duration> {
        self.talk.as_ref()?.due(&self.notes.listening.clock()?)
    }

    fn on_heard(&mut self, heard: ObserverEvent) -> Option<StopReason> {
        if !matches!(heard, ObserverEvent::Bytes { .. }) {
            self.read = self.observer.last_read();
        }
        match heard {
            ObserverEvent::Answered { at, .. } => {
                self.notes.listening.answered(self.notes.age(at));
                None
            }
            ObserverEvent::Bytes { at } => {
                self.notes.listening.bytes_came(self.notes.age(at));
                None
            }
            ObserverEvent::KeepaliveSent { at } => {
                self.spoke(at);
                None
            }
            ObserverEvent::Ended(cut) => Some(StopReason::Cut(cut)),
            ObserverEvent::ServerEvent { at, said, answered, .. } => {
                self.said(at, &said, answered && self.answer);
                self.is_enough()
            }
        }
    }

    fn said(&mut self, at: Instant, said: &ServerEvent, answered: bool) {
        let before = self.notes.listening.last(said.kind());
        let told = self.notes.note(at, said, answered);
        self.talk_hears(said.kind(), before, self.notes.age(at));
        told.into_iter().for_each(|told| self.reporter.report(&ListenEvent::Said(told)));
    }

    fn talk_hears(&mut self, kind: ServerEventClass, before: Option<Duration>, age: Duration) {
        let (Some(talk), Some(before)) = (&mut self.talk, before) else { return };
        if self.notes.listening.clock().is_some_and(|clock| clock.kind == kind) {
            talk.heard(before, age);
        }
    }

    fn speak(&mut self) -> Option<StopReason> {
        let last = self.notes.listening.clock()?.last;
        match self.observer.send_own_message() {
            Err(cut) => Some(StopReason::Cut(cut)),
            Ok(left) => {
                left.into_iter().for_each(|left| self.spoke(left));
                self.talk.iter_mut().for_each(|talk| talk.spoke(last));
                None
            }
        }
    }

    /// The client said something of its own, and not in answer.
    fn spoke(&mut self, left: Instant) {
        let age = self.notes.age(left);
        self.notes.listening.talked(age);
        self.reporter.report(&ListenEvent::Talked { at: SystemTime::now(), age });
    }

    fn progress(&mut self) -> Option<StopReason> {
        self.progress_at = Instant::now() + PROGRESS_INTERVAL;
        self.reporter.report(&ListenEvent::Progress(ListenProgress {
            listened: self.notes.opened.elapsed(),
            until: self.end - self.notes.opened,
            heartbeats: self.notes.listening.heartbeats(),
            interval: self.notes.listening.clock().map(|clock| clock.interval.median),
        }));
        None
    }

    /// Whether the other end knows the connection, too, though no end was heard.
    async fn known(&mut self, over: &StopReason, interrupt: &CancellationToken) -> EndLiveness {
        let proof = match over {
            StopReason::Time | StopReason::Interrupt => check_until(self.observer.stream(), interrupt).await,
            StopReason::Cut(_) => return EndLiveness::ToTheEnd,
        };
        match proof {
            Liveness::Unheard => EndLiveness::Forgotten,
            Liveness::Over if self.is_reset().await => EndLiveness::Forgotten,
            Liveness::Over | Liveness::Heard | Liveness::Untold => EndLiveness::ToTheEnd,
            Liveness::Unfinished => EndLiveness::Unasked,
        }
    }

    /// Whether the end that has come is an RST. A goodbye comes by accident just now, and is none.
    async fn is_reset(&mut self) -> bool {
        while let Ok(heard) = timeout(END_READ_TIMEOUT, self.observer.next()).await {
            if let ObserverEvent::Ended(cut) = heard {
                return matches!(cut.how, CloseKind::Rst);
            }
        }
        false
    }

    /// What had come of something that is not complete. Bytes that came since, and are of no frame, are TLS's: it may
    /// send some with the opening.
    fn incomplete(&self) -> Option<IncompleteData> {
        let since = self.read.max(Some(self.notes.opened + OPENING_WINDOW));
        let last_read = self.observer.last_read().filter(|_| self.observer.last_read() > since);
        let record = || Some(IncompleteData { part: IncompletePart::Record, since: last_read?.elapsed() });
        self.observer.incomplete().or_else(record)
    }

    async fn finish(mut self, over: StopReason, interrupt: &CancellationToken) -> ListenerResult {
        let listened = self.notes.opened.elapsed();
        let ending = match &over {
            StopReason::Cut(cut) => Some(Arc::new(self.observer.ending(cut.clone()))),
            StopReason::Time | StopReason::Interrupt => None,
        };
        // What we refused need not have come in whole.
        let is_refused = ending.as_deref().is_some_and(|ending| {
            matches!(ending.how, CloseKind::Violation { .. } | CloseKind::TooLarge { .. })
        });
        let incomplete = self.incomplete().filter(|_| !is_refused);
        let known = self.known(&over, interrupt).await;
        let circumstances = ObservationConditions {
            listened,
            answered: self.answer,
            ended: ending.as_deref().map(EndedBy::from),
            interrupted: matches!(over, StopReason::Interrupt),
            stood_still: self.stall_detector.longest(),
            known,
            incomplete,
        };
        let findings = self.notes.listening.findings(&circumstances);
        let excused = self.stood_until.is_some_and(|until| until.elapsed() < UNANSWERED_END_WINDOW);
        // Whoever is muted cannot even say goodbye.
        let close_reply = match &ending {
            _ if !self.answer => None,
            None => Some(self.observer.close().await),
            Some(ending) => {
                self.observer.leave(Some(&ending.how)).await;
                None
            }
        };
        ListenerResult { circumstances, findings, ending, close_reply, excused }
    }
}
