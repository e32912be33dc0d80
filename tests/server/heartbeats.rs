//! The server's heartbeats on the wire.

use std::sync::Arc;
use std::time::Duration;

use crate::peer::{Bare, CLOSE, Got, PING, PONG, Raw, Served, TEXT, within};
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::domain::ping::health::Status;
use wscheck::server::{ServeEventKind, ServerConfig, ServerHeartbeats, TWO_ENDED};

fn beating(kinds: &[HeartbeatKind], interval: u64, timeout: u64) -> ServerConfig {
    let heartbeats = ServerHeartbeats {
        kinds: kinds.to_vec(),
        interval: Duration::from_millis(interval),
        timeout: Duration::from_millis(timeout),
        ..ServerHeartbeats::default()
    };
    ServerConfig { heartbeats: Arc::new(heartbeats), ..ServerConfig::default() }
}

async fn status(served: &mut Served) -> (Status, Status) {
    let change = served.event(|event| match &event.what {
        ServeEventKind::Status(change) => Some((change.from, change.to)),
        _ => None,
    });
    change.await
}

#[tokio::test]
async fn answering_client_is_healthy() {
    let mut served = Served::start(beating(&[HeartbeatKind::Protocol], 50, 5000)).await;
    let mut client = Bare::connect(served.address).await;
    for _ in 0..5 {
        let (first, payload) = client.frame().await;
        assert_eq!(first, PING);
        client.send(PONG, payload.as_bytes()).await;
    }
    assert_eq!(status(&mut served).await, (Status::Unknown, Status::Healthy));
    client.send(CLOSE, b"").await;
    let counts = served.event(|event| match &event.what {
        ServeEventKind::Closed { last, .. } => Some(last.figures.beats[0].counts),
        _ => None,
    });
    assert_eq!(counts.await.ok, 5);
    assert_eq!(served.stop().await.heartbeats.ok, 5);
}

#[tokio::test]
async fn app_heartbeat_answers_are_not_echoed() {
    let mut served = Served::start(beating(&[HeartbeatKind::App], 50, 5000)).await;
    let mut client = Bare::connect(served.address).await;
    let (first, ping) = client.frame().await;
    assert_eq!(first, TEXT);
    assert!(ping.starts_with(r#"{"type":"ping","id":""#), "{ping}");
    client.send(TEXT, ping.replace("ping", "pong").as_bytes()).await;
    assert_eq!(status(&mut served).await, (Status::Unknown, Status::Healthy));
    assert!(client.frame().await.1.starts_with(r#"{"type":"ping","id":""#));
    drop(client);
    assert_eq!(served.stop().await.messages, 0);
}

#[tokio::test]
async fn silent_client_is_terminated_and_reported() {
    let mut served = Served::start(beating(&[HeartbeatKind::Protocol], 50, 100)).await;
    let mut client = Bare::connect(served.address).await;
    assert_eq!(client.frame().await.0, PING);
    let closed = served.event(|event| match event.what {
        ServeEventKind::DeadClientClosed { missed, silent_for } => Some((missed, silent_for)),
        _ => None,
    });
    let (missed, silent_for) = closed.await;
    assert!(missed == 1 && silent_for >= Duration::from_millis(100), "{missed} {silent_for:?}");
    assert!(served.ended().await.starts_with("wscheck closed it: heartbeats unanswered"));
    let last = loop {
        match client.next().await {
            Got::Frame(Raw(PING, _)) => {}
            other => break other,
        }
    };
    assert_eq!(last, Got::Frame(Raw(CLOSE, [&4000_u16.to_be_bytes()[..], b"Heartbeat timeout"].concat())));
    assert_eq!(served.stop().await.dead_clients_closed, 1);
}

#[tokio::test]
async fn thousand_silent_clients_are_terminated_in_time() {
    let (interval, timeout) = (1000, 500);
    let mut served = Served::start(beating(&[HeartbeatKind::Protocol], interval, timeout)).await;
    let mut zombies = Vec::new();
    for _ in 0..1000 {
        zombies.push(Bare::connect(served.address).await);
    }
    let mut ages = Vec::new();
    while ages.len() < zombies.len() {
        let age = served.event(|event| match &event.what {
            ServeEventKind::Closed { ending, .. } => Some(ending.age),
            _ => None,
        });
        ages.push(age.await);
    }
    // Checks that none is terminated early; lateness is measured, not asserted on the real clock.
    assert!(ages.iter().all(|age| *age >= Duration::from_millis(timeout)));
    assert_eq!(served.stop().await.dead_clients_closed, 1000);
}

#[tokio::test]
async fn client_receives_its_health_status() {
    let config = ServerConfig { tell_health: true, ..beating(&[HeartbeatKind::Protocol], 50, 5000) };
    let served = Served::start(config).await;
    let mut client = Bare::connect(served.address).await;
    let (_, payload) = client.frame().await;
    client.send(PONG, payload.as_bytes()).await;
    let health = loop {
        match client.frame().await {
            (TEXT, health) => break health,
            (first, _) => assert_eq!(first, PING),
        }
    };
    assert!(health.starts_with(r#"{"type":"health_status","health_status":"healthy","rtt_ms":"#), "{health}");
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn greet_and_require_work() {
    let config = ServerConfig {
        greet: Some("welcome".into()),
        require: Some(r#"{"type":"join"}"#.parse().unwrap()),
        ..ServerConfig::default()
    };
    let served = Served::start(config).await;
    let mut polite = Bare::connect(served.address).await;
    assert_eq!(polite.frame().await, (TEXT, "welcome".into()));
    polite.send(TEXT, br#"{"type":"join","room":1}"#).await;
    assert_eq!(polite.frame().await, (TEXT, r#"{"type":"join","room":1}"#.into()));
    polite.send(TEXT, b"hello").await;
    assert_eq!(polite.frame().await, (TEXT, "hello".into()));
    let mut rude = Bare::connect(served.address).await;
    assert_eq!(rude.frame().await.1, "welcome");
    rude.send(TEXT, b"hello").await;
    let reason = [&4401_u16.to_be_bytes()[..], b"a join message must come first"].concat();
    assert_eq!(rude.next().await, Got::Frame(Raw(CLOSE, reason)));
    drop((rude, polite));
    served.stop().await;
}

#[tokio::test]
async fn two_ended_mode_sends_only_the_requested_message() {
    let served = Served::start(beating(&[HeartbeatKind::Protocol], 20, 10)).await;
    let mut client = Bare::knock(served.address).await;
    let offer = format!("Sec-WebSocket-Protocol: chat, {TWO_ENDED}\r\n\r\n");
    client.write(crate::peer::UPGRADE.replacen("\r\n\r\n", &format!("\r\n{offer}"), 1).as_bytes()).await;
    let head = client.head().await;
    assert!(head.contains(&format!("\r\nSec-WebSocket-Protocol: {TWO_ENDED}\r\n")), "{head}");
    client.send(TEXT, br#"{"wscheck":"speak_after","ms":200,"id":"q1"}"#).await;
    assert_eq!(client.frame().await, (TEXT, r#"{"wscheck":"spoke","id":"q1"}"#.into()));
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn departed_client_is_forgotten() {
    let mut served = Served::start(beating(&[HeartbeatKind::Protocol], 10_000, 10_000)).await;
    drop(Bare::connect(served.address).await);
    assert!(served.ended().await.contains("FIN"));
    let summary = within(served.stop()).await;
    assert_eq!((summary.clients, summary.dead_clients_closed), (1, 0));
}
