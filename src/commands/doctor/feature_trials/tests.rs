use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::server::TlsStream;

use super::*;
use crate::commands::testing;
use crate::domain::doctor::browser_features::{self, is_chosen};
use crate::domain::doctor::feature_trial::{TrialFailure, TrialVerdict, opened, verdict};
use crate::domain::doctor::{DoctorFinding, FeatureRtts};
use crate::net::connect::tls::{TlsOptions, TlsPlan};
use crate::net::testing::http2_peer::{
    ALLOWED, DATA, END_HEADERS, GOAWAY, HEADERS, Http2Peer, RST_STREAM, STATUS_200, STATUS_404,
};
use crate::net::testing::loopback_peer::{accepting, header, request};
use crate::net::testing::raw_peer::{CLOSE, PING, PONG, RawPeer, frame};
use crate::net::testing::test_certificates::{PemFiles, TestAuthority, TestTlsServer, VALID};

/// Accepts every connection and runs `script` on it. Returns the port.
async fn listen<F, Fut>(script: F) -> u16
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream));
        }
    });
    port
}

/// Upgrades with these header lines, and answers Ping frames and the close frame.
async fn http1<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, more: &str) {
    let head = request(&mut stream).await;
    let _ = stream.write_all(accepting(&head, more).as_bytes()).await;
    let _ = stream.flush().await;
    let mut peer = RawPeer { io: stream };
    while let Some((opcode, payload)) = peer.frame().await {
        let reply = match opcode {
            PING => frame(PONG, &payload),
            CLOSE => frame(CLOSE, &payload),
            _ => continue,
        };
        if peer.io.write_all(&reply).await.is_err() || peer.io.flush().await.is_err() {
            return;
        }
    }
}

type TlsPeer = Http2Peer<TlsStream<TcpStream>>;

/// A server for `wss://` that acts so over HTTP/2, and answers Ping frames over HTTP/1.1.
struct SecureServer {
    plan: PingPlan,
    /// How many connections chose HTTP/2, and HTTP/1.1.
    counts: Arc<[AtomicUsize; 2]>,
    _files: PemFiles,
}

const BOTH: &[&[u8]] = &[b"h2", b"http/1.1"];

async fn secure<F, Fut>(alpn: &'static [&'static [u8]], over_http2: F) -> SecureServer
where
    F: Fn(TlsStream<TcpStream>) -> Fut + Send + Sync + Clone + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (authority, files) = (TestAuthority::new("Root"), PemFiles::create());
    let server = TestTlsServer { alpn, ..TestTlsServer::new(&authority.issue(&["127.0.0.1"], VALID)) };
    let (acceptor, counts) = (server.acceptor(), Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]));
    let counted = Arc::clone(&counts);
    let port = listen(move |stream| {
        let (acceptor, counts, over_http2) = (acceptor.clone(), Arc::clone(&counted), over_http2.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            counts[usize::from(!is_http2)].fetch_add(1, Relaxed);
            if is_http2 { over_http2(stream).await } else { http1(stream, "").await }
        }
    })
    .await;
    let options = TlsOptions { cacert: vec![files.put("ca.pem", &authority.cert)], ..TlsOptions::default() };
    let mut plan = testing::plan(&format!("wss://127.0.0.1:{port}/"), Duration::from_secs(1));
    plan.dial.tls = Arc::new(TlsPlan::build(&options).unwrap());
    SecureServer { plan, counts, _files: files }
}

impl SecureServer {
    async fn http2(&self) -> FeatureTrial {
        http2(&self.plan, HttpChoice::Auto, &CancellationToken::new()).await
    }

    fn connections(&self) -> (usize, usize) {
        (self.counts[0].load(Relaxed), self.counts[1].load(Relaxed))
    }
}

/// Answers the Ping frames on a stream; each comes in a frame of its own.
async fn answer_pings(mut peer: TlsPeer, stream: u32) {
    while let Some(data) = peer.until(DATA).await {
        let Some((mask, payload)) = data.payload.get(2..).and_then(|rest| rest.split_first_chunk::<4>())
        else {
            continue;
        };
        let plain: Vec<u8> =
            payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
        let opcode = if data.payload[0] & 0x0f == PING { PONG } else { CLOSE };
        peer.send(DATA, 0, stream, &frame(opcode, &plain)).await;
    }
}

/// The failure that the trial shows to be one of HTTP/2.
async fn fails<F, Fut>(answer: F) -> TrialFailure
where
    F: Fn(TlsPeer, u32) -> Fut + Send + Sync + Clone + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let server = secure(BOTH, move |stream| {
        let answer = answer.clone();
        async move {
            let mut peer = Http2Peer::begin(stream, ALLOWED).await;
            let Some(request) = peer.until(HEADERS).await else { return };
            answer(peer, request.stream).await;
        }
    })
    .await;
    let trial = server.http2().await;
    assert_eq!(server.connections(), (2, 2), "each way twice");
    match verdict(&trial) {
        TrialVerdict::Fails(failure) => failure,
        other => panic!("{other:?}"),
    }
}

