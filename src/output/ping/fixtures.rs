//! Scripted runs for the tests: every format shows the same events.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::IntoEnumIterator;

use crate::domain::catalogue::find_preset;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy, Violation};
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, FailureKind, ReachedPeer, RefusalResponse, TimestampSource,
    TlsInfo,
};
use crate::domain::connection::goaway::{Goaway, GoawayNotice};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::ping::event::{
    ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, ServerPingKind, StatusChange,
};
use crate::domain::ping::finding::{PingFinding, ReportedFinding};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::history::History;
use crate::domain::ping::measurement::{HostDelay, Measurement};
use crate::domain::ping::merged_runs::MergedRuns;
use crate::domain::ping::outages::{Outage, OutageCause, Outages};
use crate::domain::ping::report::{
    ConnReport, KindReport, PingReport, RttSpikes, StampingReport, TargetReport,
};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::domain::presets::PresetSelection;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::interval::Interval;
use crate::domain::stats::timeline::Timeline;
use crate::domain::stats::{Counts, JitterSummary, LagSummary, RttSummary};

use super::PingPresenter;
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::presenter::Presenter;
use crate::output::testing::{self, CapturedOutput, HOSTILE, NOON, ms, us};
use crate::output::view::View;

const URL: &str = "ws://127.0.0.1:9001/";
/// What a format prints of a run: stdout and stderr.
pub fn show(format: Format, options: HumanOptions, events: &[Event]) -> CapturedOutput {
    testing::show(PingPresenter::new(options), format, options, events)
}

/// Every scripted run, by its name.
pub fn all() -> Vec<(&'static str, Vec<Event>)> {
    vec![
        ("healthy", healthy()),
        ("slow_app", slow_app()),
        ("late", late()),
        ("superseded", superseded()),
        ("dead", dead()),
        ("reconnect", reconnect()),
        ("refused", refused()),
        ("several", several()),
        ("tls", tls()),
        ("nothing_answered", nothing_answered()),
        ("hostile", hostile()),
        ("unreachable", unreachable()),
        ("chatter", chatter()),
        ("preset", preset()),
    ]
}

/// Events as they are put together, at moments counted from the start.
struct RunScript {
    events: Vec<Event>,
    info: Arc<RunInfo>,
}

impl RunScript {
    fn new(targets: &[&str], kinds: &[HeartbeatKind], count: Option<u64>) -> RunScript {
        RunScript::with(RunInfo {
            targets: targets.iter().map(|url| url.to_string()).collect(),
            connections_each: 1,
            kinds: kinds.to_vec(),
            interval: Some(ms(1000)),
            worst: 5,
            lists_all: false,
            timeout: ms(10_000),
            outage_after: ms(10_000),
            count,
            deadline: None,
            preset: None,
            demands: Default::default(),
        })
    }

    fn with(info: RunInfo) -> RunScript {
        let info = Arc::new(info);
        RunScript { events: vec![Event::Started { at: at(0), info: info.clone() }], info }
    }

    fn info(&self) -> RunInfo {
        self.info.as_ref().clone()
    }

    fn on(&mut self, target: usize, index: usize, millis: u64, event: ConnEvent) {
        self.events.push(Event::Connection { id: ConnId { target, index }, at: at(millis), event });
    }

    fn then(&mut self, millis: u64, event: ConnEvent) {
        self.on(0, 0, millis, event);
    }

    fn open(&mut self, opened: &Arc<ConnectInfo>) {
        self.then(0, ConnEvent::Opening);
        self.then(2, ConnEvent::Opened(opened.clone()));
    }

    fn beats(&mut self, kind: HeartbeatKind, rtts: &[Duration]) {
        for (seq, rtt) in (0..).zip(rtts) {
            self.then(2 + seq * 1000, ok(kind, seq, *rtt));
        }
    }

    fn finish(mut self, report: PingReport) -> Vec<Event> {
        self.events.push(Event::Finished(Box::new(report)));
        self.events
    }
}

fn at(millis: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + NOON + ms(millis)
}

fn beat(kind: HeartbeatKind, seq: u64, outcome: HeartbeatOutcome) -> HeartbeatResult {
    HeartbeatResult {
        kind,
        seq,
        outcome,
        was: None,
        rtt: None,
        lag: Some(us(31)),
        to_wire: Some(us(9).into()),
        from_wire: Some(us(40).into()),
        acked: None,
        later_answered: false,
        exhausted_window: None,
        sent_again: None,
        rivals: 0,
    }
}

fn ok(kind: HeartbeatKind, seq: u64, rtt: Duration) -> ConnEvent {
    ConnEvent::Heartbeat(HeartbeatResult { rtt: Some(rtt), ..beat(kind, seq, HeartbeatOutcome::Ok) })
}

fn missed(seq: u64) -> ConnEvent {
    ConnEvent::Heartbeat(beat(HeartbeatKind::Protocol, seq, HeartbeatOutcome::Missed))
}

fn status(from: Status, to: Status, reason: &str, metrics: StatusMetrics) -> ConnEvent {
    ConnEvent::Status(StatusChange { kind: None, from, to, reason: reason.to_string(), metrics })
}

fn opened() -> ConnectInfo {
    ConnectInfo {
        remote: Some("127.0.0.1:9001".to_string()),
        local: Some("127.0.0.1:51234".to_string()),
        phases: PhaseTimes {
            dns: Some(us(412)),
            tcp: Some(us(87)),
            upgrade: Some(us(1340)),
            total: us(1842),
            ..PhaseTimes::default()
        },
        attempts: vec![ConnectAttempt { address: "127.0.0.1:9001".to_string(), took: us(87), error: None }],
        timestamps: TimestampSource::Kernel,
        ..ConnectInfo::default()
    }
}

