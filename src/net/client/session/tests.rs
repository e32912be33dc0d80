//! Exact timing of a session: an in-memory stream and a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::NextNumbers;
use super::plan::SessionPlan;
use super::{SessionEnd, SessionSignals, SessionStart, run};
use crate::domain::connection::close_cause::{CloseKind, ClosePayload, CloseReply, ClosedBy, Violation};
use crate::domain::connection::tcp::TcpView;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::ping::event::{ConnEvent, HeartbeatResult, PeerTraffic, ServerPingKind};
use crate::domain::ping::health::{Status, StatusLimits};
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::net::client::ask_now::AskNow;
use crate::net::client::websocket::WebSocket;
use crate::net::testing::fake_tcp_stream::{FakeKernel, FakeTcpStream};
use crate::net::testing::raw_peer::{CLOSE, PING, RawPeer, TEXT, frame};
use crate::net::transport::tap::Tap;
use crate::net::transport::upgraded_stream::UpgradedStream;

const NONCE: u64 = 0xfeed;

pub(super) fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub(super) fn plan(count: u64) -> SessionPlan {
    SessionPlan {
        expected_close: Vec::new(),
        kinds: vec![HeartbeatKind::Protocol],
        interval: Some(ms(1000)),
        degraded_interval: None,
        timeout: ms(10_000),
        count: Some(count),
        limits: StatusLimits::default().into(),
        ask: Template::default(),
        answer: Pattern::default(),
        answer_pings: true,
        shown_messages: 0,
        profile: ProtocolProfile::default(),
    }
}

pub(super) fn app(count: u64) -> SessionPlan {
    SessionPlan { kinds: vec![HeartbeatKind::App], ..plan(count) }
}

/// A running session, and the server's end of its stream.
pub(super) struct TestSession {
    pub peer: RawPeer,
    kernel: Arc<Mutex<FakeKernel>>,
    pub start: Instant,
    stop: CancellationToken,
    interrupt: CancellationToken,
    pub ask_now: Arc<AskNow>,
    events: Arc<Mutex<Vec<(Duration, ConnEvent)>>>,
    session: JoinHandle<SessionEnd>,
}

impl TestSession {
    pub async fn begin(plan: SessionPlan) -> TestSession {
        TestSession::with_buffer(plan, 64 * 1024).await
    }

    /// `buffer`: capacity of the path in each direction, in bytes.
    async fn with_buffer(plan: SessionPlan, buffer: usize) -> TestSession {
        let (near, far) = duplex(buffer);
        TestSession::over(FakeTcpStream::plain(near), far, plan).await
    }

    /// Over a kernel that timestamps sent bytes.
    async fn stamping(plan: SessionPlan) -> TestSession {
        let (near, far) = duplex(64 * 1024);
        TestSession::over(FakeTcpStream::stamping(near), far, plan).await
    }

    async fn over(near: FakeTcpStream, far: DuplexStream, plan: SessionPlan) -> TestSession {
        let kernel = near.kernel();
        let tap = Tap::new(near);
        let socket = WebSocket::new(UpgradedStream::of(tap), 1024, 1024).await;
        let start = Instant::now();
        let place = SessionStart {
            nonce: NONCE,
            first_due: plan.kinds.iter().enumerate().map(|(i, _)| start + ms(500) * i as u32).collect(),
            first: vec![NextNumbers::default(); plan.kinds.len()],
            opened_at: start,
            status: Status::Unknown,
        };
        let events = Arc::new(Mutex::new(Vec::new()));
        let stop = CancellationToken::new();
        let interrupt = CancellationToken::new();
        let ask_now = Arc::new(AskNow::default());
        let (log, token, at_once) = (Arc::clone(&events), stop.clone(), interrupt.clone());
        let requests = Arc::clone(&ask_now);
        let session = tokio::spawn(async move {
            let emit = |event| log.lock().unwrap().push((start.elapsed(), event));
            let signals = SessionSignals { over: &token, at_once: &at_once, ask_now: Some(&requests) };
            run(socket, &plan, place, Box::new(emit), signals).await
        });
        TestSession { peer: RawPeer { io: far }, kernel, start, stop, interrupt, ask_now, events, session }
    }

    pub fn stop_now(&self) {
        self.interrupt.cancel();
        self.stop.cancel();
    }

    pub async fn at(&self, millis: u64) {
        sleep_until(self.start + ms(millis)).await;
    }

    /// Replies to the closing handshake and returns the end of the session.
    pub async fn end(mut self) -> FinishedSession {
        let closing = async {
            while let Some((opcode, payload)) = self.peer.frame().await {
                if opcode == CLOSE {
                    // A client that we closed does not wait for more.
                    let _ = self.peer.io.write_all(&frame(CLOSE, &payload)).await;
                    break;
                }
            }
            drop(self.peer);
        };
        let (closed, ()) = tokio::join!(self.session, closing);
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        FinishedSession { closed: closed.unwrap(), events }
    }
}

pub(super) struct FinishedSession {
    pub closed: SessionEnd,
    pub events: Vec<(Duration, ConnEvent)>,
}

impl FinishedSession {
    fn beats(&self) -> Vec<HeartbeatResult> {
        self.events
            .iter()
            .filter_map(|(_, e)| if let ConnEvent::Heartbeat(beat) = e { Some(*beat) } else { None })
            .collect()
    }

    /// Sequence number, outcome and RTT in ms of every reported heartbeat.
    pub fn outcomes(&self) -> Vec<(u64, HeartbeatOutcome, Option<u64>)> {
        self.beats().iter().map(|b| (b.seq, b.outcome, b.rtt.map(|rtt| rtt.as_millis() as u64))).collect()
    }

    fn statuses(&self) -> Vec<(u64, Status)> {
        let change = |(at, event): &(Duration, ConnEvent)| match event {
            ConnEvent::Status(change) if change.kind.is_none() => Some((at.as_millis() as u64, change.to)),
            _ => None,
        };
        self.events.iter().filter_map(change).collect()
    }

    pub fn count(&self, wanted: &ConnEvent) -> usize {
        self.events.iter().filter(|(_, event)| event == wanted).count()
    }
}

/// Size of a Ping frame with our payload: two bytes of head, mask, payload.
const PING_BYTES: u64 = 2 + 4 + 16;

