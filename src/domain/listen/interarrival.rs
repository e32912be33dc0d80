//! The arrival times of one kind of event.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::server_event::ServerEvent;
use super::window::SpanWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::interval::Interval;

/// Whether the payloads are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum PayloadVariation {
    /// All of them were empty.
    Empty,
    Constant,
    Changing,
    /// There was only one.
    Single,
}

/// The arrivals of one kind of event. Memory is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interarrival {
    pub count: u64,
    /// When the first was received.
    pub begun: Duration,
    /// The same; `None` if earlier ones may have been missed.
    pub first: Option<Duration>,
    pub last: Duration,
    gaps: SpanWindow,
    changes: bool,
    /// The first payload.
    pub sample: UntrustedText,
    /// The last payload that differed from the first.
    pub latest: Option<UntrustedText>,
}

impl Interarrival {
    /// Starts with the first of its kind. `is_first`: none was missed before.
    pub fn begin(at: Duration, event: &ServerEvent, is_first: bool) -> Interarrival {
        Interarrival {
            count: 1,
            begun: at,
            first: is_first.then_some(at),
            last: at,
            gaps: SpanWindow::default(),
            changes: false,
            sample: event.text.clone(),
            latest: None,
        }
    }

    /// Records the next one. A gap `disturbed` by other traffic may be longer or shorter and does not count.
    pub fn record_next(&mut self, at: Duration, event: &ServerEvent, disturbed: bool) {
        if !disturbed {
            self.gaps.push(at.saturating_sub(self.last));
        }
        self.count += 1;
        self.last = at;
        if event.text != self.sample {
            self.changes = true;
            self.latest = Some(event.text.clone());
        }
    }

    /// The interval of the gaps.
    pub fn interval(&self) -> Option<Interval> {
        self.gaps.interval()
    }

    /// The confirmed interval: most gaps agree, and more closely than random ones would. The time from the opening to the
    /// first counts as one more, if it agrees.
    pub fn sure_interval(&self) -> Option<Interval> {
        let interval = self.interval().filter(Interval::is_regular)?;
        let first = self.first.filter(|first| interval.fits(*first));
        let spans = first.map_or(interval, |first| interval.with_agreeing(first));
        spans.is_beyond_chance().then_some(interval)
    }

    pub fn payloads(&self) -> PayloadVariation {
        match (self.count, self.changes, self.sample.is_empty()) {
            (_, true, _) => PayloadVariation::Changing,
            (_, false, true) => PayloadVariation::Empty,
            (1, false, false) => PayloadVariation::Single,
            (_, false, false) => PayloadVariation::Constant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::server_event::ServerEventKind;
    use super::super::window::MAX_SPANS;
    use super::*;

    fn event(text: &str) -> ServerEvent {
        ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new(text))
    }

    fn arrivals(moments: &[u64], first: bool) -> Interarrival {
        let at = |millis: &u64| Duration::from_millis(*millis);
        let mut arrivals = Interarrival::begin(at(&moments[0]), &event("x"), first);
        moments[1..].iter().for_each(|moment| arrivals.record_next(at(moment), &event("x"), false));
        arrivals
    }

    fn sure(moments: &[u64], first: bool) -> Option<u64> {
        arrivals(moments, first).sure_interval().map(|interval| interval.median.as_millis() as u64)
    }

    #[test]
    fn one_gap_counts_only_if_the_first_came_as_late() {
        assert_eq!(sure(&[54_000], true), None);
        assert_eq!(sure(&[54_000, 108_010], true), Some(54_010));
        assert_eq!(sure(&[11_000, 65_000], true), None);
        assert_eq!(sure(&[54_000, 108_000], false), None, "some may have been missed before");
        assert_eq!(sure(&[11_000, 41_000, 71_000], true), Some(30_000));
        assert_eq!(sure(&[11_000, 21_000, 71_000], true), None);
    }

    #[test]
    fn disturbed_gap_is_no_interval() {
        let mut arrivals = arrivals(&[1000, 2000, 3000], true);
        arrivals.record_next(Duration::from_millis(4500), &event("x"), true);
        arrivals.record_next(Duration::from_millis(5500), &event("x"), false);
        assert_eq!(arrivals.interval().map(|i| (i.gaps, i.max)), Some((3, Duration::from_secs(1))));
        assert_eq!(arrivals.count, 5);
    }

    #[test]
    fn payloads_are_constant_until_one_differs() {
        let mut arrivals = Interarrival::begin(Duration::ZERO, &event("a"), true);
        assert_eq!(arrivals.payloads(), PayloadVariation::Single);
        arrivals.record_next(Duration::from_secs(1), &event("a"), false);
        assert_eq!(arrivals.payloads(), PayloadVariation::Constant);
        arrivals.record_next(Duration::from_secs(2), &event("b"), false);
        arrivals.record_next(Duration::from_secs(3), &event("a"), false);
        assert_eq!(
            (arrivals.payloads(), arrivals.latest.as_ref()),
            (PayloadVariation::Changing, Some(&UntrustedText::new("b")))
        );
        assert_eq!(Interarrival::begin(Duration::ZERO, &event(""), true).payloads(), PayloadVariation::Empty);
    }

    #[test]
    fn memory_is_bounded() {
        let mut arrivals = Interarrival::begin(Duration::ZERO, &event("x"), true);
        for second in 1..=10_000 {
            arrivals.record_next(Duration::from_secs(second), &event("x"), false);
        }
        assert_eq!((arrivals.count, arrivals.gaps.len()), (10_001, MAX_SPANS));
    }
}
