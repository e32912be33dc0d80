//! The result of a run: passed, failed, unreachable, interrupted or inconclusive, and why.

use super::ending_check::{is_closed_as_wanted, is_refused_as_wanted, result_of_refusals};
use super::expected_ending::ExpectedEnding;
use super::fail_if::{FailIf, FailIfError, FailOn, StatusError};
use super::health::Status;
use super::preset_mismatch;
use super::report::{ConnReport, KindReport, PingReport, TargetReport};
use super::run_info::Demands;
use super::run_status::RunStatusLimits;
use crate::domain::connection::close_cause::{CloseKind, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;

/// Maximum number of reasons listed.
const MAX_REASONS: usize = 20;

/// The criteria of a run: its status limits and the user's failure conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PassCriteria {
    pub limits: RunStatusLimits,
    pub fail_on: FailOn,
    pub fail_if: Vec<FailIf>,
    /// Conditions that are shown as warnings and do not fail the run.
    pub warn_if: Vec<FailIf>,
    pub endings: ExpectedEnding,
}

impl PassCriteria {
    /// The criteria that a report kept.
    ///
    /// # Errors
    ///
    /// A text is no criterion; the message names it.
    pub fn of(demands: &Demands) -> Result<PassCriteria, String> {
        let conditions = |texts: &[String]| -> Result<Vec<FailIf>, String> {
            texts.iter().map(|text| text.parse().map_err(|error: FailIfError| error.to_string())).collect()
        };
        Ok(PassCriteria {
            limits: demands.limits,
            fail_on: demands.fail_on.parse().map_err(|error: StatusError| error.to_string())?,
            fail_if: conditions(&demands.fail_if)?,
            warn_if: conditions(&demands.warn_if)?,
            endings: demands.endings.clone(),
        })
    }

    /// As they are kept in the report.
    pub fn demands(&self) -> Demands {
        Demands {
            limits: self.limits,
            fail_on: self.fail_on.to_string(),
            fail_if: self.fail_if.iter().map(ToString::to_string).collect(),
            warn_if: self.warn_if.iter().map(ToString::to_string).collect(),
            endings: self.endings.clone(),
        }
    }
}

/// The result of a run and its reasons, as lower-case fragments; none if it passed. The first rule that
/// applies:
///
/// 1. Nothing opened: unreachable, with the errors; interrupted if there was no error.
/// 2. A connection could not be opened while others were measured, one ended unplanned, a known status is at
///    or worse than the one to fail on, or a fail-if expression is true: failed.
/// 3. The user ended a bounded run before it was complete: interrupted.
/// 4. Such a status or expression comes only from RTTs that are upper bounds (see
///    [`PingReport::upper_bounds`]): inconclusive. RTTs that pass as upper bounds pass.
/// 5. A connection was not open yet, no heartbeat of a kind was judged on one, more than a tenth of the due
///    heartbeats was not sent, or a fail-if expression has no value: inconclusive.
/// 6. Otherwise passed. If all judged heartbeats were missed, the status is `timeout` or `dead`; accepting
///    that status (`--fail-on dead` with a large `--dead-after`) means passing.
pub fn judge(report: &PingReport, policy: &PassCriteria) -> (RunResult, Vec<String>) {
    if !policy.endings.refused_with.is_empty() {
        return judge_refusals(report, &policy.endings);
    }
    if report.connections().all(|(_, connection)| connection.opened.is_none()) {
        return never_opened(report);
    }
    let failures = failure_reasons(report, policy);
    let cut_short = report.cut_short();
    if !failures.is_empty() {
        return (RunResult::Failed, shortened(failures.into_iter().chain(cut_short).collect()));
    }
    let inconclusive_reasons = inconclusive_reasons(report, policy);
    match (cut_short, inconclusive_reasons.is_empty()) {
        (Some(cut_short), _) => {
            let reasons = std::iter::once(cut_short).chain(inconclusive_reasons).collect();
            (RunResult::Interrupted { measured: true }, shortened(reasons))
        }
        (None, true) => (RunResult::Passed, Vec::new()),
        (None, false) => (RunResult::Inconclusive, shortened(inconclusive_reasons)),
    }
}

