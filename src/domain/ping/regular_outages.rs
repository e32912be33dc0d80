//! Whether a connection is lost regularly: after the same time up, or at the same interval.

use super::outages::{Outage, OutageCause, Outages};
use crate::domain::stats::interval::Interval;

/// Fewer times are no regularity, however equal they are: a restart that is repeated by hand looks the same.
const MIN_TIMES: usize = 3;
/// The latest ends that are compared.
const MAX_COMPARED: usize = 20;

/// What is regular about the ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegularEnds {
    /// The time up before each end, if that is regular.
    pub up: Option<Interval>,
    /// The time from one end to the next, if that is regular.
    pub apart: Option<Interval>,
}

/// What is regular about the latest ends; `None` if nothing is, or they are too few to tell it from chance (see
/// [`Interval::is_beyond_chance`]). Both times are known up to the interval of the heartbeats.
pub fn regular_ends(outages: &Outages) -> Option<RegularEnds> {
    let latest: Vec<&Outage> = outages.latest.iter().collect();
    let latest = &latest[latest.len().saturating_sub(MAX_COMPARED)..];
    if latest.iter().any(|outage| outage.cause != OutageCause::Ended) {
        return None;
    }
    let up = latest.windows(2).filter_map(|pair| Some(pair[1].from.saturating_sub(pair[0].until?)));
    let apart = latest.windows(2).map(|pair| pair[1].from.saturating_sub(pair[0].from));
    let regular = |interval: Interval| {
        let is_regular = interval.gaps >= MIN_TIMES && interval.is_strict() && interval.is_beyond_chance();
        is_regular.then_some(interval)
    };
    let found =
        RegularEnds { up: Interval::of(up).and_then(regular), apart: Interval::of(apart).and_then(regular) };
    (found.up.is_some() || found.apart.is_some()).then_some(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Outages of this cause, each from one time to another, in seconds.
    fn outages(cause: OutageCause, spans: &[(u64, u64)]) -> Outages {
        let one = |(from, until): &(u64, u64)| Outage {
            from: Duration::from_secs(*from),
            until: Some(Duration::from_secs(*until)),
            cause,
            detail: String::new(),
            failed_attempts: 0,
            last_error: None,
            uncertain: Duration::ZERO,
        };
        Outages { latest: spans.iter().map(one).collect(), ..Outages::default() }
    }

    fn medians(spans: &[(u64, u64)]) -> Option<(Option<u64>, Option<u64>)> {
        let found = regular_ends(&outages(OutageCause::Ended, spans))?;
        let seconds = |interval: Option<Interval>| interval.map(|interval| interval.median.as_secs());
        Some((seconds(found.up), seconds(found.apart)))
    }

    /// A limit of 600 s on the age; the server is back after times that differ.
    #[test]
    fn equal_times_up_are_found() {
        let spans = [(600, 610), (1210, 1510), (2110, 2113), (2713, 3000), (3600, 3601)];
        assert_eq!(medians(&spans), Some((Some(600), None)));
    }

    /// Something happens every ten minutes, whenever it was back.
    #[test]
    fn equal_intervals_are_found() {
        let spans = [(600, 610), (1200, 1500), (1800, 1803), (2400, 2700), (3000, 3001)];
        assert_eq!(medians(&spans), Some((None, Some(600))));
    }

    /// Where the server is back at once, both times are regular, and which one causes the ends cannot be told.
    #[test]
    fn both_are_found_where_it_is_back_at_once() {
        let spans = [(600, 601), (1201, 1202), (1802, 1803), (2403, 2404), (3004, 3005)];
        assert_eq!(medians(&spans), Some((Some(600), Some(601))));
    }

    #[test]
    fn few_or_irregular_or_other_outages_are_not_regular() {
        assert_eq!(medians(&[]), None);
        assert_eq!(medians(&[(600, 601), (1201, 1202), (1802, 1803)]), None);
        assert_eq!(medians(&[(600, 601), (700, 720), (1802, 1803), (1900, 1910), (9000, 9001)]), None);
        let spans = [(600, 601), (1201, 1202), (1802, 1803), (2403, 2404), (3004, 3005)];
        assert_eq!(regular_ends(&outages(OutageCause::Unanswered, &spans)), None);
    }
}
