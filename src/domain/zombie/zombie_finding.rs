//! What a run of `probe-zombie` learned: each finding with its evidence.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::behaviour::Behaviour;
use super::libraries::LibraryMatch;
use super::policy::{HeartbeatPolicy, IdlePolicy, TrafficEvidence};
use super::server_schedule::ServerSchedule;
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::run::finding::{Finding, Severity};

/// One thing that a run of `probe-zombie` learned.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(ZombieFindingCode), strum(serialize_all = "snake_case"))]
pub enum ZombieFinding {
    /// The server closed every dead client.
    ReapsDeadClients {
        longest: Option<Duration>,
        /// The end of the last one was read later than it came.
        at_latest: bool,
    },
    /// The server kept a dead client for the whole run.
    ZombiesKept { clients: Vec<Behaviour>, kept: Duration },
    /// The server kept a client that had sent FIN and still read.
    HalfClosedKept { kept: Duration },
    /// The server closes a client that leaves its heartbeats unanswered.
    GivesUpUnanswered(HeartbeatPolicy),
    /// The server leaves a connection open although its heartbeats stay unanswered.
    UnansweredTolerated { beats: ServerSchedule, waited: Duration },
    /// The server closes idle clients by a timer; answers to its heartbeats do not restart it.
    IdleTimer {
        idle: IdlePolicy,
        beats: Option<ServerSchedule>,
        /// Another rule closes clients that do not answer.
        besides: bool,
        /// How the mute client was closed.
        closed: Option<CloseKind>,
        /// The server sends heartbeats that nobody answers.
        one_way: bool,
    },
    /// The server sends no heartbeat and closes no idle client.
    NoHeartbeatAndNoTimer { waited: Duration, one_way: bool },
    /// The policy does not follow from the ends of the clients.
    PolicyUnclear,
    /// A client that dies just after an answer stays connected for this long.
    LongestDetection { at_most: Duration },
    /// The server sends no heartbeat to a client that has just sent something.
    SkipsActiveClients,
    /// The policy matches a library, by its defaults or by what only that library sends.
    ConsistentWithLibrary(LibraryMatch),
    /// A client that only answers, or only sends Ping frames, was closed.
    AppTrafficNeeded(TrafficEvidence),
    /// Clients that only answer, or only send Ping frames, were kept.
    AppTrafficNotNeeded { kept: Duration },
    /// The server sends messages that look like no known heartbeat.
    UnknownMessages { sample: UntrustedText },
    /// The server relays the messages of one client to the others.
    ServerRelaysMessages,
    /// This host was stalled: it read late what came in that time.
    HostStalled { span: Duration },
    /// The control, a healthy client, could not be opened.
    ControlNotOpened { why: String },
    /// The connection of the control, a healthy client, ended during the run.
    ControlEnded { after: Duration, ending: Arc<CloseCause>, explanation: ControlEndExplanation },
    /// The server did not answer the control, a healthy client.
    ControlUnanswered { after: Duration, silent: Duration },
    /// The server left the control unanswered for longer than its questions are apart.
    ServerPaused { unanswered: Duration },
    /// The run ended before the server answered the control again.
    ControlUnconfirmed,
    /// The control, a healthy client, did not outlive a client that the server closed.
    ControlNotOutlived {
        control: Duration,
        /// The client that only answers, and its age at its end; `None`: the dead clients.
        quiet: Option<Duration>,
    },
    /// A client was closed although the server kept one that sends less: perhaps a limit on connections.
    PerhapsConnectionLimit { client: Behaviour, after: Duration },
    /// The run was interrupted while the server still kept dead clients.
    KeptAtInterrupt { clients: Vec<Behaviour>, proven: bool },
    /// A client could not be opened.
    ClientNotOpened { client: Behaviour, why: String },
    /// A client's connection ended, and the server did not close it.
    ClientNotClosedByServer { client: Behaviour, ending: Arc<CloseCause> },
    /// The peer no longer knew a connection, and no end had come: the path dropped it.
    PathDropped { clients: Vec<Behaviour>, after: Option<Duration> },
    /// A client was still connected, but its last Ping was not answered.
    LastPingUnanswered { client: Behaviour },
    /// A client was closed with a code that states another reason than its silence.
    UnrelatedCloseCode { client: Behaviour, code: u16 },
    /// Clients of different age were closed at one moment, with code 1001: perhaps a restart.
    PerhapsRestart { client: Behaviour },
    /// A client was closed, but another one that was equally silent was not.
    SilenceNotTheReason { client: Behaviour, after: Duration, kept: Behaviour },
    /// The run was too short for the server's heartbeats.
    WaitedTooShort {
        client: Behaviour,
        kept: Duration,
        needed: Duration,
        /// The interval of the server's heartbeats is known.
        interval_known: bool,
    },
    /// The user ended the run before it was complete.
    Interrupted { after: Duration, planned: Duration },
    /// The user ended the run before a connection was open.
    InterruptedWhileOpening { url: String },
    /// No connection could be opened.
    NotOpened(Arc<ConnectError>),
}

