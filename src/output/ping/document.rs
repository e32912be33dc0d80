//! The document of a whole run.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::event::ConnId;
use crate::domain::ping::health::Status;
use crate::domain::ping::measurement::MeasurementName;
use crate::domain::ping::report::{self, ConnReport, KindReport, PingReport, TargetReport};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::run_status::RunStatusLimits;
use crate::domain::stats::JitterSummary;
use crate::output::envelope::DocumentBody;
use crate::output::json::{
    ByKind, FailureDocument, HostLag, JsonEndingDocument, JsonJitterDocument, JsonRttDocument, Ms, Name,
    OpeningDocument, PresetName, ms,
};

/// The report of a run. Unknown values are null; no field is ever omitted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PingDocument {
    settings: Settings,
    /// Status of the whole run: the worst status of its targets.
    status: Name<Status>,
    status_reason: String,
    /// The worst status of the targets at the end, judged by their latest heartbeats.
    last_status: Name<Status>,
    /// Number of connections in each status.
    status_counts: StatusCountsDocument,
    /// The kind of heartbeat that `rtt`, `unanswered`, `loss` and `jitter` describe: `protocol` if it was measured,
    /// else `app`.
    heartbeat: Option<Name<HeartbeatKind>>,
    /// RTT over all targets; null if nothing was answered.
    rtt: Option<JsonRttDocument>,
    /// Unanswered heartbeats over all targets: missed + superseded.
    unanswered: Option<u64>,
    /// Loss over all targets: missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
    jitter: JsonJitterDocument,
    /// How the connection ended. With several connections: the first unplanned end.
    ending: Option<JsonEndingDocument>,
    /// Why the first connection that never opened could not be opened.
    error: Option<FailureDocument>,
    /// Figures over all targets.
    heartbeats: ByKind,
    targets: Vec<TargetDocument>,
    /// With more than ten connections, the worst of them: first those that are dead, then those with missed heartbeats,
    /// then the slowest.
    worst: Vec<Worst>,
    host_lag: Option<HostLag>,
    /// Whether this host's own delays were small enough for the figures to be reliable. If not, a finding says why.
    measurement: Name<MeasurementName>,
    /// Source of the timestamps for the RTT: this program (`user`), the kernel for arrivals only (`kernel_receive`), or
    /// the kernel for departures and arrivals (`kernel`).
    timestamps: Name<TimestampSource>,
    /// Number of RTTs for which an expected kernel timestamp was missing, so that this program's own was used.
    timestamps_fell_back: u64,
}

/// Unusually long RTTs, and whether TCP retransmits explain them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Spikes")]
struct SpikesDocument {
    /// Spikes for which TCP statistics were available.
    count: u64,
    /// Spikes that follow a TCP retransmit: packet loss on the path to the first TCP hop explains them.
    after_retransmits: u64,
}

impl From<report::RttSpikes> for SpikesDocument {
    fn from(spikes: report::RttSpikes) -> SpikesDocument {
        SpikesDocument { count: spikes.count, after_retransmits: spikes.sent_again }
    }
}

/// One of the worst connections.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Worst {
    /// Index into `targets`.
    target: usize,
    /// Index into its `connections`.
    index: usize,
    local: Option<String>,
    /// Its status.
    status: Name<Status>,
    status_reason: String,
    missed: u64,
    /// RTT of the slowest kind of heartbeat.
    rtt: Option<JsonRttDocument>,
}

impl Worst {
    fn new(report: &PingReport, id: ConnId) -> Option<Worst> {
        let connection = report.targets.get(id.target)?.connections.get(id.index)?;
        Some(Worst {
            target: id.target,
            index: id.index,
            local: connection.opened.as_ref().and_then(|opened| opened.local.clone()),
            status: connection.status.into(),
            status_reason: connection.status_reason.clone(),
            missed: connection.kinds.iter().map(|kind| kind.counts.missed).sum(),
            rtt: connection
                .kinds
                .iter()
                .filter_map(|kind| kind.rtt)
                .max_by_key(|rtt| rtt.mean)
                .map(JsonRttDocument::from),
        })
    }
}

