//! Decompresses messages on their way to the WebSocket library.

use crate::domain::connection::close_cause::Violation;
use crate::domain::connection::message_decompressor::{
    DecompressError, MessageDecompressor, largest_compressed,
};
use crate::domain::connection::permessage_deflate::{AgreedDeflate, LARGEST_WINDOW_BITS};
use crate::net::client::frame_check::{FrameError, FrameHead, IllegalFrame};

const FINAL: u8 = 0x80;
const RSV1: u8 = 0x40;

/// Turns frames of compressed messages into frames of the messages, and leaves others as they are. The frames' heads are legal.
#[derive(Debug)]
pub struct Decompressor {
    decompressor: MessageDecompressor,
    agreed: AgreedDeflate,
    /// Maximum size of a message in bytes, compressed or not.
    largest: usize,
    head: FrameHead,
    /// Bytes of the current payload that are still missing.
    left: u64,
    /// The current frame belongs to the compressed message.
    is_compressed: bool,
    /// The compressed message so far, and its first byte.
    message: Option<(u8, Vec<u8>)>,
}

impl Decompressor {
    /// `largest` is the maximum size of a message in bytes.
    pub fn new(agreed: AgreedDeflate, largest: usize) -> Decompressor {
        Decompressor {
            decompressor: MessageDecompressor::new(
                agreed.server_max_window_bits,
                agreed.server_no_context_takeover,
            ),
            agreed,
            largest,
            head: FrameHead::default(),
            left: 0,
            is_compressed: false,
            message: None,
        }
    }

    /// Takes received bytes, and appends to `out` what the library is to read.
    pub fn take(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FrameError> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let (part, rest) = bytes.split_at(self.left.min(bytes.len() as u64) as usize);
                self.left -= part.len() as u64;
                bytes = rest;
                self.take_payload(part, out);
            } else {
                self.head.push(bytes[0]);
                bytes = &bytes[1..];
                let Some(length) = self.head.payload_length() else { continue };
                self.left = length;
                self.begin_frame(length, out)?;
            }
            if self.left == 0 && self.head.is_empty() {
                self.end_frame(out)?;
            }
        }
        Ok(())
    }

    fn begin_frame(&mut self, length: u64, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let first = self.head.bytes()[0];
        let is_control = first & 0x08 != 0;
        if first & RSV1 != 0 {
            self.message = Some((first & !RSV1, Vec::new()));
        }
        self.is_compressed = self.message.is_some() && !is_control;
        match self.message.as_mut().filter(|_| self.is_compressed) {
            Some((kind, compressed)) => {
                // The last frame decides when the message is complete.
                *kind = *kind & !FINAL | first & FINAL;
                let size = length.saturating_add(compressed.len() as u64);
                if size > largest_compressed(self.largest) as u64 {
                    return Err(self.too_large(size));
                }
            }
            None => out.extend_from_slice(self.head.bytes()),
        }
        self.head.clear();
        Ok(())
    }

    fn take_payload(&mut self, part: &[u8], out: &mut Vec<u8>) {
        match self.message.as_mut().filter(|_| self.is_compressed) {
            Some((_, compressed)) => compressed.extend_from_slice(part),
            None => out.extend_from_slice(part),
        }
    }

    fn end_frame(&mut self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        let is_complete = |(first, _): &mut (u8, Vec<u8>)| *first & FINAL != 0;
        if !self.is_compressed {
            return Ok(());
        }
        let Some((first, compressed)) = self.message.take_if(is_complete) else { return Ok(()) };
        let message = self.decompress(compressed)?;
        out.push(first);
        push_length(message.len(), out);
        out.extend_from_slice(&message);
        Ok(())
    }

    /// A message, decompressed.
    fn decompress(&mut self, compressed: Vec<u8>) -> Result<Vec<u8>, FrameError> {
        let size = compressed.len();
        self.decompressor.message(compressed, self.largest).map_err(|error| match error {
            DecompressError::TooLarge { size } => self.too_large(size as u64),
            DecompressError::Cut => {
                illegal(format!("a compressed message of {size} bytes that ends inside a block"))
            }
            DecompressError::Invalid => self.invalid(size),
        })
    }

    fn invalid(&self, size: usize) -> FrameError {
        let (window, forgets) = (self.agreed.server_max_window_bits, self.agreed.server_no_context_takeover);
        let within = if window < LARGEST_WINDOW_BITS {
            format!(" within the agreed window of {window} bits")
        } else {
            String::new()
        };
        let alone = if forgets { ", though the server agreed to compress each by itself" } else { "" };
        illegal(format!("a compressed message of {size} bytes that cannot be decompressed{within}{alone}"))
    }

    fn too_large(&self, size: u64) -> FrameError {
        FrameError::TooLarge { size, limit: self.largest as u64 }
    }
}

fn illegal(detail: String) -> FrameError {
    FrameError::Illegal(IllegalFrame { rule: Violation::Compression, detail })
}

/// The length of an unmasked frame's payload (RFC 6455 5.2).
fn push_length(length: usize, out: &mut Vec<u8>) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short @ ..126), _) => out.push(short),
        (_, Ok(length)) => {
            out.push(126);
            out.extend(length.to_be_bytes());
        }
        (_, Err(_)) => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
}
