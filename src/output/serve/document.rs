//! The summary of `serve` in JSON, and the clients of the status page.

use schemars::JsonSchema;
use serde::Serialize;
use strum::IntoEnumIterator;

use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::domain::stats::Counts;
use crate::output::envelope::DocumentBody;
use crate::output::json::{JsonJitterDocument, Ms, Name, SCHEMA_VERSION, Timestamp, ms};
use crate::server::{ClientSnapshot, HeartbeatStats, ServerSnapshot, ServerSummary};

/// What `wscheck serve -o json` prints. Unknown values are null; no field is ever omitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ServeDocument {
    /// The URL of the server.
    url: String,
    /// Connections that became clients.
    clients: u64,
    most_at_once: usize,
    /// Connections that did not become clients.
    rejected: u64,
    /// Number of clients that the server closed because they missed heartbeats.
    dead_clients_closed: u64,
    /// Ordinary messages received.
    messages: u64,
    /// Ping frames received, answered or not.
    pings: u64,
    /// App pings received, answered or not.
    app_pings: u64,
    /// Outcomes of the server's own heartbeats.
    heartbeats: HeartbeatCounts,
    endings: Vec<EndingCount>,
    faults: Vec<FaultCount>,
}

/// Number of connections that ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EndingCount {
    /// Who ended the connection: `peer` is the client, `us` the server.
    who: Name<ClosedBy>,
    /// How the connection ended.
    how: Name<CloseKindName>,
    count: u64,
}

/// How often a fault acted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct FaultCount {
    /// The way in which a connection was ended or crippled, as of `--idle-cut`; or `upgrade_refused`, or `pong_dropped`.
    fault: &'static str,
    count: u64,
}

/// Outcomes of the server's own heartbeats.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct HeartbeatCounts {
    ok: u64,
    late: u64,
    superseded: u64,
    missed: u64,
    /// missed + superseded.
    unanswered: u64,
    unsolicited: u64,
    mismatched: u64,
    duplicate: u64,
    /// missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
}

/// `GET /clients`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ClientsDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    at: Timestamp,
    /// The statuses that at least one client has, best first.
    by_status: Vec<ClientsWithStatus>,
    clients: Vec<ServedClientDocument>,
}

/// Number of clients with this status.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ClientsWithStatus {
    /// The status.
    status: Name<Status>,
    count: u64,
}

/// One client of the server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "ServedClient")]
pub struct ServedClientDocument {
    id: u64,
    address: String,
    resource: String,
    subprotocol: Option<String>,
    faulty: bool,
    age_ms: Ms,
    /// Time since the client last sent anything.
    idle_ms: Ms,
    /// The worst status of its heartbeats; `dead` once the server closed it.
    status: Name<Status>,
    messages: u64,
    pings: u64,
    app_pings: u64,
    /// Figures of the server's own heartbeats, one entry for each kind.
    heartbeats: Vec<ServedHeartbeats>,
}

/// One kind of the server's heartbeats to one client.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ServedHeartbeats {
    /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
    kind: Name<HeartbeatKind>,
    /// The status by this kind of heartbeat.
    status: Name<Status>,
    counts: HeartbeatCounts,
    rtt: ServedRtt,
    jitter: JsonJitterDocument,
}

/// RTT; null without a sample.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ServedRtt {
    last_ms: Option<Ms>,
    min_ms: Option<Ms>,
    mean_ms: Option<Ms>,
    max_ms: Option<Ms>,
    /// Mean RTT of the rolling window, which determines the status.
    window_mean_ms: Option<Ms>,
}

impl DocumentBody for ServeDocument {
    const COMMAND: &'static str = "serve";
}

impl ServeDocument {
    pub fn new(url: &str, summary: &ServerSummary) -> ServeDocument {
        let endings = summary.endings.iter();
        ServeDocument {
            url: url.to_string(),
            clients: summary.clients,
            most_at_once: summary.most_at_once,
            rejected: summary.rejected,
            dead_clients_closed: summary.dead_clients_closed,
            messages: summary.messages,
            pings: summary.pings,
            app_pings: summary.app_pings,
            heartbeats: HeartbeatCounts::from(&summary.heartbeats),
            endings: endings
                .map(|((who, how), count)| EndingCount { who: Name(*who), how: Name(*how), count: *count })
                .collect(),
            faults: summary.faults.iter().map(|(fault, count)| FaultCount { fault, count: *count }).collect(),
        }
    }
}

impl From<&Counts> for HeartbeatCounts {
    fn from(counts: &Counts) -> HeartbeatCounts {
        HeartbeatCounts {
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

impl From<&ServerSnapshot> for ClientsDocument {
    fn from(snapshot: &ServerSnapshot) -> ClientsDocument {
        let by_status = by_status(snapshot).filter(|(_, count)| *count > 0);
        ClientsDocument {
            schema_version: SCHEMA_VERSION,
            at: snapshot.at.into(),
            by_status: by_status
                .map(|(status, count)| ClientsWithStatus { status: Name(status), count })
                .collect(),
            clients: snapshot.clients.iter().map(ServedClientDocument::from).collect(),
        }
    }
}

/// The number of clients with each status, best first; includes statuses without a client.
pub fn by_status(snapshot: &ServerSnapshot) -> impl Iterator<Item = (Status, u64)> + '_ {
    let count =
        |status| snapshot.clients.iter().filter(|client| client.figures.status() == status).count() as u64;
    Status::iter().map(move |status| (status, count(status)))
}

impl From<&ClientSnapshot> for ServedClientDocument {
    fn from(client: &ClientSnapshot) -> ServedClientDocument {
        ServedClientDocument {
            id: client.id,
            address: client.remote.clone(),
            resource: client.resource.clone(),
            subprotocol: client.subprotocol.clone(),
            faulty: client.faulty,
            age_ms: client.age.into(),
            idle_ms: client.idle.into(),
            status: client.figures.status().into(),
            messages: client.figures.messages,
            pings: client.figures.pings,
            app_pings: client.figures.app_pings,
            heartbeats: client.figures.beats.iter().map(ServedHeartbeats::from).collect(),
        }
    }
}

impl From<&HeartbeatStats> for ServedHeartbeats {
    fn from(beats: &HeartbeatStats) -> ServedHeartbeats {
        let (range, now) = (beats.rtts.range(), beats.metrics());
        ServedHeartbeats {
            kind: beats.kind.into(),
            status: beats.status().into(),
            counts: HeartbeatCounts::from(&beats.counts),
            rtt: ServedRtt {
                last_ms: ms(now.last_rtt),
                min_ms: ms(range.map(|(min, _)| min)),
                mean_ms: ms(beats.rtts.mean()),
                max_ms: ms(range.map(|(_, max)| max)),
                window_mean_ms: ms(now.window_mean),
            },
            jitter: beats.jitter().into(),
        }
    }
}
