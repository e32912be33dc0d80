//! Exact timing of idle connections: an in-memory stream and a paused clock.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, duplex};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use super::ask_after_idle::{self, IdleProbePlan};
use super::keepalive::{self, KeepalivePlan, KeepaliveResult, KeepaliveTraffic};
use super::{Question, UnmatchedLog, two_ended};
use crate::domain::catalogue::find_preset;
use crate::domain::connection::close_cause::{CloseKind, ClosedBy};
use crate::domain::connection::tcp::TcpView;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::idle::{DeathCause, ProbeEvent, VisibleEnd};
use crate::net::client::closing::close_briefly;
use crate::net::client::disconnect;
use crate::net::client::websocket::{ReceivedMessage, SocketEvent, WebSocket};
use crate::net::testing::fake_tcp_stream::{FakeKernel, FakeTcpStream};
use crate::net::testing::raw_peer::{CLOSE, PING, PONG, RawPeer, TEXT, frame};
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::tap::{Tap, TcpIntrospect};
use crate::net::transport::upgraded_stream::UpgradedStream;

pub fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn question(kind: HeartbeatKind) -> Question {
    Question {
        unmatched: UnmatchedLog::default(),
        kind,
        ask: Template::default(),
        answer: Pattern::default(),
        timeout: ms(2000),
        profile: ProtocolProfile::default(),
        answers_server: true,
    }
}

async fn socket() -> (WebSocket<Tap<FakeTcpStream>>, RawPeer) {
    let (socket, peer, _) = socket_and_kernel().await;
    (socket, peer)
}

async fn socket_and_kernel() -> (WebSocket<Tap<FakeTcpStream>>, RawPeer, Arc<Mutex<FakeKernel>>) {
    let (near, far) = duplex(64 * 1024);
    let stream = FakeTcpStream::plain(near);
    let kernel = stream.kernel();
    (WebSocket::new(UpgradedStream::of(Tap::new(stream)), 65_536, 1024).await, RawPeer { io: far }, kernel)
}

/// A trial under way, and the server's end of its stream.
pub struct TestProbe {
    pub peer: RawPeer,
    kernel: Arc<Mutex<FakeKernel>>,
    start: Instant,
    span: watch::Sender<Option<Duration>>,
    seen: mpsc::UnboundedReceiver<(Duration, ProbeEvent)>,
    silence: JoinHandle<()>,
}

pub struct ProbeSetup {
    ask_at: Option<u64>,
    slack: u64,
    two_ended: bool,
    kind: HeartbeatKind,
    /// The preset that the server speaks; empty: plain.
    preset: &'static str,
    /// Whether the server's app pings are answered.
    answers: bool,
}

pub const USUAL: ProbeSetup = ProbeSetup {
    ask_at: Some(5000),
    slack: 0,
    two_ended: false,
    kind: HeartbeatKind::Protocol,
    preset: "",
    answers: true,
};

/// The question of a preset, or the plain one.
fn question_of(preset: &str, kind: HeartbeatKind) -> Question {
    let profile = find_preset(preset).map(|preset| preset.compile("a.example").unwrap().profile);
    Question { profile: profile.unwrap_or_default(), ..question(kind) }
}

impl TestProbe {
    async fn begin(set: ProbeSetup) -> TestProbe {
        let (socket, peer, kernel) = socket_and_kernel().await;
        TestProbe { kernel, ..TestProbe::begin_on(socket, peer, set) }
    }

    pub fn begin_on<S>(mut socket: WebSocket<S>, peer: RawPeer, set: ProbeSetup) -> TestProbe
    where
        S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin + Send + 'static,
    {
        let (span, mut bound) = watch::channel(set.ask_at.map(ms));
        let (sender, seen) = mpsc::unbounded_channel();
        let start = Instant::now();
        let silence = tokio::spawn(async move {
            let question = Question { answers_server: set.answers, ..question_of(set.preset, set.kind) };
            let plan = IdleProbePlan { question: &question, slack: ms(set.slack), two_ended: set.two_ended };
            let mut emit = |at: Instant, seen| sender.send((at - start, seen)).unwrap();
            ask_after_idle::run(&mut socket, &plan, &mut bound, &mut emit).await;
        });
        TestProbe { peer, kernel: Arc::default(), start, span, seen, silence }
    }

