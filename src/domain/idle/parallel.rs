//! Many spans at once.
//!
//! **Scanning**: trials take the spans of a grid in ascending order, as connections become free; so a span
//! costs little more than itself, although there are more spans than connections.
//!
//! **Closing**, from the first death that no survivor refutes. The trials under way have been silent for
//! various spans, so they reach the [`Uncertainty`] one after the other; each takes the step that says most when its
//! turn comes: the first split the zone, the others confirm its ends. Connections that become free follow them.
//! Who was silent for longer than the zone's top is asked at once, to confirm or refute it.

use std::time::Duration;

use super::candidates::grid;
use super::incident_detection::MAX_OBSERVATION_DELAY;
use super::plan::SearchPlan;
use super::probe::ProbeRole;
use super::strategy::{KnownProbe, SearchActions, SearchState};
use super::uncertainty::{NextStep, Uncertainty};

/// How many trials beyond a lone death are kept in silence, in case it is refuted.
const MAX_REFUTING_TRIALS: usize = 2;

#[derive(Debug, Clone)]
pub(super) struct ParallelSearch {
    grid: Vec<Duration>,
}

impl ParallelSearch {
    pub fn new(plan: &SearchPlan) -> ParallelSearch {
        ParallelSearch { grid: grid(plan.min, plan.max) }
    }

    pub fn wishes(&mut self, s: &SearchState) -> SearchActions {
        match Uncertainty::of(s) {
            None => self.scan(s),
            Some(zone) => close(s, zone),
        }
    }

    /// The next spans of the grid for who has none.
    fn scan(&self, s: &SearchState) -> SearchActions {
        let mut wishes = SearchActions::default();
        let covered = |span: &Duration| s.probes.iter().any(|probe| probe.ask_at == Some(*span));
        let beyond = &self.grid[self.grid.partition_point(|span| *span <= s.longest())..];
        let open = |span: &Duration| !covered(span) && !s.evidence.died_at(*span);
        let mut wanted = beyond.iter().copied().filter(open);
        let idlers = s.held().filter(|probe| !self.is_bound(probe, s.longest()));
        for probe in idlers {
            let span = wanted.find(|span| *span > probe.idle(s.now));
            wishes.ask(probe, span.unwrap_or(s.plan.max));
        }
        let bound: Vec<_> = wanted.take(s.free).collect();
        bound.iter().for_each(|span| wishes.open(1, Some(*span)));
        // When the grid is used up, who follows is there to close in, should a late span not survive.
        wishes.open(s.free - bound.len(), None);
        wishes
    }

    /// Whether a trial waits for a span of the grid that is still of use.
    fn is_bound(&self, probe: &KnownProbe, floor: Duration) -> bool {
        probe.ask_at.is_some_and(|at| at > floor && self.grid.binary_search(&at).is_ok())
    }
}

fn close(s: &SearchState, mut zone: Uncertainty) -> SearchActions {
    let mut wishes = SearchActions::default();
    let told_within = if zone.awaits_end() { MAX_OBSERVATION_DELAY } else { Duration::ZERO };
    let is_past = |probe: &&KnownProbe| probe.idle(s.now) >= zone.summit + told_within;
    let (past, mut held): (Vec<_>, Vec<_>) = s.held().partition(is_past);
    held.sort_by_key(|probe| std::cmp::Reverse(probe.idle(s.now)));
    confirm(s, &zone, past, &mut wishes);
    consult_watchers(s, &zone, &mut wishes);
    assign(s, &mut zone, &held, &mut wishes);
    s.asked().map(|(_, at)| at + s.answer).filter(|at| *at > s.now).for_each(|at| wishes.wake(at));
    wishes.open(s.free.min(newcomers(s, &mut zone)), None);
    wishes
}

/// Connections that were silent for longer than the top can confirm or refute it: so many are asked at once
/// as the confirmation lacks. The others are kept until it stands.
fn confirm(s: &SearchState, zone: &Uncertainty, mut past: Vec<&KnownProbe>, wishes: &mut SearchActions) {
    past.sort_by_key(|probe| probe.idle(s.now));
    let asked = s.asked().map(|(span, _)| span).chain(s.evidence.rumours());
    let mut pending = asked.filter(|span| *span >= zone.summit).count();
    let (mut kept, mut known) = (0, 0);
    let contests = |idle| zone.visible && idle > zone.summit + s.plan.precision.at(zone.summit);
    for probe in past {
        let idle = probe.idle(s.now);
        known = s.evidence.support(idle).max(known);
        if known + pending < s.need || contests(idle) {
            wishes.ask(probe, idle);
            pending += 1;
        } else if known >= s.need || (pending == 0 && kept >= MAX_REFUTING_TRIALS) {
            wishes.cancel(probe);
        } else {
            kept += 1;
        }
    }
}

