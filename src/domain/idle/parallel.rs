//! Tries many spans at once.
//!
//! **Scanning**: trials take the spans of a grid in ascending order as connections become free. So a scan
//! takes little longer than its longest span, although there are more spans than connections.
//!
//! **Closing in**, from the first death that no survivor refutes: the running trials have been silent for
//! different spans, so they reach the [`Uncertainty`] one after the other. Each takes the step that tells
//! most at that time. The first ones split the range; the others confirm its ends; newly free connections
//! follow. Trials silent for longer than the range's top are asked at once, to confirm or refute it.

use std::time::Duration;

use super::incident_detection::MAX_OBSERVATION_DELAY;
use super::probe::ProbeRole;
use super::strategy::{KnownProbe, SearchActions, SearchState};
use super::uncertainty::{NextStep, Uncertainty};

/// How many trials beyond a single death stay silent, in case it is refuted.
const MAX_REFUTING_TRIALS: usize = 2;

/// `grid`: the spans to try first, ascending.
pub(super) fn plan_actions(grid: &[Duration], s: &SearchState) -> SearchActions {
    match Uncertainty::of(s) {
        None => scan(grid, s),
        Some(uncertainty) => close_in(s, uncertainty),
    }
}

/// Assigns the next spans of the grid to trials without one.
fn scan(grid: &[Duration], s: &SearchState) -> SearchActions {
    let mut actions = SearchActions::default();
    let beyond = &grid[grid.partition_point(|span| *span <= s.longest())..];
    let covered = |span: &Duration| s.probes.iter().any(|probe| probe.ask_at == Some(*span));
    let open = |span: &Duration| !covered(span) && !s.evidence.died_at(*span);
    let mut wanted = beyond.iter().copied().filter(open);
    let has_useful_span = |probe: &KnownProbe| probe.ask_at.is_some_and(|at| beyond.contains(&at));
    for probe in s.waiting_trials().filter(|probe| !has_useful_span(probe)) {
        let span = wanted.find(|span| *span > probe.idle(s.now));
        actions.ask(probe, span.unwrap_or(s.plan.max));
    }
    let next_spans: Vec<_> = wanted.take(s.free).collect();
    next_spans.iter().for_each(|span| actions.open(1, Some(*span)));
    // After the last grid span, further trials wait so that they can close in if a late span dies.
    actions.open(s.free - next_spans.len(), None);
    actions
}

fn close_in(s: &SearchState, mut uncertainty: Uncertainty) -> SearchActions {
    let mut actions = SearchActions::default();
    let observation_delay =
        if uncertainty.is_awaiting_end() { MAX_OBSERVATION_DELAY } else { Duration::ZERO };
    let is_past = |probe: &&KnownProbe| probe.idle(s.now) >= uncertainty.shortest_death + observation_delay;
    let (past, mut held): (Vec<_>, Vec<_>) = s.waiting_trials().partition(is_past);
    held.sort_by_key(|probe| std::cmp::Reverse(probe.idle(s.now)));
    confirm_or_refute(s, &uncertainty, past, &mut actions);
    ask_watchers(s, &uncertainty, &mut actions);
    assign_spans(s, &mut uncertainty, &held, &mut actions);
    actions.wake_for_answers(s);
    actions.open(s.free.min(count_openings(s, &mut uncertainty)), None);
    actions
}

/// Trials silent for longer than the top can confirm or refute it. As many as the confirmation needs are
/// asked at once; the others wait for the result.
fn confirm_or_refute(
    s: &SearchState,
    uncertainty: &Uncertainty,
    mut past: Vec<&KnownProbe>,
    actions: &mut SearchActions,
) {
    past.sort_by_key(|probe| probe.idle(s.now));
    let asked = s.asked().map(|(span, _)| span).chain(s.evidence.unconfirmed_deaths());
    let mut pending = asked.filter(|span| *span >= uncertainty.shortest_death).count();
    let (mut kept, mut known) = (0, 0);
    let contests = |idle| {
        uncertainty.is_end_visible
            && idle > uncertainty.shortest_death + s.plan.precision.at(uncertainty.shortest_death)
    };
    for probe in past {
        let idle = probe.idle(s.now);
        known = s.evidence.count_support(idle).max(known);
        if known + pending < s.need || contests(idle) {
            actions.ask(probe, idle);
            pending += 1;
        } else if known >= s.need || (pending == 0 && kept >= MAX_REFUTING_TRIALS) {
            actions.cancel(probe);
        } else {
            kept += 1;
        }
    }
}