    pub async fn at(&self, millis: u64) {
        sleep_until(self.start + ms(millis)).await;
    }

    /// All events, once the trial is over. The server's end stays open meanwhile.
    pub async fn end(self) -> Vec<(Duration, ProbeEvent)> {
        let TestProbe { peer, mut seen, silence, .. } = self;
        silence.await.unwrap();
        drop(peer);
        std::iter::from_fn(|| seen.try_recv().ok()).collect()
    }
}

pub fn asked(idle: u64) -> (Duration, ProbeEvent) {
    (ms(idle), ProbeEvent::Asked { idle: ms(idle) })
}

fn fin(half_open: bool) -> VisibleEnd {
    VisibleEnd { how: CloseKind::Fin, half_open: Some(half_open) }
}

#[tokio::test(start_paused = true)]
async fn answer_after_the_span_means_survived() {
    let mut scene = TestProbe::begin(USUAL).await;
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(5000));
    scene.at(5030).await;
    scene.peer.pong(&payload).await;
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(30) };
    assert_eq!(scene.end().await, [asked(5000), (ms(5030), survived)]);
}

/// Writes these bytes one by one, this many milliseconds apart.
async fn trickle(peer: &mut RawPeer, bytes: &[u8], apart: u64) {
    for byte in bytes {
        peer.io.write_all(&[*byte]).await.unwrap();
        sleep(ms(apart)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_of_a_slow_message_end_the_idle_span() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.at(3000).await;
    let message = frame(TEXT, b"slowly");
    trickle(&mut scene.peer, &message, 1500).await;
    // The last byte came at 3000 + 7 * 1500 ms.
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(3000 + 7 * 1500 + 5000));
    scene.peer.pong(&payload).await;
    let seen = scene.end().await;
    assert_eq!(seen[0], (ms(3000), ProbeEvent::ServerMessage { gap: ms(3000) }));
    assert_eq!(seen[1], (ms(4500), ProbeEvent::ServerMessage { gap: ms(1500) }));
    assert!(matches!(seen.last(), Some((_, ProbeEvent::Survived { .. }))), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn answer_behind_a_slow_message_is_awaited() {
    let mut scene = TestProbe::begin(USUAL).await;
    let payload = scene.peer.ping().await;
    trickle(&mut scene.peer, &frame(TEXT, b"slow"), 800).await;
    scene.peer.pong(&payload).await;
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(6 * 800) };
    assert_eq!(scene.end().await.last(), Some(&(ms(5000 + 6 * 800), survived)));
}

#[tokio::test(start_paused = true)]
async fn endless_trickle_is_not_an_answer() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.peer.ping().await;
    let mut peer = RawPeer { io: std::mem::replace(&mut scene.peer.io, duplex(1).0) };
    let endless = tokio::spawn(async move {
        trickle(&mut peer, &[&[0x81_u8, 126, 0xff][..], &[b'x'; 200]].concat(), 100).await
    });
    let died = ProbeEvent::Died { idle: ms(5000), death: DeathCause::Unanswered { acked: None } };
    assert_eq!(scene.end().await.last(), Some(&(ms(5000 + 3 * 2000), died)));
    endless.abort();
}

#[tokio::test(start_paused = true)]
async fn control_waits_for_the_answer_behind_a_slow_message() {
    let (mut socket, mut peer) = socket().await;
    let server = tokio::spawn(async move {
        let payload = peer.ping().await;
        trickle(&mut peer, &frame(TEXT, b"slow"), 800).await;
        peer.pong(&payload).await;
        peer
    });
    let question = question(HeartbeatKind::Protocol);
    let plan = KeepalivePlan {
        question: &question,
        traffic: KeepaliveTraffic::Questions,
        every: ms(60_000),
        until: Some(ms(66_000)),
    };
    let mut beats = Vec::new();
    let start = Instant::now();
    let kept = keepalive::run(&mut socket, plan, &mut |at| beats.push(at - start)).await;
    assert_eq!(beats, [ms(60_000 + 6 * 800)]);
    assert!(
        matches!(kept, KeepaliveResult::Unanswered { silent } if silent < ms(5000)),
        "the last question: {kept:?}"
    );
    drop(server.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn only_own_pong_is_an_answer() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.peer.ping().await;
    scene.peer.pong(b"another's").await;
    scene.peer.send(TEXT, b"hello").await;
    let died = ProbeEvent::Died { idle: ms(5000), death: DeathCause::Unanswered { acked: None } };
    assert_eq!(scene.end().await, [asked(5000), (ms(7000), died)]);
}

#[tokio::test(start_paused = true)]
async fn server_ping_is_answered_and_counts_as_traffic() {
    let mut scene = TestProbe::begin(ProbeSetup { preset: "engine.io", ..USUAL }).await;
    scene.at(3000).await;
    scene.peer.send(TEXT, b"2").await;
    assert_eq!(scene.peer.text().await, "3", "otherwise the server would close us");
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(8000), "the idle span starts over");
    scene.peer.pong(&payload).await;
    let server_message = ProbeEvent::ServerMessage { gap: ms(3000) };
    let asked = ProbeEvent::Asked { idle: ms(5000) };
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(0) };
    let replied = (ms(3000), ProbeEvent::Replied);
    assert_eq!(
        scene.end().await,
        [(ms(3000), server_message), replied, (ms(8000), asked), (ms(8000), survived)]
    );
}

