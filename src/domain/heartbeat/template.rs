//! The content of an app heartbeat: a text with placeholders for its number, id and time, or bytes.

use std::fmt;
use std::str::FromStr;

use super::escapes::{MessageType, unescape, written};
use super::hex_pattern::HexPattern;
use super::placeholder::misspelling;
pub(super) use super::placeholder::{ANY, Misspelling, TextPart, parts, pattern_misspelling, pattern_parts};
pub use super::placeholder::{PlaceholderName, RequestKeys, TemplateError};

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    Text(String),
    Binary(Vec<u8>),
}

/// The request of an app heartbeat, before its keys are known:
///
/// - a text in which `{seq}`, `{seq1}`, `{id}`, `{now_ms}` and `{now_s}` are replaced (only these exact
///   tokens; other braces stay)
/// - `text:` before it: escapes (`\n`, `\x1e`) stand for characters
/// - `binary:` before it: the same in a binary message (JSON has only its own escapes)
/// - `hex:c000`: bytes; numbers in them take eight bytes, big-endian
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    body: TemplateBody,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum TemplateBody {
    Written(MessageType, Vec<TextPart>),
    Binary(HexPattern),
}

impl Template {
    /// The message of one request.
    pub fn render(&self, keys: &RequestKeys) -> Payload {
        match &self.body {
            TemplateBody::Binary(bytes) => Payload::Binary(bytes.render(keys)),
            TemplateBody::Written(carrier, parts) => {
                let text: String = parts.iter().map(|part| fill(part, keys)).collect();
                match carrier {
                    MessageType::Text | MessageType::Either => Payload::Text(text),
                    MessageType::Binary => Payload::Binary(text.into_bytes()),
                }
            }
        }
    }

    /// Whether requests differ, so that an answer can identify its request.
    pub fn has_keys(&self) -> bool {
        let of = |seq, id: &str, now_ms| self.render(&RequestKeys { seq, id: id.to_string(), now_ms });
        of(0, "a", 0) != of(1, "b", 1_000)
    }

    /// The template as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn fill(part: &TextPart, keys: &RequestKeys) -> String {
    match part {
        TextPart::Literal(text) => text.clone(),
        TextPart::Place(PlaceholderName::Id) => keys.id.clone(),
        TextPart::Place(key) => key.number(keys).to_string(),
        TextPart::Any => ANY.to_string(),
    }
}

