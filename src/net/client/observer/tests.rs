//! What an observer reports and sends, exactly: an in-memory stream and a paused clock.

use std::time::Duration;

use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::{Observer, ObserverConfig, ObserverEvent, RelayDetector, until_over};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{KeepaliveSpec, ProtocolProfile};
use crate::domain::heartbeat::template::{Payload, Template};
use crate::domain::listen::ServerEventKind;
use crate::domain::listen::known_pings::KnownPings;
use crate::net::client::websocket::WebSocket;
use crate::net::testing::raw_peer::{CLOSE, PING, PONG, RawPeer, TEXT};
use crate::net::testing::windowed_stream::windowed_socket;
use crate::net::transport::tap::Tap;
use crate::net::transport::upgraded_stream::UpgradedStream;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn config() -> ObserverConfig {
    ObserverConfig {
        known_pings: KnownPings::default(),
        answers_messages: true,
        pings: None,
        messages: false,
        ask: Template::default(),
        answer: Pattern::default(),
        profile: ProtocolProfile::default(),
    }
}

async fn ends() -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
    ends_of(64 * 1024).await
}

/// `capacity`: how many bytes the path buffers.
async fn ends_of(capacity: usize) -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
    let (near, far) = duplex(capacity);
    let tap = Tap::new(near);
    (WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await, RawPeer { io: far })
}

fn event_kind(event: &ObserverEvent) -> (ServerEventKind, bool) {
    match event {
        ObserverEvent::ServerEvent { event, answered, .. } => (event.event_kind, *answered),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn server_events_are_timed_and_answered() {
    let (mut socket, mut peer) = ends().await;
    let start = Instant::now();
    let script = tokio::spawn(async move {
        sleep(ms(500)).await;
        peer.send(PING, b"one").await;
        sleep(ms(300)).await;
        peer.send(TEXT, br#"{"type":"ping"}"#).await;
        let (pong, answer) = (peer.frame().await, peer.text().await);
        (pong, answer)
    });
    let mut observer = Observer::new(&mut socket, config(), start);
    let ObserverEvent::ServerEvent { at, event, .. } = observer.next().await else { panic!() };
    assert_eq!((at - start, event.event_kind, event.text.as_str()), (ms(500), ServerEventKind::Ping, "one"));
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, true));
    assert_eq!(start.elapsed(), ms(800));
    let (pong, answer) = script.await.unwrap();
    assert_eq!((pong, answer.as_str()), (Some((PONG, b"one".to_vec())), r#"{"type":"pong"}"#));
}

#[tokio::test(start_paused = true)]
async fn muted_observer_receives_and_sends_nothing() {
    let (mut socket, mut peer) = ends().await;
    socket.tap_state().mute();
    let start = Instant::now();
    let script = tokio::spawn(async move {
        peer.send(PING, b"one").await;
        peer.send(TEXT, b"{\"type\":\"ping\"}").await;
        sleep(ms(2000)).await;
        peer.send(CLOSE, &[0x0f, 0xa0]).await;
        let mut received = Vec::new();
        peer.io.read_to_end(&mut received).await.unwrap();
        received
    });
    let mut observer =
        Observer::new(&mut socket, ObserverConfig { answers_messages: false, ..config() }, start);
    assert_eq!(event_kind(&observer.next().await).0, ServerEventKind::Ping);
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, false));
    let ObserverEvent::Ended(disconnect) = observer.next().await else { panic!() };
    assert!(matches!(disconnect.how, CloseKind::CloseFrame { code: Some(4000), .. }), "{disconnect:?}");
    assert_eq!(observer.ending(disconnect).age, ms(2000));
    drop(socket);
    assert_eq!(script.await.unwrap(), b"", "not even the answer to the close frame");
}

#[tokio::test(start_paused = true)]
async fn only_replies_that_left_count_as_answers() {
    let (mut socket, mut peer) = ends_of(64).await;
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    let ping: &[u8] = br#"{"type":"ping"}"#;
    let payload = [b'x'; 40];
    // 46 of 64 bytes, and 46 more: nobody reads them.
    for answered in [true, false] {
        peer.send(PING, &payload).await;
        assert_eq!(event_kind(&observer.next().await), (ServerEventKind::Ping, answered));
    }
    peer.send(TEXT, ping).await;
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, false));
    // They leave as soon as there is room, and then there is room for more.
    let read = async {
        for expected in [PONG, PONG, TEXT] {
            assert_eq!(peer.frame().await.unwrap().0, expected);
        }
        peer.send(TEXT, ping).await;
        peer
    };
    let (event, mut peer) = tokio::join!(observer.next(), read);
    assert_eq!(event_kind(&event), (ServerEventKind::AppPing, true));
    assert_eq!(peer.text().await, r#"{"type":"pong"}"#);
}

