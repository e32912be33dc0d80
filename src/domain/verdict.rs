//! What a run comes to: passed, failed, never measured or inconclusive, and why.

use std::time::Duration;

use super::ending::Who;
use super::health::Status;
use super::report::{ConnReport, Measurement, Report, TargetReport, Verdict};
use super::shown;
use super::stats::{LagSummary, RttSummary};
use super::threshold::{FailIf, FailOn, Truth};

/// The most reasons that are told one by one.
const MOST_REASONS: usize = 20;

/// What the user will not accept.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    pub fail_on: FailOn,
    pub fail_if: Vec<FailIf>,
}

/// The verdict on a run and its reasons, lower-case fragments; none when it passed.
///
/// - nothing was opened: never measured, with the errors; interrupted, when there was no error either
/// - a connection could not be opened while others were measured, one ended that should not have, a
///   status is known and at or worse than the one to fail on, a fail-if expression is true: failed
/// - a connection was not open yet, or one on which no heartbeat of a kind was answered, or a fail-if
///   expression without a value: inconclusive
/// - else passed
pub fn judge(report: &Report, policy: &Policy) -> (Verdict, Vec<String>) {
    let connections = || report.targets.iter().flat_map(|target| &target.connections);
    if connections().all(|connection| connection.opened.is_none()) {
        return never_opened(report);
    }
    let failures = failures(report, policy);
    if !failures.is_empty() {
        return (Verdict::Failed, shortened(failures));
    }
    let doubts = doubts(report, policy);
    match doubts.is_empty() {
        true => (Verdict::Passed, Vec::new()),
        false => (Verdict::Inconclusive, shortened(doubts)),
    }
}

fn never_opened(report: &Report) -> (Verdict, Vec<String>) {
    let errors = open_errors(report);
    match (errors.is_empty(), report.interrupted) {
        (false, _) => (Verdict::NotMeasured, shortened(errors)),
        (true, true) => (Verdict::Interrupted, vec!["interrupted before a connection was open".to_string()]),
        (true, false) => {
            (Verdict::NotMeasured, vec!["no connection was open when the run ended".to_string()])
        }
    }
}

/// Why connections never opened; those of one target mostly fail alike.
fn open_errors(report: &Report) -> Vec<String> {
    let never = each(report).filter(|(_, connection)| connection.opened.is_none());
    let mut errors: Vec<_> =
        never.filter_map(|(_, connection)| connection.open_error.as_ref().map(|e| e.to_string())).collect();
    errors.dedup();
    errors
}

fn failures(report: &Report, policy: &Policy) -> Vec<String> {
    let mut failures = open_errors(report);
    failures.extend(each(report).filter_map(|(target, connection)| {
        unplanned_ending(connection).map(|reason| placed(report, target, connection, &reason))
    }));
    failures.extend(each(report).filter_map(|(target, connection)| {
        bad_status(connection, policy.fail_on).map(|reason| placed(report, target, connection, &reason))
    }));
    failures.extend(policy.fail_if.iter().filter_map(|expression| match expression.evaluate(report) {
        Truth::True(actual) => Some(format!("{expression}: it is {actual}")),
        Truth::False | Truth::Unknown(_) => None,
    }));
    failures
}

fn unplanned_ending(connection: &ConnReport) -> Option<String> {
    let last = connection.ending.as_ref().filter(|ending| !ending.was_planned());
    match (connection.unplanned_endings, last) {
        (0, _) => None,
        (1, Some(ending)) => Some(format!("the connection ended: {ending}")),
        (times, Some(ending)) => Some(format!("the connection ended {times} times, at last: {ending}")),
        (1, None) => Some("the connection ended and was opened again".to_string()),
        (times, None) => Some(format!("the connection ended {times} times and was opened again")),
    }
}

/// A connection that is dead because the other side ended it has told its reason already.
fn bad_status(connection: &ConnReport, fail_on: FailOn) -> Option<String> {
    let ended_by_others = connection.ending.as_ref().is_some_and(|ending| ending.who != Who::Us);
    let told = connection.status == Status::Dead && ended_by_others;
    (fail_on.rejects(connection.status) && !told)
        .then(|| format!("status is {}: {}", connection.status.label(), connection.status_reason))
}

