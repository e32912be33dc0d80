use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use tokio_tungstenite::tungstenite::Message;

use super::*;
use crate::domain::connection::close_cause::Violation;
use crate::domain::connection::message_decompressor::OMITTED;
use crate::domain::connection::permessage_deflate::{AgreedDeflate, DeflateOffer};
use crate::net::client::frame_check::FrameError;

const TEXT: u8 = 0x81;
const COMPRESSED_TEXT: u8 = 0xc1;
const LARGEST: usize = 100_000;

fn agreed(parameters: &str) -> AgreedDeflate {
    let answer = parameters.split(';').filter(|part| !part.trim().is_empty());
    DeflateOffer::default().agreed(answer).unwrap()
}

/// An unmasked frame with this first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = payload.len();
    let mut frame = match length {
        0..126 => vec![first, length as u8],
        126..65_536 => [&[first, 126][..], &(length as u16).to_be_bytes()].concat(),
        _ => [&[first, 127][..], &(length as u64).to_be_bytes()].concat(),
    };
    frame.extend(payload);
    frame
}

/// What the library is to read of these bytes, which arrive in pieces of this size.
fn decompressed(decompressor: &mut Decompressor, bytes: &[u8], piece: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    for piece in bytes.chunks(piece) {
        decompressor.take(piece, &mut out).map_err(|error| {
            assert!(
                !matches!(&error, FrameError::Illegal(illegal) if illegal.rule != Violation::Compression)
            );
            error.to_string()
        })?;
    }
    Ok(out)
}

fn decompressed_once(parameters: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let whole = decompressed(&mut Decompressor::new(agreed(parameters), LARGEST), bytes, usize::MAX);
    let bytewise = decompressed(&mut Decompressor::new(agreed(parameters), LARGEST), bytes, 1);
    assert_eq!(whole, bytewise);
    whole
}

/// A message as another implementation with this window compresses it.
fn compressed_with_window(payload: &[u8], bits: u8) -> Vec<u8> {
    let mut compress = Compress::new_with_window_bits(Compression::best(), false, bits);
    let mut compressed = Vec::with_capacity(payload.len() + 1000);
    compress.compress_vec(payload, &mut compressed, FlushCompress::Sync).unwrap();
    compressed.truncate(compressed.len() - OMITTED.len());
    compressed
}

/// RFC 7692 section 7.2.3: one block, a fragmented message, a block without compression, a final block, two blocks.
#[test]
fn examples_of_the_rfc_are_unpacked() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let examples = [
        frame(COMPRESSED_TEXT, &hello),
        [frame(0x41, &hello[..3]), frame(0x80, &hello[3..])].concat(),
        frame(COMPRESSED_TEXT, b"\x00\x05\x00\xfa\xffHello\x00"),
        frame(COMPRESSED_TEXT, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]),
        frame(
            COMPRESSED_TEXT,
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ),
    ];
    for example in examples {
        assert_eq!(decompressed_once("", &example).unwrap(), frame(TEXT, b"Hello"), "{example:02x?}");
    }
}