/// The result of a run whose connections are to be refused, and what was found otherwise.
fn judge_refusals(report: &PingReport, endings: &ExpectedEnding) -> (RunResult, Vec<String>) {
    let wanted = endings.wanted_refusal();
    let reason = |(target, connection)| match is_refused_as_wanted(endings, connection) {
        Truth::True(_) => None,
        Truth::False(found) | Truth::TrueOfBounds(found) | Truth::Unknown(found) => {
            Some(with_location(report, target, connection, &format!("{found}; wanted: {wanted}")))
        }
    };
    (result_of_refusals(endings, report), shortened(report.connections().filter_map(reason).collect()))
}

/// Whether the status of any connection, or of the loss over all to one target, is one to fail on.
pub(super) fn rejected_status(report: &PingReport, policy: &PassCriteria) -> Truth {
    let mut bounds = None;
    for (target, connection) in report.connections() {
        let Some(reason) = bad_status(connection, policy.fail_on) else { continue };
        let reason = with_location(report, target, connection, &reason);
        match upper_bounds_of_status(report, connection, policy.fail_on) {
            None => return Truth::True(reason),
            Some(why) => bounds = bounds.or(Some(format!("{reason}, but {why}"))),
        }
    }
    let mut pooled =
        report.targets.iter().filter_map(|target| bad_status_by_pooled_loss(report, target, policy.fail_on));
    match (pooled.next(), bounds) {
        (Some(reason), _) => Truth::True(reason),
        (None, Some(bounds)) => Truth::TrueOfBounds(bounds),
        (None, None) if report.status == Status::Unknown => {
            Truth::Unknown("no heartbeat was judged".to_string())
        }
        (None, None) => Truth::False(report.status.label().to_string()),
    }
}

fn never_opened(report: &PingReport) -> (RunResult, Vec<String>) {
    let errors = open_errors(report);
    let verdict = match (errors.is_empty(), report.interrupted) {
        (true, true) => RunResult::Interrupted { measured: false },
        (true, false) | (false, _) => RunResult::Unreachable,
    };
    let waiting = report.targets.iter().filter(|target| target.connections.iter().any(is_opening));
    let reasons =
        errors.into_iter().chain(waiting.map(|target| describe_unfinished_opening(report, &target.url)));
    (verdict, shortened(reasons.collect()))
}

/// Whether the run ended before the connection was open, its greeting answered, or an error known.
fn is_opening(connection: &ConnReport) -> bool {
    connection.opened.is_none() && connection.open_error.is_none()
}

fn describe_unfinished_opening(report: &PingReport, what: &str) -> String {
    let end = if report.interrupted { "interrupt" } else { "deadline" };
    format!("the {end} came while {what} was still being opened")
}

/// Why connections never opened, without repetition: those of one target mostly fail alike.
fn open_errors(report: &PingReport) -> Vec<String> {
    let never = report.connections().filter(|(_, connection)| connection.opened.is_none());
    let mut errors: Vec<_> =
        never.filter_map(|(_, connection)| connection.open_error.as_ref().map(|e| e.to_string())).collect();
    errors.dedup();
    errors
}

fn failure_reasons(report: &PingReport, policy: &PassCriteria) -> Vec<String> {
    let mut failures = open_errors(report);
    failures.extend(report.connections().filter_map(|(target, connection)| {
        let reason = wrong_ending(report, connection, &policy.endings)?;
        Some(with_location(report, target, connection, &reason))
    }));
    failures.extend(report.connections().filter_map(|(target, connection)| {
        let reason = bad_status(connection, policy.fail_on)?;
        upper_bounds_of_status(report, connection, policy.fail_on)
            .is_none()
            .then(|| with_location(report, target, connection, &reason))
    }));
    failures.extend(
        report.targets.iter().filter_map(|target| bad_status_by_pooled_loss(report, target, policy.fail_on)),
    );
    failures.extend(policy.fail_if.iter().filter_map(|expression| match expression.evaluate(report) {
        Truth::True(actual) => Some(format!("{expression}: it is {actual}")),
        Truth::TrueOfBounds(_) | Truth::False(_) | Truth::Unknown(_) => None,
    }));
    failures
}

/// Why a connection did not end as it should: by us, or as the user expects.
fn wrong_ending(report: &PingReport, connection: &ConnReport, endings: &ExpectedEnding) -> Option<String> {
    if endings.close_codes.is_empty() {
        return unplanned_ending(connection);
    }
    match is_closed_as_wanted(endings, connection, report.interrupted) {
        Truth::False(found) => Some(format!("{found}; wanted: {}", endings.wanted_close())),
        Truth::True(_) | Truth::TrueOfBounds(_) | Truth::Unknown(_) => None,
    }
}

