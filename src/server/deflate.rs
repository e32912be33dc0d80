//! permessage-deflate on the server's side (RFC 7692): the answer to an offer, and the messages.

use flate2::{Compress, Compression, FlushCompress};

use super::frame::{self, FrameViolation, Opcode};
use crate::domain::connection::message_decompressor::{DecompressError, MessageDecompressor, OMITTED};
use crate::domain::connection::permessage_deflate::unquoted;

const NAME: &str = "permessage-deflate";
/// The smallest window that zlib compresses with, as a power of two of bytes. It refers to no more than 250 bytes, so that it
/// fits a window of 8 bits, too.
const LEAST_WINDOW: u8 = 9;
const LARGEST_WINDOW: u8 = 15;
const RSV1: u8 = 0x40;
/// How many bytes of the letter `a` a bomb decompresses to: more than clients allow.
const BOMB_BYTES: usize = 1024 * 1024 * 1024;
/// How many of them are compressed at once; they do not refer to what came before.
const BOMB_PART: usize = 1024 * 1024;

/// How the server answers an offer of compression.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeflateAnswer {
    /// The parameters of the answer, right or wrong; empty: those that the offer asks for.
    parameters: String,
}

impl DeflateAnswer {
    /// The parameters as they stand in the header; they need not be right.
    pub fn parse(text: &str) -> Result<DeflateAnswer, String> {
        match text.chars().find(|c| c.is_control() || !c.is_ascii() || *c == ',') {
            Some(c) => Err(format!("'{}' cannot be in parameters of {NAME}", c.escape_debug())),
            None => Ok(DeflateAnswer { parameters: text.trim().to_string() }),
        }
    }

    /// The extension as it stands in the response, if the client offers it.
    pub fn to(&self, offers: &[String]) -> Option<String> {
        let mut offered = offers.iter().filter_map(|offer| {
            let (name, parameters) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim().eq_ignore_ascii_case(NAME).then_some(parameters)
        });
        match self.parameters.as_str() {
            "" => offered.find_map(asked_for),
            parameters => offered.next().map(|_| format!("{NAME}; {parameters}")),
        }
    }
}

/// The answer that grants what an offer asks for; `None` if the offer is invalid (RFC 7692 7.1).
fn asked_for(offer: &str) -> Option<String> {
    let mut names = Vec::new();
    let mut answer = NAME.to_string();
    for part in offer.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) =
            part.split_once('=').map_or((part, None), |(name, value)| (name.trim(), Some(value)));
        let is_window = value.is_some_and(|value| window(value).is_some());
        let is_valid = match name {
            "server_no_context_takeover" | "client_no_context_takeover" => value.is_none(),
            "server_max_window_bits" => is_window,
            "client_max_window_bits" => value.is_none() || is_window,
            _ => false,
        };
        if !is_valid || names.contains(&name) {
            return None;
        }
        names.push(name);
        if name != "client_max_window_bits" {
            answer.push_str(&format!("; {part}"));
        }
    }
    Some(answer)
}

/// A window's size; quotes may be around it.
fn window(value: &str) -> Option<u8> {
    let value = unquoted(value.trim());
    value.parse().ok().filter(|bits| (8..=LARGEST_WINDOW).contains(bits) && !value.starts_with(['0', '+']))
}

/// The compression of one connection.
#[derive(Debug)]
pub struct Deflate {
    /// Made for the first message: it takes 300 KiB.
    compress: Option<Compress>,
    window: u8,
    forgets: bool,
    decompressor: MessageDecompressor,
}

impl Deflate {
    /// By the extension as it stands in the answer; what it says wrong counts as not said.
    pub fn new(answer: &str) -> Deflate {
        let parts = || answer.split(';').map(str::trim);
        let has = |name| parts().any(|part| part == name);
        let bits = |name| {
            let value = parts().find_map(|part| part.strip_prefix(name)?.trim().strip_prefix('='));
            value.and_then(window).unwrap_or(LARGEST_WINDOW)
        };
        Deflate {
            compress: None,
            window: bits("server_max_window_bits").max(LEAST_WINDOW),
            forgets: has("server_no_context_takeover"),
            decompressor: MessageDecompressor::new(
                bits("client_max_window_bits"),
                has("client_no_context_takeover"),
            ),
        }
    }

    /// A message's frame, compressed; control frames stay as they are.
    pub fn compressed(&mut self, frame: &[u8]) -> Vec<u8> {
        let Some((opcode, payload)) = frame::message_in(frame) else { return frame.to_vec() };
        if payload.is_empty() {
            // RFC 7692 section 7.2.3.6.
            return marked(opcode, &[0]);
        }
        let level = Compression::default();
        let compress =
            self.compress.get_or_insert_with(|| Compress::new_with_window_bits(level, false, self.window));
        let mut compressed = deflate(compress, payload);
        compressed.truncate(compressed.len() - OMITTED.len());
        if self.forgets {
            compress.reset();
        }
        marked(opcode, &compressed)
    }

    /// A client's message, decompressed to at most `largest` bytes.
    pub fn decompressed(&mut self, compressed: Vec<u8>, largest: usize) -> Result<Vec<u8>, FrameViolation> {
        self.decompressor.message(compressed, largest).map_err(|error| match error {
            DecompressError::TooLarge { size } => {
                FrameViolation::TooLarge { size: size as u64, limit: largest }
            }
            DecompressError::Cut | DecompressError::Invalid => FrameViolation::NotDeflate,
        })
    }
}

/// A text message that decompresses to a gibibyte.
pub fn bomb() -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let part = deflate(&mut compress, &vec![b'a'; BOMB_PART]);
    let mut compressed = part.repeat(BOMB_BYTES / BOMB_PART);
    compressed.truncate(compressed.len() - OMITTED.len());
    marked(Opcode::Text, &compressed)
}

