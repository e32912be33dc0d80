//! Mean, standard deviation and range of durations, in constant memory.

use std::time::Duration;

/// Count, mean, sum of squared differences from it, minimum and maximum.
///
/// By Welford's recurrence (Knuth, The Art of Computer Programming, volume 2, 4.2.2), which stays exact where
/// a sum of squares would cancel. Merged as in Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
/// Algorithm for Computing Sample Variances", 1979.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    count: u64,
    /// Nanoseconds.
    mean: f64,
    /// Nanoseconds squared.
    m2: f64,
    range: Option<(Duration, Duration)>,
}

/// Count, mean, standard deviation and range, unrounded: what [`Moments`] are made of again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MomentFigures {
    pub count: u64,
    pub mean_nanos: f64,
    /// The population standard deviation.
    pub stddev_nanos: f64,
    pub min: Duration,
    pub max: Duration,
}

impl Moments {
    /// The unrounded figures; `None` before the first value.
    pub fn figures(&self) -> Option<MomentFigures> {
        let (min, max) = self.range?;
        let stddev_nanos = (self.m2 / self.count as f64).sqrt();
        Some(MomentFigures { count: self.count, mean_nanos: self.mean, stddev_nanos, min, max })
    }

    /// The moments of values that were recorded elsewhere. `None` if no values have such figures: the mean lies
    /// outside of the range, or the standard deviation exceeds half of it (Popoviciu's inequality on variances).
    pub fn of_figures(figures: &MomentFigures) -> Option<Moments> {
        let MomentFigures { count, mean_nanos, stddev_nanos, min, max } = *figures;
        let (low, high) = (min.as_nanos() as f64, max.as_nanos() as f64);
        // The mean of equal values may differ from them in its last digits.
        let slack = 1.0 + high * 1e-9;
        let is_possible = count > 0
            && min <= max
            && (low - slack..=high + slack).contains(&mean_nanos)
            && (0.0..=(high - low) / 2.0 + slack).contains(&stddev_nanos);
        let m2 = stddev_nanos * stddev_nanos * count as f64;
        is_possible.then_some(Moments { count, mean: mean_nanos, m2, range: Some((min, max)) })
    }

    pub fn record(&mut self, value: Duration) {
        let nanos = value.as_nanos() as f64;
        self.count += 1;
        let delta = nanos - self.mean;
        self.mean += delta / self.count as f64;
        self.m2 += delta * (nanos - self.mean);
        self.widen((value, value));
    }

    /// Adds all values of another.
    pub fn merge(&mut self, other: &Moments) {
        let Some(range) = other.range else { return };
        let (ours, theirs) = (self.count as f64, other.count as f64);
        let delta = other.mean - self.mean;
        self.count += other.count;
        self.mean += delta * theirs / (ours + theirs);
        self.m2 += other.m2 + delta * delta * ours * theirs / (ours + theirs);
        self.widen(range);
    }

    fn widen(&mut self, (least, greatest): (Duration, Duration)) {
        self.range = match self.range {
            Some((min, max)) => Some((min.min(least), max.max(greatest))),
            None => Some((least, greatest)),
        };
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    /// The minimum and the maximum; `None` before the first value.
    pub fn range(&self) -> Option<(Duration, Duration)> {
        self.range
    }

    /// The arithmetic mean; `None` before the first.
    pub fn mean(&self) -> Option<Duration> {
        let (min, max) = self.range?;
        Some(nanos(self.mean).clamp(min, max))
    }

    /// The population standard deviation, sqrt(sum((x-mean)^2)/n), which ping(8) calls mdev; `None` with
    /// fewer than two values.
    pub fn stddev(&self) -> Option<Duration> {
        (self.count >= 2).then(|| nanos((self.m2 / self.count as f64).sqrt()))
    }
}

/// A duration of this many nanoseconds, rounded; at most u64::MAX of them (584 years).
pub(super) fn nanos(value: f64) -> Duration {
    Duration::from_nanos(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[Duration]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|value| moments.record(*value));
        moments
    }

    fn micros(values: &[u64]) -> Vec<Duration> {
        values.iter().map(|value| Duration::from_micros(*value)).collect()
    }

