//! The page `/` of the kept targets, and the server-sent events that keep it up to date.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::unfold;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use http::{HeaderValue, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval};

use super::registry::Registry;
use super::shared_page::SharedPage;
use crate::domain::exporter::live::LiveTargets;
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

/// The page and its events.
pub struct LivePage {
    registry: Arc<Registry>,
    renderer: Arc<dyn RenderTargets>,
    whole: SharedPage,
    /// One for all streams.
    latest: SharedPage,
    streams: Arc<Semaphore>,
}

impl fmt::Debug for LivePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LivePage").field("streams", &self.streams).finish_non_exhaustive()
    }
}

impl LivePage {
    pub fn new(registry: Arc<Registry>, renderer: Arc<dyn RenderTargets>) -> LivePage {
        let (whole, latest) = (SharedPage::default(), SharedPage::default());
        LivePage { registry, renderer, whole, latest, streams: Arc::new(Semaphore::new(MAX_STREAMS)) }
    }

    /// The page. Nothing comes from elsewhere, and no other page may show it in a frame.
    pub async fn page(&self) -> HttpResponse {
        let (registry, renderer) = (Arc::clone(&self.registry), Arc::clone(&self.renderer));
        let html = self.whole.get(move || renderer.page(&registry.live())).await;
        let (Some(html), Ok(policy)) = (html, HeaderValue::from_str(&self.renderer.policy())) else {
            return HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.\n");
        };
        HttpResponse::text(StatusCode::OK, HTML, html)
            .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
            .with_header(CONTENT_SECURITY_POLICY, policy)
    }

    /// The targets, now and each [`REFRESH`], until the client leaves.
    pub fn events(self: Arc<LivePage>, request: &HttpRequest) -> HttpResponse {
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