#[tokio::test(start_paused = true)]
async fn rtt_is_measured_between_kernel_timestamps() {
    let mut scene = TestSession::stamping(plan(2)).await;
    let first = scene.peer.ping().await;
    scene.at(30).await;
    {
        let mut kernel = scene.kernel.lock().unwrap();
        kernel.departed.push_back((PING_BYTES as u32 - 1, ms(25)));
        kernel.age = Some(ms(3));
    }
    scene.peer.pong(&first).await;
    scene.at(500).await;
    scene.kernel.lock().unwrap().age = None;
    let second = scene.peer.ping().await;
    scene.at(1040).await;
    scene.peer.pong(&second).await;
    let beats = scene.end().await.beats();
    let seen: Vec<_> = beats
        .iter()
        .map(|beat| (beat.rtt, beat.to_wire.map(Duration::from), beat.from_wire.map(Duration::from)))
        .collect();
    assert_eq!(seen, [(Some(ms(22)), Some(ms(5)), Some(ms(3))), (Some(ms(40)), None, None)]);
}

fn acked(bytes: u64) -> Option<TcpView> {
    Some(TcpView { acked: bytes, ..TcpView::default() })
}

/// Whether TCP acknowledged each missed heartbeat, and the reason of the last status.
async fn missed_below(acked_at_last: u64) -> (Vec<Option<bool>>, String, Option<TcpView>) {
    let plan = SessionPlan { timeout: ms(2000), ..plan(3) };
    let scene = TestSession::begin(plan).await;
    scene.kernel.lock().unwrap().tcp = acked(PING_BYTES);
    scene.at(2500).await;
    scene.kernel.lock().unwrap().tcp = acked(acked_at_last);
    let ended = scene.end().await;
    let acked = ended.beats().iter().map(|beat| beat.acked).collect();
    let mut reasons = ended.events.iter().filter_map(|(_, event)| match event {
        ConnEvent::Status(change) => Some(change.reason.clone()),
        _ => None,
    });
    (acked, reasons.next_back().unwrap(), ended.closed.ending.tcp)
}

#[tokio::test(start_paused = true)]
async fn missed_pong_reports_tcp_acknowledgement() {
    let (below, reason, tcp) = missed_below(3 * PING_BYTES).await;
    assert_eq!(below, [Some(true); 3]);
    assert!(
        reason.starts_with("3 consecutive heartbeats missed; TCP acknowledged the heartbeats"),
        "{reason}"
    );
    assert_eq!(tcp, acked(3 * PING_BYTES));
    let (below, reason, _) = missed_below(3 * PING_BYTES - 1).await;
    assert_eq!(below, [Some(true), Some(true), Some(false)]);
    assert!(reason.contains("TCP acknowledged 2 of 3"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn echo_server_does_not_hang() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(2000), ..app(3) }).await;
    scene.kernel.lock().unwrap().tcp = acked(u64::MAX);
    for _ in 0..3 {
        let ask = scene.peer.text().await;
        scene.peer.send(TEXT, ask.as_bytes()).await;
    }
    let ended = scene.end().await;
    let mut reasons = ended.events.iter().filter_map(|(_, event)| match event {
        ConnEvent::Status(change) => Some(change.reason.as_str()),
        _ => None,
    });
    assert_eq!(reasons.next_back(), Some("3 consecutive heartbeats missed"));
}

#[tokio::test(start_paused = true)]
async fn spike_reports_tcp_retransmits() {
    let mut scene = TestSession::begin(plan(3)).await;
    for (again, delay) in [(1, 10), (1, 20), (3, 41)] {
        let ping = scene.peer.ping().await;
        sleep(ms(delay)).await;
        scene.kernel.lock().unwrap().tcp = Some(TcpView { retransmits: again, ..TcpView::default() });
        scene.peer.pong(&ping).await;
    }
    let beats = scene.end().await.beats();
    assert_eq!(beats.iter().map(|beat| beat.sent_again).collect::<Vec<_>>(), [None, None, Some(3)]);
}

/// Three times the mean, but less than a millisecond above it: TCP is not asked.
#[tokio::test(start_paused = true)]
async fn small_rtts_are_no_spikes() {
    let mut scene = TestSession::begin(plan(3)).await;
    // The runtime's timers have a resolution of a millisecond; the kernel says how long the bytes have lain there.
    for (again, delay, age) in [(1, 1, 550), (1, 1, 550), (3, 2, 650)] {
        let ping = scene.peer.ping().await;
        sleep(ms(delay)).await;
        scene.kernel.lock().unwrap().tcp = Some(TcpView { retransmits: again, ..TcpView::default() });
        scene.kernel.lock().unwrap().age = Some(Duration::from_micros(age));
        scene.peer.pong(&ping).await;
    }
    let beats = scene.end().await.beats();
    let rtts: Vec<_> = beats.iter().filter_map(|beat| beat.rtt).collect();
    assert_eq!(rtts, [450, 450, 1350].map(Duration::from_micros));
    assert_eq!(beats.iter().map(|beat| beat.sent_again).collect::<Vec<_>>(), [None, None, None]);
}

#[tokio::test(start_paused = true)]
async fn rtt_equals_the_peers_delay() {
    let mut scene = TestSession::begin(plan(3)).await;
    for delay in [10, 250, 0] {
        let payload = scene.peer.ping().await;
        sleep(ms(delay)).await;
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes(),
        [
            (0, HeartbeatOutcome::Ok, Some(10)),
            (1, HeartbeatOutcome::Ok, Some(250)),
            (2, HeartbeatOutcome::Ok, Some(0))
        ]
    );
    assert!(ended.beats().iter().all(|beat| beat.lag == Some(Duration::ZERO)));
    assert_eq!(ended.closed.ending.who, ClosedBy::Us);
    assert_eq!(
        ended.closed.ending.how,
        CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() }
    );
}

#[tokio::test(start_paused = true)]
async fn slow_peer_delays_no_heartbeat() {
    let mut scene = TestSession::begin(SessionPlan { interval: Some(ms(10)), ..plan(300) }).await;
    let mut left = Vec::new();
    let (sender, mut due) = tokio::sync::mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    for _ in 0..100 {
        let payload = scene.peer.ping().await;
        left.push(scene.start.elapsed().as_millis() as u64);
        sender.send((Instant::now() + ms(1000), payload)).unwrap();
    }
    assert_eq!(
        left,
        (0..100).map(|k| k * 10).collect::<Vec<_>>(),
        "100 leave in the first second, on the grid"
    );
    for k in 100..300 {
        let (at, payload) = due.recv().await.unwrap();
        let asked = async {
            let payload = scene.peer.ping().await;
            (scene.start.elapsed().as_millis() as u64, payload)
        };
        let (asked_at, next) = asked.await;
        assert_eq!(asked_at, k * 10);
        sender.send((Instant::now() + ms(1000), next)).unwrap();
        sleep_until(at).await;
        scene.peer.pong(&payload).await;
    }
    drop(sender);
    while let Some((at, payload)) = due.recv().await {
        sleep_until(at).await;
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), (0..300).map(|k| (k, HeartbeatOutcome::Ok, Some(1000))).collect::<Vec<_>>());
}

