//! Jitter: how much RTTs differ from one another, by three named definitions.

use std::collections::BTreeMap;
use std::time::Duration;

use super::moments::{Moments, nanos};
use crate::domain::nanos::Nanos;

/// Maximum number of RTTs that wait for their turn. Every heartbeat is judged within its timeout, so this is
/// reached only with thousands outstanding; then the oldest gap is given up.
const MAX_HELD_RTTS: usize = 16_384;

/// Jitter by three definitions; each is `None` with fewer than two samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JitterSummary {
    pub stddev: Option<Duration>,
    pub rfc3550: Option<Duration>,
    pub ipdv_mean: Option<Duration>,
}

impl JitterSummary {
    pub fn new(rtts: &Moments, differences: &Differences) -> JitterSummary {
        JitterSummary {
            stddev: rtts.stddev(),
            rfc3550: differences.rfc3550(),
            ipdv_mean: differences.ipdv_mean(),
        }
    }
}

/// A summary of the differences D of successive RTTs, in send order.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Differences {
    count: u64,
    /// Sum of |D|, in nanoseconds.
    total: f64,
    /// RFC 3550's J, in nanoseconds.
    jitter: f64,
}

impl Differences {
    /// J += (|D| - J) / 16 from J = 0 (RFC 3550 6.4.1, unscaled), at the last RTT. Over several connections
    /// the largest, because J belongs to one stream. `None` without a difference.
    pub fn rfc3550(&self) -> Option<Duration> {
        (self.count > 0).then(|| nanos(self.jitter))
    }

    /// The mean of |D| (RFC 5481). `None` without a difference.
    pub fn ipdv_mean(&self) -> Option<Duration> {
        (self.count > 0).then(|| nanos(self.total / self.count as f64))
    }

    /// The differences of a run elsewhere: how many, the mean of |D| and the largest J, in nanoseconds. `None` if no
    /// differences have such figures.
    pub fn of_figures(count: u64, ipdv_mean_nanos: f64, rfc3550_nanos: f64) -> Option<Differences> {
        let is_possible = [ipdv_mean_nanos, rfc3550_nanos].iter().all(|nanos| (0.0..1e20).contains(nanos))
            && (count > 0 || ipdv_mean_nanos == 0.0 && rfc3550_nanos == 0.0);
        let total = ipdv_mean_nanos * count as f64;
        is_possible.then_some(Differences { count, total, jitter: rfc3550_nanos })
    }

    /// How many differences there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of |D| in nanoseconds, unrounded; zero without a difference.
    pub fn ipdv_mean_nanos(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.total / self.count as f64 }
    }

    /// J in nanoseconds, unrounded; zero without a difference.
    pub fn rfc3550_nanos(&self) -> f64 {
        self.jitter
    }

    /// Adds those of another connection.
    pub fn merge(&mut self, other: &Differences) {
        self.count += other.count;
        self.total += other.total;
        self.jitter = self.jitter.max(other.jitter);
    }

    fn record(&mut self, before: Duration, after: Duration) {
        let difference = before.abs_diff(after).as_nanos() as f64;
        self.count += 1;
        self.total += difference;
        self.jitter += (difference - self.jitter) / 16.0;
    }
}

/// Takes the RTTs of one connection and kind in the order they become known, and their differences in the
/// order they were sent.
///
/// Each number from 0 is resolved once: with its RTT, or with `None` if it has none (missed, superseded,
/// unsent). An RTT is held until all earlier numbers are resolved. Numbers without RTT are skipped, so D is
/// between successive answered heartbeats. The first resolution counts: a missed heartbeat that comes late
/// has an RTT, but its turn is over.
#[derive(Debug, Clone, Default)]
pub struct Successive {
    /// The number whose turn it is.
    next: u64,
    /// How many numbers are resolved or never will be.
    resolved: u64,
    held: BTreeMap<u64, Option<Duration>>,
    last: Option<Nanos>,
    differences: Differences,
}

