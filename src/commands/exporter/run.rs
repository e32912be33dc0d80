//! Keeps the connections, and answers scrapes, until it is stopped.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use http::StatusCode;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ProbePage, ProbePlan};
use crate::commands::ping::{self, PingPlan};
use crate::commands::run_control::RunControl;
use crate::domain::exporter::kept::{KeptTarget, families};
use crate::domain::exposition::{self, encode};
use crate::domain::ping::event::Event;
use crate::domain::run::reporter::Reporter;
use crate::net::batch_sleep::BatchSleep;
use crate::net::http_server::{self, AccessControl, HttpLimits, HttpRequest, HttpResponse, HttpServerPlan};

/// What a request's answer may take beyond the longest probe.
const PROBE_MARGIN: Duration = Duration::from_secs(1);

/// Parameters of the exporter; always valid.
pub struct ExporterPlan {
    /// Port 0 means any free port.
    pub listen: SocketAddr,
    pub access: AccessControl,
    /// `None`: plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Kept targets with the same options each.
    pub kept: Vec<KeptGroup>,
    pub probe: ProbePlan,
}

/// Targets that are kept with the same options.
pub struct KeptGroup {
    /// One connection to each target.
    pub plan: PingPlan,
    /// The labels of each target, in the plan's order.
    pub labels: Vec<BTreeMap<String, String>>,
}

/// Why the exporter could not start.
#[derive(Debug, Error)]
#[error("cannot listen on {address}: {why}")]
pub struct ExporterError {
    address: SocketAddr,
    why: io::Error,
}

/// The metrics of all kept targets, counted since `began`.
struct Registry {
    began: Instant,
    targets: Mutex<Vec<KeptTarget>>,
}

impl Registry {
    fn new(groups: &[KeptGroup]) -> Registry {
        let targets = groups.iter().flat_map(|group| {
            let plan = &group.plan;
            plan.targets.iter().zip(&group.labels).map(|(target, labels)| {
                let times = (plan.session.timeout, plan.outage_after);
                KeptTarget::new(target.to_string(), labels, &plan.session.kinds, times)
            })
        });
        Registry { began: Instant::now(), targets: Mutex::new(targets.collect()) }
    }

    fn observe(&self, first: usize, event: &Event) {
        let Event::Connection { id, event, .. } = event else { return };
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = targets.get_mut(first + id.target) {
            target.observe(self.began.elapsed(), event);
        }
    }

    /// The copy is short, so that heartbeats wait for no page.
    fn page(&self) -> String {
        let targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner).clone();
        encode(&families(&targets, self.began.elapsed()))
    }
}

/// Counts the events of one group.
struct Counting {
    registry: Arc<Registry>,
    /// The place of the group's first target.
    first: usize,
}

impl Reporter<Event> for Counting {
    fn report(&mut self, event: &Event) {
        self.registry.observe(self.first, event);
    }
}

/// Runs until `stop`. Tells the address once it listens.
///
/// # Errors
///
/// It cannot listen.
pub async fn run(
    plan: ExporterPlan,
    listening: impl FnOnce(SocketAddr),
    stop: CancellationToken,
) -> Result<(), ExporterError> {
    let failed = |why| ExporterError { address: plan.listen, why };
    let listener = TcpListener::bind(plan.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let registry = Arc::new(Registry::new(&plan.kept));
    let page = Arc::new(ProbePage::new(plan.probe));
    let limits = HttpLimits::default();
    let request_timeout = limits.request_timeout.max(page.longest_probe().saturating_add(PROBE_MARGIN));
    let server = HttpServerPlan {
        limits: HttpLimits { request_timeout, ..limits },
        access: Arc::new(plan.access),
        tls: plan.tls,
    };
    listening(address);
    page.set_ready(true);
    let pages = (Arc::clone(&registry), Arc::clone(&page));
    let serving =
        http_server::serve(listener, server, move |request| answer(request, pages.clone()), stop.clone());
    tokio::join!(serving, keep(plan.kept, &registry, &stop));
    Ok(())
}

/// Keeps the connections of all groups until `stop`.
async fn keep(groups: Vec<KeptGroup>, registry: &Arc<Registry>, stop: &CancellationToken) {
    let mut first = 0;
    let runs = groups.into_iter().map(|group| {
        let mut counting = Counting { registry: Arc::clone(registry), first };
        first += group.plan.targets.len();
        // Nobody asks for its figures: they are in the registry.
        let (_, interim) = mpsc::unbounded_channel();
        let control = RunControl {
            interrupt: stop.child_token(),
            interim,
            batch_sleep: BatchSleep::default(),
            ask_now: Default::default(),
        };
        async move { ping::run(group.plan, &mut counting, control).await }
    });
    join_all(runs).await;
}

const OVERVIEW: &str = "wscheck exporter\n\n/metrics                        the kept targets\n\
                        /probe?target=URL&module=NAME   a target, opened anew; &debug=true tells what happened\n\
                        /-/healthy /-/ready\n";

async fn answer(request: HttpRequest, (registry, page): (Arc<Registry>, Arc<ProbePage>)) -> HttpResponse {
    if let Some(response) = page.answer(&request).await {
        return response;
    }
    match request.path.as_str() {
        _ if !request.is_read() => HttpResponse::method_not_allowed("GET, HEAD"),
        "/" => HttpResponse::plain(StatusCode::OK, OVERVIEW),
        "/metrics" => match tokio::task::spawn_blocking(move || registry.page()).await {
            Ok(text) => HttpResponse::text(StatusCode::OK, exposition::MEDIA_TYPE, text),
            Err(_) => HttpResponse::plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.\n"),
        },
        _ => HttpResponse::plain(StatusCode::NOT_FOUND, OVERVIEW),
    }
}
