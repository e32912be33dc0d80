//! What the server says unasked, which keeps a path from ever being idle.

use std::time::Duration;

use super::finding::{Chatter, Spread};

/// A server that greets does so at once; its first words within this time are no chatter.
const GREETING: Duration = Duration::from_secs(1);

/// More gaps than these are not kept.
const KEPT: usize = 1000;

/// So many gaps are heard before a period is told: the median of fewer follows a single late word.
const FEWEST: usize = 5;

/// The quiet gaps that ended with the server's words.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    gaps: Vec<Duration>,
    count: usize,
    busy: bool,
}

impl Gaps {
    /// Notes a gap on a connection on which the server had spoken so often before. The server keeps the
    /// path busy when it spoke four times on one connection, or twice on two, and [`FEWEST`] gaps in all.
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
        self.busy && self.count >= FEWEST
    }

    pub fn chatter(&self) -> Option<Chatter> {
        let spread = Spread::of(&self.gaps)?;
        Some(Chatter { period: spread.median, longest_gap: spread.max, count: self.count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_word_does_not_make_the_period() {
        let (ms, mut gaps) = (Duration::from_millis, Gaps::default());
        for before in 0..2 {
            gaps.note(ms(600), before, false);
        }
        // A word that came late is followed too soon by the next one.
        gaps.note(ms(173), 1, true);
        assert!(!gaps.busy(), "two gaps tell no period");
        for _ in 0..3 {
            gaps.note(ms(600), 1, true);
        }
        assert!(gaps.busy());
        let chatter = gaps.chatter().unwrap();
        assert_eq!((chatter.period, chatter.longest_gap, chatter.count), (ms(600), ms(600), 5));
    }
}
