//! Compresses messages before they are sent.

use flate2::{Compress, Compression, FlushCompress, Status};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::domain::connection::message_decompressor::OMITTED;
use crate::domain::connection::permessage_deflate::AgreedDeflate;

/// Room for what is compressed, in bytes, when the buffer is full.
const STEP: usize = 1024;

/// The smallest window of zlib, as a power of two. It refers to no more than 250 bytes, so that it fits a window of 8 bits, too.
const LEAST_WINDOW_BITS: u8 = 9;

/// Compresses sent messages.
#[derive(Debug)]
pub struct Compressor {
    /// Made for the first message, since it takes 300 KiB: heartbeats of the protocol need none.
    compress: Option<Compress>,
    window_bits: u8,
    no_context_takeover: bool,
}

impl Compressor {
    pub fn new(agreed: &AgreedDeflate) -> Compressor {
        Compressor {
            compress: None,
            window_bits: agreed.client_max_window_bits.max(LEAST_WINDOW_BITS),
            no_context_takeover: agreed.client_no_context_takeover,
        }
    }

    /// The message, compressed if it is text or binary; one that cannot be compressed is sent as it is.
    pub fn compress(&mut self, message: Message) -> Message {
        let (kind, payload) = match &message {
            Message::Text(text) => (Data::Text, text.as_bytes()),
            Message::Binary(bytes) => (Data::Binary, bytes.as_ref()),
            _ => return message,
        };
        let Some(compressed) = self.compressed(payload) else { return message };
        let header = FrameHeader { rsv1: true, opcode: OpCode::Data(kind), ..FrameHeader::default() };
        Message::Frame(Frame::from_payload(header, Bytes::from(compressed)))
    }

    fn compressed(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if payload.is_empty() {
            // zlib flushes nothing twice (RFC 7692 7.2.3.6).
            return Some(vec![0]);
        }
        let level = Compression::default();
        let compress = self
            .compress
            .get_or_insert_with(|| Compress::new_with_window_bits(level, false, self.window_bits));
        let mut compressed = Vec::with_capacity(STEP);
        let before = compress.total_in();
        loop {
            let taken = (compress.total_in() - before) as usize;
            let status = compress.compress_vec(&payload[taken..], &mut compressed, FlushCompress::Sync);
            let is_complete = before + payload.len() as u64 == compress.total_in();
            match status {
                Ok(Status::Ok | Status::BufError)
                    if is_complete && compressed.len() < compressed.capacity() =>
                {
                    break;
                }
                Ok(Status::Ok | Status::BufError) => compressed.reserve(STEP),
                Ok(Status::StreamEnd) | Err(_) => {
                    compress.reset();
                    return None;
                }
            }
        }
        compressed.truncate(compressed.len().checked_sub(OMITTED.len())?);
        if self.no_context_takeover {
            compress.reset();
        }
        Some(compressed)
    }

    /// Forgets the messages so far: the last one did not leave, so that later ones must not refer to it.
    pub fn forget(&mut self) {
        self.compress.as_mut().map(Compress::reset);
    }
}
