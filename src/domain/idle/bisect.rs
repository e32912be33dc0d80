//! The classical binary search: one trial at a time, in the middle of what is unknown. Watchers still
//! see visible ends, and a death is asked again before it is believed.

use std::time::Duration;

use super::tactic::{Situation, Wishes};

#[derive(Debug, Clone, Default)]
pub(super) struct Bisect;

impl Bisect {
    pub fn wishes(&mut self, s: &Situation) -> Wishes {
        let mut wishes = Wishes::default();
        let span = next_span(s);
        match s.held().next() {
            Some(trial) if span > trial.idle(s.now) => wishes.ask(trial, span),
            Some(trial) => wishes.cancel(trial),
            None if s.free > 0 && !is_asking(s) => wishes.open(1, Some(span)),
            None => {}
        }
        wishes
    }
}

fn is_asking(s: &Situation) -> bool {
    s.probes.iter().any(|probe| probe.asked.is_some())
}

/// The middle of the bracket; its upper end, when that is only to be confirmed.
fn next_span(s: &Situation) -> Duration {
    let unknown = s.unknown();
    let (floor, top) = (unknown.map_or(s.longest(), |(from, _)| from), unknown.map(|(_, to)| to));
    let visible = s.evidence.visible().is_some_and(|spread| top.is_some_and(|top| spread.min <= top && top <= spread.max));
    let end = top.unwrap_or(s.plan.max);
    let left = end.saturating_sub(floor);
    if !visible && left <= s.precision && top.is_some() && s.evidence.lacking(floor) > 0 {
        return floor;
    }
    match (visible, left <= s.precision) {
        (true, false) => (end - s.precision.mul_f64(0.85)).max(s.plan.min),
        (true, true) => end.mul_f64(1.05) + s.precision,
        (false, true) => end,
        (false, false) => (floor + left / 2).max(s.plan.min).min(end),
    }
}
