//! The status pages of `serve`: `GET /clients` and `GET /metrics`.

use std::sync::Arc;

use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::net::http_server::{self, HostNames, HttpLimits, HttpRequest, HttpResponse, HttpServerPlan};
use crate::server::{Server, ServerSnapshot};

/// Maximum number of connections to the status pages.
const MAX_STATUS_CONNECTIONS: usize = 32;

/// Renders the server's state in the pages' formats.
pub trait StatusRenderer: Send + Sync + 'static {
    /// `GET /clients`.
    fn clients(&self, snapshot: &ServerSnapshot) -> StatusPage;
    /// `GET /metrics`.
    fn metrics(&self, snapshot: &ServerSnapshot) -> StatusPage;
}

/// A text and its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPage {
    pub media_type: &'static str,
    pub text: String,
}

/// Answers requests on `listener` until `stop`.
pub async fn serve_status(
    listener: TcpListener,
    server: Arc<Server>,
    pages: Arc<dyn StatusRenderer>,
    stop: CancellationToken,
) {
    let limits = HttpLimits { max_connections: MAX_STATUS_CONNECTIONS, ..HttpLimits::default() };
    let Ok(address) = listener.local_addr() else { return };
    let names = HostNames::of_listener(address, Vec::new());
    let plan = HttpServerPlan { limits, names, ..HttpServerPlan::default() };
    let answer = move |request| answer(request, Arc::clone(&server), Arc::clone(&pages));
    http_server::serve(listener, plan, answer, stop).await;
}

async fn answer(request: HttpRequest, server: Arc<Server>, pages: Arc<dyn StatusRenderer>) -> HttpResponse {
    if !request.is_read() {
        return HttpResponse::method_not_allowed("GET, HEAD");
    }
    let render: fn(&dyn StatusRenderer, &ServerSnapshot) -> StatusPage = match request.path.as_str() {
        "/clients" => |pages, snapshot| pages.clients(snapshot),
        "/metrics" => |pages, snapshot| pages.metrics(snapshot),
        _ => {
            let available = "Available: /clients (JSON) and /metrics (Prometheus).\n";
            return HttpResponse::plain(StatusCode::NOT_FOUND, available);
        }
    };
    // Rendering thousands of clients takes long and must not delay pongs.
    let rendered = tokio::task::spawn_blocking(move || render(&*pages, &server.snapshot()));
    match rendered.await {
        Ok(page) => HttpResponse::text(StatusCode::OK, page.media_type, page.text),
        Err(_) => HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be rendered.\n"),
    }
}
