//! Floor 1: from a name to an open WebSocket, and what goes over it.

pub mod endings;
pub mod greeting;
pub mod pulse;
pub mod schedule;
pub mod session;
pub mod websocket;
pub mod wire;

#[cfg(test)]
mod raw_peer;
#[cfg(test)]
mod session_tests;
