//! A server's events and state as JSON. Fields are only ever added.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::Serialize;
use strum::IntoEnumIterator;

use super::human;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy};
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::stats::Counts;
use crate::server::{
    ClientSnapshot, HeartbeatStats, ServeEvent, ServeEventKind, ServerSnapshot, ServerSummary,
};

/// The version of the documents below.
pub const SCHEMA_VERSION: u32 = 1;

/// One event of `wscheck serve -o ndjson`.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EventDocument {
    pub schema_version: u32,
    #[schemars(extend("const" = "serve"))]
    pub command: &'static str,
    /// `listening`, `connected`, `turned_away`, `status`, `reaped`, `fault`, `ended`, `trouble`, `stopped`.
    pub event: &'static str,
    /// RFC 3339, UTC.
    pub at: String,
    /// Number of the connection, from 1; absent for events of the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<u64>,
    /// For `listening`: the server's address. For `connected` and `turned_away`: the client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// For `listening`: the port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// For `listening`: whether the server uses TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secure: Option<bool>,
    /// For `listening` with TLS: SHA-256 of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// For `listening` with TLS: the file with the certificate to trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// For `listening`: the address that serves /clients and /metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_address: Option<String>,
    /// For `connected`: path and query, with secrets redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subprotocol: Option<String>,
    /// For `connected`: whether the configured faults apply to this client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub faulty: Option<bool>,
    /// For `turned_away`: the name of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// For `status`: the status before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<&'static str>,
    /// For `status`: the status now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<&'static str>,
    /// For `status` and `reaped`: heartbeats missed in a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_missed: Option<u32>,
    /// For `status`: mean RTT of the rolling window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_rtt_ms: Option<f64>,
    /// For `reaped`: time since the client last sent anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<f64>,
    /// The event as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For `ended`: how the connection ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<EndingDocument>,
    /// For `ended`: the client's final figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<ClientDocument>,
}

/// How a client's connection ended, seen from the server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EndingDocument {
    /// `peer` (the client), `us` (the server), `network`.
    pub who: &'static str,
    pub how: &'static str,
    pub code: Option<u16>,
    pub reason: Option<String>,
    pub os_error: Option<String>,
    pub age_ms: f64,
    pub idle_ms: f64,
}

/// The report of a server run: the document of `-o json`, and the last line of `-o ndjson`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SummaryDocument {
    pub schema_version: u32,
    #[schemars(extend("const" = "serve"))]
    pub command: &'static str,
    /// RFC 3339, UTC.
    pub started_at: String,
    pub elapsed_ms: f64,
    pub clients: u64,
    pub most_at_once: u64,
    pub turned_away: u64,
    /// Number of clients that the server terminated because they missed heartbeats.
    pub reaped: u64,
    pub messages: u64,
    pub pings: u64,
    pub app_pings: u64,
    /// Outcomes of the server's own heartbeats.
    pub heartbeats: BeatCounts,
    pub endings: Vec<EndingCount>,
}

/// Number of connections that ended in one way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EndingCount {
    /// Who ended the connection and how, such as `peer close_frame`.
    pub ending: String,
    pub count: u64,
}

/// Outcomes of the server's own heartbeats.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BeatCounts {
    pub ok: u64,
    pub late: u64,
    pub superseded: u64,
    pub missed: u64,
    /// missed + superseded.
    pub unanswered: u64,
    pub unsolicited: u64,
    pub mismatched: u64,
    pub duplicate: u64,
    /// missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
    pub loss: Option<f64>,
}

/// `GET /clients`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClientsDocument {
    pub schema_version: u32,
    /// RFC 3339, UTC.
    pub at: String,
    /// The statuses that at least one client has, best first.
    pub by_status: Vec<StatusCount>,
    pub clients: Vec<ClientDocument>,
}

/// Number of clients with this status.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StatusCount {
    pub status: &'static str,
    pub count: u64,
}

/// One client of the server.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClientDocument {
    pub id: u64,
    pub address: String,
    pub resource: String,
    pub subprotocol: Option<String>,
    pub faulty: bool,
    pub age_ms: f64,
    pub idle_ms: f64,
    pub status: &'static str,
    pub messages: u64,
    pub pings: u64,
    pub app_pings: u64,
    /// Figures of the server's own heartbeats, one entry for each kind.
    pub heartbeats: Vec<BeatDocument>,
}

