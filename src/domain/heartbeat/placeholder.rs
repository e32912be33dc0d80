//! The placeholders for a request's keys in a text, and errors in such texts.

use thiserror::Error;

/// What distinguishes a request from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKeys {
    /// The heartbeat's number.
    pub seq: u64,
    /// A unique text.
    pub id: String,
    /// The wall clock when it is sent, in milliseconds since 1970.
    pub now_ms: u64,
}

/// The name of a request's key in a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlaceholderName {
    Seq,
    /// The number counted from 1, because some services accept no 0.
    Seq1,
    Id,
    NowMs,
    /// The same in whole seconds. It identifies no request, so its value in a message is ignored.
    NowS,
}

impl PlaceholderName {
    pub const ALL: [PlaceholderName; 5] = [
        PlaceholderName::Seq,
        PlaceholderName::Seq1,
        PlaceholderName::Id,
        PlaceholderName::NowMs,
        PlaceholderName::NowS,
    ];

    /// The placeholder with its braces.
    pub fn placeholder(self) -> &'static str {
        match self {
            PlaceholderName::Seq => "{seq}",
            PlaceholderName::Seq1 => "{seq1}",
            PlaceholderName::Id => "{id}",
            PlaceholderName::NowMs => "{now_ms}",
            PlaceholderName::NowS => "{now_s}",
        }
    }

    /// The number it stands for; 0 for an id.
    pub(super) fn number(self, keys: &RequestKeys) -> u64 {
        match self {
            PlaceholderName::Seq => keys.seq,
            PlaceholderName::Seq1 => keys.seq.saturating_add(1),
            PlaceholderName::NowMs => keys.now_ms,
            PlaceholderName::NowS => keys.now_ms / 1000,
            PlaceholderName::Id => 0,
        }
    }

    /// Whether its value in a message identifies a request.
    pub(super) fn tells(self) -> bool {
        self != PlaceholderName::NowS
    }

    /// The key whose placeholder starts `text`.
    pub(super) fn opening(text: &str) -> Option<PlaceholderName> {
        PlaceholderName::ALL.into_iter().find(|key| text.starts_with(key.placeholder()))
    }
}

/// A part of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TextPart {
    Literal(String),
    Place(PlaceholderName),
    /// Any text, ignored; only in patterns.
    Any,
}

impl TextPart {
    /// Whether it is a placeholder that identifies a request.
    pub(super) fn tells(&self) -> bool {
        matches!(self, TextPart::Place(key) if key.tells())
    }
}

/// The placeholder for anything.
pub(super) const ANY: &str = "{any}";

/// Splits a text to send. Only exact placeholders count; other braces are text.
pub(super) fn parts(text: &str) -> Vec<TextPart> {
    taken_apart(text, false)
}

/// Splits a pattern's text, in which `{any}` is a placeholder too.
pub(super) fn pattern_parts(text: &str) -> Vec<TextPart> {
    taken_apart(text, true)
}

fn taken_apart(text: &str, with_any: bool) -> Vec<TextPart> {
    let mut parts = Vec::new();
    let mut literal_from = 0;
    let mut at = 0;
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        let (part, length) = match PlaceholderName::opening(&text[brace..]) {
            Some(key) => (TextPart::Place(key), key.placeholder().len()),
            None if with_any && text[brace..].starts_with(ANY) => (TextPart::Any, ANY.len()),
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

/// A misspelled placeholder in braces, and the one meant: `{sq}` for `{seq}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misspelling {
    pub found: String,
    pub near: &'static str,
}

/// The first misspelled placeholder of a text to send.
pub(super) fn misspelling(text: &str) -> Option<Misspelling> {
    misspelling_of(text, false)
}

/// The first misspelled placeholder of a pattern's text, in which `{any}` is a placeholder too.
pub(super) fn pattern_misspelling(text: &str) -> Option<Misspelling> {
    misspelling_of(text, true)
}

fn misspelling_of(text: &str, with_any: bool) -> Option<Misspelling> {
    let braces = text.match_indices('{').filter_map(|(at, _)| braced(&text[at..]));
    let is_placeholder =
        |found: &str| found == ANY || PlaceholderName::ALL.iter().any(|key| key.placeholder() == found);
    let unknown = braces.filter(|found| !is_placeholder(found));
    let near = |found: &str| near_placeholder(&found[1..found.len() - 1], with_any);
    unknown.into_iter().find_map(|found| Some(Misspelling { near: near(found)?, found: found.to_string() }))
}

/// Maximum length of a word that may be a misspelled placeholder.
const MAX_PLACEHOLDER_LETTERS: usize = 16;

/// The braces at the start of a text and the word between them, if it is a single word.
fn braced(text: &str) -> Option<&str> {
    let end = text.find('}')?;
    let word = &text[1..end];
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b' ' | b'.');
    let is_word = (2..=MAX_PLACEHOLDER_LETTERS).contains(&word.len()) && word.bytes().all(is_part);
    is_word.then(|| &text[..=end])
}

