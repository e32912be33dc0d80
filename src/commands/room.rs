//! An open connection that was greeted, as the commands that listen want it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::time::Instant;

use crate::domain::event::{ConnEvent, Heard};
use crate::domain::opening::{OpenError, Opened};
use crate::domain::target::Target;
use crate::net::dial::{self, DialPlan};
use crate::net::greeting::{Greeting, blame, greet};
use crate::net::stream::Stream;
use crate::net::websocket::Socket;
use crate::net::wire::Valve;

/// Open and greeted.
pub struct Ready {
    pub socket: Socket<Stream>,
    pub facts: Opened,
    /// The end of the upgrade.
    pub opened: Instant,
    /// The end of the greeting.
    pub greeted: Instant,
    /// What can keep bytes from leaving.
    pub valve: Arc<Valve>,
    /// The server sent heartbeats during the greeting, whose moments nobody noted.
    pub missed_some: bool,
}

/// Opens and greets a connection; `largest` bounds a message that comes, `asks` one that leaves.
pub async fn open(
    target: &Target,
    dial: &DialPlan,
    greeting: &Greeting,
    largest: usize,
    asks: usize,
) -> Result<Ready, OpenError> {
    let dial::Open { stream, leftover, marks, facts } = dial::open(dial, target).await?;
    let opened = Instant::now();
    let valve = stream.valve();
    let mut socket = Socket::new(stream, leftover, marks, largest, asks).await;
    let missed = AtomicBool::new(false);
    let emit = |event: ConnEvent| {
        let beat = matches!(event, ConnEvent::Heard(Heard::ServerPing { .. }, _));
        missed.fetch_or(beat, Relaxed);
    };
    greet(&mut socket, greeting, target, &emit).await.map_err(|why| blame(why, &facts))?;
    let (greeted, missed_some) = (Instant::now(), missed.into_inner());
    Ok(Ready { socket, facts, opened, greeted, valve, missed_some })
}
