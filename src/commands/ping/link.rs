//! One connection to one target, kept for the length of a run: opened, greeted, measured, and, if
//! the user wants it, opened again.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plan::PingPlan;
use crate::domain::event::{ConnEvent, ConnId};
use crate::domain::health::Status;
use crate::domain::opening::{OpenError, Opened};
use crate::domain::target::Target;
use crate::net::dial;
use crate::net::greeting::greet;
use crate::net::schedule::{first_on_grid, place};
use crate::net::session::{self, Start};
use crate::net::stream::Stream;
use crate::net::websocket::Socket;

/// What one connection reports, to be gathered in one place.
pub type Told = (ConnId, SystemTime, ConnEvent);

/// What all connections of a run share.
pub struct Shared {
    pub plan: PingPlan,
    pub events: mpsc::UnboundedSender<Told>,
    pub stop: CancellationToken,
    /// Bounds how many connections are being opened at once.
    pub openings: Semaphore,
    /// The moment from which all heartbeats are counted: when the first connection was open.
    pub anchor: OnceLock<Instant>,
}

/// One connection's place in the run.
pub struct Link {
    pub id: ConnId,
    pub target: Target,
    /// Its number among all connections of the run, from 0.
    pub number: usize,
    pub shared: Arc<Shared>,
}

/// The time since an established connection was lost.
#[derive(Debug, Clone, Copy)]
struct Gap {
    since: Instant,
    attempts: u32,
}

/// An open connection: its socket, its facts, and when its upgrade was over.
type Ready = (Socket<Stream>, Opened, Instant);

impl Link {
    /// Keeps the connection until its heartbeats are done, the run stops, or it is lost for good.
    pub async fn keep(self) {
        let mut next_seq = vec![0; self.shared.plan.session.kinds.len()];
        let mut gap: Option<Gap> = None;
        let mut status = Status::Unknown;
        loop {
            match self.open().await {
                None => return self.give_up(gap),
                Some(Err(error)) => self.tell(ConnEvent::OpenFailed(Arc::new(error))),
                Some(Ok((socket, facts, opened_at))) => {
                    self.tell(ConnEvent::Opened(Arc::new(facts)));
                    self.tell_reconnected(gap.take());
                    let closed = self.measure(socket, opened_at, next_seq, status).await;
                    let is_over = closed.ending.was_planned() || !closed.has_more;
                    if is_over || self.shared.plan.reconnect.is_none() {
                        return;
                    }
                    (next_seq, status) = (closed.next_seq, closed.status);
                    gap = Some(Gap { since: closed.ended_at, attempts: 0 });
                }
            }
            let Some(gap) = &mut gap else { return };
            if !self.wait_to_retry(gap).await {
                return self.give_up(Some(*gap));
            }
        }
    }

    /// Opens and greets; `None` when the run stopped meanwhile.
    async fn open(&self) -> Option<Result<Ready, OpenError>> {
        tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => None,
            result = self.open_in_turn() => Some(result),
        }
    }

    async fn open_in_turn(&self) -> Result<Ready, OpenError> {
        let _turn = self.shared.openings.acquire().await;
        self.tell(ConnEvent::Opening);
        let plan = &self.shared.plan;
        let open = dial::open(&plan.dial, &self.target).await?;
        let opened_at = Instant::now();
        let most = plan.greeting.largest().max(plan.session.ask.as_str().len());
        let mut socket =
            Socket::new(open.stream, open.leftover, open.marks, plan.max_message_size, most).await;
        let emit = |event| self.tell(event);
        greet(&mut socket, &plan.greeting, &self.target, &emit).await?;
        Ok((socket, open.facts, opened_at))
    }

    async fn measure(
        &self,
        socket: Socket<Stream>,
        opened_at: Instant,
        first_seq: Vec<u64>,
        status: Status,
    ) -> session::Closed {
        let first_due = self.first_due(Instant::now());
        let start = Start { nonce: rand::random(), first_due, first_seq, opened_at, status };
        let mut emit = |event| self.tell(event);
        session::run(socket, &self.shared.plan.session, start, &mut emit, &self.shared.stop).await
    }

    /// The first moments on the run's grid, each kind in its own place.
    fn first_due(&self, now: Instant) -> Vec<Instant> {
        let anchor = *self.shared.anchor.get_or_init(|| now);
        let plan = &self.shared.plan;
        let (interval, kinds) = (plan.session.interval, plan.session.kinds.len());
        let of = plan.connections() * kinds;
        let at = |kind: usize| anchor + place(interval, self.number * kinds + kind, of);
        (0..kinds).map(|kind| first_on_grid(at(kind), interval, now)).collect()
    }

    fn tell_reconnected(&self, gap: Option<Gap>) {
        if let Some(gap) = gap {
            self.tell(ConnEvent::Reconnected { outage: gap.since.elapsed(), attempts: gap.attempts });
        }
    }

    /// Waits before the next attempt; false when there is to be none.
    async fn wait_to_retry(&self, gap: &mut Gap) -> bool {
        let backoff = self.shared.plan.reconnect.as_ref();
        let Some(after) = backoff.and_then(|backoff| backoff.delay(gap.attempts, rand::random())) else {
            return false;
        };
        self.tell(ConnEvent::Retry { attempt: gap.attempts + 1, after });
        let waited = tokio::select! {
            biased;
            () = self.shared.stop.cancelled() => false,
            () = tokio::time::sleep(after) => true,
        };
        gap.attempts += u32::from(waited);
        waited
    }

    fn give_up(&self, gap: Option<Gap>) {
        if let Some(gap) = gap {
            self.tell(ConnEvent::GaveUp { outage: gap.since.elapsed(), attempts: gap.attempts });
        }
    }

    fn tell(&self, event: ConnEvent) {
        // The receiver outlives every link: it is read until all of them are gone.
        let _ = self.shared.events.send((self.id, SystemTime::now(), event));
    }
}
