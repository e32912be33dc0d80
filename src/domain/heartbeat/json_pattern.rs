//! JSON with placeholders: which messages have that shape, and what they say at its places.

use serde_json::{Map, Number, Value};

use super::captures::Captures;
use super::decimal::Decimal;
use super::template::{ANY, PlaceholderName, TextPart, pattern_parts};

/// Opens a string that stands for a bare placeholder while serde_json reads the text. A noncharacter
/// (Unicode 23.7), so no text has it by right.
const BARE_MARK: char = '\u{fdd0}';

/// JSON in which some values are placeholders.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum JsonPattern {
    /// Null, a boolean, a number, or a string without placeholders.
    Scalar(Value),
    /// A string with placeholders in it: `"{id}"`, `"hb-{seq}"`.
    Text(Vec<TextPart>),
    /// A placeholder that is the whole value, without quotes.
    Bare(PlaceholderName),
    /// `{any}`: whatever is there.
    Any,
    Object(Vec<(String, JsonPattern)>),
    Array(Vec<JsonPattern>),
}

/// Why a text is no JSON shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JsonPatternError {
    /// Why, and at which byte of the text.
    NotJson { why: String, at: usize },
    /// JSON, but neither an object nor an array.
    NoContainer,
    /// A field's name has a placeholder.
    PlaceInName(String),
    /// The text has the noncharacter that we need for ourselves.
    Reserved,
}

impl JsonPattern {
    /// Reads an object or array with placeholders.
    pub(super) fn parse(text: &str) -> Result<JsonPattern, JsonPatternError> {
        if text.contains(BARE_MARK) || text.to_ascii_lowercase().contains("\\ufdd0") {
            return Err(JsonPatternError::Reserved);
        }
        let quoted = quote_bare(text);
        let value = serde_json::from_str(&quoted.text).map_err(|error| quoted.fault(&error))?;
        match value {
            value @ (Value::Object(_) | Value::Array(_)) => shape(value),
            _ => Err(JsonPatternError::NoContainer),
        }
    }

    /// What `value` says at the places of this shape; `None` when it does not have the shape.
    ///
    /// - an object has all the fields of the shape's object, and may have others
    /// - an array has as many items as the shape's array, each in its position: protocols that use
    ///   arrays give the position, and so the length, a meaning
    /// - numbers are equal by value, exactly and with any number of digits: 1, 1.0 and 1e0 are one number
    /// - a string with placeholders is a string that reads alike
    /// - a bare `{seq}`, `{seq1}` or `{now_ms}` is a whole number, a bare `{id}` any string or number, `{any}` anything
    pub(super) fn captures(&self, value: &Value) -> Option<Captures> {
        match (self, value) {
            (JsonPattern::Object(fields), Value::Object(object)) => fields_in(fields, object),
            (JsonPattern::Array(items), Value::Array(values)) if items.len() == values.len() => {
                all(items.iter().zip(values).map(|(item, value)| item.captures(value)))
            }
            (JsonPattern::Any, _) => Some(Captures::default()),
            (JsonPattern::Text(parts), Value::String(text)) => Captures::from_text(parts, text),
            (JsonPattern::Bare(PlaceholderName::Id), Value::String(text)) => {
                Captures::of(PlaceholderName::Id, text)
            }
            (JsonPattern::Bare(key), Value::Number(number)) => Captures::of(*key, &number_text(number)),
            (JsonPattern::Scalar(one), other) => same(one, other).then(Captures::default),
            (
                JsonPattern::Object(_) | JsonPattern::Array(_) | JsonPattern::Text(_) | JsonPattern::Bare(_),
                _,
            ) => None,
        }
    }

    /// The places of this shape, each with the way to it.
    pub(super) fn places(&self) -> Vec<PlaceholderValue> {
        let mut places = Vec::new();
        self.collect(&mut Vec::new(), &mut places);
        places
    }

