//! The upgrade to WebSocket (RFC 6455 section 4.1): sends the request and checks the response.
//!
//! Uses httparse instead of the library's handshake, which reports that it failed but not how.

use std::io;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{self, HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::domain::connection::connect_info::{FailureKind, HttpVersion};
use crate::domain::connection::permessage_deflate::{self, AgreedDeflate, DeflateOffer};
use crate::domain::connection::target::{Credentials, Target};
use crate::domain::connection::untrusted_text::UntrustedText;

use super::dial_plan::DialPlan;
use super::http_head::{HeadError, HeadReader, HttpHead, KnownProtocol};
use super::tls;
use super::upgrade_error::{self, SentRequest};
use crate::net::dial_error::DialError;
use crate::net::time_limit::TimeLimit;

/// Maximum number of interim (1xx) responses before the final one.
const MAX_INTERIM_RESPONSES: usize = 16;

/// What the server agreed to.
#[derive(Debug, PartialEq, Eq)]
pub struct Upgraded {
    pub subprotocols_offered: Vec<String>,
    pub subprotocol: Option<UntrustedText>,
    pub deflate: Option<AgreedDeflate>,
    /// Headers worth reporting.
    pub headers: Vec<(String, UntrustedText)>,
    /// Bytes received after the response head: the first WebSocket frames.
    pub leftover: Vec<u8>,
}

/// Upgrades `stream`.
pub async fn upgrade<S>(
    stream: &mut S,
    plan: &DialPlan,
    target: &Target,
    limit: TimeLimit,
) -> Result<Upgraded, DialError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = UpgradeRequest::new(plan, target)?;
    let writing = async {
        stream.write_all(&request.bytes).await?;
        stream.flush().await
    };
    let sent = limit.run(writing, "the server did not accept the request").await;
    let sending = |error: io::Error| DialError::on_open_connection("the request could not be sent", &error);
    let sent = sent.and_then(|sent| sent.map_err(sending));
    // A server that refuses early may close while we still write; its response explains more than our write error.
    let mut reader = HeadReader::new(stream, limit.end);
    let head = match (final_head(&mut reader).await, sent) {
        (Ok(head), _) => head,
        (Err(HeadError::Io(error)), Err(fault)) => return Err(tls::alert(&error).unwrap_or(fault)),
        (Err(_), Err(fault)) => return Err(fault),
        (Err(error), Ok(())) => return Err(response_error(target, &error, limit.span)),
    };
    if head.status != 101 {
        let body = reader.body_start(&head).await;
        let sent = SentRequest {
            target,
            headers: plan.headers.clone(),
            authorization: request.scheme,
            http: HttpVersion::Http1,
        };
        return Err(upgrade_error::fault(&sent, &head, &body));
    }
    let (deflate, subprotocol) = check_response(&head, &request, plan.deflate.as_ref())?;
    Ok(Upgraded {
        subprotocols_offered: request.subprotocols,
        subprotocol,
        deflate,
        headers: reported_headers(&head),
        leftover: reader.into_leftover(),
    })
}

/// The first response that is not interim.
async fn final_head<S: AsyncRead + Unpin>(reader: &mut HeadReader<'_, S>) -> Result<HttpHead, HeadError> {
    for _ in 0..MAX_INTERIM_RESPONSES {
        let head = reader.head().await?;
        if head.status == 101 || !(100..200).contains(&head.status) {
            return Ok(head);
        }
    }
    Err(HeadError::Endless)
}

const MAYBE_TLS: &str = "some TLS servers close like this on plain HTTP: try wss://";

