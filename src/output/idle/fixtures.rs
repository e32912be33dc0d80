//! Scripted searches for the tests: every format shows the same events.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::IdlePresenter;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::product_naming::{CutObservation, ProductNaming, consistent_with};
use crate::domain::idle::refresh::{KeepaliveMethod, KeepaliveOutcome, MethodResult, RefreshResults};
use crate::domain::idle::report::{
    Direction, IdleEvent, IdleInfo, IdleReport, ProbeSighting, TwoEnded, Verification, VerifyOutcome,
};
use crate::domain::idle::{
    CutManner, DeathCause, EndSpread, IdleFinding, IdleFindings, IdleVerdict, LifetimeCap, Observation,
    ProbeEvent, ProbeId, ProbeRole, ProvisionalTimeout, Recommendation, SearchPlan, SearchProgress,
    ServerActivity, SkipCause, UndecidedCause, VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::truth::Truth;
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::presenter::Presenter;
use crate::output::testing::{self, CapturedOutput, HOSTILE, NOON, ms, us};

const URL: &str = "wss://node.example/ws?token=***";

/// What a format prints of a search: stdout and stderr.
pub fn show(format: Format, options: HumanOptions, events: &[IdleEvent]) -> CapturedOutput {
    testing::show(IdlePresenter::new(options), format, options, events)
}

/// Every scripted search, by its name.
pub fn all() -> Vec<(&'static str, Vec<IdleEvent>)> {
    vec![
        ("visible", visible()),
        ("silent", silent()),
        ("rst_on_use", rst_on_use()),
        ("lifetime", lifetime()),
        ("chatter", chatter()),
        ("impatience", impatience()),
        ("policy", policy()),
        ("no_timeout", no_timeout()),
        ("stochastic", stochastic()),
        ("outages", outages()),
        ("partial", partial()),
        ("late_end", late_end()),
        ("refresh", refresh()),
        ("not_met", not_met()),
        ("unreachable", unreachable()),
    ]
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON + ms(millis)
}

/// Events as they are put together, and what is known of the search.
struct SearchScript {
    events: Vec<IdleEvent>,
    info: IdleInfo,
    findings: IdleFindings,
    headers: Vec<(String, UntrustedText)>,
    notes: Vec<IdleFinding>,
    probes: u32,
}

impl SearchScript {
    fn new(verdict: IdleVerdict) -> SearchScript {
        let info = IdleInfo {
            url: URL.to_string(),
            search: SearchPlan::default(),
            refresh: false,
            verify: false,
            expectation: None,
            preset: None,
        };
        let findings = IdleFindings { verdict, ..IdleFindings::default() };
        SearchScript { events: Vec::new(), info, findings, headers: Vec::new(), notes: Vec::new(), probes: 0 }
    }

    fn server(mut self, name: &str) -> SearchScript {
        self.headers.push(("server".to_string(), UntrustedText::new(name)));
        self
    }

    fn expecting(mut self, text: &str) -> SearchScript {
        self.info.expectation = text.parse().ok();
        self
    }

    fn opened(&self) -> Arc<ConnectInfo> {
        let phases = PhaseTimes {
            tcp: Some(us(310)),
            upgrade: Some(us(900)),
            total: us(1_250),
            ..PhaseTimes::default()
        };
        let remote = Some("192.0.2.7:443".to_string());
        Arc::new(ConnectInfo { remote, phases, headers: self.headers.clone(), ..ConnectInfo::default() })
    }

    /// A connection that is opened and lives until this is seen, as old as the run.
    fn sees(&mut self, role: ProbeRole, millis: u64, seen: ProbeEvent) {
        self.probes += 1;
        let probe = ProbeId(self.probes);
        let opened = self.opened();
        self.events.push(IdleEvent::ProbeOpened { probe, role, at: at(2), opened });
        self.saw(probe, role, millis, seen);
    }

    fn saw(&mut self, probe: ProbeId, role: ProbeRole, millis: u64, seen: ProbeEvent) {
        let observation = Observation { probe, at: ms(millis), seen };
        self.events.push(IdleEvent::Seen(ProbeSighting { role, observation, at: at(millis) }));
    }

    /// Trials that were asked after these spans, and answered.
    fn survives(&mut self, spans: &[u64]) {
        for span in spans {
            self.sees(ProbeRole::Trial, *span, ProbeEvent::Asked { idle: ms(*span) });
            let seen = ProbeEvent::Survived { idle: ms(*span), rtt: us(31_400) };
            self.saw(ProbeId(self.probes), ProbeRole::Trial, span + 31, seen);
            self.findings.survived.push(ms(*span));
        }
    }

    /// Trials that were asked after these spans, and found dead.
    fn dies(&mut self, spans: &[u64], death: &DeathCause) {
        for span in spans {
            let seen = ProbeEvent::Died { idle: ms(*span), death: death.clone() };
            self.sees(ProbeRole::Trial, span + 5_000, seen);
            self.findings.died.push((ms(*span), CutManner::from(death)));
        }
        self.findings.manner = Some(CutManner::from(death));
    }

    /// Watchers that were seen to end after these spans.
    fn ends(&mut self, spans: &[u64], end: &VisibleEnd) {
        for span in spans {
            self.sees(
                ProbeRole::Watcher,
                *span,
                ProbeEvent::Ended { idle: ms(*span), visible_end: end.clone() },
            );
        }
        let spans: Vec<Duration> = spans.iter().map(|span| ms(*span)).collect();
        self.findings.spread = EndSpread::of(&spans);
        self.findings.manner = Some(CutManner::Visible(end.clone()));
    }

    fn bracket(&mut self, lo: u64, hi: u64) {
        let bracket = Bracket { lo: Some(ms(lo)), hi: Some(ms(hi)) };
        self.findings.bracket = bracket;
        self.events.push(IdleEvent::Bracket { bracket, elapsed: ms(hi * 2) });
    }

    fn guess(&mut self, millis: u64, samples: usize) {
        let guess = ProvisionalTimeout { timeout: ms(millis), samples, at: ms(millis + 1) };
        self.findings.provisional = Some(guess);
        self.events.push(IdleEvent::Provisional(guess));
    }

    /// The search gave up.
    fn gave_up(&mut self, cause: UndecidedCause) {
        self.findings.reasons.push(cause.clone().into());
        self.findings.undecided = Some(cause);
    }

    fn because(&mut self, reason: &str) {
        self.findings.reasons.push(reason.to_string().into());
    }

    /// The whole run, ended at this age.
    fn report(&mut self, millis: u64, verdict: RunResult) -> IdleReport {
        self.findings.elapsed = ms(millis);
        self.findings.connections = self.probes;
        let findings = self.findings.clone();
        let expectation = self.info.expectation.clone();
        IdleReport {
            info: Arc::new(self.info.clone()),
            started_at: at(0),
            elapsed: ms(millis),
            opened: (self.probes > 0).then(|| self.opened()),
            error: None,
            naming: self.naming(),
            recommendation: Recommendation::of(&findings),
            refresh: None,
            verified: None,
            expectation: expectation.map(|expected| (expected.clone(), expected.met(&findings))),
            two_ended: None,
            lost: None,
            verdict,
            reasons: findings.reasons.clone(),
            notes: self.notes.clone(),
            partial: findings.partial,
            findings,
        }
    }

    fn naming(&self) -> ProductNaming {
        let headers = self.headers.as_slice();
        let observed = match self.findings.verdict {
            IdleVerdict::IdleTimeout => CutObservation::idle(&self.findings, headers),
            IdleVerdict::LifetimeCap => {
                CutObservation::lifetime(&self.findings, Some(&CloseKind::Fin.into()), headers)
            }
            _ => None,
        };
        observed.map(|observed| consistent_with(&observed)).unwrap_or_default()
    }

    fn finish(mut self, report: IdleReport) -> Vec<IdleEvent> {
        let started = IdleEvent::Started { at: at(0), info: Arc::new(self.info) };
        self.events.insert(0, started);
        self.events.push(IdleEvent::Finished(Box::new(report)));
        self.events
    }

    fn end(mut self, millis: u64, verdict: RunResult) -> Vec<IdleEvent> {
        let report = self.report(millis, verdict);
        self.finish(report)
    }
}

fn fin() -> VisibleEnd {
    VisibleEnd { how: CloseKind::Fin, half_open: Some(false) }
}

/// nginx, as it is installed.
fn nginx() -> SearchScript {
    let mut scene = SearchScript::new(IdleVerdict::IdleTimeout).server("nginx/1.22.1");
    scene.survives(&[30_000, 50_000, 55_000]);
    scene.ends(&[60_012, 60_013, 60_019], &fin());
    scene.guess(60_012, 2);
    let (bracket, provisional) = (scene.findings.bracket, scene.findings.provisional);
    let progress =
        SearchProgress { bracket, provisional, silent: vec![ProbeRole::Trial], latest: ms(192_000) };
    scene.events.push(IdleEvent::Progress(progress));
    scene.survives(&[59_300]);
    scene.bracket(59_300, 60_019);
    scene
}

/// A FIN after a minute, as nginx sends it.
pub fn visible() -> Vec<IdleEvent> {
    nginx().expecting(">=55s").end(121_400, RunResult::Passed)
}

/// A NAT that forgets, between two ends that tell which direction is lost.
fn silent() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::IdleTimeout);
    scene.info.search.two_ended = true;
    scene.survives(&[180_000, 230_000, 238_000]);
    scene.dies(&[300_000, 242_000, 241_000], &DeathCause::Unanswered { acked: Some(false) });
    scene.bracket(238_000, 241_000);
    let mut report = scene.report(600_000, RunResult::Passed);
    (report.two_ended, report.lost) = (Some(TwoEnded::Agreed), Some(Direction::Both));
    scene.finish(report)
}

