//! What tests of commands share.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ping::PingPlan;
use crate::net::client::session::plan::SessionPlan;
use crate::server::{Server, ServerConfig};

/// A test server; returns its URL.
pub async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (events, mut happened) = mpsc::unbounded_channel();
    tokio::spawn(async move { while happened.recv().await.is_some() {} });
    let server = Server::new(ServerConfig::default(), events);
    tokio::spawn(Arc::new(server).run(listener, CancellationToken::new()));
    format!("ws://127.0.0.1:{port}/")
}

/// One connection to a server, with protocol heartbeats.
pub fn plan(url: &str, interval: Duration) -> PingPlan {
    PingPlan {
        targets: vec![url.parse().unwrap()],
        connections_each: 1,
        ramp: None,
        worst: 1,
        lists_all: false,
        dial: Default::default(),
        preamble: Default::default(),
        inputs: Default::default(),
        session: SessionPlan {
            expected_close: Vec::new(),
            kinds: vec![crate::domain::heartbeat::HeartbeatKind::Protocol],
            interval: Some(interval),
            degraded_interval: None,
            timeout: Duration::from_secs(10),
            count: None,
            limits: Default::default(),
            ask: Default::default(),
            answer: Default::default(),
            answer_pings: true,
            shown_messages: 0,
            profile: Default::default(),
        },
        max_message_size: 65_536,
        deadline: None,
        reconnect: None,
        outage_after: Duration::from_secs(10),
        policy: Default::default(),
        preset: None,
    }
}
