//! Checks the server's frame heads as they arrive. The WebSocket library checks a frame only when its payload is
//! complete, so plain text would look like a hanging server: the second letter of `HTTP` announces 84 bytes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::domain::connection::close_cause::Violation;
use crate::domain::connection::incomplete::IncompletePart;

/// Longest head of an unmasked frame in bytes: 2, plus 8 for the payload length.
const MAX_FRAME_HEAD: usize = 10;
/// Longest payload of a control frame in bytes (RFC 6455 5.5).
const MAX_CONTROL_PAYLOAD: u8 = 125;
/// Shorter text may be a binary frame by chance. In bytes.
const MIN_RECOGNISED_TEXT: usize = 4;
/// Maximum length of quoted text, in bytes.
const MAX_QUOTE: usize = 80;

const CONTINUATION: u8 = 0;
const CLOSE: u8 = 8;

/// Why a frame's head is illegal (RFC 6455 5.2, 5.4, 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IllegalHead {
    pub rule: Violation,
    /// What is wrong: a lower-case fragment.
    pub detail: String,
}

impl IllegalHead {
    fn garbage(detail: impl Into<String>) -> IllegalHead {
        IllegalHead { rule: Violation::Garbage, detail: detail.into() }
    }

    /// The illegal head inside an I/O error of [`CheckedStream`].
    pub fn of(error: &io::Error) -> Option<&IllegalHead> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for IllegalHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for IllegalHead {}

/// Tracks the frames in a server's byte stream.
///
/// Reasons for an illegal head, in order of checking:
///
/// - a reserved bit is set: wscheck agrees to no extension
/// - the opcode is unknown
/// - a control frame is fragmented
/// - the frame is masked
/// - a control frame is longer than 125 bytes
/// - a continuation continues nothing, or a message begins inside another
/// - the length takes more bytes than it needs, or its first bit is set
#[derive(Debug, Clone, Default)]
pub struct FrameCheck {
    head: [u8; MAX_FRAME_HEAD],
    head_len: u8,
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

/// Result of parsing a head that may be incomplete.
enum FrameHead {
    Incomplete,
    Frame { payload: u64 },
}

impl FrameCheck {
    /// Consumes received bytes. The error is the first illegal head, with the number of bytes before its frame.
    pub fn consume(&mut self, bytes: &[u8]) -> Result<(), (usize, IllegalHead)> {
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
            let begun = at.saturating_sub(usize::from(self.head_len));
            self.head[usize::from(self.head_len)] = bytes[at];
            self.head_len += 1;
            at += 1;
            match self.check_head() {
                Ok(FrameHead::Incomplete) => {}
                Ok(FrameHead::Frame { payload }) => self.begin_payload(payload),
                Err(illegal) => return Err((begun, self.detect_text(&bytes[at..]).unwrap_or(illegal))),
            }
        }
        Ok(())
    }

    /// The payload of the close frame, once complete.
    pub fn close_payload(&self) -> Option<&[u8]> {
        (self.closed && self.payload_left == 0).then_some(self.close_payload.as_slice())
    }

    fn begin_payload(&mut self, payload: u64) {
        let (last, opcode) = (self.head[0] & 0x80 != 0, self.head[0] & 0x0f);
        if opcode < CLOSE {
            self.in_message = !last;
            let (count, bytes) = self.fragments;
            self.fragments = if last { (0, 0) } else { (count + 1, bytes + payload) };
        }
        self.closed = opcode == CLOSE;
        (self.payload, self.payload_left, self.head_len) = (payload, payload, 0);
    }

    /// The incomplete frame or fragmented message, if any.
    pub fn incomplete(&self) -> Option<IncompletePart> {
        match (u64::from(self.head_len), self.payload_left, self.fragments) {
            _ if self.closed && self.payload_left == 0 => None,
            (_, left @ 1.., _) => {
                Some(IncompletePart::Frame { received: self.payload - left, size: self.payload })
            }
            (bytes @ 1.., _, _) => Some(IncompletePart::Head { bytes }),
            (_, _, (fragments @ 1.., bytes)) => Some(IncompletePart::Message { fragments, bytes }),
            (0, 0, (0, _)) => None,
        }
    }

    /// Checks the head as far as it came.
    fn check_head(&self) -> Result<FrameHead, IllegalHead> {
        let head = &self.head[..usize::from(self.head_len)];
        self.check_first_byte(head[0])?;
        let Some(second) = head.get(1).copied() else { return Ok(FrameHead::Incomplete) };
        check_second_byte(head[0] & 0x0f, second)?;
        let wide = match second & 0x7f {
            126 => 2,
            127 => 8,
            short => return Ok(FrameHead::Frame { payload: short.into() }),
        };
        if head.len() < 2 + wide {
            return Ok(FrameHead::Incomplete);
        }
        let length = head[2..].iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        check_length(wide, length)?;
        Ok(FrameHead::Frame { payload: length })
    }

    fn check_first_byte(&self, first: u8) -> Result<(), IllegalHead> {
        let (last, reserved, opcode) = (first & 0x80 != 0, first & 0x70, first & 0x0f);
        match opcode {
            _ if reserved != 0 => {
                Err(IllegalHead::garbage(format!("{} set, but no extension was agreed", names_of(reserved))))
            }
            3..=7 | 11.. => Err(IllegalHead::garbage(format!("a frame with the unknown opcode {opcode}"))),
            8..=10 if !last => Err(IllegalHead::garbage("a fragmented control frame")),
            CONTINUATION if !self.in_message => {
                Err(IllegalHead::garbage("a continuation frame that continues no message"))
            }
            1 | 2 if self.in_message => {
                Err(IllegalHead::garbage("a message that begins before the last one is complete"))
            }
            _ => Ok(()),
        }
    }

