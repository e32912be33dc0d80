//! The range of spans not known to survive or to die, and what the next connection should find out there.

use std::time::Duration;

use super::evidence::question_margin;
use super::probe::ProbeRole;
use super::strategy::SearchState;

/// Deaths at the top needed before more connections are spent on it, so that one chance death costs little.
const MIN_DEATHS_AT_TOP: usize = 2;

const NANOSECOND: Duration = Duration::from_nanos(1);

/// The range still unknown: at first from the longest survivor to the shortest death. When that is narrow and
/// the timer is inexact, the range below its earliest death.
#[derive(Debug, Clone)]
pub(super) struct Uncertainty {
    /// The longest span that survived below `top`.
    pub floor: Duration,
    pub top: Duration,
    /// The shortest span above all survivors that died or seems to have died.
    pub shortest_death: Duration,
    /// Connections were seen to end at `shortest_death`.
    pub is_end_visible: bool,
    /// Enough ends were seen at the same span, so nothing needs confirmation.
    has_exact_end: bool,
    /// A question before the visible ends seems unanswered, and it is the first one.
    is_lone_before_end: bool,
    precision: Duration,
    need: usize,
    /// Survivors that `floor` still needs.
    missing_survivors: usize,
    /// Deaths at `shortest_death` and close above it.
    known_deaths: usize,
    /// Questions close below `floor`, asked or planned.
    floor_confirmations: usize,
    /// Questions at `shortest_death`, asked or planned.
    top_confirmations: usize,
    /// Visible ends still needed for which no silent connection waits.
    missing_ends: usize,
}

/// What the next connection should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// Split the range.
    Split,
    /// Confirm or refute that `shortest_death` dies.
    Top,
    /// Confirm that `floor` survives.
    Floor,
    /// Stay silent until it is cut, because too few ends were seen.
    Wait,
    /// Nothing: enough is asked.
    Nothing,
}

impl Uncertainty {
    /// The range that the evidence leaves; `None` before the first death.
    pub fn of(s: &SearchState) -> Option<Uncertainty> {
        let (longest, shortest_death) =
            (s.longest(), lower_top(s, s.longest(), s.evidence.upper_candidate()?));
        let is_top_narrow = shortest_death - longest <= narrow_enough(s.precision);
        let lower = s.evidence.lower_uncertainty(s.precision).filter(|_| is_top_narrow);
        let (floor, top) =
            lower.map_or((longest, shortest_death), |(from, to)| (from, lower_top(s, from, to)));
        let visible = s.evidence.visible_ends();
        // Visible ends confirm nothing below themselves.
        let seen = visible.map(|spread| spread.min).filter(|min| shortest_death < *min);
        let ceiling = (longest + s.precision).min(seen.map_or(Duration::MAX, |min| min - NANOSECOND));
        let close = |span: &Duration| shortest_death <= *span && *span <= ceiling;
        let deaths = || s.evidence.unrefuted().chain(s.suspected_deaths());
        let known = deaths().filter(close).count();
        let near = |span: &Duration| *span <= shortest_death + question_margin(s.precision);
        let awaited = |(_, at): &(Duration, Duration)| s.now < *at + s.answer;
        let asked = || s.asked().filter(awaited).map(|(span, _)| span);
        let ends = visible.filter(|spread| spread.min <= shortest_death && shortest_death <= spread.max);
        let waiting = s.silent(ProbeRole::Watcher).count();
        Some(Uncertainty {
            floor,
            top,
            shortest_death,
            is_end_visible: ends.is_some(),
            has_exact_end: s.evidence.is_upper_end_seen(s.need, shortest_death),
            is_lone_before_end: deaths().filter(near).count() == 1 && seen.is_some(),
            precision: s.precision,
            need: s.need,
            missing_survivors: s.evidence.missing_survivors(floor, s.precision),
            known_deaths: known,
            floor_confirmations: asked()
                .filter(|span| *span <= floor && s.evidence.is_near(*span, floor))
                .count(),
            top_confirmations: asked().filter(close).count(),
            missing_ends: ends.map_or(0, |ends| {
                let missing = s.need.saturating_sub(ends.count + waiting);
                missing.max(usize::from(s.evidence.is_one_moment(s.need, shortest_death) && waiting == 0))
            }),
        })
    }

    /// Whether a visible end is still expected; it may be reported some time after it happened.
    pub fn is_awaiting_end(&self) -> bool {
        self.is_end_visible && self.missing_ends > 0
    }

    pub fn width(&self) -> Duration {
        self.top.saturating_sub(self.floor)
    }

    /// Whether the range needs no further splitting.
    pub fn is_narrow(&self) -> bool {
        self.width() <= narrow_enough(self.precision)
    }

    pub fn just_below_top(&self) -> Duration {
        self.top.saturating_sub(self.precision.mul_f64(0.85)).max(self.floor)
    }

    /// What a connection of this idle span should do, given all that is asked and planned.
    pub fn next_step(&self, idle: Duration) -> NextStep {
        let deaths = self.known_deaths + self.top_confirmations;
        let is_top_unconfirmed = deaths < self.need;
        if self.is_lone_before_end && deaths < MIN_DEATHS_AT_TOP {
            NextStep::Top
        } else if !self.is_narrow() && idle < self.top {
            NextStep::Split
        } else if self.missing_ends > 0 {
            NextStep::Wait
        } else if self.has_exact_end {
            NextStep::Nothing
        } else if is_top_unconfirmed {
            // A death is known only after the answer timeout, so these questions come first.
            NextStep::Top
        } else if self.floor_confirmations < self.missing_survivors && idle <= self.floor {
            NextStep::Floor
        } else {
            NextStep::Nothing
        }
    }

    /// The span to ask at, clearly below the floor to confirm it; `None` if the step alone does not determine it.
    pub fn span(&self, step: NextStep) -> Option<Duration> {
        match step {
            NextStep::Top => Some(self.shortest_death),
            NextStep::Floor => Some(self.floor.saturating_sub(question_margin(self.precision))),
            NextStep::Wait | NextStep::Split | NextStep::Nothing => None,
        }
    }

    /// Counts a planned step.
    pub fn count_planned(&mut self, step: NextStep) {
        match step {
            NextStep::Top => self.top_confirmations += 1,
            NextStep::Floor => self.floor_confirmations += 1,
            NextStep::Wait => self.missing_ends -= 1,
            NextStep::Split | NextStep::Nothing => {}
        }
    }
}

/// A range this narrow needs no further splitting: some room is left for questions that are sent late.
fn narrow_enough(precision: Duration) -> Duration {
    precision.mul_f64(0.9)
}

/// Lowers a range's top to the shortest span within it that seems dead.
fn lower_top(s: &SearchState, floor: Duration, top: Duration) -> Duration {
    s.suspected_deaths().filter(|span| floor < *span && *span < top).min().unwrap_or(top)
}
