//! Peers, certificates and streams for tests.

pub mod fake_tcp_stream;
pub mod http2_peer;
pub mod loopback_peer;
pub mod raw_peer;
pub mod test_certificates;
pub mod windowed_stream;
