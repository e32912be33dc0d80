//! The codes of findings with their meanings: for the schema, and for the pages in docs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use strum::{EnumMessage, IntoEnumIterator};

use crate::domain::label::Label;

/// The name of the codes' schema.
pub const FINDING_CODE: &str = "FindingCode";

/// A finding's code, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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

impl JsonSchema for FindingCode {
    fn schema_name() -> Cow<'static, str> {
        FINDING_CODE.into()
    }

    /// Any text; the schema of everything that is printed lists the codes instead.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The schema of these codes, each with its meaning.
pub fn schema_of(mut codes: Vec<CodeMeaning>) -> Schema {
    let code = |code: CodeMeaning| json_schema!({ "type": "string", "const": code.code, "description": code.meaning });
    codes.sort_by_key(|code| code.code);
    codes.dedup_by_key(|code| code.code);
    json_schema!({ "oneOf": codes.into_iter().map(code).collect::<Vec<_>>() })
}
