//! The NDJSON lines of `ping`: a line for each event as it happens.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{RunDocument, Settings};
use crate::domain::heartbeat::{self, HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::report::PingReport;
use crate::domain::ping::run_info::RunInfo;
use crate::output::json::{
    FailedOpening, JsonEndingDocument, Ms, Name, OpeningDocument, WSCHECK_VERSION, ms,
};
use crate::output::ndjson::{EventBody, bodies, connection_line as line, run_line};

bodies! {
    /// The run begins.
    Started = "started" {
        command: String,
        wscheck_version: &'static str,
        /// Without their secrets; a connection's `target` is an index into these.
        targets: Vec<String>,
        settings: Settings,
    }
    /// Figures so far, because the user asked.
    Interim = "interim" {
        report: RunDocument,
    }
    /// A connection is being opened.
    ConnectionOpening = "opening" {}
    /// It is open.
    Opened = "opened" {
        #[serde(flatten)]
        opening: OpeningDocument,
    }
    /// It could not be opened.
    OpenFailed = "open_failed" {
        #[serde(flatten)]
        failure: FailedOpening,
    }
    /// One heartbeat's outcome; a later line for the same kind and seq revises it.
    Heartbeat = "heartbeat" {
        /// The layer at which the heartbeat asks.
        kind: Name<HeartbeatKind>,
        /// From 0, on each connection and kind.
        seq: u64,
        /// What became of the heartbeat.
        outcome: Name<HeartbeatOutcome>,
        /// What it was taken for before.
        was: Option<Name<HeartbeatOutcome>>,
        /// Known for ok and late.
        rtt_ms: Option<Ms>,
        /// How late this host wrote it, or found that it slept through its moment; null when it was held back.
        lag_ms: Option<Ms>,
        /// From the start of its write to its leaving, by the kernel's stamp; null where there is none, and the RTT
        /// begins with the write.
        to_wire_ms: Option<Ms>,
        /// From the arrival of its answer, by the kernel's stamp, to the read that brought it; null where there is
        /// none, and the RTT ends with the read.
        from_wire_ms: Option<Ms>,
        /// Whether TCP had acknowledged it when it was missed; null where that is not known, or it was not missed.
        acknowledged: Option<bool>,
        /// It was missed or superseded although a later heartbeat was answered by then, or an answer without id came after
        /// it was sent: the connection was alive. A correction repeats the earlier value.
        later_answered: bool,
        /// Number of TCP retransmits since the last check; wscheck checks when an RTT is more than twice the mean
        /// of those before it.
        sent_again: Option<u32>,
        /// How many asks were outstanding when an answer without id was matched in order.
        rivals: u32,
    }
    /// A pong that answers no outstanding ping.
    StrayPong = "stray" {
        /// The layer at which the heartbeat asks.
        kind: Name<HeartbeatKind>,
        /// Why the pong answers no outstanding ping.
        stray: Name<heartbeat::StrayPong>,
        /// Number of these since the last line: what a peer can send at will is reported as counts.
        count: u64,
    }
    /// A status changed.
    StatusChanged = "status" {
        /// Null when it is the connection's as a whole.
        kind: Option<Name<HeartbeatKind>>,
        /// How the connection was doing before.
        from: Name<Status>,
        /// How it is doing now.
        to: Name<Status>,
        reason: String,
        metrics: MetricsOfMoment,
    }
    /// The server's own heartbeat.
    ServerPing = "server_ping" {
        /// The layer at which the heartbeat asks.
        kind: Name<HeartbeatKind>,
        answered: bool,
        count: u64,
    }
    /// An ordinary message from the server.
    Message = "message" {
        count: u64,
    }
    /// Our own app ping came back unchanged.
    Echo = "echo" {
        count: u64,
    }
    /// So many heartbeats were sent and never judged, because the connection ended first.
    Unjudged = "unjudged" {
        /// The layer at which the heartbeat asks.
        kind: Name<HeartbeatKind>,
        count: u64,
    }
    /// The connection ended.
    Ended = "ended" {
        ending: JsonEndingDocument,
    }
    /// The next attempt to open it again is made after this time.
    Retry = "retry" {
        /// From 1, since a connection lasted (`--reconnect-reset-after`).
        attempt: u32,
        after_ms: Ms,
    }
    /// It is open again.
    Reconnected = "reconnected" {
        /// Counted from the ending.
        outage_ms: Ms,
        /// In this outage.
        attempts: u32,
    }
    /// No more attempts are made; the outage lasts.
    GaveUp = "gave_up" {
        outage_ms: Ms,
        attempts: u32,
    }
}

/// The figures at the moment of a status change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricsOfMoment {
    /// Mean RTT of the rolling window.
    window_mean_ms: Option<Ms>,
    last_rtt_ms: Option<Ms>,
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
    consecutive_missed: u32,
    /// Heartbeats judged so far.
    judged: u64,
}

