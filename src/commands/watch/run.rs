//! Runs the groups side by side, and asks their connections at once when this host changes.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use super::event::WatchEvent;
use super::hook::{Hook, HookEvent, HookPlan};
use super::plan::{WatchPlan, WatchedGroup};
use crate::commands::ping;
use crate::commands::run_control::RunControl;
use crate::domain::ping::event::Event;
use crate::domain::ping::report::PingReport;
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::hook_result::HookResult;
use crate::domain::watch::host_event::HostEvent;
use crate::domain::watch::report::{GroupReport, HostChanges, WatchReport};
use crate::net::batch_sleep::BatchSleep;
use crate::net::client::ask_now::AskNow;
use crate::net::host_events::HostEvents;
use crate::net::os_error;

/// Events taken at once.
const MAX_EVENTS_PER_BATCH: usize = 1024;
/// How long commands of `--on-change` may go on after the end.
const HOOK_GRACE: Duration = Duration::from_secs(5);

/// What a command of `--on-change` is given for an event; `None` for an event that is no change. The number is how many
/// changes were dropped before it.
pub type HookDocument = Box<dyn Fn(&WatchEvent) -> Option<HookMessage>>;

/// An event, and what makes its document.
pub type HookMessage = (HookEvent, Box<dyn FnOnce(u64) -> String>);

/// What comes from outside while it runs.
pub struct WatchControl {
    pub run: RunControl,
    /// The user wants every connection to be asked now.
    pub asked: UnboundedReceiver<()>,
    pub hook_document: HookDocument,
}

/// Watches until it is interrupted. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    plan: WatchPlan,
    reporter: &mut dyn Reporter<WatchEvent>,
    control: WatchControl,
) -> WatchReport {
    let (events, received) = mpsc::unbounded_channel();
    let single = plan.groups.len() == 1;
    let (mut runs, mut watched) = (Vec::new(), Vec::new());
    for (index, WatchedGroup { name, plan }) in plan.groups.into_iter().enumerate() {
        let ask_now: Arc<[AskNow]> = (0..plan.connections()).map(|_| AskNow::default()).collect();
        let (want, interim) = mpsc::unbounded_channel();
        watched.push(Watched { name, ask_now: Arc::clone(&ask_now), want, so_far: None });
        let batch_sleep = if single { control.run.batch_sleep.clone() } else { BatchSleep::default() };
        let interrupt = control.run.interrupt.child_token();
        let mut forward = Forward { group: index, events: events.clone() };
        let control = RunControl { interrupt, interim, batch_sleep, ask_now };
        runs.push(async move { ping::run(plan, &mut forward, control).await });
    }
    drop(events);
    let (hook, hook_results) = start_hook(plan.on_change);
    let watch = Watch {
        file: plan.file,
        watched,
        changes: HostChanges::default(),
        began: (SystemTime::now(), Instant::now()),
        hook,
        reporter,
    };
    watch.follow(Box::pin(join_all(runs)), received, hook_results, control).await
}

fn start_hook(plan: Option<HookPlan>) -> (Option<Hook>, Option<UnboundedReceiver<HookResult>>) {
    plan.map(Hook::start).unzip()
}

/// Passes on the events of one group.
struct Forward {
    group: usize,
    events: UnboundedSender<(usize, Event)>,
}

impl Reporter<Event> for Forward {
    fn report(&mut self, event: &Event) {
        // The watch reads until all groups have ended.
        let _ = self.events.send((self.group, event.clone()));
    }
}

/// One group while it runs.
struct Watched {
    name: Option<String>,
    ask_now: Arc<[AskNow]>,
    want: UnboundedSender<()>,
    /// The report so far, once it was asked for.
    so_far: Option<PingReport>,
}

impl Watched {
    fn ask_figures(&self) {
        // Its run may have ended.
        let _ = self.want.send(());
    }
}

struct Watch<'a> {
    file: Option<String>,
    watched: Vec<Watched>,
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
    Interim,
    Asked,
    Ended(Vec<PingReport>),
}

