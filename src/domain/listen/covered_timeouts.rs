//! Which of the well-known idle timeouts an interval keeps from striking.

use std::time::Duration;

use crate::domain::run::well_known_timeouts::WELL_KNOWN_TIMEOUTS;

/// A heartbeat keeps a path open whose timeout it is at most this part of.
const MAX_PART_OF_TIMEOUT: f64 = 0.75;

/// What an interval clears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredTimeouts {
    /// The well-known timeouts of which the interval is at most 75 %, ascending.
    pub cleared: Vec<Duration>,
    /// The others, ascending.
    pub not_cleared: Vec<Duration>,
}

impl CoveredTimeouts {
    /// Of this interval.
    pub fn of(interval: Duration) -> CoveredTimeouts {
        let known = WELL_KNOWN_TIMEOUTS.into_iter().map(Duration::from_secs);
        let (cleared, not_cleared) =
            known.partition(|timeout| interval <= timeout.mul_f64(MAX_PART_OF_TIMEOUT));
        CoveredTimeouts { cleared, not_cleared }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleared(millis: u64) -> Vec<u64> {
        CoveredTimeouts::of(Duration::from_millis(millis)).cleared.iter().map(Duration::as_secs).collect()
    }

    #[test]
    fn three_quarters_of_a_timeout_clear_it() {
        // 0.75 * 60 s = 45 s.
        assert_eq!(cleared(45_000)[0], 60);
        assert_eq!(cleared(45_001)[0], 75);
        // Of 30 s: 22.5 s.
        assert_eq!(cleared(22_500)[0], 30);
        assert_eq!(cleared(54_000)[0], 75, "gorilla's 54 s do not clear nginx's 60 s by this rule");
        assert!(cleared(3_600_000).is_empty());
    }

    #[test]
    fn every_well_known_timeout_is_on_one_side() {
        let all = CoveredTimeouts::of(Duration::from_secs(100));
        assert_eq!(all.cleared.len() + all.not_cleared.len(), WELL_KNOWN_TIMEOUTS.len());
    }
}