/// One kind of the server's heartbeats to one client.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BeatDocument {
    /// `protocol` or `app`.
    pub kind: &'static str,
    pub status: &'static str,
    pub counts: BeatCounts,
    pub rtt: RttDocument,
    pub jitter: JitterDocument,
}

/// RTT; null without a sample.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RttDocument {
    pub last_ms: Option<f64>,
    pub min_ms: Option<f64>,
    pub mean_ms: Option<f64>,
    pub max_ms: Option<f64>,
    /// Mean RTT of the rolling window, which determines the status.
    pub window_mean_ms: Option<f64>,
}

/// Jitter by three definitions; null with fewer than two samples.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JitterDocument {
    pub stddev_ms: Option<f64>,
    pub rfc3550_ms: Option<f64>,
    pub ipdv_mean_ms: Option<f64>,
}

impl EventDocument {
    /// The event as a document.
    pub fn new(event: &ServeEvent) -> EventDocument {
        let blank = |name| EventDocument {
            schema_version: SCHEMA_VERSION,
            command: "serve",
            event: name,
            at: rfc3339(event.at),
            client: event.client,
            ..EventDocument::default()
        };
        match &event.what {
            ServeEventKind::Listening(listening) => EventDocument {
                address: Some(listening.address.to_string()),
                port: Some(listening.address.port()),
                secure: Some(listening.tls.is_some()),
                fingerprint: listening.tls.as_ref().map(|tls| tls.fingerprint.clone()),
                ca_file: listening
                    .tls
                    .as_ref()
                    .and_then(|tls| Some(tls.ca_file.as_ref()?.display().to_string())),
                status_address: listening.status_address.map(|address| address.to_string()),
                ..blank("listening")
            },
            ServeEventKind::Opened { remote, resource, subprotocol, faulty } => EventDocument {
                address: Some(remote.clone()),
                resource: Some(resource.to_string()),
                subprotocol: subprotocol.clone(),
                faulty: Some(*faulty),
                ..blank("connected")
            },
            ServeEventKind::Rejected { remote, why } => EventDocument {
                address: Some(remote.clone()),
                reason: Some(why.label()),
                text: Some(why.to_string()),
                ..blank("turned_away")
            },
            ServeEventKind::Status(change) => EventDocument {
                from: Some(change.from.label()),
                to: Some(change.to.label()),
                consecutive_missed: Some(change.metrics.consecutive_missed),
                mean_rtt_ms: change.metrics.window_mean.map(ms),
                text: Some(change.reason.clone()),
                ..blank("status")
            },
            ServeEventKind::DeadClientClosed { missed, silent_for } => EventDocument {
                consecutive_missed: Some(*missed),
                silent_ms: Some(ms(*silent_for)),
                ..blank("reaped")
            },
            ServeEventKind::Fault(fault) => EventDocument { text: Some(fault.clone()), ..blank("fault") },
            ServeEventKind::Closed { ending, last } => EventDocument {
                text: Some(human::ended(ending)),
                ending: Some(EndingDocument::new(ending)),
                last: Some(ClientDocument::new(last)),
                ..blank("ended")
            },
            ServeEventKind::Error(text) => EventDocument { text: Some(text.clone()), ..blank("trouble") },
            ServeEventKind::Stopped(_) => blank("stopped"),
        }
    }
}

impl EndingDocument {
    fn new(ending: &CloseCause) -> EndingDocument {
        let (code, reason) = match &ending.how {
            CloseKind::CloseFrame { code, reason } => (*code, Some(reason.to_string())),
            CloseKind::TooLarge { .. } => (Some(1009), None),
            CloseKind::Violation { detail, .. } | CloseKind::TlsAlert { alert: detail } => {
                (None, Some(detail.to_string()))
            }
            CloseKind::Fin
            | CloseKind::Rst
            | CloseKind::TlsClose
            | CloseKind::Silent
            | CloseKind::Timeout
            | CloseKind::Error => (None, None),
        };
        EndingDocument {
            who: ending.who.label(),
            how: CloseKindName::from(&ending.how).label(),
            code,
            reason: reason.filter(|reason| !reason.is_empty()),
            os_error: ending.os_error.clone(),
            age_ms: ms(ending.age),
            idle_ms: ms(ending.idle),
        }
    }
}

