//! The record of one client from its opening to its end.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use super::behaviour::Behaviour;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::listen::{Interarrival, ListenState, ServerEventKind};

/// How a connection ended, or that it did not.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(ClientEndName), strum(serialize_all = "snake_case"))]
pub enum ClientEnd {
    /// It never opened; a lower-case fragment says why.
    Unopened { why: String },
    /// It was open for this long, and still is.
    Kept {
        so_far: Duration,
        /// The peer's kernel confirmed it, where it can be asked. It is not asked during the run, and may not
        /// have answered before an interrupt.
        proven: bool,
    },
    /// No end was received, but the peer no longer knew the connection when asked: the path dropped it, or
    /// lost the server's close.
    Lost { after: Duration },
    /// The peer's flow control held back what a healthy client sent, so that nothing it shows counts.
    HeldBack { after: Duration, window: ExhaustedWindow },
    /// The server closed it.
    Ended {
        /// From the start of its behaviour.
        after: Duration,
        ending: Arc<CloseCause>,
        /// An upper bound: the end was found only then.
        at_latest: bool,
    },
}

impl ClientEnd {
    /// How long it was open, as far as is known.
    pub fn kept(&self) -> Option<Duration> {
        match self {
            ClientEnd::Unopened { .. } | ClientEnd::Lost { .. } => None,
            ClientEnd::Kept { so_far, .. } => Some(*so_far),
            ClientEnd::HeldBack { after, .. } | ClientEnd::Ended { after, .. } => Some(*after),
        }
    }

    /// Whether it ended, and the end was found only later.
    pub fn is_at_latest(&self) -> bool {
        matches!(self, ClientEnd::Ended { at_latest: true, .. })
    }

    /// How it ended, if that was received.
    pub fn ending(&self) -> Option<&CloseCause> {
        match self {
            ClientEnd::Ended { ending, .. } => Some(ending),
            ClientEnd::Unopened { .. }
            | ClientEnd::Kept { .. }
            | ClientEnd::Lost { .. }
            | ClientEnd::HeldBack { .. } => None,
        }
    }
}

/// How many messages the run's clients sent while this one was open, and how many messages it received that
/// look like one of these and like a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayCounts {
    pub sent: u64,
    pub returned: u64,
}

/// What was observed of one connection.
#[derive(Debug, Clone)]
pub struct ClientRecord {
    pub behaviour: Behaviour,
    /// When its behaviour began, since the run's start.
    pub began: Duration,
    /// How long after its opening its behaviour began.
    pub greeting: Duration,
    /// What was received, by time since the opening; nothing for a client that does not read.
    pub listening: ListenState,
    pub relayed: RelayCounts,
    /// Requests for an answer that were found unread at the end.
    pub unread: u64,
    /// It was still open at the end, but its last Ping was not answered, although earlier ones were.
    pub last_ping_unanswered: bool,
    pub end: ClientEnd,
}

impl ClientRecord {
    /// The record of a connection that is not open yet.
    pub fn new(behaviour: Behaviour) -> ClientRecord {
        let end = ClientEnd::Unopened { why: "it was not open yet".to_string() };
        ClientRecord {
            behaviour,
            began: Duration::ZERO,
            greeting: Duration::ZERO,
            listening: ListenState::default(),
            relayed: RelayCounts::default(),
            unread: 0,
            last_ping_unanswered: false,
            end,
        }
    }

    /// How long it was open, as far as is known.
    pub fn kept(&self) -> Option<Duration> {
        self.end.kept()
    }

    /// After how long the server closed it.
    pub fn ended(&self) -> Option<Duration> {
        self.kept().filter(|_| self.ending().is_some_and(CloseCause::is_by_peers_hand))
    }

    /// The end, if the server did not close it: the path broke, or wscheck closed because of what it
    /// received.
    pub fn broken(&self) -> Option<&CloseCause> {
        self.ending().filter(|ending| !ending.is_by_peers_hand())
    }

    /// Converts a time since the opening to one since its behaviour began.
    pub fn since_greeting(&self, moment: Duration) -> Duration {
        moment.saturating_sub(self.greeting)
    }

    /// Whether it ever opened.
    pub fn was_open(&self) -> bool {
        !matches!(self.end, ClientEnd::Unopened { .. })
    }

    pub fn is_kept(&self) -> bool {
        matches!(self.end, ClientEnd::Kept { .. })
    }

    pub fn ending(&self) -> Option<&CloseCause> {
        self.end.ending()
    }

    /// The kinds of heartbeats that ask for an answer, with their times, in order of first arrival.
    pub fn asks(&self) -> Vec<(ServerEventKind, &Interarrival)> {
        let asks = ServerEventKind::iter().filter(|event_kind| event_kind.asks());
        let arrivals_by_form = |event_kind| {
            self.listening.arrivals_by_form(event_kind).map(move |arrivals| (event_kind, arrivals))
        };
        let mut asks: Vec<_> = asks.flat_map(arrivals_by_form).collect();
        asks.sort_by_key(|(_, arrivals)| arrivals.begun);
        asks
    }

    /// How many heartbeats it left unanswered; `None` for a client that answers.
    pub fn unanswered(&self) -> Option<u64> {
        let received: u64 = self.asks().iter().map(|(_, arrivals)| arrivals.count).sum();
        self.behaviour.is_dead().then_some(received + self.unread)
    }
}

/// The client that behaves so.
pub(super) fn client_of(clients: &[ClientRecord], behaviour: Behaviour) -> Option<&ClientRecord> {
    clients.iter().find(|client| client.behaviour == behaviour)
}

/// The clients that the server should close.
pub(super) fn dead(clients: &[ClientRecord]) -> impl Iterator<Item = &ClientRecord> {
    clients.iter().filter(|client| client.behaviour.is_dead())
}
