//! RFC 6455 frames on the server side: masked frames come in, unmasked ones go out.
//!
//! A codec of its own, because the faults need what libraries rightly forbid: single bytes, frames with false lengths,
//! pongs with wrong payloads.

use bytes::{Buf, BytesMut};
use strum::FromRepr;
use thiserror::Error;

use crate::domain::connection::message_decompressor::largest_compressed;

/// A frame's opcode (RFC 6455 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRepr)]
#[repr(u8)]
pub enum Opcode {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xa,
}

impl Opcode {
    fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// A client's frame, unmasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientFrame {
    pub fin: bool,
    pub opcode: Opcode,
    /// RSV1: it begins a compressed message.
    pub compressed: bool,
    pub payload: Vec<u8>,
}

/// A rule of RFC 6455 that a client broke; `Display` is the reason for the close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameViolation {
    #[error("a client's frame must be masked")]
    Unmasked,
    #[error("reserved bits are set")]
    ReservedBits,
    #[error("unknown opcode {0:#x}")]
    UnknownOpcode(u8),
    #[error("a control frame must be whole and at most 125 bytes")]
    BadControl,
    #[error("a message of {size} bytes is above the limit of {limit}")]
    TooLarge { size: u64, limit: usize },
    #[error("a continuation without a beginning")]
    StrayContinuation,
    #[error("a new message inside another")]
    Interleaved,
    #[error("a compressed message cannot be decompressed")]
    NotDeflate,
    #[error("text is not UTF-8")]
    NotUtf8,
    #[error("a close frame has no body or a code of two bytes and a reason")]
    BadClose,
    #[error("close code {0} must not be sent")]
    BadCode(u16),
}

impl FrameViolation {
    /// The close code for it (RFC 6455 7.4.1).
    pub fn code(self) -> u16 {
        match self {
            FrameViolation::TooLarge { .. } => 1009,
            FrameViolation::NotUtf8 | FrameViolation::NotDeflate => 1007,
            FrameViolation::Unmasked
            | FrameViolation::ReservedBits
            | FrameViolation::UnknownOpcode(_)
            | FrameViolation::BadControl
            | FrameViolation::StrayContinuation
            | FrameViolation::Interleaved
            | FrameViolation::BadClose
            | FrameViolation::BadCode(_) => 1002,
        }
    }
}

/// Decodes a byte stream into frames. Holds at most one frame and the bytes read beyond it, and no memory while the
/// client is quiet.
#[derive(Debug)]
pub struct FrameDecoder {
    bytes: BytesMut,
    largest: usize,
    /// Compression was agreed.
    may_compress: bool,
}

/// A complete frame header.
struct FrameHeader {
    fin: bool,
    opcode: Opcode,
    compressed: bool,
    mask: [u8; 4],
    /// Sizes of header and payload, in bytes.
    header: usize,
    payload: usize,
}

