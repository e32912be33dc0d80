//! An idle timer such as middleboxes have, played by the server.

use std::time::Duration;

use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::faults::{CutAction, IdleFault, IdleReset};

/// The idle timer of a faulty connection.
#[derive(Debug)]
pub struct IdleTimer {
    pub after: Duration,
    pub cut: CutAction,
    pub linger: Option<Duration>,
    resets: IdleReset,
    messages_only: bool,
    /// When the client last gave a sign of life that counts.
    heard: Instant,
    /// When the server last did.
    spoke: Instant,
}

impl IdleTimer {
    /// `None`: there is no idle timeout. Of a range of timeouts, each connection draws its own.
    pub fn new(fault: &IdleFault, rng: &mut SmallRng, now: Instant) -> Option<IdleTimer> {
        Some(IdleTimer {
            after: fault.after?.draw(rng),
            cut: fault.cut.unwrap_or(CutAction::Fin),
            linger: fault.linger,
            resets: fault.resets.unwrap_or_default(),
            messages_only: fault.messages_only,
            heard: now,
            spoke: now,
        })
    }

    /// Something came from the client: a message, or anything else.
    pub fn heard(&mut self, is_data: bool, now: Instant) {
        if is_data || !self.messages_only {
            self.heard = now;
        }
    }

    /// Something was sent to the client.
    pub fn spoke(&mut self, is_data: bool, now: Instant) {
        if is_data || !self.messages_only {
            self.spoke = now;
        }
    }

    /// When the connection will have been idle for too long.
    pub fn due(&self) -> Instant {
        let alive = match self.resets {
            IdleReset::Either => self.heard.max(self.spoke),
            IdleReset::Client => self.heard,
            IdleReset::Server => self.spoke,
            IdleReset::Both => self.heard.min(self.spoke),
        };
        alive + self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::faults::DurationRange;
    use rand::SeedableRng;

    const S: Duration = Duration::from_secs(1);

    /// When it is due if the client spoke after 1 s and the server after 2 s; timeout 5 s.
    fn due(resets: IdleReset, messages_only: bool, is_data: bool) -> Duration {
        let after = Some(DurationRange { lo: 5 * S, hi: 5 * S });
        let fault = IdleFault { after, resets: Some(resets), messages_only, ..IdleFault::default() };
        let start = Instant::now();
        let mut idle = IdleTimer::new(&fault, &mut SmallRng::seed_from_u64(0), start).unwrap();
        idle.heard(is_data, start + S);
        idle.spoke(is_data, start + 2 * S);
        idle.due() - start
    }

    #[test]
    fn each_direction_resets_what_it_should() {
        assert_eq!(due(IdleReset::Either, false, false), 7 * S);
        assert_eq!(due(IdleReset::Client, false, false), 6 * S);
        assert_eq!(due(IdleReset::Server, false, false), 7 * S);
        assert_eq!(due(IdleReset::Both, false, false), 6 * S);
    }

    #[test]
    fn only_messages_count_where_it_is_so() {
        assert_eq!(due(IdleReset::Either, true, false), 5 * S);
        assert_eq!(due(IdleReset::Either, true, true), 7 * S);
    }
}
