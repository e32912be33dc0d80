//! Whether this host was idle enough for reliable figures.

use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::stats::{LagSummary, RttSummary};

/// The runtime's timer and the kernel's wait below it each tick once a millisecond; lateness up to both is
/// their resolution. Another half millisecond is a quiet machine's wake-up time, which cannot be
/// distinguished.
const TIMER_GRAIN: Duration = Duration::from_micros(2_500);
/// With fewer heartbeats the 99th percentile is just the maximum.
const MIN_SAMPLES_FOR_P99: u64 = 20;

/// Whether this host was idle enough for reliable figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(MeasurementName), strum(serialize_all = "snake_case"))]
pub enum Measurement {
    /// There was no RTT.
    Unknown,
    /// The host's own delays are small beside the RTT.
    Sound,
    /// The host's own delays are not small beside the RTT.
    Suspect(HostDelay),
}

/// How this host was late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostDelay {
    /// It did not run for this long.
    Stalled { stalled: Duration },
    /// Its lateness is not small beside the RTT; both are this percentile.
    Late { lag: Duration, rtt: Duration, percentile: u8 },
}

/// Whether this host's lateness is small compared with the RTT. Lateness above the timer's resolution makes
/// the measurement suspect if:
///
/// - the host stalled,
/// - its median is more than 10 % of the median RTT,
/// - or its 99th percentile exceeds that of the RTT, with at least 20 heartbeats
pub fn measurement(rtt: &RttSummary, lag: &LagSummary) -> Measurement {
    let excess = |lag: Duration| lag.saturating_sub(TIMER_GRAIN);
    if lag.stood_still() {
        return Measurement::Suspect(HostDelay::Stalled { stalled: lag.max });
    }
    if excess(lag.p50).saturating_mul(10) > rtt.p50 {
        return Measurement::Suspect(HostDelay::Late { lag: lag.p50, rtt: rtt.p50, percentile: 50 });
    }
    if rtt.count >= MIN_SAMPLES_FOR_P99 && excess(lag.p99) > rtt.p99 {
        return Measurement::Suspect(HostDelay::Late { lag: lag.p99, rtt: rtt.p99, percentile: 99 });
    }
    Measurement::Sound
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn rtt(count: u64, p50: u64, p99: u64) -> RttSummary {
        RttSummary {
            count,
            min: us(p50),
            mean: us(p50),
            max: us(p99),
            p50: us(p50),
            p90: us(p50),
            p95: us(p99),
            p99: us(p99),
        }
    }

    fn lag(p50: u64, p99: u64) -> LagSummary {
        LagSummary { p50: us(p50), p99: us(p99), max: us(p99) }
    }

    #[test]
    fn timer_resolution_is_no_lateness() {
        assert_eq!(measurement(&rtt(100, 50, 90), &lag(2_500, 2_500)), Measurement::Sound);
    }

    #[test]
    fn host_late_by_a_tenth_of_the_rtt_is_suspect() {
        assert_eq!(measurement(&rtt(5, 20_000, 20_000), &lag(4_500, 4_500)), Measurement::Sound);
        let late = HostDelay::Late { lag: us(4_600), rtt: us(20_000), percentile: 50 };
        assert_eq!(measurement(&rtt(5, 20_000, 20_000), &lag(4_600, 4_600)), Measurement::Suspect(late));
    }

    #[test]
    fn late_p99_is_suspect_only_with_enough_heartbeats() {
        let late = HostDelay::Late { lag: us(43_000), rtt: us(40_000), percentile: 99 };
        assert_eq!(measurement(&rtt(20, 30_000, 40_000), &lag(500, 43_000)), Measurement::Suspect(late));
        assert_eq!(measurement(&rtt(19, 30_000, 40_000), &lag(500, 43_000)), Measurement::Sound);
        assert_eq!(measurement(&rtt(20, 30_000, 40_000), &lag(500, 42_500)), Measurement::Sound);
    }

    #[test]
    fn stalled_host_is_suspect_whatever_the_rtt() {
        let stalled = HostDelay::Stalled { stalled: us(4_200_000) };
        assert_eq!(measurement(&rtt(5, 20_000, 20_000), &lag(100, 4_200_000)), Measurement::Suspect(stalled));
    }
}
