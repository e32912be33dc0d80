//! What the server says unasked, which keeps a path from ever being idle.

use std::time::Duration;

use super::finding::{EndSpread, ServerActivity};

/// A server that greets does so at once; its first words within this time are no chatter.
const GREETING_WINDOW: Duration = Duration::from_secs(1);

/// More gaps than these are not kept.
const MAX_GAPS: usize = 1000;

/// So many gaps are heard before a period is told: the median of fewer follows a single late word.
const MIN_GAPS: usize = 5;

/// So many clients must have been let go for a rule.
const MIN_UNANSWERED_ENDS: usize = 2;

/// The quiet gaps that ended with the server's words.
#[derive(Debug, Clone, Default)]
pub(super) struct ActivityGaps {
    gaps: Vec<Duration>,
    count: usize,
    busy: bool,
    let_go: Vec<UnansweredEnd>,
    answered: bool,
}

/// A client that said nothing, and whose end came after a gap no longer than one that it had survived: it did not die
/// of an idle path, but of its own silence.
#[derive(Debug, Clone, Copy)]
struct UnansweredEnd {
    moment: Duration,
    age: Duration,
    /// The path was there afterwards.
    vouched: bool,
}

impl ActivityGaps {
    /// Notes a gap on a connection on which the server had spoken so often before. The server keeps the
    /// path busy when it spoke four times on one connection, or twice on two, and [`MIN_GAPS`] gaps in all.
    pub fn note(&mut self, gap: Duration, before: u32, others_spoken_twice: bool) {
        if before == 0 && gap < GREETING_WINDOW {
            return;
        }
        self.count += 1;
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        }
        self.busy |= before >= 3 || (before >= 1 && others_spoken_twice);
    }

    /// Whether who ended after such a silence, and had survived such a gap, did not die of being idle. Timers are late.
    pub fn is_let_go(idle: Duration, survived: Duration) -> bool {
        survived > Duration::ZERO && idle <= survived.mul_f64(1.02) + Duration::from_millis(50)
    }

    /// Notes that what the server asked was answered.
    pub fn note_answer(&mut self) {
        self.answered = true;
    }

    /// Notes a client that was closed at this moment, so old.
    pub fn let_go(&mut self, moment: Duration, age: Duration) {
        self.let_go.push(UnansweredEnd { moment, age, vouched: false });
    }

    /// The path was there at this moment.
    pub fn vouch(&mut self, moment: Duration) {
        self.let_go
            .iter_mut()
            .filter(|client| client.moment < moment)
            .for_each(|client| client.vouched = true);
    }

    /// Nobody vouches for the path from one moment to the other.
    pub fn disregard(&mut self, from: Duration, to: Duration) {
        self.let_go.retain(|client| !(from..=to).contains(&client.moment));
    }

    /// Whether the server lets nobody be idle. It is not awaited where it lets clients go before it has spoken often.
    pub fn busy(&self) -> bool {
        (self.busy && self.count >= MIN_GAPS) || self.lets_go().is_some()
    }

    pub fn chatter(&self) -> Option<ServerActivity> {
        let spread = EndSpread::of(&self.gaps)?;
        let lets_go = self.lets_go();
        let (period, longest_gap) = (spread.median, spread.max);
        Some(ServerActivity { period, longest_gap, count: self.count, lets_go, answered: self.answered })
    }

    fn lets_go(&self) -> Option<Duration> {
        let ages: Vec<_> =
            self.let_go.iter().filter(|client| client.vouched).map(|client| client.age).collect();
        let agree = |spread: &EndSpread| {
            let width = spread.median.mul_f64(0.05).max(Duration::from_secs(1));
            spread.count >= MIN_UNANSWERED_ENDS && spread.max - spread.min <= width
        };
        EndSpread::of(&ages).filter(agree).map(|spread| spread.median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_late_word_does_not_make_the_period() {
        let (ms, mut gaps) = (Duration::from_millis, ActivityGaps::default());
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