/// A balancer that answers the next use by an RST.
fn rst_on_use() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::IdleTimeout);
    scene.survives(&[300_000, 346_000]);
    scene.dies(&[400_000, 352_000], &DeathCause::CutOnUse(VisibleEnd::from(CloseKind::Rst)));
    scene.bracket(346_000, 352_000);
    scene.end(900_000, RunResult::Passed)
}

/// Thirty seconds, busy or not.
fn lifetime() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::LifetimeCap);
    scene.headers.push(("via".to_string(), UntrustedText::new("1.1 google")));
    scene.ends(&[30_001, 30_004], &fin());
    scene.sees(ProbeRole::Control, 30_002, ProbeEvent::Ended { idle: ms(420), visible_end: fin() });
    scene.findings.lifetime = Some(LifetimeCap { lo: ms(30_002), hi: ms(30_004) });
    scene.because("connections that were never idle ended at the age of 30.002 s, too");
    scene.end(61_000, RunResult::Passed)
}

/// A server with heartbeats of its own.
fn chatter() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::ServerKeepsItBusy);
    for round in 1..4 {
        scene.sees(ProbeRole::Watcher, 25_000 * round, ProbeEvent::ServerMessage { gap: ms(25_000 + round) });
    }
    scene.notes.push(IdleFinding::VerificationSkipped { cause: SkipCause::NoTimeoutFound });
    scene.findings.server_activity = Some(ServerActivity {
        period: ms(25_002),
        longest_gap: ms(25_003),
        count: 3,
        closes_silent_after: None,
        answered: false,
    });
    scene.findings.bracket.lo = Some(ms(25_003));
    scene.because("the server sends by itself, about every 25 s; the longest quiet gap was 25 s");
    scene.end(76_000, RunResult::Passed)
}

