//! What a run of `probe-zombie` learned: each finding with its evidence.

use std::sync::Arc;
use std::time::Duration;

use super::behaviour::Behaviour;
use super::libraries::LibraryMatch;
use super::policy::{HeartbeatPolicy, IdlePolicy, TrafficEvidence};
use super::server_schedule::ServerSchedule;
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::goaway::GoawaySummary;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::run::finding::findings;

findings! {
    /// One thing that a run of `probe-zombie` learned.
    ZombieFinding, ZombieFindingCode {
        /// The server closed every dead client.
        Ok ReapsDeadClients {
            longest: Option<Duration>,
            /// The end of the last one was read later than it came.
            at_latest: bool,
        },
        /// The server kept a dead client for the whole run.
        Problem ZombiesKept { clients: Vec<Behaviour>, kept: Duration },
        /// The server kept a client that had sent FIN and still read.
        Warning HalfClosedKept { kept: Duration },
        /// The server closes a client that leaves its heartbeats unanswered.
        Ok GivesUpUnanswered(HeartbeatPolicy),
        /// The server leaves a connection open although its heartbeats stay unanswered.
        Warning UnansweredTolerated { beats: ServerSchedule, waited: Duration },
        /// The server closes idle clients by a timer; answers to its heartbeats do not restart it.
        Info IdleTimer {
            idle: IdlePolicy,
            beats: Option<ServerSchedule>,
            /// Another rule closes clients that do not answer.
            besides: bool,
            /// How the mute client was closed.
            closed: Option<CloseKind>,
            /// The server sends heartbeats of a kind that needs no answer.
            one_way: bool,
        },
        /// The server sends no heartbeat and closes no idle client.
        Warning NoHeartbeatAndNoTimer { waited: Duration, one_way: bool },
        /// The policy does not follow from the ends of the clients.
        Info PolicyUnclear,
        /// A client that dies just after an answer stays connected for this long.
        Info LongestDetection { at_most: Duration },
        /// The server sends no heartbeat to a client that has just sent something.
        Info SkipsActiveClients,
        /// The policy matches a library, by its defaults or by what only that library sends.
        Info ConsistentWithLibrary(LibraryMatch),
        /// A client that only answers, or only sends Ping frames, was closed.
        Info AppTrafficNeeded(TrafficEvidence),
        /// Clients that only answer, or only send Ping frames, were kept.
        Ok AppTrafficNotNeeded { kept: Duration },
        /// The server sends messages that look like no known heartbeat.
        Warning UnknownMessages { sample: UntrustedText },
        /// The server relays the messages of one client to the others.
        Warning ServerRelaysMessages,
        /// The peer of HTTP/2 announced that it accepts no new streams on a connection (GOAWAY). WebSockets on it may go on for a while.
        Warning H2GoawayReceived { goaways: GoawaySummary },
        /// This host was stalled: it read late what came in that time.
        Warning HostStalled { span: Duration },
        /// The control, a healthy client, could not be opened.
        Problem ControlNotOpened { why: String },
        /// The connection of the control, a healthy client, ended during the run.
        Problem ControlEnded { after: Duration, ending: Arc<CloseCause>, explanation: ControlEndExplanation },
        /// The server did not answer the control, a healthy client.
        Problem ControlUnanswered { after: Duration, silent: Duration },
        /// The peer's flow control of HTTP/2 held back what a healthy client sent.
        Problem HeldBackByFlowControl { client: Behaviour, window: ExhaustedWindow },
        /// The server left the control unanswered for longer than its questions are apart.
        Problem ServerPaused { unanswered: Duration },
        /// The run ended before the server answered the control again.
        Warning ControlUnconfirmed,
        /// The control, a healthy client, did not outlive a client that the server closed.
        Warning ControlNotOutlived {
            control: Duration,
            /// The client that only answers, and its age at its end; `None`: the dead clients.
            quiet: Option<Duration>,
        },
        /// A client was closed although the server kept one that sends less: perhaps a limit on connections.
        Warning PerhapsConnectionLimit { client: Behaviour, after: Duration },
        /// The run was interrupted while the server still kept dead clients.
        Info KeptAtInterrupt { clients: Vec<Behaviour>, proven: bool },
        /// A client could not be opened.
        Warning ClientNotOpened { client: Behaviour, why: String },
        /// A client's connection ended, and the server did not close it.
        Warning ClientNotClosedByServer { client: Behaviour, ending: Arc<CloseCause> },
        /// The peer no longer knew a connection, and no end had come: the path dropped it.
        Problem PathDropped { clients: Vec<Behaviour>, after: Option<Duration> },
        /// A client was still connected, but its last Ping was not answered.
        Warning LastPingUnanswered { client: Behaviour },
        /// A client was closed with a code that states another reason than its silence.
        Warning UnrelatedCloseCode { client: Behaviour, code: u16 },
        /// Clients of different age were closed at one moment, with code 1001: perhaps a restart.
        Warning PerhapsRestart { client: Behaviour },
        /// A client was closed, but another one that was equally silent was not.
        Warning SilenceNotTheReason { client: Behaviour, after: Duration, kept: Behaviour },
        /// The run was too short for the server's heartbeats.
        Warning WaitedTooShort {
            client: Behaviour,
            kept: Duration,
            needed: Duration,
            /// The interval of the server's heartbeats is known.
            interval_known: bool,
        },
        /// The user ended the run before it was complete.
        Info Interrupted { after: Duration, planned: Duration },
        /// The user ended the run before a connection was open.
        Info InterruptedWhileOpening { url: String },
        /// No connection could be opened.
        Problem NotOpened(Arc<ConnectError>),
    }
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
