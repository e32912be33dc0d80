//! `doctor` against servers that fail where only browsers go: at HTTP/2, and at the offer of compression.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use h2::SendStream;
use h2::server::SendResponse;
use http::Response;
use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::proxies::{HAPROXY, Proxy};
use crate::support::{
    CLOSE, PING, PONG, Ran, Script, Server, accept, answer_pings, frame, read_head, run, run_concurrently,
};

fn doctor(more: &[&str], url: &str) -> Ran {
    run(&[&["doctor", "--quick", "--proxy", "none", "--json"], more, &[url]].concat())
}

/// A check's only result.
fn result<'a>(document: &'a Value, check: &str) -> &'a Value {
    let all = document["checks"].as_array().unwrap();
    let mut found = all.iter().filter(|one| one["id"] == check);
    let first = found.next().unwrap_or_else(|| panic!("no {check}: {document:#}"));
    assert!(found.next().is_none(), "{document:#}");
    first
}

/// What a server does over HTTP/2; over HTTP/1.1 it answers Ping frames.
#[derive(Debug, Clone, Copy, PartialEq)]
enum OverHttp2 {
    /// It does not choose it.
    NotChosen,
    /// Its settings allow no WebSockets.
    NotAllowed,
    Reset,
    NotFound,
    /// It answers, and refuses the upgrade of HTTP/1.1 with this status.
    Only(&'static str),
    /// As HTTP/1.1 is not offered by ALPN.
    Alone,
    /// It opens the WebSocket and answers nothing on it.
    Silent,
    Answers,
}

/// A server with a self-signed certificate.
struct SecureServer {
    url: String,
    ca: PathBuf,
    _folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

impl SecureServer {
    fn start(acts: OverHttp2) -> SecureServer {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_string()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca.pem");
        std::fs::write(&ca, certificate.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = config.unwrap().with_no_client_auth();
        let mut config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        config.alpn_protocols = match acts {
            OverHttp2::NotChosen => vec![b"http/1.1".to_vec()],
            OverHttp2::Alone => vec![b"h2".to_vec()],
            _ => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = runtime();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("wss://localhost:{}/", listener.local_addr().unwrap().port());
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    match stream.get_ref().1.alpn_protocol() {
                        Some(b"h2") => over_http2(stream, acts).await,
                        _ => over_http1(stream, acts).await,
                    }
                });
            }
        });
        SecureServer { url, ca, _folder: folder, _runtime: runtime }
    }

    fn doctor(&self, more: &[&str]) -> (Option<i32>, Value) {
        let ran = doctor(&[&["--cacert", self.ca.to_str().unwrap()], more].concat(), &self.url);
        (ran.code, ran.json())
    }
}

async fn over_http2<S: AsyncRead + AsyncWrite + Unpin>(stream: S, acts: OverHttp2) {
    let mut builder = h2::server::Builder::new();
    if acts != OverHttp2::NotAllowed {
        builder.enable_connect_protocol();
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(respond, request.into_body(), acts));
    }
}

async fn answer(mut respond: SendResponse<Bytes>, mut body: h2::RecvStream, acts: OverHttp2) {
    let status = |status: u16| Response::builder().status(status).body(()).unwrap();
    match acts {
        OverHttp2::NotChosen | OverHttp2::NotAllowed => {}
        OverHttp2::Reset => respond.send_reset(h2::Reason::PROTOCOL_ERROR),
        OverHttp2::NotFound => drop(respond.send_response(status(404), true)),
        OverHttp2::Silent => {
            let _open = respond.send_response(status(200), false);
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
            }
        }
        OverHttp2::Answers | OverHttp2::Only(_) | OverHttp2::Alone => {
            let Ok(send) = respond.send_response(status(200), false) else { return };
            answer_over_http2(send, body).await;
        }
    }
}

async fn answer_over_http2(mut send: SendStream<Bytes>, mut body: h2::RecvStream) {
    let mut received = BytesMut::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        received.extend_from_slice(&data);
        while let Some(reply) = reply(&mut received) {
            let _ = send.send_data(reply.into(), false);
        }
    }
}