#[tokio::test(start_paused = true)]
async fn kept_connection_answers_server_pings() {
    let (mut socket, mut peer) = socket().await;
    let question = question_of("engine.io", HeartbeatKind::Protocol);
    let keeping = KeepalivePlan {
        question: &question,
        traffic: KeepaliveTraffic::Nothing,
        every: ms(1000),
        until: Some(ms(2000)),
    };
    let server = tokio::spawn(async move {
        peer.send(TEXT, b"2").await;
        assert_eq!(peer.text().await, "3");
        let payload = peer.ping().await;
        peer.pong(&payload).await;
        peer
    });
    assert_eq!(keepalive::run(&mut socket, keeping, &mut |_| {}).await, KeepaliveResult::Answered);
    server.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn kept_connection_sends_protocol_keepalives() {
    let (mut socket, mut peer) = socket().await;
    let question = question_of("signalr", HeartbeatKind::Protocol);
    let keeping = KeepalivePlan {
        question: &question,
        traffic: KeepaliveTraffic::Questions,
        every: ms(10_000),
        until: Some(ms(35_000)),
    };
    let server = tokio::spawn(async move {
        let (start, mut keepalive, mut pings) = (Instant::now(), Vec::new(), 0);
        // Three questions, and the last.
        while pings < 4 {
            let (opcode, payload) = peer.frame().await.unwrap();
            match opcode {
                PING => {
                    pings += 1;
                    peer.pong(&payload).await;
                }
                _ => keepalive.push((start.elapsed(), String::from_utf8(payload).unwrap())),
            }
        }
        (keepalive, peer)
    });
    let kept = keepalive::run(&mut socket, keeping, &mut |_| {}).await;
    assert_eq!(kept, KeepaliveResult::Answered);
    let (keepalive, _peer) = server.await.unwrap();
    let ping = || "{\"type\":6}\x1e".to_string();
    assert_eq!(
        keepalive,
        [(ms(20_000), ping()), (ms(30_000), ping())],
        "with the question that follows 15 s and 30 s"
    );
}

#[tokio::test(start_paused = true)]
async fn app_question_is_answered_by_a_message() {
    let mut scene = TestProbe::begin(ProbeSetup { kind: HeartbeatKind::App, ..USUAL }).await;
    let ask: serde_json::Value = serde_json::from_str(&scene.peer.text().await).unwrap();
    scene.at(5100).await;
    let answer = serde_json::json!({ "type": "pong", "id": ask["id"] }).to_string();
    scene.peer.send(TEXT, answer.as_bytes()).await;
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(100) };
    assert_eq!(scene.end().await, [asked(5000), (ms(5100), survived)]);
}