fn response_error(target: &Target, error: &HeadError, budget: Duration) -> DialError {
    if let HeadError::Io(io) = error
        && let Some(fault) = tls::alert(io)
    {
        return fault;
    }
    let fault = error.fault("the server", budget);
    let hint = match (error.other_protocol(), error) {
        (Some(KnownProtocol::Tls), _) => Some(upgrade_error::TRY_WSS),
        (Some(KnownProtocol::Http2), _) => Some("the server speaks HTTP/2 only here: --http 2"),
        (None, HeadError::ClosedEarly(0)) if !target.secure() => Some(MAYBE_TLS),
        (None, HeadError::Io(io)) if !target.secure() && io.kind() == io::ErrorKind::ConnectionReset => {
            Some(MAYBE_TLS)
        }
        _ => None,
    };
    DialError { hint: hint.map(str::to_string), ..fault }
}

/// A request, and what is needed to check its response.
struct UpgradeRequest {
    bytes: Vec<u8>,
    key: Vec<u8>,
    subprotocols: Vec<String>,
    /// The scheme of the Authorization header, if any.
    scheme: Option<String>,
}

impl UpgradeRequest {
    fn new(plan: &DialPlan, target: &Target) -> Result<UpgradeRequest, DialError> {
        let key = match plan.headers.get(header::SEC_WEBSOCKET_KEY) {
            Some(key) => key.as_bytes().to_vec(),
            None => generate_key().into_bytes(),
        };
        let subprotocols = subprotocols(plan);
        let headers = default_headers(plan, target, &key, &subprotocols)?;
        let is_ours = |name: &HeaderName| headers.iter().any(|(ours, _)| name == ours);
        let mut bytes = format!("GET {} HTTP/1.1\r\n", target.resource()).into_bytes();
        for (name, value) in &headers {
            push_header(&mut bytes, name, value);
        }
        for (name, value) in plan.headers.iter().filter(|(name, _)| !is_ours(name)) {
            push_header(&mut bytes, &title_case(name), value);
        }
        bytes.extend(b"\r\n");
        let ours = headers.iter().find(|(name, _)| *name == "Authorization").map(|(_, value)| value);
        let scheme = plan.headers.get(header::AUTHORIZATION).or(ours).and_then(authorization_scheme);
        Ok(UpgradeRequest { bytes, key, subprotocols, scheme })
    }
}

/// The scheme of an Authorization header, such as `Basic`.
pub(super) fn authorization_scheme(authorization: &HeaderValue) -> Option<String> {
    let text = String::from_utf8_lossy(authorization.as_bytes());
    let (scheme, _) = text.trim().split_once(' ')?;
    Some(scheme.to_string())
}

/// The headers of every request; the user's values take precedence.
pub(super) fn default_headers(
    plan: &DialPlan,
    target: &Target,
    key: &[u8],
    subprotocols: &[String],
) -> Result<Vec<(&'static str, HeaderValue)>, DialError> {
    let authority = value("the host", target.authority().as_bytes())?;
    let mut headers = vec![
        ("Host", authority),
        ("Connection", HeaderValue::from_static("Upgrade")),
        ("Upgrade", HeaderValue::from_static("websocket")),
        ("Sec-WebSocket-Version", HeaderValue::from_static("13")),
        ("Sec-WebSocket-Key", value("the key", key)?),
        ("User-Agent", HeaderValue::from_static(concat!("wscheck/", env!("CARGO_PKG_VERSION")))),
    ];
    headers.extend(plan.origin.clone().map(|origin| ("Origin", origin)));
    headers.extend(authorization(plan, target)?.map(|basic| ("Authorization", basic)));
    for (name, ours) in &mut headers {
        if let Some(theirs) = plan.headers.get(*name) {
            *ours = theirs.clone();
        }
    }
    if let Some(deflate) = &plan.deflate {
        headers.push(("Sec-WebSocket-Extensions", value("the extension", deflate.to_string().as_bytes())?));
    }
    if !subprotocols.is_empty() {
        let list = value("the subprotocols", subprotocols.join(", ").as_bytes())?;
        headers.push(("Sec-WebSocket-Protocol", list));
    }
    Ok(headers)
}

