//! Why a search, or a whole run, came to its result.

use super::undecided::UndecidedCause;

/// A reason of a result.
#[derive(Debug, Clone, PartialEq)]
pub enum IdleReason {
    /// Why the evidence does not support an answer.
    Undecided(UndecidedCause),
    /// A lower-case fragment.
    Text(String),
}

impl From<UndecidedCause> for IdleReason {
    fn from(cause: UndecidedCause) -> IdleReason {
        IdleReason::Undecided(cause)
    }
}

impl From<String> for IdleReason {
    fn from(text: String) -> IdleReason {
        IdleReason::Text(text)
    }
}