fn ending(who: ClosedBy, how: CloseKind, age_ms: u64, idle_ms: u64) -> Arc<CloseCause> {
    Arc::new(CloseCause {
        who,
        how,
        reply: None,
        os_error: None,
        tcp: None,
        age: ms(age_ms),
        idle: ms(idle_ms),
        at: at(age_ms + 2),
    })
}

fn close(code: u16, reason: &str) -> CloseKind {
    CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }
}

fn our_close(age_ms: u64) -> Arc<CloseCause> {
    ending(ClosedBy::Us, close(1000, ""), age_ms, 998)
}

fn counts(ok: u64) -> Counts {
    Counts { ok, ..Counts::default() }
}

/// The figures of these RTTs, in the order of sending; percentiles by nearest rank.
fn figures(kind: HeartbeatKind, status: Status, counts: Counts, rtts: &[Duration]) -> KindReport {
    let (longest_miss_run, missed_at_end) = (counts.missed as u32, counts.missed);
    let (rtt, jitter, histogram) = (summary(rtts), jitter(rtts), histogram(rtts));
    KindReport { kind, status, counts, longest_miss_run, missed_at_end, rtt, jitter, histogram, pooled: None }
}

fn summary(rtts: &[Duration]) -> Option<RttSummary> {
    let mut sorted = rtts.to_vec();
    sorted.sort();
    let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100) - 1];
    (!sorted.is_empty()).then(|| RttSummary {
        count: rtts.len() as u64,
        min: sorted[0],
        mean: sorted.iter().sum::<Duration>() / rtts.len() as u32,
        max: sorted[sorted.len() - 1],
        p50: rank(50),
        p90: rank(90),
        p95: rank(95),
        p99: rank(99),
    })
}

fn jitter(rtts: &[Duration]) -> JitterSummary {
    if rtts.len() < 2 {
        return JitterSummary::default();
    }
    let seconds: Vec<f64> = rtts.iter().map(Duration::as_secs_f64).collect();
    let mean = seconds.iter().sum::<f64>() / seconds.len() as f64;
    let variance = seconds.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / seconds.len() as f64;
    let steps: Vec<f64> = seconds.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
    let rfc3550 = steps.iter().fold(0.0, |j, d| j + (d - j) / 16.0);
    let some = |seconds: f64| Some(Duration::from_secs_f64(seconds));
    JitterSummary {
        stddev: some(variance.sqrt()),
        rfc3550: some(rfc3550),
        ipdv_mean: some(steps.iter().sum::<f64>() / steps.len() as f64),
    }
}

fn histogram(rtts: &[Duration]) -> Vec<(Duration, u64)> {
    let (Some(min), Some(max)) = (rtts.iter().min(), rtts.iter().max()) else {
        return Vec::new();
    };
    if min == max {
        return vec![(*max, rtts.len() as u64)];
    }
    let width = (*max - *min) / 8;
    let bound = |bucket: u32| if bucket == 8 { *max } else { *min + width * bucket };
    let within = |low: Duration, high: Duration| {
        rtts.iter().filter(|rtt| (low < **rtt || *min == low && low == **rtt) && **rtt <= high).count()
    };
    (1..=8).map(|bucket| (bound(bucket), within(bound(bucket - 1), bound(bucket)) as u64)).collect()
}

fn connection(kinds: Vec<KindReport>, status: Status, status_reason: &str) -> ConnReport {
    ConnReport {
        index: 0,
        origin: None,
        alike: 0,
        status,
        status_reason: status_reason.to_string(),
        status_without_rtt: Status::Healthy,
        last_status: status,
        last_status_reason: status_reason.to_string(),
        opened: Some(Arc::new(opened())),
        open_error: None,
        kinds,
        ending: None,
        lost: None,
        lost_on: None,
        goaway: None,
        answered_until: None,
        unplanned_endings: 0,
        reconnects: 0,
        outage: Some(Duration::ZERO),
        outages: Default::default(),
        messages: 0,
        server_pings_protocol: 0,
        server_pings_app: 0,
        echoes: 0,
        spikes: RttSpikes::default(),
        announced: None,
        server_traffic: None,
    }
}

fn report(
    info: &Arc<RunInfo>,
    elapsed: Duration,
    verdict: RunResult,
    targets: Vec<TargetReport>,
) -> PingReport {
    let connections = || targets.iter().flat_map(|target| &target.connections);
    let count = |status: Status| connections().filter(|connection| connection.status == status).count();
    PingReport {
        info: info.clone(),
        started_at: at(0),
        elapsed,
        status: targets.iter().map(|target| target.status).max().unwrap_or(Status::Unknown),
        status_reason: targets
            .iter()
            .max_by_key(|target| target.status)
            .map(|target| target.status_reason.clone())
            .unwrap_or_default(),
        last_status: targets.iter().map(|target| target.last_status).max().unwrap_or(Status::Unknown),
        status_counts: Status::iter()
            .rev()
            .map(|status| (status, count(status) as u64))
            .filter(|(_, count)| *count > 0)
            .collect(),
        verdict,
        reasons: Vec::new(),
        criteria: Vec::new(),
        findings: Vec::new(),
        kinds: targets.first().map(|target| target.kinds.clone()).unwrap_or_default(),
        targets,
        worst: Vec::new(),
        host_lag: Some(LagSummary { p50: us(31), p99: us(120), max: us(164) }),
        stamping: StampingReport {
            to_wire: Some(LagSummary { p50: us(9), p99: us(20), max: us(22) }),
            from_wire: Some(LagSummary { p50: us(40), p99: us(90), max: us(95) }),
            fell_back: 0,
        },
        measurement: Measurement::Sound,
        timeline: timeline(),
        history: History::default(),
        interrupted: false,
        merged: MergedRuns::default(),
    }
}

/// A finding about the first target.
fn about_target(finding: PingFinding) -> ReportedFinding {
    ReportedFinding { finding, target: Some(0) }
}

