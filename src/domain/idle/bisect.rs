//! Binary search: one trial at a time, in the middle of the unknown range. Watchers still show visible ends.
//! The result is confirmed by several trials at once.

use std::time::Duration;

use super::probe::ProbeRole;
use super::strategy::{SearchActions, SearchState};
use super::uncertainty::{NextStep, Uncertainty};

pub(super) fn plan_actions(s: &SearchState) -> SearchActions {
    let mut actions = SearchActions::default();
    match Uncertainty::of(s) {
        None => split_at(s, midpoint(s.longest(), s.plan.max).max(s.plan.min), &mut actions),
        Some(uncertainty) => {
            ask_older_watchers(s, &uncertainty, &mut actions);
            narrow_bracket(s, uncertainty, &mut actions);
        }
    }
    actions.wake_for_answers(s);
    actions
}

fn midpoint(from: Duration, to: Duration) -> Duration {
    from + to.saturating_sub(from) / 2
}

/// Asks one trial at this span. Trials already idle for longer are cancelled.
fn split_at(s: &SearchState, at: Duration, actions: &mut SearchActions) {
    let (mut young, old): (Vec<_>, Vec<_>) = s.waiting_trials().partition(|trial| trial.idle(s.now) < at);
    let trial = young.pop();
    young.into_iter().chain(old).for_each(|trial| actions.cancel(trial));
    match trial {
        Some(trial) => actions.ask(trial, at),
        None if s.free > 0 && s.asked().all(|(_, at)| s.now >= at + s.answer) => actions.open(1, Some(at)),
        None => {}
    }
}

/// Where ends are visible, asks watchers that were silent for longer whether they are still alive.
fn ask_older_watchers(s: &SearchState, uncertainty: &Uncertainty, actions: &mut SearchActions) {
    let limit = uncertainty.shortest_death + s.plan.precision.at(uncertainty.shortest_death);
    let older = s
        .silent(ProbeRole::Watcher)
        .filter(|watcher| uncertainty.is_end_visible && watcher.idle(s.now) > limit);
    older.for_each(|watcher| actions.ask(watcher, watcher.idle(s.now)));
}

fn narrow_bracket(s: &SearchState, mut uncertainty: Uncertainty, actions: &mut SearchActions) {
    if uncertainty.next_step(Duration::ZERO) == NextStep::Split {
        let at = if uncertainty.is_end_visible {
            uncertainty.just_below_top()
        } else {
            midpoint(uncertainty.floor, uncertainty.top)
        };
        return split_at(s, at, actions);
    }
    let mut span = |idle| {
        let step = uncertainty.next_step(idle);
        uncertainty.count_planned(step);
        uncertainty.span(step).or((step == NextStep::Wait).then_some(s.plan.max))
    };
    for trial in s.waiting_trials() {
        match span(trial.idle(s.now)) {
            Some(at) => actions.ask(trial, at.max(trial.idle(s.now))),
            None => actions.cancel(trial),
        }
    }
    let wanted: Vec<_> = std::iter::from_fn(|| span(Duration::ZERO)).take(s.free).collect();
    for at in wanted {
        actions.open(1, Some(at));
    }
}
