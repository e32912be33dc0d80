//! Assembles a client's frames into messages.

use super::deflate::Deflate;
use super::frame::{ClientFrame, FrameViolation, Opcode};
use crate::domain::connection::message_decompressor::largest_compressed;

/// A complete message or control frame of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// `None`: a close frame without a code.
    Close(Option<(u16, String)>),
}

impl ClientMessage {
    /// Whether it is an ordinary message rather than a control frame.
    pub fn is_data(&self) -> bool {
        matches!(self, ClientMessage::Text(_) | ClientMessage::Binary(_))
    }
}

/// Assembles fragments; control frames may come between them (RFC 6455 section 5.4).
#[derive(Debug)]
pub struct MessageAssembler {
    partial: Option<ClientFrame>,
    largest: usize,
}

impl ClientFrame {
    /// The message of a whole frame, decompressed if it is compressed.
    fn complete(
        mut self,
        deflate: Option<&mut Deflate>,
        largest: usize,
    ) -> Result<ClientMessage, FrameViolation> {
        if let Some(deflate) = deflate.filter(|_| self.compressed) {
            self.payload = deflate.decompressed(self.payload, largest)?;
        }
        match self.opcode {
            Opcode::Text => {
                String::from_utf8(self.payload).map(ClientMessage::Text).map_err(|_| FrameViolation::NotUtf8)
            }
            _ => Ok(ClientMessage::Binary(self.payload)),
        }
    }
}

impl MessageAssembler {
    /// Rejects messages above `largest` bytes.
    pub fn new(largest: usize) -> MessageAssembler {
        MessageAssembler { partial: None, largest }
    }

    /// Adds a frame; returns the message it completes. `deflate` decompresses compressed ones.
    pub fn add_frame(
        &mut self,
        frame: ClientFrame,
        deflate: Option<&mut Deflate>,
    ) -> Result<Option<ClientMessage>, FrameViolation> {
        match frame.opcode {
            Opcode::Ping => Ok(Some(ClientMessage::Ping(frame.payload))),
            Opcode::Pong => Ok(Some(ClientMessage::Pong(frame.payload))),
            Opcode::Close => close(&frame.payload).map(|body| Some(ClientMessage::Close(body))),
            Opcode::Text | Opcode::Binary => self.begin(frame, deflate),
            Opcode::Continuation => self.continue_message(frame, deflate),
        }
    }

    fn begin(
        &mut self,
        frame: ClientFrame,
        deflate: Option<&mut Deflate>,
    ) -> Result<Option<ClientMessage>, FrameViolation> {
        if self.partial.is_some() {
            return Err(FrameViolation::Interleaved);
        }
        self.check_size(&frame)?;
        if frame.fin {
            return frame.complete(deflate, self.largest).map(Some);
        }
        self.partial = Some(frame);
        Ok(None)
    }

    fn continue_message(
        &mut self,
        frame: ClientFrame,
        deflate: Option<&mut Deflate>,
    ) -> Result<Option<ClientMessage>, FrameViolation> {
        let mut partial = self.partial.take().ok_or(FrameViolation::StrayContinuation)?;
        partial.payload.extend_from_slice(&frame.payload);
        self.check_size(&partial)?;
        if frame.fin {
            return partial.complete(deflate, self.largest).map(Some);
        }
        self.partial = Some(partial);
        Ok(None)
    }

    /// Refuses a message that is too large as far as it came.
    fn check_size(&self, message: &ClientFrame) -> Result<(), FrameViolation> {
        let largest = if message.compressed { largest_compressed(self.largest) } else { self.largest };
        let size = message.payload.len();
        if size > largest {
            return Err(FrameViolation::TooLarge { size: size as u64, limit: self.largest });
        }
        Ok(())
    }
}

fn close(payload: &[u8]) -> Result<Option<(u16, String)>, FrameViolation> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(FrameViolation::BadClose)?;
    let (code, reason) = (u16::from_be_bytes(*code), std::str::from_utf8(reason));
    if !is_legal_code(code) {
        return Err(FrameViolation::BadCode(code));
    }
    Ok(Some((code, reason.map_err(|_| FrameViolation::NotUtf8)?.to_string())))
}

