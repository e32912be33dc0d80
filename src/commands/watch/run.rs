//! Runs the groups side by side, and asks their connections at once when this host changes.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::WatchEvent;
use super::groups::{GroupChanges, GroupEvent, Groups, Starter};
use super::hook::{Hook, HookEvent};
use super::metrics::CountedEvents;
use super::plan::WatchPlan;
use crate::commands::config_reload::ConfigReload;
use crate::commands::exporter::Registry;
use crate::commands::kept::{KeptChanges, KeptConnection, KeptConnections, KeptStart};
use crate::commands::run_control::RunControl;
use crate::domain::ping::event::Event;
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::group::{ConfigChange, Group};
use crate::domain::watch::hook_result::HookResult;
use crate::domain::watch::host_event::HostEvent;
use crate::domain::watch::report::{HostChanges, WatchReport};
use crate::net::host_events::HostEvents;
use crate::net::os_error;

/// Events taken at once.
const MAX_EVENTS_PER_BATCH: usize = 1024;
/// How long commands of `--on-change` may go on after the end.
const HOOK_GRACE: Duration = Duration::from_secs(5);
/// What is left of a bounded run for a target that is added at its end.
const MIN_DEADLINE: Duration = Duration::from_millis(1);

/// What a command of `--on-change` is given for an event; `None` for an event that is no change. The number is how many
/// changes were dropped before it.
pub type HookDocument = Box<dyn FnMut(&WatchEvent) -> Option<HookMessage>>;

/// An event, and what makes its document.
pub type HookMessage = (HookEvent, Box<dyn FnOnce(u64) -> String>);

/// What comes from outside while it runs.
pub struct WatchControl {
    pub run: RunControl,
    /// The user wants every connection to be asked now.
    pub asked: UnboundedReceiver<()>,
    /// What happens to this host.
    pub host: HostEvents,
    pub hook_document: HookDocument,
}

/// Watches until it is interrupted. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    mut plan: WatchPlan,
    reporter: &mut dyn Reporter<WatchEvent>,
    control: WatchControl,
) -> WatchReport {
    let Some(metrics) = plan.metrics.take() else { return watch(plan, reporter, control).await };
    let registry = Arc::new(Registry::start());
    let mut counted = CountedEvents::new(Arc::clone(&registry), reporter);
    let mut watching = pin!(watch(plan, &mut counted, control));
    // The pages end with the watch.
    let serving = metrics.serve(registry, CancellationToken::new());
    tokio::select! {
        biased;
        report = &mut watching => report,
        () = serving => watching.await,
    }
}

async fn watch(
    plan: WatchPlan,
    reporter: &mut dyn Reporter<WatchEvent>,
    control: WatchControl,
) -> WatchReport {
    let (events, received) = mpsc::unbounded_channel();
    let is_alone = plan.reload.is_none() && plan.groups.len() == 1;
    let batch_sleep = is_alone.then(|| control.run.batch_sleep.clone());
    let groups = Groups::default();
    let starter = Starter { groups: groups.clone(), events, batch_sleep };
    let stop = control.run.interrupt.clone();
    let mut kept = KeptConnections::new(move |start| starter.start(start), stop);
    let (ids, _) = kept.replace(plan.groups);
    groups.keep(&ids, SystemTime::now());
    let (hook, hook_results) = plan.on_change.map(Hook::start).unzip();
    let hook_results = hook_results.unwrap_or_else(|| mpsc::unbounded_channel().1);
    let watch = Watch {
        file: plan.file,
        kept,
        groups,
        changes: HostChanges::default(),
        began: (SystemTime::now(), Instant::now()),
        hook,
        reporter,
    };
    watch.follow(Sources { received, hook_results, reload: plan.reload }, control).await
}

/// Where events come from.
struct Sources {
    received: UnboundedReceiver<GroupEvent>,
    hook_results: UnboundedReceiver<HookResult>,
    reload: Option<ConfigReload<Vec<KeptConnection>>>,
}

struct Watch<'a, F> {
    file: Option<String>,
    kept: KeptConnections<F>,
    groups: Groups,
    changes: HostChanges,
    began: (SystemTime, Instant),
    hook: Option<Hook>,
    reporter: &'a mut dyn Reporter<WatchEvent>,
}

/// What woke the watch.
enum WatchWake {
    Events,
    Host(HostEvent),
    Hook(HookResult),
    Reload(Result<Vec<KeptConnection>, String>),
    Interim,
    Asked,
    Ended,
}

