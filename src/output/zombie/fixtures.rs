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
use crate::domain::zombie::{
    Behaviour, ClientEnd, ClientRecord, ObservationQuality, ZombieFinding, ZombieFindings,
};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::presenter::Presenter;
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
        ("deaf", last_ping_unanswered()),
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
    clients: Vec<ClientRecord>,
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
        ZombieScript { events: vec![started], info, clients: Vec::new(), error: None }
    }

    /// A client that is pinged at these moments, of which the first few are shown, and lives for so long; `how`: the server
    /// let it go then.
    fn clients(&mut self, behaviour: Behaviour, pings: &[u64], millis: u64, how: Option<CloseKind>) {
        let began = ms(2) + behaviour.begins_later();
        let mut client = ClientRecord { began, ..ClientRecord::new(behaviour) };
        self.events.push(ZombieEvent::Opened { behaviour, at: at(began), opened: opened() });
        for (n, ping) in pings.iter().enumerate() {
            let notice = ServerEvent::plain(ServerEventKind::Ping, UntrustedText::default());
            let gap =
                client.listening.arrivals(ServerEventKind::Ping).map(|arrivals| ms(*ping) - arrivals.last);
            client.listening.record_event(ms(*ping), &notice);
            let ServerEvent { event_kind, shape, text, .. } = notice;
            let (age, at) = (ms(*ping), at(ms(*ping)));
            let answered = !behaviour.is_dead();
            let notice = ServerEventNotice { at, event_kind, shape, count: 1, age, gap, text, answered };
            self.events.extend((n < 4).then_some(ZombieEvent::Received { behaviour, notice }));
        }
        let (after, at) = (ms(millis), at(ms(millis)));
        client.end = match how {
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
        self.over(client, at);
    }

    fn over(&mut self, client: ClientRecord, at: SystemTime) {
        let (behaviour, end, unanswered) = (client.behaviour, client.end.clone(), client.unanswered());
        self.events.push(ZombieEvent::Over { behaviour, at, end, unanswered });
        self.clients.push(client);
    }

    /// Those that are healthy, pinged every so many milliseconds, 0: never.
    fn healthy(&mut self, behaviours: &[Behaviour], step: u64) {
        let pings = if step == 0 { Vec::new() } else { grid(step, 300_000) };
        behaviours.iter().for_each(|behaviour| self.clients(*behaviour, &pings, 300_000, None));
    }

    fn finish(mut self, interrupted: bool, verdict: RunResult) -> Vec<ZombieEvent> {
        let ended = self.clients.iter().filter(|client| client.ended().is_some());
        let ended = ended.map(|client| (client.behaviour, client.end.clone())).collect();
        let progress = ZombieProgress { until: ms(360_000), alive: vec![Behaviour::Quiet], ended };
        self.events.push(ZombieEvent::Progress(progress));
        self.clients.sort_by_key(|client| client.behaviour);
        let watch = ObservationQuality {
            every: self.info.every,
            whole: !interrupted,
            control_confirmed: true,
            stood_still: None,
            unanswered: Duration::ZERO,
            held_back: None,
        };
        let findings = ZombieFindings::of(self.clients, watch);
        let expectation = self.info.expectation.clone().map(|expected| {
            let truth = findings.meets(&expected);
            (expected, truth)
        });
        let reasons = findings.reasons_of(verdict, interrupted.then_some((ms(300_010), self.info.max)));
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
    scene.clients(Behaviour::Mute, &[20_000], 40_002, Some(keepalive()));
    scene.clients(Behaviour::Stalled, &[], 40_010, Some(keepalive()));
    scene.clients(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly], 20_000);
    scene.finish(false, RunResult::Passed)
}

fn leak() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(Some("<=60s"));
    scene.clients(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(
        &[Behaviour::Control, Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet, Behaviour::PingsOnly],
        0,
    );
    scene.finish(false, RunResult::Failed)
}

fn skips() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    scene.clients(Behaviour::Mute, &[1000, 11_000, 21_000], 25_000, Some(CloseKind::Rst));
    scene.clients(Behaviour::HalfClosed, &[1000, 11_000, 21_000], 25_000, Some(CloseKind::Rst));
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
    stalled.end = ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: true };
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
    for behaviour in [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet] {
        scene.clients(behaviour, &[], after, close());
    }
    scene.clients(Behaviour::PingsOnly, &[], if pings { after } else { 300_000 }, close().filter(|_| pings));
    scene.healthy(&[Behaviour::Control], 0);
    scene.finish(false, RunResult::Passed)
}

