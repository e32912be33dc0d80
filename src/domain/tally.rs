//! How a run stands, in a few numbers that are kept as it goes.

use super::event::{Beat, ConnEvent, is_answered};
use super::health::Status;
use super::heartbeat::Outcome;

/// Connections by status, and heartbeats by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub connections: usize,
    /// Those that are open now.
    pub open: usize,
    by_status: [usize; Status::ALL.len()],
    pub answered: u64,
    pub missed: u64,
}

impl Tally {
    /// So many connections of which nothing is known.
    pub fn new(connections: usize) -> Tally {
        let mut tally = Tally { connections, ..Tally::default() };
        *tally.of(Status::Unknown) = connections;
        tally
    }

    /// Connections by status, worst first.
    pub fn statuses(&self) -> impl Iterator<Item = (Status, usize)> {
        Status::ALL.into_iter().zip(self.by_status).rev()
    }

    /// Takes in what happened to a connection, and what it did to its status.
    pub fn take(&mut self, event: &ConnEvent, before: Status, after: Status) {
        if before != after {
            *self.of(before) -= 1;
            *self.of(after) += 1;
        }
        match event {
            ConnEvent::Opened(_) => self.open += 1,
            ConnEvent::Ended(_) => self.open = self.open.saturating_sub(1),
            ConnEvent::Beat(beat) => self.beat(beat),
            _ => {}
        }
    }

    fn beat(&mut self, beat: &Beat) {
        if beat.was == Some(Outcome::Missed) {
            self.missed = self.missed.saturating_sub(1);
        }
        self.missed += u64::from(beat.outcome == Outcome::Missed);
        self.answered += u64::from(is_answered(beat.outcome));
    }

    fn of(&mut self, status: Status) -> &mut usize {
        &mut self.by_status[status as usize]
    }
}
