//! What listening tells while it runs, and its report.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::findings::ListenFindings;
use super::server_event::ServerEventKind;
use crate::domain::connection::close_cause::{CloseCause, CloseReply};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::presets::PresetSelection;

/// What is to be done, told before anything is.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenInfo {
    /// Redacted.
    pub url: String,
    /// Listen for so long.
    pub listen_for: Duration,
    /// Or until so many heartbeats were heard.
    pub count: Option<u64>,
    /// The client answers.
    pub answer: bool,
    /// The client says something between heartbeats.
    pub talk: bool,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ListenEvent {
    Started {
        at: SystemTime,
        info: Arc<ListenInfo>,
    },
    Opened {
        at: SystemTime,
        opened: Arc<ConnectInfo>,
    },
    /// The server said something; of a flood, so many at once.
    Said(ServerEventNotice),
    /// The client said something of its own, this long after the opening.
    Talked {
        at: SystemTime,
        age: Duration,
    },
    /// The connection ended before its time.
    Ended(Arc<CloseCause>),
    /// How far it is; about once a second.
    Progress(ListenProgress),
    /// The end of the run; always the last event.
    Finished(Box<ListenReport>),
}

/// What the server said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEventNotice {
    pub at: SystemTime,
    pub sound: ServerEventKind,
    pub shape: Option<&'static str>,
    /// How many, since this kind was last told.
    pub count: u64,
    /// Since the opening, of the last of them.
    pub age: Duration,
    /// From the one before of its kind.
    pub gap: Option<Duration>,
    pub text: UntrustedText,
    /// A good client answers it, and it was answered.
    pub answered: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenProgress {
    pub listened: Duration,
    pub until: Duration,
    pub heartbeats: u64,
    pub interval: Option<Duration>,
}

/// The whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenReport {
    pub info: Arc<ListenInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    pub findings: ListenFindings,
    /// How the connection ended, where the peer or the path ended it.
    pub ending: Option<Arc<CloseCause>>,
    /// How the peer took our close, where we ended it.
    pub close_reply: Option<CloseReply>,
    /// What the run comes to: the exit code.
    pub verdict: RunResult,
    pub reasons: Vec<String>,
    /// The user ended it before it was done.
    pub partial: bool,
}
