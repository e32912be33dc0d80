use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::domain::connection::close_cause::{CloseKind, Violation};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::http2::{ExhaustedWindow, Http2Code, HttpChoice};
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::net::client::websocket::{SendOutcome, SocketEvent, WebSocket};
use crate::net::connect::dial::{self, Open};
use crate::net::connect::tls::{TlsOptions, TlsPlan};
use crate::net::testing::http2_peer::{
    ALLOWED, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2Peer, PING, RST_STREAM,
    SETTINGS, STATUS_200, STATUS_404, WINDOW_UPDATE, frame,
};
use crate::net::testing::loopback_peer::{LoopbackPeer, peer};
use crate::net::testing::test_certificates::{PemFiles, TestAuthority, TestTlsServer, VALID};
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::stream::Stream;
use crate::net::transport::tap::TcpIntrospect;
use tokio_tungstenite::tungstenite::Message;

/// An unmasked Ping of the server with the payload `x`.
const SERVER_PING: &[u8] = &[0x89, 1, b'x'];

fn plan() -> DialPlan {
    DialPlan { http: HttpChoice::Http2, ..DialPlan::default() }
}

async fn opened(peer: &LoopbackPeer<impl Sized>) -> Open {
    dial::open(&plan(), &peer.target()).await.unwrap()
}

async fn failed<T>(peer: &LoopbackPeer<T>) -> ConnectError {
    let plan = DialPlan { connect_timeout: Duration::from_millis(1500), ..plan() };
    dial::open(&plan, &peer.target()).await.unwrap_err()
}

async fn websocket(peer: &LoopbackPeer<impl Sized>) -> WebSocket<Stream> {
    WebSocket::new(opened(peer).await.upgraded, 65_536, 65_536).await
}

/// How a WebSocket ends that the peer ends as `script` does, after a Ping of the server.
async fn end_by<F, Fut>(script: F) -> CloseKind
where
    F: FnOnce(Http2Peer<TcpStream>, u32) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let peer = peer(async move |stream| {
        let (mut peer, stream) = Http2Peer::accept(stream).await;
        peer.send(DATA, 0, stream, SERVER_PING).await;
        script(peer, stream).await;
    })
    .await;
    let mut socket = websocket(&peer).await;
    loop {
        match socket.step().await {
            SocketEvent::Ended(disconnect) => return disconnect.how,
            SocketEvent::Ping(payload) => assert_eq!(&payload[..], b"x"),
            SocketEvent::Bytes | SocketEvent::Flushed(_) => {}
            _ => panic!("nothing else was sent"),
        }
    }
}

#[tokio::test]
async fn request_is_that_of_rfc_8441() {
    let peer = peer(async |stream: TcpStream| {
        let mut server =
            h2::server::Builder::new().enable_connect_protocol().handshake::<_, Bytes>(stream).await.unwrap();
        let (request, mut respond) = server.accept().await.unwrap().unwrap();
        let answer = Response::builder().header("sec-websocket-protocol", "chat");
        let answer =
            answer.header("sec-websocket-extensions", "permessage-deflate").header("server", "scripted");
        let _send = respond.send_response(answer.body(()).unwrap(), false).unwrap();
        let _ = tokio::time::timeout(Duration::from_secs(5), server.accept()).await;
        request
    })
    .await;
    let mut plan = plan();
    plan.subprotocols = vec!["chat".to_string()];
    plan.deflate = Some(DeflateOffer::default());
    plan.headers.insert("x-own", "1".parse().unwrap());
    plan.headers.insert("host", "other.example".parse().unwrap());
    let target = format!("ws://{}/a?b=c", peer.address).parse().unwrap();
    let open = dial::open(&plan, &target).await.unwrap();
    assert_eq!(
        (open.facts.http, open.facts.subprotocol.as_ref().unwrap().as_str()),
        (HttpVersion::Http2, "chat")
    );
    assert_eq!(open.facts.compression.as_deref(), Some("permessage-deflate"));
    assert_eq!(open.facts.headers[0].0, "server");
    drop(open);
    let request = peer.task.await.unwrap();
    assert_eq!(
        (request.method(), request.uri().to_string()),
        (&Method::CONNECT, "http://other.example/a?b=c".to_string())
    );
    assert_eq!(request.extensions().get::<Protocol>().unwrap().as_str(), "websocket");
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap());
    assert_eq!((header("sec-websocket-version"), header("x-own")), (Some("13"), Some("1")));
    assert_eq!(header("sec-websocket-protocol"), Some("chat"));
    assert_eq!(header("sec-websocket-extensions"), Some("permessage-deflate; client_max_window_bits"));
    for absent in ["host", "connection", "upgrade", "sec-websocket-key"] {
        assert_eq!(header(absent), None);
    }
}

