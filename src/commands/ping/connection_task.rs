//! One connection to one target, kept for the length of a run: opened, greeted, measured, and, if
//! the user wants it, opened again.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::batching_policy::BatchingPolicy;
use super::plan::PingPlan;
use crate::domain::connection::backoff::ReconnectAttempts;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::target::Target;
use crate::domain::ping::event::{ConnEvent, ConnId};
use crate::domain::ping::health::Status;
use crate::net::client::preamble::{add_context, run_preamble};
use crate::net::client::schedule::{first_on_grid, offset_in_interval};
use crate::net::client::session::{self, SessionStart, StopSignals};
use crate::net::client::websocket::{READ_BUFFER, SMALL_READ_BUFFER, WebSocket};
use crate::net::connect::dial;
use crate::net::transport::stream::Stream;

/// Longer than anybody waits, and short enough to be added to an instant.
const MAX_RAMP: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// So many connections may have a read buffer of the usual size.
const MAX_USUAL_READ_BUFFERS: usize = 64;

/// What one connection reports, to be gathered in one place.
pub type TimedConnEvent = (ConnId, SystemTime, ConnEvent);

/// What all connections of a run share.
pub struct SharedRun {
    pub plan: PingPlan,
    pub events: mpsc::UnboundedSender<TimedConnEvent>,
    pub stop: CancellationToken,
    /// The user wants the end at once; cancels `stop`, too.
    pub interrupt: CancellationToken,
    /// When the run began.
    pub began: Instant,
    /// Bounds how many connections are being opened at once.
    pub openings: Semaphore,
    pub batching: BatchingPolicy,
    /// The moment from which all heartbeats are counted: when the first connection was open.
    pub anchor: OnceLock<Instant>,
}

/// One connection's place in the run.
pub struct ConnectionTask {
    pub id: ConnId,
    pub target: Arc<Target>,
    /// Its number among all connections of the run, from 0.
    pub number: usize,
    pub shared: Arc<SharedRun>,
}

/// The time since an established connection was lost.
#[derive(Debug, Clone, Copy)]
struct ConnectionGap {
    since: Instant,
    /// Attempts to end it.
    attempts: u32,
}

/// An open connection: its socket, and when its upgrade was over.
type OpenSocket = (WebSocket<Stream>, Instant);

impl ConnectionTask {
    /// Keeps the connection until its heartbeats are done, the run stops, or it is lost for good.
    pub async fn keep(self) {
        let mut next_seq = vec![0; self.shared.plan.session.kinds.len()];
        let mut gap: Option<ConnectionGap> = None;
        let mut attempts = ReconnectAttempts::default();
        let mut status = Status::Unknown;
        loop {
            let opened = match self.open(gap.is_none()).await {
                None => return self.give_up(gap, attempts),
                Some(opened) => self.tell_opening(opened),
            };
            if let Some(ready) = opened {
                self.tell_reconnected(gap.take());
                let closed = self.measure(ready, next_seq, status).await;
                let is_over = closed.ending.was_planned() || !closed.has_more;
                let Some(backoff) = self.shared.plan.reconnect.as_ref().filter(|_| !is_over) else {
                    return;
                };
                attempts.ended(closed.ending.age, closed.answered, backoff);
                (next_seq, status) = (closed.next_seq, closed.status);
                gap = Some(ConnectionGap { since: closed.ended_at, attempts: 0 });
            }
            let Some(gap) = &mut gap else { return };
            if !self.wait_to_retry(gap, &mut attempts).await {
                return self.give_up(Some(*gap), attempts);
            }
        }
    }

    /// Opens and greets; `None` when the run stopped meanwhile.
    async fn open(&self, is_first: bool) -> Option<Result<OpenSocket, ConnectError>> {
        let stop = &self.shared.stop;
        let _turn = stop.run_until_cancelled(self.turn(is_first)).await?;
        // Boxed: an opening's state is many times a session's, and its memory is for the next one.
        stop.run_until_cancelled(Box::pin(self.open_in_turn())).await
    }

