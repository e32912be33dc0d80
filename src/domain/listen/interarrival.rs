//! The moments of one kind of sound.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::server_event::ServerEvent;
use super::window::SpanWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::interval::{Interval, tolerance};

/// Whether the payloads are one and the same.
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

/// When one kind of sound was heard. Memory does not grow with their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interarrival {
    pub count: u64,
    /// The first that was heard.
    pub begun: Duration,
    /// The first; `None` when some may have been missed before.
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
    /// The first of its kind, at this age. `is_first`: none can have been missed before.
    pub fn begin(at: Duration, said: &ServerEvent, is_first: bool) -> Interarrival {
        Interarrival {
            count: 1,
            begun: at,
            first: is_first.then_some(at),
            last: at,
            gaps: SpanWindow::default(),
            changes: false,
            sample: said.text.clone(),
            latest: None,
        }
    }

    /// The next. A gap that was `disturbed` by other traffic may be longer or shorter for that, and is no
    /// interval.
    pub fn go_on(&mut self, at: Duration, said: &ServerEvent, disturbed: bool) {
        if !disturbed {
            self.gaps.push(at.saturating_sub(self.last));
        }
        self.count += 1;
        self.last = at;
        if said.text != self.sample {
            self.changes = true;
            self.latest = Some(said.text.clone());
        }
    }

    /// What the gaps come to.
    pub fn interval(&self) -> Option<Interval> {
        self.gaps.interval()
    }

    /// The interval where it is borne out: by two gaps that agree with each other, by most of more, or by one that agrees
    /// with the span from the opening to the first.
    pub fn sure_interval(&self) -> Option<Interval> {
        let interval = self.interval().filter(Interval::is_regular)?;
        let confirmed = match interval.gaps {
            1 => self.first.is_some_and(|first| interval.fits(first)),
            // Two that differ by more than timers do may be any two.
            2 => interval.spread() <= tolerance(interval.median),
            _ => true,
        };
        confirmed.then_some(interval)
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

    fn said(text: &str) -> ServerEvent {
        ServerEvent::plain(ServerEventKind::Ping, UntrustedText::new(text))
    }

    fn rhythm(moments: &[u64], first: bool) -> Interarrival {
        let at = |millis: &u64| Duration::from_millis(*millis);
        let mut rhythm = Interarrival::begin(at(&moments[0]), &said("x"), first);
        moments[1..].iter().for_each(|moment| rhythm.go_on(at(moment), &said("x"), false));
        rhythm
    }

    fn sure(moments: &[u64], first: bool) -> Option<u64> {
        rhythm(moments, first).sure_interval().map(|interval| interval.median.as_millis() as u64)
    }

    #[test]
    fn one_gap_is_an_anecdote_unless_the_first_came_after_as_much() {
        assert_eq!(sure(&[54_000], true), None);
        assert_eq!(sure(&[54_000, 108_010], true), Some(54_010));
        assert_eq!(sure(&[11_000, 65_000], true), None);
        assert_eq!(sure(&[54_000, 108_000], false), None, "some may have been missed before");
        assert_eq!(sure(&[11_000, 41_000, 71_000], true), Some(30_000));
        assert_eq!(sure(&[11_000, 21_000, 71_000], true), None);
    }

    #[test]
    fn a_disturbed_gap_is_no_interval() {
        let mut rhythm = rhythm(&[1000, 2000, 3000], true);
        rhythm.go_on(Duration::from_millis(4500), &said("x"), true);
        rhythm.go_on(Duration::from_millis(5500), &said("x"), false);
        assert_eq!(rhythm.interval().map(|i| (i.gaps, i.max)), Some((3, Duration::from_secs(1))));
        assert_eq!(rhythm.count, 5);
    }

    #[test]
    fn payloads_are_constant_until_one_differs() {
        let mut rhythm = Interarrival::begin(Duration::ZERO, &said("a"), true);
        assert_eq!(rhythm.payloads(), PayloadVariation::Single);
        rhythm.go_on(Duration::from_secs(1), &said("a"), false);
        assert_eq!(rhythm.payloads(), PayloadVariation::Constant);
        rhythm.go_on(Duration::from_secs(2), &said("b"), false);
        rhythm.go_on(Duration::from_secs(3), &said("a"), false);
        assert_eq!(
            (rhythm.payloads(), rhythm.latest.as_ref()),
            (PayloadVariation::Changing, Some(&UntrustedText::new("b")))
        );
        assert_eq!(Interarrival::begin(Duration::ZERO, &said(""), true).payloads(), PayloadVariation::Empty);
    }

    #[test]
    fn memory_does_not_grow_with_the_length_of_a_run() {
        let mut rhythm = Interarrival::begin(Duration::ZERO, &said("x"), true);
        for second in 1..=10_000 {
            rhythm.go_on(Duration::from_secs(second), &said("x"), false);
        }
        assert_eq!((rhythm.count, rhythm.gaps.len()), (10_001, MAX_SPANS));
    }
}
