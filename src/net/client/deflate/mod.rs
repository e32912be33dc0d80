//! permessage-deflate (RFC 7692) on a client's connection: sent messages are compressed, received ones decompressed.
//!
//! tungstenite knows no extension, and the crates that do (yawc, forks of fastwebsockets) bring a WebSocket of their own, without
//! the events that this program measures by. So messages are compressed before the library takes them, and decompressed below it.
//! flate2 compresses, with zlib-rs, since its other backend knows no window but the largest.

mod compressor;
mod decompressor;

pub use compressor::Compressor;
pub use decompressor::Decompressor;

#[cfg(test)]
mod tests;
