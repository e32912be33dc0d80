//! How late this host itself was.

use std::time::Duration;

use super::rtts::Rtts;

/// Lateness above which the host counts as stalled: suspended, stopped or starved of CPU.
pub const STALL_THRESHOLD: Duration = Duration::from_secs(1);

/// How late this host was: from a heartbeat's due time to the start of its write, or to the discovery that it
/// slept through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LagSummary {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

impl LagSummary {
    /// Whether this host stalled at least once. Data during a stall was read late.
    pub fn stood_still(&self) -> bool {
        self.max > STALL_THRESHOLD
    }
}

/// Records latenesses and summarizes them.
#[derive(Debug, Clone, Default)]
pub struct LagStats(Rtts);

impl LagStats {
    pub fn record(&mut self, lag: Duration) {
        self.0.record(lag);
    }

    /// The figures; `None` before the first.
    pub fn summary(&self) -> Option<LagSummary> {
        self.0.summary().map(|lag| LagSummary { p50: lag.p50, p99: lag.p99, max: lag.max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_lateness_is_exact() {
        let mut lag = LagStats::default();
        assert_eq!(lag.summary(), None);
        lag.record(Duration::ZERO);
        lag.record(Duration::ZERO);
        lag.record(Duration::from_nanos(1_234_567));
        let expected = LagSummary {
            p50: Duration::ZERO,
            p99: lag.summary().unwrap().max,
            max: Duration::from_nanos(1_234_567),
        };
        assert_eq!(lag.summary(), Some(expected));
    }
}
