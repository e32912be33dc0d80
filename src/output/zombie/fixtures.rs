//! Scripted runs for the tests: every format shows the same events.

use strum::IntoEnumIterator;

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::ZombiePresenter;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{ServerEvent, ServerEventKind};
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieProgress, ZombieReport};
use crate::domain::zombie::{Behaviour, ClientEnd, ClientRecord, ObservationQuality, ZombieFindings};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::testing::{self, CapturedOutput, HOSTILE, NOON, ms, us};

/// What a format prints: stdout and stderr.
pub fn show(format: Format, options: HumanOptions, events: &[ZombieEvent]) -> CapturedOutput {
    testing::show(ZombiePresenter::new(options), format, options, events)
}

/// Every scripted run, by its name.
pub fn all() -> Vec<(&'static str, Vec<ZombieEvent>)> {
    vec![
        ("reaped", reaped()),
        ("leak", leak()),
        ("skips", skips()),
        ("idle", idle()),
        ("swept", swept()),
        ("messages", messages()),
        ("deaf", deaf()),
        ("besides", besides()),
        ("lost", lost()),
        ("control", control()),
        ("hostile", hostile()),
        ("interrupted", interrupted()),
        ("unreachable", unreachable()),
    ]
}

/// A run as it is put together.
struct ZombieScript {
    events: Vec<ZombieEvent>,
    info: ZombieInfo,
    lives: Vec<ClientRecord>,
    error: Option<Arc<ConnectError>>,
}

fn at(age: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON + age
}

fn grid(step: u64, until: u64) -> Vec<u64> {
    (1..).map(|k| k * step).take_while(|moment| *moment < until).collect()
}

fn opened() -> Arc<ConnectInfo> {
    let phases =
        PhaseTimes { tcp: Some(us(310)), upgrade: Some(us(900)), total: us(1_250), ..PhaseTimes::default() };
    Arc::new(ConnectInfo { remote: Some("192.0.2.7:443".to_string()), phases, ..ConnectInfo::default() })
}

fn refused(url: &str) -> ConnectError {
    ConnectError {
        url: url.to_string(),
        phase: Phase::Tcp,
        kind: FailureKind::Refused,
        cause: "connection refused by 192.0.2.7:443 (ECONNREFUSED)".to_string(),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: us(310),
    }
}

impl ZombieScript {
    fn new(expect: Option<&str>) -> ZombieScript {
        let info = ZombieInfo {
            url: "wss://node.example/ws?token=***".to_string(),
            max: ms(300_000),
            every: ms(5_000),
            expectation: expect.map(|text| text.parse().unwrap()),
            preset: None,
        };
        let started = ZombieEvent::Started { at: at(Duration::ZERO), info: Arc::new(info.clone()) };
        ZombieScript { events: vec![started], info, lives: Vec::new(), error: None }
    }

