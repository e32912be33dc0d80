//! Scripted listening for the tests: every format shows the same events.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::ListenPresenter;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::{
    ListenEvent, ListenInfo, ListenProgress, ListenReport, ServerEventNotice,
};
use crate::domain::listen::{
    EndLiveness, EndedBy, ListenFinding, ListenState, ListenVerdict, ObservationConditions, ServerEvent,
    ServerEventKind,
};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::presenter::Presenter;
use crate::output::testing::{self, CapturedOutput, HOSTILE, NOON, ms, us};

/// What a format prints: stdout and stderr.
pub fn show(format: Format, options: HumanOptions, events: &[ListenEvent]) -> CapturedOutput {
    testing::show(ListenPresenter::new(options), format, options, events)
}

/// Every scripted run, by its name.
pub fn all() -> Vec<(&'static str, Vec<ListenEvent>)> {
    vec![
        ("pings", pings()),
        ("talked", with_stimulus()),
        ("keep_alive", keep_alive()),
        ("silent", silent()),
        ("untalked", without_stimulus()),
        ("irregular", irregular()),
        ("two_shapes", two_shapes()),
        ("flood", flood()),
        ("in_step", in_step()),
        ("paused", paused()),
        ("chatter", chatter()),
        ("steady_chatter", steady_chatter()),
        ("from_its_own", from_its_own()),
        ("not_from_its_own", not_from_its_own()),
        ("talked_to_its_own", talked_to_its_own(true)),
        ("its_own_answers", talked_to_its_own(false)),
        ("hostile", hostile()),
        ("no_answer", no_answer()),
        ("interrupted", interrupted()),
        ("unreachable", unreachable()),
    ]
}

/// A run as it is put together.
struct ListenScript {
    events: Vec<ListenEvent>,
    info: ListenInfo,
    listening: ListenState,
    ending: Option<CloseCause>,
}

fn at(age: Duration) -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON + age
}

impl ListenScript {
    fn new(change: impl FnOnce(&mut ListenInfo)) -> ListenScript {
        let url = "wss://node.example/ws?token=***".to_string();
        let mut info =
            ListenInfo { url, listen_for: ms(120_000), count: None, answer: true, talk: false, preset: None };
        change(&mut info);
        let mut scene = ListenScript {
            events: Vec::new(),
            info,
            listening: ListenState::new(Duration::ZERO, false),
            ending: None,
        };
        let info = Arc::new(scene.info.clone());
        scene.events.push(ListenEvent::Started { at: at(Duration::ZERO), info });
        scene.events.push(ListenEvent::Opened { at: at(ms(2)), opened: opened() });
        scene
    }

    fn says(&mut self, millis: u64, event: ServerEvent) {
        let gap = self.listening.last(event.kind()).map(|last| ms(millis) - last);
        self.listening.record_event(ms(millis), &event);
        self.events.push(ListenEvent::Received(ServerEventNotice {
            at: at(ms(millis)),
            event_kind: event.event_kind,
            shape: event.shape,
            count: 1,
            age: ms(millis),
            gap,
            text: event.text,
            answered: self.info.answer && event.event_kind.asks(),
        }));
    }

