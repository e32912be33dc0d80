//! What the exporter's page shows of each kept target.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::HeartbeatResult;
use crate::domain::ping::health::Status;
use crate::domain::ping::outages::Outages;

/// The most heartbeats of a target that are kept for its chart.
pub const MAX_RECENT_HEARTBEATS: usize = 120;
/// The most targets on the page.
pub const MAX_SHOWN_TARGETS: usize = 100;

/// A heartbeat of the chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentHeartbeat {
    pub kind: HeartbeatKind,
    pub seq: u64,
    /// When its outcome was known, since the start.
    pub at: Duration,
    pub outcome: HeartbeatOutcome,
    pub rtt: Option<Duration>,
}

/// The latest heartbeats of a target, in bounded memory.
#[derive(Debug, Clone, Default)]
pub struct RecentHeartbeats(VecDeque<RecentHeartbeat>);

impl RecentHeartbeats {
    /// Notes an outcome, or its correction by a reply that came later.
    pub fn note(&mut self, at: Duration, result: &HeartbeatResult) {
        let HeartbeatResult { kind, seq, outcome, rtt, .. } = *result;
        if result.was.is_some() {
            let known = self.0.iter_mut().rev().find(|known| (known.kind, known.seq) == (kind, seq));
            if let Some(known) = known {
                (known.outcome, known.rtt) = (outcome, rtt);
            }
            return;
        }
        if self.0.len() == MAX_RECENT_HEARTBEATS {
            self.0.pop_front();
        }
        self.0.push_back(RecentHeartbeat { kind, seq, at, outcome, rtt });
    }

    /// In order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &RecentHeartbeat> + ExactSizeIterator {
        self.0.iter()
    }
}

/// A kept target as it is now.
#[derive(Debug, Clone)]
pub struct LiveTarget {
    /// No other target ever has it.
    pub id: u64,
    /// `None`: it is of the command line.
    pub name: Option<String>,
    /// The redacted URL.
    pub url: String,
    pub status: Status,
    /// The connection is open and answers.
    pub is_up: bool,
    /// `None`: no connection is open.
    pub open_for: Option<Duration>,
    pub recent: RecentHeartbeats,
    pub outages: Outages,
}

/// The targets as they are now.
#[derive(Debug, Clone)]
pub struct LiveTargets {
    /// At most [`MAX_SHOWN_TARGETS`].
    pub shown: Vec<LiveTarget>,
    /// How many there are, and how many of them are up.
    pub all: usize,
    pub up: usize,
    /// When all times began.
    pub started_at: SystemTime,
    /// Since then.
    pub now: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(seq: u64, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) -> HeartbeatResult {
        HeartbeatResult {
            kind: HeartbeatKind::Protocol,
            seq,
            outcome,
            was,
            rtt: (outcome != HeartbeatOutcome::Missed).then_some(Duration::from_millis(1)),
            lag: None,
            to_wire: None,
            from_wire: None,
            acked: None,
            later_answered: false,
            exhausted_window: None,
            sent_again: None,
            rivals: 1,
        }
    }

    #[test]
    fn latest_heartbeats_are_kept_and_corrected() {
        let mut recent = RecentHeartbeats::default();
        for seq in 0..1000 {
            recent.note(Duration::from_secs(seq), &beat(seq, HeartbeatOutcome::Missed, None));
        }
        recent.note(
            Duration::from_secs(1001),
            &beat(998, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed)),
        );
        // It is no longer kept.
        recent.note(
            Duration::from_secs(1002),
            &beat(3, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed)),
        );
        let all: Vec<_> = recent.iter().copied().collect();
        assert_eq!((all.len(), all[0].seq), (MAX_RECENT_HEARTBEATS, 1000 - MAX_RECENT_HEARTBEATS as u64));
        let late: Vec<_> = all.iter().filter(|one| one.outcome == HeartbeatOutcome::Late).collect();
        assert_eq!(late.len(), 1);
        assert_eq!((late[0].seq, late[0].at), (998, Duration::from_secs(998)));
    }
}
