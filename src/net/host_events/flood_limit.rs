//! Bounds how many events are listed: a flood becomes a few events and a count.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::rate_limit::RateLimit;
use crate::domain::watch::host_event::HostEvent;

/// Events that are listed at once.
pub const MAX_BURST: u32 = 32;
/// Minimum mean time between two events.
pub const MIN_MEAN_INTERVAL: Duration = Duration::from_millis(100);

/// Decides which events are listed, and counts the others.
#[derive(Debug)]
pub struct FloodLimit {
    started: Instant,
    limit: RateLimit,
    /// Events that were neither listed nor reported as a count.
    suppressed: u64,
}

impl FloodLimit {
    /// Starts now.
    pub fn start() -> FloodLimit {
        let limit = RateLimit::new(MIN_MEAN_INTERVAL, MAX_BURST);
        FloodLimit { started: Instant::now(), limit, suppressed: 0 }
    }

    /// Whether an event is listed; otherwise it is counted. The count comes first, once there is one.
    pub fn admits(&mut self, now: Instant) -> bool {
        let is_admitted =
            self.suppressed == 0 && self.limit.take(now.saturating_duration_since(self.started));
        self.suppressed += u64::from(!is_admitted);
        is_admitted
    }

    /// The events that were only counted, as one event, when it may be listed.
    pub fn take_suppressed(&mut self) -> Option<HostEvent> {
        if self.suppressed == 0 || !self.limit.take(self.started.elapsed()) {
            return None;
        }
        Some(HostEvent::NetworkChanged { changes: Some(std::mem::take(&mut self.suppressed)) })
    }

    /// When [`take_suppressed`](Self::take_suppressed) has the next event; `None` if all were listed.
    pub fn next_report(&self) -> Option<Instant> {
        (self.suppressed > 0).then(|| self.started + self.limit.next_at())
    }
}