    fn pings(&mut self, moments: &[u64]) {
        for (n, moment) in moments.iter().enumerate() {
            self.says(
                *moment,
                ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new(&format!("00000007-{n}"))),
            );
        }
    }

    fn text(&mut self, millis: u64, text: &str) {
        let event = KnownPings::default().recognise(&InboundMessage::new(MessageRef::Text(text)), 0);
        self.says(millis, event);
    }

    fn talks(&mut self, millis: u64) {
        self.listening.record_client_message(ms(millis));
        self.events.push(ListenEvent::StimulusSent { at: at(ms(millis)), age: ms(millis) });
    }

    fn ends(&mut self, who: ClosedBy, how: CloseKind, millis: u64) {
        let (age, idle) = (ms(millis), ms(900));
        let ending = CloseCause { who, how, reply: None, os_error: None, tcp: None, age, idle, at: at(age) };
        self.events.push(ListenEvent::Ended(Arc::new(ending.clone())));
        self.ending = Some(ending);
    }

    fn finish(mut self, listened: u64, interrupted: bool, verdict: RunResult) -> Vec<ListenEvent> {
        let listened = ms(listened);
        let progress = ListenProgress { listened, until: ms(120_000), heartbeats: 0, interval: None };
        self.events.push(ListenEvent::Progress(progress));
        let ended = self.ending.as_ref().map(EndedBy::from);
        let circumstances = ObservationConditions {
            listened,
            answered: self.info.answer,
            held_back: None,
            ended,
            interrupted,
            stood_still: None,
            known: EndLiveness::ToTheEnd,
            incomplete: None,
        };
        let findings = self.listening.findings(&circumstances);
        let ending = self.ending.map(Arc::new);
        let reasons = findings.reasons_of(verdict, ending.as_ref(), self.info.listen_for);
        self.events.push(ListenEvent::Finished(Box::new(ListenReport {
            info: Arc::new(self.info),
            started_at: at(Duration::ZERO),
            elapsed: listened + ms(2),
            opened: Some(opened()),
            error: None,
            findings,
            ending,
            close_reply: None,
            verdict,
            reasons,
            partial: interrupted,
        })));
        self.events
    }
}

fn opened() -> Arc<ConnectInfo> {
    let phases =
        PhaseTimes { tcp: Some(us(310)), upgrade: Some(us(900)), total: us(1_250), ..PhaseTimes::default() };
    Arc::new(ConnectInfo { remote: Some("192.0.2.7:443".to_string()), phases, ..ConnectInfo::default() })
}

pub fn pings() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.text(40, r#"{"type":"welcome"}"#);
    scene.pings(&[11_000, 41_000, 71_010, 101_000]);
    scene.finish(120_000, false, RunResult::Passed)
}

fn with_stimulus() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|info| info.talk = true);
    scene.pings(&[10_000, 20_000, 30_000]);
    scene.talks(33_000);
    scene.pings(&[45_000, 55_000]);
    scene.talks(62_000);
    scene.pings(&[75_000]);
    scene.finish(80_000, false, RunResult::Passed)
}

fn keep_alive() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|info| info.count = Some(3));
    [25_000, 50_000, 75_000].into_iter().for_each(|moment| scene.text(moment, "h"));
    scene.finish(75_000, false, RunResult::Passed)
}

fn silent() -> Vec<ListenEvent> {
    ListenScript::new(|_| {}).finish(120_000, false, RunResult::Passed)
}

/// Nothing comes between which something could be event.
fn without_stimulus() -> Vec<ListenEvent> {
    ListenScript::new(|info| info.talk = true).finish(120_000, false, RunResult::Passed)
}

fn irregular() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.pings(&[3_000, 11_000, 12_000, 40_000, 90_000]);
    scene.finish(120_000, false, RunResult::Passed)
}

