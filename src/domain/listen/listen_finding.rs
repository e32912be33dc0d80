//! What a run of `listen` learned: each finding with its evidence.

use std::sync::Arc;
use std::time::Duration;

use super::covered_timeouts::CoveredTimeouts;
use super::periodic::Periodic;
use super::server_event::{ServerEventClass, ServerEventKind};
use super::timer_evidence::{IntervalSpan, TimerDoubt, TimerEvidence};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::goaway::GoawaySummary;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::run::finding::findings;
use crate::domain::stats::interval::Interval;

findings! {
    /// One thing that a run of `listen` learned.
    ListenFinding, ListenFindingCode {
        /// The server sends heartbeats at an interval.
        Ok ServerSendsHeartbeats {
            kind: ServerEventClass,
            count: u64,
            interval: Interval,
            spans: IntervalSpan,
            /// The rate, if they come too fast to be timed one by one.
            per_second: Option<f64>,
        },
        /// The server sent no heartbeat in the whole run.
        Warning NoHeartbeats {
            listened: Duration,
            /// The most frequent kind of other message, and how many came.
            messages: Option<(ServerEventKind, u64)>,
            longest_quiet: Duration,
            longest_still: Duration,
        },
        /// Messages of one unknown form come at an interval: perhaps heartbeats, perhaps data.
        Warning PerhapsHeartbeats {
            periodic: Periodic,
            longest_quiet: Duration,
            /// The server also sends known heartbeats.
            besides: bool,
        },
        /// The server sends heartbeats, but at no regular interval.
        Warning IrregularHeartbeats { kind: ServerEventClass, gaps: Option<Interval>, longest_quiet: Duration },
        /// The server's heartbeats come at a fixed interval, whatever either side sends in between.
        Info TimerIgnoresTraffic(TimerEvidence),
        /// The server's heartbeats come one interval after the last traffic.
        Info TimerRestartsOnTraffic(TimerEvidence),
        /// The server sends no heartbeat to a client that has just sent something.
        Info SkipsActiveClients(TimerEvidence),
        /// Whether traffic postpones the server's heartbeats is unknown.
        Info TimerUnknown(TimerDoubt),
        /// The server's heartbeats come often enough for some of the common idle timeouts.
        Ok CoversTimeouts { covered: CoveredTimeouts, event_kind: ServerEventKind },
        /// The server's heartbeats come too seldom for every common idle timeout.
        Warning CoversNoTimeout,
        /// Clients do not answer the server's heartbeats, so that these detect no dead client.
        Warning OneWayHeartbeats,
        /// The server leaves a connection open although its heartbeats stay unanswered.
        Warning UnansweredTolerated { after: u64 },
        /// The server stops its heartbeats when they stay unanswered, and leaves the connection open.
        Warning StopsWhenUnanswered { after: u64 },
        /// The connection ended after unanswered heartbeats; these need not be the cause.
        Info EndedAfterUnanswered { after: u64 },
        /// Heartbeats came at an interval and were answered, and then no more came.
        Warning HeartbeatsStopped {
            count: u64,
            /// `None`: they came in a burst.
            interval: Option<Duration>,
            /// The interval is counted from the server's last traffic.
            since_traffic: bool,
            silence: Duration,
        },
        /// The next heartbeat was overdue when the run ended.
        Warning HeartbeatOverdue { silence: Duration },
        /// The server sent no heartbeat for several intervals, and then continued.
        Warning HeartbeatsPaused { longest: Duration, intervals: f64, burst: bool },
        /// Each heartbeat followed a message of the server; none came in a silence.
        Warning OnlyAfterMessages { after: Duration },
        /// Too few heartbeats came to show an interval.
        Warning TooFewHeartbeats {
            count: u64,
            listened: Duration,
            /// wscheck answered them.
            answered: bool,
            /// The connection ended before the run did.
            ended: bool,
        },
        /// No heartbeat came, but the observation was not good enough to conclude that the server sends none.
        Warning NoHeartbeatSeen { listened: Duration, limit: ObservationLimit },
        /// Neither side was silent for long, so that heartbeats that need a silence did not come.
        Info SilenceTooShort { longest: Duration },
        /// The peer's flow control of HTTP/2 held back what wscheck sent, such as answers.
        Warning HeldBackByFlowControl { window: ExhaustedWindow },
        /// The peer of HTTP/2 announced that it accepts no new streams on a connection (GOAWAY). WebSockets on it may go on for a while.
        Warning H2GoawayReceived { goaways: GoawaySummary },
        /// This host was stalled: it read late what came in that time.
        Warning HostStalled { span: Duration },
        /// The beginning of a message came, and not the rest.
        Warning MessageIncomplete(IncompleteData),
        /// The peer no longer knew a connection, and no end had come: the path dropped it.
        Problem PathDropped,
        /// The run was interrupted before the peer confirmed that it still knew the connection.
        Info LivenessUnknown,
        /// The connection ended before the run was complete.
        Problem ConnectionEndedEarly { ending: Arc<CloseCause>, planned: Duration },
        /// The user ended the run before it was complete.
        Info Interrupted { after: Duration, planned: Duration },
        /// The user ended the run before a connection was open.
        Info InterruptedWhileOpening { url: String },
        /// No connection could be opened.
        Problem NotOpened(Arc<ConnectError>),
    }
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
