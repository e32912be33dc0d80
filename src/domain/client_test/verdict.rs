//! The result of what clients did.

use super::activity::ClientActivity;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::run_result::RunResult;

/// The result and its reasons, as fragments. `cut_short`: a bounded run was interrupted. The first that applies:
///
/// 1. Nobody connected or tried to, and not every criterion is met: `unreachable`, or `interrupted`.
/// 2. A criterion is not met: `failed`.
/// 3. The run was cut short: `interrupted`.
/// 4. A criterion is undecided: `inconclusive`.
/// 5. Otherwise `passed`.
pub fn judge(criteria: &[Criterion], activity: &ClientActivity, cut_short: bool) -> (RunResult, Vec<String>) {
    let reasons = |wanted: CriterionState| -> Vec<String> {
        let of_state = criteria.iter().filter(|criterion| criterion.state == wanted);
        of_state.map(|criterion| format!("{}: {}", criterion.wanted, criterion.found)).collect()
    };
    let (failed, undecided) = (reasons(CriterionState::NotMet), reasons(CriterionState::Unknown));
    let is_measured = activity.was_reached();
    let all_met = failed.is_empty() && undecided.is_empty();
    match (is_measured, cut_short) {
        (false, true) => (
            RunResult::Interrupted { measured: false },
            vec!["interrupted: no client had connected".to_string()],
        ),
        (false, false) if !all_met => (RunResult::Unreachable, vec!["no client connected".to_string()]),
        _ if !failed.is_empty() => (RunResult::Failed, failed),
        (true, true) => (RunResult::Interrupted { measured: true }, vec!["interrupted".to_string()]),
        _ if !undecided.is_empty() => (RunResult::Inconclusive, undecided),
        (_, false) => (RunResult::Passed, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_record::tests::seconds;
    use super::super::expectation::ClientExpectation;
    use super::*;

    fn result(expected: &[&str], activity: &ClientActivity, cut_short: bool) -> RunResult {
        let criterion = |text: &&str| {
            let expectation: ClientExpectation = text.parse().unwrap();
            expectation.criterion("--expect", activity, cut_short)
        };
        let criteria: Vec<Criterion> = expected.iter().map(criterion).collect();
        judge(&criteria, activity, cut_short).0
    }

    #[test]
    fn unmet_criterion_fails_and_an_undecided_one_is_inconclusive() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        assert_eq!(result(&["clients>=1"], &activity, false), RunResult::Passed);
        assert_eq!(result(&["reconnects>=1", "answered>=90%"], &activity, false), RunResult::Failed);
        assert_eq!(result(&["clients>=1", "answered>=90%"], &activity, false), RunResult::Inconclusive);
    }

    #[test]
    fn interrupted_run_fails_only_by_what_is_final() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        let interrupted = RunResult::Interrupted { measured: true };
        assert_eq!(result(&["reconnects>=1"], &activity, true), interrupted);
        assert_eq!(result(&["clients<=0"], &activity, true), RunResult::Failed);
        assert_eq!(result(&[], &activity, true), interrupted);
    }

    #[test]
    fn without_any_client_nothing_was_measured() {
        let nobody = ClientActivity::default();
        assert_eq!(result(&["reconnects>=1"], &nobody, false), RunResult::Unreachable);
        assert_eq!(result(&["clients==0"], &nobody, false), RunResult::Passed, "nobody was to come");
        assert_eq!(result(&[], &nobody, false), RunResult::Passed);
        assert_eq!(result(&["reconnects>=1"], &nobody, true), RunResult::Interrupted { measured: false });
    }

    #[test]
    fn refused_client_was_measured() {
        let mut activity = ClientActivity::default();
        activity.record_rejection();
        assert_eq!(result(&["clients>=1"], &activity, false), RunResult::Failed);
    }
}
