//! Messages that keep a convention alive and are never answered: they leave on time, and nobody waits for them.

use tokio::time::Instant;

use crate::domain::heartbeat::protocol_profile::KeepaliveSpec;
use crate::domain::heartbeat::template::{Payload, RequestKeys, Template};
use crate::net::client::schedule::Schedule;
use crate::net::time::unix_ms;

/// The upkeep of one connection.
#[derive(Debug)]
pub struct KeepaliveSender {
    message: Template,
    schedule: Schedule,
    nonce: u64,
    sent: u64,
}

impl KeepaliveSender {
    /// The first leaves when the interval has passed once.
    pub fn new(upkeep: &KeepaliveSpec, nonce: u64) -> KeepaliveSender {
        let schedule = Schedule::new(Instant::now() + upkeep.every, Some(upkeep.every), None);
        KeepaliveSender { message: upkeep.message.clone(), schedule, nonce, sent: 0 }
    }

    /// When the next is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.schedule.next_due()
    }

    /// What is to be sent now. However late this host is, it is one message.
    pub fn take_due(&mut self, now: Instant) -> Option<Payload> {
        self.schedule.take_due(now)?;
        while self.schedule.take_due(now).is_some() {}
        self.sent += 1;
        let seq = self.sent - 1;
        Some(self.message.render(&RequestKeys {
            seq,
            id: format!("{:016x}-{seq}", self.nonce),
            now_ms: unix_ms(),
        }))
    }
}