fn cause(failure: &TrialFailure) -> String {
    match failure {
        TrialFailure::NotOpened(error) => error.cause.clone(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn both_rtts_are_measured_where_http2_works() {
    let server = secure(BOTH, async |stream| {
        let (peer, stream) = Http2Peer::accept(stream).await;
        answer_pings(peer, stream).await;
    })
    .await;
    let trial = server.http2().await;
    assert_eq!(verdict(&trial), TrialVerdict::Works);
    let FeatureRtts { with: Some(_), without: Some(_) } = browser_features::rtts(&trial) else {
        panic!("{:?}", browser_features::rtts(&trial))
    };
    let counts = [&trial.with, trial.without.as_ref().unwrap()].map(|report| report.kinds[0].counts.ok);
    assert_eq!((counts, server.connections()), ([HEARTBEATS; 2], (1, 1)));
}

#[tokio::test]
async fn server_that_does_not_choose_http2_is_asked_once() {
    let server = secure(&[b"http/1.1"], async |_| {}).await;
    let trial = server.http2().await;
    assert_eq!((is_chosen(&trial), server.connections()), (Some(false), (0, 1)));
    assert!(trial.without.is_none());
}

#[tokio::test]
async fn websockets_that_are_not_allowed_are_not_tried() {
    let server = secure(BOTH, async |stream| Http2Peer::begin(stream, &[]).await.drain().await).await;
    let trial = server.http2().await;
    assert_eq!(browser_features::http2(&trial), [DoctorFinding::H2WebsocketsNotAllowed]);
    assert_eq!(server.connections(), (1, 0));
}

#[tokio::test]
async fn refusals_of_a_stream_are_named() {
    let reset = fails(async |mut peer: TlsPeer, stream| {
        peer.send(RST_STREAM, 0, stream, &[0, 0, 0, 1]).await;
        peer.drain().await;
    });
    let reset = cause(&reset.await);
    assert!(reset.contains("PROTOCOL_ERROR"), "{reset}");
    let refused = fails(async |mut peer: TlsPeer, stream| {
        peer.send(HEADERS, END_HEADERS, stream, STATUS_404).await;
        peer.drain().await;
    });
    let refused = cause(&refused.await);
    assert!(refused.contains("404"), "{refused}");
    let going = fails(async |mut peer: TlsPeer, _| {
        peer.send(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 2]).await;
        peer.drain().await;
    });
    let going = cause(&going.await);
    assert!(going.contains("INTERNAL_ERROR"), "{going}");
}

#[tokio::test]
async fn stream_that_is_reset_after_it_opened_is_told_apart() {
    let ended = fails(async |mut peer: TlsPeer, stream| {
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        peer.until(DATA).await;
        peer.send(RST_STREAM, 0, stream, &[0, 0, 0, 8]).await;
        peer.drain().await;
    });
    assert!(matches!(ended.await, TrialFailure::Ended(_)));
}

/// A trial of compression with a server that acts so on a request, with the offer in it or `None`.
async fn compressing<F, Fut>(act: F) -> FeatureTrial
where
    F: Fn(TcpStream) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let port = listen(act).await;
    let plan = testing::plan(&format!("ws://127.0.0.1:{port}/"), Duration::from_secs(1));
    compression(&plan, &CancellationToken::new()).await
}

const AGREED: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Whether the request that begins in `stream` offers compression; it stays there.
async fn offers_compression(stream: &TcpStream) -> bool {
    let mut head = vec![0; 4096];
    loop {
        let length = stream.peek(&mut head).await.unwrap_or(0);
        let text = String::from_utf8_lossy(&head[..length]);
        if length == 0 || text.ends_with("\r\n\r\n") {
            return header(&text, "Sec-WebSocket-Extensions").is_some();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn offer_of_compression_is_the_reason_only_if_the_plain_request_works() {
    let refusing = compressing(async |mut stream| {
        if offers_compression(&stream).await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        } else {
            http1(stream, "").await;
        }
    })
    .await;
    let TrialVerdict::Fails(TrialFailure::NotOpened(error)) = verdict(&refusing) else {
        panic!("{:?}", verdict(&refusing))
    };
    assert_eq!(error.refusal.as_ref().unwrap().status, 400);
    let closed = compressing(async |mut stream: TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    })
    .await;
    assert!(matches!(verdict(&closed), TrialVerdict::Undecided(_)), "{:?}", verdict(&closed));
}

#[tokio::test]
async fn frame_that_cannot_be_decompressed_breaks_the_connection() {
    let broken = compressing(async |mut stream| {
        if !offers_compression(&stream).await {
            return http1(stream, "").await;
        }
        let head = request(&mut stream).await;
        let _ = stream.write_all(accepting(&head, AGREED).as_bytes()).await;
        // A text frame with RSV1, whose payload is no deflate.
        let _ = stream.write_all(&[0xc1, 3, 0xff, 0xff, 0xff]).await;
        let mut peer = RawPeer { io: stream };
        while peer.frame().await.is_some() {}
    })
    .await;
    let found = browser_features::compression(&broken);
    let DoctorFinding::CompressionBreaks { failure: TrialFailure::Ended(_), agreed: Some(agreed) } = found
    else {
        panic!("{found:?}")
    };
    assert_eq!(agreed, "permessage-deflate");
}

#[tokio::test]
async fn agreed_and_ignored_offers_are_told_apart() {
    let agreeing = compressing(async |stream| http1(stream, AGREED).await).await;
    assert_eq!(
        browser_features::compression(&agreeing),
        DoctorFinding::CompressionWorks { agreed: "permessage-deflate".to_string(), has_message: false }
    );
    let ignoring = compressing(async |stream| http1(stream, "").await).await;
    assert!(opened(&ignoring.with).is_some() && browser_features::agreed(&ignoring).is_none());
}
