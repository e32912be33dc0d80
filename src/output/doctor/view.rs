//! What the report says, whatever the format.

use super::findings::{Context, explain as explain_finding};
use super::parts::{MeasurementPart, parts};
use super::{answer, feature_findings};
use crate::domain::doctor::report::{DoctorReport, ExaminedPath, is_decisive_gap};
use crate::domain::doctor::{Category, Check, CheckResult, DoctorFinding, Unchecked};
use crate::domain::format::{self, duration};
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::done::Done;
use crate::domain::run::finding::Severity;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::domain::run::run_result::RunResult;
use crate::output::view::{Cell, Explanation, Rows, Section, ShownFinding, Table, View};

/// The report.
pub fn view(report: &DoctorReport) -> View {
    let measured = report.main_path().map(parts).unwrap_or_default();
    let message = |result: &CheckResult| explain_main(report, result).message;
    let mut evidence = Rows::default();
    evidence.add_all("so", answer::further_lines(report));
    View {
        subject: report.info.url.clone(),
        started_at: report.started_at,
        elapsed: report.elapsed.into(),
        interrupted: report.interrupted,
        done: Some(Done::Time { done: report.elapsed.min(report.info.budget), of: report.info.budget })
            .filter(|_| report.interrupted),
        is_already_said: false,
        headline: answer::headline(report, message),
        result: report.result,
        reasons: reasons(report),
        criteria: criteria(report),
        findings: findings(report),
        is_checklist: true,
        evidence,
        tables: tables(report, &measured),
        charts: Vec::new(),
        sections: measured.iter().map(section).collect(),
        about_run: about_run(report),
        metrics: metrics(report, &measured),
        parts: Vec::new(),
    }
}

/// What was offered as browsers do and is not used: no line of the checks says it.
fn about_run(report: &DoctorReport) -> Rows {
    let mut rows = Rows::default();
    rows.add_some(
        "as browsers",
        report.main_path().and_then(|path| feature_findings::unused(&path.evidence)),
    );
    rows
}

/// What a result of the URL itself says.
pub fn explain_main(report: &DoctorReport, result: &CheckResult) -> Explanation {
    report.main_path().map(|path| explain(report, path, result)).unwrap_or_default()
}

/// What a result of a path says.
pub fn explain(report: &DoctorReport, path: &ExaminedPath, result: &CheckResult) -> Explanation {
    let context = Context { info: &report.info, path };
    explain_finding(&result.finding, context)
}

/// What does not apply to a target is no news. What needs a connection that did not open is said once.
fn findings(report: &DoctorReport) -> Vec<ShownFinding> {
    let results = report.results();
    let needs = |result: &CheckResult| match &result.finding {
        DoctorFinding::NotChecked(Unchecked::Needs(why)) => Some(*why),
        DoctorFinding::NotChecked(Unchecked::Interrupted) => Some("the run was interrupted"),
        _ => None,
    };
    let is_shown = |result: &&&CheckResult| {
        needs(result).is_none()
            && !matches!(result.finding, DoctorFinding::NotChecked(Unchecked::NotApplicable(_)))
    };
    let shown = results.iter().filter(is_shown).map(|result| shown(report, result));
    let blocked: Vec<&&CheckResult> = results.iter().filter(|result| needs(result).is_some()).collect();
    let rest = blocked.first().map(|first| {
        let ids: Vec<&str> = blocked.iter().map(|result| result.check.into()).collect();
        let why = needs(first).unwrap_or_default();
        let message = format!("could not be checked, since {why}: {}", ids.join(", "));
        ShownFinding {
            about: Some("the rest".to_string()),
            explanation: Explanation::new(message),
            ..self::shown(report, first)
        }
    });
    shown.chain(rest).collect()
}

fn shown(report: &DoctorReport, result: &CheckResult) -> ShownFinding {
    ShownFinding {
        code: result.finding.code().into(),
        severity: result.severity,
        about: Some(heading(result.check.category()).to_string()),
        in_headline: false,
        explanation: explain_main(report, result),
    }
}

/// The heading of a category; short, for it is a label.
pub fn heading(category: Category) -> &'static str {
    match category {
        Category::Name => "name",
        Category::Reach => "reach",
        Category::Tls => "TLS",
        Category::Upgrade => "upgrade",
        Category::Protocol => "protocol",
        Category::Latency => "latency",
        Category::ServerHeartbeats => "heartbeats",
        Category::Idle => "idle",
        Category::Zombies => "dead clients",
        Category::Ages => "lifetime",
        Category::Hops => "hops",
        Category::Advice => "advice",
    }
}

/// Why the result is what it is.
fn reasons(report: &DoctorReport) -> Vec<String> {
    let is_reason = |result: &&CheckResult| match report.result {
        RunResult::Failed | RunResult::Unreachable => {
            result.severity == Severity::Problem
                || (report.info.strict && result.severity == Severity::Warning)
        }
        RunResult::Inconclusive => {
            is_decisive_gap(result)
                || matches!(result.finding, DoctorFinding::NotChecked(Unchecked::Needs(_)))
        }
        RunResult::Passed | RunResult::Usage | RunResult::Interrupted { .. } => false,
    };
    let results = report.results().into_iter().filter(is_reason);
    let named = results.map(|result| {
        format!("{}: {}", heading(result.check.category()), explain_main(report, result).message)
    });
    let cut = (report.interrupted).then(|| {
        format!("interrupted after {} of {}", duration(report.elapsed), duration(report.info.budget))
    });
    cut.into_iter().chain(named).collect()
}

