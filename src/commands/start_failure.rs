//! Why a run did not start.

use thiserror::Error;

use crate::domain::run::run_result::RunResult;

/// Why a run did not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct StartFailure {
    /// Determines the exit code.
    pub result: RunResult,
    /// A lower-case fragment.
    pub message: String,
    /// What the reader can do, if known.
    pub hint: Option<String>,
}

impl StartFailure {
    /// The arguments are invalid, or what they name cannot be used.
    pub fn usage(message: impl Into<String>) -> StartFailure {
        StartFailure { result: RunResult::Usage, message: message.into(), hint: None }
    }

    /// Nothing can be measured here.
    pub fn unreachable(message: impl Into<String>) -> StartFailure {
        StartFailure { result: RunResult::Unreachable, message: message.into(), hint: None }
    }

    /// The same failure, with what the reader can do.
    pub fn with_hint(self, hint: Option<impl Into<String>>) -> StartFailure {
        StartFailure { hint: hint.map(Into::into), ..self }
    }
}
