//! Drives an idle timeout search with real connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::plan::IdlePlan;
use super::probe_task::{ProbeTask, ProbeTaskEvent, ProbeTaskMessage, SharedSearch, observation};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::idle::report::{IdleEvent, ProbeSighting};
use crate::domain::idle::{
    IdleFindings, Observation, PlanError, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, Search, SearchStep,
    VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::reporter::Reporter;
use crate::net::stall_detector::StallDetector;

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Outcome of a search.
pub struct SearchResult {
    pub findings: IdleFindings,
    /// How a control connection last ended.
    pub control_end: Option<VisibleEnd>,
    /// The last failure to open the connection.
    pub error: Option<Arc<ConnectError>>,
    /// This host's longest stall.
    pub longest_stall: Option<Duration>,
}

/// The driver's view of one connection.
struct TrackedProbe {
    role: ProbeRole,
    span: watch::Sender<Option<Duration>>,
    cancel: CancellationToken,
}

/// A running search.
pub struct SearchDriver<'a> {
    search: Search,
    start: Instant,
    /// The wall-clock time of `start`.
    started_at: SystemTime,
    shared: Arc<SharedSearch>,
    events: mpsc::UnboundedReceiver<ProbeTaskMessage>,
    probes: HashMap<ProbeId, TrackedProbe>,
    tasks: JoinSet<()>,
    reporter: &'a mut dyn Reporter<IdleEvent>,
    bracket: Bracket,
    is_provisional_reported: bool,
    progress_at: Instant,
    control_end: Option<VisibleEnd>,
    error: Option<Arc<ConnectError>>,
    stall_detector: StallDetector,
}

