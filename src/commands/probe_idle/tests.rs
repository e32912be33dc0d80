//! The whole command against the test server over real sockets: the bracket contains the truth and the verdict is
//! right. No other claims about real time.

use crate::commands::connect::ConnectPlan;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{IdlePlan, run};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::idle::refresh::{KeepaliveMethod, KeepaliveOutcome, RefreshConclusion};
use crate::domain::idle::report::{Direction, IdleEvent, IdleReport, TwoEnded, VerifyOutcome};
use crate::domain::idle::{
    CutManner, IdleFinding, IdleVerdict, Precision, Recommendation, ResetBy, SearchPlan, Strategy,
    VisibleEnd, findings_of,
};
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::truth::Truth;
use crate::net::client::idle_probe::UnmatchedLog;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;
use crate::server::{self, ServerConfig, faults};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A server with these faults, and a plan to probe it.
async fn scene(faults: &[(&str, &str)]) -> (IdlePlan, CancellationToken) {
    let mut config = ServerConfig::default();
    faults.iter().for_each(|(name, value)| faults::set(&mut config.faults, name, value).unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(server::run(listener, config, mpsc::unbounded_channel().0, stop.clone()));
    (plan(&format!("ws://{address}/")), stop)
}

pub(super) fn plan(url: &str) -> IdlePlan {
    IdlePlan {
        connect: ConnectPlan {
            target: url.parse().unwrap(),
            dial: DialPlan::default(),
            preamble: Preamble { timeout: ms(5000), ..Preamble::default() },
            max_message_size: 65_536,
        },
        no_messages_because: None,
        preset: None,
        search: SearchPlan {
            min: ms(200),
            max: ms(4000),
            precision: Precision { absolute: ms(100), relative: 0.02 },
            answer_timeout: ms(600),
            control_interval: ms(100),
            ..SearchPlan::default()
        },
        ask: Template::default(),
        answer: Pattern::default(),
        refresh: false,
        verify: false,
        expectation: None,
        unmatched: UnmatchedLog::default(),
    }
}

#[derive(Default)]
struct EventLog(Vec<IdleEvent>);

impl Reporter<IdleEvent> for EventLog {
    fn report(&mut self, event: &IdleEvent) {
        self.0.push(event.clone());
    }
}

pub(super) async fn probe(plan: IdlePlan) -> (IdleReport, Vec<IdleEvent>) {
    let mut log = EventLog::default();
    let report = run(plan, &mut log, CancellationToken::new()).await.unwrap();
    (report, log.0)
}

/// Probes a server with these faults by a modified plan.
async fn probed(faults: &[(&str, &str)], change: impl FnOnce(&mut IdlePlan)) -> IdleReport {
    let (mut plan, stop) = scene(faults).await;
    change(&mut plan);
    let (report, _) = probe(plan).await;
    stop.cancel();
    report
}

/// The server's timer may be this late, so that a question may still be answered meanwhile.
const MAX_TIMER_LATENESS: Duration = Duration::from_millis(50);

/// Checks that the bracket has both ends and contains this length.
fn around(report: &IdleReport, truth: u64) {
    let (findings, truth) = (&report.findings, ms(truth));
    let holds = findings.bracket.lo.is_some_and(|lo| lo <= truth + MAX_TIMER_LATENESS)
        && findings.bracket.hi.is_some_and(|hi| truth <= hi);
    assert!(holds, "{truth:?} is not in {:?}: {findings:#?}", findings.bracket);
    assert_eq!(report.verdict, RunResult::Passed, "{:?}", report.reasons);
}

/// Checks that an idle timeout of this length was found; returns how connections were closed.
fn timeout(report: &IdleReport, truth: u64) -> CutManner {
    assert_eq!(report.findings.verdict, IdleVerdict::IdleTimeout, "{:#?}", report.findings);
    around(report, truth);
    report.findings.manner.clone().unwrap()
}

/// Probes a server that closes in the manner `idle_cut` after this many idle milliseconds; returns the manner found.
async fn manner(truth: u64, idle_cut: &str) -> CutManner {
    let after = format!("{truth}ms");
    timeout(&probed(&[("idle-timeout", &after), ("idle-cut", idle_cut)], |_| {}).await, truth)
}

/// The manner of a server that stays silent: its kernel still acknowledges.
const SILENT: CutManner =
    CutManner::Silent { acked: if cfg!(target_os = "linux") { Some(true) } else { None } };

#[tokio::test]
#[cfg(target_os = "linux")]
async fn acknowledged_question_names_no_device_that_drops() {
    for idle_cut in ["silent", "stall"] {
        let report = probed(&[("idle-timeout", "1s"), ("idle-cut", idle_cut)], |_| {}).await;
        assert_eq!(timeout(&report, 1000), SILENT);
        let codes: Vec<_> = findings_of(&report).iter().map(IdleFinding::label).collect();
        assert_eq!(codes, ["idle_timeout", "cut_above_tcp", "no_known_timer_fits"], "{idle_cut}");
    }
}

#[tokio::test]
async fn each_manner_of_closing_is_distinguished() {
    let (fin, half, rst, close) = tokio::join!(
        manner(1000, "fin"),
        manner(1200, "half-close"),
        manner(1500, "rst"),
        manner(1000, "close:1001")
    );
    let visible = |how, half_open| CutManner::Visible(VisibleEnd { how, half_open });
    assert_eq!(fin, visible(CloseKind::Fin, Some(false)));
    assert_eq!(half, visible(CloseKind::Fin, Some(true)));
    assert_eq!(rst, visible(CloseKind::Rst, None));
    assert_eq!(
        close,
        visible(CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() }, None)
    );
    let (silent, on_use) = tokio::join!(manner(2000, "silent"), manner(1000, "rst-on-use"));
    assert_eq!((silent, on_use), (SILENT, CutManner::OnUse(CloseKind::Rst.into())));
}

