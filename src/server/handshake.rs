//! Server side of the opening handshake (RFC 6455 section 4.2), and rejection of other requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use strum::{EnumIter, EnumMessage, IntoStaticStr};
use thiserror::Error;

use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;

/// Maximum size of a request head, in bytes.
pub const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 100;
/// The handshake GUID (RFC 6455 section 1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A valid WebSocket upgrade request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedUpgrade {
    /// Path and query, as sent.
    pub resource: String,
    /// Empty over HTTP/2, which has none.
    key: String,
    /// The offered subprotocols, in the client's order.
    pub subprotocols: Vec<String>,
    /// The offered extensions with their parameters.
    pub extensions: Vec<String>,
}

/// Why a connection was rejected. `Display` is a lower-case fragment for the operator; an HTTP client receives a
/// sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RejectedConnection {
    /// `answered` is the status of the answer.
    #[error("plain HTTP request ({method} {path}), not a WebSocket upgrade; answered {answered}")]
    PlainHttp { method: UntrustedText, path: UntrustedText, answered: u16 },
    /// An extended CONNECT (RFC 8441) for another protocol than WebSocket.
    #[error("CONNECT for the protocol {0}, not websocket; answered 501")]
    Protocol(UntrustedText),
    #[error("WebSocket version {offered} is not supported, only 13; answered {answered}")]
    Version { offered: UntrustedText, answered: u16 },
    #[error("upgrade without a Sec-WebSocket-Key of 16 bytes; answered 400")]
    Key,
    #[error("upgrade in HTTP/1.{0}, which needs HTTP/1.1 (RFC 6455 4.2.1); answered 400")]
    HttpVersion(u8),
    #[error("upgrade with {0} Host headers instead of one (RFC 6455 4.2.1); answered 400")]
    Host(usize),
    #[error("not HTTP; answered 400")]
    NotHttp,
    #[error("an HTTP/2 client; --h2 accepts it; answered 400")]
    Http2Client,
    /// The connection of an HTTP/2 client failed.
    #[error("HTTP/2: {0}")]
    Http2(UntrustedText),
    #[error("request head larger than {MAX_HEAD_BYTES} bytes; answered 431")]
    EndlessHead,
    #[error("a TLS client on the plain port; it should use ws://, or this server --tls; answered 400")]
    TlsOnPlain,
    #[error("a plain client on the TLS port; it should use wss://; answered 400")]
    PlainOnTls,
    #[error("TLS handshake failed: {0}")]
    Tls(UntrustedText),
    #[error("closed before its request was complete")]
    ClosedEarly,
    #[error("closed before its upgrade was answered")]
    ClosedUnanswered,
    #[error("its request did not come within {} s", .0.as_secs_f64())]
    TooSlow(std::time::Duration),
    #[error("full: the limit is {0} clients; answered 503")]
    Full(usize),
    /// Rejected by a fault: this status, and a redirect location.
    #[error("upgrade failed by a fault (sent {0})")]
    OnOrder(u16, Option<String>),
    /// Rejected by a fault: the stream of HTTP/2 was reset with this code.
    #[error("CONNECT failed by a fault (sent RST_STREAM {})", Http2Code(*.0))]
    StreamReset(u32),
    /// A fault kept the connection of HTTP/2 from opening WebSockets.
    #[error("HTTP/2 without SETTINGS_ENABLE_CONNECT_PROTOCOL, by a fault")]
    NoConnectProtocol,
}

impl RejectedConnection {
    /// Whether a fault rejected it.
    pub fn is_ordered(&self) -> bool {
        use RejectedConnection::{NoConnectProtocol, OnOrder, StreamReset};
        matches!(self, OnOrder(..) | StreamReset(_) | NoConnectProtocol)
    }

    /// The response to the client, as HTTP/1.1; `None` if the client would not understand any.
    pub fn response(&self) -> Option<Vec<u8>> {
        let HttpAnswer { status, headers, sentence } = self.answer()?;
        Some(response(status, &headers, &sentence))
    }

