//! Round-trip times: range, mean and percentiles, and a histogram for drawing.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::{Decompress, FlushDecompress};
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use hdrhistogram::{Counter, Histogram};
use thiserror::Error;

use super::log_histogram::LogHistogram;
use super::moments::{MomentFigures, Moments, nanos};

/// The histogram's unit, in nanoseconds. A microsecond would be 2 % of a loopback RTT of 50 us; single
/// nanoseconds would cost more memory and be finer than any clock here.
pub const TICK_NANOS: u64 = 100;
/// Significant decimal figures of the histogram.
const SIGNIFICANT_FIGURES: u8 = 3;
/// Bars of the histogram for drawing.
const HISTOGRAM_BARS: usize = 12;

/// The RTTs of answered heartbeats (ok and late), summarized.
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

/// Records RTTs and computes their figures.
///
/// Count, minimum, maximum, mean and standard deviation are exact. Percentiles are by nearest rank from an
/// HdrHistogram: accurate to 0.1 % or 50 ns, whichever is larger. Its memory grows with the maximum RTT, not
/// with the count: 45 KiB for 100 ms, 70 KiB for 10 s. [`Rtts::coarse`] takes at most 256 bytes. Its
/// percentiles are accurate to 1.6 % if the maximum is up to four times the minimum, to 3.2 % up to 16 times,
/// and to 6.3 % up to 256 times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rtts {
    moments: Moments,
    spread: RttDistribution,
}

/// The distribution of RTTs, in ticks.
#[derive(Debug, Clone, Default, PartialEq)]
enum RttDistribution {
    #[default]
    Empty,
    Fine(Box<Histogram<u32>>),
    Coarse(LogHistogram),
}

impl Rtts {
    /// For one of thousands of connections.
    pub fn coarse() -> Rtts {
        Rtts { moments: Moments::default(), spread: RttDistribution::Coarse(LogHistogram::default()) }
    }

    pub fn record(&mut self, rtt: Duration) {
        self.moments.record(rtt);
        self.spread.add(ticks(rtt), 1);
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Rtts) {
        self.moments.merge(&other.moments);
        match (&mut self.spread, &other.spread) {
            (RttDistribution::Fine(ours), RttDistribution::Fine(theirs)) => drop(ours.add(theirs.as_ref())),
            (RttDistribution::Empty, RttDistribution::Fine(theirs)) => {
                self.spread = RttDistribution::Fine(theirs.clone())
            }
            (ours, theirs) => theirs.counts().for_each(|(ticks, count)| ours.add(ticks, count)),
        }
    }

    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The figures; `None` before the first RTT.
    pub fn summary(&self) -> Option<RttSummary> {
        let (min, max) = self.moments.range()?;
        let percentile =
            |percent| self.spread.percentile(self.moments.count(), percent).unwrap_or(max).clamp(min, max);
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

    /// The histogram for drawing: upper bound and count of each bar, ascending; the last bound is the maximum
    /// RTT. Bars are equally wide, or equally wide in the logarithm if the maximum is at least ten times the
    /// minimum.
    pub fn bars(&self) -> Vec<(Duration, u64)> {
        let Some((min, max)) = self.moments.range() else { return Vec::new() };
        let mut bars: Vec<(Duration, u64)> = bounds(min, max).into_iter().map(|bound| (bound, 0)).collect();
        for (ticks, met) in self.spread.counts() {
            let value = duration(ticks).clamp(min, max);
            let bar = bars.partition_point(|(bound, _)| *bound < value);
            if let Some((_, count)) = bars.get_mut(bar) {
                *count += met;
            }
        }
        bars
    }
}

impl Rtts {
    /// The distribution in HdrHistogram's V2 form, deflated, in base64: what its log files hold and every port of the
    /// library reads and merges. The unit is [`TICK_NANOS`]. `None` before the first RTT.
    pub fn encoded(&self) -> Option<String> {
        let mut all = empty();
        let histogram = match &self.spread {
            RttDistribution::Empty => return None,
            RttDistribution::Fine(histogram) => histogram.as_ref(),
            RttDistribution::Coarse(sketch) => {
                sketch.iter().for_each(|(ticks, count)| record(&mut all, ticks, count));
                &all
            }
        };
        let mut bytes = Vec::new();
        // Writing to memory does not fail, and the histogram is not larger than the form allows.
        V2DeflateSerializer::new().serialize(histogram, &mut bytes).ok()?;
        Some(BASE64_STANDARD.encode(bytes))
    }
}

/// Why an encoded histogram and figures are no RTTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RttsError {
    #[error("it is no histogram of wscheck")]
    NoHistogram,
    #[error("no RTTs have such a mean, standard deviation and range")]
    ImpossibleFigures,
    /// With very many heartbeats to more than 32 targets, histograms keep proportions only (see [`Rtts::coarse`]).
    #[error("it holds {held} of {count} RTTs, so that it cannot be merged exactly")]
    OtherCount { held: u64, count: u64 },
    #[error("one interval of the histogram holds more than {} RTTs", u32::MAX)]
    TooMany,
}

