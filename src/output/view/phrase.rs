//! A text whose beginning is its claim.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a claim means for the reader. Formats show it as a colour beside the words, never in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    #[default]
    Neutral,
    Good,
    Caution,
    Bad,
}

/// A claim and what follows it: `idle timeout` and ` between 59 s and 60 s`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
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

    /// A text that begins with the claim; without emphasis if it does not.
    pub fn starting_with(claim: &str, tone: Tone, text: &str) -> Phrase {
        match text.strip_prefix(claim) {
            Some(rest) => Phrase::new(claim, tone, rest),
            None => Phrase::from(text.to_string()),
        }
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