/// The settings of the run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Settings {
    /// The kinds of heartbeat that are sent.
    heartbeats: Vec<Name<HeartbeatKind>>,
    /// Null: each heartbeat is sent as soon as the previous one is answered or missed.
    interval_ms: Option<Ms>,
    timeout_ms: Ms,
    /// Number of heartbeats of each kind on each connection; null: until stopped.
    count: Option<u64>,
    /// The run ends after this time; null: when all heartbeats are judged, or when it is stopped.
    deadline_ms: Option<Ms>,
    /// Number of connections to each target.
    connections_each: usize,
    /// The preset; null if none was requested.
    preset: Option<PresetName>,
    /// When a heartbeat, a connection and the run are healthy, degraded, poor, critical, in timeout or dead.
    thresholds: Thresholds,
    /// The best status that fails the run.
    fail_on: String,
    /// Conditions that fail the run: `rtt.p95>300ms`.
    fail_if: Vec<String>,
    /// The conditions of `--warn`.
    warn: Vec<String>,
    /// Close codes of the peer with which every connection must end; empty if none is expected.
    expect_close: Vec<u16>,
    /// HTTP statuses with which every connection must be refused; empty if none is expected.
    expect_refused: Vec<u16>,
}

/// The limits of statuses, so that an archived run can be judged again.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Thresholds {
    /// The largest mean RTT of a healthy connection.
    healthy_ms: Ms,
    /// The largest mean RTT of a degraded connection.
    degraded_ms: Ms,
    /// The largest mean RTT of a poor connection; above it is critical.
    poor_ms: Ms,
    /// Consecutive missed heartbeats after which a connection is dead.
    dead_after: u32,
    /// Consecutive missed heartbeats at the end with which a run has status timeout.
    timeout_after: u32,
    /// Loss above which a run is at least poor, from 0 to 1.
    poor_loss: f64,
    /// Loss above which a run is at least critical, from 0 to 1.
    critical_loss: f64,
    /// Missed heartbeats from which on loss makes a run poor or critical.
    loss_min_missed: u64,
    /// Answered heartbeats in the window of the live status.
    window: usize,
}

impl From<RunStatusLimits> for Thresholds {
    fn from(limits: RunStatusLimits) -> Thresholds {
        let connection = limits.connection;
        Thresholds {
            healthy_ms: connection.healthy.into(),
            degraded_ms: connection.degraded.into(),
            poor_ms: connection.poor.into(),
            dead_after: connection.dead_after,
            timeout_after: limits.timeout_after,
            poor_loss: limits.poor_loss,
            critical_loss: limits.critical_loss,
            loss_min_missed: limits.loss_min_missed,
            window: connection.window,
        }
    }
}

impl From<&RunInfo> for Settings {
    fn from(info: &RunInfo) -> Settings {
        Settings {
            heartbeats: info.kinds.iter().copied().map(Name).collect(),
            interval_ms: ms(info.interval),
            timeout_ms: info.timeout.into(),
            count: info.count,
            deadline_ms: ms(info.deadline),
            connections_each: info.connections_each,
            preset: info.preset.as_ref().map(PresetName::from),
            thresholds: info.demands.limits.into(),
            fail_on: info.demands.fail_on.clone(),
            fail_if: info.demands.fail_if.clone(),
            warn: info.demands.warn_if.clone(),
            expect_close: info.demands.endings.close_codes.clone(),
            expect_refused: info.demands.endings.refused_with.clone(),
        }
    }
}

/// Number of connections in each status.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "StatusCounts")]
struct StatusCountsDocument {
    healthy: usize,
    degraded: usize,
    poor: usize,
    critical: usize,
    unknown: usize,
    timeout: usize,
    dead: usize,
}

impl From<&[(Status, usize)]> for StatusCountsDocument {
    fn from(counts: &[(Status, usize)]) -> StatusCountsDocument {
        let of = |status: Status| counts.iter().filter(|(s, _)| *s == status).map(|(_, count)| count).sum();
        StatusCountsDocument {
            healthy: of(Status::Healthy),
            degraded: of(Status::Degraded),
            poor: of(Status::Poor),
            critical: of(Status::Critical),
            unknown: of(Status::Unknown),
            timeout: of(Status::Timeout),
            dead: of(Status::Dead),
        }
    }
}

/// One target with all its connections.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Target")]
struct TargetDocument {
    /// The target, with secrets redacted.
    url: String,
    /// The worst status of its connections, and no better than the loss over all of them implies.
    status: Name<Status>,
    status_reason: String,
    /// The worst status of its connections at the end, judged by their latest heartbeats.
    last_status: Name<Status>,
    heartbeats: ByKind,
    /// How many connections to this target there were.
    connection_count: usize,
    /// All of them, or of more than 100 in the run the worst (see `worst`), unless `--all-connections` is given.
    connections: Vec<ConnectionDocument>,
}

