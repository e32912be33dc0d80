//! Drives a search with real connections.

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
use crate::domain::idle::report::{IdleEvent, IdleReporter, ProbeSighting};
use crate::domain::idle::{
    IdleFindings, Observation, PlanError, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, Search, SearchStep,
    VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::net::stall_detector::StallDetector;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// What a hunt brought.
pub struct SearchResult {
    pub findings: IdleFindings,
    /// How a control was last seen to end.
    pub control_cut: Option<VisibleEnd>,
    /// The last failure to open.
    pub error: Option<Arc<ConnectError>>,
    /// For so long at the longest this host stood still.
    pub standstill: Option<Duration>,
}

/// One connection as the hunt knows it.
struct TrackedProbe {
    role: ProbeRole,
    span: watch::Sender<Option<Duration>>,
    cancel: CancellationToken,
}

/// A search under way.
pub struct SearchDriver<'a> {
    search: Search,
    start: Instant,
    /// The same moment by the wall clock.
    started_at: SystemTime,
    shared: Arc<SharedSearch>,
    words: mpsc::UnboundedReceiver<ProbeTaskMessage>,
    known: HashMap<ProbeId, TrackedProbe>,
    tasks: JoinSet<()>,
    reporter: &'a mut dyn IdleReporter,
    bracket: Bracket,
    is_provisional_told: bool,
    progress_at: Instant,
    control_cut: Option<VisibleEnd>,
    error: Option<Arc<ConnectError>>,
    stall_detector: StallDetector,
}

enum DriverWake {
    Interrupted,
    Word(ProbeTaskMessage),
    Time,
}

