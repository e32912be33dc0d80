//! The interval of heartbeats.

use std::time::Duration;

/// Spans agree if they differ by at most this fraction ...
const TOLERANCE: f64 = 0.10;
/// ... or by at most this, the lateness of timers on a busy machine.
pub const TIMER_JITTER: Duration = Duration::from_millis(25);
/// Shorter gaps count as simultaneous.
const BURST_GAP: Duration = Duration::from_millis(1);
/// Shorter intervals are not long against the jitter of timers.
const MIN_TIMED_INTERVAL: Duration = Duration::from_millis(100);
/// Fraction of the gaps that must agree with the median.
const MIN_AGREEING_PART: f64 = 0.75;

/// Agreement that random events show no more often than this is no accident.
const MAX_CHANCE: f64 = 1.0 / 500.0;
/// So few spans must agree within the tolerance among themselves: chance alone is too weak a judge of them.
const FEW_SPANS: usize = 4;

/// If none of this many latest gaps agrees, the interval has changed.
const MAX_DISAGREEING_LATEST: usize = 3;

/// Maximum difference of two spans that are both one interval of this length.
pub fn tolerance(interval: Duration) -> Duration {
    interval.mul_f64(TOLERANCE).max(TIMER_JITTER)
}

/// The gaps between heartbeats, summarized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The number of gaps.
    pub gaps: usize,
    pub min: Duration,
    /// The mean of the middle two if the number is even.
    pub median: Duration,
    pub max: Duration,
    /// How many gaps agree with the median ...
    agreeing: usize,
    /// ... and the shortest and the longest of them.
    agreeing_from: Duration,
    agreeing_to: Duration,
    /// The latest gaps no longer agree with it.
    is_past: bool,
}

impl Interval {
    /// The interval of these gaps, the latest last; `None` without gaps.
    pub fn of(gaps: impl IntoIterator<Item = Duration>) -> Option<Interval> {
        let gaps: Vec<Duration> = gaps.into_iter().collect();
        let mut sorted = gaps.clone();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let lower = if sorted.len().is_multiple_of(2) { middle - 1 } else { middle };
        let median = (sorted[lower] + sorted[middle]) / 2;
        let agrees = |gap: &&Duration| gap.abs_diff(median) <= tolerance(median);
        let agreeing: Vec<Duration> = sorted.iter().filter(agrees).copied().collect();
        let (agreeing_from, agreeing_to) =
            agreeing.first().zip(agreeing.last()).map_or((median, median), |(from, to)| (*from, *to));
        let is_past = gaps.len() > MAX_DISAGREEING_LATEST
            && !gaps.iter().rev().take(MAX_DISAGREEING_LATEST).any(|gap| agrees(&gap));
        let (gaps, agreeing) = (gaps.len(), agreeing.len());
        Some(Interval { gaps, min, median, max, agreeing, agreeing_from, agreeing_to, is_past })
    }

    /// The longest gap minus the shortest.
    pub fn spread(&self) -> Duration {
        self.max - self.min
    }

    /// Whether most gaps agree, including the latest ones.
    pub fn is_regular(&self) -> bool {
        !self.is_past && self.agreeing as f64 >= self.gaps as f64 * MIN_AGREEING_PART
    }

    /// The same with one more span that agrees.
    pub fn with_agreeing(self, span: Duration) -> Interval {
        Interval {
            gaps: self.gaps + 1,
            agreeing: self.agreeing + 1,
            agreeing_from: self.agreeing_from.min(span),
            agreeing_to: self.agreeing_to.max(span),
            ..self
        }
    }

    /// Whether the gaps agree more closely than random ones would. Of fast ones only the rate is of interest.
    pub fn is_beyond_chance(&self) -> bool {
        let spread = self.agreeing_to - self.agreeing_from;
        if self.is_fast() {
            return self.agreeing > 1;
        }
        let width = spread.as_secs_f64() / self.median.as_secs_f64();
        let is_close = self.agreeing > FEW_SPANS || spread <= tolerance(self.median);
        is_close && chance_of_agreement(self.agreeing, self.gaps, width) <= MAX_CHANCE
    }