fn adaptive(count: u64) -> SessionPlan {
    SessionPlan { interval: None, timeout: ms(300), ..plan(count) }
}

#[tokio::test(start_paused = true)]
async fn without_interval_next_ping_follows_the_pong_at_once() {
    let mut scene = TestSession::begin(adaptive(4)).await;
    let mut left = Vec::new();
    for delay in [10, 0, 250, 7] {
        let payload = scene.peer.ping().await;
        left.push(scene.start.elapsed().as_millis() as u64);
        sleep(ms(delay)).await;
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    assert_eq!(left, [0, 10, 10, 260]);
    let rtts: Vec<_> = ended.outcomes().iter().map(|(_, outcome, rtt)| (*outcome, *rtt)).collect();
    assert_eq!(rtts, [10, 0, 250, 7].map(|rtt| (HeartbeatOutcome::Ok, Some(rtt))));
    assert!(ended.beats().iter().all(|beat| beat.lag == Some(Duration::ZERO)));
}

#[tokio::test(start_paused = true)]
async fn without_interval_next_ping_follows_a_miss() {
    let mut scene = TestSession::begin(adaptive(2)).await;
    scene.peer.ping().await;
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(300));
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    let last = ended.outcomes().pop();
    assert_eq!(last, Some((1, HeartbeatOutcome::Ok, Some(0))), "{:?}", ended.outcomes());
}

#[tokio::test(start_paused = true)]
async fn without_interval_blocked_ping_is_not_retried_at_once() {
    let scene = TestSession::with_buffer(adaptive(3), 8).await;
    scene.at(10_000).await;
    let events = std::mem::take(&mut *scene.events.lock().unwrap());
    let unsent = |(at, event): &(Duration, ConnEvent)| match event {
        ConnEvent::Heartbeat(HeartbeatResult { outcome: HeartbeatOutcome::Unsent, .. }) => {
            Some(at.as_millis() as u64)
        }
        _ => None,
    };
    assert_eq!(events.iter().filter_map(unsent).collect::<Vec<_>>(), [300, 600, 900]);
}

#[tokio::test(start_paused = true)]
async fn three_missed_pongs_close_with_4000() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(2000), ..plan(100) }).await;
    let first = scene.peer.ping().await;
    scene.peer.pong(&first).await;
    let closing = loop {
        let (opcode, payload) = scene.peer.frame().await.unwrap();
        if opcode == CLOSE {
            break payload;
        }
    };
    assert_eq!(closing, [&4000u16.to_be_bytes()[..], b"Heartbeat timeout"].concat());
    let ended = scene.end().await;
    assert_eq!(ended.statuses(), [(0, Status::Healthy), (3000, Status::Timeout), (5000, Status::Dead),]);
    assert_eq!((ended.closed.ending.who, &ended.closed.ending.how), (ClosedBy::Us, &CloseKind::Timeout));
    assert_eq!(ended.closed.ending.age, ms(5000));
}

#[tokio::test(start_paused = true)]
async fn pong_after_timeout_is_late_and_status_recovers() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(300), ..plan(2) }).await;
    let payload = scene.peer.ping().await;
    scene.at(800).await;
    scene.peer.pong(&payload).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes(),
        [
            (0, HeartbeatOutcome::Missed, None),
            (0, HeartbeatOutcome::Late, Some(800)),
            (1, HeartbeatOutcome::Ok, Some(0))
        ]
    );
    assert_eq!(ended.beats()[1].was, Some(HeartbeatOutcome::Missed));
    assert_eq!(ended.statuses(), [(300, Status::Timeout), (800, Status::Poor), (1000, Status::Degraded)]);
}