fn doubts(report: &Report, policy: &Policy) -> Vec<String> {
    let mut doubts: Vec<_> = each(report)
        .flat_map(|(target, connection)| {
            unanswered(connection).into_iter().map(|reason| placed(report, target, connection, &reason))
        })
        .collect();
    doubts.extend(policy.fail_if.iter().filter_map(|expression| match expression.evaluate(report) {
        Truth::Unknown(why) => Some(format!("{expression} cannot be judged: {why}")),
        Truth::True(_) | Truth::False => None,
    }));
    doubts
}

fn unanswered(connection: &ConnReport) -> Vec<String> {
    if connection.opened.is_none() {
        return vec!["the connection was not open when the run ended".to_string()];
    }
    let silent = connection.kinds.iter().filter(|kind| kind.counts.answered() == 0);
    silent
        .map(|kind| match kind.counts.sent() {
            0 => format!("no {} heartbeat was sent", kind.kind),
            sent => format!("no {} heartbeat was answered, of {sent} sent", kind.kind),
        })
        .collect()
}

fn each(report: &Report) -> impl Iterator<Item = (&TargetReport, &ConnReport)> {
    report
        .targets
        .iter()
        .flat_map(|target| target.connections.iter().map(move |connection| (target, connection)))
}

/// Names the target where there are several, and the connection where it has several.
fn placed(report: &Report, target: &TargetReport, connection: &ConnReport, reason: &str) -> String {
    match (report.targets.len(), target.connections.len()) {
        (_, 2..) => format!("{} #{}: {reason}", target.url, connection.index),
        (2.., _) => format!("{}: {reason}", target.url),
        (_, _) => reason.to_string(),
    }
}

fn shortened(mut reasons: Vec<String>) -> Vec<String> {
    let more = reasons.len().saturating_sub(MOST_REASONS);
    reasons.truncate(MOST_REASONS);
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    reasons
}

/// The runtime's timer ticks once a millisecond, and so does the wait for the kernel below it: lateness up
/// to both is their grain.
const GRAIN: Duration = Duration::from_millis(2);
/// With fewer heartbeats the 99th percentile is the greatest of them, an anecdote.
const ENOUGH_FOR_P99: u64 = 20;

