//! What a run of `listen` learned: each finding with its evidence.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::covered_timeouts::CoveredTimeouts;
use super::periodic::Periodic;
use super::server_event::{ServerEventClass, ServerEventKind};
use super::timer_evidence::{IntervalSpan, TimerDoubt, TimerEvidence};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::run::finding::{Finding, Severity};
use crate::domain::stats::interval::Interval;

/// One thing that a run of `listen` learned.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(ListenFindingCode), strum(serialize_all = "snake_case"))]
pub enum ListenFinding {
    /// The server sends heartbeats at an interval.
    ServerSendsHeartbeats {
        kind: ServerEventClass,
        count: u64,
        interval: Interval,
        spans: IntervalSpan,
        /// The rate, if they come too fast to be timed one by one.
        per_second: Option<f64>,
    },
    /// The server sent no heartbeat in the whole run.
    NoHeartbeats {
        listened: Duration,
        /// The most frequent kind of other message, and how many came.
        messages: Option<(ServerEventKind, u64)>,
        longest_quiet: Duration,
        longest_still: Duration,
    },
    /// Messages of one unknown form come at an interval: perhaps heartbeats, perhaps data.
    PerhapsHeartbeats {
        periodic: Periodic,
        longest_quiet: Duration,
        /// The server also sends known heartbeats.
        besides: bool,
    },
    /// The server sends heartbeats, but at no regular interval.
    IrregularHeartbeats { kind: ServerEventClass, gaps: Option<Interval>, longest_quiet: Duration },
    /// The server's heartbeats come at a fixed interval, whatever either side sends in between.
    TimerIgnoresTraffic(TimerEvidence),
    /// The server's heartbeats come one interval after the last traffic.
    TimerRestartsOnTraffic(TimerEvidence),
    /// The server sends no heartbeat to a client that has just sent something.
    SkipsActiveClients(TimerEvidence),
    /// Whether traffic postpones the server's heartbeats is unknown.
    TimerUnknown(TimerDoubt),
    /// The server's heartbeats come often enough for some of the common idle timeouts.
    CoversTimeouts { covered: CoveredTimeouts, event_kind: ServerEventKind },
    /// The server's heartbeats come too seldom for every common idle timeout.
    CoversNoTimeout,
    /// Clients do not answer the server's heartbeats, so that these detect no dead client.
    OneWayHeartbeats,
    /// The server leaves a connection open although its heartbeats stay unanswered.
    UnansweredTolerated { after: u64 },
    /// The server stops its heartbeats when they stay unanswered, and leaves the connection open.
    StopsWhenUnanswered { after: u64 },
    /// The connection ended after unanswered heartbeats; these need not be the cause.
    EndedAfterUnanswered { after: u64 },
    /// Heartbeats came at an interval and were answered, and then no more came.
    HeartbeatsStopped {
        count: u64,
        /// `None`: they came in a burst.
        interval: Option<Duration>,
        /// The interval is counted from the server's last traffic.
        since_traffic: bool,
        silence: Duration,
    },
    /// The next heartbeat was overdue when the run ended.
    HeartbeatOverdue { silence: Duration },
    /// The server sent no heartbeat for several intervals, and then continued.
    HeartbeatsPaused { longest: Duration, intervals: f64, burst: bool },
    /// Each heartbeat followed a message of the server; none came in a silence.
    OnlyAfterMessages { after: Duration },
    /// Too few heartbeats came to show an interval.
    TooFewHeartbeats {
        count: u64,
        listened: Duration,
        /// wscheck answered them.
        answered: bool,
        /// The connection ended before the run did.
        ended: bool,
    },
    /// No heartbeat came, but the observation was not good enough to conclude that the server sends none.
    NoHeartbeatSeen { listened: Duration, limit: ObservationLimit },
    /// Neither side was silent for long, so that heartbeats that need a silence did not come.
    SilenceTooShort { longest: Duration },
    /// This host was stalled: it read late what came in that time.
    HostStalled { span: Duration },
    /// The beginning of a message came, and not the rest.
    MessageIncomplete(IncompleteData),
    /// The peer no longer knew a connection, and no end had come: the path dropped it.
    PathDropped,
    /// The run was interrupted before the peer confirmed that it still knew the connection.
    LivenessUnknown,
    /// The connection ended before the run was complete.
    ConnectionEndedEarly { ending: Arc<CloseCause>, planned: Duration },
    /// The user ended the run before it was complete.
    Interrupted { after: Duration, planned: Duration },
    /// The user ended the run before a connection was open.
    InterruptedWhileOpening { url: String },
    /// No connection could be opened.
    NotOpened(Arc<ConnectError>),
}

/// Why an observation without a heartbeat shows no silent server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservationLimit {
    /// Another finding says why.
    Disturbed,
    /// A heartbeat had come before the observation began.
    BeganLate,
    /// The run was cut short.
    CutShort,
}

impl Finding for ListenFinding {
    fn severity(&self) -> Severity {
        match self {
            ListenFinding::ServerSendsHeartbeats { .. } | ListenFinding::CoversTimeouts { .. } => {
                Severity::Ok
            }
            ListenFinding::TimerIgnoresTraffic(_)
            | ListenFinding::TimerRestartsOnTraffic(_)
            | ListenFinding::SkipsActiveClients(_)
            | ListenFinding::TimerUnknown(_)
            | ListenFinding::EndedAfterUnanswered { .. }
            | ListenFinding::SilenceTooShort { .. }
            | ListenFinding::LivenessUnknown
            | ListenFinding::Interrupted { .. }
            | ListenFinding::InterruptedWhileOpening { .. } => Severity::Info,
            ListenFinding::NoHeartbeats { .. }
            | ListenFinding::PerhapsHeartbeats { .. }
            | ListenFinding::IrregularHeartbeats { .. }
            | ListenFinding::CoversNoTimeout
            | ListenFinding::OneWayHeartbeats
            | ListenFinding::UnansweredTolerated { .. }
            | ListenFinding::StopsWhenUnanswered { .. }
            | ListenFinding::HeartbeatsStopped { .. }
            | ListenFinding::HeartbeatOverdue { .. }
            | ListenFinding::HeartbeatsPaused { .. }
            | ListenFinding::OnlyAfterMessages { .. }
            | ListenFinding::TooFewHeartbeats { .. }
            | ListenFinding::NoHeartbeatSeen { .. }
            | ListenFinding::HostStalled { .. }
            | ListenFinding::MessageIncomplete(_) => Severity::Warning,
            ListenFinding::PathDropped
            | ListenFinding::ConnectionEndedEarly { .. }
            | ListenFinding::NotOpened(_) => Severity::Problem,
        }
    }
}