/// Every run demands that no check finds a problem.
fn criteria(report: &DoctorReport) -> Vec<Criterion> {
    let mut all: Vec<Criterion> = Vec::new();
    for result in report.results() {
        let state = match (result.severity, &result.finding) {
            (Severity::Problem, _) => CriterionState::NotMet,
            (Severity::Warning, _) if report.info.strict => CriterionState::NotMet,
            (_, _) if is_decisive_gap(result) => CriterionState::Unknown,
            (_, finding) if finding.is_undecided() => continue,
            (_, DoctorFinding::NotChecked(_)) => continue,
            (_, _) => CriterionState::Met,
        };
        let id: &str = result.check.into();
        let found = explain_main(report, result).message;
        let wanted = format!("{id}: no problem");
        match all.iter_mut().find(|known| known.wanted == wanted) {
            None => all.push(Criterion { option: None, wanted, found, state }),
            Some(known) if known.state == CriterionState::Met && state != CriterionState::Met => {
                (known.state, known.found) = (state, found);
            }
            Some(_) => {}
        }
    }
    all
}

fn tables(report: &DoctorReport, measured: &[MeasurementPart]) -> Vec<Table> {
    let measurements = (!measured.is_empty()).then(|| measurements(measured));
    let hops = (report.paths.len() > 1).then(|| hops(report));
    measurements.into_iter().chain(hops).collect()
}

/// What each measurement found by itself.
fn measurements(measured: &[MeasurementPart]) -> Table {
    let row = |part: &MeasurementPart| {
        [part.command.to_string(), duration(part.view.elapsed.into()), part.view.headline.text()]
    };
    Table::of_texts("measurements", ["measured by", "in", "answer"], measured.iter().map(row))
}

/// One column a hop, the nearest to the server first.
fn hops(report: &DoctorReport) -> Table {
    use crate::output::view::Column;
    let names = report.paths.iter().map(|path| Column::text(&path.info.name));
    let columns = std::iter::once(Column::text("")).chain(names).collect();
    let rows: [(&str, &[Check]); 5] = [
        ("reach", &[Check::Resolve, Check::Tcp]),
        ("upgrade", &[Check::Upgrade]),
        ("latency", &[Check::Latency]),
        ("heartbeats", &[Check::ServerHeartbeats]),
        ("idle", &[Check::IdleTimeout]),
    ];
    let cells = |checks: &[Check]| -> Vec<Cell> {
        report.paths.iter().map(|path| Cell::from(in_short(report, path, checks))).collect()
    };
    let rows = rows
        .into_iter()
        .map(|(name, checks)| std::iter::once(Cell::from(name.to_string())).chain(cells(checks)).collect());
    Table { name: "hops".into(), columns, rows: rows.collect(), note: None }
}

/// What the last of these checks found on a path.
fn in_short(report: &DoctorReport, path: &ExaminedPath, checks: &[Check]) -> String {
    if let ([Check::IdleTimeout], Some(idle)) = (checks, path.evidence.idle.as_deref())
        && let Some((bracket, _)) = crate::domain::doctor::idle_bracket(idle)
    {
        return format!("cut after {}", crate::domain::doctor::bracket_words(bracket));
    }
    if let ([Check::Latency], Some(ping)) = (checks, path.evidence.ping.as_deref())
        && let Some(rtt) = ping.kinds.first().and_then(|kind| kind.rtt)
    {
        return format::rtt(rtt.p50);
    }
    let found = path.results.iter().rfind(|result| checks.contains(&result.check));
    found.map(|result| explain(report, path, result).message).unwrap_or_default()
}

/// The whole report of a measurement.
fn section(part: &MeasurementPart) -> Section {
    let view = &part.view;
    let mut rows = Rows::default();
    rows.add_phrase("answer", view.headline.clone());
    rows.add_all(
        "findings",
        view.findings.iter().map(|finding| format!("{}: {}", finding.severity.label(), finding.text())),
    );
    let own = view.sections.first().cloned().unwrap_or_default();
    rows.0.extend(view.evidence.0.iter().chain(&own.rows.0).chain(&view.about_run.0).cloned());
    Section {
        title: format!("{} {}", part.command, view.subject),
        rows,
        tables: view.tables.iter().cloned().chain(own.tables).collect(),
        charts: view.charts.iter().cloned().chain(own.charts).collect(),
    }
}

/// How many checks found what, and the figures of the measurements by their command.
fn metrics(report: &DoctorReport, measured: &[MeasurementPart]) -> Vec<MetricValue> {
    let results = report.results();
    let count = |name, meaning, wanted: Severity| {
        let found = results.iter().filter(|result| result.severity == wanted).count() as f64;
        MetricValue::new(name, MetricUnit::Count, meaning, Vec::new(), Some(found))
    };
    let own = [
        count("problems", "problems that checks found", Severity::Problem),
        count("warnings", "warnings of checks", Severity::Warning),
    ];
    let of_parts = measured.iter().flat_map(|part| {
        part.view.metrics.iter().map(|metric| {
            let mut labels = metric.labels.clone();
            labels.insert("measurement".into(), part.command.to_string());
            MetricValue { labels, ..metric.clone() }
        })
    });
    own.into_iter().chain(of_parts).collect()
}
