//! What answers an app heartbeat: JSON fields, literal text or bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use super::captures::Captures;
use super::difference::{Difference, of_bytes, of_json, of_literal, of_prefixed, other_carrier};
use super::escapes::{MessageType, unescape, written};
use super::hex_pattern::HexPattern;
use super::inbound::{self, InboundMessage, MessageRef};
use super::json_pattern::{JsonPattern, JsonPatternError, PlaceholderValue};
use super::template::{
    ANY, Misspelling, PlaceholderName, TemplateError, TextPart, pattern_misspelling, pattern_parts,
};

/// Describes the messages that answer an ask (or that are awaited).
///
/// - JSON, when the text is an object or array once its placeholders are taken for values: a message
///   that contains all its fields with equal values; other fields are allowed, in nested objects too
/// - JSON behind other text, as in `42["pong",{any}]`: a message that begins so and goes on in such JSON
/// - `text:` and a literal text with escapes (`text:CONNECTED\n{any}`), in which nothing is taken for JSON
/// - `binary:` and JSON or a literal text: the same in a binary message
/// - `data:` and the same: in whichever kind of message
/// - `hex:c000`: a binary message of exactly these bytes; `?` leaves half a byte open, `*` what follows
/// - any other text: a text message that reads exactly so
///
/// `{seq}`, `{seq1}`, `{id}` and `{now_ms}` take what the message says in their place; `{any}` passes over it.
/// Several patterns together match what any of them does.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    languages: Vec<PatternLanguage>,
}

/// The ways in which a pattern describes a message.
#[derive(Debug, Clone, PartialEq)]
enum PatternLanguage {
    Json(MessageType, JsonPattern),
    /// JSON behind a prefix.
    Prefixed(MessageType, String, JsonPattern),
    Literal(MessageType, Vec<TextPart>),
    Bytes(HexPattern),
}

/// What a pattern finds in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PatternMatch {
    pub captures: Captures,
    /// The pattern has places for keys.
    pub has_places: bool,
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
    #[error("'{given}' has {placeholder} too often in one text: once is enough, and {{any}} twice")]
    Repeated { given: String, placeholder: &'static str },
    #[error("'{given}' has the noncharacter U+FDD0: it is reserved")]
    Reserved { given: String },
}

impl Pattern {
    /// What the message says at the placeholders; `None` when the pattern does not match it.
    pub fn matches(&self, incoming: &InboundMessage) -> Option<Captures> {
        self.find(incoming).map(|found| found.captures)
    }

    /// The same, and whether there are placeholders where it matches.
    pub(super) fn find(&self, incoming: &InboundMessage) -> Option<PatternMatch> {
        self.languages.iter().find_map(|language| {
            let captures = language.captures(incoming)?;
            Some(PatternMatch { captures, has_places: language.has_places() })
        })
    }

    /// Whether the pattern takes keys from messages that it matches.
    pub fn has_places(&self) -> bool {
        self.languages.iter().any(PatternLanguage::has_places)
    }

    /// One pattern that matches what any of these does; `None` of none.
    pub fn any_of(patterns: Vec<Pattern>) -> Option<Pattern> {
        let text = patterns.iter().map(|pattern| pattern.text.as_str()).collect::<Vec<_>>().join("' or '");
        let languages: Vec<PatternLanguage> =
            patterns.into_iter().flat_map(|pattern| pattern.languages).collect();
        (!languages.is_empty()).then_some(Pattern { text, languages })
    }

    /// How a message differs from what the pattern describes: from the way that it comes nearest to. `None` when the
    /// pattern matches.
    pub fn difference(&self, incoming: &InboundMessage) -> Option<Difference> {
        if self.matches(incoming).is_some() {
            return None;
        }
        self.languages
            .iter()
            .map(|language| language.difference(incoming))
            .max_by_key(|difference| difference.agreeing)
    }

    /// The JSON values that hold placeholders; none when the pattern is not JSON.
    pub(super) fn json_places(&self) -> Vec<PlaceholderValue> {
        self.languages.iter().flat_map(PatternLanguage::json_places).collect()
    }
}

impl PatternLanguage {
    fn captures(&self, incoming: &InboundMessage) -> Option<Captures> {
        match self {
            PatternLanguage::Bytes(bytes) => match incoming.message() {
                MessageRef::Binary(message) => bytes.captures(message),
                MessageRef::Text(_) => None,
            },
            PatternLanguage::Literal(carrier, parts) => {
                Captures::from_text(parts, text_of(incoming, *carrier)?)
            }
            PatternLanguage::Json(MessageType::Text, shape) => shape.captures(incoming.json()?),
            PatternLanguage::Json(carrier, shape) => {
                shape.captures(&inbound::parse(text_of(incoming, *carrier)?)?)
            }
            PatternLanguage::Prefixed(carrier, prefix, shape) => {
                let rest = text_of(incoming, *carrier)?.strip_prefix(prefix.as_str())?;
                shape.captures(&inbound::parse(rest)?)
            }
        }
    }

