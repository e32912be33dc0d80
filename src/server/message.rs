//! From a client's frames to what it said.

use super::frame::{ClientFrame, FrameViolation, Opcode};

/// Something a client said, whole.
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
    /// Whether it is an ordinary message and not a control frame.
    pub fn is_data(&self) -> bool {
        matches!(self, ClientMessage::Text(_) | ClientMessage::Binary(_))
    }
}

/// Puts fragments together; control frames may come between them (RFC 6455 section 5.4).
#[derive(Debug)]
pub struct MessageAssembler {
    begun: Option<ClientFrame>,
    largest: usize,
}

impl MessageAssembler {
    /// Refuses messages larger than `largest` bytes.
    pub fn new(largest: usize) -> MessageAssembler {
        MessageAssembler { begun: None, largest }
    }

    /// Takes a frame; gives the message it completes.
    pub fn take(&mut self, frame: ClientFrame) -> Result<Option<ClientMessage>, FrameViolation> {
        match frame.opcode {
            Opcode::Ping => Ok(Some(ClientMessage::Ping(frame.payload))),
            Opcode::Pong => Ok(Some(ClientMessage::Pong(frame.payload))),
            Opcode::Close => close(&frame.payload).map(|body| Some(ClientMessage::Close(body))),
            Opcode::Text | Opcode::Binary => self.begin(frame),
            Opcode::Continuation => self.go_on(frame),
        }
    }

    fn begin(&mut self, frame: ClientFrame) -> Result<Option<ClientMessage>, FrameViolation> {
        if self.begun.is_some() {
            return Err(FrameViolation::Interleaved);
        }
        if frame.fin {
            return whole(frame).map(Some);
        }
        self.begun = Some(frame);
        Ok(None)
    }

    fn go_on(&mut self, frame: ClientFrame) -> Result<Option<ClientMessage>, FrameViolation> {
        let mut begun = self.begun.take().ok_or(FrameViolation::StrayContinuation)?;
        let size = begun.payload.len() + frame.payload.len();
        if size > self.largest {
            return Err(FrameViolation::TooLarge { size: size as u64, limit: self.largest });
        }
        begun.payload.extend_from_slice(&frame.payload);
        if frame.fin {
            return whole(begun).map(Some);
        }
        self.begun = Some(begun);
        Ok(None)
    }
}

fn whole(frame: ClientFrame) -> Result<ClientMessage, FrameViolation> {
    match frame.opcode {
        Opcode::Text => {
            String::from_utf8(frame.payload).map(ClientMessage::Text).map_err(|_| FrameViolation::NotUtf8)
        }
        _ => Ok(ClientMessage::Binary(frame.payload)),
    }
}

fn close(payload: &[u8]) -> Result<Option<(u16, String)>, FrameViolation> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(FrameViolation::BadClose)?;
    let (code, reason) = (u16::from_be_bytes(*code), std::str::from_utf8(reason));
    if !may_be_sent(code) {
        return Err(FrameViolation::BadCode(code));
    }
    Ok(Some((code, reason.map_err(|_| FrameViolation::NotUtf8)?.to_string())))
}

/// RFC 6455 section 7.4 and the registry it began: 1004 has no meaning, 1005, 1006 and 1015 stand for what
/// was not sent, and what is below 3000 and in no list is nobody's to use.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> ClientFrame {
        ClientFrame { fin, opcode, payload: payload.to_vec() }
    }

    #[test]
    fn fragments_become_one_message_with_pings_between() {
        let mut assembler = MessageAssembler::new(100);
        assert_eq!(assembler.take(frame(false, Opcode::Text, b"Hel")), Ok(None));
        assert_eq!(
            assembler.take(frame(true, Opcode::Ping, b"p")),
            Ok(Some(ClientMessage::Ping(b"p".to_vec())))
        );
        assert_eq!(
            assembler.take(frame(true, Opcode::Continuation, b"lo")),
            Ok(Some(ClientMessage::Text("Hello".into())))
        );
    }

    #[test]
    fn broken_sequences_are_refused() {
        let mut assembler = MessageAssembler::new(4);
        assert_eq!(
            assembler.take(frame(true, Opcode::Continuation, b"")),
            Err(FrameViolation::StrayContinuation)
        );
        assert_eq!(assembler.take(frame(false, Opcode::Binary, b"abc")), Ok(None));
        assert_eq!(assembler.take(frame(true, Opcode::Text, b"x")), Err(FrameViolation::Interleaved));
        assert_eq!(
            assembler.take(frame(true, Opcode::Continuation, b"de")),
            Err(FrameViolation::TooLarge { size: 5, limit: 4 })
        );
    }

    #[test]
    fn text_and_close_reasons_must_be_utf8() {
        let mut assembler = MessageAssembler::new(100);
        assert_eq!(assembler.take(frame(true, Opcode::Text, b"\xff")), Err(FrameViolation::NotUtf8));
        assert_eq!(assembler.take(frame(true, Opcode::Close, b"\x03\xe8\xff")), Err(FrameViolation::NotUtf8));
        assert_eq!(assembler.take(frame(true, Opcode::Close, b"\x03")), Err(FrameViolation::BadClose));
        assert_eq!(
            assembler.take(frame(true, Opcode::Close, b"\x03\xe8bye")),
            Ok(Some(ClientMessage::Close(Some((1000, "bye".into())))))
        );
    }

    #[test]
    fn close_codes_that_must_not_be_sent_are_refused() {
        let close =
            |code: u16| MessageAssembler::new(100).take(frame(true, Opcode::Close, &code.to_be_bytes()));
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert_eq!(close(code), Err(FrameViolation::BadCode(code)));
        }
        for code in [1000, 1001, 1003, 1007, 1014, 3000, 4401, 4999] {
            assert_eq!(close(code), Ok(Some(ClientMessage::Close(Some((code, String::new()))))));
        }
    }
}