/// RFC 7692 section 7.2.3.2: the second message refers to the first.
#[test]
fn window_is_kept_between_messages_if_that_was_agreed() {
    let first = frame(COMPRESSED_TEXT, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
    let both = [first, frame(COMPRESSED_TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    let hello = frame(TEXT, b"Hello");
    assert_eq!(decompressed_once("", &both).unwrap(), hello.repeat(2));
    let error = decompressed_once("server_no_context_takeover", &both).unwrap_err();
    let alone = ", though the server agreed to compress each by itself";
    assert_eq!(error, format!("a compressed message of 5 bytes that cannot be decompressed{alone}"));
    let final_blocks = frame(COMPRESSED_TEXT, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00]).repeat(2);
    let after = [final_blocks, frame(COMPRESSED_TEXT, &[0xf2, 0x00, 0x11, 0x00, 0x00])].concat();
    assert_eq!(decompressed_once("", &after).unwrap(), hello.repeat(3));
}

#[test]
fn other_frames_stay_as_they_are() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    let ping = frame(0x89, b"between fragments");
    let bytes = [
        frame(TEXT, b"plain"),
        frame(0x41, &hello[..2]),
        ping.clone(),
        frame(0x00, &[]),
        frame(0x80, &hello[2..]),
        frame(0x01, b"pl"),
        frame(0x80, b"ain"),
        frame(0x82, &[7; 70_000]),
        frame(0x88, &[0x03, 0xe8]),
    ];
    let expected = [
        frame(TEXT, b"plain"),
        ping,
        frame(TEXT, b"Hello"),
        frame(0x01, b"pl"),
        frame(0x80, b"ain"),
        frame(0x82, &[7; 70_000]),
        frame(0x88, &[0x03, 0xe8]),
    ];
    assert_eq!(decompressed_once("", &bytes.concat()).unwrap(), expected.concat());
}

#[test]
fn what_is_no_deflate_is_named() {
    let reserved_block = frame(COMPRESSED_TEXT, &[0x07, 0xff, 0xff]);
    assert_eq!(
        decompressed_once("", &reserved_block).unwrap_err(),
        "a compressed message of 3 bytes that cannot be decompressed"
    );
    // The length of a block without compression, and then too few bytes.
    let cut = frame(COMPRESSED_TEXT, b"\x00\x50\x00\xaf\xffHello");
    assert_eq!(
        decompressed_once("", &cut).unwrap_err(),
        "a compressed message of 10 bytes that ends inside a block"
    );
}

/// Our own limit is no rule that the server breaks.
#[test]
fn bombs_are_bounded_and_named() {
    let bomb = compressed_with_window(&vec![b'a'; 10 * LARGEST], 15);
    let whole =
        decompressed(&mut Decompressor::new(agreed(""), LARGEST), &frame(COMPRESSED_TEXT, &bomb), usize::MAX);
    let error = whole.unwrap_err();
    assert!(
        error.starts_with("a message of ") && error.ends_with(" is above the limit of 100000"),
        "{error}"
    );
    let claim = [&[COMPRESSED_TEXT, 127][..], &(1_u64 << 40).to_be_bytes()].concat();
    let error = decompressed_once("", &claim).unwrap_err();
    assert_eq!(error, "a message of 1099511627776 bytes is above the limit of 100000");
    let fragments = [frame(0x41, &[0; LARGEST]), frame(0x00, &[0; 1000])].concat();
    let error = decompressed_once("", &fragments).unwrap_err();
    assert_eq!(error, "a message of 101000 bytes is above the limit of 100000");
}

/// Random bytes are larger when compressed.
#[test]
fn message_of_the_maximum_size_is_unpacked() {
    let random: Vec<u8> = (0..LARGEST).map(|_| rand::random()).collect();
    let compressed = compressed_with_window(&random, 15);
    assert!(compressed.len() > LARGEST);
    assert_eq!(decompressed_once("", &frame(0xc2, &compressed)).unwrap(), frame(0x82, &random));
}

/// Its second half repeats the first from 4,000 bytes back.
#[test]
fn window_larger_than_agreed_is_named() {
    let noise: Vec<u8> = (0..4000).map(|_| rand::random()).collect();
    let message = frame(COMPRESSED_TEXT, &compressed_with_window(&noise.repeat(2), 15));
    assert!(message.len() < 5000, "it refers to what is 4,000 bytes back");
    assert_eq!(decompressed_once("", &message).unwrap(), frame(TEXT, &noise.repeat(2)));
    let decompressed = decompressed_once("server_max_window_bits=10", &message);
    let error = decompressed.map(|bytes| bytes.len()).unwrap_err();
    assert!(error.ends_with("cannot be decompressed within the agreed window of 10 bits"), "{error}");
    let within = frame(COMPRESSED_TEXT, &compressed_with_window(&noise.repeat(2), 10));
    assert_eq!(
        decompressed_once("server_max_window_bits=10", &within).unwrap(),
        frame(TEXT, &noise.repeat(2))
    );
}

#[test]
fn control_frames_are_not_packed() {
    let ping = Message::Ping(vec![1, 2].into());
    assert_eq!(Compressor::new(&agreed("")).compress(ping.clone()), ping);
}

/// The payload of a compressed message.
fn payload_of(message: Message) -> Vec<u8> {
    let Message::Frame(frame) = message else { panic!("{message:?} is not compressed") };
    assert!(frame.header().rsv1 && frame.header().is_final);
    frame.into_payload().to_vec()
}

#[test]
fn empty_messages_are_packed_one_after_another() {
    let (mut compressor, mut decompressor) =
        (Compressor::new(&agreed("")), Decompressor::new(agreed(""), LARGEST));
    for text in ["", "", "Hello", ""] {
        let compressed = payload_of(compressor.compress(Message::text(text)));
        let got = decompressed(&mut decompressor, &frame(COMPRESSED_TEXT, &compressed), 1);
        assert_eq!(got.unwrap(), frame(TEXT, text.as_bytes()));
    }
}

#[test]
fn message_that_did_not_leave_is_not_referred_to() {
    let mut compressor = Compressor::new(&agreed(""));
    let text = "the same words in every message".repeat(10);
    let mut decompressor = Decompressor::new(agreed(""), LARGEST);
    compressor.compress(Message::text(text.clone()));
    compressor.forget();
    let second = frame(COMPRESSED_TEXT, &payload_of(compressor.compress(Message::text(text.clone()))));
    assert_eq!(decompressed(&mut decompressor, &second, 7).unwrap(), frame(TEXT, text.as_bytes()));
}

#[test]
fn repeated_text_is_smaller_with_the_window_kept() {
    let text = "heartbeat: are you alive?";
    let size = |parameters: &str| {
        let mut compressor = Compressor::new(&agreed(parameters));
        compressor.compress(Message::text(text));
        payload_of(compressor.compress(Message::text(text))).len()
    };
    assert!(size("") < size("client_no_context_takeover"));
}

proptest! {
    /// What one end compresses, the other decompresses, whatever was agreed and however it is cut.
    #[test]
    fn what_goes_in_comes_out(
        messages in proptest::collection::vec(proptest::collection::vec(0_u8..40, 0..3000), 1..6),
        bits in 8_u8..=15,
        takeover: bool,
        piece in 1_usize..500,
    ) {
        let agreed = AgreedDeflate {
            server_no_context_takeover: !takeover,
            client_no_context_takeover: !takeover,
            server_max_window_bits: bits,
            client_max_window_bits: bits,
        };
        let (mut compressor, mut decompressor) = (Compressor::new(&agreed), Decompressor::new(agreed, LARGEST));
        for message in messages {
            let compressed = payload_of(compressor.compress(Message::binary(message.clone())));
            let got = decompressed(&mut decompressor, &frame(0xc2, &compressed), piece);
            prop_assert_eq!(got.unwrap(), frame(0x82, &message));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>, piece in 1_usize..50) {
        let _ = decompressed(&mut Decompressor::new(agreed(""), 1000), &frame(COMPRESSED_TEXT, &bytes), piece);
    }
}