#[tokio::test(start_paused = true)]
async fn end_while_idle_is_reported_with_its_time() {
    let scene = TestProbe::begin(ProbeSetup { ask_at: None, ..USUAL }).await;
    scene.at(3000).await;
    let TestProbe { peer, mut seen, silence, .. } = scene;
    drop(peer);
    silence.await.unwrap();
    assert_eq!(
        seen.recv().await,
        Some((ms(3000), ProbeEvent::Ended { idle: ms(3000), visible_end: fin(false) }))
    );
}

#[tokio::test(start_paused = true)]
async fn half_closed_connection_accepts_writes() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.at(3000).await;
    scene.peer.io.shutdown().await.unwrap();
    assert_eq!(scene.end().await, [(ms(3000), ProbeEvent::Ended { idle: ms(3000), visible_end: fin(true) })]);
}

#[tokio::test(start_paused = true)]
async fn close_frame_bytes_are_not_traffic() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.at(3000).await;
    scene.peer.send(CLOSE, &[0x03, 0xe9, b'x']).await;
    let how = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::new("x") };
    assert_eq!(
        scene.end().await,
        [(ms(3000), ProbeEvent::Ended { idle: ms(3000), visible_end: how.into() })]
    );
}

#[tokio::test(start_paused = true)]
async fn end_after_the_question_is_a_cut_on_use() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.peer.ping().await;
    scene.at(5200).await;
    scene.peer.io.shutdown().await.unwrap();
    let died = ProbeEvent::Died { idle: ms(5000), death: DeathCause::CutOnUse(CloseKind::Fin.into()) };
    assert_eq!(scene.end().await, [asked(5000), (ms(5200), died)]);
}