impl Successive {
    /// Resolves number `seq`.
    pub fn record(&mut self, seq: u64, rtt: Option<Duration>) {
        if seq < self.next || self.held.contains_key(&seq) {
            return;
        }
        self.resolved += 1;
        if seq == self.next && self.held.is_empty() {
            self.take(rtt);
            self.next = self.next.saturating_add(1);
            return;
        }
        self.held.insert(seq, rtt);
        if self.held.len() > MAX_HELD_RTTS {
            self.next = self.held.keys().next().copied().unwrap_or(self.next);
        }
        while let Some(rtt) = self.held.remove(&self.next) {
            self.take(rtt);
            self.next = self.next.saturating_add(1);
        }
    }

    /// Ends the connection: `unjudged` numbers will never be resolved, so those waiting for them take their
    /// turn. A reconnected connection continues the numbers, and its first RTT is not compared with the last
    /// one before.
    pub fn settle(&mut self, unjudged: u64) {
        self.release_held();
        self.last = None;
        self.resolved = self.resolved.saturating_add(unjudged);
        self.next = self.next.max(self.resolved);
    }

    /// The differences of all known RTTs, without waiting for unknown ones.
    pub fn differences(&self) -> Differences {
        if self.held.is_empty() {
            return self.differences;
        }
        let mut now = self.clone();
        now.release_held();
        now.differences
    }

    fn release_held(&mut self) {
        while let Some((seq, rtt)) = self.held.pop_first() {
            self.take(rtt);
            self.next = seq.saturating_add(1);
        }
    }