    /// A client that is pinged at these moments, of which the first few are told, and lives for so long; `how`: the server
    /// let it go then.
    fn lives(&mut self, way: Behaviour, pings: &[u64], millis: u64, how: Option<CloseKind>) {
        let began = ms(2) + way.begins_later();
        let mut life = ClientRecord { began, ..ClientRecord::new(way) };
        self.events.push(ZombieEvent::Opened { way, at: at(began), opened: opened() });
        for (n, ping) in pings.iter().enumerate() {
            let said = ServerEvent::plain(ServerEventKind::Ping, UntrustedText::default());
            let gap = life.listening.rhythm(ServerEventKind::Ping).map(|rhythm| ms(*ping) - rhythm.last);
            life.listening.heard(ms(*ping), &said);
            let ServerEvent { sound, shape, text, .. } = said;
            let (age, at) = (ms(*ping), at(ms(*ping)));
            let answered = !way.is_dead();
            let said = ServerEventNotice { at, sound, shape, count: 1, age, gap, text, answered };
            self.events.extend((n < 4).then_some(ZombieEvent::Said { way, said }));
        }
        let (after, at) = (ms(millis), at(ms(millis)));
        life.fate = match how {
            None => ClientEnd::Kept { so_far: after, proven: true },
            Some(how) => {
                let ending = CloseCause {
                    who: ClosedBy::Peer,
                    how,
                    reply: None,
                    os_error: None,
                    tcp: None,
                    age: after,
                    idle: ms(900),
                    at,
                };
                ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: false }
            }
        };
        self.over(life, at);
    }

    fn over(&mut self, life: ClientRecord, at: SystemTime) {
        let (way, fate, unanswered) = (life.way, life.fate.clone(), life.unanswered());
        self.events.push(ZombieEvent::Over { way, at, fate, unanswered });
        self.lives.push(life);
    }

    /// Those that are healthy, pinged every so many milliseconds, 0: never.
    fn healthy(&mut self, ways: &[Behaviour], step: u64) {
        let pings = if step == 0 { Vec::new() } else { grid(step, 300_000) };
        ways.iter().for_each(|way| self.lives(*way, &pings, 300_000, None));
    }

    fn finish(mut self, interrupted: bool, verdict: RunResult) -> Vec<ZombieEvent> {
        let gone = self.lives.iter().filter(|life| life.ended().is_some());
        let gone = gone.map(|life| (life.way, life.fate.clone())).collect();
        let progress =
            ZombieProgress { elapsed: ms(41_000), until: ms(360_000), alive: vec![Behaviour::Quiet], gone };
        self.events.push(ZombieEvent::Progress(progress));
        self.lives.sort_by_key(|life| life.way);
        let watch = ObservationQuality {
            every: self.info.every,
            whole: !interrupted,
            vouched: true,
            stood_still: None,
            unanswered: Duration::ZERO,
        };
        let findings = ZombieFindings::of(self.lives, watch);
        let expectation = self.info.expectation.clone().map(|expected| {
            let truth = findings.meets(&expected);
            (expected, truth)
        });
        let reasons = findings.reasons.clone();
        self.events.push(ZombieEvent::Finished(Box::new(ZombieReport {
            info: Arc::new(self.info),
            started_at: at(Duration::ZERO),
            elapsed: ms(300_010),
            opened: Some(opened()),
            error: self.error,
            findings,
            expectation,
            verdict,
            reasons,
            partial: interrupted,
        })));
        self.events
    }
}

fn keepalive() -> CloseKind {
    CloseKind::CloseFrame { code: Some(1011), reason: UntrustedText::new("keepalive ping timeout") }
}

pub fn reaped() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(Some("<=60s"));
    scene.lives(Behaviour::Mute, &[20_000], 40_002, Some(keepalive()));
    scene.lives(Behaviour::Stalled, &[], 40_010, Some(keepalive()));
    scene.lives(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly], 20_000);
    scene.finish(false, RunResult::Passed)
}

fn leak() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(Some("<=60s"));
    scene.lives(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(
        &[Behaviour::Control, Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet, Behaviour::PingsOnly],
        0,
    );
    scene.finish(false, RunResult::Failed)
}

fn skips() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    scene.lives(Behaviour::Mute, &[1000, 11_000, 21_000], 25_000, Some(CloseKind::Rst));
    scene.lives(Behaviour::HalfClosed, &[1000, 11_000, 21_000], 25_000, Some(CloseKind::Rst));
    let mut stalled = ClientRecord::new(Behaviour::Stalled);
    let (who, how, after) = (ClosedBy::Peer, CloseKind::Fin, ms(300_000));
    let ending = CloseCause {
        who,
        how,
        reply: None,
        os_error: None,
        tcp: None,
        age: after,
        idle: ms(900),
        at: at(after),
    };
    stalled.fate = ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: true };
    stalled.unread = 3;
    scene.over(stalled, at(after));
    scene.healthy(&[Behaviour::Quiet, Behaviour::PingsOnly], 10_000);
    scene.healthy(&[Behaviour::Control], 0);
    scene.finish(false, RunResult::Passed)
}

/// All who are silent end so; `pings`: who sends only Pings, too.
fn timer(after: u64, pings: bool) -> Vec<ZombieEvent> {
    let close = || Some(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() });
    let mut scene = ZombieScript::new(None);
    for way in [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet] {
        scene.lives(way, &[], after, close());
    }
    scene.lives(Behaviour::PingsOnly, &[], if pings { after } else { 300_000 }, close().filter(|_| pings));
    scene.healthy(&[Behaviour::Control], 0);
    scene.finish(false, RunResult::Passed)
}

