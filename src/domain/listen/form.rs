//! The form of a message: what stays the same where its numbers, times and ids change.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Minimum length of a date with a time of day: `2026-01-31T23:59`.
const MIN_TIMESTAMP_CHARS: usize = 16;

/// The value of a variable part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PartValue {
    Number(f64),
    /// A date with a time of day, or an id.
    Mark,
}

/// A part of a message that may differ from one message to the next.
#[derive(Debug, Clone, PartialEq)]
pub struct VariablePart {
    pub at: Range<usize>,
    pub value: PartValue,
}

/// The form of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct MessageForm {
    /// Equal for messages of the same form.
    pub hash: u64,
    pub places: Vec<VariablePart>,
}

impl MessageForm {
    /// The form of a text: words with a digit may change, everything else is fixed.
    pub fn of(text: &str) -> MessageForm {
        let (mut hasher, mut places, mut at) = (DefaultHasher::new(), Vec::new(), 0);
        while let Some(c) = text[at..].chars().next() {
            match variable_part_at(text, at) {
                Some(place) => {
                    at = place.at.end;
                    u32::MAX.hash(&mut hasher);
                    places.push(place);
                }
                None => {
                    c.hash(&mut hasher);
                    at += c.len_utf8();
                }
            }
        }
        MessageForm { hash: hasher.finish(), places }
    }
}

fn variable_part_at(text: &str, at: usize) -> Option<VariablePart> {
    let rest = &text[at..];
    let follows_word = text[..at].ends_with(|c: char| c.is_alphanumeric());
    let is_negative = rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if follows_word || !(is_negative || rest.starts_with(|c: char| c.is_alphanumeric())) {
        return None;
    }
    if let Some(length) = time(rest) {
        return Some(VariablePart { at: at..at + length, value: PartValue::Mark });
    }
    let length = word(rest);
    let word = &rest[..length];
    let value = match word.parse::<f64>() {
        Ok(number) if number.is_finite() => PartValue::Number(number),
        Ok(_) | Err(_) => PartValue::Mark,
    };
    word.contains(|c: char| c.is_ascii_digit()).then_some(VariablePart { at: at..at + length, value })
}

/// The length of a number with sign and fraction, or of a word; hyphens join the parts of an id.
fn word(text: &str) -> usize {
    let sign = usize::from(text.starts_with('-'));
    let run =
        |from: usize| text[from..].find(|c: char| !c.is_alphanumeric()).map_or(text.len(), |end| from + end);
    let mut end = run(sign);
    if text[sign..end].bytes().all(|byte| byte.is_ascii_digit()) && text[end..].starts_with('.') {
        return run(end + 1);
    }
    while text[..end].contains(|c: char| c.is_ascii_digit())
        && text[end..].starts_with('-')
        && text[end + 1..].starts_with(|c: char| c.is_ascii_hexdigit())
    {
        end = run(end + 1);
    }
    end
}

/// The length of a date with a time of day (RFC 3339).
fn time(text: &str) -> Option<usize> {
    let head = text.as_bytes().get(..MIN_TIMESTAMP_CHARS)?;
    let is_one = head.iter().zip(b"0000-00-00T00:00").all(|(byte, model)| match model {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't' | b' '),
        other => byte == other,
    });
    let end = text.find(|c: char| {
        !(c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | 'T' | 't' | 'Z' | 'z' | '+' | ' '))
    });
    is_one.then(|| end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(one: &str, other: &str) -> bool {
        MessageForm::of(one).hash == MessageForm::of(other).hash
    }

    #[test]
    fn counters_times_and_ids_do_not_change_the_form() {
        for (one, other) in [
            ("~m~4~m~~h~9", "~m~5~m~~h~10"),
            (r#"{"hb":1}"#, r#"{"hb":-2.5}"#),
            ("primus::ping::1700000000000", "primus::ping::1700000000300"),
            (r#"{"t":"2026-01-31T23:59:59.9Z"}"#, r#"{"t":"2026-02-01T00:00:00.25Z"}"#),
            (
                r#"{"id":"123e4567-e89b-12d3-a456-426614174000"}"#,
                r#"{"id":"9b2fe1c0-0a1b-4c2d-8e3f-aaaa14174abc"}"#,
            ),
            ("PING 5f", "PING a7b"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn other_words_make_another_form() {
        for (one, other) in [
            ("ping", "pong"),
            (r#"[0,"hb"]"#, r#"[0,"cs"]"#),
            ("a 1", "a 1 1"),
            (r#"{"a":1}"#, r#"{"a":null}"#),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn numbers_are_parsed_and_ids_are_not() {
        let values =
            |text: &str| MessageForm::of(text).places.iter().map(|place| place.value).collect::<Vec<_>>();
        assert_eq!(
            values("a 1 -2.5 x9 2026-01-31T23:59Z"),
            [PartValue::Number(1.0), PartValue::Number(-2.5), PartValue::Mark, PartValue::Mark]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            for place in MessageForm::of(&text).places {
                prop_assert!(text.get(place.at).is_some());
            }
        }
    }
}
