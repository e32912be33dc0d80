//! `wscheck ping`: is this path healthy? Heartbeats on one or more connections, and a report.

mod link;
mod plan;

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::link::{Link, Shared, Told};
pub use self::plan::PingPlan;
use crate::domain::event::{ConnEvent, ConnId, Event, Reporter};
use crate::domain::recorder::Recorder;
use crate::domain::report::Report;
use crate::domain::target::Target;
use crate::net::clock::at;

/// How many connections are being opened at once, at most.
const OPENINGS_AT_ONCE: usize = 64;
/// How many events are taken in at once: as many as the links can tell meanwhile, or they would pile up.
const BATCH: usize = 16_384;

/// How a run is steered from outside.
#[derive(Debug)]
pub struct Control {
    /// The user wants it to end, with a report.
    pub interrupt: CancellationToken,
    /// The user wants to see figures now.
    pub interim: mpsc::UnboundedReceiver<()>,
}

/// Runs the plan. Everything is told to `reporter`, the report last; it is also returned.
pub async fn run(plan: PingPlan, reporter: &mut dyn Reporter, control: Control) -> Report {
    if plan.targets.iter().any(Target::secure) {
        // The system's roots are read once, before anything is timed; opening meets the error again.
        let _ = plan.dial.tls.prepare();
    }
    let started_at = SystemTime::now();
    let info = Arc::new(plan.info());
    reporter.report(&Event::Started { at: started_at, info: Arc::clone(&info) });
    let recorder = Recorder::new(info, plan.policy.clone(), started_at);
    let deadline = plan.deadline.map(|deadline| Instant::now() + deadline);
    let stop = control.interrupt.child_token();
    let (events, told) = mpsc::unbounded_channel();
    let links = start_links(plan, events, stop.clone());
    let run = Run { recorder, reporter, began: Instant::now(), control, stop };
    let report = run.gather(told, deadline).await;
    drop(links);
    report
}

/// One task a connection; their events end when the last of them does.
fn start_links(plan: PingPlan, events: mpsc::UnboundedSender<Told>, stop: CancellationToken) -> JoinSet<()> {
    let openings = Semaphore::new(OPENINGS_AT_ONCE);
    let shared = Arc::new(Shared { plan, events, stop, openings, anchor: OnceLock::new() });
    let mut links = JoinSet::new();
    for (target_index, target) in shared.plan.targets.iter().enumerate() {
        for index in 0..shared.plan.connections_each {
            let id = ConnId { target: target_index, index };
            let link = Link { id, target: target.clone(), number: links.len(), shared: Arc::clone(&shared) };
            links.spawn(link.keep());
        }
    }
    links
}

struct Run<'a> {
    recorder: Recorder,
    reporter: &'a mut dyn Reporter,
    began: Instant,
    control: Control,
    stop: CancellationToken,
}

/// What the gathering loop woke up for.
enum Woken {
    /// Something was told; nothing, when all links are gone.
    Told,
    Interim,
    Deadline,
}

impl Run<'_> {
    /// Gathers what the links tell until all of them are gone.
    async fn gather(
        mut self,
        mut told: mpsc::UnboundedReceiver<Told>,
        mut deadline: Option<Instant>,
    ) -> Report {
        let mut batch = Vec::new();
        loop {
            let woken = tokio::select! {
                biased;
                () = at(deadline) => Woken::Deadline,
                Some(()) = self.control.interim.recv() => Woken::Interim,
                _ = told.recv_many(&mut batch, BATCH) => Woken::Told,
            };
            match woken {
                Woken::Told if batch.is_empty() => break,
                Woken::Told => batch.drain(..).for_each(|(id, at, event)| self.take(id, at, event)),
                Woken::Interim => self.tell_interim(),
                Woken::Deadline => {
                    deadline = None;
                    self.stop.cancel();
                }
            }
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

    fn report(&self) -> Report {
        self.recorder.report(self.began.elapsed(), self.control.interrupt.is_cancelled())
    }
}
