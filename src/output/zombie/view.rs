//! What the report says, whatever the command.

use super::findings;
use crate::domain::run::criterion::Criterion;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::ZombieReport;
use crate::output::view::View;

pub fn view(report: &ZombieReport) -> View {
    View {
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.partial,
        done: None,
        result: report.verdict,
        reasons: findings::reasons(report),
        criteria: report.expectation.as_ref().map(criterion).into_iter().collect(),
        findings: findings::all(report),
    }
}

fn criterion((expected, truth): &(Expectation, Truth)) -> Criterion {
    Criterion::wants("--expect", format!("dead clients are closed {}", expected.words()), truth)
}
