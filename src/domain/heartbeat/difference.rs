//! How a message differs from a pattern, in words that help to write the pattern.

use serde_json::Value;

use super::captures::Captures;
use super::escapes::MessageType;
use super::inbound::{self, InboundMessage, MessageRef};
use super::json_pattern::{JsonPattern, same};
use super::template::{ANY, PlaceholderName, TextPart};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::secrets::HIDDEN;

/// Maximum number of differences listed.
const MAX_NAMED: usize = 3;
/// Maximum length of a value shown, in characters.
const MAX_VALUE: usize = 60;

/// How a message differs from a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How much of the pattern agrees with the message. Of several messages, the one with the highest score
    /// is the likeliest answer.
    pub agreeing: u32,
    /// Lower-case fragments; peer data in them is escaped.
    pub points: Vec<String>,
}

impl Difference {
    /// An answer whose only difference is its id or number.
    pub fn foreign() -> Difference {
        Difference { agreeing: u32::MAX, points: vec!["its id or number is none of ours".to_string()] }
    }

    fn only(point: &str) -> Difference {
        Difference { agreeing: 0, points: vec![point.to_string()] }
    }

    /// The points as one fragment.
    pub fn describe(&self) -> String {
        let more = self.points.len().saturating_sub(MAX_NAMED);
        let named = self.points.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join("; ");
        if more == 0 { named } else { format!("{named}; and {more} more") }
    }

    fn add(&mut self, point: String) {
        self.points.push(point);
    }

    /// Adds an agreement; `weight` is how significant it is.
    fn agree(&mut self, weight: u32) {
        self.agreeing = self.agreeing.saturating_add(weight);
    }
}

/// An equal value is more significant than a field that merely exists.
const EQUAL: u32 = 2;
const PRESENT: u32 = 1;

/// How a text differs from this JSON pattern.
pub(super) fn of_json(shape: &JsonPattern, text: &str) -> Difference {
    let Some(value) = inbound::parse(text) else {
        return Difference::only("it is no JSON, and the pattern is");
    };
    let mut difference = Difference { agreeing: 0, points: Vec::new() };
    compare(shape, &value, "", &mut difference);
    difference
}

/// The same, with text before the JSON.
pub(super) fn of_prefixed(prefix: &str, shape: &JsonPattern, text: &str) -> Difference {
    match text.strip_prefix(prefix) {
        Some(rest) => {
            let mut difference = of_json(shape, rest);
            difference.agree(PRESENT);
            difference
        }
        None => Difference::only(&format!("it does not begin with '{}'", UntrustedText::new(prefix))),
    }
}

/// How a text differs from a literal one.
pub(super) fn of_literal(parts: &[TextPart], text: &str) -> Difference {
    let near = |point: &str| Difference { agreeing: EQUAL, points: vec![point.to_string()] };
    if Captures::from_text(parts, text).is_some() {
        return Difference { agreeing: EQUAL, points: Vec::new() };
    }
    let lowered: Vec<TextPart> = parts.iter().map(lower).collect();
    if Captures::from_text(parts, text.trim()).is_some() {
        return near("it has white space at an end, which the pattern has not");
    }
    if Captures::from_text(&lowered, &text.to_lowercase()).is_some() {
        return near("only the letter case differs");
    }
    match inbound::parse(text) {
        Some(_) => Difference::only("it is JSON, and the pattern is plain text"),
        None => Difference::only("it reads otherwise"),
    }
}

fn lower(part: &TextPart) -> TextPart {
    match part {
        TextPart::Literal(text) => TextPart::Literal(text.to_lowercase()),
        TextPart::Place(_) | TextPart::Any => part.clone(),
    }
}

/// How a message differs from bytes.
pub(super) fn of_bytes(incoming: &InboundMessage) -> Difference {
    match incoming.message() {
        MessageRef::Text(_) => Difference::only("it came as a text message, and hex: describes a binary one"),
        MessageRef::Binary(bytes) => {
            Difference::only(&format!("its {} differ from the pattern's", counted_bytes(bytes.len())))
        }
    }
}

fn counted_bytes(count: usize) -> String {
    if count == 1 { "1 byte".to_string() } else { format!("{count} bytes") }
}

