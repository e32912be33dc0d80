//! The events and the report of a search with real connections.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::finding::{CutManner, IdleFindings, ProvisionalTimeout};
use super::idle_finding::IdleFinding;
use super::middleboxes::ProductNaming;
use super::plan::SearchPlan;
use super::probe::{Observation, ProbeId, ProbeRole};
use super::recommendation::Recommendation;
use super::refresh::{MethodResult, RefreshResults};
use super::search::SearchProgress;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// What a run will measure; reported before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleInfo {
    /// Redacted.
    pub url: String,
    pub search: SearchPlan,
    /// Tries afterwards what keeps the path open.
    pub refresh: bool,
    /// Holds a connection at the recommended interval afterwards.
    pub verify: bool,
    pub expectation: Option<Expectation>,
    /// The preset that the heartbeats come from.
    pub preset: Option<PresetSelection>,
}

/// An observation of a connection, with the connection's role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeSighting {
    pub role: ProbeRole,
    /// The idle span at which it was or will be asked; `None` for a watcher or a control.
    pub ask_at: Option<Duration>,
    pub observation: Observation,
    pub at: SystemTime,
}

/// An event of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum IdleEvent {
    Started {
        at: SystemTime,
        info: Arc<IdleInfo>,
    },
    ProbeOpened {
        probe: ProbeId,
        role: ProbeRole,
        at: SystemTime,
        opened: Arc<ConnectInfo>,
    },
    OpenFailed {
        probe: ProbeId,
        role: ProbeRole,
        at: SystemTime,
        error: Arc<ConnectError>,
    },
    /// An observation, except `Opened`, `OpenFailed` (see above) and the control's answers.
    Seen(ProbeSighting),
    /// The bracket changed.
    Bracket {
        bracket: Bracket,
        elapsed: Duration,
    },
    /// The approximate timeout, not yet confirmed.
    Provisional(ProvisionalTimeout),
    /// The progress, about once a second.
    Progress(SearchProgress),
    /// The search is over; the follow-up takes this long.
    Following {
        lasts: Duration,
    },
    /// A row of the keepalive methods' table is known.
    RefreshRow {
        row: MethodResult,
        elapsed: Duration,
    },
    /// A heartbeat of the connection that verifies the recommendation was answered.
    VerifyBeat {
        beats: u64,
        held: Duration,
        until: Duration,
    },
    /// It is known whether the recommendation holds.
    Verified {
        verified: Verification,
        elapsed: Duration,
    },
    /// The end of the run; always the last event.
    Finished(Box<IdleReport>),
}

/// The result of the connection held at the recommended interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The interval of its heartbeats.
    pub interval: Duration,
    /// How long it was to be held: more than two timeouts.
    pub wanted: Duration,
    /// How long it was held.
    pub held: Duration,
    /// How many heartbeats were answered.
    pub beats: u64,
    pub outcome: VerifyOutcome,
}

/// Whether the recommendation holds.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyOutcome {
    Held,
    /// The connection ended too early.
    Ended(Arc<CloseCause>),
    /// The result is unclear; a lower-case fragment says why.
    Unknown(String),
}

/// Whether the server agreed to speak first after a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TwoEnded {
    /// The server supports it.
    Agreed,
    /// The server does not support it, so the server's direction was not tested alone.
    Refused,
}

/// One or both directions of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    FromServer,
    FromClient,
    Both,
}

impl Direction {
    /// The direction that was lost, known if both ends reported; `None` if the cut does not show it.
    pub fn lost_by(manner: &CutManner) -> Option<Direction> {
        match manner {
            CutManner::ServerUnheard => Some(Direction::FromServer),
            CutManner::ClientUnheard => Some(Direction::FromClient),
            CutManner::Silent => Some(Direction::Both),
            CutManner::Visible(_) | CutManner::OnUse(_) => None,
        }
    }
}

/// The report of a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleReport {
    pub info: Arc<IdleInfo>,
    /// Redacted.
    pub url: String,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The first connection's details; `None` if none opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open the connection.
    pub error: Option<Arc<ConnectError>>,
    pub findings: IdleFindings,
    /// The known products whose timers are consistent with the findings.
    pub naming: ProductNaming,
    pub prescription: Option<Recommendation>,
    /// `None`: not requested, or there was nothing to try.
    pub refresh: Option<RefreshResults>,
    /// `None`: not requested, or nothing to verify.
    pub verified: Option<Verification>,
    pub expectation: Option<(Expectation, Truth)>,
    /// `None`: not requested, or nothing opened.
    pub two_ended: Option<TwoEnded>,
    /// The direction that was lost; known only in a two-ended run that found a silent cut.
    pub lost: Option<Direction>,
    /// Determines the exit code.
    pub verdict: RunResult,
    /// Why, in lower-case fragments: the findings' reasons and every unmet requirement.
    pub reasons: Vec<String>,
    /// Where the run differed from the request, and what else qualifies the figures.
    pub notes: Vec<IdleFinding>,
    /// The user ended the run early.
    pub partial: bool,
}
