//! How many connections the server accepts. A connection that ends right after opening counts as refused.
//!
//! 1. Ends right after opening come in batches: all until the next attempt belong to one batch.
//! 2. After each batch the search waits for 1 s, 2 s, 4 s, and at least 1 s after the last end. Then it tries
//!    one connection more than stayed open.
//! 3. If that one stays open, twice as many are tried, up to the plan's limit.
//! 4. After [`MAX_BATCHES`] batches or [`MAX_REFUSED_CONNECTIONS`] ends the search stops and reports what it
//!    suspects.

use std::time::Duration;

use super::incident_detection::{MAX_OBSERVATION_DELAY, names_a_limit, names_a_newer_session};
use super::probe::VisibleEnd;
use super::undecided::UndecidedCause;

const MAX_BATCHES: u32 = 3;
const MAX_REFUSED_CONNECTIONS: usize = 40;

/// Time from an end to the next attempt, so that it is known how many connections stay open.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// Ends within this time of opening are called immediate; no timer is suspected.
const MAX_IMMEDIATE_END: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy)]
struct EndedProbe {
    opened: Duration,
    moment: Duration,
    batch: u32,
}

/// The connections that ended right after they had opened.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    ended: Vec<EndedProbe>,
    /// How the last of them ended.
    visible_end: Option<VisibleEnd>,
    /// Batches since a connection last stayed open.
    batches: u32,
    batch_began: Duration,
    retry_at: Duration,
    /// The limit for the next attempt is not set yet.
    is_limit_outdated: bool,
    limit: usize,
    /// The fewest connections open when one of the last batch ended.
    stayed: usize,
}

impl Default for Admission {
    fn default() -> Admission {
        Admission {
            ended: Vec::new(),
            visible_end: None,
            batches: 0,
            batch_began: Duration::ZERO,
            retry_at: Duration::ZERO,
            is_limit_outdated: false,
            limit: usize::MAX,
            stayed: usize::MAX,
        }
    }
}

/// A server that accepts no further connection closes it, or the older one, at most this long after opening ...
const MAX_REFUSAL_AGE: Duration = Duration::from_millis(250);
/// ... and each about as soon.
const MAX_REFUSAL_SPREAD: Duration = Duration::from_millis(150);

impl Admission {
    /// Records a connection that ended right after opening while `open` others were open. Returns when to try
    /// again.
    pub fn record_refusal(
        &mut self,
        opened: Duration,
        moment: Duration,
        open: usize,
        visible_end: &VisibleEnd,
    ) -> Duration {
        if self.batches == 0 || moment >= self.retry_at {
            self.retry_at = moment + Duration::from_secs(1 << self.batches.min(4));
            self.batches += 1;
            self.batch_began = moment;
            self.is_limit_outdated = true;
            self.stayed = usize::MAX;
        }
        // Connections opened together may end a little later; only then is the number that stay open known.
        self.retry_at = self.retry_at.max(moment + SETTLED_AFTER);
        self.stayed = self.stayed.min(open);
        self.ended.push(EndedProbe { opened, moment, batch: self.batches });
        self.visible_end = Some(visible_end.clone());
        self.retry_at
    }

    /// Whether enough connections ended at once to suspect a limit, and no later attempt contradicts it.
    pub fn is_limit_suspected(&self) -> bool {
        self.has_recent_refusals() && self.ended.len() >= MAX_BATCHES as usize
    }

    /// Whether connections ended at once since the last one that stayed open.
    pub fn has_recent_refusals(&self) -> bool {
        self.batches > 0
    }

    /// Maximum number of connections open or opening at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sets the limit for the next attempt, once a batch: one more than stayed open, at least the three a
    /// search needs. `opened`: how many connections opened so far, if all were opened together.
    pub fn update_limit(&mut self, now: Duration, opened: Option<usize>) {
        if self.is_limit_outdated && now >= self.retry_at {
            self.is_limit_outdated = false;
            let stayed = opened.map_or(self.stayed, |opened| opened.saturating_sub(self.ended.len()));
            self.limit = self.limit.min((stayed + 1).max(3));
        }
    }

    /// Raises the limit if as many connections stay open as it allows.
    pub fn raise_limit(&mut self, stayed: usize) {
        if !self.is_limit_outdated && stayed >= self.limit {
            self.batches = 0;
            self.limit = self.limit.saturating_mul(2);
        }
    }