fn one(info: &Arc<RunInfo>, elapsed: Duration, verdict: RunResult, connection: ConnReport) -> PingReport {
    let target = TargetReport {
        url: info.targets[0].clone(),
        status: connection.status,
        status_reason: connection.status_reason.clone(),
        last_status: connection.last_status,
        kinds: connection.kinds.clone(),
        connections: vec![connection],
    };
    report(info, elapsed, verdict, vec![target])
}

fn window(mean: Duration, last: Duration, consecutive_missed: u32, judged: u64) -> StatusMetrics {
    let missed = f64::from(consecutive_missed);
    StatusMetrics {
        window_mean: Some(mean),
        last_rtt: Some(last),
        loss: Some(missed / judged as f64),
        consecutive_missed,
        judged,
    }
}

/// Five heartbeats on loopback, all fine.
pub fn healthy() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], Some(5));
    let rtts = [214, 187, 207, 310, 199].map(us);
    scene.open(&Arc::new(opened()));
    scene.then(2, ok(HeartbeatKind::Protocol, 0, rtts[0]));
    let first = "mean RTT of the last 1 is 0.214 ms";
    scene.then(2, status(Status::Unknown, Status::Healthy, first, window(rtts[0], rtts[0], 0, 1)));
    for (seq, rtt) in (1..).zip(&rtts[1..]) {
        scene.then(2 + seq * 1000, ok(HeartbeatKind::Protocol, seq, *rtt));
    }
    scene.then(4003, ConnEvent::Ended(our_close(4001)));
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts(5), &rtts)];
    let connection = ConnReport {
        ending: Some(our_close(4001)),
        ..connection(kinds, Status::Healthy, "mean RTT of the last 5 is 0.223 ms")
    };
    let report = one(&scene.info, us(4_003_512), RunResult::Passed, connection);
    scene.finish(report)
}

/// Both kinds side by side; the application is what is slow. The user ends it.
pub fn slow_app() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol, HeartbeatKind::App], None);
    let protocol = [214, 187, 207, 310, 199, 221].map(us);
    let app = [212_400, 734_100, 655_000, 801_300, 120_900, 698_200].map(us);
    scene.open(&Arc::new(opened()));
    for seq in 0..6 {
        let (seq, now) = (seq as u64, seq as usize);
        scene.then(2 + seq * 1000, ok(HeartbeatKind::Protocol, seq, protocol[now]));
        scene.then(500 + seq * 1000, ok(HeartbeatKind::App, seq, app[now]));
    }
    let reason = "mean RTT of the last 6 is 537 ms";
    let metrics = window(us(536_983), app[5], 0, 6);
    scene.then(
        5500,
        ConnEvent::Status(StatusChange {
            kind: Some(HeartbeatKind::App),
            from: Status::Degraded,
            to: Status::Poor,
            reason: reason.to_string(),
            metrics,
        }),
    );
    scene.then(5500, status(Status::Degraded, Status::Poor, &format!("app: {reason}"), metrics));
    scene.then(5600, ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::App, StrayPong::Duplicate), 1));
    let app_counts = Counts { duplicate: 1, ..counts(6) };
    let kinds = vec![
        figures(HeartbeatKind::Protocol, Status::Healthy, counts(6), &protocol),
        figures(HeartbeatKind::App, Status::Poor, app_counts, &app),
    ];
    let connection = ConnReport {
        ending: Some(our_close(5999)),
        messages: 12,
        server_pings_protocol: 2,
        ..connection(kinds, Status::Poor, "app: mean RTT of the last 6 is 537 ms")
    };
    let mut report = one(&scene.info, us(6_001_204), RunResult::Failed, connection);
    report.interrupted = true;
    report.reasons = vec!["the status poor is at or worse than poor (--fail-on)".to_string()];
    let slow = PingFinding::AppSlowerThanProtocol { protocol_p50: us(207), app_p50: us(655_000) };
    report.findings = vec![about_target(slow)];
    scene.events.push(Event::Interim(Box::new(report.clone())));
    scene.finish(report)
}

/// A missed heartbeat whose pong comes after all.
pub fn late() -> Vec<Event> {
    let info = RunInfo {
        interval: Some(ms(15_000)),
        ..RunScript::new(&[URL], &[HeartbeatKind::Protocol], Some(4)).info()
    };
    let mut scene = RunScript::with(info);
    let rtts = [us(41_230), us(12_034_210), us(40_870), us(43_110)];
    scene.open(&Arc::new(opened()));
    scene.then(43, ok(HeartbeatKind::Protocol, 0, rtts[0]));
    scene.then(25_002, missed(1));
    let why = "1 heartbeat missed in a row";
    scene.then(25_002, status(Status::Healthy, Status::Timeout, why, window(us(41_230), us(41_230), 1, 2)));
    let late = HeartbeatResult {
        rtt: Some(rtts[1]),
        was: Some(HeartbeatOutcome::Missed),
        ..beat(HeartbeatKind::Protocol, 1, HeartbeatOutcome::Late)
    };
    scene.then(27_036, ConnEvent::Heartbeat(late));
    let why = "mean RTT of the last 2 is 6038 ms";
    scene.then(27_036, status(Status::Timeout, Status::Critical, why, window(us(6_037_720), rtts[1], 0, 2)));
    scene.then(30_043, ok(HeartbeatKind::Protocol, 2, rtts[2]));
    scene.then(45_045, ok(HeartbeatKind::Protocol, 3, rtts[3]));
    let counts = Counts { ok: 3, late: 1, ..Counts::default() };
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Critical, counts, &rtts)];
    let connection = ConnReport {
        ending: Some(our_close(45_046)),
        ..connection(kinds, Status::Critical, "mean RTT of the last 4 is 3040 ms")
    };
    let mut report = one(&scene.info, ms(45_048), RunResult::Failed, connection);
    report.reasons = vec![
        "the status critical is at or worse than poor (--fail-on)".to_string(),
        "late is 1, and --fail-if 'late>0'".to_string(),
    ];
    let (timeout, longest_rtt) = (ms(10_000), rtts[1]);
    let late = PingFinding::LateAnswers { late: 1, timeout, longest_rtt, open_at_end: 0 };
    report.findings = vec![about_target(late)];
    scene.finish(report)
}

