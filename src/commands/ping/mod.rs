//! `wscheck ping`: is this path healthy? Heartbeats on one or more connections, and a report.

mod batching_policy;
mod connection_task;
mod plan;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::batching_policy::BatchingPolicy;
use self::connection_task::{ConnectionTask, SharedRun, TimedConnEvent};
pub use self::plan::PingPlan;
use super::run_control::RunControl;
use crate::domain::connection::target::Target;
use crate::domain::ping::event::{ConnEvent, ConnId, Event};
use crate::domain::ping::recorder::Recorder;
use crate::domain::ping::report::PingReport;
use crate::domain::run::reporter::Reporter;
use crate::net::batch_sleep::BatchSleep;
use crate::net::time::at;

/// How many connections are being opened at once, at most.
const MAX_CONCURRENT_OPENINGS: usize = 64;
/// How many events are taken in at once: as many as the links can tell meanwhile, or they would pile up.
const MAX_EVENTS_PER_BATCH: usize = 16_384;
/// Room for so many is kept.
const KEPT_BATCH_CAPACITY: usize = 256;

/// So often those who watch are told how several connections stand.
const COUNTS_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the plan. Everything is told to `reporter`, the report last; it is also returned.
pub async fn run(plan: PingPlan, reporter: &mut dyn Reporter<Event>, control: RunControl) -> PingReport {
    if plan.targets.iter().any(Target::secure) {
        // The system's roots are read once, before anything is timed; opening meets the error again.
        let _ = plan.dial.tls.prepare();
    }
    let started_at = SystemTime::now();
    let info = Arc::new(plan.info());
    reporter.report(&Event::Started { at: started_at, info: Arc::clone(&info) });
    let recorder = Recorder::new(info, plan.policy.clone(), started_at);
    let deadline = plan.deadline.map(|deadline| Instant::now() + deadline);
    let (interrupt, stop) = (control.interrupt.clone(), control.interrupt.child_token());
    let (events, told) = mpsc::unbounded_channel();
    let is_one = plan.connections() == 1;
    let links = start_links(plan, events, (stop.clone(), interrupt), control.batch_sleep.clone());
    let run =
        PingRun { recorder, reporter, began: Instant::now(), control, stop, is_one, is_complete: false };
    let report = run.gather(told, deadline).await;
    drop(links);
    report
}

/// One task a connection; their events end when the last of them does.
fn start_links(
    plan: PingPlan,
    events: mpsc::UnboundedSender<TimedConnEvent>,
    (stop, interrupt): (CancellationToken, CancellationToken),
    batch_sleep: BatchSleep,
) -> JoinSet<()> {
    let openings = Semaphore::new(MAX_CONCURRENT_OPENINGS);
    let session = &plan.session;
    let batching =
        BatchingPolicy::new(batch_sleep, plan.connections() * session.kinds.len(), session.interval);
    let began = Instant::now();
    let anchor = OnceLock::new();
    let shared = Arc::new(SharedRun { plan, events, stop, interrupt, began, openings, batching, anchor });
    let mut links = JoinSet::new();
    for (target_index, target) in shared.plan.targets.iter().enumerate() {
        let target = Arc::new(target.clone());
        for index in 0..shared.plan.connections_each {
            let id = ConnId { target: target_index, index };
            let link = ConnectionTask {
                id,
                target: Arc::clone(&target),
                number: links.len(),
                shared: Arc::clone(&shared),
            };
            links.spawn(link.keep());
        }
    }
    links
}

struct PingRun<'a> {
    recorder: Recorder,
    reporter: &'a mut dyn Reporter<Event>,
    began: Instant,
    control: RunControl,
    stop: CancellationToken,
    /// There is one connection only, and nothing to be counted.
    is_one: bool,
    /// The deadline came before the user ended the run.
    is_complete: bool,
}

/// What the gathering loop woke up for.
enum RunWake {
    /// Something was told; nothing, when all links are gone.
    Told,
    Interim,
    Deadline,
    /// Whoever watches wants to see how the run stands.
    Standing,
}

impl PingRun<'_> {
    /// Gathers what the links tell until all of them are gone.
    async fn gather(
        mut self,
        mut told: mpsc::UnboundedReceiver<TimedConnEvent>,
        mut deadline: Option<Instant>,
    ) -> PingReport {
        let mut batch = Vec::new();
        let mut look = (!self.is_one).then(|| self.began + COUNTS_INTERVAL);
        loop {
            let woken = tokio::select! {
                biased;
                () = at(deadline) => RunWake::Deadline,
                () = at(look) => RunWake::Standing,
                Some(()) = self.control.interim.recv() => RunWake::Interim,
                _ = told.recv_many(&mut batch, MAX_EVENTS_PER_BATCH) => RunWake::Told,
            };
            match woken {
                RunWake::Told if batch.is_empty() => break,
                RunWake::Told => {
                    batch.drain(..).for_each(|(id, at, event)| self.take(id, at, event));
                    batch.shrink_to(KEPT_BATCH_CAPACITY);
                }
                RunWake::Interim => self.tell_interim(),
                RunWake::Standing => {
                    look = Some(Instant::now() + COUNTS_INTERVAL);
                    self.tell_standing();
                }
                RunWake::Deadline => {
                    deadline = None;
                    self.is_complete = !self.control.interrupt.is_cancelled();
                    self.stop.cancel();
                }
            }
        }
        if !self.is_one {
            self.tell_standing();
        }
        let report = self.report();
        self.reporter.report(&Event::Finished(Box::new(report.clone())));
        report
    }

    fn take(&mut self, id: ConnId, at: SystemTime, event: ConnEvent) {
        let event = Event::Connection { id, at, event };
        self.recorder.observe(&event);
        self.reporter.report(&event);
    }

    fn tell_interim(&mut self) {
        let report = self.report();
        self.reporter.report(&Event::Interim(Box::new(report)));
    }

    fn tell_standing(&mut self) {
        self.reporter.report(&Event::StatusCounts(self.recorder.tally()));
    }

    fn report(&self) -> PingReport {
        let interrupted = self.control.interrupt.is_cancelled() && !self.is_complete;
        self.recorder.report(self.began.elapsed(), interrupted)
    }
}
