//! Floor 1: from a name to an open WebSocket, and what goes over it.

pub mod wire;
