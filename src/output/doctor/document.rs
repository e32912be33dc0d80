//! The JSON document of `doctor`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::parts::parts;
use super::view::{explain, explain_main};
use super::{answer, feature_findings};
use crate::domain::doctor::feature_trial::{self, FeatureTrial};
use crate::domain::doctor::report::{Depth, DoctorInfo, DoctorReport, ExaminedPath};
use crate::domain::doctor::{Category, CheckResult, DoctorFinding, FeatureRtts, browser_features};
use crate::domain::label::Label;
use crate::output::envelope::DocumentBody;
use crate::output::finding_code::FindingCode;
use crate::output::json::document;
use crate::output::json::{Ms, Name};
use crate::output::view::Explanation;

/// What `wscheck doctor -o json` prints.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// What came of an offer of HTTP/2, as browsers make it; null: it was not tried, as without TLS.
    http2: Option<Http2Document>,
    /// What came of an offer of compression, as browsers make it; null: it was not tried.
    compression: Option<CompressionDocument>,
    /// The documents of the runs that the checks rest on, by command.
    #[cfg_attr(test, schemars(schema_with = "measurements_schema"))]
    measurements: BTreeMap<&'static str, Value>,
}

document! {
    /// The settings of the run.
    pub struct DoctorSettings from info: &DoctorInfo {
        depth: Name<Depth> = info.depth,
        /// The run ends by then.
        budget_ms: Ms = info.budget,
        /// The longest silence that is tried.
        longest_silence_ms: Ms = info.longest_silence,
        /// Warnings fail the run.
        strict: bool = info.strict,
    }

    /// What came of an offer of HTTP/2.
    #[cfg_attr(test, schemars(rename = "Http2Trial"))]
    #[cfg_attr(test, schemars(deny_unknown_fields))]
    pub struct Http2Document from trial: &FeatureTrial {
        /// Whether the server chose HTTP/2; null: it is not known.
        chosen: Option<bool> = browser_features::is_chosen(trial),
        /// Whether the server allows WebSockets on it (SETTINGS_ENABLE_CONNECT_PROTOCOL); null: it is not known.
        websockets_allowed: Option<bool> = browser_features::is_allowed(trial),
        /// The median RTT over HTTP/2; null: no heartbeat was answered on it.
        http2_rtt_ms: Option<Ms> = rtts(trial).and_then(|rtts| rtts.with).map(Ms::from),
        /// The same over HTTP/1.1 at the same time.
        http1_rtt_ms: Option<Ms> = rtts(trial).and_then(|rtts| rtts.without).map(Ms::from),
        /// Why the first attempt failed; null: it did not.
        error: Option<String> = feature_trial::failure(&trial.with).as_ref().map(feature_findings::words),
    }

    /// What came of an offer of compression (permessage-deflate, RFC 7692).
    #[cfg_attr(test, schemars(rename = "CompressionTrial"))]
    #[cfg_attr(test, schemars(deny_unknown_fields))]
    pub struct CompressionDocument from trial: &FeatureTrial {
        /// What the server agreed to; null: nothing.
        agreed: Option<String> = browser_features::agreed(trial).map(str::to_string),
        /// Why the first attempt failed; null: it did not.
        error: Option<String> = feature_trial::failure(&trial.with).as_ref().map(feature_findings::words),
    }

    /// One of several paths.
    #[cfg_attr(test, schemars(rename = "Hop"))]
    pub struct HopDocument from (report, path): (&DoctorReport, &ExaminedPath) {
        name: String = path.info.name.clone(),
        /// Where it connects to; null for where the URL says.
        address: Option<String> = path.info.address.clone(),
        checks: Vec<CheckResultDocument> = Vec::from_iter(
            path.results.iter().map(|result| CheckResultDocument::new(result, explain(report, path, result)))
        ),
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "CheckResult"))]
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
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ConfigChange"))]
pub struct ChangeDocument {
    /// The product's id, as `wscheck products` takes it.
    product: String,
    /// Where the lines belong.
    place: String,
    lines: Vec<String>,
}

/// The medians, where HTTP/2 was used.
fn rtts(trial: &FeatureTrial) -> Option<FeatureRtts> {
    let is_chosen = browser_features::is_chosen(trial) == Some(true);
    is_chosen.then(|| browser_features::rtts(trial))
}

/// Documents of the whole schema.
#[cfg(test)]
fn measurements_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object", "additionalProperties": { "$ref": "#", "required": ["view"] } })
}

impl DocumentBody for DoctorDocument {
    const COMMAND: &'static str = "doctor";
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
        let hop = |path: &ExaminedPath| HopDocument::from((report, path));
        let headline = answer::headline(report, |result| explain_main(report, result).message).text();
        let has_hops = report.paths.len() > 1;
        let parts = report.main_path().map(parts).unwrap_or_default();
        let evidence = report.main_path().map(|path| &path.evidence);
        DoctorDocument {
            url: report.info.url.clone(),
            settings: report.info.as_ref().into(),
            answer: std::iter::once(headline).chain(answer::further_lines(report)).collect(),
            checks: report.results().iter().map(main).collect(),
            hops: report.paths.iter().filter(|_| has_hops).map(hop).collect(),
            http2: evidence.and_then(|evidence| evidence.http2.as_deref()).map(Http2Document::from),
            compression: evidence
                .and_then(|evidence| evidence.compression.as_deref())
                .map(CompressionDocument::from),
            measurements: parts.into_iter().map(|part| (part.command, part.document)).collect(),
        }
    }
}