/// App pings of two shapes, each with a clock of its own.
pub fn two_shapes() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    for n in 1..=4 {
        scene.text(25_000 * n, r#"{"type":"ping"}"#);
        scene.text(25_000 * n + 5_000, r#"{"event":"pusher:ping","data":{}}"#);
    }
    scene.finish(120_000, false, RunResult::Passed)
}

/// Nobody knows what these are.
fn steady_chatter() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    (1..8).for_each(|n| scene.text(n * 15_000, &format!(r#"{{"k":"hb","n":{n}}}"#)));
    scene.finish(120_000, false, RunResult::Passed)
}

/// Either every 15 s, or 10 s after each message.
fn in_step() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    for n in 0..5 {
        scene.pings(&[10_000 + n * 15_000]);
        scene.text(15_000 + n * 15_000, r#"{"price":1}"#);
    }
    scene.finish(76_000, false, RunResult::Passed)
}

/// It stopped, and began again.
fn paused() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.pings(&[5_000, 10_000, 15_000, 20_000, 70_000, 75_000]);
    scene.finish(78_000, false, RunResult::Passed)
}

/// It has things to say, and no heartbeats.
fn chatter() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    [7_000, 19_500, 33_000, 90_250].into_iter().for_each(|moment| scene.text(moment, r#"{"price":1}"#));
    scene.finish(120_000, false, RunResult::Passed)
}

/// It counts from its own messages.
pub fn from_its_own() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.pings(&[10_000]);
    scene.text(14_000, r#"{"price":1}"#);
    scene.pings(&[24_000, 34_000]);
    scene.text(41_500, r#"{"price":2}"#);
    scene.pings(&[51_500, 61_510]);
    scene.finish(65_000, false, RunResult::Passed)
}

/// Its messages come at other moments, and move nothing.
fn not_from_its_own() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.pings(&[10_000]);
    scene.text(14_000, r#"{"price":1}"#);
    scene.pings(&[20_000, 30_000]);
    scene.text(36_000, r#"{"price":2}"#);
    scene.pings(&[40_000]);
    scene.finish(45_000, false, RunResult::Passed)
}

/// The client talks to a server that counts from what it says, which answers each time if it is not `deaf`.
fn talked_to_its_own(deaf: bool) -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|info| info.talk = true);
    scene.pings(&[10_000]);
    scene.text(14_000, r#"{"price":1}"#);
    scene.pings(&[24_000, 34_000]);
    let next = if deaf { 10_000 } else { 14_000 };
    for after in [34_000, 44_000 + next] {
        scene.talks(after + 3_000);
        if !deaf {
            scene.listening.answered(ms(after + 4_000));
        }
        scene.pings(&[after + next, after + next + 10_000]);
    }
    scene.finish(85_000, false, RunResult::Passed)
}

/// What comes in one read comes at one moment.
fn flood() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|info| info.count = Some(40));
    (0..40).for_each(|n| {
        scene.says(500 + n / 10, ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new("x")))
    });
    scene.finish(504, false, RunResult::Passed)
}

fn hostile() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.says(500, ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new(HOSTILE)));
    scene.text(600, HOSTILE);
    scene.ends(
        ClosedBy::Peer,
        CloseKind::CloseFrame { code: Some(4000), reason: UntrustedText::new(HOSTILE) },
        1_500,
    );
    scene.finish(1_500, false, RunResult::Failed)
}

fn no_answer() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|info| info.answer = false);
    scene.pings(&[2_000, 4_000, 6_000]);
    scene.ends(ClosedBy::Peer, CloseKind::Fin, 6_900);
    scene.finish(6_900, false, RunResult::Passed)
}

fn interrupted() -> Vec<ListenEvent> {
    let mut scene = ListenScript::new(|_| {});
    scene.pings(&[2_000]);
    scene.finish(3_000, true, RunResult::Interrupted { measured: true })
}

fn unreachable() -> Vec<ListenEvent> {
    let mut events = interrupted();
    events.retain(|event| matches!(event, ListenEvent::Started { .. } | ListenEvent::Finished(_)));
    let Some(ListenEvent::Finished(report)) = events.last_mut() else { unreachable!() };
    let error = Arc::new(ConnectError {
        url: report.info.url.clone(),
        phase: Phase::Tcp,
        kind: FailureKind::Refused,
        cause: "connection refused by 192.0.2.7:443 (ECONNREFUSED)".to_string(),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: us(310),
    });
    report.opened = None;
    report.partial = false;
    report.findings = ListenState::default().findings(&ObservationConditions::default());
    report.findings.verdict = ListenVerdict::Inconclusive;
    report.verdict = RunResult::Unreachable;
    report.reasons = vec![ListenFinding::NotOpened(Arc::clone(&error))];
    report.error = Some(error);
    events
}
