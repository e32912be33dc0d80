//! The test server's behaviour on the wire, seen by a bare client that shares no code with it.

mod faults;
mod heartbeats;
mod http2;
mod http2_peer;
mod peer;
mod status_page;
mod tls;
mod wire;
