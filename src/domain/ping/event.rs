//! The events of a run. Commands emit them; reporters show them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::{Display, EnumIter, EnumMessage, IntoStaticStr};

use super::health::{Status, StatusMetrics};
use super::report::PingReport;
pub use super::run_info::ConnId;
use super::run_info::RunInfo;
use super::server_traffic::ServerTraffic;
use super::status_counts::StatusCounts;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::goaway::GoawayNotice;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::nanos::Nanos;

/// One heartbeat's outcome. A later event for the same `seq` revises it and sets `was`. A missed or
/// superseded heartbeat becomes ok or late when its own pong comes; a missed one becomes superseded when a
/// later ping's pong comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeartbeatResult {
    pub kind: HeartbeatKind,
    /// From 0 on each connection and kind, without gaps, continued after a reconnect.
    pub seq: u64,
    pub outcome: HeartbeatOutcome,
    /// The earlier outcome, in a revision.
    pub was: Option<HeartbeatOutcome>,
    /// Present for `ok` and `late`.
    pub rtt: Option<Duration>,
    /// How late this host was: from the due time to the start of the write, or to the discovery that it slept
    /// through it. `None` if the heartbeat was held back.
    pub lag: Option<Duration>,
    /// From the start of the write to the kernel's send timestamp; `None` without one: then the RTT begins
    /// with the write.
    pub to_wire: Option<Nanos>,
    /// From the kernel's receive timestamp to the return of the read; `None` without one: then the RTT ends
    /// with that return.
    pub from_wire: Option<Nanos>,
    /// Whether TCP had acknowledged it when it was missed; `None` if unknown or not missed.
    pub acked: Option<bool>,
    /// It was missed or superseded, although a later heartbeat of this connection and kind was answered, or
    /// an answer without id came after it was sent: no silence. A revision repeats the earlier value.
    pub later_answered: bool,
    /// It was not sent because the peer of HTTP/2 granted no more room in this window (RFC 9113 section 5.2).
    pub exhausted_window: Option<ExhaustedWindow>,
    /// TCP retransmits since the last check. TCP is checked when an RTT is a spike: more than twice the mean
    /// of the earlier ones, and at least 1 ms above it. `None` if it was not or cannot be checked.
    pub sent_again: Option<u32>,
    /// Heartbeats outstanding when an answer without id was matched in order; 0 or 1 is unambiguous.
    pub rivals: u32,
}

impl HeartbeatResult {
    /// The RTT, unless a revision repeats one.
    pub fn first_rtt(&self) -> Option<Duration> {
        self.rtt.filter(|_| !self.was.is_some_and(HeartbeatOutcome::is_answered))
    }
}

/// A change of a connection's status.
#[derive(Debug, Clone, PartialEq)]
pub struct StatusChange {
    /// `None` for the connection as a whole, whose status is the worst of its kinds.
    pub kind: Option<HeartbeatKind>,
    pub from: Status,
    pub to: Status,
    /// A lower-case fragment: `mean RTT of the last 10 is 212 ms`.
    pub reason: String,
    pub metrics: StatusMetrics,
}

/// How a server sends a heartbeat of its own. (Its PINGs of HTTP/2 are answered below us, and not seen.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Display, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ServerPingKind {
    /// Ping frames of RFC 6455.
    Protocol,
    /// Messages that the protocol in use defines as pings.
    App,
}

/// What a peer sent, besides expected answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerTraffic {
    /// A pong that answers nothing.
    Stray(HeartbeatKind, StrayPong),
    /// The server's own heartbeat: a Ping frame or a known app ping.
    ServerPing { kind: ServerPingKind, answered: bool },
    /// A message that is neither an answer nor a server's ping.
    Message,
    /// Our own app ping returned unchanged: the server echoes and does not answer.
    Echo,
}

/// An event of one connection.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnEvent {
    Opening,
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    Heartbeat(HeartbeatResult),
    /// A heartbeat besides those of the schedule, with numbers of its own: after a missed one, while the status is worse
    /// than healthy, or because somebody asked. It counts for the status and for outages, but not in the figures: RTTs
    /// and unanswered heartbeats would be taken more often just when they are bad.
    ExtraHeartbeat(HeartbeatResult),
    /// What a peer can send at will, as counts, at most once in a few milliseconds a kind. So a flood costs
    /// no more than its counters.
    PeerTraffic(PeerTraffic, u64),
    /// A message that the peer sent, if messages are to be shown.
    PeerMessage(UntrustedText),
    Status(StatusChange),
    /// The reason of the status at the planned end of a connection. The last change may be old, and its
    /// reason no longer match the figures.
    Standing {
        status: Status,
        reason: String,
    },
    /// Heartbeats sent and not judged when the connection ended; they never will be. Comes just before
    /// `Ended`.
    Unjudged {
        kind: HeartbeatKind,
        count: u64,
    },
    /// The ping interval that the server announced in its hello.
    Announced(Duration),
    /// What came besides answers; comes before `Ended`, if there is any.
    ServerTraffic(Arc<ServerTraffic>),
    /// The peer of HTTP/2 announced the end of the connection (GOAWAY), which may go on for long. A later notice has an error code.
    Goaway(Arc<GoawayNotice>),
    Ended(Arc<CloseCause>),
    /// The next reconnect attempt starts after `after`.
    Retry {
        /// From 1, since the last lasting connection.
        attempt: u32,
        after: Duration,
    },
    /// Reconnected after `outage`, counted from the end.
    Reconnected {
        outage: Duration,
        /// Attempts in this outage.
        attempts: u32,
    },
    /// No more attempts are made; the outage continues.
    GaveUp {
        outage: Duration,
        /// Attempts since the last lasting connection; of this outage if the run was stopped.
        attempts: u32,
        /// The run was stopped; else these were all attempts that it makes.
        is_stopped: bool,
    },
}

/// An event of a run.
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
    /// The current counts of several connections; ten times a second.
    StatusCounts(StatusCounts),
    /// The figures so far, on request (SIGQUIT).
    Interim(Box<PingReport>),
    /// The end of the run; always the last event.
    Finished(Box<PingReport>),
}
