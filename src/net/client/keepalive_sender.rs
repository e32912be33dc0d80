//! Sends a protocol's keepalive messages, which the server never answers.

use tokio::time::Instant;

use crate::domain::heartbeat::protocol_profile::KeepaliveSpec;
use crate::domain::heartbeat::template::{Payload, RequestKeys, Template};
use crate::net::client::schedule::Schedule;
use crate::net::time::unix_ms;

/// The keepalive schedule of one connection.
#[derive(Debug)]
pub struct KeepaliveSender {
    message: Template,
    schedule: Schedule,
    nonce: u64,
    sent: u64,
}

impl KeepaliveSender {
    /// The first message is due after one interval.
    pub fn new(keepalive: &KeepaliveSpec, nonce: u64) -> KeepaliveSender {
        let schedule = Schedule::new(Instant::now() + keepalive.every, Some(keepalive.every), None);
        KeepaliveSender { message: keepalive.message.clone(), schedule, nonce, sent: 0 }
    }

    /// When the next message is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.schedule.next_due()
    }

    /// The message to send now. A delayed host sends only one message for all missed times.
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