/// The difference if the pattern expects text and the message is binary, or the reverse.
pub(super) fn other_carrier(
    incoming: &InboundMessage,
    wanted: MessageType,
    compare: impl Fn(&str) -> Difference,
) -> Difference {
    let (came, text) = match incoming.message() {
        MessageRef::Text(text) => ("text", Some(text)),
        MessageRef::Binary(bytes) => ("binary", std::str::from_utf8(bytes).ok()),
    };
    let advice = match wanted {
        MessageType::Text => "write binary: before the pattern",
        MessageType::Binary => "the pattern's binary: must go",
        MessageType::Either => "it is not UTF-8",
    };
    let inner = text.map(compare).unwrap_or(Difference { agreeing: 0, points: Vec::new() });
    let first = format!("it came as a {came} message: {advice}");
    Difference { agreeing: inner.agreeing, points: [vec![first], inner.points].concat() }
}

/// Adds how a value differs from a pattern; `path` leads to it.
fn compare(shape: &JsonPattern, value: &Value, path: &str, difference: &mut Difference) {
    match (shape, value) {
        (JsonPattern::Any, _) => difference.agree(PRESENT),
        (JsonPattern::Object(fields), Value::Object(object)) => {
            for (name, shape) in fields {
                let path = joined(path, name);
                match object.get(name) {
                    Some(value) => compare(shape, value, &path, difference),
                    None => difference.add(missing(&path, name, object.keys())),
                }
            }
        }
        (JsonPattern::Array(items), Value::Array(values)) if items.len() == values.len() => {
            for (index, (item, value)) in items.iter().zip(values).enumerate() {
                compare(item, value, &format!("{path}[{index}]"), difference);
            }
        }
        (JsonPattern::Array(items), Value::Array(values)) => {
            difference.add(format!("{} has {} items, not {}", named(path), values.len(), items.len()));
        }
        (JsonPattern::Object(_) | JsonPattern::Array(_), _) => {
            difference.add(format!("{} is {}, not {}", named(path), shown(path, value), kind_of(shape)));
        }
        (JsonPattern::Scalar(wanted), value) if same(wanted, value) => difference.agree(EQUAL),
        (JsonPattern::Scalar(wanted), value) => {
            difference.agree(PRESENT);
            difference.add(format!(
                "{} is {}, not {}{}",
                named(path),
                shown(path, value),
                shown(path, wanted),
                alike(wanted, value)
            ));
        }
        (JsonPattern::Bare(_) | JsonPattern::Text(_), _) => compare_place(shape, value, path, difference),
    }
}

/// Compares a value with a placeholder, alone or in a string.
fn compare_place(shape: &JsonPattern, value: &Value, path: &str, difference: &mut Difference) {
    if shape.captures(value).is_some() {
        return difference.agree(EQUAL);
    }
    difference.agree(PRESENT);
    let (name, came) = (named(path), shown(path, value));
    difference.add(match (shape, value) {
        (JsonPattern::Bare(key), Value::String(text)) if Captures::of(*key, text).is_some() => {
            format!("{name} came as the string {came}: write \"{}\" in the pattern", key.placeholder())
        }
        (JsonPattern::Text(parts), Value::Number(_)) if matches!(parts.as_slice(), [TextPart::Place(_)]) => {
            format!(
                "{name} came as the number {came}: write {} without quotes in the pattern",
                written(parts)
            )
        }
        (JsonPattern::Bare(key), _) => format!("{name} is {came}, which does not fit {}", key.placeholder()),
        (JsonPattern::Text(parts), _) => {
            format!("{name} is {came}, which does not fit \"{}\"", written(parts))
        }
        (_, _) => format!("{name} is {came}"),
    });
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// A location in the message, for a sentence.
fn named(path: &str) -> String {
    if path.is_empty() { "it".to_string() } else { format!("`{}`", UntrustedText::new(path)) }
}

fn missing<'a>(path: &str, name: &str, mut present: impl Iterator<Item = &'a String>) -> String {
    let is_alike = |other: &&String| other.to_lowercase() == name.to_lowercase();
    match present.find(is_alike) {
        Some(other) => format!("{} is written `{}`", named(path), UntrustedText::new(other)),
        None => format!("{} is missing", named(path)),
    }
}

