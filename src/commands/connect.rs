//! Opens a connection and runs its preamble, for the commands that observe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::time::Instant;

use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::target::Target;
use crate::domain::ping::event::{ConnEvent, PeerTraffic};
use crate::net::client::preamble::{self, Preamble, add_context, run_preamble_with_listener};
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::{self, DialPlan};
use crate::net::transport::stream::Stream;
use crate::net::transport::tap::Mute;

/// An open connection after its preamble.
pub struct Established {
    pub socket: WebSocket<Stream>,
    pub info: ConnectInfo,
    /// The end of the upgrade.
    pub opened: Instant,
    /// End of the preamble.
    pub ready_at: Instant,
    /// Mutes the connection.
    pub mute: Arc<Mute>,
    /// The server sent heartbeats during the preamble, whose times were not recorded.
    pub has_missed_pings: bool,
}

/// An open connection before its preamble.
pub struct Connected {
    pub socket: WebSocket<Stream>,
    pub info: ConnectInfo,
    /// The end of the upgrade.
    pub opened: Instant,
    /// Mutes the connection.
    pub mute: Arc<Mute>,
}

/// Opens a connection. `largest` bounds a received message in bytes; `largest_request` is the largest message to send.
pub async fn connect(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
    largest_request: usize,
) -> Result<Connected, ConnectError> {
    let dial::Open { stream, leftover, tap_state, facts: info } = dial::open(dial, target).await?;
    let opened = Instant::now();
    let mute = stream.mute();
    let socket = WebSocket::new(stream, leftover, tap_state, largest, largest_request).await;
    Ok(Connected { socket, info, opened, mute })
}

impl Connected {
    /// Runs the preamble; `listener` receives its events, and `emit` their counts.
    pub async fn run_preamble(
        &mut self,
        preamble: &Preamble,
        target: &Target,
        emit: &(dyn Fn(ConnEvent) + Send + Sync),
        listener: preamble::PreambleListener<'_>,
    ) -> Result<(), ConnectError> {
        let ready_at = run_preamble_with_listener(&mut self.socket, preamble, target, emit, listener).await;
        ready_at.map_err(|why| add_context(why, &self.info))
    }
}

/// Opens a connection and runs its preamble. `largest` bounds a received message in bytes; `largest_request` is the
/// largest message to send.
pub async fn open(
    target: &Target,
    dial: &DialPlan,
    preamble: &Preamble,
    largest: usize,
    largest_request: usize,
) -> Result<Established, ConnectError> {
    let mut connected = connect(target, dial, largest, largest_request).await?;
    let missed = AtomicBool::new(false);
    let emit = |event: ConnEvent| {
        let is_ping = matches!(event, ConnEvent::PeerTraffic(PeerTraffic::ServerPing { .. }, _));
        missed.fetch_or(is_ping, Relaxed);
    };
    connected.run_preamble(preamble, target, &emit, &mut |_| {}).await?;
    let (ready_at, has_missed_pings) = (Instant::now(), missed.into_inner());
    let Connected { socket, info, opened, mute } = connected;
    Ok(Established { socket, info, opened, ready_at, mute, has_missed_pings })
}