/// What may have ended the control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlEndExplanation {
    /// A limit of wscheck.
    OurLimit,
    /// The server sends invalid WebSocket traffic.
    InvalidTraffic,
    /// All connections that read ended at about that age, and the close frame says why.
    StatedReason,
    /// All clients except these ended at about that age.
    SameAge { except: Vec<Behaviour> },
    /// All connections that read ended after their first message.
    AllAtOnce,
    /// Only the control ended, after its first message.
    AloneAtOnce,
    /// The others had ended shortly before.
    ShortlyAfterOthers,
    /// Nothing explains it.
    Unexplained,
}

impl Finding for ZombieFinding {
    fn severity(&self) -> Severity {
        match self {
            ZombieFinding::ReapsDeadClients { .. }
            | ZombieFinding::GivesUpUnanswered(_)
            | ZombieFinding::AppTrafficNotNeeded { .. } => Severity::Ok,
            ZombieFinding::IdleTimer { .. }
            | ZombieFinding::PolicyUnclear
            | ZombieFinding::LongestDetection { .. }
            | ZombieFinding::SkipsActiveClients
            | ZombieFinding::ConsistentWithLibrary(_)
            | ZombieFinding::AppTrafficNeeded(_)
            | ZombieFinding::Interrupted { .. }
            | ZombieFinding::KeptAtInterrupt { .. }
            | ZombieFinding::InterruptedWhileOpening { .. } => Severity::Info,
            ZombieFinding::HalfClosedKept { .. }
            | ZombieFinding::UnansweredTolerated { .. }
            | ZombieFinding::NoHeartbeatAndNoTimer { .. }
            | ZombieFinding::UnknownMessages { .. }
            | ZombieFinding::ServerRelaysMessages
            | ZombieFinding::HostStalled { .. }
            | ZombieFinding::ControlUnconfirmed
            | ZombieFinding::ControlNotOutlived { .. }
            | ZombieFinding::PerhapsConnectionLimit { .. }
            | ZombieFinding::ClientNotOpened { .. }
            | ZombieFinding::ClientNotClosedByServer { .. }
            | ZombieFinding::LastPingUnanswered { .. }
            | ZombieFinding::UnrelatedCloseCode { .. }
            | ZombieFinding::PerhapsRestart { .. }
            | ZombieFinding::SilenceNotTheReason { .. }
            | ZombieFinding::WaitedTooShort { .. } => Severity::Warning,
            ZombieFinding::ZombiesKept { .. }
            | ZombieFinding::ControlNotOpened { .. }
            | ZombieFinding::ControlEnded { .. }
            | ZombieFinding::ControlUnanswered { .. }
            | ZombieFinding::ServerPaused { .. }
            | ZombieFinding::PathDropped { .. }
            | ZombieFinding::NotOpened(_) => Severity::Problem,
        }
    }
}
