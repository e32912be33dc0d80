//! The events and the report of listening.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::findings::ListenFindings;
use super::listen_finding::ListenFinding;
use super::server_event::ServerEventKind;
use crate::domain::connection::close_cause::{CloseCause, CloseReply};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::presets::PresetSelection;

/// What a run will do; reported before it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenInfo {
    /// Redacted.
    pub url: String,
    /// Maximum duration.
    pub listen_for: Duration,
    /// Stop after this many heartbeats.
    pub count: Option<u64>,
    /// Whether the client answers heartbeats.
    pub answer: bool,
    /// The client sends between heartbeats.
    pub talk: bool,
    /// The preset that the heartbeats come from.
    pub preset: Option<PresetSelection>,
}

/// An event of a run.
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
    /// The server sent something; in a flood, several together.
    Received(ServerEventNotice),
    /// The client sent something of its own, this long after the opening.
    StimulusSent {
        at: SystemTime,
        age: Duration,
    },
    /// The connection ended early.
    Ended(Arc<CloseCause>),
    /// The progress, about once a second.
    Progress(ListenProgress),
    /// The end of the run; always the last event.
    Finished(Box<ListenReport>),
}

/// What the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEventNotice {
    pub at: SystemTime,
    pub event_kind: ServerEventKind,
    pub shape: Option<&'static str>,
    /// How many since the last notice of this kind.
    pub count: u64,
    /// Of the last one, since the opening.
    pub age: Duration,
    /// The gap to the previous one of its kind.
    pub gap: Option<Duration>,
    pub text: UntrustedText,
    /// It asks for an answer, and was answered.
    pub answered: bool,
}

/// The progress of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenProgress {
    pub listened: Duration,
    pub until: Duration,
    pub heartbeats: u64,
    pub interval: Option<Duration>,
}

/// The report of a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenReport {
    pub info: Arc<ListenInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    pub findings: ListenFindings,
    /// How the connection ended, if the peer or the path ended it.
    pub ending: Option<Arc<CloseCause>>,
    /// How the peer reacted to our close, if we ended it.
    pub close_reply: Option<CloseReply>,
    /// Determines the exit code.
    pub verdict: RunResult,
    /// Why.
    pub reasons: Vec<ListenFinding>,
    /// The user ended the run early.
    pub partial: bool,
}
