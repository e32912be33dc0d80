//! The events and the report of `doctor`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::check::Check;
use super::check_result::CheckResult;
use super::doctor_finding::{DoctorFinding, Unchecked};
use super::evidence::PathEvidence;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;

/// How much time is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Depth {
    /// Some 20 seconds.
    Quick,
    /// Up to 90 seconds, enough for timers of 60 seconds.
    Normal,
    /// As long as `--max` says; also looks for dead clients and for what keeps the path open.
    Thorough,
}

/// What a run will do; reported before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct DoctorInfo {
    /// Redacted.
    pub url: String,
    /// The options that say how to connect, as they are typed, without secrets.
    pub connect_options: Vec<String>,
    pub depth: Depth,
    /// The run ends by then.
    pub budget: Duration,
    /// The longest silence that is tried.
    pub longest_silence: Duration,
    /// The paths that are compared: hops by name, the nearest to the server first, the URL itself last.
    pub paths: Vec<PathInfo>,
    /// Warnings fail the run.
    pub strict: bool,
}

/// One path to the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathInfo {
    /// As it was named: `ingress`; of the URL itself its host.
    pub name: String,
    /// Where it connects to; `None`: where the URL says.
    pub address: Option<String>,
    /// One of the addresses of the name, which stand beside each other, not in a row.
    pub is_alternative: bool,
}

/// An event of a run.
#[derive(Debug, Clone)]
pub enum DoctorEvent {
    Started {
        at: SystemTime,
        info: Arc<DoctorInfo>,
    },
    /// A path's checks are over.
    Checked {
        at: SystemTime,
        /// The path's index.
        path: usize,
        result: CheckResult,
    },
    /// What is going on, about once a second.
    Progress(DoctorProgress),
    /// The end of the run; always the last event.
    Finished(Arc<DoctorReport>),
}

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoctorProgress {
    /// The run ends by then.
    pub until: Duration,
    /// The measurements that still run, as people call them.
    pub running: Vec<&'static str>,
}

/// One path and what its checks found.
#[derive(Debug, Clone, Default)]
pub struct ExaminedPath {
    pub info: PathInfo,
    pub evidence: PathEvidence,
    pub results: Vec<CheckResult>,
}

/// The report of a whole run.
#[derive(Debug, Clone)]
pub struct DoctorReport {
    pub info: Arc<DoctorInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The user ended the run early.
    pub interrupted: bool,
    /// Hops first, the URL itself last.
    pub paths: Vec<ExaminedPath>,
    /// What follows from several checks or paths.
    pub joined: Vec<CheckResult>,
    pub result: RunResult,
}

impl DoctorReport {
    /// The URL itself.
    pub fn main_path(&self) -> Option<&ExaminedPath> {
        self.paths.last()
    }

    /// Every result about the URL itself, in the order of the checks.
    pub fn results(&self) -> Vec<&CheckResult> {
        let own = self.main_path().map_or(&[][..], |path| &path.results);
        let mut all: Vec<&CheckResult> = own.iter().chain(&self.joined).collect();
        all.sort_by_key(|result| result.check);
        all
    }

    /// The most severe results, the most severe first.
    pub fn most_severe(&self) -> Vec<&CheckResult> {
        let mut all = self.results();
        all.retain(|result| result.severity >= Severity::Warning);
        all.sort_by_key(|result| std::cmp::Reverse(result.severity));
        all
    }
}

/// The checks whose answer decides whether the run could tell anything.
const DECISIVE: [Check; 5] =
    [Check::Upgrade, Check::Pings, Check::Latency, Check::IdleTimeout, Check::DeadClients];

/// Whether a check that decides the result came to no answer.
pub fn is_decisive_gap(result: &CheckResult) -> bool {
    DECISIVE.contains(&result.check) && result.finding.is_undecided()
}

/// The result of a run.
///
/// 1. A problem, or with `strict` a warning: failed.
/// 2. No address accepted a connection: unreachable, which is no more than a failure where something was measured.
/// 3. Interrupted: interrupted.
/// 4. A decisive check came to no answer: inconclusive.
pub fn judge(report: &DoctorReport) -> RunResult {
    let results = report.results();
    let reached = report.paths.iter().any(|path| path.evidence.is_reached());
    let was_tried = report.paths.iter().any(|path| path.evidence.resolution.is_some());
    let worst = results.iter().map(|result| result.severity).max().unwrap_or(Severity::Ok);
    let is_blocked =
        |result: &CheckResult| matches!(result.finding, DoctorFinding::NotChecked(Unchecked::Needs(_)));
    match worst {
        _ if !reached && report.interrupted => RunResult::Interrupted { measured: false },
        _ if !reached && was_tried => RunResult::Unreachable,
        Severity::Problem => RunResult::Failed,
        Severity::Warning if report.info.strict => RunResult::Failed,
        _ if report.interrupted => RunResult::Interrupted { measured: true },
        _ if results.iter().any(|result| is_decisive_gap(result)) => RunResult::Inconclusive,
        _ if results.iter().any(|result| is_blocked(result)) => RunResult::Inconclusive,
        _ if results.iter().all(|result| matches!(result.finding, DoctorFinding::NotChecked(_))) => {
            RunResult::Inconclusive
        }
        Severity::Ok | Severity::Info | Severity::Warning => RunResult::Passed,
    }
}

#[cfg(test)]
impl ExaminedPath {
    /// Whether a check found one that is wanted.
    pub fn has(&self, wanted: impl Fn(&DoctorFinding) -> bool) -> bool {
        self.results.iter().any(|result| wanted(&result.finding))
    }
}
