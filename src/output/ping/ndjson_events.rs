//! The NDJSON lines of `ping`: a line for each event as it happens.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;

use super::document::Settings;
use crate::domain::heartbeat::{self, HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::health::{Status, StatusMetrics};
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
        /// The targets, with secrets redacted; a connection's `target` is an index into this list.
        targets: Vec<String>,
        settings: Settings,
        /// True where a further file of a log begins: what was before is in an earlier one. Left out elsewhere.
        #[serde(skip_serializing_if = "Option::is_none")]
        continued: Option<bool>,
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
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind>,
        /// It is besides those of the schedule, with numbers of its own, and counts in no figure.
        extra: bool,
        /// Sequence number, from 0 for each connection and kind.
        seq: u64,
        /// The outcome of the heartbeat.
        outcome: Name<HeartbeatOutcome>,
        /// The earlier outcome, if this line corrects one.
        was: Option<Name<HeartbeatOutcome>>,
        /// The RTT; only for `ok` and `late`.
        rtt_ms: Option<Ms>,
        /// How much later than planned this host sent the heartbeat, or noticed that it was suspended at that time;
        /// null if it could not be sent.
        lag_ms: Option<Ms>,
        /// Time from the start of the write to the departure by the kernel's timestamp. Null without that timestamp;
        /// the RTT then starts with the write.
        to_wire_ms: Option<Ms>,
        /// Time from the arrival of the answer by the kernel's timestamp to the read that returned it. Null without
        /// that timestamp; the RTT then ends with the read.
        from_wire_ms: Option<Ms>,
        /// For a missed heartbeat: whether TCP had acknowledged it by then. Null if unknown, or if it was not missed.
        acknowledged: Option<bool>,
        /// The heartbeat was missed or superseded, but a later one was answered by then, or an answer without an id
        /// came after it was sent. So the connection was alive. A correction repeats the earlier value.
        later_answered: bool,
        /// Number of TCP retransmits since the last check; wscheck checks when an RTT is more than twice the mean
        /// of those before it.
        sent_again: Option<u32>,
        /// Number of outstanding requests when an answer without an id was matched in order.
        rivals: u32,
    }
    /// A pong that answers no outstanding ping.
    StrayPong = "stray" {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind>,
        /// Why the pong answers no outstanding ping.
        stray: Name<heartbeat::StrayPong>,
        /// How many of these came since the last such line. A flood is reported as counts.
        count: u64,
    }
    /// A status changed.
    StatusChanged = "status" {
        /// The kind of heartbeat whose status changed; null if it is the status of the whole connection.
        kind: Option<Name<HeartbeatKind>>,
        /// The status before.
        from: Name<Status>,
        /// The status now.
        to: Name<Status>,
        reason: String,
        metrics: MetricsOfMoment,
    }
    /// The server's own heartbeat.
    ServerPing = "server_heartbeat" {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
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
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind>,
        count: u64,
    }
    /// The connection ended.
    Ended = "closed" {
        ending: JsonEndingDocument,
    }
    /// The next attempt to open it again is made after this time.
    Retry = "reconnecting" {
        /// Number of the attempt, from 1; it starts again after a connection that lasted for `--reconnect-reset-after`.
        attempt: u32,
        after_ms: Ms,
    }
    /// It is open again.
    Reconnected = "reconnected" {
        /// Time since the connection ended.
        outage_ms: Ms,
        /// Number of attempts in this outage.
        attempts: u32,
    }
    /// No more attempts are made; the outage lasts.
    GaveUp = "gave_up" {
        /// Time since the connection ended.
        outage_ms: Ms,
        /// Attempts since the last lasting connection; of this outage if the run was stopped.
        attempts: u32,
        /// The run was stopped; else these were all attempts that it makes.
        stopped: bool,
    }
}

/// The figures at the time of a status change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricsOfMoment {
    /// Mean RTT of the rolling window.
    window_mean_ms: Option<Ms>,
    last_rtt_ms: Option<Ms>,
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
    consecutive_missed: u32,
    /// Number of heartbeats judged so far.
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

impl Heartbeat {
    fn new(beat: &HeartbeatResult, is_extra: bool) -> Heartbeat {
        Heartbeat {
            kind: beat.kind.into(),
            extra: is_extra,
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
        Event::Interim(_) | Event::StatusCounts(_) | Event::Finished(_) => None,
    }
}

fn started(command: &str, at: SystemTime, info: &RunInfo) -> String {
    let (targets, settings) = (info.targets.clone(), info.into());
    run_line(
        at,
        Started {
            command: command.to_string(),
            wscheck_version: WSCHECK_VERSION,
            targets,
            settings,
            continued: None,
        },
    )
}

fn connection_event(id: ConnId, at: SystemTime, event: &ConnEvent) -> Option<String> {
    Some(match event {
        ConnEvent::Opening => line(id, at, ConnectionOpening {}),
        ConnEvent::Opened(opened) => line(id, at, Opened { opening: opened.as_ref().into() }),
        ConnEvent::OpenFailed(error) => line(id, at, OpenFailed { failure: error.as_ref().into() }),
        ConnEvent::Heartbeat(beat) => line(id, at, Heartbeat::new(beat, false)),
        ConnEvent::ExtraHeartbeat(beat) => line(id, at, Heartbeat::new(beat, true)),
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
        ConnEvent::GaveUp { outage, attempts, is_stopped } => {
            let (outage_ms, attempts, stopped) = ((*outage).into(), *attempts, *is_stopped);
            line(id, at, GaveUp { outage_ms, attempts, stopped })
        }
        // The report says it.
        ConnEvent::Standing { .. }
        | ConnEvent::Announced(_)
        | ConnEvent::PeerMessage(_)
        | ConnEvent::ServerTraffic(_) => return None,
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