    /// The answer to the client in any version of HTTP; `None` if the client would not understand any.
    pub fn answer(&self) -> Option<HttpAnswer<'_>> {
        let say = |status, headers: &[(&'static str, &'static str)], sentence: &str| {
            Some(HttpAnswer { status, headers: headers.to_vec(), sentence: sentence.to_string() })
        };
        match self {
            RejectedConnection::PlainHttp { answered, .. } => {
                let url = "This is a WebSocket server (wscheck serve): connect with a ws:// or wss:// URL.";
                say(*answered, offer(*answered), url)
            }
            RejectedConnection::Protocol(_) => {
                say(501, &[], "This server supports only the protocol websocket in a CONNECT request.")
            }
            RejectedConnection::Version { answered, .. } => {
                say(*answered, offer(*answered), "This server supports only WebSocket version 13.")
            }
            RejectedConnection::Key => {
                say(400, &[], "The upgrade needs a Sec-WebSocket-Key of 16 bytes in base64.")
            }
            RejectedConnection::HttpVersion(minor) => say(
                400,
                &[],
                &format!("An upgrade needs HTTP/1.1 (RFC 6455 4.2.1); this came in HTTP/1.{minor}."),
            ),
            RejectedConnection::Host(_) => {
                say(400, &[], "An upgrade needs one Host header (RFC 6455 4.2.1).")
            }
            RejectedConnection::NotHttp => say(400, &[], "This is not an HTTP/1.1 request."),
            RejectedConnection::Http2Client => {
                say(400, &[], "This server does not speak HTTP/2; wscheck serve --h2 does.")
            }
            RejectedConnection::EndlessHead => say(431, &[], "The request head is too large."),
            // A plain-text answer makes TLS clients report "not TLS"; silence would look like a network problem.
            RejectedConnection::TlsOnPlain => {
                say(400, &[], "This port speaks no TLS: connect with a ws:// URL.")
            }
            RejectedConnection::PlainOnTls => {
                say(400, &[], "This port speaks TLS: connect with a wss:// URL.")
            }
            RejectedConnection::Full(_) => {
                say(503, &[("Retry-After", "5")], "This server has reached its maximum number of clients.")
            }
            RejectedConnection::OnOrder(101, _) => None,
            RejectedConnection::OnOrder(status, place) => {
                let headers = place.iter().map(|place| ("Location", place.as_str())).collect();
                let sentence = String::from("Refused by an injected fault.");
                Some(HttpAnswer { status: *status, headers, sentence })
            }
            RejectedConnection::Tls(_)
            | RejectedConnection::Http2(_)
            | RejectedConnection::StreamReset(_)
            | RejectedConnection::NoConnectProtocol
            | RejectedConnection::ClosedEarly
            | RejectedConnection::ClosedUnanswered
            | RejectedConnection::TooSlow(_) => None,
        }
    }
}

/// An answer that refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer<'a> {
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'a str, &'a str)>,
    /// The body, without its newline.
    pub sentence: String,
}

/// The headers that tell what the server supports. Only 426 offers an upgrade, which HTTP/2 does not have; 405 names the
/// method of RFC 8441.
fn offer(status: u16) -> &'static [(&'static str, &'static str)] {
    match status {
        426 => &[("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")],
        405 => &[("Allow", "CONNECT")],
        400 => &[("Sec-WebSocket-Version", "13")],
        _ => &[],
    }
}

/// Parses a request head. `None`: more bytes are needed. `lenient`: accept an upgrade in HTTP/1.0 or without a Host
/// header.
pub fn read_head(
    bytes: &[u8],
    lenient: bool,
) -> Result<Option<(AcceptedUpgrade, usize)>, RejectedConnection> {
    if looks_like_tls(bytes) {
        return Err(RejectedConnection::TlsOnPlain);
    }
    if bytes.starts_with(HTTP2_PREFACE) {
        return Err(RejectedConnection::Http2Client);
    }
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => {
            upgrade(&request, lenient).map(|upgrade| Some((upgrade, length)))
        }
        Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD_BYTES => Err(RejectedConnection::EndlessHead),
        Ok(httparse::Status::Partial) => Ok(None),
        Err(httparse::Error::TooManyHeaders) => Err(RejectedConnection::EndlessHead),
        Err(_) => Err(RejectedConnection::NotHttp),
    }
}

/// Whether it is a TLS handshake record, version 3.x (RFC 8446 section 5.1).
pub fn looks_like_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [0x16, 0x03, ..])
}

/// The first line that an HTTP/2 client sends, with prior knowledge or after TLS (RFC 9113 section 3.4).
pub const HTTP2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