#[tokio::test]
async fn messages_pass_in_both_directions() {
    let peer = peer(async |stream| {
        let (mut peer, stream) = Http2Peer::accept(stream).await;
        // Frames of the WebSocket need not begin where frames of HTTP/2 do.
        peer.send(DATA, 0, stream, &SERVER_PING[..1]).await;
        peer.send(DATA, 0, stream, &SERVER_PING[1..]).await;
        peer.until(DATA).await.unwrap().payload
    })
    .await;
    let mut socket = websocket(&peer).await;
    while !matches!(socket.step().await, SocketEvent::Ping(_)) {}
    assert!(matches!(socket.send(Message::binary(vec![7; 300])), Ok(SendOutcome::Left(_))));
    let sent = peer.task.await.unwrap();
    assert!(!sent.is_empty());
}

#[tokio::test]
async fn settings_are_awaited_and_checked() {
    let (late, announced) = tokio::sync::oneshot::channel::<()>();
    let slow = peer(async |mut stream: TcpStream| {
        stream.write_all(&frame(SETTINGS, 0, 0, ALLOWED)[..9]).await.unwrap();
        announced.await.unwrap();
        stream.write_all(ALLOWED).await.unwrap();
        let mut peer = Http2Peer { io: stream };
        peer.io.read_exact(&mut [0; 24]).await.unwrap();
        let stream = peer.until(HEADERS).await.unwrap().stream;
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        peer.drain().await;
    })
    .await;
    let (plan, target) = (plan(), slow.target());
    let opening = dial::open(&plan, &target);
    let (opened, ()) = tokio::join!(opening, async {
        tokio::task::yield_now().await;
        late.send(()).unwrap();
    });
    opened.unwrap();
    for settings in [&[][..], &[0, 8, 0, 0, 0, 0], &[0, 3, 0, 0, 0, 9]] {
        let peer = peer(async |stream| Http2Peer::begin(stream, settings).await.drain().await).await;
        let error = failed(&peer).await;
        assert_eq!(error.kind, FailureKind::WebsocketsNotAllowed);
        assert!(error.hint.unwrap().contains("--http 1.1"));
    }
    let silent = peer(async |mut stream: TcpStream| stream.read_to_end(&mut Vec::new()).await).await;
    let error = failed(&silent).await;
    assert_eq!(
        (error.kind, error.cause.as_str()),
        (FailureKind::Timeout, "the server did not send its settings of HTTP/2 within 1.5 s")
    );
}

#[tokio::test]
async fn refusals_are_named() {
    let refusing = async |kind: u8, flags: u8, on_stream: bool, payload: &'static [u8]| {
        let peer = peer(async move |stream| {
            let mut peer = Http2Peer::begin(stream, ALLOWED).await;
            let stream = peer.until(HEADERS).await.unwrap().stream;
            peer.send(kind, flags, if on_stream { stream } else { 0 }, payload).await;
            peer.drain().await;
        })
        .await;
        let error = failed(&peer).await;
        (error.kind, error.cause, error.refusal.map(|refusal| refusal.status))
    };
    let named = |kind, cause: &str, status| (kind, cause.to_string(), status);
    assert_eq!(
        refusing(RST_STREAM, 0, true, &[0, 0, 0, 1]).await,
        named(
            FailureKind::H2RstStream,
            "the server reset the stream (RST_STREAM PROTOCOL_ERROR) instead of answering",
            None
        )
    );
    assert_eq!(
        refusing(HEADERS, END_HEADERS | END_STREAM, true, STATUS_404).await,
        named(FailureKind::UpgradeRefused, "HTTP 404 (Not Found) instead of 200", Some(404))
    );
    let goaway = &[0, 0, 0, 0, 0, 0, 0, 11, b'n', b'o'];
    assert_eq!(
        refusing(GOAWAY, 0, false, goaway).await,
        named(
            FailureKind::H2Goaway,
            "the server ended the connection (GOAWAY ENHANCE_YOUR_CALM \"no\") instead of answering",
            None
        )
    );
}

