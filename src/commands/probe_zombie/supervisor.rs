//! Runs all clients and collects their events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::IntoEnumIterator;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client_task::{ClientTask, ClientTaskEvent, ClientTaskMessage};
use super::plan::ZombiePlan;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::run::reporter::Reporter;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieProgress};
use crate::domain::zombie::{Behaviour, ClientEnd, ClientRecord, ObservationQuality, outlived};
use crate::net::client::observer::RelayDetector;
use crate::net::stall_detector::StallDetector;
use crate::net::time::at;

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// After the control ended, how long to wait for other clients to end for the same reason. After an interrupt, how long
/// the final check of the control may take.
const CONTROL_GRACE: Duration = Duration::from_millis(500);
/// A relayed message arrives within this fraction of the control's interval.
const RELAY_WINDOW_FRACTION: f64 = 0.5;
/// A relayed message arrives within this time.
const MAX_RELAY_WINDOW: Duration = Duration::from_secs(1);

/// Outcome of the observation.
pub struct SupervisorResult {
    pub clients: Vec<ClientRecord>,
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    /// Not `whole` if the user interrupted.
    pub quality: ObservationQuality,
}

/// A running observation.
pub struct Supervisor<'a> {
    info: Arc<ZombieInfo>,
    start: Instant,
    clients: HashMap<Behaviour, ClientSlot>,
    events: mpsc::UnboundedReceiver<ClientTaskMessage>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
    /// Starts the control's final check, because the other clients have ended.
    final_check: CancellationToken,
    opened: Option<Arc<ConnectInfo>>,
    error: Option<Arc<ConnectError>>,
    progress_at: Instant,
    stall_detector: StallDetector,
    /// When the run ends because the control ended.
    over_at: Option<Instant>,
    /// When the last other client ended by itself.
    seen_until: Instant,
    /// When the server last answered the control.
    answered: Option<Instant>,
    unanswered: Duration,
    /// The window that held back the control's question in that time.
    held_back: Option<ExhaustedWindow>,
    /// When to start the control's final check.
    final_check_at: Option<Instant>,
    interrupted: bool,
    reporter: &'a mut dyn Reporter<ZombieEvent>,
}

/// The supervisor's view of one client.
struct ClientSlot {
    record: ClientRecord,
    /// When it opened.
    since: Option<Instant>,
    is_over: bool,
}

enum SupervisorWake {
    Interrupted,
    Event(ClientTaskMessage),
    Progress,
    StallCheck,
    FinalCheck,
    Over,
}