/// Checks the client's request (RFC 6455 section 4.2.1).
fn upgrade(
    request: &httparse::Request<'_, '_>,
    lenient: bool,
) -> Result<AcceptedUpgrade, RejectedConnection> {
    let asks = request.method == Some("GET")
        && has_token(request, "Connection", "upgrade")
        && has_token(request, "Upgrade", "websocket");
    if !asks {
        let shown = |text: Option<&str>| UntrustedText::new(text.unwrap_or(""));
        return Err(RejectedConnection::PlainHttp {
            method: shown(request.method),
            path: shown(request.path),
            answered: 426,
        });
    }
    if !lenient {
        check_version_and_host(request)?;
    }
    // Neither header may be repeated (RFC 6455 sections 11.3.1, 11.3.5); joined values are invalid.
    let version = values(request, "Sec-WebSocket-Version").collect::<Vec<_>>().join(", ");
    check_version(&version, 426)?;
    let key = values(request, "Sec-WebSocket-Key").collect::<Vec<_>>().join(", ").trim().to_string();
    if STANDARD.decode(&key).map(|bytes| bytes.len()) != Ok(16) {
        return Err(RejectedConnection::Key);
    }
    let subprotocols = tokens(request, "Sec-WebSocket-Protocol").filter(|name| is_token(name)).collect();
    let extensions = tokens(request, "Sec-WebSocket-Extensions").collect();
    Ok(AcceptedUpgrade { resource: request.path.unwrap_or("/").to_string(), key, subprotocols, extensions })
}

/// Checks a request of HTTP/2 for an extended CONNECT that opens a WebSocket (RFC 8441 section 5). `protocol` is its
/// `:protocol`.
pub fn extended_connect<T>(
    request: &http::Request<T>,
    protocol: Option<&str>,
) -> Result<AcceptedUpgrade, RejectedConnection> {
    let uri = request.uri();
    let resource = uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
    let plain = |path, answered| {
        let method = UntrustedText::new(request.method().as_str());
        Err(RejectedConnection::PlainHttp { method, path: UntrustedText::new(path), answered })
    };
    match protocol {
        // RFC 9110 section 9.3.6: most origin servers do not implement CONNECT, which asks for a tunnel.
        None if request.method() == http::Method::CONNECT => {
            return plain(uri.authority().map_or("", http::uri::Authority::as_str), 501);
        }
        None => return plain(resource, 405),
        Some("websocket") => {}
        Some(other) => return Err(RejectedConnection::Protocol(UntrustedText::new(other))),
    }
    let values = |name| {
        let values = request.headers().get_all(name).iter();
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    check_version(&values("sec-websocket-version").collect::<Vec<_>>().join(", "), 400)?;
    Ok(AcceptedUpgrade {
        resource: resource.to_string(),
        key: String::new(),
        subprotocols: split_tokens(values("sec-websocket-protocol")).filter(|name| is_token(name)).collect(),
        extensions: split_tokens(values("sec-websocket-extensions")).collect(),
    })
}

fn check_version(offered: &str, answered: u16) -> Result<(), RejectedConnection> {
    match offered.trim() {
        "13" => Ok(()),
        _ => Err(RejectedConnection::Version { offered: UntrustedText::new(offered), answered }),
    }
}

/// Checks for HTTP/1.1 and exactly one Host header (RFC 9112 section 3.2).
fn check_version_and_host(request: &httparse::Request<'_, '_>) -> Result<(), RejectedConnection> {
    if let Some(minor) = request.version.filter(|minor| *minor < 1) {
        return Err(RejectedConnection::HttpVersion(minor));
    }
    match values(request, "Host").count() {
        1 => Ok(()),
        count => Err(RejectedConnection::Host(count)),
    }
}

fn values<'a>(request: &'a httparse::Request<'_, '_>, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let named = request.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    named.map(|header| String::from_utf8_lossy(header.value).into_owned())
}

fn tokens<'a>(request: &'a httparse::Request<'_, '_>, name: &'a str) -> impl Iterator<Item = String> + 'a {
    split_tokens(values(request, name))
}

fn split_tokens(values: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    values.flat_map(|value| value.split(',').map(|token| token.trim().to_string()).collect::<Vec<_>>())
}

fn has_token(request: &httparse::Request<'_, '_>, name: &str, wanted: &str) -> bool {
    tokens(request, name).any(|token| token.eq_ignore_ascii_case(wanted))
}

/// Whether it is a token (RFC 9110 section 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// The 101 response; `wrong_accept` falsifies the accept key.
pub fn accept(
    upgrade: &AcceptedUpgrade,
    subprotocol: Option<&str>,
    extension: Option<&str>,
    wrong_accept: bool,
) -> Vec<u8> {
    let accept_key = accept_key(if wrong_accept { "wrong" } else { &upgrade.key });
    let mut head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nServer: wscheck\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept_key}\r\n"
    );
    if let Some(name) = subprotocol {
        head.push_str(&format!("Sec-WebSocket-Protocol: {name}\r\n"));
    }
    if let Some(extension) = extension {
        head.push_str(&format!("Sec-WebSocket-Extensions: {extension}\r\n"));
    }
    head.push_str("\r\n");
    head.into_bytes()
}

