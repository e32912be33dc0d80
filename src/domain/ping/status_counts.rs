//! The current state of a run in a few counters.

use strum::{EnumCount, IntoEnumIterator};

use super::health::Status;
use crate::domain::heartbeat::HeartbeatOutcome;

/// Connections by status, and heartbeats by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts {
    pub connections: usize,
    /// Connections open now.
    pub open: usize,
    by_status: [usize; Status::COUNT],
    pub answered: u64,
    pub missed: u64,
    pub superseded: u64,
}

impl StatusCounts {
    /// For this many connections of unknown status.
    pub fn new(connections: usize) -> StatusCounts {
        let mut tally = StatusCounts { connections, ..StatusCounts::default() };
        *tally.of(Status::Unknown) = connections;
        tally
    }

    /// Connections by status, worst first.
    pub fn statuses(&self) -> impl Iterator<Item = (Status, usize)> {
        Status::iter().zip(self.by_status).rev()
    }

    /// The worst status of a connection.
    pub fn worst(&self) -> Status {
        let found = self.statuses().find(|(_, count)| *count > 0);
        found.map_or(Status::Unknown, |(status, _)| status)
    }

    /// Records a connection's change of status.
    pub fn change_status(&mut self, before: Status, after: Status) {
        *self.of(before) -= 1;
        *self.of(after) += 1;
    }

    pub fn record_opened(&mut self) {
        self.open += 1;
    }

    pub fn record_ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Records a heartbeat's outcome, and its earlier outcome in a revision.
    pub fn record_heartbeat(&mut self, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) {
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
