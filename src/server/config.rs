//! What a server is told to be.

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;

/// The heartbeats that a server keeps with each client.
#[derive(Debug, Clone)]
pub struct ServerHeartbeats {
    /// Which kinds; none: the server sends no heartbeats and gives nobody up.
    pub kinds: Vec<HeartbeatKind>,
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// So many unanswered in a row, and the client is terminated; 0: it may stay silent. As
    /// GatewayWorker's pingNotResponseLimit.
    pub max_missed: u32,
    /// Any frame from the client proves it alive, not only the answer.
    pub any_traffic_counts: bool,
    /// A client that has just sent a message gets its next heartbeat 1 to 1.5 intervals after it, as
    /// GatewayWorker does.
    pub skip_if_active: bool,
    pub app_ping: Template,
    pub app_pong: Pattern,
}

impl Default for ServerHeartbeats {
    fn default() -> ServerHeartbeats {
        ServerHeartbeats {
            kinds: Vec::new(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            max_missed: 1,
            any_traffic_counts: true,
            skip_if_active: false,
            app_ping: Template::default(),
            app_pong: Pattern::default(),
        }
    }
}

/// A server's settings. The default is a well-behaved echo server that answers pings and sends no
/// heartbeats of its own.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub heartbeats: Arc<ServerHeartbeats>,
    /// The client is told its status whenever that changes.
    pub tell_health: bool,
    /// Sent to each client as soon as it is there.
    pub greet: Option<String>,
    /// A client's first message must match, else it is closed with 4401.
    pub require: Option<Pattern>,
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
    /// How long a close frame of ours waits for the client's, and a goodbye for the client to go.
    pub close_timeout: Duration,
    /// `None`: plain TCP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            heartbeats: Arc::default(),
            tell_health: false,
            greet: None,
            require: None,
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

impl ServerConfig {
    /// Whether the server's own heartbeats, or what answers them, come too often for the idle timeout ever
    /// to pass. (In the two-ended mode there are none.)
    pub fn never_idles(&self) -> bool {
        let ServerHeartbeats { kinds, interval, .. } = &*self.heartbeats;
        let counts = |kind: &HeartbeatKind| *kind == HeartbeatKind::App || !self.faults.idle.messages_only;
        self.faults.idle.after.is_some_and(|after| after.lo > *interval) && kinds.iter().any(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::faults;

    fn never_idles(kinds: &[HeartbeatKind], set: &[(&str, &str)]) -> bool {
        let heartbeats = Arc::new(ServerHeartbeats { kinds: kinds.to_vec(), ..ServerHeartbeats::default() });
        let mut config = ServerConfig { heartbeats, ..ServerConfig::default() };
        for (name, value) in set {
            faults::set(&mut config.faults, name, value).unwrap();
        }
        config.never_idles()
    }

    #[test]
    fn heartbeats_every_30_s_let_nothing_be_idle_for_longer() {
        use HeartbeatKind::{App, Protocol};
        let (short, long) = (("idle-timeout", "20s"), ("idle-timeout", "60s"));
        let messages_only = ("messages-only", "");
        assert!(never_idles(&[Protocol], &[long]) && !never_idles(&[Protocol], &[short]));
        assert!(!never_idles(&[], &[long]) && !never_idles(&[Protocol], &[]));
        assert!(!never_idles(&[Protocol], &[long, messages_only]));
        assert!(never_idles(&[App], &[long, messages_only]));
    }
}