    fn collect(&self, path: &mut Vec<JsonPathStep>, places: &mut Vec<PlaceholderValue>) {
        let mut child = |step: JsonPathStep, shape: &JsonPattern| {
            path.push(step);
            shape.collect(path, places);
            path.pop();
        };
        match self {
            JsonPattern::Scalar(_) | JsonPattern::Any => {}
            JsonPattern::Text(parts) if !parts.iter().any(TextPart::tells) => {}
            JsonPattern::Bare(key) if !key.tells() => {}
            JsonPattern::Text(parts) => {
                places.push(PlaceholderValue { path: path.clone(), parts: parts.clone() })
            }
            JsonPattern::Bare(key) => {
                places.push(PlaceholderValue { path: path.clone(), parts: vec![TextPart::Place(*key)] })
            }
            JsonPattern::Object(fields) => {
                fields.iter().for_each(|(name, shape)| child(JsonPathStep::Field(name.clone()), shape));
            }
            JsonPattern::Array(items) => {
                items.iter().enumerate().for_each(|(index, shape)| child(JsonPathStep::Item(index), shape));
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum JsonPathStep {
    Field(String),
    Item(usize),
}

/// A value of a JSON shape that holds placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlaceholderValue {
    path: Vec<JsonPathStep>,
    parts: Vec<TextPart>,
}

impl PlaceholderValue {
    pub(super) fn has(&self, key: PlaceholderName) -> bool {
        self.parts.contains(&TextPart::Place(key))
    }

    /// The string in this place, taken apart; a bare placeholder is one part.
    pub(super) fn parts(&self) -> &[TextPart] {
        &self.parts
    }

    /// The value in the same place of another document; `None` where there is none, null, or an empty text: some
    /// services have the field in every answer, and nothing in it.
    pub(super) fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        let step = |value: &'a Value, step: &JsonPathStep| match step {
            JsonPathStep::Field(name) => value.get(name.as_str()),
            JsonPathStep::Item(index) => value.get(*index),
        };
        let says_nothing = |value: &&'a Value| value.is_null() || value.as_str() == Some("");
        self.path.iter().try_fold(document, step).filter(|value| !says_nothing(value))
    }

    /// What a value says at this place. Servers that repeat a key may change it from a number to a
    /// string or back, so either is read alike.
    pub(super) fn read(&self, value: &Value) -> Option<Captures> {
        match value {
            Value::String(text) => Captures::from_text(&self.parts, text),
            Value::Number(number) => Captures::from_text(&self.parts, &number_text(number)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// A text whose bare placeholders are in marked strings, and where they are.
struct QuotedText {
    text: String,
    /// Of each placeholder: where it begins in the original, and its length.
    places: Vec<(usize, usize)>,
}

impl QuotedText {
    /// What is put before and behind a placeholder, in bytes.
    const BEFORE: usize = '"'.len_utf8() + BARE_MARK.len_utf8();
    const BEHIND: usize = '"'.len_utf8();

    /// The words of serde_json, with the place in the original text.
    fn fault(&self, error: &serde_json::Error) -> JsonPatternError {
        let text = error.to_string();
        let why = text.rsplit_once(" at line ").map_or(text.as_str(), |(why, _)| why).to_string();
        let lines = self.text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let line_start: usize = lines.map(str::len).sum();
        JsonPatternError::NotJson { why, at: self.original(line_start + error.column().saturating_sub(1)) }
    }

    /// The byte of the original text that a byte of the quoted text stands for.
    fn original(&self, quoted: usize) -> usize {
        let mut added = 0;
        for (at, length) in &self.places {
            let begin = at + added;
            if quoted < begin {
                break;
            }
            let end = begin + QuotedText::BEFORE + length + QuotedText::BEHIND;
            if quoted < end {
                return at + quoted.saturating_sub(begin + QuotedText::BEFORE).min(*length);
            }
            added += QuotedText::BEFORE + QuotedText::BEHIND;
        }
        quoted - added
    }
}

/// Puts bare placeholders (outside strings) into marked strings, so that serde_json can read the text.
fn quote_bare(text: &str) -> QuotedText {
    let mut places = Vec::new();
    let mut quoted = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut skip_to) = (false, false, 0);
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        match bare(&text[at..]).filter(|_| !in_string) {
            Some(placeholder) => {
                quoted.extend(['"', BARE_MARK]);
                quoted.push_str(placeholder);
                quoted.push('"');
                places.push((at, placeholder.len()));
                skip_to = at + placeholder.len();
            }
            None => quoted.push(c),
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
    }
    QuotedText { text: quoted, places }
}

/// The placeholder that opens a text.
fn bare(text: &str) -> Option<&'static str> {
    PlaceholderName::opening(text)
        .map(PlaceholderName::placeholder)
        .or_else(|| text.starts_with(ANY).then_some(ANY))
}

fn shape(value: Value) -> Result<JsonPattern, JsonPatternError> {
    match value {
        Value::Object(object) => {
            object.into_iter().map(field).collect::<Result<Vec<_>, _>>().map(JsonPattern::Object)
        }
        Value::Array(items) => {
            items.into_iter().map(shape).collect::<Result<Vec<_>, _>>().map(JsonPattern::Array)
        }
        Value::String(text) => Ok(text_shape(text)),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(JsonPattern::Scalar(scalar)),
    }
}

fn field((name, value): (String, Value)) -> Result<(String, JsonPattern), JsonPatternError> {
    let placeholders = PlaceholderName::ALL.map(PlaceholderName::placeholder);
    let has_place =
        name.contains(BARE_MARK) || placeholders.iter().any(|placeholder| name.contains(placeholder));
    if has_place {
        return Err(JsonPatternError::PlaceInName(name.replace(BARE_MARK, "")));
    }
    Ok((name, shape(value)?))
}

fn text_shape(text: String) -> JsonPattern {
    if let Some(placeholder) = text.strip_prefix(BARE_MARK) {
        return PlaceholderName::opening(placeholder).map_or(JsonPattern::Any, JsonPattern::Bare);
    }
    let parts = pattern_parts(&text);
    if parts.iter().any(|part| !matches!(part, TextPart::Literal(_))) {
        JsonPattern::Text(parts)
    } else {
        JsonPattern::Scalar(Value::String(text))
    }
}

fn fields_in(fields: &[(String, JsonPattern)], object: &Map<String, Value>) -> Option<Captures> {
    all(fields.iter().map(|(name, shape)| shape.captures(object.get(name)?)))
}

fn all(mut parts: impl Iterator<Item = Option<Captures>>) -> Option<Captures> {
    parts.try_fold(Captures::default(), |sum, part| sum.and(part?))
}

/// Whether two scalars are equal; numbers by value, exactly.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => decimal(one) == decimal(other),
        (one, other) => one == other,
    }
}

fn decimal(number: &Number) -> Decimal {
    Decimal::read(&number.to_string())
}

/// A number as text: a whole one without fraction and exponent.
fn number_text(number: &Number) -> String {
    decimal(number).whole().unwrap_or_else(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(shape: &str, json: &str) -> Option<Captures> {
        JsonPattern::parse(shape).unwrap().captures(&serde_json::from_str(json).unwrap())
    }

    fn fits(shape: &str, json: &str) -> bool {
        captured(shape, json).is_some()
    }

    #[test]
    fn other_fields_are_allowed_and_missing_ones_are_not() {
        assert!(fits(r#"{"a":1}"#, r#"{"b":2,"a":1}"#));
        assert!(fits("{}", r#"{"a":1}"#));
        assert!(!fits(r#"{"a":1,"b":2}"#, r#"{"a":1}"#));
        assert!(!fits(r#"{"a":null}"#, "{}"));
        assert!(!fits("{}", "[]"));
    }

    #[test]
    fn nested_objects_are_matched_alike() {
        let shape = r#"{"a":{"b":[{"c":true}]}}"#;
        assert!(fits(shape, r#"{"a":{"x":0,"b":[{"c":true,"d":0}]}}"#));
        assert!(!fits(shape, r#"{"a":{"b":[{"c":false}]}}"#));
    }

    #[test]
    fn anything_may_be_asked_for_where_there_must_be_something() {
        assert!(fits(r#"{"sid":{any}}"#, r#"{"sid":"x"}"#) && fits(r#"{"sid":{any}}"#, r#"{"sid":null}"#));
        assert!(!fits(r#"{"sid":{any}}"#, "{}"));
        assert!(fits(r#"["tx",{any},{any}]"#, r#"["tx",{"a":1},[2]]"#));
        assert!(fits(r#"{"a":"x{any}"}"#, r#"{"a":"xy"}"#) && !fits(r#"{"a":"x{any}"}"#, r#"{"a":"y"}"#));
    }

    #[test]
    fn an_array_is_matched_by_position_and_length() {
        assert!(fits("[1,2]", "[1,2]"));
        assert!(!fits("[1,2]", "[2,1]"));
        assert!(!fits("[1,2]", "[1]"));
        assert!(!fits("[1,2]", "[1,2,3]"));
        assert!(!fits("[]", "[1]"));
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(fits("[1]", "[1.0]") && fits("[1.0]", "[1]") && fits("[1e2]", "[100]"));
        assert!(fits("[0.5]", "[0.50]") && fits("[-1]", "[-1.0]"));
        assert!(!fits("[1]", "[1.5]") && !fits("[1]", "[\"1\"]") && !fits("[0]", "[false]"));
        assert!(!fits("[9007199254740992]", "[9007199254740993]"));
        assert!(fits("[18446744073709551615]", "[18446744073709551615]"));
        assert!(fits("[1e300]", "[1e300]") && !fits("[1e300]", "[1]"));
        assert!(!fits("[18446744073709551617]", "[18446744073709551616]"), "2^64 + 1 and 2^64");
        let id = "1234567890123456789012345678901234567890";
        assert!(
            fits(&format!("[{id}]"), &format!("[{id}]")) && fits(&format!("[{id}]"), &format!("[{id}.0]"))
        );
        assert!(!fits(&format!("[{id}]"), "[1234567890123456789012345678901234567891]"));
        assert_eq!(captured("[{id}]", &format!("[{id}]")).unwrap().id.as_deref(), Some(id));
    }

    #[test]
    fn a_quoted_place_is_in_a_string_and_a_bare_one_is_not() {
        assert_eq!(captured(r#"{"n":"{seq}"}"#, r#"{"n":"5"}"#).unwrap().seq, Some(5));
        assert_eq!(captured(r#"{"n":"{seq}"}"#, r#"{"n":5}"#), None);
        assert_eq!(captured(r#"{"n":{seq}}"#, r#"{"n":5.0}"#).unwrap().seq, Some(5));
        assert_eq!(captured(r#"{"n":{seq}}"#, r#"{"n":"5"}"#), None);
        assert_eq!(captured(r#"{"n":{seq}}"#, r#"{"n":-5}"#), None);
        assert_eq!(captured(r#"[{id}]"#, r#"["x"]"#).unwrap().id.as_deref(), Some("x"));
        assert_eq!(captured(r#"[{id}]"#, "[17]").unwrap().id.as_deref(), Some("17"));
    }

    #[test]
    fn a_place_may_be_part_of_a_longer_string() {
        let found = captured(r#"{"ref":"hb-{seq}-{now_ms}"}"#, r#"{"ref":"hb-3-99"}"#).unwrap();
        assert_eq!((found.seq, found.now_ms), (Some(3), Some(99)));
    }

    #[test]
    fn a_bare_place_in_a_string_is_text_with_a_place() {
        let found = captured(r#"{"a":"\"{seq}\\","b":{seq}}"#, r#"{"a":"\"7\\","b":7}"#).unwrap();
        assert_eq!(found.seq, Some(7));
        assert_eq!(captured(r#"{"a":"\"{seq}\\","b":{seq}}"#, r#"{"a":"\"7\\","b":8}"#), None);
    }

    #[test]
    fn what_is_no_shape_is_named() {
        assert!(matches!(JsonPattern::parse("{\"a\""), Err(JsonPatternError::NotJson { .. })));
        assert_eq!(JsonPattern::parse("{seq}"), Err(JsonPatternError::NoContainer));
        assert_eq!(JsonPattern::parse("\"x\""), Err(JsonPatternError::NoContainer));
        assert_eq!(
            JsonPattern::parse(r#"{"{id}":1}"#),
            Err(JsonPatternError::PlaceInName("{id}".to_string()))
        );
        assert_eq!(JsonPattern::parse(r#"{{id}:1}"#), Err(JsonPatternError::PlaceInName("{id}".to_string())));
        assert_eq!(JsonPattern::parse("[\"\u{fdd0}\"]"), Err(JsonPatternError::Reserved));
        assert_eq!(JsonPattern::parse("[\"\\uFDD0{seq}\"]"), Err(JsonPatternError::Reserved));
    }

    #[test]
    fn faults_are_where_the_text_has_them() {
        let at = |text: &str| match JsonPattern::parse(text) {
            Err(JsonPatternError::NotJson { at, .. }) => at,
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(at(r#"{"pong":{now_ms}000}"#), 16);
        assert_eq!(at(r#"{"a":{seq},"b":{seq},x}"#), 21);
        assert_eq!(at("{\"a\":{seq},\n\"b\" 1}"), 16);
        assert_eq!(at(r#"{"a":1,}"#), 7);
        assert_eq!(at(r#"{"a":{seq}"#), 10);
        assert_eq!(at(r#"{"a":{seq}{id}}"#), 10);
    }

    #[test]
    fn places_are_found_again_in_another_document() {
        let shape = JsonPattern::parse(r#"{"d":[0,{"id":"{id}"}],"t":{now_ms}}"#).unwrap();
        let document = serde_json::json!({"t": "12", "d": [9, {"id": "x"}]});
        let read = |place: &PlaceholderValue| place.read(place.find(&document)?);
        let found: Vec<_> = shape.places().iter().map(read).collect();
        assert_eq!(found[0].as_ref().unwrap().id.as_deref(), Some("x"));
        assert_eq!(found[1].as_ref().unwrap().now_ms, Some(12));
        assert!(shape.places()[0].find(&serde_json::json!({"d": [9]})).is_none());
        assert!(shape.places()[1].find(&serde_json::json!({"t": null})).is_none());
    }
}