fn idle() -> Vec<ZombieEvent> {
    timer(61_200, false)
}

/// It looks for them every so often.
fn swept() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    for way in [Behaviour::Mute, Behaviour::HalfClosed, Behaviour::Quiet] {
        scene.lives(way, &[], 90_000, Some(CloseKind::Fin));
    }
    scene.lives(Behaviour::Stalled, &[], 89_630, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::PingsOnly, Behaviour::Control], 0);
    scene.finish(false, RunResult::Passed)
}

/// The path forgets who is silent.
fn lost() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    for way in [Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet] {
        let fate = ClientEnd::Lost { after: ms(300_000) };
        scene.over(ClientRecord { fate, began: ms(2), ..ClientRecord::new(way) }, at(ms(300_002)));
    }
    scene.lives(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::PingsOnly, Behaviour::Control], 0);
    scene.finish(false, RunResult::Inconclusive)
}

fn messages() -> Vec<ZombieEvent> {
    timer(58_000, true)
}

/// It pings, and answers do not keep a client.
fn deaf() -> Vec<ZombieEvent> {
    let close = || Some(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() });
    let mut scene = ZombieScript::new(None);
    for way in
        [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet, Behaviour::PingsOnly]
    {
        scene.lives(way, &grid(15_000, 58_000), 58_000, close());
    }
    scene.healthy(&[Behaviour::Control], 15_000);
    scene.finish(false, RunResult::Passed)
}

/// It gives up who does not answer, and later who only answers.
fn besides() -> Vec<ZombieEvent> {
    let close = || Some(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() });
    let mut scene = ZombieScript::new(None);
    for way in [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed] {
        scene.lives(way, &[10_000], 15_000, close());
    }
    for way in [Behaviour::Quiet, Behaviour::PingsOnly] {
        scene.lives(way, &grid(10_000, 60_000), 60_000, close());
    }
    scene.healthy(&[Behaviour::Control], 10_000);
    scene.finish(false, RunResult::Passed)
}

fn control() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    let refused_by =
        CloseKind::CloseFrame { code: Some(1008), reason: UntrustedText::new("unknown command") };
    scene.lives(Behaviour::Control, &[], 5_003, Some(refused_by));
    scene.healthy(
        &[Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet, Behaviour::PingsOnly],
        0,
    );
    scene.finish(false, RunResult::Inconclusive)
}

fn hostile() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    let close = CloseKind::CloseFrame { code: Some(4000), reason: UntrustedText::new(HOSTILE) };
    scene.lives(Behaviour::Mute, &[1000], 2000, Some(close));
    scene.lives(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly], 1000);
    let (way, error) = (Behaviour::Stalled, Arc::new(refused("wss://node.example/ws?token=***")));
    scene.events.push(ZombieEvent::OpenFailed { way, at: at(ms(2)), error: Arc::clone(&error) });
    let mut life = ClientRecord::new(way);
    life.fate = ClientEnd::Unopened { why: format!("TCP: {}", error.cause) };
    scene.lives.push(life);
    scene.error = Some(error);
    scene.finish(false, RunResult::Inconclusive)
}

fn interrupted() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    scene.lives(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    for way in
        [Behaviour::Control, Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet, Behaviour::PingsOnly]
    {
        scene.lives(way, &[], 12_000, None);
    }
    scene.finish(true, RunResult::Inconclusive)
}

fn unreachable() -> Vec<ZombieEvent> {
    let mut events = interrupted();
    events.retain(|event| matches!(event, ZombieEvent::Started { .. } | ZombieEvent::Finished(_)));
    let Some(ZombieEvent::Finished(report)) = events.last_mut() else { unreachable!() };
    let error = Arc::new(refused(&report.info.url));
    report.opened = None;
    report.partial = false;
    let watch = ObservationQuality {
        every: report.info.every,
        whole: true,
        vouched: false,
        stood_still: None,
        unanswered: Duration::ZERO,
    };
    report.findings = ZombieFindings::of(Behaviour::iter().map(ClientRecord::new).collect(), watch);
    report.verdict = RunResult::Unreachable;
    report.reasons = vec![error.to_string()];
    report.error = Some(error);
    events
}