/// Watchers were silent for longer than anybody. While an upper end is not confirmed, one is asked at once: should
/// it live, the death is refuted. If it does not seem to, so are the others; then they make room.
fn consult_watchers(s: &SearchState, zone: &Uncertainty, wishes: &mut SearchActions) {
    let confirmed = s.evidence.upper_end(s.need);
    let seen = s.evidence.ended_at(zone.summit);
    if confirmed.is_none() && seen {
        return;
    }
    let asked: Vec<_> =
        s.probes.iter().filter(|p| p.role == ProbeRole::Watcher).filter_map(|p| p.asked).collect();
    let fresh = asked.iter().any(|(_, at)| s.now < *at + s.answer);
    let older = s.silent(ProbeRole::Watcher).filter(|p| p.idle(s.now) > confirmed.unwrap_or(zone.summit));
    let lone = s.evidence.support(Duration::MAX) + s.evidence.rumours().count() + asked.len() < 2;
    match confirmed {
        Some(hi) => {
            let older = older.filter(|p| p.idle(s.now) > hi + s.plan.precision.at(hi));
            older.for_each(|p| if seen { wishes.ask(p, p.idle(s.now)) } else { wishes.cancel(p) });
        }
        None if fresh => {}
        None => older.take(if lone { 1 } else { s.need }).for_each(|p| wishes.ask(p, p.idle(s.now))),
    }
}

/// Gives each connection, the oldest first, the span that says most.
fn assign(s: &SearchState, zone: &mut Uncertainty, held: &[&KnownProbe], wishes: &mut SearchActions) {
    let mut splits = splits(s, zone, held).into_iter();
    for probe in held {
        let idle = probe.idle(s.now);
        let aim = zone.aim(idle);
        let at = match aim {
            // Who comes later is told when it is known what the first found out.
            NextStep::Split => splits.next().unwrap_or(if zone.visible { s.plan.max } else { zone.summit }),
            NextStep::Top | NextStep::Floor | NextStep::Wait | NextStep::Nothing => {
                zone.span(aim).unwrap_or(s.plan.max)
            }
        };
        wishes.ask(probe, at.max(idle));
        zone.plan(aim);
    }
}

/// The spans at which those who come first split the zone: one in the middle, when the others come so much later
/// that they can make use of what it finds out; else in even steps, and some are left to confirm what they find.
fn splits(s: &SearchState, zone: &Uncertainty, held: &[&KnownProbe]) -> Vec<Duration> {
    let awaited = s.asked().filter(|(_, at)| s.now < *at + s.answer).map(|(span, _)| span);
    let from = awaited.filter(|span| zone.floor < *span && *span < zone.top).max().unwrap_or(zone.floor);
    if zone.visible {
        return if from < zone.brink() { vec![zone.brink()] } else { Vec::new() };
    }
    let eldest = held.first().map_or(Duration::ZERO, |probe| probe.idle(s.now));
    let apart = zone.width() / 4 + s.answer;
    let cohort = held.iter().take_while(|probe| probe.idle(s.now) + apart >= eldest).count();
    let count = if cohort > s.need { cohort - s.need } else { cohort };
    even(from, zone.top, count)
}

/// So many spans between two, at even distances.
fn even(from: Duration, to: Duration, count: usize) -> Vec<Duration> {
    let step = to.saturating_sub(from) / (count as u32 + 1);
    (1..=count as u32).map(|i| from + step * i).collect()
}

/// How many more connections are of use: for what nobody is planned for, and some in case of a surprise.
fn newcomers(s: &SearchState, zone: &mut Uncertainty) -> usize {
    if !zone.is_narrow() {
        return usize::MAX;
    }
    let mut count = s.need;
    while zone.aim(Duration::ZERO) != NextStep::Nothing {
        zone.plan(zone.aim(Duration::ZERO));
        count += 1;
    }
    count
}