/// Whether a close code may be sent (RFC 6455 section 7.4 and the IANA registry): 1004 has no meaning, 1005, 1006 and
/// 1015 are never sent, and unassigned codes below 3000 are reserved.
fn is_legal_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::frame::tests::masked;
    use crate::server::frame::{FrameDecoder, encode};

    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> ClientFrame {
        ClientFrame { fin, opcode, compressed: false, payload: payload.to_vec() }
    }

    #[test]
    fn fragments_become_one_message_with_pings_between() {
        let mut assembler = MessageAssembler::new(100);
        assert_eq!(assembler.add_frame(frame(false, Opcode::Text, b"Hel"), None), Ok(None));
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Ping, b"p"), None),
            Ok(Some(ClientMessage::Ping(b"p".to_vec())))
        );
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Continuation, b"lo"), None),
            Ok(Some(ClientMessage::Text("Hello".into())))
        );
    }

    #[test]
    fn invalid_sequences_are_refused() {
        let mut assembler = MessageAssembler::new(4);
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Continuation, b""), None),
            Err(FrameViolation::StrayContinuation)
        );
        assert_eq!(assembler.add_frame(frame(false, Opcode::Binary, b"abc"), None), Ok(None));
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Text, b"x"), None),
            Err(FrameViolation::Interleaved)
        );
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Continuation, b"de"), None),
            Err(FrameViolation::TooLarge { size: 5, limit: 4 })
        );
    }

    /// Random bytes are larger when compressed.
    #[test]
    fn limit_is_that_of_the_decompressed_message() {
        const LARGEST: usize = 10_000;
        let refused = |size| Err(FrameViolation::TooLarge { size, limit: LARGEST });
        let random: Vec<u8> = (0..LARGEST + 1).map(|_| rand::random()).collect();
        let received = |sent: &[u8]| {
            let (mut decoder, mut assembler) =
                (FrameDecoder::new(LARGEST, true), MessageAssembler::new(LARGEST));
            decoder.push(sent);
            let mut deflate = Deflate::new("permessage-deflate");
            assembler.add_frame(decoder.next()?.unwrap(), Some(&mut deflate)).map(Option::unwrap)
        };
        let compressed = |message: &[u8]| {
            let frame = Deflate::new("permessage-deflate").compressed(&encode(Opcode::Binary, message));
            masked(frame[0], &frame[4..])
        };
        let (largest, larger) = (&random[..LARGEST], &random[..]);
        assert!(compressed(largest).len() > masked(0x82, largest).len());
        assert_eq!(received(&compressed(largest)), Ok(ClientMessage::Binary(largest.to_vec())));
        assert_eq!(received(&masked(0x82, largest)), Ok(ClientMessage::Binary(largest.to_vec())));
        assert_eq!(received(&compressed(larger)), refused(LARGEST as u64 + 1));
        assert_eq!(received(&masked(0x82, larger)), refused(LARGEST as u64 + 1));
        assert_eq!(received(&masked(0xc2, &[0; 2 * LARGEST])), refused(2 * LARGEST as u64));
    }

    #[test]
    fn text_and_close_reasons_must_be_utf8() {
        let mut assembler = MessageAssembler::new(100);
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Text, b"\xff"), None),
            Err(FrameViolation::NotUtf8)
        );
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Close, b"\x03\xe8\xff"), None),
            Err(FrameViolation::NotUtf8)
        );
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Close, b"\x03"), None),
            Err(FrameViolation::BadClose)
        );
        assert_eq!(
            assembler.add_frame(frame(true, Opcode::Close, b"\x03\xe8bye"), None),
            Ok(Some(ClientMessage::Close(Some((1000, "bye".into())))))
        );
    }

    #[test]
    fn illegal_close_codes_are_refused() {
        let close = |code: u16| {
            MessageAssembler::new(100).add_frame(frame(true, Opcode::Close, &code.to_be_bytes()), None)
        };
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert_eq!(close(code), Err(FrameViolation::BadCode(code)));
        }
        for code in [1000, 1001, 1003, 1007, 1014, 3000, 4401, 4999] {
            assert_eq!(close(code), Ok(Some(ClientMessage::Close(Some((code, String::new()))))));
        }
    }
}