fn marked(opcode: Opcode, compressed: &[u8]) -> Vec<u8> {
    let mut frame = frame::encode(opcode, compressed);
    frame[0] |= RSV1;
    frame
}

/// Compressed up to the end of a byte.
fn deflate(compress: &mut Compress, bytes: &[u8]) -> Vec<u8> {
    let start = compress.total_in();
    let mut compressed = Vec::with_capacity(bytes.len() / 2 + 64);
    loop {
        let done = (compress.total_in() - start) as usize;
        // Without an error: the input is memory, and there is room for the output.
        let _ = compress.compress_vec(&bytes[done..], &mut compressed, FlushCompress::Sync);
        if (compress.total_in() - start) as usize == bytes.len() && compressed.len() < compressed.capacity() {
            return compressed;
        }
        compressed.reserve(compressed.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LARGEST: usize = 1 << 20;

    #[test]
    fn answer_needs_an_offer() {
        let offers = ["other".to_string(), "permessage-deflate; client_max_window_bits".to_string()];
        let answer = DeflateAnswer::parse("server_max_window_bits=10").unwrap();
        assert_eq!(answer.to(&[]), None);
        assert_eq!(answer.to(&["x-webkit-deflate-frame".to_string()]), None);
        assert_eq!(answer.to(&offers).unwrap(), "permessage-deflate; server_max_window_bits=10");
        assert_eq!(DeflateAnswer::default().to(&offers).unwrap(), "permessage-deflate");
        assert_eq!(
            DeflateAnswer::parse("a\r\nX: y").unwrap_err(),
            "'\\r' cannot be in parameters of permessage-deflate"
        );
    }

    /// RFC 7692 section 7.1: what is asked for is granted, and invalid offers are declined.
    #[test]
    fn first_valid_offer_is_granted() {
        let granted = |offers: &[&str]| {
            let offers: Vec<String> =
                offers.iter().map(|offer| format!("permessage-deflate; {offer}")).collect();
            DeflateAnswer::default().to(&offers)
        };
        let all = "server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10";
        assert_eq!(granted(&[all]).unwrap(), format!("permessage-deflate; {all}"));
        assert_eq!(granted(&["client_max_window_bits=9"]).unwrap(), "permessage-deflate");
        for invalid in [
            "window=9",
            "server_max_window_bits",
            "server_max_window_bits=16",
            "server_max_window_bits=08",
            "client_max_window_bits=7",
            "server_max_window_bits=\"10",
            "server_no_context_takeover=1",
            "client_max_window_bits; client_max_window_bits",
        ] {
            assert_eq!(granted(&[invalid]), None, "{invalid}");
            assert_eq!(
                granted(&[invalid, "client_max_window_bits"]).unwrap(),
                "permessage-deflate",
                "{invalid}"
            );
        }
    }

    #[test]
    fn large_and_broken_messages_are_refused() {
        let bomb = bomb();
        assert_eq!((bomb[0], bomb[1]), (0xc1, 127));
        let refused = Deflate::new(NAME).decompressed(bomb[10..].to_vec(), LARGEST);
        assert!(matches!(refused, Err(FrameViolation::TooLarge { limit: LARGEST, .. })), "{refused:?}");
        for broken in [&[0x07, 0xff][..], &[0xf2, 0x48, 0xcd], b""] {
            let refused = Deflate::new(NAME).decompressed(broken.to_vec(), LARGEST);
            assert_eq!(refused, Err(FrameViolation::NotDeflate), "{broken:02x?}");
        }
    }

    /// The second half repeats the first from 4,000 bytes back.
    #[test]
    fn client_must_keep_to_its_window() {
        let noise: Vec<u8> = (0..4000).map(|_| rand::random()).collect();
        let frame = Deflate::new(NAME).compressed(&frame::encode(Opcode::Binary, &noise.repeat(2)));
        let decompressed = |answer: &str| Deflate::new(answer).decompressed(frame[4..].to_vec(), LARGEST);
        assert_eq!(decompressed(NAME).unwrap(), noise.repeat(2));
        let narrow = decompressed("permessage-deflate; client_max_window_bits=\"10\"");
        assert_eq!(narrow.map(|bytes| bytes.len()), Err(FrameViolation::NotDeflate));
    }

    #[test]
    fn control_frames_are_not_compressed_and_empty_messages_are() {
        let (mut ours, mut theirs) = (Deflate::new(NAME), Deflate::new(NAME));
        let ping = frame::encode(Opcode::Ping, b"x");
        assert_eq!(ours.compressed(&ping), ping);
        for _ in 0..2 {
            let frame = ours.compressed(&frame::encode(Opcode::Text, b""));
            assert_eq!(theirs.decompressed(frame[2..].to_vec(), LARGEST).unwrap(), b"");
        }
    }

    proptest! {
        #[test]
        fn messages_come_back(
            messages in proptest::collection::vec(proptest::collection::vec(0_u8..30, 0..70_000), 1..4),
            bits in 8_u8..=15,
            forgets: bool,
        ) {
            let flags = if forgets { "; server_no_context_takeover; client_no_context_takeover" } else { "" };
            let answer =
                format!("{NAME}{flags}; server_max_window_bits={bits}; client_max_window_bits={bits}");
            let (mut ours, mut theirs) = (Deflate::new(&answer), Deflate::new(&answer));
            for message in messages {
                let frame = ours.compressed(&frame::encode(Opcode::Binary, &message));
                prop_assert_eq!(frame[0], 0xc2);
                let head = match frame[1] { 126 => 4, 127 => 10, _ => 2 };
                prop_assert_eq!(theirs.decompressed(frame[head..].to_vec(), LARGEST).unwrap(), message);
            }
        }
    }
}
