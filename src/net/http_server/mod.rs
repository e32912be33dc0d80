//! A small HTTP/1.1 server for wscheck's own pages: status, metrics and probes.
//!
//! hyper parses and writes HTTP. This module adds the limits that keep a hostile client from costing more than a
//! bounded amount of memory and time:
//!
//! 1. At most [`HttpLimits::max_connections`] are open. When another one comes, the one that has waited longest for
//!    a request is closed; connections with a request in progress stay.
//! 2. A request's head has a size and a time limit, its body a size limit, its answer a time limit.
//! 3. A client that does not read its response is disconnected.
//!
//! Each response has `Cache-Control: no-store`.

mod access;
mod connection;
mod events;
mod host_check;
mod request;
mod response;
mod slots;
#[cfg(test)]
mod tests;
mod timed_stream;

pub use access::{AccessControl, BearerToken};
pub use events::{EventStream, ServerSentEvent};
pub use host_check::HostNames;
pub use request::HttpRequest;
pub use response::{HttpResponse, PLAIN_TEXT, ResponseContent};

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use connection::{Conversation, converse};
use slots::{Slot, Slots};

const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Limits of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum size of a request line and its headers, in bytes.
    pub max_head_bytes: usize,
    /// Maximum size of a request's body, in bytes. Bodies are read and ignored.
    pub max_body_bytes: usize,
    /// Time limit of the TLS handshake, and of a request's head from its first byte.
    pub head_timeout: Duration,
    /// Time limit from a request's head to the response's head.
    pub request_timeout: Duration,
    /// Time limit for the client to take what was sent to it.
    pub write_timeout: Duration,
    /// How long a connection may wait for its next request.
    pub idle_timeout: Duration,
}

impl Default for HttpLimits {
    /// For a few scrapers and people. The idle timeout is longer than the common scrape intervals of up to a minute.
    fn default() -> HttpLimits {
        HttpLimits {
            max_connections: 64,
            max_head_bytes: 16 * 1024,
            max_body_bytes: 16 * 1024,
            head_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
        }
    }
}

/// How to serve.
#[derive(Debug, Default)]
pub struct HttpServerPlan {
    pub limits: HttpLimits,
    pub access: Arc<AccessControl>,
    pub names: HostNames,
    /// `None`: plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

/// Answers the requests on `listener` with `handler` until `stop`.
pub async fn serve<H, F>(listener: TcpListener, plan: HttpServerPlan, handler: H, stop: CancellationToken)
where
    H: Fn(HttpRequest) -> F + Send + Sync + 'static,
    F: Future<Output = HttpResponse> + Send + 'static,
{
    let slots = Slots::new(plan.limits.max_connections);
    let tls = plan.tls.clone().map(TlsAcceptor::from);
    let handler = Box::new(move |request| handler(request).boxed());
    let conversation = Arc::new(Conversation { plan, handler, stop: stop.clone() });
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_RETRY_DELAY).await;
            continue;
        };
        tokio::select! {
            biased;
            () = stop.cancelled() => break,
            () = slots.wait_for_room() => {}
        }
        connections.spawn(serve_client(stream, slots.take(), tls.clone(), Arc::clone(&conversation)));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Serves one client until it, a limit or the server ends the connection.
async fn serve_client(
    stream: TcpStream,
    slot: Slot,
    tls: Option<TlsAcceptor>,
    conversation: Arc<Conversation>,
) {
    let evicted = slot.activity.evicted();
    let serving = async {
        let Some(tls) = tls else { return converse(stream, &slot.activity, conversation).await };
        let handshake = timeout(conversation.plan.limits.head_timeout, tls.accept(stream));
        let stream = tokio::select! {
            biased;
            () = conversation.stop.cancelled() => return,
            shaken = handshake => shaken,
        };
        if let Ok(Ok(stream)) = stream {
            converse(stream, &slot.activity, conversation).await;
        }
    };
    tokio::select! {
        biased;
        () = evicted.cancelled() => {}
        () = serving => {}
    }
}
