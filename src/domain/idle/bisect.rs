//! The classical binary search: one trial at a time, in the middle of what is unknown. Watchers still
//! see visible ends, and what it comes to is confirmed by as many trials at once as that takes.

use std::time::Duration;

use super::probe::ProbeRole;
use super::strategy::{SearchActions, SearchState};
use super::uncertainty::{NextStep, Uncertainty};

#[derive(Debug, Clone, Default)]
pub(super) struct BisectSearch;

impl BisectSearch {
    pub fn wishes(&mut self, s: &SearchState) -> SearchActions {
        let mut wishes = SearchActions::default();
        match Uncertainty::of(s) {
            None => split(s, middle(s.longest(), s.plan.max).max(s.plan.min), &mut wishes),
            Some(zone) => {
                contest(s, &zone, &mut wishes);
                narrow(s, zone, &mut wishes);
            }
        }
        s.asked().map(|(_, at)| at + s.answer).filter(|at| *at > s.now).for_each(|at| wishes.wake(at));
        wishes
    }
}

fn middle(from: Duration, to: Duration) -> Duration {
    from + to.saturating_sub(from) / 2
}

/// One trial is asked at this span; who is older than that is of no use.
fn split(s: &SearchState, at: Duration, wishes: &mut SearchActions) {
    let (mut young, old): (Vec<_>, Vec<_>) = s.held().partition(|trial| trial.idle(s.now) < at);
    let trial = young.pop();
    young.into_iter().chain(old).for_each(|trial| wishes.cancel(trial));
    match trial {
        Some(trial) => wishes.ask(trial, at),
        None if s.free > 0 && s.asked().all(|(_, at)| s.now >= at + s.answer) => wishes.open(1, Some(at)),
        None => {}
    }
}

/// Where ends are seen, watchers that have been silent for longer are asked whether they live.
fn contest(s: &SearchState, zone: &Uncertainty, wishes: &mut SearchActions) {
    let limit = zone.summit + s.plan.precision.at(zone.summit);
    let older = s.silent(ProbeRole::Watcher).filter(|watcher| zone.visible && watcher.idle(s.now) > limit);
    older.for_each(|watcher| wishes.ask(watcher, watcher.idle(s.now)));
}

fn narrow(s: &SearchState, mut zone: Uncertainty, wishes: &mut SearchActions) {
    if zone.aim(Duration::ZERO) == NextStep::Split {
        let at = if zone.visible { zone.brink() } else { middle(zone.floor, zone.top) };
        return split(s, at, wishes);
    }
    let mut span = |idle| {
        let aim = zone.aim(idle);
        zone.plan(aim);
        zone.span(aim).or((aim == NextStep::Wait).then_some(s.plan.max))
    };
    for trial in s.held() {
        match span(trial.idle(s.now)) {
            Some(at) => wishes.ask(trial, at.max(trial.idle(s.now))),
            None => wishes.cancel(trial),
        }
    }
    let wanted: Vec<_> = std::iter::from_fn(|| span(Duration::ZERO)).take(s.free).collect();
    wanted.into_iter().for_each(|at| wishes.open(1, Some(at)));
}
