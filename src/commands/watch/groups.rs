//! The groups of a watch: each runs as `ping` does, until another configuration leaves it out or everything stops.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc::{self, UnboundedSender};
use tokio_util::sync::CancellationToken;

use crate::commands::kept::{KeptId, KeptStart};
use crate::commands::ping;
use crate::commands::run_control::RunControl;
use crate::domain::connection::target::Target;
use crate::domain::ping::event::Event;
use crate::domain::ping::report::PingReport;
use crate::domain::watch::group::Group;
use crate::domain::watch::report::{GroupReport, RemovedGroups};
use crate::net::batch_sleep::BatchSleep;
use crate::net::client::ask_now::AskNow;

/// An event of the connections of a group.
pub type GroupEvent = (Arc<Group>, Event);

/// Starts the runs of groups.
pub struct Starter {
    pub groups: Groups,
    pub events: UnboundedSender<GroupEvent>,
    /// That of the process, if one group has all connections.
    pub batch_sleep: Option<BatchSleep>,
}

impl Starter {
    /// The run of a group. One of the same name ends first, so that their events do not mix.
    pub fn start(&self, start: KeptStart) -> impl Future<Output = ()> + use<> {
        let KeptStart { id, labels, plan, stop, openings, .. } = start;
        let targets = plan.targets.iter().map(Target::to_string).collect();
        let group = Arc::new(Group { id, name: labels.get("name").cloned(), labels, targets });
        let ask_now: Arc<[AskNow]> = (0..plan.connections()).map(|_| AskNow::default()).collect();
        let (request_figures, interim) = mpsc::unbounded_channel();
        let ended = CancellationToken::new();
        let watched = Watched {
            group: Arc::clone(&group),
            ask_now: Arc::clone(&ask_now),
            request_figures,
            ended: ended.clone(),
            so_far: None,
            report: None,
            is_removed: false,
        };
        let before = self.groups.add(watched);
        let batch_sleep = self.batch_sleep.clone().unwrap_or_default();
        let control = RunControl { interrupt: stop, interim, batch_sleep, ask_now, openings };
        let events = self.events.clone();
        // The watch reads until all groups have ended.
        let mut forward = move |event: &Event| drop(events.send((Arc::clone(&group), event.clone())));
        async move {
            if let Some(before) = before {
                before.cancelled().await;
            }
            ping::run(plan, &mut forward, control).await;
            ended.cancel();
        }
    }
}

/// One group, until it is removed.
struct Watched {
    group: Arc<Group>,
    ask_now: Arc<[AskNow]>,
    request_figures: UnboundedSender<()>,
    ended: CancellationToken,
    /// The report so far, once it was asked for.
    so_far: Option<PingReport>,
    /// The report, once its connections have ended.
    report: Option<PingReport>,
    /// The configuration has it no more.
    is_removed: bool,
}

impl Watched {
    fn report(&self) -> Option<GroupReport> {
        let report = self.report.clone()?;
        Some(GroupReport { name: self.group.name.clone(), report })
    }

    fn name(&self) -> String {
        self.group.name.clone().unwrap_or_default()
    }
}

/// What another configuration changed.
#[derive(Default)]
pub struct GroupChanges {
    /// The names of groups that are new.
    pub added: Vec<String>,
    /// The names of groups that were removed.
    pub removed: Vec<String>,
    /// The removed groups whose connections had ended before.
    pub ended: Vec<Arc<Group>>,
}

/// The groups, shared by what starts them and what follows them.
#[derive(Clone, Default)]
pub struct Groups(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    watched: BTreeMap<KeptId, Watched>,
    removed: RemovedGroups,
    /// The newest group that the configuration before had.
    newest: Option<KeptId>,
}

impl State {
    fn kept(&self) -> impl Iterator<Item = &Watched> {
        self.watched.values().filter(|watched| !watched.is_removed)
    }

    /// Moves a group that was removed, if it has ended, to the others that were.
    fn remove(&mut self, id: KeptId, at: SystemTime) -> Option<Arc<Group>> {
        let watched = self.watched.get(&id).filter(|watched| watched.is_removed)?;
        let report = watched.report()?;
        self.removed.record(at, report);
        self.watched.remove(&id).map(|watched| watched.group)
    }
}

impl Groups {
    /// Adds a group; returns what tells that the one of the same name before it has ended.
    fn add(&self, new: Watched) -> Option<CancellationToken> {
        let watched = &mut self.0.borrow_mut().watched;
        let before = watched.values().rev().find(|other| other.group.name == new.group.name);
        let ended = before.map(|before| before.ended.clone());
        watched.insert(new.group.id, new);
        ended
    }

    /// Has every connection send a heartbeat at once.
    pub fn ask_all(&self) {
        self.0.borrow().kept().flat_map(|watched| watched.ask_now.iter()).for_each(AskNow::ask);
    }

    /// Asks every group for its figures so far.
    pub fn request_figures(&self) {
        for watched in self.0.borrow().kept() {
            // Its run may have ended.
            let _ = watched.request_figures.send(());
        }
    }

    /// Takes the figures so far of a group; once every group has told its own, they are those of the watch.
    pub fn figures(&self, id: KeptId, report: PingReport) -> Option<Vec<GroupReport>> {
        let mut state = self.0.borrow_mut();
        if let Some(watched) = state.watched.get_mut(&id) {
            watched.so_far = Some(report);
        }
        let reports = state.kept().map(|watched| {
            let report = watched.report.clone().or_else(|| watched.so_far.clone())?;
            Some(GroupReport { name: watched.group.name.clone(), report })
        });
        let reports = reports.collect::<Option<Vec<_>>>()?;
        state.watched.values_mut().for_each(|watched| watched.so_far = None);
        Some(reports)
    }

    /// Takes the report of a group that has ended. The time, if that was the last of a group that was removed.
    pub fn ended(&self, id: KeptId, report: PingReport) -> Option<SystemTime> {
        let mut state = self.0.borrow_mut();
        state.watched.get_mut(&id)?.report = Some(report);
        let at = SystemTime::now();
        state.remove(id, at).map(|_| at)
    }

    /// Keeps these and removes the others, which end as their runs do.
    pub fn keep(&self, ids: &[KeptId], at: SystemTime) -> GroupChanges {
        let mut state = self.0.borrow_mut();
        let ids: BTreeSet<KeptId> = ids.iter().copied().collect();
        let newest_before = state.newest;
        state.newest = ids.last().copied().max(newest_before);
        let is_new = |watched: &&Watched| Some(watched.group.id) > newest_before;
        let added = state.kept().filter(is_new).map(Watched::name).collect();
        let mut changes = GroupChanges { added, ..GroupChanges::default() };
        let gone: Vec<KeptId> =
            state.kept().map(|watched| watched.group.id).filter(|id| !ids.contains(id)).collect();
        for id in gone {
            if let Some(watched) = state.watched.get_mut(&id) {
                watched.is_removed = true;
                changes.removed.push(watched.name());
            }
            changes.ended.extend(state.remove(id, at));
        }
        changes
    }

    /// The reports of the groups, and of those that were removed, when all have ended.
    pub fn reports(&self) -> (Vec<GroupReport>, RemovedGroups) {
        let state = self.0.borrow();
        (state.kept().filter_map(Watched::report).collect(), state.removed.clone())
    }
}