/// A hint if two different values are similar.
fn alike(wanted: &Value, came: &Value) -> &'static str {
    match (wanted, came) {
        (Value::String(wanted), Value::String(came)) if wanted.to_lowercase() == came.to_lowercase() => {
            " (only the letter case differs)"
        }
        (Value::Number(wanted), Value::String(came)) if wanted.to_string() == *came => {
            " (a string, not a number)"
        }
        (Value::String(wanted), Value::Number(came)) if came.to_string() == *wanted => {
            " (a number, not a string)"
        }
        (_, _) => "",
    }
}

/// A value of the peer's as JSON, escaped and truncated; hidden if its field's name marks it as a secret.
fn shown(path: &str, value: &Value) -> String {
    let name = path.rsplit('.').next().unwrap_or_default();
    let field = serde_json::json!({ name: value }).to_string();
    match value {
        Value::String(_) | Value::Number(_) if UntrustedText::new(&field).as_str().contains(HIDDEN) => {
            HIDDEN.to_string()
        }
        value => written_value(value),
    }
}

fn written_value(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_string(),
        Value::Array(_) => "an array".to_string(),
        Value::String(text) => format!("\"{}\"", cut(text)),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => cut(&scalar.to_string()),
    }
}

fn cut(text: &str) -> String {
    let short: String = text.chars().take(MAX_VALUE).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", UntrustedText::new(&short))
}

fn kind_of(shape: &JsonPattern) -> &'static str {
    match shape {
        JsonPattern::Object(_) => "an object",
        JsonPattern::Array(_) => "an array",
        JsonPattern::Scalar(_) | JsonPattern::Text(_) | JsonPattern::Bare(_) | JsonPattern::Any => "a value",
    }
}

