//! What the server says unasked, which keeps a path from ever being idle.

use std::time::Duration;

use super::finding::{Chatter, Spread};

/// A server that greets does so at once; its first words within this time are no chatter.
const GREETING: Duration = Duration::from_secs(1);

/// More gaps than these are not kept.
const KEPT: usize = 1000;

/// The quiet gaps that ended with the server's words.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    gaps: Vec<Duration>,
    count: usize,
    busy: bool,
}

impl Gaps {
    /// Notes a gap on a connection on which the server had spoken so often before. The server keeps the
    /// path busy when it spoke four times on one connection, or twice on two.
    pub fn note(&mut self, gap: Duration, before: u32, others_spoken_twice: bool) {
        if before == 0 && gap < GREETING {
            return;
        }
        self.count += 1;
        if self.gaps.len() < KEPT {
            self.gaps.push(gap);
        }
        self.busy |= before >= 3 || (before >= 1 && others_spoken_twice);
    }

    pub fn busy(&self) -> bool {
        self.busy
    }

    pub fn chatter(&self) -> Option<Chatter> {
        let spread = Spread::of(&self.gaps)?;
        Some(Chatter { period: spread.median, longest_gap: spread.max, count: self.count })
    }
}
