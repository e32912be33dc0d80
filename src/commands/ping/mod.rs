//! `wscheck ping`: sends heartbeats on one or more connections and reports the path's health.

mod batching_policy;
mod connection_task;
mod plan;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
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
use crate::net::time::at;

/// Events taken from the channel at once: as many as the connections may send meanwhile, or the queue would grow.
const MAX_EVENTS_PER_BATCH: usize = 16_384;
/// Capacity of the event buffer that is kept between batches.
const KEPT_BATCH_CAPACITY: usize = 256;

/// How often live counts are reported for several connections.
const COUNTS_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(plan: PingPlan, reporter: &mut dyn Reporter<Event>, control: RunControl) -> PingReport {
    if plan.targets.iter().any(Target::secure) {
        // Loads the system's roots before anything is timed. An error recurs when a connection opens.
        let _ = plan.dial.tls.prepare();
    }
    let started_at = SystemTime::now();
    let info = Arc::new(plan.info());
    reporter.report(&Event::Started { at: started_at, info: Arc::clone(&info) });
    let recorder = Recorder::new(info, plan.policy.clone(), started_at);
    let deadline = plan.deadline.map(|deadline| Instant::now() + deadline);
    let (interrupt, stop) = (control.interrupt.clone(), control.interrupt.child_token());
    let (events, received) = mpsc::unbounded_channel();
    let is_one = plan.connections() == 1;
    start_tasks(plan, events, (stop.clone(), interrupt), &control);
    // A run that is dropped ends its connections.
    let _ends_tasks = stop.clone().drop_guard();
    let run =
        PingRun { recorder, reporter, began: Instant::now(), control, stop, is_one, is_complete: false };
    run.process_events(received, deadline).await
}

/// Starts one task per connection. The event channel closes when the last task ends.
fn start_tasks(
    mut plan: PingPlan,
    events: mpsc::UnboundedSender<TimedConnEvent>,
    (stop, interrupt): (CancellationToken, CancellationToken),
    control: &RunControl,
) {
    let (ask_now, openings) = (Arc::clone(&control.ask_now), control.openings.clone());
    let (batch_sleep, session) = (control.batch_sleep.clone(), &plan.session);
    let batching =
        BatchingPolicy::new(batch_sleep, plan.connections() * session.kinds.len(), session.interval);
    plan.dial.timestamps = batching.timestamps(plan.dial.timestamps);
    let began = Instant::now();
    let anchor = OnceLock::new();
    let shared =
        Arc::new(SharedRun { plan, events, stop, interrupt, ask_now, began, openings, batching, anchor });
    for target in 0..shared.plan.targets.len() {
        for index in 0..shared.plan.connections_each {
            let task = ConnectionTask { id: ConnId { target, index }, shared: Arc::clone(&shared) };
            tokio::spawn(task.run());
        }
    }
}

struct PingRun<'a> {
    recorder: Recorder,
    reporter: &'a mut dyn Reporter<Event>,
    began: Instant,
    control: RunControl,
    stop: CancellationToken,
    /// There is only one connection, so no live counts.
    is_one: bool,
    /// The deadline passed before the user ended the run.
    is_complete: bool,
}

/// What woke the event loop.
enum RunWake {
    /// Events arrived, or none because all tasks have ended.
    Events,
    Interim,
    Deadline,
    /// Live counts are due.
    Counts,
}

impl PingRun<'_> {
    /// Processes events until all connection tasks have ended.
    async fn process_events(
        mut self,
        mut received: mpsc::UnboundedReceiver<TimedConnEvent>,
        mut deadline: Option<Instant>,
    ) -> PingReport {
        let mut batch = Vec::new();
        let mut counts_at = (!self.is_one).then(|| self.began + COUNTS_INTERVAL);
        loop {
            let woken = tokio::select! {
                biased;
                () = at(deadline) => RunWake::Deadline,
                () = at(counts_at) => RunWake::Counts,
                Some(()) = self.control.interim.recv() => RunWake::Interim,
                _ = received.recv_many(&mut batch, MAX_EVENTS_PER_BATCH) => RunWake::Events,
            };
            match woken {
                RunWake::Events if batch.is_empty() => break,
                RunWake::Events => {
                    batch.drain(..).for_each(|(id, at, event)| self.process_event(id, at, event));
                    batch.shrink_to(KEPT_BATCH_CAPACITY);
                }
                RunWake::Interim => self.report_interim(),
                RunWake::Counts => {
                    counts_at = Some(Instant::now() + COUNTS_INTERVAL);
                    self.report_counts();
                }
                RunWake::Deadline => {
                    deadline = None;
                    self.is_complete = !self.control.interrupt.is_cancelled();
                    self.stop.cancel();
                }
            }
        }
        if !self.is_one {
            self.report_counts();
        }
        let report = self.report();
        let PingReport { verdict, reasons, targets, .. } = &report;
        tracing::info!(target: "inference", of = "ping result", ?targets, ?verdict, ?reasons);
        self.reporter.report(&Event::Finished(Box::new(report.clone())));
        report
    }

    fn process_event(&mut self, id: ConnId, at: SystemTime, event: ConnEvent) {
        let event = Event::Connection { id, at, event };
        self.recorder.observe(&event);
        self.reporter.report(&event);
    }

    fn report_interim(&mut self) {
        let report = self.report();
        self.reporter.report(&Event::Interim(Box::new(report)));
    }

    fn report_counts(&mut self) {
        self.reporter.report(&Event::StatusCounts(self.recorder.tally()));
    }

    fn report(&self) -> PingReport {
        let interrupted = self.control.interrupt.is_cancelled() && !self.is_complete;
        self.recorder.report(self.began.elapsed(), interrupted)
    }
}
