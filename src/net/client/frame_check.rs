//! Checks the server's frame heads as they arrive. The WebSocket library checks a frame only when its payload is
//! complete, so plain text would look like a hanging server: the second letter of `HTTP` announces 84 bytes.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::domain::connection::close_cause::Violation;
use crate::domain::connection::incomplete::IncompletePart;
use crate::domain::format;

/// Longest head of an unmasked frame in bytes: 2, plus 8 for the payload length.
const MAX_FRAME_HEAD: usize = 10;
/// Longest payload of a control frame in bytes (RFC 6455 5.5).
const MAX_CONTROL_PAYLOAD: u8 = 125;
/// Shorter text may be a binary frame by chance. In bytes.
const MIN_RECOGNISED_TEXT: usize = 4;
/// Maximum length of quoted text, in bytes.
const MAX_QUOTE: usize = 80;

const RSV1: u8 = 0x40;
const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;

/// Why a frame is illegal: its head (RFC 6455 5.2, 5.4, 5.5), or a message that cannot be decompressed (RFC 7692).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IllegalFrame {
    pub rule: Violation,
    /// What is wrong: a lower-case fragment.
    pub detail: String,
}

impl IllegalFrame {
    fn garbage(detail: impl Into<String>) -> IllegalFrame {
        IllegalFrame { rule: Violation::Garbage, detail: detail.into() }
    }

    fn deflate(detail: impl Into<String>) -> IllegalFrame {
        IllegalFrame { rule: Violation::Compression, detail: detail.into() }
    }
}

impl fmt::Display for IllegalFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for IllegalFrame {}

/// Why frames are not read on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error(transparent)]
    Illegal(#[from] IllegalFrame),
    /// A message is larger than our own limit, in bytes; it may be larger than `size`.
    #[error("a message of {size} bytes is above the limit of {limit}")]
    TooLarge { size: u64, limit: u64 },
}

impl FrameError {
    /// The frame error inside an I/O error of a checked stream.
    pub fn of(error: &io::Error) -> Option<&FrameError> {
        error.get_ref()?.downcast_ref()
    }
}

/// The head of a frame as far as it came.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameHead {
    bytes: [u8; MAX_FRAME_HEAD],
    len: u8,
}

impl FrameHead {
    /// Takes the next byte. There must be no [`FrameHead::payload_length`] yet.
    pub fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.len)] = byte;
        self.len += 1;
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Begins the next frame's.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// In how many bytes the length is encoded beside the second one; `None` before that came.
    fn wide(&self) -> Option<usize> {
        self.bytes().get(1).map(|second| match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        })
    }

    /// The length of the payload in bytes, once the head is complete.
    pub fn payload_length(&self) -> Option<u64> {
        match (self.wide()?, self.bytes()) {
            (0, head) => Some((head[1] & 0x7f).into()),
            (wide, head) if head.len() == 2 + wide => {
                Some(head[2..].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)))
            }
            (_, _) => None,
        }
    }
}

/// Tracks the frames in a server's byte stream.
///
/// Reasons for an illegal head, in order of checking:
///
/// - a reserved bit is set and no extension was agreed
/// - the opcode is unknown
/// - a control frame is fragmented
/// - a continuation continues nothing, or a message begins inside another
/// - a reserved bit is set that the agreed extension does not use there
/// - the frame is masked
/// - a control frame is longer than 125 bytes
/// - the length takes more bytes than it needs, or its first bit is set
#[derive(Debug, Clone, Default)]
pub struct FrameCheck {
    head: FrameHead,
    /// permessage-deflate was agreed: the first frame of a message may have RSV1 (RFC 7692 6.1).
    may_deflate: bool,
    /// Length of the current payload, in bytes.
    payload: u64,
    /// Bytes of the current payload that are still missing.
    payload_left: u64,
    /// Number of fragments and bytes of the current fragmented message so far.
    fragments: (u64, u64),
    in_message: bool,
    /// A close frame came; nothing after it is checked.
    closed: bool,
    /// Payload of that close frame so far.
    close_payload: Vec<u8>,
}

