//! Heartbeats besides those of the schedule: when it matters, the connection is asked at once, and more often.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::heartbeat::extra_numbers::{ExtraNumbers, HeartbeatNumber};
use crate::domain::ping::health::Status;

/// The least time between two requested ones: changes of the network come in bursts.
const MIN_SPACING: Duration = Duration::from_millis(100);

/// When the next extra heartbeat of one kind is due.
#[derive(Debug)]
pub struct ExtraHeartbeats {
    /// The interval while the status is worse than healthy.
    interval: Duration,
    /// The next one that follows from the status.
    by_status: Option<Instant>,
    /// The next one that was requested.
    by_wish: Option<Instant>,
    /// When the last heartbeat left or was to leave, extra or not.
    last: Option<Instant>,
    numbers: ExtraNumbers,
}

impl ExtraHeartbeats {
    /// Goes on after this number of extra heartbeats of earlier connections.
    pub fn new(interval: Duration, before: u64) -> ExtraHeartbeats {
        ExtraHeartbeats {
            interval,
            by_status: None,
            by_wish: None,
            last: None,
            numbers: ExtraNumbers::after(before),
        }
    }

    /// How many there were, those of earlier connections included.
    pub fn count(&self) -> u64 {
        self.numbers.count()
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        [self.by_status, self.by_wish].into_iter().flatten().min()
    }

    /// Requests one at once.
    pub fn request(&mut self, now: Instant) {
        let earliest = self.last.map_or(now, |last| last + MIN_SPACING);
        self.by_wish.get_or_insert(now.max(earliest));
    }

    /// Follows the status: while it is worse than healthy, one is due whenever the last heartbeat is an interval ago. So the
    /// first follows a missed one at once, unless the schedule is as quick.
    pub fn follow(&mut self, status: Status, now: Instant) {
        let is_worse = match status {
            Status::Degraded | Status::Poor | Status::Critical | Status::Timeout => true,
            Status::Healthy | Status::Unknown | Status::Dead => false,
        };
        let next = self.last.map_or(now, |last| now.max(last + self.interval));
        self.by_status = is_worse.then_some(next);
    }

    /// Notes that a heartbeat leaves, extra or not.
    pub fn note_sent(&mut self, now: Instant) {
        self.last = Some(now);
        if let Some(due) = &mut self.by_status {
            *due = (*due).max(now + self.interval);
        }
    }

    /// Takes the one that is due; returns when it was.
    pub fn take_due(&mut self, now: Instant) -> Option<Instant> {
        let due = self.next_due().filter(|due| *due <= now)?;
        self.by_wish = None;
        Some(due)
    }

    /// Notes that the heartbeat at this place of the sequence is extra.
    pub fn note(&mut self, place: u64) {
        self.numbers.note(place);
    }

    /// The number of a heartbeat among those of its sort.
    pub fn number(&self, place: u64) -> HeartbeatNumber {
        self.numbers.number(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn worse_status_asks_at_once_and_then_every_interval() {
        let start = Instant::now();
        let mut extra = ExtraHeartbeats::new(ms(1000), 0);
        extra.note_sent(start);
        extra.follow(Status::Healthy, start + ms(1));
        assert_eq!(extra.next_due(), None);
        extra.follow(Status::Timeout, start + ms(5000));
        assert_eq!(extra.take_due(start + ms(5000)), Some(start + ms(5000)));
        extra.note_sent(start + ms(5000));
        assert_eq!(extra.next_due(), Some(start + ms(6000)));
        extra.note_sent(start + ms(5500));
        assert_eq!(extra.next_due(), Some(start + ms(6500)), "one of the schedule counts, too");
        extra.follow(Status::Healthy, start + ms(5501));
        assert_eq!(extra.next_due(), None);
    }

    #[test]
    fn requests_become_one_and_keep_a_distance() {
        let start = Instant::now();
        let mut extra = ExtraHeartbeats::new(ms(1000), 0);
        extra.request(start);
        extra.request(start);
        assert_eq!(extra.take_due(start), Some(start));
        extra.note_sent(start);
        assert_eq!(extra.take_due(start + ms(500)), None);
        extra.request(start + ms(10));
        assert_eq!(extra.next_due(), Some(start + MIN_SPACING));
    }
}
