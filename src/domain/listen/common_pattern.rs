//! What the messages of one form have in common, as a pattern that matches all of them.

use serde_json::{Map, Value};

use super::form::MessageForm;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::secrets;

/// Marks a changing value inside a JSON document: a noncharacter, which no valid text contains.
const CHANGING_MARK: &str = "\u{fdd1}";
const ANY: &str = "{any}";
/// Maximum number of variable parts in a text.
const MAX_OPEN_PARTS: usize = 2;

/// What the messages so far have in common.
#[derive(Debug, Clone, PartialEq)]
pub enum CommonPattern {
    /// Text before JSON, as in `42["ping"]`, and the fields equal in all messages.
    Json(String, Value),
    /// The parts equal in all texts; between them something changes.
    Text(Vec<String>),
    /// The bytes of binary messages, `None` where they differ; and whether all had one length.
    Bytes(Vec<Option<u8>>, bool),
}

impl CommonPattern {
    /// The pattern of the first message.
    pub fn of(message: MessageRef<'_>) -> CommonPattern {
        match message {
            MessageRef::Binary(bytes) => {
                CommonPattern::Bytes(bytes.iter().copied().map(Some).collect(), true)
            }
            MessageRef::Text(text) => match json(text) {
                Some((prefix, value)) => CommonPattern::Json(prefix.to_string(), value),
                None => CommonPattern::Text(vec![text.to_string()]),
            },
        }
    }

    /// Adds the next message, whose other parts may change.
    pub fn merge(&mut self, message: MessageRef<'_>, literals: &[&str]) {
        match (self, message) {
            (CommonPattern::Json(prefix, common), MessageRef::Text(text)) => match json(text) {
                Some((other, value)) if other == prefix => merge(common, &value),
                Some(_) | None => *common = Value::Object(Map::new()),
            },
            (CommonPattern::Text(stretches), MessageRef::Text(text)) => {
                if stretches.as_slice() != [text] {
                    *stretches = literals.iter().map(|literal| literal.to_string()).collect();
                }
            }
            (CommonPattern::Bytes(common, is_same_length), MessageRef::Binary(bytes)) => {
                *is_same_length &= common.len() == bytes.len();
                common.truncate(bytes.len());
                let differs = |(one, other): (&mut Option<u8>, &u8)| *one = one.filter(|byte| byte == other);
                common.iter_mut().zip(bytes).for_each(differs);
            }
            (CommonPattern::Json(..) | CommonPattern::Text(_), MessageRef::Binary(_))
            | (CommonPattern::Bytes(..), MessageRef::Text(_)) => {}
        }
    }

    /// A pattern that matches all messages so far, and none that look different. `None` if they have too
    /// little in common, or only secrets.
    pub fn pattern(&self, message: MessageRef<'_>) -> Option<String> {
        let text = match self {
            CommonPattern::Json(prefix, common) => Some(format!("{prefix}{}", json_pattern(common)?)),
            CommonPattern::Text(stretches) => text_pattern(stretches),
            CommonPattern::Bytes(common, is_same_length) => bytes_pattern(common, *is_same_length),
        }?;
        let matches = text.parse::<Pattern>().ok()?.matches(&InboundMessage::new(message)).is_some();
        (matches && secrets::redact(&text) == text).then_some(text)
    }
}

/// The JSON in a text, and the text before it.
fn json(text: &str) -> Option<(&str, Value)> {
    let (prefix, json) = text.split_at(text.find(['{', '['])?);
    let is_prefix = prefix.chars().all(|c| c.is_ascii_digit() || c.is_ascii_alphabetic());
    is_prefix.then(|| serde_json::from_str(json).ok()).flatten().map(|value| (prefix, value))
}

/// Keeps what both documents have.
fn merge(common: &mut Value, other: &Value) {
    match (common, other) {
        (Value::Object(fields), Value::Object(others)) => fields.retain(|name, value| {
            let Some(other) = others.get(name) else { return false };
            merge(value, other);
            *value != CHANGING_MARK
        }),
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            items.iter_mut().zip(others).for_each(|(item, other)| merge(item, other));
        }
        (common, other) if common == other => {}
        (common, _) => *common = CHANGING_MARK.into(),
    }
}

/// Requires what all messages have; `None` if nothing is left.
fn json_pattern(common: &Value) -> Option<String> {
    let mut common = common.clone();
    without_secrets(&mut common);
    let has_literal = match &common {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => items.iter().any(|item| *item != CHANGING_MARK),
        _ => false,
    };
    has_literal.then(|| common.to_string().replace(&format!("\"{CHANGING_MARK}\""), ANY))
}