/// A peer that drops a pong, and then answers only the latest ping; one ping never left; the host itself was late.
pub fn superseded() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    let rtts = [us(1_520), us(1_490), us(240_000)];
    scene.open(&Arc::new(opened()));
    scene.then(4, ok(HeartbeatKind::Protocol, 0, rtts[0]));
    let passed_over = |seq, outcome| HeartbeatResult {
        later_answered: true,
        ..beat(HeartbeatKind::Protocol, seq, outcome)
    };
    scene.then(2004, ConnEvent::Heartbeat(passed_over(1, HeartbeatOutcome::Missed)));
    scene.then(2004, ok(HeartbeatKind::Protocol, 2, rtts[1]));
    scene.then(
        2900,
        ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::Protocol, StrayPong::Unsolicited), 1),
    );
    scene.then(4240, ConnEvent::Heartbeat(passed_over(3, HeartbeatOutcome::Superseded)));
    scene.then(4240, ok(HeartbeatKind::Protocol, 4, rtts[2]));
    let unsent = HeartbeatResult { lag: None, ..beat(HeartbeatKind::Protocol, 5, HeartbeatOutcome::Unsent) };
    scene.then(5002, ConnEvent::Heartbeat(unsent));
    let counts = Counts {
        ok: 3,
        superseded: 1,
        missed: 1,
        missed_later_answered: 1,
        unsent: 1,
        unsolicited: 1,
        ..Counts::default()
    };
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts, &rtts)];
    let connection = ConnReport {
        ending: Some(our_close(5100)),
        ..connection(kinds, Status::Healthy, "mean RTT of the last 3 is 81.0 ms")
    };
    let mut report = one(&scene.info, ms(5103), RunResult::Inconclusive, connection);
    report.host_lag = Some(LagSummary { p50: us(900), p99: us(61_000), max: us(61_000) });
    let late = HostDelay::Late { lag: us(61_000), rtt: us(1_490), percentile: 99 };
    report.measurement = Measurement::Suspect(late);
    report.findings = vec![
        ReportedFinding { finding: late.into(), target: None },
        about_target(PingFinding::RepliesDropped { kind: HeartbeatKind::Protocol, dropped: 1, judged: 5 }),
        about_target(PingFinding::PongsSuperseded { superseded: 1, longest_rtt: Some(us(240_000)) }),
    ];
    report.reasons =
        vec!["1 of 6 protocol heartbeats were not sent: the requested schedule was not kept".to_string()];
    scene.finish(report)
}

/// A server whose convention was found out: it asks by itself, and says something that is none.
pub fn preset() -> Vec<Event> {
    let evidence = vec!["it says 0{\"sid\":\"x\"}".to_string(), "the path is that of engine.io".to_string()];
    let used = find_preset("engine.io")
        .map(|preset| PresetSelection::of(preset, Some(evidence), &[HeartbeatKind::Protocol]));
    let mut scene = RunScript::with(RunInfo {
        preset: used,
        ..RunScript::new(&[URL], &[HeartbeatKind::Protocol], Some(2)).info()
    });
    let rtts = [us(1_520), us(1_490)];
    scene.open(&Arc::new(opened()));
    scene.then(4, ok(HeartbeatKind::Protocol, 0, rtts[0]));
    let asked =
        ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: true }, 1);
    (0..3).for_each(|n| scene.then(500 + 250 * n, asked.clone()));
    scene.then(1_003, ok(HeartbeatKind::Protocol, 1, rtts[1]));
    let intervals = vec![(HeartbeatKind::App, Interval::of([ms(250), ms(251)]).unwrap())];
    let first_other = Some(UntrustedText::new(HOSTILE));
    let server_traffic = Arc::new(ServerTraffic {
        intervals,
        first_other,
        looks_like: vec!["sockjs"],
        last: Some(UntrustedText::new(HOSTILE)),
        nearest: Some(NearestMessage {
            message: UntrustedText::new(HOSTILE),
            difference: Difference { agreeing: 1, points: vec!["`type` is missing".to_string()] },
        }),
        ..ServerTraffic::default()
    });
    scene.then(1_100, ConnEvent::ServerTraffic(Arc::clone(&server_traffic)));
    scene.then(1_100, ConnEvent::Ended(our_close(1_098)));
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts(2), &rtts)];
    let connection = ConnReport {
        ending: Some(our_close(1_098)),
        server_pings_app: 3,
        messages: 1,
        announced: Some(ms(25_000)),
        server_traffic: Some(server_traffic),
        ..connection(kinds, Status::Healthy, "mean RTT of the last 2 is 1.51 ms")
    };
    let report = one(&scene.info, ms(1_101), RunResult::Passed, connection);
    scene.finish(report)
}