/// Other words for placeholders.
const OTHER_WORDS: [(&str, &str); 15] = [
    ("sequence", "{seq}"),
    ("seqno", "{seq}"),
    ("number", "{seq}"),
    ("counter", "{seq}"),
    ("nonce", "{id}"),
    ("uuid", "{id}"),
    ("random", "{id}"),
    ("now", "{now_ms}"),
    ("time", "{now_ms}"),
    ("timestamp", "{now_ms}"),
    ("millis", "{now_ms}"),
    ("seconds", "{now_s}"),
    ("unixtime", "{now_s}"),
    ("anything", "{any}"),
    ("nowseconds", "{now_s}"),
];

/// The placeholder closest to a word: another notation, a synonym, or a typing error.
fn near_placeholder(word: &str, with_any: bool) -> Option<&'static str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace([' ', '_', '-', '.'], "");
    let word = plain(word);
    let known =
        PlaceholderName::ALL.map(PlaceholderName::placeholder).into_iter().chain(with_any.then_some(ANY));
    let known: Vec<(&str, String)> = known.map(|text| (text, plain(text.trim_matches(['{', '}'])))).collect();
    let same = known.iter().find(|(_, name)| *name == word).map(|(text, _)| *text);
    let other = || OTHER_WORDS.iter().find(|(other, _)| *other == word).map(|(_, text)| *text);
    let other = || other().filter(|text| known.iter().any(|(known, _)| known == text));
    let slip = || {
        let distances = known.iter().map(|(text, name)| (strsim::osa_distance(&word, name), name, *text));
        let near = distances.filter(|(distance, name, _)| *distance <= allowed_slips(name, &word));
        near.min_by_key(|(distance, _, _)| *distance).map(|(_, _, text)| text)
    };
    same.or_else(other).or_else(slip)
}

/// Maximum typing errors; short names have many neighbours that mean something else: `{it}` is not `{id}`.
fn allowed_slips(name: &str, word: &str) -> usize {
    match name.len() {
        ..=2 if name.len() == word.len() && !name.chars().rev().eq(word.chars()) => 0,
        ..=4 => 1,
        _ => 2,
    }
}

fn push_literal(parts: &mut Vec<TextPart>, text: &str) {
    if !text.is_empty() {
        parts.push(TextPart::Literal(text.to_string()));
    }
}

/// Why a text is not a valid template.
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
    #[error(
        "'{given}' has '{found}', which is no placeholder: did you mean {near}? (to send it as it is: text: with \\x7b for the brace)"
    )]
    Misspelt { given: String, found: String, near: &'static str },
    #[error("'{given}' has '{found}': bytes to send must all be said")]
    OpenBytes { given: String, found: char },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_placeholders_are_found_with_the_near_name() {
        let near = |text: &str| pattern_misspelling(text).map(|found| found.near);
        for (word, expected) in [
            ("sq", "{seq}"),
            ("SEQ", "{seq}"),
            (" seq ", "{seq}"),
            ("seg", "{seq}"),
            ("sequence", "{seq}"),
            ("seq2", "{seq}"),
            ("seq_1", "{seq1}"),
            ("Id", "{id}"),
            ("di", "{id}"),
            ("idd", "{id}"),
            ("uuid", "{id}"),
            ("now", "{now_ms}"),
            ("nowms", "{now_ms}"),
            ("now-ms", "{now_ms}"),
            ("now_sm", "{now_ms}"),
            ("timestamp", "{now_ms}"),
            ("nows", "{now_s}"),
            ("ANY", "{any}"),
            ("anny", "{any}"),
        ] {
            assert_eq!(near(&format!(r#"{{"a":{{{word}}}}}"#)), Some(expected), "{word}");
        }
    }

    #[test]
    fn placeholders_and_other_braces_are_no_misspellings() {
        for text in ["{seq}{id}{now_ms}{now_s}{seq1}{any}", "{}", "{{", "{pong}", "{it}", "{a}", "{é}", "{sq"]
        {
            assert_eq!(pattern_misspelling(text), None, "{text}");
        }
        assert_eq!(misspelling("{any} {ANY}"), None, "a text to send knows no {{any}}");
        assert_eq!(misspelling(r#"{"type":"ping","sq":1}"#), None);
    }
}
