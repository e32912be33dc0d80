//! The envelope of every document: run, time, machine and result, then the command's own fields.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json::{Ms, Name, SCHEMA_VERSION, Timestamp, WSCHECK_VERSION, document};
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::done::Done;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;
use crate::output::finding_code::FindingCode;
use crate::output::view::{MetricDocument, ShownFinding, View, ViewDocument};

/// A command's own fields in its document.
pub trait DocumentBody: Serialize {
    /// The command's name, as it is typed.
    const COMMAND: &'static str;
}

/// What is known before a run begins: its arguments and the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunOrigin {
    /// The program's arguments, without secrets.
    pub command_line: Vec<String>,
    pub host: HostFacts,
}

/// The machine that measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HostFacts {
    /// The operating system: `linux`.
    pub os: String,
    /// The kernel's release; null where it is not known.
    pub kernel: Option<String>,
    /// The processor's architecture: `x86_64`.
    pub arch: String,
    /// Processors that this process may use; null where the system does not say.
    pub cpus: Option<usize>,
}

/// A document of a run. A value that is not known is null; no field is ever left out.
#[derive(Debug, Serialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(rename = "{B}", bound = "B: DocumentBody + schemars::JsonSchema")
)]
pub struct Envelope<B: DocumentBody> {
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    #[cfg_attr(test, schemars(extend("const" = B::COMMAND)))]
    command: &'static str,
    /// The arguments of this run, without secrets; null if only its events were kept.
    command_line: Option<Vec<String>>,
    wscheck_version: &'static str,
    /// The machine that measured; null if only the events of the run were kept.
    host: Option<HostFacts>,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// The user ended the run.
    interrupted: bool,
    /// How much of the planned run was done; null if it has no planned end.
    done: Option<DoneDocument>,
    /// The result of the run; the exit code says the same.
    result: Name<RunResult>,
    exit_code: u8,
    /// Why the result is what it is.
    reasons: Vec<String>,
    /// What was demanded of the run, and whether it was met.
    criteria: Vec<CriterionDocument>,
    /// What was learned, the most important first.
    findings: Vec<FindingDocument>,
    /// The figures of the run by name, the same for every command.
    metrics: Vec<MetricDocument>,
    #[serde(flatten)]
    body: B,
    /// The report in words.
    view: ViewDocument,
}

impl<B: DocumentBody> Envelope<B> {
    pub fn new(origin: &RunOrigin, view: View, body: B) -> Envelope<B> {
        let (metrics, words) = (view.metrics.iter().map(MetricDocument::from).collect(), (&view).into());
        Envelope {
            schema_version: SCHEMA_VERSION,
            command: B::COMMAND,
            command_line: (!origin.command_line.is_empty()).then(|| origin.command_line.clone()),
            wscheck_version: WSCHECK_VERSION,
            host: (origin.host != HostFacts::default()).then(|| origin.host.clone()),
            started_at: view.started_at.into(),
            elapsed_ms: view.elapsed,
            interrupted: view.interrupted,
            done: view.done.map(DoneDocument::from),
            result: view.result.into(),
            exit_code: view.result.exit_code(),
            reasons: view.reasons,
            criteria: view.criteria.into_iter().map(CriterionDocument::from).collect(),
            findings: view.findings.into_iter().map(FindingDocument::from).collect(),
            metrics,
            body,
            view: words,
        }
    }

    /// The document, for any format: what writes JSON is compiled for this one type, and not for each document.
    pub fn into_json(self) -> Value {
        serde_json::to_value(&self).unwrap_or_default()
    }
}

/// How much of a planned run was done, by heartbeats or by time; the other two are null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Done"))]
pub struct DoneDocument {
    heartbeats: Option<u64>,
    of_heartbeats: Option<u64>,
    time_ms: Option<Ms>,
    of_time_ms: Option<Ms>,
}

impl From<Done> for DoneDocument {
    fn from(done: Done) -> DoneDocument {
        let none = DoneDocument { heartbeats: None, of_heartbeats: None, time_ms: None, of_time_ms: None };
        match done {
            Done::Heartbeats { done, of } => {
                DoneDocument { heartbeats: Some(done), of_heartbeats: Some(of), ..none }
            }
            Done::Time { done, of } => {
                DoneDocument { time_ms: Some(done.into()), of_time_ms: Some(of.into()), ..none }
            }
        }
    }
}

impl DoneDocument {
    /// How much was done, read back.
    pub fn done(self) -> Option<Done> {
        match (self.heartbeats.zip(self.of_heartbeats), self.time_ms.zip(self.of_time_ms)) {
            (Some((done, of)), _) => Some(Done::Heartbeats { done, of }),
            (None, Some((done, of))) => Some(Done::Time { done: done.into(), of: of.into() }),
            (None, None) => None,
        }
    }
}

document! {
    /// One thing that was demanded, and what was found.
    #[cfg_attr(test, schemars(rename = "Criterion"))]
    struct CriterionDocument from criterion: Criterion {
        /// The option that demands it; null if every run demands it.
        option: Option<Cow<'static, str>> = criterion.option,
        /// What is wanted: `rtt.p95 <= 300ms`.
        wanted: String = criterion.wanted,
        /// What was found, or why it is unknown.
        found: String = criterion.found,
        state: Name<CriterionState> = criterion.state,
    }
}

document! {
    /// One thing that was learned.
    #[cfg_attr(test, schemars(rename = "Finding"))]
    struct FindingDocument from finding: ShownFinding {
        code: FindingCode = FindingCode(finding.code),
        severity: Name<Severity> = finding.severity,
        /// The target or connection that it is about; null if it is about the whole run.
        about: Option<String> = finding.about,
        message: String = finding.explanation.message,
        /// What to do about it; null where nothing needs to be done.
        remedy: Option<String> = finding.explanation.remedy,
        /// The figures and names behind it; which ones depends on the code.
        data: Map<String, Value> = finding.explanation.data,
    }
}