impl SummaryDocument {
    /// The summary as a document.
    pub fn new(summary: &ServerSummary) -> SummaryDocument {
        let count = |((who, how), count): (&(ClosedBy, CloseKindName), &u64)| EndingCount {
            ending: format!("{} {}", who.label(), how.label()),
            count: *count,
        };
        SummaryDocument {
            schema_version: SCHEMA_VERSION,
            command: "serve",
            started_at: rfc3339(summary.started_at),
            elapsed_ms: ms(summary.elapsed),
            clients: summary.clients,
            most_at_once: summary.most_at_once as u64,
            turned_away: summary.rejected,
            reaped: summary.dead_clients_closed,
            messages: summary.messages,
            pings: summary.pings,
            app_pings: summary.app_pings,
            heartbeats: BeatCounts::new(&summary.heartbeats),
            endings: summary.endings.iter().map(count).collect(),
        }
    }
}

impl BeatCounts {
    fn new(counts: &Counts) -> BeatCounts {
        BeatCounts {
            ok: counts.ok,
            late: counts.late,
            superseded: counts.superseded,
            missed: counts.missed,
            unanswered: counts.unanswered(),
            unsolicited: counts.unsolicited,
            mismatched: counts.mismatched,
            duplicate: counts.duplicate,
            loss: counts.loss(),
        }
    }
}

impl ClientsDocument {
    /// The connected clients.
    pub fn new(snapshot: &ServerSnapshot) -> ClientsDocument {
        ClientsDocument {
            schema_version: SCHEMA_VERSION,
            at: rfc3339(snapshot.at),
            by_status: by_status(snapshot)
                .filter(|(_, count)| *count > 0)
                .map(|(status, count)| StatusCount { status: status.label(), count })
                .collect(),
            clients: snapshot.clients.iter().map(ClientDocument::new).collect(),
        }
    }
}

/// The number of clients with each status, best first; includes statuses without a client.
pub fn by_status(snapshot: &ServerSnapshot) -> impl Iterator<Item = (Status, u64)> + '_ {
    let count =
        |status| snapshot.clients.iter().filter(|client| client.figures.status() == status).count() as u64;
    Status::iter().map(move |status| (status, count(status)))
}

impl ClientDocument {
    fn new(client: &ClientSnapshot) -> ClientDocument {
        ClientDocument {
            id: client.id,
            address: client.remote.clone(),
            resource: client.resource.clone(),
            subprotocol: client.subprotocol.clone(),
            faulty: client.faulty,
            age_ms: ms(client.age),
            idle_ms: ms(client.idle),
            status: client.figures.status().label(),
            messages: client.figures.messages,
            pings: client.figures.pings,
            app_pings: client.figures.app_pings,
            heartbeats: client.figures.beats.iter().map(BeatDocument::new).collect(),
        }
    }
}

impl BeatDocument {
    fn new(beat: &HeartbeatStats) -> BeatDocument {
        let (range, jitter) = (beat.rtts.range(), beat.jitter());
        BeatDocument {
            kind: beat.kind.label(),
            status: beat.status().label(),
            counts: BeatCounts::new(&beat.counts),
            rtt: RttDocument {
                last_ms: beat.metrics().last_rtt.map(ms),
                min_ms: range.map(|(min, _)| ms(min)),
                mean_ms: beat.rtts.mean().map(ms),
                max_ms: range.map(|(_, max)| ms(max)),
                window_mean_ms: beat.metrics().window_mean.map(ms),
            },
            jitter: JitterDocument {
                stddev_ms: jitter.stddev.map(ms),
                rfc3550_ms: jitter.rfc3550.map(ms),
                ipdv_mean_ms: jitter.ipdv_mean.map(ms),
            },
        }
    }
}

fn rfc3339(at: SystemTime) -> String {
    jiff::Timestamp::try_from(at).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}

/// Milliseconds with microsecond resolution.
fn ms(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