    /// When the attempts are exhausted and all ends of the last batch have been observed.
    pub fn exhausted_at(&self) -> Option<Duration> {
        let exhausted = self.batches >= MAX_BATCHES || self.ended.len() >= MAX_REFUSED_CONNECTIONS;
        exhausted.then(|| self.batch_began + MAX_OBSERVATION_DELAY)
    }

    /// What is suspected, given when the connections opened that stayed open.
    pub fn suspicion(&self, stayed: &[Duration], min: Duration, max_connections: usize) -> UndecidedCause {
        let (ended, visible_end) = (self.ended.len(), self.visible_end.clone());
        if stayed.is_empty() {
            return self.none_stayed(min);
        }
        if self.is_replaced(stayed) {
            return UndecidedCause::SessionReplaced { ended, visible_end };
        }
        if !self.is_refusal() {
            return UndecidedCause::EndsDisagree;
        }
        // Some may have been asked and closed since.
        let open = if self.limit == usize::MAX || self.limit <= 3 { stayed.len() } else { self.limit - 1 };
        UndecidedCause::ConnectionLimit { open, ended, visible_end, allowed: max_connections }
    }

    /// Whether the server refused the connections that ended: it says so, or they ended as soon as they opened. Ends at
    /// chance, or by a short timer, are later or differ.
    fn is_refusal(&self) -> bool {
        let ages = self.ended.iter().map(|ended| ended.moment.saturating_sub(ended.opened));
        let (shortest, longest) = (ages.clone().min().unwrap_or_default(), ages.max().unwrap_or_default());
        self.visible_end.as_ref().is_some_and(|visible_end| names_a_limit(&visible_end.how))
            || shortest <= MAX_REFUSAL_AGE && longest - shortest <= MAX_REFUSAL_SPREAD
    }

    /// Whether newer connections replaced those that ended: the server says so, or only the newest stayed open, and each of the
    /// last batch ended as another one opened.
    fn is_replaced(&self, stayed: &[Duration]) -> bool {
        if self.visible_end.as_ref().is_some_and(|visible_end| names_a_newer_session(&visible_end.how)) {
            return true;
        }
        let &[newest] = stayed else { return false };
        let last = self.ended.last().map_or(0, |ended| ended.batch);
        let mut batch = self.ended.iter().filter(|ended| ended.batch == last);
        batch.all(|ended| ended.opened <= newest && self.gave_way(ended, newest))
    }

    /// Whether another connection, opened no earlier, opened when this one ended.
    fn gave_way(&self, ended: &EndedProbe, newest: Duration) -> bool {
        let later = self.ended.iter().map(|other| other.opened).filter(|opened| *opened > ended.opened);
        later.chain([newest]).any(|opened| opened.abs_diff(ended.moment) <= MAX_REFUSAL_AGE)
    }

