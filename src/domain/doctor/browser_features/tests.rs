use std::sync::Arc;
use std::time::SystemTime;

use super::*;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectInfo, RefusalResponse};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::http2::Http2Code;
use crate::domain::doctor::feature_trial::RepeatedTrial;
use crate::domain::ping::report::{MergeableRtts, samples};
use crate::domain::run::finding::{Finding, Severity};
use crate::domain::stats::{Counts, Differences, Rtts};

/// A run over this HTTP, whose Ping frames were answered after these times, in milliseconds.
fn answered(http: HttpVersion, rtts: &[u64]) -> PingReport {
    let mut pooled = Rtts::default();
    rtts.iter().for_each(|rtt| pooled.record(Duration::from_millis(*rtt)));
    let pooled = Arc::new(MergeableRtts { rtts: pooled, differences: Differences::default() });
    let kind = KindReport { pooled: Some(pooled), ..samples::kind(HeartbeatKind::Protocol, rtts) };
    let mut report = samples::report(vec![samples::target("wss://a.example/", vec![kind])]);
    let info = ConnectInfo { http, ..ConnectInfo::default() };
    report.targets[0].connections[0].opened = Some(Arc::new(info));
    report
}

/// The same, with compression agreed.
fn compressed() -> PingReport {
    let mut report = answered(HttpVersion::Http1, &[5]);
    let agreed = Some("permessage-deflate".to_string());
    let info = ConnectInfo { compression: agreed, ..ConnectInfo::default() };
    report.targets[0].connections[0].opened = Some(Arc::new(info));
    report
}

fn plain() -> PingReport {
    answered(HttpVersion::Http1, &[5, 5, 5])
}

fn unanswered(http: HttpVersion) -> PingReport {
    let mut report = answered(http, &[]);
    report.kinds[0].counts = Counts { missed: 3, ..Counts::default() };
    report
}

/// A run of twelve heartbeats, of which this many were missed.
fn missed(missed: u64) -> PingReport {
    let mut report = answered(HttpVersion::Http2, &[5]);
    report.kinds[0].counts = Counts { ok: 12 - missed, missed, ..Counts::default() };
    report
}

/// A run without an answer, in which the stream's window was exhausted for this many heartbeats.
fn unsent(window_exhausted: u64) -> PingReport {
    let mut report = answered(HttpVersion::Http2, &[]);
    let counts = Counts { unsent: 3, unsent_window_exhausted: window_exhausted, ..Counts::default() };
    report.kinds[0].counts = counts;
    report
}

fn error(phase: Phase, kind: FailureKind) -> ConnectError {
    ConnectError {
        url: "wss://a.example/".to_string(),
        phase,
        kind,
        cause: "the server reset the stream (PROTOCOL_ERROR) instead of answering".to_string(),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: Duration::ZERO,
    }
}

fn not_opened(error: ConnectError) -> PingReport {
    let mut report = answered(HttpVersion::Http1, &[]);
    let connection = &mut report.targets[0].connections[0];
    (connection.opened, connection.open_error) = (None, Some(Arc::new(error)));
    report
}

fn reset() -> PingReport {
    not_opened(error(Phase::Upgrade, FailureKind::H2RstStream))
}

fn ended(mut report: PingReport, how: CloseKind) -> PingReport {
    let who = if how == CloseKind::Timeout { ClosedBy::Us } else { ClosedBy::Peer };
    let (age, at) = (Duration::from_millis(300), SystemTime::UNIX_EPOCH);
    let ending = CloseCause { who, how, reply: None, os_error: None, tcp: None, age, idle: age, at };
    report.targets[0].connections[0].lost = Some(Arc::new(ending));
    report
}

fn trial(with: PingReport, without: PingReport) -> FeatureTrial {
    FeatureTrial { with, without: Some(without), repeated: None }
}

/// The same twice.
fn twice(with: PingReport, without: PingReport) -> FeatureTrial {
    let repeated = RepeatedTrial { without: without.clone(), with: with.clone() };
    FeatureTrial { with, without: Some(without), repeated: Some(repeated) }
}

/// The codes of a trial of HTTP/2, with their severity.
fn codes(trial: &FeatureTrial) -> Vec<(&'static str, Severity)> {
    http2(trial).iter().map(|finding| (finding.code(), finding.severity())).collect()
}