fn written(parts: &[TextPart]) -> String {
    let text = |part: &TextPart| match part {
        TextPart::Literal(text) => UntrustedText::new(text).to_string(),
        TextPart::Place(key) => PlaceholderName::placeholder(*key).to_string(),
        TextPart::Any => ANY.to_string(),
    };
    parts.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Pattern;
    use super::*;
    use proptest::prelude::*;

    fn of(pattern: &str, message: MessageRef) -> String {
        let pattern: Pattern = pattern.parse().unwrap();
        pattern.difference(&InboundMessage::new(message)).unwrap().describe()
    }

    fn of_text(pattern: &str, text: &str) -> String {
        of(pattern, MessageRef::Text(text))
    }

    #[test]
    fn values_of_another_type_suggest_a_pattern() {
        assert_eq!(
            of_text(r#"{"pong":true,"n":{seq}}"#, r#"{"pong":true,"n":"0"}"#),
            r#"`n` came as the string "0": write "{seq}" in the pattern"#
        );
        assert_eq!(
            of_text(r#"{"n":"{seq}"}"#, r#"{"n":0}"#),
            "`n` came as the number 0: write {seq} without quotes in the pattern"
        );
        assert_eq!(of_text(r#"{"n":1}"#, r#"{"n":"1"}"#), "`n` is \"1\", not 1 (a string, not a number)");
        assert_eq!(of_text(r#"{"n":"1"}"#, r#"{"n":1}"#), "`n` is 1, not \"1\" (a number, not a string)");
        assert_eq!(of_text(r#"{"n":{seq}}"#, r#"{"n":null}"#), "`n` is null, which does not fit {seq}");
        assert_eq!(of_text(r#"{"n":{seq}}"#, r#"{"n":1.5}"#), "`n` is 1.5, which does not fit {seq}");
    }

    #[test]
    fn other_values_and_missing_fields_are_named() {
        assert_eq!(
            of_text(r#"{"type":"pong"}"#, r#"{"type":"error","message":"unknown command: ping"}"#),
            r#"`type` is "error", not "pong""#
        );
        assert_eq!(of_text(r#"{"a":{"b":1}}"#, r#"{"a":{"c":1}}"#), "`a.b` is missing");
        assert_eq!(of_text(r#"{"a":{"b":1}}"#, r#"{"a":[1]}"#), "`a` is an array, not an object");
        assert_eq!(of_text(r#"["pong",1]"#, r#"["pong",2]"#), "`[1]` is 2, not 1");
        assert_eq!(of_text(r#"["pong"]"#, r#"["pong",2]"#), "it has 2 items, not 1");
        assert_eq!(of_text(r#"["pong"]"#, r#"{"pong":2}"#), "it is an object, not an array");
        assert_eq!(
            of_text(r#"{"a":1,"b":1,"c":1,"d":1}"#, "{}"),
            "`a` is missing; `b` is missing; `c` is missing; and 1 more"
        );
    }

    #[test]
    fn letter_case_and_white_space_are_named() {
        assert_eq!(of_text(r#"{"type":"pong"}"#, r#"{"Type":"pong"}"#), "`type` is written `Type`");
        assert_eq!(
            of_text(r#"{"type":"pong"}"#, r#"{"type":"PONG"}"#),
            r#"`type` is "PONG", not "pong" (only the letter case differs)"#
        );
        assert_eq!(of_text("pong", "PONG"), "only the letter case differs");
        assert_eq!(of_text("pong", "pong\n"), "it has white space at an end, which the pattern has not");
        assert_eq!(of_text("pong", "hello"), "it reads otherwise");
    }

    #[test]
    fn another_kind_of_message_is_named() {
        assert_eq!(of_text(r#"{"type":"pong"}"#, "pong"), "it is no JSON, and the pattern is");
        assert_eq!(of_text("pong", r#"{"type":"pong"}"#), "it is JSON, and the pattern is plain text");
        let binary = of(r#"{"type":"pong"}"#, MessageRef::Binary(br#"{"type":"pong"}"#));
        assert_eq!(binary, "it came as a binary message: write binary: before the pattern");
        assert_eq!(of("pong", MessageRef::Binary(b"pong")), binary);
        let text = of_text(r#"binary:{"type":"pong"}"#, r#"{"type":"pong"}"#);
        assert_eq!(text, "it came as a text message: the pattern's binary: must go");
        assert_eq!(of_text("hex:00", "x"), "it came as a text message, and hex: describes a binary one");
        assert_eq!(of("hex:00", MessageRef::Binary(&[1])), "its 1 byte differ from the pattern's");
        assert_eq!(of_text(r#"42["pong"]"#, r#"43["pong"]"#), "it does not begin with '42'");
        assert_eq!(of_text(r#"42["pong"]"#, r#"42["pang"]"#), r#"`[0]` is "pang", not "pong""#);
    }

    #[test]
    fn message_that_agrees_more_is_the_likelier_answer() {
        let pattern: Pattern = r#"{"type":"pong","id":{seq}}"#.parse().unwrap();
        let agreeing =
            |text: &str| pattern.difference(&InboundMessage::new(MessageRef::Text(text))).unwrap().agreeing;
        let order = ["hello", r#"{"type":"news"}"#, r#"{"type":"pong"}"#, r#"{"type":"pong","id":"7"}"#];
        let found = order.map(agreeing);
        assert!(found.is_sorted_by(|one, other| one < other), "{found:?}");
    }

    #[test]
    fn values_of_secret_fields_are_hidden() {
        let text = of_text(r#"{"token":"x"}"#, r#"{"token":"a8f3c91b77e04d2f"}"#);
        assert!(text.starts_with("`token` is ***") && !text.contains("a8f3"), "{text}");
    }

    #[test]
    fn hostile_values_are_escaped_and_cut() {
        let long = format!(r#"{{"type":"\u001b[2J{}"}}"#, "x".repeat(1000));
        let text = of_text(r#"{"type":"pong"}"#, &long);
        assert!(text.len() < 200 && !text.contains('\u{1b}'), "{text}");
    }

    proptest! {
        #[test]
        fn no_message_panics_and_a_match_has_no_difference(message in "\\PC*") {
            for pattern in [r#"{"a":[{"b":{seq}}],"c":"{id}"}"#, "pong {seq}", "hex:00", r#"42["x",{any}]"#] {
                let pattern: Pattern = pattern.parse().unwrap();
                let incoming = InboundMessage::new(MessageRef::Text(&message));
                prop_assert_eq!(pattern.difference(&incoming).is_none(), pattern.matches(&incoming).is_some());
            }
        }
    }
}