fn unplanned_ending(connection: &ConnReport) -> Option<String> {
    let lost = connection.lost.as_ref()?;
    let again = if connection.ending.as_ref().is_some_and(|ending| ending.was_planned()) {
        " and was opened again"
    } else {
        ""
    };
    match connection.unplanned_endings {
        0 => None,
        1 => Some(format!("the connection ended{again}: {lost}")),
        times => Some(format!("the connection ended {times} times{again}; the last time: {lost}")),
    }
}

/// A status that comes from an end is not reported again.
fn bad_status(connection: &ConnReport, fail_on: FailOn) -> Option<String> {
    (fail_on.rejects(connection.status) && !is_by_an_ending(connection, fail_on))
        .then(|| format!("status is {}: {}", connection.status.label(), connection.status_reason))
}

/// Whether only an end makes the status this bad: the peer's, or one followed by a reconnect.
fn is_by_an_ending(connection: &ConnReport, fail_on: FailOn) -> bool {
    let ended_by_others = connection.ending.as_ref().is_some_and(|ending| ending.who != ClosedBy::Us);
    match connection.status {
        Status::Dead => ended_by_others,
        Status::Poor => {
            let by_heartbeats = connection.kinds.iter().any(|figures| fail_on.rejects(figures.status));
            connection.reconnects > 0 && !by_heartbeats
        }
        Status::Healthy | Status::Degraded | Status::Critical | Status::Unknown | Status::Timeout => false,
    }
}

/// The loss over all connections to a target, if no single connection is that bad.
fn bad_status_by_pooled_loss(report: &PingReport, target: &TargetReport, fail_on: FailOn) -> Option<String> {
    let by_one = target.connections.iter().any(|connection| fail_on.rejects(connection.status));
    (fail_on.rejects(target.status) && !by_one).then(|| {
        let reason = format!("status is {}: {}", target.status.label(), target.status_reason);
        if report.targets.len() > 1 { format!("{}: {reason}", target.url) } else { reason }
    })
}

/// Why a rejected status may be better than it seems: it comes from RTTs, and those of every kind with that
/// status are upper bounds.
fn upper_bounds_of_status(report: &PingReport, connection: &ConnReport, fail_on: FailOn) -> Option<String> {
    let of_rtts = matches!(connection.status, Status::Degraded | Status::Poor | Status::Critical)
        && !fail_on.rejects(connection.status_without_rtt);
    // If even healthy is rejected, no RTT would be short enough.
    if !of_rtts || fail_on.rejects(Status::Healthy) {
        return None;
    }
    let mut bad = connection.kinds.iter().filter(|figures| fail_on.rejects(figures.status));
    let why = report.upper_bounds(bad.next()?)?;
    bad.all(|figures| report.upper_bounds(figures).is_some()).then_some(why)
}

fn inconclusive_reasons(report: &PingReport, policy: &PassCriteria) -> Vec<String> {
    let of_connection = |(target, connection)| {
        let inconclusive_reasons = inconclusive_reasons_of(report, connection, policy);
        inconclusive_reasons.into_iter().map(move |reason| with_location(report, target, connection, &reason))
    };
    let mut inconclusive_reasons: Vec<_> = report.connections().flat_map(of_connection).collect();
    inconclusive_reasons.extend(policy.fail_if.iter().filter_map(|expression| {
        match expression.evaluate(report) {
            Truth::Unknown(why) => Some(format!("{expression} cannot be judged: {why}")),
            Truth::TrueOfBounds(actual) => Some(format!("{expression}: it is {actual}")),
            Truth::True(_) | Truth::False(_) => None,
        }
    }));
    inconclusive_reasons
}

