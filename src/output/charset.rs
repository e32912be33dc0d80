//! The characters that may be shown: those of Unicode, or of ASCII alone where the locale is not UTF-8.
//!
//! No crate does this: a transliterator for all of Unicode would guess at what peers sent, which must be shown exactly.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use indicatif::ProgressStyle;

use super::writer::Writer;

/// Whether text for people is limited to ASCII. The command line sets it once, before anything is shown.
static ASCII: AtomicBool = AtomicBool::new(false);

/// Limits text for people to ASCII.
pub fn limit_to_ascii() {
    ASCII.store(true, Relaxed);
}

/// Whether the locale that these variables set (POSIX.1-2024, 8.2: the first of `LC_ALL`, `LC_CTYPE` and `LANG` that is
/// not empty) has another encoding than UTF-8. Without any, as in most containers, UTF-8 is assumed.
pub fn is_other_than_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set);
    locale.is_some_and(|locale| !locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// `text` as it may be shown.
pub fn shown(text: &str) -> Cow<'_, str> {
    if ASCII.load(Relaxed) { to_ascii(text) } else { Cow::Borrowed(text) }
}

/// A writer of text for people: what it is given reaches `writer` as it may be shown.
pub fn writer(writer: Writer) -> Writer {
    if ASCII.load(Relaxed) { Box::new(AsciiWriter(writer)) } else { writer }
}

/// The style of a progress line.
pub fn spinner() -> Option<ProgressStyle> {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}").ok()?;
    Some(if ASCII.load(Relaxed) { style.tick_chars("|/-\\ ") } else { style })
}

/// Our own signs as the nearest in ASCII, and what a peer sent as escapes, which lose nothing.
pub fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len()), |mut ascii, letter| {
        match substitute(letter) {
            Some(sign) => ascii.push_str(sign),
            None if letter.is_ascii() => ascii.push(letter),
            None => drop(write!(ascii, "{}", letter.escape_unicode())),
        }
        ascii
    }))
}

fn substitute(letter: char) -> Option<&'static str> {
    Some(match letter {
        'µ' => "u",
        '─' | '╌' => "-",
        '│' => "|",
        '…' => "...",
        '▁' => "_",
        '▂' => ".",
        '▃' => ":",
        '▄' => "-",
        '▅' => "=",
        '▆' => "+",
        '▇' => "*",
        '█' => "#",
        '✓' => "+",
        '→' => "->",
        '✗' => "x",
        _ => return None,
    })
}

struct AsciiWriter(Writer);

impl Write for AsciiWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.write_all(text).map(|()| text.len())
    }

    fn write_all(&mut self, text: &[u8]) -> io::Result<()> {
        self.0.write_all(to_ascii(&String::from_utf8_lossy(text)).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locale_is_the_first_variable_that_is_not_empty() {
        let other = |set: &[(&str, &str)]| {
            is_other_than_utf8(|name| {
                set.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string())
            })
        };
        assert!(other(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]));
        assert!(other(&[("LANG", "de_DE.ISO-8859-1")]));
        assert!(other(&[("LC_ALL", ""), ("LC_CTYPE", "POSIX"), ("LANG", "C.UTF-8")]));
        assert!(!other(&[("LC_ALL", "en_US.utf8"), ("LANG", "C")]));
        assert!(!other(&[("LANG", "C.UTF-8")]));
        assert!(!other(&[]));
    }

    #[test]
    fn ascii_keeps_our_signs_apart_and_loses_nothing_of_a_peers() {
        assert_eq!(to_ascii("12 µs |▁▂▃▄▅▆▇█| ──"), "12 us |_.:-=+*#| --");
        assert_eq!(to_ascii("peer said \"grüß\" 漢…"), "peer said \"gr\\u{fc}\\u{df}\" \\u{6f22}...");
        assert!(matches!(to_ascii("plain"), Cow::Borrowed(_)));
    }
}
