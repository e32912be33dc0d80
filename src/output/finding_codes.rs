//! Every finding's code with its meaning: for the schema, and for the pages in docs.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use strum::{EnumMessage, IntoEnumIterator};

use crate::domain::idle::{IdleFindingCode, UndecidedCode};
use crate::domain::label::Label;
use crate::domain::listen::ListenFindingCode;
use crate::domain::ping::finding::PingFindingCode;
use crate::domain::zombie::ZombieFindingCode;

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
fn codes_of<T: Label + IntoEnumIterator + EnumMessage>(command: &'static str) -> Vec<CodeMeaning> {
    let meaning = |code: T| CodeMeaning {
        command,
        code: code.label(),
        meaning: code.get_documentation().unwrap_or_default(),
    };
    T::iter().map(meaning).collect()
}

/// The codes of all commands' findings.
pub fn all() -> Vec<CodeMeaning> {
    let mut all = Vec::new();
    all.extend(codes_of::<PingFindingCode>("ping"));
    all.extend(codes_of::<ListenFindingCode>("listen"));
    all.extend(codes_of::<ZombieFindingCode>("probe-zombie"));
    all.extend(codes_of::<IdleFindingCode>("probe-idle"));
    all.extend(codes_of::<UndecidedCode>("probe-idle"));
    all
}

impl JsonSchema for FindingCode {
    fn schema_name() -> Cow<'static, str> {
        "FindingCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let code = |code: CodeMeaning| json_schema!({ "type": "string", "const": code.code, "description": code.meaning });
        let mut codes = all();
        codes.sort_by_key(|code| code.code);
        codes.dedup_by_key(|code| code.code);
        json_schema!({ "oneOf": codes.into_iter().map(code).collect::<Vec<_>>() })
    }
}
