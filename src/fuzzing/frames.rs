//! Frames: as a client checks and reads them, and as the server decodes them.

use super::assert_harmless;
use super::peer::{Peer, PieceSizes, block_on};
use crate::domain::connection::close_cause::CloseKindName;
use crate::domain::connection::permessage_deflate::{AgreedDeflate, LARGEST_WINDOW_BITS};
use crate::net::client::disconnect::Disconnect;
use crate::net::client::frame_check::{FrameCheck, IllegalFrame};
use crate::net::client::gzip_message::MAX_UNPACKED_BYTES;
use crate::net::client::websocket::{ReceivedMessage, SocketEvent, WebSocket};
use crate::net::transport::tap::Tap;
use crate::net::transport::upgraded_stream::UpgradedStream;
use crate::server::deflate::Deflate;
use crate::server::frame::{ClientFrame, FrameDecoder, FrameViolation, encode, encode_close};
use crate::server::message::MessageAssembler;

/// Maximum size of a message, in bytes.
const MAX_MESSAGE: usize = 16 * 1024;

/// Compression as most servers agree to it.
const DEFLATE: AgreedDeflate = AgreedDeflate {
    server_no_context_takeover: false,
    client_no_context_takeover: false,
    server_max_window_bits: LARGEST_WINDOW_BITS,
    client_max_window_bits: LARGEST_WINDOW_BITS,
};

/// The first byte is a [`PieceSizes`]; the rest arrives as frames, without compression and with it.
pub fn frames(data: &[u8]) {
    let Some((sizes, bytes)) = data.split_first() else { return };
    let pieces = PieceSizes(*sizes).cut(bytes);
    for deflate in [None, Some(DEFLATE)] {
        check_heads(bytes, &pieces, deflate.is_some());
        read_messages(bytes, &pieces, deflate);
        decode(bytes, &pieces, deflate);
    }
    close(bytes);
}

/// The first illegal head in these pieces.
struct FoundHead {
    /// How many bytes are legal.
    at: usize,
    /// Where the piece began that made the head illegal.
    piece: usize,
    illegal: IllegalFrame,
}

fn checked(pieces: &[&[u8]], may_deflate: bool) -> (FrameCheck, Option<FoundHead>) {
    let (mut check, mut piece) = (FrameCheck::new(may_deflate), 0);
    for bytes in pieces {
        if let Err((legal, illegal)) = check.consume(bytes) {
            return (check, Some(FoundHead { at: piece + legal, piece, illegal }));
        }
        piece += bytes.len();
    }
    (check, None)
}

/// Pieces change nothing, but that a head whose first bytes were passed on is illegal from its piece on.
fn check_heads(bytes: &[u8], pieces: &[&[u8]], may_deflate: bool) {
    match (checked(&[bytes], may_deflate), checked(pieces, may_deflate)) {
        ((whole, None), (cut, None)) => {
            assert_eq!(whole.incomplete(), cut.incomplete());
            assert_eq!(whole.close_payload(), cut.close_payload());
        }
        ((_, Some(whole)), (_, Some(cut))) => {
            assert_eq!(whole.illegal.rule, cut.illegal.rule);
            assert_eq!(whole.at.max(cut.piece), cut.at);
        }
        ((_, whole), (_, cut)) => {
            panic!("illegal: {} whole, {} in pieces", whole.is_some(), cut.is_some())
        }
    }
}

/// What a client reads of these pieces, and how the connection ends.
pub(super) fn read(
    pieces: &[&[u8]],
    is_first_left_over: bool,
    deflate: Option<AgreedDeflate>,
) -> (Vec<SocketEvent>, Disconnect) {
    let (leftover, rest) = match pieces.split_first() {
        Some((first, rest)) if is_first_left_over => (first.to_vec(), rest),
        _ => (Vec::new(), pieces),
    };
    block_on(async {
        let tap = Tap::new(Peer::new(rest.iter().copied()));
        let upgraded = UpgradedStream { leftover, deflate, ..UpgradedStream::of(tap) };
        let mut socket = WebSocket::new(upgraded, MAX_MESSAGE, 64).await;
        let mut received = Vec::new();
        loop {
            match socket.step().await {
                SocketEvent::Ended(end) => return (received, *end),
                SocketEvent::Flushed(_) | SocketEvent::Bytes => {
                    socket.incomplete();
                }
                frame => {
                    assert_bounded(&frame);
                    received.push(frame);
                }
            }
        }
    })
}

/// No payload is larger than the limit; what gzip packed may be larger than its message.
fn assert_bounded(frame: &SocketEvent) {
    let (size, limit) = match frame {
        SocketEvent::Ping(payload) | SocketEvent::Pong(payload) => (payload.len(), MAX_MESSAGE),
        SocketEvent::Message(ReceivedMessage::Binary(bytes)) => (bytes.len(), MAX_MESSAGE),
        SocketEvent::Message(ReceivedMessage::Text(text)) => {
            (text.len(), MAX_UNPACKED_BYTES.max(MAX_MESSAGE))
        }
        SocketEvent::Flushed(_) | SocketEvent::Bytes | SocketEvent::Ended(_) => return,
    };
    assert!(size <= limit, "{size} bytes");
}

/// Pieces change neither the messages nor the kind of the end.
fn read_messages(bytes: &[u8], pieces: &[&[u8]], deflate: Option<AgreedDeflate>) {
    let (whole, of_whole) = read(&[bytes], false, deflate);
    for is_first_left_over in [false, true] {
        let (cut, end) = read(pieces, is_first_left_over, deflate);
        assert_eq!(whole, cut);
        assert_eq!(CloseKindName::from(&of_whole.how), CloseKindName::from(&end.how));
        assert_eq!(of_whole.who, end.who);
        assert_harmless(&end.to_string());
    }
}

/// The frames that a server decodes of these pieces, and the rule that the next one breaks.
fn decoded(pieces: &[&[u8]], may_compress: bool) -> (Vec<ClientFrame>, Option<FrameViolation>) {
    let (mut decoder, mut frames) = (FrameDecoder::new(MAX_MESSAGE, may_compress), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(violation) => return (frames, Some(violation)),
            }
        }
    }
    (frames, None)
}

/// Pieces change nothing; and a client accepts what the server sends back.
fn decode(bytes: &[u8], pieces: &[&[u8]], deflate: Option<AgreedDeflate>) {
    let (frames, violation) = decoded(&[bytes], deflate.is_some());
    assert_eq!((frames.clone(), violation), decoded(pieces, deflate.is_some()));
    let mut assembler = MessageAssembler::new(MAX_MESSAGE);
    let mut deflate = deflate.map(|agreed| Deflate::new(&agreed.to_string()));
    for frame in frames {
        let sent = encode(frame.opcode, &frame.payload);
        let is_rejected = FrameCheck::default().consume(&sent).is_err();
        assert_eq!(is_rejected, sent[0] & 0x0f == 0, "only a continuation alone is illegal");
        if let Err(violation) = assembler.add_frame(frame, deflate.as_mut()) {
            encode_close(violation.code(), &violation.to_string());
            return;
        }
    }
}

/// Whatever the reason of a close, a client reads its code.
fn close(bytes: &[u8]) {
    let sent = encode_close(1001, &String::from_utf8_lossy(bytes));
    let mut check = FrameCheck::default();
    assert!(check.consume(&sent).is_ok());
    assert!(check.close_payload().is_some_and(|payload| payload.starts_with(&1001_u16.to_be_bytes())));
}
