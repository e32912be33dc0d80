//! Compressed messages: as a client and a server decompress them, and as each compresses them for the other.

use flate2::{Decompress, FlushDecompress, Status};
use tokio_tungstenite::tungstenite::Message;

use super::frames::read;
use super::peer::PieceSizes;
use crate::domain::connection::close_cause::CloseKindName;
use crate::domain::connection::message_decompressor::{
    DecompressError, MessageDecompressor, OMITTED, largest_compressed,
};
use crate::domain::connection::permessage_deflate::AgreedDeflate;
use crate::net::client::deflate::Compressor;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::gzip_message::decompress_gzip;
use crate::net::client::websocket::{ReceivedMessage, SocketEvent};
use crate::server::deflate::Deflate;
use crate::server::frame::{FrameDecoder, Opcode, encode, message_in};
use crate::server::message::{ClientMessage, MessageAssembler};

/// Maximum size of a message, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;
/// The largest window, in bytes: what a message that is too large may be above the limit.
const LARGEST_WINDOW: usize = 1 << 15;
const FINAL: u8 = 0x80;
const COMPRESSED_BINARY: u8 = 0x42;

/// The first byte is a [`PieceSizes`]. The second chooses what is agreed for both directions: by its low three bits the window, by
/// the next one whether each message is compressed by itself. The rest are messages, each after its length in two bytes.
pub fn deflate(data: &[u8]) {
    let [sizes, agreement, rest @ ..] = data else { return };
    let (sizes, agreed) = (PieceSizes(*sizes), agreed(*agreement));
    let messages = messages(rest);
    let expected = decompressed(&messages, &agreed);
    match_zlib(&messages, &agreed, &expected);
    match_client(&messages, &agreed, sizes, &expected);
    match_server(&messages, &agreed, sizes, &expected);
    to_server_and_back(&messages, &agreed);
}

/// The same in both directions.
fn agreed(choice: u8) -> AgreedDeflate {
    let (bits, forgets) = (8 + choice % 8, choice & 8 != 0);
    AgreedDeflate {
        server_no_context_takeover: forgets,
        client_no_context_takeover: forgets,
        server_max_window_bits: bits,
        client_max_window_bits: bits,
    }
}

fn messages(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let [high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let (message, others) = rest.split_at(length);
        messages.push(message);
        bytes = others;
    }
    messages
}

fn decompressor(agreed: &AgreedDeflate) -> MessageDecompressor {
    MessageDecompressor::new(agreed.server_max_window_bits, agreed.server_no_context_takeover)
}

/// The messages before the first that is refused, and whether one is.
struct Decompressed {
    messages: Vec<Vec<u8>>,
    is_refused: bool,
}

fn decompressed(compressed: &[&[u8]], agreed: &AgreedDeflate) -> Decompressed {
    let (mut decompressor, mut messages) = (decompressor(agreed), Vec::new());
    for compressed in compressed {
        let is_too_large = compressed.len() > largest_compressed(MAX_MESSAGE);
        match decompressor.message(compressed.to_vec(), MAX_MESSAGE) {
            _ if is_too_large => return Decompressed { messages, is_refused: true },
            Ok(message) => {
                assert!(message.len() <= MAX_MESSAGE, "{} bytes", message.len());
                messages.push(message);
            }
            Err(error) => {
                if let DecompressError::TooLarge { size } = error {
                    assert!(size > MAX_MESSAGE && size <= MAX_MESSAGE + LARGEST_WINDOW, "{size} bytes");
                }
                return Decompressed { messages, is_refused: true };
            }
        }
    }
    Decompressed { messages, is_refused: false }
}

/// What is accepted is what zlib makes of it. zlib accepts more: it takes any window, and a message's end inside a block.
fn match_zlib(compressed: &[&[u8]], agreed: &AgreedDeflate, expected: &Decompressed) {
    let mut zlib = Decompress::new(false);
    for (compressed, expected) in compressed.iter().zip(&expected.messages) {
        let whole = [compressed, &OMITTED[..]].concat();
        let mut message = Vec::with_capacity(MAX_MESSAGE + 1);
        match zlib.decompress_vec(&whole, &mut message, FlushDecompress::Sync) {
            // After a final block the window is lost here, and kept by ours.
            Ok(Status::StreamEnd) => return,
            result => assert!(result.is_ok(), "zlib refuses what is accepted: {result:?}"),
        }
        assert!(message == *expected, "zlib: {} bytes, ours: {}", message.len(), expected.len());
        if agreed.server_no_context_takeover {
            zlib.reset(false);
        }
    }
}

