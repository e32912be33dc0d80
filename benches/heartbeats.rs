//! What this process itself spends on one heartbeat, without sockets: `cargo bench --bench heartbeats`.
//!
//! The ledger that pairs pings and pongs, the statistics, the patterns that know answers, and the recorder that turns
//! events into figures.

use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use wscheck::domain::heartbeat::classifier::Classifier;
use wscheck::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use wscheck::domain::heartbeat::outstanding::{OutstandingPings, SentHeartbeat, Superseding};
use wscheck::domain::heartbeat::pattern::Pattern;
use wscheck::domain::heartbeat::template::Template;
use wscheck::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use wscheck::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult};
use wscheck::domain::ping::recorder::Recorder;
use wscheck::domain::ping::run_info::RunInfo;
use wscheck::domain::ping::verdict::PassCriteria;
use wscheck::domain::stats::{Rtts, Successive};

const TIMEOUT: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(100);
const ANSWER: &str = r#"{"type":"pong","id":"00000000000000ab-7","at":1700000000000}"#;
const CHATTER: &str =
    r#"{"type":"price","symbol":"ABC","bid":101.25,"ask":101.5,"depth":[[1,2],[3,4],[5,6]]}"#;

/// RTTs that look like a network's: 20 to 60 ms, in no order (a multiplicative congruential generator).
fn rtts() -> impl Iterator<Item = Duration> {
    let mut state = 1_u64;
    std::iter::repeat_with(move || {
        state = state * 48_271 % 0x7fff_ffff;
        Duration::from_micros(20_000 + state % 40_000)
    })
}

fn outstanding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    for waiting in [1, 100] {
        group.bench_function(format!("a ping and its pong, {waiting} under way"), |bencher| {
            let mut line = Line::new(waiting);
            bencher.iter(|| line.beat());
        });
    }
    group.bench_function("1000 pings that are missed", |bencher| {
        bencher.iter_batched_ref(|| Line::new(1000), |line| line.miss_all(), BatchSize::SmallInput);
    });
}

/// A connection on which so many pings are under way at any time.
struct Line {
    outstanding: OutstandingPings,
    at: Duration,
    resolved: Vec<wscheck::domain::heartbeat::outstanding::Resolution>,
    waiting: u64,
}

impl Line {
    fn new(waiting: u64) -> Line {
        let outstanding = OutstandingPings::new(TIMEOUT, Superseding::Allowed, 0);
        let mut line = Line { outstanding, at: Duration::ZERO, resolved: Vec::with_capacity(2048), waiting };
        (0..waiting).for_each(|_| line.ping());
        line
    }

    fn ping(&mut self) {
        self.at += INTERVAL / 100;
        let seq = self.outstanding.take_seq();
        self.outstanding.sent(SentHeartbeat { seq, at: self.at, ..SentHeartbeat::default() });
    }

    fn beat(&mut self) {
        let oldest = self.outstanding.next_seq() - self.waiting;
        self.resolved.clear();
        self.outstanding.pong(oldest, self.at, &mut self.resolved).expect("it is under way");
        self.outstanding.expire(self.at, |_| None, &mut self.resolved);
        self.ping();
        black_box(&self.resolved);
    }

    fn miss_all(&mut self) {
        self.outstanding.expire(self.at + TIMEOUT, |_| None, &mut self.resolved);
        black_box(&self.resolved);
    }
}

fn stats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stats");
    group.bench_function("an RTT", |bencher| {
        let (mut seen, mut next) = (Rtts::default(), rtts());
        bencher.iter(|| seen.record(next.next().unwrap_or_default()));
    });
    group.bench_function("a difference", |bencher| {
        let (mut seen, mut next) = (Successive::default(), (0..).zip(rtts()));
        bencher.iter(|| next.next().into_iter().for_each(|(seq, rtt)| seen.record(seq, Some(rtt))));
    });
    let mut full = Rtts::default();
    rtts().take(10_000).for_each(|rtt| full.record(rtt));
    group.bench_function("the figures of 10,000", |bencher| bencher.iter(|| black_box(&full).summary()));
    group.bench_function("adding another connection's", |bencher| {
        bencher.iter_batched_ref(Rtts::default, |all| all.merge(&full), BatchSize::SmallInput);
    });
}

fn patterns(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pattern");
    let shapes = [
        ("json", r#"{"type":"pong","id":"{id}"}"#, ANSWER),
        ("json, another message", r#"{"type":"pong","id":"{id}"}"#, CHATTER),
        ("text", "pong {seq}", "pong 1234"),
        ("text, another message", "pong {seq}", CHATTER),
    ];
    for (name, pattern, text) in shapes {
        let pattern: Pattern = pattern.parse().expect("a pattern");
        group.bench_function(name, |bencher| {
            bencher.iter(|| pattern.matches(&InboundMessage::new(MessageRef::Text(black_box(text)))));
        });
    }
    group.bench_function("which of all that it can be", |bencher| {
        let template: Template = r#"{"type":"ping","id":"{id}"}"#.parse().expect("a template");
        let pattern: Pattern = shapes[0].1.parse().expect("a pattern");
        let mut classifier = Classifier::new(template, pattern, true, 0xab);
        classifier.ask(7, 1_700_000_000_000);
        bencher.iter(|| classifier.read(MessageRef::Text(black_box(CHATTER)), 1_700_000_000_001));
    });
}

fn recorder(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recorder");
    group.bench_function("a heartbeat", |bencher| {
        let (mut recorder, mut next) =
            (Recorder::new(run(1), PassCriteria::default(), UNIX_EPOCH), (0..).zip(rtts()));
        bencher.iter(|| next.next().into_iter().for_each(|(seq, rtt)| recorder.observe(&beat(0, seq, rtt))));
    });
    group.sample_size(10).bench_function("the report of 1000 connections", |bencher| {
        let mut recorder = Recorder::new(run(1000), PassCriteria::default(), UNIX_EPOCH);
        let all = (0..20).flat_map(|seq| (0..1000).map(move |index| (index, seq))).zip(rtts());
        all.for_each(|((index, seq), rtt)| recorder.observe(&beat(index, seq, rtt)));
        bencher.iter(|| recorder.report(TIMEOUT, false));
    });
}

fn run(connections: usize) -> RunInfo {
    RunInfo {
        targets: vec!["ws://a.example/".to_string()],
        connections_each: connections,
        kinds: vec![HeartbeatKind::Protocol],
        interval: Some(INTERVAL),
        deadline: None,
        preset: None,
        worst: 5,
        lists_all: false,
        timeout: TIMEOUT,
        outage_after: TIMEOUT,
        count: None,
        demands: Default::default(),
    }
}

fn beat(index: usize, seq: u64, rtt: Duration) -> Event {
    let (lag, rtt) = (Some(Duration::from_micros(900)), Some(rtt));
    let (to_wire, from_wire) =
        (Some(Duration::from_micros(5).into()), Some(Duration::from_micros(30).into()));
    let beat = HeartbeatResult {
        kind: HeartbeatKind::Protocol,
        seq,
        outcome: HeartbeatOutcome::Ok,
        was: None,
        rtt,
        lag,
        to_wire,
        from_wire,
        acked: None,
        later_answered: false,
        exhausted_window: None,
        sent_again: None,
        rivals: 0,
    };
    Event::Connection { id: ConnId { target: 0, index }, at: UNIX_EPOCH, event: ConnEvent::Heartbeat(beat) }
}

criterion_group!(heartbeats, outstanding, stats, patterns, recorder);
criterion_main!(heartbeats);
