//! Which well-known idle timeouts a heartbeat interval covers.

use std::time::Duration;

use crate::domain::run::well_known_timeouts::WELL_KNOWN_TIMEOUTS;

/// A heartbeat covers a timeout if its interval is at most this fraction.
const MAX_FRACTION_OF_TIMEOUT: f64 = 0.75;

/// The timeouts that an interval covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredTimeouts {
    /// The well-known timeouts that the interval covers (at most 75 %), ascending.
    pub cleared: Vec<Duration>,
    /// The others, ascending.
    pub not_cleared: Vec<Duration>,
}

impl CoveredTimeouts {
    pub fn of(interval: Duration) -> CoveredTimeouts {
        let known = WELL_KNOWN_TIMEOUTS.into_iter().map(Duration::from_secs);
        let (cleared, not_cleared) =
            known.partition(|timeout| interval <= timeout.mul_f64(MAX_FRACTION_OF_TIMEOUT));
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
    fn interval_up_to_three_quarters_covers_a_timeout() {
        // 0.75 * 60 s = 45 s.
        assert_eq!(cleared(45_000)[0], 60);
        assert_eq!(cleared(45_001)[0], 75);
        // 0.75 * 30 s = 22.5 s.
        assert_eq!(cleared(22_500)[0], 30);
        assert_eq!(cleared(54_000)[0], 75, "gorilla's 54 s do not clear nginx's 60 s by this rule");
        assert!(cleared(3_600_000).is_empty());
    }

    #[test]
    fn every_well_known_timeout_is_covered_or_not() {
        let all = CoveredTimeouts::of(Duration::from_secs(100));
        assert_eq!(all.cleared.len() + all.not_cleared.len(), WELL_KNOWN_TIMEOUTS.len());
    }
}
