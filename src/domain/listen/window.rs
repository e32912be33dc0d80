//! A window of the latest spans of one kind.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::stats::interval::Interval;

/// Maximum number of spans kept.
pub const MAX_SPANS: usize = 1024;

/// The latest spans, and the shortest and longest of all. Memory is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanWindow {
    latest: VecDeque<Duration>,
    extremes: Option<(Duration, Duration)>,
}

impl SpanWindow {
    pub fn push(&mut self, span: Duration) {
        if self.latest.len() == MAX_SPANS {
            self.latest.pop_front();
        }
        self.latest.push_back(span);
        let (shortest, longest) = self.extremes.unwrap_or((span, span));
        self.extremes = Some((shortest.min(span), longest.max(span)));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// The interval they show.
    pub fn interval(&self) -> Option<Interval> {
        let mut interval = Interval::of(self.latest.iter().copied())?;
        (interval.min, interval.max) = self.extremes?;
        Some(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_span_outlives_the_window() {
        let mut spans = SpanWindow::default();
        spans.push(Duration::from_secs(24));
        (0..MAX_SPANS + 10).for_each(|_| spans.push(Duration::from_millis(10)));
        let interval = spans.interval().unwrap();
        assert_eq!((interval.median, interval.max), (Duration::from_millis(10), Duration::from_secs(24)));
        assert_eq!((interval.min, interval.gaps), (Duration::from_millis(10), MAX_SPANS));
    }
}