    fn none_stayed(&self, min: Duration) -> UndecidedCause {
        let ages = self.ended.iter().map(|ended| ended.moment.saturating_sub(ended.opened));
        let (shortest, longest) = (ages.clone().min().unwrap_or_default(), ages.max().unwrap_or_default());
        let agree = longest <= shortest.mul_f64(1.25) + MAX_IMMEDIATE_END;
        let is_limit = self.visible_end.as_ref().is_some_and(|visible_end| names_a_limit(&visible_end.how));
        let visible_end = self.visible_end.clone();
        if shortest > MAX_IMMEDIATE_END && agree && !is_limit {
            return UndecidedCause::AllEndBelowMin { shortest, longest, min, visible_end };
        }
        UndecidedCause::NoConnectionStayed { within: longest, visible_end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::close_cause::CloseKind;
    use crate::domain::connection::untrusted_text::UntrustedText;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn close(code: u16, reason: &str) -> VisibleEnd {
        CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }.into()
    }

    /// Connections with these opening and end times (ms).
    fn ended(ends: &[(u64, u64)], visible_end: &VisibleEnd) -> Admission {
        let mut admission = Admission::default();
        for (opened, moment) in ends {
            admission.record_refusal(ms(*opened), ms(*moment), 4, visible_end);
        }
        admission
    }

    fn suspected(ends: &[(u64, u64)], visible_end: &VisibleEnd, stayed: &[u64]) -> UndecidedCause {
        let stayed: Vec<_> = stayed.iter().copied().map(ms).collect();
        ended(ends, visible_end).suspicion(&stayed, ms(1000), 16)
    }

    #[test]
    fn attempts_back_off_and_end() {
        let fin = VisibleEnd::from(CloseKind::Fin);
        let mut admission = ended(&[(0, 5), (0, 6)], &fin);
        admission.update_limit(ms(1005), Some(6));
        assert_eq!(admission.limit(), usize::MAX, "one second after the last end of a batch");
        admission.update_limit(ms(1006), Some(6));
        admission.update_limit(ms(1007), Some(12));
        assert_eq!(admission.limit(), 5, "set once for each batch");
        assert_eq!(admission.record_refusal(ms(1005), ms(1007), 4, &fin), ms(3007));
        assert_eq!(admission.exhausted_at(), None);
        assert_eq!(admission.record_refusal(ms(3007), ms(3010), 4, &fin), ms(7010));
        assert_eq!(admission.exhausted_at(), Some(ms(3710)));
    }

    #[test]
    fn connections_open_at_the_limit_raise_it() {
        let mut admission = ended(&[(0, 5)], &CloseKind::Fin.into());
        admission.update_limit(ms(1005), None);
        admission.raise_limit(4);
        assert_eq!((admission.limit(), admission.has_recent_refusals()), (5, true));
        admission.raise_limit(5);
        assert_eq!((admission.limit(), admission.has_recent_refusals()), (10, false));
    }

    #[test]
    fn suspected_limit_has_the_close_frame() {
        let visible_end = close(1013, "too many");
        let cause = suspected(&[(5, 6), (1010, 1012)], &visible_end, &[1, 2, 3, 4]);
        let visible_end = Some(visible_end);
        assert_eq!(cause, UndecidedCause::ConnectionLimit { open: 4, ended: 2, visible_end, allowed: 16 });
    }

    #[test]
    fn session_ended_by_the_next_is_reported_as_replaced() {
        let ends = [(1, 2), (2, 3), (3, 1012)];
        let replaced = |visible_end: &VisibleEnd| {
            let visible_end = Some(visible_end.clone());
            UndecidedCause::SessionReplaced { ended: 3, visible_end }
        };
        let (bye, stated) = (close(4409, "bye"), close(4409, "duplicate session"));
        assert_eq!(suspected(&ends, &bye, &[1010]), replaced(&bye));
        assert_eq!(suspected(&ends, &stated, &[1010, 1011]), replaced(&stated), "the server says so");
        assert_eq!(suspected(&ends, &bye, &[1010, 1011]), UndecidedCause::EndsDisagree, "two stayed open");
        let later = [(1, 2), (2, 3), (3, 1012), (4, 3400)];
        assert_eq!(
            suspected(&later, &bye, &[1010]),
            UndecidedCause::EndsDisagree,
            "none opened as the last one ended"
        );
    }

    #[test]
    fn ends_of_one_age_below_min_suggest_lower_min() {
        let fin = VisibleEnd::from(CloseKind::Fin);
        let cause = suspected(&[(1, 301), (2, 305), (1400, 1702)], &fin, &[]);
        let (shortest, longest, min) = (ms(300), ms(303), ms(1000));
        assert_eq!(cause, UndecidedCause::AllEndBelowMin { shortest, longest, min, visible_end: Some(fin) });
    }

    #[test]
    fn ends_whose_close_frame_names_a_limit_are_no_timer() {
        let visible_end = close(1013, "");
        let cause = suspected(&[(1, 301), (2, 305), (1400, 1702)], &visible_end, &[]);
        let visible_end = Some(visible_end);
        assert_eq!(cause, UndecidedCause::NoConnectionStayed { within: ms(303), visible_end });
    }

    #[test]
    fn immediate_ends_suggest_no_timeout() {
        let fin = VisibleEnd::from(CloseKind::Fin);
        let cause = suspected(&[(1, 3), (2, 3), (1400, 1402)], &fin, &[]);
        assert_eq!(cause, UndecidedCause::NoConnectionStayed { within: ms(2), visible_end: Some(fin) });
    }
}