/// Up to this many connections, the document lists all.
const MAX_IN_DOCUMENT: usize = 100;

impl TargetDocument {
    fn new(report: &PingReport, index: usize, target: &TargetReport) -> TargetDocument {
        let lists_all = report.info.lists_all || report.info.connections() <= MAX_IN_DOCUMENT;
        let is_listed = |connection: &&ConnReport| {
            lists_all || report.worst.contains(&ConnId { target: index, index: connection.index })
        };
        TargetDocument {
            connection_count: target.connections.len(),
            url: target.url.clone(),
            status: target.status.into(),
            status_reason: target.status_reason.clone(),
            last_status: target.last_status.into(),
            heartbeats: target.kinds.as_slice().into(),
            connections: target.connections.iter().filter(is_listed).map(ConnectionDocument::from).collect(),
        }
    }
}

/// One connection, including all its reconnections.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Connection")]
struct ConnectionDocument {
    /// From 0.
    index: usize,
    /// Status over the whole run.
    status: Name<Status>,
    status_reason: String,
    /// Status at the end, judged by the latest heartbeats.
    last_status: Name<Status>,
    last_status_reason: String,
    /// The first opening.
    #[serde(flatten)]
    opening: OpeningDocument,
    heartbeats: ByKind,
    /// How the connection ended last.
    ending: Option<JsonEndingDocument>,
    /// The last unplanned end.
    last_unplanned_ending: Option<JsonEndingDocument>,
    unplanned_endings: u32,
    reconnects: u32,
    /// Total time without a connection after the first opening. Null if it never opened, or if it was lost and not
    /// reconnected.
    outage_ms: Option<Ms>,
    /// Ordinary messages from the server.
    messages: u64,
    server_pings: ServerPingsDocument,
    /// Number of our own app pings that came back unchanged.
    echoes: u64,
    /// RTTs of more than twice the mean of the previous ones.
    spikes: SpikesDocument,
    /// The first message on the last connection that is neither an answer nor of a known format.
    first_other_message: Option<String>,
    /// The last such message, if the connection ended.
    last_other_message: Option<String>,
    /// The message most similar to an answer to an app heartbeat, without being one.
    nearest_to_answer: Option<NearestToAnswer>,
    /// The first answer with an id or number that we did not send.
    foreign_answer: Option<String>,
    /// What came instead of Pongs since the last answered Ping: Pongs with a different payload, or messages.
    instead_of_pongs: Option<String>,
    /// If our only Ping was not answered: time from that Ping to the peer's end of the connection.
    ended_after_ping_ms: Option<Ms>,
    /// Presets for which such messages are typical.
    looks_like: Vec<&'static str>,
    /// The last failure to open the connection.
    error: Option<FailureDocument>,
}

/// A message that is not an answer, and how it differs from one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NearestToAnswer {
    message: String,
    /// The differences, each a fragment of a sentence.
    differences: Vec<String>,
}

impl From<&NearestMessage> for NearestToAnswer {
    fn from(nearest: &NearestMessage) -> NearestToAnswer {
        let differences = nearest.difference.points.clone();
        NearestToAnswer { message: nearest.message.to_string(), differences }
    }
}

/// Heartbeats that the server sent by itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ServerPings")]
struct ServerPingsDocument {
    protocol: u64,
    app: u64,
    /// Median interval of the server's Pings at the end of the last connection; null with fewer than two.
    protocol_interval_ms: Option<Ms>,
    app_interval_ms: Option<Ms>,
    /// The heartbeat interval that the server announced at the start; null if it announced none.
    announced_interval_ms: Option<Ms>,
}

