//! An archived run: what its JSON document keeps, read again.

use std::time::SystemTime;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use strum::IntoEnumIterator;
use thiserror::Error;

use super::envelope::{HostFacts, RunOrigin};
use super::finished_run::FinishedRun;
use super::json::{Ms, SCHEMA_VERSION};
use super::view::{Explanation, MetricDocument, Part, ShownFinding, View, ViewDocument};
use crate::domain::compare::{RttSample, RunFigures};
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::finding::Severity;
use crate::domain::run::metric::MetricValue;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::decoded;

/// Why a text is no archived run.
#[derive(Debug, Error)]
pub enum ArchiveError {
    #[error("it is empty")]
    Empty,
    #[error("it is not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("it is cut off in the middle of its document: {0}")]
    Incomplete(serde_json::Error),
    #[error("it is an error of wscheck: {0}")]
    ErrorDocument(String),
    #[error("the run was cut off: its last line is the event '{0}', and no report follows")]
    CutOff(String),
    #[error("it has schema_version {0}, and this wscheck reads {SCHEMA_VERSION}")]
    OtherVersion(Value),
    #[error("it is no report of wscheck: {0}")]
    NoReport(String),
}

#[derive(Deserialize)]
#[serde(expecting = "a document of wscheck")]
struct ArchivedEnvelope {
    command: String,
    command_line: Option<Vec<String>>,
    host: Option<HostFacts>,
    started_at: String,
    elapsed_ms: Ms,
    interrupted: bool,
    result: String,
    exit_code: u8,
    reasons: Vec<String>,
    criteria: Vec<ArchivedCriterion>,
    findings: Vec<ArchivedFinding>,
    metrics: Vec<MetricDocument>,
    view: ViewDocument,
}

#[derive(Deserialize)]
struct ArchivedCheck {
    name: String,
    command: String,
    target: String,
    result: String,
    exit_code: u8,
    not_run: Option<ArchivedReason>,
    report: Option<Value>,
}

#[derive(Deserialize)]
struct ArchivedReason {
    at: String,
    reason: String,
}

#[derive(Deserialize)]
struct ArchivedCriterion {
    option: Option<String>,
    wanted: String,
    found: String,
    state: String,
}

#[derive(Deserialize)]
struct ArchivedFinding {
    code: String,
    severity: String,
    about: Option<String>,
    message: String,
    remedy: Option<String>,
    data: Map<String, Value>,
}

/// Reads a document of `-o json`, or the lines of `-o ndjson`: of a run that was cut off, the last report so far.
///
/// # Errors
///
/// The text is no report, or of another version.
pub fn read(text: &str) -> Result<FinishedRun, ArchiveError> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value {
            Ok(value) => values.push(value),
            // The last line of a run that was cut off may be a part of one.
            Err(error) if error.is_eof() && !values.is_empty() => break,
            Err(error) if error.is_eof() => return Err(ArchiveError::Incomplete(error)),
            Err(error) => return Err(ArchiveError::NotJson(error)),
        }
    }
    let report =
        values.iter().rposition(|value| value.get("view").is_some() || value.get("report").is_some());
    match report {
        Some(index) => {
            let value = values.swap_remove(index);
            let is_interim = value.get("report").is_some();
            let run = from_document(harmless(report_of(value), false))?;
            Ok(if is_interim { so_far(run) } else { run })
        }
        None => Err(without_report(values.last())),
    }
}

/// The report in an archived run, not yet read: so that one of very many documents costs no more than it must.
#[derive(Debug, Clone, Copy)]
pub struct UnreadReport<'a> {
    /// The document, or the interim line of NDJSON that has it.
    pub json: &'a str,
    /// It is an interim line, after which the run was cut off.
    pub is_interim: bool,
}

/// What a line says of itself.
#[derive(Deserialize)]
struct LineHead {
    schema_version: Option<Value>,
    command: Option<Value>,
    view: Option<IgnoredAny>,
    report: Option<ReportHead>,
}

#[derive(Deserialize)]
struct ReportHead {
    schema_version: Option<Value>,
    command: Option<Value>,
}