impl<'a> SearchDriver<'a> {
    pub fn new(
        plan: IdlePlan,
        start: Instant,
        reporter: &'a mut dyn IdleReporter,
    ) -> Result<SearchDriver<'a>, PlanError> {
        let search = Search::new(plan.search.clone())?;
        let (sender, words) = mpsc::unbounded_channel();
        let places = Semaphore::new(plan.search.max_connections);
        Ok(SearchDriver {
            search,
            start,
            started_at: SystemTime::now().checked_sub(start.elapsed()).unwrap_or(SystemTime::UNIX_EPOCH),
            shared: Arc::new(SharedSearch { plan, words: sender, places }),
            words,
            known: HashMap::new(),
            tasks: JoinSet::new(),
            reporter,
            bracket: Bracket::default(),
            is_provisional_told: false,
            progress_at: start + PROGRESS_INTERVAL,
            control_cut: None,
            error: None,
            stall_detector: StallDetector::start(),
        })
    }

    /// Searches until a verdict stands, or the user wants no more.
    pub async fn run(mut self, interrupt: &CancellationToken) -> SearchResult {
        loop {
            match self.search.next(self.start.elapsed()) {
                SearchStep::Act(orders) => {
                    orders.into_iter().for_each(|order| self.carry_out(order));
                    self.hear(interrupt);
                }
                SearchStep::Wait { until } => self.wait(self.start + until, interrupt).await,
                SearchStep::Done => break,
            }
            // What a search does at once must not keep the connections from their turns.
            tokio::task::coop::consume_budget().await;
        }
        let findings = self.search.findings(self.start.elapsed());
        self.dismiss().await;
        let standstill = self.stall_detector.longest();
        SearchResult { findings, control_cut: self.control_cut, error: self.error, standstill }
    }

    /// What was told meanwhile, and whether the user wants no more: a search that only acts hears it, too.
    fn hear(&mut self, interrupt: &CancellationToken) {
        if interrupt.is_cancelled() {
            self.search.interrupt();
        }
        while let Ok(word) = self.words.try_recv() {
            self.take(word);
        }
    }

    async fn wait(&mut self, until: Instant, interrupt: &CancellationToken) {
        let until = until.min(self.progress_at).min(self.stall_detector.due());
        let woken = tokio::select! {
            biased;
            () = interrupt.cancelled() => DriverWake::Interrupted,
            Some(word) = self.words.recv() => DriverWake::Word(word),
            () = sleep_until(until) => DriverWake::Time,
        };
        self.stall_detector.check();
        match woken {
            DriverWake::Interrupted => self.search.interrupt(),
            DriverWake::Time => {}
            DriverWake::Word(word) => {
                self.take(word);
                self.hear(interrupt);
            }
        }
        self.tell_progress();
    }

    fn carry_out(&mut self, order: ProbeOrder) {
        match order {
            ProbeOrder::Open { probe, role, ask_at } => self.open(probe, role, ask_at),
            ProbeOrder::Ask { probe, at } => {
                if let Some(known) = self.known.get(&probe) {
                    known.span.send_replace(Some(at));
                }
            }
            ProbeOrder::Cancel { probe } => self.close(probe),
        }
    }

    fn open(&mut self, probe: ProbeId, role: ProbeRole, ask_at: Option<Duration>) {
        let (span, receiver) = watch::channel(ask_at);
        let cancel = CancellationToken::new();
        let line = ProbeTask {
            probe,
            role,
            span: receiver,
            cancel: cancel.clone(),
            shared: Arc::clone(&self.shared),
        };
        self.known.insert(probe, TrackedProbe { role, span, cancel });
        self.tasks.spawn(line.run());
        while self.tasks.try_join_next().is_some() {}
    }

    fn close(&mut self, probe: ProbeId) {
        if let Some(known) = self.known.remove(&probe) {
            known.cancel.cancel();
        }
    }

    fn take(&mut self, (probe, at, told): ProbeTaskMessage) {
        let observation = observation(probe, at, &told, self.start);
        let Some(known) = self.known.get(&probe) else { return };
        let (role, ask_at) = (known.role, *known.span.borrow());
        self.search.observe(&observation);
        if let (ProbeRole::Control | ProbeRole::SecondControl, ProbeEvent::Ended { cut, .. }) =
            (role, &observation.seen)
        {
            self.control_cut = Some(cut.clone());
        }
        if is_over(&observation.seen) {
            self.known.remove(&probe);
        }
        self.tell(role, ask_at, told, observation);
        self.tell_changes();
    }

    fn tell(
        &mut self,
        role: ProbeRole,
        ask_at: Option<Duration>,
        told: ProbeTaskEvent,
        observation: Observation,
    ) {
        let probe = observation.probe;
        // What is seen may be told later.
        let at = self.started_at + observation.at;
        let event = match told {
            ProbeTaskEvent::Opened(opened) => IdleEvent::ProbeOpened { probe, role, at, opened },
            ProbeTaskEvent::OpenFailed(error) => {
                self.error = Some(Arc::clone(&error));
                IdleEvent::OpenFailed { probe, role, at, error }
            }
            ProbeTaskEvent::Seen(ProbeEvent::Beat | ProbeEvent::Replied) => return,
            ProbeTaskEvent::Seen(_) => IdleEvent::Seen(ProbeSighting { role, ask_at, observation, at }),
        };
        self.reporter.report(&event);
    }

    fn tell_changes(&mut self) {
        let bracket = self.search.bracket();
        if bracket != self.bracket {
            self.bracket = bracket;
            self.reporter.report(&IdleEvent::Bracket { bracket, elapsed: self.start.elapsed() });
        }
        if let Some(provisional) = self.search.provisional().filter(|_| !self.is_provisional_told) {
            self.is_provisional_told = true;
            self.reporter.report(&IdleEvent::Provisional(provisional));
        }
    }

    fn tell_progress(&mut self) {
        let now = Instant::now();
        if now >= self.progress_at {
            self.progress_at = now + PROGRESS_INTERVAL;
            self.reporter.report(&IdleEvent::Progress(self.search.progress(now - self.start)));
        }
    }

    /// Closes every connection, and waits until they have said goodbye.
    async fn dismiss(&mut self) {
        self.known.drain().for_each(|(_, known)| known.cancel.cancel());
        while self.tasks.join_next().await.is_some() {}
    }
}

fn is_over(seen: &ProbeEvent) -> bool {
    match seen {
        ProbeEvent::OpenFailed { .. }
        | ProbeEvent::Survived { .. }
        | ProbeEvent::Died { .. }
        | ProbeEvent::Ended { .. } => true,
        ProbeEvent::Opened
        | ProbeEvent::Beat
        | ProbeEvent::Asked { .. }
        | ProbeEvent::Spoke { .. }
        | ProbeEvent::Replied => false,
    }
}
