//! What runs on an open WebSocket: heartbeat sessions, observers and idle probes.

pub mod ask_now;
mod checked_stream;
mod close_payload;
pub mod closing;
pub mod deflate;
pub mod disconnect;
pub mod fragments;
pub(crate) mod frame_check;
pub mod gzip_message;
pub mod idle_probe;
mod keepalive_sender;
pub mod observer;
pub mod preamble;
pub mod schedule;
pub mod session;
pub mod websocket;
pub(super) mod websocket_error;
