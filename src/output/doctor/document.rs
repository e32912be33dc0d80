//! The JSON document of `doctor`.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer;
use super::parts::parts;
use super::view::{explain, explain_main};
use crate::domain::doctor::report::{Depth, DoctorInfo, DoctorReport, ExaminedPath};
use crate::domain::doctor::{Category, CheckResult, DoctorFinding};
use crate::domain::label::Label;
use crate::output::envelope::DocumentBody;
use crate::output::finding_codes::FindingCode;
use crate::output::json::{Ms, Name};
use crate::output::view::Explanation;

/// What `wscheck doctor -o json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// The target, with secrets redacted.
    url: String,
    settings: DoctorSettings,
    /// The answer in at most five lines.
    answer: Vec<String>,
    /// What each check of the URL itself found, and what follows from several.
    checks: Vec<CheckResultDocument>,
    /// The same for each path that was compared, the nearest to the server first; empty without `--via` and
    /// `--each-address`.
    hops: Vec<HopDocument>,
    /// The documents of the runs that the checks rest on, by command.
    #[schemars(schema_with = "measurements_schema")]
    measurements: BTreeMap<&'static str, Value>,
}

/// The settings of the run.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct DoctorSettings {
    depth: Name<Depth>,
    /// The run ends by then.
    budget_ms: Ms,
    /// The longest silence that is tried.
    longest_silence_ms: Ms,
    /// Warnings fail the run.
    strict: bool,
}

/// What one check found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "CheckResult")]
pub struct CheckResultDocument {
    /// The check, as `--only` takes it.
    id: &'static str,
    category: Name<Category>,
    code: FindingCode,
    /// `ok`, `info`, `warning`, `problem`, or `not_checked`.
    severity: &'static str,
    message: String,
    /// The figures and names behind it; which ones depends on the code.
    data: Map<String, Value>,
    /// What to do about it; null where nothing needs to be done.
    remedy: Option<String>,
    /// Lines of configuration that mend it, by product.
    changes: Vec<ChangeDocument>,
    /// A command that shows whether it is mended.
    verify: Option<String>,
}

/// Lines of configuration for a product.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ConfigChange")]
pub struct ChangeDocument {
    /// The product's id, as `wscheck products` takes it.
    product: String,
    /// Where the lines belong.
    place: String,
    lines: Vec<String>,
}

/// One of several paths.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Hop")]
pub struct HopDocument {
    name: String,
    /// Where it connects to; null for where the URL says.
    address: Option<String>,
    checks: Vec<CheckResultDocument>,
}

/// Documents of the whole schema.
fn measurements_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "additionalProperties": { "$ref": "#", "required": ["view"] } })
}

impl DocumentBody for DoctorDocument {
    const COMMAND: &'static str = "doctor";
}

impl From<&DoctorInfo> for DoctorSettings {
    fn from(info: &DoctorInfo) -> DoctorSettings {
        DoctorSettings {
            depth: info.depth.into(),
            budget_ms: info.budget.into(),
            longest_silence_ms: info.longest_silence.into(),
            strict: info.strict,
        }
    }
}

impl CheckResultDocument {
    /// A result in words.
    pub fn new(result: &CheckResult, explanation: Explanation) -> CheckResultDocument {
        let Explanation { message, remedy, mut data, .. } = explanation;
        let changes = data.remove("changes").map(changes).unwrap_or_default();
        let verify = data.remove("verify").and_then(|verify| verify.as_str().map(str::to_string));
        let is_unchecked = matches!(result.finding, DoctorFinding::NotChecked(_));
        CheckResultDocument {
            id: result.check.into(),
            category: result.check.category().into(),
            code: FindingCode(result.finding.code().into()),
            severity: if is_unchecked { "not_checked" } else { result.severity.label() },
            message,
            data,
            remedy,
            changes,
            verify,
        }
    }
}

fn changes(value: Value) -> Vec<ChangeDocument> {
    let text = |change: &Value, name: &str| change[name].as_str().unwrap_or_default().to_string();
    let lines = |change: &Value| {
        let lines = change["lines"].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(|line| line.as_str().map(str::to_string)).collect()
    };
    let all = value.as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|change| ChangeDocument {
            product: text(change, "product"),
            place: text(change, "place"),
            lines: lines(change),
        })
        .collect()
}

impl From<&DoctorReport> for DoctorDocument {
    fn from(report: &DoctorReport) -> DoctorDocument {
        let main = |result: &&CheckResult| CheckResultDocument::new(result, explain_main(report, result));
        let hop = |path: &ExaminedPath| HopDocument {
            name: path.info.name.clone(),
            address: path.info.address.clone(),
            checks: path
                .results
                .iter()
                .map(|result| CheckResultDocument::new(result, explain(report, path, result)))
                .collect(),
        };
        let headline = answer::headline(report, |result| explain_main(report, result).message).text();
        let has_hops = report.paths.len() > 1;
        let parts = report.main_path().map(parts).unwrap_or_default();
        DoctorDocument {
            url: report.info.url.clone(),
            settings: report.info.as_ref().into(),
            answer: std::iter::once(headline).chain(answer::further_lines(report)).collect(),
            checks: report.results().iter().map(main).collect(),
            hops: report.paths.iter().filter(|_| has_hops).map(hop).collect(),
            measurements: parts.into_iter().map(|part| (part.command, part.document)).collect(),
        }
    }
}
