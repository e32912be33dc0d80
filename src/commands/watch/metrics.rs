//! `--metrics`: the pages of the watched targets, as those of the exporter's kept ones.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::event::WatchEvent;
use crate::commands::exporter::{KeptPages, Registry, RenderTargets};
use crate::commands::kept::KeptId;
use crate::domain::exporter::kept::KeptTarget;
use crate::domain::ping::event::{ConnId, Event};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::group::Group;
use crate::net::http_server::{
    AccessControl, HostNames, HttpLimits, HttpRequest, HttpResponse, HttpServerPlan, serve,
};

const OVERVIEW: &str = "wscheck watch\n\n\
    /           the targets, live, for a browser\n\
    /metrics    the targets, for Prometheus\n\
    /-/healthy /-/ready\n";

/// Where the pages are, and what makes them.
pub struct MetricsPlan {
    pub listener: TcpListener,
    pub renderer: Arc<dyn RenderTargets>,
}

impl MetricsPlan {
    /// Answers requests until `stop`.
    pub(super) async fn serve(self, registry: Arc<Registry>, stop: CancellationToken) {
        let Ok(address) = self.listener.local_addr() else { return };
        let server = HttpServerPlan {
            limits: HttpLimits::default(),
            access: Arc::new(AccessControl::Anyone),
            names: HostNames::of_listener(address, Vec::new()),
            tls: None,
        };
        let pages = Arc::new(KeptPages::new(registry, self.renderer));
        serve(self.listener, server, move |request| answer(Arc::clone(&pages), request), stop).await;
    }
}

async fn answer(pages: Arc<KeptPages>, request: HttpRequest) -> HttpResponse {
    if !request.is_read() {
        return HttpResponse::method_not_allowed("GET, HEAD");
    }
    if let Some(page) = pages.answer(&request).await {
        return page;
    }
    match request.path.as_str() {
        "/-/healthy" => HttpResponse::plain(StatusCode::OK, "Healthy.\n"),
        "/-/ready" => HttpResponse::plain(StatusCode::OK, "Ready.\n"),
        _ => HttpResponse::plain(StatusCode::NOT_FOUND, OVERVIEW),
    }
}

/// Counts the events, and passes them on.
pub(super) struct CountedEvents<'a> {
    registry: Arc<Registry>,
    /// What each connection is counted as.
    ids: HashMap<(u64, ConnId), KeptId>,
    next_id: KeptId,
    reporter: &'a mut dyn Reporter<WatchEvent>,
}

impl<'a> CountedEvents<'a> {
    pub fn new(registry: Arc<Registry>, reporter: &'a mut dyn Reporter<WatchEvent>) -> CountedEvents<'a> {
        CountedEvents { registry, ids: HashMap::new(), next_id: 0, reporter }
    }

    /// Each connection is a target; the label `connection` tells those with the same URL apart.
    fn start(&mut self, group: &Group, info: &RunInfo) {
        for (target, url) in info.targets.iter().enumerate() {
            for index in 0..info.connections_each {
                let mut labels = group.labels.clone();
                if info.connections_each > 1 {
                    labels.insert("connection".to_string(), index.to_string());
                }
                let times = (info.timeout, info.outage_after);
                self.registry.add(self.next_id, KeptTarget::new(url.clone(), &labels, &info.kinds, times));
                self.ids.insert((group.id, ConnId { target, index }), self.next_id);
                self.next_id += 1;
            }
        }
    }

    fn remove(&mut self, group: &Group) {
        let registry = &self.registry;
        self.ids.retain(|(of, _), id| {
            let is_kept = *of != group.id;
            if !is_kept {
                registry.remove(*id);
            }
            is_kept
        });
    }
}

impl Reporter<WatchEvent> for CountedEvents<'_> {
    fn report(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::OfGroup { group, event: Event::Started { info, .. } } => self.start(group, info),
            WatchEvent::OfGroup { group, event: Event::Connection { id, event, .. } } => {
                if let Some(counted) = self.ids.get(&(group.id, *id)) {
                    self.registry.observe(*counted, event);
                }
            }
            WatchEvent::Removed { group, .. } => self.remove(group),
            WatchEvent::Reloaded(change) => self.registry.note_reload(change.at, true),
            WatchEvent::NotReloaded { at, .. } => self.registry.note_reload(*at, false),
            _ => {}
        }
        self.reporter.report(event);
    }
}
