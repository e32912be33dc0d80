//! The events and the report of a search with real connections.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use super::direction::{Direction, TwoEnded};
use super::finding::{IdleFindings, ProvisionalTimeout};
use super::idle_finding::IdleFinding;
use super::plan::SearchPlan;
use super::probe::{Observation, ProbeId, ProbeRole};
use super::product_naming::ProductNaming;
use super::reason::IdleReason;
use super::recommendation::Recommendation;
use super::refresh::{MethodResult, RefreshResults};
use super::search::SearchProgress;
pub use super::verification::{Verification, VerifyOutcome};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::presets::PresetSelection;
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

/// The report of a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleReport {
    pub info: Arc<IdleInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The first connection's details; `None` if none opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open the connection.
    pub error: Option<Arc<ConnectError>>,
    pub findings: IdleFindings,
    /// The known products whose timers are consistent with the findings.
    pub naming: ProductNaming,
    pub recommendation: Option<Recommendation>,
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
    /// Why: the findings' reasons and every unmet requirement.
    pub reasons: Vec<IdleReason>,
    /// Where the run differed from the request, and what else qualifies the figures.
    pub notes: Vec<IdleFinding>,
    /// The user ended the run early.
    pub partial: bool,
}