/// A server that stops answering: timeout, dead, and we close with 4000.
pub fn dead() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    let rtts = [us(214)];
    scene.open(&Arc::new(opened()));
    scene.then(2, ok(HeartbeatKind::Protocol, 0, rtts[0]));
    let mut from = Status::Healthy;
    for seq in 1..=3 {
        scene.then(10_002 + seq * 1000, missed(seq));
        let to = if seq == 3 { Status::Dead } else { Status::Timeout };
        if to != from {
            let why = format!("{seq} heartbeat{} missed in a row", if seq == 1 { "" } else { "s" });
            let metrics = window(us(214), us(214), seq as u32, seq + 1);
            scene.then(10_002 + seq * 1000, status(from, to, &why, metrics));
            from = to;
        }
    }
    let gave_up = ending(ClosedBy::Us, CloseKind::Timeout, 13_001, 12_999);
    scene.then(13_002, ConnEvent::Unjudged { kind: HeartbeatKind::Protocol, count: 10 });
    scene.then(13_002, ConnEvent::Ended(gave_up.clone()));
    let counts = Counts { ok: 1, missed: 3, in_flight: 10, ..Counts::default() };
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Dead, counts, &rtts)];
    let connection = ConnReport {
        ending: Some(gave_up.clone()),
        lost: Some(gave_up),
        answered_until: Some(us(214)),
        outage: None,
        unplanned_endings: 1,
        ..connection(kinds, Status::Dead, "3 heartbeats missed in a row")
    };
    let mut report = one(&scene.info, ms(13_003), RunResult::Failed, connection);
    report.reasons = vec!["a connection ended that should not have".to_string()];
    let stopped = PingFinding::ServerStoppedAnswering { after: us(214), acknowledged: 3 };
    report.findings = vec![about_target(stopped)];
    scene.finish(report)
}

/// The last answer came at 1.003 s, and the connection was open again at 3.065 s.
fn restart_outage() -> Outages {
    let outage = Outage {
        from: ms(1003),
        until: Some(ms(3065)),
        cause: OutageCause::Ended,
        detail: "peer sent close 1012 (service restart) \"deploying\"".to_string(),
        failed_attempts: 1,
        last_error: Some("TCP: connection refused (ECONNREFUSED)".to_string()),
        uncertain: ms(1250),
    };
    let latest = [outage].into();
    Outages { latest, count: 1, ended_total: ms(2062), ended_longest: ms(2062), observed: ms(5066) }
}

/// A server that restarts: close 1012, two attempts, open again.
pub fn reconnect() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    let rtts = [us(214), us(230), us(198)];
    scene.open(&Arc::new(opened()));
    scene.beats(HeartbeatKind::Protocol, &rtts[..2]);
    let restart = ending(ClosedBy::Peer, close(1012, "deploying"), 1_500, 498);
    scene.then(1502, ConnEvent::Ended(restart.clone()));
    let why = "the connection ended: peer sent close 1012 (service restart) \"deploying\"";
    scene.then(1502, status(Status::Healthy, Status::Dead, why, window(us(222), us(230), 0, 2)));
    scene.then(1502, ConnEvent::Retry { attempt: 1, after: ms(310) });
    scene.then(1812, ConnEvent::Opening);
    scene.then(1813, ConnEvent::OpenFailed(Arc::new(refused_tcp())));
    scene.then(1813, ConnEvent::Retry { attempt: 2, after: ms(1250) });
    scene.then(3063, ConnEvent::Opening);
    scene.then(3065, ConnEvent::Opened(Arc::new(opened())));
    scene.then(3065, ConnEvent::Reconnected { outage: ms(1563), attempts: 2 });
    scene.then(3066, ok(HeartbeatKind::Protocol, 2, rtts[2]));
    let why = "mean RTT of the last 1 is 0.198 ms";
    scene.then(3066, status(Status::Dead, Status::Healthy, why, window(us(198), us(198), 0, 3)));
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts(3), &rtts)];
    let connection = ConnReport {
        ending: Some(our_close(2000)),
        open_error: Some(Arc::new(refused_tcp())),
        lost: Some(restart),
        unplanned_endings: 1,
        reconnects: 1,
        outage: Some(ms(1563)),
        outages: restart_outage(),
        ..connection(kinds, Status::Healthy, "mean RTT of the last 1 is 0.198 ms")
    };
    let mut report = one(&scene.info, ms(5066), RunResult::Failed, connection);
    for (at, status) in [(2, Status::Healthy), (1502, Status::Dead), (3066, Status::Healthy)] {
        report.history.record_status(ms(at), status);
    }
    report.history.record_loss(ms(1502));
    report.history.record_return(ms(3065));
    report.reasons = vec![
        "a connection ended that should not have: peer sent close 1012 (service restart) \"deploying\""
            .to_string(),
    ];
    scene.finish(report)
}

fn refused_tcp() -> ConnectError {
    ConnectError {
        url: URL.to_string(),
        phase: Phase::Tcp,
        kind: FailureKind::Refused,
        cause: "connection refused by 127.0.0.1:9001".to_string(),
        hint: Some("is the server running, and on that port?".to_string()),
        attempts: vec![ConnectAttempt {
            address: "127.0.0.1:9001".to_string(),
            took: us(64),
            error: Some("connection refused [ECONNREFUSED]".to_string()),
        }],
        reached: None,
        refusal: None,
        took: us(91),
    }
}

fn refused_upgrade() -> ConnectError {
    let header = |name: &str, value: &str| (name.to_string(), UntrustedText::new(value));
    ConnectError {
        url: URL.to_string(),
        phase: Phase::Upgrade,
        kind: FailureKind::UpgradeRefused,
        cause: "the server answered 403 Forbidden".to_string(),
        hint: Some("the server may want an Origin (--origin) or credentials (-H, --user)".to_string()),
        attempts: vec![ConnectAttempt { address: "127.0.0.1:9001".to_string(), took: us(87), error: None }],
        reached: Some(ReachedPeer { address: "127.0.0.1:9001".to_string(), ..ReachedPeer::default() }),
        refusal: Some(RefusalResponse {
            status: 403,
            headers: vec![header("server", "nginx/1.26"), header("content-type", "text/html")],
            body: UntrustedText::new("<html>\r\n<head><title>403 Forbidden</title></head>"),
            saw_no_upgrade: false,
        }),
        took: us(2_140),
    }
}

fn never_opened(error: ConnectError) -> (RunScript, PingReport) {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], Some(5));
    let (error, reason) = (Arc::new(error.clone()), error.to_string());
    scene.then(0, ConnEvent::Opening);
    scene.then(2, ConnEvent::OpenFailed(error.clone()));
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Unknown, Counts::default(), &[])];
    let connection = ConnReport {
        opened: None,
        open_error: Some(error),
        outage: None,
        ..connection(kinds, Status::Unknown, "nothing was measured")
    };
    let mut report = one(&scene.info, us(2_201), RunResult::Unreachable, connection);
    (report.host_lag, report.measurement) = (None, Measurement::Unknown);
    report.reasons = vec![reason];
    (scene, report)
}

