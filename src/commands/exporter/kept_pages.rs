//! The pages of kept targets: `/`, its `/events`, and `/metrics`.

use std::sync::Arc;

use http::StatusCode;

use super::live_page::{LivePage, RenderTargets};
use super::registry::Registry;
use super::shared_page::SharedPage;
use crate::domain::exposition;
use crate::net::http_server::{HttpRequest, HttpResponse};

/// The pages of what a registry counts.
#[derive(Debug)]
pub struct KeptPages {
    registry: Arc<Registry>,
    metrics: SharedPage,
    live: Arc<LivePage>,
}

impl KeptPages {
    pub fn new(registry: Arc<Registry>, renderer: Arc<dyn RenderTargets>) -> KeptPages {
        let live = Arc::new(LivePage::new(Arc::clone(&registry), renderer));
        KeptPages { registry, metrics: SharedPage::default(), live }
    }

    /// Answers a request that reads; `None`: there is no such page.
    pub async fn answer(&self, request: &HttpRequest) -> Option<HttpResponse> {
        Some(match request.path.as_str() {
            "/" => self.live.page().await,
            "/events" => Arc::clone(&self.live).events(request),
            "/metrics" => self.metrics().await,
            _ => return None,
        })
    }

    async fn metrics(&self) -> HttpResponse {
        let registry = Arc::clone(&self.registry);
        match self.metrics.get(move || registry.page()).await {
            Some(text) => HttpResponse::text(StatusCode::OK, exposition::MEDIA_TYPE, text),
            None => HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.\n"),
        }
    }
}
