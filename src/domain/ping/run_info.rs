//! What a run measures.

use std::time::Duration;

use super::expected_ending::ExpectedEnding;
use super::health::Status;
use super::run_status::RunStatusLimits;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::presets::PresetSelection;

/// Identifies a connection: the target's index and the connection's number within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId {
    /// Index into the run's targets, from 0.
    pub target: usize,
    /// Index among the target's connections, from 0.
    pub index: usize,
}

/// What a run will measure; reported before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// The targets' URLs, redacted, in the order given.
    pub targets: Vec<String>,
    /// Number of connections to each target.
    pub connections_each: usize,
    /// How many of the worst connections to list, if there are too many to list all.
    pub worst: usize,
    /// Whether the JSON document lists every connection, however many there are.
    pub lists_all: bool,
    pub kinds: Vec<HeartbeatKind>,
    /// `None`: each is sent once the previous one was answered or missed.
    pub interval: Option<Duration>,
    pub timeout: Duration,
    /// A silence of this length after a heartbeat left is an outage.
    pub outage_after: Duration,
    /// Heartbeats of each kind on each connection; `None`: until stopped.
    pub count: Option<u64>,
    /// The run ends after this; `None`: when all heartbeats are judged, or it is stopped.
    pub deadline: Option<Duration>,
    /// The preset that the heartbeats come from.
    pub preset: Option<PresetSelection>,
    pub demands: Demands,
}

/// What makes the run pass or fail, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Demands {
    pub limits: RunStatusLimits,
    pub fail_on: String,
    pub fail_if: Vec<String>,
    pub warn_if: Vec<String>,
    pub endings: ExpectedEnding,
}

/// What a run demands unless the user says otherwise.
impl Default for Demands {
    fn default() -> Demands {
        Demands {
            limits: RunStatusLimits::default(),
            fail_on: Status::Poor.label().to_string(),
            fail_if: Vec::new(),
            warn_if: Vec::new(),
            endings: ExpectedEnding::default(),
        }
    }
}

impl RunInfo {
    /// The minimum time from one missed heartbeat to the next.
    pub fn spacing(&self) -> Duration {
        self.interval.unwrap_or(self.timeout)
    }

    pub fn connections(&self) -> usize {
        self.targets.len() * self.connections_each
    }
}