impl FrameCheck {
    /// `may_deflate`: permessage-deflate was agreed.
    pub fn new(may_deflate: bool) -> FrameCheck {
        FrameCheck { may_deflate, ..FrameCheck::default() }
    }

    /// Consumes received bytes. The error is the first illegal head, with the number of bytes before its frame.
    pub fn consume(&mut self, bytes: &[u8]) -> Result<(), (usize, IllegalFrame)> {
        let mut at = 0;
        while at < bytes.len() && !(self.closed && self.payload_left == 0) {
            if self.payload_left > 0 {
                let skipped = self.payload_left.min((bytes.len() - at) as u64);
                self.payload_left -= skipped;
                if self.closed {
                    self.close_payload.extend_from_slice(&bytes[at..at + skipped as usize]);
                }
                at += skipped as usize;
                continue;
            }
            let begun = at.saturating_sub(self.head.bytes().len());
            self.head.push(bytes[at]);
            at += 1;
            match self.check_head() {
                Ok(None) => {}
                Ok(Some(payload)) => self.begin_payload(payload),
                Err(illegal) => return Err((begun, self.or_text(illegal, &bytes[at..]))),
            }
        }
        Ok(())
    }

    /// The payload of the close frame, once complete.
    pub fn close_payload(&self) -> Option<&[u8]> {
        (self.closed && self.payload_left == 0).then_some(self.close_payload.as_slice())
    }

    fn begin_payload(&mut self, payload: u64) {
        let first = self.head.bytes()[0];
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if opcode < CLOSE {
            self.in_message = !last;
            let (count, bytes) = self.fragments;
            self.fragments = if last { (0, 0) } else { (count + 1, bytes + payload) };
        }
        self.closed = opcode == CLOSE;
        (self.payload, self.payload_left) = (payload, payload);
        self.head.clear();
    }

    /// The incomplete frame or fragmented message, if any.
    pub fn incomplete(&self) -> Option<IncompletePart> {
        match (self.head.bytes().len() as u64, self.payload_left, self.fragments) {
            _ if self.closed && self.payload_left == 0 => None,
            (_, left @ 1.., _) => {
                Some(IncompletePart::Frame { received: self.payload - left, size: self.payload })
            }
            (bytes @ 1.., _, _) => Some(IncompletePart::Head { bytes }),
            (_, _, (fragments @ 1.., bytes)) => Some(IncompletePart::Message { fragments, bytes }),
            (0, 0, (0, _)) => None,
        }
    }

    /// Checks the head as far as it came; returns the payload's length once it is complete.
    fn check_head(&self) -> Result<Option<u64>, IllegalFrame> {
        let head = self.head.bytes();
        self.check_first_byte(head[0])?;
        if let Some(second) = head.get(1) {
            check_second_byte(head[0] & 0x0f, *second)?;
        }
        let length = self.head.payload_length();
        if let (Some(length), Some(wide @ 1..)) = (length, self.head.wide()) {
            check_length(wide, length)?;
        }
        Ok(length)
    }

    fn check_first_byte(&self, first: u8) -> Result<(), IllegalFrame> {
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if !self.may_deflate && first & 0x70 != 0 {
            let names = names_of(first & 0x70);
            return Err(IllegalFrame::garbage(format!("{names} set, but no extension was agreed")));
        }
        match opcode {
            3..=7 | 11.. => Err(IllegalFrame::garbage(format!("a frame with the unknown opcode {opcode}"))),
            8..=10 if !last => Err(IllegalFrame::garbage("a fragmented control frame")),
            CONTINUATION if !self.in_message => {
                Err(IllegalFrame::garbage("a continuation frame that continues no message"))
            }
            1 | 2 if self.in_message => {
                Err(IllegalFrame::garbage("a message that begins before the last one is complete"))
            }
            _ => check_deflate_bits(first & 0x70, opcode),
        }
    }