fn inconclusive_reasons_of(
    report: &PingReport,
    connection: &ConnReport,
    policy: &PassCriteria,
) -> Vec<String> {
    if connection.opened.is_none() {
        return vec![describe_unfinished_opening(report, "it")];
    }
    if connection.ending.as_ref().is_some_and(|ending| policy.endings.is_met_by(ending)) {
        return Vec::new();
    }
    let bad = bad_status(connection, policy.fail_on);
    let bounds = upper_bounds_of_status(report, connection, policy.fail_on);
    let undecided_status = bad.zip(bounds).map(|(bad, why)| format!("{bad}, but {why}"));
    let unclear = connection.kinds.iter().filter_map(|figures| {
        let other_http = without_http2(connection, figures);
        other_http.or_else(|| unjudged(figures)).or_else(|| unsent(figures))
    });
    let silent = preset_mismatch::never_started(&report.info, connection, report.observed());
    let limited = ended_by_own_limit(connection);
    undecided_status.into_iter().chain(limited).chain(unclear).chain(silent).collect()
}

/// A limit of wscheck ended the connection, so what would have followed is unknown.
fn ended_by_own_limit(connection: &ConnReport) -> Option<String> {
    let ending =
        connection.ending.as_ref().filter(|ending| matches!(ending.how, CloseKind::TooLarge { .. }))?;
    Some(format!("the run was cut short: {ending}"))
}

/// PINGs of HTTP/2 were wanted on a connection of another HTTP.
fn without_http2(connection: &ConnReport, figures: &KindReport) -> Option<String> {
    let http = connection.opened.as_ref()?.http;
    (figures.kind == HeartbeatKind::Http2 && http == HttpVersion::Http1)
        .then(|| "no PING of HTTP/2 was sent: the connection is one of HTTP/1.1".to_string())
}

/// No heartbeat of this kind was judged.
fn unjudged(figures: &KindReport) -> Option<String> {
    let (kind, counts) = (figures.kind, &figures.counts);
    let all_missed = counts.missed > 0 && counts.missed == counts.judged();
    match (counts.answered(), counts.sent()) {
        (0, 0) => Some(format!("no {kind} heartbeat was sent")),
        (0, sent) if !all_missed => Some(format!("no {kind} heartbeat was answered, of {sent} sent")),
        (_, _) => None,
    }
}

/// The requested schedule was not kept.
fn unsent(figures: &KindReport) -> Option<String> {
    let unsent = figures.counts.unsent;
    let due = figures.counts.sent().saturating_add(unsent);
    figures.counts.is_schedule_broken().then(|| {
        let kind = figures.kind;
        format!("{unsent} of {due} {kind} heartbeats were not sent: the requested schedule was not kept")
    })
}

/// Names the target if there are several, and the connection if it has several.
fn with_location(
    report: &PingReport,
    target: &TargetReport,
    connection: &ConnReport,
    reason: &str,
) -> String {
    match (report.targets.len(), target.connection_count()) {
        (_, 2..) => format!("{} {}: {reason}", target.url, connection.name()),
        (2.., _) => format!("{}: {reason}", target.url),
        (_, _) => reason.to_string(),
    }
}

