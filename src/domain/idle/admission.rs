//! How many connections the server admits: one that ends right after its opening was never open.
//!
//! 1. Ends right after the opening come in batches: what ends before the next attempt belongs to one batch.
//! 2. After each batch the search waits for 1 s, 2 s, 4 s, at least 1 s after its last end, and then tries one connection more than stayed open.
//! 3. Where that stays open, too, twice as many are tried, until the search has all that it may open.
//! 4. After [`MAX_BATCHES`] batches, or [`MAX_ENDED`] such ends, the search is over, and says what it suspects.

use std::time::Duration;

use super::incident_detection::{MAX_OBSERVATION_DELAY, names_a_limit};
use super::probe::VisibleEnd;
use crate::domain::connection::close_cause::{CloseCause, ClosedBy};
use crate::domain::format::{counted, duration as show};

const MAX_BATCHES: u32 = 3;
const MAX_ENDED: usize = 40;

/// No further attempt is made within this time of an end, so that how many connections stay open is known before it.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// Ends no later than this after the opening are called immediate, and no timer is suspected.
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
    cut: Option<VisibleEnd>,
    /// Batches since connections stayed open last.
    batches: u32,
    batch_began: Duration,
    retry_at: Duration,
    /// The limit for the next attempt is not set yet.
    is_limit_due: bool,
    limit: usize,
    /// The fewest connections that were open when one of the last batch ended.
    stayed: usize,
}

impl Default for Admission {
    fn default() -> Admission {
        Admission {
            ended: Vec::new(),
            cut: None,
            batches: 0,
            batch_began: Duration::ZERO,
            retry_at: Duration::ZERO,
            is_limit_due: false,
            limit: usize::MAX,
            stayed: usize::MAX,
        }
    }
}

impl Admission {
    /// Notes a connection that ended right after it had opened, while so many others were open; gives when the next
    /// attempt may be made.
    pub fn refuse(&mut self, opened: Duration, moment: Duration, open: usize, cut: &VisibleEnd) -> Duration {
        if self.batches == 0 || moment >= self.retry_at {
            self.retry_at = moment + Duration::from_secs(1 << self.batches.min(4));
            self.batches += 1;
            self.batch_began = moment;
            self.is_limit_due = true;
            self.stayed = usize::MAX;
        }
        // What was opened with it may end a little later; how many stayed open shows only then.
        self.retry_at = self.retry_at.max(moment + SETTLED_AFTER);
        self.stayed = self.stayed.min(open);
        self.ended.push(EndedProbe { opened, moment, batch: self.batches });
        self.cut = Some(cut.clone());
        self.retry_at
    }

    /// Whether so many ended at once, and none more than stayed open before was admitted since, that a limit is suspected.
    pub fn is_limit_suspected(&self) -> bool {
        self.is_in_doubt() && self.ended.len() >= MAX_BATCHES as usize
    }

    /// Whether connections ended at once since any stayed open.
    pub fn is_in_doubt(&self) -> bool {
        self.batches > 0
    }

    /// At most so many connections may be open or opening at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// Sets the limit for the next attempt, once for each batch: one more than stayed open, and at least the three that
    /// a search needs. `opened`: how many connections have opened so far, where all were opened together.
    pub fn attempt(&mut self, now: Duration, opened: Option<usize>) {
        if self.is_limit_due && now >= self.retry_at {
            self.is_limit_due = false;
            let stayed = opened.map_or(self.stayed, |opened| opened.saturating_sub(self.ended.len()));
            self.limit = self.limit.min((stayed + 1).max(3));
        }
    }

    /// Connections stayed open, and so many of them that the limit is none.
    pub fn admit(&mut self, stayed: usize) {
        if !self.is_limit_due && stayed >= self.limit {
            self.batches = 0;
            self.limit = self.limit.saturating_mul(2);
        }
    }

    /// When the attempts are used up: all ends of the last batch have been observed then.
    pub fn exhausted_at(&self) -> Option<Duration> {
        let exhausted = self.batches >= MAX_BATCHES || self.ended.len() >= MAX_ENDED;
        exhausted.then(|| self.batch_began + MAX_OBSERVATION_DELAY)
    }

    /// What is suspected, given when those opened that stayed open.
    pub fn suspicion(&self, stayed: &[Duration], min: Duration, most: usize) -> String {
        let how = self
            .cut
            .as_ref()
            .map(|cut| CloseCause::describe(ClosedBy::Peer, &cut.how, None))
            .unwrap_or_default();
        let ended = counted(self.ended.len() as u64, "connection");
        if stayed.is_empty() {
            return self.none_stayed(&how, min);
        }
        if self.is_replaced(stayed) {
            return format!(
                "{ended} ended when the next one opened ({how}): perhaps the server takes one session of a client, and \
                 a new one replaces it"
            );
        }
        // Some may have been asked and closed since.
        let open = if self.limit == usize::MAX || self.limit <= 3 { stayed.len() } else { self.limit - 1 };
        let number = counted(open as u64, "connection");
        let takes = if open == 1 { "but one connection".to_string() } else { format!("but {number}") };
        let hint = match open {
            3.. if open < most => format!(" (try --max-connections {open})"),
            _ => String::new(),
        };
        format!(
            "{number} stayed open, and {ended} ended right after opening ({how}): perhaps the server takes {takes} of a \
             client{hint}"
        )
    }