#[tokio::test(start_paused = true)]
async fn host_lag_is_reported_and_shifts_nothing() {
    let mut scene = TestSession::begin(plan(3)).await;
    let mut left = Vec::new();
    for leap in [0, 1700, 0] {
        tokio::time::advance(ms(leap)).await;
        let payload = scene.peer.ping().await;
        left.push(scene.start.elapsed().as_millis());
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    let lags: Vec<_> = ended.beats().iter().map(|beat| beat.lag).collect();
    assert_eq!((left, lags), (vec![0, 1700, 2000], vec![Some(ms(0)), Some(ms(700)), Some(ms(0))]));
}

#[tokio::test(start_paused = true)]
async fn pongs_received_during_a_stall_are_not_missed() {
    let mut scene = TestSession::begin(plan(6)).await;
    let mut payloads = Vec::new();
    for _ in 0..5 {
        payloads.push(scene.peer.ping().await);
    }
    for payload in &payloads {
        scene.peer.pong(payload).await;
    }
    // The session has not been polled yet when the clock jumps.
    tokio::time::advance(ms(30_000)).await;
    let ended = scene.end().await;
    let mut outcomes: Vec<_> = ended.beats().iter().map(|beat| (beat.seq, beat.outcome, beat.was)).collect();
    outcomes.sort_by_key(|(seq, _, _)| *seq);
    let late = (0..5).map(|seq| (seq, HeartbeatOutcome::Late, None));
    assert_eq!(outcomes, late.chain([(5, HeartbeatOutcome::Unsent, None)]).collect::<Vec<_>>());
    let slept = ended.beats().iter().find(|beat| beat.outcome == HeartbeatOutcome::Unsent).unwrap().lag;
    assert_eq!(slept, Some(ms(29_000)), "the lag is reported");
    assert!(!ended.statuses().iter().any(|(_, status)| *status >= Status::Timeout), "{:?}", ended.statuses());
}

/// A day at a heartbeat every ten seconds: none is skipped, none comes early, and the schedule does not drift.
#[tokio::test(start_paused = true)]
async fn a_day_of_heartbeats_keeps_its_schedule() {
    const HEARTBEATS: u64 = 24 * 360;
    let plan = SessionPlan { interval: Some(ms(10_000)), timeout: ms(5_000), ..plan(HEARTBEATS) };
    let mut scene = TestSession::begin(plan).await;
    for seq in 0..HEARTBEATS {
        let payload = scene.peer.ping().await;
        assert_eq!(scene.start.elapsed(), ms(10_000 * seq), "heartbeat {seq}");
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    assert_eq!(ended.beats().len() as u64, HEARTBEATS);
    assert!(ended.beats().iter().all(|beat| beat.outcome == HeartbeatOutcome::Ok && beat.lag == Some(ms(0))));
    assert_eq!(ended.statuses().len(), 1, "healthy all day: {:?}", ended.statuses());
}

#[tokio::test(start_paused = true)]
async fn later_pong_supersedes_earlier_pings() {
    let mut scene = TestSession::begin(plan(3)).await;
    scene.peer.ping().await;
    scene.peer.ping().await;
    let last = scene.peer.ping().await;
    scene.at(2500).await;
    scene.peer.pong(&last).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes(),
        [
            (0, HeartbeatOutcome::Superseded, None),
            (1, HeartbeatOutcome::Superseded, None),
            (2, HeartbeatOutcome::Ok, Some(500))
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn bytes_of_a_slow_frame_keep_it_alive() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(2000), ..plan(6) }).await;
    for (n, byte) in frame(TEXT, &[b'x'; 12]).into_iter().enumerate() {
        scene.at(500 * n as u64).await;
        scene.peer.raw(&[byte]).await;
    }
    for _ in 0..6 {
        let payload = scene.peer.ping().await;
        scene.peer.pong(&payload).await;
    }
    let ended = scene.end().await;
    assert!(!ended.statuses().iter().any(|(_, status)| *status >= Status::Timeout), "{:?}", ended.statuses());
    assert_eq!(ended.closed.ending.who, ClosedBy::Us, "{:?}", ended.closed.ending);
    assert!(
        ended.outcomes().iter().any(|(_, outcome, _)| *outcome == HeartbeatOutcome::Missed),
        "they are late all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn fragments_keep_it_alive() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(1500), ..plan(6) }).await;
    for n in 0..14 {
        scene.at(500 * n).await;
        let first = if n == 0 { 0x01 } else { 0x00 };
        scene.peer.raw(&[first, 1, b'x']).await;
    }
    let ended = scene.end().await;
    assert!(!ended.statuses().iter().any(|(_, status)| *status >= Status::Timeout), "{:?}", ended.statuses());
}

#[tokio::test(start_paused = true)]
async fn incomplete_frame_is_named_in_the_status() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(1000), ..plan(9) }).await;
    scene.peer.raw(&[&[0x82, 126, 0x03, 0x84][..], &[0; 100]].concat()).await;
    let ended = scene.end().await;
    let mut reasons = ended.events.iter().filter_map(|(_, event)| match event {
        ConnEvent::Status(change) => Some(change.reason.clone()),
        _ => None,
    });
    assert_eq!(
        reasons.next_back().as_deref(),
        Some(
            "3 consecutive heartbeats missed; a frame is incomplete: 100 of 900 bytes came, then nothing for 3 s; \
             no reply can come before the rest of it"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn skipped_pings_do_not_count_as_silence() {
    let mut scene = TestSession::begin(plan(6)).await;
    let first = scene.peer.ping().await;
    scene.peer.pong(&first).await;
    for _ in 0..4 {
        scene.peer.ping().await;
    }
    let last = scene.peer.ping().await;
    scene.peer.pong(&last).await;
    let ended = scene.end().await;
    let missed = (1..5).map(|seq| (seq, HeartbeatOutcome::Missed, None));
    let expected: Vec<_> = [(0, HeartbeatOutcome::Ok, Some(0))]
        .into_iter()
        .chain(missed)
        .chain([(5, HeartbeatOutcome::Ok, Some(0))])
        .collect();
    assert_eq!(ended.outcomes(), expected);
    assert!(ended.beats()[1..5].iter().all(|beat| beat.later_answered));
    let statuses: Vec<_> = ended.statuses().iter().map(|(_, status)| *status).collect();
    assert_eq!(statuses, [Status::Healthy], "four dropped pongs are neither a timeout nor dead");
}

#[tokio::test(start_paused = true)]
async fn late_own_pong_corrects_a_missed_ping() {
    let mut scene = TestSession::begin(plan(3)).await;
    let first = scene.peer.ping().await;
    let second = scene.peer.ping().await;
    scene.peer.pong(&second).await;
    scene.at(1500).await;
    scene.peer.pong(&first).await;
    let last = scene.peer.ping().await;
    scene.peer.pong(&last).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes(),
        [
            (0, HeartbeatOutcome::Missed, None),
            (1, HeartbeatOutcome::Ok, Some(0)),
            (0, HeartbeatOutcome::Ok, Some(1500)),
            (2, HeartbeatOutcome::Ok, Some(0))
        ]
    );
    assert_eq!(ended.beats()[2].was, Some(HeartbeatOutcome::Missed));
}

/// App heartbeats without ids for two seconds; the second and fourth answers are lost.
async fn two_answers_without_id_lost() -> TestSession {
    let ask = "ping".parse().unwrap();
    let answer = "pong".parse().unwrap();
    let plan = SessionPlan { count: None, interval: Some(ms(500)), ask, answer, ..app(0) };
    let mut scene = TestSession::begin(plan).await;
    for n in 0..5 {
        assert_eq!(scene.peer.text().await, "ping");
        if n % 2 == 0 {
            scene.peer.send(TEXT, b"pong").await;
        }
    }
    scene.at(2100).await;
    scene
}

#[tokio::test(start_paused = true)]
async fn lost_answers_without_id_are_missed_at_the_end() {
    let scene = two_answers_without_id_lost().await;
    scene.stop.cancel();
    let ended = scene.end().await;
    let outcomes: Vec<_> = ended.outcomes().iter().map(|(seq, outcome, _)| (*seq, *outcome)).collect();
    let ok = |seq| (seq, HeartbeatOutcome::Ok);
    assert_eq!(outcomes, [ok(0), ok(1), ok(2), (3, HeartbeatOutcome::Missed), (4, HeartbeatOutcome::Missed)]);
    let (at, _) = ended.events.last().unwrap();
    assert_eq!(*at, ms(12_000), "one timeout after the last ask");
    assert_eq!(ended.count(&ConnEvent::Unjudged { kind: HeartbeatKind::App, count: 2 }), 0);
}

#[tokio::test(start_paused = true)]
async fn interrupt_does_not_await_answers_without_id() {
    let scene = two_answers_without_id_lost().await;
    scene.interrupt.cancel();
    scene.stop.cancel();
    let ended = scene.end().await;
    assert_eq!(ended.count(&ConnEvent::Unjudged { kind: HeartbeatKind::App, count: 2 }), 1);
    assert_eq!(ended.events.last().unwrap().0, ms(2100));
}

#[tokio::test(start_paused = true)]
async fn pings_in_flight_are_not_awaited_at_the_end() {
    let mut scene = TestSession::begin(SessionPlan { count: None, ..plan(0) }).await;
    scene.peer.ping().await;
    scene.at(100).await;
    scene.stop.cancel();
    let ended = scene.end().await;
    assert_eq!(ended.count(&ConnEvent::Unjudged { kind: HeartbeatKind::Protocol, count: 1 }), 1);
    assert_eq!(ended.events.last().unwrap().0, ms(100));
}

#[tokio::test(start_paused = true)]
async fn stray_pongs_are_classified() {
    let mut scene = TestSession::begin(plan(2)).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(b"not yours").await;
    scene.peer.pong(&payload).await;
    scene.peer.pong(&payload).await;
    scene.peer.pong(b"").await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    let stray = |stray| ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::Protocol, stray), 1);
    for one in [StrayPong::Mismatched, StrayPong::Duplicate, StrayPong::Unsolicited] {
        assert_eq!(ended.count(&stray(one)), 1, "{one:?}");
    }
    assert_eq!(ended.outcomes().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn blocked_heartbeats_are_unsent_not_missed() {
    let mut scene = TestSession::with_buffer(SessionPlan { timeout: ms(60_000), ..plan(6) }, 30).await;
    scene.at(4500).await;
    let payload = scene.peer.ping().await;
    let second = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    scene.peer.pong(&second).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes(),
        [
            (2, HeartbeatOutcome::Unsent, None),
            (3, HeartbeatOutcome::Unsent, None),
            (4, HeartbeatOutcome::Unsent, None),
            (0, HeartbeatOutcome::Ok, Some(4500)),
            (1, HeartbeatOutcome::Ok, Some(0)),
            (5, HeartbeatOutcome::Ok, Some(0)),
        ]
    );
    assert_eq!(
        ended.beats()[4].lag,
        Some(ms(0)),
        "that it left 3.5 s late is the path's doing, not this host's"
    );
}