impl Rtts {
    /// RTTs that were recorded elsewhere, from what [`Rtts::encoded`] wrote and their unrounded figures.
    ///
    /// # Errors
    ///
    /// The text is no such histogram, or the figures are not of these RTTs.
    pub fn of_parts(encoded: &str, figures: &MomentFigures) -> Result<Rtts, RttsError> {
        let read = read_histogram::<u32>(encoded).ok_or(RttsError::NoHistogram)?;
        let moments = Moments::of_figures(figures).ok_or(RttsError::ImpossibleFigures)?;
        if read.len() != figures.count {
            return Err(RttsError::OtherCount { held: read.len(), count: figures.count });
        }
        // What is read does not resize itself.
        let mut histogram = empty();
        histogram.add(&read).map_err(|_| RttsError::NoHistogram)?;
        Ok(Rtts { moments, spread: RttDistribution::Fine(Box::new(histogram)) })
    }

    /// Adds all values of another, or says that a bucket of the histogram has no room for them.
    ///
    /// # Errors
    ///
    /// A count would exceed [`u32::MAX`].
    pub fn merge_exactly(&mut self, other: &Rtts) -> Result<(), RttsError> {
        self.merge(other);
        let held: u64 = self.spread.counts().map(|(_, count)| count).sum();
        if held == self.moments.count() { Ok(()) } else { Err(RttsError::TooMany) }
    }
}

/// The most bytes that a histogram with our precision takes: nine for each of its counts, of which a shorter one has
/// fewer.
const MAX_HISTOGRAM_BYTES: usize = 1 << 20;
/// Bytes before the counts: cookie, length of the counts, offset, precision, low, high, ratio.
const HISTOGRAM_HEAD_BYTES: usize = 40;

/// The values of a histogram as [`Rtts::encoded`] writes it, ascending, and how often each occurred; `None` if it is none.
pub fn decoded(data: &str) -> Option<Vec<(u64, u64)>> {
    let histogram = read_histogram::<u64>(data)?;
    Some(histogram.iter_recorded().map(|one| (one.value_iterated_to(), one.count_at_value())).collect())
}

/// Reads a histogram with our precision. The text may be anybody's: what it unpacks to is bounded, and its head is
/// checked, before the library reserves the memory that the head asks for.
fn read_histogram<T: Counter>(data: &str) -> Option<Histogram<T>> {
    let packed = BASE64_STANDARD.decode(data).ok()?;
    // The cookie of the deflated form, and the length of what follows.
    let (head, packed) = packed.split_at_checked(8)?;
    // It is filled as far as its capacity, and not longer.
    let mut bytes = Vec::with_capacity(MAX_HISTOGRAM_BYTES);
    Decompress::new(true).decompress_vec(packed, &mut bytes, FlushDecompress::Finish).ok()?;
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let low = u64::from_be_bytes(bytes.get(16..24)?.try_into().ok()?);
    let counts = bytes.get(HISTOGRAM_HEAD_BYTES..)?;
    let is_ours = head.starts_with(&DEFLATED_COOKIE)
        && number(4)? as usize == counts.len()
        && number(12)? == u32::from(SIGNIFICANT_FIGURES)
        && low == 1
        && has_plain_numbers(counts);
    if !is_ours {
        return None;
    }
    Deserializer::new().deserialize(&mut bytes.as_slice()).ok()
}

/// HdrHistogram's V2 form, deflated.
const DEFLATED_COOKIE: [u8; 4] = [0x1c, 0x84, 0x93, 0x14];

/// Whether no number among the counts takes all nine bytes: a length of zeros that the library cannot negate does.
fn has_plain_numbers(counts: &[u8]) -> bool {
    let mut length = 0;
    counts.iter().all(|byte| {
        length = if byte & 0x80 == 0 { 0 } else { length + 1 };
        length < 8
    })
}

fn record(histogram: &mut Histogram<u32>, ticks: u64, count: u64) {
    // The histogram resizes itself, so no value is rejected.
    let _ = histogram.record_n(ticks, u32::try_from(count).unwrap_or(u32::MAX));
}

impl RttDistribution {
    fn add(&mut self, ticks: u64, count: u64) {
        match self {
            RttDistribution::Empty => {
                *self = RttDistribution::Fine(Box::new(empty()));
                self.add(ticks, count);
            }
            RttDistribution::Fine(histogram) => record(histogram, ticks, count),
            RttDistribution::Coarse(sketch) => (0..count).for_each(|_| sketch.record(ticks)),
        }
    }

