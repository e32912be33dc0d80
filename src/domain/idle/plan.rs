//! The bounds and settings of a search; always valid once checked.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};
use thiserror::Error;

use super::candidates::grid;
use crate::domain::format::{duration as show, percent};
use crate::domain::heartbeat::HeartbeatKind;

/// How the search narrows the bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Strategy {
    /// Many spans at once, the well-known timeouts among them, then a second, finer round.
    #[default]
    Parallel,
    /// A binary search, one trial at a time.
    Bisect,
}

/// How narrow a bracket must become: the larger of the two widths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    pub absolute: Duration,
    /// As a fraction of the bracket's lower end: 0.02 is 2 %.
    pub relative: f64,
}

impl Precision {
    /// The width that is narrow enough near a span.
    pub fn at(&self, span: Duration) -> Duration {
        self.absolute.max(span.mul_f64(self.relative))
    }
}

impl Default for Precision {
    fn default() -> Precision {
        Precision { absolute: Duration::from_secs(1), relative: 0.02 }
    }
}

/// The bounds of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPlan {
    /// The shortest idle span tried.
    pub min: Duration,
    /// The longest idle span tried.
    pub max: Duration,
    pub precision: Precision,
    pub strategy: Strategy,
    /// Maximum number of simultaneous connections, the control included.
    pub max_connections: usize,
    /// A question without an answer after this time counts as unanswered.
    pub answer_timeout: Duration,
    /// Deaths needed for an upper end, and visible ends for an estimate; a single one proves nothing.
    pub repeat: usize,
    /// How often the control is asked.
    pub control_interval: Duration,
    /// The kind of questions and control heartbeats; named where a verdict depends on it.
    pub kind: HeartbeatKind,
    /// If the control ends at an age, a second control may be opened that sends messages and Ping frames.
    pub second_control: bool,
    /// The peer is `wscheck serve`, which speaks first after the silence.
    pub two_ended: bool,
}

impl Default for SearchPlan {
    fn default() -> SearchPlan {
        SearchPlan {
            min: Duration::from_secs(1),
            max: Duration::from_secs(300),
            precision: Precision::default(),
            strategy: Strategy::default(),
            max_connections: 16,
            answer_timeout: Duration::from_secs(5),
            repeat: 3,
            control_interval: Duration::from_millis(500),
            kind: HeartbeatKind::Protocol,
            second_control: true,
            two_ended: false,
        }
    }
}

/// Maximum of `max`: a week.
const MAX_SPAN: Duration = Duration::from_secs(7 * 86_400);

/// Why bounds are invalid; each variant names the value and the rule.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum PlanError {
    #[error("--min ({}) must not be longer than --max ({})", show(*min), show(*max))]
    MinAboveMax { min: Duration, max: Duration },
    #[error("--min ({}) must be at least 100 ms", show(*min))]
    MinTooShort { min: Duration },
    #[error("--max ({}) must be at most 7 days", show(*max))]
    MaxTooLong { max: Duration },
    #[error("--precision must be at least 10 ms or 0.1 %")]
    PrecisionTooFine,
    #[error("--precision ({given}) must be below 100 %")]
    PrecisionTooCoarse { given: String },
    #[error("--max-connections ({given}) must be at least 3: a control, a watcher and a trial")]
    TooFewConnections { given: usize },
    #[error("--answer-timeout ({}) must be at least 10 ms", show(*given))]
    AnswerTimeoutTooShort { given: Duration },
    #[error("the control interval ({}) must be at most half of --min ({})", show(*given), show(*min))]
    ControlTooSlow { given: Duration, min: Duration },
    #[error("the control interval must be at least 10 ms")]
    ControlTooFast,
    #[error("--repeat ({given}) must be from 1 to 20")]
    BadRepeat { given: usize },
}

impl SearchPlan {
    /// Checks the bounds.
    pub fn checked(self) -> Result<SearchPlan, PlanError> {
        let shortest = Duration::from_millis(10);
        let plan = self.with_bounds_checked()?;
        if plan.max_connections < 3 {
            return Err(PlanError::TooFewConnections { given: plan.max_connections });
        }
        if plan.answer_timeout < shortest {
            return Err(PlanError::AnswerTimeoutTooShort { given: plan.answer_timeout });
        }
        if plan.control_interval < shortest {
            return Err(PlanError::ControlTooFast);
        }
        if plan.control_interval * 2 > plan.min {
            return Err(PlanError::ControlTooSlow { given: plan.control_interval, min: plan.min });
        }
        match plan.repeat {
            1..=20 => Ok(plan),
            given => Err(PlanError::BadRepeat { given }),
        }
    }

    fn with_bounds_checked(self) -> Result<SearchPlan, PlanError> {
        let Precision { absolute, relative } = self.precision;
        if self.min > self.max {
            return Err(PlanError::MinAboveMax { min: self.min, max: self.max });
        }
        if self.min < Duration::from_millis(100) {
            return Err(PlanError::MinTooShort { min: self.min });
        }
        if self.max > MAX_SPAN {
            return Err(PlanError::MaxTooLong { max: self.max });
        }
        if absolute < Duration::from_millis(10) && (relative.is_nan() || relative < 0.001) {
            return Err(PlanError::PrecisionTooFine);
        }
        if !(0.0..1.0).contains(&relative) {
            return Err(PlanError::PrecisionTooCoarse { given: percent(relative) });
        }
        Ok(self)
    }

    /// The default control interval: half of the shortest span, so that the control is never idle that long,
    /// and at most 500 ms.
    pub fn usual_control_interval(min: Duration) -> Duration {
        (min / 2).min(Duration::from_millis(500))
    }

    /// The longest duration of a search: four times its longest span, plus time for answers. With few
    /// connections, spans are tried one after the other, as in a binary search. What is undecided then stays
    /// undecided.
    pub fn longest(&self) -> Duration {
        let answers = self.answer_timeout * 4 + Duration::from_secs(10);
        let silent = self.max_connections.saturating_sub(1).max(1) as u32;
        let parallel = self.max * (4 + 12 / silent) + answers;
        match self.strategy {
            Strategy::Parallel => parallel,
            Strategy::Bisect => parallel + (self.max + self.answer_timeout) * self.halvings(),
        }
    }

    /// How many halvings make a span precise enough.
    fn halvings(&self) -> u32 {
        let finest = self.precision.at(self.min).max(Duration::from_millis(10));
        (self.max.as_secs_f64() / finest.as_secs_f64()).log2().ceil().max(1.0) as u32
    }

    /// Maximum number of connections opened in all: one for each span of the grid, and those that narrow,
    /// confirm or repeat.
    pub fn most_connections(&self) -> u32 {
        let spans = grid(self.min, self.max).len();
        (spans + 12 * self.max_connections.max(10) + 30) as u32
    }

    /// A connection that ends younger than this counts as never opened; no timer ended it.
    pub(super) fn at_once(&self) -> Duration {
        (self.min / 2).min(Duration::from_millis(500))
    }

    /// The number of watchers, which are silent from start to end.
    pub fn watchers(&self) -> usize {
        (self.max_connections.saturating_sub(1) / 2).clamp(1, 3)
    }
}
