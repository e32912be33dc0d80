//! The byte stream below a WebSocket: the socket, the kernel's timestamps, and the tap that records traffic.

pub mod byte_stream;
pub mod http2;
pub mod socket;
pub mod stream;
pub mod tap;
pub(super) mod tcp;
pub mod tcp_liveness;
pub mod upgraded_stream;
