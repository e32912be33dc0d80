//! Opens a connection and runs its preamble, for the commands that observe.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::time::Instant;

use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::target::Target;
use crate::domain::ping::event::{ConnEvent, PeerTraffic};
use crate::net::client::preamble::{self, Preamble, add_context, run_preamble_with_listener};
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::{self, DialPlan};
use crate::net::transport::stream::Stream;

/// A server, and how connections to it are opened.
#[derive(Clone)]
pub struct ConnectPlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Sent and awaited first on each connection.
    pub preamble: Preamble,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
}

impl ConnectPlan {
    /// Loads the system's roots before anything is timed. An error recurs when a connection opens.
    pub fn prepare(&self) {
        if self.target.secure() {
            let _ = self.dial.tls.prepare();
        }
    }
}

/// An open connection, before its preamble or after it.
pub struct Connected {
    pub socket: WebSocket<Stream>,
    pub info: ConnectInfo,
    /// The end of the upgrade.
    pub opened: Instant,
    /// The end of the preamble, once it is over.
    pub ready_at: Instant,
    /// The server sent heartbeats during the preamble, whose times were not recorded.
    pub has_missed_pings: bool,
}

/// Opens a connection. `largest` bounds a received message in bytes; `largest_request` is the largest message to send.
pub async fn connect(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
    largest_request: usize,
) -> Result<Connected, ConnectError> {
    let dial::Open { upgraded, facts: info } = dial::open(dial, target).await?;
    let opened = Instant::now();
    let socket = WebSocket::new(upgraded, largest, largest_request).await;
    Ok(Connected { socket, info, opened, ready_at: opened, has_missed_pings: false })
}

impl Connected {
    /// Runs the preamble; `listener` receives its events, and `emit` their counts.
    pub async fn run_preamble(
        &mut self,
        plan: &ConnectPlan,
        emit: &(dyn Fn(ConnEvent) + Send + Sync),
        listener: preamble::PreambleListener<'_>,
    ) -> Result<(), ConnectError> {
        let ConnectPlan { target, preamble, .. } = plan;
        let ready_at = run_preamble_with_listener(&mut self.socket, preamble, target, emit, listener).await;
        ready_at.map_err(|why| add_context(why, &self.info))
    }
}

/// Opens a connection and runs its preamble. `largest_request` is the largest message to send.
pub async fn open(plan: &ConnectPlan, largest_request: usize) -> Result<Connected, ConnectError> {
    let mut connected = connect(&plan.target, &plan.dial, plan.max_message_size, largest_request).await?;
    let missed = AtomicBool::new(false);
    let emit = |event: ConnEvent| {
        let is_ping = matches!(event, ConnEvent::PeerTraffic(PeerTraffic::ServerPing { .. }, _));
        missed.fetch_or(is_ping, Relaxed);
    };
    connected.run_preamble(plan, &emit, &mut |_| {}).await?;
    Ok(Connected { ready_at: Instant::now(), has_missed_pings: missed.into_inner(), ..connected })
}
