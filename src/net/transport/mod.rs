//! The byte stream at the bottom: the socket, the kernel's timestamps, and the tap that notes when bytes pass.

pub mod socket;
pub mod stream;
pub mod tap;
pub(super) mod tcp;
pub mod tcp_liveness;
