//! What happens during a run, as it happens. Commands emit events; reporters show them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::health::{Status, StatusMetrics};
use super::report::PingReport;
pub use super::run_info::ConnId;
use super::run_info::RunInfo;
use super::server_traffic::ServerTraffic;
use super::status_counts::StatusCounts;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::nanos::Nanos;

/// One heartbeat's outcome. A later event for the same `seq` revises it (`was` is then set):
/// a missed or superseded one whose own pong comes after all is ok or late; the pong of a later ping may supersede a missed
/// one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeartbeatResult {
    pub kind: HeartbeatKind,
    /// From 0, on each connection and kind, without gaps; reconnections go on counting.
    pub seq: u64,
    pub outcome: HeartbeatOutcome,
    /// What it was taken for before.
    pub was: Option<HeartbeatOutcome>,
    /// Present for `ok` and `late`.
    pub rtt: Option<Duration>,
    /// How late this host was: from the moment it was due to the start of its write, or to that of finding
    /// that it slept through it; `None` when it was held back.
    pub lag: Option<Duration>,
    /// From the start of its write to its leaving, as the kernel stamped it; `None` where it did not, and the RTT begins
    /// with the write.
    pub to_wire: Option<Nanos>,
    /// From the arrival of its answer, as the kernel stamped it, to the return of the read that brought it; `None` where
    /// it did not, and the RTT ends with that return.
    pub from_wire: Option<Nanos>,
    /// Whether TCP had acknowledged it when it was missed; `None` where that is not known, or it was not missed.
    pub acked: Option<bool>,
    /// It was missed or superseded although a later heartbeat of this connection and kind was answered by then, or an answer
    /// without id came after it was sent: no silence. A revision repeats what was told before.
    pub later_answered: bool,
    /// How many segments TCP had sent again since the last look. It looks when an RTT is a spike, more than twice the
    /// mean of those before it; `None` when it did not look, or cannot.
    pub sent_again: Option<u32>,
    /// How many asks were outstanding when an answer without id was matched in order; 0 or 1 is
    /// unambiguous.
    pub rivals: u32,
}

impl HeartbeatResult {
    /// The RTT, when it is news: a revision of what was answered already brings none.
    pub fn first_rtt(&self) -> Option<Duration> {
        self.rtt.filter(|_| !self.was.is_some_and(HeartbeatOutcome::is_answered))
    }
}

/// A change of a connection's status.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// `None` when it is the connection's as a whole, which is the worst of its kinds.
    pub kind: Option<HeartbeatKind>,
    pub from: Status,
    pub to: Status,
    /// A lower-case fragment: `mean RTT of the last 10 is 212 ms`.
    pub reason: String,
    pub metrics: StatusMetrics,
}

/// What a peer sent, besides the answers that were waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerTraffic {
    /// A pong that answers nothing.
    Stray(HeartbeatKind, StrayPong),
    /// The server's own heartbeat: a Ping frame, or a known app ping.
    ServerPing { kind: HeartbeatKind, answered: bool },
    /// A message that is neither an answer nor a server's ping.
    Message,
    /// Our own app ping come back unchanged: the server echoes and does not answer.
    Echo,
}

/// What happened to one connection.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnEvent {
    Opening,
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    Heartbeat(HeartbeatResult),
    /// So many of what a peer can send at will; told in counts, at most every few milliseconds of a
    /// kind, so that a flood costs no more than its figures.
    PeerTraffic(PeerTraffic, u64),
    Status(StatusChange),
    /// Why the status is what it is, at the end of a connection that we end as planned: the last
    /// change may be long ago, and its reason no longer the figures'.
    Standing {
        status: Status,
        reason: String,
    },
    /// So many heartbeats were sent and not judged when the connection ended, for whatever reason, and
    /// never will be. It comes just before `Ended`.
    Unjudged {
        kind: HeartbeatKind,
        count: u64,
    },
    /// The server's hello says that it will ask so often.
    Announced(Duration),
    /// What came besides answers. It comes before `Ended`, where there was any.
    Overheard(Arc<ServerTraffic>),
    Ended(Arc<CloseCause>),
    /// The next attempt to open it again is made after `after`.
    Retry {
        /// From 1, since a connection lasted.
        attempt: u32,
        after: Duration,
    },
    /// It is reconnected after `outage`, counted from the ending.
    Reconnected {
        outage: Duration,
        /// In this outage.
        attempts: u32,
    },
    /// No more attempts are made; the outage lasts.
    GaveUp {
        outage: Duration,
        /// Since a connection lasted.
        attempts: u32,
    },
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    Started {
        at: SystemTime,
        info: Arc<RunInfo>,
    },
    Connection {
        id: ConnId,
        at: SystemTime,
        event: ConnEvent,
    },
    /// How several connections stand; ten times a second.
    StatusCounts(StatusCounts),
    /// Figures so far, because the user asked (SIGQUIT).
    Interim(Box<PingReport>),
    /// The end of the run; always the last event.
    Finished(Box<PingReport>),
}
