//! The events and the report of a run.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::behaviour::Behaviour;
use super::client_record::ClientEnd;
use super::findings::ZombieFindings;
use super::zombie_finding::ZombieFinding;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::presets::PresetSelection;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// What a run will do; reported before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ZombieInfo {
    /// Redacted.
    pub url: String,
    /// Maximum time to observe each client but the control.
    pub max: Duration,
    /// How often the control and the Pings-only client send.
    pub every: Duration,
    pub expectation: Option<Expectation>,
    /// The preset that the heartbeats come from.
    pub preset: Option<PresetSelection>,
}

/// An event of a run.
#[derive(Debug, Clone)]
pub enum ZombieEvent {
    Started {
        at: SystemTime,
        info: Arc<ZombieInfo>,
    },
    Opened {
        behaviour: Behaviour,
        at: SystemTime,
        opened: Arc<ConnectInfo>,
    },
    OpenFailed {
        behaviour: Behaviour,
        at: SystemTime,
        error: Arc<ConnectError>,
    },
    /// The server sent a heartbeat; in a flood, several together.
    Received {
        behaviour: Behaviour,
        notice: ServerEventNotice,
    },
    /// A client ended, or was observed long enough.
    Over {
        behaviour: Behaviour,
        at: SystemTime,
        end: ClientEnd,
        unanswered: Option<u64>,
    },
    /// The progress, about once a second.
    Progress(ZombieProgress),
    /// The end of the run; always the last event.
    Finished(Box<ZombieReport>),
}

/// The progress of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZombieProgress {
    /// The run ends by then.
    pub until: Duration,
    /// Clients still open, except the control.
    pub alive: Vec<Behaviour>,
    /// Clients that the server closed.
    pub ended: Vec<(Behaviour, ClientEnd)>,
}

/// The report of a whole run.
#[derive(Debug, Clone)]
pub struct ZombieReport {
    pub info: Arc<ZombieInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The first connection's details; `None` if none opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open the connection.
    pub error: Option<Arc<ConnectError>>,
    pub findings: ZombieFindings,
    pub expectation: Option<(Expectation, Truth)>,
    /// Determines the exit code.
    pub verdict: RunResult,
    /// Why.
    pub reasons: Vec<ZombieFinding>,
    /// The user ended the run early.
    pub partial: bool,
}
