//! What a run tells while its clients die, and its report.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::behaviour::Behaviour;
use super::client_record::ClientEnd;
use super::findings::ZombieFindings;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// What is to be done, told before anything is.
#[derive(Debug, Clone, PartialEq)]
pub struct ZombieInfo {
    /// Redacted.
    pub url: String,
    /// Each client but the control is waited for so long at most.
    pub max: Duration,
    /// How often the control, and the client of Pings only, send something.
    pub every: Duration,
    pub expectation: Option<Expectation>,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum ZombieEvent {
    Started {
        at: SystemTime,
        info: Arc<ZombieInfo>,
    },
    Opened {
        way: Behaviour,
        at: SystemTime,
        opened: Arc<ConnectInfo>,
    },
    OpenFailed {
        way: Behaviour,
        at: SystemTime,
        error: Arc<ConnectError>,
    },
    /// The server sent a heartbeat; of a flood, so many at once.
    Said {
        way: Behaviour,
        said: ServerEventNotice,
    },
    /// A client's life is over, or was long enough.
    Over {
        way: Behaviour,
        at: SystemTime,
        fate: ClientEnd,
        unanswered: Option<u64>,
    },
    /// How far it is; about once a second.
    Progress(ZombieProgress),
    /// The end of the run; always the last event.
    Finished(Box<ZombieReport>),
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZombieProgress {
    pub elapsed: Duration,
    /// It is done by then at the latest.
    pub until: Duration,
    /// Those that are still there, the control left out.
    pub alive: Vec<Behaviour>,
    /// Those that the server let go.
    pub gone: Vec<(Behaviour, ClientEnd)>,
}

/// The whole run.
#[derive(Debug, Clone)]
pub struct ZombieReport {
    pub info: Arc<ZombieInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The first opening's facts; `None` if nothing ever opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open, where there was one.
    pub error: Option<Arc<ConnectError>>,
    pub findings: ZombieFindings,
    pub expectation: Option<(Expectation, Truth)>,
    /// What the run comes to: the exit code.
    pub verdict: RunResult,
    pub reasons: Vec<String>,
    /// The user ended it before it was done.
    pub partial: bool,
}