    /// How a message that it does not match differs.
    fn difference(&self, incoming: &InboundMessage) -> Difference {
        match self {
            PatternLanguage::Json(carrier, shape) => match text_of(incoming, *carrier) {
                Some(text) => of_json(shape, text),
                None => other_carrier(incoming, *carrier, |text| of_json(shape, text)),
            },
            PatternLanguage::Prefixed(carrier, prefix, shape) => match text_of(incoming, *carrier) {
                Some(text) => of_prefixed(prefix, shape, text),
                None => other_carrier(incoming, *carrier, |text| of_prefixed(prefix, shape, text)),
            },
            PatternLanguage::Literal(carrier, parts) => match text_of(incoming, *carrier) {
                Some(text) => of_literal(parts, text),
                None => other_carrier(incoming, *carrier, |text| of_literal(parts, text)),
            },
            PatternLanguage::Bytes(_) => of_bytes(incoming),
        }
    }

    /// Whether it takes keys from the messages that it matches.
    fn has_places(&self) -> bool {
        match self {
            PatternLanguage::Json(_, shape) | PatternLanguage::Prefixed(_, _, shape) => {
                !shape.places().is_empty()
            }
            PatternLanguage::Literal(_, parts) => parts.iter().any(TextPart::tells),
            PatternLanguage::Bytes(bytes) => bytes.has_places(),
        }
    }

    fn json_places(&self) -> Vec<PlaceholderValue> {
        match self {
            PatternLanguage::Json(MessageType::Text, shape) => shape.places(),
            PatternLanguage::Json(MessageType::Binary | MessageType::Either, _)
            | PatternLanguage::Prefixed(_, _, _)
            | PatternLanguage::Literal(_, _)
            | PatternLanguage::Bytes(_) => Vec::new(),
        }
    }
}

/// The text of a message of this kind.
fn text_of<'a>(incoming: &InboundMessage<'a>, carrier: MessageType) -> Option<&'a str> {
    match (carrier, incoming.message()) {
        (MessageType::Text | MessageType::Either, MessageRef::Text(text)) => Some(text),
        (MessageType::Binary | MessageType::Either, MessageRef::Binary(bytes)) => {
            std::str::from_utf8(bytes).ok()
        }
        (MessageType::Text, MessageRef::Binary(_)) | (MessageType::Binary, MessageRef::Text(_)) => None,
    }
}

