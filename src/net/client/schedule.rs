//! When heartbeats are due: start + k * interval, whatever became of the earlier ones; or, without an interval, when the
//! one before is over.

use std::time::Duration;

use tokio::time::Instant;

/// The moments of one kind of heartbeat on one connection.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// `None`: the one before is not over, and there is no interval.
    next: Option<Instant>,
    interval: Option<Duration>,
    left: Option<u64>,
}

/// A moment that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueHeartbeat {
    /// When the heartbeat should leave.
    pub at: Instant,
    /// This host slept through it: too late to send it, or a burst would follow each such pause.
    pub slept_through: bool,
}

/// How late a heartbeat may still be sent, when the interval is shorter.
const MAX_CATCH_UP: Duration = Duration::from_secs(1);

impl Schedule {
    /// `left` heartbeats, the first at `first`; `None`: without end. The interval is above zero; without one,
    /// each is due when [`Schedule::release`] says so.
    pub fn new(first: Instant, interval: Option<Duration>, left: Option<u64>) -> Schedule {
        Schedule { next: Some(first), interval, left }
    }

    /// When the next heartbeat is due; `None` when all have left, or it waits for the one before.
    pub fn next_due(&self) -> Option<Instant> {
        self.next.filter(|_| self.has_more())
    }

    /// Whether any heartbeat is still to come.
    pub fn has_more(&self) -> bool {
        self.left != Some(0)
    }

    /// The heartbeat before is over: without an interval, the next is due at `at`.
    pub fn release(&mut self, at: Instant) {
        self.next.get_or_insert(at);
    }

    /// None is still to come.
    pub fn end(&mut self) {
        self.left = Some(0);
    }

    /// Takes the next heartbeat if its moment has come. Lateness never moves the later ones.
    pub fn take_due(&mut self, now: Instant) -> Option<DueHeartbeat> {
        let at = self.next_due().filter(|due| *due <= now)?;
        self.next = self.interval.map(|interval| at + interval);
        self.left = self.left.map(|left| left - 1);
        Some(DueHeartbeat {
            at,
            slept_through: now - at > MAX_CATCH_UP.max(self.interval.unwrap_or_default()),
        })
    }
}

/// The place in the interval of the `index`th of `of` heartbeats, so that they are spread evenly and
/// none leaves in another's instant.
pub fn place(interval: Duration, index: usize, of: usize) -> Duration {
    let nanos = interval.as_nanos() * index as u128 / of.max(1) as u128;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The first moment of the grid `anchor + k * interval` that is not before `now`.
pub fn first_on_grid(anchor: Instant, interval: Duration, now: Instant) -> Instant {
    if now <= anchor {
        return anchor;
    }
    let behind = (now - anchor).as_nanos() % interval.as_nanos();
    match behind {
        0 => now,
        behind => now + interval - Duration::from_nanos(behind as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn due(schedule: &mut Schedule, start: Instant, now: u64) -> Vec<(u64, bool)> {
        let mut all = Vec::new();
        while let Some(due) = schedule.take_due(start + ms(now)) {
            all.push(((due.at - start).as_millis() as u64, due.slept_through));
        }
        all
    }

    #[test]
    fn a_late_timer_shifts_nothing() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Some(ms(100)), None);
        assert_eq!(due(&mut schedule, start, 0), [(0, false)]);
        assert_eq!(due(&mut schedule, start, 170), [(100, false)]);
        assert_eq!(due(&mut schedule, start, 200), [(200, false)]);
        assert_eq!(due(&mut schedule, start, 299), []);
    }

    #[test]
    fn what_the_host_slept_through_is_said_so() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Some(ms(1000)), Some(6));
        due(&mut schedule, start, 0);
        let slept = [(1000, true), (2000, true), (3000, true), (4000, false)];
        assert_eq!(due(&mut schedule, start, 4500), slept);
        assert_eq!(due(&mut schedule, start, 9000), [(5000, true)]);
        assert_eq!((schedule.next_due(), schedule.left), (None, Some(0)));
    }

    #[test]
    fn short_intervals_catch_up_within_a_second() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Some(ms(10)), Some(50));
        assert_eq!(due(&mut schedule, start, 490).iter().filter(|(_, slept)| *slept).count(), 0);
    }

    #[test]
    fn without_an_interval_each_waits_for_the_one_before() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, None, Some(2));
        assert_eq!(due(&mut schedule, start, 50), [(0, false)]);
        assert_eq!((schedule.next_due(), schedule.has_more()), (None, true));
        schedule.release(start + ms(70));
        schedule.release(start + ms(90));
        assert_eq!(due(&mut schedule, start, 69), []);
        assert_eq!(due(&mut schedule, start, 70), [(70, false)]);
        schedule.release(start + ms(80));
        assert_eq!((schedule.next_due(), schedule.has_more()), (None, false));
    }

    #[test]
    fn heartbeats_are_spread_evenly_and_none_shares_an_instant() {
        let places: Vec<_> = (0..4).map(|index| place(ms(1000), index, 4)).collect();
        assert_eq!(places, [ms(0), ms(250), ms(500), ms(750)]);
        let many: Vec<_> = (0..20_000).map(|index| place(ms(1000), index, 20_000)).collect();
        assert!(many.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_micros(50)));
        assert!(many.iter().all(|place| *place < ms(1000)));
    }

    #[test]
    fn the_grid_goes_on_where_it_was() {
        let anchor = Instant::now();
        let on_grid = |now| (first_on_grid(anchor, ms(100), anchor + ms(now)) - anchor).as_millis();
        assert_eq!([on_grid(0), on_grid(1), on_grid(100), on_grid(250)], [0, 100, 100, 300]);
        assert_eq!(first_on_grid(anchor + ms(5), ms(100), anchor), anchor + ms(5));
    }
}