fn idle() -> Vec<ZombieEvent> {
    timer(61_200, false)
}

/// It looks for them every so often.
fn swept() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    for behaviour in [Behaviour::Mute, Behaviour::HalfClosed, Behaviour::Quiet] {
        scene.clients(behaviour, &[], 90_000, Some(CloseKind::Fin));
    }
    scene.clients(Behaviour::Stalled, &[], 89_630, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::PingsOnly, Behaviour::Control], 0);
    scene.finish(false, RunResult::Passed)
}

/// The path forgets who is silent.
fn lost() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    for behaviour in [Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet] {
        let end = ClientEnd::Lost { after: ms(300_000) };
        scene.over(ClientRecord { end, began: ms(2), ..ClientRecord::new(behaviour) }, at(ms(300_002)));
    }
    scene.clients(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::PingsOnly, Behaviour::Control], 0);
    scene.finish(false, RunResult::Inconclusive)
}

fn messages() -> Vec<ZombieEvent> {
    timer(58_000, true)
}

/// It pings, and answers do not keep a client.
fn last_ping_unanswered() -> Vec<ZombieEvent> {
    let close = || Some(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() });
    let mut scene = ZombieScript::new(None);
    for behaviour in
        [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet, Behaviour::PingsOnly]
    {
        scene.clients(behaviour, &grid(15_000, 58_000), 58_000, close());
    }
    scene.healthy(&[Behaviour::Control], 15_000);
    scene.finish(false, RunResult::Passed)
}

/// It gives up who does not answer, and later who only answers.
fn besides() -> Vec<ZombieEvent> {
    let close = || Some(CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() });
    let mut scene = ZombieScript::new(None);
    for behaviour in [Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed] {
        scene.clients(behaviour, &[10_000], 15_000, close());
    }
    for behaviour in [Behaviour::Quiet, Behaviour::PingsOnly] {
        scene.clients(behaviour, &grid(10_000, 60_000), 60_000, close());
    }
    scene.healthy(&[Behaviour::Control], 10_000);
    scene.finish(false, RunResult::Passed)
}

fn control() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    let refused_by =
        CloseKind::CloseFrame { code: Some(1008), reason: UntrustedText::new("unknown command") };
    scene.clients(Behaviour::Control, &[], 5_003, Some(refused_by));
    scene.healthy(
        &[Behaviour::Mute, Behaviour::Stalled, Behaviour::HalfClosed, Behaviour::Quiet, Behaviour::PingsOnly],
        0,
    );
    scene.finish(false, RunResult::Inconclusive)
}

fn hostile() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    let close = CloseKind::CloseFrame { code: Some(4000), reason: UntrustedText::new(HOSTILE) };
    scene.clients(Behaviour::Mute, &[1000], 2000, Some(close));
    scene.clients(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    scene.healthy(&[Behaviour::Control, Behaviour::Quiet, Behaviour::PingsOnly], 1000);
    let (behaviour, error) = (Behaviour::Stalled, Arc::new(refused("wss://node.example/ws?token=***")));
    scene.events.push(ZombieEvent::OpenFailed { behaviour, at: at(ms(2)), error: Arc::clone(&error) });
    let mut client = ClientRecord::new(behaviour);
    client.end = ClientEnd::Unopened { why: format!("TCP: {}", error.cause) };
    scene.clients.push(client);
    scene.error = Some(error);
    scene.finish(false, RunResult::Inconclusive)
}

fn interrupted() -> Vec<ZombieEvent> {
    let mut scene = ZombieScript::new(None);
    scene.clients(Behaviour::HalfClosed, &[], 3, Some(CloseKind::Fin));
    for behaviour in
        [Behaviour::Control, Behaviour::Mute, Behaviour::Stalled, Behaviour::Quiet, Behaviour::PingsOnly]
    {
        scene.clients(behaviour, &[], 12_000, None);
    }
    scene.finish(true, RunResult::Interrupted { measured: true })
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
        control_confirmed: false,
        stood_still: None,
        unanswered: Duration::ZERO,
        held_back: None,
    };
    report.findings = ZombieFindings::of(Behaviour::iter().map(ClientRecord::new).collect(), watch);
    report.verdict = RunResult::Unreachable;
    report.reasons = vec![ZombieFinding::NotOpened(Arc::clone(&error))];
    report.error = Some(error);
    events
}
