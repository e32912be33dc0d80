//! The places in a text where an ask's keys go, and what is wrong with a text.

use thiserror::Error;

/// What makes one ask differ from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// The heartbeat's number.
    pub seq: u64,
    /// A text that only this ask has.
    pub id: String,
    /// The wall clock at the moment of sending, in milliseconds since 1970.
    pub now_ms: u64,
}

/// The name of one of an ask's keys, as a placeholder writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    Seq,
    /// The number, counted from 1: some services know no 0.
    Seq1,
    Id,
    NowMs,
    /// The same in whole seconds: it names no ask, and what a message says in its place is passed over.
    NowS,
}

impl Key {
    pub const ALL: [Key; 5] = [Key::Seq, Key::Seq1, Key::Id, Key::NowMs, Key::NowS];

    /// The placeholder, braces and all.
    pub fn placeholder(self) -> &'static str {
        match self {
            Key::Seq => "{seq}",
            Key::Seq1 => "{seq1}",
            Key::Id => "{id}",
            Key::NowMs => "{now_ms}",
            Key::NowS => "{now_s}",
        }
    }

    /// The number that it stands for; 0 for an id.
    pub(super) fn number(self, keys: &Keys) -> u64 {
        match self {
            Key::Seq => keys.seq,
            Key::Seq1 => keys.seq.saturating_add(1),
            Key::NowMs => keys.now_ms,
            Key::NowS => keys.now_ms / 1000,
            Key::Id => 0,
        }
    }

    /// Whether what a message says in its place tells of which ask it speaks.
    pub(super) fn tells(self) -> bool {
        self != Key::NowS
    }

    /// The key whose placeholder opens `text`.
    pub(super) fn opening(text: &str) -> Option<Key> {
        Key::ALL.into_iter().find(|key| text.starts_with(key.placeholder()))
    }
}

/// A stretch of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Place(Key),
    /// Anything, of which nothing is remembered: in patterns only.
    Any,
}

impl Part {
    /// Whether it is a place for a key that tells of which ask a message speaks.
    pub(super) fn tells(&self) -> bool {
        matches!(self, Part::Place(key) if key.tells())
    }
}

/// The placeholder for anything.
pub(super) const ANY: &str = "{any}";

/// Takes a text to send apart. Only the exact placeholders count; every other brace is text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    taken_apart(text, false)
}

/// Takes a pattern's text apart, in which `{any}` is a placeholder too.
pub(super) fn pattern_parts(text: &str) -> Vec<Part> {
    taken_apart(text, true)
}

fn taken_apart(text: &str, with_any: bool) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal_from = 0;
    let mut at = 0;
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        let (part, length) = match Key::opening(&text[brace..]) {
            Some(key) => (Part::Place(key), key.placeholder().len()),
            None if with_any && text[brace..].starts_with(ANY) => (Part::Any, ANY.len()),
            None => {
                at = brace + 1;
                continue;
            }
        };
        push_literal(&mut parts, &text[literal_from..brace]);
        parts.push(part);
        at = brace + length;
        literal_from = at;
    }
    push_literal(&mut parts, &text[literal_from..]);
    parts
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.to_string()));
    }
}

/// Why a text is not a template.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum TemplateError {
    #[error("'' is not a template: it must not be empty")]
    Empty,
    #[error("'{given}' has no hex digits: bytes are written as hex:c000")]
    NoHexDigits { given: String },
    #[error("'{given}' has {digits} hex digits: bytes need an even number of them")]
    OddHexDigits { given: String, digits: usize },
    #[error("'{given}' has '{found}' where a hex digit must be: after hex: only 0-9 and a-f are allowed")]
    NotHex { given: String, found: char },
    #[error(
        "'{given}' has '{found}', which is no escape: after text: and binary: there are \\r \\n \\t \\0 \\x1e \\\\"
    )]
    NoEscape { given: String, found: String },
    #[error("'{given}' has '{found}': bytes to send must all be said")]
    OpenBytes { given: String, found: char },
}
