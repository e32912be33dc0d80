//! Measures the idle timeout of targets now and then, one after another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::commands::kept::KeptId;
use crate::commands::probe_idle::{self, IdlePlan};
use crate::domain::idle::report::{IdleEvent, IdleReport};
use crate::net::client::idle_probe::UnmatchedLog;
use crate::net::time::at;

/// When and how to measure the idle timeout of a target.
#[derive(Clone)]
pub struct IdleSchedule {
    /// Everything that the schedule was made of. While the key is the same, it goes on.
    pub key: Vec<String>,
    pub plan: IdlePlan,
    /// From the beginning of one probe to that of the next, if those of other targets leave time for it.
    pub every: Duration,
}

/// The targets that are probed.
pub struct IdleProbes {
    scheduled: Mutex<BTreeMap<KeptId, Scheduled>>,
    changed: Notify,
    stop: CancellationToken,
}

struct Scheduled {
    schedule: IdleSchedule,
    due: Instant,
    stop: CancellationToken,
}

impl IdleProbes {
    /// Nothing is scheduled; `stop` ends the probe that runs.
    pub fn new(stop: CancellationToken) -> IdleProbes {
        IdleProbes { scheduled: Mutex::default(), changed: Notify::new(), stop }
    }

    fn scheduled(&self) -> MutexGuard<'_, BTreeMap<KeptId, Scheduled>> {
        self.scheduled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Schedules these and no others. New ones are due at once.
    pub fn replace(&self, schedules: impl Iterator<Item = (KeptId, IdleSchedule)>) {
        let mut scheduled = self.scheduled();
        let mut before = std::mem::take(&mut *scheduled);
        for (id, schedule) in schedules {
            let known = before.remove(&id).filter(|known| known.schedule.key == schedule.key);
            let new = || Scheduled { schedule, due: Instant::now(), stop: self.stop.child_token() };
            scheduled.insert(id, known.unwrap_or_else(new));
        }
        self.changed.notify_one();
    }

    /// Probes until everything stops; tells `found` each report.
    pub async fn run(&self, found: impl Fn(KeptId, &IdleReport)) {
        while !self.stop.is_cancelled() {
            let next = self.next();
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {}
                () = self.changed.notified() => {}
                () = at(next.map(|(_, due)| due)) => {
                    if let Some((id, _)) = next {
                        self.probe(id, &found).await;
                    }
                }
            }
        }
    }

    /// The target that is due first.
    fn next(&self) -> Option<(KeptId, Instant)> {
        let scheduled = self.scheduled();
        scheduled.iter().map(|(id, one)| (*id, one.due)).min_by_key(|(_, due)| *due)
    }

    async fn probe(&self, id: KeptId, found: &impl Fn(KeptId, &IdleReport)) {
        let begin = |one: &mut Scheduled| {
            one.due = Instant::now() + one.schedule.every;
            let unmatched = UnmatchedLog::default();
            (IdlePlan { unmatched, ..one.schedule.plan.clone() }, one.stop.clone())
        };
        let Some((plan, stop)) = self.scheduled().get_mut(&id).map(begin) else { return };
        // The plan is valid, so there is a report.
        if let Ok(report) = probe_idle::run(plan, &mut |_: &IdleEvent| {}, stop.clone()).await
            && !stop.is_cancelled()
        {
            found(id, &report);
        }
    }
}

impl Drop for Scheduled {
    /// Ends the probe if it runs.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