async fn over_http1<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, acts: OverHttp2) {
    let mut received = BytesMut::new();
    while !received.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
    }
    let head = String::from_utf8(received.split().to_vec()).unwrap();
    if let OverHttp2::Only(status) = acts {
        let refusal = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let _ = stream.write_all(refusal.as_bytes()).await;
        let _ = stream.shutdown().await;
        return;
    }
    let mut answer = Vec::new();
    accept(&mut answer, &head, None);
    let _ = stream.write_all(&answer).await;
    loop {
        while let Some(reply) = reply(&mut received) {
            let _ = stream.write_all(&reply).await;
        }
        let _ = stream.flush().await;
        if !matches!(stream.read_buf(&mut received).await, Ok(1..)) {
            return;
        }
    }
}

/// Takes a client's short frame out of what was received, and answers it if it is a Ping or a close.
fn reply(received: &mut BytesMut) -> Option<Vec<u8>> {
    loop {
        let length = usize::from(received.get(1)? & 0x7f);
        if received.len() < 6 + length {
            return None;
        }
        let mask: [u8; 4] = received[2..6].try_into().unwrap();
        let payload: Vec<u8> =
            received[6..6 + length].iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        let first = received[0];
        received.advance(6 + length);
        match first {
            PING => return Some(frame(PONG, &payload)),
            CLOSE => return Some(frame(CLOSE, &payload)),
            _ => {}
        }
    }
}

const ONLY_HTTP2: &str = "--only=upgrade,http2";

#[test]
fn websockets_that_fail_over_http2_only_are_found() {
    let cases = [
        (OverHttp2::Reset, "PROTOCOL_ERROR", "h2_rst_stream"),
        (OverHttp2::NotFound, "404", "upgrade_refused"),
    ];
    run_concurrently(&cases, |(acts, named, kind)| {
        let (code, document) = SecureServer::start(*acts).doctor(&[ONLY_HTTP2]);
        let found = result(&document, "http2");
        assert_eq!((code, &found["code"]), (Some(1), &"h2_websockets_fail".into()), "{document:#}");
        assert_eq!((&found["severity"], &found["data"]["kind"]), (&"problem".into(), &(*kind).into()));
        assert!(found["message"].as_str().unwrap().contains(named), "{found:#}");
        assert!(found["verify"].as_str().unwrap().contains("--http 2"), "{found:#}");
        assert_eq!(document["http2"]["websockets_allowed"], true, "{document:#}");
        assert_eq!(result(&document, "upgrade")["code"], "upgrade_accepted");
    });
}

#[test]
fn websockets_over_http2_only_are_found() {
    let cases = [
        (OverHttp2::Only("400 Bad Request"), json!(400)),
        (OverHttp2::Only("501 Not Implemented"), json!(501)),
        (OverHttp2::Alone, Value::Null),
    ];
    run_concurrently(&cases, |(acts, status)| {
        let (code, document) = SecureServer::start(*acts).doctor(&["--only=tls,upgrade,http2,pings"]);
        let found = result(&document, "http2");
        assert_eq!((code, &found["code"]), (Some(1), &"only_http2_accepted".into()), "{document:#}");
        assert_eq!(&found["data"]["status"], status, "{found:#}");
        assert_eq!(result(&document, "upgrade")["code"], "upgrade_accepted", "{document:#}");
        assert_eq!(result(&document, "pings")["code"], "pings_answered", "{document:#}");
    });
}

#[test]
fn silence_over_http2_only_is_found() {
    let (code, document) = SecureServer::start(OverHttp2::Silent).doctor(&[ONLY_HTTP2]);
    let found = result(&document, "http2");
    assert_eq!((code, &found["code"]), (Some(1), &"h2_websockets_fail".into()), "{document:#}");
    assert_eq!(found["data"]["failure"], "unanswered", "{found:#}");
}

#[test]
fn http2_that_an_option_demands_is_compared_without_tls_too() {
    let runtime = runtime();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("ws://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut first = [0];
                let _ = stream.peek(&mut first).await;
                match &first {
                    // HTTP/2 begins with `PRI * HTTP/2.0`, the upgrade with GET.
                    b"P" => over_http2(stream, OverHttp2::Reset).await,
                    _ => over_http1(stream, OverHttp2::Answers).await,
                }
            });
        }
    });
    let ran = doctor(&["--only=upgrade,http2,pings", "--http", "2"], &url);
    let document = ran.json();
    let found = result(&document, "http2");
    assert_eq!((ran.code, &found["code"]), (Some(1), &"h2_websockets_fail".into()), "{document:#}");
    // The rest is measured over HTTP/1.1.
    assert_eq!(result(&document, "upgrade")["code"], "upgrade_accepted", "{document:#}");
    assert_eq!(result(&document, "pings")["code"], "pings_answered", "{document:#}");
}

