//! Texts with characters that a command line cannot carry: `text:` and `binary:`.

use super::placeholder::TemplateError;

/// The kind of message that carries a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MessageType {
    Text,
    /// The text's bytes, in a binary message.
    Binary,
    /// Either kind; sent as text.
    Either,
}

/// A text, its carrier and its notation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EscapedText<'a> {
    pub carrier: MessageType,
    /// Without its prefix.
    pub body: &'a str,
    /// Contains escapes, and is never JSON.
    pub escaped: bool,
}

/// Splits off a text's prefix:
///
/// - `text:`: literal, with escapes
/// - `binary:`: in a binary message; with escapes, unless it is JSON
/// - `data:`: the same, in either kind of message
/// - otherwise unchanged
pub(super) fn written(given: &str) -> EscapedText<'_> {
    if let Some(body) = given.strip_prefix("text:") {
        return EscapedText { carrier: MessageType::Text, body, escaped: true };
    }
    for (prefix, carrier) in [("binary:", MessageType::Binary), ("data:", MessageType::Either)] {
        if let Some(body) = given.strip_prefix(prefix) {
            return EscapedText { carrier, body, escaped: !body.trim_start().starts_with(['{', '[']) };
        }
    }
    EscapedText { carrier: MessageType::Text, body: given, escaped: false }
}

/// Replaces escapes by their characters: `\r`, `\n`, `\t`, `\0`, `\xHH` (below 80) and `\\`.
pub(super) fn unescape(given: &str, body: &str) -> Result<String, TemplateError> {
    let refused = |found: String| TemplateError::NoEscape { given: given.to_string(), found };
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escape = chars.next().ok_or_else(|| refused("\\".to_string()))?;
        text.push(match escape {
            'r' => '\r',
            'n' => '\n',
            't' => '\t',
            '0' => '\0',
            '\\' => '\\',
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                let code =
                    u8::from_str_radix(&digits, 16).ok().filter(|code| *code < 0x80 && is_hex(&digits));
                code.map(char::from).ok_or_else(|| refused(format!("\\x{digits}")))?
            }
            other => return Err(refused(format!("\\{other}"))),
        });
    }
    Ok(text)
}

fn is_hex(digits: &str) -> bool {
    digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        let read = |text: &str| unescape(text, text).unwrap();
        assert_eq!(read(r"PING\r\n"), "PING\r\n");
        assert_eq!(read(r"{}\x1e\0\t\\n"), "{}\x1e\0\t\\n");
        for wrong in [r"\", r"\q", r"\x", r"\x1", r"\xzz", r"\xff", r"\x+1"] {
            let refused = unescape(wrong, wrong).unwrap_err().to_string();
            assert!(refused.contains("is no escape"), "{refused}");
        }
    }

    #[test]
    fn prefix_selects_the_carrier() {
        let is = |given: &str| {
            let written = written(given);
            (written.carrier, written.escaped)
        };
        assert_eq!(is("text:{}"), (MessageType::Text, true));
        assert_eq!(is("binary:PING"), (MessageType::Binary, true));
        assert_eq!(is("binary:{}"), (MessageType::Binary, false));
        assert_eq!(is("PING"), (MessageType::Text, false));
    }
}