fn authorization(plan: &DialPlan, target: &Target) -> Result<Option<HeaderValue>, DialError> {
    let Some(Credentials { user, password }) = plan.credentials.as_ref().or(target.credentials()) else {
        return Ok(None);
    };
    let basic = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
    value("the credentials", basic.as_bytes()).map(Some)
}

/// The offered subprotocols, including those in the user's own header.
pub(super) fn subprotocols(plan: &DialPlan) -> Vec<String> {
    let headers = plan.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let listed = headers.filter_map(|value| value.to_str().ok()).flat_map(|list| list.split(','));
    let listed = listed.map(|name| name.trim().to_string()).filter(|name| !name.is_empty());
    plan.subprotocols.iter().cloned().chain(listed).collect()
}

fn value(what: &str, bytes: &[u8]) -> Result<HeaderValue, DialError> {
    let wrong = || DialError::new(FailureKind::Local, format!("{what} cannot be sent in an HTTP header"));
    HeaderValue::from_bytes(bytes).map_err(|_| wrong())
}

fn push_header(bytes: &mut Vec<u8>, name: &str, value: &HeaderValue) {
    bytes.extend(name.as_bytes());
    bytes.extend(b": ");
    bytes.extend(value.as_bytes());
    bytes.extend(b"\r\n");
}

/// `x-api-key` as `X-Api-Key`. Names are case-insensitive, but not every server knows that.
fn title_case(name: &HeaderName) -> String {
    let mut start = true;
    let cased = name.as_str().chars().map(|c| {
        let cased = if start { c.to_ascii_uppercase() } else { c };
        start = c == '-';
        cased
    });
    cased.collect()
}

/// Checks a 101 response by RFC 6455 section 4.1; returns the agreed compression and the chosen subprotocol.
fn check_response(
    head: &HttpHead,
    request: &UpgradeRequest,
    deflate: Option<&DeflateOffer>,
) -> Result<(Option<AgreedDeflate>, Option<UntrustedText>), DialError> {
    if head.minor_version == 0 {
        return Err(bad_upgrade("the server answered 101 in HTTP/1.0; an upgrade needs HTTP/1.1"));
    }
    if !head.has_token("upgrade", "websocket") {
        return Err(bad_upgrade(missing(head, "upgrade", "Upgrade: websocket")));
    }
    if !head.has_token("connection", "upgrade") {
        return Err(bad_upgrade(missing(head, "connection", "Connection: Upgrade")));
    }
    check_accept_key(head, &request.key)?;
    let deflate = check_extensions(head, deflate)?;
    Ok((deflate, check_subprotocol(head, &request.subprotocols)?))
}

fn bad_upgrade(cause: impl Into<String>) -> DialError {
    DialError::new(FailureKind::BadUpgrade, cause)
}

fn missing(head: &HttpHead, name: &str, wanted: &str) -> String {
    match head.text(name) {
        Some(got) => {
            format!("the 101 response says {name}: {} instead of {wanted}", UntrustedText::new(&got))
        }
        None => format!("the 101 response lacks {wanted}"),
    }
}

fn check_accept_key(head: &HttpHead, key: &[u8]) -> Result<(), DialError> {
    let wanted = derive_accept_key(key);
    match head.text("sec-websocket-accept") {
        Some(got) if got == wanted => Ok(()),
        Some(got) => {
            let cause =
                format!("wrong Sec-WebSocket-Accept: {} instead of {wanted}", UntrustedText::new(&got));
            Err(bad_upgrade(cause)
                .hint("the server answered a different request, or a cache answered for it"))
        }
        None => Err(bad_upgrade("the 101 response lacks Sec-WebSocket-Accept")),
    }
}