    /// The finding if the bytes are plain text instead of a frame.
    fn detect_text(&self, rest: &[u8]) -> Option<IllegalHead> {
        let mut text = self.head[..usize::from(self.head_len)].to_vec();
        text.extend(rest.iter().take(MAX_QUOTE));
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~');
        if text.len() < MIN_RECOGNISED_TEXT || !text.iter().all(is_text) {
            return None;
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.trim_start().lines().next().unwrap_or_default();
        let what = if line.starts_with("HTTP/") { "an HTTP response" } else { "plain text" };
        Some(IllegalHead::garbage(format!("{what} after the upgrade in the place of a frame: '{line}'")))
    }
}

fn check_second_byte(opcode: u8, second: u8) -> Result<(), IllegalHead> {
    match (second & 0x80 != 0, second & 0x7f) {
        (true, _) => {
            let detail = "a masked frame from the server".to_string();
            Err(IllegalHead { rule: Violation::MaskedFrame, detail })
        }
        (false, length) if opcode >= CLOSE && length > MAX_CONTROL_PAYLOAD => {
            Err(IllegalHead::garbage("a control frame of more than 125 bytes"))
        }
        (false, _) => Ok(()),
    }
}

/// Checks a length that is encoded in `wide` bytes.
fn check_length(wide: usize, length: u64) -> Result<(), IllegalHead> {
    let shortest = if wide == 2 { 126 } else { 1 << 16 };
    if length >> 63 == 1 {
        return Err(IllegalHead::garbage("a frame length whose first bit is set"));
    }
    if length < shortest {
        return Err(IllegalHead::garbage(format!("a frame length of {length} in {wide} bytes")));
    }
    Ok(())
}

/// `RSV1`, or `RSV1 and RSV3`.
fn names_of(reserved: u8) -> String {
    let bits = [(0x40, "RSV1"), (0x20, "RSV2"), (0x10, "RSV3")];
    let names: Vec<_> = bits.iter().filter(|(bit, _)| reserved & bit != 0).map(|(_, name)| *name).collect();
    names.join(" and ")
}

/// A stream of server frames that returns an error at the first illegal head; bytes before it stay readable.
#[derive(Debug)]
pub struct CheckedStream<S> {
    inner: S,
    check: FrameCheck,
    illegal: Option<Box<IllegalHead>>,
}

impl<S> CheckedStream<S> {
    /// Also checks `leftover`, the bytes already read; truncates it before the first illegal frame.
    pub fn new(inner: S, leftover: &mut Vec<u8>) -> CheckedStream<S> {
        let mut checked = CheckedStream { inner, check: FrameCheck::default(), illegal: None };
        let legal = checked.count_legal_bytes(leftover);
        leftover.truncate(legal);
        checked
    }

    /// The number of leading bytes that may be passed on.
    fn count_legal_bytes(&mut self, bytes: &[u8]) -> usize {
        match self.check.consume(bytes) {
            Ok(()) => bytes.len(),
            Err((legal, illegal)) => {
                self.illegal = Some(Box::new(illegal));
                legal
            }
        }
    }

    /// The incomplete frame or fragmented message, if any.
    pub fn incomplete(&self) -> Option<IncompletePart> {
        self.check.incomplete()
    }

    pub fn check(&self) -> &FrameCheck {
        &self.check
    }

    pub fn inner(&self) -> &S {
        &self.inner
    }

    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    fn error(&self) -> Option<io::Error> {
        self.illegal.clone().map(|illegal| io::Error::new(io::ErrorKind::InvalidData, *illegal))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.error() {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let legal = self.count_legal_bytes(&buf.filled()[before..]);
        buf.set_filled(before + legal);
        // An empty read would mean the end of the stream.
        match self.error().filter(|_| legal == 0 && read > 0) {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::AsyncWriteExt;
    use tokio_tungstenite::tungstenite::Message;

    use super::*;
    use crate::domain::connection::close_cause::CloseKind;
    use crate::net::client::websocket::{SocketEvent, WebSocket};
    use crate::net::transport::tap::Tap;

    /// The first illegal head in bytes that arrive in pieces of this size: its position and the reason.
    fn checked(bytes: &[u8], piece: usize) -> Option<(usize, IllegalHead)> {
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
            (&[0xf1], "RSV1 and RSV2 and RSV3 set, but no extension was agreed"),
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

    /// Messages and end of a socket with these bytes left over from the upgrade and these received later.
    async fn steps(leftover: &[u8], received: &[u8]) -> (Vec<Message>, CloseKind) {
        let (near, mut far) = tokio::io::duplex(1024);
        let tap = Tap::new(near);
        let marks = tap.state();
        far.write_all(received).await.unwrap();
        let mut socket = WebSocket::new(tap, leftover.to_vec(), marks, 1024, 64).await;
        let mut messages = Vec::new();
        loop {
            match socket.step().await {
                SocketEvent::Message(message) => messages.push(message),
                SocketEvent::Lost(error) => return (messages, socket.disconnect_on_loss(error).how),
                SocketEvent::Flushed(_) | SocketEvent::Bytes => {}
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
            assert_eq!(messages, [Message::text("hello")]);
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
