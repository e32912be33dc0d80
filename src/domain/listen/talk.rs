//! When the client speaks between two heartbeats, so that it shows whether that moves the second.

use std::time::Duration;

use super::interval::Interval;

/// Where in the interval it speaks, in turn: at neither of them does what comes half an interval later coincide
/// with what comes a whole one later.
const PLACES: [f64; 2] = [0.3, 0.7];

/// Speaks in every other gap, so that the gaps in between show the interval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Talk {
    spoken: usize,
    /// The heartbeat after which it spoke last.
    after: Option<Duration>,
    /// The heartbeat before which it spoke.
    rests: Option<Duration>,
}

impl Talk {
    /// When it is to speak, given the last heartbeat and the interval, which must be known.
    pub fn due(&self, last: Duration, interval: Option<&Interval>) -> Option<Duration> {
        let interval = interval.filter(|interval| !interval.is_burst())?;
        let rests = self.after == Some(last) || self.rests == Some(last);
        let place = PLACES[self.spoken % PLACES.len()];
        (!rests).then(|| last + interval.median.mul_f64(place))
    }

    /// It spoke after this heartbeat.
    pub fn spoke(&mut self, last: Duration) {
        self.spoken += 1;
        self.after = Some(last);
    }

    /// A heartbeat came at this moment. The gap behind one that was talked before is left alone.
    pub fn heard(&mut self, before: Duration, at: Duration) {
        if self.after == Some(before) {
            self.rests = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_speaks_in_every_other_gap_at_two_places_in_turn() {
        let interval = Interval::of([s(10), s(10)]);
        let mut talk = Talk::default();
        assert_eq!(talk.due(s(20), None), None, "not before the interval is known");
        assert_eq!(talk.due(s(30), interval.as_ref()), Some(s(33)));
        talk.spoke(s(30));
        assert_eq!(talk.due(s(30), interval.as_ref()), None, "once in a gap");
        let burst = Interval::of([Duration::ZERO; 9]);
        assert_eq!(Talk::default().due(s(30), burst.as_ref()), None, "there is no between");
        talk.heard(s(30), s(40));
        assert_eq!(talk.due(s(40), interval.as_ref()), None, "this gap shows the interval");
        talk.heard(s(40), s(50));
        assert_eq!(talk.due(s(50), interval.as_ref()), Some(s(57)));
    }
}
