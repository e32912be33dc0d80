//! The JSON document of several checks: each with its own document.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::report::{CheckOutcome, ChecksReport, FinishedCheck};
use crate::domain::run::run_result::RunResult;
use crate::output::envelope::DocumentBody;
use crate::output::json::{Name, Timestamp};

/// What `wscheck run -o json` prints beside the envelope.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChecksDocument {
    /// The file that lists the checks.
    file: String,
    /// In the order of the file.
    checks: Vec<CheckDocument>,
}

impl DocumentBody for ChecksDocument {
    const COMMAND: &'static str = "run";
}

/// A check.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CheckDocument {
    name: String,
    command: String,
    /// The URL, or the number of targets.
    target: String,
    labels: BTreeMap<String, String>,
    result: Name<RunResult>,
    exit_code: u8,
    /// Why it did not run; null if it ran.
    not_run: Option<NotRunDocument>,
    /// The check's own document; null if it did not run.
    #[cfg_attr(test, schemars(schema_with = "report_schema"))]
    report: Option<Value>,
}

/// Why a check did not run.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "NotRun"))]
pub struct NotRunDocument {
    at: Timestamp,
    reason: String,
}

/// One of the documents of the whole schema.
#[cfg(test)]
fn report_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "anyOf": [{ "$ref": "#", "required": ["view"] }, { "type": "null" }] })
}

impl From<&ChecksReport> for ChecksDocument {
    fn from(report: &ChecksReport) -> ChecksDocument {
        let checks = report.checks.iter().map(|check| CheckDocument::from(check.as_ref()));
        ChecksDocument { file: report.file.clone(), checks: checks.collect() }
    }
}

impl From<&FinishedCheck> for CheckDocument {
    fn from(check: &FinishedCheck) -> CheckDocument {
        let identity = check.identity.clone();
        let (not_run, report) = match &check.outcome {
            CheckOutcome::Ran(run) => (None, Some(run.document.clone())),
            CheckOutcome::NotRun { at, reason, .. } => {
                (Some(NotRunDocument { at: (*at).into(), reason: reason.clone() }), None)
            }
        };
        CheckDocument {
            name: identity.name,
            command: identity.command,
            target: identity.target,
            labels: identity.labels,
            result: check.result().into(),
            exit_code: check.result().exit_code(),
            not_run,
            report,
        }
    }
}
