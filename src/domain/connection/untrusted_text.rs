//! Text from a peer, made safe to show.

use std::fmt;

use crate::domain::secrets::{self, HIDDEN, Piece, Pieces, SentSecrets};

/// Maximum length kept of a peer's text, in characters.
const MAX_CHARS: usize = 512;

/// Text of a peer with secrets hidden ([`secrets`]), control characters escaped and its length bounded. So a
/// hostile close reason or header can neither control the terminal nor fill the memory, and what the user
/// sent does not return in a report.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct UntrustedText(String);

impl UntrustedText {
    /// From received bytes; invalid UTF-8 becomes U+FFFD.
    pub fn from_bytes(bytes: &[u8]) -> UntrustedText {
        UntrustedText::new(&String::from_utf8_lossy(bytes))
    }

    /// From a received text.
    pub fn new(text: &str) -> UntrustedText {
        secrets::with_sent(|sent| UntrustedText::hiding(text, sent))
    }

    /// From received binary data: its first bytes in hex.
    pub fn hex(bytes: &[u8], most: usize) -> UntrustedText {
        secrets::with_sent(|sent| UntrustedText(hex(bytes, most, sent)))
    }

    fn hiding(text: &str, sent: &SentSecrets) -> UntrustedText {
        let mut safe = String::new();
        for (count, piece) in Pieces::new(text, sent).enumerate() {
            match piece {
                _ if count == MAX_CHARS => {
                    safe.push('…');
                    break;
                }
                Piece::Shown(c) => push_safe(&mut safe, c),
                Piece::Hidden => safe.push_str(HIDDEN),
            }
        }
        UntrustedText(safe)
    }

    /// From a sentence of wscheck around text that is already escaped.
    pub fn escaped(text: String) -> UntrustedText {
        UntrustedText(text)
    }

    /// The escaped text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// For example `hex:00ff`, without what the user sent.
fn hex(bytes: &[u8], most: usize, sent: &SentSecrets) -> String {
    let (mut shown, mut at) = ("hex:".to_string(), 0);
    while at < bytes.len().min(most) {
        match sent.length_at(bytes, at) {
            Some(length) => {
                shown.push_str(HIDDEN);
                at += length;
            }
            None => {
                shown.push_str(&format!("{:02x}", bytes[at]));
                at += 1;
            }
        }
    }
    if at < bytes.len() {
        shown.push('…');
    }
    shown
}

/// A text of an archive, which was escaped once: control and invisible characters are escaped again, since the file may be
/// another's. A newline stays where the text may have several lines.
pub fn without_controls(text: &str, keeps_newlines: bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, c| {
        match c {
            '\n' if keeps_newlines => safe.push(c),
            c if c.is_control() || is_invisible(c) => safe.extend(c.escape_default()),
            c => safe.push(c),
        }
        safe
    })
}

fn push_safe(safe: &mut String, c: char) {
    // A backslash is escaped too, so that peers cannot imitate our escapes.
    if c == '\\' || c.is_control() || is_invisible(c) {
        safe.extend(c.escape_default());
    } else {
        safe.push(c);
    }
}

/// Characters that change how others are shown, or are invisible: bidirectional controls (Unicode UAX 9),
/// zero-width characters, the soft hyphen, line and paragraph separators, interlinear annotations and tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

impl fmt::Display for UntrustedText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(UntrustedText::new("a\x1b[31mb\r\n").as_str(), "a\\u{1b}[31mb\\r\\n");
        assert_eq!(UntrustedText::new("\u{9b}2J").as_str(), "\\u{9b}2J");
        assert_eq!(UntrustedText::new("x\u{202e}y").as_str(), "x\\u{202e}y");
    }

    #[test]
    fn what_cannot_be_seen_is_escaped() {
        for c in ['\u{ad}', '\u{180e}', '\u{fff9}', '\u{fffb}', '\u{e0000}', '\u{e0041}', '\u{e007f}'] {
            assert_eq!(UntrustedText::new(&format!("a{c}b")).as_str(), format!("a{}b", c.escape_unicode()));
        }
        assert_eq!(UntrustedText::new("\u{fffc}é漢").as_str(), "\u{fffc}é漢");
    }

    #[test]
    fn a_peer_cannot_write_what_looks_like_our_escapes() {
        assert_eq!(UntrustedText::new("\\u{1b}\\n").as_str(), "\\\\u{1b}\\\\n");
        assert_ne!(UntrustedText::new("\\n"), UntrustedText::new("\n"));
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(UntrustedText::new(&"x".repeat(100_000)).as_str().chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn secrets_are_hidden_before_a_long_text_is_cut() {
        let token = format!(r#"{{"x":"{}","token":"{}"}}"#, "x".repeat(MAX_CHARS - 30), "s3cr3t".repeat(100));
        let shown = UntrustedText::new(&token);
        assert!(shown.as_str().ends_with(r#""token":"***"}"#), "{shown}");
    }

    #[test]
    fn what_the_user_sent_is_hidden_in_hex_too() {
        let mut sent = SentSecrets::new();
        sent.value("hunter22");
        assert_eq!(hex(b"\0\x01hunter22\xff", 64, &sent), "hex:0001***ff");
        assert_eq!(hex(&[7; 100], 2, &sent), "hex:0707…");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        assert_eq!(UntrustedText::from_bytes(b"ok\xff").as_str(), "ok\u{fffd}");
    }
}
