//! Runs checks side by side, within a limit of connections.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::prepared::{PreparedCheck, Progress};
use crate::commands::run_control::RunControl;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::output::checks::{CheckIdentity, CheckOutcome, ChecksEvent, ChecksReport, FinishedCheck};

/// What will run.
pub struct ChecksPlan {
    /// The file that lists the checks.
    pub file: String,
    pub checks: Vec<PreparedCheck>,
    /// The most connections at once. A check that needs more runs alone.
    pub max_connections: usize,
    /// One check after another.
    pub is_serial: bool,
}

impl ChecksPlan {
    /// The most connections that are open at once.
    pub fn connections(&self) -> usize {
        let largest = self.checks.iter().map(|check| check.connections).max().unwrap_or_default();
        let together: usize = self.checks.iter().map(|check| check.connections).sum();
        together.min(self.max_connections.max(largest))
    }
}

/// Runs every check; the report is the last event. An interrupt ends those that run, and starts no more.
pub async fn run(
    plan: ChecksPlan,
    reporter: &mut dyn Reporter<ChecksEvent>,
    control: RunControl,
) -> RunResult {
    let (started_at, start) = (SystemTime::now(), Instant::now());
    let identities: Arc<[CheckIdentity]> = plan.checks.iter().map(|check| check.identity.clone()).collect();
    reporter.report(&ChecksEvent::Started {
        at: started_at,
        file: plan.file.clone(),
        checks: Arc::clone(&identities),
    });
    let mut checks: Vec<Option<Arc<FinishedCheck>>> = identities.iter().map(|_| None).collect();
    let (says, mut said) = mpsc::unbounded_channel();
    let (slots, limit) = (Semaphore::new(plan.max_connections), plan.max_connections);
    let running = plan.checks.into_iter().enumerate().map(|(index, check)| {
        // One that runs alone waits until nothing else does.
        let is_alone = plan.is_serial || check.is_serial;
        let wanted = if is_alone { limit } else { check.connections.min(limit) };
        run_check(check, (&slots, wanted), index, says.clone(), control.interrupt.clone())
    });
    let mut running: FuturesUnordered<_> = running.collect();
    loop {
        tokio::select! {
            biased;
            Some(event) = said.recv() => reporter.report(&event),
            Some((index, check)) = running.next() => {
                let check = Arc::new(check);
                checks[index] = Some(Arc::clone(&check));
                reporter.report(&ChecksEvent::CheckFinished { at: SystemTime::now(), index, check });
            }
            else => break,
        }
        if running.is_empty() && said.is_empty() {
            break;
        }
    }
    let report = ChecksReport {
        file: plan.file,
        started_at,
        elapsed: start.elapsed(),
        interrupted: control.interrupt.is_cancelled(),
        checks: checks.into_iter().flatten().collect(),
    };
    let result = report.result();
    reporter.report(&ChecksEvent::Finished(Arc::new(report)));
    result
}

/// Waits until enough connections are free, then runs one check and reports its progress.
async fn run_check(
    check: PreparedCheck,
    (slots, wanted): (&Semaphore, usize),
    index: usize,
    says: mpsc::UnboundedSender<ChecksEvent>,
    interrupt: CancellationToken,
) -> (usize, FinishedCheck) {
    let identity = check.identity.clone();
    let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
    let slot = tokio::select! {
        biased;
        () = interrupt.cancelled() => None,
        slot = slots.acquire_many(wanted) => slot.ok(),
    };
    let outcome = if slot.is_some() {
        // The receiver lives as long as the checks.
        let _ = says.send(ChecksEvent::CheckStarted { at: SystemTime::now(), index });
        let progress: Progress = Box::new(move |text| drop(says.send(ChecksEvent::Progress { index, text })));
        check.run(interrupt, progress).await
    } else {
        CheckOutcome::NotRun {
            at: SystemTime::now(),
            result: RunResult::Interrupted { measured: false },
            reason: "the run was interrupted before it began".to_string(),
        }
    };
    (index, FinishedCheck { identity, outcome })
}
