//! The NDJSON lines of `ping`: a line for each event as it happens.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::heartbeat::{self, HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::{
    ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, ServerPingKind, StatusChange,
};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::run_info::RunInfo;
use crate::output::json::{
    Count, FailedOpening, GoawayDocument, JsonEndingDocument, Ms, Name, OpeningDocument, Text,
    WSCHECK_VERSION, document, ms,
};
use crate::output::ndjson::{EventBody, bodies, connection_line as line, run_line};

document! {
    /// A status changed.
    #[derive(Deserialize)]
    pub struct StatusChanged = "status" from change: &StatusChange {
        /// The kind of heartbeat whose status changed; null if it is the status of the whole connection.
        pub kind: Option<Name<HeartbeatKind>> = change.kind.map(Name),
        /// The status before.
        pub from: Name<Status> = change.from,
        /// The status now.
        pub to: Name<Status> = change.to,
        pub reason: Text = (&change.reason),
        #[serde(skip_deserializing)]
        #[cfg_attr(test, schemars(!skip_deserializing))]
        pub metrics: MetricsOfMoment = change.metrics,
    }
}

document! {
    /// One heartbeat's outcome; a later line for the same kind and seq revises it.
    #[derive(Deserialize)]
    pub struct Heartbeat = "heartbeat" from (beat, is_extra): (&HeartbeatResult, bool) {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        pub kind: Name<HeartbeatKind> = beat.kind,
        /// It is besides those of the schedule, with numbers of its own, and counts in no figure.
        #[serde(default)]
        #[cfg_attr(test, schemars(!default))]
        pub extra: bool = is_extra,
        /// Sequence number, from 0 for each connection and kind.
        pub seq: u64 = beat.seq,
        /// The outcome of the heartbeat.
        pub outcome: Name<HeartbeatOutcome> = beat.outcome,
        /// The earlier outcome, if this line corrects one.
        pub was: Option<Name<HeartbeatOutcome>> = beat.was.map(Name),
        /// The RTT; only for `ok` and `late`.
        pub rtt_ms: Option<Ms> = ms(beat.rtt),
        /// How much later than planned this host sent the heartbeat, or noticed that it was suspended at that time;
        /// null if it could not be sent.
        pub lag_ms: Option<Ms> = ms(beat.lag),
        /// Time from the start of the write to the departure by the kernel's timestamp. Null without that timestamp;
        /// the RTT then starts with the write.
        pub to_wire_ms: Option<Ms> = ms(beat.to_wire.map(Duration::from)),
        /// Time from the arrival of the answer by the kernel's timestamp to the read that returned it. Null without
        /// that timestamp; the RTT then ends with the read.
        pub from_wire_ms: Option<Ms> = ms(beat.from_wire.map(Duration::from)),
        /// For a missed heartbeat: whether TCP had acknowledged it by then. Null if unknown, or if it was not missed.
        pub acknowledged: Option<bool> = beat.acked,
        /// The heartbeat was missed or superseded, but a later one was answered by then, or an answer without an id
        /// came after it was sent. So the connection was alive. A correction repeats the earlier value.
        pub later_answered: bool = beat.later_answered,
        /// The heartbeat was not sent because the peer of HTTP/2 granted no room for it: the flow-control window that was exhausted.
        #[serde(default)]
        #[cfg_attr(test, schemars(!default))]
        pub exhausted_window: Option<Name<ExhaustedWindow>> = beat.exhausted_window.map(Name),
        /// Number of TCP retransmits since the last check; wscheck checks when an RTT is more than twice the mean
        /// of those before it, and at least 1 ms above it.
        pub sent_again: Option<u32> = beat.sent_again,
        /// Number of outstanding requests when an answer without an id was matched in order.
        pub rivals: u32 = beat.rivals,
    }
}

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
    /// A pong that answers no outstanding ping.
    #[derive(Deserialize)]
    StrayPong = "stray" {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind>,
        /// Why the pong answers no outstanding ping.
        stray: Name<heartbeat::StrayPong>,
        /// How many of these came since the last such line. A flood is reported as counts.
        count: Count,
    }
    /// The server's own heartbeat.
    #[derive(Deserialize)]
    ServerPing = "server_heartbeat" {
        /// The kind of heartbeat.
        kind: Name<ServerPingKind>,
        answered: bool,
        count: Count,
    }
    /// An ordinary message from the server.
    #[derive(Deserialize)]
    Message = "message" {
        count: Count,
    }
    /// Our own app ping came back unchanged.
    #[derive(Deserialize)]
    Echo = "echo" {
        count: Count,
    }
    /// So many heartbeats were sent and never judged, because the connection ended first.
    #[derive(Deserialize)]
    Unjudged = "unjudged" {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind>,
        count: Count,
    }
    /// The peer of HTTP/2 announced that it ends the connection. It accepts no new streams on it; the WebSocket may go on.
    #[derive(Deserialize)]
    GoawayReceived = "goaway" {
        goaway: GoawayDocument,
    }
    /// The connection ended.
    #[derive(Deserialize)]
    Ended = "closed" {
        ending: JsonEndingDocument,
    }
    /// The next attempt to open it again is made after this time.
    #[derive(Deserialize)]
    Retry = "reconnecting" {
        /// Number of the attempt, from 1; it starts again after a connection that lasted for `--reconnect-reset-after`.
        attempt: u32,
        after_ms: Ms,
    }
    /// It is open again.
    #[derive(Deserialize)]
    Reconnected = "reconnected" {
        /// Time since the connection ended.
        outage_ms: Ms,
        /// Number of attempts in this outage.
        attempts: u32,
    }
    /// No more attempts are made; the outage lasts.
    #[derive(Deserialize)]
    GaveUp = "gave_up" {
        /// Time since the connection ended.
        outage_ms: Ms,
        /// Attempts since the last lasting connection; of this outage if the run was stopped.
        attempts: u32,
        /// The run was stopped; else these were all attempts that it makes.
        #[serde(default)]
        #[cfg_attr(test, schemars(!default))]
        stopped: bool,
    }
}

document! {
    /// The figures at the time of a status change.
    #[derive(Default)]
    pub struct MetricsOfMoment from metrics: StatusMetrics {
        /// Mean RTT of the rolling window.
        window_mean_ms: Option<Ms> = ms(metrics.window_mean),
        last_rtt_ms: Option<Ms> = ms(metrics.last_rtt),
        #[cfg_attr(test, schemars(range(min = 0.0, max = 1.0)))]
        loss: Option<f64> = metrics.loss,
        consecutive_missed: u32 = metrics.consecutive_missed,
        /// Number of heartbeats judged so far.
        judged: u64 = metrics.judged,
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
        ConnEvent::Heartbeat(beat) => line(id, at, Heartbeat::from((beat, false))),
        ConnEvent::ExtraHeartbeat(beat) => line(id, at, Heartbeat::from((beat, true))),
        ConnEvent::PeerTraffic(traffic, count) => traffic_line(id, at, *traffic, (*count).into()),
        ConnEvent::Status(change) => line(id, at, StatusChanged::from(change)),
        ConnEvent::Unjudged { kind, count } => {
            line(id, at, Unjudged { kind: (*kind).into(), count: (*count).into() })
        }
        ConnEvent::Goaway(notice) => line(id, at, GoawayReceived { goaway: notice.as_ref().into() }),
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

fn traffic_line(id: ConnId, at: SystemTime, traffic: PeerTraffic, count: Count) -> String {
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