/// HTTP answers, but with 403.
pub fn refused() -> Vec<Event> {
    let (scene, report) = never_opened(refused_upgrade());
    scene.finish(report)
}

/// Two addresses, neither of which answers.
pub fn unreachable() -> Vec<Event> {
    let attempt = |address: &str, took: u64, error: &str| ConnectAttempt {
        address: address.to_string(),
        took: us(took),
        error: Some(error.to_string()),
    };
    let error = ConnectError {
        cause: "no address answered".to_string(),
        kind: FailureKind::Timeout,
        hint: None,
        attempts: vec![
            attempt("[2001:db8::7]:9001", 412, "network is unreachable [ENETUNREACH]"),
            attempt("192.0.2.7:9001", 10_000_312, "no answer within 10 s"),
        ],
        took: us(10_000_801),
        ..refused_tcp()
    };
    let (scene, report) = never_opened(error);
    scene.finish(report)
}

/// Two connections to each of three targets: one fine, one that loses a connection, one that refuses.
pub fn several() -> Vec<Event> {
    let urls = ["wss://fine.example/", "wss://cut.example/socket", "ws://127.0.0.1:9001/"];
    let mut scene = RunScript::with(RunInfo {
        targets: urls.map(str::to_string).to_vec(),
        connections_each: 2,
        kinds: vec![HeartbeatKind::Protocol],
        interval: Some(ms(1000)),
        worst: 5,
        lists_all: false,
        timeout: ms(10_000),
        outage_after: ms(10_000),
        count: None,
        deadline: None,
        preset: None,
        demands: Default::default(),
    });
    let fine = [us(31_200), us(30_900), us(33_400), us(30_100)];
    let cut = ending(ClosedBy::Network, CloseKind::Rst, 1_402, 400);
    let cut = Arc::new(CloseCause { os_error: Some("ECONNRESET".to_string()), ..(*cut).clone() });
    for target in 0..3 {
        for index in 0..2 {
            scene.on(target, index, 0, ConnEvent::Opening);
        }
    }
    for index in 0..2 {
        for target in 0..2 {
            scene.on(target, index, 60, ConnEvent::Opened(Arc::new(tls_opened())));
        }
        scene.on(2, index, 2, ConnEvent::OpenFailed(Arc::new(refused_tcp())));
    }
    for (seq, rtt) in (0..2).zip(fine) {
        for target in 0..2 {
            for index in 0..2 {
                scene.on(target, index, 100 + 1000 * seq, ok(HeartbeatKind::Protocol, seq, rtt));
            }
        }
    }
    let why = "mean RTT of the last 1 is 31.2 ms";
    for target in 0..2 {
        for index in 0..2 {
            let metrics = window(fine[0], fine[0], 0, 1);
            scene.on(target, index, 100, status(Status::Unknown, Status::Healthy, why, metrics));
        }
    }
    scene.on(1, 1, 1502, ConnEvent::Ended(cut.clone()));
    let why = "the connection ended: connection reset (RST) [ECONNRESET]";
    scene.on(1, 1, 1502, status(Status::Healthy, Status::Dead, why, window(fine[0], fine[1], 0, 2)));
    let report = several_report(&scene.info, &fine, cut);
    scene.finish(report)
}

fn several_report(info: &Arc<RunInfo>, fine: &[Duration], cut: Arc<CloseCause>) -> PingReport {
    let healthy = |index: usize, rtts: &[Duration]| ConnReport {
        index,
        opened: Some(Arc::new(tls_opened())),
        ending: Some(our_close(3_900)),
        ..connection(
            vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts(rtts.len() as u64), rtts)],
            Status::Healthy,
            "mean RTT of the last 4 is 31.4 ms",
        )
    };
    let lost = ConnReport {
        status: Status::Dead,
        status_reason: "the connection ended: connection reset (RST) [ECONNRESET]".to_string(),
        ending: Some(cut.clone()),
        lost: Some(cut),
        outage: None,
        unplanned_endings: 1,
        ..healthy(1, &fine[..2])
    };
    let refused = |index: usize| ConnReport {
        index,
        opened: None,
        open_error: Some(Arc::new(refused_tcp())),
        outage: None,
        ..connection(
            vec![figures(HeartbeatKind::Protocol, Status::Unknown, Counts::default(), &[])],
            Status::Unknown,
            "nothing was measured",
        )
    };
    let target = |url: usize, connections: Vec<ConnReport>, status: Status, rtts: &[Duration]| TargetReport {
        url: info.targets[url].clone(),
        status,
        status_reason: connections.last().map(|one| one.status_reason.clone()).unwrap_or_default(),
        last_status: status,
        kinds: vec![figures(HeartbeatKind::Protocol, status, counts(rtts.len() as u64), rtts)],
        connections,
    };
    let (eight, six) = ([fine, fine].concat(), [fine, &fine[..2]].concat());
    let targets = vec![
        target(0, vec![healthy(0, fine), healthy(1, fine)], Status::Healthy, &eight),
        target(1, vec![healthy(0, fine), lost], Status::Dead, &six),
        target(2, vec![refused(0), refused(1)], Status::Unknown, &[]),
    ];
    let mut report = report(info, ms(4_002), RunResult::Failed, targets);
    let every = [eight, six].concat();
    report.kinds = vec![figures(HeartbeatKind::Protocol, Status::Dead, counts(every.len() as u64), &every)];
    report.reasons = vec![
        "wss://cut.example/socket #1 ended: connection reset (RST) [ECONNRESET]".to_string(),
        "2 of 6 connections never opened".to_string(),
    ];
    report.findings = [0, 1]
        .map(|target| ReportedFinding {
            finding: PingFinding::CertificateExpires { days: 11 },
            target: Some(target),
        })
        .to_vec();
    report
}

