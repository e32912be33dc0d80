//! A message from the server, as patterns read it.

use crate::domain::connection::untrusted_text::UntrustedText;
use std::sync::OnceLock;

use serde_json::Value;

/// Maximum length of a text parsed as JSON, in bytes. No heartbeat is that long, and a hostile text grows
/// about forty times when parsed.
const MAX_JSON_BYTES: usize = 1024 * 1024;

/// A message as received, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageRef<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

impl MessageRef<'_> {
    /// Its size in bytes.
    pub fn size(&self) -> usize {
        match self {
            MessageRef::Text(text) => text.len(),
            MessageRef::Binary(bytes) => bytes.len(),
        }
    }
}

/// A message with its JSON, which is parsed at most once for all patterns.
///
/// Cost is bounded: a text longer than `MAX_JSON_BYTES` or deeper than serde_json's recursion limit (128)
/// counts as no JSON.
#[derive(Debug)]
pub struct InboundMessage<'a> {
    message: MessageRef<'a>,
    json: OnceLock<Option<Value>>,
}

impl<'a> InboundMessage<'a> {
    pub fn new(message: MessageRef<'a>) -> InboundMessage<'a> {
        InboundMessage { message, json: OnceLock::new() }
    }

    pub fn message(&self) -> MessageRef<'a> {
        self.message
    }

    /// The text; `None` for a binary message.
    pub fn text(&self) -> Option<&'a str> {
        match self.message {
            MessageRef::Text(text) => Some(text),
            MessageRef::Binary(_) => None,
        }
    }

    /// The text's JSON object or array; `None` for anything else.
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| self.text().and_then(parse)).as_ref()
    }
}

/// Parses only objects and arrays: a scalar is no message of a JSON protocol.
pub(super) fn parse(text: &str) -> Option<Value> {
    let opens = text.trim_ascii_start().starts_with(['{', '[']);
    (opens && text.len() <= MAX_JSON_BYTES).then(|| serde_json::from_str(text).ok())?
}

/// A payload for display.
pub fn shown(message: MessageRef<'_>) -> UntrustedText {
    match message {
        MessageRef::Text(text) => UntrustedText::new(text),
        MessageRef::Binary(bytes) => shown_bytes(bytes),
    }
}

/// Maximum number of bytes shown in hex.
pub(in crate::domain) const MAX_SHOWN_BYTES: usize = 64;

/// Bytes as text if they are plain text with line or record ends, else in hex.
pub fn shown_bytes(bytes: &[u8]) -> UntrustedText {
    let is_plain = |c: char| !c.is_control() || matches!(c, '\r' | '\n' | '\t' | '\x1e');
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().all(is_plain) => UntrustedText::new(text),
        Ok(_) | Err(_) => UntrustedText::hex(bytes, MAX_SHOWN_BYTES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_json(text: &str) -> bool {
        InboundMessage::new(MessageRef::Text(text)).json().is_some()
    }

    #[test]
    fn only_objects_and_arrays_are_json_messages() {
        assert!(is_json("{}") && is_json(" \n[1]"));
        assert!(!is_json("1") && !is_json("\"{}\"") && !is_json("{") && !is_json(""));
        assert!(InboundMessage::new(MessageRef::Binary(b"{}")).json().is_none());
    }

    #[test]
    fn json_length_is_bounded() {
        let of = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes - 4));
        assert!(is_json(&of(MAX_JSON_BYTES)));
        assert!(!is_json(&of(MAX_JSON_BYTES + 1)));
    }

    #[test]
    fn json_depth_is_bounded() {
        assert!(!is_json(&"[".repeat(100_000)));
        assert!(!is_json(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))));
    }
}
