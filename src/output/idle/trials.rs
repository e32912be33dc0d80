//! What became of each silent connection, gathered from the events of a run.

use std::time::{Duration, SystemTime};

use crate::domain::idle::report::{IdleEvent, ProbeSighting};
use crate::domain::idle::{CutManner, ProbeEvent, ProbeId, ProbeRole, VisibleEnd};

/// More than a search ever opens; whatever tells of more, memory stays bounded.
const MAX_TRIALS: usize = 5000;

/// One connection that came to its end, or was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub probe: ProbeId,
    pub role: ProbeRole,
    /// Time without traffic; for a control, time since its last answer.
    pub idle: Duration,
    /// The RTT of the answer to its question, or how it was cut.
    pub outcome: Result<Duration, CutManner>,
    pub at: SystemTime,
}

impl Trial {
    /// The ending that was seen, where one was.
    pub fn visible_end(&self) -> Option<&VisibleEnd> {
        self.outcome.as_ref().err().and_then(CutManner::visible_end)
    }

    /// What a sighting says of a connection's end; `None` when it goes on.
    pub fn of(sighting: &ProbeSighting) -> Option<Trial> {
        let (idle, outcome) = match &sighting.observation.seen {
            ProbeEvent::Survived { idle, rtt } => (*idle, Ok(*rtt)),
            ProbeEvent::Died { idle, death } => (*idle, Err(CutManner::from(death))),
            ProbeEvent::Ended { idle, visible_end } => (*idle, Err(CutManner::Visible(visible_end.clone()))),
            ProbeEvent::Opened
            | ProbeEvent::OpenFailed { .. }
            | ProbeEvent::Beat
            | ProbeEvent::Asked { .. }
            | ProbeEvent::ServerMessage { .. }
            | ProbeEvent::HeldBack { .. }
            | ProbeEvent::Replied => {
                return None;
            }
        };
        let probe = sighting.observation.probe;
        Some(Trial { probe, role: sighting.role, idle, outcome, at: sighting.at })
    }
}

/// All of them, in the order in which they were over.
#[derive(Debug, Default)]
pub struct TrialTable(Vec<Trial>);

impl TrialTable {
    /// Takes in what an event says.
    pub fn note(&mut self, event: &IdleEvent) {
        let IdleEvent::Seen(sighting) = event else { return };
        if self.0.len() < MAX_TRIALS {
            self.0.extend(Trial::of(sighting));
        }
    }

    pub fn all(&self) -> &[Trial] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::Observation;

    #[test]
    fn memory_stays_bounded() {
        let seen = ProbeEvent::Survived { idle: Duration::ZERO, rtt: Duration::ZERO };
        let observation = Observation { probe: ProbeId(1), at: Duration::ZERO, seen };
        let at = SystemTime::UNIX_EPOCH;
        let event = IdleEvent::Seen(ProbeSighting { role: ProbeRole::Trial, observation, at });
        let mut trials = TrialTable::default();
        (0..MAX_TRIALS + 10).for_each(|_| trials.note(&event));
        assert_eq!(trials.all().len(), MAX_TRIALS);
    }
}
