//! What handlers answer.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::StreamExt;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, SERVER, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use tokio_util::sync::CancellationToken;

use super::events::EventStream;
use super::slots::BusyGuard;

/// The media type of plain text.
pub const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// A response.
#[derive(Debug)]
pub struct HttpResponse {
    pub status: StatusCode,
    pub media_type: &'static str,
    /// Headers besides those that every response has.
    pub headers: HeaderMap,
    pub content: ResponseContent,
}

/// What follows a response's head.
pub enum ResponseContent {
    Whole(Bytes),
    /// Server-sent events, until their stream, the connection or the server ends.
    Events(EventStream),
}

impl fmt::Debug for ResponseContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResponseContent::Whole(bytes) => f.debug_tuple("Whole").field(bytes).finish(),
            ResponseContent::Events(_) => f.write_str("Events"),
        }
    }
}

impl HttpResponse {
    /// A response with this text.
    pub fn text(status: StatusCode, media_type: &'static str, text: impl Into<Bytes>) -> HttpResponse {
        let content = ResponseContent::Whole(text.into());
        HttpResponse { status, media_type, headers: HeaderMap::new(), content }
    }

    /// A response with this plain text.
    pub fn plain(status: StatusCode, text: impl Into<Bytes>) -> HttpResponse {
        HttpResponse::text(status, PLAIN_TEXT, text)
    }

    /// 405, which names the allowed methods (RFC 9110 section 15.5.6).
    pub fn method_not_allowed(allowed: &'static str) -> HttpResponse {
        let text = format!("Allowed: {allowed}.\n");
        HttpResponse::plain(StatusCode::METHOD_NOT_ALLOWED, text)
            .with_header(ALLOW, HeaderValue::from_static(allowed))
    }

    /// A response of server-sent events.
    pub fn events(events: EventStream) -> HttpResponse {
        HttpResponse {
            status: StatusCode::OK,
            media_type: "text/event-stream",
            headers: HeaderMap::new(),
            content: ResponseContent::Events(events),
        }
    }

    /// The same response with one more header.
    pub fn with_header(mut self, name: http::HeaderName, value: HeaderValue) -> HttpResponse {
        self.headers.insert(name, value);
        self
    }

    /// The response that hyper sends. The connection stays busy until its body has been sent.
    pub(super) fn into_http(self, busy: BusyGuard, stop: &CancellationToken) -> Response<ResponseBody> {
        let content = match self.content {
            ResponseContent::Events(EventStream(frames)) => {
                let until = Box::pin(stop.clone().cancelled_owned());
                ResponseContent::Events(EventStream(Box::pin(frames.take_until(until))))
            }
            whole => whole,
        };
        let mut response = Response::new(ResponseBody { content, _busy: busy });
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        *headers = self.headers;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(SERVER, HeaderValue::from_static("wscheck"));
        response
    }
}

/// A response's body, which keeps its connection busy.
pub(super) struct ResponseBody {
    /// What has not been sent yet.
    content: ResponseContent,
    _busy: BusyGuard,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let polled = match &mut self.content {
            ResponseContent::Whole(bytes) => {
                Poll::Ready(Some(std::mem::take(bytes)).filter(|bytes| !bytes.is_empty()))
            }
            ResponseContent::Events(EventStream(frames)) => frames.poll_next_unpin(cx),
        };
        polled.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, ResponseContent::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            ResponseContent::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            ResponseContent::Events(_) => SizeHint::default(),
        }
    }
}
