//! `/probe?target=URL&module=NAME`, `/-/healthy` and `/-/ready`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::StatusCode;
use tokio::sync::Semaphore;

use super::probe::{ProbeModule, probe};
use crate::domain::connection::target::Target;
use crate::domain::exporter::probe::ProbeResult;
use crate::domain::exporter::{parse_scrape_timeout, probe_timeout};
use crate::domain::exposition::{self, encode};
use crate::domain::format;
use crate::domain::secrets;
use crate::net::http_server::{HttpRequest, HttpResponse};

/// The header in which Prometheus sends the timeout of its scrape.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";

/// What may be probed, and how.
#[derive(Debug, Clone)]
pub struct ProbePlan {
    pub modules: BTreeMap<String, ProbeModule>,
    /// The targets of the configuration, which every module may probe.
    pub targets: Vec<Target>,
    /// Maximum number of probes at once.
    pub max_concurrent: usize,
}

/// Answers the requests of probes.
#[derive(Debug)]
pub struct ProbePage {
    plan: RwLock<Arc<ProbePlan>>,
    running: Semaphore,
    is_ready: AtomicBool,
}

/// A probe that was asked for and may run.
struct ProbeRequest<'a> {
    name: &'a str,
    module: &'a ProbeModule,
    target: Target,
    limit: Duration,
    is_debug: bool,
}

impl ProbePage {
    /// Not ready until [`ProbePage::set_ready`].
    pub fn new(plan: ProbePlan) -> ProbePage {
        let running = Semaphore::new(plan.max_concurrent.min(Semaphore::MAX_PERMITS));
        ProbePage { plan: RwLock::new(Arc::new(plan)), running, is_ready: AtomicBool::new(false) }
    }

    /// Whether `/-/ready` answers 200.
    pub fn set_ready(&self, is_ready: bool) {
        self.is_ready.store(is_ready, Relaxed);
    }

    /// Replaces what may be probed. The maximum number of probes at once stays.
    pub fn replace(&self, plan: ProbePlan) {
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(plan);
    }

    fn plan(&self) -> Arc<ProbePlan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The answer to a request; `None` if its path is none of these pages.
    pub async fn answer(&self, request: &HttpRequest) -> Option<HttpResponse> {
        if !["/probe", "/-/healthy", "/-/ready"].contains(&request.path.as_str()) {
            return None;
        }
        if !request.is_read() {
            return Some(HttpResponse::method_not_allowed("GET, HEAD"));
        }
        Some(match request.path.as_str() {
            "/probe" => self.probe(request).await,
            "/-/ready" if !self.is_ready.load(Relaxed) => {
                HttpResponse::plain(StatusCode::SERVICE_UNAVAILABLE, "Not ready.\n")
            }
            "/-/ready" => HttpResponse::plain(StatusCode::OK, "Ready.\n"),
            _ => HttpResponse::plain(StatusCode::OK, "Healthy.\n"),
        })
    }

    async fn probe(&self, request: &HttpRequest) -> HttpResponse {
        let plan = self.plan();
        let wanted = match plan.read(request) {
            Ok(wanted) => wanted,
            Err(why) => return HttpResponse::plain(StatusCode::BAD_REQUEST, format!("{why}\n")),
        };
        let Ok(_permit) = self.running.try_acquire() else {
            let text = "Too many probes are running.\n";
            return HttpResponse::plain(StatusCode::SERVICE_UNAVAILABLE, text);
        };
        let result = probe(wanted.module, &wanted.target, wanted.limit).await;
        if wanted.is_debug {
            return HttpResponse::plain(StatusCode::OK, log(&wanted, &result));
        }
        HttpResponse::text(StatusCode::OK, exposition::MEDIA_TYPE, encode(&result.families()))
    }
}

impl ProbePlan {
    /// The longest time limit of a probe. The server's time limit of a request must be larger.
    pub fn longest_probe(&self) -> Duration {
        self.modules.values().map(|module| module.timeout).max().unwrap_or_default()
    }

    /// Whether nothing may be probed.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.modules.values().all(|module| module.allow.is_empty())
    }

    /// What the request asks for, or what is wrong with it.
    fn read(&self, request: &HttpRequest) -> Result<ProbeRequest<'_>, String> {
        let one = |name: &str| match request.query.iter().filter(|(key, _)| key == name).count() {
            0 => Err(format!("the parameter '{name}' is missing")),
            1 => Ok(request.parameter(name).unwrap_or_default()),
            _ => Err(format!("the parameter '{name}' is given more than once")),
        };
        let name = one("module")?;
        let known = self.modules.get_key_value(name);
        let (name, module) = known.ok_or("there is no such module in the configuration")?;
        let target = self.target(one("target")?, module)?;
        let scrape = match request.headers.get(SCRAPE_TIMEOUT) {
            None => None,
            Some(value) => {
                let seconds = value.to_str().ok().and_then(parse_scrape_timeout);
                Some(
                    seconds
                        .ok_or(format!("the header {SCRAPE_TIMEOUT} is not a positive number of seconds"))?,
                )
            }
        };
        let limit = probe_timeout(module.timeout, scrape);
        let is_debug = request.parameter("debug") == Some("true");
        Ok(ProbeRequest { name, module, target, limit, is_debug })
    }

    /// A target that the module may probe.
    fn target(&self, given: &str, module: &ProbeModule) -> Result<Target, String> {
        let target: Target = given.parse().map_err(|_| "the target is not a WebSocket URL".to_string())?;
        if target.credentials().is_some() {
            return Err("the target has a user name or password: put them into the module".to_string());
        }
        let is_allowed =
            self.targets.contains(&target) || module.allow.iter().any(|pattern| pattern.matches(&target));
        is_allowed.then_some(target).ok_or_else(|| {
            "the target is neither in the configuration nor allowed by the module's 'allow'".to_string()
        })
    }
}

/// What happened, for a person. Writing to a String cannot fail.
fn log(wanted: &ProbeRequest<'_>, result: &ProbeResult) -> String {
    let mut text = String::new();
    let ProbeRequest { name, module, target, limit, is_debug: _ } = wanted;
    let _ = writeln!(text, "probe of {target} with module {name}");
    let limit = format::duration(*limit);
    let _ = writeln!(text, "time limit {limit}, {}", format::counted(module.pings, "ping"));
    let phases = [
        ("resolve", result.resolve),
        ("connect", result.connect),
        ("proxy", result.proxy),
        ("TLS", result.tls),
        ("upgrade", result.processing),
    ];
    for (phase, took) in phases.iter().filter_map(|(phase, took)| Some((phase, (*took)?))) {
        let _ = writeln!(text, "{phase}: {}", format::rtt(took));
    }
    for (number, rtt) in (1..).zip(&result.rtts) {
        let _ = writeln!(text, "pong {number}: {}", format::rtt(*rtt));
    }
    if let Some(took) = result.close {
        let _ = writeln!(text, "close: {}", format::rtt(took));
    }
    let _ = match &result.failure {
        Some(failure) => writeln!(text, "failed: {}", failure.error),
        None => writeln!(text, "succeeded"),
    };
    let _ = write!(text, "\nmetrics:\n{}", encode(&result.families()));
    secrets::redact(&text)
}