    fn take(&mut self, rtt: Option<Duration>) {
        let Some(rtt) = rtt else { return };
        if let Some(last) = self.last.replace(rtt.into()) {
            self.differences.record(last.into(), rtt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(value: u64) -> Option<Duration> {
        Some(Duration::from_micros(value))
    }

    fn in_order(rtts: &[Option<Duration>]) -> Successive {
        let mut successive = Successive::default();
        (0..).zip(rtts).for_each(|(seq, rtt)| successive.record(seq, *rtt));
        successive
    }

    #[test]
    fn the_figures_are_those_of_the_formulas() {
        let rtts = [12_500, 7_250, 9_000, 30_750, 8_500, 11_000, 250_000].map(micros);
        let found = in_order(&rtts).differences();
        // J = 0
        // for a, b in zip(x, x[1:]): J += (abs(b - a) - J) / 16
        // with x = [12.5, 7.25, 9, 30.75, 8.5, 11, 250]: J == 17.748420402407646
        assert_eq!(found.rfc3550(), Some(Duration::from_nanos(17_748_420)));
        // statistics.mean(abs(b - a) for a, b in zip(x, x[1:])) == 48.75
        assert_eq!(found.ipdv_mean(), micros(48_750));
    }

    #[test]
    fn a_heartbeat_without_rtt_is_passed_over() {
        let rtts = [micros(10), None, micros(14), micros(11), None, None, micros(20)];
        let found = in_order(&rtts).differences();
        // the same loop with x = [10, 14, 11, 20]: J == 0.9580078125, mean == 5.333333333333333
        assert_eq!(found.rfc3550(), Some(Duration::from_nanos(958)));
        assert_eq!(found.ipdv_mean(), Some(Duration::from_nanos(5_333)));
    }

    #[test]
    fn one_rtt_has_no_jitter() {
        let summary = JitterSummary::new(&Moments::default(), &in_order(&[micros(5), None]).differences());
        assert_eq!(summary, JitterSummary::default());
    }

    #[test]
    fn equal_rtts_have_a_jitter_of_zero() {
        let found = in_order(&[micros(5), micros(5)]).differences();
        assert_eq!((found.rfc3550(), found.ipdv_mean()), (Some(Duration::ZERO), Some(Duration::ZERO)));
    }

    #[test]
    fn a_revision_comes_too_late() {
        let mut successive = in_order(&[micros(10), None, micros(20)]);
        successive.record(1, micros(500));
        assert_eq!(successive.differences().ipdv_mean(), micros(10));
    }

    #[test]
    fn what_is_held_counts_in_interim_figures_in_its_order() {
        let mut successive = Successive::default();
        [(3, 40), (1, 10), (2, 30)].into_iter().for_each(|(seq, rtt)| successive.record(seq, micros(rtt)));
        assert_eq!(successive.differences().ipdv_mean(), micros(15));
        successive.record(0, micros(10));
        assert_eq!(successive.differences().ipdv_mean(), micros(10));
    }

    #[test]
    fn a_new_connection_is_not_compared_with_the_old_one() {
        let mut successive = in_order(&[micros(10), micros(20)]);
        successive.settle(3);
        successive.record(6, micros(5_040));
        successive.record(5, micros(5_000));
        assert_eq!(successive.differences().ipdv_mean(), micros(25));
        assert!(successive.held.is_empty());
    }

    #[test]
    fn a_number_that_is_never_resolved_costs_bounded_memory() {
        let mut successive = Successive::default();
        (1..100_000).for_each(|seq| successive.record(seq, micros(seq)));
        assert!(successive.held.is_empty());
        assert_eq!(successive.differences().ipdv_mean(), micros(1));
    }

    #[test]
    fn several_connections_report_worst_rfc3550_jitter() {
        let mut sum = in_order(&[micros(0), micros(160)]).differences();
        sum.merge(&in_order(&[micros(0), micros(32), micros(0)]).differences());
        // 160 / 16 == 10; (160 + 32 + 32) / 3 == 74.66666666666667
        assert_eq!(sum.rfc3550(), micros(10));
        assert_eq!(sum.ipdv_mean(), Some(Duration::from_nanos(74_667)));
    }

    #[test]
    fn differences_of_another_run_are_pooled_by_their_number() {
        let mut sum = in_order(&[micros(0), micros(160)]).differences();
        let other = in_order(&[micros(0), micros(32), micros(0)]).differences();
        let (count, mean, jitter) = (other.count(), other.ipdv_mean_nanos(), other.rfc3550_nanos());
        sum.merge(&Differences::of_figures(count, mean, jitter).unwrap());
        // as above: the larger J, 160 / 16 == 10; (160 + 32 + 32) / 3 == 74.66666666666667
        assert_eq!(sum.rfc3550(), micros(10));
        assert_eq!(sum.ipdv_mean(), Some(Duration::from_nanos(74_667)));
        assert_eq!(Differences::of_figures(2, -1.0, 0.0), None);
        assert_eq!(Differences::of_figures(2, f64::NAN, 0.0), None);
        assert_eq!(Differences::of_figures(0, 1.0, 0.0), None);
    }

    fn samples() -> impl Strategy<Value = Vec<Option<Duration>>> {
        prop::collection::vec(prop::option::of((0_u64..1_000_000_000).prop_map(Duration::from_nanos)), 0..50)
    }

    fn shuffled() -> impl Strategy<Value = Vec<(usize, Option<Duration>)>> {
        samples().prop_map(|rtts| rtts.into_iter().enumerate().collect()).prop_shuffle()
    }

    proptest! {
        #[test]
        fn the_order_of_resolution_does_not_matter(mut shuffled in shuffled()) {
            let mut successive = Successive::default();
            shuffled.iter().for_each(|(seq, rtt)| successive.record(*seq as u64, *rtt));
            shuffled.sort();
            let rtts: Vec<_> = shuffled.into_iter().map(|(_, rtt)| rtt).collect();
            prop_assert_eq!(successive.differences(), in_order(&rtts).differences());
            prop_assert!(successive.held.is_empty());
        }

        #[test]
        fn no_number_panics(numbers in prop::collection::vec((any::<u64>(), 0_u64..9), 0..20)) {
            let mut successive = Successive::default();
            for (seq, unjudged) in numbers {
                successive.record(seq, micros(1));
                successive.record(u64::MAX, micros(1));
                successive.settle(unjudged);
            }
        }
    }
}
