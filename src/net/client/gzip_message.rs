//! Decompression of gzip messages.

use std::io::Read as _;

use flate2::bufread::GzDecoder;

/// Start of every gzip stream: magic bytes and the only method, deflate (RFC 1952 section 2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
/// Maximum decompressed size in bytes; heartbeats are far smaller, and a zip bomb must not exhaust memory.
pub const MAX_UNPACKED_BYTES: usize = 64 * 1024;

/// Decompresses a binary message that is gzip. Returns `None` if it is not gzip, its text exceeds 64 KiB, or is
/// not UTF-8.
pub fn decompress_gzip(bytes: &[u8]) -> Option<String> {
    if !bytes.starts_with(&GZIP) {
        return None;
    }
    let mut text = Vec::new();
    GzDecoder::new(bytes).take(MAX_UNPACKED_BYTES as u64 + 1).read_to_end(&mut text).ok()?;
    if text.len() > MAX_UNPACKED_BYTES { None } else { String::from_utf8(text).ok() }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Option<String> {
        decompress_gzip(bytes)
    }

    #[test]
    fn gzip_heartbeat_is_decompressed() {
        // printf '{"ping":1}' | gzip -9n
        let wire = [
            0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3, 0xab, 0x56, 0x2a, 0xc8, 0xcc, 0x4b, 0x57, 0xb2, 0x32, 0xac,
            5, 0, 0x2d, 0xec, 0x98, 0x21, 10, 0, 0, 0,
        ];
        assert_eq!(read(&wire).as_deref(), Some("{\"ping\":1}"));
        assert_eq!(read(&packed(b"{\"ping\":1}")).as_deref(), Some("{\"ping\":1}"));
    }

    #[test]
    fn messages_that_are_not_gzip_text_are_ignored() {
        assert_eq!(read(b"{}"), None);
        assert_eq!(read(&[]), None);
        assert_eq!(read(&packed(&[0xff, 0xfe])), None);
        let mut torn = packed(b"{\"ping\":1}");
        torn.truncate(12);
        assert_eq!(read(&torn), None);
    }

    #[test]
    fn zip_bomb_is_rejected() {
        assert_eq!(read(&packed(&vec![b' '; 64 * 1024])).unwrap().len(), 64 * 1024);
        assert_eq!(read(&packed(&vec![b' '; 64 * 1024 + 1])), None);
        let bomb = packed(&vec![b' '; 100_000_000]);
        assert!(bomb.len() < 120_000);
        assert_eq!(read(&bomb), None);
    }
}
