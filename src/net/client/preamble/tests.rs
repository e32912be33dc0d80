//! Exact timing of preambles: an in-memory stream and a paused clock.

use std::sync::Mutex;
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::time::Instant;

use super::{Preamble, run_preamble};
use crate::domain::catalogue::find_preset;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::heartbeat::template::Template;
use crate::domain::ping::event::{ConnEvent, PeerTraffic, ServerPingKind};
use crate::net::client::websocket::WebSocket;
use crate::net::testing::raw_peer::{CLOSE, RawPeer, TEXT};
use crate::net::testing::windowed_stream::windowed_socket;
use crate::net::transport::tap::Tap;
use crate::net::transport::upgraded_stream::UpgradedStream;

const BINARY: u8 = 2;

fn preamble(name: &str) -> Preamble {
    let compiled = find_preset(name).unwrap().compile("a.example").unwrap();
    Preamble {
        first: compiled.first,
        send: compiled.hello,
        awaited: compiled.awaited,
        timeout: Duration::from_secs(10),
        answer_pings: true,
        profile: compiled.profile,
    }
}

async fn ends() -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
    let (near, far) = duplex(64 * 1024);
    let tap = Tap::new(near);
    (WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await, RawPeer { io: far })
}

/// Runs a preamble against a peer that does this; returns the result, the events and the duration.
async fn greeted(
    name: &str,
    peer: impl AsyncFnOnce(&mut RawPeer),
) -> (Result<(), ConnectError>, Vec<ConnEvent>, Duration) {
    let (mut socket, mut far) = ends().await;
    let (preamble, target) = (preamble(name), "ws://a.example/".parse().unwrap());
    let events = Mutex::new(Vec::new());
    let emit = |event| events.lock().unwrap().push(event);
    let began = Instant::now();
    let greet = async {
        let result = run_preamble(&mut socket, &preamble, &target, &emit).await;
        (result, began.elapsed())
    };
    let ((result, after), ()) = tokio::join!(greet, peer(&mut far));
    (result, events.into_inner().unwrap(), after)
}

fn complaint(result: Result<(), ConnectError>) -> (String, String) {
    let error = result.unwrap_err();
    (error.cause, error.hint.unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn hello_waits_for_the_servers_first_message() {
    let (result, events, _) = greeted("socket.io", async |peer: &mut RawPeer| {
        let early = tokio::time::timeout(Duration::from_secs(3), peer.frame()).await;
        assert!(early.is_err(), "nothing is sent before the server's first message");
        peer.send(TEXT, br#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#).await;
        assert_eq!(peer.text().await, "40");
        peer.send(TEXT, br#"40{"sid":"y"}"#).await;
    })
    .await;
    assert_eq!(result, Ok(()));
    assert_eq!(events, [ConnEvent::Announced(Duration::from_secs(25))]);
}

#[tokio::test(start_paused = true)]
async fn server_pings_are_answered_meanwhile() {
    let (result, events, _) = greeted("nats", async |peer: &mut RawPeer| {
        peer.send(BINARY, b"INFO {\"server_id\":\"N\"} \r\n").await;
        assert!(peer.frame().await.unwrap().1.starts_with(b"CONNECT {"));
        assert_eq!(peer.frame().await, Some((BINARY, b"PING\r\n".to_vec())));
        peer.send(BINARY, b"PING\r\n").await;
        assert_eq!(peer.frame().await, Some((BINARY, b"PONG\r\n".to_vec())));
        peer.send(BINARY, b"PONG\r\n").await;
    })
    .await;
    assert_eq!(result, Ok(()));
    assert_eq!(
        events,
        [ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: true }, 1)]
    );
}

#[tokio::test(start_paused = true)]
async fn server_of_another_preset_is_named_on_timeout() {
    let (result, _, after) = greeted("graphql-ws", async |peer: &mut RawPeer| {
        peer.send(TEXT, b"o").await;
    })
    .await;
    assert_eq!(after, Duration::from_secs(10));
    let (cause, hint) = complaint(result);
    assert_eq!(
        cause,
        "no message matched '{\"type\":\"connection_ack\"}' of the preset graphql-ws within 10 s; one other came: o, \
         which looks like sockjs"
    );
    assert_eq!(hint, "try --preset sockjs");
}

#[tokio::test(start_paused = true)]
async fn silent_server_does_not_hang_the_preamble() {
    let (result, _, after) = greeted("engine.io", async |_: &mut RawPeer| {
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    assert_eq!(after, Duration::from_secs(10));
    let (cause, hint) = complaint(result);
    assert!(cause.ends_with("of the preset engine.io within 10 s; no message was received"), "{cause}");
    assert_eq!(hint, "does this server speak engine.io? 'wscheck listen' shows what it sends by itself");
}

#[tokio::test(start_paused = true)]
async fn close_on_hello_reports_the_last_message() {
    let (result, _, _) = greeted("graphql-ws", async |peer: &mut RawPeer| {
        peer.send(TEXT, br#"{"type":"welcome"}"#).await;
        peer.text().await;
        peer.send(CLOSE, &[0x0f, 0xa1]).await;
    })
    .await;
    let (cause, hint) = complaint(result);
    assert!(cause.contains("close 4001"), "{cause}");
    assert!(cause.ends_with("after '{\"type\":\"welcome\"}', which looks like action-cable"), "{cause}");
    assert_eq!(hint, "try --preset action-cable");
}

#[tokio::test(start_paused = true)]
async fn mqtt_refusal_is_explained_with_a_hint() {
    let (result, _, _) = greeted("mqtt", async |peer: &mut RawPeer| {
        peer.frame().await;
        peer.send(2, &[0x20, 2, 0, 5]).await;
        peer.send(CLOSE, &[0x03, 0xe8]).await;
    })
    .await;
    let (cause, hint) = complaint(result);
    assert!(
        cause.starts_with("the server refused: CONNACK 5 'not authorized'; then peer sent close 1000"),
        "{cause}"
    );
    assert!(hint.starts_with("the broker wants credentials: "), "{hint}");
    let (result, _, _) = greeted("mqtt", async |peer: &mut RawPeer| {
        peer.frame().await;
        peer.send(2, &[0x20, 3, 0, 0x84, 0]).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
    })
    .await;
    let (cause, hint) = complaint(result);
    assert!(cause.ends_with("the server refused: CONNACK 0x84 'unsupported protocol version'"), "{cause}");
    assert!(hint.starts_with("the broker wants another version of MQTT"), "{hint}");
}

#[tokio::test(start_paused = true)]
async fn preamble_that_flow_control_holds_back_says_so() {
    let (mut socket, _peer, _grant) = windowed_socket(5).await;
    let (timeout, send) = (Duration::from_secs(3), vec![Template::default()]);
    let (preamble, target) =
        (Preamble { timeout, send, ..Preamble::default() }, "ws://a.example/".parse().unwrap());
    let error = run_preamble(&mut socket, &preamble, &target, &|_| {}).await.unwrap_err();
    let cause =
        "the preamble could not be sent within 3 s: the stream's flow-control window of HTTP/2 is exhausted";
    assert_eq!(error.cause, cause);
}