#[test]
fn working_http2_has_both_rtts() {
    let (code, document) = SecureServer::start(OverHttp2::Answers).doctor(&[ONLY_HTTP2]);
    let all = document["checks"].as_array().unwrap();
    let found = all.iter().find(|one| one["code"] == "h2_works").unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!(code, Some(0), "{document:#}");
    for of in [&found["data"], &document["http2"]] {
        assert!(
            of["http2_rtt_ms"].as_f64().unwrap() > 0.0 && of["http1_rtt_ms"].as_f64().unwrap() > 0.0,
            "{of:#}"
        );
    }
    assert_eq!((&document["http2"]["chosen"], &document["http2"]["error"]), (&true.into(), &Value::Null));
}

#[test]
fn server_without_http2_is_not_bad() {
    let (code, document) = SecureServer::start(OverHttp2::NotChosen).doctor(&[ONLY_HTTP2]);
    assert_eq!((code, &result(&document, "http2")["code"]), (Some(0), &"not_checked".into()), "{document:#}");
    assert_eq!(document["http2"]["chosen"], false, "{document:#}");
    let (code, document) = SecureServer::start(OverHttp2::NotAllowed).doctor(&[ONLY_HTTP2]);
    let found = result(&document, "http2");
    assert_eq!((code, &found["code"]), (Some(0), &"h2_websockets_not_allowed".into()), "{document:#}");
    assert_eq!(found["severity"], "info");
    let (code, document) = {
        let server = Server::start(&["--heartbeat", "none"]);
        let ran = doctor(&[ONLY_HTTP2], &server.url());
        (ran.code, ran.json())
    };
    assert_eq!((code, &document["http2"]), (Some(0), &Value::Null), "without TLS nothing is tried");
}

/// A server that acts so on a request that offers compression, and answers Ping frames on others.
fn at_compression(act: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Script {
    Script::start(move |mut stream| {
        let head = read_head(&mut stream);
        // The address was only tried.
        if head.is_empty() {
            return;
        }
        if head.contains("permessage-deflate") {
            act(&mut stream, &head);
            let _ = stream.read_to_end(&mut Vec::new());
        } else {
            accept(&mut stream, &head, None);
            answer_pings(&mut stream);
        }
    })
}

const ONLY_COMPRESSION: &str = "--only=upgrade,browser,compression";

#[test]
fn refused_offer_of_compression_is_blamed_and_no_header() {
    let refusing = at_compression(|stream, _| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
    });
    let ran = doctor(&[ONLY_COMPRESSION], &refusing.url());
    let document = ran.json();
    let found = result(&document, "compression");
    assert_eq!((ran.code, &found["code"]), (Some(1), &"compression_breaks".into()), "{document:#}");
    assert_eq!((&found["severity"], &found["data"]["status"]), (&"problem".into(), &400.into()), "{found:#}");
    let browser = result(&document, "browser");
    assert_eq!(
        (&browser["code"], &browser["data"]["part"]),
        (&"pages_refused".into(), &"compression".into())
    );
}

#[test]
fn answer_with_wrong_compression_is_no_refusal() {
    let server = Server::start(&["--heartbeat", "none", "--deflate=server_max_window_bits=99"]);
    let document = doctor(&[ONLY_COMPRESSION], &server.url()).json();
    let all = document["checks"].as_array().unwrap();
    for (check, code) in [("browser", "browser_answer_invalid"), ("compression", "compression_breaks")] {
        let found = all.iter().find(|one| one["id"] == check && one["code"] == code);
        let found = found.unwrap_or_else(|| panic!("no {code}: {document:#}"));
        let message = found["message"].as_str().unwrap();
        assert!(message.contains("accepted") && message.contains("a browser fails"), "{message}");
        assert!(!message.contains("refused") && !message.contains("does not open"), "{message}");
        assert!(message.contains("works"), "without compression: {message}");
    }
}

