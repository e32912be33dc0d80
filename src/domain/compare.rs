//! How two runs differ: each figure before and after, and whether chance explains the difference.
//!
//! A share of heartbeats (the loss) is tested by Fisher's exact test. A percentile of the RTTs is tested by the same test
//! on how many RTTs of each run are longer than that percentile of both runs together; for the median this is Mood's test
//! (G. W. Brown and A. M. Mood, On Median Tests for Linear Hypotheses, 1951). Successive RTTs resemble each other, which makes
//! chance look smaller than it is, so only a very small probability counts. Other figures are not tested.

use std::borrow::Cow;
use std::str::FromStr;

use strum::{EnumIter, EnumMessage, IntoStaticStr};
use thiserror::Error;

use super::format;
use super::run::criterion::{Criterion, CriterionState};
use super::run::metric::{MetricLabels, MetricUnit, MetricValue};
use super::run::run_result::RunResult;
use super::stats::{Share, fisher_exact};

/// A difference that chance produces less often than this is beyond chance.
pub const MAX_PROBABILITY: f64 = 0.001;

/// The figures of a run.
#[derive(Debug, Clone, Default)]
pub struct RunFigures {
    pub metrics: Vec<MetricValue>,
    pub rtts: Vec<RttSample>,
}

/// The RTTs of one target and kind of heartbeat.
#[derive(Debug, Clone)]
pub struct RttSample {
    /// As those of the metrics.
    pub labels: MetricLabels,
    /// RTTs in any unit, ascending, and how often each occurred.
    pub counts: Vec<(u64, u64)>,
}

/// Whether chance explains a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Significance {
    /// Chance alone produces such a difference less than once in a thousand comparisons.
    BeyondChance,
    /// Chance may have produced the difference.
    WithinChance,
    /// The figure has no test.
    Untested,
}

/// One figure of both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub name: Cow<'static, str>,
    pub unit: MetricUnit,
    /// What it is about, without the target if each run has only one.
    pub labels: MetricLabels,
    /// In seconds, a fraction of 1, a number or days.
    pub before: f64,
    pub after: f64,
    pub significance: Significance,
}

impl Change {
    /// The change as a fraction of the value before; `None` if that was zero and the other is not.
    pub fn relative(&self) -> Option<f64> {
        match (self.before == 0.0, self.after == self.before) {
            (_, true) => Some(0.0),
            (true, false) => None,
            (false, false) => Some((self.after - self.before) / self.before.abs()),
        }
    }

    /// `31 ms -> 45 ms (+45 %)`
    pub fn words(&self) -> String {
        let relative = self.relative().map(|relative| format!(" ({})", signed_percent(relative)));
        let (before, after) = (self.unit.words(self.before), self.unit.words(self.after));
        format!("{before} -> {after}{}", relative.unwrap_or_default())
    }
}

/// `+45 %`
pub fn signed_percent(fraction: f64) -> String {
    let sign = if fraction < 0.0 { "-" } else { "+" };
    format!("{sign}{}", format::percent(fraction.abs()))
}