fn tls_facts() -> TlsInfo {
    TlsInfo {
        version: "TLSv1.3".to_string(),
        cipher: "TLS_AES_256_GCM_SHA384".to_string(),
        alpn: Some("http/1.1".to_string()),
        days_left: Some(11),
        subject: Some(UntrustedText::new("api.example")),
        issuer: Some(UntrustedText::new("R11")),
        verified: true,
    }
}

fn tls_opened() -> ConnectInfo {
    ConnectInfo {
        remote: Some("192.0.2.10:443".to_string()),
        local: Some("192.0.2.99:40022".to_string()),
        phases: PhaseTimes {
            dns: Some(us(11_420)),
            tcp: Some(us(29_800)),
            tls: Some(us(61_300)),
            upgrade: Some(us(33_120)),
            total: us(135_702),
            ..PhaseTimes::default()
        },
        tls: Some(tls_facts()),
        ..opened()
    }
}

/// TLS behind a proxy, with subprotocols; the certificate runs out soon.
pub fn tls() -> Vec<Event> {
    let mut scene =
        RunScript::new(&["wss://api.example/graphql?token=***"], &[HeartbeatKind::Protocol], Some(10));
    let rtts = [31_200, 30_900, 33_400, 30_100, 30_700, 31_900, 30_200, 90_400, 31_000, 30_600].map(us);
    let opened = ConnectInfo {
        proxy: Some("http://***@proxy.example:3128".to_string()),
        phases: PhaseTimes { proxy: Some(us(44_000)), total: us(179_702), ..tls_opened().phases },
        subprotocols_offered: vec!["graphql-transport-ws".to_string(), "graphql-ws".to_string()],
        subprotocol: Some(UntrustedText::new("graphql-ws")),
        headers: vec![
            ("server".to_string(), UntrustedText::new("cloudflare")),
            ("via".to_string(), UntrustedText::new("1.1 varnish")),
        ],
        ..tls_opened()
    };
    let opened = Arc::new(opened);
    scene.open(&opened);
    scene.beats(HeartbeatKind::Protocol, &rtts);
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Healthy, counts(10), &rtts)];
    let connection = ConnReport {
        opened: Some(opened),
        ending: Some(our_close(9_040)),
        ..connection(kinds, Status::Healthy, "mean RTT of the last 10 is 37.0 ms")
    };
    let mut report = one(&scene.info, us(9_220_113), RunResult::Passed, connection);
    report.findings = vec![about_target(PingFinding::CertificateExpires { days: 11 })];
    scene.finish(report)
}

/// It opens, nothing is ever answered, and the user gives up before anything is judged.
pub fn nothing_answered() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    scene.open(&Arc::new(opened()));
    let counts = Counts { in_flight: 3, ..Counts::default() };
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Unknown, counts, &[])];
    let connection = connection(kinds, Status::Unknown, "nothing was answered yet");
    let mut report = one(&scene.info, ms(2_700), RunResult::Inconclusive, connection);
    report.interrupted = true;
    (report.host_lag, report.measurement) = (None, Measurement::Unknown);
    report.reasons = vec!["no heartbeat was answered or missed before the run ended".to_string()];
    scene.finish(report)
}

/// Control characters wherever a peer may put words.
pub fn hostile() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    let opened = ConnectInfo {
        tls: Some(TlsInfo {
            subject: Some(UntrustedText::new(HOSTILE)),
            issuer: Some(UntrustedText::new(HOSTILE)),
            days_left: None,
            verified: false,
            ..tls_facts()
        }),
        subprotocol: Some(UntrustedText::new(HOSTILE)),
        headers: vec![("server".to_string(), UntrustedText::new(HOSTILE))],
        ..opened()
    };
    let opened = Arc::new(opened);
    scene.open(&opened);
    let goaway = Goaway { code: Http2Code(11), last_stream: 1, debug: UntrustedText::new(HOSTILE) };
    let goaway = Arc::new(GoawayNotice { goaway, age: ms(600) });
    scene.then(602, ConnEvent::Goaway(goaway.clone()));
    let cut = ending(ClosedBy::Peer, close(1008, HOSTILE), 700, 10);
    scene.then(702, ConnEvent::Ended(cut));
    scene.then(702, ConnEvent::Retry { attempt: 1, after: ms(100) });
    scene.then(802, ConnEvent::Opened(opened.clone()));
    scene.then(802, ConnEvent::Reconnected { outage: ms(100), attempts: 1 });
    let how =
        CloseKind::Violation { rule: Violation::Garbage, detail: UntrustedText::new(HOSTILE), close: None };
    let garbage = ending(ClosedBy::Peer, how, 300, 0);
    scene.then(1102, ConnEvent::Ended(garbage.clone()));
    let mut refusal = refused_upgrade();
    refusal.refusal = Some(RefusalResponse {
        status: 200,
        headers: vec![("server".to_string(), UntrustedText::new(HOSTILE))],
        body: UntrustedText::new(HOSTILE),
        saw_no_upgrade: false,
    });
    scene.then(1103, ConnEvent::OpenFailed(Arc::new(refusal)));
    scene.then(1103, ConnEvent::GaveUp { outage: ms(1), attempts: 1, is_stopped: false });
    let kinds = vec![figures(HeartbeatKind::Protocol, Status::Dead, Counts::default(), &[])];
    let connection = ConnReport {
        opened: Some(opened),
        ending: Some(garbage.clone()),
        lost: Some(garbage),
        goaway: Some(goaway),
        outage: Some(ms(101)),
        unplanned_endings: 2,
        reconnects: 1,
        ..connection(kinds, Status::Dead, "the connection ended")
    };
    let mut report = one(&scene.info, ms(1_110), RunResult::Failed, connection);
    (report.host_lag, report.measurement) = (None, Measurement::Unknown);
    let last = PingFinding::LastMessage { message: UntrustedText::new(HOSTILE) };
    report.findings = vec![about_target(last)];
    scene.finish(report)
}

