//! What follows from measurements of known outcome.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::evidence::{BrowserPart, PathEvidence, Resolution, UpgradeChange, UpgradeVariant};
use super::feature_trial::TrialFailure;
use super::report::{Depth, DoctorInfo, DoctorReport, ExaminedPath, PathInfo, judge};
use super::*;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, FailureKind, RefusalResponse,
};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::product_naming::ProductNaming;
use crate::domain::idle::report::{IdleInfo, IdleReport};
use crate::domain::idle::{
    IdleVerdict, NeededTraffic, ProvisionalTimeout, Recommendation, Search, SearchPlan,
};
use crate::domain::ping::report::samples;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn opened() -> Arc<ConnectInfo> {
    Arc::new(ConnectInfo::default())
}

/// A search with this outcome.
fn idle(verdict: IdleVerdict, lo: Option<u64>, hi: Option<u64>) -> Box<IdleReport> {
    let search = SearchPlan::default();
    let nothing = Search::new(search.clone()).unwrap().findings(Duration::ZERO);
    let bracket = Bracket { lo: lo.map(s), hi: hi.map(s) };
    let findings = crate::domain::idle::IdleFindings { verdict, bracket, ..nothing };
    let url = "ws://a.example/".to_string();
    let info = IdleInfo { url, search, refresh: false, verify: false, expectation: None, preset: None };
    Box::new(IdleReport {
        info: Arc::new(info),
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: s(80),
        opened: Some(opened()),
        error: None,
        recommendation: Recommendation::of(&findings),
        findings,
        naming: ProductNaming::default(),
        refresh: None,
        verified: None,
        expectation: None,
        two_ended: None,
        lost: None,
        verdict: RunResult::Passed,
        reasons: Vec::new(),
        notes: Vec::new(),
        partial: false,
    })
}

/// An open path on which Pings are answered in 5 ms.
fn open_path() -> PathEvidence {
    let kinds = vec![samples::kind(HeartbeatKind::Protocol, &[5, 5, 5])];
    let attempt = ConnectAttempt { address: "192.0.2.1:80".to_string(), took: s(0), error: None };
    PathEvidence {
        resolution: Some(Resolution::Given),
        addresses: vec![attempt],
        upgrade: Some(Ok(opened())),
        ping: Some(Box::new(samples::report(vec![samples::target("ws://a.example/", kinds)]))),
        ..PathEvidence::default()
    }
}

fn with_idle(idle: Box<IdleReport>) -> PathEvidence {
    PathEvidence { idle: Some(idle), ..open_path() }
}

/// The server's heartbeats on the connection that sends Pings came this far apart.
fn with_server_heartbeats(mut evidence: PathEvidence, every: u64) -> PathEvidence {
    use crate::domain::ping::server_traffic::ServerTraffic;
    use crate::domain::stats::interval::Interval;
    let interval = Interval::of([s(every); 3]).unwrap();
    let traffic =
        ServerTraffic { intervals: vec![(HeartbeatKind::Protocol, interval)], ..ServerTraffic::default() };
    let report = evidence.ping.as_mut().unwrap();
    report.targets[0].connections[0].server_traffic = Some(Arc::new(traffic));
    evidence
}

fn refused(status: u16) -> Arc<ConnectError> {
    Arc::new(ConnectError {
        url: "ws://a.example/".to_string(),
        phase: Phase::Upgrade,
        kind: FailureKind::UpgradeRefused,
        cause: format!("HTTP {status} instead of 101"),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: Some(RefusalResponse {
            status,
            saw_no_upgrade: status == 426,
            ..RefusalResponse::default()
        }),
        took: s(0),
    })
}

fn examined(name: &str, evidence: PathEvidence) -> ExaminedPath {
    let selection = CheckSelection::default();
    let conditions =
        Conditions { selection: &selection, depth: Depth::Normal, has_hops: false, interrupted: false };
    let results = examine(&evidence, conditions);
    ExaminedPath {
        info: PathInfo { name: name.to_string(), address: None, is_alternative: false },
        evidence,
        results,
    }
}