#[tokio::test]
async fn other_protocols_are_recognized() {
    for (answer, spoken) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "it answered in HTTP/1"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it answered in TLS"),
        (b"SSH-2.0-OpenSSH_9\r\n", "its answer begins \"SSH-2.0-O\""),
    ] {
        let answering = peer(async move |mut stream: TcpStream| {
            stream.write_all(answer).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await
        });
        let error = failed(&answering.await).await;
        assert_eq!(
            (error.kind, error.cause),
            (FailureKind::NotHttp2, format!("the server does not speak HTTP/2: {spoken}"))
        );
    }
    let closing = peer(async |stream: TcpStream| drop(stream)).await;
    assert!(matches!(failed(&closing).await.kind, FailureKind::ClosedEarly | FailureKind::Reset));
}

/// Trusts this authority.
fn trusting(authority: &TestAuthority) -> Arc<TlsPlan> {
    let files = PemFiles::create();
    let options = TlsOptions { cacert: vec![files.put("ca.pem", &authority.cert)], ..TlsOptions::default() };
    Arc::new(TlsPlan::build(&options).unwrap())
}

#[tokio::test]
async fn protocol_that_alpn_promised_is_told_from_the_spoken_one() {
    let authority = TestAuthority::new("Root");
    let plan = DialPlan { tls: trusting(&authority), http: HttpChoice::Auto, ..plan() };
    let alpn: &[&[u8]] = &[b"h2"];
    let server = TestTlsServer { alpn, ..TestTlsServer::new(&authority.issue(&["127.0.0.1"], VALID)) };
    let peer = server
        .run(async |mut stream| {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            stream.read_to_end(&mut Vec::new()).await
        })
        .await;
    let error = dial::open(&plan, &peer.secure_target()).await.err().unwrap();
    let cause = "the server chose HTTP/2 by ALPN and does not speak it: it answered in HTTP/1";
    assert_eq!((error.kind, &*error.cause), (FailureKind::NotHttp2, cause));
}

#[tokio::test]
async fn version_follows_alpn() {
    let authority = TestAuthority::new("Root");
    let tls = trusting(&authority);
    let open = async |http: HttpChoice, alpn: &'static [&'static [u8]]| {
        let server = TestTlsServer { alpn, ..TestTlsServer::new(&authority.issue(&["127.0.0.1"], VALID)) };
        let peer = server
            .run(async |stream| match stream.get_ref().1.alpn_protocol() {
                Some(b"h2") => Http2Peer::accept(stream).await.0.drain().await,
                _ => drop(crate::net::testing::loopback_peer::accept(stream).await),
            })
            .await;
        let plan = DialPlan { http, tls: Arc::clone(&tls), ..plan() };
        dial::open(&plan, &peer.secure_target()).await.map(|open| open.facts.http).map_err(|error| error.kind)
    };
    const BOTH: &[&[u8]] = &[b"h2", b"http/1.1"];
    assert_eq!(open(HttpChoice::Http1, BOTH).await, Ok(HttpVersion::Http1));
    assert_eq!(open(HttpChoice::Http2, BOTH).await, Ok(HttpVersion::Http2));
    assert_eq!(open(HttpChoice::Auto, BOTH).await, Ok(HttpVersion::Http2));
    assert_eq!(open(HttpChoice::Auto, &[b"http/1.1"]).await, Ok(HttpVersion::Http1));
    assert_eq!(open(HttpChoice::Auto, &[]).await, Ok(HttpVersion::Http1));
    assert_eq!(open(HttpChoice::Http2, &[]).await, Err(FailureKind::NotHttp2));
    assert_eq!(open(HttpChoice::Http2, &[b"http/1.1"]).await, Err(FailureKind::NotHttp2));
}

#[tokio::test]
async fn ends_of_a_stream_are_told_apart() {
    let ended = end_by(async |mut peer, stream| {
        peer.send(DATA, END_STREAM, stream, &[]).await;
        peer.drain().await;
    });
    assert_eq!(ended.await, CloseKind::H2EndStream);
    let reset = end_by(async |mut peer, stream| {
        peer.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]).await;
        peer.drain().await;
    });
    assert_eq!(reset.await, CloseKind::H2RstStream { code: Http2Code(8) });
    let goaway = end_by(async |mut peer, stream| {
        let last = (stream.to_be_bytes(), 0_u32.to_be_bytes());
        peer.send(GOAWAY, 0, 0, &[&last.0[..], &last.1, b"bye"].concat()).await;
    });
    let debug = crate::domain::connection::untrusted_text::UntrustedText::new("bye");
    assert_eq!(goaway.await, CloseKind::H2Goaway { code: Http2Code(0), debug });
    let fin = end_by(async |mut peer, _| {
        peer.io.shutdown().await.unwrap();
        peer.drain().await;
    });
    assert_eq!(fin.await, CloseKind::Fin);
    let rst =
        end_by(async |peer, _| socket2::SockRef::from(&peer.io).set_linger(Some(Duration::ZERO)).unwrap());
    assert_eq!(rst.await, CloseKind::Rst);
}

