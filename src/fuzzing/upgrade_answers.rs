//! Answers to a client: of a server to its upgrade, and of a proxy to its request for a tunnel.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::assert_harmless;
use super::peer::{Peer, PieceSizes, block_on};
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::domain::connection::target::Target;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::endpoint::Endpoint;
use crate::net::connect::proxy::{ProxyUrl, tunnel};
use crate::net::connect::upgrade::upgrade;
use crate::net::dial_error::DialError;
use crate::net::time_limit::TimeLimit;
use crate::net::transport::byte_stream::ByteStream;
use crate::net::transport::socket::TransportSocket;
use crate::net::transport::tap::Tap;

const BUDGET: Duration = Duration::from_secs(60);
/// The key of RFC 6455 section 1.3, whose accept value an input can have.
const KEY: HeaderValue = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
/// The start of an answer that accepts that key.
const ACCEPTED: &[u8] = b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const URLS: [&str; 4] = [
    "ws://a.example/chat?token=s3cret-token-1",
    "wss://user:hunter22@a.example:8443/",
    "ws://[::1]/",
    "ws://192.0.2.1/x",
];
const PROXIES: [&str; 6] = [
    "http://p.example:3128",
    "http://user:hunter22@p.example",
    "socks4://p.example",
    "socks4a://p.example",
    "socks5://user:hunter22@p.example",
    "socks5h://p.example",
];
/// The largest answer of a proxy, in bytes: a socket's buffer takes it at once.
const MAX_PROXY_ANSWER: usize = 32 * 1024;

/// The first byte is a [`PieceSizes`], the second chooses what is asked:
///
/// - bit 7: a proxy is asked; bits 0 to 2 choose it
/// - else bits 0 and 1 choose the URL; bit 2 offers subprotocols; bit 3 sends headers of the user's; bit 4 puts an answer
///   that accepts before the rest
pub fn upgrade_answers(data: &[u8]) {
    let [sizes, mode, answer @ ..] = data else { return };
    if mode & 0x80 != 0 {
        return block_on(ask_proxy(*mode, answer));
    }
    let accepted: &[u8] = if mode & 0x10 != 0 { ACCEPTED } else { &[] };
    let answer = [accepted, answer].concat();
    block_on(ask_server(*mode, &answer, &PieceSizes(*sizes).cut(&answer)));
}

async fn ask_server(mode: u8, answer: &[u8], pieces: &[&[u8]]) {
    let target: Target = URLS[usize::from(mode & 3)].parse().expect("a URL");
    let subprotocols: &[String] = if mode & 4 != 0 { &["chat".into(), "v2".into()] } else { &[] };
    let mut headers = HeaderMap::new();
    headers.insert(header::SEC_WEBSOCKET_KEY, KEY);
    if mode & 8 != 0 {
        headers.insert(header::HOST, HeaderValue::from_static("b.example"));
        headers.insert(header::COOKIE, HeaderValue::from_static("session=1"));
        headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer abc"));
    }
    let deflate = Some(DeflateOffer::default()).filter(|_| mode & 0x20 != 0);
    let plan = DialPlan { headers, subprotocols: subprotocols.to_vec(), deflate, ..DialPlan::default() };
    let mut peer = Peer::new(pieces.iter().copied());
    match upgrade(&mut peer, &plan, &target, TimeLimit::from_now(BUDGET)).await {
        Ok(upgraded) => {
            let mut after_head = upgraded.leftover.clone();
            peer.read_to_end(&mut after_head).await.expect("the peer's rest");
            assert!(answer.ends_with(&after_head));
            assert!(answer[..answer.len() - after_head.len()].ends_with(b"\n"));
            let shown = upgraded.headers.iter().map(|(_, value)| value).chain(&upgraded.subprotocol);
            shown.for_each(|text| assert_harmless(text.as_str()));
        }
        Err(error) => look_at(&error),
    }
}

async fn ask_proxy(mode: u8, answer: &[u8]) {
    let answer = &answer[..answer.len().min(MAX_PROXY_ANSWER)];
    let proxy: ProxyUrl = PROXIES[usize::from(mode & 7) % PROXIES.len()].parse().expect("the URL of a proxy");
    let target: Target = URLS[usize::from(mode >> 3 & 3)].parse().expect("a URL");
    let (near, mut far) = UnixStream::pair().expect("a pair of sockets");
    far.write_all(answer).await.expect("room in the socket");
    far.shutdown().await.expect("an open socket");
    let stream = ByteStream::Plain(Tap::new(TransportSocket::Unix(near)));
    if let Err(error) = tunnel(stream, &proxy, &Endpoint::from(&target), TimeLimit::from_now(BUDGET)).await {
        look_at(&proxy.with_origin(error));
    }
}

/// An error is shown on a terminal, and shows no secret.
fn look_at(error: &DialError) {
    let refusal = error.refusal.iter();
    let of_refusal = refusal.flat_map(|refusal| {
        refusal.headers.iter().map(|(_, value)| value.as_str()).chain([refusal.body.as_str()])
    });
    for text in [Some(error.cause.as_str()), error.hint.as_deref()].into_iter().flatten().chain(of_refusal) {
        assert_harmless(text);
    }
}
