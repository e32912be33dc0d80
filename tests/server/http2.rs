//! WebSockets over HTTP/2 (RFC 8441).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use wscheck::domain::connection::connect_info::HttpVersion;
use wscheck::server::{ServeEventKind, ServerConfig};

use crate::http2_peer::{Http2Connection, Http2Got, answer, connect_for, extended_connect};
use crate::peer::{Bare, CLOSE, Got, PING, PONG, Raw, Served, TEXT, UPGRADE, within};
use crate::tls;

fn config() -> ServerConfig {
    ServerConfig { http2: true, ..ServerConfig::default() }
}

async fn serving(faults: &[&str]) -> (Served, Http2Connection) {
    let served = Served::configured(config(), faults).await;
    let connection = Http2Connection::connect(served.address).await;
    (served, connection)
}

/// Number and version of the next client.
async fn opened(served: &mut Served) -> (u64, HttpVersion) {
    served
        .event(|event| match &event.what {
            ServeEventKind::Opened { http, .. } => Some((event.client.unwrap(), *http)),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn streams_of_one_connection_are_clients_beside_each_other() {
    let (mut served, mut connection) = serving(&[]).await;
    let mut first = connection.open().await;
    let mut second = connection.open().await;
    assert_eq!(opened(&mut served).await, (1, HttpVersion::Http2));
    assert_eq!(opened(&mut served).await, (2, HttpVersion::Http2));
    first.send(PING, b"a");
    second.send(TEXT, b"b");
    assert_eq!(second.frame().await, (TEXT, "b".into()));
    assert_eq!(first.frame().await, (PONG, "a".into()));
    first.send(CLOSE, &[0x03, 0xe8]);
    assert_eq!(first.frame().await.0, CLOSE);
    assert_eq!(first.next().await, Http2Got::EndStream);
    second.send(PING, b"c");
    assert_eq!(second.frame().await, (PONG, "c".into()));
    let summary = served.stop().await;
    assert_eq!((summary.clients, summary.most_at_once, summary.rejected), (2, 2, 0));
}

#[tokio::test]
async fn http_1_1_is_served_on_the_same_port() {
    let mut served = Served::start(config()).await;
    let mut client = Bare::connect(served.address).await;
    assert_eq!(opened(&mut served).await, (1, HttpVersion::Http1));
    client.send(PING, b"a").await;
    assert_eq!(client.frame().await, (PONG, "a".into()));
    served.stop().await;
}

#[tokio::test]
async fn first_bytes_of_a_preface_may_be_http_1_1() {
    let mut served = Served::start(config()).await;
    let mut client = Bare::knock(served.address).await;
    client.stream.set_nodelay(true).unwrap();
    client.write(b"PR").await;
    // Meanwhile the server serves another client, so that it has as a rule looked at these bytes.
    let mut other = Bare::connect(served.address).await;
    other.send(PING, b"a").await;
    assert_eq!(other.frame().await, (PONG, "a".into()));
    client.write(b"OPFIND / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(client.head().await.starts_with("HTTP/1.1 426 "));
    assert_eq!(served.rejected().await, "plain_http");
    served.stop().await;
}

#[tokio::test]
async fn preface_without_http2_is_named() {
    let mut served = Served::start(ServerConfig::default()).await;
    let mut client = Bare::knock(served.address).await;
    client.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("--h2"), "{answer}");
    assert_eq!(served.rejected().await, "http2_client");
    served.stop().await;
}

#[tokio::test]
async fn alpn_chooses_the_version() {
    let (mut served, mut client) = tls::serving_with(config()).await;
    for (offered, expected) in [
        (&[&b"h2"[..], b"http/1.1"][..], HttpVersion::Http2),
        (&[b"http/1.1"], HttpVersion::Http1),
        (&[], HttpVersion::Http1),
    ] {
        client.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let tcp = Bare::knock(served.address).await.stream;
        let connecting = TlsConnector::from(Arc::new(client.clone()));
        let mut stream = within(connecting.connect("localhost".try_into().unwrap(), tcp)).await.unwrap();
        if expected == HttpVersion::Http2 {
            let mut connection = Http2Connection::over(stream).await;
            let mut client = connection.open().await;
            client.send(PING, b"a");
            assert_eq!(client.frame().await, (PONG, "a".into()));
            assert_eq!(opened(&mut served).await.1, expected);
        } else {
            within(stream.write_all(UPGRADE.as_bytes())).await.unwrap();
            assert_eq!(opened(&mut served).await.1, expected);
        }
    }
    served.stop().await;
    let (served, mut client) = tls::serving_with(ServerConfig::default()).await;
    client.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = Bare::knock(served.address).await.stream;
    let connecting = TlsConnector::from(Arc::new(client));
    assert!(within(connecting.connect("localhost".try_into().unwrap(), tcp)).await.is_err());
    served.stop().await;
}

#[tokio::test]
async fn other_requests_are_refused_by_status() {
    let (mut served, mut connection) = serving(&[]).await;
    let get = |method: Method| Request::builder().method(method).uri("http://a/x").body(()).unwrap();
    let tunnel = Request::builder().method(Method::CONNECT).uri("b.example:443").body(()).unwrap();
    let version = connect_for("websocket").header("sec-websocket-version", "8").body(()).unwrap();
    let none = connect_for("websocket").body(()).unwrap();
    let udp = connect_for("connect-udp").body(()).unwrap();
    let cases = [
        (get(Method::GET), 405, "plain_http", ("allow", "CONNECT")),
        (get(Method::HEAD), 405, "plain_http", ("allow", "CONNECT")),
        (tunnel, 501, "plain_http", ("server", "wscheck")),
        (version, 400, "version", ("sec-websocket-version", "13")),
        (none, 400, "version", ("sec-websocket-version", "13")),
        (udp, 501, "protocol", ("server", "wscheck")),
    ];
    for (request, status, kind, (name, value)) in cases {
        let is_head = request.method() == Method::HEAD;
        let response = within(connection.request(request).await).await.unwrap();
        let (answered, headers, body) = answer(response).await;
        assert_eq!((answered, &headers[name]), (status, &value.parse().unwrap()), "{kind}");
        assert_eq!(body.is_empty(), is_head, "{body}");
        assert_eq!(served.rejected().await, kind);
    }
    // None of them is a client, and the connection still opens one.
    connection.open().await;
    assert_eq!(opened(&mut served).await.0, 1);
    served.stop().await;
}

#[tokio::test]
async fn subprotocol_and_compression_are_agreed() {
    let (served, mut connection) = serving(&["deflate"]).await;
    let request = connect_for("websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat, superchat")
        .header("sec-websocket-extensions", "permessage-deflate")
        .body(())
        .unwrap();
    let (headers, mut client) = connection.open_with(request).await;
    assert_eq!(headers["sec-websocket-protocol"], "chat");
    assert_eq!(headers["sec-websocket-extensions"], "permessage-deflate");
    // `Hello` in RFC 7692 7.2.3.1.
    client.send(0xc1, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    assert_eq!(client.frame().await.0, 0xc1);
    served.stop().await;
}

#[tokio::test]
async fn max_clients_holds_for_streams() {
    let mut served = Served::start(ServerConfig { max_clients: 1, ..config() }).await;
    let mut connection = Http2Connection::connect(served.address).await;
    let client = connection.open().await;
    let (response, _) = connection.ask(extended_connect()).await.unwrap();
    assert_eq!(answer(response).await.0, 503);
    assert_eq!(served.rejected().await, "full");
    drop(client);
    served.ended().await;
    connection.open().await;
    served.stop().await;
}

#[tokio::test]
async fn cuts_act_on_the_stream() {
    let close = Http2Got::Frame(Raw(CLOSE, 1012_u16.to_be_bytes().to_vec()));
    let cases = [
        ("fin-after=30ms", Http2Got::EndStream, "us h2_end_stream"),
        ("half-close=30ms", Http2Got::EndStream, ""),
        ("rst-after=30ms", Http2Got::Reset(Reason::CANCEL), "us h2_rst_stream"),
        ("close-after=30ms:1012", close, "us close_frame"),
    ];
    for (fault, seen, recorded) in cases {
        // The second client has no faults.
        let served = ServerConfig { max_faulty: Some(1), ..config() };
        let mut served = Served::configured(served, &[fault]).await;
        let mut connection = Http2Connection::connect(served.address).await;
        let mut client = connection.open().await;
        let mut other = connection.open().await;
        assert_eq!(client.next().await, seen, "{fault}");
        if !recorded.is_empty() {
            assert_eq!(ended(&mut served).await, recorded, "{fault}");
        }
        other.send(PING, b"a");
        assert_eq!(other.frame().await, (PONG, "a".into()), "{fault}");
        served.stop().await;
    }
}

/// By whom and how the next client ended.
async fn ended(served: &mut Served) -> String {
    use wscheck::domain::connection::close_cause::CloseKindName;
    use wscheck::domain::label::Label;
    served
        .event(|event| match &event.what {
            ServeEventKind::Closed { ending, .. } => {
                Some(format!("{} {}", ending.who.label(), CloseKindName::from(&ending.how).label()))
            }
            _ => None,
        })
        .await
}

#[tokio::test]
async fn clients_ends_are_recorded() {
    let (mut served, mut connection) = serving(&[]).await;
    let mut client = connection.open().await;
    client.send.send_reset(Reason::CANCEL);
    assert_eq!(ended(&mut served).await, "peer h2_rst_stream");
    let mut client = connection.open().await;
    client.send.send_data(Bytes::new(), true).unwrap();
    assert_eq!(ended(&mut served).await, "peer h2_end_stream");
    assert_eq!(client.next().await, Http2Got::EndStream);
    let _client = connection.open().await;
    connection.driver.abort();
    let how = ended(&mut served).await;
    assert!(["peer rst", "peer fin", "network error"].contains(&how.as_str()), "{how}");
    served.stop().await;
}

/// Sends messages while the window lets them through; returns how many bytes passed in this time.
async fn pour(client: &mut crate::http2_peer::Http2Socket, time: Duration) -> usize {
    // A masked message of 122 bytes, 128 in all.
    let message = Bytes::from([&[0x82, 0x80 | 122, 0, 0, 0, 0][..], &[7; 122]].concat());
    let mut poured = 0;
    let pouring = async {
        loop {
            client.send.reserve_capacity(message.len());
            while client.send.capacity() < message.len() {
                std::future::poll_fn(|cx| client.send.poll_capacity(cx)).await.unwrap().unwrap();
            }
            client.send.send_data(message.clone(), false).unwrap();
            poured += message.len();
        }
    };
    let _ = tokio::time::timeout(time, pouring).await;
    poured
}

#[tokio::test]
async fn stalled_stream_runs_out_of_window_and_the_others_do_not() {
    let config = ServerConfig { max_faulty: Some(1), ..config() };
    let mut served = Served::configured(config, &["stall=0s"]).await;
    let mut connection = Http2Connection::connect(served.address).await;
    let mut stalled = connection.open().await;
    let mut other = connection.open().await;
    let poured = pour(&mut stalled, Duration::from_millis(500)).await;
    assert!(poured <= 65_535, "{poured} bytes passed the window");
    other.send(PING, b"a");
    assert_eq!(other.frame().await, (PONG, "a".into()));
    stalled.send.send_reset(Reason::CANCEL);
    assert_eq!(ended(&mut served).await, "peer h2_rst_stream");
    served.stop().await;
}

#[tokio::test]
async fn unread_echoes_hold_the_client_back_and_none_is_lost() {
    let (served, mut connection) = serving(&[]).await;
    let mut client = connection.open().await;
    let poured = pour(&mut client, Duration::from_millis(500)).await;
    // The window in each direction, the server's buffers, and less than as much again.
    assert!(poured > 65_535 && poured < 1 << 20, "{poured}");
    for _ in 0..poured / 128 {
        assert_eq!(client.next().await, Http2Got::Frame(Raw(0x82, vec![7; 122])));
    }
    client.send(PING, b"a");
    assert_eq!(client.frame().await, (PONG, "a".into()));
    served.stop().await;
}

#[tokio::test]
async fn stopping_server_closes_streams_and_connection() {
    let (served, mut connection) = serving(&[]).await;
    let mut client = connection.open().await;
    let stopping = tokio::spawn(served.stop());
    assert_eq!(client.next().await, Http2Got::Frame(Raw(CLOSE, [&[3, 0xe9][..], b"server stops"].concat())));
    client.send(CLOSE, &[3, 0xe9]);
    assert_eq!(client.next().await, Http2Got::EndStream);
    client.send.send_data(Bytes::new(), true).unwrap();
    within(stopping).await.unwrap();
    assert!(within(connection.driver).await.unwrap().is_ok());
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// The preface and empty settings.
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &[])].concat()
}

/// Sends the preface and these bytes again and again; returns how the server names the client.
async fn attack(mut round: impl FnMut(u32) -> Vec<u8>) -> String {
    let config = ServerConfig { handshake_timeout: Duration::from_millis(500), ..config() };
    let mut served = Served::start(config).await;
    let mut client = Bare::knock(served.address).await;
    client.write(&preface()).await;
    let flooding = async {
        for n in 0.. {
            if client.stream.write_all(&round(n)).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    // Requests that came before are listed, too.
    let naming = async {
        loop {
            match served.rejected().await {
                request if request == "plain_http" => {}
                named => return named,
            }
        }
    };
    let named = tokio::select! {
        () = flooding => unreachable!(),
        named = naming => named,
    };
    // The server still serves.
    let mut other = Http2Connection::connect(served.address).await;
    let mut socket = other.open().await;
    socket.send(PING, b"a");
    assert_eq!(socket.frame().await, (PONG, "a".into()));
    served.stop().await;
    named
}

#[tokio::test]
async fn endless_headers_end_the_connection() {
    let headers = [0, 1, b'a', 1, b'b'].repeat(100);
    let named = attack(|n| match n {
        0 => frame(HEADERS, 0, 1, &[0x82, 0x84, 0x86]),
        _ => frame(CONTINUATION, 0, 1, &headers),
    });
    assert_eq!(named.await, "http2");
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let request = |stream| {
        let reset = frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [frame(HEADERS, END_HEADERS, stream, &[0x82, 0x84, 0x86]), reset].concat()
    };
    let named = attack(|n| (0..100).flat_map(|of| request(2 * (100 * n + of) + 1)).collect());
    assert_eq!(named.await, "http2");
}

#[tokio::test]
async fn settings_without_request_end_in_time() {
    let settings = frame(SETTINGS, 0, 0, &[]);
    assert_eq!(attack(|_| settings.repeat(100)).await, "too_slow");
}

#[tokio::test]
async fn silent_and_invalid_clients_are_named() {
    let config = ServerConfig { handshake_timeout: Duration::from_millis(100), ..config() };
    let mut served = Served::start(config).await;
    let silent = Bare::knock(served.address).await;
    assert_eq!(served.rejected().await, "too_slow");
    drop(silent);
    Http2Connection::connect(served.address).await.driver.abort();
    assert_eq!(served.rejected().await, "closed_early");
    let mut wrong = Bare::knock(served.address).await;
    wrong.write(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n").await;
    assert_eq!(served.rejected().await, "http2");
    let mut end = Vec::new();
    let _ = within(wrong.stream.read_to_end(&mut end)).await;
    let mut client = Bare::connect(served.address).await;
    client.send(PING, b"a").await;
    assert_eq!(client.next().await, Got::Frame(Raw(PONG, b"a".to_vec())));
    served.stop().await;
}