fn shortened(mut reasons: Vec<String>) -> Vec<String> {
    let more = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::close_cause::CloseCause;
    use crate::domain::connection::connect_info::{ConnectError, FailureKind};
    use crate::domain::connection::phase::Phase;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::ping::report::samples;
    use crate::domain::ping::run_info::RunInfo;
    use crate::domain::stats::{Counts, LagSummary};
    use std::sync::Arc;
    use std::time::{Duration, SystemTime};

    fn target(url: &str) -> TargetReport {
        samples::target(url, vec![samples::kind(HeartbeatKind::Protocol, &[5, 6])])
    }

    /// One target, with its first connection changed.
    fn run(change: impl FnOnce(&mut ConnReport)) -> PingReport {
        let mut report = samples::report(vec![target("ws://a/")]);
        change(&mut report.targets[0].connections[0]);
        report
    }

    fn judged(report: &PingReport) -> (RunResult, Vec<String>) {
        judge(report, &PassCriteria::default())
    }

    fn one(verdict: RunResult, reason: &str) -> (RunResult, Vec<String>) {
        (verdict, vec![reason.to_string()])
    }

    fn with_fail_if(report: &PingReport, expression: &str) -> (RunResult, Vec<String>) {
        judge(report, &PassCriteria { fail_if: vec![expression.parse().unwrap()], ..PassCriteria::default() })
    }

    fn refused() -> Option<Arc<ConnectError>> {
        Some(Arc::new(ConnectError {
            url: "ws://a/".to_string(),
            phase: Phase::Tcp,
            kind: FailureKind::Refused,
            cause: "connection refused".to_string(),
            hint: None,
            attempts: Vec::new(),
            reached: None,
            refusal: None,
            took: Duration::ZERO,
        }))
    }

    fn never_open(connection: &mut ConnReport, error: Option<Arc<ConnectError>>) {
        connection.opened = None;
        connection.open_error = error;
        connection.status = Status::Unknown;
        connection.kinds = vec![samples::kind(HeartbeatKind::Protocol, &[])];
    }

    fn ending(who: ClosedBy, how: CloseKind) -> Option<Arc<CloseCause>> {
        let at = SystemTime::UNIX_EPOCH;
        Some(Arc::new(CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: Duration::ZERO,
            idle: Duration::ZERO,
            at,
        }))
    }

    #[test]
    fn clean_run_passes_without_reasons() {
        assert_eq!(judged(&run(|_| {})), (RunResult::Passed, vec![]));
    }

    #[test]
    fn own_close_is_no_failure() {
        let close = CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() };
        assert_eq!(judged(&run(|c| c.ending = ending(ClosedBy::Us, close))).0, RunResult::Passed);
    }

    #[test]
    fn end_by_own_size_limit_is_inconclusive() {
        let (verdict, reasons) = judged(&run(|c| {
            c.ending = ending(ClosedBy::Us, CloseKind::TooLarge { size: 2048, limit: 1024 })
        }));
        assert_eq!(verdict, RunResult::Inconclusive);
        assert!(reasons[0].ends_with("above the limit of 1 KiB (raise it with --max-message-size)"));
    }

    #[test]
    fn run_without_an_open_connection_is_unreachable() {
        let report = run(|c| never_open(c, refused()));
        assert_eq!(
            judged(&report),
            one(RunResult::Unreachable, "cannot open ws://a/: TCP: connection refused")
        );
        let report = run(|c| never_open(c, None));
        let reason = "the deadline came while ws://a/ was still being opened";
        assert_eq!(judged(&report), one(RunResult::Unreachable, reason));
    }

    #[test]
    fn targets_still_opening_are_named_beside_errors() {
        let mut report = samples::report(["ws://a/", "ws://b/", "ws://c/"].map(target).to_vec());
        for (target, error) in [(0, None), (1, refused()), (2, None)] {
            never_open(&mut report.targets[target].connections[0], error);
        }
        let reasons = [
            "cannot open ws://a/: TCP: connection refused",
            "the deadline came while ws://a/ was still being opened",
            "the deadline came while ws://c/ was still being opened",
        ];
        assert_eq!(judged(&report), (RunResult::Unreachable, reasons.map(String::from).to_vec()));
    }

    #[test]
    fn connection_still_opening_beside_a_good_one_is_inconclusive() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        never_open(&mut report.targets[1].connections[0], None);
        let reason = "ws://b/: the deadline came while it was still being opened";
        assert_eq!(judged(&report), one(RunResult::Inconclusive, reason));
    }

    #[test]
    fn interrupt_during_opening_is_reported() {
        let mut report = run(|c| never_open(c, None));
        report.interrupted = true;
        let reason = "the interrupt came while ws://a/ was still being opened";
        assert_eq!(judged(&report), one(RunResult::Interrupted { measured: false }, reason));
        let mut report = run(|c| never_open(c, refused()));
        report.interrupted = true;
        assert_eq!(judged(&report).0, RunResult::Unreachable);
    }

    /// Twenty heartbeats are planned, two are answered, and the user ends the run.
    fn cut_short(change: impl FnOnce(&mut ConnReport)) -> PingReport {
        let mut report = run(change);
        let info = RunInfo { count: Some(20), ..report.info.as_ref().clone() };
        (report.info, report.interrupted) = (Arc::new(info), true);
        report
    }

    #[test]
    fn bounded_run_that_is_cut_short_is_interrupted() {
        let reason = "interrupted after 2 of 20 heartbeats";
        assert_eq!(judged(&cut_short(|_| {})), one(RunResult::Interrupted { measured: true }, reason));
        let (verdict, reasons) = with_fail_if(&cut_short(|_| {}), "tls.days_left<14");
        assert_eq!((verdict, reasons.len()), (RunResult::Interrupted { measured: true }, 2));
        assert_eq!(reasons[0], reason);
    }

    #[test]
    fn criterion_that_failed_before_the_interrupt_fails_the_run() {
        let reasons = ["status is poor: ", "interrupted after 2 of 20 heartbeats"].map(String::from);
        let report = cut_short(|c| c.status = Status::Poor);
        assert_eq!(judged(&report), (RunResult::Failed, reasons.to_vec()));
    }

    #[test]
    fn open_criterion_is_undecided_when_cut_short() {
        for expression in ["ok<20", "ok<=2", "sent==2", "ok!=20", "rtt.max<1s", "rtt.min>1us"] {
            let (verdict, reasons) = with_fail_if(&cut_short(|_| {}), expression);
            assert_eq!(verdict, RunResult::Interrupted { measured: true }, "{expression}");
            let undecided = format!("{expression} cannot be judged: it was ");
            assert!(
                reasons[1].starts_with(&undecided) && reasons[1].ends_with("might have changed"),
                "{reasons:?}"
            );
        }
        for expression in ["ok>1", "ok!=1", "rtt.max>1us", "rtt.mean<1s"] {
            assert_eq!(with_fail_if(&cut_short(|_| {}), expression).0, RunResult::Failed, "{expression}");
        }
        let complete = run(|_| {});
        assert_eq!(with_fail_if(&complete, "ok<20").0, RunResult::Failed, "the run was complete");
    }

    #[test]
    fn unbounded_run_that_is_interrupted_passes() {
        let mut report = run(|_| {});
        report.interrupted = true;
        assert_eq!(judged(&report), (RunResult::Passed, vec![]));
    }

    #[test]
    fn one_unreachable_target_fails_the_run() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        never_open(&mut report.targets[0].connections[0], refused());
        assert_eq!(judged(&report), one(RunResult::Failed, "cannot open ws://a/: TCP: connection refused"));
    }

    #[test]
    fn status_at_the_limit_fails_the_run() {
        let with = |status| {
            run(|c| {
                c.status = status;
                c.status_reason = "mean RTT of the last 10 is 612 ms".to_string();
            })
        };
        assert_eq!(judged(&with(Status::Degraded)).0, RunResult::Passed);
        assert_eq!(
            judged(&with(Status::Poor)),
            one(RunResult::Failed, "status is poor: mean RTT of the last 10 is 612 ms")
        );
        assert_eq!(judged(&with(Status::Timeout)).0, RunResult::Failed);
        let lenient = PassCriteria { fail_on: "dead".parse().unwrap(), ..PassCriteria::default() };
        assert_eq!(judge(&with(Status::Timeout), &lenient).0, RunResult::Passed);
    }

    #[test]
    fn end_by_the_peer_fails_the_run_once() {
        let report = run(|c| {
            (c.ending, c.lost) =
                (ending(ClosedBy::Peer, CloseKind::Fin), ending(ClosedBy::Peer, CloseKind::Fin));
            c.unplanned_endings = 1;
            c.status = Status::Dead;
        });
        let reason = "the connection ended: peer closed TCP (FIN) without a close frame";
        assert_eq!(judged(&report), one(RunResult::Failed, reason));
    }

    #[test]
    fn connection_given_up_reports_its_status_too() {
        let report = run(|c| {
            (c.ending, c.lost) =
                (ending(ClosedBy::Us, CloseKind::Timeout), ending(ClosedBy::Us, CloseKind::Timeout));
            c.unplanned_endings = 1;
            c.status = Status::Dead;
            c.status_reason = "3 heartbeats missed in a row".to_string();
        });
        let (verdict, reasons) = judged(&report);
        assert_eq!((verdict, reasons.len()), (RunResult::Failed, 2));
        assert_eq!(reasons[1], "status is dead: 3 heartbeats missed in a row");
    }

    #[test]
    fn end_fails_the_run_despite_a_reconnect() {
        let report = run(|c| {
            let close = CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() };
            (c.ending, c.lost) = (ending(ClosedBy::Us, close), ending(ClosedBy::Network, CloseKind::Rst));
            c.unplanned_endings = 2;
        });
        let reason =
            "the connection ended 2 times and was opened again; the last time: connection reset (RST)";
        assert_eq!(judged(&report), one(RunResult::Failed, reason));
    }

    #[test]
    fn status_by_a_reconnect_is_reported_once() {
        let report = run(|c| {
            c.lost = ending(ClosedBy::Peer, CloseKind::Fin);
            (c.unplanned_endings, c.reconnects) = (1, 1);
            (c.status, c.status_without_rtt) = (Status::Poor, Status::Poor);
        });
        let reason = "the connection ended: peer closed TCP (FIN) without a close frame";
        assert_eq!(judged(&report), one(RunResult::Failed, reason));
    }

    #[test]
    fn pooled_loss_fails_the_run() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        report.targets[1].connections.push(samples::connection(1));
        report.targets[1].status = Status::Critical;
        report.targets[1].status_reason = "4 of 8 heartbeats missed (50 % loss)".to_string();
        let reason = "ws://b/: status is critical: 4 of 8 heartbeats missed (50 % loss)";
        assert_eq!(judged(&report), one(RunResult::Failed, reason));
        report.targets[1].connections[1].status = Status::Poor;
        assert_eq!(judged(&report), one(RunResult::Failed, "ws://b/ #1: status is poor: "));
    }

    #[test]
    fn loss_fails_a_run_with_upper_bound_rtts() {
        let kinds = vec![matched_in_order(Status::Critical, 12)];
        let mut report = samples::report(vec![samples::target("ws://a/", kinds)]);
        let connection = &mut report.targets[0].connections[0];
        connection.status = Status::Critical;
        assert_eq!(judged(&report).0, RunResult::Inconclusive);
        report.targets[0].connections[0].status_without_rtt = Status::Poor;
        assert_eq!(judged(&report).0, RunResult::Failed);
    }

    #[test]
    fn true_expression_fails_the_run() {
        let reason = "rtt.max>5ms: it is 6 ms";
        assert_eq!(with_fail_if(&run(|_| {}), "rtt.max>5ms"), one(RunResult::Failed, reason));
        assert_eq!(with_fail_if(&run(|_| {}), "rtt.max>6ms"), (RunResult::Passed, vec![]));
    }

    #[test]
    fn unknown_fail_if_is_inconclusive_unless_another_failed() {
        let reason = "tls.days_left<14 cannot be judged: tls.days_left was not measured";
        assert_eq!(with_fail_if(&run(|_| {}), "tls.days_left<14"), one(RunResult::Inconclusive, reason));
        let bad = run(|c| c.status = Status::Poor);
        assert_eq!(with_fail_if(&bad, "tls.days_left<14").0, RunResult::Failed);
    }

    #[test]
    fn connection_without_an_answer_is_inconclusive() {
        let without = |counts: Counts| {
            run(|c| {
                c.kinds[0].counts = counts;
                c.status = Status::Unknown;
            })
        };
        let reason = "no protocol heartbeat was answered, of 3 sent";
        let counts = Counts { superseded: 1, in_flight: 2, ..Counts::default() };
        assert_eq!(judged(&without(counts)), one(RunResult::Inconclusive, reason));
        let counts = Counts { unsent: 2, ..Counts::default() };
        assert_eq!(judged(&without(counts)), one(RunResult::Inconclusive, "no protocol heartbeat was sent"));
    }

    #[test]
    fn status_decides_if_all_judged_were_missed() {
        let counts = Counts { missed: 10, ..Counts::default() };
        let report = run(|c| {
            c.kinds[0].counts = counts;
            c.status = Status::Timeout;
            c.status_reason = "10 consecutive heartbeats missed".to_string();
        });
        let reason = "status is timeout: 10 consecutive heartbeats missed";
        assert_eq!(judged(&report), one(RunResult::Failed, reason));
        let lenient = PassCriteria { fail_on: "dead".parse().unwrap(), ..PassCriteria::default() };
        assert_eq!(judge(&report, &lenient), (RunResult::Passed, vec![]));
    }

    #[test]
    fn unsent_schedule_is_inconclusive_unless_another_failed() {
        let with =
            |ok: u64, unsent: u64| run(|c| c.kinds[0].counts = Counts { ok, unsent, ..Counts::default() });
        let reason = "98 of 100 protocol heartbeats were not sent: the requested schedule was not kept";
        assert_eq!(judged(&with(2, 98)), one(RunResult::Inconclusive, reason));
        assert_eq!(judged(&with(90, 10)), (RunResult::Passed, vec![]));
        assert_eq!(judged(&with(89, 11)).0, RunResult::Inconclusive);
        let mut bad = with(2, 98);
        bad.targets[0].connections[0].status = Status::Critical;
        assert_eq!(judged(&bad).0, RunResult::Failed);
    }

    /// App heartbeats with this status; `ambiguous` of them were matched in order among several.
    fn matched_in_order(status: Status, ambiguous: u64) -> KindReport {
        let mut figures = KindReport { status, ..samples::kind(HeartbeatKind::App, &[612]) };
        figures.counts.ambiguous = ambiguous;
        figures
    }

    #[test]
    fn upper_bounds_do_not_fail_a_run() {
        let mut report = samples::report(vec![samples::target(
            "ws://a/",
            vec![samples::kind(HeartbeatKind::Protocol, &[5]), matched_in_order(Status::Poor, 12)],
        )]);
        let connection = &mut report.targets[0].connections[0];
        (connection.status, connection.status_reason) = (Status::Poor, "app: mean RTT is 612 ms".to_string());
        let why = "app RTTs are upper bounds: 12 answers carried no id while several requests were outstanding; give the request an id or lengthen the interval";
        let reason = format!("status is poor: app: mean RTT is 612 ms, but {why}");
        assert_eq!(judged(&report), one(RunResult::Inconclusive, &reason));
        let both = with_fail_if(&report, "app.rtt.max>500ms");
        let reasons = vec![reason.clone(), format!("app.rtt.max>500ms: it is 612 ms, but {why}")];
        assert_eq!(both, (RunResult::Inconclusive, reasons));
        assert_eq!(with_fail_if(&report, "app.ok>=1").0, RunResult::Failed, "counts are exact");
        let lenient = PassCriteria { fail_on: "critical".parse().unwrap(), ..PassCriteria::default() };
        assert_eq!(judge(&report, &lenient), (RunResult::Passed, vec![]), "good by its upper bounds");
    }

    #[test]
    fn local_stall_does_not_fail_the_run() {
        let mut report = run(|connection| {
            connection.status = Status::Critical;
            connection.status_reason = "mean RTT of the last 2 is 2 s".to_string();
            connection.kinds[0].status = Status::Critical;
        });
        let lag = |max| LagSummary { p50: Duration::ZERO, p99: Duration::ZERO, max };
        report.host_lag = Some(lag(Duration::from_millis(4_200)));
        let (verdict, reasons) = judged(&report);
        assert_eq!((verdict, reasons.len()), (RunResult::Inconclusive, 1));
        assert!(
            reasons[0].ends_with("this host was stalled for 4.2 s, and read answers late"),
            "{reasons:?}"
        );
        report.targets[0].connections[0].status = Status::Dead;
        assert_eq!(judged(&report).0, RunResult::Failed, "what was missed was missed");
    }

    #[test]
    fn exact_figures_fail_a_run_beside_upper_bounds() {
        let with = |kinds: Vec<KindReport>, status: Status| {
            let mut report = samples::report(vec![samples::target("ws://a/", kinds)]);
            report.targets[0].connections[0].status = status;
            judged(&report).0
        };
        let slow = KindReport { status: Status::Poor, ..samples::kind(HeartbeatKind::Protocol, &[700]) };
        assert_eq!(with(vec![slow, matched_in_order(Status::Poor, 1)], Status::Poor), RunResult::Failed);
        assert_eq!(with(vec![matched_in_order(Status::Timeout, 1)], Status::Timeout), RunResult::Failed);
        assert_eq!(with(vec![matched_in_order(Status::Critical, 0)], Status::Critical), RunResult::Failed);
        assert_eq!(
            with(vec![matched_in_order(Status::Critical, 1)], Status::Critical),
            RunResult::Inconclusive
        );
    }

    #[test]
    fn target_and_connection_are_named_if_several() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        report.targets[1].connections.push(samples::connection(1));
        report.targets[0].connections[0].status = Status::Poor;
        report.targets[1].connections[1].status = Status::Poor;
        let reasons = ["ws://a/: status is poor: ", "ws://b/ #1: status is poor: "].map(String::from);
        assert_eq!(judged(&report), (RunResult::Failed, reasons.to_vec()));
    }

    #[test]
    fn many_reasons_are_shortened() {
        let mut report = samples::report((0..100).map(|n| target(&format!("ws://{n}/"))).collect());
        report.targets.iter_mut().for_each(|target| target.connections[0].status = Status::Dead);
        let (_, reasons) = judged(&report);
        assert_eq!((reasons.len(), reasons[20].as_str()), (21, "and 80 more"));
    }
}