/// What was agreed of compression; any other extension is an error.
pub(super) fn check_extensions(
    head: &HttpHead,
    offered: Option<&DeflateOffer>,
) -> Result<Option<AgreedDeflate>, DialError> {
    let chosen: Vec<String> =
        head.all("sec-websocket-extensions").map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let chosen = chosen.join(", ");
    let mut extensions = chosen.split(',').map(str::trim).filter(|extension| !extension.is_empty());
    let (Some(first), second) = (extensions.next(), extensions.next()) else { return Ok(None) };
    let shown = UntrustedText::new(&chosen);
    let mut parts = first.split(';');
    let is_deflate =
        parts.next().is_some_and(|name| name.trim().eq_ignore_ascii_case(permessage_deflate::NAME));
    match offered {
        Some(offer) if is_deflate && second.is_none() => offer.agreed(parts).map(Some).map_err(|why| {
            bad_upgrade(format!("the server agreed to {shown}, but {}", UntrustedText::new(&why.to_string())))
        }),
        Some(_) if is_deflate => Err(bad_upgrade(format!("the server chose several extensions: {shown}"))),
        Some(_) | None => {
            Err(bad_upgrade(format!("the server chose an extension that was not offered: {shown}")))
        }
    }
}

pub(super) fn check_subprotocol(
    head: &HttpHead,
    offered: &[String],
) -> Result<Option<UntrustedText>, DialError> {
    // An empty header line chooses no subprotocol.
    let lines = head.all("sec-websocket-protocol").flat_map(|value| value.split(|byte| *byte == b','));
    let chosen: Vec<_> = lines.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()).collect();
    match chosen.as_slice() {
        [] => Ok(None),
        [one] if offered.iter().any(|name| name.as_bytes() == *one) => {
            Ok(Some(UntrustedText::from_bytes(one)))
        }
        [one] => Err(not_offered(&String::from_utf8_lossy(one), offered)),
        more => {
            let names = more.iter().map(|name| String::from_utf8_lossy(name)).collect::<Vec<_>>().join(", ");
            Err(bad_upgrade(format!(
                "the server chose more than one subprotocol: {}",
                UntrustedText::new(&names)
            )))
        }
    }
}

/// The error for a subprotocol that was not offered; browsers reject that, too.
fn not_offered(chosen: &str, offered: &[String]) -> DialError {
    let shown = UntrustedText::new(chosen);
    let but = if offered.is_empty() { String::new() } else { format!(" (offered: {})", offered.join(", ")) };
    let fault = bad_upgrade(format!("the server chose a subprotocol that was not offered: {shown}{but}"));
    match (offered.iter().find(|name| name.eq_ignore_ascii_case(chosen)), is_pasteable(chosen)) {
        (Some(name), _) => fault.hint(format!("names are case-sensitive: {shown} is not {name}")),
        (None, true) => fault.hint(format!("offer it: --subprotocol {chosen}")),
        (None, false) => fault,
    }
}

/// Whether a peer's text is safe to paste into a shell.
fn is_pasteable(name: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
    name.len() <= 128 && name.chars().all(safe) && !name.starts_with('-')
}