#[tokio::test(start_paused = true)]
async fn heartbeat_that_never_leaves_is_unsent() {
    let scene = TestSession::with_buffer(SessionPlan { timeout: ms(300), ..plan(1) }, 8).await;
    scene.at(400).await;
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Unsent, None)]);
}

#[tokio::test(start_paused = true)]
async fn late_departure_revises_unsent() {
    let mut scene = TestSession::with_buffer(SessionPlan { timeout: ms(300), ..plan(3) }, 8).await;
    scene.at(400).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes()[..2],
        [(0, HeartbeatOutcome::Unsent, None), (0, HeartbeatOutcome::Ok, Some(0))]
    );
    assert_eq!(ended.beats()[1].was, Some(HeartbeatOutcome::Unsent));
    assert_eq!(ended.outcomes().len(), 4, "{:?}", ended.outcomes());
}

#[tokio::test(start_paused = true)]
async fn server_ping_does_not_interrupt_our_close() {
    let mut scene = TestSession::begin(plan(100)).await;
    let payload = scene.peer.ping().await;
    scene.stop.cancel();
    assert_eq!(scene.peer.frame().await.unwrap().0, CLOSE);
    scene.peer.send(TEXT, br#"{"type":"ping"}"#).await;
    scene.at(20).await;
    scene.peer.pong(&payload).await;
    let ended = scene.end_by_drop().await;
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Ok, Some(20))]);
    assert_eq!(
        ended.count(&ConnEvent::PeerTraffic(
            PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: false },
            1
        )),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn reconnected_status_is_unknown_until_answered() {
    let (near, far) = duplex(4096);
    let tap = Tap::new(near);
    let socket = WebSocket::new(UpgradedStream::of(tap), 1024, 1024).await;
    let now = Instant::now();
    let place = SessionStart {
        nonce: 1,
        first_due: vec![now],
        first: vec![NextNumbers { seq: 5, extra: 0 }],
        opened_at: now,
        status: Status::Dead,
    };
    let mut events = Vec::new();
    let emit = |event| events.push(event);
    let stop = CancellationToken::new();
    let mut peer = RawPeer { io: far };
    let answering = async {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
        let _ = peer.frame().await;
        drop(peer);
    };
    let plan = plan(6);
    let signals = SessionSignals { over: &stop, at_once: &stop, ask_now: None };
    let (closed, ()) = tokio::join!(run(socket, &plan, place, Box::new(emit), signals), answering);
    let changes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ConnEvent::Status(change) => Some((change.from, change.to)),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [(Status::Dead, Status::Unknown), (Status::Unknown, Status::Healthy)]);
    assert_eq!((closed.next, closed.has_more), (vec![NextNumbers { seq: 6, extra: 0 }], false));
}

#[tokio::test(start_paused = true)]
async fn message_flood_is_reported_in_counts() {
    let mut scene = TestSession::begin(plan(1)).await;
    let payload = scene.peer.ping().await;
    for _ in 0..500 {
        scene.peer.send(TEXT, b"x").await;
    }
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    let counts: Vec<u64> = ended
        .events
        .iter()
        .filter_map(|(_, event)| match event {
            ConnEvent::PeerTraffic(PeerTraffic::Message, count) => Some(*count),
            _ => None,
        })
        .collect();
    assert_eq!(counts.iter().sum::<u64>(), 500);
    assert!(counts.len() <= 3, "{counts:?}");
}

#[tokio::test(start_paused = true)]
async fn peer_close_reports_code_reason_age_and_idle() {
    let mut scene = TestSession::begin(plan(100)).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    scene.at(700).await;
    scene.peer.send(CLOSE, &[&1001u16.to_be_bytes()[..], b"bye\x1b[2J"].concat()).await;
    let ended = scene.end().await;
    let reason = UntrustedText::new("bye\x1b[2J");
    let ending = &ended.closed.ending;
    assert_eq!(
        (ending.who, &ending.how),
        (ClosedBy::Peer, &CloseKind::CloseFrame { code: Some(1001), reason })
    );
    assert_eq!((ending.age, ending.idle), (ms(700), ms(700)));
    assert_eq!(ended.statuses().last(), Some(&(700, Status::Dead)));
}

