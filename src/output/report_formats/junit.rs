//! JUnit XML, as GitLab and Jenkins read it: a test case for the opening and one for each criterion.
//!
//! Jenkins splits a class name at its last dot, so the dots of the host are replaced. An undecided criterion is an error,
//! not a failure. The text of a failure is in its message and in its body, since each of the two shows only one of them.

use std::collections::HashSet;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::RenderedRun;
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::run_result::RunResult;
use crate::output::human::{HumanOptions, report_always};
use crate::output::view::View;

/// The whole report: a suite for each run.
pub fn render(run: &RenderedRun<'_>) -> String {
    let view = run.view;
    let mut report = Report::new("wscheck");
    report.set_time(view.elapsed.into());
    if view.parts.is_empty() {
        report.add_test_suite(suite(format!("wscheck.{}", run.command), &class_name(run), view));
    }
    for part in &view.parts {
        let class = format!("wscheck.{}.{}", run.command, without_dots(&part.name));
        report.add_test_suite(suite(part.name.clone(), &class, &part.view));
    }
    // Writing to memory cannot fail.
    report.to_string().unwrap_or_default()
}

fn suite(name: String, class: &str, view: &View) -> TestSuite {
    let mut suite = TestSuite::new(name);
    suite.set_time(view.elapsed.into());
    let own = view.criteria.iter().filter(|criterion| criterion.option.is_none());
    let mut names = HashSet::new();
    // A refusal that was wanted is a criterion of its own.
    let wants_refusal = view.demanded().any(|one| one.option.as_deref() == Some("--expect-refused"));
    let opened = (!wants_refusal).then(|| opened(view));
    let criteria = own.chain(view.demanded()).map(case);
    for (name, status) in opened.into_iter().chain(criteria).chain(result(view)) {
        let mut case = TestCase::new(unique(&mut names, name), status);
        case.set_classname(class).set_time(view.elapsed.into());
        suite.add_test_case(case);
    }
    suite.set_system_out(report_always(view, HumanOptions::default()));
    suite
}

/// `wscheck.ping.node_example_8443`
fn class_name(run: &RenderedRun<'_>) -> String {
    let subject = &run.view.subject;
    let authority = subject.split_once("://").map_or(subject.as_str(), |(_, rest)| rest);
    let host = authority.split(['/', '?']).next().unwrap_or_default();
    format!("wscheck.{}.{}", run.command, without_dots(host))
}

fn without_dots(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// Two criteria may read alike.
fn unique(names: &mut HashSet<String>, name: String) -> String {
    let numbered = |number: usize| if number == 1 { name.clone() } else { format!("{name} ({number})") };
    let free = (1..).map(numbered).find(|name| !names.contains(name)).unwrap_or_default();
    names.insert(free.clone());
    free
}

fn opened(view: &View) -> (String, TestCaseStatus) {
    let why = view.reasons.join("; ");
    let status = match view.result {
        RunResult::Unreachable => not_passed(NonSuccessKind::Failure, &why),
        RunResult::Interrupted { measured: false } => not_passed(NonSuccessKind::Error, &why),
        _ => TestCaseStatus::success(),
    };
    ("opened".to_string(), status)
}

fn case(criterion: &Criterion) -> (String, TestCaseStatus) {
    let option = criterion.option.as_ref().map(|option| format!("{option}: ")).unwrap_or_default();
    let text = format!("wanted: {}; found: {}", criterion.wanted, criterion.found);
    let status = match criterion.state {
        CriterionState::Met => TestCaseStatus::success(),
        // It does not fail the run.
        CriterionState::NotMet if criterion.only_warns() => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("warning: {text}"));
            status
        }
        CriterionState::NotMet => not_passed(NonSuccessKind::Failure, &text),
        CriterionState::Unknown => not_passed(NonSuccessKind::Error, &text),
    };
    (format!("{option}{}", criterion.wanted), status)
}

/// A result that no criterion explains, such as an inconclusive search, is an error of its own.
fn result(view: &View) -> Option<(String, TestCaseStatus)> {
    let is_explained = view.result == RunResult::Unreachable
        || view.criteria.iter().any(|one| one.state != CriterionState::Met && !one.only_warns());
    let kind = match view.result {
        RunResult::Passed => return None,
        RunResult::Failed | RunResult::Usage | RunResult::Unreachable => NonSuccessKind::Failure,
        RunResult::Inconclusive | RunResult::Interrupted { .. } => NonSuccessKind::Error,
    };
    let text = format!("{}: {}", view.result.label(), view.reasons.join("; "));
    (!is_explained).then(|| ("answer".to_string(), not_passed(kind, &text)))
}

fn not_passed(kind: NonSuccessKind, text: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(text).set_description(text);
    status
}