/// Headers worth reporting, including an empty subprotocol line, since browsers reject that.
pub(super) fn reported_headers(head: &HttpHead) -> Vec<(String, UntrustedText)> {
    let mut headers = upgrade_error::hops(head);
    if head.all("sec-websocket-protocol").any(|value| value.trim_ascii().is_empty()) {
        headers.push(("sec-websocket-protocol".to_string(), UntrustedText::default()));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use proptest::prelude::*;
    use tokio::io::AsyncReadExt;
    use tokio::time::Instant;

    /// The key and its accept value from RFC 6455 section 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    const BUDGET: Duration = Duration::from_secs(10);

    /// A plan and a target.
    struct Asked {
        target: Target,
        plan: DialPlan,
    }

    fn asked(url: &str, headers: &[(&'static str, &'static str)], subprotocols: &[&str]) -> Asked {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let mut headers: HeaderMap = headers.iter().map(pair).collect();
        headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        let subprotocols = subprotocols.iter().map(|name| name.to_string()).collect();
        Asked {
            target: url.parse().unwrap(),
            plan: DialPlan { headers, subprotocols, ..DialPlan::default() },
        }
    }

    impl Asked {
        fn request(&self) -> String {
            String::from_utf8(UpgradeRequest::new(&self.plan, &self.target).unwrap().bytes).unwrap()
        }
    }

    /// Upgrades against a server that has already sent its response, and then closes or stays.
    async fn upgraded(asked: &Asked, answer: &[u8], close: bool) -> Result<Upgraded, DialError> {
        let (mut near, mut far) = tokio::io::duplex(1 << 20);
        far.write_all(answer).await.unwrap();
        if close {
            far.shutdown().await.unwrap();
        }
        upgrade(&mut near, &asked.plan, &asked.target, TimeLimit::from_now(BUDGET)).await
    }

    async fn answered(lines: &str) -> Result<Upgraded, DialError> {
        let asked = asked("ws://a.example/", &[], &["chat", "v2"]);
        upgraded(&asked, format!("{lines}\r\n").as_bytes(), false).await
    }

    fn good(more: &str) -> String {
        format!(
            "HTTP/1.1 101 X\r\nUpgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n{more}"
        )
    }

    async fn bad_cause(lines: &str) -> String {
        let fault = answered(lines).await.unwrap_err();
        assert_eq!(fault.kind, FailureKind::BadUpgrade, "{}", fault.cause);
        fault.cause
    }

    #[test]
    fn plain_request_matches_the_rfc() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            asked("ws://a.example:8080/x?y=1", &[], &[]).request(),
            format!(
                "GET /x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nUser-Agent: wscheck/{version}\r\n\r\n"
            )
        );
    }

    #[test]
    fn user_headers_replace_or_extend_ours() {
        let mut asked = asked(
            "ws://u:p@a.example/",
            &[("host", "b.example"), ("user-agent", "me"), ("origin", "https://mine"), ("x-api-key", "k")],
            &[],
        );
        asked.plan.origin = Some(HeaderValue::from_static("https://other"));
        let request = asked.request();
        for (line, times) in [
            ("\r\nHost: b.example\r\n", 1),
            ("\r\nUser-Agent: me\r\n", 1),
            ("\r\nOrigin: https://mine\r\n", 1),
            ("\r\nX-Api-Key: k\r\n", 1),
            ("Host:", 1),
            ("https://other", 0),
        ] {
            assert_eq!(request.matches(line).count(), times, "{line:?} in {request}");
        }
    }

    #[test]
    fn credentials_come_from_url_option_or_header() {
        // Base64 by Python: b64encode(b"bob:pass:word"), b64encode(b"amy:x").
        let mut asked_url = asked("ws://bob:pass%3Aword@a.example/", &[], &[]);
        assert!(asked_url.request().contains("\r\nAuthorization: Basic Ym9iOnBhc3M6d29yZA==\r\n"));
        asked_url.plan.credentials = Some(Credentials { user: "amy".into(), password: "x".into() });
        assert!(asked_url.request().contains("\r\nAuthorization: Basic YW15Ong=\r\n"));
        let header = asked("ws://bob:pw@a.example/", &[("authorization", "Bearer t")], &[]).request();
        assert!(header.contains("\r\nAuthorization: Bearer t\r\n") && !header.contains("Basic"));
    }

    #[test]
    fn subprotocols_include_those_of_a_header() {
        let asked = asked("ws://a/", &[("sec-websocket-protocol", "c , d")], &["a", "b"]);
        assert!(asked.request().contains("\r\nSec-WebSocket-Protocol: a, b, c, d\r\n"));
        assert_eq!(asked.request().matches("Sec-WebSocket-Protocol").count(), 1);
    }

    #[test]
    fn invalid_header_values_are_rejected() {
        let asked = asked("ws://a/", &[], &["a\r\nX: y"]);
        let fault = UpgradeRequest::new(&asked.plan, &asked.target).map(|_| ()).unwrap_err();
        assert_eq!(fault.cause, "the subprotocols cannot be sent in an HTTP header");
    }

    #[test]
    fn each_request_has_its_own_key() {
        let mut asked = asked("ws://a/", &[], &[]);
        asked.plan.headers.clear();
        let keys = [(); 2].map(|()| UpgradeRequest::new(&asked.plan, &asked.target).unwrap().key);
        assert_ne!(keys[0], keys[1]);
        assert_eq!(BASE64.decode(&keys[0]).unwrap().len(), 16);
    }

    #[tokio::test(start_paused = true)]
    async fn valid_response_keeps_the_bytes_after_it() {
        let asked = asked("ws://a.example/", &[], &["chat", "v2"]);
        let answer = good("Sec-WebSocket-Protocol: v2\r\nVia: 1.1 x\r\nSet-Cookie: a=b\r\n\r\n\x01\x02");
        assert_eq!(
            upgraded(&asked, answer.as_bytes(), false).await,
            Ok(Upgraded {
                subprotocols_offered: vec!["chat".into(), "v2".into()],
                subprotocol: Some(UntrustedText::new("v2")),
                deflate: None,
                headers: vec![("via".into(), UntrustedText::new("1.1 x"))],
                leftover: b"\x01\x02".to_vec(),
            })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn server_may_choose_no_subprotocol() {
        assert_eq!(answered(&good("")).await.unwrap().subprotocol, None);
    }

    #[tokio::test(start_paused = true)]
    async fn empty_subprotocol_header_is_reported() {
        for line in
            ["Sec-WebSocket-Protocol:\r\n", "Sec-WebSocket-Protocol:  \r\n", "Sec-WebSocket-Protocol: ,\r\n"]
        {
            assert_eq!(answered(&good(line)).await.unwrap().subprotocol, None, "{line:?}");
        }
        let upgraded = answered(&good("Sec-WebSocket-Protocol:\r\n")).await.unwrap();
        assert_eq!(upgraded.headers, [("sec-websocket-protocol".to_string(), UntrustedText::default())]);
        let both = good("Sec-WebSocket-Protocol:\r\nSec-WebSocket-Protocol: v2\r\n");
        assert_eq!(answered(&both).await.unwrap().subprotocol, Some(UntrustedText::new("v2")));
    }

    #[tokio::test(start_paused = true)]
    async fn unoffered_subprotocol_hints_at_the_flag() {
        let asked = asked("ws://a.example/", &[], &[]);
        let hint = async |name: &str| {
            let answer = good(&format!("Sec-WebSocket-Protocol: {name}\r\n\r\n"));
            upgraded(&asked, answer.as_bytes(), false).await.unwrap_err().hint
        };
        assert_eq!(hint("arduino").await.as_deref(), Some("offer it: --subprotocol arduino"));
        assert_eq!(hint("$(id)").await, None);
        assert_eq!(hint("--help").await, None);
        let fault = answered(&good("Sec-WebSocket-Protocol: CHAT\r\n")).await.unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("names are case-sensitive: CHAT is not chat"));
        let fault = answered(&good("Sec-WebSocket-Protocol: chat, v2\r\n")).await.unwrap_err();
        assert_eq!(fault.cause, "the server chose more than one subprotocol: chat, v2");
    }

    #[tokio::test(start_paused = true)]
    async fn hint_depends_on_the_request() {
        let hint = async |asked: &Asked, answer: &str| {
            upgraded(asked, answer.as_bytes(), false).await.unwrap_err().hint.unwrap_or_default()
        };
        let digest = "HTTP/1.1 401 X\r\nWWW-Authenticate: Digest realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
        let with_user = asked("ws://bob:pw@a.example/", &[], &[]);
        assert!(hint(&with_user, digest).await.contains("--user was sent and refused"));
        let bearer = asked("ws://a.example/", &[("authorization", "Bearer t")], &[]);
        let refused = digest.replace("Digest realm=\"x\"", "Bearer error=\"invalid_token\"");
        assert!(hint(&bearer, &refused).await.contains("did not accept the token (invalid_token)"));
        let old = asked("ws://a.example/", &[("sec-websocket-version", "8")], &[]);
        let answer = "HTTP/1.1 426 X\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n";
        assert!(hint(&old, answer).await.contains("(13) than -H gave (8)"));
        let own = asked("ws://a.example/", &[("connection", "close")], &[]);
        assert!(hint(&own, answer).await.contains("-H replaced Upgrade or Connection"));
        let cookie = asked("ws://a.example/", &[("cookie", "a=b")], &[]);
        let answer = "HTTP/1.1 302 X\r\nLocation: /\r\nSet-Cookie: a=c\r\nContent-Length: 0\r\n\r\n";
        assert!(hint(&cookie, answer).await.contains("does not take the cookie that was sent"));
    }

    #[tokio::test(start_paused = true)]
    async fn interim_responses_are_skipped_up_to_a_limit() {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        assert!(answered(&format!("{hints}{hints}{}", good(""))).await.is_ok());
        let fault = answered(&hints.repeat(17)).await.unwrap_err();
        assert_eq!(fault.kind, FailureKind::EndlessHeader);
    }

    #[tokio::test(start_paused = true)]
    async fn each_fault_of_a_101_is_named() {
        assert_eq!(
            bad_cause(&good("").replace(ACCEPT, "AAAA")).await,
            format!("wrong Sec-WebSocket-Accept: AAAA instead of {ACCEPT}")
        );
        let lacking = good("").replace("Sec-WebSocket-Accept", "X");
        assert_eq!(bad_cause(&lacking).await, "the 101 response lacks Sec-WebSocket-Accept");
        assert_eq!(
            bad_cause(&good("").replace("Upgrade: WebSocket", "Upgrade: h2c")).await,
            "the 101 response says upgrade: h2c instead of Upgrade: websocket"
        );
        assert_eq!(
            bad_cause(&good("").replace("Connection: keep-alive, upgrade\r\n", "")).await,
            "the 101 response lacks Connection: Upgrade"
        );
        assert_eq!(
            bad_cause(&good("Sec-WebSocket-Protocol: v3\r\n")).await,
            "the server chose a subprotocol that was not offered: v3 (offered: chat, v2)"
        );
        assert_eq!(
            bad_cause(&good("Sec-WebSocket-Protocol: v2\r\nSec-WebSocket-Protocol: chat\r\n")).await,
            "the server chose more than one subprotocol: v2, chat"
        );
        assert_eq!(
            bad_cause(&good("Sec-WebSocket-Extensions: permessage-deflate\r\n")).await,
            "the server chose an extension that was not offered: permessage-deflate"
        );
        assert_eq!(
            bad_cause(&good("").replace("HTTP/1.1", "HTTP/1.0")).await,
            "the server answered 101 in HTTP/1.0; an upgrade needs HTTP/1.1"
        );
    }

    fn compressing() -> Asked {
        let mut asked = asked("ws://a/", &[], &[]);
        asked.plan.deflate = Some(DeflateOffer::default());
        asked
    }

    #[tokio::test(start_paused = true)]
    async fn compression_is_offered_and_agreed() {
        let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        assert!(compressing().request().contains(offer));
        let agreed = async |line: &str| {
            let answer = format!("{}\r\n", good(line));
            upgraded(&compressing(), answer.as_bytes(), false).await.map(|upgraded| upgraded.deflate)
        };
        assert_eq!(agreed("").await, Ok(None));
        let deflate =
            agreed("sec-websocket-extensions: Permessage-Deflate ;server_no_context_takeover\r\n").await;
        let text = deflate.unwrap().unwrap().to_string();
        assert_eq!(text, "permessage-deflate; server_no_context_takeover");
        let several = "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
        for (line, cause) in [
            (several, "the server chose several extensions: permessage-deflate, permessage-deflate"),
            (
                "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\n",
                "the server chose an extension that was not offered: x-webkit-deflate-frame",
            ),
            (
                "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=16\r\n",
                "the server agreed to permessage-deflate; client_max_window_bits=16, but client_max_window_bits needs a value from 8 to 15",
            ),
        ] {
            assert_eq!(agreed(line).await.unwrap_err().cause, cause);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_other_status_is_a_refusal() {
        for status in [200, 204, 301, 400, 401, 403, 404, 426, 429, 500, 502, 503, 504, 600] {
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nno");
            let asked = asked("ws://a/", &[], &[]);
            let fault = upgraded(&asked, answer.as_bytes(), false).await.unwrap_err();
            assert_eq!(fault.kind, FailureKind::UpgradeRefused);
            assert!(fault.cause.starts_with(&format!("HTTP {status} ")), "{}", fault.cause);
            let refusal = fault.refusal.unwrap();
            assert_eq!((refusal.status, refusal.body.as_str()), (status, "no"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn other_protocols_bring_a_hint() {
        let asked = asked("ws://a/", &[], &[]);
        let hint = async |answer: &[u8]| {
            let fault = upgraded(&asked, answer, true).await.unwrap_err();
            (fault.kind, fault.hint.unwrap_or_default())
        };
        assert_eq!(
            hint(b"\x15\x03\x01\x00\x02\x02\x46").await,
            (FailureKind::NotHttp, upgrade_error::TRY_WSS.to_string())
        );
        let settings = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64";
        assert!(hint(settings).await.1.contains("--http 2"));
        assert!(hint(b"HTTP/2 200\r\n\r\n").await.1.contains("--http 2"));
        let closed = hint(b"").await;
        assert_eq!(closed.0, FailureKind::ClosedEarly);
        assert!(closed.1.contains("wss://"));
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_bounds_reading_and_writing() {
        let asked = asked("ws://a/", &[], &[]);
        let (mut near, mut far) = tokio::io::duplex(1 << 20);
        let began = Instant::now();
        let fault =
            upgrade(&mut near, &asked.plan, &asked.target, TimeLimit::from_now(BUDGET)).await.unwrap_err();
        assert_eq!(began.elapsed(), BUDGET);
        assert_eq!(fault.cause, "the server did not answer within 10 s");
        assert!(far.read(&mut [0; 4]).await.unwrap() > 0);
        let (mut near, _far) = tokio::io::duplex(16);
        let began = Instant::now();
        let fault =
            upgrade(&mut near, &asked.plan, &asked.target, TimeLimit::from_now(BUDGET)).await.unwrap_err();
        assert_eq!(began.elapsed(), BUDGET);
        assert_eq!(fault.kind, FailureKind::Timeout);
        assert_eq!(fault.cause, "the server did not accept the request within 10 s");
    }

    #[tokio::test(start_paused = true)]
    async fn early_response_outranks_a_write_error() {
        let asked = asked("ws://a/", &[], &[]);
        let (mut near, mut far) = tokio::io::duplex(64);
        far.write_all(b"HTTP/1.1 431 X\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        drop(far);
        let fault =
            upgrade(&mut near, &asked.plan, &asked.target, TimeLimit::from_now(BUDGET)).await.unwrap_err();
        assert_eq!(fault.refusal.unwrap().status, 431);
    }

    proptest! {
        #[test]
        fn arbitrary_responses_never_panic(headers: Vec<(String, String)>, status in 100u16..1000, body: Vec<u8>) {
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            let names = ["Upgrade: websocket", "Connection: upgrade", "Location: //", "Content-Length: 9"];
            let known = names.iter().map(|line| format!("{line}\r\n"));
            let lines: String = lines.chain(known).collect();
            let answer = [format!("HTTP/1.1 {status} X\r\n{lines}\r\n").as_bytes(), &body].concat();
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().unwrap();
            let asked = asked("ws://a/", &[], &[]);
            let result = runtime.block_on(upgraded(&asked, &answer, true));
            prop_assert!(result.is_err());
        }
    }
}