#[tokio::test(start_paused = true)]
async fn fin_leaves_pings_in_flight_unjudged() {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.at(400).await;
    let ended = scene.end_by_drop().await;
    assert_eq!(ended.closed.ending.how, CloseKind::Fin);
    assert_eq!(ended.outcomes(), []);
    assert_eq!(ended.count(&ConnEvent::Unjudged { kind: HeartbeatKind::Protocol, count: 1 }), 1);
    assert_eq!(ended.statuses(), [(400, Status::Dead)]);
}

impl TestSession {
    async fn end_by_drop(self) -> FinishedSession {
        drop(self.peer);
        let closed = self.session.await.unwrap();
        let events = std::mem::take(&mut *self.events.lock().unwrap());
        FinishedSession { closed, events }
    }
}

async fn violation_of(bytes: &[u8]) -> (Violation, Vec<u8>) {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.peer.raw(bytes).await;
    let (opcode, payload) = scene.peer.frame().await.unwrap();
    assert_eq!(opcode, CLOSE);
    let ended = scene.end().await;
    assert_eq!(ended.closed.ending.who, ClosedBy::Peer);
    assert_eq!(ended.statuses(), [(0, Status::Dead)]);
    match ended.closed.ending.how {
        CloseKind::Violation { rule, .. } => (rule, payload),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn violation_is_named_and_answered_with_its_code() {
    let code = |code: u16| code.to_be_bytes().to_vec();
    let masked = [0x8a, 0x80, 1, 2, 3, 4];
    assert_eq!(violation_of(&masked).await, (Violation::MaskedFrame, code(1002)));
    assert_eq!(violation_of(&frame(TEXT, b"\xff\xfe")).await, (Violation::InvalidUtf8, code(1007)));
    assert_eq!(violation_of(&b"HTTP/1.1 200 OK\r\n".repeat(10)).await, (Violation::Garbage, code(1002)));
    assert_eq!(violation_of(&[0xf2, 0]).await, (Violation::Garbage, code(1002)));
    let beyond = [&[0x82, 127][..], &(1u64 << 63).to_be_bytes()].concat();
    assert_eq!(violation_of(&beyond).await, (Violation::Garbage, code(1002)));
}

/// How a session ends when the server sends these bytes, and the close frame it receives.
async fn end_after(bytes: &[u8]) -> (FinishedSession, Vec<u8>) {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.peer.raw(bytes).await;
    let (opcode, payload) = scene.peer.frame().await.unwrap();
    assert_eq!(opcode, CLOSE);
    (scene.end().await, payload)
}

#[tokio::test(start_paused = true)]
async fn oversized_message_ends_by_us_and_is_not_dead() {
    let huge = [&[0x82, 127][..], &(1u64 << 62).to_be_bytes()].concat();
    let larger = [&[0x82, 126][..], &1025u16.to_be_bytes()].concat();
    let mut parts = vec![0x02, 126];
    parts.extend(1000_u16.to_be_bytes());
    parts.extend([0; 1000]);
    parts.extend(frame(0, &[0; 25]));
    for (bytes, size) in [(huge, 1 << 62), (larger, 1025), (parts, 1025)] {
        let (ended, payload) = end_after(&bytes).await;
        let ending = &ended.closed.ending;
        assert_eq!((ending.who, &ending.how), (ClosedBy::Us, &CloseKind::TooLarge { size, limit: 1024 }));
        assert_eq!(payload, 1009_u16.to_be_bytes());
        assert_eq!(ended.statuses(), [], "the peer did nothing wrong");
    }
}

#[tokio::test(start_paused = true)]
async fn illegal_close_frames_keep_code_and_reason() {
    let close = |payload: &[u8]| frame(CLOSE, payload);
    let violation_of = async |bytes: Vec<u8>| {
        let (ended, _) = end_after(&bytes).await;
        assert_eq!(ended.closed.ending.who, ClosedBy::Peer);
        match ended.closed.ending.how {
            CloseKind::Violation { rule, close: Some(close), .. } => {
                (rule, close.code, close.reason.to_string())
            }
            other => panic!("{other:?}"),
        }
    };
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 2000, 5000] {
        let payload = [&code.to_be_bytes()[..], b"bye"].concat();
        let expected = (Violation::InvalidCloseCode, Some(code), "bye".to_string());
        assert_eq!(violation_of(close(&payload)).await, expected);
    }
    assert_eq!(violation_of(close(&[3])).await, (Violation::InvalidClosePayload, None, String::new()));
    let bad_utf8 = (Violation::InvalidUtf8, Some(1001), "by\u{fffd}".to_string());
    assert_eq!(violation_of(close(b"\x03\xe9by\xff")).await, bad_utf8);
}

#[tokio::test(start_paused = true)]
async fn legal_close_frames_are_no_violation() {
    for (code, reason) in [(1002_u16, "Protocol violation"), (1014, "bad gateway")] {
        let payload = [&code.to_be_bytes()[..], reason.as_bytes()].concat();
        let (ended, _) = end_after(&frame(CLOSE, &payload)).await;
        let expected = CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) };
        assert_eq!(ended.closed.ending.how, expected);
    }
}

/// Server traffic and last status when each of three Pings gets this answer.
async fn after_three_pings(answer: impl Fn(&[u8]) -> Vec<u8>) -> (ServerTraffic, String) {
    let plan = SessionPlan { timeout: ms(500), ..plan(100) };
    let mut scene = TestSession::begin(plan).await;
    for _ in 0..3 {
        let payload = scene.peer.ping().await;
        let bytes = answer(&payload);
        scene.peer.raw(&bytes).await;
    }
    let ended = scene.end().await;
    let server_traffic = ended.events.iter().find_map(|(_, event)| match event {
        ConnEvent::ServerTraffic(server_traffic) => Some(server_traffic.as_ref().clone()),
        _ => None,
    });
    let reason = ended.events.iter().rev().find_map(|(_, event)| match event {
        ConnEvent::Status(change) => Some(change.reason.clone()),
        _ => None,
    });
    (server_traffic.unwrap_or_default(), reason.unwrap())
}

