//! The line that moves on a terminal while several connections are measured.

use std::collections::HashMap;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lines::counted;
use super::table::by_status;
use crate::domain::event::{ConnEvent, ConnId};
use crate::domain::health::Status;
use crate::domain::heartbeat::Outcome;

/// What the line says: connections by status, and heartbeats by outcome.
#[derive(Debug, Default)]
pub struct Tally {
    statuses: HashMap<ConnId, Status>,
    answered: u64,
    missed: u64,
}

impl Tally {
    /// Takes in what happened to a connection.
    pub fn take(&mut self, id: ConnId, event: &ConnEvent) {
        self.statuses.entry(id).or_insert(Status::Unknown);
        match event {
            ConnEvent::Status(change) if change.kind.is_none() => {
                self.statuses.insert(id, change.to);
            }
            ConnEvent::Beat(beat) => self.count(beat.was, beat.outcome),
            _ => {}
        }
    }

    fn count(&mut self, was: Option<Outcome>, outcome: Outcome) {
        if was == Some(Outcome::Missed) {
            self.missed = self.missed.saturating_sub(1);
        }
        match outcome {
            Outcome::Ok | Outcome::Late => self.answered += 1,
            Outcome::Missed => self.missed += 1,
            Outcome::Superseded | Outcome::Unsent => {}
        }
    }

    /// `4 connections: 1 dead, 3 healthy; 118 answered, 2 missed`
    pub fn line(&self) -> String {
        let count = |status: Status| self.statuses.values().filter(|s| **s == status).count();
        let counts: Vec<(Status, usize)> = Status::ALL.iter().rev().map(|s| (*s, count(*s))).collect();
        let connections = counted(self.statuses.len() as u64, "connection");
        let (statuses, answered, missed) = (by_status(&counts), self.answered, self.missed);
        format!("{connections}: {statuses}; {answered} answered, {missed} missed")
    }
}

/// The line itself, on stderr; the terminal's width is its own business.
pub struct Progress {
    bar: ProgressBar,
    tally: Tally,
}

impl Progress {
    pub fn on_stderr() -> Progress {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            bar.set_style(style);
        }
        Progress { bar, tally: Tally::default() }
    }

    pub fn take(&mut self, id: ConnId, event: &ConnEvent) {
        self.tally.take(id, event);
        self.bar.set_message(self.tally.line());
        self.bar.tick();
    }

    /// Takes the line away while something else is written.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Event;
    use crate::output::script;

    fn tally_of(events: &[Event]) -> Tally {
        let mut tally = Tally::default();
        for event in events {
            if let Event::Connection { id, event, .. } = event {
                tally.take(*id, event);
            }
        }
        tally
    }

    #[test]
    fn connections_are_counted_by_status() {
        let line = tally_of(&script::several()).line();
        assert_eq!(line, "6 connections: 1 dead, 2 unknown, 3 healthy; 8 answered, 0 missed");
    }

    #[test]
    fn a_late_pong_takes_its_miss_back() {
        let line = tally_of(&script::late()).line();
        assert_eq!(line, "1 connection: 1 critical; 4 answered, 0 missed");
    }
}
