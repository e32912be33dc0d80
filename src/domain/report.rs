//! What a run found: the figures, the verdict and its reasons.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::ending::Ending;
use super::event::RunInfo;
use super::health::Status;
use super::heartbeat::Kind;
use super::opening::{OpenError, Opened};
use super::stats::{Counts, JitterSummary, LagSummary, RttSummary};

/// The figures of one kind of heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub struct KindReport {
    pub kind: Kind,
    pub status: Status,
    pub counts: Counts,
    /// `None` before the first answer.
    pub rtt: Option<RttSummary>,
    pub jitter: JitterSummary,
    /// RTT histogram for drawing: upper bound of each bucket and its count, ascending.
    pub histogram: Vec<(Duration, u64)>,
}

/// One connection (with all its reconnections) of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnReport {
    pub index: usize,
    pub status: Status,
    pub status_reason: String,
    /// The first opening's facts; `None` if it never opened.
    pub opened: Option<Arc<Opened>>,
    /// The last failure to open, where there was one.
    pub open_error: Option<Arc<OpenError>>,
    pub kinds: Vec<KindReport>,
    /// The last ending.
    pub ending: Option<Arc<Ending>>,
    /// Endings that were not planned, reconnected or not.
    pub unplanned_endings: u32,
    pub reconnects: u32,
    /// Time without a connection, after the first opening.
    pub outage: Duration,
    /// Ordinary messages from the server.
    pub messages: u64,
    pub server_pings_protocol: u64,
    pub server_pings_app: u64,
    /// Our own app pings that came back unchanged.
    pub echoes: u64,
}

/// One target: all of its connections together.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReport {
    /// Redacted.
    pub url: String,
    /// The worst of its connections.
    pub status: Status,
    pub kinds: Vec<KindReport>,
    pub connections: Vec<ConnReport>,
}

/// What the run comes to, and with it the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Measured, and nothing was found wanting.
    Passed,
    /// Measured, and found wanting.
    Failed,
    /// Never measured.
    NotMeasured,
    /// It ran, but the evidence does not support an answer.
    Inconclusive,
    /// Interrupted before there was anything to report.
    Interrupted,
}

impl Verdict {
    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::NotMeasured => "not_measured",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Interrupted => "interrupted",
        }
    }

    /// The process' exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Passed => 0,
            Verdict::Failed => 1,
            Verdict::NotMeasured => 3,
            Verdict::Inconclusive => 4,
            Verdict::Interrupted => 130,
        }
    }
}

/// Whether this host was quiet enough for the figures to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measurement {
    Sound,
    /// The host's own lateness is not small against the RTT; the fragment says by how much.
    Suspect(String),
}

/// The whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub info: Arc<RunInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The worst of the targets.
    pub status: Status,
    /// Connections by status, worst first; only those that occur.
    pub status_counts: Vec<(Status, usize)>,
    pub verdict: Verdict,
    /// Why the verdict is what it is; empty when there is nothing to say.
    pub reasons: Vec<String>,
    /// What to do next, and what the figures mean together.
    pub advice: Vec<String>,
    /// Over all targets, one entry a kind.
    pub kinds: Vec<KindReport>,
    pub targets: Vec<TargetReport>,
    /// How late this host's timers and writes were.
    pub host_lag: Option<LagSummary>,
    pub measurement: Measurement,
    /// The run was ended by the user (Ctrl-C or SIGTERM).
    pub interrupted: bool,
}