impl FrameDecoder {
    /// Rejects frames of messages above `largest` bytes. `may_compress`: compression was agreed, so that payloads may be a little
    /// larger than their messages.
    pub fn new(largest: usize, may_compress: bool) -> FrameDecoder {
        FrameDecoder { bytes: BytesMut::new(), largest, may_compress }
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete frame; `None` if more bytes are needed.
    pub fn next(&mut self) -> Result<Option<ClientFrame>, FrameViolation> {
        let Some(header) = header(&self.bytes, self.largest, self.may_compress)? else { return Ok(None) };
        let end = header.header + header.payload;
        let Some(masked) = self.bytes.get(header.header..end) else { return Ok(None) };
        let payload = masked.iter().zip(header.mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        self.bytes.advance(end);
        if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
        let FrameHeader { fin, opcode, compressed, .. } = header;
        Ok(Some(ClientFrame { fin, opcode, compressed, payload }))
    }
}

fn header(bytes: &[u8], largest: usize, may_compress: bool) -> Result<Option<FrameHeader>, FrameViolation> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let opcode = Opcode::from_repr(first & 0x0f).ok_or(FrameViolation::UnknownOpcode(first & 0x0f))?;
    let compressed = first & 0x40 != 0;
    let largest_payload = if may_compress { largest_compressed(largest) } else { largest };
    let may_compress = may_compress && matches!(opcode, Opcode::Text | Opcode::Binary);
    if first & 0x30 != 0 || compressed && !may_compress {
        return Err(FrameViolation::ReservedBits);
    }
    let fin = first & 0x80 != 0;
    if second & 0x80 == 0 {
        return Err(FrameViolation::Unmasked);
    }
    if opcode.is_control() && (!fin || second & 0x7f > 125) {
        return Err(FrameViolation::BadControl);
    }
    let Some((length, rest)) = payload_length(second & 0x7f, rest) else { return Ok(None) };
    let too_large = FrameViolation::TooLarge { size: length, limit: largest };
    let payload = usize::try_from(length).ok().filter(|n| *n <= largest_payload).ok_or(too_large)?;
    let Some(mask) = rest.first_chunk::<4>() else { return Ok(None) };
    let header = bytes.len() - rest.len() + 4;
    Ok(Some(FrameHeader { fin, opcode, compressed, mask: *mask, header, payload }))
}

fn payload_length(short: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    match short {
        126 => rest.split_first_chunk().map(|(n, rest)| (u64::from(u16::from_be_bytes(*n)), rest)),
        127 => rest.split_first_chunk().map(|(n, rest)| (u64::from_be_bytes(*n), rest)),
        short => Some((u64::from(short), rest)),
    }
}

/// A complete, unmasked frame.
pub fn encode(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode as u8];
    match payload.len() {
        n @ 0..=125 => bytes.push(n as u8),
        n @ 126..=0xffff => {
            bytes.push(126);
            bytes.extend_from_slice(&(n as u16).to_be_bytes());
        }
        n => {
            bytes.push(127);
            bytes.extend_from_slice(&(n as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(payload);
    bytes
}

/// The opcode and payload of an encoded frame, if it is a message.
pub fn message_in(frame: &[u8]) -> Option<(Opcode, &[u8])> {
    let opcode = Opcode::from_repr(frame.first()? & 0x0f).filter(|opcode| !opcode.is_control())?;
    let (_, payload) = payload_length(*frame.get(1)?, frame.get(2..)?)?;
    Some((opcode, payload))
}

/// A close frame. The reason is truncated at a character boundary to fit a control frame.
pub fn encode_close(code: u16, reason: &str) -> Vec<u8> {
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend_from_slice(&reason.as_bytes()[..end]);
    encode(Opcode::Close, &payload)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A client's frame, masked with a fixed key.
    pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        let mut bytes = vec![first];
        match payload.len() {
            n @ 0..=125 => bytes.push(0x80 | n as u8),
            n @ 126..=0xffff => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(n as u16).to_be_bytes());
            }
            n => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(n as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&key);
        bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
        bytes
    }

    fn refusal(bytes: &[u8]) -> FrameViolation {
        let mut decoder = FrameDecoder::new(1000, false);
        decoder.push(bytes);
        decoder.next().unwrap_err()
    }

    #[test]
    fn rfc_example_is_decoded() {
        // RFC 6455 section 5.7: a single-frame masked text message that says "Hello".
        let bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut decoder = FrameDecoder::new(1000, false);
        decoder.push(&bytes);
        let hello =
            ClientFrame { fin: true, opcode: Opcode::Text, compressed: false, payload: b"Hello".to_vec() };
        assert_eq!(decoder.next(), Ok(Some(hello)));
        assert_eq!(decoder.next(), Ok(None));
    }

    #[test]
    fn rfc_examples_are_encoded() {
        // RFC 6455 section 5.7: unmasked "Hello", a Ping, and 256 bytes of binary data.
        assert_eq!(encode(Opcode::Text, b"Hello"), b"\x81\x05Hello");
        assert_eq!(encode(Opcode::Ping, b"Hello"), b"\x89\x05Hello");
        assert_eq!(encode(Opcode::Binary, &[0; 256])[..4], [0x82, 0x7e, 0x01, 0x00]);
        assert_eq!(message_in(b"\x81\x05Hello"), Some((Opcode::Text, &b"Hello"[..])));
        assert_eq!(message_in(b"\x89\x05Hello"), None);
        assert_eq!(encode(Opcode::Binary, &[0; 65536])[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn frames_that_the_rfc_forbids_are_refused() {
        assert_eq!(refusal(b"\x81\x05Hello"), FrameViolation::Unmasked);
        assert_eq!(refusal(&masked(0xc1, b"x")), FrameViolation::ReservedBits);
        assert_eq!(refusal(&masked(0x83, b"x")), FrameViolation::UnknownOpcode(3));
        assert_eq!(refusal(&masked(0x09, b"x")), FrameViolation::BadControl);
        assert_eq!(refusal(&masked(0x89, &[0; 126])), FrameViolation::BadControl);
    }

    #[test]
    fn oversized_frame_is_refused_by_its_header() {
        let mut claim = vec![0x82, 0xff];
        claim.extend_from_slice(&(1_u64 << 62).to_be_bytes());
        assert_eq!(refusal(&claim), FrameViolation::TooLarge { size: 1 << 62, limit: 1000 });
    }

    #[test]
    fn idle_decoder_holds_no_memory() {
        let mut decoder = FrameDecoder::new(1000, false);
        decoder.push(&masked(0x81, b"Hello"));
        while decoder.next().unwrap().is_some() {}
        assert_eq!(decoder.bytes.capacity(), 0);
    }

    #[test]
    fn long_reason_is_cut_at_a_character_boundary() {
        let frame = encode_close(1000, &"ä".repeat(100));
        assert_eq!(frame.len(), 2 + 2 + 122);
        assert!(std::str::from_utf8(&frame[4..]).is_ok());
    }

    proptest! {
        #[test]
        fn frames_survive_in_any_pieces(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..5),
            piece in 1_usize..40,
        ) {
            let wire: Vec<u8> = payloads.iter().flat_map(|p| masked(0x82, p)).collect();
            let mut decoder = FrameDecoder::new(1000, false);
            let mut seen = Vec::new();
            for bytes in wire.chunks(piece) {
                decoder.push(bytes);
                while let Some(frame) = decoder.next().unwrap() {
                    seen.push(frame.payload);
                }
            }
            prop_assert_eq!(seen, payloads);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = FrameDecoder::new(100, false);
            decoder.push(&bytes);
            while let Ok(Some(_)) = decoder.next() {}
        }
    }
}
