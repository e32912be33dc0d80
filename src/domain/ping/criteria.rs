//! What was demanded of a run, and whether each demand was met: those that were met are shown, too.

use super::ending_check::{is_closed_as_wanted, is_refused_as_wanted};
use super::fail_if::{FailIf, FailOn};
use super::report::{PingReport, count_of};
use super::verdict::{self, PassCriteria};
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState, WARN_OPTION};
use crate::domain::run::truth::Truth;

/// All criteria of a run: how its connections begin and end, its status, and the user's conditions.
pub fn criteria(report: &PingReport, policy: &PassCriteria) -> Vec<Criterion> {
    if !policy.endings.refused_with.is_empty() {
        return vec![refusals(report, policy)];
    }
    let failures = policy.fail_if.iter().map(|expression| condition(report, "--fail-if", expression));
    let warnings = policy.warn_if.iter().map(|expression| condition(report, WARN_OPTION, expression));
    [openings(report), endings(report, policy), status(report, policy)]
        .into_iter()
        .chain(failures)
        .chain(warnings)
        .collect()
}

fn refusals(report: &PingReport, policy: &PassCriteria) -> Criterion {
    let truths =
        || report.connections().map(|(_, connection)| is_refused_as_wanted(&policy.endings, connection));
    let found = all(report.connection_count(), truths().collect());
    Criterion::wants("--expect-refused", policy.endings.wanted_refusal(), &found)
}

/// Every run demands that its connections open.
fn openings(report: &PingReport) -> Criterion {
    let each = || report.connections().map(|(_, connection)| connection);
    let (all, opened) = (count_of(each()), count_of(each().filter(|connection| connection.opened.is_some())));
    let failed = each().filter(|connection| connection.opened.is_none() && connection.open_error.is_some());
    let state = match (opened == all, failed.count()) {
        (true, _) => CriterionState::Met,
        (false, 0) => CriterionState::Unknown,
        (false, _) => CriterionState::NotMet,
    };
    let found = format!("{opened} of {all} opened");
    Criterion { option: None, wanted: "every connection opens".to_string(), found, state }
}

/// Every run demands that no connection is lost, unless the user wants them to be closed.
fn endings(report: &PingReport, policy: &PassCriteria) -> Criterion {
    let opened = || report.connections().filter(|(_, connection)| connection.opened.is_some());
    if !policy.endings.close_codes.is_empty() {
        let truths = opened()
            .map(|(_, connection)| is_closed_as_wanted(&policy.endings, connection, report.interrupted));
        let number = count_of(opened().map(|(_, connection)| connection));
        let found = all(number, truths.collect());
        return Criterion::wants("--expect-close", policy.endings.wanted_close(), &found);
    }
    let lost = opened().filter(|(_, connection)| connection.lost.is_some());
    let number = count_of(opened().map(|(_, connection)| connection));
    let (state, found) = match (number, count_of(lost.map(|(_, connection)| connection))) {
        (0, _) => (CriterionState::Unknown, "none opened".to_string()),
        (_, 0) => (CriterionState::Met, "none was lost".to_string()),
        (all, lost) => (CriterionState::NotMet, format!("{lost} of {all} lost")),
    };
    Criterion { option: None, wanted: "no connection is lost".to_string(), found, state }
}

fn status(report: &PingReport, policy: &PassCriteria) -> Criterion {
    let (state, found) = match verdict::rejected_status(report, policy) {
        Truth::True(reason) => (CriterionState::NotMet, reason),
        Truth::TrueOfBounds(reason) | Truth::Unknown(reason) => (CriterionState::Unknown, reason),
        Truth::False(_) => (CriterionState::Met, report.status.label().to_string()),
    };
    let wanted = format!("status better than {}", policy.fail_on);
    let is_default = policy.fail_on == FailOn::default();
    Criterion { option: (!is_default).then(|| "--fail-on".into()), wanted, found, state }
}