    /// Waits for the moment by the ramp, and until few others are being opened.
    async fn turn(&self, is_first: bool) -> Option<SemaphorePermit<'_>> {
        if let Some(ramp) = self.shared.plan.ramp.filter(|_| is_first) {
            let delay = ramp.delay(self.number, self.shared.plan.connections());
            tokio::time::sleep_until(self.shared.began + delay.min(MAX_RAMP)).await;
        }
        // Nobody closes the semaphore.
        self.shared.openings.acquire().await.ok()
    }

    async fn open_in_turn(&self) -> Result<OpenSocket, ConnectError> {
        let _calm = self.shared.batching.disturb();
        self.tell(ConnEvent::Opening);
        let plan = &self.shared.plan;
        let open = dial::open(&plan.dial, &self.target).await?;
        let opened_at = Instant::now();
        let most = plan.greeting.largest().max(plan.session.ask.as_str().len());
        let buffer =
            if plan.connections() > MAX_USUAL_READ_BUFFERS { SMALL_READ_BUFFER } else { READ_BUFFER };
        let dial::Open { stream, leftover, tap_state, facts } = open;
        let mut socket =
            WebSocket::with_read_buffer(buffer, stream, leftover, tap_state, plan.max_message_size, most)
                .await;
        let emit = |event| self.tell(event);
        let greeted = run_preamble(&mut socket, &plan.greeting, &self.target, &emit).await;
        greeted.map_err(|why| add_context(why, &facts))?;
        self.shared.batching.heed(facts.timestamps);
        self.tell(ConnEvent::Opened(Arc::new(facts)));
        Ok((socket, opened_at))
    }

    /// No `async fn`: it would keep its arguments beside the session that is made of them.
    fn measure(
        &self,
        (socket, opened_at): OpenSocket,
        first_seq: Vec<u64>,
        status: Status,
    ) -> impl Future<Output = session::SessionEnd> {
        let first_due = self.first_due(Instant::now());
        let start = SessionStart { nonce: rand::random(), first_due, first_seq, opened_at, status };
        let emit = Box::new(|event| self.tell(event));
        let stops = StopSignals { over: &self.shared.stop, at_once: &self.shared.interrupt };
        session::run(socket, &self.shared.plan.session, start, emit, stops)
    }

    /// The first moments on the run's grid, each kind in its own place.
    fn first_due(&self, now: Instant) -> Vec<Instant> {
        let anchor = *self.shared.anchor.get_or_init(|| now);
        let plan = &self.shared.plan;
        let (interval, kinds) = (plan.session.interval, plan.session.kinds.len());
        let Some(interval) = interval else { return vec![now; kinds] };
        let of = plan.connections() * kinds;
        let at = |kind: usize| anchor + offset_in_interval(interval, self.number * kinds + kind, of);
        (0..kinds).map(|kind| first_on_grid(at(kind), interval, now)).collect()
    }

    /// Reports a failed opening. Its error must not lie in the task beside the session that follows: thousands of tasks
    /// are held.
    fn tell_opening(&self, opened: Result<OpenSocket, ConnectError>) -> Option<OpenSocket> {
        opened.map_err(|error| self.tell(ConnEvent::OpenFailed(Arc::new(error)))).ok()
    }

    fn tell_reconnected(&self, gap: Option<ConnectionGap>) {
        if let Some(gap) = gap {
            self.tell(ConnEvent::Reconnected { outage: gap.since.elapsed(), attempts: gap.attempts });
        }
    }

    /// Waits before the next attempt; false when there is to be none.
    async fn wait_to_retry(&self, gap: &mut ConnectionGap, attempts: &mut ReconnectAttempts) -> bool {
        let backoff = self.shared.plan.reconnect.as_ref();
        let Some(after) = backoff.and_then(|backoff| backoff.delay(attempts.count(), rand::random())) else {
            return false;
        };
        self.tell(ConnEvent::Retry { attempt: attempts.count().saturating_add(1), after });
        let waited = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => false,
            () = tokio::time::sleep(after) => true,
        };
        if waited {
            attempts.made();
            gap.attempts += 1;
        }
        waited
    }

    fn give_up(&self, gap: Option<ConnectionGap>, attempts: ReconnectAttempts) {
        if let Some(gap) = gap {
            self.tell(ConnEvent::GaveUp { outage: gap.since.elapsed(), attempts: attempts.count() });
        }
    }

    fn tell(&self, event: ConnEvent) {
        // The receiver outlives every link: it is read until all of them are gone.
        let _ = self.shared.events.send((self.id, SystemTime::now(), event));
    }
}
