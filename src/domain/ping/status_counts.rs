//! How a run stands, in a few numbers that are kept as it goes.

use strum::{EnumCount, IntoEnumIterator};

use super::health::Status;
use crate::domain::heartbeat::HeartbeatOutcome;

/// Connections by status, and heartbeats by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    pub connections: usize,
    /// Those that are open now.
    pub open: usize,
    by_status: [usize; Status::COUNT],
    pub answered: u64,
    pub missed: u64,
    pub superseded: u64,
}

impl StatusCounts {
    /// So many connections of which nothing is known.
    pub fn new(connections: usize) -> StatusCounts {
        let mut tally = StatusCounts { connections, ..StatusCounts::default() };
        *tally.of(Status::Unknown) = connections;
        tally
    }

    /// Connections by status, worst first.
    pub fn statuses(&self) -> impl Iterator<Item = (Status, usize)> {
        Status::iter().zip(self.by_status).rev()
    }

    /// A connection's status is another.
    pub fn moved(&mut self, before: Status, after: Status) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
    }

    /// One more is open.
    pub fn opened(&mut self) {
        self.open += 1;
    }

    /// One is open no more.
    pub fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// A heartbeat came to this, and was taken for that before.
    pub fn beat(&mut self, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) {
        for (of, count) in [
            (HeartbeatOutcome::Missed, &mut self.missed),
            (HeartbeatOutcome::Superseded, &mut self.superseded),
        ] {
            *count = count.saturating_sub(u64::from(was == Some(of))) + u64::from(outcome == of);
        }
        self.answered += u64::from(outcome.is_answered());
    }

    fn of(&mut self, status: Status) -> &mut usize {
        &mut self.by_status[status as usize]
    }
}
