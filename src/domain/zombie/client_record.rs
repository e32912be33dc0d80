//! One connection from its opening to its end.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use super::behaviour::Behaviour;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::listen::{Interarrival, ListenState, ServerEventKind};

/// What became of a connection.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(ClientEndName), strum(serialize_all = "snake_case"))]
pub enum ClientEnd {
    /// It was never open; a lower-case fragment says why.
    Unopened { why: String },
    /// It was still there when the run ended, or no end was seen.
    Kept {
        so_far: Duration,
        /// The peer's system says so, where it can be asked; it is not while a run goes on, and may not have answered in
        /// time when that is interrupted.
        proven: bool,
    },
    /// Nothing had been heard of its end when it was asked after so long, and nobody knew it: a path may have forgotten
    /// it, or lost the server's goodbye.
    Lost { after: Duration },
    /// The server let it go.
    Ended {
        /// From the moment at which it began to behave so.
        after: Duration,
        ending: Arc<CloseCause>,
        /// Nobody saw when: what tells of it was read only then.
        at_latest: bool,
    },
}

impl ClientEnd {
    /// How it ended, if that was heard.
    pub fn ending(&self) -> Option<&CloseCause> {
        match self {
            ClientEnd::Ended { ending, .. } => Some(ending),
            ClientEnd::Unopened { .. } | ClientEnd::Kept { .. } | ClientEnd::Lost { .. } => None,
        }
    }
}

/// What the clients of the run said by messages while this one lived, and what came to it that reads like a heartbeat
/// and just like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayCounts {
    pub said: u64,
    pub came: u64,
}

/// A connection's life.
#[derive(Debug, Clone)]
pub struct ClientRecord {
    pub way: Behaviour,
    /// When it began to behave so, since the run began.
    pub began: Duration,
    /// How long it was greeted before it began to behave so.
    pub greeting: Duration,
    /// What was heard, by its moments since the opening. Of one that does not read, nothing.
    pub listening: ListenState,
    pub passed_on: RelayCounts,
    /// What asked for an answer and was found unread at the end.
    pub unread: u64,
    /// It was still there at the end, but its last Ping was not answered, though those before had been.
    pub deaf: bool,
    pub fate: ClientEnd,
}

impl ClientRecord {
    /// Of a connection that is not open yet.
    pub fn new(way: Behaviour) -> ClientRecord {
        let fate = ClientEnd::Unopened { why: "it was not open yet".to_string() };
        ClientRecord {
            way,
            began: Duration::ZERO,
            greeting: Duration::ZERO,
            listening: ListenState::default(),
            passed_on: RelayCounts::default(),
            unread: 0,
            deaf: false,
            fate,
        }
    }

    /// For how long it was there, as far as is known.
    pub fn kept(&self) -> Option<Duration> {
        match &self.fate {
            ClientEnd::Unopened { .. } | ClientEnd::Lost { .. } => None,
            ClientEnd::Kept { so_far, .. } => Some(*so_far),
            ClientEnd::Ended { after, .. } => Some(*after),
        }
    }

    /// After how long the server let it go.
    pub fn ended(&self) -> Option<Duration> {
        match &self.fate {
            ClientEnd::Ended { after, ending, .. } if ending.is_by_peers_hand() => Some(*after),
            ClientEnd::Ended { .. }
            | ClientEnd::Unopened { .. }
            | ClientEnd::Kept { .. }
            | ClientEnd::Lost { .. } => None,
        }
    }

    /// The end that was not the server's doing: the path broke, or we gave up what the server sent.
    pub fn broken(&self) -> Option<&CloseCause> {
        self.ending().filter(|ending| !ending.is_by_peers_hand())
    }

    /// A moment since the opening as one since it began to behave so.
    pub fn since_greeting(&self, moment: Duration) -> Duration {
        moment.saturating_sub(self.greeting)
    }

    /// Whether it ever was open.
    pub fn was_open(&self) -> bool {
        !matches!(self.fate, ClientEnd::Unopened { .. })
    }

    pub fn is_kept(&self) -> bool {
        matches!(self.fate, ClientEnd::Kept { .. })
    }

    pub fn ending(&self) -> Option<&CloseCause> {
        self.fate.ending()
    }

    /// The kinds of heartbeats that ask for an answer, and when they came; that which came first, first.
    pub fn asks(&self) -> Vec<(ServerEventKind, &Interarrival)> {
        let asks = ServerEventKind::iter().filter(|sound| sound.asks());
        let rhythms = |sound| self.listening.rhythms(sound).map(move |rhythm| (sound, rhythm));
        let mut asks: Vec<_> = asks.flat_map(rhythms).collect();
        asks.sort_by_key(|(_, rhythm)| rhythm.begun);
        asks
    }

    /// How many heartbeats it left unanswered; `None` of one that answers.
    pub fn unanswered(&self) -> Option<u64> {
        let heard: u64 = self.asks().iter().map(|(_, rhythm)| rhythm.count).sum();
        self.way.is_dead().then_some(heard + self.unread)
    }
}

/// Those that ought to be let go.
pub(super) fn dead(lives: &[ClientRecord]) -> impl Iterator<Item = &ClientRecord> {
    lives.iter().filter(|life| life.way.is_dead())
}
