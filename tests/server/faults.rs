//! Every fault of the server, as a bare client sees it on the wire.

use std::time::Duration;

use crate::http2_peer::{self, Http2Connection, Http2Got, extended_connect};
use crate::peer::{Bare, CLOSE, Got, PING, PONG, Raw, Served, TEXT, UPGRADE, within};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use wscheck::domain::client_test::activity::SpanReading;
use wscheck::domain::connection::close_cause::{CloseKind, ClosedBy};
use wscheck::domain::connection::http2::Http2Code;
use wscheck::domain::connection::untrusted_text::UntrustedText;
use wscheck::server::faults::FAULTS;
use wscheck::server::{RejectedConnection, ServeEvent, ServeEventKind, ServerConfig};

/// A client of a server with these faults.
async fn faced_with(faults: &[&str]) -> (Served, Bare) {
    let served = Served::with_faults(faults).await;
    let client = Bare::connect(served.address).await;
    (served, client)
}

/// Sends pings in turn; returns the received payloads until the answer to `last`.
async fn answers(client: &mut Bare, pings: &[&str], last: &str) -> Vec<String> {
    for ping in pings {
        client.send(PING, ping.as_bytes()).await;
    }
    let mut seen = Vec::new();
    while seen.last().is_none_or(|payload| payload != last) {
        let (first, payload) = client.frame().await;
        assert_eq!(first, PONG);
        seen.push(payload);
    }
    seen
}

/// Checks that nothing comes back before the answer to the next message.
async fn stays_silent(client: &mut Bare) {
    client.send(PING, b"anybody?").await;
    let silence = tokio::time::timeout(Duration::from_millis(300), client.stream.read_u8()).await;
    assert!(silence.is_err(), "{silence:?} came");
}

#[test]
fn every_fault_is_tested_here() {
    let here = include_str!("faults.rs");
    for definition in FAULTS {
        let (flag, valued) = (format!("\"{}\"", definition.name), format!("\"{}=", definition.name));
        assert!(here.contains(&flag) || here.contains(&valued), "--{} has no test", definition.name);
    }
}

#[tokio::test]
async fn delay_and_jitter_keep_pongs_in_order() {
    for (faults, least) in [(&["delay=60ms"][..], 60), (&["delay=60ms", "jitter=40ms"], 60)] {
        let (served, mut client) = faced_with(faults).await;
        let start = Instant::now();
        assert_eq!(answers(&mut client, &["a", "b", "c"], "c").await, ["a", "b", "c"]);
        assert!(start.elapsed() >= Duration::from_millis(least));
        served.stop().await;
    }
}

#[tokio::test]
async fn pong_loss_loses_a_share() {
    let (served, mut client) = faced_with(&["pong-loss=100%"]).await;
    stays_silent(&mut client).await;
    served.stop().await;
}

#[tokio::test]
async fn supersede_answers_only_the_latest() {
    let (served, mut client) = faced_with(&["supersede=3"]).await;
    assert_eq!(answers(&mut client, &["a", "b", "c", "d", "e", "f"], "f").await, ["c", "f"]);
    served.stop().await;
}

#[tokio::test]
async fn merged_pongs_answer_only_the_latest_ping() {
    let (served, mut client) = faced_with(&["merge-pongs=200ms"]).await;
    assert_eq!(answers(&mut client, &["a", "b", "c"], "c").await, ["c"]);
    served.stop().await;
}

