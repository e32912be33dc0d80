//! The pages of kept targets: `/`, the server-sent events that keep it up to date (`/events`), and `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::unfold;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::registry::Registry;
use crate::commands::config_reload::off_thread;
use crate::domain::exporter::live::LiveTargets;
use crate::domain::exposition;
use crate::net::http_server::{EventStream, HttpRequest, HttpResponse, ServerSentEvent};

/// The most pages that are kept up to date at once.
const MAX_STREAMS: usize = 8;
/// How often a page is brought up to date.
const REFRESH: Duration = Duration::from_secs(1);
/// The event that has all targets.
const TARGETS_EVENT: &str = "targets";

const HTML: &str = "text/html; charset=utf-8";

/// Makes HTML of the targets. Names and errors are to be escaped.
pub trait RenderTargets: Send + Sync + 'static {
    /// The whole page. It asks for `events`, relative to itself.
    fn page(&self, targets: &LiveTargets) -> String;
    /// What `page` has of the targets, for an event.
    fn targets(&self, targets: &LiveTargets) -> String;
    /// What the page may load and run (Content-Security-Policy).
    fn policy(&self) -> String;
}

/// The pages of what a registry counts.
pub struct KeptPages {
    registry: Arc<Registry>,
    renderer: Arc<dyn RenderTargets>,
    metrics: SharedPage,
    whole: SharedPage,
    /// One for all streams.
    latest: SharedPage,
    streams: Arc<Semaphore>,
}

impl KeptPages {
    pub fn new(registry: Arc<Registry>, renderer: Arc<dyn RenderTargets>) -> KeptPages {
        KeptPages {
            registry,
            renderer,
            metrics: SharedPage::default(),
            whole: SharedPage::default(),
            latest: SharedPage::default(),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }

    /// Answers a request that reads; `None`: there is no such page.
    pub async fn answer(self: &Arc<KeptPages>, request: &HttpRequest) -> Option<HttpResponse> {
        Some(match request.path.as_str() {
            "/" => self.page().await,
            "/events" => Arc::clone(self).events(request),
            "/metrics" => self.metrics().await,
            _ => return None,
        })
    }

    async fn metrics(&self) -> HttpResponse {
        let registry = Arc::clone(&self.registry);
        let text = self.metrics.get(move || registry.page()).await;
        text.map_or_else(no_page, |text| HttpResponse::text(StatusCode::OK, exposition::MEDIA_TYPE, text))
    }

    /// The page. Nothing comes from elsewhere, and no other page may show it in a frame.
    async fn page(&self) -> HttpResponse {
        let (registry, renderer) = (Arc::clone(&self.registry), Arc::clone(&self.renderer));
        let html = self.whole.get(move || renderer.page(&registry.live())).await;
        let (Some(html), Ok(policy)) = (html, HeaderValue::from_str(&self.renderer.policy())) else {
            return no_page();
        };
        HttpResponse::text(StatusCode::OK, HTML, html)
            .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
            .with_header(CONTENT_SECURITY_POLICY, policy)
    }

    /// The targets, now and each [`REFRESH`], until the client leaves.
    fn events(self: Arc<KeptPages>, request: &HttpRequest) -> HttpResponse {
        if request.is_cross_site() {
            let text = "A page of another site may not follow the targets.\n";
            return HttpResponse::plain(StatusCode::FORBIDDEN, text);
        }
        let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            let text = "Too many pages are kept up to date.\n";
            return HttpResponse::plain(StatusCode::SERVICE_UNAVAILABLE, text);
        };
        let mut ticks = interval(REFRESH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = unfold((self, ticks, permit), async |(page, mut ticks, permit)| {
            ticks.tick().await;
            let event = page.latest_event().await?;
            Some((event, (page, ticks, permit)))
        });
        HttpResponse::events(EventStream::new(events))
    }

    /// `None`: it could not be made.
    async fn latest_event(&self) -> Option<ServerSentEvent> {
        let (registry, renderer) = (Arc::clone(&self.registry), Arc::clone(&self.renderer));
        let html = self.latest.get(move || renderer.targets(&registry.live())).await?;
        Some(ServerSentEvent { name: TARGETS_EVENT, data: String::from_utf8_lossy(&html).into_owned() })
    }
}

fn no_page() -> HttpResponse {
    HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.\n")
}

/// The latest page, and when its making began. It is one for all who ask meanwhile: a flood of requests costs one page after
/// another, never many at once.
#[derive(Debug, Default)]
struct SharedPage(Mutex<Option<(Instant, Bytes)>>);

impl SharedPage {
    /// A page whose making began after this was called; `None` if it could not be made. Takes at most as long as two pages.
    async fn get(&self, make: impl FnOnce() -> String + Send + 'static) -> Option<Bytes> {
        let asked = Instant::now();
        let mut latest = self.0.lock().await;
        if let Some((_, page)) = latest.as_ref().filter(|(began, _)| *began >= asked) {
            return Some(page.clone());
        }
        let began = Instant::now();
        let page = Bytes::from(off_thread(make).await?);
        *latest = Some((began, page.clone()));
        Some(page)
    }
}
