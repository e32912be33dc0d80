//! Configuration of the server.

use std::sync::Arc;
use std::time::Duration;

use super::faults::Faults;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;

/// The server's heartbeats to each client.
#[derive(Debug, Clone)]
pub struct ServerHeartbeats {
    /// Kinds of heartbeat; if empty, the server sends none and terminates nobody.
    pub kinds: Vec<HeartbeatKind>,
    pub interval: Duration,
    /// Time limit for an answer.
    pub timeout: Duration,
    /// Consecutive misses after which a client is terminated; 0: never. Like GatewayWorker's pingNotResponseLimit.
    pub max_missed: u32,
    /// Any frame from the client is a sign of life, not only the answer.
    pub any_traffic_counts: bool,
    /// After a message from the client, its next heartbeat comes 1 to 1.5 intervals later, as in GatewayWorker.
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

/// Server settings. The default is a well-behaved echo server that answers pings and sends no heartbeats.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub heartbeats: Arc<ServerHeartbeats>,
    /// Send the client its health status when it changes.
    pub tell_health: bool,
    /// Message sent to each client after the upgrade.
    pub greet: Option<String>,
    /// Pattern that a client's first message must match; otherwise it is closed with 4401.
    pub require: Option<Pattern>,
    /// Send messages back to their sender.
    pub echo: bool,
    pub faults: Faults,
    /// Share of the connections that get the faults, 0 to 1.
    pub fault_share: f64,
    /// The most connections that get the faults, in order of arrival; `None`: all of them.
    pub max_faulty: Option<u64>,
    /// Random seed: the same seed and order of events give the same faults.
    pub seed: u64,
    /// Maximum number of clients; further ones are refused with 503.
    pub max_clients: usize,
    /// Maximum message size, in bytes.
    pub max_message_size: usize,
    /// Time limit for TLS and the request.
    pub handshake_timeout: Duration,
    /// Time limit for the client's close frame, and for the client to close TCP.
    pub close_timeout: Duration,
    /// `None`: plain TCP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Speak HTTP/2 beside HTTP/1.1.
    pub http2: bool,
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
            max_faulty: None,
            seed: 0,
            max_clients: 20_000,
            max_message_size: 1024 * 1024,
            handshake_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(2),
            tls: None,
            http2: false,
        }
    }
}

impl ServerConfig {
    /// Whether the server's heartbeats or their answers always reset the idle timeout before it expires. (Two-ended
    /// mode has no heartbeats.)
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
    fn frequent_heartbeats_prevent_idle_timeouts() {
        use HeartbeatKind::{App, Protocol};
        let (short, long) = (("idle-timeout", "20s"), ("idle-timeout", "60s"));
        let messages_only = ("messages-only", "");
        assert!(never_idles(&[Protocol], &[long]) && !never_idles(&[Protocol], &[short]));
        assert!(!never_idles(&[], &[long]) && !never_idles(&[Protocol], &[]));
        assert!(!never_idles(&[Protocol], &[long, messages_only]));
        assert!(never_idles(&[App], &[long, messages_only]));
    }
}
