//! When heartbeats are due: start + k * interval, whatever the outcome of earlier ones. Without an interval, each is
//! due when the one before is over.

use std::time::Duration;

use tokio::time::Instant;

/// Due times of one kind of heartbeat on one connection.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Next due time; `None`: the heartbeat before is not over, and there is no interval.
    next: Option<Instant>,
    interval: Option<Duration>,
    left: Option<u64>,
}

/// A heartbeat that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueHeartbeat {
    /// When the heartbeat was due.
    pub at: Instant,
    /// The host was suspended or stalled: too late to send, since a burst would follow every such pause.
    pub slept_through: bool,
}

/// Maximum lateness of a heartbeat that is still sent, if the interval is shorter.
const MAX_CATCH_UP: Duration = Duration::from_secs(1);

impl Schedule {
    /// `left` is the number of heartbeats (`None`: unlimited), the first one due at `first`. The interval must be above
    /// zero; without one, each is due at [`Schedule::release`].
    pub fn new(first: Instant, interval: Option<Duration>, left: Option<u64>) -> Schedule {
        Schedule { next: Some(first), interval, left }
    }

    /// When the next heartbeat is due; `None` if none is left, or it waits for the one before.
    pub fn next_due(&self) -> Option<Instant> {
        self.next.filter(|_| self.has_more())
    }

    /// Whether any heartbeat is left.
    pub fn has_more(&self) -> bool {
        self.left != Some(0)
    }

    /// Records that a heartbeat is over: without an interval, the next is due at `at`.
    pub fn release(&mut self, at: Instant) {
        self.next.get_or_insert(at);
    }

    /// Ends the schedule.
    pub fn end(&mut self) {
        self.left = Some(0);
    }

    /// Takes the next heartbeat if it is due. Its lateness never shifts later ones.
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

/// Offset within the interval of heartbeat `index` of `of`, so that heartbeats are spread evenly and no two share an
/// instant.
pub fn offset_in_interval(interval: Duration, index: usize, of: usize) -> Duration {
    let nanos = interval.as_nanos() * index as u128 / of.max(1) as u128;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The first time on the grid `anchor + k * interval` that is not before `now`.
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
    fn late_timer_shifts_no_heartbeat() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Some(ms(100)), None);
        assert_eq!(due(&mut schedule, start, 0), [(0, false)]);
        assert_eq!(due(&mut schedule, start, 170), [(100, false)]);
        assert_eq!(due(&mut schedule, start, 200), [(200, false)]);
        assert_eq!(due(&mut schedule, start, 299), []);
    }

    #[test]
    fn heartbeats_missed_in_suspend_are_marked() {
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
    fn without_interval_each_waits_for_the_one_before() {
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
    fn heartbeats_are_spread_evenly() {
        let places: Vec<_> = (0..4).map(|index| offset_in_interval(ms(1000), index, 4)).collect();
        assert_eq!(places, [ms(0), ms(250), ms(500), ms(750)]);
        let many: Vec<_> = (0..20_000).map(|index| offset_in_interval(ms(1000), index, 20_000)).collect();
        assert!(many.windows(2).all(|pair| pair[1] - pair[0] == Duration::from_micros(50)));
        assert!(many.iter().all(|offset_in_interval| *offset_in_interval < ms(1000)));
    }

    #[test]
    fn grid_keeps_its_phase() {
        let anchor = Instant::now();
        let on_grid = |now| (first_on_grid(anchor, ms(100), anchor + ms(now)) - anchor).as_millis();
        assert_eq!([on_grid(0), on_grid(1), on_grid(100), on_grid(250)], [0, 100, 100, 300]);
        assert_eq!(first_on_grid(anchor + ms(5), ms(100), anchor), anchor + ms(5));
    }
}