const WORKS: (&str, Severity) = ("h2_works", Severity::Ok);
const FAILS: (&str, Severity) = ("h2_websockets_fail", Severity::Problem);
const NOT_CHECKED: (&str, Severity) = ("not_checked", Severity::Info);

#[test]
fn both_rtts_are_reported_and_a_difference_only_beyond_chance() {
    let of = |with: &[u64], without: &[u64]| {
        trial(answered(HttpVersion::Http2, with), answered(HttpVersion::Http1, without))
    };
    let differing = of(&[45; 12], &[30; 12]);
    let expected =
        FeatureRtts { with: Some(Duration::from_millis(45)), without: Some(Duration::from_millis(30)) };
    assert_eq!(http2(&differing), [DoctorFinding::H2Works(expected), DoctorFinding::H2RttDiffers(expected)]);
    assert_eq!(codes(&of(&[30; 12], &[45; 12])).len(), 2, "also where HTTP/2 is faster");
    assert_eq!(codes(&of(&[45; 3], &[30; 3])), [WORKS], "too few: p = 0.1");
    let mixed = of(&[30, 30, 45, 45, 45, 45, 45, 45], &[30, 30, 30, 30, 30, 30, 45, 45]);
    assert_eq!(codes(&mixed), [WORKS], "within chance");
    assert_eq!(codes(&of(&[32; 12], &[30; 12])), [WORKS], "less than a tenth");
}

#[test]
fn rtts_that_are_upper_bounds_are_not_compared() {
    let mut differing =
        trial(answered(HttpVersion::Http2, &[45; 12]), answered(HttpVersion::Http1, &[30; 12]));
    differing.with.kinds[0].counts.ambiguous = 1;
    assert_eq!(codes(&differing), [WORKS]);
}

#[test]
fn server_without_http2_or_without_websockets_on_it_is_not_bad() {
    let chosen = FeatureTrial { with: plain(), without: None, repeated: None };
    assert_eq!(codes(&chosen), [NOT_CHECKED]);
    assert_eq!((is_chosen(&chosen), is_allowed(&chosen)), (Some(false), None));
    let with = not_opened(error(Phase::Upgrade, FailureKind::WebsocketsNotAllowed));
    let not_allowed = FeatureTrial { with, without: None, repeated: None };
    assert_eq!(codes(&not_allowed), [("h2_websockets_not_allowed", Severity::Info)]);
    assert_eq!((is_chosen(&not_allowed), is_allowed(&not_allowed)), (Some(true), Some(false)));
}

#[test]
fn failure_counts_if_it_recurs_and_http1_works_both_times() {
    assert_eq!(codes(&twice(reset(), plain())), [FAILS]);
    assert_eq!(codes(&trial(reset(), plain())), [NOT_CHECKED], "seen once");
    let no_streams = not_opened(error(Phase::Upgrade, FailureKind::H2NoStreams));
    assert_eq!(codes(&twice(no_streams, plain())), [FAILS], "its settings allow WebSockets");
    assert_eq!(codes(&twice(reset(), reset())), [NOT_CHECKED], "HTTP/1.1 fails, too");
    let once = |with: PingReport, without: PingReport| FeatureTrial {
        repeated: Some(RepeatedTrial { without, with }),
        ..trial(reset(), plain())
    };
    assert_eq!(codes(&once(answered(HttpVersion::Http2, &[5]), plain())), [NOT_CHECKED], "not again");
    assert_eq!(codes(&once(reset(), reset())), [NOT_CHECKED], "HTTP/1.1 failed later");
}

#[test]
fn each_way_of_failing_is_told_apart() {
    let found = |with: PingReport| match http2(&twice(with, plain())).remove(0) {
        DoctorFinding::H2WebsocketsFail { failure } => failure,
        other => panic!("{other:?}"),
    };
    let code = Http2Code(1);
    let ended = found(ended(answered(HttpVersion::Http2, &[5]), CloseKind::H2RstStream { code }));
    assert!(matches!(ended, TrialFailure::Ended(_)));
    assert_eq!(found(unanswered(HttpVersion::Http2)), TrialFailure::Unanswered { missed: 3, sent: 3 });
    assert_eq!(found(missed(4)), TrialFailure::Unanswered { missed: 4, sent: 12 });
    assert_eq!(
        found(unsent(3)),
        TrialFailure::WindowExhausted { unsent: 3, window: ExhaustedWindow::Unknown }
    );
    let refusal = Some(RefusalResponse { status: 404, ..RefusalResponse::default() });
    let refused = ConnectError { refusal, ..error(Phase::Upgrade, FailureKind::UpgradeRefused) };
    let TrialFailure::NotOpened(refused) = found(not_opened(refused)) else { panic!("not opened") };
    assert_eq!(refused.refusal.as_ref().unwrap().status, 404);
}

