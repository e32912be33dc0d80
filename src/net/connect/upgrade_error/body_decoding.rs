//! Decodes the body of a refusal to text, within bounds.

use std::io::Read;

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::connect::http_head::HttpHead;

/// Maximum decoded size, in bytes.
const MAX_DECODED_BYTES: usize = 16 * 1024;
/// Maximum number of codings that are decoded; normal servers apply one.
const MAX_CODINGS: usize = 3;
/// Start of every gzip stream (RFC 1952 section 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

/// The start of a response's body.
#[derive(Debug, Clone, Default)]
pub struct ResponseBody {
    /// The decoded text to search in; empty if the body is not text.
    pub text: String,
    /// The text to show, or a description of a body that is not text: `(br, 2310 bytes)`.
    pub shown: UntrustedText,
}

impl ResponseBody {
    /// Decodes the received bytes of a response's body.
    pub fn new(head: &HttpHead, bytes: &[u8]) -> ResponseBody {
        let mut codings = codings(head);
        if codings.is_empty() && bytes.starts_with(&GZIP) {
            codings.push("gzip".to_string());
        }
        match decode_all(&codings, bytes) {
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

/// The body's codings in order of application, in lower case (RFC 9110 section 8.4, RFC 9112 section 7).
fn codings(head: &HttpHead) -> Vec<String> {
    let listed = head.tokens("content-encoding").chain(head.tokens("transfer-encoding"));
    listed.filter(|coding| !["identity", "chunked"].contains(&coding.as_str())).collect()
}

/// Decodes the bytes as far as they came; `None` if a coding is unknown or broken.
fn decode_all(codings: &[String], bytes: &[u8]) -> Option<Vec<u8>> {
    if codings.len() > MAX_CODINGS {
        return None;
    }
    let undo = |packed: Vec<u8>, coding: &String| decode_one(coding, &packed);
    codings.iter().rev().try_fold(bytes.to_vec(), undo)
}

fn decode_one(coding: &str, packed: &[u8]) -> Option<Vec<u8>> {
    match coding {
        "gzip" | "x-gzip" => decompress(GzDecoder::new(packed)),
        // By RFC 9110 section 8.4.1.2 it means zlib; some servers send raw deflate.
        "deflate" => decompress(ZlibDecoder::new(packed)).or_else(|| decompress(DeflateDecoder::new(packed))),
        _ => None,
    }
}

/// Decompresses up to the bound, the end or an error, since the body may be truncated.
fn decompress(decoder: impl Read) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    // What came before an error stays.
    let read = decoder.take(MAX_DECODED_BYTES as u64).read_to_end(&mut plain);
    (read.is_ok() || !plain.is_empty()).then_some(plain)
}

/// Whether the bytes are readable text: less than a quarter of the characters are controls or not UTF-8.
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
    fn each_known_coding_is_decoded() {
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
    fn truncated_body_is_decoded_as_far_as_possible() {
        // Zeroes would compress too well to be cut in the middle.
        let long: Vec<u8> =
            (0..4000_u32).flat_map(|n| format!("{} ", n * 7919 % 10007).into_bytes()).collect();
        let packed = gzip(&long);
        let body = ResponseBody::new(&head(&[("content-encoding", "gzip")]), &packed[..packed.len() / 2]);
        assert!(body.text.starts_with("0 7919 5831 "), "{}", body.text);
    }

    #[test]
    fn undecodable_body_is_described() {
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
    fn mislabelled_plain_text_is_shown() {
        assert_eq!(shown(&[("content-encoding", "gzip")], b"not gzip"), "not gzip");
        assert_eq!(shown(&[("content-encoding", "gzip")], b""), "");
    }

    #[test]
    fn zip_bomb_is_bounded() {
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