/// The option names what must not be; the criterion names what is wanted.
fn condition(report: &PingReport, option: &'static str, expression: &FailIf) -> Criterion {
    let truth = match expression.evaluate(report) {
        Truth::True(found) => Truth::False(found),
        Truth::False(found) => Truth::True(found),
        unknown => unknown,
    };
    Criterion::wants(option, expression.negation(), &truth)
}

/// Whether all are true: false if any is, else unknown if any is. They are of this number of connections.
fn all(number: u64, truths: Vec<Truth>) -> Truth {
    let worst = truths
        .iter()
        .find(|truth| truth.is_false())
        .or_else(|| truths.iter().find(|truth| matches!(truth, Truth::Unknown(_) | Truth::TrueOfBounds(_))));
    match (worst, truths.first()) {
        (Some(worst), _) => worst.clone(),
        (None, Some(Truth::True(found))) if number > 1 => {
            Truth::True(format!("all of {number}, the first: {found}"))
        }
        (None, Some(first)) => first.clone(),
        (None, None) => Truth::Unknown("no connection opened".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
    use crate::domain::connection::connect_info::{ConnectError, FailureKind, RefusalResponse};
    use crate::domain::connection::phase::Phase;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::ping::expected_ending::ExpectedEnding;
    use crate::domain::ping::report::{ConnReport, samples};
    use crate::domain::run::run_result::RunResult;

    /// One target with one answered connection for each change.
    fn run(changes: &[&dyn Fn(&mut ConnReport)]) -> PingReport {
        let kind = samples::kind(HeartbeatKind::Protocol, &[5, 6]);
        let mut target = samples::target("ws://a/", vec![kind]);
        let connection = target.connections.remove(0);
        for (index, change) in changes.iter().enumerate() {
            let mut connection = ConnReport { index, ..connection.clone() };
            change(&mut connection);
            target.connections.push(connection);
        }
        let mut report = samples::report(vec![target]);
        report.status = crate::domain::ping::health::Status::Healthy;
        report
    }

    fn closed(by: ClosedBy, code: u16) -> impl Fn(&mut ConnReport) {
        move |connection| {
            let how = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
            let ending = CloseCause {
                who: by,
                how,
                reply: None,
                os_error: None,
                tcp: None,
                age: Duration::from_secs(1),
                idle: Duration::ZERO,
                at: SystemTime::UNIX_EPOCH,
            };
            connection.ending = Some(Arc::new(ending));
        }
    }

    fn refused(status: Option<u16>) -> impl Fn(&mut ConnReport) {
        move |connection| {
            let refusal = status.map(|status| RefusalResponse {
                status,
                headers: Vec::new(),
                body: UntrustedText::default(),
                saw_no_upgrade: false,
            });
            connection.opened = None;
            connection.open_error = Some(Arc::new(ConnectError {
                url: "ws://a/".to_string(),
                phase: Phase::Upgrade,
                kind: FailureKind::Refused,
                cause: "no".to_string(),
                hint: None,
                attempts: Vec::new(),
                reached: None,
                refusal,
                took: Duration::ZERO,
            }));
        }
    }

    fn wants_close(codes: &[u16]) -> PassCriteria {
        let endings = ExpectedEnding { close_codes: codes.to_vec(), ..ExpectedEnding::default() };
        PassCriteria { endings, ..PassCriteria::default() }
    }

    fn wants_refusal(statuses: &[u16]) -> PassCriteria {
        let endings = ExpectedEnding { refused_with: statuses.to_vec(), ..ExpectedEnding::default() };
        PassCriteria { endings, ..PassCriteria::default() }
    }

    /// The state of the criterion of this option, and the result of the run.
    fn judged(report: &PingReport, policy: &PassCriteria, option: &str) -> (CriterionState, RunResult) {
        let all = criteria(report, policy);
        let criterion =
            all.into_iter().find(|criterion| criterion.option.as_deref() == Some(option)).unwrap();
        (criterion.state, verdict::judge(report, policy).0)
    }

    #[test]
    fn close_with_a_wanted_code_is_met_by_every_connection_or_by_none() {
        use CriterionState::{Met, NotMet, Unknown};
        let policy = wants_close(&[1001, 4000]);
        let state = |report: &PingReport| judged(report, &policy, "--expect-close");
        let (going, busy) = (closed(ClosedBy::Peer, 1001), closed(ClosedBy::Peer, 4000));
        assert_eq!(state(&run(&[&going, &busy])), (Met, RunResult::Passed));
        assert_eq!(state(&run(&[&going, &closed(ClosedBy::Peer, 1011)])), (NotMet, RunResult::Failed));
        assert_eq!(state(&run(&[&closed(ClosedBy::Us, 1001)])), (NotMet, RunResult::Failed), "we closed it");
        assert_eq!(state(&run(&[&|_| {}])), (NotMet, RunResult::Failed), "it stayed open");
        let mut interrupted = run(&[&|_| {}]);
        interrupted.interrupted = true;
        assert_eq!(state(&interrupted).0, Unknown, "it might still have been closed");
    }

    #[test]
    fn refusal_is_judged_by_its_status() {
        use CriterionState::{Met, NotMet, Unknown};
        let policy = wants_refusal(&[401, 403]);
        let state = |report: &PingReport| judged(report, &policy, "--expect-refused");
        let (wanted, other, broken) = (refused(Some(401)), refused(Some(500)), refused(None));
        assert_eq!(state(&run(&[&wanted, &refused(Some(403))])), (Met, RunResult::Passed));
        assert_eq!(state(&run(&[&wanted, &other])), (NotMet, RunResult::Failed));
        assert_eq!(state(&run(&[&wanted, &|_| {}])), (NotMet, RunResult::Failed), "one opened");
        assert_eq!(state(&run(&[&broken])), (Unknown, RunResult::Unreachable));
        assert_eq!(state(&run(&[&wanted, &broken])), (Unknown, RunResult::Failed), "some were unreachable");
    }

    #[test]
    fn conditions_are_shown_as_what_is_wanted_with_the_value_found() {
        let policy =
            |text: &str| PassCriteria { fail_if: vec![text.parse().unwrap()], ..PassCriteria::default() };
        let report = run(&[&|_| {}]);
        let shown = |text: &str| {
            let criterion = criteria(&report, &policy(text)).pop().unwrap();
            (criterion.wanted, criterion.found, criterion.state)
        };
        let is = |wanted: &str, found: &str, state| (wanted.to_string(), found.to_string(), state);
        assert_eq!(shown("rtt.max>300ms"), is("rtt.max <= 300 ms", "6 ms", CriterionState::Met));
        assert_eq!(shown("rtt.max>=6ms"), is("rtt.max < 6 ms", "6 ms", CriterionState::NotMet));
        assert_eq!(shown("app.missed!=0").2, CriterionState::Unknown, "no app heartbeats were measured");
        assert_eq!(shown("sent<2"), is("sent >= 2", "2", CriterionState::Met));
    }

    #[test]
    fn demands_of_every_run_name_no_option() {
        let policy = PassCriteria::default();
        let of = |report: &PingReport| -> Vec<_> {
            criteria(report, &policy).into_iter().map(|c| (c.option, c.wanted, c.state)).collect()
        };
        let is = |wanted: &str, state| (None, wanted.to_string(), state);
        let all = [
            is("every connection opens", CriterionState::Met),
            is("no connection is lost", CriterionState::Met),
            is("status better than poor", CriterionState::Met),
        ];
        assert_eq!(of(&run(&[&|_| {}])), all);
        assert_eq!(of(&run(&[&|_| {}, &refused(None)]))[0].2, CriterionState::NotMet);
        let lost = |connection: &mut ConnReport| {
            closed(ClosedBy::Peer, 1001)(connection);
            connection.lost = connection.ending.clone();
        };
        assert_eq!(of(&run(&[&lost]))[1].2, CriterionState::NotMet);
    }
}