#[tokio::test(start_paused = true)]
async fn unanswerable_ping_is_reported_before_the_end() {
    let (mut socket, mut peer) = ends().await;
    peer.send(PING, b"last words").await;
    drop(peer);
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::Ping, false));
    assert!(matches!(observer.next().await, ObserverEvent::Ended(_)));
}

#[tokio::test(start_paused = true)]
async fn unread_close_frame_wins_over_a_failed_write() {
    let (mut socket, mut peer) = ends().await;
    peer.send(CLOSE, &[0x0f, 0xa1]).await;
    drop(peer);
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    let disconnect = observer.send_regular().unwrap_err();
    assert!(matches!(disconnect.how, CloseKind::CloseFrame { code: Some(4001), .. }), "{disconnect:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_to_own_traffic_are_not_heartbeats() {
    let (mut socket, mut peer) = ends().await;
    let start = Instant::now();
    let config = ObserverConfig { pings: Some(ms(400)), messages: true, ..config() };
    let script = tokio::spawn(async move {
        let payload = peer.ping().await;
        let left = start.elapsed();
        peer.pong(&payload).await;
        let echo = peer.text().await;
        peer.send(TEXT, echo.as_bytes()).await;
        peer.pong(b"nobody asked").await;
        (left, peer)
    });
    let mut observer = Observer::new(&mut socket, config, start);
    for _ in 0..2 {
        let event = observer.next().await;
        assert!(matches!(event, ObserverEvent::Answered { .. }), "{event:?}");
    }
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::Pong, false));
    assert_eq!(script.await.unwrap().0, ms(400));
}

#[tokio::test(start_paused = true)]
async fn echoed_answer_is_not_answered_again() {
    let (mut socket, mut peer) = ends().await;
    let script = tokio::spawn(async move {
        peer.send(TEXT, b"{}").await;
        let answer = peer.text().await;
        peer.send(TEXT, answer.as_bytes()).await;
        // Its next ping is one again.
        sleep(ms(25_000)).await;
        peer.send(TEXT, b"{}").await;
        (peer.text().await, peer)
    });
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, true));
    assert!(matches!(observer.next().await, ObserverEvent::Answered { .. }));
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, true));
    assert_eq!(script.await.unwrap().0, "{}");
}

