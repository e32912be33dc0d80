//! The text of a PEM file as editors save it: with a byte order mark, or as UTF-16.

/// `bytes` in UTF-8 without a byte order mark (Unicode 16.0, section 23.8). The PEM reader looks for `-----BEGIN` at the
/// start of a line, where a mark would hide it.
pub fn decode(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.to_vec(),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => bytes,
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect();
    String::from_utf16_lossy(&units).into_bytes()
}

/// What `bytes` are if they contain no PEM block; `None` if unknown.
pub fn other_format(bytes: &[u8]) -> Option<&'static str> {
    // A DER sequence with a length in two bytes (ITU-T X.690, 8.1.3.5): every certificate and RSA key.
    let der = matches!(bytes, [0x30, 0x81..=0x84, ..]);
    der.then_some("DER or PKCS #12, not PEM: `openssl x509 -inform der -in FILE` converts a certificate")
}

/// Maximum number of block labels listed.
const MAX_LABELS: usize = 4;

/// The labels of the PEM blocks in a file, each once: `PRIVATE KEY`, `TRUSTED CERTIFICATE`.
pub fn labels(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let label =
        |line: &str| Some(line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?.to_string());
    let is_label =
        |label: &String| label.len() < 32 && label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ');
    let mut labels: Vec<String> = text.lines().filter_map(label).filter(is_label).collect();
    labels.dedup();
    labels.truncate(MAX_LABELS);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "-----BEGIN X-----\n";

    #[test]
    fn byte_order_marks_and_utf16_are_read() {
        let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
            format!("\u{feff}{TEXT}").encode_utf16().flat_map(order).collect()
        };
        for bytes in [
            TEXT.into(),
            format!("\u{feff}{TEXT}").into_bytes(),
            utf16(u16::to_le_bytes),
            utf16(u16::to_be_bytes),
        ] {
            assert_eq!(decode(bytes), TEXT.as_bytes());
        }
    }

    #[test]
    fn labels_of_other_blocks_are_known() {
        let text = b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n-----BEGIN TRUSTED CERTIFICATE-----\n";
        assert_eq!(labels(text), ["PRIVATE KEY", "TRUSTED CERTIFICATE"]);
        assert!(labels(b"-----BEGIN \x1b[31m-----\nBEGIN X\n").is_empty());
    }

    #[test]
    fn der_is_named() {
        assert!(other_format(&[0x30, 0x82, 1, 2]).is_some_and(|what| what.contains("DER")));
        assert_eq!(other_format(b"0 text"), None);
    }
}