fn report(paths: Vec<ExaminedPath>) -> DoctorReport {
    let joined = compare(&paths).into_iter().chain(advise(&paths.last().unwrap().evidence)).collect();
    let info = DoctorInfo {
        url: "ws://a.example/".to_string(),
        connect_options: Vec::new(),
        depth: Depth::Normal,
        budget: s(88),
        longest_silence: s(65),
        paths: Vec::new(),
        strict: false,
    };
    let report = DoctorReport {
        info: Arc::new(info),
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: s(80),
        interrupted: false,
        paths,
        joined,
        result: RunResult::Passed,
    };
    DoctorReport { result: judge(&report), ..report }
}

/// The codes of the advice with their severity.
fn advice(evidence: &PathEvidence) -> Vec<(&'static str, Severity)> {
    advise(evidence).iter().map(|result| (result.finding.code(), result.severity)).collect()
}

/// What every advice says besides.
const MARGIN: (&str, Severity) = ("nat_margin", Severity::Info);

#[test]
fn server_heartbeats_decide_what_a_timeout_means() {
    let cut = || with_idle(idle(IdleVerdict::IdleTimeout, Some(59), Some(60)));
    assert_eq!(advice(&cut()), [("client_must_keep_path_open", Severity::Warning), MARGIN]);
    let seldom = with_server_heartbeats(cut(), 60);
    assert_eq!(advice(&seldom), [("server_heartbeats_too_seldom", Severity::Problem)]);
    // 0.75 * 59 s = 44.25 s.
    assert_eq!(
        advice(&with_server_heartbeats(cut(), 45)),
        [("server_heartbeats_too_seldom", Severity::Problem)]
    );
    assert_eq!(
        advice(&with_server_heartbeats(cut(), 44)),
        [("server_heartbeats_keep_path_open", Severity::Ok), MARGIN]
    );
}

#[test]
fn timeout_under_30_s_is_a_problem_unless_the_server_keeps_the_path_open() {
    let cut = || with_idle(idle(IdleVerdict::IdleTimeout, Some(19), Some(20)));
    let codes = [
        ("client_must_keep_path_open", Severity::Warning),
        ("idle_timeout_short", Severity::Problem),
        MARGIN,
    ];
    assert_eq!(advice(&cut()), codes);
    assert_eq!(
        advice(&with_server_heartbeats(cut(), 10)),
        [("server_heartbeats_keep_path_open", Severity::Ok), MARGIN]
    );
    let at_30 = with_idle(idle(IdleVerdict::IdleTimeout, Some(29), Some(30)));
    assert_eq!(advice(&at_30), [("client_must_keep_path_open", Severity::Warning), MARGIN]);
}

#[test]
fn gaps_that_usual_proxies_would_cut_are_a_warning() {
    let busy = |gap| {
        let mut report = idle(IdleVerdict::ServerKeepsItBusy, Some(gap), None);
        report.findings.server_activity = Some(crate::domain::idle::ServerActivity {
            period: s(gap),
            longest_gap: s(gap),
            count: 3,
            closes_silent_after: None,
            answered: true,
        });
        advice(&with_idle(report))
    };
    assert_eq!(busy(45), [("server_keeps_path_busy", Severity::Ok)], "three quarters of 60 s");
    assert_eq!(busy(46), [("server_keeps_path_busy", Severity::Warning)]);
}

#[test]
fn advised_interval_is_compared_with_the_shortest_nat() {
    let margin = |hi| {
        let path = with_idle(idle(IdleVerdict::IdleTimeout, Some(hi - 10), Some(hi)));
        advise(&path).into_iter().find_map(|result| match result.finding {
            DoctorFinding::NatMargin { interval, forgets_after, .. } => {
                Some(interval <= forgets_after.mul_f64(COVERED))
            }
            _ => None,
        })
    };
    assert_eq!((margin(60), margin(3600)), (Some(true), Some(false)));
}

#[test]
fn client_heartbeat_survives_one_loss() {
    let evidence = with_idle(idle(IdleVerdict::IdleTimeout, Some(60), Some(61)));
    let DoctorFinding::ClientMustKeepPathOpen { interval, tolerant, traffic } =
        advise(&evidence).remove(0).finding
    else {
        panic!("no advice")
    };
    // 75 % and 50 % of the longest silence that survived.
    assert_eq!((interval, tolerant, traffic), (s(45), Some(s(30)), NeededTraffic::Any));
}