#[test]
fn connection_without_an_answer_is_not_said_to_work() {
    let in_flight = trial(answered(HttpVersion::Http2, &[]), plain());
    assert_eq!(codes(&in_flight), [NOT_CHECKED]);
    assert_eq!(codes(&trial(unsent(0), plain())), [NOT_CHECKED], "this host was slow");
    assert_eq!(codes(&twice(missed(1), plain())), [NOT_CHECKED], "chance");
    assert_eq!(codes(&twice(missed(4), missed(4))), [NOT_CHECKED], "HTTP/1.1 loses some, too");
    // An end by a limit of wscheck is no loss.
    let mut ended =
        ended(answered(HttpVersion::Http2, &[5]), CloseKind::TooLarge { size: 20 << 20, limit: 16 << 20 });
    let connection = &mut ended.targets[0].connections[0];
    connection.ending = connection.lost.take();
    assert_eq!(codes(&trial(ended, plain())), [NOT_CHECKED]);
}

#[test]
fn failure_before_the_stream_is_not_one_of_http2() {
    let tls = not_opened(error(Phase::Tls, FailureKind::NotHttp2));
    assert_eq!(codes(&twice(tls, plain())), [NOT_CHECKED]);
}

#[test]
fn server_that_answers_no_ping_at_all_is_not_blamed_for_http2() {
    let silent = trial(unanswered(HttpVersion::Http2), unanswered(HttpVersion::Http1));
    assert_eq!(codes(&silent), [NOT_CHECKED]);
    assert_eq!(codes(&trial(unsent(3), unanswered(HttpVersion::Http1))), [NOT_CHECKED]);
    // Having given up is no end of its own.
    let gave_up = |http| ended(unanswered(http), CloseKind::Timeout);
    assert_eq!(codes(&trial(gave_up(HttpVersion::Http2), gave_up(HttpVersion::Http1))), [NOT_CHECKED]);
    assert_eq!(codes(&twice(gave_up(HttpVersion::Http2), plain())), [FAILS]);
}

#[test]
fn compression_that_breaks_is_a_problem_and_one_not_agreed_is_none() {
    let of = |trial: &FeatureTrial| {
        let found = compression(trial);
        (found.code(), found.severity())
    };
    let alone = |with| FeatureTrial { with, without: None, repeated: None };
    assert_eq!(of(&alone(compressed())), ("compression_works", Severity::Ok));
    assert_eq!(of(&alone(plain())), NOT_CHECKED);
    let refused = not_opened(error(Phase::Upgrade, FailureKind::UpgradeRefused));
    let breaks = ("compression_breaks", Severity::Problem);
    assert_eq!(of(&twice(refused.clone(), plain())), breaks);
    assert_eq!(of(&twice(refused.clone(), refused)), NOT_CHECKED);
    let broken = ended(compressed(), CloseKind::Rst);
    assert_eq!(of(&twice(broken.clone(), plain())), breaks);
    let DoctorFinding::CompressionBreaks { agreed, .. } = compression(&twice(broken, plain())) else {
        panic!("it breaks")
    };
    assert_eq!(agreed.as_deref(), Some("permessage-deflate"));
}

#[test]
fn answered_app_heartbeat_shows_that_messages_pass() {
    let has_message = |kind| {
        let mut with = compressed();
        with.kinds[0].kind = kind;
        match compression(&FeatureTrial { with, without: None, repeated: None }) {
            DoctorFinding::CompressionWorks { has_message, .. } => has_message,
            other => panic!("{other:?}"),
        }
    };
    assert!(has_message(HeartbeatKind::App) && !has_message(HeartbeatKind::Protocol));
}