/// The events of a trial that receives a known app ping, and the reply.
async fn asked_in_json(answers: bool) -> (Vec<(Duration, ProbeEvent)>, Option<String>) {
    let mut scene = TestProbe::begin(ProbeSetup { answers, ..USUAL }).await;
    scene.at(1000).await;
    scene.peer.send(TEXT, br#"{"type":"ping","id":7}"#).await;
    let reply = if answers { Some(scene.peer.text().await) } else { None };
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    (scene.end().await, reply)
}

#[tokio::test(start_paused = true)]
async fn known_ping_is_answered_without_a_preset() {
    let (seen, reply) = asked_in_json(true).await;
    let reply: serde_json::Value = serde_json::from_str(&reply.unwrap()).unwrap();
    assert_eq!(reply, serde_json::json!({ "type": "pong", "id": 7 }));
    let server_message = (ms(1000), ProbeEvent::ServerMessage { gap: ms(1000) });
    let survived = (ms(6000), ProbeEvent::Survived { idle: ms(5000), rtt: ms(0) });
    let asked = (ms(6000), ProbeEvent::Asked { idle: ms(5000) });
    assert_eq!(seen, [server_message, (ms(1000), ProbeEvent::Replied), asked, survived]);
}

#[tokio::test(start_paused = true)]
async fn known_ping_is_unanswered_on_demand() {
    let (seen, _) = asked_in_json(false).await;
    assert!(!seen.iter().any(|(_, seen)| *seen == ProbeEvent::Replied), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn second_control_needs_an_answer_of_either_kind() {
    let (socket, mut peer) = socket().await;
    let control = keeping(socket, KeepaliveTraffic::Both, None);
    for _ in 0..3 {
        let payload = peer.ping().await;
        let text: serde_json::Value = serde_json::from_str(&peer.text().await).unwrap();
        assert_eq!(text["type"], "ping");
        peer.pong(&payload).await;
    }
    let (kept, beats, _) = control.await.unwrap();
    assert_eq!(beats, [ms(1000), ms(2000), ms(3000)]);
    assert_eq!(kept, KeepaliveResult::Unanswered { silent: ms(3000) });
}

#[tokio::test(start_paused = true)]
async fn unsolicited_traffic_restarts_the_idle_span() {
    let mut scene = TestProbe::begin(USUAL).await;
    scene.at(2000).await;
    scene.peer.send(TEXT, b"news").await;
    scene.at(3500).await;
    scene.peer.send(PING, b"").await;
    assert_eq!(scene.peer.frame().await, Some((PONG, vec![])), "the library answers by itself");
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(8500));
    scene.peer.pong(&payload).await;
    let server_message = |at, gap| (ms(at), ProbeEvent::ServerMessage { gap: ms(gap) });
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(0) };
    let asked = (ms(8500), ProbeEvent::Asked { idle: ms(5000) });
    assert_eq!(
        scene.end().await,
        [server_message(2000, 2000), server_message(3500, 1500), asked, (ms(8500), survived)]
    );
}

#[tokio::test(start_paused = true)]
async fn flood_is_reported_every_few_milliseconds() {
    let mut scene = TestProbe::begin(ProbeSetup { ask_at: None, ..USUAL }).await;
    for millis in 1..=100 {
        scene.at(millis).await;
        scene.peer.send(TEXT, b"x").await;
        scene.peer.send(TEXT, b"x").await;
    }
    scene.span.send_replace(Some(ms(0)));
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let compiled =
        scene.end().await.iter().filter(|(_, seen)| matches!(seen, ProbeEvent::ServerMessage { .. })).count();
    assert_eq!(compiled, 10);
}

#[tokio::test(start_paused = true)]
async fn span_may_be_set_late_and_be_over_already() {
    let mut scene = TestProbe::begin(ProbeSetup { ask_at: None, ..USUAL }).await;
    scene.at(1000).await;
    scene.span.send_replace(Some(ms(9000)));
    scene.at(4000).await;
    scene.span.send_replace(Some(ms(3000)));
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let survived = ProbeEvent::Survived { idle: ms(4000), rtt: ms(0) };
    assert_eq!(scene.end().await, [asked(4000), (ms(4000), survived)]);
}

#[tokio::test(start_paused = true)]
async fn only_dead_spans_include_slack() {
    let mut scene = TestProbe::begin(ProbeSetup { slack: 70, ..USUAL }).await;
    scene.peer.ping().await;
    let died = ProbeEvent::Died { idle: ms(5070), death: DeathCause::Unanswered { acked: None } };
    assert_eq!(scene.end().await, [asked(5000), (ms(7000), died)]);
    let mut scene = TestProbe::begin(ProbeSetup { slack: 70, ..USUAL }).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    assert!(matches!(scene.end().await[1].1, ProbeEvent::Survived { idle, .. } if idle == ms(5000)));
}

#[tokio::test(start_paused = true)]
async fn visible_end_is_reported_without_slack() {
    let mut scene = TestProbe::begin(ProbeSetup { slack: 70, ..USUAL }).await;
    scene.at(3000).await;
    scene.peer.io.shutdown().await.unwrap();
    let ended = ProbeEvent::Ended { idle: ms(3000), visible_end: fin(true) };
    assert_eq!(scene.end().await, [(ms(3000), ended)]);
}

const TWO_ENDED: ProbeSetup = ProbeSetup { two_ended: true, ..USUAL };

/// Events of a two-ended trial whose server sends or not, and answers or not.
async fn two_ended(speaks: bool, answers: bool) -> Vec<(Duration, ProbeEvent)> {
    let mut scene = TestProbe::begin(TWO_ENDED).await;
    let request: serde_json::Value = serde_json::from_str(&scene.peer.text().await).unwrap();
    assert_eq!((&request["wscheck"], &request["ms"]), (&"speak_after".into(), &5000.into()));
    scene.at(5010).await;
    if speaks {
        let word = serde_json::json!({ "wscheck": "spoke", "id": request["id"] }).to_string();
        scene.peer.send(TEXT, word.as_bytes()).await;
    }
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(if speaks { 5010 } else { 6000 }));
    if answers {
        scene.peer.pong(&payload).await;
    }
    scene.end().await
}

