//! What answers an app heartbeat: JSON fields, literal text or bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use super::captures::Captures;
use super::incoming::{Incoming, MessageRef};
use super::json_shape::{Place, Shape, ShapeError};
use super::template::{Key, Part, TemplateError, hex_bytes, parts};

/// Describes the messages that answer an ask (or that are awaited).
///
/// - JSON, when the text is an object or array once its placeholders are taken for values: a message
///   that contains all its fields with equal values; other fields are allowed, in nested objects too
/// - `hex:c000`: a binary message of exactly these bytes
/// - any other text: a text message that reads exactly so
///
/// `{seq}`, `{id}` and `{now_ms}` take what the message says in their place.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    language: Language,
}

/// The ways in which a pattern describes a message. A further one (framed, compressed) is an arm here.
#[derive(Debug, Clone, PartialEq)]
enum Language {
    Json(Shape),
    Literal(Vec<Part>),
    Bytes(Vec<u8>),
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("'' is not a pattern: it must not be empty")]
    Empty,
    #[error(transparent)]
    Hex(#[from] TemplateError),
    #[error("'{given}' begins like a JSON object but is none: {why}")]
    BrokenJson { given: String, why: String },
    #[error("'{given}' has a placeholder in a field's name ('{name}'): only values can have them")]
    PlaceInName { given: String, name: String },
    #[error("'{given}' has two placeholders side by side: there must be text between them")]
    Adjacent { given: String },
    #[error("'{given}' has {placeholder} twice in one text: once is enough")]
    Repeated { given: String, placeholder: &'static str },
    #[error("'{given}' has the noncharacter U+FDD0: it is reserved")]
    Reserved { given: String },
}

impl Pattern {
    /// What the message says at the placeholders; `None` when the pattern does not match it.
    pub fn matches(&self, incoming: &Incoming) -> Option<Captures> {
        match (&self.language, incoming.message()) {
            (Language::Json(shape), MessageRef::Text(_)) => shape.captures(incoming.json()?),
            (Language::Literal(parts), MessageRef::Text(text)) => Captures::from_text(parts, text),
            (Language::Bytes(bytes), MessageRef::Binary(message)) => {
                (bytes == message).then(Captures::default)
            }
            (Language::Json(_) | Language::Literal(_), MessageRef::Binary(_))
            | (Language::Bytes(_), MessageRef::Text(_)) => None,
        }
    }

    /// Whether the pattern takes keys from the messages that it matches.
    pub fn has_places(&self) -> bool {
        match &self.language {
            Language::Json(shape) => !shape.places().is_empty(),
            Language::Literal(parts) => parts.iter().any(|part| matches!(part, Part::Place(_))),
            Language::Bytes(_) => false,
        }
    }

    /// The JSON values that hold placeholders; none when the pattern is not JSON.
    pub(super) fn json_places(&self) -> Vec<Place> {
        match &self.language {
            Language::Json(shape) => shape.places(),
            Language::Literal(_) | Language::Bytes(_) => Vec::new(),
        }
    }
}

impl Default for Pattern {
    /// The answer that goes with the default ask.
    fn default() -> Pattern {
        let text = r#"{"type":"pong"}"#;
        let field = ("type".to_string(), Shape::Scalar("pong".into()));
        Pattern { text: text.to_string(), language: Language::Json(Shape::Object(vec![field])) }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(given: &str) -> Result<Pattern, PatternError> {
        let language = match hex_bytes(given) {
            _ if given.is_empty() => return Err(PatternError::Empty),
            Some(bytes) => Language::Bytes(bytes?),
            None => json_or_literal(given)?,
        };
        Ok(Pattern { text: given.to_string(), language })
    }
}

/// What opens with `{"` is meant as JSON: taken literally, a slip in it would look like lost pongs.
fn json_or_literal(given: &str) -> Result<Language, PatternError> {
    let owned = || given.to_string();
    match Shape::parse(given) {
        Ok(shape) => {
            shape.places().iter().try_for_each(|place| bounded(given, place.parts()))?;
            Ok(Language::Json(shape))
        }
        Err(ShapeError::PlaceInName(name)) => Err(PatternError::PlaceInName { given: owned(), name }),
        Err(ShapeError::Reserved) => Err(PatternError::Reserved { given: owned() }),
        Err(ShapeError::NotJson(why)) if given.trim_start().starts_with("{\"") => {
            Err(PatternError::BrokenJson { given: owned(), why })
        }
        Err(ShapeError::NotJson(_) | ShapeError::NoContainer) => {
            let parts = parts(given);
            bounded(given, &parts)?;
            Ok(Language::Literal(parts))
        }
    }
}

/// Where one place ends and the next begins must not be a riddle whose solution costs time: a peer
/// writes the messages.
fn bounded(given: &str, parts: &[Part]) -> Result<(), PatternError> {
    let times = |key: Key| parts.iter().filter(|part| **part == Part::Place(key)).count();
    if let Some(key) = Key::ALL.into_iter().find(|key| times(*key) > 1) {
        let placeholder = key.placeholder();
        return Err(PatternError::Repeated { given: given.to_string(), placeholder });
    }
    let side_by_side = |pair: &[Part]| matches!(pair, [Part::Place(_), Part::Place(_)]);
    match parts.windows(2).any(side_by_side) {
        true => Err(PatternError::Adjacent { given: given.to_string() }),
        false => Ok(()),
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn captured(pattern: &str, message: MessageRef) -> Option<Captures> {
        pattern.parse::<Pattern>().unwrap().matches(&Incoming::new(message))
    }

    fn matches_text(pattern: &str, text: &str) -> bool {
        captured(pattern, MessageRef::Text(text)).is_some()
    }

    fn refusal(pattern: &str) -> String {
        pattern.parse::<Pattern>().unwrap_err().to_string()
    }

    #[test]
    fn a_json_pattern_matches_what_contains_it() {
        assert!(matches_text(r#"{"type":"pong"}"#, r#" {"id": 1, "type" : "pong"} "#));
        assert!(!matches_text(r#"{"type":"pong"}"#, r#"{"type":"ping"}"#));
        assert!(!matches_text(r#"{"type":"pong"}"#, "pong"));
        assert!(matches_text(
            r#"[null,null,"phoenix","phx_reply",{}]"#,
            r#"[null,null,"phoenix","phx_reply",{"s":1}]"#
        ));
    }

    #[test]
    fn other_text_is_matched_literally() {
        assert!(matches_text("pong", "pong"));
        assert!(!matches_text("pong", "pong ") && !matches_text("pong", "Pong"));
        assert!(matches_text("[pong", "[pong") && matches_text("{pong}", "{pong}"));
        assert!(matches_text("3", "3") && !matches_text("3", "3.0"));
    }

    #[test]
    fn literal_text_may_have_places() {
        let found = captured("42[\"pong\",{seq}]", MessageRef::Text("42[\"pong\",9]")).unwrap();
        assert_eq!(found.seq, Some(9));
        assert_eq!(captured("{seq}", MessageRef::Text("12")).unwrap().seq, Some(12));
    }

    #[test]
    fn bytes_are_matched_exactly_and_only_by_hex() {
        assert!(captured("hex:c000", MessageRef::Binary(&[0xc0, 0])).is_some());
        assert!(captured("hex:c000", MessageRef::Binary(&[0xc0, 0, 0])).is_none());
        assert!(captured("hex:41", MessageRef::Text("A")).is_none());
        assert!(captured("A", MessageRef::Binary(b"A")).is_none());
        assert!(captured("{}", MessageRef::Binary(b"{}")).is_none());
    }

    #[test]
    fn the_default_pattern_is_its_text() {
        assert_eq!(Pattern::default().to_string().parse(), Ok(Pattern::default()));
    }

    #[test]
    fn whether_a_pattern_has_places_is_known() {
        let has = |text: &str| text.parse::<Pattern>().unwrap().has_places();
        assert!(has(r#"{"a":[{"b":{seq}}]}"#) && has(r#"{"a":"x{id}"}"#) && has("pong {now_ms}"));
        assert!(!has(r#"{"type":"pong"}"#) && !has("pong") && !has("hex:00"));
    }

    #[test]
    fn nonsense_is_refused_with_its_rule() {
        assert_eq!(refusal(""), "'' is not a pattern: it must not be empty");
        assert_eq!(refusal("hex:0"), "'hex:0' has 1 hex digits: bytes need an even number of them");
        assert_eq!(
            refusal(r#"{"type":"pong""#),
            "'{\"type\":\"pong\"' begins like a JSON object but is none: EOF while parsing an object at \
             line 1 column 14"
        );
        assert_eq!(
            refusal(r#"{"{id}":1}"#),
            "'{\"{id}\":1}' has a placeholder in a field's name ('{id}'): only values can have them"
        );
        for text in ["{seq}{now_ms}", r#"{"a":"{id}{seq}"}"#] {
            assert_eq!(
                refusal(text),
                format!("'{text}' has two placeholders side by side: there must be text between them")
            );
        }
        assert_eq!(refusal("{seq} {seq}"), "'{seq} {seq}' has {seq} twice in one text: once is enough");
        assert_eq!(refusal("\u{fdd0}"), "'\u{fdd0}' has the noncharacter U+FDD0: it is reserved");
    }

    #[test]
    fn a_hostile_message_neither_panics_nor_takes_long() {
        let pattern = "{id} {seq} {now_ms}!";
        assert!(!matches_text(pattern, &"1 ".repeat(500_000)));
        assert!(!matches_text(r#"{"a":{"a":"{id}"}}"#, &"{\"a\":".repeat(200_000)));
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_message_panics(pattern in "\\PC*", message in "\\PC*") {
            if let Ok(pattern) = pattern.parse::<Pattern>() {
                pattern.matches(&Incoming::new(MessageRef::Text(&message)));
                pattern.matches(&Incoming::new(MessageRef::Binary(message.as_bytes())));
                prop_assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern));
            }
        }

        #[test]
        fn text_without_places_matches_itself_and_nothing_else(one in "[a-z ]+", other in "[a-z ]+") {
            prop_assert!(matches_text(&one, &one));
            prop_assert_eq!(matches_text(&one, &other), one == other);
        }
    }
}
