//! One report over several checks: what each adds to it bears the check's name.

use std::borrow::Cow;

use super::report::{ChecksReport, FinishedCheck};
use crate::domain::format::{counted, duration};
use crate::domain::label::Label;
use crate::domain::run::criterion::Criterion;
use crate::domain::run::finding::Severity;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::domain::run::run_result::RunResult;
use crate::output::report_formats::state_words;
use crate::output::view::{Cell, Column, Part, Phrase, Rows, Section, ShownFinding, Table, Tone, View};

/// The report.
pub fn view(report: &ChecksReport) -> View {
    let parts: Vec<Part> = report.checks.iter().map(|check| part(check)).collect();
    View {
        interrupted: report.interrupted,
        headline: headline(&parts),
        reasons: parts.iter().filter_map(reason).collect(),
        criteria: parts.iter().flat_map(criteria).collect(),
        findings: parts.iter().flat_map(findings).collect(),
        tables: vec![table(&parts)],
        sections: parts.iter().map(section).collect(),
        metrics: metrics(report, &parts),
        parts,
        ..View::new(report.file.clone(), report.started_at, report.elapsed, report.result())
    }
}

fn part(check: &FinishedCheck) -> Part {
    Part { name: check.identity.name.clone(), command: check.identity.command.clone(), view: check.view() }
}

/// `2 of 3 checks passed: chat failed`
fn headline(parts: &[Part]) -> Phrase {
    let others: Vec<String> = parts
        .iter()
        .filter(|part| part.view.result != RunResult::Passed)
        .map(|part| format!("{} {}", part.name, part.view.result.label()))
        .collect();
    let passed = parts.len() - others.len();
    let claim = format!("{passed} of {} passed", counted(parts.len() as u64, "check"));
    let has_failed = parts.iter().any(|part| Tone::from(part.view.result) == Tone::Bad);
    let tone = match (others.is_empty(), has_failed) {
        (true, _) => Tone::Good,
        (false, true) => Tone::Bad,
        (false, false) => Tone::Caution,
    };
    let rest = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    Phrase::new(claim, tone, rest)
}

/// Why the whole did not pass, as far as this check has to do with it.
fn reason(part: &Part) -> Option<String> {
    let result = part.view.result;
    let why = match part.view.reasons.as_slice() {
        [] => part.view.headline.text(),
        reasons => reasons.join("; "),
    };
    (result != RunResult::Passed).then(|| format!("{} {}: {why}", part.name, result.label()))
}

fn criteria(part: &Part) -> Vec<Criterion> {
    let named = |criterion: &Criterion| Criterion {
        wanted: format!("{}: {}", part.name, criterion.wanted),
        ..criterion.clone()
    };
    part.view.demanded().map(named).collect()
}

/// What the user should act on; the rest is in the check's section.
fn findings(part: &Part) -> Vec<ShownFinding> {
    let named = |finding: &ShownFinding| {
        let about = finding.about.as_ref().map(|about| format!(" ({about})")).unwrap_or_default();
        ShownFinding { about: Some(format!("{}{about}", part.name)), in_headline: false, ..finding.clone() }
    };
    let is_urgent = |finding: &&ShownFinding| finding.severity >= Severity::Warning;
    part.view.findings.iter().filter(is_urgent).map(named).collect()
}

fn table(parts: &[Part]) -> Table {
    let [check, result, answer] = ["check", "result", "answer"].map(Column::text);
    let columns = vec![check, result, Column::number("time", 1), answer];
    Table { name: "checks".into(), columns, rows: parts.iter().map(row).collect(), note: None }
}

fn row(part: &Part) -> Vec<Cell> {
    let view = &part.view;
    vec![
        part.name.clone().into(),
        Cell { text: view.result.label().to_string(), tone: view.result.into() },
        duration(view.elapsed.into()).into(),
        view.headline.text().into(),
    ]
}

/// The whole report of a check.
fn section(part: &Part) -> Section {
    let view = &part.view;
    let mut rows = Rows::default();
    rows.add_phrase("answer", view.headline.clone());
    rows.add_all("do", view.remedies().cloned());
    rows.add_all(
        "criteria",
        view.demanded().map(|one| format!("{}: {}: {}", state_words(one), one.wanted, one.found)),
    );
    rows.add_all(
        "findings",
        view.other_findings().map(|finding| format!("{}: {}", finding.severity.label(), finding.text())),
    );
    // Of several targets the table tells.
    let target = if let [only] = view.sections.as_slice() { only.clone() } else { Section::default() };
    rows.0.extend(view.evidence.0.iter().chain(&target.rows.0).chain(&view.about_run.0).cloned());
    Section {
        title: format!("{} ({} {})", part.name, part.command, view.subject),
        rows,
        tables: view.tables.iter().cloned().chain(target.tables).collect(),
        charts: view.charts.iter().cloned().chain(target.charts).collect(),
    }
}

/// The figures of all checks, then how many there were.
fn metrics(report: &ChecksReport, parts: &[Part]) -> Vec<MetricValue> {
    let count = |wanted: fn(RunResult) -> bool| {
        Some(parts.iter().filter(|part| wanted(part.view.result)).count() as f64)
    };
    let own = [
        MetricValue::new("checks", MetricUnit::Count, "checks", Vec::new(), count(|_| true)),
        MetricValue::new(
            "checks.passed",
            MetricUnit::Count,
            "checks that passed",
            Vec::new(),
            count(|result| result == RunResult::Passed),
        ),
    ];
    let of_checks =
        report.checks.iter().zip(parts).flat_map(|(check, part)| {
            part.view.metrics.iter().map(move |metric| labelled(check, part, metric))
        });
    own.into_iter().chain(of_checks).collect()
}

/// The figure with the name of its check, its target and the user's labels.
fn labelled(check: &FinishedCheck, part: &Part, metric: &MetricValue) -> MetricValue {
    let mut labels = metric.labels.clone();
    labels.entry("target".into()).or_insert_with(|| part.view.subject.clone());
    labels.insert("check".into(), check.identity.name.clone());
    labels
        .extend(check.identity.labels.iter().map(|(name, value)| (Cow::Owned(name.clone()), value.clone())));
    MetricValue { labels, ..metric.clone() }
}
