//! The spans of which it is not known whether they survive, and what the next connection is to find out there.

use std::time::Duration;

use super::probe::ProbeRole;
use super::strategy::SearchState;

/// So many deaths at the top keep a chance death from being taken for it, before connections are spent on more.
const MIN_DEATHS_AT_TOP: usize = 2;

const NANOSECOND: Duration = Duration::from_nanos(1);

/// What is unknown: first what lies between the longest survivor and the shortest span that did not survive; when
/// that is narrow, and the timer was seen to be inexact, what lies below its earliest death.
#[derive(Debug, Clone)]
pub(super) struct Uncertainty {
    /// The longest span that survived, below the zone's top.
    pub floor: Duration,
    pub top: Duration,
    /// The shortest span above all survivors that did not survive, or does not seem to.
    pub summit: Duration,
    /// Connections were seen to end at the summit.
    pub visible: bool,
    /// So many were, and at the same span, that nothing is to be confirmed.
    sharp: bool,
    /// Questions before a visible end seem to be swallowed, and this is the first to say so.
    lone_before_end: bool,
    precision: Duration,
    need: usize,
    /// Survivors that the floor lacks.
    lacking: usize,
    /// Deaths at the summit and close above it.
    known: usize,
    /// Questions close below the floor, asked or planned.
    seconds: usize,
    /// Questions at the summit, asked or planned.
    confirmations: usize,
    /// Visible ends that are lacking and that nobody waits for in silence.
    ends_lacking: usize,
}

/// What the next connection is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    /// To split the zone.
    Split,
    /// To confirm that the summit does not survive, or to refute it.
    Top,
    /// To confirm that the floor survives.
    Floor,
    /// To be left in silence until it is cut, because too few ends were seen.
    Wait,
    /// Enough is asked.
    Nothing,
}

impl Uncertainty {
    /// The zone that this evidence leaves; `None` before anything died.
    pub fn of(s: &SearchState) -> Option<Uncertainty> {
        let (longest, summit) = (s.longest(), lowered(s, s.longest(), s.evidence.suspect()?));
        let lower = s.evidence.lower_zone().filter(|_| summit - longest <= s.precision);
        let (floor, top) = lower.map_or((longest, summit), |(from, to)| (from, lowered(s, from, to)));
        let visible = s.evidence.visible();
        // Ends that were seen confirm nothing below themselves.
        let seen = visible.map(|spread| spread.min).filter(|min| summit < *min);
        let ceiling = (longest + s.precision).min(seen.map_or(Duration::MAX, |min| min - NANOSECOND));
        let close = |span: &Duration| summit <= *span && *span <= ceiling;
        let known = s.evidence.unrefuted().chain(s.rumours()).filter(close).count();
        let awaited = |(_, at): &(Duration, Duration)| s.now < *at + s.answer;
        let asked = || s.asked().filter(awaited).map(|(span, _)| span);
        let ends = visible.filter(|spread| spread.min <= summit && summit <= spread.max);
        let waiting = s.silent(ProbeRole::Watcher).count();
        Some(Uncertainty {
            floor,
            top,
            summit,
            visible: ends.is_some(),
            sharp: s.evidence.is_seen(s.need, summit),
            lone_before_end: known == 1 && seen.is_some(),
            precision: s.precision,
            need: s.need,
            lacking: s.evidence.lacking(floor),
            known,
            seconds: asked().filter(|span| *span <= floor && s.evidence.is_near(*span, floor)).count(),
            confirmations: asked().filter(close).count(),
            ends_lacking: ends.map_or(0, |ends| {
                let lacking = s.need.saturating_sub(ends.count + waiting);
                lacking.max(usize::from(s.evidence.is_one_moment(s.need, summit) && waiting == 0))
            }),
        })
    }

    /// Whether an end is waited for that would be seen: it may be told some time after it came.
    pub fn awaits_end(&self) -> bool {
        self.visible && self.ends_lacking > 0
    }

    pub fn width(&self) -> Duration {
        self.top.saturating_sub(self.floor)
    }

    /// Whether the zone needs no further splitting.
    pub fn is_narrow(&self) -> bool {
        self.width() <= self.precision.mul_f64(0.9)
    }

    /// Just below the top.
    pub fn brink(&self) -> Duration {
        self.top.saturating_sub(self.precision.mul_f64(0.85)).max(self.floor)
    }

    /// What a connection of this idle span is best asked for, given all that is asked and planned.
    pub fn aim(&self, idle: Duration) -> NextStep {
        let deaths = self.known + self.confirmations;
        match () {
            () if self.lone_before_end && deaths < MIN_DEATHS_AT_TOP => NextStep::Top,
            () if !self.is_narrow() && idle < self.top => NextStep::Split,
            () if self.ends_lacking > 0 => NextStep::Wait,
            () if self.sharp => NextStep::Nothing,
            // Who is not answered is known to be dead only when the answer timeout is over, so they come first.
            () if deaths < self.need => NextStep::Top,
            () if self.seconds < self.lacking && idle <= self.floor => NextStep::Floor,
            () => NextStep::Nothing,
        }
    }

    /// The span at which that is to be asked; `None` where it takes more to know.
    pub fn span(&self, aim: NextStep) -> Option<Duration> {
        match aim {
            NextStep::Top => Some(self.summit),
            NextStep::Floor => Some(self.floor),
            NextStep::Wait | NextStep::Split | NextStep::Nothing => None,
        }
    }

    /// Counts a plan of this aim among what is asked.
    pub fn plan(&mut self, aim: NextStep) {
        match aim {
            NextStep::Top => self.confirmations += 1,
            NextStep::Floor => self.seconds += 1,
            NextStep::Wait => self.ends_lacking -= 1,
            NextStep::Split | NextStep::Nothing => {}
        }
    }
}

/// The top of a zone, as low as what looks dead makes it.
fn lowered(s: &SearchState, floor: Duration, top: Duration) -> Duration {
    s.rumours().filter(|span| floor < *span && *span < top).min().unwrap_or(top)
}