impl Default for Template {
    /// The request that many servers answer with the same id or the same timestamp.
    fn default() -> Template {
        let text = r#"{"type":"ping","id":"{id}","timestamp":{now_ms}}"#;
        Template { text: text.to_string(), body: TemplateBody::Written(MessageType::Text, parts(text)) }
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(given: &str) -> Result<Template, TemplateError> {
        if given.is_empty() {
            return Err(TemplateError::Empty);
        }
        if let Some(Misspelling { found, near }) = misspelling(given) {
            return Err(TemplateError::Misspelt { given: given.to_string(), found, near });
        }
        let body = match HexPattern::parse(given).transpose()? {
            Some(bytes) => match bytes.open_place() {
                Some(found) => return Err(TemplateError::OpenBytes { given: given.to_string(), found }),
                None => TemplateBody::Binary(bytes),
            },
            None => {
                let written = written(given);
                let text =
                    if written.escaped { unescape(given, written.body)? } else { written.body.to_string() };
                TemplateBody::Written(written.carrier, parts(&text))
            }
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

    fn keys() -> RequestKeys {
        RequestKeys { seq: 7, id: "ab-7".to_string(), now_ms: 1_700_000_000_000 }
    }

    fn rendered(template: &str) -> Payload {
        template.parse::<Template>().unwrap().render(&keys())
    }

    fn refusal(template: &str) -> String {
        template.parse::<Template>().unwrap_err().to_string()
    }

    #[test]
    fn template_has_keys_if_requests_differ() {
        for (text, expected) in [
            ("ping", false),
            ("ping {x}", false),
            ("ping {seq}", true),
            (r#"{"t":{now_s}}"#, true),
            ("{id}", true),
            ("hex:c000", false),
        ] {
            assert_eq!(text.parse::<Template>().unwrap().has_keys(), expected, "{text}");
        }
        assert!(Template::default().has_keys());
    }

    #[test]
    fn every_placeholder_is_replaced() {
        let expected = r#"{"seq":7,"id":"ab-7","t":1700000000000,"again":7}"#;
        assert_eq!(
            rendered(r#"{"seq":{seq},"id":"{id}","t":{now_ms},"again":{seq}}"#),
            Payload::Text(expected.to_string())
        );
    }

    #[test]
    fn other_braces_stay() {
        for text in ["{}", "{pong}", "{{", "}{", "{se", "{\"a\":{}}"] {
            assert_eq!(rendered(text), Payload::Text(text.to_string()));
        }
        assert_eq!(rendered("{{seq}}"), Payload::Text("{7}".to_string()));
        assert_eq!(rendered("{é{seq}é"), Payload::Text("{é7é".to_string()));
    }

    #[test]
    fn text_may_have_escapes_and_a_binary_carrier() {
        assert_eq!(rendered(r"text:{}\x1e"), Payload::Text("{}\x1e".to_string()));
        assert_eq!(rendered(r"binary:PING {seq}\r\n"), Payload::Binary(b"PING 7\r\n".to_vec()));
        assert_eq!(rendered(r#"binary:{"a":"\n"}"#), Payload::Binary(br#"{"a":"\n"}"#.to_vec()));
        assert_eq!(
            rendered(r"PING\r\n"),
            Payload::Text(r"PING\r\n".to_string()),
            "without a prefix it stays"
        );
        assert_eq!(rendered("{seq1} {now_s} {any}"), Payload::Text("8 1700000000 {any}".to_string()));
    }

    #[test]
    fn hex_is_bytes() {
        assert_eq!(rendered("hex:c000"), Payload::Binary(vec![0xc0, 0x00]));
        assert_eq!(rendered("hex:C0fF"), Payload::Binary(vec![0xc0, 0xff]));
    }

    #[test]
    fn default_request_is_a_json_ping() {
        let expected = r#"{"type":"ping","id":"ab-7","timestamp":1700000000000}"#;
        assert_eq!(Template::default().render(&keys()), Payload::Text(expected.to_string()));
        assert_eq!(Template::default().as_str().parse(), Ok(Template::default()));
    }

    #[test]
    fn invalid_template_is_rejected_with_its_rule() {
        assert_eq!(refusal(""), "'' is not a template: it must not be empty");
        assert_eq!(refusal("hex:"), "'hex:' has no hex digits: bytes are written as hex:c000");
        assert_eq!(refusal("hex:c00"), "'hex:c00' has 3 hex digits: bytes need an even number of them");
        assert_eq!(
            refusal("hex:{id}"),
            "'hex:{id}' has '{' where a hex digit must be: after hex: only 0-9 and a-f are allowed"
        );
        assert_eq!(refusal("hex:c?"), "'hex:c?' has '?': bytes to send must all be said");
        for (given, found, near) in [("{sq}", "{sq}", "{seq}"), ("hex:c0{now-ms}", "{now-ms}", "{now_ms}")] {
            let expected = format!("'{given}' has '{found}', which is no placeholder: did you mean {near}?");
            assert!(refusal(given).starts_with(&expected), "{}", refusal(given));
        }
        assert_eq!(rendered(r"text:\x7bsq}"), Payload::Text("{sq}".to_string()));
        assert!(refusal(r"text:\q").starts_with(r"'text:\q' has '\q', which is no escape: "));
    }

    proptest! {
        #[test]
        fn template_is_shown_as_written(text in ".+") {
            if let Ok(template) = text.parse::<Template>() {
                prop_assert_eq!(template.to_string(), text);
            }
        }

        #[test]
        fn text_without_placeholders_is_sent_as_it_is(text in "[^htb}]+") {
            prop_assert_eq!(rendered(&text), Payload::Text(text));
        }
    }
}
