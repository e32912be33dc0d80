//! Records the server's events from the opening on, including those during the preamble.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::domain::heartbeat::inbound::shown_bytes;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{ListenState, ServerEvent, ServerEventClass, ServerEventKind};
use crate::net::client::preamble::{PreambleEvent, PreambleEventKind};
use crate::net::event_throttle::EventThrottle;
use crate::net::time::unix_ms;

/// Maximum number of separate notices kept during the preamble; further ones are merged into the last of their kind.
const MAX_PENDING_NOTICES: usize = 64;

/// Events of one connection. Its memory is bounded.
pub struct ListenRecorder {
    pub opened: Instant,
    pub listening: ListenState,
    /// Shapes of app pings, which adapt to what is seen.
    pub known_pings: KnownPings,
    throttle: EventThrottle<ServerEventClass>,
    /// Notices of events during the preamble.
    pending: Vec<ServerEventNotice>,
}

impl ListenRecorder {
    /// For a connection that opened at `opened`.
    pub fn new(opened: Instant, known_pings: KnownPings) -> ListenRecorder {
        let listening = ListenState::new(Duration::ZERO, false);
        ListenRecorder {
            opened,
            listening,
            known_pings,
            throttle: EventThrottle::default(),
            pending: Vec::new(),
        }
    }

    /// Records an event during the preamble.
    pub fn record_preamble(&mut self, event: PreambleEvent<'_>) {
        let PreambleEvent { at, kind, answered } = event;
        let said = match kind {
            PreambleEventKind::Ours => return self.listening.talked(self.age(at)),
            PreambleEventKind::Ping(payload) => {
                ServerEvent::plain(ServerEventKind::Ping, shown_bytes(payload))
            }
            PreambleEventKind::Pong(payload) => {
                ServerEvent::plain(ServerEventKind::Pong, shown_bytes(payload))
            }
            PreambleEventKind::Message(message) => self.known_pings.hear(message, unix_ms()).0,
            PreambleEventKind::Awaited(message) => match self.known_pings.hear(message, unix_ms()).0 {
                said if said.sound.is_heartbeat() => said,
                // It answers our message.
                _ => return self.listening.answered(self.age(at)),
            },
        };
        if let Some(said) = self.record(at, &said, answered) {
            self.push_pending(said);
        }
        if answered {
            self.listening.was_answered(said.kind());
        }
    }

    fn push_pending(&mut self, said: ServerEventNotice) {
        let is_full = self.pending.len() >= MAX_PENDING_NOTICES;
        let last = self
            .pending
            .iter_mut()
            .rev()
            .find(|last| is_full && (last.sound, last.shape) == (said.sound, said.shape));
        match last {
            Some(last) => *last = ServerEventNotice { count: last.count + said.count, ..said },
            None => self.pending.push(said),
        }
    }

    /// Takes the notices of the preamble, which is now over.
    pub fn take_pending(&mut self) -> Vec<ServerEventNotice> {
        std::mem::take(&mut self.pending)
    }

    /// Records a server event; returns the notice to report now.
    pub fn record(&mut self, at: Instant, said: &ServerEvent, answered: bool) -> Option<ServerEventNotice> {
        let age = self.age(at);
        let before = self.listening.last(said.kind());
        self.listening.heard(age, said);
        let count = self.throttle.count(said.kind(), at)?;
        Some(ServerEventNotice {
            at: SystemTime::now(),
            sound: said.sound,
            shape: said.shape,
            count,
            age,
            gap: before.map(|before| age.saturating_sub(before)),
            text: said.text.clone(),
            answered,
        })
    }

    /// Time from the opening to `at`.
    pub fn age(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.opened)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flood_during_preamble_keeps_bounded_notices() {
        let opened = Instant::now();
        let mut notes = ListenRecorder::new(opened, KnownPings::default());
        for n in 0..500 {
            let at = opened + Duration::from_millis(n * 20);
            notes.record_preamble(PreambleEvent { at, kind: PreambleEventKind::Ping(b"x"), answered: true });
        }
        let pending = notes.take_pending();
        let last = pending.last().map(|said| (said.age, said.count));
        assert_eq!(
            (pending.len(), last),
            (MAX_PENDING_NOTICES, Some((Duration::from_millis(499 * 20), 500 - 63)))
        );
        assert_eq!(notes.listening.heartbeats(), 500);
        assert!(notes.take_pending().is_empty());
    }
}