#[test]
fn connection_that_breaks_after_agreed_compression_is_found() {
    // The answer agrees, and the first frame is marked as compressed and is no deflate.
    let breaking = at_compression(|stream, head| {
        let mut answer = Vec::new();
        accept(&mut answer, head, None);
        answer.truncate(answer.len() - 2);
        answer.extend(b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
        answer.extend([0xc1, 3, 0xff, 0xff, 0xff]);
        let _ = stream.write_all(&answer);
    });
    let ran = doctor(&["--only=upgrade,compression"], &breaking.url());
    let document = ran.json();
    let found = result(&document, "compression");
    assert_eq!((ran.code, &found["code"]), (Some(1), &"compression_breaks".into()), "{document:#}");
    assert_eq!(found["data"]["failure"], "ended", "{found:#}");
    assert_eq!(found["data"]["agreed"], "permessage-deflate", "{found:#}");
}

#[test]
fn working_and_ignored_compression_are_no_problem() {
    let cases = [
        (Server::start(&["--heartbeat", "none"]), "not_checked"),
        (Server::start(&["--heartbeat", "none", "--deflate"]), "compression_works"),
    ];
    run_concurrently(&cases, |(server, expected)| {
        let ran = doctor(&[ONLY_COMPRESSION], &server.url());
        let document = ran.json();
        assert_eq!((ran.code, &result(&document, "compression")["code"]), (Some(0), &(*expected).into()));
        assert_eq!(document["compression"]["agreed"].is_string(), *expected == "compression_works");
        assert_eq!(result(&document, "browser")["code"], "pages_accepted", "{document:#}");
    });
}

/// Refuses requests that have this text.
fn refusing(text: &'static str) -> Script {
    Script::start(move |mut stream| {
        let head = read_head(&mut stream);
        if head.is_empty() {
            return;
        }
        if head.to_ascii_lowercase().contains(text) {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        } else {
            accept(&mut stream, &head, None);
            answer_pings(&mut stream);
        }
    })
}

#[test]
fn refused_part_of_a_browsers_request_is_named() {
    let cases = [
        (refusing("origin: http://127.0.0.1"), "origin"),
        (refusing("mozilla/"), "user_agent"),
        (refusing("sec-fetch-mode"), "sec_fetch"),
        (refusing("accept-language"), "accept"),
    ];
    run_concurrently(&cases, |(server, part)| {
        let document = doctor(&["--only=upgrade,browser"], &server.url()).json();
        let found = result(&document, "browser");
        assert_eq!((&found["code"], &found["data"]["part"]), (&"pages_refused".into(), &(*part).into()));
    });
}

/// HAProxy that ends TLS, offers both versions of HTTP, and has this rule besides.
fn haproxy_with(rule: &str, listener: &TcpListener, server: u16, folder: &str) -> String {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_string()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = format!("{folder}/tls.pem");
    std::fs::write(&file, certificate.pem() + &key.serialize_pem()).unwrap();
    let bind = format!("bind fd@{}", listener.as_raw_fd());
    let secure = format!("{bind} ssl crt {file} alpn h2,http/1.1\n  {rule}");
    (HAPROXY.config)(listener, server, folder).replace(&bind, &secure)
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_proxy_is_right_and_its_faults_are_found() {
    type Config = fn(&TcpListener, u16, &str) -> String;
    let healthy: Config = |listener, server, folder| haproxy_with("", listener, server, folder);
    let resets: Config = |listener, server, folder| {
        haproxy_with("http-request reject if { req.ver -m str 2.0 }", listener, server, folder)
    };
    let denies: Config = |listener, server, folder| {
        let rule = "http-request deny deny_status 400 if { req.hdr(sec-websocket-extensions) -m found }";
        haproxy_with(rule, listener, server, folder)
    };
    let only_http2: Config = |listener, server, folder| {
        haproxy_with("http-request deny deny_status 501 if { req.ver -m str 1.1 }", listener, server, folder)
    };
    let cases = [
        (only_http2, 1, "only_http2_accepted", "compression_works"),
        (healthy, 0, "h2_works", "compression_works"),
        (resets, 1, "h2_websockets_fail", "compression_works"),
        (denies, 1, "h2_works", "compression_breaks"),
    ];
    for (config, code, http2, compression) in cases {
        let running = Proxy { config, ..HAPROXY }.start();
        let args = ["--insecure", "--only=upgrade,http2,compression"];
        let ran = doctor(&args, &format!("wss://{}/", running.address));
        let document = ran.json();
        let all = document["checks"].as_array().unwrap();
        let found = |check: &str| all.iter().find(|one| one["id"] == check).unwrap()["code"].clone();
        assert_eq!(
            (ran.code, found("http2"), found("compression")),
            (Some(code), http2.into(), compression.into()),
            "{document:#}"
        );
    }
}