#[tokio::test]
async fn wrong_payload_answers_with_another() {
    let (served, mut client) = faced_with(&["wrong-payload"]).await;
    client.send(PING, b"\x01\x02").await;
    assert_eq!(client.next().await, Got::Frame(Raw(PONG, vec![0xfe, 0xfd])));
    client.send(TEXT, br#"{"type":"ping","id":"x"}"#).await;
    assert!(client.frame().await.1.starts_with(r#"{"type":"pong","id":"wrong","serverTime":"#));
    served.stop().await;
}

#[tokio::test]
async fn duplicate_pongs_come_twice() {
    let (served, mut client) = faced_with(&["duplicate-pongs"]).await;
    assert_eq!(answers(&mut client, &["a", "b"], "b").await, ["a", "a", "b"]);
    assert_eq!(client.frame().await, (PONG, "b".into()));
    served.stop().await;
}

#[tokio::test]
async fn unsolicited_pongs_come_by_themselves() {
    let (served, mut client) = faced_with(&["unsolicited-pong=20ms"]).await;
    assert_eq!(client.frame().await, (PONG, "unsolicited-0".into()));
    assert_eq!(client.frame().await, (PONG, "unsolicited-1".into()));
    served.stop().await;
}

#[tokio::test]
async fn chatter_comes_by_itself() {
    let (served, mut client) = faced_with(&["chatter=20ms"]).await;
    assert_eq!(client.frame().await, (TEXT, r#"{"type":"chatter","seq":0}"#.into()));
    assert_eq!(client.frame().await, (TEXT, r#"{"type":"chatter","seq":1}"#.into()));
    served.stop().await;
}

#[tokio::test]
async fn ping_flood_floods() {
    let (served, mut client) = faced_with(&["ping-flood=2000"]).await;
    for n in 0..500 {
        assert_eq!(client.frame().await, (PING, format!("flood-{n}")));
    }
    served.stop().await;
}

#[tokio::test]
async fn stall_stops_reading_with_the_socket_open() {
    let (mut served, mut client) = faced_with(&["stall=20ms"]).await;
    fault(&mut served, "stall at age 20 ms").await;
    stays_silent(&mut client).await;
    // Unread data fills both ends' buffers; then writing blocks.
    let full = tokio::time::timeout(Duration::from_secs(2), async {
        let block = vec![0; 1 << 20];
        for _ in 0..64 {
            tokio::io::AsyncWriteExt::write_all(&mut client.stream, &block).await.unwrap();
        }
    });
    assert!(full.await.is_err(), "64 MiB were taken");
    served.stop().await;
}

#[tokio::test]
async fn departed_client_of_a_stalled_connection_is_noticed() {
    let (mut served, mut client) = faced_with(&["stall=20ms"]).await;
    fault(&mut served, "stall at age 20 ms").await;
    client.send(PING, b"never read").await;
    drop(client);
    assert_eq!(served.ended().await, "peer closed TCP (FIN) without a close frame");
    served.stop().await;
}

#[tokio::test]
async fn client_that_leaves_a_silent_server_and_returns_is_recorded() {
    for cut in ["stall=20ms", "mute=20ms", "lifetime=20ms:silent", "half-close=20ms"] {
        let (mut served, client) = faced_with(&[cut]).await;
        served.event(|event| matches!(event.what, ServeEventKind::Fault(_)).then_some(())).await;
        drop(client);
        let _returned = Bare::connect(served.address).await;
        let summary = served.stop().await;
        let activity = &summary.activity;
        assert_eq!((activity.clients, activity.reconnects), (2, 1), "{cut}");
        assert!(matches!(activity.return_delay(), SpanReading::Longest(_)), "{cut}: {activity:?}");
        assert!(summary.faults.values().sum::<u64>() >= 1, "{cut}: {summary:?}");
    }
}

#[tokio::test]
async fn what_faults_did_is_counted() {
    let (served, mut client) = faced_with(&["supersede=2"]).await;
    answers(&mut client, &["1", "2", "3", "4"], "4").await;
    drop(client);
    assert_eq!(served.stop().await.faults, [("pong_dropped", 2)].into());
    let served = Served::with_faults(&["refuse=503"]).await;
    let mut client = Bare::knock(served.address).await;
    client.write(UPGRADE.as_bytes()).await;
    client.rest().await;
    assert_eq!(served.stop().await.faults, [("upgrade_refused", 1)].into());
}

#[tokio::test]
async fn client_that_gives_up_a_slow_upgrade_is_rejected() {
    let mut served = Served::with_faults(&["slow-upgrade=1h"]).await;
    let mut client = Bare::knock(served.address).await;
    client.write(UPGRADE.as_bytes()).await;
    drop(client);
    let why = served.event(|event| match &event.what {
        ServeEventKind::Rejected { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(why.await, RejectedConnection::ClosedUnanswered);
    let activity = served.stop().await.activity;
    assert_eq!((activity.clients, activity.was_reached()), (0, true));
}

#[tokio::test]
async fn mute_reads_and_answers_nothing() {
    let (mut served, mut client) = faced_with(&["mute=20ms"]).await;
    fault(&mut served, "mute at age 20 ms").await;
    stays_silent(&mut client).await;
    swallows(&mut client).await;
    served.stop().await;
}

/// Checks that the server accepts more than both ends' buffers can hold.
async fn swallows(client: &mut Bare) {
    let block = vec![0; 1 << 20];
    for _ in 0..32 {
        client.write(&block).await;
    }
}

async fn fault(served: &mut Served, expected: &str) {
    let told = served.event(|event| match &event.what {
        ServeEventKind::Fault(fault) => Some(fault.to_string()),
        _ => None,
    });
    assert_eq!(told.await, expected);
}

#[tokio::test]
async fn close_after_sends_its_code() {
    let (served, mut client) = faced_with(&["close-after=20ms:4001"]).await;
    assert_eq!(client.next().await, Got::Frame(Raw(CLOSE, 4001_u16.to_be_bytes().to_vec())));
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn fin_after_is_a_bare_fin() {
    let (mut served, mut client) = faced_with(&["fin-after=20ms"]).await;
    fault(&mut served, "fin at age 20 ms").await;
    // A ping that crosses the FIN is not answered by an RST.
    client.send(PING, b"too late").await;
    assert_eq!(client.next().await, Got::Fin);
    let ended = served.event(|event| match &event.what {
        ServeEventKind::Closed { ending, .. } => Some((ending.who, ending.how.clone())),
        _ => None,
    });
    assert_eq!(ended.await, (ClosedBy::Us, CloseKind::Fin));
    served.stop().await;
}

#[tokio::test]
async fn rst_after_is_an_rst() {
    let (served, mut client) = faced_with(&["rst-after=20ms"]).await;
    assert_eq!(client.next().await, Got::Rst);
    served.stop().await;
}

#[tokio::test]
async fn half_close_keeps_reading() {
    let (served, mut client) = faced_with(&["half-close=20ms"]).await;
    assert_eq!(client.next().await, Got::Fin);
    swallows(&mut client).await;
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn idle_timeout_cuts_in_every_manner() {
    let close = |code: u16| Got::Frame(Raw(CLOSE, code.to_be_bytes().to_vec()));
    let visible = [("fin", Got::Fin), ("rst", Got::Rst), ("close", close(1000)), ("close:1001", close(1001))];
    for (cut, seen) in visible {
        let (served, mut client) = faced_with(&["idle-timeout=50ms", &format!("idle-cut={cut}")]).await;
        assert_eq!(client.next().await, seen, "{cut}");
        drop(client);
        served.stop().await;
    }
}

#[tokio::test]
async fn silent_cut_discards_everything() {
    let (mut served, mut client) = faced_with(&["idle-timeout=20ms", "idle-cut=silent"]).await;
    fault(&mut served, "silent after 20 ms idle").await;
    stays_silent(&mut client).await;
    swallows(&mut client).await;
    served.stop().await;
}

#[tokio::test]
async fn rst_on_use_waits_for_the_client() {
    let (mut served, mut client) = faced_with(&["idle-timeout=20ms", "idle-cut=rst-on-use"]).await;
    fault(&mut served, "rst-on-use after 20 ms idle").await;
    client.send(PING, b"hello?").await;
    assert_eq!(client.next().await, Got::Rst);
    served.stop().await;
}

#[tokio::test]
async fn only_client_messages_reset_that_idle_timer() {
    let faults = ["idle-timeout=150ms", "messages-only", "idle-resets=client", "unsolicited-pong=20ms"];
    let (mut served, mut client) = faced_with(&faults).await;
    let pinged = async {
        for n in 0_u32.. {
            client.send(PING, &n.to_be_bytes()).await;
            loop {
                match client.next().await {
                    Got::Frame(Raw(PONG, payload)) if payload == n.to_be_bytes() => break,
                    Got::Frame(_) => {}
                    end => return (n, end),
                }
            }
        }
        unreachable!()
    };
    let cut = async { fault(&mut served, "fin after 150 ms idle").await };
    let ((answered, end), ()) = tokio::join!(pinged, cut);
    assert!(answered > 1 && matches!(end, Got::Fin | Got::Rst), "{answered} {end:?}");
    served.stop().await;
}

#[tokio::test]
async fn lingering_hop_closes_late() {
    let (mut served, mut client) = faced_with(&["idle-timeout=20ms", "linger=400ms"]).await;
    fault(&mut served, "silent after 20 ms idle").await;
    let start = Instant::now();
    client.send(PING, b"swallowed").await;
    assert_eq!(client.next().await, Got::Fin);
    assert!(start.elapsed() > Duration::from_millis(200));
    served.stop().await;
}

#[tokio::test]
async fn lifetime_cuts_active_connections() {
    let (served, mut client) = faced_with(&["lifetime=100ms:rst", "chatter=10ms"]).await;
    let end = loop {
        match client.next().await {
            Got::Frame(Raw(TEXT, _)) => {}
            end => break end,
        }
    };
    assert_eq!(end, Got::Rst);
    served.stop().await;
}

/// The response to an upgrade that goes wrong.
async fn answered(fault: &str) -> (Served, String) {
    let served = Served::with_faults(&[fault]).await;
    let mut client = Bare::knock(served.address).await;
    client.write(UPGRADE.as_bytes()).await;
    let head = client.head().await;
    (served, head)
}

#[tokio::test]
async fn refuse_and_redirect_answer_with_their_status() {
    let (mut served, head) = answered("refuse=403").await;
    assert!(head.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{head}");
    let why = served.event(|event| match &event.what {
        ServeEventKind::Rejected { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(why.await, RejectedConnection::OnOrder(403, None));
    served.stop().await;
    let (served, head) = answered("redirect=ws://a.example/there").await;
    assert!(head.starts_with("HTTP/1.1 302 Found\r\n"), "{head}");
    assert!(head.contains("\r\nLocation: ws://a.example/there\r\n"), "{head}");
    served.stop().await;
}

#[tokio::test]
async fn slow_upgrade_is_delayed() {
    let start = Instant::now();
    let (served, head) = answered("slow-upgrade=150ms").await;
    assert!(head.starts_with("HTTP/1.1 101 ") && start.elapsed() >= Duration::from_millis(150));
    served.stop().await;
}

#[tokio::test]
async fn wrong_accept_key_is_sent() {
    // The correct value for this key is in RFC 6455 1.3.
    let right = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let (served, head) = answered("wrong-accept").await;
    assert!(head.contains("\r\nSec-WebSocket-Accept: ") && !head.contains(right), "{head}");
    served.stop().await;
}

/// A client that offers compression, and the head of the server's answer.
async fn compressing(faults: &[&str]) -> (Served, Bare, String) {
    let served = Served::with_faults(faults).await;
    let mut client = Bare::knock(served.address).await;
    let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    client.write(UPGRADE.replacen("\r\n\r\n", offer, 1).as_bytes()).await;
    let head = client.head().await;
    (served, client, head)
}

#[tokio::test]
async fn compression_is_agreed_and_used() {
    let is_faulty = |event: &ServeEvent| match &event.what {
        ServeEventKind::Opened { faulty, .. } => Some(*faulty),
        _ => None,
    };
    let (mut served, mut client, head) = compressing(&["deflate"]).await;
    assert!(head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"), "{head}");
    assert!(!served.event(is_faulty).await, "it is no fault");
    // `Hello` in RFC 7692 7.2.3.1.
    client.send(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).await;
    assert_eq!(client.stream.read_u8().await.unwrap(), 0xc1, "the echo is compressed, too");
    served.stop().await;
    let (mut served, _client, head) = compressing(&["deflate=server_max_window_bits=99"]).await;
    assert!(served.event(is_faulty).await);
    assert!(
        head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n"),
        "{head}"
    );
    served.stop().await;
    let (served, _client, head) = compressing(&[]).await;
    assert!(!head.contains("Sec-WebSocket-Extensions"), "{head}");
    served.stop().await;
}

#[tokio::test]
async fn bomb_and_unagreed_compression_are_sent() {
    let (served, mut client, _) = compressing(&["deflate-bomb"]).await;
    assert_eq!((client.stream.read_u8().await.unwrap(), client.stream.read_u8().await.unwrap()), (0xc1, 127));
    assert!(client.stream.read_u64().await.unwrap() > 500_000);
    served.stop().await;
    let (served, mut client) = faced_with(&["rsv1-without-agreement"]).await;
    assert_eq!(client.stream.read_u8().await.unwrap(), 0xc1);
    served.stop().await;
}

#[tokio::test]
async fn lenient_server_accepts_http_1_0_and_no_host() {
    for request in [UPGRADE.replace("HTTP/1.1", "HTTP/1.0"), UPGRADE.replace("Host: a\r\n", "")] {
        for (faults, status) in [(&[][..], "HTTP/1.1 400 "), (&["lenient-upgrade"], "HTTP/1.1 101 ")] {
            let served = Served::with_faults(faults).await;
            let mut client = Bare::knock(served.address).await;
            client.write(request.as_bytes()).await;
            let head = client.head().await;
            assert!(head.starts_with(status), "{head}");
            drop(client);
            served.stop().await;
        }
    }
}

#[tokio::test]
async fn endless_header_never_ends() {
    let served = Served::with_faults(&["endless-header"]).await;
    let mut client = Bare::knock(served.address).await;
    client.write(UPGRADE.as_bytes()).await;
    let mut bytes = vec![0; 1 << 20];
    within(client.stream.read_exact(&mut bytes)).await.unwrap();
    assert!(bytes.starts_with(b"HTTP/1.1 101 "));
    assert!(!bytes.windows(4).any(|end| end == b"\r\n\r\n"));
    drop(client);
    served.stop().await;
}

#[tokio::test]
async fn first_bytes_are_sent_after_the_upgrade() {
    let huge = [0x82, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0];
    let cases: [(&str, &[u8]); 4] = [
        ("garbage", &[0xff; 64]),
        ("huge-frame", &huge),
        ("masked-frame", &[0x81, 0x82, 1, 2, 3, 4, 105, 107]),
        ("invalid-utf8", &[0x81, 2, 0xc3, 0x28]),
    ];
    for (fault, expected) in cases {
        let (served, mut client) = faced_with(&[fault]).await;
        let mut bytes = vec![0; expected.len()];
        within(client.stream.read_exact(&mut bytes)).await.unwrap();
        assert_eq!(bytes, expected, "{fault}");
        drop(client);
        served.stop().await;
    }
}

#[tokio::test]
async fn trickle_sends_one_byte_at_a_time() {
    let (served, mut client) = faced_with(&["trickle=30ms"]).await;
    let start = Instant::now();
    client.send(PING, b"abc").await;
    assert_eq!(client.frame().await, (PONG, "abc".into()));
    assert!(start.elapsed() >= Duration::from_millis(4 * 30));
    drop(client);
    served.stop().await;
}

/// A connection of HTTP/2 to a server with these faults.
async fn http2_with(faults: &[&str]) -> (Served, Http2Connection) {
    let config = ServerConfig { http2: true, max_faulty: Some(1), ..ServerConfig::default() };
    let served = Served::configured(config, faults).await;
    let connection = Http2Connection::connect(served.address).await;
    (served, connection)
}

/// The code by which the server resets the stream of a CONNECT.
async fn reset(connection: &mut Http2Connection) -> Http2Got {
    match connection.ask(extended_connect()).await {
        Ok((response, _)) => panic!("{response:?}"),
        Err(error) => http2_peer::end(&error),
    }
}

#[tokio::test]
async fn extended_connect_may_not_be_allowed() {
    let (mut served, connection) = http2_with(&["no-connect-protocol"]).await;
    assert!(!connection.requests.is_extended_connect_protocol_enabled());
    drop(connection);
    assert_eq!(served.rejected().await, "no_connect_protocol");
    // The next connection has no faults.
    let mut connection = Http2Connection::connect(served.address).await;
    assert!(connection.requests.is_extended_connect_protocol_enabled());
    connection.open().await;
    let summary = served.stop().await;
    assert_eq!((summary.clients, summary.faults["upgrade_refused"]), (1, 1));
}

#[tokio::test]
async fn connect_is_reset_with_the_code() {
    for (fault, code) in [("h2-reset=PROTOCOL_ERROR", 1), ("h2-reset=refused_stream", 7), ("h2-reset=99", 99)]
    {
        let (mut served, mut connection) = http2_with(&[fault]).await;
        assert_eq!(reset(&mut connection).await, Http2Got::Reset(code.into()));
        assert_eq!(served.rejected().await, "stream_reset");
        // The next stream of the connection has no faults.
        connection.open().await;
        served.stop().await;
    }
}

#[tokio::test]
async fn goaway_ends_the_connection() {
    let (mut served, mut connection) = http2_with(&["goaway-after=100ms"]).await;
    let (mut first, mut second) = (connection.open().await, connection.open().await);
    first.send(PING, b"a");
    assert_eq!(first.frame().await, (PONG, "a".into()));
    for client in [&mut first, &mut second] {
        // GOAWAY lets the streams that were processed go on, but TCP ends.
        assert_eq!(client.next().await, Http2Got::Broken);
        let how = served.event(|event| match &event.what {
            ServeEventKind::Closed { ending, .. } => Some((ending.who, ending.how.clone())),
            _ => None,
        });
        let (code, debug) = (Http2Code(0), UntrustedText::default());
        assert_eq!(how.await, (ClosedBy::Us, CloseKind::H2Goaway { code, debug }));
    }
    let refused = within(connection.requests.ready()).await.err().unwrap();
    assert_eq!(http2_peer::end(&refused), Http2Got::GoAway(h2::Reason::NO_ERROR));
    assert_eq!(served.stop().await.faults["goaway"], 2);
}

#[tokio::test]
async fn window_of_streams_is_as_given() {
    for (fault, window) in [("h2-window=0", 0), ("h2-window=100", 100), ("h2-window=200000", 200_000)] {
        let (served, mut connection) = http2_with(&[fault]).await;
        let mut client = connection.open().await;
        client.send.reserve_capacity(1 << 20);
        if window == 0 {
            let more = std::future::poll_fn(|cx| client.send.poll_capacity(cx));
            assert!(tokio::time::timeout(Duration::from_millis(200), more).await.is_err());
        }
        assert_eq!(client.send.capacity(), window, "{fault}");
        served.stop().await;
    }
}

#[tokio::test]
async fn only_the_given_share_is_faulty() {
    let mut config = ServerConfig { fault_share: 0.5, ..ServerConfig::default() };
    wscheck::server::faults::set(&mut config.faults, "refuse", "503").unwrap();
    let served = Served::start(config).await;
    let mut refused = 0;
    for _ in 0..10 {
        let mut client = Bare::knock(served.address).await;
        client.write(UPGRADE.as_bytes()).await;
        refused += usize::from(client.head().await.starts_with("HTTP/1.1 503 "));
    }
    assert_eq!(refused, 5);
    served.stop().await;
}
