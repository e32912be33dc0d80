//! From RTTs and missed heartbeats to a status.

use std::time::Duration;

use crate::domain::health::Status;

/// How many answered heartbeats the rolling window holds.
pub const WINDOW: usize = 10;
/// So many consecutive missed make a client dead.
const DEAD_AFTER: u32 = 3;

/// The status by the same rules as everywhere.
pub fn status(window_mean: Option<Duration>, consecutive_missed: u32) -> Status {
    match (consecutive_missed, window_mean.map(|mean| mean.as_micros())) {
        (DEAD_AFTER.., _) => Status::Dead,
        (1.., _) => Status::Timeout,
        (0, None) => Status::Unknown,
        (0, Some(0..=100_000)) => Status::Healthy,
        (0, Some(100_001..=500_000)) => Status::Degraded,
        (0, Some(500_001..=1_000_000)) => Status::Poor,
        (0, Some(_)) => Status::Critical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_belong_to_the_better_status() {
        let by_mean = |ms| status(Some(Duration::from_millis(ms)), 0);
        let expected = [
            (100, Status::Healthy),
            (101, Status::Degraded),
            (500, Status::Degraded),
            (501, Status::Poor),
            (1000, Status::Poor),
            (1001, Status::Critical),
        ];
        for (ms, status) in expected {
            assert_eq!(by_mean(ms), status, "{ms} ms");
        }
    }

    #[test]
    fn missed_heartbeats_outrank_the_window() {
        let by_missed = |missed| status(Some(Duration::ZERO), missed);
        assert_eq!(
            [1, 2, 3, 4].map(by_missed),
            [Status::Timeout, Status::Timeout, Status::Dead, Status::Dead]
        );
        assert_eq!(status(None, 0), Status::Unknown);
    }
}
