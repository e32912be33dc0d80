//! The body of a refusal as text: its content codings undone, within bounds.

use std::io::{BufRead, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::connect::http_head::HttpHead;

/// The most bytes that a coded body is unpacked to.
const MAX_DECODED_BYTES: usize = 16 * 1024;
/// The most codings that are undone; an honest server applies one.
const MAX_CODINGS: usize = 3;
/// What every gzip stream begins with (RFC 1952 section 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The start of a response's body.
#[derive(Debug, Clone, Default)]
pub struct ResponseBody {
    /// The text, for words to be looked for in it; empty when the body is not text.
    pub text: String,
    /// The same for people, or what it is instead of text: `(br, 2310 bytes)`.
    pub shown: UntrustedText,
}

impl ResponseBody {
    /// The body of `head`'s response, of which these bytes came.
    pub fn new(head: &HttpHead, bytes: &[u8]) -> ResponseBody {
        let mut codings = codings(head);
        if codings.is_empty() && bytes.starts_with(&GZIP) {
            codings.push("gzip".to_string());
        }
        match undone(&codings, bytes) {
            Some(plain) if is_text(&plain) => ResponseBody::of_text(&plain),
            Some(_) => ResponseBody::described("binary", head, bytes),
            None if is_text(bytes) => ResponseBody::of_text(bytes),
            None => ResponseBody::described(&codings.join(", "), head, bytes),
        }
    }

    fn of_text(bytes: &[u8]) -> ResponseBody {
        ResponseBody {
            text: String::from_utf8_lossy(bytes).into_owned(),
            shown: UntrustedText::from_bytes(bytes),
        }
    }

    fn described(what: &str, head: &HttpHead, bytes: &[u8]) -> ResponseBody {
        let declared = head.text("content-length").and_then(|length| length.parse::<u64>().ok());
        let length = match declared {
            Some(length) => format!("{length} bytes"),
            None => format!("{} bytes came", bytes.len()),
        };
        ResponseBody { text: String::new(), shown: UntrustedText::new(&format!("({what}, {length})")) }
    }
}

/// The codings of the body in the order they were applied, in lower case (RFC 9110 section 8.4, RFC 9112 section 7).
fn codings(head: &HttpHead) -> Vec<String> {
    let listed = head.tokens("content-encoding").chain(head.tokens("transfer-encoding"));
    listed.filter(|coding| !["identity", "chunked"].contains(&coding.as_str())).collect()
}

/// The bytes without their codings, as far as they came; `None` when a coding is unknown or broken.
fn undone(codings: &[String], bytes: &[u8]) -> Option<Vec<u8>> {
    if codings.len() > MAX_CODINGS {
        return None;
    }
    let undo = |packed: Vec<u8>, coding: &String| decoded(coding, &packed);
    codings.iter().rev().try_fold(bytes.to_vec(), undo)
}

fn decoded(coding: &str, packed: &[u8]) -> Option<Vec<u8>> {
    match coding {
        "gzip" | "x-gzip" => unpacked(GzDecoder::new(packed)),
        // Meant is zlib (RFC 9110 section 8.4.1.2); some servers send bare deflate.
        "deflate" => unpacked(ZlibDecoder::new(packed)).or_else(|| unpacked(DeflateDecoder::new(packed))),
        _ => None,
    }
}

/// What can be unpacked before the bound, the end or an error: the body may have been cut.
fn unpacked(decoder: impl Read) -> Option<Vec<u8>> {
    let mut reader = std::io::BufReader::new(decoder.take(MAX_DECODED_BYTES as u64));
    let mut plain = Vec::new();
    while let Ok(chunk) = reader.fill_buf() {
        if chunk.is_empty() {
            return Some(plain);
        }
        plain.extend(chunk);
        let length = chunk.len();
        reader.consume(length);
    }
    (!plain.is_empty()).then_some(plain)
}

/// Whether people can read these bytes: less than a quarter of the characters are controls or not UTF-8.
fn is_text(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let odd = |c: &char| *c == char::REPLACEMENT_CHARACTER || (c.is_control() && !c.is_whitespace());
    text.chars().filter(odd).count() * 4 <= text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const PAGE: &[u8] = b"<h1>403 Forbidden</h1> by the firewall";

    fn head(headers: &[(&str, &str)]) -> HttpHead {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        HttpHead { status: 403, minor_version: 1, headers }
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn shown(headers: &[(&str, &str)], bytes: &[u8]) -> String {
        ResponseBody::new(&head(headers), bytes).shown.to_string()
    }

    #[test]
    fn each_known_coding_is_undone() {
        let page = String::from_utf8_lossy(PAGE).into_owned();
        for (coding, bytes) in [
            ("gzip", gzip(PAGE)),
            ("x-GZIP", gzip(PAGE)),
            ("deflate", zlib(PAGE)),
            ("deflate", deflate(PAGE)),
            ("deflate, gzip", gzip(&zlib(PAGE))),
            ("identity", PAGE.to_vec()),
        ] {
            assert_eq!(shown(&[("content-encoding", coding)], &bytes), page, "{coding}");
        }
        assert_eq!(shown(&[("transfer-encoding", "gzip, chunked")], &gzip(PAGE)), page);
        assert_eq!(shown(&[], &gzip(PAGE)), page, "gzip without a header that says so");
    }

    #[test]
    fn a_coded_body_that_was_cut_is_shown_as_far_as_it_goes() {
        // Zeroes would pack too well to be cut in the middle.
        let long: Vec<u8> =
            (0..4000_u32).flat_map(|n| format!("{} ", n * 7919 % 10007).into_bytes()).collect();
        let packed = gzip(&long);
        let body = ResponseBody::new(&head(&[("content-encoding", "gzip")]), &packed[..packed.len() / 2]);
        assert!(body.text.starts_with("0 7919 5831 "), "{}", body.text);
    }

    #[test]
    fn an_unknown_or_broken_coding_is_named_with_the_length() {
        let noise: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(151) ^ 0x80).collect();
        assert_eq!(
            shown(&[("content-encoding", "br"), ("content-length", "2310")], &noise),
            "(br, 2310 bytes)"
        );
        assert_eq!(shown(&[("content-encoding", "zstd")], &noise), "(zstd, 64 bytes came)");
        assert_eq!(shown(&[("content-encoding", "gzip")], &noise), "(gzip, 64 bytes came)");
        assert_eq!(shown(&[], &noise), "(binary, 64 bytes came)");
        assert_eq!(
            shown(&[("content-encoding", "gzip, gzip, gzip, gzip")], &noise).matches("gzip").count(),
            4
        );
        assert_eq!(shown(&[("content-encoding", "\x1b[2J")], &noise), "(\\u{1b}[2j, 64 bytes came)");
    }

    #[test]
    fn plain_text_that_is_called_coded_is_shown_as_it_is() {
        assert_eq!(shown(&[("content-encoding", "gzip")], b"not gzip"), "not gzip");
        assert_eq!(shown(&[("content-encoding", "gzip")], b""), "");
    }

    #[test]
    fn a_bomb_is_bounded() {
        let bomb = gzip(&vec![b' '; 50_000_000]);
        let body = ResponseBody::new(&head(&[("content-encoding", "gzip")]), &bomb);
        assert_eq!(body.text.len(), MAX_DECODED_BYTES);
        let twice = gzip(&bomb);
        let body = ResponseBody::new(&head(&[("content-encoding", "gzip, gzip")]), &twice);
        assert!(body.text.len() <= MAX_DECODED_BYTES);
    }

    proptest! {
        #[test]
        fn no_body_shows_control_characters(bytes: Vec<u8>, coding in "(gzip|deflate|br|identity)") {
            let shown = shown(&[("content-encoding", &coding)], &bytes);
            prop_assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
}
