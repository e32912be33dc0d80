//! What was heard so far, from the opening on: also what came while the connection was still being greeted.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::domain::heartbeat::inbound::shown_bytes;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{ListenState, ServerEvent, ServerEventClass, ServerEventKind};
use crate::net::client::preamble::{PreambleEvent, PreambleEventKind};
use crate::net::event_throttle::EventThrottle;
use crate::net::time::unix_ms;

/// So much of what came during the greeting is told one by one; the rest is told with the last of its kind.
const MAX_PENDING_NOTICES: usize = 64;

/// What was heard of one connection. Memory does not grow with it.
pub struct ListenRecorder {
    pub opened: Instant,
    pub listening: ListenState,
    /// They learn from what they see.
    pub shapes: KnownPings,
    throttle: EventThrottle<ServerEventClass>,
    /// What came during the greeting.
    untold: Vec<ServerEventNotice>,
}

impl ListenRecorder {
    /// Of a connection that opened at this moment.
    pub fn new(opened: Instant, shapes: KnownPings) -> ListenRecorder {
        let listening = ListenState::new(Duration::ZERO, false);
        ListenRecorder { opened, listening, shapes, throttle: EventThrottle::default(), untold: Vec::new() }
    }

    /// Something was said while the connection was greeted.
    pub fn overhear(&mut self, word: PreambleEvent<'_>) {
        let PreambleEvent { at, kind, answered } = word;
        let said = match kind {
            PreambleEventKind::Ours => return self.listening.talked(self.age(at)),
            PreambleEventKind::Ping(payload) => {
                ServerEvent::plain(ServerEventKind::Ping, shown_bytes(payload))
            }
            PreambleEventKind::Pong(payload) => {
                ServerEvent::plain(ServerEventKind::Pong, shown_bytes(payload))
            }
            PreambleEventKind::Message(message) => self.shapes.hear(message, unix_ms()).0,
            PreambleEventKind::Awaited(message) => match self.shapes.hear(message, unix_ms()).0 {
                said if said.sound.is_heartbeat() => said,
                // It answers what we said.
                _ => return self.listening.answered(self.age(at)),
            },
        };
        if let Some(said) = self.note(at, &said, answered) {
            self.keep(said);
        }
        if answered {
            self.listening.was_answered(said.kind());
        }
    }

    fn keep(&mut self, said: ServerEventNotice) {
        let is_full = self.untold.len() >= MAX_PENDING_NOTICES;
        let last = self
            .untold
            .iter_mut()
            .rev()
            .find(|last| is_full && (last.sound, last.shape) == (said.sound, said.shape));
        match last {
            Some(last) => *last = ServerEventNotice { count: last.count + said.count, ..said },
            None => self.untold.push(said),
        }
    }

    /// What came during the greeting, to be told now that it is over.
    pub fn take_untold(&mut self) -> Vec<ServerEventNotice> {
        std::mem::take(&mut self.untold)
    }

    /// The server said something by itself; gives what is to be told of it now.
    pub fn note(&mut self, at: Instant, said: &ServerEvent, answered: bool) -> Option<ServerEventNotice> {
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

    /// From the opening to this moment.
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
            notes.overhear(PreambleEvent { at, kind: PreambleEventKind::Ping(b"x"), answered: true });
        }
        let untold = notes.take_untold();
        let last = untold.last().map(|said| (said.age, said.count));
        assert_eq!(
            (untold.len(), last),
            (MAX_PENDING_NOTICES, Some((Duration::from_millis(499 * 20), 500 - 63)))
        );
        assert_eq!(notes.listening.heartbeats(), 500);
        assert!(notes.take_untold().is_empty());
    }
}
