//! What the server sends by itself, which keeps a path from being idle.

use std::time::Duration;

use super::finding::{EndSpread, ServerActivity};

/// A server's greeting arrives within this time of opening and does not count as activity.
const GREETING_WINDOW: Duration = Duration::from_secs(1);

/// Maximum number of gaps kept.
const MAX_GAPS: usize = 1000;

/// Gaps needed before a period is reported; the median of fewer follows a single late message.
const MIN_GAPS: usize = 5;

/// Silent clients that the server must have closed before it counts as a rule.
const MIN_UNANSWERED_ENDS: usize = 2;

/// The quiet gaps that ended with a message of the server.
#[derive(Debug, Clone, Default)]
pub(super) struct ActivityGaps {
    gaps: Vec<Duration>,
    count: usize,
    has_regular_messages: bool,
    silent_closes: Vec<UnansweredEnd>,
    has_answered: bool,
}

/// A silent client that the server closed after a gap no longer than one it had survived: its own silence,
/// not an idle path, ended it.
#[derive(Debug, Clone, Copy)]
struct UnansweredEnd {
    moment: Duration,
    age: Duration,
    /// A connection that was open at that moment answered later, so the path worked.
    is_confirmed: bool,
}

impl ActivityGaps {
    /// Records a gap before a server message; `earlier_messages` is their number on this connection before
    /// it. The server keeps the path busy if it sent four messages on one connection or two on each of two,
    /// and [`MIN_GAPS`] gaps were seen.
    pub fn note(&mut self, gap: Duration, earlier_messages: u32, is_spoken_twice_elsewhere: bool) {
        if earlier_messages == 0 && gap < GREETING_WINDOW {
            return;
        }
        self.count += 1;
        if self.gaps.len() < MAX_GAPS {
            self.gaps.push(gap);
        }
        self.has_regular_messages |=
            earlier_messages >= 3 || (earlier_messages >= 1 && is_spoken_twice_elsewhere);
    }

    /// Whether the client was closed for its own silence: it had survived a gap as long (to 2 % and 50 ms,
    /// since timers are late).
    pub fn is_closed_for_silence(idle: Duration, survived: Duration) -> bool {
        survived > Duration::ZERO && idle <= survived.mul_f64(1.02) + Duration::from_millis(50)
    }

    /// Records that wscheck answered a message of the server.
    pub fn note_answer(&mut self) {
        self.has_answered = true;
    }

    /// Records a silent client's end: its moment and age.
    pub fn record_silent_close(&mut self, moment: Duration, age: Duration) {
        self.silent_closes.push(UnansweredEnd { moment, age, is_confirmed: false });
    }

    /// Records that a connection which opened at one moment answered at another: ends between the two count from now on.
    pub fn confirm_ends_between(&mut self, opened: Duration, answered: Duration) {
        self.silent_closes
            .iter_mut()
            .filter(|client| (opened..answered).contains(&client.moment))
            .for_each(|client| client.is_confirmed = true);
    }

    /// Ignores ends between two moments, because the path may have been down.
    pub fn ignore_between(&mut self, from: Duration, to: Duration) {
        self.silent_closes.retain(|client| !(from..=to).contains(&client.moment));
    }

    /// Whether the server keeps every connection busy. This is also decided once it closed silent clients,
    /// however few messages it sent.
    pub fn is_busy(&self) -> bool {
        (self.has_regular_messages && self.count >= MIN_GAPS) || self.silent_close_age().is_some()
    }

    pub fn activity(&self) -> Option<ServerActivity> {
        let spread = EndSpread::of(&self.gaps)?;
        let closes_silent_after = self.silent_close_age();
        let (period, longest_gap) = (spread.median, spread.max);
        Some(ServerActivity {
            period,
            longest_gap,
            count: self.count,
            closes_silent_after,
            answered: self.has_answered,
        })
    }

    fn silent_close_age(&self) -> Option<Duration> {
        let ages: Vec<_> =
            self.silent_closes.iter().filter(|client| client.is_confirmed).map(|client| client.age).collect();
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
    fn one_late_message_does_not_change_the_period() {
        let (ms, mut gaps) = (Duration::from_millis, ActivityGaps::default());
        for earlier_messages in 0..2 {
            gaps.note(ms(600), earlier_messages, false);
        }
        // The message after a late one follows too soon.
        gaps.note(ms(173), 1, true);
        assert!(!gaps.is_busy(), "two gaps show no period");
        for _ in 0..3 {
            gaps.note(ms(600), 1, true);
        }
        assert!(gaps.is_busy());
        let activity = gaps.activity().unwrap();
        assert_eq!((activity.period, activity.longest_gap, activity.count), (ms(600), ms(600), 5));
    }
}