/// A server with heartbeats of its own, which lets go of whoever says nothing.
fn impatience() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::ServerKeepsItBusy);
    for round in 1..3 {
        scene.sees(ProbeRole::Watcher, 15_000 * round, ProbeEvent::ServerMessage { gap: ms(15_000) });
    }
    scene.ends(
        &[1, 2],
        &VisibleEnd::from(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() }),
    );
    let closes_silent_after = Some(ms(30_041));
    scene.findings.server_activity = Some(ServerActivity {
        period: ms(15_000),
        longest_gap: ms(15_000),
        count: 2,
        closes_silent_after,
        answered: false,
    });
    scene.findings.bracket.lo = Some(ms(15_000));
    scene.because("the server sends by itself, about every 15 s; the longest quiet gap was 15 s");
    scene.end(30_500, RunResult::Passed)
}

/// A close frame with the application's own code, and a reason that would like to drive the terminal.
fn policy() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::ServerPolicy);
    let how = CloseKind::CloseFrame { code: Some(4008), reason: UntrustedText::new(HOSTILE) };
    scene.survives(&[19_000, 19_500]);
    scene.ends(&[20_003, 20_004, 20_009], &VisibleEnd::from(how.clone()));
    scene.findings.stated_close = Some(how.into());
    scene.bracket(19_500, 20_009);
    scene.because("close code 4008 is the application's own");
    scene.end(41_000, RunResult::Passed)
}

fn no_timeout() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::NoTimeoutUpToMax).expecting(">=10m");
    scene.survives(&[60_000, 300_000, 300_001]);
    scene.findings.bracket.lo = Some(ms(300_000));
    let mut report = scene.report(300_040, RunResult::Inconclusive);
    report.reasons = vec!["expected >=10m: nothing longer than 300 s was tried".to_string().into()];
    scene.finish(report)
}

fn stochastic() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::Stochastic);
    scene.survives(&[4_000, 9_000, 20_000]);
    scene.ends(&[3_100, 7_200, 12_900, 18_000], &fin());
    scene.findings.bracket.lo = Some(ms(3_000));
    scene.because("idle connections died after 3.1 s to 18 s, and survived in between");
    scene.end(42_000, RunResult::Passed)
}

/// The path fails time and again.
fn outages() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::Inconclusive);
    scene.survives(&[1_000]);
    for round in 1..4 {
        let visible_end = VisibleEnd::from(CloseKind::Timeout);
        scene.sees(ProbeRole::Control, 7_000 * round, ProbeEvent::Ended { idle: ms(5_000), visible_end });
    }
    let failed = |probe| IdleEvent::OpenFailed {
        probe: ProbeId(probe),
        role: ProbeRole::Trial,
        at: at(21_500),
        error: refused(),
    };
    scene.events.extend([failed(5), failed(6)]);
    scene.findings.void_rounds = 3;
    scene.findings.bracket.lo = Some(ms(1_000));
    let ages = [2_000, 3_100, 2_400].map(ms).to_vec();
    scene.gave_up(UndecidedCause::PathUnsteady { rounds: 3, ages });
    scene.end(22_000, RunResult::Inconclusive)
}

