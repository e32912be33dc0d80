//! The latest spans of one kind.

use std::collections::VecDeque;
use std::time::Duration;

use super::interval::Interval;

/// So many are remembered, however long it is listened.
pub const REMEMBERED: usize = 1024;

/// The latest spans. Memory does not grow with their number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spans {
    latest: VecDeque<Duration>,
}

impl Spans {
    /// Remembers one more.
    pub fn push(&mut self, span: Duration) {
        if self.latest.len() == REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(span);
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// What they come to.
    pub fn interval(&self) -> Option<Interval> {
        Interval::of(self.latest.iter().copied())
    }
}