/// Whether this host's own lateness is small against the RTT. What exceeds the timer's grain makes the
/// measurement suspect when either holds:
///
/// - its median is more than 10 % of the median RTT
/// - its 99th percentile is more than that of the RTT, with at least 20 heartbeats
pub fn measurement(rtt: &RttSummary, lag: &LagSummary) -> Measurement {
    let excess = |lag: Duration| lag.saturating_sub(GRAIN);
    let suspect = |percentile: &str, lag: Duration, rtt: Duration| {
        let (lag, rtt) = (shown::duration(lag), shown::duration(rtt));
        Measurement::Suspect(format!("this host was {lag} late beside an RTT of {rtt} (both {percentile})"))
    };
    if excess(lag.p50).saturating_mul(10) > rtt.p50 {
        return suspect("p50", lag.p50, rtt.p50);
    }
    if rtt.count >= ENOUGH_FOR_P99 && excess(lag.p99) > rtt.p99 {
        return suspect("p99", lag.p99, rtt.p99);
    }
    Measurement::Sound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ending::{Ending, How};
    use crate::domain::heartbeat::Kind;
    use crate::domain::opening::{FailureKind, OpenError};
    use crate::domain::peer_text::PeerText;
    use crate::domain::phase::Phase;
    use crate::domain::report::samples;
    use crate::domain::stats::Counts;
    use std::sync::Arc;
    use std::time::SystemTime;

    fn target(url: &str) -> TargetReport {
        samples::target(url, vec![samples::kind(Kind::Protocol, &[5, 6])])
    }

    /// One target, whose first connection is changed.
    fn run(change: impl FnOnce(&mut ConnReport)) -> Report {
        let mut report = samples::report(vec![target("ws://a/")]);
        change(&mut report.targets[0].connections[0]);
        report
    }

    fn judged(report: &Report) -> (Verdict, Vec<String>) {
        judge(report, &Policy::default())
    }

    fn one(verdict: Verdict, reason: &str) -> (Verdict, Vec<String>) {
        (verdict, vec![reason.to_string()])
    }

    fn with_fail_if(report: &Report, expression: &str) -> (Verdict, Vec<String>) {
        judge(report, &Policy { fail_if: vec![expression.parse().unwrap()], ..Policy::default() })
    }

    fn refused() -> Option<Arc<OpenError>> {
        Some(Arc::new(OpenError {
            url: "ws://a/".to_string(),
            phase: Phase::Tcp,
            kind: FailureKind::Refused,
            cause: "connection refused".to_string(),
            hint: None,
            attempts: Vec::new(),
            refusal: None,
            took: Duration::ZERO,
        }))
    }

    fn never_open(connection: &mut ConnReport, error: Option<Arc<OpenError>>) {
        connection.opened = None;
        connection.open_error = error;
        connection.status = Status::Unknown;
        connection.kinds = vec![samples::kind(Kind::Protocol, &[])];
    }

    fn ending(who: Who, how: How) -> Option<Arc<Ending>> {
        let at = SystemTime::UNIX_EPOCH;
        Some(Arc::new(Ending { who, how, os_error: None, age: Duration::ZERO, idle: Duration::ZERO, at }))
    }

    #[test]
    fn a_run_in_which_nothing_was_found_wanting_passes_without_a_word() {
        assert_eq!(judged(&run(|_| {})), (Verdict::Passed, vec![]));
    }

    #[test]
    fn our_own_close_is_no_failure() {
        let close = How::CloseFrame { code: Some(1000), reason: PeerText::default() };
        assert_eq!(judged(&run(|c| c.ending = ending(Who::Us, close))).0, Verdict::Passed);
    }

    #[test]
    fn what_never_opened_was_never_measured() {
        let report = run(|c| never_open(c, refused()));
        assert_eq!(
            judged(&report),
            one(Verdict::NotMeasured, "cannot open ws://a/: TCP: connection refused")
        );
        let report = run(|c| never_open(c, None));
        assert_eq!(judged(&report), one(Verdict::NotMeasured, "no connection was open when the run ended"));
    }

    #[test]
    fn an_interruption_before_anything_was_known_says_so() {
        let mut report = run(|c| never_open(c, None));
        report.interrupted = true;
        assert_eq!(judged(&report), one(Verdict::Interrupted, "interrupted before a connection was open"));
        let mut report = run(|c| never_open(c, refused()));
        report.interrupted = true;
        assert_eq!(judged(&report).0, Verdict::NotMeasured);
    }

    #[test]
    fn one_target_that_cannot_be_opened_fails_the_run() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        never_open(&mut report.targets[0].connections[0], refused());
        assert_eq!(judged(&report), one(Verdict::Failed, "cannot open ws://a/: TCP: connection refused"));
    }

    #[test]
    fn a_status_fails_the_run_from_the_limit_on() {
        let with = |status| {
            run(|c| {
                c.status = status;
                c.status_reason = "mean RTT of the last 10 is 612 ms".to_string();
            })
        };
        assert_eq!(judged(&with(Status::Degraded)).0, Verdict::Passed);
        assert_eq!(
            judged(&with(Status::Poor)),
            one(Verdict::Failed, "status is poor: mean RTT of the last 10 is 612 ms")
        );
        assert_eq!(judged(&with(Status::Timeout)).0, Verdict::Failed);
        let lenient = Policy { fail_on: "dead".parse().unwrap(), fail_if: Vec::new() };
        assert_eq!(judge(&with(Status::Timeout), &lenient).0, Verdict::Passed);
    }

    #[test]
    fn an_ending_by_others_fails_the_run_and_is_told_once() {
        let report = run(|c| {
            c.ending = ending(Who::Peer, How::Fin);
            c.unplanned_endings = 1;
            c.status = Status::Dead;
        });
        let reason = "the connection ended: peer closed TCP (FIN) without a close frame";
        assert_eq!(judged(&report), one(Verdict::Failed, reason));
    }

    #[test]
    fn a_connection_that_we_gave_up_tells_its_status_too() {
        let report = run(|c| {
            c.ending = ending(Who::Us, How::Timeout);
            c.unplanned_endings = 1;
            c.status = Status::Dead;
            c.status_reason = "3 heartbeats missed in a row".to_string();
        });
        let (verdict, reasons) = judged(&report);
        assert_eq!((verdict, reasons.len()), (Verdict::Failed, 2));
        assert_eq!(reasons[1], "status is dead: 3 heartbeats missed in a row");
    }

    #[test]
    fn an_ending_fails_the_run_even_when_the_connection_came_back() {
        let report = run(|c| {
            let close = How::CloseFrame { code: Some(1000), reason: PeerText::default() };
            c.ending = ending(Who::Us, close);
            c.unplanned_endings = 2;
        });
        let reason = "the connection ended 2 times and was opened again";
        assert_eq!(judged(&report), one(Verdict::Failed, reason));
    }

    #[test]
    fn a_true_expression_fails_the_run() {
        let reason = "rtt.max>5ms: it is 6 ms";
        assert_eq!(with_fail_if(&run(|_| {}), "rtt.max>5ms"), one(Verdict::Failed, reason));
        assert_eq!(with_fail_if(&run(|_| {}), "rtt.max>6ms"), (Verdict::Passed, vec![]));
    }

    #[test]
    fn an_expression_without_value_is_inconclusive_unless_something_failed() {
        let reason = "tls.days_left<14 cannot be judged: tls.days_left was not measured";
        assert_eq!(with_fail_if(&run(|_| {}), "tls.days_left<14"), one(Verdict::Inconclusive, reason));
        let bad = run(|c| c.status = Status::Poor);
        assert_eq!(with_fail_if(&bad, "tls.days_left<14").0, Verdict::Failed);
    }

    #[test]
    fn a_connection_without_an_answer_is_inconclusive() {
        let without = |counts: Counts| {
            run(|c| {
                c.kinds[0].counts = counts;
                c.status = Status::Unknown;
            })
        };
        let reason = "no protocol heartbeat was answered, of 3 sent";
        let counts = Counts { superseded: 1, in_flight: 2, ..Counts::default() };
        assert_eq!(judged(&without(counts)), one(Verdict::Inconclusive, reason));
        let counts = Counts { unsent: 2, ..Counts::default() };
        assert_eq!(judged(&without(counts)), one(Verdict::Inconclusive, "no protocol heartbeat was sent"));
    }

    #[test]
    fn the_target_and_the_connection_are_named_where_there_are_several() {
        let mut report = samples::report(vec![target("ws://a/"), target("ws://b/")]);
        report.targets[1].connections.push(samples::connection(1));
        report.targets[0].connections[0].status = Status::Poor;
        report.targets[1].connections[1].status = Status::Poor;
        let reasons = ["ws://a/: status is poor: ", "ws://b/ #1: status is poor: "].map(String::from);
        assert_eq!(judged(&report), (Verdict::Failed, reasons.to_vec()));
    }

    #[test]
    fn many_reasons_are_shortened() {
        let mut report = samples::report((0..100).map(|n| target(&format!("ws://{n}/"))).collect());
        report.targets.iter_mut().for_each(|target| target.connections[0].status = Status::Dead);
        let (_, reasons) = judged(&report);
        assert_eq!((reasons.len(), reasons[20].as_str()), (21, "and 80 more"));
    }

    fn rtt(count: u64, p50: u64, p99: u64) -> RttSummary {
        let us = Duration::from_micros;
        RttSummary {
            count,
            min: us(p50),
            mean: us(p50),
            max: us(p99),
            p50: us(p50),
            p90: us(p50),
            p95: us(p99),
            p99: us(p99),
        }
    }

    fn lag(p50: u64, p99: u64) -> LagSummary {
        let us = Duration::from_micros;
        LagSummary { p50: us(p50), p99: us(p99), max: us(p99) }
    }

    #[test]
    fn the_timers_grain_is_no_lateness() {
        assert_eq!(measurement(&rtt(100, 50, 90), &lag(2_000, 2_000)), Measurement::Sound);
    }

    #[test]
    fn a_host_that_is_late_by_a_tenth_of_the_rtt_is_suspect() {
        assert_eq!(measurement(&rtt(5, 20_000, 20_000), &lag(4_000, 4_000)), Measurement::Sound);
        let suspect = "this host was 4.1 ms late beside an RTT of 20 ms (both p50)".to_string();
        assert_eq!(measurement(&rtt(5, 20_000, 20_000), &lag(4_100, 4_100)), Measurement::Suspect(suspect));
    }

    #[test]
    fn a_few_late_moments_are_suspect_only_with_enough_heartbeats() {
        let suspect = "this host was 43 ms late beside an RTT of 40 ms (both p99)".to_string();
        assert_eq!(measurement(&rtt(20, 30_000, 40_000), &lag(500, 43_000)), Measurement::Suspect(suspect));
        assert_eq!(measurement(&rtt(19, 30_000, 40_000), &lag(500, 43_000)), Measurement::Sound);
        assert_eq!(measurement(&rtt(20, 30_000, 40_000), &lag(500, 42_000)), Measurement::Sound);
    }
}
