//! The document of a whole run.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::event::ConnId;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{self, ConnReport, KindReport, Measurement, PingReport, TargetReport};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::JitterSummary;
use crate::output::json::{
    ByKind, FailureDocument, HostLag, JsonEndingDocument, JsonJitterDocument, JsonRttDocument, Ms, Name,
    OpeningDocument, PresetName, SCHEMA_VERSION, Timestamp, VerdictName, WSCHECK_VERSION, ms,
};

/// The whole run. A value that is not known is null; no field is ever left out.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Document")]
pub struct RunDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    command: String,
    wscheck_version: &'static str,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// The user ended the run.
    interrupted: bool,
    settings: Settings,
    /// Over the whole run, not by the last heartbeat: the worst of the targets.
    status: Name<Status>,
    status_reason: String,
    /// The worst of the targets at the end, by the latest heartbeats.
    last_status: Name<Status>,
    /// Connections by status.
    status_counts: StatusCountsDocument,
    /// The result in its earlier words.
    verdict: VerdictName,
    /// What the run comes to; the exit code says the same.
    result: Name<RunResult>,
    exit_code: u8,
    /// Why the result is what it is; the first reason of an interrupted run says how much of it was done.
    reasons: Vec<String>,
    /// What the figures mean together, and what to do next.
    advice: Vec<String>,
    /// The kind that `rtt`, `unanswered`, `loss` and `jitter` are of: protocol, where it was measured.
    heartbeat: Option<Name<HeartbeatKind>>,
    /// Over all targets; null before the first answer.
    rtt: Option<JsonRttDocument>,
    /// Over all targets: missed + superseded.
    unanswered: Option<u64>,
    /// Over all targets: missed / (ok + late + superseded + missed), from 0 to 1; null when nothing was judged.
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
    jitter: JsonJitterDocument,
    /// The ending of the only connection; of several, the first that was not planned.
    ending: Option<JsonEndingDocument>,
    /// The first connection that never opened says why.
    error: Option<FailureDocument>,
    /// Over all targets.
    heartbeats: ByKind,
    targets: Vec<TargetDocument>,
    /// Of more than ten connections, those that fared worst, the worst first: the dead, then those with heartbeats
    /// missed, then the slowest.
    worst: Vec<Worst>,
    host_lag: Option<HostLag>,
    /// Whether this host was quiet enough for the figures to be believed.
    measurement: Name<Measurement>,
    /// Why the measurement is suspect.
    measurement_reason: Option<String>,
    /// Where RTT is stamped.
    timestamps: Name<TimestampSource>,
    /// RTTs that user space had to stamp at one end or both, though the kernel was to.
    timestamps_fell_back: u64,
}

/// RTTs that stand out, and what TCP says of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Spikes")]
struct SpikesDocument {
    /// Those of which TCP could be asked.
    count: u64,
    /// Before these TCP had sent segments again: a loss on the way to the first TCP hop explains them.
    after_retransmits: u64,
}

impl From<report::RttSpikes> for SpikesDocument {
    fn from(spikes: report::RttSpikes) -> SpikesDocument {
        SpikesDocument { count: spikes.count, after_retransmits: spikes.sent_again }
    }
}

/// One of the connections that fared worst.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Worst {
    /// Index into `targets`.
    target: usize,
    /// Index into its `connections`.
    index: usize,
    local: Option<String>,
    /// How it is doing.
    status: Name<Status>,
    status_reason: String,
    missed: u64,
    /// Of the slowest kind of heartbeat.
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

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Settings {
    /// The kinds of heartbeats that are sent.
    heartbeats: Vec<Name<HeartbeatKind>>,
    /// Null: each leaves as soon as the last is answered or missed.
    interval_ms: Option<Ms>,
    timeout_ms: Ms,
    /// Heartbeats of each kind on each connection; null: until stopped.
    count: Option<u64>,
    /// The run ends after this; null: when all heartbeats are judged, or it is stopped.
    deadline_ms: Option<Ms>,
    /// Connections to each target.
    connections_each: usize,
    /// Whose heartbeats they are; null where no preset was asked for.
    preset: Option<PresetName>,
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
        }
    }
}

/// Connections by status.
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

/// One target: all of its connections together.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Target")]
struct TargetDocument {
    /// Without its secrets.
    url: String,
    /// The worst of its connections, and no better than the loss over all of them.
    status: Name<Status>,
    status_reason: String,
    /// The worst of its connections at the end, by the latest heartbeats.
    last_status: Name<Status>,
    heartbeats: ByKind,
    connections: Vec<ConnectionDocument>,
}

impl From<&TargetReport> for TargetDocument {
    fn from(target: &TargetReport) -> TargetDocument {
        TargetDocument {
            url: target.url.clone(),
            status: target.status.into(),
            status_reason: target.status_reason.clone(),
            last_status: target.last_status.into(),
            heartbeats: target.kinds.as_slice().into(),
            connections: target.connections.iter().map(ConnectionDocument::from).collect(),
        }
    }
}

