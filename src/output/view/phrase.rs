//! A text whose beginning is its claim.

use serde::{Deserialize, Serialize};

use crate::domain::run::run_result::RunResult;

/// What a claim means for the reader. Formats show it as a colour beside the words, never in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    #[default]
    Neutral,
    Good,
    Caution,
    Bad,
}

impl From<RunResult> for Tone {
    fn from(result: RunResult) -> Tone {
        match result {
            RunResult::Passed => Tone::Good,
            RunResult::Failed | RunResult::Unreachable | RunResult::Usage => Tone::Bad,
            RunResult::Inconclusive | RunResult::Interrupted { .. } => Tone::Caution,
        }
    }
}

/// A claim and what follows it: `idle timeout` and ` between 59 s and 60 s`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phrase {
    /// The words that formats emphasise; may be empty.
    pub claim: String,
    pub tone: Tone,
    pub rest: String,
}

impl Phrase {
    pub fn new(claim: impl Into<String>, tone: Tone, rest: impl Into<String>) -> Phrase {
        Phrase { claim: claim.into(), tone, rest: rest.into() }
    }

    pub fn text(&self) -> String {
        format!("{}{}", self.claim, self.rest)
    }
}

impl From<String> for Phrase {
    fn from(rest: String) -> Phrase {
        Phrase { rest, ..Phrase::default() }
    }
}
