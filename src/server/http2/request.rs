//! One request of an HTTP/2 client, and its answer.

use std::future::poll_fn;

use bytes::Bytes;
use h2::ext::Protocol;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::time::{Instant, sleep_until};

use super::stream::Http2Stream;
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::http2::Http2Code;
use crate::server::faults::Faults;
use crate::server::handshake::{self, AcceptedUpgrade, RejectedConnection};
use crate::server::handshake_task::{self, AdmittedClient};

/// A request, and how it is answered.
pub struct Http2Request {
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
}

impl Http2Request {
    /// What it asks for: a WebSocket, or what is refused.
    pub fn read(&self) -> Result<AcceptedUpgrade, RejectedConnection> {
        let protocol = self.request.extensions().get::<Protocol>();
        handshake::extended_connect(&self.request, protocol.map(Protocol::as_str))
    }
}

/// Answers a request for a WebSocket. `slot` reserves a client slot; it is called only when the client is about to be
/// admitted, since others may arrive meanwhile.
pub async fn open<T>(
    request: &mut Http2Request,
    upgrade: AcceptedUpgrade,
    faults: &Faults,
    slot: impl FnOnce() -> Result<T, RejectedConnection>,
) -> Result<(AdmittedClient, T), RejectedConnection> {
    let end = Instant::now() + faults.opening.slow;
    tokio::select! {
        () = sleep_until(end) => {}
        _ = poll_fn(|cx| request.respond.poll_reset(cx)) => return Err(RejectedConnection::ClosedUnanswered),
    }
    if let Some(Http2Code(code)) = faults.http2.reset {
        return Err(RejectedConnection::StreamReset(code));
    }
    handshake_task::ordered_refusal(&faults.opening).map_or(Ok(()), Err)?;
    let slot = slot()?;
    Ok((handshake_task::admit(HttpVersion::Http2, upgrade, &faults.opening), slot))
}

impl Http2Request {
    /// Answers that the WebSocket is open. `None` if the client is gone.
    pub fn accept(mut self, admitted: &AdmittedClient) -> Option<Http2Stream> {
        let chosen = [
            ("sec-websocket-protocol", &admitted.subprotocol),
            ("sec-websocket-extensions", &admitted.compression),
        ];
        let mut answer = Response::builder().status(200).header("server", "wscheck");
        for (name, value) in chosen.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            answer = answer.header(name, value);
        }
        let send = self.respond.send_response(answer.body(()).ok()?, false).ok()?;
        Some(Http2Stream::new(self.request.into_body(), send))
    }
}

/// Sends the reason for a rejection. Errors do not matter: a client that is gone does not need it.
pub fn reject(mut request: Http2Request, why: &RejectedConnection) {
    if let RejectedConnection::StreamReset(code) = why {
        return request.respond.send_reset(Reason::from(*code));
    }
    let Some(answer) = why.answer() else { return request.respond.send_reset(Reason::CANCEL) };
    let mut head = Response::builder().status(answer.status).header("server", "wscheck");
    // HTTP/2 has no upgrade (RFC 9113 section 8.2.2).
    for (name, value) in answer.headers.iter().filter(|(name, _)| *name != "Upgrade") {
        head = head.header(*name, *value);
    }
    let Ok(head) = head.header("content-type", "text/plain; charset=utf-8").body(()) else { return };
    let is_head = request.request.method() == http::Method::HEAD;
    if let Ok(mut body) = request.respond.send_response(head, is_head)
        && !is_head
    {
        let _ = body.send_data(Bytes::from(format!("{}\n", answer.sentence)), true);
    }
}
