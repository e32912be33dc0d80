//! An open connection that was greeted, as the commands that listen want it.

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

/// Open and greeted.
pub struct Established {
    pub socket: WebSocket<Stream>,
    pub facts: ConnectInfo,
    /// The end of the upgrade.
    pub opened: Instant,
    /// The end of the greeting.
    pub greeted: Instant,
    /// What can keep bytes from leaving.
    pub mute: Arc<Mute>,
    /// The server sent heartbeats during the greeting, whose moments nobody noted.
    pub missed_some: bool,
}

/// Open, and not greeted yet.
pub struct Connected {
    pub socket: WebSocket<Stream>,
    pub facts: ConnectInfo,
    /// The end of the upgrade.
    pub opened: Instant,
    /// What can keep bytes from leaving.
    pub mute: Arc<Mute>,
}

/// Opens a connection; `largest` bounds a message that comes, `asks` one that leaves.
pub async fn connect(
    target: &Target,
    dial: &DialPlan,
    largest: usize,
    asks: usize,
) -> Result<Connected, ConnectError> {
    let dial::Open { stream, leftover, tap_state, facts } = dial::open(dial, target).await?;
    let opened = Instant::now();
    let mute = stream.mute();
    let socket = WebSocket::new(stream, leftover, tap_state, largest, asks).await;
    Ok(Connected { socket, facts, opened, mute })
}

impl Connected {
    /// Says and awaits what is to be; `ear` hears what is said meanwhile, and `emit` is told of it in counts.
    pub async fn greet(
        &mut self,
        greeting: &Preamble,
        target: &Target,
        emit: &(dyn Fn(ConnEvent) + Send + Sync),
        ear: preamble::PreambleListener<'_>,
    ) -> Result<(), ConnectError> {
        let greeted = run_preamble_with_listener(&mut self.socket, greeting, target, emit, ear).await;
        greeted.map_err(|why| add_context(why, &self.facts))
    }
}

/// Opens and greets a connection; `largest` bounds a message that comes, `asks` one that leaves.
pub async fn open(
    target: &Target,
    dial: &DialPlan,
    greeting: &Preamble,
    largest: usize,
    asks: usize,
) -> Result<Established, ConnectError> {
    let mut room = connect(target, dial, largest, asks).await?;
    let missed = AtomicBool::new(false);
    let emit = |event: ConnEvent| {
        let beat = matches!(event, ConnEvent::PeerTraffic(PeerTraffic::ServerPing { .. }, _));
        missed.fetch_or(beat, Relaxed);
    };
    room.greet(greeting, target, &emit, &mut |_| {}).await?;
    let (greeted, missed_some) = (Instant::now(), missed.into_inner());
    let Connected { socket, facts, opened, mute } = room;
    Ok(Established { socket, facts, opened, greeted, mute, missed_some })
}
