//! The code of a finding, and what it means.

use std::borrow::Cow;

use serde::Serialize;
use strum::{EnumMessage, IntoEnumIterator};

use crate::domain::label::Label;

/// A finding's code, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingCode(pub Cow<'static, str>);

/// A code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeMeaning {
    /// The command that reports it.
    pub command: &'static str,
    pub code: &'static str,
    pub meaning: &'static str,
}

/// The codes of one command's findings; the meanings are the doc comments of the variants.
pub fn codes_of<T: Label + IntoEnumIterator + EnumMessage>(command: &'static str) -> Vec<CodeMeaning> {
    let meaning = |code: T| CodeMeaning {
        command,
        code: code.label(),
        meaning: code.get_documentation().unwrap_or_default(),
    };
    T::iter().map(meaning).collect()
}