#[test]
fn search_that_was_cut_short_names_a_timeout_only_after_two_ends() {
    let unconfirmed = |samples| {
        let mut report = idle(IdleVerdict::Inconclusive, Some(30), None);
        report.partial = true;
        report.findings.provisional = Some(ProvisionalTimeout { timeout: s(60), samples, at: s(62) });
        report
    };
    assert_eq!(idle_bracket(&unconfirmed(1)), None);
    let bracket = Bracket { lo: Some(s(30)), hi: Some(s(60)) };
    assert_eq!(idle_bracket(&unconfirmed(2)), Some((bracket, false)));
    let path = examined("a", with_idle(unconfirmed(2)));
    assert!(path.has(|finding| matches!(finding, DoctorFinding::IdleTimeoutUnconfirmed { samples: 2, .. })));
}

#[test]
fn cut_between_two_heartbeats_shows_that_they_are_too_seldom() {
    let mut evidence = with_idle(idle(IdleVerdict::IdleTimeout, Some(4), Some(5)));
    let ending = CloseCause {
        who: ClosedBy::Peer,
        how: CloseKind::Fin,
        reply: None,
        os_error: None,
        tcp: None,
        age: s(8),
        idle: s(4),
        at: SystemTime::UNIX_EPOCH,
    };
    evidence.listen = Some(Box::new(listened_to_one_heartbeat(Some(ending.clone()))));
    let too_seldom = ("server_heartbeats_too_seldom", Severity::Problem);
    assert_eq!(advice(&evidence)[0], too_seldom);
    let early = CloseCause { idle: s(2), ..ending };
    evidence.listen = Some(Box::new(listened_to_one_heartbeat(Some(early))));
    assert_ne!(advice(&evidence)[0], too_seldom, "another end");
}

/// A silent connection that got one Ping frame.
fn listened_to_one_heartbeat(ending: Option<CloseCause>) -> crate::domain::listen::report::ListenReport {
    use crate::domain::listen::report::{ListenInfo, ListenReport};
    use crate::domain::listen::{ListenState, ObservationConditions, ServerEvent, ServerEventKind};
    let mut state = ListenState::default();
    let event = ServerEvent {
        event_kind: ServerEventKind::Ping,
        shape: None,
        text: UntrustedText::default(),
        content: None,
        reply: None,
    };
    state.record_event(s(4), &event);
    let conditions =
        ObservationConditions { listened: s(8), answered: true, ..ObservationConditions::default() };
    ListenReport {
        info: Arc::new(ListenInfo {
            url: String::new(),
            listen_for: s(68),
            count: None,
            answer: true,
            talk: false,
            preset: None,
        }),
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: s(8),
        opened: Some(opened()),
        error: None,
        findings: state.findings(&conditions),
        ending: ending.map(Arc::new),
        close_reply: None,
        verdict: RunResult::Inconclusive,
        reasons: Vec::new(),
        partial: false,
    }
}

/// Where something begins, as (before, at).
fn begins(paths: Vec<ExaminedPath>) -> Vec<(Option<String>, String)> {
    let found = compare(&paths).into_iter();
    let places = found.filter_map(|result| match result.finding {
        DoctorFinding::AppearsAtHop { before, at, .. } => Some((before, at)),
        _ => None,
    });
    places.collect()
}

#[test]
fn hop_is_the_first_from_which_on_all_show_the_cut() {
    let cut = |at| with_idle(idle(IdleVerdict::IdleTimeout, Some(at - 1), Some(at)));
    let uncut = || with_idle(idle(IdleVerdict::NoTimeoutUpToMax, Some(65), None));
    let between = |before: &str, at: &str| vec![(Some(before.to_string()), at.to_string())];
    let paths = vec![examined("pod", uncut()), examined("ingress", cut(60)), examined("url", cut(60))];
    assert_eq!(begins(paths), between("pod", "ingress"));
    // The outer hop cuts after 6 s, the inner one before it after 4 s: the inner one is seen at both.
    let paths = vec![examined("haproxy", cut(4)), examined("url", cut(4))];
    assert_eq!(begins(paths), [(None, "haproxy".to_string())]);
    let paths = vec![examined("haproxy", cut(60)), examined("url", cut(20))];
    assert_eq!(begins(paths), between("haproxy", "url"));
    assert_eq!(begins(vec![examined("pod", uncut()), examined("url", uncut())]), []);
}