/// Watchers were silent the longest. While no upper end is confirmed, one is asked: if it is alive, the death
/// is refuted. If it seems dead, the others are asked too. Once the end is confirmed, they are cancelled.
fn ask_watchers(s: &SearchState, uncertainty: &Uncertainty, actions: &mut SearchActions) {
    let confirmed = s.evidence.upper_end(s.need);
    let seen = s.evidence.ended_at(uncertainty.shortest_death);
    if confirmed.is_none() && seen {
        return;
    }
    let asked: Vec<_> =
        s.probes.iter().filter(|p| p.role == ProbeRole::Watcher).filter_map(|p| p.asked).collect();
    let is_awaiting_answer = asked.iter().any(|(_, at)| s.now < *at + s.answer);
    let older = s
        .silent(ProbeRole::Watcher)
        .filter(|p| p.idle(s.now) > confirmed.unwrap_or(uncertainty.shortest_death));
    let is_lone =
        s.evidence.count_support(Duration::MAX) + s.evidence.unconfirmed_deaths().count() + asked.len() < 2;
    match confirmed {
        Some(hi) => {
            let older = older.filter(|p| p.idle(s.now) > hi + s.plan.precision.at(hi));
            older.for_each(|p| if seen { actions.ask(p, p.idle(s.now)) } else { actions.cancel(p) });
        }
        None if is_awaiting_answer => {}
        None => older.take(if is_lone { 1 } else { s.need }).for_each(|p| actions.ask(p, p.idle(s.now))),
    }
}

/// Gives each connection, the longest silent first, the most informative span.
fn assign_spans(
    s: &SearchState,
    uncertainty: &mut Uncertainty,
    held: &[&KnownProbe],
    actions: &mut SearchActions,
) {
    let mut splits = split_spans(s, uncertainty, held).into_iter();
    for probe in held {
        let idle = probe.idle(s.now);
        let step = uncertainty.next_step(idle);
        let at = match step {
            // Later trials get a span once the first one's result is known.
            NextStep::Split => splits.next().unwrap_or(if uncertainty.is_end_visible {
                s.plan.max
            } else {
                uncertainty.shortest_death
            }),
            NextStep::Top | NextStep::Floor | NextStep::Wait | NextStep::Nothing => {
                uncertainty.span(step).unwrap_or(s.plan.max)
            }
        };
        actions.ask(probe, at.max(idle));
        uncertainty.count_planned(step);
    }
}

/// The spans at which the first trials split the range: one in the middle if the others come late enough to
/// use its result. Otherwise in even steps, and some trials are left to confirm the result.
fn split_spans(s: &SearchState, uncertainty: &Uncertainty, held: &[&KnownProbe]) -> Vec<Duration> {
    let awaited = s.asked().filter(|(_, at)| s.now < *at + s.answer).map(|(span, _)| span);
    let from = awaited
        .filter(|span| uncertainty.floor < *span && *span < uncertainty.top)
        .max()
        .unwrap_or(uncertainty.floor);
    if uncertainty.is_end_visible {
        return if from < uncertainty.just_below_top() {
            vec![uncertainty.just_below_top()]
        } else {
            Vec::new()
        };
    }
    let eldest = held.first().map_or(Duration::ZERO, |probe| probe.idle(s.now));
    let min_age_gap = uncertainty.width() / 4 + s.answer;
    let same_age = held.iter().take_while(|probe| probe.idle(s.now) + min_age_gap >= eldest).count();
    let count = if same_age > s.need { same_age - s.need } else { same_age };
    even_steps(from, uncertainty.top, count)
}

/// This many spans between two, evenly spaced.
fn even_steps(from: Duration, to: Duration, count: usize) -> Vec<Duration> {
    let step = to.saturating_sub(from) / (count as u32 + 1);
    (1..=count as u32).map(|i| from + step * i).collect()
}

/// How many more connections are useful: one for each unplanned step, and some in reserve.
fn count_openings(s: &SearchState, uncertainty: &mut Uncertainty) -> usize {
    if !uncertainty.is_narrow() {
        return usize::MAX;
    }
    let mut count = s.need;
    while uncertainty.next_step(Duration::ZERO) != NextStep::Nothing {
        uncertainty.count_planned(uncertainty.next_step(Duration::ZERO));
        count += 1;
    }
    count
}