/// How a peer broke HTTP/2, in words.
async fn detail_of<F, Fut>(script: F) -> String
where
    F: FnOnce(Http2Peer<TcpStream>, u32) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    match end_by(script).await {
        CloseKind::Violation { rule: Violation::Http2, detail, .. } => detail.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_a_peer_did_wrong_is_said() {
    let overrun = detail_of(async |mut peer, stream| {
        // A WebSocket frame whose rest never comes, so that nothing is read off the window.
        for _ in 0..5 {
            peer.send(DATA, 0, stream, &[0; 16_384]).await;
        }
        peer.drain().await;
    });
    let said = "it sent more data than the window that wscheck granted it, or raised the window of wscheck above 2^31-1 bytes \
                (FLOW_CONTROL_ERROR)";
    assert_eq!(overrun.await, said);
    let raised = detail_of(async |mut peer, _| {
        peer.send(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()).await;
        peer.drain().await;
    });
    assert_eq!(raised.await, said);
    let continued = detail_of(async |mut peer, stream| {
        peer.send(HEADERS, 0, stream + 2, STATUS_200).await;
        for _ in 0..1_000 {
            peer.send(CONTINUATION, 0, stream + 2, &[]).await;
        }
        peer.drain().await;
    });
    let said = "it sent more frames, or longer headers, than wscheck accepts over HTTP/2 (ENHANCE_YOUR_CALM)";
    assert_eq!(continued.await, said);
}

#[tokio::test]
async fn hostile_servers_are_bounded_and_named() {
    let endless_head = end_by(async |mut peer, stream| {
        peer.send(HEADERS, 0, stream + 2, STATUS_200).await;
        for _ in 0..100_000 {
            if peer.io.write_all(&frame(CONTINUATION, 0, stream + 2, &[0; 64])).await.is_err() {
                return;
            }
        }
        panic!("endless headers were accepted");
    });
    assert!(matches!(endless_head.await, CloseKind::Violation { .. } | CloseKind::Rst | CloseKind::Fin));
    let too_long = end_by(async |mut peer, _| {
        peer.io.write_all(&[0xff; 64]).await.unwrap();
        peer.drain().await;
    });
    let CloseKind::Violation { rule, detail, .. } = too_long.await else {
        panic!("a frame of 16 MiB was accepted")
    };
    assert_eq!(rule, Violation::Http2);
    assert_eq!(
        detail.as_str(),
        "it sent a frame of HTTP/2 with a length that is not allowed (FRAME_SIZE_ERROR)"
    );
}

#[tokio::test]
async fn floods_that_must_be_answered_end_in_order_or_are_named() {
    for (kind, payload) in [(SETTINGS, &[][..]), (PING, &[0; 8])] {
        let how = end_by(async move |peer, stream| {
            let (mut read, mut write) = peer.io.into_split();
            let drained =
                tokio::spawn(async move { tokio::io::copy(&mut read, &mut tokio::io::sink()).await });
            let _ = write.write_all(&frame(kind, 0, 0, payload).repeat(20_000)).await;
            let _ = write.write_all(&frame(DATA, END_STREAM, stream, &[])).await;
            let _ = drained.await;
        });
        let how = how.await;
        let is_named =
            matches!(how, CloseKind::H2EndStream | CloseKind::Violation { rule: Violation::Http2, .. });
        assert!(is_named, "{how:?}");
    }
}

#[tokio::test]
async fn burst_of_small_frames_is_no_fault() {
    const FRAMES: usize = 5_000;
    let peer = peer(async |stream| {
        let (mut peer, stream) = Http2Peer::accept(stream).await;
        let burst = frame(DATA, 0, stream, SERVER_PING).repeat(FRAMES);
        peer.io.write_all(&[burst, frame(DATA, END_STREAM, stream, &[])].concat()).await.unwrap();
        peer.drain().await;
    })
    .await;
    let mut socket = websocket(&peer).await;
    let mut pings = 0;
    let ended = loop {
        match socket.step().await {
            SocketEvent::Ping(_) => pings += 1,
            SocketEvent::Ended(ended) => break ended.how,
            _ => {}
        }
    };
    assert_eq!((pings, ended), (FRAMES, CloseKind::H2EndStream));
}

#[tokio::test]
async fn exhausted_window_blocks_and_opens_again() {
    let (more, wanted) = tokio::sync::oneshot::channel::<()>();
    let peer = peer(async |stream| {
        // SETTINGS_INITIAL_WINDOW_SIZE=0 (RFC 9113 section 6.5.2).
        let mut peer = Http2Peer::begin(stream, &[ALLOWED, &[0, 4, 0, 0, 0, 0]].concat()).await;
        let stream = peer.until(HEADERS).await.unwrap().stream;
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        wanted.await.unwrap();
        peer.send(crate::net::testing::http2_peer::WINDOW_UPDATE, 0, stream, &[0, 0, 1, 0]).await;
        peer.until(DATA).await.unwrap().payload.len()
    })
    .await;
    let mut socket = websocket(&peer).await;
    assert!(matches!(socket.send(Message::Ping(Bytes::from_static(b"abc"))), Ok(SendOutcome::Blocked)));
    assert_eq!(socket.stream().exhausted_window(), Some(ExhaustedWindow::Stream));
    more.send(()).unwrap();
    while !matches!(socket.step().await, SocketEvent::Flushed(_)) {}
    assert_eq!(socket.stream().exhausted_window(), None);
    assert_eq!(peer.task.await.unwrap(), 2 + 4 + 3);
}

/// Which window is exhausted after more than the connection's initial window (RFC 9113 section 6.9.2), if the server's settings
/// grant each stream `of_stream` bytes.
async fn exhausted_by_a_large_message(of_stream: u32) -> Option<ExhaustedWindow> {
    let peer = peer(async move |stream| {
        let settings = [ALLOWED, &[0, 4], &of_stream.to_be_bytes()].concat();
        let mut peer = Http2Peer::begin(stream, &settings).await;
        let stream = peer.until(HEADERS).await.unwrap().stream;
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        peer.drain().await;
    })
    .await;
    let mut socket = websocket(&peer).await;
    assert!(matches!(socket.send(Message::binary(vec![0; 70_000])), Ok(SendOutcome::Blocked)));
    socket.stream().exhausted_window()
}

#[tokio::test]
async fn exhausted_window_is_told_from_the_other() {
    assert_eq!(exhausted_by_a_large_message(1000).await, Some(ExhaustedWindow::Stream));
    assert_eq!(exhausted_by_a_large_message(1 << 20).await, Some(ExhaustedWindow::Connection));
    assert_eq!(exhausted_by_a_large_message(65_535).await, Some(ExhaustedWindow::Both));
}

#[tokio::test]
async fn one_stream_of_a_connection_sends_its_pings_one_at_a_time() {
    let (acknowledge, told) = tokio::sync::oneshot::channel::<()>();
    let peer = peer(async |stream| {
        let (mut peer, _) = Http2Peer::accept(stream).await;
        let ping = peer.until(PING).await.unwrap();
        told.await.unwrap();
        peer.send(PING, END_STREAM, 0, &ping.payload).await;
        peer.drain().await;
    })
    .await;
    let open = opened(&peer).await;
    let Stream::Http2(mut stream) = open.upgraded.stream else { panic!("not HTTP/2") };
    assert!(!stream.queue_http2_ping(), "it was not claimed");
    assert!(stream.claim_http2_pings() && stream.claim_http2_pings());
    let written = stream.tap_state().written_bytes();
    assert!(stream.queue_http2_ping());
    stream.flush().await.unwrap();
    assert_eq!(stream.tap_state().written_bytes() - written, 9 + 8, "it has left");
    assert!(!stream.queue_http2_ping(), "one is in flight");
    acknowledge.send(()).unwrap();
    let arrived = std::future::poll_fn(|cx| stream.poll_http2_pong(cx)).await;
    assert_eq!(Some(arrived), stream.connection().tap_state().last_read());
    assert!(stream.queue_http2_ping());
}

#[tokio::test]
async fn server_without_room_for_a_stream_is_named() {
    let peer = peer(async |stream| {
        // SETTINGS_MAX_CONCURRENT_STREAMS=0 (RFC 9113 section 6.5.2).
        let mut peer = Http2Peer::begin(stream, &[ALLOWED, &[0, 3, 0, 0, 0, 0]].concat()).await;
        peer.drain().await;
    })
    .await;
    let error = failed(&peer).await;
    assert_eq!(error.kind, FailureKind::H2NoStreams, "{error:?}");
    assert!(error.cause.contains("SETTINGS_MAX_CONCURRENT_STREAMS is 0"), "{error:?}");
}

/// Up to the largest frame of data that HTTP/2 allows by default, with the head of a WebSocket frame and its mask, and beyond it, in
/// several frames.
#[tokio::test]
async fn departure_is_that_of_a_large_messages_last_byte() {
    let peer = peer(async |stream| Http2Peer::accept(stream).await.0.drain().await).await;
    let mut socket = websocket(&peer).await;
    for payload in [100, 1000, 1100, 16_384 - 8, 40_000] {
        let sent = socket.send(Message::binary(vec![0; payload])).unwrap();
        let SendOutcome::Left(send_time) = sent else { panic!("{sent:?}") };
        assert_eq!(send_time.end, socket.tap_state().written_bytes(), "{payload} bytes");
    }
}

#[tokio::test]
async fn half_closed_stream_goes_on_receiving() {
    let peer = peer(async |stream| {
        let (mut peer, stream) = Http2Peer::accept(stream).await;
        let last = peer.until(DATA).await.unwrap();
        peer.send(DATA, 0, stream, b"more").await;
        peer.drain().await;
        (last.flags & END_STREAM, last.payload.len())
    })
    .await;
    let mut stream = opened(&peer).await.upgraded.stream;
    stream.half_close().unwrap();
    let mut more = [0; 4];
    stream.read_exact(&mut more).await.unwrap();
    assert_eq!(&more, b"more");
    drop(stream);
    assert_eq!(peer.task.await.unwrap(), (END_STREAM, 0));
}

#[tokio::test]
async fn each_code_of_a_reset_has_its_hint() {
    let hint = async |code: u8| {
        let peer = peer(async move |stream| {
            let mut peer = Http2Peer::begin(stream, ALLOWED).await;
            let stream = peer.until(HEADERS).await.unwrap().stream;
            peer.send(RST_STREAM, 0, stream, &[0, 0, 0, code]).await;
            peer.drain().await;
        })
        .await;
        failed(&peer).await.hint.unwrap()
    };
    assert!(hint(7).await.contains("may be sent again"));
    assert!(hint(13).await.contains("demands HTTP/1.1"));
    assert!(hint(2).await.contains("fails at them"));
}

#[tokio::test]
async fn dropping_the_stream_ends_the_connection() {
    let peer = peer(async |stream| {
        let (mut peer, _) = Http2Peer::accept(stream).await;
        let reset = peer.until(RST_STREAM).await.unwrap().payload;
        (reset, peer.until(GOAWAY).await.is_some(), peer.frame().await)
    })
    .await;
    drop(opened(&peer).await);
    assert_eq!(peer.task.await.unwrap(), (vec![0, 0, 0, 8], true, None));
}

#[tokio::test]
async fn one_connection_carries_several_streams() {
    let peer = peer(async |stream| {
        let mut peer = Http2Peer::begin(stream, ALLOWED).await;
        let mut streams = Vec::new();
        for _ in 0..2 {
            let stream = peer.until(HEADERS).await.unwrap().stream;
            peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
            streams.push(stream);
        }
        peer.send(DATA, 0, streams[1], SERVER_PING).await;
        peer.send(RST_STREAM, 0, streams[0], &[0, 0, 0, 2]).await;
        peer.drain().await;
    })
    .await;
    let first = opened(&peer).await;
    let Stream::Http2(stream) = &first.upgraded.stream else { panic!("not HTTP/2") };
    let (plan, limit) = (plan(), TimeLimit::from_now(Duration::from_secs(10)));
    let (second, _) = open(Arc::clone(stream.connection()), &plan, &peer.target(), limit).await.unwrap();
    let tap_state = second.tap_state();
    let second = crate::net::transport::upgraded_stream::UpgradedStream {
        stream: Stream::Http2(Box::new(second)),
        leftover: Vec::new(),
        tap_state,
        deflate: None,
    };
    let mut first = WebSocket::new(first.upgraded, 65_536, 65_536).await;
    let mut second = WebSocket::new(second, 65_536, 65_536).await;
    while !matches!(second.step().await, SocketEvent::Ping(_)) {}
    let ended = loop {
        if let SocketEvent::Ended(ended) = first.step().await {
            break ended;
        }
    };
    assert_eq!(ended.how, CloseKind::H2RstStream { code: Http2Code(2) });
    drop(first);
    assert!(matches!(second.send(Message::Ping(Bytes::new())), Ok(SendOutcome::Left(_))));
    drop(second);
    peer.task.await.unwrap();
}