/// A message as frames, one for each piece; the mask, if there is one, changes nothing.
fn frames(message: &[u8], sizes: PieceSizes, is_masked: bool) -> Vec<u8> {
    let mut pieces = sizes.cut(message);
    if pieces.is_empty() {
        pieces.push(&[]);
    }
    let (last, mut frames) = (pieces.len() - 1, Vec::new());
    for (index, piece) in pieces.into_iter().enumerate() {
        let kind = if index == 0 { COMPRESSED_BINARY } else { 0 };
        let mut frame = encode(Opcode::Binary, piece);
        frame[0] = kind | if index == last { FINAL } else { 0 };
        if is_masked {
            frame[1] |= 0x80;
            let payload = frame.len() - piece.len();
            frame.splice(payload..payload, [0; 4]);
        }
        frames.extend(frame);
    }
    frames
}

/// A client receives these messages, however their frames are cut.
fn match_client(compressed: &[&[u8]], agreed: &AgreedDeflate, sizes: PieceSizes, expected: &Decompressed) {
    let bytes: Vec<u8> = compressed.iter().flat_map(|message| frames(message, sizes, false)).collect();
    for pieces in [vec![&bytes[..]], sizes.cut(&bytes)] {
        let (received, end) = read(&pieces, false, Some(*agreed));
        let messages = expected.messages.iter().map(|message| match decompress_gzip(message) {
            Some(text) => SocketEvent::Message(ReceivedMessage::Text(text.into())),
            None => SocketEvent::Message(ReceivedMessage::Binary(message.clone().into())),
        });
        assert!(received.iter().cloned().eq(messages), "{} messages", received.len());
        assert_eq!(is_refusal(&end), expected.is_refused, "{end}");
    }
}

/// Whether the client ended the connection, for what it received.
fn is_refusal(end: &Disconnect) -> bool {
    CloseKindName::from(&end.how) != CloseKindName::Fin
}

/// A server receives these messages.
fn match_server(compressed: &[&[u8]], agreed: &AgreedDeflate, sizes: PieceSizes, expected: &Decompressed) {
    let (mut decoder, mut deflate) =
        (FrameDecoder::new(MAX_MESSAGE, true), Deflate::new(&agreed.to_string()));
    let mut assembler = MessageAssembler::new(MAX_MESSAGE);
    let mut received = Vec::new();
    for message in compressed {
        decoder.push(&frames(message, sizes, true));
        while let Some(frame) = decoder.next().transpose() {
            match frame.and_then(|frame| assembler.add_frame(frame, Some(&mut deflate))) {
                Ok(message) => received.extend(message),
                Err(_) => {
                    assert!(expected.is_refused);
                    assert_eq!(received.len(), expected.messages.len());
                    return;
                }
            }
        }
    }
    assert!(!expected.is_refused);
    assert!(received.into_iter().eq(expected.messages.iter().cloned().map(ClientMessage::Binary)));
}

/// What the client compresses the server decompresses, and the other way round.
fn to_server_and_back(messages: &[&[u8]], agreed: &AgreedDeflate) {
    let (mut client, mut server) = (Compressor::new(agreed), Deflate::new(&agreed.to_string()));
    let mut of_client = decompressor(agreed);
    for message in messages {
        let Message::Frame(sent) = client.compress(Message::binary(message.to_vec())) else {
            panic!("a message is not compressed");
        };
        let compressed = sent.payload().to_vec();
        assert!(compressed.len() <= largest_compressed(message.len()), "{} bytes", compressed.len());
        let received = server.decompressed(compressed, message.len());
        assert!(received.as_deref() == Ok(*message), "the server receives something else");
        let answer = server.compressed(&encode(Opcode::Binary, message));
        let (_, compressed) = message_in(&answer).expect("it is a message");
        let received = of_client.message(compressed.to_vec(), message.len());
        assert!(received.as_deref() == Ok(*message), "the client receives something else");
    }
}