#[test]
fn hop_of_a_failure_is_named() {
    let closed = PathEvidence { upgrade: Some(Err(refused(502))), ..open_path() };
    let paths = vec![examined("pod", open_path()), examined("url", closed)];
    assert_eq!(begins(paths), [(Some("pod".to_string()), "url".to_string())]);
}

#[test]
fn hop_at_which_compression_begins_to_break_is_named() {
    let of = |name: &str, breaks: bool| {
        let mut path = examined(name, open_path());
        let failure = TrialFailure::NotOpened(refused(400));
        let finding = DoctorFinding::CompressionBreaks { failure, agreed: None };
        path.results.extend(breaks.then(|| CheckResult::new(Check::Compression, finding)));
        path
    };
    let paths = vec![of("pod", false), of("ingress", true), of("url", true)];
    assert_eq!(begins(paths), [(Some("pod".to_string()), "ingress".to_string())]);
    assert_eq!(begins(vec![of("pod", true), of("url", false)]), [], "the URL itself works");
}

#[test]
fn result_follows_the_contract() {
    assert_eq!(report(vec![examined("url", open_path())]).result, RunResult::Inconclusive, "no idle timeout");
    let healthy = with_idle(idle(IdleVerdict::NoTimeoutUpToMax, Some(65), None));
    assert_eq!(report(vec![examined("url", healthy)]).result, RunResult::Passed);
    let closed = PathEvidence { upgrade: Some(Err(refused(403))), ping: None, ..open_path() };
    assert_eq!(report(vec![examined("url", closed)]).result, RunResult::Failed);
    let mut dead = PathEvidence { upgrade: None, ping: None, ..open_path() };
    dead.addresses[0].error = Some("connection refused".to_string());
    assert_eq!(report(vec![examined("url", dead)]).result, RunResult::Unreachable);
}

#[test]
fn warnings_fail_a_strict_run_only() {
    let cut = with_idle(idle(IdleVerdict::IdleTimeout, Some(59), Some(60)));
    let mild = report(vec![examined("url", cut)]);
    assert_eq!(mild.result, RunResult::Passed);
    let info = DoctorInfo { strict: true, ..mild.info.as_ref().clone() };
    assert_eq!(judge(&DoctorReport { info: Arc::new(info), ..mild }), RunResult::Failed);
}

#[test]
fn interrupt_keeps_what_is_known() {
    let healthy = with_idle(idle(IdleVerdict::NoTimeoutUpToMax, Some(65), None));
    let run = DoctorReport { interrupted: true, ..report(vec![examined("url", healthy)]) };
    assert_eq!(judge(&run), RunResult::Interrupted { measured: true });
    let begun = DoctorReport { interrupted: true, ..report(vec![examined("url", PathEvidence::default())]) };
    assert_eq!(judge(&begun), RunResult::Interrupted { measured: false });
}

#[test]
fn change_that_makes_the_upgrade_pass_is_the_finding() {
    let variant = |change| UpgradeVariant { change, outcome: Ok(opened()) };
    let needs = |change| {
        let evidence =
            PathEvidence { upgrade: Some(Err(refused(403))), variants: vec![variant(change)], ..open_path() };
        examined("url", evidence)
    };
    let path = needs(UpgradeChange::OwnOrigin("http://a.example".to_string()));
    assert!(path.has(|finding| matches!(finding, DoctorFinding::OriginRequired { .. })));
    assert!(path.has(|finding| matches!(finding, DoctorFinding::UpgradeAccepted(_))));
    let path = needs(UpgradeChange::Subprotocols(vec!["mqtt".to_string()]));
    assert!(path.has(|finding| matches!(finding, DoctorFinding::SubprotocolRequired { .. })));
    assert!(!path.has(|finding| matches!(finding, DoctorFinding::UpgradeFailed { .. })));
}