impl From<&ConnReport> for ConnectionDocument {
    fn from(connection: &ConnReport) -> ConnectionDocument {
        let server_traffic = connection.server_traffic.as_deref();
        let attempts = connection.open_error.as_ref().map_or(&[][..], |error| &error.attempts);
        ConnectionDocument {
            index: connection.index,
            status: connection.status.into(),
            status_reason: connection.status_reason.clone(),
            last_status: connection.last_status.into(),
            last_status_reason: connection.last_status_reason.clone(),
            opening: connection
                .opened
                .as_deref()
                .map_or_else(|| OpeningDocument::failed(attempts), OpeningDocument::from),
            heartbeats: connection.kinds.as_slice().into(),
            ending: connection.ending.as_deref().map(JsonEndingDocument::from),
            last_unplanned_ending: connection.lost.as_deref().map(JsonEndingDocument::from),
            unplanned_endings: connection.unplanned_endings,
            reconnects: connection.reconnects,
            outage_ms: ms(connection.outage),
            messages: connection.messages,
            server_pings: server_pings(connection),
            first_other_message: server_traffic
                .and_then(|traffic| Some(traffic.first_other.as_ref()?.as_str().to_string())),
            last_other_message: server_traffic.and_then(|traffic| Some(traffic.last.as_ref()?.to_string())),
            nearest_to_answer: server_traffic
                .and_then(|traffic| traffic.nearest.as_ref())
                .map(NearestToAnswer::from),
            foreign_answer: server_traffic.and_then(|traffic| Some(traffic.foreign.as_ref()?.to_string())),
            instead_of_pongs: server_traffic
                .and_then(|traffic| Some(traffic.substitute.as_ref()?.describe())),
            ended_after_ping_ms: ms(server_traffic.and_then(|traffic| traffic.ended_after_ping)),
            looks_like: server_traffic.map(|traffic| traffic.looks_like.clone()).unwrap_or_default(),
            echoes: connection.echoes,
            spikes: SpikesDocument::from(connection.spikes),
            error: connection.open_error.as_deref().map(FailureDocument::from),
        }
    }
}

fn server_pings(connection: &ConnReport) -> ServerPingsDocument {
    let intervals = connection.server_traffic.iter().flat_map(|traffic| &traffic.intervals);
    let median = |wanted: HeartbeatKind| {
        intervals.clone().find(|(kind, _)| *kind == wanted).map(|(_, interval)| interval.median)
    };
    ServerPingsDocument {
        protocol: connection.server_pings_protocol,
        app: connection.server_pings_app,
        protocol_interval_ms: ms(median(HeartbeatKind::Protocol)),
        app_interval_ms: ms(median(HeartbeatKind::App)),
        announced_interval_ms: ms(connection.announced),
    }
}

impl PingDocument {
    /// What `ping` measured.
    pub fn new(report: &PingReport) -> PingDocument {
        let main = main_kind(&report.kinds);
        PingDocument {
            settings: report.info.as_ref().into(),
            status: report.status.into(),
            status_reason: report.status_reason.clone(),
            last_status: report.last_status.into(),
            status_counts: report.status_counts.as_slice().into(),
            heartbeat: main.map(|kind| kind.kind.into()),
            rtt: main.and_then(|kind| kind.rtt).map(JsonRttDocument::from),
            unanswered: main.map(|kind| kind.counts.unanswered()),
            loss: main.and_then(|kind| kind.counts.loss()),
            jitter: main.map_or_else(JitterSummary::default, |kind| kind.jitter).into(),
            ending: main_ending(report),
            error: main_error(report),
            heartbeats: report.kinds.as_slice().into(),
            targets: targets(report),
            host_lag: report.host_lag.map(|lag| HostLag::new(lag, &report.stamping)),
            worst: report.worst.iter().filter_map(|id| Worst::new(report, *id)).collect(),
            measurement: MeasurementName::from(report.measurement).into(),
            timestamps: report.timestamps().into(),
            timestamps_fell_back: report.stamping.fell_back,
        }
    }
}

fn targets(report: &PingReport) -> Vec<TargetDocument> {
    let targets = report.targets.iter().enumerate();
    targets.map(|(index, target)| TargetDocument::new(report, index, target)).collect()
}

fn main_kind(kinds: &[KindReport]) -> Option<&KindReport> {
    kinds.iter().find(|report| report.kind == HeartbeatKind::Protocol).or(kinds.first())
}

fn main_ending(report: &PingReport) -> Option<JsonEndingDocument> {
    let connections: Vec<&ConnReport> = report.targets.iter().flat_map(|t| &t.connections).collect();
    let mut endings = connections.iter().filter_map(|connection| connection.ending.as_deref());
    match connections.len() {
        1 => endings.next(),
        _ => endings.find(|ending| !ending.was_planned()),
    }
    .map(JsonEndingDocument::from)
}

fn main_error(report: &PingReport) -> Option<FailureDocument> {
    let mut connections = report.targets.iter().flat_map(|target| &target.connections);
    connections
        .find_map(|connection| match connection.opened {
            Some(_) => None,
            None => connection.open_error.as_deref(),
        })
        .map(FailureDocument::from)
}

impl DocumentBody for PingDocument {
    const COMMAND: &'static str = "ping";
}
