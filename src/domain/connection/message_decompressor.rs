//! Decompresses compressed messages (RFC 7692 7.2.2), within the agreed window and a limit.
//!
//! By miniz_oxide, which refuses what refers to more than the window, of any size, and tells whether a message ends with a block;
//! zlib-rs does neither.

use std::fmt;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// What ends every compressed message, and is not sent (RFC 7692 7.2.1): an empty block without compression.
pub const OMITTED: [u8; 4] = [0, 0, 0xff, 0xff];

/// The most bytes that a message of this size takes, compressed: random ones become larger by a few bytes a block.
pub fn largest_compressed(largest: usize) -> usize {
    largest.saturating_add(largest / 1000).saturating_add(64)
}

/// Why a message cannot be decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecompressError {
    /// It is larger than the limit: decompressing stopped at this size in bytes.
    TooLarge { size: usize },
    /// It ends inside a block.
    Cut,
    /// It is not deflate, or refers to more than the window.
    Invalid,
}

/// One direction of a connection.
pub struct MessageDecompressor {
    decompressor: Box<DecompressorOxide>,
    window: Window,
    /// Each message is compressed by itself.
    forgets: bool,
}

impl fmt::Debug for MessageDecompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageDecompressor").field("forgets", &self.forgets).finish_non_exhaustive()
    }
}

/// The last bytes that came out: as many as later ones may refer to. The library writes to them, and refuses what refers to more.
struct Window {
    bytes: Vec<u8>,
    /// Where the next byte goes.
    at: usize,
    /// It has been full, and continues at its start.
    wraps: bool,
}

impl Window {
    fn new(size: usize) -> Window {
        Window { bytes: vec![0; size], at: 0, wraps: false }
    }

    fn flags(&self) -> u32 {
        if self.wraps { 0 } else { TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF }
    }

    /// Takes the bytes that were written.
    fn advance(&mut self, count: usize) -> &[u8] {
        let from = self.at;
        self.at += count;
        if self.at == self.bytes.len() {
            (self.at, self.wraps) = (0, true);
        }
        &self.bytes[from..from + count]
    }
}

impl MessageDecompressor {
    /// `window_bits`: the agreed window as a power of two of bytes; `forgets`: each message is compressed by itself.
    pub fn new(window_bits: u8, forgets: bool) -> MessageDecompressor {
        MessageDecompressor { decompressor: Box::default(), window: Window::new(1 << window_bits), forgets }
    }

    /// Decompresses a message to at most `largest` bytes. Its last block may be final, and one without data may follow (RFC 7692
    /// 7.2.3.4 and 7.2.3.5).
    pub fn message(&mut self, mut compressed: Vec<u8>, largest: usize) -> Result<Vec<u8>, DecompressError> {
        compressed.extend_from_slice(&OMITTED);
        let (mut message, mut rest) = (Vec::new(), compressed.as_slice());
        loop {
            let flags = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY | self.window.flags();
            let Window { bytes, at, .. } = &mut self.window;
            let (status, taken, made) = decompress(&mut self.decompressor, rest, bytes, *at, flags);
            rest = &rest[taken..];
            message.extend_from_slice(self.window.advance(made));
            if message.len() > largest {
                return Err(DecompressError::TooLarge { size: message.len() });
            }
            match status {
                TINFLStatus::BlockBoundary if rest.is_empty() => break,
                TINFLStatus::BlockBoundary | TINFLStatus::HasMoreOutput => {}
                TINFLStatus::Done => {
                    self.decompressor.init();
                    if rest == OMITTED {
                        break;
                    }
                }
                TINFLStatus::NeedsMoreInput => return Err(DecompressError::Cut),
                _ => return Err(DecompressError::Invalid),
            }
        }
        if self.forgets {
            self.window = Window::new(self.window.bytes.len());
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    /// RFC 7692 7.2.3.2: it refers to the message before.
    const HELLO_AGAIN: [u8; 5] = [0xf2, 0x00, 0x11, 0x00, 0x00];

    /// RFC 7692 section 7.2.3.
    #[test]
    fn examples_of_the_rfc_are_decompressed() {
        let mut decompressor = MessageDecompressor::new(15, false);
        let examples: [&[u8]; 7] = [
            &HELLO,
            &HELLO_AGAIN,
            b"\x00\x05\x00\xfa\xffHello\x00",
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            // The window outlives a final block.
            &HELLO_AGAIN,
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
            &HELLO,
        ];
        for example in examples {
            assert_eq!(decompressor.message(example.to_vec(), 5).unwrap(), b"Hello", "{example:02x?}");
        }
        assert_eq!(decompressor.message(vec![0], 5).unwrap(), b"");
    }

    #[test]
    fn wrong_messages_are_told_apart() {
        let within =
            |bytes: &[u8], largest| MessageDecompressor::new(15, false).message(bytes.to_vec(), largest);
        assert_eq!(within(&HELLO, 4), Err(DecompressError::TooLarge { size: 5 }));
        let of = |bytes: &[u8]| within(bytes, 100);
        // What is appended is data here, and then either no code or no end.
        assert!(matches!(of(&HELLO[..3]), Err(DecompressError::Cut | DecompressError::Invalid)));
        assert_eq!(of(b"\x00\x50\x00\xaf\xffHell"), Err(DecompressError::Cut));
        assert_eq!(of(b""), Err(DecompressError::Cut));
        assert_eq!(of(&[0x07, 0xff, 0xff]), Err(DecompressError::Invalid));
        assert_eq!(of(&HELLO_AGAIN), Err(DecompressError::Invalid), "there is nothing that it may refer to");
        let mut forgetful = MessageDecompressor::new(15, true);
        forgetful.message(HELLO.to_vec(), 5).unwrap();
        assert_eq!(forgetful.message(HELLO_AGAIN.to_vec(), 5), Err(DecompressError::Invalid));
    }
}
