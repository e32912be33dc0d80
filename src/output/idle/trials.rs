//! What became of each silent connection, gathered from the events of a run.

use std::time::{Duration, SystemTime};

use crate::domain::idle::report::{IdleEvent, Sighting};
use crate::domain::idle::{Cut, Death, ProbeId, Role, Seen};

/// More than a search ever opens; whatever tells of more, memory stays bounded.
const MAX_TRIALS: usize = 5000;

/// One connection that came to its end, or was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    pub probe: ProbeId,
    pub role: Role,
    /// For how long nothing had passed; of a control, since its last answer.
    pub idle: Duration,
    pub outcome: TrialEnd,
    pub at: SystemTime,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialEnd {
    /// It was asked and answered.
    Survived { rtt: Duration },
    /// It was asked, and found dead.
    Died(Death),
    /// It was seen to end before it was asked.
    Ended(Cut),
}

impl TrialEnd {
    /// The ending that was seen, where one was.
    pub fn cut(&self) -> Option<&Cut> {
        match self {
            TrialEnd::Ended(cut) | TrialEnd::Died(Death::CutOnUse(cut)) => Some(cut),
            TrialEnd::Survived { .. }
            | TrialEnd::Died(Death::Unanswered | Death::ServerUnheard | Death::ClientUnheard) => None,
        }
    }
}

impl Trial {
    /// What a sighting says of a connection's end; `None` when it goes on.
    pub fn of(sighting: &Sighting) -> Option<Trial> {
        let (idle, outcome) = match &sighting.observation.seen {
            Seen::Survived { idle, rtt } => (*idle, TrialEnd::Survived { rtt: *rtt }),
            Seen::Died { idle, death } => (*idle, TrialEnd::Died(death.clone())),
            Seen::Ended { idle, cut } => (*idle, TrialEnd::Ended(cut.clone())),
            Seen::Opened
            | Seen::OpenFailed { .. }
            | Seen::Beat
            | Seen::Asked { .. }
            | Seen::Spoke { .. }
            | Seen::Replied => {
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
    fn memory_stays_bounded_whatever_is_told() {
        let seen = Seen::Survived { idle: Duration::ZERO, rtt: Duration::ZERO };
        let observation = Observation { probe: ProbeId(1), at: Duration::ZERO, seen };
        let at = SystemTime::UNIX_EPOCH;
        let event = IdleEvent::Seen(Sighting { role: Role::Trial, ask_at: None, observation, at });
        let mut trials = TrialTable::default();
        (0..MAX_TRIALS + 10).for_each(|_| trials.note(&event));
        assert_eq!(trials.all().len(), MAX_TRIALS);
    }
}