fn without_secrets(common: &mut Value) {
    match common {
        Value::Object(fields) => {
            fields.retain(|name, _| secrets::names::secrecy(name).is_none());
            fields.values_mut().for_each(without_secrets);
        }
        Value::Array(items) => items.iter_mut().for_each(without_secrets),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The fixed parts with wildcards between; of too many parts, only the first and the last.
fn text_pattern(stretches: &[String]) -> Option<String> {
    let open = stretches.len().saturating_sub(1);
    let text = match (stretches, open) {
        (_, ..=MAX_OPEN_PARTS) => stretches.join(ANY),
        ([first, .., last], _) if !last.is_empty() => format!("{first}{ANY}{last}"),
        (stretches, _) => format!("{}{ANY}", stretches.first()?),
    };
    let has_literal = stretches.iter().any(|stretch| stretch.contains(char::is_alphabetic));
    let needs_escapes = text.contains(|c: char| c.is_control())
        || ["text:", "binary:", "data:", "hex:"].iter().any(|prefix| text.starts_with(prefix));
    match needs_escapes {
        _ if !has_literal => None,
        true => Some(format!("text:{}", escaped(&text)?)),
        false => Some(text),
    }
}

/// Escapes a text for a pattern; `None` if a character has no escape.
fn escaped(text: &str) -> Option<String> {
    let mut written = String::new();
    for c in text.chars() {
        match c {
            '\\' => written.push_str("\\\\"),
            '\r' => written.push_str("\\r"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            '\0' => written.push_str("\\0"),
            '\x1e' => written.push_str("\\x1e"),
            c if c.is_control() => return None,
            c => written.push(c),
        }
    }
    Some(written)
}

fn bytes_pattern(common: &[Option<u8>], is_same_length: bool) -> Option<String> {
    let known = common.iter().flatten().count();
    let digits: String =
        common.iter().map(|byte| byte.map_or("??".to_string(), |byte| format!("{byte:02x}"))).collect();
    let rest = if is_same_length { "" } else { "*" };
    (known > 0).then(|| format!("hex:{digits}{rest}"))
}

/// The fixed parts of a text, by its form.
pub fn literals<'a>(text: &'a str, form: &MessageForm) -> Vec<&'a str> {
    let mut literals = Vec::with_capacity(form.places.len() + 1);
    let mut from = 0;
    for place in &form.places {
        literals.push(&text[from..place.at.start]);
        from = place.at.end;
    }
    literals.push(&text[from..]);
    literals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pattern of these messages; asserts that it matches each of them.
    fn pattern(messages: &[&str]) -> Option<String> {
        let mut common = CommonPattern::of(MessageRef::Text(messages[0]));
        for text in &messages[1..] {
            common.merge(MessageRef::Text(text), &literals(text, &MessageForm::of(text)));
        }
        let pattern = common.pattern(MessageRef::Text(messages.last()?))?;
        let parsed: Pattern = pattern.parse().unwrap();
        for text in messages {
            assert!(
                parsed.matches(&InboundMessage::new(MessageRef::Text(text))).is_some(),
                "{pattern}: {text}"
            );
        }
        Some(pattern)
    }

    #[test]
    fn pattern_matches_all_messages_of_a_form() {
        for (messages, expected) in [
            (&[r#"[0,"hb"]"#, r#"[0,"hb"]"#][..], r#"[0,"hb"]"#),
            (&[r#"[1,"hb",7]"#, r#"[1,"hb",8]"#], r#"[1,"hb",{any}]"#),
            (
                &[r#"{"event":"heartbeat","n":1}"#, r#"{"event":"heartbeat","n":2}"#],
                r#"{"event":"heartbeat"}"#,
            ),
            (&[r#"{"a":{"b":"hb","t":1}}"#, r#"{"a":{"b":"hb","t":2}}"#], r#"{"a":{"b":"hb"}}"#),
            (&["PING :x", "PING :x"], "PING :x"),
            (&["PING :x\r\n", "PING :x\r\n"], r"text:PING :x\r\n"),
            (&["primus::ping::1", "primus::ping::2"], "primus::ping::{any}"),
            (&["\"primus::ping::1\"", "\"primus::ping::2\""], "\"primus::ping::{any}\""),
            (&["~m~4~m~~h~9", "~m~5~m~~h~10"], "~m~{any}~m~~h~{any}"),
            (&["a 1 b 2 c 3 d", "a 2 b 3 c 4 d"], "a {any} d"),
            (&["text:x", "text:x"], "text:text:x"),
            (&[r#"42["hb",1]"#, r#"42["hb",2]"#], r#"42["hb",{any}]"#),
            (&[r#"{"hb":true,"session":"abc"}"#, r#"{"hb":true,"session":"abc"}"#], r#"{"hb":true}"#),
        ] {
            assert_eq!(pattern(messages).as_deref(), Some(expected), "{messages:?}");
        }
    }

    #[test]
    fn messages_without_common_words_have_no_pattern() {
        for messages in
            [&["1", "2"][..], &[r#"{"a":1}"#, r#"{"a":2}"#], &["[1]", "[2]"], &[r#"{"token":"x"}"#; 2]]
        {
            assert_eq!(pattern(messages), None, "{messages:?}");
        }
    }

    #[test]
    fn binary_messages_have_a_pattern_in_hex() {
        let mut common = CommonPattern::of(MessageRef::Binary(&[0xc0, 1, 2]));
        assert_eq!(common.pattern(MessageRef::Binary(&[0xc0, 1, 2])).as_deref(), Some("hex:c00102"));
        common.merge(MessageRef::Binary(&[0xc0, 9, 2]), &[]);
        assert_eq!(common.pattern(MessageRef::Binary(&[0xc0, 9, 2])).as_deref(), Some("hex:c0??02"));
        common.merge(MessageRef::Binary(&[0xc0, 9, 2, 4]), &[]);
        assert_eq!(common.pattern(MessageRef::Binary(&[0xc0, 9, 2, 4])).as_deref(), Some("hex:c0??02*"));
    }
}
