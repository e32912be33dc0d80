//! Formats of reports, one file each. A format reads the view of a run and knows no command.

pub mod charts;
pub mod github;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod nagios;
pub mod prometheus;

#[cfg(test)]
mod tests;

use super::envelope::RunOrigin;
use super::view::View;
use crate::domain::run::criterion::{Criterion, CriterionState};

/// A run that is over, as a format reads it.
pub struct RenderedRun<'a> {
    /// The command's name, as it is typed.
    pub command: &'a str,
    pub origin: &'a RunOrigin,
    pub view: &'a View,
    /// The JSON document on one line.
    pub document: &'a dyn Fn() -> String,
}

impl RenderedRun<'_> {
    /// The command line, as it was typed.
    pub fn command_line(&self) -> String {
        let arguments = self.origin.command_line.iter().map(String::as_str);
        std::iter::once("wscheck").chain(arguments).collect::<Vec<_>>().join(" ")
    }
}

/// The state of a criterion in words.
pub fn state_words(criterion: &Criterion) -> &'static str {
    match criterion.state {
        CriterionState::Met => "met",
        CriterionState::NotMet if criterion.only_warns() => "warning",
        CriterionState::NotMet => "not met",
        CriterionState::Unknown => "unknown",
    }
}