/// Finds the report in a document of `-o json`, or in the lines of `-o ndjson`, and the command of the run.
///
/// # Errors
///
/// The text is no report, or of another version.
pub fn find_report(text: &str) -> Result<(String, UnreadReport<'_>), ArchiveError> {
    let Some((head, json)) = last_report(text) else {
        // To read it whole says why.
        return Err(read(text).err().unwrap_or(ArchiveError::Empty));
    };
    let is_interim = head.view.is_none();
    let (version, command) = match head.report {
        Some(report) if is_interim => (report.schema_version, report.command),
        _ => (head.schema_version, head.command),
    };
    if version.as_ref().is_none_or(|version| *version != SCHEMA_VERSION) {
        return Err(ArchiveError::OtherVersion(version.unwrap_or_default()));
    }
    let command = command.as_ref().and_then(Value::as_str).unwrap_or_default();
    Ok((without_controls(command, false), UnreadReport { json, is_interim }))
}

fn last_report(text: &str) -> Option<(LineHead, &str)> {
    let mut lines = serde_json::Deserializer::from_str(text).into_iter::<LineHead>();
    let (mut found, mut start) = (None, 0);
    while let Some(line) = lines.next() {
        match line {
            Ok(head) => {
                if head.view.is_some() || head.report.is_some() {
                    found = Some((head, &text[start..lines.byte_offset()]));
                }
                start = lines.byte_offset();
            }
            // The last line of a run that was cut off may be a part of one.
            Err(error) if error.is_eof() => break,
            Err(_) => return None,
        }
    }
    found
}

/// What follows the headline of a run that was cut off.
pub const CUT_OFF: &str = " (so far: the run was cut off)";

/// The last report of a run that was cut off is no result.
fn so_far(mut run: FinishedRun) -> FinishedRun {
    let view = &mut run.view;
    view.interrupted = true;
    view.headline.rest += CUT_OFF;
    if view.result == RunResult::Passed {
        view.result = RunResult::Interrupted { measured: true };
        view.reasons.insert(0, "cut off".to_string());
    }
    run
}

/// Escapes control and invisible characters in every text of a document, since anybody may have written the file. Newlines
/// stay in the cells of tables.
fn harmless(value: Value, is_cell: bool) -> Value {
    match value {
        Value::String(text) => Value::String(without_controls(&text, is_cell)),
        Value::Array(values) => values.into_iter().map(|value| harmless(value, is_cell)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let is_cell = name == "text" && value.is_string();
                (without_controls(&name, false), harmless(value, is_cell))
            })
            .collect(),
        other => other,
    }
}

/// An interim line of NDJSON has the report so far in `report`.
fn report_of(mut value: Value) -> Value {
    match value.get_mut("report") {
        Some(report) if report.is_object() => report.take(),
        _ => value,
    }
}

/// The error may quote the file.
fn no_report(error: &serde_json::Error) -> ArchiveError {
    ArchiveError::NoReport(without_controls(&error.to_string(), false))
}

fn without_report(last: Option<&Value>) -> ArchiveError {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_string);
    let Some(last) = last else { return ArchiveError::Empty };
    match (text(last, "event"), last.get("error").and_then(|error| text(error, "message"))) {
        (Some(event), _) => ArchiveError::CutOff(event),
        (None, Some(message)) => ArchiveError::ErrorDocument(message),
        (None, None) => match last.get("schema_version") {
            Some(version) if *version != SCHEMA_VERSION => ArchiveError::OtherVersion(version.clone()),
            _ => match serde_json::from_value::<ArchivedEnvelope>(last.clone()) {
                Err(error) => no_report(&error),
                Ok(_) => ArchiveError::Empty,
            },
        },
    }
}

fn from_document(document: Value) -> Result<FinishedRun, ArchiveError> {
    match document.get("schema_version") {
        Some(version) if *version == SCHEMA_VERSION => {}
        version => return Err(ArchiveError::OtherVersion(version.cloned().unwrap_or_default())),
    }
    let envelope: ArchivedEnvelope =
        serde_json::from_value(document.clone()).map_err(|error| no_report(&error))?;
    let is_name =
        |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c));
    let names = envelope.metrics.iter().map(MetricDocument::name).chain([envelope.command.as_str()]);
    if let Some(other) = names.into_iter().find(|name| !is_name(name)) {
        return Err(ArchiveError::NoReport(format!("'{other}' is no name")));
    }
    let result = run_result(&envelope.result, envelope.exit_code)?;
    let origin = RunOrigin {
        command_line: envelope.command_line.clone().unwrap_or_default(),
        host: envelope.host.clone().unwrap_or_default(),
    };
    let parts = parts(&document)?;
    let command = envelope.command.clone();
    Ok(FinishedRun { command, origin, view: view(envelope, result, parts), document })
}

