//! The events and the report of several checks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::domain::format::counted;
use crate::domain::run::run_result::RunResult;
use crate::output::finished_run::FinishedRun;
use crate::output::view::View;

/// What a check is called, and what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckIdentity {
    pub name: String,
    /// `ping`, `probe-idle` ...
    pub command: String,
    /// The URL, or the number of targets.
    pub target: String,
    /// Given by the user, for metrics.
    pub labels: BTreeMap<String, String>,
}

/// What happens while the checks run.
#[derive(Debug, Clone)]
pub enum ChecksEvent {
    Started {
        at: SystemTime,
        file: String,
        checks: Arc<[CheckIdentity]>,
    },
    CheckStarted {
        at: SystemTime,
        index: usize,
    },
    /// What a check says of itself on its moving line.
    Progress {
        index: usize,
        text: String,
    },
    CheckFinished {
        at: SystemTime,
        index: usize,
        check: Arc<FinishedCheck>,
    },
    Finished(Arc<ChecksReport>),
}

/// Every check, in the order of the file.
#[derive(Debug)]
pub struct ChecksReport {
    /// The file that lists them.
    pub file: String,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub interrupted: bool,
    pub checks: Vec<Arc<FinishedCheck>>,
}

/// A check that is over.
#[derive(Debug)]
pub struct FinishedCheck {
    pub identity: CheckIdentity,
    pub outcome: CheckOutcome,
}

/// What came of a check.
#[derive(Debug)]
pub enum CheckOutcome {
    Ran(Box<FinishedRun>),
    /// It has no report.
    NotRun {
        at: SystemTime,
        result: RunResult,
        reason: String,
    },
}

impl FinishedCheck {
    fn of(name: String, run: FinishedRun) -> FinishedCheck {
        let (command, target) = (run.command.clone(), run.view.subject.clone());
        let identity = CheckIdentity { name, command, target, labels: BTreeMap::new() };
        FinishedCheck { identity, outcome: CheckOutcome::Ran(Box::new(run)) }
    }

    pub fn result(&self) -> RunResult {
        match &self.outcome {
            CheckOutcome::Ran(run) => run.view.result,
            CheckOutcome::NotRun { result, .. } => *result,
        }
    }

    /// The report of the check; one that did not run has one with its reason alone.
    pub fn view(&self) -> View {
        match &self.outcome {
            CheckOutcome::Ran(run) => run.view.clone(),
            CheckOutcome::NotRun { at, result, reason } => {
                View::not_run(self.identity.target.clone(), *at, *result, ("not run", reason))
            }
        }
    }
}

impl ChecksReport {
    /// Archived runs by the names of their files.
    pub fn of_runs(runs: Vec<(String, FinishedRun)>) -> ChecksReport {
        let starts = runs.iter().map(|(_, run)| run.view.started_at);
        let started_at = starts.min().unwrap_or(SystemTime::UNIX_EPOCH);
        let ends = runs.iter().map(|(_, run)| run.view.started_at.checked_add(run.view.elapsed.into()));
        let end = ends.flatten().max().unwrap_or(started_at);
        ChecksReport {
            file: counted(runs.len() as u64, "archived run"),
            started_at,
            elapsed: end.duration_since(started_at).unwrap_or_default(),
            interrupted: runs.iter().any(|(_, run)| run.view.interrupted),
            checks: runs.into_iter().map(|(name, run)| Arc::new(FinishedCheck::of(name, run))).collect(),
        }
    }

    /// The result of all: see [`RunResult::of_several`].
    pub fn result(&self) -> RunResult {
        let results: Vec<RunResult> = self.checks.iter().map(|check| check.result()).collect();
        RunResult::of_several(&results)
    }
}