impl<F, R> Watch<'_, F>
where
    F: FnMut(KeptStart) -> R,
    R: Future<Output = ()> + 'static,
{
    async fn follow(mut self, mut sources: Sources, mut control: WatchControl) -> WatchReport {
        if let Some(why) = control.host.network_error().map(os_error::describe) {
            self.report(WatchEvent::NetworkNotWatched { why }, &mut control);
        }
        let mut batch = Vec::new();
        loop {
            let Sources { received, hook_results, reload } = &mut sources;
            let woken = tokio::select! {
                biased;
                event = control.host.next() => WatchWake::Host(event),
                Some(()) = control.asked.recv() => WatchWake::Asked,
                Some(()) = control.run.interim.recv() => WatchWake::Interim,
                Some(result) = hook_results.recv() => WatchWake::Hook(result),
                wanted = next_reload(reload) => WatchWake::Reload(wanted),
                1.. = received.recv_many(&mut batch, MAX_EVENTS_PER_BATCH) => WatchWake::Events,
                () = self.kept.run_until_none() => WatchWake::Ended,
            };
            match woken {
                WatchWake::Events => {
                    batch.drain(..).for_each(|(group, event)| self.of_group(group, event, &mut control));
                }
                WatchWake::Host(event) => self.host_changed(event, &mut control),
                WatchWake::Asked => self.groups.ask_all(),
                WatchWake::Interim => self.groups.request_figures(),
                WatchWake::Hook(result) => {
                    self.report(WatchEvent::Hook { at: SystemTime::now(), result }, &mut control);
                }
                WatchWake::Reload(wanted) => self.reload(wanted, &mut control),
                WatchWake::Ended => break,
            }
        }
        while let Ok((group, event)) = sources.received.try_recv() {
            self.of_group(group, event, &mut control);
        }
        self.finish(&mut control).await
    }

    fn of_group(&mut self, group: Arc<Group>, event: Event, control: &mut WatchControl) {
        match event {
            Event::Interim(report) => {
                if let Some(groups) = self.groups.figures(group.id, *report) {
                    let report = WatchReport { groups, ..self.whole(false) };
                    self.report(WatchEvent::Interim(Box::new(report)), control);
                }
            }
            Event::Finished(report) => {
                if let Some(at) = self.groups.ended(group.id, *report) {
                    self.report(WatchEvent::Removed { group, at }, control);
                }
            }
            event => self.report(WatchEvent::OfGroup { group, event }, control),
        }
    }

    /// Asks at once, and tells why.
    fn host_changed(&mut self, event: HostEvent, control: &mut WatchControl) {
        if event.is_of_a_container() {
            return;
        }
        self.groups.ask_all();
        let at = SystemTime::now();
        self.changes.record(at, event.clone());
        self.report(WatchEvent::Host { at, event }, control);
    }

    /// Watches what the configuration has now. On an error, everything stays.
    fn reload(&mut self, wanted: Result<Vec<KeptConnection>, String>, control: &mut WatchControl) {
        let at = SystemTime::now();
        let mut wanted = match wanted {
            Ok(wanted) => wanted,
            Err(why) => return self.report(WatchEvent::NotReloaded { at, why }, control),
        };
        let elapsed = self.began.1.elapsed();
        for KeptConnection { plan, .. } in &mut wanted {
            plan.deadline = plan.deadline.map(|deadline| deadline.saturating_sub(elapsed).max(MIN_DEADLINE));
        }
        let (ids, KeptChanges { unchanged, .. }) = self.kept.replace(wanted);
        let GroupChanges { added, removed, ended } = self.groups.keep(&ids, at);
        self.report(WatchEvent::Reloaded(ConfigChange { at, added, removed, unchanged }), control);
        for group in ended {
            self.report(WatchEvent::Removed { group, at }, control);
        }
    }

    fn report(&mut self, event: WatchEvent, control: &mut WatchControl) {
        if let Some(hook) = &mut self.hook
            && let Some((of, document)) = (control.hook_document)(&event)
        {
            hook.send(of, document);
        }
        self.reporter.report(&event);
    }

    fn whole(&self, interrupted: bool) -> WatchReport {
        let (started_at, began) = self.began;
        let (groups, removed) = self.groups.reports();
        WatchReport {
            file: self.file.clone(),
            groups,
            removed,
            changes: self.changes.clone(),
            started_at,
            elapsed: began.elapsed(),
            interrupted,
        }
    }

    async fn finish(mut self, control: &mut WatchControl) -> WatchReport {
        if let Some(hook) = self.hook.take() {
            let count = hook.finish(HOOK_GRACE).await;
            if count > 0 {
                self.reporter.report(&WatchEvent::HookSkipped { at: SystemTime::now(), count });
            }
        }
        let report = self.whole(control.run.interrupt.is_cancelled());
        self.reporter.report(&WatchEvent::Finished(Box::new(report.clone())));
        report
    }
}

/// What the configuration has, when it was read again; never if there is none.
async fn next_reload(
    reload: &mut Option<ConfigReload<Vec<KeptConnection>>>,
) -> Result<Vec<KeptConnection>, String> {
    match reload {
        Some(reload) => reload.next().await,
        None => std::future::pending().await,
    }
}
