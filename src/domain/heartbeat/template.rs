//! What an app heartbeat says: a text with places for its number, its id and the time, or bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The prefix of a template or pattern that is bytes instead of text.
const HEX_PREFIX: &str = "hex:";

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
    Id,
    NowMs,
}

impl Key {
    pub const ALL: [Key; 3] = [Key::Seq, Key::Id, Key::NowMs];

    /// The placeholder, braces and all.
    pub fn placeholder(self) -> &'static str {
        match self {
            Key::Seq => "{seq}",
            Key::Id => "{id}",
            Key::NowMs => "{now_ms}",
        }
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
}

/// Takes a text apart. Only the exact placeholders count; every other brace is text.
pub(super) fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut literal_from = 0;
    let mut at = 0;
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        let Some(key) = Key::opening(&text[brace..]) else {
            at = brace + 1;
            continue;
        };
        push_literal(&mut parts, &text[literal_from..brace]);
        parts.push(Part::Place(key));
        at = brace + key.placeholder().len();
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
}

/// The bytes of a `hex:` text; `None` when the text is not one.
pub(super) fn hex_bytes(given: &str) -> Option<Result<Vec<u8>, TemplateError>> {
    given.strip_prefix(HEX_PREFIX).map(|digits| decode(given, digits))
}

fn decode(given: &str, text: &str) -> Result<Vec<u8>, TemplateError> {
    let given = || given.to_string();
    let digit = |c: char| c.to_digit(16).ok_or_else(|| TemplateError::NotHex { given: given(), found: c });
    let digits = text.chars().map(digit).collect::<Result<Vec<u32>, _>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    match (pairs, rest) {
        ([], []) => Err(TemplateError::NoHexDigits { given: given() }),
        (_, [_, ..]) => Err(TemplateError::OddHexDigits { given: given(), digits: digits.len() }),
        (pairs, []) => Ok(pairs.iter().map(|[high, low]| (high * 16 + low) as u8).collect()),
    }
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Text(String),
    Binary(Vec<u8>),
}

/// An app heartbeat's ask, before its keys are known.
///
/// A text in which `{seq}`, `{id}` and `{now_ms}` are replaced (only these exact tokens; every other
/// brace stays), or bytes written as `hex:c000`, which have no placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    Text(Vec<Part>),
    Binary(Vec<u8>),
}

impl Template {
    /// The message that one ask sends.
    pub fn render(&self, keys: &Keys) -> Payload {
        match &self.body {
            Body::Text(parts) => Payload::Text(parts.iter().map(|part| fill(part, keys)).collect()),
            Body::Binary(bytes) => Payload::Binary(bytes.clone()),
        }
    }

    /// The template as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn fill(part: &Part, keys: &Keys) -> String {
    match part {
        Part::Literal(text) => text.clone(),
        Part::Place(Key::Seq) => keys.seq.to_string(),
        Part::Place(Key::Id) => keys.id.clone(),
        Part::Place(Key::NowMs) => keys.now_ms.to_string(),
    }
}

impl Default for Template {
    /// The ask that many servers answer with the same id or the same timestamp.
    fn default() -> Template {
        let text = r#"{"type":"ping","id":"{id}","timestamp":{now_ms}}"#;
        Template { text: text.to_string(), body: Body::Text(parts(text)) }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(given: &str) -> Result<Template, TemplateError> {
        if given.is_empty() {
            return Err(TemplateError::Empty);
        }
        let body = match hex_bytes(given) {
            Some(bytes) => Body::Binary(bytes?),
            None => Body::Text(parts(given)),
        };
        Ok(Template { text: given.to_string(), body })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> Keys {
        Keys { seq: 7, id: "ab-7".to_string(), now_ms: 1_700_000_000_000 }
    }

    fn rendered(template: &str) -> Payload {
        template.parse::<Template>().unwrap().render(&keys())
    }

    fn refusal(template: &str) -> String {
        template.parse::<Template>().unwrap_err().to_string()
    }

    #[test]
    fn every_placeholder_is_filled() {
        let expected = r#"{"seq":7,"id":"ab-7","t":1700000000000,"again":7}"#;
        assert_eq!(
            rendered(r#"{"seq":{seq},"id":"{id}","t":{now_ms},"again":{seq}}"#),
            Payload::Text(expected.to_string())
        );
    }

    #[test]
    fn other_braces_stay() {
        for text in ["{}", "{ seq }", "{SEQ}", "{{", "}{", "{se", "{\"a\":{}}"] {
            assert_eq!(rendered(text), Payload::Text(text.to_string()));
        }
        assert_eq!(rendered("{{seq}}"), Payload::Text("{7}".to_string()));
        assert_eq!(rendered("{é{seq}é"), Payload::Text("{é7é".to_string()));
    }

    #[test]
    fn hex_is_bytes_without_placeholders() {
        assert_eq!(rendered("hex:c000"), Payload::Binary(vec![0xc0, 0x00]));
        assert_eq!(rendered("hex:C0fF"), Payload::Binary(vec![0xc0, 0xff]));
    }

    #[test]
    fn the_default_ask_is_a_json_ping() {
        let expected = r#"{"type":"ping","id":"ab-7","timestamp":1700000000000}"#;
        assert_eq!(Template::default().render(&keys()), Payload::Text(expected.to_string()));
        assert_eq!(Template::default().as_str().parse(), Ok(Template::default()));
    }

    #[test]
    fn nonsense_is_refused_with_its_rule() {
        assert_eq!(refusal(""), "'' is not a template: it must not be empty");
        assert_eq!(refusal("hex:"), "'hex:' has no hex digits: bytes are written as hex:c000");
        assert_eq!(refusal("hex:c00"), "'hex:c00' has 3 hex digits: bytes need an even number of them");
        assert_eq!(
            refusal("hex:{seq}"),
            "'hex:{seq}' has '{' where a hex digit must be: after hex: only 0-9 and a-f are allowed"
        );
    }

    proptest! {
        #[test]
        fn a_template_is_shown_as_it_was_written(text in ".+") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(template.to_string(), text);
            }
        }

        #[test]
        fn text_without_placeholders_is_sent_as_it_is(text in "[^h}]+") {
            prop_assert_eq!(rendered(&text), Payload::Text(text));
        }
    }
}
