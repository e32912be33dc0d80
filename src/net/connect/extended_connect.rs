//! Opens a WebSocket over HTTP/2 by extended CONNECT (RFC 8441).

use std::io;
use std::sync::Arc;

use h2::ext::Protocol;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, Uri, Version, header};
use tokio::time::{Instant, timeout_at};

use super::dial_plan::DialPlan;
use super::http_head::{BODY_TIMEOUT, HttpHead, KnownProtocol, MAX_BODY_BYTES, MAX_HEADERS, recognise};
use super::tls::TRY_HTTP1;
use super::upgrade::{self, Upgraded};
use super::upgrade_error::{self, SentRequest, TRY_WSS};
use crate::domain::connection::connect_info::{FailureKind, HttpVersion};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::target::Target;
use crate::net::dial_error::DialError;
use crate::net::time_limit::TimeLimit;
use crate::net::transport::byte_stream::ByteStream;
use crate::net::transport::http2::Http2Connection;
use crate::net::transport::http2::end::Http2End;
use crate::net::transport::http2::goaway_log::GoawayLog;
use crate::net::transport::http2::stream::Http2Stream;
use crate::net::transport::tap::TapState;

/// What a browser does then (RFC 8441 section 3).
const NOT_ALLOWED: &str =
    "browsers then open a second connection with HTTP/1.1, some other clients fail: try --http 1.1";

/// Starts HTTP/2 on `stream` and waits until the server allows WebSockets on it. Over TLS the server chose HTTP/2 by ALPN
/// (RFC 9113 section 3.2).
pub(super) async fn start(
    stream: ByteStream,
    tap_state: Arc<TapState>,
    goaways: Option<GoawayLog>,
    over_tls: bool,
    limit: TimeLimit,
) -> Result<Arc<Http2Connection>, DialError> {
    let starting =
        limit.run(Http2Connection::start(stream, tap_state, goaways), "the server did not take our settings");
    let connection = starting.await?.map_err(|error| sending_error(&error))?;
    let settings =
        limit.run(connection.allows_connect_protocol(), "the server did not send its settings of HTTP/2");
    match settings.await? {
        Ok(true) => Ok(Arc::new(connection)),
        Ok(false) => {
            let cause = "the server speaks HTTP/2, but allows no WebSockets on it: its settings lack \
                         SETTINGS_ENABLE_CONNECT_PROTOCOL=1";
            Err(DialError::new(FailureKind::WebsocketsNotAllowed, cause).hint(NOT_ALLOWED))
        }
        Err(error) => {
            let first = other_protocol(connection.frames().first_bytes(), over_tls);
            Err(first.unwrap_or_else(|| awaiting_error(&error)))
        }
    }
}

/// The error of a server that speaks something else; `first` are its first bytes.
fn other_protocol(first: &[u8], over_tls: bool) -> Option<DialError> {
    let (spoken, hint) = match recognise(first) {
        Some(KnownProtocol::Http2) => return None,
        Some(KnownProtocol::Tls) => ("it answered in TLS".to_string(), TRY_WSS),
        None if first.is_empty() => return None,
        None if first.starts_with(b"HTTP/1.") => ("it answered in HTTP/1".to_string(), TRY_HTTP1),
        None => (format!("its answer begins \"{}\"", first.escape_ascii()), TRY_HTTP1),
    };
    let cause = match over_tls {
        true => format!("the server chose HTTP/2 by ALPN and does not speak it: {spoken}"),
        false => format!("the server does not speak HTTP/2: {spoken}"),
    };
    Some(DialError::new(FailureKind::NotHttp2, cause).hint(hint))
}

fn sending_error(error: &io::Error) -> DialError {
    DialError::on_open_connection("HTTP/2 could not be started", error)
}

/// The error of a stream or connection that ended before the server's answer.
fn awaiting_error(error: &io::Error) -> DialError {
    let Some(end) = Http2End::of(error) else {
        return match error.kind() {
            // The library's words for a FIN.
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
                let cause = "the server closed the connection instead of answering";
                DialError::new(FailureKind::ClosedEarly, cause).hint(TRY_HTTP1)
            }
            _ => DialError::on_open_connection("the server did not answer", error),
        };
    };
    let kind = match end {
        Http2End::EndStream => FailureKind::ClosedEarly,
        Http2End::Reset(_) => FailureKind::H2RstStream,
        Http2End::Goaway(_) => FailureKind::H2Goaway,
        Http2End::Broken(_) => FailureKind::NotHttp2,
    };
    let fault = DialError::new(kind, format!("the server {end} instead of answering"));
    match end {
        Http2End::Reset(code) => fault.hint(reset_hint(*code)),
        _ => fault,
    }
}