/// A server that talks: messages, pings of its own, an echo, answers without id, and one to nothing.
pub fn chatter() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::App], Some(3));
    scene.open(&Arc::new(opened()));
    let rtts = [us(1_200_000), us(900_000)];
    scene.then(100, ConnEvent::PeerTraffic(PeerTraffic::Message, 1));
    for at in [200, 300] {
        scene.then(
            at,
            ConnEvent::PeerTraffic(
                PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, answered: true },
                1,
            ),
        );
        scene.then(
            at,
            ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: false }, 1),
        );
        scene.then(at, ConnEvent::PeerTraffic(PeerTraffic::Echo, 1));
    }
    for (seq, rtt) in (0..).zip(rtts) {
        let beat = HeartbeatResult {
            rtt: Some(rtt),
            rivals: 2,
            ..beat(HeartbeatKind::App, seq, HeartbeatOutcome::Ok)
        };
        scene.then(1202 + seq * 700, ConnEvent::Heartbeat(beat));
    }
    scene
        .then(2000, ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::App, StrayPong::Mismatched), 1));
    scene.then(2002, ConnEvent::Heartbeat(beat(HeartbeatKind::App, 2, HeartbeatOutcome::Unsent)));
    let revised = HeartbeatResult {
        rtt: Some(us(640_000)),
        was: Some(HeartbeatOutcome::Unsent),
        ..beat(HeartbeatKind::App, 2, HeartbeatOutcome::Ok)
    };
    scene.then(2642, ConnEvent::Heartbeat(revised));
    let counts = Counts { mismatched: 1, ambiguous: 2, ..counts(3) };
    let all = [rtts[0], rtts[1], us(640_000)];
    let kinds = vec![figures(HeartbeatKind::App, Status::Poor, counts, &all)];
    let connection = ConnReport {
        ending: Some(our_close(2_700)),
        messages: 1,
        server_pings_protocol: 2,
        server_pings_app: 2,
        echoes: 2,
        ..connection(kinds, Status::Poor, "mean RTT of the last 3 is 913 ms")
    };
    let mut report = one(&scene.info, ms(2_703), RunResult::Failed, connection);
    report.reasons = vec!["the status poor is at or worse than poor (--fail-on)".to_string()];
    scene.events.push(Event::Interim(Box::new(report.clone())));
    scene.finish(report)
}

/// Many targets with one connection each; the last is dead.
pub fn many_targets(count: usize) -> Vec<Event> {
    let urls: Vec<String> = (0..count).map(|i| format!("wss://node{i}.example/")).collect();
    let scene = RunScript::new(
        &urls.iter().map(String::as_str).collect::<Vec<_>>(),
        &[HeartbeatKind::Protocol],
        None,
    );
    let rtts = [us(31_200), us(30_900)];
    let target = |(index, url): (usize, &String)| {
        let status = if index + 1 == count { Status::Dead } else { Status::Healthy };
        let kinds = vec![figures(HeartbeatKind::Protocol, status, counts(2), &rtts)];
        let connections = vec![connection(kinds.clone(), status, "for a reason")];
        let status_reason = "for a reason".to_string();
        TargetReport { url: url.clone(), status, status_reason, last_status: status, kinds, connections }
    };
    let targets = urls.iter().enumerate().map(target).collect();
    let report = report(&scene.info, ms(2_001), RunResult::Failed, targets);
    scene.finish(report)
}

/// One connection that is flooded with pongs nobody asked for.
pub fn stray_flood(count: u64) -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol], None);
    scene.open(&Arc::new(opened()));
    for number in 0..count {
        scene.then(
            3 + number,
            ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::Protocol, StrayPong::Unsolicited), 1),
        );
    }
    scene.events
}

/// Both kinds become healthy; the app heartbeats, and with them the connection, are poor for a while.
pub fn both_change() -> Vec<Event> {
    let mut scene = RunScript::new(&[URL], &[HeartbeatKind::Protocol, HeartbeatKind::App], None);
    scene.open(&Arc::new(opened()));
    let changes = [
        (Some(HeartbeatKind::Protocol), Status::Unknown, Status::Healthy, "at first"),
        (Some(HeartbeatKind::App), Status::Unknown, Status::Healthy, "at first"),
        (None, Status::Unknown, Status::Healthy, "at first"),
        (Some(HeartbeatKind::App), Status::Healthy, Status::Poor, "slow"),
        (None, Status::Healthy, Status::Poor, "app: slow"),
        (Some(HeartbeatKind::App), Status::Poor, Status::Healthy, "fast"),
        (None, Status::Poor, Status::Healthy, "app: fast"),
    ];
    for (second, (kind, from, to, reason)) in (1..).zip(changes) {
        let metrics = window(us(200), us(200), 0, 1);
        let change = StatusChange { kind, from, to, reason: reason.to_string(), metrics };
        scene.then(1000 * second, ConnEvent::Status(change));
    }
    scene.events
}

/// Four answers in as many tenths of a second, one of them late, and a miss.
fn timeline() -> Timeline {
    let mut timeline = Timeline::default();
    for (at, rtt) in [(0, 21), (100, 19), (200, 31), (400, 250)] {
        timeline.record_answer(ms(at), ms(rtt), rtt > 200);
    }
    timeline.record_miss(ms(300));
    timeline
}

/// What a scripted run says, whatever the format.
pub fn view_of(name: &str) -> View {
    let events = all().into_iter().find(|(run, _)| *run == name).map(|(_, events)| events).unwrap();
    let Some(Event::Finished(report)) = events.last() else { panic!("no report") };
    super::view::view(report)
}
