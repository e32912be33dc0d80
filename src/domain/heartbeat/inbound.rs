//! One message from the server, as patterns look at it.

use crate::domain::connection::untrusted_text::UntrustedText;
use std::sync::OnceLock;

use serde_json::Value;

/// The longest text that is read as JSON, in bytes. No heartbeat comes near it, and a hostile text grows
/// some forty times when it is read.
const MAX_JSON_BYTES: usize = 1024 * 1024;

/// A message as it came, borrowed from whoever received it.
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

/// A message with its JSON, which is parsed at most once however many patterns look at it.
///
/// Cost is bounded: what is longer than [`MAX_JSON_BYTES`] or deeper than serde_json's recursion limit
/// (128) is no JSON to us.
#[derive(Debug)]
pub struct InboundMessage<'a> {
    message: MessageRef<'a>,
    json: OnceLock<Option<Value>>,
}

impl<'a> InboundMessage<'a> {
    pub fn new(message: MessageRef<'a>) -> InboundMessage<'a> {
        InboundMessage { message, json: OnceLock::new() }
    }

    /// The message as it came.
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

    /// The JSON object or array that the text is; `None` for everything else.
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| self.text().and_then(parse)).as_ref()
    }
}

/// A scalar is no message of a JSON protocol, so nothing is parsed that does not open as a container.
pub(super) fn parse(text: &str) -> Option<Value> {
    let opens = text.trim_ascii_start().starts_with(['{', '[']);
    (opens && text.len() <= MAX_JSON_BYTES).then(|| serde_json::from_str(text).ok())?
}

/// A payload that can be shown.
pub fn shown(message: MessageRef<'_>) -> UntrustedText {
    match message {
        MessageRef::Text(text) => UntrustedText::new(text),
        MessageRef::Binary(bytes) => shown_bytes(bytes),
    }
}

/// The most bytes that are shown in hex.
pub(in crate::domain) const MAX_SHOWN_BYTES: usize = 64;

/// Bytes as text where they are plain text, of which the ends of lines and records are part, else in hex.
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
    fn a_message_of_a_megabyte_is_the_longest_that_is_json() {
        let of = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes - 4));
        assert!(is_json(&of(MAX_JSON_BYTES)));
        assert!(!is_json(&of(MAX_JSON_BYTES + 1)));
    }

    #[test]
    fn a_message_of_endless_depth_is_no_json() {
        assert!(!is_json(&"[".repeat(100_000)));
        assert!(!is_json(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))));
    }
}