impl<'a> Supervisor<'a> {
    /// Starts all clients.
    pub fn open(
        plan: ZombiePlan,
        info: Arc<ZombieInfo>,
        reporter: &'a mut dyn Reporter<ZombieEvent>,
    ) -> Supervisor<'a> {
        let (sender, events) = mpsc::unbounded_channel();
        let (plan, mut tasks, start) = (Arc::new(plan), JoinSet::new(), Instant::now());
        let relay_detector =
            RelayDetector::new(plan.info.every.mul_f64(RELAY_WINDOW_FRACTION).min(MAX_RELAY_WINDOW));
        let (cancel, final_check) = (CancellationToken::new(), CancellationToken::new());
        let start_client = |behaviour| {
            let (plan, events, relay_detector) = (Arc::clone(&plan), sender.clone(), relay_detector.clone());
            let (cancel, final_check) = (cancel.clone(), final_check.clone());
            let task = ClientTask { behaviour, plan, start, events, relay_detector, cancel, final_check };
            tasks.spawn(task.run());
            (behaviour, ClientSlot { record: ClientRecord::new(behaviour), since: None, is_over: false })
        };
        let clients = Behaviour::iter().map(start_client).collect();
        Supervisor {
            info,
            start,
            clients,
            events,
            tasks,
            cancel,
            final_check,
            opened: None,
            error: None,
            progress_at: start + PROGRESS_INTERVAL,
            stall_detector: StallDetector::start(),
            over_at: None,
            seen_until: start,
            answered: None,
            unanswered: Duration::ZERO,
            held_back: None,
            final_check_at: None,
            interrupted: false,
            reporter,
        }
    }

    /// Observes until all clients but the control have ended, the control has, or the user interrupts.
    pub async fn watch(mut self, interrupt: &CancellationToken) -> SupervisorResult {
        loop {
            let (progress_at, over_at, look_at) = (self.progress_at, self.over_at, self.stall_detector.due());
            let final_check_at = self.final_check_at.filter(|_| !self.final_check.is_cancelled());
            let woken = tokio::select! {
                biased;
                () = interrupt.cancelled(), if !self.interrupted => SupervisorWake::Interrupted,
                () = at(over_at) => SupervisorWake::Over,
                Some(message) = self.events.recv() => SupervisorWake::Event(message),
                () = at(Some(progress_at)) => SupervisorWake::Progress,
                () = at(Some(look_at)) => SupervisorWake::StallCheck,
                () = at(final_check_at) => SupervisorWake::FinalCheck,
            };
            self.stall_detector.check();
            match woken {
                SupervisorWake::Interrupted => self.interrupted = true,
                SupervisorWake::Over => break,
                SupervisorWake::Event((behaviour, event)) => {
                    self.on_event(behaviour, event);
                    self.record_end(behaviour);
                }
                SupervisorWake::Progress => self.progress(),
                SupervisorWake::StallCheck => {}
                SupervisorWake::FinalCheck => self.final_check.cancel(),
            }
            self.update_end();
            tokio::task::coop::consume_budget().await;
        }
        self.end_all().await;
        let quality = ObservationQuality {
            every: self.info.every,
            whole: !self.interrupted,
            control_confirmed: self.answered.is_some_and(|answered| answered > self.seen_until),
            stood_still: self.stall_detector.longest(),
            unanswered: self.unanswered,
            held_back: self.held_back,
        };
        let records = Behaviour::iter().filter_map(|behaviour| Some(self.clients.remove(&behaviour)?.record));
        SupervisorResult { clients: records.collect(), opened: self.opened, error: self.error, quality }
    }

    /// Whether all clients but the control have ended.
    fn is_done(&self) -> bool {
        self.clients.iter().all(|(behaviour, client)| *behaviour == Behaviour::Control || client.is_over)
    }

    /// Ends all clients and processes their last events.
    async fn end_all(&mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        while let Ok((behaviour, event)) = self.events.try_recv() {
            self.on_event(behaviour, event);
        }
    }

    fn on_event(&mut self, behaviour: Behaviour, event: ClientTaskEvent) {
        let at = SystemTime::now();
        let Some(client) = self.clients.get_mut(&behaviour) else { return };
        match event {
            ClientTaskEvent::Opened(opened) => {
                client.since = Some(Instant::now());
                client.record.end = ClientEnd::Kept { so_far: Duration::ZERO, proven: false };
                self.opened.get_or_insert_with(|| Arc::clone(&opened));
                self.reporter.report(&ZombieEvent::Opened { behaviour, at, opened });
            }
            ClientTaskEvent::OpenFailed(error) => {
                client.is_over = true;
                client.record.end = ClientEnd::Unopened { why: format!("{}: {}", error.phase, error.cause) };
                self.error = Some(Arc::clone(&error));
                self.reporter.report(&ZombieEvent::OpenFailed { behaviour, at, error });
            }
            ClientTaskEvent::Received(notice) => {
                self.reporter.report(&ZombieEvent::Received { behaviour, notice })
            }
            ClientTaskEvent::Over { record, answered, longest, held_back } => {
                self.answered = self.answered.max(answered);
                self.unanswered = self.unanswered.max(longest);
                self.held_back = self.held_back.or(held_back);
                client.is_over = true;
                client.record = *record;
                let (end, unanswered) = (client.record.end.clone(), client.record.unanswered());
                self.reporter.report(&ZombieEvent::Over { behaviour, at, end, unanswered });
            }
        }
    }

    fn record_end(&mut self, behaviour: Behaviour) {
        if behaviour != Behaviour::Control && self.is_over(behaviour) {
            self.seen_until = Instant::now();
        }
    }

    fn is_over(&self, behaviour: Behaviour) -> bool {
        self.clients.get(&behaviour).is_some_and(|client| client.is_over)
    }

    /// Updates when the run ends.
    fn update_end(&mut self) {
        let now = Instant::now();
        let control_is_open =
            self.clients.get(&Behaviour::Control).is_some_and(|control| control.since.is_some());
        match (self.is_over(Behaviour::Control), self.is_done() || self.interrupted) {
            (true, true) => self.over_at = Some(now),
            (true, false) => self.over_at = self.over_at.or(Some(now + CONTROL_GRACE)),
            (false, true) => {
                self.final_check_at = self.final_check_at.or(Some(self.outlived_at().unwrap_or(now)))
            }
            (false, false) => {}
        }
        if self.interrupted {
            self.final_check.cancel();
            let grace = if control_is_open { CONTROL_GRACE } else { Duration::ZERO };
            self.over_at = self.over_at.or(Some(now + grace));
        }
    }

    /// When the control will have visibly outlived all closed clients: if the server limits the age of connections, it
    /// closes the control by then.
    fn outlived_at(&self) -> Option<Instant> {
        let opened = self.clients.get(&Behaviour::Control)?.since?;
        let longest = self.clients.values().filter_map(|client| client.record.ended()).max()?;
        Some(opened + outlived(longest))
    }

    fn progress(&mut self) {
        self.progress_at = Instant::now() + PROGRESS_INTERVAL;
        let others = || {
            let others = Behaviour::iter().filter(|behaviour| *behaviour != Behaviour::Control);
            others.filter_map(|behaviour| Some((behaviour, self.clients.get(&behaviour)?)))
        };
        let alive = others().filter(|(_, client)| client.since.is_some() && !client.is_over);
        let alive = alive.map(|(behaviour, _)| behaviour).collect();
        let ended = others().filter(|(_, client)| client.record.ended().is_some());
        let ended = ended.map(|(behaviour, client)| (behaviour, client.record.end.clone())).collect();
        let until = self.until() - self.start;
        self.reporter.report(&ZombieEvent::Progress(ZombieProgress { until, alive, ended }));
    }

    /// The latest end of the run: the control may have to outlive a client that is closed at the last moment.
    fn until(&self) -> Instant {
        let last = self.clients.values().filter_map(|client| client.since).max();
        self.final_check_at.unwrap_or(last.unwrap_or(self.start) + outlived(self.info.max))
    }
}
