//! What the user demanded of a run, and whether it was met.

use std::borrow::Cow;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::truth::Truth;

/// Whether a criterion was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum CriterionState {
    /// What was found is as wanted.
    Met,
    /// What was found is not as wanted.
    NotMet,
    /// The evidence does not decide.
    Unknown,
}

/// The option whose criteria only warn.
pub const WARN_OPTION: &str = "--warn";

/// One thing that the user demanded, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// The option that demands it, `--fail-if`; `None` if every run demands it.
    pub option: Option<Cow<'static, str>>,
    /// What is wanted, as a fragment: `rtt.p95 <= 300ms`.
    pub wanted: String,
    /// What was found, or why it is unknown, as a fragment: `231.2 ms`.
    pub found: String,
    pub state: CriterionState,
}

impl Criterion {
    /// Whether it only warns: the run passes even if it is not met.
    pub fn only_warns(&self) -> bool {
        self.option.as_deref() == Some(WARN_OPTION)
    }

    /// A criterion that is met if the truth is true.
    pub fn wants(option: &'static str, wanted: String, truth: &Truth) -> Criterion {
        let (state, found) = match truth {
            Truth::True(found) => (CriterionState::Met, found),
            Truth::False(found) => (CriterionState::NotMet, found),
            Truth::TrueOfBounds(why) | Truth::Unknown(why) => (CriterionState::Unknown, why),
        };
        Criterion { option: Some(option.into()), wanted, found: found.clone(), state }
    }
}