impl Default for Pattern {
    /// The answer that goes with the default ask.
    fn default() -> Pattern {
        let text = r#"{"type":"pong"}"#;
        let field = ("type".to_string(), JsonPattern::Scalar("pong".into()));
        Pattern {
            text: text.to_string(),
            languages: vec![PatternLanguage::Json(MessageType::Text, JsonPattern::Object(vec![field]))],
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(given: &str) -> Result<Pattern, PatternError> {
        if let Some(Misspelling { found, near }) = pattern_misspelling(given) {
            return Err(TemplateError::Misspelt { given: given.to_string(), found, near }.into());
        }
        let language = match HexPattern::parse(given) {
            _ if given.is_empty() => return Err(PatternError::Empty),
            Some(bytes) => PatternLanguage::Bytes(bytes?),
            None => language(given)?,
        };
        Ok(Pattern { text: given.to_string(), languages: vec![language] })
    }
}

fn language(given: &str) -> Result<PatternLanguage, PatternError> {
    let written = written(given);
    if written.escaped {
        return literal(given, &unescape(given, written.body)?, written.carrier);
    }
    json_or_literal(given, written.body, written.carrier)
}

fn literal(given: &str, text: &str, carrier: MessageType) -> Result<PatternLanguage, PatternError> {
    let parts = pattern_parts(text);
    bounded(given, &parts)?;
    Ok(PatternLanguage::Literal(carrier, parts))
}

/// What opens with `{"` is meant as JSON: taken literally, a slip in it would look like lost pongs.
fn json_or_literal(given: &str, body: &str, carrier: MessageType) -> Result<PatternLanguage, PatternError> {
    match JsonPattern::parse(body) {
        Ok(shape) => Ok(PatternLanguage::Json(carrier, bounded_shape(given, shape)?)),
        Err(JsonPatternError::NotJson { why, at }) if body.trim_start().starts_with("{\"") => {
            let why = format!("{why} at {}", place(given, given.len() - body.len() + at));
            Err(PatternError::BrokenJson { given: given.to_string(), why })
        }
        Err(JsonPatternError::NotJson { .. } | JsonPatternError::NoContainer) => match prefixed(body) {
            Some((prefix, shape)) => {
                Ok(PatternLanguage::Prefixed(carrier, prefix.to_string(), bounded_shape(given, shape)?))
            }
            None => literal(given, body, carrier),
        },
        Err(error) => Err(refused(given, error)),
    }
}

/// Where a byte of a text is, for its reader: columns count characters from 1, and the line is named where there are
/// several. What is missing at the end is missing behind the last character.
fn place(text: &str, at: usize) -> String {
    let last = at.min(text.len().saturating_sub(1));
    let last = (0..=last).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let before = &text[..last];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[line_start..].chars().count() + 1;
    match text.trim_end().matches('\n').count() {
        0 => format!("column {column}"),
        _ => format!("line {} column {column}", before.matches('\n').count() + 1),
    }
}

/// Text without placeholders, and then JSON to the end.
fn prefixed(body: &str) -> Option<(&str, JsonPattern)> {
    let (prefix, json) = body.split_at(body.find(['[', '{'])?);
    let shape = JsonPattern::parse(json).ok()?;
    (!prefix.is_empty()).then_some((prefix, shape))
}

fn bounded_shape(given: &str, shape: JsonPattern) -> Result<JsonPattern, PatternError> {
    shape.places().iter().try_for_each(|place| bounded(given, place.parts()))?;
    Ok(shape)
}

fn refused(given: &str, error: JsonPatternError) -> PatternError {
    let given = given.to_string();
    match error {
        JsonPatternError::PlaceInName(name) => PatternError::PlaceInName { given, name },
        JsonPatternError::Reserved => PatternError::Reserved { given },
        JsonPatternError::NotJson { why, .. } => PatternError::BrokenJson { given, why },
        JsonPatternError::NoContainer => PatternError::Empty,
    }
}

/// So often a text may pass over anything.
const MAX_ANY_PLACEHOLDERS: usize = 2;

/// Where one place ends and the next begins must not be a riddle whose solution costs time: a peer
/// writes the messages.
fn bounded(given: &str, parts: &[TextPart]) -> Result<(), PatternError> {
    let times = |wanted: &TextPart| parts.iter().filter(|part| *part == wanted).count();
    let keys = PlaceholderName::ALL.map(|key| (TextPart::Place(key), key.placeholder()));
    let placeholders = keys.into_iter().chain([(TextPart::Any, ANY)]);
    let most = |part: &TextPart| if *part == TextPart::Any { MAX_ANY_PLACEHOLDERS } else { 1 };
    if let Some((_, placeholder)) = placeholders.into_iter().find(|(part, _)| times(part) > most(part)) {
        return Err(PatternError::Repeated { given: given.to_string(), placeholder });
    }
    let is_open = |part: &TextPart| matches!(part, TextPart::Place(_) | TextPart::Any);
    let side_by_side = |pair: &[TextPart]| pair.iter().all(is_open);
    if parts.windows(2).any(side_by_side) {
        Err(PatternError::Adjacent { given: given.to_string() })
    } else {
        Ok(())
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
        pattern.parse::<Pattern>().unwrap().matches(&InboundMessage::new(message))
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
    fn json_behind_a_prefix_is_matched_as_json() {
        assert!(matches_text(r#"42["pong",{any}]"#, r#"42[ "pong", {"t":1} ]"#));
        assert!(matches_text(r#"0{"sid":{any}}"#, r#"0{"sid":"x","upgrades":[]}"#));
        assert!(!matches_text(r#"0{"sid":{any}}"#, r#"40{"sid":"x"}"#));
        assert!(!matches_text(r#"0{"sid":{any}}"#, r#"{"sid":"x"}"#));
        let found = captured("430[{seq}]", MessageRef::Text("430[ 9 ]")).unwrap();
        assert_eq!(found.seq, Some(9));
        assert!(!matches_text(r#"text:42["pong"]"#, r#"42[ "pong" ]"#), "text: is literal");
    }

    #[test]
    fn escapes_and_binary_text_are_matched() {
        assert!(matches_text(r"text:CONNECTED\n{any}\0", "CONNECTED\nversion:1.2\n\n\0"));
        assert!(matches_text(r"text:\n", "\n") && !matches_text(r"text:\n", ""));
        assert!(captured("binary:INFO {any}", MessageRef::Binary(b"INFO {}\r\n")).is_some());
        assert!(captured("binary:PONG", MessageRef::Text("PONG")).is_none());
        let found = captured(r#"binary:{"pong":{seq}}"#, MessageRef::Binary(br#"{"a":0,"pong":3}"#)).unwrap();
        assert_eq!(found.seq, Some(3));
        for pattern in [r#"data:{"type":6}"#, r#"data:\x7b"type":6}"#] {
            let either = [MessageRef::Text(r#"{"type":6}"#), MessageRef::Binary(br#"{"type":6}"#)];
            assert!(either.into_iter().all(|message| captured(pattern, message).is_some()), "{pattern}");
        }
        let answer = "text:<iq{any}id='p{seq1}'{any}";
        let found =
            captured(answer, MessageRef::Text("<iq type='error' id='p4' xmlns='x'><e/></iq>")).unwrap();
        assert_eq!(found.seq, Some(3));
        assert!(captured(answer, MessageRef::Text("<message id='p4'/>")).is_none());
        assert!(captured("binary:{any}", MessageRef::Binary(&[0xff])).is_none(), "it is no text");
    }

    #[test]
    fn of_several_patterns_any_one_may_match() {
        let patterns = [r#"{"op":"ping","ret_msg":"pong"}"#, r#"{"op":"pong","n":{seq}}"#];
        let all = Pattern::any_of(patterns.map(|text| text.parse().unwrap()).to_vec()).unwrap();
        let find = |text: &str| all.find(&InboundMessage::new(MessageRef::Text(text)));
        assert!(!find(r#"{"op":"ping","ret_msg":"pong"}"#).unwrap().has_places);
        let found = find(r#"{"op":"pong","n":4}"#).unwrap();
        assert_eq!((found.captures.seq, found.has_places), (Some(4), true));
        assert_eq!(find(r#"{"op":"ping"}"#), None);
        assert_eq!(all.to_string(), format!("{}' or '{}", patterns[0], patterns[1]));
        assert_eq!(Pattern::any_of(Vec::new()), None);
    }

    #[test]
    fn bytes_are_matched_exactly_and_only_by_hex() {
        assert!(captured("hex:c000", MessageRef::Binary(&[0xc0, 0])).is_some());
        assert!(captured("hex:c000", MessageRef::Binary(&[0xc0, 0, 0])).is_none());
        assert!(captured("hex:2002??00", MessageRef::Binary(&[0x20, 2, 1, 0])).is_some());
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
        assert!(has("hex:00{seq}") && has(r#"3["{id}"]"#) && has("{seq1}"));
        assert!(!has(r#"{"type":"pong"}"#) && !has("pong") && !has("hex:00") && !has("hex:0?*"));
        assert!(!has(r#"{"at":{now_s}}"#) && matches_text(r#"{"at":{now_s}}"#, r#"{"at":3}"#));
        assert!(!has("PONG{any}") && !has(r#"{"a":"{any}","b":{any}}"#));
    }

    #[test]
    fn invalid_template_is_rejected_with_its_rule() {
        assert_eq!(refusal(""), "'' is not a pattern: it must not be empty");
        assert_eq!(refusal("hex:0"), "'hex:0' has 1 hex digits: bytes need an even number of them");
        assert_eq!(
            refusal(r#"{"type":"pong""#),
            "'{\"type\":\"pong\"' begins like a JSON object but is none: EOF while parsing an object at \
             column 14"
        );
        for (given, end) in [
            (r#"{"a":{seq}"#, "an object at column 10"),
            (r#"{"pong":{now_ms}000}"#, "expected `,` or `}` at column 17"),
            (r#"binary:{"pong":{now_ms}000}"#, "expected `,` or `}` at column 24"),
            (r#"{"é":{seq},"b":{id}x}"#, "expected `,` or `}` at column 20"),
            ("{\"a\":{seq},\n\"b\" 1}", "expected `:` at line 2 column 5"),
        ] {
            assert!(refusal(given).ends_with(end), "{}", refusal(given));
        }
        assert!(refusal(r#"{"n":{sq}}"#).contains("'{sq}', which is no placeholder: did you mean {seq}?"));
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
        assert_eq!(
            refusal("{seq} {seq}"),
            "'{seq} {seq}' has {seq} too often in one text: once is enough, and {any} twice"
        );
        assert_eq!(refusal("\u{fdd0}"), "'\u{fdd0}' has the noncharacter U+FDD0: it is reserved");
    }

    #[test]
    fn a_hostile_message_neither_panics_nor_takes_long() {
        for pattern in ["{any}a{any}a{seq}!", "text:<iq{any}id='p{seq1}'{any}"] {
            assert!(!matches_text(pattern, &"a".repeat(1_000_000)));
            assert!(!matches_text(pattern, &"<iqid='p".repeat(100_000)));
        }
        let pattern = "{id} {seq} {now_ms}!";
        assert!(!matches_text(pattern, &"1 ".repeat(500_000)));
        assert!(!matches_text(r#"{"a":{"a":"{id}"}}"#, &"{\"a\":".repeat(200_000)));
    }

    proptest! {
        #[test]
        fn no_pattern_and_no_message_panics(pattern in "\\PC*", message in "\\PC*") {
            if let Ok(pattern) = pattern.parse::<Pattern>() {
                pattern.matches(&InboundMessage::new(MessageRef::Text(&message)));
                pattern.matches(&InboundMessage::new(MessageRef::Binary(message.as_bytes())));
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