    /// The middle and the count of each non-empty bucket, ascending.
    fn counts(&self) -> Box<dyn Iterator<Item = (u64, u64)> + '_> {
        match self {
            RttDistribution::Empty => Box::new(std::iter::empty()),
            RttDistribution::Fine(histogram) => Box::new(histogram.iter_recorded().map(|step| {
                (histogram.median_equivalent(step.value_iterated_to()), u64::from(step.count_at_value()))
            })),
            RttDistribution::Coarse(sketch) => Box::new(sketch.iter()),
        }
    }

    /// The value with rank ceil(percent / 100 * n), counted from 1 (nearest rank).
    fn percentile(&self, count: u64, percent: u64) -> Option<Duration> {
        let rank = (u128::from(count) * u128::from(percent)).div_ceil(100) as u64;
        match self {
            RttDistribution::Empty => None,
            RttDistribution::Fine(histogram) => Some(at_rank(histogram, rank)),
            RttDistribution::Coarse(sketch) => sketch.percentile(percent).map(duration),
        }
    }
}

fn empty() -> Histogram<u32> {
    Histogram::new(SIGNIFICANT_FIGURES).expect("a histogram may have 0 to 5 significant figures")
}

fn ticks(value: Duration) -> u64 {
    u64::try_from(value.as_nanos()).unwrap_or(u64::MAX).saturating_add(TICK_NANOS / 2) / TICK_NANOS
}

fn duration(ticks: u64) -> Duration {
    Duration::from_nanos(ticks.saturating_mul(TICK_NANOS))
}

/// Computes the rank in integers: as a double, 0.95 * n may round up to the next rank.
fn at_rank(histogram: &Histogram<u32>, rank: u64) -> Duration {
    let quantile = (rank as f64 - 0.5) / histogram.len() as f64;
    duration(histogram.median_equivalent(histogram.value_at_quantile(quantile)))
}

