//! When the client sends between two heartbeats, to show whether that moves the second.

use std::time::Duration;

use super::server_event::ServerEventClass;
use crate::domain::stats::interval::Interval;

/// A server's clock, as far as the observations confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatClock {
    pub kind: ServerEventClass,
    pub interval: Interval,
    /// When the last of them came.
    pub last: Duration,
    /// Where the interval to the next one starts: the last heartbeat, or the server's last event of any kind.
    pub from: Duration,
}

/// Positions in the interval, used in turn. At neither does a heartbeat half an interval later coincide with
/// one a whole interval later.
const STIMULUS_POSITIONS: [f64; 2] = [0.3, 0.7];

/// Sends in every other gap, so that the other gaps show the interval.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stimulus {
    sent_count: usize,
    /// The heartbeat after which it last sent.
    after: Option<Duration>,
    /// The heartbeat before which it last sent.
    pause_after: Option<Duration>,
}

impl Stimulus {
    /// When to send before the clock's next heartbeat.
    pub fn due(&self, clock: &HeartbeatClock) -> Option<Duration> {
        let pause_after = self.after == Some(clock.last) || self.pause_after == Some(clock.last);
        let place = STIMULUS_POSITIONS[self.sent_count % STIMULUS_POSITIONS.len()];
        let has_between = !clock.interval.is_burst();
        (has_between && !pause_after).then(|| clock.from + clock.interval.median.mul_f64(place))
    }

    /// Records that the client sent after this heartbeat.
    pub fn record_sent(&mut self, last: Duration) {
        self.sent_count += 1;
        self.after = Some(last);
    }

    /// Records a heartbeat. In the gap after one that was preceded by a stimulus, nothing is sent.
    pub fn record_heartbeat(&mut self, before: Duration, at: Duration) {
        if self.after == Some(before) {
            self.pause_after = Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::server_event::ServerEventKind;
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn clock(last: u64, from: u64) -> HeartbeatClock {
        let interval = Interval::of([s(10), s(10)]).unwrap();
        HeartbeatClock { kind: ServerEventKind::Ping.into(), interval, last: s(last), from: s(from) }
    }

    #[test]
    fn stimulus_is_sent_in_every_other_gap_at_two_positions() {
        let mut stimulus = Stimulus::default();
        assert_eq!(stimulus.due(&clock(30, 30)), Some(s(33)));
        stimulus.record_sent(s(30));
        assert_eq!(stimulus.due(&clock(30, 30)), None, "once in a gap");
        let burst = HeartbeatClock { interval: Interval::of([Duration::ZERO; 9]).unwrap(), ..clock(30, 30) };
        assert_eq!(Stimulus::default().due(&burst), None, "there is no gap");
        stimulus.record_heartbeat(s(30), s(40));
        assert_eq!(stimulus.due(&clock(40, 40)), None, "this gap shows the interval");
        stimulus.record_heartbeat(s(40), s(50));
        assert_eq!(stimulus.due(&clock(50, 50)), Some(s(57)));
        assert_eq!(stimulus.due(&clock(50, 54)), Some(s(61)), "the server said something else meanwhile");
    }
}
