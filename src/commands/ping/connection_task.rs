//! The task of one connection to one target during a run: opens it, measures it, and reconnects if the user wants that.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::{SemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batching_policy::BatchingPolicy;
use super::plan::PingPlan;
use crate::commands::run_control::OpeningLimit;
use crate::domain::connection::backoff::ReconnectAttempts;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::ping::event::{ConnEvent, ConnId};
use crate::domain::ping::health::Status;
use crate::net::client::ask_now::AskNow;
use crate::net::client::preamble::{add_context, run_preamble};
use crate::net::client::schedule::{first_on_grid, offset_in_interval};
use crate::net::client::session::heartbeat_state::NextNumbers;
use crate::net::client::session::{self, SessionSignals, SessionStart};
use crate::net::client::websocket::{READ_BUFFER, SMALL_READ_BUFFER, WebSocket};
use crate::net::connect::dial;
use crate::net::fresh_inputs::FreshInputs;
use crate::net::transport::stream::Stream;

/// Upper bound that can be added to an instant without overflow.
const MAX_RAMP: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Maximum number of connections with a read buffer of the usual size.
const MAX_USUAL_READ_BUFFERS: usize = 64;

/// An event of one connection.
pub type TimedConnEvent = (ConnId, SystemTime, ConnEvent);

/// State shared by all connections of a run.
pub struct SharedRun {
    pub plan: PingPlan,
    pub events: mpsc::UnboundedSender<TimedConnEvent>,
    pub stop: CancellationToken,
    /// The user wants to stop at once; it cancels `stop`, too.
    pub interrupt: CancellationToken,
    /// Wishes for heartbeats at once, by the connections' numbers.
    pub ask_now: Arc<[AskNow]>,
    /// When the run began.
    pub began: Instant,
    /// Bounds the number of concurrent openings.
    pub openings: OpeningLimit,
    pub batching: BatchingPolicy,
    /// Origin of the heartbeat grid: when the first connection was open.
    pub anchor: OnceLock<Instant>,
}

/// One connection of the run.
pub struct ConnectionTask {
    pub id: ConnId,
    pub shared: Arc<SharedRun>,
}

/// The time without a connection.
#[derive(Debug, Clone, Copy)]
struct ConnectionGap {
    since: Instant,
    /// Attempts to reconnect so far.
    attempts: u32,
    /// There was a connection before.
    was_open: bool,
}

/// An open connection: its socket and the end of its upgrade. Boxed: the task would reserve its size beside the session.
type OpenSocket = Box<(WebSocket<Stream>, Instant)>;

