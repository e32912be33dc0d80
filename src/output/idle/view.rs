//! What the report says, whatever the command.

use super::findings;
use crate::domain::format::duration;
use crate::domain::idle::report::{IdleReport, Verification, VerifyOutcome};
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::output::view::View;

pub fn view(report: &IdleReport) -> View {
    View {
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.partial,
        done: None,
        result: report.verdict,
        reasons: report.reasons.clone(),
        criteria: criteria(report),
        findings: findings::shown(report),
    }
}

fn criteria(report: &IdleReport) -> Vec<Criterion> {
    let expected = report
        .expectation
        .as_ref()
        .map(|(expected, truth)| Criterion::wants("--expect", format!("idle timeout {expected}"), truth));
    expected.into_iter().chain(report.verified.as_ref().map(verified)).collect()
}

/// `--verify` demands that the recommendation holds.
fn verified(verified: &Verification) -> Criterion {
    let (state, found) = match &verified.outcome {
        VerifyOutcome::Held => (CriterionState::Met, format!("it held for {}", duration(verified.held))),
        VerifyOutcome::Ended(ending) => {
            (CriterionState::NotMet, format!("after {}: {ending}", duration(verified.held)))
        }
        VerifyOutcome::Unknown(why) => (CriterionState::Unknown, why.clone()),
    };
    let wanted = format!(
        "a heartbeat every {} keeps a connection open for {}",
        duration(verified.interval),
        duration(verified.wanted)
    );
    Criterion { option: Some("--verify"), wanted, found, state }
}