/// Every figure that both runs have.
pub fn compare(before: &RunFigures, after: &RunFigures) -> Vec<Change> {
    let is_of_one_target = [before, after].iter().all(|figures| targets(figures) <= 1);
    let key = |labels: &MetricLabels| -> MetricLabels {
        labels
            .iter()
            .filter(|(name, _)| !(is_of_one_target && *name == "target"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let changes = before.metrics.iter().filter_map(|old| {
        let labels = key(&old.labels);
        let new = after.metrics.iter().find(|new| new.name == old.name && key(&new.labels) == labels)?;
        let significance = significance(&old.name, [(before, &old.labels), (after, &new.labels)]);
        Some(Change {
            name: old.name.clone(),
            unit: old.unit,
            labels,
            before: old.value?,
            after: new.value?,
            significance,
        })
    });
    changes.collect()
}

fn targets(figures: &RunFigures) -> usize {
    let labels = figures.metrics.iter().flat_map(|metric| &metric.labels);
    let mut targets: Vec<&String> =
        labels.filter(|(name, _)| *name == "target").map(|(_, value)| value).collect();
    targets.sort();
    targets.dedup();
    targets.len()
}

fn significance(name: &str, runs: [(&RunFigures, &MetricLabels); 2]) -> Significance {
    let shares = match name {
        "loss" => runs.map(|(figures, labels)| loss(figures, labels)),
        "rtt.p50" => longer_than(0.5, runs),
        "rtt.p90" => longer_than(0.9, runs),
        "rtt.p95" => longer_than(0.95, runs),
        "rtt.p99" => longer_than(0.99, runs),
        _ => [None, None],
    };
    match shares {
        [Some(a), Some(b)] if fisher_exact(a, b) < MAX_PROBABILITY => Significance::BeyondChance,
        [Some(_), Some(_)] => Significance::WithinChance,
        _ => Significance::Untested,
    }
}

/// The missed heartbeats of those that were judged.
fn loss(figures: &RunFigures, labels: &MetricLabels) -> Option<Share> {
    let count = |name: &str| {
        let metric = figures.metrics.iter().find(|metric| metric.name == name && metric.labels == *labels)?;
        Some(metric.value? as u64)
    };
    let missed = count("missed")?;
    let judged = [count("ok")?, count("late")?, count("superseded")?];
    // A file may claim any numbers.
    Some(Share { count: missed, of: judged.into_iter().fold(missed, u64::saturating_add) })
}

/// How many RTTs of each run are longer than this percentile of both together.
fn longer_than(quantile: f64, runs: [(&RunFigures, &MetricLabels); 2]) -> [Option<Share>; 2] {
    let samples = runs.map(|(figures, labels)| figures.rtts.iter().find(|sample| sample.labels == *labels));
    let [Some(a), Some(b)] = samples else { return [None, None] };
    shares_above(quantile, [&a.counts, &b.counts])
}

/// Whether the medians of two samples differ beyond chance, by Mood's test. RTTs in any unit, and how often each occurred.
pub fn medians_differ(a: &[(u64, u64)], b: &[(u64, u64)]) -> bool {
    match shares_above(0.5, [a, b]) {
        [Some(a), Some(b)] => fisher_exact(a, b) < MAX_PROBABILITY,
        _ => false,
    }
}

/// How many values of each sample are above this percentile of both together.
fn shares_above(quantile: f64, samples: [&[(u64, u64)]; 2]) -> [Option<Share>; 2] {
    let mut all: Vec<(u64, u64)> = samples.concat();
    all.sort_unstable();
    let total: u64 = all.iter().map(|(_, count)| count).fold(0, |sum, count| sum.saturating_add(*count));
    let rank = (total as f64 * quantile).ceil() as u64;
    let mut below = 0;
    let threshold = all.iter().find(|(_, count)| {
        below = u64::saturating_add(below, *count);
        below >= rank
    });
    let Some((threshold, _)) = threshold else { return [None, None] };
    samples.map(|sample| {
        let sum = |least: u64| {
            let counted = sample.iter().filter(|(value, _)| *value >= least);
            counted.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
        };
        Some(Share { count: sum(threshold.saturating_add(1)), of: sum(0) })
    })
}

/// A condition on a change that must not be true, such as `rtt.p95>+20%`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeLimit {
    name: String,
    is_above: bool,
    /// A fraction: 0.2 for `+20%`.
    limit: f64,
}

/// Why a text is no condition on a change.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("'{given}' is not a condition on a change: write rtt.p95>+20% or sent<-10%")]
pub struct ChangeLimitError {
    given: String,
}

impl FromStr for ChangeLimit {
    type Err = ChangeLimitError;

    fn from_str(given: &str) -> Result<ChangeLimit, ChangeLimitError> {
        let parse = || {
            let (at, sign) = given.char_indices().find(|(_, c)| ['<', '>'].contains(c))?;
            let limit = given[at + 1..].trim().strip_suffix('%')?.trim();
            let has_sign = limit.starts_with(['+', '-']);
            let limit: f64 = limit.parse().ok().filter(|_| has_sign)?;
            let name = given[..at].trim().to_string();
            let is_valid = !name.is_empty() && limit.is_finite();
            is_valid.then_some(ChangeLimit { name, is_above: sign == '>', limit: limit / 100.0 })
        };
        parse().ok_or_else(|| ChangeLimitError { given: given.to_string() })
    }
}

impl ChangeLimit {
    /// Whether the changes are as wanted. A difference that chance explains decides nothing.
    pub fn judge(&self, changes: &[Change]) -> Criterion {
        let sign = if self.is_above { "<=" } else { ">=" };
        let wanted = format!("change of {} {sign} {}", self.name, signed_percent(self.limit));
        let of_name: Vec<&Change> = changes.iter().filter(|change| change.name == self.name).collect();
        let worst = of_name.iter().find(|change| self.is_true_of(change).unwrap_or(true));
        let (state, found) = match (worst, of_name.first()) {
            (None, None) => (CriterionState::Unknown, "no such figure in both runs".to_string()),
            (None, Some(first)) => (CriterionState::Met, first.words()),
            (Some(change), _) if change.relative().is_none() => {
                (CriterionState::Unknown, format!("{}: it was 0 before", change.words()))
            }
            (Some(change), _) if change.significance == Significance::WithinChance => {
                (CriterionState::Unknown, format!("{}, which chance may explain", change.words()))
            }
            (Some(change), _) => (CriterionState::NotMet, change.words()),
        };
        Criterion { option: Some("--fail-if".into()), wanted, found, state }
    }

    fn is_true_of(&self, change: &Change) -> Option<bool> {
        let relative = change.relative()?;
        Some(if self.is_above { relative > self.limit } else { relative < self.limit })
    }
}

/// The result of a comparison with these criteria.
pub fn result(criteria: &[Criterion]) -> RunResult {
    let results: Vec<RunResult> = criteria
        .iter()
        .map(|criterion| match criterion.state {
            CriterionState::Met => RunResult::Passed,
            CriterionState::NotMet => RunResult::Failed,
            CriterionState::Unknown => RunResult::Inconclusive,
        })
        .collect();
    RunResult::of_several(&results)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &'static str, unit: MetricUnit, target: &str, value: f64) -> MetricValue {
        MetricValue::new(name, unit, "", vec![("target", target.to_string())], Some(value))
    }

    /// A run with this many RTTs of each value, and this many missed.
    fn run(target: &str, counts: &[(u64, u64)], missed: u64) -> RunFigures {
        let answered: u64 = counts.iter().map(|(_, count)| count).sum();
        let count = |name, number: u64| metric(name, MetricUnit::Count, target, number as f64);
        let loss = missed as f64 / (missed + answered) as f64;
        RunFigures {
            metrics: vec![
                metric("rtt.p50", MetricUnit::Time, target, counts[0].0 as f64 / 1e3),
                metric("loss", MetricUnit::Share, target, loss),
                count("ok", answered),
                count("late", 0),
                count("superseded", 0),
                count("missed", missed),
            ],
            rtts: vec![RttSample {
                labels: [("target".into(), target.to_string())].into(),
                counts: counts.to_vec(),
            }],
        }
    }

    fn of(changes: &[Change], name: &str) -> Significance {
        changes.iter().find(|change| change.name == name).unwrap().significance
    }

    #[test]
    fn a_shift_of_the_median_is_beyond_chance_and_a_few_rtts_are_not() {
        let (before, after) =
            (run("ws://a/", &[(30, 60), (40, 40)], 0), run("ws://b/", &[(45, 60), (60, 40)], 0));
        let changes = compare(&before, &after);
        assert_eq!(of(&changes, "rtt.p50"), Significance::BeyondChance);
        assert_eq!(changes[0].words(), "30 ms -> 45 ms (+50 %)");
        let few = compare(&run("ws://a/", &[(30, 3)], 0), &run("ws://a/", &[(45, 3)], 0));
        assert_eq!(of(&few, "rtt.p50"), Significance::WithinChance);
        assert_eq!(of(&few, "ok"), Significance::Untested);
    }

    #[test]
    fn medians_of_two_short_runs_differ_only_if_nearly_all_rtts_do() {
        // Fisher's exact test of 0 and 12 of 12: 7.4e-7; of 2 and 10 of 12: 0.0033.
        assert!(medians_differ(&[(30, 12)], &[(45, 12)]));
        assert!(!medians_differ(&[(30, 10), (45, 2)], &[(30, 2), (45, 10)]));
        assert!(!medians_differ(&[(30, 12)], &[]));
    }

    #[test]
    fn loss_is_tested_by_the_counts() {
        let lossy = |missed| run("ws://a/", &[(30, 1000 - missed)], missed);
        // Fisher's exact test of 0 and 12 of 1000: 0.00047; of 0 and 3 of 1000: 0.25.
        assert_eq!(of(&compare(&lossy(0), &lossy(12)), "loss"), Significance::BeyondChance);
        assert_eq!(of(&compare(&lossy(0), &lossy(3)), "loss"), Significance::WithinChance);
    }

    #[test]
    fn targets_are_told_apart_where_there_are_several() {
        let mut two = run("ws://a/", &[(30, 9)], 0);
        let other = run("ws://b/", &[(50, 9)], 0);
        two.metrics.extend(other.metrics);
        two.rtts.extend(other.rtts);
        let changes = compare(&two, &run("ws://b/", &[(55, 9)], 0));
        let medians: Vec<String> =
            changes.iter().filter(|change| change.name == "rtt.p50").map(Change::words).collect();
        assert_eq!(medians, ["50 ms -> 55 ms (+10 %)"]);
    }

    #[test]
    fn conditions_are_judged() {
        let (before, after) = (run("ws://a/", &[(30, 500)], 0), run("ws://a/", &[(45, 500)], 1));
        let changes = compare(&before, &after);
        let judge = |text: &str| {
            let Criterion { wanted, found, state, .. } = text.parse::<ChangeLimit>().unwrap().judge(&changes);
            (state, format!("{wanted}: {found}"))
        };
        let expected = "change of rtt.p50 <= +20 %: 30 ms -> 45 ms (+50 %)";
        assert_eq!(judge("rtt.p50>+20%"), (CriterionState::NotMet, expected.to_string()));
        assert_eq!(judge("rtt.p50 > +60%").0, CriterionState::Met);
        assert_eq!(judge("rtt.p50<-10%").0, CriterionState::Met);
        let expected = "change of loss <= +0 %: 0 % -> 0.2 %: it was 0 before";
        assert_eq!(judge("loss>+0%"), (CriterionState::Unknown, expected.to_string()));
        assert_eq!(judge("nonsense>+1%").0, CriterionState::Unknown);
        let few = compare(&run("ws://a/", &[(30, 3)], 0), &run("ws://a/", &[(45, 3)], 0));
        let limit: ChangeLimit = "rtt.p50>+20%".parse().unwrap();
        assert_eq!(limit.judge(&few).state, CriterionState::Unknown);
        for wrong in ["rtt.p50", "rtt.p50>20%", "rtt.p50>+20", ">+20%", "rtt.p50>+x%", "rtt.p50>+inf%"] {
            assert!(wrong.parse::<ChangeLimit>().is_err(), "{wrong}");
        }
    }
}
