//! What `compare` shows: each figure before and after.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::envelope::{DocumentBody, RunOrigin};
use super::finished_run::FinishedRun;
use super::json::{Name, document};
use super::view::{Cell, Column, Phrase, Rows, Table, Tone, UnitName, View};
use crate::domain::compare::{Change, Significance, result, signed_percent};
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::metric::MetricUnit;

/// What `wscheck compare -o json` prints beside the envelope.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CompareDocument {
    /// The file of the first run.
    before: String,
    /// The file of the second run.
    after: String,
    /// Every figure that both runs have.
    changes: Vec<ChangeDocument>,
}

impl DocumentBody for CompareDocument {
    const COMMAND: &'static str = "compare";
}

document! {
    /// One figure of both runs.
    pub struct ChangeDocument from change: &Change {
        /// Dotted, as in `--fail-if`: `rtt.p95`.
        name: Cow<'static, str> = change.name.clone(),
        #[serde(with = "UnitName")]
        unit: MetricUnit = change.unit,
        labels: BTreeMap<String, String> =
            change.labels.iter().map(|(name, value)| (name.to_string(), value.clone())).collect::<BTreeMap<String, String>>(),
        before: f64 = change.before,
        after: f64 = change.after,
        /// The change as a fraction of the value before; null if that was zero and the other is not.
        relative: Option<f64> = change.relative(),
        /// Whether chance explains the change.
        significance: Name<Significance> = change.significance,
    }
}

/// The files that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedFiles {
    pub before: String,
    pub after: String,
}

/// The comparison as a run of its own.
pub fn finished(
    origin: RunOrigin,
    files: ComparedFiles,
    changes: &[Change],
    criteria: Vec<Criterion>,
    started_at: SystemTime,
) -> FinishedRun {
    let view = view(&files, changes, criteria, started_at);
    let ComparedFiles { before, after } = files;
    let changes = changes.iter().map(ChangeDocument::from).collect();
    FinishedRun::new(origin, view, CompareDocument { before, after, changes })
}

fn view(files: &ComparedFiles, changes: &[Change], criteria: Vec<Criterion>, started_at: SystemTime) -> View {
    let subject = format!("{} -> {}", files.before, files.after);
    let (elapsed, result) = (started_at.elapsed().unwrap_or_default(), result(&criteria));
    let undecided = criteria.iter().filter(|criterion| criterion.state != CriterionState::Met);
    View {
        headline: headline(changes),
        reasons: undecided.map(|criterion| format!("{}: {}", criterion.wanted, criterion.found)).collect(),
        criteria,
        tables: vec![table(changes)],
        about_run: about_tests(),
        ..View::new(subject, started_at, elapsed, result)
    }
}

fn headline(changes: &[Change]) -> Phrase {
    let beyond: Vec<String> = changes
        .iter()
        .filter(|change| change.significance == Significance::BeyondChance)
        .map(|change| format!("{} {}", name(change), change.words()))
        .collect();
    let is_tested = |change: &Change| change.significance != Significance::Untested;
    match beyond.as_slice() {
        [] if !changes.iter().any(is_tested) => {
            Phrase::new("nothing was tested", Tone::Neutral, ": the runs have no RTTs and no loss in common")
        }
        [] => Phrase::new("no change is beyond chance", Tone::Neutral, ""),
        some => Phrase::new("beyond chance", Tone::Caution, format!(": {}", some.join("; "))),
    }
}

/// The figure with what it is about: `app rtt.p95`.
fn name(change: &Change) -> String {
    let labels = change.labels.values().map(|value| format!("{value} "));
    format!("{}{}", labels.collect::<String>(), change.name)
}

/// A row for each figure but those that are zero in both runs.
fn table(changes: &[Change]) -> Table {
    let shown = changes.iter().filter(|change| change.before != 0.0 || change.after != 0.0);
    let numbers = ["before", "after", "change"].map(|name| Column::number(name, 0));
    let columns = [Column::text("figure")].into_iter().chain(numbers).chain([Column::text("chance")]);
    Table { name: "figures".into(), columns: columns.collect(), rows: shown.map(row).collect(), note: None }
}

fn row(change: &Change) -> Vec<Cell> {
    let (chance, tone) = match change.significance {
        Significance::BeyondChance => ("beyond chance", Tone::Caution),
        Significance::WithinChance => ("may be chance", Tone::Neutral),
        Significance::Untested => ("not tested", Tone::Neutral),
    };
    let relative = change.relative().map_or_else(|| "-".to_string(), signed_percent);
    let texts = [name(change), change.unit.words(change.before), change.unit.words(change.after), relative];
    texts.into_iter().map(Cell::from).chain([Cell { text: chance.to_string(), tone }]).collect()
}

fn about_tests() -> Rows {
    let mut rows = Rows::default();
    rows.add(
        "chance",
        "loss and the percentiles of the RTT are tested (Fisher's exact test; of a percentile: how many RTTs of each run \
         are longer than that of both); beyond chance is below 1 in 1000",
    );
    rows
}
