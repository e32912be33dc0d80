//! The rule for pings that the reply to a later ping passes over.

use std::time::Duration;

use super::HeartbeatOutcome;
use crate::domain::nanos::Nanos;

/// A reply is slow when its RTT is more than this many times the largest RTT before it ...
const SLOW_RTT_FACTOR: u32 = 2;
/// ... and more than this part of the time between the two pings.
const SLOW_GAP_DIVISOR: u32 = 10;

/// The largest RTT of a connection so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct LargestRtt(Option<Nanos>);

impl LargestRtt {
    /// Records the RTT of a reply; returns the largest RTT before it, 0 if there was none.
    pub fn record(&mut self, rtt: Duration) -> Duration {
        let before = self.0.map(Duration::from).unwrap_or_default();
        self.0 = Some(before.max(rtt).into());
        before
    }
}

/// The outcome of all pings that one reply passes over; they have no reply of their own so far.
///
/// - `gap`: from the last ping passed over to the answered ping
/// - `rtt`: of the reply
/// - `largest_before`: the largest RTT on this connection before the reply, 0 if there was none
///
/// RFC 6455 section 5.5.3 lets a server that holds several pings answer only the latest. So they are `superseded` when
/// the server may have held the last of them and the answered ping at once:
///
/// 1. the gap is at most the largest RTT so far, the reply's included; or
/// 2. the reply was slow: its RTT is more than twice the largest RTT before it, and more than a tenth of the gap. Then
///    the server was busy when the answered ping came.
///
/// Otherwise the server had time to answer them first, and they are `missed`.
pub fn outcome(gap: Duration, rtt: Duration, largest_before: Duration) -> HeartbeatOutcome {
    let may_overlap = gap <= largest_before.max(rtt);
    let is_slow =
        rtt > largest_before.saturating_mul(SLOW_RTT_FACTOR) && rtt.saturating_mul(SLOW_GAP_DIVISOR) > gap;
    if may_overlap || is_slow { HeartbeatOutcome::Superseded } else { HeartbeatOutcome::Missed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn of(gap: u64, rtt: u64, largest_before: u64) -> HeartbeatOutcome {
        outcome(ms(gap), ms(rtt), ms(largest_before))
    }

    #[test]
    fn gap_up_to_largest_rtt_is_superseded() {
        assert_eq!(
            [of(100, 20, 100), of(101, 20, 100)],
            [HeartbeatOutcome::Superseded, HeartbeatOutcome::Missed]
        );
        assert_eq!([of(30, 30, 20), of(0, 0, 0)], [HeartbeatOutcome::Superseded; 2]);
    }

    #[test]
    fn slow_reply_is_superseded() {
        assert_eq!(
            [of(100, 41, 20), of(100, 40, 20)],
            [HeartbeatOutcome::Superseded, HeartbeatOutcome::Missed]
        );
        assert_eq!(
            [of(100, 11, 5), of(100, 10, 4)],
            [HeartbeatOutcome::Superseded, HeartbeatOutcome::Missed]
        );
        assert_eq!(
            [of(100, 11, 0), of(100, 10, 0)],
            [HeartbeatOutcome::Superseded, HeartbeatOutcome::Missed]
        );
    }

    #[test]
    fn extreme_durations_do_not_overflow() {
        assert_eq!(outcome(Duration::MAX, Duration::MAX, Duration::MAX), HeartbeatOutcome::Superseded);
        assert_eq!(outcome(Duration::MAX, Duration::ZERO, Duration::ZERO), HeartbeatOutcome::Missed);
    }

    #[test]
    fn largest_rtt_returns_the_one_before() {
        let mut largest = LargestRtt::default();
        assert_eq!([20, 10, 30, 5].map(|n| largest.record(ms(n))), [ms(0), ms(20), ms(20), ms(30)]);
    }
}