impl ConnectionTask {
    /// Runs the connection until its heartbeats are done, the run stops, or it is lost for good.
    #[expect(
        clippy::manual_async_fn,
        reason = "an `async fn` keeps two copies of `self`, in each of thousands"
    )]
    pub fn run(self) -> impl Future<Output = ()> + Send {
        async move {
            let mut next = vec![NextNumbers::default(); self.shared.plan.session.kinds.len()];
            let mut gap: Option<ConnectionGap> = None;
            let mut attempts = ReconnectAttempts::default();
            let mut status = Status::Unknown;
            loop {
                let opened = match self.open(gap.is_none()).await {
                    None => return self.give_up(gap, attempts),
                    Some(opened) => self.report_opening(opened),
                };
                if let Some(open_socket) = opened {
                    self.report_reconnected(gap.take());
                    let closed = self.measure(open_socket, next, status).await;
                    let is_over = closed.ending.was_planned() || !closed.has_more;
                    let Some(backoff) = self.shared.plan.reconnect.as_ref().filter(|_| !is_over) else {
                        return;
                    };
                    attempts.ended(closed.ending.age, closed.answered, backoff);
                    (next, status) = (closed.next, closed.status);
                    gap = Some(ConnectionGap { since: closed.ended_at, attempts: 0, was_open: true });
                }
                let gap = gap.get_or_insert_with(|| ConnectionGap {
                    since: Instant::now(),
                    attempts: 0,
                    was_open: false,
                });
                if !self.wait_to_retry(gap, &mut attempts).await {
                    return self.give_up(Some(*gap), attempts);
                }
            }
        }
    }

    /// Opens the connection and runs its preamble; `None` if the run stopped.
    async fn open(&self, is_first: bool) -> Option<Result<OpenSocket, ConnectError>> {
        let stop = &self.shared.stop;
        let _turn = stop.run_until_cancelled(self.wait_for_slot(is_first)).await?;
        // Boxed: opening needs much more memory than a session, and it is freed for the next opening.
        stop.run_until_cancelled(Box::pin(self.open_now())).await
    }

    /// Waits for its place in the ramp and for a free slot.
    async fn wait_for_slot(&self, is_first: bool) -> Option<SemaphorePermit<'_>> {
        if let Some(ramp) = self.shared.plan.ramp.filter(|_| is_first) {
            let delay = ramp.delay(self.number(), self.shared.plan.connections());
            tokio::time::sleep_until(self.shared.began + delay.min(MAX_RAMP)).await;
        }
        self.shared.openings.permit().await
    }

    async fn open_now(&self) -> Result<OpenSocket, ConnectError> {
        let _opening = self.shared.batching.begin_opening();
        self.report(ConnEvent::Opening);
        let plan = &self.shared.plan;
        let inputs = self.read_inputs().await?;
        let target = inputs.target.as_ref().unwrap_or(self.target());
        let open = dial::open(&inputs.dial(&plan.dial), target).await?;
        let opened_at = Instant::now();
        let preamble = inputs.preamble(&plan.preamble);
        let largest_request = preamble.largest().max(plan.session.ask.as_str().len());
        let buffer =
            if plan.connections() > MAX_USUAL_READ_BUFFERS { SMALL_READ_BUFFER } else { READ_BUFFER };
        let dial::Open { upgraded, facts } = open;
        let mut socket =
            WebSocket::with_read_buffer(buffer, upgraded, plan.max_message_size, largest_request).await;
        let emit = |event| self.report(event);
        let result = run_preamble(&mut socket, &preamble, target, &emit).await;
        result.map_err(|why| add_context(why, &facts))?;
        self.shared.batching.add_connection(facts.timestamps);
        self.report(ConnEvent::Opened(Arc::new(facts)));
        Ok(Box::new((socket, opened_at)))
    }

    /// Reads what expires. What cannot be read is a failed opening: it may be there at the next attempt.
    async fn read_inputs(&self) -> Result<FreshInputs, ConnectError> {
        let began = Instant::now();
        let read = self.shared.plan.inputs.read().await;
        read.map_err(|why| why.failed_opening(self.target(), Phase::Input, began.elapsed()))
    }

    /// Not an `async fn`, which would store its arguments beside the session.
    #[expect(clippy::boxed_local, reason = "the box is freed here, and not when the session ends")]
    fn measure(
        &self,
        open_socket: OpenSocket,
        first: Vec<NextNumbers>,
        status: Status,
    ) -> impl Future<Output = session::SessionEnd> {
        let (socket, opened_at) = *open_socket;
        let first_due = self.first_due(Instant::now());
        let start = SessionStart { nonce: rand::random(), first_due, first, opened_at, status };
        let emit = |event| self.report(event);
        let SharedRun { stop, interrupt, .. } = &*self.shared;
        let signals = SessionSignals { over: stop, at_once: interrupt, ask_now: self.ask_now() };
        session::run(socket, &self.shared.plan.session, start, emit, signals)
    }

    /// The first due times on the run's grid, one slot for each kind.
    fn first_due(&self, now: Instant) -> Vec<Instant> {
        let anchor = *self.shared.anchor.get_or_init(|| now);
        let plan = &self.shared.plan;
        let (interval, kinds) = (plan.session.interval, plan.session.kinds.len());
        let Some(interval) = interval else { return vec![now; kinds] };
        let of = plan.connections() * kinds;
        let at = |kind: usize| anchor + offset_in_interval(interval, self.number() * kinds + kind, of);
        (0..kinds).map(|kind| first_on_grid(at(kind), interval, now)).collect()
    }

    /// Reports a failed opening. It is a separate function so that the error takes no space in the futures of thousands
    /// of tasks.
    fn report_opening(&self, opened: Result<OpenSocket, ConnectError>) -> Option<OpenSocket> {
        opened.map_err(|error| self.report(ConnEvent::OpenFailed(Arc::new(error)))).ok()
    }

    fn report_reconnected(&self, gap: Option<ConnectionGap>) {
        if let Some(gap) = gap.filter(|gap| gap.was_open) {
            self.report(ConnEvent::Reconnected { outage: gap.since.elapsed(), attempts: gap.attempts });
        }
    }

    /// Waits before the next attempt; returns false if there is none.
    async fn wait_to_retry(&self, gap: &mut ConnectionGap, attempts: &mut ReconnectAttempts) -> bool {
        let backoff = self.shared.plan.reconnect.as_ref();
        let Some(after) = backoff.and_then(|backoff| backoff.delay(attempts.count(), rand::random())) else {
            return false;
        };
        self.report(ConnEvent::Retry { attempt: attempts.count().saturating_add(1), after });
        let waited = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => false,
            () = AskNow::asked(self.ask_now()) => true,
            () = tokio::time::sleep(after) => true,
        };
        if waited {
            attempts.made();
            gap.attempts += 1;
        }
        waited
    }

    fn target(&self) -> &Target {
        &self.shared.plan.targets[self.id.target]
    }

    /// Its index among all connections of the run.
    fn number(&self) -> usize {
        self.id.target * self.shared.plan.connections_each + self.id.index
    }

    fn ask_now(&self) -> Option<&AskNow> {
        self.shared.ask_now.get(self.number())
    }

    fn give_up(&self, gap: Option<ConnectionGap>, attempts: ReconnectAttempts) {
        if let Some(gap) = gap.filter(|gap| gap.was_open) {
            let (outage, is_stopped) = (gap.since.elapsed(), self.shared.stop.is_cancelled());
            let attempts = if is_stopped { gap.attempts } else { attempts.count() };
            self.report(ConnEvent::GaveUp { outage, attempts, is_stopped });
        }
    }

    fn report(&self, event: ConnEvent) {
        // The receiver is read until all connection tasks have ended.
        let _ = self.shared.events.send((self.id, SystemTime::now(), event));
    }
}
