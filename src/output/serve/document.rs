//! The summary of `serve` in JSON, and the clients of the status page.

use serde::Serialize;
use strum::IntoEnumIterator;

use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::domain::stats::Counts;
use crate::output::envelope::DocumentBody;
use crate::output::json::{JsonJitterDocument, Ms, Name, SCHEMA_VERSION, Timestamp, document, ms};
use crate::server::{ClientSnapshot, HeartbeatStats, ServerSnapshot, ServerSummary};

document! {
    /// What `wscheck serve -o json` prints. Unknown values are null; no field is ever omitted.
    pub struct ServeDocument from (url, summary): (&str, &ServerSummary) {
        /// The URL of the server.
        url: String = url.to_string(),
        /// Connections that became clients.
        clients: u64 = summary.clients,
        most_at_once: usize = summary.most_at_once,
        /// Connections that did not become clients.
        rejected: u64 = summary.rejected,
        /// Number of clients that the server closed because they missed heartbeats.
        dead_clients_closed: u64 = summary.dead_clients_closed,
        /// Ordinary messages received.
        messages: u64 = summary.messages,
        /// Ping frames received, answered or not.
        pings: u64 = summary.pings,
        /// App pings received, answered or not.
        app_pings: u64 = summary.app_pings,
        /// Outcomes of the server's own heartbeats.
        heartbeats: HeartbeatCounts = HeartbeatCounts::from(&summary.heartbeats),
        endings: Vec<EndingCount> = summary
            .endings
            .iter()
            .map(|((who, how), count)| EndingCount { who: Name(*who), how: Name(*how), count: *count })
            .collect::<Vec<EndingCount>>(),
        faults: Vec<FaultCount> =
            summary.faults.iter().map(|(fault, count)| FaultCount { fault, count: *count }).collect::<Vec<FaultCount>>(),
    }
}

/// Number of connections that ended in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EndingCount {
    /// Who ended the connection: `peer` is the client, `us` the server.
    who: Name<ClosedBy>,
    /// How the connection ended.
    how: Name<CloseKindName>,
    count: u64,
}

/// How often a fault acted.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FaultCount {
    /// The way in which a connection was ended or crippled, as of `--idle-cut`; or `upgrade_refused`, or `pong_dropped`.
    fault: &'static str,
    count: u64,
}

document! {
    /// Outcomes of the server's own heartbeats.
    struct HeartbeatCounts from counts: &Counts {
        ok: u64 = counts.ok,
        late: u64 = counts.late,
        superseded: u64 = counts.superseded,
        missed: u64 = counts.missed,
        /// missed + superseded.
        unanswered: u64 = counts.unanswered(),
        unsolicited: u64 = counts.unsolicited,
        mismatched: u64 = counts.mismatched,
        duplicate: u64 = counts.duplicate,
        /// missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
        #[cfg_attr(test, schemars(range(min = 0.0, max = 1.0)))]
        loss: Option<f64> = counts.loss(),
    }
}

document! {
    /// `GET /clients`.
    pub struct ClientsDocument from snapshot: &ServerSnapshot {
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        at: Timestamp = snapshot.at,
        /// The statuses that at least one client has, best first.
        by_status: Vec<ClientsWithStatus> = by_status(snapshot)
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| ClientsWithStatus { status: Name(status), count })
            .collect::<Vec<ClientsWithStatus>>(),
        clients: Vec<ServedClientDocument> = snapshot.clients.iter().map(Into::into).collect::<Vec<ServedClientDocument>>(),
    }
}

/// Number of clients with this status.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ClientsWithStatus {
    /// The status.
    status: Name<Status>,
    count: u64,
}

document! {
    /// One client of the server.
    #[cfg_attr(test, schemars(rename = "ServedClient"))]
    pub struct ServedClientDocument from client: &ClientSnapshot {
        id: u64 = client.id,
        address: String = client.remote.clone(),
        /// The version of HTTP that opened the WebSocket: 1.1 by an upgrade, 2 by an extended CONNECT.
        http: Name<HttpVersion> = client.http,
        resource: String = client.resource.clone(),
        subprotocol: Option<String> = client.subprotocol.clone(),
        faulty: bool = client.faulty,
        age_ms: Ms = client.age,
        /// Time since the client last sent anything.
        idle_ms: Ms = client.idle,
        /// The worst status of its heartbeats; `dead` once the server closed it.
        status: Name<Status> = client.figures.status(),
        messages: u64 = client.figures.messages,
        pings: u64 = client.figures.pings,
        app_pings: u64 = client.figures.app_pings,
        /// Figures of the server's own heartbeats, one entry for each kind.
        heartbeats: Vec<ServedHeartbeats> = client.figures.beats.iter().map(ServedHeartbeats::from).collect::<Vec<_>>(),
    }
}

document! {
    /// One kind of the server's heartbeats to one client.
    struct ServedHeartbeats from beats: &HeartbeatStats {
        /// The kind of heartbeat: `protocol` (Ping and Pong frames) or `app` (messages).
        kind: Name<HeartbeatKind> = beats.kind,
        /// The status by this kind of heartbeat.
        status: Name<Status> = beats.status(),
        counts: HeartbeatCounts = HeartbeatCounts::from(&beats.counts),
        rtt: ServedRtt = beats,
        jitter: JsonJitterDocument = beats.jitter(),
    }
}

document! {
    /// RTT; null without a sample.
    struct ServedRtt from beats: &HeartbeatStats {
        last_ms: Option<Ms> = ms(beats.metrics().last_rtt),
        min_ms: Option<Ms> = ms(beats.rtts.range().map(|(min, _)| min)),
        mean_ms: Option<Ms> = ms(beats.rtts.mean()),
        max_ms: Option<Ms> = ms(beats.rtts.range().map(|(_, max)| max)),
        /// Mean RTT of the rolling window, which determines the status.
        window_mean_ms: Option<Ms> = ms(beats.metrics().window_mean),
    }
}

impl DocumentBody for ServeDocument {
    const COMMAND: &'static str = "serve";
}

/// The number of clients with each status, best first; includes statuses without a client.
pub fn by_status(snapshot: &ServerSnapshot) -> impl Iterator<Item = (Status, u64)> + '_ {
    let count =
        |status| snapshot.clients.iter().filter(|client| client.figures.status() == status).count() as u64;
    Status::iter().map(move |status| (status, count(status)))
}
