//! Asks for the upgrade to WebSocket (RFC 6455 section 4.1) and judges the answer.
//!
//! Our own over httparse: the library's handshake says that it failed, a diagnostic must say how.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::domain::opening::FailureKind;
use crate::domain::peer_text::PeerText;
use crate::domain::target::{Credentials, Target};

use super::fault::Fault;
use super::head::{Head, HeadError, HeadReader, Speaks};
use super::{refusal, tls};

/// The most interim (1xx) responses before the final one.
const MOST_INTERIM: usize = 16;

/// What is asked of the server.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    pub target: &'a Target,
    /// The user's own headers; they replace ours of the same name.
    pub headers: &'a HeaderMap,
    pub origin: Option<&'a HeaderValue>,
    pub subprotocols: &'a [String],
    pub credentials: Option<&'a Credentials>,
}

/// What the server agreed to.
#[derive(Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub subprotocols_offered: Vec<String>,
    pub subprotocol: Option<PeerText>,
    /// The response's telling headers.
    pub headers: Vec<(String, PeerText)>,
    /// What came after the response's head: the beginning of the WebSocket's frames.
    pub leftover: Vec<u8>,
}

/// Upgrades `stream`. Takes until `deadline` at most, of a `budget` that began earlier.
pub async fn upgrade<S>(
    stream: &mut S,
    offer: Offer<'_>,
    deadline: Instant,
    budget: Duration,
) -> Result<Upgraded, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = Request::new(offer)?;
    let sent = send(stream, &request.bytes, deadline).await;
    // A server that refuses early may close while we still write; its answer tells more.
    let mut reader = HeadReader::new(stream, deadline);
    let head = match (final_head(&mut reader).await, sent) {
        (Ok(head), _) => head,
        (Err(error), Ok(())) => return Err(unanswered(offer.target, &error, budget)),
        (Err(HeadError::Io(error)), Err(_)) if tls::alert(&error).is_some() => {
            return Err(unanswered(offer.target, &HeadError::Io(error), budget));
        }
        (Err(_), Err(error)) => return Err(unsent(&error, budget)),
    };
    if head.status != 101 {
        let body = reader.body_start(&head).await;
        return Err(refusal::fault(offer.target, &head, &body));
    }
    let subprotocol = judge(&head, &request)?;
    Ok(Upgraded {
        subprotocols_offered: request.subprotocols,
        subprotocol,
        headers: refusal::hops(&head),
        leftover: reader.into_leftover(),
    })
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8], deadline: Instant) -> io::Result<()> {
    let writing = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    timeout_at(deadline, writing).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn unsent(error: &io::Error, budget: Duration) -> Fault {
    match (error.kind(), error.raw_os_error()) {
        (io::ErrorKind::TimedOut, None) => Fault::timeout(budget, "the server did not take the request"),
        _ => Fault::talking("while the request was sent", error),
    }
}

/// The first response that is not interim.
async fn final_head<S: AsyncRead + Unpin>(reader: &mut HeadReader<'_, S>) -> Result<Head, HeadError> {
    for _ in 0..MOST_INTERIM {
        let head = reader.head().await?;
        if head.status == 101 || !(100..200).contains(&head.status) {
            return Ok(head);
        }
    }
    Err(HeadError::Endless)
}

fn unanswered(target: &Target, error: &HeadError, budget: Duration) -> Fault {
    if let HeadError::Io(io) = error
        && let Some(fault) = tls::alert(io)
    {
        return fault;
    }
    let fault = error.fault("the server", budget);
    let hint = match (error.speaks(), error) {
        (Some(Speaks::Tls), _) => Some(refusal::TRY_WSS),
        (Some(Speaks::Http2), _) => Some("the server offers HTTP/2 only; WebSocket needs HTTP/1.1 here"),
        (None, HeadError::ClosedEarly(0)) if !target.secure() => {
            Some("some TLS servers close like this on plain HTTP: try wss://")
        }
        _ => None,
    };
    Fault { hint: hint.map(str::to_string), ..fault }
}

/// A request, and what is needed to judge the answer.
struct Request {
    bytes: Vec<u8>,
    key: Vec<u8>,
    subprotocols: Vec<String>,
    offers_extensions: bool,
}

impl Request {
    fn new(offer: Offer<'_>) -> Result<Request, Fault> {
        let key = match offer.headers.get(header::SEC_WEBSOCKET_KEY) {
            Some(key) => key.as_bytes().to_vec(),
            None => generate_key().into_bytes(),
        };
        let subprotocols = subprotocols(offer);
        let headers = ours(offer, &key, &subprotocols)?;
        let is_ours = |name: &HeaderName| headers.iter().any(|(ours, _)| name == ours);
        let mut bytes = format!("GET {} HTTP/1.1\r\n", offer.target.resource()).into_bytes();
        for (name, value) in &headers {
            line(&mut bytes, name, value);
        }
        for (name, value) in offer.headers.iter().filter(|(name, _)| !is_ours(name)) {
            line(&mut bytes, &title_case(name), value);
        }
        bytes.extend(b"\r\n");
        let offers_extensions = offer.headers.contains_key(header::SEC_WEBSOCKET_EXTENSIONS);
        Ok(Request { bytes, key, subprotocols, offers_extensions })
    }
}

/// The headers that every request has, each with the user's value where the user gave one.
fn ours(
    offer: Offer<'_>,
    key: &[u8],
    subprotocols: &[String],
) -> Result<Vec<(&'static str, HeaderValue)>, Fault> {
    let authority = value("the host", offer.target.authority().as_bytes())?;
    let mut headers = vec![
        ("Host", authority),
        ("Connection", HeaderValue::from_static("Upgrade")),
        ("Upgrade", HeaderValue::from_static("websocket")),
        ("Sec-WebSocket-Version", HeaderValue::from_static("13")),
        ("Sec-WebSocket-Key", value("the key", key)?),
        ("User-Agent", HeaderValue::from_static(concat!("wscheck/", env!("CARGO_PKG_VERSION")))),
    ];
    headers.extend(offer.origin.map(|origin| ("Origin", origin.clone())));
    headers.extend(authorization(offer)?.map(|basic| ("Authorization", basic)));
    for (name, ours) in &mut headers {
        if let Some(theirs) = offer.headers.get(*name) {
            *ours = theirs.clone();
        }
    }
    if !subprotocols.is_empty() {
        let list = value("the subprotocols", subprotocols.join(", ").as_bytes())?;
        headers.push(("Sec-WebSocket-Protocol", list));
    }
    Ok(headers)
}

fn authorization(offer: Offer<'_>) -> Result<Option<HeaderValue>, Fault> {
    let Some(Credentials { user, password }) = offer.credentials.or(offer.target.credentials()) else {
        return Ok(None);
    };
    let basic = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
    value("the credentials", basic.as_bytes()).map(Some)
}

/// The subprotocols asked for, and those in a header of the user's own.
fn subprotocols(offer: Offer<'_>) -> Vec<String> {
    let headers = offer.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let listed = headers.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    let listed = listed.map(|name| name.trim().to_string()).filter(|name| !name.is_empty());
    offer.subprotocols.iter().cloned().chain(listed).collect()
}

fn value(what: &str, bytes: &[u8]) -> Result<HeaderValue, Fault> {
    let wrong = || Fault::new(FailureKind::Local, format!("{what} cannot be sent in an HTTP header"));
    HeaderValue::from_bytes(bytes).map_err(|_| wrong())
}

fn line(bytes: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    bytes.extend(name.as_bytes());
    bytes.extend(b": ");
    bytes.extend(value.as_bytes());
    bytes.extend(b"\r\n");
}

/// `x-api-key` as `X-Api-Key`: names are caseless, but not every server knows that.
fn title_case(name: &HeaderName) -> String {
    let mut start = true;
    let cased = name.as_str().chars().map(|c| {
        let cased = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        cased
    });
    cased.collect()
}

/// Whether a 101 is one that RFC 6455 section 4.1 lets a client accept; its subprotocol.
fn judge(head: &Head, request: &Request) -> Result<Option<PeerText>, Fault> {
    if head.minor_version == 0 {
        return Err(bad("the server answered 101 in HTTP/1.0; an upgrade needs HTTP/1.1"));
    }
    if !head.has_token("upgrade", "websocket") {
        return Err(bad(missing(head, "upgrade", "Upgrade: websocket")));
    }
    if !head.has_token("connection", "upgrade") {
        return Err(bad(missing(head, "connection", "Connection: Upgrade")));
    }
    accept(head, &request.key)?;
    extensions(head, request)?;
    subprotocol(head, &request.subprotocols)
}

fn bad(cause: impl Into<String>) -> Fault {
    Fault::new(FailureKind::BadUpgrade, cause)
}

fn missing(head: &Head, name: &str, wanted: &str) -> String {
    match head.text(name) {
        Some(got) => format!("the 101 response says {name}: {} instead of {wanted}", PeerText::new(&got)),
        None => format!("the 101 response lacks {wanted}"),
    }
}

fn accept(head: &Head, key: &[u8]) -> Result<(), Fault> {
    let wanted = derive_accept_key(key);
    match head.text("sec-websocket-accept") {
        Some(got) if got == wanted => Ok(()),
        Some(got) => {
            let cause = format!("wrong Sec-WebSocket-Accept: {} instead of {wanted}", PeerText::new(&got));
            Err(bad(cause).hint("the server, or a cache before it, did not answer this very request"))
        }
        None => Err(bad("the 101 response lacks Sec-WebSocket-Accept")),
    }
}

fn extensions(head: &Head, request: &Request) -> Result<(), Fault> {
    let Some(chosen) = head.text("sec-websocket-extensions").filter(|chosen| !chosen.is_empty()) else {
        return Ok(());
    };
    let chosen = PeerText::new(&chosen);
    match request.offers_extensions {
        true => Err(bad(format!("the server chose the extension {chosen}, which wscheck does not speak"))
            .hint("leave Sec-WebSocket-Extensions out of the headers")),
        false => Err(bad(format!("the server chose an extension that was not offered: {chosen}"))),
    }
}

fn subprotocol(head: &Head, offered: &[String]) -> Result<Option<PeerText>, Fault> {
    let chosen: Vec<_> = head.all("sec-websocket-protocol").map(<[u8]>::trim_ascii).collect();
    match chosen.as_slice() {
        [] => Ok(None),
        [one] if offered.iter().any(|name| name.as_bytes() == *one) => Ok(Some(PeerText::from_bytes(one))),
        [one] => {
            let one = PeerText::from_bytes(one);
            Err(bad(format!("the server chose a subprotocol that was not offered: {one}")))
        }
        _ => Err(bad("the server chose more than one subprotocol")),
    }
}
