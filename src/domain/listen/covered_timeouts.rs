//! Which well-known idle timeouts a heartbeat interval covers.

use std::time::Duration;

use crate::domain::run::well_known_timeouts::WELL_KNOWN_TIMEOUTS;

/// A heartbeat covers a timeout if its interval is at most this fraction.
const MAX_FRACTION_OF_TIMEOUT: f64 = 0.75;

/// The timeouts that an interval covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredTimeouts {
    /// The well-known timeouts that the interval covers (at most 75 %), ascending.
    pub covered: Vec<Duration>,
    /// The others, ascending.
    pub not_covered: Vec<Duration>,
}

impl CoveredTimeouts {
    pub fn of(interval: Duration) -> CoveredTimeouts {
        let known = WELL_KNOWN_TIMEOUTS.into_iter().map(Duration::from_secs);
        let (covered, not_covered) =
            known.partition(|timeout| interval <= timeout.mul_f64(MAX_FRACTION_OF_TIMEOUT));
        CoveredTimeouts { covered, not_covered }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(millis: u64) -> Vec<u64> {
        CoveredTimeouts::of(Duration::from_millis(millis)).covered.iter().map(Duration::as_secs).collect()
    }

    #[test]
    fn interval_up_to_three_quarters_covers_a_timeout() {
        // 0.75 * 60 s = 45 s.
        assert_eq!(covered(45_000)[0], 60);
        assert_eq!(covered(45_001)[0], 75);
        // 0.75 * 30 s = 22.5 s.
        assert_eq!(covered(22_500)[0], 30);
        assert_eq!(covered(54_000)[0], 75, "gorilla's 54 s do not cover nginx's 60 s by this rule");
        assert!(covered(3_600_000).is_empty());
    }

    #[test]
    fn every_well_known_timeout_is_covered_or_not() {
        let all = CoveredTimeouts::of(Duration::from_secs(100));
        assert_eq!(all.covered.len() + all.not_covered.len(), WELL_KNOWN_TIMEOUTS.len());
    }
}