/// The end of a trial whose kernel has acknowledged all but this many bytes, if it tells that.
async fn death_with(unacked: Option<u64>) -> ProbeEvent {
    let mut scene = TestProbe::begin(USUAL).await;
    // The head and the mask of a short frame.
    let sent = scene.peer.ping().await.len() as u64 + 6;
    let view = unacked.map(|unacked| TcpView { acked: sent - unacked, ..TcpView::default() });
    scene.kernel.lock().unwrap().tcp = view;
    scene.end().await.pop().unwrap().1
}

#[tokio::test(start_paused = true)]
async fn unanswered_question_reports_tcp_acknowledgement() {
    let died = |acked| ProbeEvent::Died { idle: ms(5000), death: DeathCause::Unanswered { acked } };
    assert_eq!(death_with(Some(0)).await, died(Some(true)));
    assert_eq!(death_with(Some(1)).await, died(Some(false)));
    assert_eq!(death_with(None).await, died(None));
}

#[tokio::test(start_paused = true)]
async fn two_ended_mode_tells_the_lost_direction() {
    let of = async |speaks, answers| two_ended(speaks, answers).await;
    let died = |at, death| [asked(5000), (ms(at), ProbeEvent::Died { idle: ms(5000), death })];
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(0) };
    assert_eq!(of(true, true).await, [asked(5000), (ms(5010), survived)]);
    assert_eq!(of(false, true).await, died(6000, DeathCause::ServerUnheard));
    assert_eq!(of(true, false).await, died(6010, DeathCause::ClientUnheard { acked: None }));
    assert_eq!(of(false, false).await, died(7000, DeathCause::Unanswered { acked: None }));
}

#[tokio::test(start_paused = true)]
async fn early_requested_message_ends_the_idle_span() {
    let mut scene = TestProbe::begin(TWO_ENDED).await;
    let request: serde_json::Value = serde_json::from_str(&scene.peer.text().await).unwrap();
    scene.at(4990).await;
    let word = serde_json::json!({ "wscheck": "spoke", "id": request["id"] }).to_string();
    scene.peer.send(TEXT, word.as_bytes()).await;
    let payload = scene.peer.ping().await;
    assert_eq!(scene.start.elapsed(), ms(4990));
    scene.peer.pong(&payload).await;
    let survived = ProbeEvent::Survived { idle: ms(4990), rtt: ms(0) };
    assert_eq!(scene.end().await, [asked(4990), (ms(4990), survived)]);
}

#[tokio::test(start_paused = true)]
async fn choosing_the_subprotocol_is_not_enough() {
    for answers in [true, false] {
        let (mut socket, mut peer) = socket().await;
        let start = Instant::now();
        let speaks = tokio::spawn(async move { super::supports_two_ended(&mut socket, ms(2000)).await });
        let request: serde_json::Value = serde_json::from_str(&peer.text().await).unwrap();
        assert_eq!((&request["wscheck"], &request["ms"]), (&"speak_after".into(), &0.into()));
        peer.send(TEXT, request.to_string().as_bytes()).await;
        if answers {
            let word = serde_json::json!({ "wscheck": "spoke", "id": request["id"] }).to_string();
            peer.send(TEXT, word.as_bytes()).await;
        }
        assert_eq!(speaks.await.unwrap(), answers);
        assert_eq!(start.elapsed(), ms(if answers { 0 } else { 2000 }));
    }
}

#[test]
fn span_is_requested_in_milliseconds_rounded_up() {
    assert_eq!(two_ended::millis(Duration::from_micros(1500)), 2);
    assert_eq!(two_ended::millis(ms(7)), 7);
}

