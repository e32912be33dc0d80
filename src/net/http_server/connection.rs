//! One connection: requests and responses in turn.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::header::{CONNECTION, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::response::ResponseBody;
use super::slots::{Activity, BusyGuard};
use super::timed_stream::TimedStream;
use super::{HttpLimits, HttpRequest, HttpResponse, HttpServerPlan};

/// How long requests in progress may still take when the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// How long to read on after the last response, and how many bytes: closing with unread bytes would send an RST,
/// which might overtake the response.
const LINGER_TIME: Duration = Duration::from_secs(1);
const MAX_LINGER_BYTES: u64 = 256 * 1024;
/// hyper needs at least this much for its buffer of a connection, in bytes.
const MIN_BUFFER_BYTES: usize = 8192;

/// The answer to a request for another host.
const WRONG_HOST: &str = "This server answers requests for localhost and for its own address only, and the request's Host \
                          names another. A page that reads this may be using DNS rebinding.\n";

/// What the connections of a server share.
pub(super) struct Conversation {
    pub(super) plan: HttpServerPlan,
    pub(super) handler: Box<dyn Fn(HttpRequest) -> BoxFuture<'static, HttpResponse> + Send + Sync>,
    pub(super) stop: CancellationToken,
}

/// Answers one client's requests until it, a limit or the server ends the connection.
pub(super) async fn converse<S>(stream: S, activity: &Arc<Activity>, conversation: Arc<Conversation>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (limits, stop) = (conversation.plan.limits, conversation.stop.clone());
    let stream = TimedStream::new(stream, Arc::clone(activity), limits);
    let busy = Arc::clone(activity);
    let service = service_fn(move |request| {
        let guard = busy.begin_request();
        let conversation = Arc::clone(&conversation);
        Box::pin(async move { Ok::<_, Infallible>(conversation.respond(request, guard).await) })
    });
    let mut connection = builder(&limits).serve_connection(TokioIo::new(stream), service);
    let is_stopped = tokio::select! {
        biased;
        _ = poll_fn(|cx| connection.poll_without_shutdown(cx)) => false,
        () = stop.cancelled() => true,
    };
    if is_stopped {
        Pin::new(&mut connection).graceful_shutdown();
        // This also shuts the stream down.
        let _ = timeout(SHUTDOWN_GRACE, connection).await;
        return;
    }
    let stream = connection.into_parts().io.into_inner();
    if !stream.timed_out {
        // The last response has been sent: no client is affected by a failure now.
        let _ = timeout(LINGER_TIME, linger(stream)).await;
    }
}

fn builder(limits: &HttpLimits) -> Builder {
    let mut builder = Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle_timeout.max(limits.head_timeout))
        .max_header_size(limits.max_head_bytes)
        .max_buf_size(limits.max_head_bytes.max(MIN_BUFFER_BYTES));
    builder
}

/// Ends our side, and reads what still comes.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> std::io::Result<u64> {
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(MAX_LINGER_BYTES), &mut tokio::io::sink()).await
}

impl Conversation {
    async fn respond(&self, request: Request<Incoming>, busy: BusyGuard) -> Response<ResponseBody> {
        let answer = match timeout(self.plan.limits.request_timeout, self.answer(request)).await {
            Ok(answer) => answer,
            Err(_) => last(HttpResponse::plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "The answer was not ready within the server's time limit.\n",
            )),
        };
        answer.into_http(busy, &self.stop)
    }

    async fn answer(&self, request: Request<Incoming>) -> HttpResponse {
        if !self.plan.names.admits(request.uri(), request.headers()) {
            return last(HttpResponse::plain(StatusCode::MISDIRECTED_REQUEST, WRONG_HOST));
        }
        if !self.plan.access.admits(request.headers()) {
            let refusal = HttpResponse::plain(StatusCode::UNAUTHORIZED, "Credentials are required.\n");
            return refusal.with_header(WWW_AUTHENTICATE, self.plan.access.challenge());
        }
        let (parts, body) = request.into_parts();
        match Limited::new(body, self.plan.limits.max_body_bytes).collect().await {
            Ok(_) => (self.handler)(HttpRequest::new(parts)).await,
            Err(error) if error.is::<LengthLimitError>() => last(HttpResponse::plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("A request's body may have {} bytes.\n", self.plan.limits.max_body_bytes),
            )),
            Err(_) => last(HttpResponse::plain(StatusCode::BAD_REQUEST, "The request is incomplete.\n")),
        }
    }
}

/// A response after which the connection ends, because the rest of its request is not read.
fn last(response: HttpResponse) -> HttpResponse {
    response.with_header(CONNECTION, HeaderValue::from_static("close"))
}