    /// Whether it is a burst rather than a clock's interval: most came at once.
    pub fn is_burst(&self) -> bool {
        self.median < BURST_GAP
    }

    /// Whether they come too fast to be timed one by one: more than ten a second.
    pub fn is_fast(&self) -> bool {
        self.median < MIN_TIMED_INTERVAL
    }

    /// Whether all gaps agree.
    pub fn is_strict(&self) -> bool {
        self.agreeing == self.gaps
    }

    /// Whether a span is one interval.
    pub fn fits(&self, span: Duration) -> bool {
        span.abs_diff(self.median) <= tolerance(self.median)
    }
}

/// An upper bound of the probability that `agreeing` of `all` gaps between random events (a Poisson process) lie within
/// `width`, a part of their length. For each choice of them and of the shortest, each other one lies that close above it
/// with a probability of at most `width / e`, the maximum of x exp(-x) being 1 / e.
fn chance_of_agreement(agreeing: usize, all: usize, width: f64) -> f64 {
    let choices = (0..agreeing).fold(1.0, |choices, n| choices * (all - n) as f64 / (n + 1) as f64);
    choices * agreeing as f64 * (width / std::f64::consts::E).powf(agreeing.saturating_sub(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(gaps: &[u64]) -> Option<Interval> {
        Interval::of(gaps.iter().map(|gap| Duration::from_millis(*gap)))
    }

    #[test]
    fn the_median_is_the_middle_or_the_mean_of_the_middle_two() {
        let odd = ms(&[2000, 2100, 1950]).unwrap();
        assert_eq!((odd.median, odd.spread()), (Duration::from_millis(2000), Duration::from_millis(150)));
        let even = ms(&[30_000, 30_010, 29_990, 30_020]).unwrap();
        assert_eq!((even.median, even.gaps), (Duration::from_millis(30_005), 4));
        assert_eq!(ms(&[]), None);
    }

    #[test]
    fn one_outlier_in_four_leaves_it_regular_and_two_do_not() {
        assert!(ms(&[1000, 1000, 1000, 2000]).unwrap().is_regular());
        assert!(!ms(&[1000, 1000, 2000, 3000]).unwrap().is_regular());
        assert!(!ms(&[500, 2000]).unwrap().is_regular());
    }

    #[test]
    fn what_was_regular_long_ago_is_so_no_more() {
        let mut gaps = vec![300; 12];
        gaps.extend([3000, 3000]);
        assert!(ms(&gaps).unwrap().is_regular(), "two that are late");
        gaps.push(3000);
        assert!(!ms(&gaps).unwrap().is_regular());
        gaps.push(300);
        assert!(ms(&gaps).unwrap().is_regular(), "it paused");
    }

    #[test]
    fn few_gaps_must_agree_more_closely_than_many() {
        let is_sure = |gaps: &[u64]| ms(gaps).unwrap().is_beyond_chance();
        assert!(!is_sure(&[30_000]));
        assert!(is_sure(&[30_000, 30_080]) && !is_sure(&[30_000, 30_090]), "2 * 0.0027 / e = 0.002");
        assert!(is_sure(&[30_000, 30_000, 32_000]) && !is_sure(&[30_000, 30_000, 32_200]));
        assert!(is_sure(&[30_000, 31_000, 30_500, 32_900]) && !is_sure(&[30_000, 31_000, 32_000, 33_200]));
        assert!(!is_sure(&[30_000, 31_500, 30_500, 70_000]), "three of four");
        assert!(ms(&[30_000]).unwrap().with_agreeing(Duration::from_millis(30_010)).is_beyond_chance());
        assert!(is_sure(&[5, 20, 9]), "too fast for single gaps to show anything");
    }

    /// Expected: 10 * 3 * (0.1 / e)^2 = 0.0406.
    #[test]
    fn chance_of_agreement_counts_all_choices() {
        assert!((chance_of_agreement(3, 5, 0.1) - 0.040_600_585).abs() < 1e-8);
    }

    #[test]
    fn short_intervals_have_the_jitter_of_a_busy_machine() {
        assert!(ms(&[100, 120, 85, 100]).unwrap().is_regular());
        assert!(!ms(&[100, 150, 40, 200]).unwrap().is_regular());
    }
}