    #[test]
    fn the_figures_are_those_of_pythons_statistics() {
        let moments = of(&micros(&[12_500, 7_250, 9_000, 30_750, 8_500, 11_000, 250_000]));
        // statistics.mean([12.5, 7.25, 9, 30.75, 8.5, 11, 250]) == 47.0
        assert_eq!(moments.mean(), Some(Duration::from_millis(47)));
        // statistics.pstdev([12.5, 7.25, 9, 30.75, 8.5, 11, 250]) == 83.20853750839342
        assert_eq!(moments.stddev(), Some(Duration::from_nanos(83_208_538)));
        assert_eq!(moments.range(), Some((Duration::from_micros(7_250), Duration::from_millis(250))));
    }

    #[test]
    fn small_differences_of_large_values_are_not_lost() {
        let values = [4, 7, 13, 16].map(|n| Duration::from_secs(1_000_000) + Duration::from_nanos(n));
        // statistics.pstdev([4, 7, 13, 16]) == 4.743416490252569
        assert_eq!(of(&values).stddev(), Some(Duration::from_nanos(5)));
    }

    #[test]
    fn one_value_has_no_spread_and_none_has_nothing() {
        let one = of(&micros(&[5]));
        assert_eq!((one.mean(), one.stddev()), (Some(Duration::from_micros(5)), None));
        let none = Moments::default();
        assert_eq!((none.count(), none.mean(), none.stddev(), none.range()), (0, None, None, None));
    }

    #[test]
    fn the_longest_duration_does_no_harm() {
        let moments = of(&[Duration::MAX, Duration::ZERO]);
        assert_eq!(moments.range(), Some((Duration::ZERO, Duration::MAX)));
    }

    #[test]
    fn pooled_figures_are_those_of_pythons_statistics() {
        let [one, other] = [&[12_500, 7_250, 9_000][..], &[30_750, 8_500, 11_000, 250_000][..]]
            .map(|values| Moments::of_figures(&of(&micros(values)).figures().unwrap()).unwrap());
        // x = [12.5, 7.25, 9]; statistics.mean(x) == 9.583333333333334, statistics.pstdev(x) == 2.18263346849086
        assert_eq!(one.mean(), Some(Duration::from_nanos(9_583_333)));
        assert_eq!(one.stddev(), Some(Duration::from_nanos(2_182_633)));
        let mut pooled = one;
        pooled.merge(&other);
        // as in the test of the whole: mean 47.0, pstdev 83.20853750839342
        assert_eq!(pooled.mean(), Some(Duration::from_millis(47)));
        assert_eq!(pooled.stddev(), Some(Duration::from_nanos(83_208_538)));
        assert_eq!(pooled.range(), Some((Duration::from_micros(7_250), Duration::from_millis(250))));
    }

    #[test]
    fn figures_that_no_values_have_are_rejected() {
        let good = of(&micros(&[10, 20])).figures().unwrap();
        let is_possible = |figures: MomentFigures| Moments::of_figures(&figures).is_some();
        assert!(is_possible(good));
        assert!(!is_possible(MomentFigures { count: 0, ..good }));
        assert!(!is_possible(MomentFigures { min: Duration::from_micros(21), ..good }));
        assert!(!is_possible(MomentFigures { mean_nanos: 30_000.0, ..good }));
        assert!(!is_possible(MomentFigures { stddev_nanos: 9_000.0, ..good }), "at most half of the range");
        assert!(!is_possible(MomentFigures { stddev_nanos: f64::NAN, ..good }));
    }

    proptest! {
        #[test]
        fn the_parts_make_the_whole(one in samples(), other in samples()) {
            let mut merged = of(&one);
            merged.merge(&of(&other));
            let whole = of(&[one, other].concat());
            prop_assert_eq!((merged.count(), merged.range()), (whole.count(), whole.range()));
            prop_assert!(close(merged.mean(), whole.mean()));
            prop_assert!(close(merged.stddev(), whole.stddev()));
        }
    }

    fn samples() -> impl Strategy<Value = Vec<Duration>> {
        prop::collection::vec((0_u64..100_000_000_000).prop_map(Duration::from_nanos), 0..60)
    }

    fn close(one: Option<Duration>, other: Option<Duration>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => one.abs_diff(other) <= Duration::from_nanos(2),
            (one, other) => one == other,
        }
    }
}