#[tokio::test]
async fn application_close_code_means_server_policy() {
    let report = probed(&[("idle-timeout", "1s"), ("idle-cut", "close:4000")], |_| {}).await;
    assert_eq!(report.findings.verdict, IdleVerdict::ServerPolicy, "{:#?}", report.findings);
    around(&report, 1000);
}

#[tokio::test]
async fn late_close_of_a_hop_is_recognised() {
    let report = probed(&[("idle-timeout", "1s"), ("linger", "1s")], |_| {}).await;
    timeout(&report, 1000);
}

#[tokio::test]
async fn refresh_shows_what_resets_the_timer() {
    let faults = [("idle-timeout", "1s"), ("idle-resets", "server")];
    let report = probed(&faults, |plan| plan.refresh = true).await;
    timeout(&report, 1000);
    let refresh = report.refresh.unwrap();
    let outcomes: Vec<_> =
        refresh.rows.iter().map(|row| (row.method, row.outcome == KeepaliveOutcome::Survived)).collect();
    assert_eq!(outcomes.len(), 4);
    assert_eq!(outcomes[0], (KeepaliveMethod::PingPong, true), "{:#?}", refresh.rows);
    assert_eq!(outcomes[1], (KeepaliveMethod::UnsolicitedPong, false), "{:#?}", refresh.rows);
    assert!(!outcomes[2].1, "{:#?}", refresh.rows);
    assert_eq!(refresh.conclusion, RefreshConclusion::ServerToClient, "{:#?}", refresh.rows);
}

#[tokio::test]
async fn lifetime_is_not_an_idle_timeout() {
    let report = probed(&[("lifetime", "1500ms")], |_| {}).await;
    assert_eq!(report.findings.verdict, IdleVerdict::LifetimeCap, "{:#?}", report.findings);
    assert!(matches!(report.recommendation, Some(Recommendation::Reconnect { before }) if before < ms(1500)));
    assert_eq!(report.verdict, RunResult::Passed);
}

