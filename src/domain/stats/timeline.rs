//! What happened when, in bounded memory: heartbeats by intervals, which become longer as the run does.

use std::time::Duration;

/// The most intervals.
const MAX_INTERVALS: usize = 240;
/// The first length of an interval; it doubles when there are too many.
const FIRST_WIDTH: Duration = Duration::from_millis(10);

/// The heartbeats of one interval, by when their outcome was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimelineInterval {
    /// Heartbeats with an RTT.
    pub answered: u64,
    pub late: u64,
    pub missed: u64,
    /// The sum, the shortest and the longest of the RTTs; zero without any.
    pub sum: Duration,
    pub min: Duration,
    pub max: Duration,
}

/// Heartbeats by intervals of equal length since the start of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    pub width: Duration,
    pub intervals: Vec<TimelineInterval>,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline { width: FIRST_WIDTH, intervals: Vec::new() }
    }
}

impl TimelineInterval {
    /// The mean RTT.
    pub fn mean(&self) -> Option<Duration> {
        (self.answered > 0).then(|| self.sum.div_f64(self.answered as f64))
    }

    fn is_empty(&self) -> bool {
        self.answered == 0 && self.missed == 0
    }

    fn merge(self, other: TimelineInterval) -> TimelineInterval {
        let min = match (self.answered, other.answered) {
            (0, _) => other.min,
            (_, 0) => self.min,
            (_, _) => self.min.min(other.min),
        };
        TimelineInterval {
            answered: self.answered.saturating_add(other.answered),
            late: self.late.saturating_add(other.late),
            missed: self.missed.saturating_add(other.missed),
            sum: self.sum.saturating_add(other.sum),
            min,
            max: self.max.max(other.max),
        }
    }
}

impl Timeline {
    /// The timelines of several runs on one clock; each with how long after the earliest its run began. An interval goes
    /// to where its middle is, so that nothing is lost and the picture is as fine as the coarsest of them.
    pub fn merged(parts: &[(Duration, &Timeline)]) -> Timeline {
        let width = parts.iter().map(|(_, timeline)| timeline.width).max().unwrap_or(FIRST_WIDTH);
        let mut merged = Timeline { width: width.max(FIRST_WIDTH), intervals: Vec::new() };
        for (began, timeline) in parts {
            let mut middle = began.saturating_add(timeline.width / 2);
            for interval in &timeline.intervals {
                if !interval.is_empty() {
                    merged.add(middle, *interval);
                }
                middle = middle.saturating_add(timeline.width);
            }
        }
        merged
    }

    /// Records an answer.
    pub fn record_answer(&mut self, at: Duration, rtt: Duration, is_late: bool) {
        let late = u64::from(is_late);
        let answer = TimelineInterval { answered: 1, late, missed: 0, sum: rtt, min: rtt, max: rtt };
        self.add(at, answer);
    }

    /// Records a missed heartbeat.
    pub fn record_miss(&mut self, at: Duration) {
        self.add(at, TimelineInterval { missed: 1, ..TimelineInterval::default() });
    }

    /// Takes back the latest miss: its reply came after all.
    pub fn revise_miss(&mut self) {
        if let Some(interval) = self.intervals.iter_mut().rev().find(|interval| interval.missed > 0) {
            interval.missed -= 1;
        }
    }

    fn add(&mut self, at: Duration, what: TimelineInterval) {
        while self.index(at) >= MAX_INTERVALS {
            self.double();
        }
        let index = self.index(at);
        if self.intervals.len() <= index {
            self.intervals.resize(index + 1, TimelineInterval::default());
        }
        self.intervals[index] = self.intervals[index].merge(what);
    }

    fn index(&self, at: Duration) -> usize {
        usize::try_from(at.as_nanos() / self.width.as_nanos().max(1)).unwrap_or(usize::MAX)
    }

    fn double(&mut self) {
        let merged = |pair: &[TimelineInterval]| {
            pair.iter().copied().fold(TimelineInterval::default(), TimelineInterval::merge)
        };
        self.intervals = self.intervals.chunks(2).map(merged).collect();
        self.width = self.width.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn answers_are_summed_by_interval() {
        let mut timeline = Timeline::default();
        timeline.record_answer(ms(1), ms(2), false);
        timeline.record_answer(ms(9), ms(4), true);
        timeline.record_miss(ms(25));
        assert_eq!(timeline.intervals.len(), 3);
        let first = timeline.intervals[0];
        assert_eq!((first.answered, first.late, first.mean()), (2, 1, Some(ms(3))));
        assert_eq!((first.min, first.max), (ms(2), ms(4)));
        assert_eq!((timeline.intervals[1].mean(), timeline.intervals[2].missed), (None, 1));
        timeline.revise_miss();
        assert_eq!(timeline.intervals[2].missed, 0);
    }

    #[test]
    fn a_long_run_has_longer_intervals_and_loses_nothing() {
        let mut timeline = Timeline::default();
        for second in 0..86_400 {
            timeline.record_answer(Duration::from_secs(second), ms(1 + second % 7), false);
        }
        // 240 intervals of 10 ms are 2.4 s; doubled 16 times, 1.8 days.
        assert_eq!(timeline.width, ms(10 << 16));
        assert!(timeline.intervals.len() <= MAX_INTERVALS);
        assert_eq!(timeline.intervals.iter().map(|one| one.answered).sum::<u64>(), 86_400);
        assert!(timeline.intervals.iter().all(|one| one.min == ms(1) && one.max == ms(7)));
    }

    #[test]
    fn timelines_of_several_runs_are_merged_by_the_clock() {
        let at = |offsets: &[u64], rtt: u64| {
            let mut timeline = Timeline::default();
            offsets.iter().for_each(|offset| timeline.record_answer(ms(*offset), ms(rtt), false));
            timeline
        };
        let (one, other) = (at(&[5, 15, 25], 2), at(&[5, 2_500], 4));
        // 2.5 s need intervals of 20 ms; the second run began 20 ms later, so its first answer came at 25 ms.
        let merged = Timeline::merged(&[(ms(0), &one), (ms(20), &other)]);
        let answered: Vec<u64> = merged.intervals.iter().map(|one| one.answered).collect();
        assert_eq!((merged.width, &answered[..3], answered.iter().sum::<u64>()), (ms(20), &[2, 2, 0][..], 5));
        assert_eq!(merged.intervals[1].mean(), Some(ms(3)));
        assert_eq!(Timeline::merged(&[]), Timeline::default());
    }

    #[test]
    fn the_end_of_time_fits() {
        let mut timeline = Timeline::default();
        timeline.record_miss(Duration::MAX);
        assert_eq!(timeline.intervals.iter().map(|one| one.missed).sum::<u64>(), 1);
    }
}