/// One connection, with all its reconnections.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Connection")]
struct ConnectionDocument {
    /// From 0.
    index: usize,
    /// Over the whole run, not by the last heartbeat.
    status: Name<Status>,
    status_reason: String,
    /// At the end, by the latest heartbeats.
    last_status: Name<Status>,
    last_status_reason: String,
    /// The first opening.
    #[serde(flatten)]
    opening: OpeningDocument,
    heartbeats: ByKind,
    /// The last ending.
    ending: Option<JsonEndingDocument>,
    /// The last ending that was not planned.
    last_unplanned_ending: Option<JsonEndingDocument>,
    unplanned_endings: u32,
    reconnects: u32,
    /// Time without a connection, after the first opening: all gaps together. Null when it never opened,
    /// or was lost without an attempt to open it again.
    outage_ms: Option<Ms>,
    /// Ordinary messages from the server.
    messages: u64,
    server_pings: ServerPingsDocument,
    /// Our own app pings that came back unchanged.
    echoes: u64,
    /// RTTs that were more than twice the mean of those before them.
    spikes: SpikesDocument,
    /// The first message on the last connection that was neither an answer nor known.
    first_other_message: Option<String>,
    /// The last such message, where the connection ended.
    last_other_message: Option<String>,
    /// The message that comes nearest to an answer of an app heartbeat without being one.
    nearest_to_answer: Option<NearestToAnswer>,
    /// The first answer whose id or number is none of ours.
    foreign_answer: Option<String>,
    /// What came in place of the Pongs since the last one that answered: Pongs with another payload, or messages.
    instead_of_pongs: Option<String>,
    /// How long after our only Ping the peer ended the connection, where nothing answered it.
    ended_after_ping_ms: Option<Ms>,
    /// The presets that such messages are typical of.
    looks_like: Vec<&'static str>,
    /// The last failure to open.
    error: Option<FailureDocument>,
}

/// A message that is no answer, and how it differs from one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NearestToAnswer {
    message: String,
    /// Each a fragment.
    differences: Vec<String>,
}

impl From<&NearestMessage> for NearestToAnswer {
    fn from(nearest: &NearestMessage) -> NearestToAnswer {
        let differences = nearest.difference.points.clone();
        NearestToAnswer { message: nearest.message.to_string(), differences }
    }
}

/// The server's own heartbeats.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "ServerPings")]
struct ServerPingsDocument {
    protocol: u64,
    app: u64,
    /// How far they were apart when the connection ended last: the median. Null before the second.
    protocol_interval_ms: Option<Ms>,
    app_interval_ms: Option<Ms>,
    /// How often the server will ask, as its hello says; null where it does not.
    announced_interval_ms: Option<Ms>,
}

impl From<&ConnReport> for ConnectionDocument {
    fn from(connection: &ConnReport) -> ConnectionDocument {
        let overheard = connection.overheard.as_deref();
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
            first_other_message: overheard
                .and_then(|traffic| Some(traffic.stranger.as_ref()?.as_str().to_string())),
            last_other_message: overheard.and_then(|traffic| Some(traffic.last.as_ref()?.to_string())),
            nearest_to_answer: overheard
                .and_then(|traffic| traffic.nearest.as_ref())
                .map(NearestToAnswer::from),
            foreign_answer: overheard.and_then(|traffic| Some(traffic.foreign.as_ref()?.to_string())),
            instead_of_pongs: overheard.and_then(|traffic| Some(traffic.substitute.as_ref()?.describe())),
            ended_after_ping_ms: ms(overheard.and_then(|traffic| traffic.ended_after_ping)),
            looks_like: overheard.map(|traffic| traffic.looks_like.clone()).unwrap_or_default(),
            echoes: connection.echoes,
            spikes: SpikesDocument::from(connection.spikes),
            error: connection.open_error.as_deref().map(FailureDocument::from),
        }
    }
}

fn server_pings(connection: &ConnReport) -> ServerPingsDocument {
    let intervals = connection.overheard.iter().flat_map(|traffic| &traffic.intervals);
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

impl RunDocument {
    /// The document of a run of this command.
    pub fn new(command: &str, report: &PingReport) -> RunDocument {
        let main = main_kind(&report.kinds);
        RunDocument {
            schema_version: SCHEMA_VERSION,
            command: command.to_string(),
            wscheck_version: WSCHECK_VERSION,
            started_at: report.started_at.into(),
            elapsed_ms: report.elapsed.into(),
            interrupted: report.interrupted,
            settings: report.info.as_ref().into(),
            status: report.status.into(),
            status_reason: report.status_reason.clone(),
            last_status: report.last_status.into(),
            status_counts: report.status_counts.as_slice().into(),
            verdict: report.verdict.into(),
            result: report.verdict.into(),
            exit_code: report.verdict.exit_code(),
            reasons: report.reasons.clone(),
            advice: report.advice.clone(),
            heartbeat: main.map(|kind| kind.kind.into()),
            rtt: main.and_then(|kind| kind.rtt).map(JsonRttDocument::from),
            unanswered: main.map(|kind| kind.counts.unanswered()),
            loss: main.and_then(|kind| kind.counts.loss()),
            jitter: main.map_or_else(JitterSummary::default, |kind| kind.jitter).into(),
            ending: main_ending(report),
            error: main_error(report),
            heartbeats: report.kinds.as_slice().into(),
            targets: report.targets.iter().map(TargetDocument::from).collect(),
            host_lag: report.host_lag.map(|lag| HostLag::new(lag, &report.stamping)),
            worst: report.worst.iter().filter_map(|id| Worst::new(report, *id)).collect(),
            measurement: report.measurement.clone().into(),
            measurement_reason: match &report.measurement {
                Measurement::Suspect(why) => Some(why.clone()),
                Measurement::Sound | Measurement::Unknown => None,
            },
            timestamps: report.timestamps().into(),
            timestamps_fell_back: report.stamping.fell_back,
        }
    }
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
