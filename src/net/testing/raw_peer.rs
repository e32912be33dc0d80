//! A server for tests that writes raw frames, so that the client sees exactly what the test wrote.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// The server's end of an in-memory stream (RFC 6455).
pub struct RawPeer<S = DuplexStream> {
    pub io: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> RawPeer<S> {
    /// The next frame from the client, unmasked; `None` at the end of the stream.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.io.read_exact(&mut head).await.ok()?;
        assert_eq!(head[1] & 0x80, 0x80, "a client's frames are masked");
        let length = match head[1] & 0x7f {
            126 => u64::from(self.io.read_u16().await.ok()?),
            127 => self.io.read_u64().await.ok()?,
            short => u64::from(short),
        };
        let mut mask = [0; 4];
        self.io.read_exact(&mut mask).await.ok()?;
        let mut payload = vec![0; length as usize];
        self.io.read_exact(&mut payload).await.ok()?;
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        Some((head[0] & 0x0f, payload))
    }

    /// The payload of the next frame, which must be a Ping.
    pub async fn ping(&mut self) -> Vec<u8> {
        let (opcode, payload) = self.frame().await.expect("the stream ended");
        assert_eq!(opcode, PING);
        payload
    }

    /// The text of the next frame.
    pub async fn text(&mut self) -> String {
        let (opcode, payload) = self.frame().await.expect("the stream ended");
        assert_eq!(opcode, TEXT);
        String::from_utf8(payload).unwrap()
    }

    pub async fn send(&mut self, opcode: u8, payload: &[u8]) {
        self.raw(&frame(opcode, payload)).await;
    }

    pub async fn pong(&mut self, payload: &[u8]) {
        self.send(PONG, payload).await;
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        self.io.write_all(bytes).await.unwrap();
    }
}

/// A complete, unmasked frame with a payload of at most 125 bytes.
pub fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[0x80 | opcode, payload.len() as u8], payload].concat()
}
