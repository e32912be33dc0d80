//! Round-trip times: range, mean and percentiles, and a histogram for drawing.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::moments::{Moments, nanos};

/// The histogram's unit, in nanoseconds. A microsecond would be 2 % of a loopback RTT of 50 us; single
/// nanoseconds would cost more memory and be finer than any clock here.
const TICK: u64 = 100;
/// Significant decimal figures of the histogram.
const FIGURES: u8 = 3;
/// Bars of the histogram for drawing.
const BARS: usize = 12;

/// RTT over the answered heartbeats (ok and late).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RttSummary {
    pub count: u64,
    pub min: Duration,
    pub mean: Duration,
    pub max: Duration,
    pub p50: Duration,
    pub p90: Duration,
    pub p95: Duration,
    pub p99: Duration,
}

/// Takes RTTs one by one and gives their figures.
///
/// Count, least, greatest, mean and standard deviation are exact. Percentiles are by nearest rank and
/// come from an HdrHistogram: right within 0.1 % or 50 ns, whichever is larger. It grows with the
/// greatest RTT, not with their number: 45 KiB when that is 100 ms, 70 KiB when it is 10 s.
#[derive(Debug, Clone, Default)]
pub struct Rtts {
    moments: Moments,
    /// In ticks; made when the first RTT comes.
    histogram: Option<Histogram<u32>>,
}

impl Rtts {
    pub fn record(&mut self, rtt: Duration) {
        self.moments.record(rtt);
        // The histogram resizes itself, so no value is refused.
        let _ = self.histogram.get_or_insert_with(empty).record(ticks(rtt));
    }

    /// Adds all that another has seen.
    pub fn merge(&mut self, other: &Rtts) {
        let Some(theirs) = &other.histogram else { return };
        self.moments.merge(&other.moments);
        let _ = self.histogram.get_or_insert_with(empty).add(theirs);
    }

    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The figures; `None` before the first RTT.
    pub fn summary(&self) -> Option<RttSummary> {
        let (min, max) = self.moments.range()?;
        let histogram = self.histogram.as_ref()?;
        let percentile = |percent| percentile(histogram, percent).clamp(min, max);
        Some(RttSummary {
            count: self.moments.count(),
            min,
            mean: self.moments.mean()?,
            max,
            p50: percentile(50),
            p90: percentile(90),
            p95: percentile(95),
            p99: percentile(99),
        })
    }

    /// The histogram for drawing: upper bound of each bar and its count, ascending, the last bound the
    /// greatest RTT. Bars are equally wide, or equally wide in the logarithm when the greatest RTT is
    /// ten times the least.
    pub fn bars(&self) -> Vec<(Duration, u64)> {
        let (Some((min, max)), Some(histogram)) = (self.moments.range(), &self.histogram) else {
            return Vec::new();
        };
        let mut bars: Vec<(Duration, u64)> = bounds(min, max).into_iter().map(|bound| (bound, 0)).collect();
        for step in histogram.iter_recorded() {
            let value = duration(histogram.median_equivalent(step.value_iterated_to())).clamp(min, max);
            let bar = bars.partition_point(|(bound, _)| *bound < value);
            if let Some((_, count)) = bars.get_mut(bar) {
                *count += u64::from(step.count_at_value());
            }
        }
        bars
    }
}

fn empty() -> Histogram<u32> {
    Histogram::new(FIGURES).expect("a histogram may have 0 to 5 significant figures")
}

fn ticks(value: Duration) -> u64 {
    u64::try_from(value.as_nanos()).unwrap_or(u64::MAX).saturating_add(TICK / 2) / TICK
}

fn duration(ticks: u64) -> Duration {
    Duration::from_nanos(ticks.saturating_mul(TICK))
}

/// The value with rank ceil(percent / 100 * n), counted from 1 (nearest rank). The rank is found in
/// integers: as a double, 0.95 * n may land above a whole number and take the next rank.
fn percentile(histogram: &Histogram<u32>, percent: u64) -> Duration {
    let count = histogram.len();
    let rank = (u128::from(count) * u128::from(percent)).div_ceil(100);
    let quantile = (rank as f64 - 0.5) / count as f64;
    duration(histogram.median_equivalent(histogram.value_at_quantile(quantile)))
}