/// Ctrl-C, when the ends were seen and not yet confirmed.
fn partial() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::Inconclusive);
    scene.survives(&[30_000]);
    scene.ends(&[60_012, 60_013], &fin());
    scene.guess(60_012, 2);
    scene.bracket(30_000, 60_013);
    scene.findings.partial = true;
    scene.gave_up(UndecidedCause::Interrupted);
    scene.end(64_000, RunResult::Inconclusive)
}

/// A hop that lets go a second before its FIN, on one side only.
fn late_end() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::IdleTimeout);
    scene.survives(&[4_000, 4_400]);
    scene.ends(&[6_001, 6_002, 6_003], &VisibleEnd { how: CloseKind::Fin, half_open: Some(true) });
    scene.dies(&[5_100], &DeathCause::Unanswered { acked: Some(false) });
    scene.findings.manner =
        Some(CutManner::Visible(VisibleEnd { how: CloseKind::Fin, half_open: Some(true) }));
    scene.findings.stops_forwarding_before_closing = true;
    scene.bracket(4_400, 5_100);
    scene.end(19_000, RunResult::Passed)
}

fn row(method: KeepaliveMethod, every: Option<u64>, outcome: KeepaliveOutcome) -> MethodResult {
    MethodResult { method, every: every.map(ms), held: ms(150_000), outcome }
}

/// A server that counts messages only; and the recommendation does not hold.
fn refresh() -> Vec<IdleEvent> {
    let mut scene = nginx();
    (scene.info.refresh, scene.info.verify) = (true, true);
    let died = || KeepaliveOutcome::Died {
        after: ms(60_020),
        how: "peer closed TCP (FIN) without a close frame".to_string(),
    };
    let unknown =
        KeepaliveOutcome::Unknown { why: "TCP keepalive cannot be set on a Unix socket".to_string() };
    let rows = vec![
        row(KeepaliveMethod::PingPong, Some(44_475), died()),
        row(KeepaliveMethod::UnsolicitedPong, Some(44_475), died()),
        row(KeepaliveMethod::TcpKeepalive, None, unknown),
        row(KeepaliveMethod::AppMessage, Some(44_475), KeepaliveOutcome::Survived),
    ];
    for row in &rows {
        scene.events.push(IdleEvent::RefreshRow { row: row.clone(), elapsed: ms(271_000) });
    }
    scene.events.push(IdleEvent::VerifyBeat { beats: 1, held: ms(44_475), until: ms(121_000) });
    let ending = CloseCause {
        who: ClosedBy::Peer,
        how: CloseKind::Fin,
        reply: None,
        os_error: None,
        tcp: None,
        age: ms(104_500),
        idle: ms(60_020),
        at: at(375_000),
    };
    let verified = Verification {
        interval: ms(44_475),
        wanted: ms(121_000),
        held: ms(104_500),
        beats: 1,
        outcome: VerifyOutcome::Ended(Arc::new(ending)),
    };
    scene.events.push(IdleEvent::Verified { verified: verified.clone(), elapsed: ms(376_000) });
    let mut report = scene.report(376_000, RunResult::Failed);
    report.refresh = Some(RefreshResults::of(rows, &[]));
    report.verified = Some(verified);
    report.reasons = vec!["a heartbeat every 44.47 s did not hold a connection".to_string().into()];
    scene.finish(report)
}

fn not_met() -> Vec<IdleEvent> {
    let mut scene = nginx().expecting(">=2m");
    let mut report = scene.report(121_400, RunResult::Failed);
    assert!(matches!(report.expectation, Some((_, Truth::False(_)))));
    report.reasons = vec!["expected >=2m, but the timeout is at most 60.019 s".to_string().into()];
    scene.finish(report)
}

fn refused() -> Arc<ConnectError> {
    Arc::new(ConnectError {
        url: URL.to_string(),
        phase: Phase::Tcp,
        kind: FailureKind::Refused,
        cause: "connection refused".to_string(),
        hint: Some("is the server running?".to_string()),
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: us(200),
    })
}

fn unreachable() -> Vec<IdleEvent> {
    let mut scene = SearchScript::new(IdleVerdict::Inconclusive);
    let error = refused();
    let mut report = scene.report(3, RunResult::Unreachable);
    report.reasons = vec![error.to_string().into()];
    report.error = Some(error);
    scene.finish(report)
}