#[tokio::test(start_paused = true)]
async fn hello_has_exactly_one_answer() {
    let (mut socket, mut peer) = ends().await;
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    observer.introduce(true);
    let payload = peer.ping().await;
    let asked = peer.text().await;
    peer.pong(&payload).await;
    for _ in 0..2 {
        peer.send(TEXT, asked.replace("ping", "pong").as_bytes()).await;
    }
    for _ in 0..2 {
        let event = observer.next().await;
        assert!(matches!(event, ObserverEvent::Answered { .. }), "{event:?}");
    }
    assert_eq!(
        event_kind(&observer.next().await),
        (ServerEventKind::Message, false),
        "the server says that by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn server_ping_equal_to_our_hello_is_an_event() {
    let (mut socket, mut peer) = ends().await;
    let config = ObserverConfig { ask: "ping".parse().unwrap(), answer: "pong".parse().unwrap(), ..config() };
    let mut observer = Observer::new(&mut socket, config, Instant::now());
    observer.introduce(true);
    peer.ping().await;
    assert_eq!(peer.text().await, "ping");
    let script = tokio::spawn(async move {
        peer.send(TEXT, b"ping").await;
        sleep(ms(25_000)).await;
        peer.send(TEXT, b"ping").await;
        peer
    });
    assert!(matches!(observer.next().await, ObserverEvent::Answered { .. }), "an echo");
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::AppPing, true));
    drop(script.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn relayed_messages_are_marked() {
    let (mut socket, mut peer) = ends().await;
    let (mut other, mut others_peer) = ends().await;
    let relay = RelayDetector::new(ms(100));
    let mut talker = Observer::new(&mut other, config(), Instant::now()).among(relay.clone());
    talker.send_own_message().unwrap();
    let sent = others_peer.text().await;
    relay.record_sent(Instant::now(), Payload::Text("ping".to_string()));
    let mut observer = Observer::new(&mut socket, config(), Instant::now()).among(relay);
    for text in [sent.as_str(), "ping", "ping"] {
        peer.send(TEXT, text.as_bytes()).await;
    }
    let mut events = Vec::new();
    for _ in 0..3 {
        let ObserverEvent::ServerEvent { event, repeats, .. } = observer.next().await else { panic!() };
        events.push((event.event_kind, repeats));
    }
    assert_eq!(
        events,
        [
            (ServerEventKind::Message, false),
            (ServerEventKind::AppPing, true),
            (ServerEventKind::AppPing, false)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn keepalive_is_reported_when_it_leaves() {
    let (mut socket, mut peer) = ends().await;
    let keepalive = KeepaliveSpec { message: "alive".parse().unwrap(), every: ms(700) };
    let profile = ProtocolProfile { keepalive: Some(keepalive), ..ProtocolProfile::default() };
    let start = Instant::now();
    let mut observer = Observer::new(&mut socket, ObserverConfig { profile, ..config() }, start);
    assert_eq!(observer.next().await, ObserverEvent::KeepaliveSent { at: start + ms(700) });
    assert_eq!(peer.text().await, "alive");
}

#[tokio::test(start_paused = true)]
async fn unread_connection_is_polled_until_its_end() {
    let start = Instant::now();
    until_over(|| start.elapsed() >= ms(1234)).await;
    assert_eq!(start.elapsed(), ms(1240));
}

/// A Ping with 16 bytes takes 22.
#[tokio::test(start_paused = true)]
async fn what_flow_control_holds_back_is_known_until_the_next_answer() {
    let (mut socket, mut peer, grant) = windowed_socket(22 + 10).await;
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    observer.introduce(false);
    let payload = peer.ping().await;
    peer.pong(&payload).await;
    assert!(matches!(observer.next().await, ObserverEvent::Answered { held_back: None, .. }));
    observer.send_regular().unwrap();
    assert_eq!(observer.held_back_by(), Some(ExhaustedWindow::Stream));
    grant.enlarge(22);
    let answering = tokio::spawn(async move {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
        peer
    });
    let held_back = Some(ExhaustedWindow::Stream);
    assert!(
        matches!(observer.next().await, ObserverEvent::Answered { held_back: held, .. } if held == held_back)
    );
    assert_eq!(observer.held_back_by(), None);
    drop(answering.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn pong_without_room_is_held_back() {
    let (mut socket, mut peer, _grant) = windowed_socket(0).await;
    peer.send(PING, b"x").await;
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    assert_eq!(event_kind(&observer.next().await), (ServerEventKind::Ping, false));
    assert_eq!(observer.held_back_by(), Some(ExhaustedWindow::Stream));
}
