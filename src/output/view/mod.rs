//! What every report says, whatever the command: the formats that know no command, and the envelope of the JSON
//! document, are made of it.
//!
//! A command fills a [`View`]; a format reads it. Neither knows the other.

mod chart;
pub mod connection;
mod document;
mod finding;
mod phrase;
mod section;
mod table;

use std::time::{Duration, SystemTime};

pub use chart::{
    Chart, ChartInterval, Distribution, Lane, Lanes, RttOverTime, RttRange, Track, TrackSpan, Tracks,
};
pub use document::{MetricDocument, UnitName, ViewDocument};
pub use finding::{Explanation, ShownFinding, most_severe_first};
pub use phrase::{Phrase, Tone};
pub use section::{Row, Rows, Section};
pub use table::{Cell, Column, Table};

use crate::domain::run::criterion::Criterion;
use crate::domain::run::done::Done;
use crate::domain::run::metric::MetricValue;
use crate::domain::run::run_result::RunResult;
use crate::output::json::Ms;

/// A run that is over.
#[derive(Debug, Clone)]
pub struct View {
    /// What was examined: a URL, or the number of targets.
    pub subject: String,
    pub started_at: SystemTime,
    /// How long the run took, as its document says: every format, and an archived run too, shows the same figure.
    pub elapsed: Ms,
    /// The user ended the run.
    pub interrupted: bool,
    /// How much of what was asked for was done; `None` if the run has no planned end.
    pub done: Option<Done>,
    /// Nothing was measured, and the errors while it ran said why: people need no report.
    pub is_already_said: bool,
    /// The answer in one line.
    pub headline: Phrase,
    pub result: RunResult,
    /// Why the result is what it is, as fragments.
    pub reasons: Vec<String>,
    pub criteria: Vec<Criterion>,
    pub findings: Vec<ShownFinding>,
    /// The findings are a checklist: all are shown, in their order, under what each is about.
    pub is_checklist: bool,
    /// The evidence for the answer.
    pub evidence: Rows,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
    /// Details: one section for each target.
    pub sections: Vec<Section>,
    /// How the run was measured.
    pub about_run: Rows,
    pub metrics: Vec<MetricValue>,
    /// The runs that it sums up; formats that keep runs apart show these.
    pub parts: Vec<Part>,
}

impl View {
    /// A view that says nothing yet but what was examined, when, and how it ended.
    pub fn new(
        subject: impl Into<String>,
        started_at: SystemTime,
        elapsed: impl Into<Ms>,
        result: RunResult,
    ) -> View {
        View {
            subject: subject.into(),
            started_at,
            elapsed: elapsed.into(),
            interrupted: false,
            done: None,
            is_already_said: false,
            headline: Phrase::default(),
            result,
            reasons: Vec::new(),
            criteria: Vec::new(),
            findings: Vec::new(),
            is_checklist: false,
            evidence: Rows::default(),
            tables: Vec::new(),
            charts: Vec::new(),
            sections: Vec::new(),
            about_run: Rows::default(),
            metrics: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// The criteria that the user demanded.
    pub fn demanded(&self) -> impl Iterator<Item = &Criterion> {
        self.criteria.iter().filter(|criterion| criterion.option.is_some())
    }

    /// What to do about the findings that the headline says.
    pub fn remedies(&self) -> impl Iterator<Item = &String> {
        let in_headline = self.findings.iter().filter(|finding| finding.in_headline);
        in_headline.filter_map(|finding| finding.explanation.remedy.as_ref())
    }

    /// The findings that the headline does not say.
    pub fn other_findings(&self) -> impl Iterator<Item = &ShownFinding> {
        self.findings.iter().filter(|finding| !finding.in_headline)
    }

    /// A run that measured nothing: the claim says so, and `why` is a fragment.
    pub fn not_run(
        subject: String,
        started_at: SystemTime,
        result: RunResult,
        (claim, why): (&str, &str),
    ) -> View {
        View {
            interrupted: matches!(result, RunResult::Interrupted { .. }),
            headline: Phrase::new(claim, Tone::Bad, format!(": {why}")),
            reasons: vec![why.to_string()],
            ..View::new(subject, started_at, Duration::ZERO, result)
        }
    }
}

/// One of several runs under one report.
#[derive(Debug, Clone)]
pub struct Part {
    /// Unique among the parts.
    pub name: String,
    pub command: String,
    pub view: View,
}