impl From<StatusMetrics> for MetricsOfMoment {
    fn from(metrics: StatusMetrics) -> MetricsOfMoment {
        MetricsOfMoment {
            window_mean_ms: ms(metrics.window_mean),
            last_rtt_ms: ms(metrics.last_rtt),
            loss: metrics.loss,
            consecutive_missed: metrics.consecutive_missed,
            judged: metrics.judged,
        }
    }
}

impl From<&HeartbeatResult> for Heartbeat {
    fn from(beat: &HeartbeatResult) -> Heartbeat {
        Heartbeat {
            kind: beat.kind.into(),
            seq: beat.seq,
            outcome: beat.outcome.into(),
            was: beat.was.map(Name),
            rtt_ms: ms(beat.rtt),
            lag_ms: ms(beat.lag),
            to_wire_ms: ms(beat.to_wire.map(Duration::from)),
            from_wire_ms: ms(beat.from_wire.map(Duration::from)),
            acknowledged: beat.acked,
            later_answered: beat.later_answered,
            sent_again: beat.sent_again,
            rivals: beat.rivals,
        }
    }
}

impl From<&StatusChange> for StatusChanged {
    fn from(change: &StatusChange) -> StatusChanged {
        StatusChanged {
            kind: change.kind.map(Name),
            from: change.from.into(),
            to: change.to.into(),
            reason: change.reason.clone(),
            metrics: change.metrics.into(),
        }
    }
}

/// The line of an event; `None` when it has none.
pub fn event_line(command: &str, event: &Event) -> Option<String> {
    match event {
        Event::Started { at, info } => Some(started(command, *at, info)),
        Event::Connection { id, at, event } => connection_event(*id, *at, event),
        Event::Interim(report) => Some(interim(command, report)),
        Event::StatusCounts(_) | Event::Finished(_) => None,
    }
}

fn started(command: &str, at: SystemTime, info: &RunInfo) -> String {
    let (targets, settings) = (info.targets.clone(), info.into());
    run_line(
        at,
        Started { command: command.to_string(), wscheck_version: WSCHECK_VERSION, targets, settings },
    )
}

fn interim(command: &str, report: &PingReport) -> String {
    let at = report.started_at.checked_add(report.elapsed).unwrap_or(report.started_at);
    run_line(at, Interim { report: RunDocument::new(command, report) })
}

fn connection_event(id: ConnId, at: SystemTime, event: &ConnEvent) -> Option<String> {
    Some(match event {
        ConnEvent::Opening => line(id, at, ConnectionOpening {}),
        ConnEvent::Opened(opened) => line(id, at, Opened { opening: opened.as_ref().into() }),
        ConnEvent::OpenFailed(error) => line(id, at, OpenFailed { failure: error.as_ref().into() }),
        ConnEvent::Heartbeat(beat) => line(id, at, Heartbeat::from(beat)),
        ConnEvent::PeerTraffic(traffic, count) => traffic_line(id, at, *traffic, *count),
        ConnEvent::Status(change) => line(id, at, StatusChanged::from(change)),
        ConnEvent::Unjudged { kind, count } => line(id, at, Unjudged { kind: (*kind).into(), count: *count }),
        ConnEvent::Ended(ending) => line(id, at, Ended { ending: ending.as_ref().into() }),
        ConnEvent::Retry { attempt, after } => {
            line(id, at, Retry { attempt: *attempt, after_ms: (*after).into() })
        }
        ConnEvent::Reconnected { outage, attempts } => {
            line(id, at, Reconnected { outage_ms: (*outage).into(), attempts: *attempts })
        }
        ConnEvent::GaveUp { outage, attempts } => {
            line(id, at, GaveUp { outage_ms: (*outage).into(), attempts: *attempts })
        }
        // The report says it.
        ConnEvent::Standing { .. } | ConnEvent::Announced(_) | ConnEvent::Overheard(_) => return None,
    })
}

fn traffic_line(id: ConnId, at: SystemTime, traffic: PeerTraffic, count: u64) -> String {
    match traffic {
        PeerTraffic::Stray(kind, stray) => {
            line(id, at, StrayPong { kind: kind.into(), stray: stray.into(), count })
        }
        PeerTraffic::ServerPing { kind, answered } => {
            line(id, at, ServerPing { kind: kind.into(), answered, count })
        }
        PeerTraffic::Message => line(id, at, Message { count }),
        PeerTraffic::Echo => line(id, at, Echo { count }),
    }
}