#[test]
fn part_of_a_browsers_request_that_is_refused_by_itself_is_named() {
    let part = |refused: Option<BrowserPart>| {
        let variant = |change, outcome| UpgradeVariant { change, outcome };
        let parts = [BrowserPart::Compression, BrowserPart::Origin, BrowserPart::UserAgent];
        let parts = parts.into_iter().map(|part| {
            let outcome = if refused == Some(part) { Err(self::refused(403)) } else { Ok(opened()) };
            variant(UpgradeChange::PartOfBrowser(part), outcome)
        });
        let browser = variant(UpgradeChange::Browser, Err(self::refused(403)));
        let variants = std::iter::once(browser).chain(parts).collect();
        let path = examined("a", PathEvidence { variants, ..open_path() });
        path.results.iter().find_map(|result| match result.finding {
            DoctorFinding::PagesRefused { part, .. } => Some(part),
            _ => None,
        })
    };
    assert_eq!(part(Some(BrowserPart::UserAgent)), Some(Some(BrowserPart::UserAgent)));
    assert_eq!(part(Some(BrowserPart::Compression)), Some(Some(BrowserPart::Compression)));
    assert_eq!(part(None), Some(None), "only together");
}

#[test]
fn http2_does_not_apply_without_tls_and_is_missing_with_it() {
    let why = |info: ConnectInfo| {
        let path = examined("a", PathEvidence { upgrade: Some(Ok(Arc::new(info))), ..open_path() });
        path.results.into_iter().find_map(|result| match (result.check, result.finding) {
            (Check::Http2, DoctorFinding::NotChecked(why)) => Some(why),
            _ => None,
        })
    };
    assert!(matches!(why(ConnectInfo::default()), Some(Unchecked::NotApplicable(_))));
    let secure = crate::domain::ping::report::samples::opened_tls(90);
    assert!(matches!(why(secure), Some(Unchecked::NoAnswer(_))));
}

#[test]
fn refusal_is_mended_in_the_product_that_answers() {
    let products = |status: u16, server: &str| -> Vec<&'static str> {
        let mut error = refused(status).as_ref().clone();
        let header = ("server".to_string(), UntrustedText::new(server));
        error.refusal.as_mut().unwrap().headers.push(header);
        remedies::of_refusal(RefusalCause::of(&error), &error).iter().map(|change| change.product).collect()
    };
    let nginx = products(426, "nginx/1.22.1");
    assert!(nginx.contains(&"nginx") && !nginx.contains(&"apache"), "{nginx:?}");
    assert!(products(426, "Werkzeug").len() > 3, "nobody is named: all that must be told");
    assert!(products(401, "nginx/1.22.1").is_empty());
    assert_eq!(products(403, "envoy"), ["envoy"], "it refuses by itself");
    assert!(products(403, "nginx/1.22.1").is_empty());
}

#[test]
fn usual_cause_is_by_status() {
    let cause = |status| RefusalCause::of(&refused(status));
    assert_eq!(cause(426), RefusalCause::UpgradeNotPassedOn);
    assert_eq!(cause(401), RefusalCause::Credentials);
    assert_eq!(cause(302), RefusalCause::Redirect);
    assert_eq!(cause(200), RefusalCause::Page);
    assert_eq!(cause(502), RefusalCause::ServerBehindFails);
    let tcp = ConnectError { phase: Phase::Tcp, refusal: None, ..refused(400).as_ref().clone() };
    assert_eq!(RefusalCause::of(&tcp), RefusalCause::BeforeUpgrade);
}

#[test]
fn what_flow_control_held_back_shows_no_timeout_and_no_lifetime() {
    use crate::domain::connection::http2::ExhaustedWindow;
    use crate::domain::ping::held_back::HeldBack;
    use crate::domain::ping::server_traffic::ServerTraffic;
    let mut search = idle(IdleVerdict::Inconclusive, None, None);
    (search.partial, search.findings.partial) = (true, true);
    let mut evidence = with_idle(search);
    let connection = &mut evidence.ping.as_mut().unwrap().targets[0].connections[0];
    let held_back = Some(HeldBack::unsent(ExhaustedWindow::Stream));
    connection.server_traffic = Some(Arc::new(ServerTraffic { held_back, ..ServerTraffic::default() }));
    connection.kinds[0].counts.unsent = 3;
    connection.kinds[0].counts.unsent_window_exhausted = 3;
    let path = examined("direct", evidence);
    for check in [Check::IdleTimeout, Check::Lifetime] {
        let found: Vec<_> = path.results.iter().filter(|result| result.check == check).collect();
        let found: Vec<_> = found.iter().map(|result| &result.finding).collect();
        let [DoctorFinding::NotChecked(Unchecked::NoAnswer(why))] = &found[..] else { panic!("{found:?}") };
        assert!(why.contains("the stream's flow-control window"), "{why}");
    }
}