/// The hint for a stream that was reset with this code before an answer came (RFC 9113 section 7).
fn reset_hint(code: Http2Code) -> &'static str {
    match code {
        Http2Code::REFUSED_STREAM => {
            "the server did not process the request, so it may be sent again; perhaps as many streams are open as it allows"
        }
        Http2Code::HTTP_1_1_REQUIRED => "the server demands HTTP/1.1 for this request: use --http 1.1",
        _ => {
            "its settings allow WebSockets, but it, or what it passes them on to, fails at them: --http 1.1 tells whether only \
             HTTP/2 is affected"
        }
    }
}

/// Opens a stream that carries a WebSocket.
pub(super) async fn open(
    connection: Arc<Http2Connection>,
    plan: &DialPlan,
    target: &Target,
    limit: TimeLimit,
) -> Result<(Http2Stream, Upgraded), DialError> {
    let subprotocols = upgrade::subprotocols(plan);
    let request = request(plan, target, &subprotocols)?;
    let authorization = request.headers().get(header::AUTHORIZATION).and_then(upgrade::authorization_scheme);
    if connection.max_streams() == 0 {
        let cause = "the server allows no streams now (SETTINGS_MAX_CONCURRENT_STREAMS is 0), so that no request can be sent";
        return Err(DialError::new(FailureKind::H2NoStreams, cause).hint(TRY_HTTP1));
    }
    let answered = limit.run(connection.request(request), "the server did not answer").await?;
    let (response, mut stream) = answered.map_err(|error| awaiting_error(&error))?;
    let head = head(&response);
    if !(200..300).contains(&head.status) {
        let body = body_start(&mut stream, limit).await;
        let sent =
            SentRequest { target, headers: plan.headers.clone(), authorization, http: HttpVersion::Http2 };
        return Err(upgrade_error::fault(&sent, &head, &body));
    }
    let deflate = upgrade::check_extensions(&head, plan.deflate.as_ref())?;
    let subprotocol = upgrade::check_subprotocol(&head, &subprotocols)?;
    let (headers, leftover) = (upgrade::reported_headers(&head), Vec::new());
    Ok((stream, Upgraded { subprotocols_offered: subprotocols, subprotocol, deflate, headers, leftover }))
}

/// The request: that of HTTP/1.1 without what HTTP/2 has no use for (RFC 8441 section 5).
fn request(plan: &DialPlan, target: &Target, subprotocols: &[String]) -> Result<Request<()>, DialError> {
    let mut headers = HeaderMap::new();
    for (name, value) in upgrade::default_headers(plan, target, b"", subprotocols)? {
        headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(local)?, value);
    }
    for (name, value) in
        plan.headers.iter().filter(|(name, _)| !headers.contains_key(*name)).collect::<Vec<_>>()
    {
        headers.append(name, value.clone());
    }
    let host = headers.remove(header::HOST);
    for name in [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_KEY] {
        headers.remove(name);
    }
    let mut request = Request::new(());
    *request.method_mut() = Method::CONNECT;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri(target, host.as_ref())?;
    *request.headers_mut() = headers;
    request.extensions_mut().insert(Protocol::from_static("websocket"));
    Ok(request)
}

fn uri(target: &Target, host: Option<&HeaderValue>) -> Result<Uri, DialError> {
    let authority = host.map_or_else(|| target.authority().into_bytes(), |host| host.as_bytes().to_vec());
    let scheme = if target.secure() { "https" } else { "http" };
    let uri = Uri::builder().scheme(scheme).authority(authority.as_slice()).path_and_query(target.resource());
    uri.build().map_err(local)
}

fn local(error: impl Into<http::Error>) -> DialError {
    let error: http::Error = error.into();
    DialError::new(FailureKind::Local, format!("the request cannot be sent over HTTP/2: {error}"))
}

/// The response as that of HTTP/1.1.
fn head(response: &Response<()>) -> HttpHead {
    let headers = response.headers().iter().take(MAX_HEADERS);
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    HttpHead { status: response.status().as_u16(), minor_version: 1, headers }
}

/// The start of the body of a refusal, as far as it comes soon.
async fn body_start(stream: &mut Http2Stream, limit: TimeLimit) -> Vec<u8> {
    let end = limit.end.min(Instant::now() + BODY_TIMEOUT);
    let mut body = Vec::new();
    while body.len() < MAX_BODY_BYTES {
        match timeout_at(end, stream.body(MAX_BODY_BYTES - body.len())).await {
            Ok(bytes) if !bytes.is_empty() => body.extend(bytes),
            Ok(_) | Err(_) => break,
        }
    }
    body
}

#[cfg(test)]
mod tests;