#[tokio::test]
async fn timer_reset_by_messages_is_not_a_lifetime() {
    let faults = [("idle-timeout", "1s"), ("messages-only", "")];
    let report = probed(&faults, |plan| plan.verify = true).await;
    timeout(&report, 1000);
    assert_eq!(report.findings.reset_by, Some(ResetBy::Messages), "{:#?}", report.findings);
    let verified = report.verified.unwrap();
    assert_eq!(verified.outcome, VerifyOutcome::Held, "{verified:?}");
}

#[tokio::test]
async fn age_is_undecided_without_messages() {
    let probing = async |faults: &[(&str, &str)]| {
        let report = probed(faults, |plan| plan.search.second_control = false).await;
        let found = (report.findings.verdict, report.verdict, report.recommendation);
        let expected = (IdleVerdict::Inconclusive, RunResult::Inconclusive, None);
        assert_eq!(found, expected, "{:#?}", report.findings);
        assert!(report.findings.lifetime_or_idle.is_some(), "{:#?}", report.findings);
    };
    let messages_only = [("idle-timeout", "1s"), ("messages-only", "")];
    tokio::join!(probing(&messages_only), probing(&[("lifetime", "1500ms")]));
}

#[tokio::test]
async fn silent_lifetime_is_known_within_a_heartbeat() {
    let report = probed(&[("lifetime", "1500ms:silent")], |_| {}).await;
    assert_eq!(report.findings.verdict, IdleVerdict::LifetimeCap, "{:#?}", report.findings);
    let age = report.findings.lifetime.unwrap();
    assert!(age.lo <= ms(1500) && ms(1500 - 50) <= age.hi, "{age:?}");
    assert!(ms(50) <= age.hi - age.lo && age.hi - age.lo < ms(600), "{age:?}");
}

#[tokio::test]
async fn server_traffic_keeps_the_path_busy() {
    let report = probed(&[("chatter", "300ms")], |_| {}).await;
    assert_eq!(report.findings.verdict, IdleVerdict::ServerKeepsItBusy, "{:#?}", report.findings);
    assert!(report.findings.server_activity.is_some_and(|activity| activity.period > ms(100)));
}

#[tokio::test]
async fn no_timeout_is_reported_if_there_is_none() {
    let report = probed(&[], |plan| plan.search.max = ms(1500)).await;
    assert_eq!(report.findings.verdict, IdleVerdict::NoTimeoutUpToMax, "{:#?}", report.findings);
    assert_eq!((report.findings.bracket.hi, report.verdict), (None, RunResult::Passed));
    assert!(report.findings.survived.last().is_some_and(|longest| *longest >= ms(1500)));
}

#[tokio::test]
async fn bisection_finds_the_timeout() {
    let faults = [("idle-timeout", "640ms"), ("idle-cut", "rst-on-use")];
    let report = probed(&faults, |plan| {
        plan.search.strategy = Strategy::Bisect;
        plan.search.max = ms(1000);
    })
    .await;
    timeout(&report, 640);
}

#[tokio::test]
async fn app_messages_are_used_where_pings_do_not_count() {
    let faults = [("idle-timeout", "1s"), ("messages-only", "")];
    let report = probed(&faults, |plan| {
        plan.search.kind = HeartbeatKind::App;
        plan.verify = true;
    })
    .await;
    timeout(&report, 1000);
    let verified = report.verified.unwrap();
    assert_eq!(verified.outcome, VerifyOutcome::Held, "{verified:?}");
    assert!(verified.beats >= 2 && verified.wanted > ms(2000), "{verified:?}");
}

#[tokio::test]
async fn unmet_expectation_fails_the_run() {
    let expecting = |text: &'static str| {
        probed(&[("idle-timeout", "1s")], move |plan| plan.expectation = Some(text.parse().unwrap()))
    };
    let (met, unmet, open) = tokio::join!(expecting(">=500ms"), expecting(">=3s"), expecting("<1s"));
    assert!(matches!(met.expectation, Some((_, Truth::True(_)))), "{:?}", met.expectation);
    assert!(matches!(unmet.expectation, Some((_, Truth::False(_)))), "{:?}", unmet.expectation);
    let codes = [met, unmet, open].map(|report| report.verdict.exit_code());
    assert_eq!(codes, [0, 1, 4]);
}

