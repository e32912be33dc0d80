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
    pub fn record_preamble(&mut self, preamble_event: PreambleEvent<'_>) {
        let PreambleEvent { at, kind, answered } = preamble_event;
        let event = match kind {
            PreambleEventKind::Ours => return self.listening.record_client_message(self.age(at)),
            PreambleEventKind::Ping(payload) => {
                ServerEvent::plain(ServerEventKind::Ping, shown_bytes(payload))
            }
            PreambleEventKind::Pong(payload) => {
                ServerEvent::plain(ServerEventKind::Pong, shown_bytes(payload))
            }
            PreambleEventKind::Message(message) => self.known_pings.hear(message, unix_ms()).0,
            PreambleEventKind::Awaited(message) => match self.known_pings.hear(message, unix_ms()).0 {
                heartbeat if heartbeat.event_kind.is_heartbeat() => heartbeat,
                // It answers our message.
                _ => return self.listening.answered(self.age(at)),
            },
        };
        if let Some(notice) = self.record(at, &event, answered) {
            self.push_pending(notice);
        }
        if answered {
            self.listening.was_answered(event.kind());
        }
    }

    fn push_pending(&mut self, notice: ServerEventNotice) {
        let is_full = self.pending.len() >= MAX_PENDING_NOTICES;
        let last = self
            .pending
            .iter_mut()
            .rev()
            .find(|last| is_full && (last.event_kind, last.shape) == (notice.event_kind, notice.shape));
        match last {
            Some(last) => *last = ServerEventNotice { count: last.count + notice.count, ..notice },
            None => self.pending.push(notice),
        }
    }

    /// Takes the notices of the preamble, which is now over.
    pub fn take_pending(&mut self) -> Vec<ServerEventNotice> {
        std::mem::take(&mut self.pending)
    }

    /// Records a server event; returns the notice to report now.
    pub fn record(&mut self, at: Instant, event: &ServerEvent, answered: bool) -> Option<ServerEventNotice> {
        let age = self.age(at);
        let before = self.listening.last(event.kind());
        self.listening.record_event(age, event);
        let count = self.throttle.count(event.kind(), at)?;
        Some(ServerEventNotice {
            at: SystemTime::now(),
            event_kind: event.event_kind,
            shape: event.shape,
            count,
            age,
            gap: before.map(|before| age.saturating_sub(before)),
            text: event.text.clone(),
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
        let mut recorder = ListenRecorder::new(opened, KnownPings::default());
        for n in 0..500 {
            let at = opened + Duration::from_millis(n * 20);
            recorder.record_preamble(PreambleEvent {
                at,
                kind: PreambleEventKind::Ping(b"x"),
                answered: true,
            });
        }
        let pending = recorder.take_pending();
        let last = pending.last().map(|notice| (notice.age, notice.count));
        assert_eq!(
            (pending.len(), last),
            (MAX_PENDING_NOTICES, Some((Duration::from_millis(499 * 20), 500 - 63)))
        );
        assert_eq!(recorder.listening.heartbeats(), 500);
        assert!(recorder.take_pending().is_empty());
    }
}
