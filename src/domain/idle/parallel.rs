//! Many spans at once.
//!
//! **Scanning**: trials take the spans of a grid in ascending order, as connections become free; so a span
//! costs little more than itself, although there are more spans than connections.
//!
//! **Closing**, from the first death that no survivor refutes: the zone between the longest survivor and that
//! death is narrowed by connections whose question is not yet bound to a span.
//! - *Scouts* are the trials that were under way: they have been silent for a while, and so split the zone early.
//! - *Walkers* are opened now. When they reach the zone they walk through it, one asked at each step, until
//!   one is not answered; then others of the same age are asked at once, and confirm or refute it.
//! - Who was silent for longer than the death's span is asked at once, to confirm or refute it.

use std::time::Duration;

use super::grid::{grid, is_well_known};
use super::plan::SearchPlan;
use super::probe::Role;
use super::tactic::{Probe, Situation, Wishes};

/// How many trials beyond a lone death are kept in silence, in case it is refuted.
const REFUTERS: usize = 2;

#[derive(Debug, Clone)]
pub(super) struct Parallel {
    grid: Vec<Duration>,
    /// Since when the search closes in.
    closing: Option<Duration>,
}

/// The unknown zone, and what is suspected of its top.
struct Zone {
    floor: Duration,
    top: Duration,
    /// A connection was seen to end at the top.
    seen: bool,
    /// Several were.
    visible: bool,
    /// The top is likely to be the timeout itself.
    likely: bool,
}

impl Zone {
    fn of(s: &Situation, floor: Duration, top: Duration) -> Zone {
        let visible = s.evidence.visible().is_some_and(|spread| spread.min <= top && top <= spread.max);
        let rumour = s.rumours().filter(|span| floor < *span && *span < top).min();
        Zone {
            floor,
            top: rumour.unwrap_or(top),
            seen: s.evidence.ended_at(top),
            visible: visible && rumour.is_none(),
            likely: rumour.is_none() && (visible || is_well_known_about(top)),
        }
    }

    fn width(&self) -> Duration {
        self.top.saturating_sub(self.floor)
    }
}

fn is_well_known_about(span: Duration) -> bool {
    is_well_known(Duration::from_secs(span.as_secs_f64().round() as u64))
}

impl Situation<'_> {
    /// Spans that were asked, and of which nothing is known yet.
    fn asked(&self) -> impl Iterator<Item = (Duration, Duration)> {
        self.probes.iter().filter_map(|probe| probe.asked)
    }

    /// Spans that look dead: the answer is overdue, or the control has yet to vouch for the path.
    fn rumours(&self) -> impl Iterator<Item = Duration> {
        let overdue = self.asked().filter(|(_, at)| self.now >= *at + self.answer).map(|(span, _)| span);
        overdue.chain(self.evidence.rumours())
    }
}

impl Parallel {
    pub fn new(plan: &SearchPlan) -> Parallel {
        Parallel { grid: grid(plan.min, plan.max), closing: None }
    }

    pub fn wishes(&mut self, s: &Situation) -> Wishes {
        match s.unknown() {
            None => {
                self.closing = None;
                self.scan(s)
            }
            Some((floor, top)) => {
                let since = *self.closing.get_or_insert(s.now);
                close(s, &Zone::of(s, floor, top), since)
            }
        }
    }

    /// The next spans of the grid for who has none.
    fn scan(&self, s: &Situation) -> Wishes {
        let mut wishes = Wishes::default();
        let covered = |span: &Duration| s.probes.iter().any(|probe| probe.ask_at == Some(*span));
        let beyond = &self.grid[self.grid.partition_point(|span| *span <= s.longest())..];
        let open = |span: &Duration| !covered(span) && !s.evidence.died_at(*span);
        let mut wanted = beyond.iter().copied().filter(open);
        let idlers = s.held().filter(|probe| !self.is_bound(probe, s.longest()));
        for probe in idlers {
            match wanted.find(|span| *span > probe.idle(s.now)) {
                Some(span) => wishes.ask(probe, span),
                None => wishes.cancel(probe),
            }
        }
        for span in wanted.take(s.free) {
            wishes.open(1, Some(span));
        }
        wishes
    }

