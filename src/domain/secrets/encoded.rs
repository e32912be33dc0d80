//! Finds words that contain a secret in base64, hex or percent-encoding.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};

/// Minimum length of a word that can contain an encoded secret of four characters.
const MIN_WORD: usize = 6;
/// Maximum bytes decoded of a word; displayed texts are truncated earlier.
const MAX_DECODED: usize = 4096;
/// A base64 group has four characters; where groups start in a word is unknown.
const BASE64_GROUP: usize = 4;
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The end of the word that starts at this byte, if its decoded content passes `is_secret`:
///
/// 1. The byte before it does not belong to a word.
/// 2. It is base64 in either alphabet, with or without padding, from any of its first four characters on; or
///    hex; or percent-encoded.
pub fn encoded_at(text: &[u8], at: usize, is_secret: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let is_inside = at.checked_sub(1).is_some_and(|before| is_of_word(text[before]));
    let length = text.get(at..)?.iter().take_while(|byte| is_of_word(**byte)).count();
    if is_inside || length < MIN_WORD {
        return None;
    }
    let word = &text[at..at + length.min(MAX_DECODED)];
    let padding = text[at + length..].iter().take_while(|byte| **byte == b'=').count();
    // The padding may be percent-encoded.
    let parts = word.split(|byte| *byte == b'%').filter(|part| part.len() >= MIN_WORD);
    let of_parts = parts.flat_map(|part| base64(part).chain(hex(part)));
    let is_found = of_parts.chain(percent(word)).any(|decoded| is_secret(&decoded));
    is_found.then_some(at + length + padding)
}

/// The characters of all three encodings, except the padding; JSON writes a backslash before a slash.
fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'%' | b'\\')
}

fn base64(part: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let standard = |byte: &u8| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'\\' => None,
        other => Some(*other),
    };
    let letters: Vec<u8> = part.iter().filter_map(standard).collect();
    (0..BASE64_GROUP).filter_map(move |skipped| {
        let letters = letters.get(skipped..)?;
        // A single character at the end contains no byte.
        let alone = usize::from(letters.len() % BASE64_GROUP == 1);
        BASE64.decode(&letters[..letters.len() - alone]).ok()
    })
}

fn hex(part: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let is_hex = part.iter().all(u8::is_ascii_hexdigit);
    let pairs = || part.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
    is_hex.then(pairs).into_iter()
}

fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or_default() as u8
}

fn percent(word: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let pairs = word.contains(&b'%').then(|| url::form_urlencoded::parse(word));
    pairs
        .into_iter()
        .flatten()
        .flat_map(|(name, value)| [name, value].map(|part| part.into_owned().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str, at: usize) -> Option<usize> {
        encoded_at(text.as_bytes(), at, |bytes| bytes.windows(8).any(|window| window == b"hunter22"))
    }

    #[test]
    fn every_alignment_alphabet_and_encoding_is_found() {
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        for word in [
            encode(b"hunter22"),
            encode(b"me:hunter22"),
            encode(b"{\"a\":\"hunter22\"}"),
            encode(b"\xff\xfehunter22\xff").replace('+', "-").replace('/', "_"),
            encode(b"\xff\xffhunter22").replace('/', "\\/"),
            encode(b"hunter22").trim_end_matches('=').to_string(),
            format!("/{}", encode(b"hunter22")),
            "68756e7465723232".to_string(),
            "00FF68756E7465723232".to_string(),
            "%68unter22".to_string(),
            "hunter%32%32".to_string(),
            format!("{}%3D", encode(b"\xffhunter22").trim_end_matches('=')),
        ] {
            let text = format!("x {word}, y");
            assert_eq!(end(&text, 2), Some(2 + word.len()), "{word}");
            assert_eq!(end(&text, 3), None, "inside the word");
        }
        let field = format!("auth={}", encode(b"hunter22"));
        assert_eq!((end(&field, 0), end(&field, 5)), (None, Some(field.len())), "the name stays");
    }

    #[test]
    fn other_words_hold_nothing() {
        for text in ["", "hello", "aHVudGVy", "deadbeefdeadbeef", "100%25", "a/long/path/of/words", "é"] {
            assert_eq!(end(text, 0), None, "{text}");
        }
    }
}