/// The checks of a run of several.
fn parts(document: &Value) -> Result<Vec<Part>, ArchiveError> {
    let checks = document.get("checks").and_then(Value::as_array).into_iter().flatten();
    checks.map(part).collect()
}

fn part(check: &Value) -> Result<Part, ArchiveError> {
    let check: ArchivedCheck = serde_json::from_value(check.clone()).map_err(|error| no_report(&error))?;
    let view = match (check.report, check.not_run) {
        (Some(report), _) => from_document(report)?.view,
        (None, Some(why)) => {
            let result = run_result(&check.result, check.exit_code)?;
            View::not_run(check.target, instant(&why.at), result, ("not run", &why.reason))
        }
        (None, None) => return Err(ArchiveError::NoReport(format!("'{}' has no report", check.name))),
    };
    Ok(Part { name: check.name, command: check.command, view })
}

/// The result of this name; the exit code tells whether an interrupted run had measured anything.
fn run_result(name: &str, exit_code: u8) -> Result<RunResult, ArchiveError> {
    match RunResult::iter().find(|result| result.label() == name) {
        Some(RunResult::Interrupted { .. }) => Ok(RunResult::Interrupted { measured: exit_code == 4 }),
        Some(result) => Ok(result),
        None => Err(ArchiveError::NoReport(format!("'{name}' is no result"))),
    }
}

/// The figures of an archived run, with the distributions of its RTTs if it has them.
pub fn figures(run: &FinishedRun) -> RunFigures {
    RunFigures { metrics: run.view.metrics.clone(), rtts: rtts(&run.document) }
}

/// The RTTs of each target and kind of heartbeat, of a document of `ping`.
fn rtts(document: &Value) -> Vec<RttSample> {
    let targets = document.get("targets").and_then(Value::as_array).into_iter().flatten();
    let samples = targets.flat_map(|target| {
        let url = target.get("url").and_then(Value::as_str).unwrap_or_default();
        let kinds = target.get("heartbeats").and_then(Value::as_object).into_iter().flatten();
        kinds.filter_map(move |(kind, figures)| {
            let data = figures.get("rtt_histogram")?.get("data")?.as_str()?;
            let labels = [("kind".into(), kind.clone()), ("target".into(), url.to_string())].into();
            Some(RttSample { labels, counts: decoded(data)? })
        })
    });
    samples.collect()
}

fn view(envelope: ArchivedEnvelope, result: RunResult, parts: Vec<Part>) -> View {
    let words = envelope.view;
    let in_headline = |code: &String| words.headline_findings.contains(code);
    let findings = envelope.findings.into_iter().map(|finding| finding.shown(in_headline)).collect();
    View {
        interrupted: envelope.interrupted,
        is_already_said: words.is_already_said,
        headline: words.headline,
        reasons: envelope.reasons,
        criteria: envelope.criteria.into_iter().map(Criterion::from).collect(),
        findings,
        is_checklist: words.is_checklist,
        evidence: words.evidence,
        tables: words.tables,
        charts: words.charts,
        sections: words.sections,
        about_run: words.about_run,
        metrics: envelope.metrics.into_iter().map(MetricValue::from).collect(),
        parts,
        ..View::new(words.subject, instant(&envelope.started_at), envelope.elapsed_ms, result)
    }
}

fn instant(text: &str) -> SystemTime {
    text.parse::<jiff::Timestamp>().map_or(SystemTime::UNIX_EPOCH, SystemTime::from)
}

impl From<ArchivedCriterion> for Criterion {
    fn from(archived: ArchivedCriterion) -> Criterion {
        let state = CriterionState::iter().find(|state| state.label() == archived.state);
        Criterion {
            option: archived.option.map(Into::into),
            wanted: archived.wanted,
            found: archived.found,
            state: state.unwrap_or(CriterionState::Unknown),
        }
    }
}

impl ArchivedFinding {
    fn shown(self, in_headline: impl Fn(&String) -> bool) -> ShownFinding {
        let severity = Severity::iter().find(|severity| severity.label() == self.severity);
        ShownFinding {
            in_headline: in_headline(&self.code),
            code: self.code.into(),
            severity: severity.unwrap_or(Severity::Info),
            about: self.about,
            explanation: Explanation {
                message: self.message,
                remedy: self.remedy,
                data: self.data,
                ..Explanation::default()
            },
        }
    }
}
