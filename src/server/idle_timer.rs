//! Simulates a middlebox's idle timer.

use std::time::Duration;

use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::faults::{CutAction, IdleFault, IdleReset};

/// The idle timer of a connection.
#[derive(Debug)]
pub struct IdleTimer {
    pub after: Duration,
    pub cut: CutAction,
    pub linger: Option<Duration>,
    resets: IdleReset,
    messages_only: bool,
    /// When the client last sent data that resets the timer.
    last_received: Instant,
    /// When the server last did.
    last_sent: Instant,
}

impl IdleTimer {
    /// `None` if there is no idle timeout. Draws the timeout if it is a range.
    pub fn new(fault: &IdleFault, rng: &mut SmallRng, now: Instant) -> Option<IdleTimer> {
        Some(IdleTimer {
            after: fault.after?.draw(rng),
            cut: fault.cut.unwrap_or(CutAction::Fin),
            linger: fault.linger,
            resets: fault.resets.unwrap_or_default(),
            messages_only: fault.messages_only,
            last_received: now,
            last_sent: now,
        })
    }

    /// Records data from the client: a message or anything else.
    pub fn record_received(&mut self, is_data: bool, now: Instant) {
        if is_data || !self.messages_only {
            self.last_received = now;
        }
    }

    /// Records data sent to the client.
    pub fn record_sent(&mut self, is_data: bool, now: Instant) {
        if is_data || !self.messages_only {
            self.last_sent = now;
        }
    }

    /// When the timeout expires.
    pub fn due(&self) -> Instant {
        let last_activity = match self.resets {
            IdleReset::Either => self.last_received.max(self.last_sent),
            IdleReset::Client => self.last_received,
            IdleReset::Server => self.last_sent,
            IdleReset::Both => self.last_received.min(self.last_sent),
        };
        last_activity + self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::faults::DurationRange;
    use rand::SeedableRng;

    const S: Duration = Duration::from_secs(1);

    /// When it is due if the client sent after 1 s and the server after 2 s, with a timeout of 5 s.
    fn due(resets: IdleReset, messages_only: bool, is_data: bool) -> Duration {
        let after = Some(DurationRange { lo: 5 * S, hi: 5 * S });
        let fault = IdleFault { after, resets: Some(resets), messages_only, ..IdleFault::default() };
        let start = Instant::now();
        let mut idle = IdleTimer::new(&fault, &mut SmallRng::seed_from_u64(0), start).unwrap();
        idle.record_received(is_data, start + S);
        idle.record_sent(is_data, start + 2 * S);
        idle.due() - start
    }

    #[test]
    fn each_direction_resets_its_timer() {
        assert_eq!(due(IdleReset::Either, false, false), 7 * S);
        assert_eq!(due(IdleReset::Client, false, false), 6 * S);
        assert_eq!(due(IdleReset::Server, false, false), 7 * S);
        assert_eq!(due(IdleReset::Both, false, false), 6 * S);
    }

    #[test]
    fn only_messages_count_if_configured() {
        assert_eq!(due(IdleReset::Either, true, false), 5 * S);
        assert_eq!(due(IdleReset::Either, true, true), 7 * S);
    }
}
