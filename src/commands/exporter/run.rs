//! Keeps the connections, and answers scrapes, until it is stopped.

use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::idle_probes::IdleProbes;
use super::kept_pages::KeptPages;
use super::pages::Pages;
use super::plan::{ExporterPlan, ExporterSettings, ReloadLog};
use super::probe_page::ProbePage;
use super::registry::Registry;
use super::reload::Reloads;
use crate::commands::kept::{KeptChanges, KeptConnections, KeptStart};
use crate::commands::ping;
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::ping::event::Event;
use crate::net::http_server::{self, AccessControl, HostNames, HttpLimits, HttpServerPlan};

/// What a request's answer may take beyond the longest probe.
const PROBE_MARGIN: Duration = Duration::from_secs(1);

/// Runs until `stop`. Tells the address once it listens.
///
/// # Errors
///
/// It cannot listen.
pub async fn run(
    plan: ExporterPlan,
    listening: impl FnOnce(SocketAddr),
    stop: CancellationToken,
) -> Result<(), StartFailure> {
    let asked = plan.listen;
    let failed = |why| StartFailure::unreachable(format!("cannot listen on {asked}: {why}"));
    let listener = TcpListener::bind(plan.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let longest_probe = plan.longest_probe();
    let access = Arc::new(plan.access);
    let server = HttpServerPlan {
        limits: limits(longest_probe),
        access: Arc::clone(&access),
        names: HostNames::of_listener(address, plan.server_names),
        tls: plan.tls,
    };
    let (log, channels) = match plan.reload {
        None => (None, None),
        Some(reload) => (Some(reload.log), Some(Reloads::new(reload.config, longest_probe))),
    };
    let (requests, reloads) = channels.unzip();
    let registry = Arc::new(Registry::start());
    let pages = Arc::new(Pages {
        kept: Arc::new(KeptPages::new(Arc::clone(&registry), plan.renderer)),
        probe: ProbePage::new(plan.settings.probe.clone()),
        config: RwLock::default(),
        reload: requests,
    });
    let counting = Arc::clone(&registry);
    let kept = KeptConnections::new(move |start| keep(start, Arc::clone(&counting)), stop.clone());
    let idle = IdleProbes::new(stop.clone());
    let counting = Arc::clone(&registry);
    let mut exporter =
        Exporter { kept, idle: &idle, registry: counting, pages: Arc::clone(&pages), access, log };
    exporter.apply(plan.settings);
    if reloads.is_some() {
        registry.note_reload(SystemTime::now(), true);
    }
    listening(address);
    pages.probe.set_ready(true);
    let answer = move |request| Arc::clone(&pages).answer(request);
    let serving = http_server::serve(listener, server, answer, stop.clone());
    let found = |id, report: &_| registry.note_idle(id, report);
    tokio::join!(serving, exporter.run(reloads, &stop), idle.run(found));
    Ok(())
}

fn limits(longest_probe: Duration) -> HttpLimits {
    let limits = HttpLimits::default();
    let request_timeout = limits.request_timeout.max(longest_probe.saturating_add(PROBE_MARGIN));
    HttpLimits { request_timeout, ..limits }
}

/// Keeps a connection, and counts what happens to it.
async fn keep(start: KeptStart, registry: Arc<Registry>) {
    let KeptStart { id, plan, delay, stop, openings, .. } = start;
    if stop.run_until_cancelled(sleep(delay)).await.is_none() {
        return;
    }
    let mut count = |event: &Event| {
        if let Event::Connection { event, .. } = event {
            registry.observe(id, event);
        }
    };
    // The events have all figures, so no interim report is requested.
    let control = RunControl { openings, ..RunControl::until(stop) };
    ping::run(plan, &mut count, control).await;
}

/// What the exporter does, as the configuration in force says.
struct Exporter<'a, F> {
    kept: KeptConnections<F>,
    idle: &'a IdleProbes,
    registry: Arc<Registry>,
    pages: Arc<Pages>,
    access: Arc<AccessControl>,
    /// Says how reading the configuration went; `None`: there is none.
    log: Option<Box<ReloadLog>>,
}

impl<F, R> Exporter<'_, F>
where
    F: FnMut(KeptStart) -> R,
    R: Future<Output = ()> + 'static,
{
    /// Keeps the connections until `stop`, and changes them as the configuration does.
    async fn run(mut self, mut reloads: Option<Reloads>, stop: &CancellationToken) {
        loop {
            let reload = async {
                match &mut reloads {
                    Some(reloads) => reloads.next().await,
                    None => std::future::pending().await,
                }
            };
            let reload = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.kept.run() => continue,
                reload = reload => reload,
            };
            let (settings, reply) = reload;
            let result = self.reload(settings);
            if let Some(reply) = reply {
                // Nobody may wait for it any more.
                let _ = reply.send(result);
            }
        }
        self.kept.finish().await;
    }

    /// Puts these settings in force, and the token of its file. On an error, everything stays.
    fn reload(&mut self, settings: Result<ExporterSettings, String>) -> Result<(), String> {
        let settings = settings.and_then(|settings| self.reload_token().map(|()| settings));
        match settings {
            Ok(settings) => {
                let KeptChanges { started, stopped, unchanged } = self.apply(settings);
                self.registry.note_reload(SystemTime::now(), true);
                self.say(&format!(
                    "configuration reloaded; connections started: {started}, stopped: {stopped}, unchanged: {unchanged}"
                ));
                Ok(())
            }
            Err(why) => {
                self.registry.note_reload(SystemTime::now(), false);
                self.say(&format!(
                    "the configuration was not reloaded, and the old one stays in force: {why}"
                ));
                Err(why)
            }
        }
    }

    fn reload_token(&self) -> Result<(), String> {
        match &*self.access {
            AccessControl::Bearer(token) => token.reload(),
            AccessControl::Anyone | AccessControl::Basic(_) => Ok(()),
        }
    }

    fn apply(&mut self, settings: ExporterSettings) -> KeptChanges {
        let ExporterSettings { kept, probe, config } = settings;
        let connections = kept.iter().map(|target| target.connection.clone()).collect();
        let (ids, changes) = self.kept.replace(connections);
        self.registry.replace(ids.iter().copied().zip(&kept));
        let idle = ids.into_iter().zip(kept).filter_map(|(id, target)| Some((id, target.idle?)));
        self.idle.replace(idle);
        self.pages.probe.replace(probe);
        self.pages.set_config(config);
        changes
    }

    fn say(&self, text: &str) {
        if let Some(log) = &self.log {
            log(text);
        }
    }
}