#[tokio::test(start_paused = true)]
async fn status_names_substitutes_for_pongs() {
    let pong = |payload: &[u8]| frame(crate::net::testing::raw_peer::PONG, payload);
    let (server_traffic, reason) = after_three_pings(|_| pong(b"")).await;
    let expected = "3 pongs came, but with an empty payload instead of the Ping's";
    assert_eq!(server_traffic.substitute.unwrap().describe(), expected);
    assert_eq!(reason, format!("3 consecutive heartbeats missed; {expected}"));
    let (_, reason) = after_three_pings(|ping| pong(&ping[..8])).await;
    assert!(reason.ends_with("only the first 8 bytes of the Ping's 16 instead of the Ping's"), "{reason}");
    let (_, reason) = after_three_pings(|_| frame(TEXT, b"pong")).await;
    let expected = "a message came for each Ping instead of a Pong (3, the first: 'pong')";
    assert_eq!(reason, format!("3 consecutive heartbeats missed; {expected}"));
}

#[tokio::test(start_paused = true)]
async fn end_after_the_only_ping_is_timed() {
    let ended_after_ping = async |answered: bool| {
        let mut scene = TestSession::begin(plan(100)).await;
        let payload = scene.peer.ping().await;
        if answered {
            scene.peer.pong(&payload).await;
        }
        scene.at(3).await;
        let ended = scene.end_by_drop().await;
        ended.events.iter().find_map(|(_, event)| match event {
            ConnEvent::ServerTraffic(server_traffic) => server_traffic.ended_after_ping,
            _ => None,
        })
    };
    assert_eq!(ended_after_ping(false).await, Some(ms(3)));
    assert_eq!(ended_after_ping(true).await, None);
}

#[tokio::test(start_paused = true)]
async fn nearest_reply_and_foreign_answer_are_reported() {
    let traffic_after = async |replies: &[&[u8]]| {
        let mut scene = TestSession::begin(app(1)).await;
        scene.peer.send(TEXT, b"welcome").await;
        scene.peer.text().await;
        for reply in replies {
            scene.peer.send(TEXT, reply).await;
        }
        scene.at(100).await;
        scene.stop.cancel();
        let ended = scene.end().await;
        ended.events.iter().find_map(|(_, event)| match event {
            ConnEvent::ServerTraffic(server_traffic) => Some(server_traffic.as_ref().clone()),
            _ => None,
        })
    };
    let error = br#"{"type":"error","message":"unknown command: ping"}"#;
    let server_traffic = traffic_after(&[error]).await.unwrap();
    let expected = r#"'{"type":"error","message":"unknown command: ping"}' (`type` is "error", not "pong")"#;
    assert_eq!(server_traffic.nearest.unwrap().describe(), expected);
    let server_traffic = traffic_after(&[br#"{"type":"pong","id":"other"}"#]).await.unwrap();
    assert_eq!(server_traffic.foreign, Some(UntrustedText::new(r#"{"type":"pong","id":"other"}"#)));
}

/// The peer's reaction to our close frame, if it answers so.
async fn reply_to_our_close(answer: Option<Vec<u8>>) -> Option<CloseReply> {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.stop.cancel();
    assert_eq!(scene.peer.frame().await.unwrap().0, CLOSE);
    match answer {
        Some(bytes) => scene.peer.raw(&bytes).await,
        None => return scene.session.await.unwrap().ending.reply,
    }
    scene.end_by_drop().await.closed.ending.reply
}

#[tokio::test(start_paused = true)]
async fn peer_reaction_to_our_close_is_reported() {
    let close = |code, reason| {
        Some(CloseReply::CloseFrame(ClosePayload { code, reason: UntrustedText::new(reason) }))
    };
    let answer = |payload: &[u8]| Some(frame(CLOSE, payload));
    assert_eq!(reply_to_our_close(answer(b"\x03\xe8")).await, close(Some(1000), ""));
    assert_eq!(reply_to_our_close(answer(b"\x03\xf3no")).await, close(Some(1011), "no"));
    assert_eq!(reply_to_our_close(answer(b"\x03\xee")).await, close(Some(1006), ""));
    assert_eq!(reply_to_our_close(answer(b"")).await, close(None, ""));
    assert_eq!(reply_to_our_close(Some(Vec::new())).await, Some(CloseReply::Fin));
    assert_eq!(reply_to_our_close(None).await, Some(CloseReply::Nothing { waited: ms(1000) }));
}

#[tokio::test(start_paused = true)]
async fn illegal_head_is_reported_before_its_payload() {
    let code = |code: u16| code.to_be_bytes().to_vec();
    assert_eq!(violation_of(b"HTTP/1.1 404 Not Found\r\n\r\n").await, (Violation::Garbage, code(1002)));
    let heads: [&[u8]; 6] = [&[0xc1], &[0x83, 5], &[0x09, 5], &[0x89, 126], &[0x82, 126, 0, 5], &[0x80, 5]];
    for head in heads {
        assert_eq!(violation_of(head).await, (Violation::Garbage, code(1002)), "{head:?}");
    }
    assert_eq!(violation_of(&[0x81, 0x85]).await, (Violation::MaskedFrame, code(1002)));
}

#[tokio::test(start_paused = true)]
async fn stop_leaves_pings_in_flight_unjudged() {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.at(300).await;
    scene.stop.cancel();
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), []);
    assert_eq!(ended.count(&ConnEvent::Unjudged { kind: HeartbeatKind::Protocol, count: 1 }), 1);
    assert!(ended.closed.ending.was_planned());
}

#[tokio::test(start_paused = true)]
async fn pong_during_the_closing_handshake_counts() {
    let mut scene = TestSession::begin(plan(100)).await;
    let payload = scene.peer.ping().await;
    scene.stop.cancel();
    let (opcode, _) = scene.peer.frame().await.unwrap();
    assert_eq!(opcode, CLOSE);
    scene.at(20).await;
    scene.peer.pong(&payload).await;
    let ended = scene.end_by_drop().await;
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Ok, Some(20))]);
}

#[tokio::test(start_paused = true)]
async fn silent_peer_cannot_delay_our_close() {
    let mut scene = TestSession::begin(plan(100)).await;
    scene.peer.ping().await;
    scene.stop.cancel();
    let closed = scene.session.await.unwrap();
    assert!(closed.ending.was_planned());
    assert_eq!(scene.start.elapsed(), ms(1000));
}

#[tokio::test(start_paused = true)]
async fn server_pings_are_answered_and_counted() {
    let mut scene = TestSession::begin(plan(1)).await;
    let payload = scene.peer.ping().await;
    scene.peer.send(PING, b"srv").await;
    assert_eq!(scene.peer.frame().await, Some((crate::net::testing::raw_peer::PONG, b"srv".to_vec())));
    scene.peer.send(TEXT, br#"{"type":"ping","id":7}"#).await;
    assert_eq!(scene.peer.text().await, r#"{"type":"pong","id":7}"#);
    scene.peer.send(TEXT, b"news").await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    assert_eq!(
        ended.count(&ConnEvent::PeerTraffic(
            PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, answered: true },
            1
        )),
        1
    );
    assert_eq!(
        ended.count(&ConnEvent::PeerTraffic(
            PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: true },
            1
        )),
        1
    );
    assert_eq!(ended.count(&ConnEvent::PeerTraffic(PeerTraffic::Message, 1)), 1);
}

