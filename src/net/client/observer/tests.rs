//! What a guest hears and says, exactly: an in-memory stream and a clock that stands still unless told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::{Observer, ObserverConfig, ObserverEvent, RelayDetector, until_over};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{KeepaliveSpec, ProtocolProfile};
use crate::domain::heartbeat::template::{Payload, Template};
use crate::domain::listen::ServerEventKind;
use crate::domain::listen::known_pings::KnownPings;
use crate::net::client::websocket::WebSocket;
use crate::net::testing::raw_peer::{CLOSE, PING, PONG, RawPeer, TEXT};
use crate::net::transport::tap::Tap;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn config() -> ObserverConfig {
    ObserverConfig {
        shapes: KnownPings::default(),
        answers_messages: true,
        pings: None,
        messages: false,
        ask: Template::default(),
        answer: Pattern::default(),
        convention: ProtocolProfile::default(),
    }
}

async fn ends() -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
    ends_of(64 * 1024).await
}

/// So many bytes may be under way.
async fn ends_of(room: usize) -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
    let (near, far) = duplex(room);
    let tap = Tap::new(near);
    let marks = tap.state();
    (WebSocket::new(tap, Vec::new(), marks, 65_536, 1024).await, RawPeer { io: far })
}

fn sound(heard: &ObserverEvent) -> (ServerEventKind, bool) {
    match heard {
        ObserverEvent::ServerEvent { said, answered, .. } => (said.sound, *answered),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_says_is_heard_at_its_moment_and_answered() {
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
    let ObserverEvent::ServerEvent { at, said, .. } = observer.next().await else { panic!() };
    assert_eq!((at - start, said.sound, said.text.as_str()), (ms(500), ServerEventKind::Ping, "one"));
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, true));
    assert_eq!(start.elapsed(), ms(800));
    let (pong, answer) = script.await.unwrap();
    assert_eq!((pong, answer.as_str()), (Some((PONG, b"one".to_vec())), r#"{"type":"pong"}"#));
}

#[tokio::test(start_paused = true)]
async fn a_muted_guest_hears_all_and_says_nothing() {
    let (mut socket, mut peer) = ends().await;
    socket.stream_mut().mute().shut();
    let start = Instant::now();
    let script = tokio::spawn(async move {
        peer.send(PING, b"one").await;
        peer.send(TEXT, b"{\"type\":\"ping\"}").await;
        sleep(ms(2000)).await;
        peer.send(CLOSE, &[0x0f, 0xa0]).await;
        let mut heard = Vec::new();
        peer.io.read_to_end(&mut heard).await.unwrap();
        heard
    });
    let mut observer =
        Observer::new(&mut socket, ObserverConfig { answers_messages: false, ..config() }, start);
    assert_eq!(sound(&observer.next().await).0, ServerEventKind::Ping);
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, false));
    let ObserverEvent::Ended(cut) = observer.next().await else { panic!() };
    assert!(matches!(cut.how, CloseKind::CloseFrame { code: Some(4000), .. }), "{cut:?}");
    assert_eq!(observer.ending(cut).age, ms(2000));
    drop(socket);
    assert_eq!(script.await.unwrap(), b"", "not even the answer to the close frame");
}

#[tokio::test(start_paused = true)]
async fn only_what_left_is_an_answer() {
    let (mut socket, mut peer) = ends_of(64).await;
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    let ping: &[u8] = br#"{"type":"ping"}"#;
    let payload = [b'x'; 40];
    // 46 of 64 bytes, and 46 more: nobody reads them.
    for answered in [true, false] {
        peer.send(PING, &payload).await;
        assert_eq!(sound(&observer.next().await), (ServerEventKind::Ping, answered));
    }
    peer.send(TEXT, ping).await;
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, false));
    // They leave as soon as there is room, and then there is room for more.
    let read = async {
        for expected in [PONG, PONG, TEXT] {
            assert_eq!(peer.frame().await.unwrap().0, expected);
        }
        peer.send(TEXT, ping).await;
        peer
    };
    let (heard, mut peer) = tokio::join!(observer.next(), read);
    assert_eq!(sound(&heard), (ServerEventKind::AppPing, true));
    assert_eq!(peer.text().await, r#"{"type":"pong"}"#);
}

