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

    fn merge(self, other: TimelineInterval) -> TimelineInterval {
        let min = match (self.answered, other.answered) {
            (0, _) => other.min,
            (_, 0) => self.min,
            (_, _) => self.min.min(other.min),
        };
        TimelineInterval {
            answered: self.answered + other.answered,
            late: self.late + other.late,
            missed: self.missed + other.missed,
            sum: self.sum + other.sum,
            min,
            max: self.max.max(other.max),
        }
    }
}

impl Timeline {
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
    fn the_end_of_time_fits() {
        let mut timeline = Timeline::default();
        timeline.record_miss(Duration::MAX);
        assert_eq!(timeline.intervals.iter().map(|one| one.missed).sum::<u64>(), 1);
    }
}
