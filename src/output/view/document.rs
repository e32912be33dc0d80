//! The parts of a view that its JSON document keeps, so that an archived run can be shown in any format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Chart, Phrase, Rows, Section, Table, View};
use crate::domain::run::metric::{AlertBound, MetricUnit, MetricValue};

/// The report in words: what formats for people show. Its texts may change; scripts read the other fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "View")]
pub struct ViewDocument {
    /// What was examined: a URL, or the number of targets.
    pub subject: String,
    pub is_already_said: bool,
    /// The answer in one line.
    pub headline: Phrase,
    /// The codes of the findings that the headline says.
    pub headline_findings: Vec<String>,
    /// The findings are a checklist: what each is about is its heading.
    #[serde(default)]
    pub is_checklist: bool,
    pub evidence: Rows,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
    /// Details: one section for each target.
    pub sections: Vec<Section>,
    /// How the run was measured.
    pub about_run: Rows,
}

impl From<&View> for ViewDocument {
    fn from(view: &View) -> ViewDocument {
        let in_headline = view.findings.iter().filter(|finding| finding.in_headline);
        ViewDocument {
            subject: view.subject.clone(),
            is_already_said: view.is_already_said,
            headline: view.headline.clone(),
            headline_findings: in_headline.map(|finding| finding.code.to_string()).collect(),
            is_checklist: view.is_checklist,
            evidence: view.evidence.clone(),
            tables: view.tables.clone(),
            charts: view.charts.clone(),
            sections: view.sections.clone(),
            about_run: view.about_run.clone(),
        }
    }
}

/// A figure of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Metric")]
pub struct MetricDocument {
    /// Dotted, as in `--fail-if`: `rtt.p95`.
    name: String,
    unit: UnitName,
    meaning: String,
    /// What it is about, such as the `target`.
    labels: BTreeMap<String, String>,
    /// In seconds, a fraction of 1, a number or days; null if there is no such figure.
    value: Option<f64>,
    /// Where a `--warn` begins to be true; null without one.
    warn: Option<BoundDocument>,
    /// Where a `--fail-if` begins to be true; null without one.
    crit: Option<BoundDocument>,
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Unit")]
pub enum UnitName {
    Seconds,
    Ratio,
    Count,
    Days,
}

/// Where an alert begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Bound")]
enum BoundDocument {
    Above(f64),
    Below(f64),
}

impl MetricDocument {
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<&MetricValue> for MetricDocument {
    fn from(metric: &MetricValue) -> MetricDocument {
        let labels = metric.labels.iter().map(|(name, value)| (name.to_string(), value.clone()));
        MetricDocument {
            name: metric.name.to_string(),
            unit: metric.unit.into(),
            meaning: metric.meaning.to_string(),
            labels: labels.collect(),
            value: metric.value,
            warn: metric.warn.map(BoundDocument::from),
            crit: metric.crit.map(BoundDocument::from),
        }
    }
}

impl From<MetricDocument> for MetricValue {
    fn from(metric: MetricDocument) -> MetricValue {
        MetricValue {
            name: metric.name.into(),
            unit: metric.unit.into(),
            meaning: metric.meaning.into(),
            labels: metric.labels.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(),
            value: metric.value,
            warn: metric.warn.map(AlertBound::from),
            crit: metric.crit.map(AlertBound::from),
        }
    }
}

impl From<MetricUnit> for UnitName {
    fn from(unit: MetricUnit) -> UnitName {
        match unit {
            MetricUnit::Time => UnitName::Seconds,
            MetricUnit::Share => UnitName::Ratio,
            MetricUnit::Count => UnitName::Count,
            MetricUnit::Days => UnitName::Days,
        }
    }
}

impl From<UnitName> for MetricUnit {
    fn from(unit: UnitName) -> MetricUnit {
        match unit {
            UnitName::Seconds => MetricUnit::Time,
            UnitName::Ratio => MetricUnit::Share,
            UnitName::Count => MetricUnit::Count,
            UnitName::Days => MetricUnit::Days,
        }
    }
}

impl From<AlertBound> for BoundDocument {
    fn from(bound: AlertBound) -> BoundDocument {
        match bound {
            AlertBound::Above(limit) => BoundDocument::Above(limit),
            AlertBound::Below(limit) => BoundDocument::Below(limit),
        }
    }
}

impl From<BoundDocument> for AlertBound {
    fn from(bound: BoundDocument) -> AlertBound {
        match bound {
            BoundDocument::Above(limit) => AlertBound::Above(limit),
            BoundDocument::Below(limit) => AlertBound::Below(limit),
        }
    }
}