#[tokio::test(start_paused = true)]
async fn unanswerable_ping_is_reported_before_the_end() {
    let (mut socket, mut peer) = ends().await;
    peer.send(PING, b"last words").await;
    drop(peer);
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    assert_eq!(sound(&observer.next().await), (ServerEventKind::Ping, false));
    assert!(matches!(observer.next().await, ObserverEvent::Ended(_)));
}

#[tokio::test(start_paused = true)]
async fn unread_close_frame_outranks_a_failed_write() {
    let (mut socket, mut peer) = ends().await;
    peer.send(CLOSE, &[0x0f, 0xa1]).await;
    drop(peer);
    let mut observer = Observer::new(&mut socket, config(), Instant::now());
    let cut = observer.ask().unwrap_err();
    assert!(matches!(cut.how, CloseKind::CloseFrame { code: Some(4001), .. }), "{cut:?}");
}

#[tokio::test(start_paused = true)]
async fn answers_to_own_traffic_are_no_server_heartbeats() {
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
        let heard = observer.next().await;
        assert!(matches!(heard, ObserverEvent::Answered { .. }), "{heard:?}");
    }
    assert_eq!(sound(&observer.next().await), (ServerEventKind::Pong, false));
    assert_eq!(script.await.unwrap().0, ms(400));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_back_is_not_answered_for_ever() {
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
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, true));
    assert!(matches!(observer.next().await, ObserverEvent::Answered { .. }));
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, true));
    assert_eq!(script.await.unwrap().0, "{}");
}

#[tokio::test(start_paused = true)]
async fn it_introduces_itself_once_and_only_one_answer_is_one_to_that() {
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
        let heard = observer.next().await;
        assert!(matches!(heard, ObserverEvent::Answered { .. }), "{heard:?}");
    }
    assert_eq!(
        sound(&observer.next().await),
        (ServerEventKind::Message, false),
        "the server says that by itself"
    );
}

#[tokio::test(start_paused = true)]
async fn server_ping_equal_to_our_hello_is_the_servers() {
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
    assert_eq!(sound(&observer.next().await), (ServerEventKind::AppPing, true));
    drop(script.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn what_a_server_passes_on_is_nothing_that_it_says_by_itself() {
    let (mut socket, mut peer) = ends().await;
    let (mut other, mut others_peer) = ends().await;
    let words = RelayDetector::new(ms(100));
    let mut talker = Observer::new(&mut other, config(), Instant::now()).among(words.clone());
    talker.talk().unwrap();
    let said = others_peer.text().await;
    words.say(Instant::now(), Payload::Text("ping".to_string()));
    let mut observer = Observer::new(&mut socket, config(), Instant::now()).among(words);
    for text in [said.as_str(), "ping", "ping"] {
        peer.send(TEXT, text.as_bytes()).await;
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        let ObserverEvent::ServerEvent { said, repeats, .. } = observer.next().await else { panic!() };
        heard.push((said.sound, repeats));
    }
    assert_eq!(
        heard,
        [
            (ServerEventKind::Message, false),
            (ServerEventKind::AppPing, true),
            (ServerEventKind::AppPing, false)
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_keeps_the_convention_alive_is_told_when_it_leaves() {
    let (mut socket, mut peer) = ends().await;
    let upkeep = KeepaliveSpec { message: "alive".parse().unwrap(), every: ms(700) };
    let convention = ProtocolProfile { upkeep: Some(upkeep), ..ProtocolProfile::default() };
    let start = Instant::now();
    let mut observer = Observer::new(&mut socket, ObserverConfig { convention, ..config() }, start);
    assert_eq!(observer.next().await, ObserverEvent::KeepaliveSent { at: start + ms(700) });
    assert_eq!(peer.text().await, "alive");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_not_read_is_looked_at_until_it_is_over() {
    let start = Instant::now();
    until_over(|| start.elapsed() >= ms(1234)).await;
    assert_eq!(start.elapsed(), ms(1240));
}