    /// Whether those of the last batch were older than all that stayed open.
    fn is_replaced(&self, stayed: &[Duration]) -> bool {
        let last = self.ended.last().map_or(0, |ended| ended.batch);
        let mut batch = self.ended.iter().filter(|ended| ended.batch == last);
        batch.all(|ended| stayed.iter().all(|opened| ended.opened <= *opened))
    }

    fn none_stayed(&self, how: &str, min: Duration) -> String {
        let ages = self.ended.iter().map(|ended| ended.moment.saturating_sub(ended.opened));
        let (shortest, longest) = (ages.clone().min().unwrap_or_default(), ages.max().unwrap_or_default());
        let agree = longest <= shortest.mul_f64(1.25) + MAX_IMMEDIATE_END;
        let is_limit = self.cut.as_ref().is_some_and(|cut| names_a_limit(&cut.how));
        if shortest > MAX_IMMEDIATE_END && agree && !is_limit {
            return format!(
                "every connection ended within {} of opening ({how}), none before {}: an idle timeout or a lifetime below \
                 --min {}; lower --min to measure it",
                show(longest),
                show(shortest),
                show(min)
            );
        }
        format!(
            "every connection ended right after opening ({how}), at most {} later: perhaps the server takes one \
             connection of a client, a ticket that serves once, or expects a message first (--send)",
            show(longest)
        )
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

    /// Each opened and ended so.
    fn ended(ends: &[(u64, u64)], cut: &VisibleEnd) -> Admission {
        let mut admission = Admission::default();
        for (opened, moment) in ends {
            admission.refuse(ms(*opened), ms(*moment), 4, cut);
        }
        admission
    }

    fn suspected(ends: &[(u64, u64)], cut: &VisibleEnd, stayed: &[u64]) -> String {
        let stayed: Vec<_> = stayed.iter().copied().map(ms).collect();
        ended(ends, cut).suspicion(&stayed, ms(1000), 16)
    }

    #[test]
    fn attempts_back_off_and_end() {
        let fin = VisibleEnd::from(CloseKind::Fin);
        let mut admission = ended(&[(0, 5), (0, 6)], &fin);
        admission.attempt(ms(1005), Some(6));
        assert_eq!(admission.limit(), usize::MAX, "one second after the last end of a batch");
        admission.attempt(ms(1006), Some(6));
        admission.attempt(ms(1007), Some(12));
        assert_eq!(admission.limit(), 5, "set once for each batch");
        assert_eq!(admission.refuse(ms(1005), ms(1007), 4, &fin), ms(3007));
        assert_eq!(admission.exhausted_at(), None);
        assert_eq!(admission.refuse(ms(3007), ms(3010), 4, &fin), ms(7010));
        assert_eq!(admission.exhausted_at(), Some(ms(3710)));
    }

    #[test]
    fn what_stays_open_beyond_the_limit_lifts_it() {
        let mut admission = ended(&[(0, 5)], &CloseKind::Fin.into());
        admission.attempt(ms(1005), None);
        admission.admit(4);
        assert_eq!((admission.limit(), admission.is_in_doubt()), (5, true));
        admission.admit(5);
        assert_eq!((admission.limit(), admission.is_in_doubt()), (10, false));
    }

    #[test]
    fn a_limit_is_suspected_with_what_the_close_frame_said() {
        let told = suspected(&[(5, 6), (1010, 1012)], &close(1013, "too many"), &[1, 2, 3, 4]);
        assert_eq!(
            told,
            "4 connections stayed open, and 2 connections ended right after opening (peer sent close 1013 (try again \
             later) \"too many\"): perhaps the server takes but 4 connections of a client (try --max-connections 4)"
        );
    }

    #[test]
    fn a_session_that_the_next_one_ends_is_suspected_to_be_replaced() {
        let told = suspected(&[(1, 2), (2, 3), (3, 1012)], &close(4409, "bye"), &[1010]);
        assert!(told.contains("a new one replaces it") && told.contains("close 4409"), "{told}");
    }

    #[test]
    fn ends_of_one_age_below_min_name_min() {
        let told = suspected(&[(1, 301), (2, 305), (1400, 1702)], &CloseKind::Fin.into(), &[]);
        assert!(told.starts_with("every connection ended within 303 ms of opening"), "{told}");
        assert!(told.contains("below --min 1 s"), "{told}");
    }

    #[test]
    fn ends_of_one_age_whose_close_frame_names_a_limit_are_no_timer() {
        let told = suspected(&[(1, 301), (2, 305), (1400, 1702)], &close(1013, ""), &[]);
        assert!(told.contains("1013") && !told.contains("timeout"), "{told}");
    }

    #[test]
    fn ends_of_every_connection_at_once_name_no_timeout() {
        let told = suspected(&[(1, 3), (2, 3), (1400, 1402)], &CloseKind::Fin.into(), &[]);
        assert!(told.contains("a ticket that serves once") && !told.contains("timeout"), "{told}");
    }
}