/// Keeps a connection busy; returns the result and the times of the answers.
pub fn keeping<S>(
    mut socket: WebSocket<S>,
    traffic: KeepaliveTraffic,
    until: Option<u64>,
) -> JoinHandle<(KeepaliveResult, Vec<Duration>, Duration)>
where
    S: AsyncRead + AsyncWrite + TcpIntrospect + Http2Signals + Unpin + Send + 'static,
{
    tokio::spawn(async move {
        let (question, start, mut beats) = (question(HeartbeatKind::Protocol), Instant::now(), Vec::new());
        let plan = KeepalivePlan { question: &question, traffic, every: ms(1000), until: until.map(ms) };
        let kept = keepalive::run(&mut socket, plan, &mut |at| beats.push(at - start)).await;
        (kept, beats, start.elapsed())
    })
}

#[tokio::test(start_paused = true)]
async fn control_reports_answers_and_times_out() {
    let (socket, mut peer) = socket().await;
    let control = keeping(socket, KeepaliveTraffic::Questions, None);
    for _ in 0..3 {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
        peer.pong(&payload).await;
    }
    let (kept, beats, took) = control.await.unwrap();
    assert_eq!(beats, [ms(1000), ms(2000), ms(3000)], "a second answer does not count");
    assert_eq!((kept, took), (KeepaliveResult::Unanswered { silent: ms(3000) }, ms(6000)));
}

#[tokio::test(start_paused = true)]
async fn control_reports_how_it_ended() {
    let (socket, mut peer) = socket().await;
    let start = Instant::now();
    let control = keeping(socket, KeepaliveTraffic::Questions, None);
    let payload = peer.ping().await;
    peer.pong(&payload).await;
    sleep_until(start + ms(1400)).await;
    drop(peer);
    let (kept, _, took) = control.await.unwrap();
    let disconnect = disconnect::Disconnect { who: ClosedBy::Peer, how: CloseKind::Fin, os_error: None };
    assert_eq!(
        (kept, took),
        (KeepaliveResult::Ended { disconnect, idle: ms(400), unanswered: ms(0) }, ms(1400))
    );
}

#[tokio::test(start_paused = true)]
async fn methods_without_answers_end_with_one_question() {
    for (traffic, frames) in [(KeepaliveTraffic::Pongs, 2), (KeepaliveTraffic::Nothing, 0)] {
        let (socket, mut peer) = socket().await;
        let kept = keeping(socket, traffic, Some(2500));
        for _ in 0..frames {
            assert_eq!(peer.frame().await.map(|(opcode, _)| opcode), Some(PONG));
        }
        let payload = peer.ping().await;
        peer.pong(&payload).await;
        let (kept, beats, took) = kept.await.unwrap();
        assert_eq!((kept, beats, took), (KeepaliveResult::Answered, vec![], ms(2500)));
    }
}

#[tokio::test(start_paused = true)]
async fn close_waits_no_longer_than_its_timeout() {
    let (mut socket, mut peer) = socket().await;
    let start = Instant::now();
    let (opcode, ()) =
        tokio::join!(async { peer.frame().await.map(|(opcode, _)| opcode) }, close_briefly(&mut socket));
    assert_eq!((opcode, start.elapsed()), (Some(CLOSE), ms(200)));
}

#[tokio::test(start_paused = true)]
async fn unmatched_answers_to_app_questions_are_reported() {
    let text = |reply: &&str| SocketEvent::Message(ReceivedMessage::Text((*reply).into()));
    let described = async |replies: &[&str]| {
        let question = question_of("", HeartbeatKind::App);
        let mut codec = super::QuestionCodec::new(&question, 7);
        codec.ask();
        replies.iter().for_each(|reply| assert!(!codec.is_answer(&text(reply)) || reply.contains("pong")));
        question.unmatched.describe()
    };
    let error = r#"{"type":"error","message":"unknown command"}"#;
    let expected = format!(r#"'{error}' (`type` is "error", not "pong")"#);
    assert_eq!(described(&["hello", error]).await, Some(expected));
    assert_eq!(described(&[]).await, None);
    assert_eq!(described(&[error, r#"{"type":"pong"}"#]).await, None, "questions are answered");
}