    /// Whether a trial waits for a span of the grid that is still of use.
    fn is_bound(&self, probe: &Probe, floor: Duration) -> bool {
        probe.ask_at.is_some_and(|at| at > floor && self.grid.binary_search(&at).is_ok())
    }
}

fn close(s: &Situation, zone: &Zone, since: Duration) -> Wishes {
    let mut wishes = Wishes::default();
    let (past, held): (Vec<_>, Vec<_>) = s.held().partition(|probe| probe.idle(s.now) >= zone.top);
    let (walkers, scouts): (Vec<_>, Vec<_>) = held.into_iter().partition(|probe| probe.ordered >= since);
    confirm(s, zone, past, &mut wishes);
    consult_watchers(s, zone, &mut wishes);
    send_scouts(s, zone, scouts, &mut wishes);
    walk(s, zone, walkers, &mut wishes);
    s.asked().map(|(_, at)| at + s.answer).filter(|at| *at > s.now).for_each(|at| wishes.wake(at));
    wishes.open(s.free, None);
    wishes
}

/// Connections that were silent for longer than the top can confirm or refute it: so many are asked at once
/// as the confirmation lacks. The others are kept until it stands.
fn confirm(s: &Situation, zone: &Zone, mut past: Vec<&Probe>, wishes: &mut Wishes) {
    past.sort_by_key(|probe| probe.idle(s.now));
    let asked = s.asked().map(|(span, _)| span).chain(s.evidence.rumours());
    let mut pending = asked.filter(|span| *span >= zone.top).count();
    let (mut kept, mut known) = (0, 0);
    for probe in past {
        let idle = probe.idle(s.now);
        known = s.evidence.support(idle).max(known);
        if known + pending < s.need {
            wishes.ask(probe, idle);
            pending += 1;
        } else if known >= s.need || (pending == 0 && kept >= REFUTERS) {
            wishes.cancel(probe);
        } else {
            kept += 1;
        }
    }
}

/// Watchers were silent for longer than anybody. While an upper end is not confirmed, one is asked at once: should
/// it live, the death is refuted. If it does not seem to, so are the others; then they make room.
fn consult_watchers(s: &Situation, zone: &Zone, wishes: &mut Wishes) {
    let confirmed = s.evidence.upper_end(s.need);
    if confirmed.is_none() && zone.seen {
        return;
    }
    let asked: Vec<_> = s.probes.iter().filter(|p| p.role == Role::Watcher).filter_map(|p| p.asked).collect();
    let fresh = asked.iter().any(|(_, at)| s.now < *at + s.answer);
    let older = s.silent(Role::Watcher).filter(|p| p.idle(s.now) > confirmed.unwrap_or(zone.top));
    let lone = s.evidence.support(Duration::MAX) + s.evidence.rumours().count() + asked.len() < 2;
    match confirmed {
        Some(hi) => {
            let older = older.filter(|p| p.idle(s.now) > hi + s.plan.precision.at(hi));
            older.for_each(|p| if zone.seen { wishes.ask(p, p.idle(s.now)) } else { wishes.cancel(p) });
        }
        None if fresh => {}
        None => older.take(if lone { 1 } else { s.need }).for_each(|p| wishes.ask(p, p.idle(s.now))),
    }
}

/// Spreads connections that are already old over the zone, the oldest to the longest span.
fn send_scouts(s: &Situation, zone: &Zone, mut scouts: Vec<&Probe>, wishes: &mut Wishes) {
    scouts.sort_by_key(|probe| std::cmp::Reverse(probe.since));
    for (probe, at) in scouts.iter().zip(scout_spans(s, zone, scouts.len())) {
        wishes.ask(probe, at);
    }
}

