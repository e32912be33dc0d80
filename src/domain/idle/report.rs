//! What a search with real connections tells while it runs, and its report.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::finding::{CutManner, IdleFindings, ProvisionalTimeout};
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

/// What is to be measured, told before anything is.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleInfo {
    /// Redacted.
    pub url: String,
    pub search: SearchPlan,
    /// Afterwards it is tried what keeps the path open.
    pub refresh: bool,
    /// Afterwards a connection is held at the prescribed interval.
    pub verify: bool,
    pub expectation: Option<Expectation>,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
}

/// One thing that was seen of a connection, with what the connection is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeSighting {
    pub role: ProbeRole,
    /// The idle span at which it was, or is, to be asked; `None`: it is held silent, or a control.
    pub ask_at: Option<Duration>,
    pub observation: Observation,
    /// When.
    pub at: SystemTime,
}

/// Something that happened in a run.
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
    /// `ConnectInfo` and `OpenFailed` are not told so, but as above; nor is each of the control's answers.
    Seen(ProbeSighting),
    /// The bracket so far is another.
    Bracket {
        bracket: Bracket,
        elapsed: Duration,
    },
    /// About when connections end, before it is confirmed.
    Provisional(ProvisionalTimeout),
    /// How far it is; about once a second.
    Progress(SearchProgress),
    /// The search is over; what follows it takes so long.
    Following {
        lasts: Duration,
    },
    /// One row of the table of what keeps the path open is known.
    RefreshRow {
        row: MethodResult,
        elapsed: Duration,
    },
    /// A heartbeat of the connection that is held to verify the prescription was answered.
    VerifyBeat {
        beats: u64,
        held: Duration,
        until: Duration,
    },
    /// It is known whether the prescription holds.
    Verified {
        verified: Verification,
        elapsed: Duration,
    },
    /// The end of the run; always the last event.
    Finished(Box<IdleReport>),
}

/// What became of the connection that was held at the prescribed interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    /// The interval of its heartbeats.
    pub interval: Duration,
    /// For how long it was to be held: past two timeouts.
    pub wanted: Duration,
    /// For how long it was.
    pub held: Duration,
    /// Heartbeats that were answered.
    pub beats: u64,
    pub outcome: VerifyOutcome,
}

/// Whether the prescription holds.
#[derive(Debug, Clone, PartialEq)]
pub enum VerifyOutcome {
    Held,
    /// It ended before.
    Ended(Arc<CloseCause>),
    /// It was not to be known; a lower-case fragment says why.
    Untold(String),
}

/// Whether the server could be asked to speak first after a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TwoEnded {
    /// The server is one that does, and it did.
    Agreed,
    /// The server is not one that does: only what follows our own words was seen.
    Refused,
}

/// One direction of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    FromServer,
    FromClient,
    Both,
}

impl Direction {
    /// The direction that a cut shows to be lost, to who heard both ends; `None` when it does not tell.
    pub fn lost_by(manner: &CutManner) -> Option<Direction> {
        match manner {
            CutManner::ServerUnheard => Some(Direction::FromServer),
            CutManner::ClientUnheard => Some(Direction::FromClient),
            CutManner::Silent => Some(Direction::Both),
            CutManner::Visible(_) | CutManner::OnUse(_) => None,
        }
    }
}

/// The whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleReport {
    pub info: Arc<IdleInfo>,
    /// Redacted.
    pub url: String,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The first opening's facts; `None` if nothing ever opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open, where there was one.
    pub error: Option<Arc<ConnectError>>,
    /// The manner of the cut is among them.
    pub findings: IdleFindings,
    /// The known timers that are consistent with it.
    pub naming: ProductNaming,
    pub prescription: Option<Recommendation>,
    /// `None`: not asked for, or there was nothing to try.
    pub refresh: Option<RefreshResults>,
    /// `None`: not asked for, or nothing to verify.
    pub verified: Option<Verification>,
    pub expectation: Option<(Expectation, Truth)>,
    /// `None`: not asked for, or nothing opened.
    pub two_ended: Option<TwoEnded>,
    /// The direction that was lost; known only of a two-ended run that found a silent cut.
    pub lost: Option<Direction>,
    /// What the run comes to: the exit code.
    pub verdict: RunResult,
    /// Why, in lower-case fragments: the findings' own, and what was found wanting.
    pub reasons: Vec<String>,
    /// What was asked for and was done otherwise, or not at all, and what else a reader of the figures must know.
    pub notes: Vec<String>,
    /// The user ended it before it was done.
    pub partial: bool,
}
