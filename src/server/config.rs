//! What a server is told to be.

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;

/// A server's settings. The default is a well-behaved echo server that answers pings and sends no
/// heartbeats of its own.
#[derive(Debug, Clone)]
pub struct Config {
    /// Messages are sent back to who sent them.
    pub echo: bool,
    pub faults: Faults,
    /// The share of the connections that the faults happen to, 0 to 1.
    pub fault_share: f64,
    /// Where all randomness begins: the same seed and the same order of events give the same faults.
    pub seed: u64,
    /// More clients than these are answered 503.
    pub max_clients: usize,
    /// The most bytes of a message.
    pub max_message_size: usize,
    /// How long TLS and the request may take.
    pub handshake_timeout: Duration,
    /// How long a close frame of ours waits for the client's.
    pub close_timeout: Duration,
    /// `None`: plain TCP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            echo: true,
            faults: Faults::default(),
            fault_share: 1.0,
            seed: 0,
            max_clients: 20_000,
            max_message_size: 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            tls: None,
        }
    }
}