fn bounds(min: Duration, max: Duration) -> Vec<Duration> {
    let (low, high) = ((min.as_nanos() as f64).max(TICK_NANOS as f64), max.as_nanos() as f64);
    let bound = |bar: usize| {
        let part = bar as f64 / HISTOGRAM_BARS as f64;
        let linear = || min.as_nanos() as f64 + (high - min.as_nanos() as f64) * part;
        nanos(if high >= 10.0 * low { low * (high / low).powf(part) } else { linear() })
    };
    let mut bounds: Vec<Duration> =
        (1..HISTOGRAM_BARS).map(bound).filter(|bound| *bound > min && *bound < max).collect();
    bounds.push(max);
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdrhistogram::serialization::Deserializer;
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
        assert_eq!(bars.len(), HISTOGRAM_BARS);
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
        let cells = |rtts: &Rtts| match &rtts.spread {
            RttDistribution::Fine(histogram) => histogram.distinct_values(),
            other => panic!("{other:?}"),
        };
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
        fn coarse_percentiles_are_near_and_the_rest_is_exact(values in samples()) {
            let mut coarse = Rtts::coarse();
            values.iter().for_each(|value| coarse.record(*value));
            let (coarse, fine) = (coarse.summary().unwrap(), of(&values).summary().unwrap());
            prop_assert_eq!(
                (coarse.count, coarse.min, coarse.mean, coarse.max),
                (fine.count, fine.min, fine.mean, fine.max)
            );
            let near = |coarse: Duration, fine: Duration| {
                coarse.abs_diff(fine).as_nanos() as f64 <= fine.as_nanos() as f64 * 0.126 + 100.0
            };
            prop_assert!(near(coarse.p50, fine.p50) && near(coarse.p90, fine.p90));
            prop_assert!(near(coarse.p95, fine.p95) && near(coarse.p99, fine.p99));
        }

        #[test]
        fn coarse_ones_merge_into_a_whole(one in samples(), other in samples()) {
            let mut merged = Rtts::default();
            for part in [&one, &other] {
                let mut coarse = Rtts::coarse();
                part.iter().for_each(|value| coarse.record(*value));
                merged.merge(&coarse);
            }
            let summary = merged.summary().unwrap();
            prop_assert_eq!(summary.count, (one.len() + other.len()) as u64);
            prop_assert_eq!(merged.bars().iter().map(|bar| bar.1).sum::<u64>(), summary.count);
        }

        #[test]
        fn every_rtt_is_in_one_bar(values in samples()) {
            let bars = of(&values).bars();
            prop_assert_eq!(bars.iter().map(|bar| bar.1).sum::<u64>(), values.len() as u64);
            prop_assert!(bars.is_sorted() && bars.len() <= HISTOGRAM_BARS);
            prop_assert_eq!(bars.last().map(|bar| bar.0), values.iter().max().copied());
        }
    }

    #[test]
    fn encoded_histogram_is_read_by_the_library_and_can_be_merged() {
        let decoded = |rtts: &Rtts| -> Histogram<u64> {
            let bytes = BASE64_STANDARD.decode(rtts.encoded().unwrap()).unwrap();
            Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap()
        };
        assert_eq!(Rtts::default().encoded(), None);
        for mut rtts in [Rtts::default(), Rtts::coarse()] {
            (1..=100).for_each(|n| rtts.record(Duration::from_micros(n * 10)));
            let mut histogram = decoded(&rtts);
            assert_eq!(histogram.len(), 100);
            // 1 ms in the unit; coarse RTTs are within 1.6 %.
            assert!((9_840..=10_160).contains(&histogram.value_at_quantile(1.0)), "{}", histogram.max());
            histogram.add(decoded(&rtts)).unwrap();
            assert_eq!(histogram.len(), 200);
        }
        // The cookie of V2 with deflate, 0x1c849314, and the length.
        assert!(rtts_of(&[5]).encoded().unwrap().starts_with("HISTFAAA"));
    }

    #[test]
    fn rtts_of_another_run_are_read_from_their_parts() {
        let whole = rtts_of(&[5, 7, 300]);
        let (encoded, figures) = (whole.encoded().unwrap(), whole.moments().figures().unwrap());
        let read = Rtts::of_parts(&encoded, &figures).unwrap();
        assert_eq!((read.summary(), read.bars()), (whole.summary(), whole.bars()));
        let other = MomentFigures { count: 4, ..figures };
        assert_eq!(Rtts::of_parts(&encoded, &other), Err(RttsError::OtherCount { held: 3, count: 4 }));
        let other = MomentFigures { mean_nanos: -1.0, ..figures };
        assert_eq!(Rtts::of_parts(&encoded, &other), Err(RttsError::ImpossibleFigures));
        assert_eq!(Rtts::of_parts("SGVsbG8=", &figures), Err(RttsError::NoHistogram));
        assert_eq!(Rtts::of_parts("", &figures), Err(RttsError::NoHistogram));
    }

    /// A histogram in the deflated form with this head and these counts.
    fn packed(length: u32, digits: u32, low: u64, counts: &[u8]) -> String {
        use std::io::Write;
        let mut plain = vec![0x1c, 0x84, 0x93, 0x13];
        [length, 0, digits].iter().for_each(|number| plain.extend(number.to_be_bytes()));
        [low, u64::MAX >> 1].iter().for_each(|number| plain.extend(number.to_be_bytes()));
        plain.extend(1.0_f64.to_be_bytes());
        plain.extend(counts);
        let mut deflated =
            flate2::write::ZlibEncoder::new(DEFLATED_COOKIE.to_vec(), flate2::Compression::default());
        deflated.get_mut().extend([0, 0, 0, 0]);
        deflated.write_all(&plain).unwrap();
        let mut bytes = deflated.finish().unwrap();
        let packed_length = u32::try_from(bytes.len() - 8).unwrap();
        bytes[4..8].copy_from_slice(&packed_length.to_be_bytes());
        BASE64_STANDARD.encode(bytes)
    }

    #[test]
    fn hostile_histograms_cost_nothing_and_are_none() {
        assert_eq!(decoded(&packed(2, 3, 1, &[10, 2])).map(|counts| counts.len()), Some(2));
        assert_eq!(decoded(&packed(u32::MAX, 3, 1, &[2])), None, "asks for 4 GiB");
        assert_eq!(decoded(&packed(1, 5, 1, &[2])), None, "not our precision");
        assert_eq!(decoded(&packed(1, 3, 1 << 40, &[2])), None, "not our unit");
        let lowest = [0xff; 9];
        assert_eq!(decoded(&packed(9, 3, 1, &lowest)), None, "minus the lowest number");
        let bomb = vec![2; 2 << 20];
        assert_eq!(decoded(&packed(bomb.len() as u32, 3, 1, &bomb)), None);
    }

    proptest! {
        #[test]
        fn no_histogram_panics(
            counts in prop::collection::vec(any::<u8>(), 0..64), digits in 0_u32..7, low in 0_u64..4,
        ) {
            let text = packed(counts.len() as u32, digits, low, &counts);
            if let Some(counts) = decoded(&text) {
                prop_assert!(counts.len() <= 64);
            }
        }

        #[test]
        fn no_text_panics(text in "[A-Za-z0-9+/]{0,80}") {
            let _ = decoded(&text);
            let _ = decoded(&format!("HISTFAAA{text}"));
        }
    }

    fn rtts_of(millis: &[u64]) -> Rtts {
        let mut rtts = Rtts::default();
        millis.iter().for_each(|ms| rtts.record(Duration::from_millis(*ms)));
        rtts
    }
}