/// Any other response; the connection closes after it.
pub fn response(status: u16, headers: &[(&str, &str)], sentence: &str) -> Vec<u8> {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
    let mut head = format!("HTTP/1.1 {status} {}\r\nServer: wscheck\r\n", reason.unwrap_or(""));
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let connection = if status == 426 { "Upgrade, close" } else { "close" };
    let length = sentence.len() + 1;
    head.push_str(&format!(
        "Connection: {connection}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\r\n\
         {sentence}\n"
    ));
    head.into_bytes()
}

fn accept_key(key: &str) -> String {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    hash.update(key.as_bytes());
    hash.update(GUID);
    STANDARD.encode(hash.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::label::Label;
    use proptest::prelude::*;

    const HEAD: &str = "GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nupgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n";

    fn refusal(head: &str) -> RejectedConnection {
        read_head(head.as_bytes(), false).unwrap_err()
    }

    #[test]
    fn valid_request_is_read_and_rest_is_kept() {
        let (upgrade, length) = read_head(format!("{HEAD}more").as_bytes(), false).unwrap().unwrap();
        assert_eq!((upgrade.resource.as_str(), length), ("/chat?x=1", HEAD.len()));
        assert_eq!(upgrade.subprotocols, ["chat", "superchat"]);
    }

    #[test]
    fn accept_key_matches_the_rfc() {
        // RFC 6455 section 1.3.
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn incomplete_head_is_awaited_up_to_a_limit() {
        assert_eq!(read_head(&HEAD.as_bytes()[..80], false), Ok(None));
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(refusal(&endless), RejectedConnection::EndlessHead);
        let many = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(MAX_HEADERS + 1));
        assert_eq!(refusal(&many), RejectedConnection::EndlessHead);
    }

    #[test]
    fn plain_request_is_answered_with_426() {
        let refused = refusal("GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(refused.label(), "plain_http");
        let answer = String::from_utf8(refused.response().unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
        assert!(answer.contains("\r\nUpgrade: websocket\r\n"), "{answer}");
        assert!(answer.ends_with("connect with a ws:// or wss:// URL.\n"), "{answer}");
    }

    #[test]
    fn invalid_upgrades_are_distinguished() {
        assert_eq!(
            refusal(&HEAD.replace("n: 13", "n: 8")),
            RejectedConnection::Version { offered: UntrustedText::new("8"), answered: 426 }
        );
        assert_eq!(refusal(&HEAD.replace("dGhl", "")), RejectedConnection::Key);
        assert_eq!(refusal("\x16\x03\x01\x02\x00"), RejectedConnection::TlsOnPlain);
        assert_eq!(refusal("HELO there\r\n\r\n"), RejectedConnection::NotHttp);
    }

    #[test]
    fn upgrade_needs_http_1_1_and_one_host() {
        let old = HEAD.replace("HTTP/1.1", "HTTP/1.0");
        let without = HEAD.replace("Host: a\r\n", "");
        let twice = HEAD.replace("Host: a\r\n", "Host: a\r\nHost: b\r\n");
        for (head, why) in [
            (&old, RejectedConnection::HttpVersion(0)),
            (&without, RejectedConnection::Host(0)),
            (&twice, RejectedConnection::Host(2)),
        ] {
            assert_eq!(refusal(head), why);
            let answer = String::from_utf8(why.response().unwrap()).unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.contains("4.2.1"),
                "{answer}"
            );
            assert!(read_head(head.as_bytes(), true).unwrap().is_some());
        }
        let empty = HEAD.replace("Host: a\r\n", "Host:\r\n");
        assert!(read_head(empty.as_bytes(), false).unwrap().is_some());
    }

    #[test]
    fn repeated_version_or_key_is_refused() {
        let version = "Sec-WebSocket-Version: 13\r\n";
        let twice = HEAD.replace(version, &version.repeat(2));
        assert_eq!(
            refusal(&twice),
            RejectedConnection::Version { offered: UntrustedText::new("13, 13"), answered: 426 }
        );
        let none = HEAD.replace(version, "");
        let answer = String::from_utf8(refusal(&none).response().unwrap()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("\r\nSec-WebSocket-Version: 13\r\n"));
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        assert_eq!(refusal(&HEAD.replace(key, &key.repeat(2))), RejectedConnection::Key);
        assert_eq!(refusal(&HEAD.replace(key, "")), RejectedConnection::Key);
    }

    #[test]
    fn invalid_subprotocol_is_ignored() {
        let head = HEAD.replace("chat, superchat", "a b, ok");
        let (upgrade, _) = read_head(head.as_bytes(), false).unwrap().unwrap();
        assert_eq!(upgrade.subprotocols, ["ok"]);
    }

    proptest! {
        #[test]
        fn arbitrary_requests_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_head(&bytes, false);
        }
    }
}
