//! Preset protocols on the wire, exactly: keepalives, server pings, and messages that are batched or compressed.

use std::io::Write as _;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::tests::{TestSession, app, ms, plan};
use crate::domain::catalogue::{Preset, find_preset};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::{ConnEvent, PeerTraffic, ServerPingKind};
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::net::client::session::plan::SessionPlan;
use crate::net::testing::raw_peer::{PING, TEXT};

const BINARY: u8 = 2;

fn speaking(name: &str, plan: SessionPlan) -> SessionPlan {
    let compiled = find_preset(name).map(|preset: &Preset| preset.compile("a.example")).unwrap().unwrap();
    let (ask, answer) = compiled.ask.unwrap_or_else(|| (plan.ask.clone(), plan.answer.clone()));
    SessionPlan { ask, answer, profile: compiled.profile, ..plan }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn server_traffic(events: &[(Duration, ConnEvent)]) -> ServerTraffic {
    let intervals = events.iter().find_map(|(_, event)| match event {
        ConnEvent::ServerTraffic(server_traffic) => Some(server_traffic.as_ref().clone()),
        _ => None,
    });
    intervals.unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn keepalive_messages_leave_on_time_beside_pings() {
    let mut scene =
        TestSession::begin(speaking("signalr", SessionPlan { interval: Some(ms(10_000)), ..plan(5) })).await;
    let mut keepalive: Vec<(u64, String)> = Vec::new();
    let mut pings = 0;
    while pings < 5 {
        let (opcode, payload) = scene.peer.frame().await.unwrap();
        match opcode {
            PING => {
                pings += 1;
                scene.peer.pong(&payload).await;
            }
            _ => keepalive
                .push((scene.start.elapsed().as_millis() as u64, String::from_utf8(payload).unwrap())),
        }
    }
    let ping = || "{\"type\":6}\x1e".to_string();
    assert_eq!(keepalive, [(15_000, ping()), (30_000, ping())]);
    let ended = scene.end().await;
    assert!(ended.outcomes().iter().all(|(_, outcome, _)| *outcome == HeartbeatOutcome::Ok));
}

#[tokio::test(start_paused = true)]
async fn server_ping_is_answered_and_interval_reported() {
    let mut scene =
        TestSession::begin(speaking("engine.io", SessionPlan { interval: Some(ms(60_000)), ..plan(2) }))
            .await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    for _ in 0..3 {
        sleep(ms(15_000)).await;
        scene.peer.send(TEXT, b"2").await;
        assert_eq!(scene.peer.text().await, "3");
    }
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    let asked =
        ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: true }, 1);
    assert_eq!(ended.count(&asked), 3);
    let (kind, interval) = server_traffic(&ended.events).interval().unwrap();
    assert_eq!((kind, interval.median, interval.gaps), (HeartbeatKind::App, ms(15_000), 2));
}

#[tokio::test(start_paused = true)]
async fn all_answers_in_one_message_count() {
    let mut scene = TestSession::begin(speaking("nats", app(2))).await;
    let first = scene.peer.frame().await.unwrap();
    assert_eq!(first, (BINARY, b"PING\r\n".to_vec()));
    scene.peer.frame().await.unwrap();
    scene.peer.send(BINARY, b"PONG\r\nPING\r\nPONG\r\n").await;
    assert_eq!(scene.peer.frame().await.unwrap(), (BINARY, b"PONG\r\n".to_vec()), "the server's PING");
    let ended = scene.end().await;
    assert_eq!(ended.outcomes(), [(0, HeartbeatOutcome::Ok, Some(1000)), (1, HeartbeatOutcome::Ok, Some(0))]);
}

#[tokio::test(start_paused = true)]
async fn gzip_ping_is_answered_with_its_content() {
    let mut scene = TestSession::begin(speaking("huobi", plan(1))).await;
    scene.peer.send(BINARY, &packed(r#"{"ping":1492420473027}"#)).await;
    let mut frames = [scene.peer.frame().await.unwrap(), scene.peer.frame().await.unwrap()];
    frames.sort();
    let [(text, pong), (ping, payload)] = frames;
    assert_eq!((text, ping, pong), (TEXT, PING, br#"{"pong":1492420473027}"#.to_vec()));
    scene.peer.pong(&payload).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn gzip_answer_counts() {
    let mut scene = TestSession::begin(app(1)).await;
    let ask = scene.peer.text().await.replace("ping", "pong");
    sleep(ms(20)).await;
    scene.peer.send(BINARY, &packed(&ask)).await;
    assert_eq!(scene.end().await.outcomes(), [(0, HeartbeatOutcome::Ok, Some(20))]);
}

#[tokio::test(start_paused = true)]
async fn server_of_another_preset_is_recognised() {
    let mut scene = TestSession::begin(speaking("phoenix", SessionPlan { timeout: ms(500), ..app(3) })).await;
    scene.peer.send(TEXT, br#"{"type":"welcome"}"#).await;
    let began = Instant::now();
    let ended = scene.end().await;
    assert_eq!(
        ended.outcomes().iter().map(|(_, outcome, _)| *outcome).collect::<Vec<_>>(),
        [HeartbeatOutcome::Missed; 3]
    );
    assert!(began.elapsed() < ms(4000), "it does not hang");
    let server_traffic = server_traffic(&ended.events);
    assert_eq!(server_traffic.looks_like, ["action-cable"]);
    assert_eq!(server_traffic.first_other.unwrap().as_str(), r#"{"type":"welcome"}"#);
}

#[tokio::test(start_paused = true)]
async fn preset_with_server_pings_answers_only_those() {
    let mut scene = TestSession::begin(speaking("action-cable", plan(1))).await;
    scene.peer.send(TEXT, br#"{"type":"ping","message":1795666306}"#).await;
    scene.peer.send(TEXT, br#"{"event":"ping"}"#).await;
    let payload = scene.peer.ping().await;
    scene.peer.pong(&payload).await;
    let ended = scene.end().await;
    let server_ping =
        ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: false }, 1);
    assert_eq!(
        (ended.count(&server_ping), ended.count(&ConnEvent::PeerTraffic(PeerTraffic::Message, 1))),
        (1, 1)
    );
}