#[tokio::test(start_paused = true)]
async fn no_answer_ignores_server_app_pings() {
    let mut scene = TestSession::begin(SessionPlan { answer_pings: false, ..plan(1) }).await;
    let payload = scene.peer.ping().await;
    scene.peer.send(TEXT, br#"{"event":"ping"}"#).await;
    scene.peer.pong(&payload).await;
    let (opcode, _) = scene.peer.frame().await.unwrap();
    assert_eq!(opcode, CLOSE, "only the close frame follows");
    let ended = scene.end_by_drop().await;
    assert_eq!(
        ended.count(&ConnEvent::PeerTraffic(
            PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: false },
            1
        )),
        1
    );
}

/// The value of a field in a JSON text.
fn field(text: &str, name: &str) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(text).unwrap()[name].clone()
}

#[tokio::test(start_paused = true)]
async fn app_answers_are_matched_by_id_in_any_order() {
    let mut scene = TestSession::begin(app(2)).await;
    let first = scene.peer.text().await;
    let second = scene.peer.text().await;
    for ask in [&second, &first] {
        let answer = serde_json::json!({ "type": "pong", "id": field(ask, "id"), "more": 1 });
        scene.peer.send(TEXT, answer.to_string().as_bytes()).await;
        sleep(ms(100)).await;
    }
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), [(1, HeartbeatOutcome::Ok, Some(0)), (0, HeartbeatOutcome::Ok, Some(1100))]);
    assert!(ended.beats().iter().all(|beat| beat.rivals == 0));
}

#[tokio::test(start_paused = true)]
async fn app_answers_are_matched_by_timestamp() {
    let mut scene = TestSession::begin(app(2)).await;
    let first = scene.peer.text().await;
    let second = scene.peer.text().await;
    for ask in [&second, &first] {
        let answer = serde_json::json!({ "type": "pong", "timestamp": field(ask, "timestamp") });
        scene.peer.send(TEXT, answer.to_string().as_bytes()).await;
    }
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), [(1, HeartbeatOutcome::Ok, Some(0)), (0, HeartbeatOutcome::Ok, Some(1000))]);
}

#[tokio::test(start_paused = true)]
async fn app_answers_without_id_are_matched_in_order() {
    let mut scene = TestSession::begin(app(2)).await;
    scene.peer.text().await;
    scene.peer.text().await;
    scene.peer.send(TEXT, br#"{"type":"pong"}"#).await;
    scene.peer.send(TEXT, br#"{"type":"pong"}"#).await;
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Ok, Some(1000)), (1, HeartbeatOutcome::Ok, Some(0))]);
    assert_eq!(ended.beats().iter().map(|beat| beat.rivals).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test(start_paused = true)]
async fn echo_is_neither_answer_nor_server_ping() {
    let mut scene = TestSession::begin(SessionPlan { timeout: ms(500), ..app(1) }).await;
    let ask = scene.peer.text().await;
    scene.peer.send(TEXT, ask.as_bytes()).await;
    let ended = scene.end().await;
    assert_eq!(ended.count(&ConnEvent::PeerTraffic(PeerTraffic::Echo, 1)), 1);
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Missed, None)]);
}

#[tokio::test(start_paused = true)]
async fn connection_closes_only_when_both_kinds_are_dead() {
    let mut scene = TestSession::begin(SessionPlan {
        kinds: vec![HeartbeatKind::Protocol, HeartbeatKind::App],
        timeout: ms(900),
        ..plan(5)
    })
    .await;
    let answered = async {
        while let Some((opcode, payload)) = scene.peer.frame().await {
            match opcode {
                PING => scene.peer.pong(&payload).await,
                CLOSE => {
                    scene.peer.send(CLOSE, &payload).await;
                    break;
                }
                _ => {}
            }
        }
        drop(scene.peer);
    };
    let (closed, ()) = tokio::join!(scene.session, answered);
    let events = std::mem::take(&mut *scene.events.lock().unwrap());
    let ended = FinishedSession { closed: closed.unwrap(), events };
    let of = |kind| ended.beats().iter().filter(|b| b.kind == kind).map(|b| b.outcome).collect::<Vec<_>>();
    assert_eq!(of(HeartbeatKind::Protocol), [HeartbeatOutcome::Ok; 5]);
    assert_eq!(of(HeartbeatKind::App), [HeartbeatOutcome::Missed; 5]);
    assert!(ended.closed.ending.was_planned());
    assert_eq!(ended.statuses().last(), Some(&(3400, Status::Dead)));
}

#[tokio::test(start_paused = true)]
async fn ping_flood_delays_no_heartbeat() {
    let scene = TestSession::begin(SessionPlan { interval: Some(ms(10)), ..plan(20) }).await;
    let (mut reader, mut writer) = tokio::io::split(scene.peer.io);
    let flood = tokio::spawn(async move {
        let many = frame(PING, b"x").repeat(500);
        while writer.write_all(&many).await.is_ok() {
            tokio::time::sleep(ms(1)).await;
        }
    });
    let drain = tokio::spawn(async move {
        use tokio::io::AsyncReadExt;
        let mut sink = vec![0; 4096];
        while reader.read(&mut sink).await.is_ok_and(|n| n > 0) {}
    });
    sleep_until(scene.start + ms(250)).await;
    scene.stop.cancel();
    let closed = scene.session.await.unwrap();
    flood.abort();
    drain.abort();
    assert_eq!(closed.next, [NextNumbers { seq: 20, extra: 0 }], "every heartbeat was sent");
}

#[tokio::test(start_paused = true)]
async fn unread_flood_is_bounded() {
    let scene = TestSession::with_buffer(plan(2), 4096).await;
    let (reader, mut writer) = tokio::io::split(scene.peer.io);
    let flood = frame(PING, &[b'x'; 125]).repeat(8000);
    let wrote = tokio::time::timeout(ms(900), writer.write_all(&flood)).await;
    assert!(wrote.is_ok(), "a megabyte of pings is read although no pong can leave");
    scene.stop.cancel();
    scene.session.await.unwrap();
    drop(reader);
}
