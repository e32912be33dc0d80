//! A server for tests that writes raw frames of HTTP/2 (RFC 9113), so that the client sees exactly what the test wrote.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
/// The flag that ends a stream; of SETTINGS and PING: an acknowledgement.
pub const END_STREAM: u8 = 1;
/// The flag that ends a header block.
pub const END_HEADERS: u8 = 4;
/// SETTINGS_ENABLE_CONNECT_PROTOCOL=1 (RFC 8441 section 3).
pub const ALLOWED: &[u8] = &[0, 8, 0, 0, 0, 1];
/// `:status: 200` in HPACK's static table (RFC 7541 appendix A).
pub const STATUS_200: &[u8] = &[0x88];
/// `:status: 404`.
pub const STATUS_404: &[u8] = &[0x8d];
/// How a client begins (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// A frame as bytes.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The server's end of a connection.
pub struct Http2Peer<S> {
    pub io: S,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Http2Peer<S> {
    /// Reads the client's preface, and sends these settings.
    pub async fn begin(mut io: S, settings: &[u8]) -> Http2Peer<S> {
        let mut preface = [0; PREFACE.len()];
        io.read_exact(&mut preface).await.unwrap();
        assert_eq!(preface, PREFACE);
        let mut peer = Http2Peer { io };
        peer.send(SETTINGS, 0, 0, settings).await;
        peer
    }

    /// Begins, and accepts the first request with 200. Returns its stream.
    pub async fn accept(io: S) -> (Http2Peer<S>, u32) {
        let mut peer = Http2Peer::begin(io, ALLOWED).await;
        let stream = peer.until(HEADERS).await.unwrap().stream;
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        (peer, stream)
    }

    /// Sends a frame. The client may be gone.
    pub async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let _ = self.io.write_all(&frame(kind, flags, stream, payload)).await;
        let _ = self.io.flush().await;
    }

    /// The next frame; `None` at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.io.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.io.read_exact(&mut payload).await.ok()?;
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload })
    }

    /// The next frame of this kind; `None` if none comes any more.
    pub async fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Answers the Ping frames of a WebSocket, each in a DATA frame by itself and shorter than 126 bytes, until the client ends.
    pub async fn answer_pings(&mut self, stream: u32) {
        while let Some(data) = self.until(DATA).await {
            let [0x89, length, mask @ ..] = &data.payload[..] else { continue };
            let (mask, payload) = mask.split_at(4);
            let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
            let pong: Vec<u8> = [0x8a, length & 0x7f].into_iter().chain(payload).collect();
            self.send(DATA, 0, stream, &pong).await;
        }
    }

    /// Reads until the client ends the connection.
    pub async fn drain(&mut self) {
        while self.frame().await.is_some() {}
    }
}