fn bounds(min: Duration, max: Duration) -> Vec<Duration> {
    let (low, high) = ((min.as_nanos() as f64).max(TICK as f64), max.as_nanos() as f64);
    let bound = |bar: usize| {
        let part = bar as f64 / BARS as f64;
        let linear = || min.as_nanos() as f64 + (high - min.as_nanos() as f64) * part;
        nanos(if high >= 10.0 * low { low * (high / low).powf(part) } else { linear() })
    };
    let mut bounds: Vec<Duration> =
        (1..BARS).map(bound).filter(|bound| *bound > min && *bound < max).collect();
    bounds.push(max);
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[Duration]) -> Rtts {
        let mut rtts = Rtts::default();
        values.iter().for_each(|value| rtts.record(*value));
        rtts
    }

    fn near(one: Duration, other: Duration) -> bool {
        one.abs_diff(other).as_nanos() as f64 <= (other.as_nanos() as f64 * 0.001).max(50.0)
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let values: Vec<_> = (1..=1000).map(Duration::from_millis).collect();
        let summary = of(&values).summary().unwrap();
        // sorted(range(1, 1001))[math.ceil(p / 100 * 1000) - 1] for p in (50, 90, 95, 99)
        for (found, exact) in [(summary.p50, 500), (summary.p90, 900), (summary.p95, 950), (summary.p99, 990)]
        {
            assert!(near(found, Duration::from_millis(exact)), "{found:?} is not {exact} ms");
        }
        assert_eq!((summary.count, summary.mean), (1000, Duration::from_micros(500_500)));
        assert_eq!((summary.min, summary.max), (Duration::from_millis(1), Duration::from_secs(1)));
    }

    #[test]
    fn one_rtt_is_all_of_its_percentiles_exactly() {
        let rtt = Duration::from_nanos(123_456_789);
        let summary = of(&[rtt]).summary().unwrap();
        assert_eq!([summary.min, summary.mean, summary.max, summary.p50, summary.p99], [rtt; 5]);
    }

    #[test]
    fn without_an_rtt_there_is_nothing() {
        assert_eq!(Rtts::default().summary(), None);
        assert_eq!(Rtts::default().bars(), []);
    }

    #[test]
    fn any_duration_is_taken() {
        let summary = of(&[Duration::MAX, Duration::ZERO]).summary().unwrap();
        assert_eq!((summary.count, summary.min, summary.max), (2, Duration::ZERO, Duration::MAX));
        assert_eq!(of(&[Duration::ZERO]).bars(), [(Duration::ZERO, 1)]);
    }

    #[test]
    fn bars_are_linear_when_the_spread_is_small() {
        let values: Vec<_> = (101..=220).map(Duration::from_millis).collect();
        let bars = of(&values).bars();
        assert_eq!(bars.len(), BARS);
        assert!(bars.windows(2).all(|pair| near(pair[1].0 - pair[0].0, Duration::from_micros(9_917))));
    }

    #[test]
    fn bars_are_logarithmic_when_the_spread_is_large() {
        let bars = of(&[Duration::from_millis(1), Duration::from_millis(4096)]).bars();
        // 4096 == 2 ** 12, so each of the 12 bars doubles
        let expected: Vec<_> = (1..=12).map(|n| Duration::from_millis(1 << n)).collect();
        assert_eq!(bars.iter().map(|bar| bar.0).collect::<Vec<_>>(), expected);
        assert_eq!((bars[0].1, bars[11].1), (1, 1));
    }

    #[test]
    fn memory_does_not_grow_with_the_number_of_rtts() {
        let mut rtts = Rtts::default();
        let cells = |rtts: &Rtts| rtts.histogram.as_ref().unwrap().distinct_values();
        rtts.record(Duration::from_secs(10));
        let before = cells(&rtts);
        (0..100_000_u64).for_each(|n| rtts.record(Duration::from_micros(n)));
        assert_eq!(cells(&rtts), before);
        assert!(before * size_of::<u32>() <= 72 * 1024, "{before} cells");
    }

    fn samples() -> impl Strategy<Value = Vec<Duration>> {
        prop::collection::vec((0_u64..100_000_000_000).prop_map(Duration::from_nanos), 1..120)
    }

    proptest! {
        #[test]
        fn percentiles_are_within_a_thousandth_of_the_exact_ones(mut values in samples()) {
            let summary = of(&values).summary().unwrap();
            values.sort();
            let exact = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
            prop_assert!(near(summary.p50, exact(50)));
            prop_assert!(near(summary.p90, exact(90)));
            prop_assert!(near(summary.p95, exact(95)));
            prop_assert!(near(summary.p99, exact(99)));
        }

        #[test]
        fn the_parts_make_the_whole(one in samples(), other in samples()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let whole = of(&[one, other].concat());
            let but_mean = |rtts: &Rtts| rtts.summary().map(|sum| RttSummary { mean: Duration::ZERO, ..sum });
            prop_assert_eq!(but_mean(&merged), but_mean(&whole));
            prop_assert_eq!(merged.bars(), whole.bars());
        }

        #[test]
        fn every_rtt_is_in_one_bar(values in samples()) {
            let bars = of(&values).bars();
            prop_assert_eq!(bars.iter().map(|bar| bar.1).sum::<u64>(), values.len() as u64);
            prop_assert!(bars.is_sorted() && bars.len() <= BARS);
            prop_assert_eq!(bars.last().map(|bar| bar.0), values.iter().max().copied());
        }
    }
}