#[tokio::test]
async fn two_ended_mode_tells_the_lost_direction() {
    let faults = [("idle-timeout", "640ms"), ("idle-cut", "silent")];
    let report = probed(&faults, |plan| {
        plan.search.two_ended = true;
        plan.search.max = ms(1000);
        plan.search.precision = Precision { absolute: ms(250), relative: 0.02 };
    })
    .await;
    assert_eq!(timeout(&report, 640), SILENT);
    assert_eq!((report.two_ended, report.lost), (Some(TwoEnded::Agreed), Some(Direction::Both)));
}

#[tokio::test]
async fn unreachable_target_is_not_measured() {
    let (report, events) = probe(plan("ws://127.0.0.1:1/")).await;
    assert_eq!((report.verdict, report.error.is_some()), (RunResult::Unreachable, true));
    let why = format!("{:?}", report.reasons[0]);
    assert!(why.contains("cannot open ws://127.0.0.1:1/: "), "{why}");
    assert!(matches!(events.as_slice(), [IdleEvent::Started { .. }, IdleEvent::Finished(_)]), "{events:?}");
}

/// A server that accepts one connection and refuses all later ones.
async fn single_connection_server() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        let _first = tokio_tungstenite::accept_async(first).await;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n").await;
        }
    });
    url
}

#[tokio::test]
async fn refused_second_connection_gives_no_number() {
    let (report, _) = probe(plan(&single_connection_server().await)).await;
    let inconclusive = (IdleVerdict::Inconclusive, RunResult::Inconclusive);
    assert_eq!((report.findings.verdict, report.verdict), inconclusive);
    let why = format!("{:?}", report.reasons[0]);
    assert!(why.contains("429"), "{why}");
    let refusal = report.error.and_then(|error| error.refusal.clone());
    assert!(refusal.is_some_and(|refusal| refusal.status == 429));
    assert_eq!(report.findings.bracket, Bracket::default());
}

/// Interrupts as soon as a span survives.
struct InterruptOnSurvival(CancellationToken);

impl Reporter<IdleEvent> for InterruptOnSurvival {
    fn report(&mut self, event: &IdleEvent) {
        if matches!(event, IdleEvent::Bracket { bracket, .. } if bracket.lo.is_some()) {
            self.0.cancel();
        }
    }
}

#[tokio::test]
async fn interrupted_run_reports_what_is_known() {
    let (plan, stop) = scene(&[]).await;
    let token = CancellationToken::new();
    let report = run(plan, &mut InterruptOnSurvival(token.clone()), token).await.unwrap();
    stop.cancel();
    assert!(report.partial && report.findings.bracket.lo.is_some(), "{:#?}", report.findings);
    assert_eq!(report.verdict, RunResult::Interrupted { measured: true });
    let why = format!("{:?}", report.reasons[0]);
    assert!(why.contains("interrupted after "), "{why}");
}

#[tokio::test]
async fn events_are_reported_in_order() {
    let (plan, stop) = scene(&[("idle-timeout", "500ms")]).await;
    let (report, events) = probe(plan).await;
    stop.cancel();
    assert!(matches!(events.first(), Some(IdleEvent::Started { .. })));
    assert!(matches!(events.last(), Some(IdleEvent::Finished(last)) if **last == report));
    let count = |wanted: fn(&IdleEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(count(|event| matches!(event, IdleEvent::Provisional(_))), 1);
    assert_eq!(
        count(|event| matches!(event, IdleEvent::ProbeOpened { .. })) as u32,
        report.findings.connections
    );
    assert!(count(|event| matches!(event, IdleEvent::Bracket { .. })) > 1);
}

#[tokio::test]
async fn invalid_plan_is_rejected_before_any_event() {
    let mut plan = plan("ws://127.0.0.1:1/");
    plan.search.max_connections = 2;
    let mut log = EventLog::default();
    let refused = run(plan, &mut log, CancellationToken::new()).await;
    assert!(refused.is_err() && log.0.is_empty());
}
