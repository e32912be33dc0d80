//! What the server says, told as it is said; of a flood, every few milliseconds how much of each kind it was.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::listen::ServerEventClass;

/// At most so often is one kind told.
const REPORT_INTERVAL: Duration = Duration::from_millis(10);

/// What is still to be told.
#[derive(Debug, Default)]
pub struct ServerEventThrottle {
    kinds: Vec<(ServerEventClass, u64, Instant)>,
}

impl ServerEventThrottle {
    /// Takes one; gives how many are to be told now.
    pub fn note(&mut self, kind: ServerEventClass, now: Instant) -> Option<u64> {
        let Some((_, untold, told)) = self.kinds.iter_mut().find(|(known, _, _)| *known == kind) else {
            self.kinds.push((kind, 0, now));
            return Some(1);
        };
        *untold += 1;
        if now < *told + REPORT_INTERVAL {
            return None;
        }
        *told = now;
        Some(std::mem::take(untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::listen::ServerEventKind;

    #[test]
    fn a_flood_is_told_in_counts() {
        let (mut throttle, start) = (ServerEventThrottle::default(), Instant::now());
        assert_eq!(throttle.note(ServerEventKind::Ping.into(), start), Some(1));
        for _ in 0..100 {
            assert_eq!(throttle.note(ServerEventKind::Ping.into(), start), None);
        }
        assert_eq!(throttle.note(ServerEventKind::Pong.into(), start), Some(1));
        assert_eq!(throttle.note(ServerEventKind::Ping.into(), start + REPORT_INTERVAL), Some(101));
    }
}