impl Watch<'_> {
    async fn follow(
        mut self,
        runs: impl Future<Output = Vec<PingReport>>,
        mut received: UnboundedReceiver<(usize, Event)>,
        mut hook_results: Option<UnboundedReceiver<HookResult>>,
        mut control: WatchControl,
    ) -> WatchReport {
        let mut host = HostEvents::start().await;
        if let Some(why) = host.network_error().map(os_error::describe) {
            self.report(WatchEvent::NetworkNotWatched { why }, &control);
        }
        let mut runs = pin!(runs);
        let mut batch = Vec::new();
        let reports = loop {
            let woken = tokio::select! {
                biased;
                event = host.next() => WatchWake::Host(event),
                Some(()) = control.asked.recv() => WatchWake::Asked,
                Some(()) = control.run.interim.recv() => WatchWake::Interim,
                Some(result) = next_result(&mut hook_results) => WatchWake::Hook(result),
                1.. = received.recv_many(&mut batch, MAX_EVENTS_PER_BATCH) => WatchWake::Events,
                reports = &mut runs => WatchWake::Ended(reports),
            };
            match woken {
                WatchWake::Events => {
                    batch.drain(..).for_each(|(group, event)| self.of_group(group, event, &control));
                }
                WatchWake::Host(event) => self.host_changed(event, &control),
                WatchWake::Asked => self.ask_all(),
                WatchWake::Interim => self.watched.iter().for_each(|group| group.ask_figures()),
                WatchWake::Hook(result) => {
                    self.report(WatchEvent::Hook { at: SystemTime::now(), result }, &control);
                }
                WatchWake::Ended(reports) => break reports,
            }
        };
        while let Ok((group, event)) = received.try_recv() {
            self.of_group(group, event, &control);
        }
        self.finish(reports, &control).await
    }

    fn of_group(&mut self, group: usize, event: Event, control: &WatchControl) {
        match event {
            Event::Interim(report) => self.so_far(group, *report, control),
            Event::Finished(_) => {}
            event => self.report(WatchEvent::OfGroup { group, event }, control),
        }
    }

    /// Once every group has told its figures, they are those of the watch.
    fn so_far(&mut self, group: usize, report: PingReport, control: &WatchControl) {
        if let Some(watched) = self.watched.get_mut(group) {
            watched.so_far = Some(report);
        }
        if self.watched.iter().any(|group| group.so_far.is_none()) {
            return;
        }
        let reports: Vec<PingReport> =
            self.watched.iter_mut().filter_map(|group| group.so_far.take()).collect();
        let report = self.whole(reports, false);
        self.report(WatchEvent::Interim(Box::new(report)), control);
    }

    /// Asks at once, and tells why.
    fn host_changed(&mut self, event: HostEvent, control: &WatchControl) {
        if event.is_of_a_container() {
            return;
        }
        self.ask_all();
        let at = SystemTime::now();
        self.changes.record(at, event.clone());
        self.report(WatchEvent::Host { at, event }, control);
    }

    fn ask_all(&self) {
        self.watched.iter().flat_map(|group| group.ask_now.iter()).for_each(AskNow::ask);
    }

    fn report(&mut self, event: WatchEvent, control: &WatchControl) {
        if let Some(hook) = &mut self.hook
            && let Some((of, document)) = (control.hook_document)(&event)
        {
            hook.send(of, document);
        }
        self.reporter.report(&event);
    }

    fn whole(&self, reports: Vec<PingReport>, interrupted: bool) -> WatchReport {
        let named = self.watched.iter().zip(reports);
        let groups = named.map(|(group, report)| GroupReport { name: group.name.clone(), report });
        let (started_at, began) = self.began;
        WatchReport {
            file: self.file.clone(),
            groups: groups.collect(),
            changes: self.changes.clone(),
            started_at,
            elapsed: began.elapsed(),
            interrupted,
        }
    }

    async fn finish(mut self, reports: Vec<PingReport>, control: &WatchControl) -> WatchReport {
        if let Some(hook) = self.hook.take() {
            hook.finish(HOOK_GRACE).await;
        }
        let report = self.whole(reports, control.run.interrupt.is_cancelled());
        self.reporter.report(&WatchEvent::Finished(Box::new(report.clone())));
        report
    }
}

/// The next result of a command; none comes if there is no command.
async fn next_result(results: &mut Option<UnboundedReceiver<HookResult>>) -> Option<HookResult> {
    match results {
        Some(results) => results.recv().await,
        None => std::future::pending().await,
    }
}