    /// The finding that the bytes are plain text, or else this one. A frame that misuses compression is no text, even if its bytes
    /// are printable: whether it is must not depend on how many of them came at once.
    fn or_text(&self, illegal: IllegalFrame, rest: &[u8]) -> IllegalFrame {
        let text = (illegal.rule != Violation::Compression).then(|| self.detect_text(rest)).flatten();
        text.unwrap_or(illegal)
    }

    /// The finding if the bytes are plain text instead of a frame.
    fn detect_text(&self, rest: &[u8]) -> Option<IllegalFrame> {
        let mut text = self.head.bytes().to_vec();
        text.extend(rest.iter().take(MAX_QUOTE));
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
        if text.len() < MIN_RECOGNISED_TEXT || !text.iter().all(is_text) {
            return None;
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.trim_start().lines().next().unwrap_or_default();
        let what = if line.starts_with("HTTP/") { "an HTTP response" } else { "plain text" };
        Some(IllegalFrame::garbage(format!("{what} after the upgrade in the place of a frame: '{line}'")))
    }
}

/// Checks the reserved bits where permessage-deflate was agreed (RFC 7692 6).
fn check_deflate_bits(reserved: u8, opcode: u8) -> Result<(), IllegalFrame> {
    match (reserved, opcode) {
        (0, _) | (RSV1, 1 | 2) => Ok(()),
        (RSV1, CONTINUATION) => Err(IllegalFrame::deflate("RSV1 set on a continuation frame")),
        (RSV1, CLOSE..) => Err(IllegalFrame::deflate("RSV1 set on a control frame")),
        (_, _) => {
            let names = names_of(reserved);
            Err(IllegalFrame::garbage(format!("{names} set, which no agreed extension uses")))
        }
    }
}

fn check_second_byte(opcode: u8, second: u8) -> Result<(), IllegalFrame> {
    match (second & 0x80 != 0, second & 0x7f) {
        (true, _) => {
            let detail = "a masked frame from the server".to_string();
            Err(IllegalFrame { rule: Violation::MaskedFrame, detail })
        }
        (false, length) if opcode >= CLOSE && length > MAX_CONTROL_PAYLOAD => {
            Err(IllegalFrame::garbage("a control frame of more than 125 bytes"))
        }
        (false, _) => Ok(()),
    }
}

/// Checks a length that is encoded in `wide` bytes.
fn check_length(wide: usize, length: u64) -> Result<(), IllegalFrame> {
    let shortest = if wide == 2 { 126 } else { 1 << 16 };
    if length >> 63 == 1 {
        return Err(IllegalFrame::garbage("a frame length whose first bit is set"));
    }
    if length < shortest {
        return Err(IllegalFrame::garbage(format!("a frame length of {length} in {wide} bytes")));
    }
    Ok(())
}

/// `RSV1`, or `RSV1 and RSV3`.
fn names_of(reserved: u8) -> String {
    let bits = [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")];
    let names: Vec<_> = bits.iter().filter(|(bit, _)| reserved & bit != 0).map(|(_, name)| *name).collect();
    format::list(&names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_tungstenite::tungstenite::Message;

    use super::*;
    use crate::domain::connection::close_cause::CloseKind;
    use crate::domain::connection::permessage_deflate::AgreedDeflate;
    use crate::net::client::websocket::{ReceivedMessage, SocketEvent, WebSocket};
    use crate::net::transport::tap::Tap;
    use crate::net::transport::upgraded_stream::UpgradedStream;

    /// The first illegal head in bytes that arrive in pieces of this size: its position and the reason.
    fn checked(bytes: &[u8], piece: usize) -> Option<(usize, IllegalFrame)> {
        let mut check = FrameCheck::default();
        bytes.chunks(piece.max(1)).enumerate().find_map(|(index, chunk)| {
            let (legal, illegal) = check.consume(chunk).err()?;
            Some((index * piece.max(1) + legal, illegal))
        })
    }

    #[test]
    fn incomplete_frames_are_known_at_every_byte() {
        let incomplete = |bytes: &[u8]| {
            let mut check = FrameCheck::default();
            check.consume(bytes).unwrap();
            check.incomplete()
        };
        let long = [&[0x82, 126, 0x27, 0x10][..], &[0; 10_000]].concat();
        assert_eq!(incomplete(b""), None);
        assert_eq!(incomplete(&long[..1]), Some(IncompletePart::Head { bytes: 1 }));
        assert_eq!(incomplete(&long[..4]), Some(IncompletePart::Frame { received: 0, size: 10_000 }));
        assert_eq!(incomplete(&long[..104]), Some(IncompletePart::Frame { received: 100, size: 10_000 }));
        assert_eq!(incomplete(&long), None);
        let fragments = [&[0x01, 2][..], b"ab", &[0x89, 0], &[0x00, 1], b"c"].concat();
        assert_eq!(incomplete(&fragments[..4]), Some(IncompletePart::Message { fragments: 1, bytes: 2 }));
        assert_eq!(incomplete(&fragments), Some(IncompletePart::Message { fragments: 2, bytes: 3 }));
        assert_eq!(incomplete(&[&fragments[..], &[0x80, 0]].concat()), None);
        assert_eq!(incomplete(&[0x88, 0, 1, 2]), None, "behind the close frame");
    }

    fn detail(bytes: &[u8]) -> Option<String> {
        checked(bytes, bytes.len()).map(|(_, illegal)| illegal.detail)
    }

    #[test]
    fn illegal_heads_are_reported_before_their_payload() {
        let rows: [(&[u8], &str); 14] = [
            (&[0xc1], "RSV1 set, but no extension was agreed"),
            (&[0xf1], "RSV1, RSV2 and RSV3 set, but no extension was agreed"),
            (&[0x83], "a frame with the unknown opcode 3"),
            (&[0x8f], "a frame with the unknown opcode 15"),
            (&[0x09], "a fragmented control frame"),
            (&[0x80], "a continuation frame that continues no message"),
            (&[0x01, 1, b'x', 0x81], "a message that begins before the last one is complete"),
            (&[0x81, 0x85], "a masked frame from the server"),
            (&[0x89, 126], "a control frame of more than 125 bytes"),
            (&[0x88, 127], "a control frame of more than 125 bytes"),
            (&[0x82, 126, 0, 125], "a frame length of 125 in 2 bytes"),
            (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], "a frame length of 65535 in 8 bytes"),
            (&[0x82, 127, 0x80, 0, 0, 0, 0, 1, 0, 0], "a frame length whose first bit is set"),
            (&[0x0a], "a fragmented control frame"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(detail(bytes).as_deref(), Some(expected), "{bytes:?}");
        }
    }

    #[test]
    fn close_payload_is_kept_in_any_pieces() {
        let longer = [&[0x82, 127][..], &70_000_u64.to_be_bytes(), &[0x88; 70_000]].concat();
        let stream = [&longer[..], &[0x8a, 1, b'x'], b"\x88\x05\x03\xeebye", b"\x81\x01x"].concat();
        for piece in [1, 3, stream.len()] {
            let mut check = FrameCheck::default();
            stream.chunks(piece).for_each(|chunk| check.consume(chunk).unwrap());
            assert_eq!(check.close_payload(), Some(&b"\x03\xeebye"[..]));
        }
        let mut check = FrameCheck::default();
        check.consume(b"\x88\x05\x03\xee").unwrap();
        assert_eq!(check.close_payload(), None, "more is to come");
    }

    #[test]
    fn text_instead_of_a_frame_is_quoted() {
        let quoted = |text: &str| detail(text.as_bytes()).unwrap();
        let http = "an HTTP response after the upgrade in the place of a frame: 'HTTP/1.1 404 Not Found'";
        assert_eq!(quoted("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), http);
        assert_eq!(quoted("HTTP/1.1 404 Not Found\r\n\r\n"), http, "28 bytes and no more");
        assert_eq!(quoted("\r\nHTTP/1.1 404 Not Found"), http);
        assert_eq!(
            quoted(r#"{"error":"not found"}"#),
            r#"plain text after the upgrade in the place of a frame: '{"error":"not found"}'"#
        );
    }

    /// The first illegal head on a connection that agreed to compression.
    fn checked_compressed(bytes: &[u8]) -> Option<(Violation, String)> {
        let (_, illegal) = FrameCheck::new(true).consume(bytes).err()?;
        Some((illegal.rule, illegal.detail))
    }

    #[test]
    fn compressed_messages_are_marked_once() {
        assert_eq!(checked_compressed(&[0x41, 0, 0x89, 0, 0x80, 0, 0xc2, 0]), None);
        let found = |bytes: &[u8]| checked_compressed(bytes).unwrap();
        let compression = |detail: &str| (Violation::Compression, detail.to_string());
        assert_eq!(found(&[0x41, 0, 0xc0, 0]), compression("RSV1 set on a continuation frame"));
        assert_eq!(found(&[0xc9, 0]), compression("RSV1 set on a control frame"));
        let garbage = |detail: &str| (Violation::Garbage, detail.to_string());
        // The first byte of a text is no compressed frame, whether it comes alone or not.
        for text in [&b"H"[..], b"HTTP/1.1 400", b"@", b"@echo", b"\x01\x00Hello", b"\x01\x00H"] {
            assert_eq!(found(text).0, Violation::Garbage, "{}", text.escape_ascii());
        }
        for text in [&b"\x01\x00@"[..], b"\x01\x00@echo"] {
            assert_eq!(found(text).0, Violation::Compression, "{}", text.escape_ascii());
        }
        assert_eq!(found(&[0xe1, 0]), garbage("RSV1 and RSV2 set, which no agreed extension uses"));
    }

    const AGREED: AgreedDeflate = AgreedDeflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    /// `Hello`, compressed (RFC 7692 7.2.3.1).
    const HELLO: &[u8] = &[0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0];

    /// A socket that agreed to compression, and its peer.
    async fn compressing(
        leftover: &[u8],
    ) -> (WebSocket<Tap<tokio::io::DuplexStream>>, tokio::io::DuplexStream) {
        let (near, far) = tokio::io::duplex(1024);
        let upgraded = UpgradedStream {
            leftover: leftover.to_vec(),
            deflate: Some(AGREED),
            ..UpgradedStream::of(Tap::new(near))
        };
        (WebSocket::new(upgraded, 1024, 64).await, far)
    }

    #[tokio::test(start_paused = true)]
    async fn agreed_compression_is_used_in_both_directions() {
        let (mut socket, mut far) = compressing(HELLO).await;
        let hello = SocketEvent::Message(ReceivedMessage::Text("Hello".into()));
        assert_eq!(socket.step().await, hello, "left over from the upgrade");
        far.write_all(HELLO).await.unwrap();
        assert_eq!(socket.step().await, hello);
        socket.send(Message::text("Hello".repeat(50))).unwrap();
        let mut head = [0; 2];
        far.read_exact(&mut head).await.unwrap();
        assert_eq!(head[0], 0xc1, "marked as compressed");
        assert!(head[1] & 0x7f < 30, "{head:?}");
    }

    /// What is wrong first is told, and the messages before it are read.
    #[tokio::test(start_paused = true)]
    async fn first_fault_of_compressed_messages_ends_the_connection() {
        let (mut socket, mut far) = compressing(&[]).await;
        let broken = [0xc1, 3, 0x07, 0xff, 0xff];
        far.write_all(&[HELLO, &broken, b"HTTP/1.1 400"].concat()).await.unwrap();
        assert_eq!(socket.step().await, SocketEvent::Message(ReceivedMessage::Text("Hello".into())));
        let SocketEvent::Ended(end) = socket.step().await else { panic!("it goes on") };
        let CloseKind::Violation { rule, detail, .. } = &end.how else { panic!("{end:?}") };
        assert_eq!(
            (*rule, detail.as_str()),
            (Violation::Compression, "a compressed message of 3 bytes that cannot be decompressed")
        );
    }

    /// Messages and end of a socket with these bytes left over from the upgrade and these received later.
    async fn steps(leftover: &[u8], received: &[u8]) -> (Vec<ReceivedMessage>, CloseKind) {
        let (near, mut far) = tokio::io::duplex(1024);
        let tap = Tap::new(near);
        far.write_all(received).await.unwrap();
        let mut socket = WebSocket::new(
            UpgradedStream { leftover: leftover.to_vec(), ..UpgradedStream::of(tap) },
            1024,
            64,
        )
        .await;
        let mut messages = Vec::new();
        loop {
            match socket.step().await {
                SocketEvent::Message(message) => messages.push(message),
                SocketEvent::Ended(disconnect) => return (messages, disconnect.how),
                _ => {}
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn messages_before_an_illegal_head_are_read() {
        let (hello, http) = ([&[0x81, 5][..], b"hello"].concat(), &b"HTTP/1.1 404 Not Found\r\n\r\n"[..]);
        let both = [&hello[..], http].concat();
        let split = both.split_at(9);
        for (leftover, received) in [(&both[..], &[][..]), (&[], &both[..]), (&hello[..], http), split] {
            let (messages, how) = steps(leftover, received).await;
            assert_eq!(messages, [ReceivedMessage::Text("hello".into())]);
            let CloseKind::Violation { rule: Violation::Garbage, detail, .. } = how else {
                panic!("{how:?}")
            };
            assert!(detail.as_str().contains("after the upgrade") || leftover.len() == 9, "{detail}");
        }
    }

    #[test]
    fn bytes_after_a_close_frame_are_ignored() {
        assert_eq!(detail(&[0x88, 2, 3, 0xe8, 0xff, 0xff]), None);
    }

    #[test]
    fn frames_before_an_illegal_one_are_legal() {
        let bytes = [&[0x81, 2][..], b"hi", b"HTTP/1.1 200 OK\r\n"].concat();
        assert_eq!(checked(&bytes, bytes.len()).unwrap().0, 4);
    }

    /// Legal frames.
    fn legal_frames() -> impl Strategy<Value = Vec<u8>> {
        let length = prop_oneof![0..130_usize, 65_530..65_540_usize];
        proptest::collection::vec((prop_oneof![Just(2_u8), Just(9), Just(10)], length), 0..4).prop_map(
            |frames| frames.into_iter().flat_map(|(opcode, length)| frame(opcode, length)).collect(),
        )
    }

    fn frame(opcode: u8, length: usize) -> Vec<u8> {
        let length = if opcode >= CLOSE { length.min(125) } else { length };
        let mut bytes = vec![0x80 | opcode];
        match length {
            0..=125 => bytes.push(length as u8),
            126..=65_535 => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend(std::iter::repeat_n(0xff, length));
        bytes
    }

    proptest! {
        #[test]
        fn legal_frames_pass_in_any_pieces(bytes in legal_frames(), piece in 1..5000_usize) {
            prop_assert_eq!(checked(&bytes, piece), None);
        }

        #[test]
        fn illegal_frame_is_found_in_any_pieces(before in legal_frames(), piece in 1..5000_usize) {
            let bytes = [&before[..], &[0x89, 126, 0, 200]].concat();
            let (at, illegal) = checked(&bytes, piece).unwrap();
            // If the head came in two pieces, the first has been passed on already.
            prop_assert!((before.len()..=before.len() + 1).contains(&at));
            prop_assert_eq!(illegal.detail, "a control frame of more than 125 bytes");
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, piece in 1..50_usize) {
            let _ = checked(&bytes, piece);
        }
    }
}