impl<'a> SearchDriver<'a> {
    pub fn new(
        plan: IdlePlan,
        start: Instant,
        reporter: &'a mut dyn Reporter<IdleEvent>,
    ) -> Result<SearchDriver<'a>, PlanError> {
        let search = Search::new(plan.search.clone())?;
        let (sender, events) = mpsc::unbounded_channel();
        let slots = Semaphore::new(plan.search.max_connections);
        Ok(SearchDriver {
            search,
            start,
            started_at: SystemTime::now().checked_sub(start.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH),
            shared: Arc::new(SharedSearch { plan, events: sender, slots }),
            events,
            probes: HashMap::new(),
            tasks: JoinSet::new(),
            reporter,
            bracket: Bracket::default(),
            is_provisional_reported: false,
            progress_at: start + PROGRESS_INTERVAL,
            control_end: None,
            error: None,
            stall_detector: StallDetector::start(),
        })
    }

    /// Runs the search until it has a verdict or the user interrupts.
    pub async fn run(mut self, interrupt: &CancellationToken) -> SearchResult {
        loop {
            match self.search.next(self.start.elapsed()) {
                SearchStep::Act(orders) => {
                    for order in orders {
                        self.execute(order);
                    }
                    self.process_pending(interrupt);
                }
                SearchStep::Wait { until } => self.wait(self.start + until, interrupt).await,
                SearchStep::Done => break,
            }
            // Yield, so that immediate orders do not starve the connections.
            tokio::task::coop::consume_budget().await;
        }
        let findings = self.search.findings(self.start.elapsed());
        tracing::info!(target: "inference", of = "idle search", search = ?self.search, ?findings);
        self.close_all().await;
        let longest_stall = self.stall_detector.longest();
        SearchResult { findings, control_end: self.control_end, error: self.error, longest_stall }
    }

    /// Handles pending events and interrupts, also while the search only issues orders.
    fn process_pending(&mut self, interrupt: &CancellationToken) {
        if interrupt.is_cancelled() {
            self.search.interrupt();
        }
        while let Ok(message) = self.events.try_recv() {
            self.process_event(message);
        }
    }

    async fn wait(&mut self, until: Instant, interrupt: &CancellationToken) {
        let until = until.min(self.progress_at).min(self.stall_detector.due());
        let message = tokio::select! {
            biased;
            () = interrupt.cancelled() => None,
            message = self.events.recv() => message,
            () = sleep_until(until) => None,
        };
        self.stall_detector.check();
        if let Some(message) = message {
            self.process_event(message);
        }
        self.process_pending(interrupt);
        self.report_progress();
    }

    fn execute(&mut self, order: ProbeOrder) {
        tracing::info!(target: "order", at_ms = self.start.elapsed().as_millis() as u64, ?order);
        match order {
            ProbeOrder::Open { probe, role, ask_at } => self.open(probe, role, ask_at),
            ProbeOrder::Ask { probe, at } => {
                if let Some(tracked) = self.probes.get(&probe) {
                    tracked.span.send_replace(Some(at));
                }
            }
            ProbeOrder::Cancel { probe } => self.close(probe),
        }
    }

    fn open(&mut self, probe: ProbeId, role: ProbeRole, ask_at: Option<Duration>) {
        let (span, receiver) = watch::channel(ask_at);
        let cancel = CancellationToken::new();
        let task = ProbeTask {
            probe,
            role,
            span: receiver,
            cancel: cancel.clone(),
            shared: Arc::clone(&self.shared),
        };
        self.probes.insert(probe, TrackedProbe { role, span, cancel });
        self.tasks.spawn(task.run());
        while self.tasks.try_join_next().is_some() {}
    }

    fn close(&mut self, probe: ProbeId) {
        if let Some(tracked) = self.probes.remove(&probe) {
            tracked.cancel.cancel();
        }
    }

    fn process_event(&mut self, (probe, at, event): ProbeTaskMessage) {
        let observation = observation(probe, at, &event, self.start);
        let Some(role) = self.probes.get(&probe).map(|tracked| tracked.role) else { return };
        self.search.observe(&observation);
        if let (ProbeRole::Control | ProbeRole::SecondControl, ProbeEvent::Ended { visible_end, .. }) =
            (role, &observation.seen)
        {
            self.control_end = Some(visible_end.clone());
        }
        if observation.seen.is_over() {
            self.probes.remove(&probe);
        }
        self.report_event(role, event, observation);
        self.report_changes();
    }

    fn report_event(&mut self, role: ProbeRole, event: ProbeTaskEvent, observation: Observation) {
        let probe = observation.probe;
        // Events may be reported later than they happen.
        let at = self.started_at + observation.at;
        let event = match event {
            ProbeTaskEvent::Opened(opened) => IdleEvent::ProbeOpened { probe, role, at, opened },
            ProbeTaskEvent::OpenFailed(error) => {
                self.error = Some(Arc::clone(&error));
                IdleEvent::OpenFailed { probe, role, at, error }
            }
            ProbeTaskEvent::Seen(ProbeEvent::Beat | ProbeEvent::Replied) => return,
            ProbeTaskEvent::Seen(_) => IdleEvent::Seen(ProbeSighting { role, observation, at }),
        };
        self.reporter.report(&event);
    }

    fn report_changes(&mut self) {
        let bracket = self.search.bracket();
        if bracket != self.bracket {
            self.bracket = bracket;
            self.reporter.report(&IdleEvent::Bracket { bracket, elapsed: self.start.elapsed() });
        }
        if let Some(provisional) = self.search.provisional().filter(|_| !self.is_provisional_reported) {
            self.is_provisional_reported = true;
            self.reporter.report(&IdleEvent::Provisional(provisional));
        }
    }

    fn report_progress(&mut self) {
        let now = Instant::now();
        if now >= self.progress_at {
            self.progress_at = now + PROGRESS_INTERVAL;
            self.reporter.report(&IdleEvent::Progress(self.search.progress(now - self.start)));
        }
    }

    /// Closes every connection and waits until all have closed.
    async fn close_all(&mut self) {
        self.probes.drain().for_each(|(_, tracked)| tracked.cancel.cancel());
        while self.tasks.join_next().await.is_some() {}
    }
}
