//! The parts of a view that its JSON document keeps, so that an archived run can be shown in any format.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Chart, Phrase, Rows, Section, Table, View};
use crate::domain::run::metric::{AlertBound, MetricUnit, MetricValue};
use crate::output::json::document;

document! {
    /// The report in words: what formats for people show. Its texts may change; scripts read the other fields.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "View"))]
    pub struct ViewDocument from view: &View {
        /// What was examined: a URL, or the number of targets.
        pub subject: String = view.subject.clone(),
        pub is_already_said: bool = view.is_already_said,
        /// The answer in one line.
        pub headline: Phrase = view.headline.clone(),
        /// The codes of the findings that the headline says.
        pub headline_findings: Vec<String> = view
            .findings
            .iter()
            .filter(|finding| finding.in_headline)
            .map(|finding| finding.code.to_string())
            .collect::<Vec<String>>(),
        /// The findings are a checklist: what each is about is its heading.
        #[serde(default)]
        pub is_checklist: bool = view.is_checklist,
        pub evidence: Rows = view.evidence.clone(),
        pub tables: Vec<Table> = view.tables.clone(),
        pub charts: Vec<Chart> = view.charts.clone(),
        /// Details: one section for each target.
        pub sections: Vec<Section> = view.sections.clone(),
        /// How the run was measured.
        pub about_run: Rows = view.about_run.clone(),
    }
}

document! {
    /// A figure of the run.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Metric"))]
    pub struct MetricDocument from metric: &MetricValue {
        /// Dotted, as in `--fail-if`: `rtt.p95`.
        name: String = metric.name.to_string(),
        #[serde(with = "UnitName")]
        unit: MetricUnit = metric.unit,
        meaning: String = metric.meaning.to_string(),
        /// What it is about, such as the `target`.
        labels: BTreeMap<String, String> =
            metric.labels.iter().map(|(name, value)| (name.to_string(), value.clone())).collect::<BTreeMap<String, String>>(),
        /// In seconds, a fraction of 1, a number or days; null if there is no such figure.
        value: Option<f64> = metric.value,
        /// Where a `--warn` begins to be true; null without one.
        warn: Option<BoundDocument> = metric.warn.map(BoundDocument::from),
        /// Where a `--fail-if` begins to be true; null without one.
        crit: Option<BoundDocument> = metric.crit.map(BoundDocument::from),
    }
}

/// The unit of a figure.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(remote = "MetricUnit")]
#[cfg_attr(test, schemars(rename = "Unit"))]
pub enum UnitName {
    #[serde(rename = "seconds")]
    Time,
    #[serde(rename = "ratio")]
    Share,
    #[serde(rename = "count")]
    Count,
    #[serde(rename = "days")]
    Days,
}

/// Where an alert begins.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "Bound"))]
enum BoundDocument {
    Above(f64),
    Below(f64),
}

impl MetricDocument {
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl From<MetricDocument> for MetricValue {
    fn from(metric: MetricDocument) -> MetricValue {
        MetricValue {
            name: metric.name.into(),
            unit: metric.unit,
            meaning: metric.meaning.into(),
            labels: metric.labels.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(),
            value: metric.value,
            warn: metric.warn.map(AlertBound::from),
            crit: metric.crit.map(AlertBound::from),
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