/// So many spans, ascending. A lone death is asked for again at once, by the oldest; where the top is likely to
/// be the timeout, so is all that is lacking to show just that; the others take even steps.
fn scout_spans(s: &Situation, zone: &Zone, count: usize) -> Vec<Duration> {
    let below = zone.top.saturating_sub(s.precision.mul_f64(0.85)).max(zone.floor);
    if !zone.visible && zone.width() <= s.precision {
        return vec![zone.top; count];
    }
    let asked = |from, to| s.asked().filter(|(span, _)| from <= *span && *span < to).count();
    let known = s.evidence.support(zone.top) + asked(zone.top, Duration::MAX);
    let wanted = if zone.likely { s.need } else { s.need.min(2) };
    let mut special = Vec::new();
    if zone.likely {
        let lacking = if zone.visible { 1 } else { s.evidence.lacking(below) };
        special.resize(lacking.saturating_sub(asked(below, zone.top)), below);
    }
    if !zone.visible || known == 1 {
        special.resize(special.len() + wanted.saturating_sub(known), zone.top);
    }
    special.truncate(count);
    let ceiling = if zone.likely { below } else { zone.top };
    let mut spans = even(zone.floor, ceiling, count - special.len());
    spans.extend(special);
    spans
}

/// So many spans between two, at even distances.
fn even(from: Duration, to: Duration, count: usize) -> Vec<Duration> {
    let step = to.saturating_sub(from) / (count as u32 + 1);
    (1..=count as u32).map(|i| from + step * i).collect()
}

/// The oldest walkers, those of about the same age, take the next step.
fn walk(s: &Situation, zone: &Zone, walkers: Vec<&Probe>, wishes: &mut Wishes) {
    let Some(eldest) = walkers.iter().filter_map(|probe| probe.since).min() else { return };
    let same = Duration::from_millis(500).max(zone.top.mul_f64(0.01));
    let (cohort, _): (Vec<_>, Vec<_>) =
        walkers.into_iter().partition(|p| p.since.is_some_and(|since| since <= eldest + same));
    let idle = cohort.iter().map(|probe| probe.idle(s.now)).min().unwrap_or_default();
    if waits_for_an_answer(s, zone) {
        return;
    }
    match next_step(s, zone, cohort.len()) {
        Pace::One(at) => cohort.iter().take(1).for_each(|probe| wishes.ask(probe, at.max(idle))),
        Pace::Second(count) => {
            cohort.iter().take(count).for_each(|probe| wishes.ask(probe, zone.floor.max(idle)));
        }
        Pace::Top => cohort.iter().take(s.need).for_each(|probe| wishes.ask(probe, zone.top)),
        Pace::Stand => {}
    }
}

/// Whether somebody in the zone was asked so recently that the answer may be on its way.
fn waits_for_an_answer(s: &Situation, zone: &Zone) -> bool {
    let recent = |at: Duration| s.now < at + s.answer;
    s.asked().any(|(span, at)| zone.floor < span && recent(at))
}

/// What the oldest walkers do next.
enum Pace {
    /// One is asked at this span.
    One(Duration),
    /// So many are asked at the floor, to second it.
    Second(usize),
    /// Some are asked at the top.
    Top,
    /// They wait to be cut.
    Stand,
}

fn next_step(s: &Situation, zone: &Zone, members: usize) -> Pace {
    let left = zone.width();
    if zone.visible {
        return near_step(s, zone, members);
    }
    match s.evidence.lacking(zone.floor) {
        0 => {}
        lacking => return Pace::Second(lacking),
    }
    if left <= s.precision.mul_f64(0.9) {
        return Pace::Top;
    }
    let reserve = s.need;
    let steps = if members > reserve { members - reserve + 1 } else { members + 1 };
    let even = left / steps as u32;
    let inexact = s.evidence.inexact();
    Pace::One(zone.floor + if inexact { even.min(s.precision.mul_f64(0.6)) } else { even })
}

/// Below a visible end: even steps up to just before it; what is left over waits to be cut.
fn near_step(s: &Situation, zone: &Zone, members: usize) -> Pace {
    let below = zone.top.saturating_sub(s.precision.mul_f64(0.85));
    let steps = members.saturating_sub(s.need).max(1);
    match zone.floor < below {
        true => Pace::One(zone.floor + (below - zone.floor) / steps as u32),
        false => Pace::Stand,
    }
}
