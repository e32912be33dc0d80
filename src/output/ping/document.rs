//! The document of a whole run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::outages::OutagesDocument;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::substitutes::{OtherPayload, Substitute};
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::alike::grouped;
use crate::domain::ping::event::ConnId;
use crate::domain::ping::health::Status;
use crate::domain::ping::measurement::MeasurementName;
use crate::domain::ping::merged_runs::{ConnOrigin, SourceRun};
use crate::domain::ping::report::{self, ConnReport, KindReport, PingReport, TargetReport};
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::run_status::RunStatusLimits;
use crate::domain::stats::JitterSummary;
use crate::output::envelope::{DocumentBody, DoneDocument};
use crate::output::json::{
    ByKind, FailureDocument, HostLag, JsonEndingDocument, JsonJitterDocument, JsonRttDocument, Ms, Name,
    OpeningDocument, PresetName, Timestamp, ms,
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
    /// The runs that `report` merged into this one; empty for a run by itself.
    runs: Vec<SourceRunDocument>,
}

/// One of several runs that were merged.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "SourceRun")]
struct SourceRunDocument {
    /// The file that it was read from.
    name: String,
    /// The machine that measured.
    host: String,
    /// The arguments of the run, without secrets.
    command_line: Vec<String>,
    started_at: Timestamp,
    elapsed_ms: Ms,
    /// The user ended the run.
    interrupted: bool,
    /// The run was cut off: its figures are those of its last interim report.
    cut_off: bool,
    /// How much of the planned run was done; null if it has no planned end.
    done: Option<DoneDocument>,
    connections: u64,
    /// Heartbeats of all kinds that were sent.
    sent: u64,
}

impl From<&SourceRun> for SourceRunDocument {
    fn from(run: &SourceRun) -> SourceRunDocument {
        SourceRunDocument {
            name: run.name.to_string(),
            host: run.host.clone(),
            command_line: run.command_line.clone(),
            started_at: run.started_at.into(),
            elapsed_ms: run.elapsed.into(),
            interrupted: run.interrupted,
            cut_off: run.is_cut_off,
            done: run.done.map(DoneDocument::from),
            connections: run.connections,
            sent: run.sent,
        }
    }
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
        let (_, connection) = report.connection(id)?;
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
    /// A silence of this length after a heartbeat left is an outage.
    outage_after_ms: Ms,
    /// Number of heartbeats of each kind on each connection; null: until stopped, or merged runs had different numbers.
    count: Option<u64>,
    /// The run ends after this time; null: when all heartbeats are judged, or when it is stopped. Also null if merged runs
    /// had different times.
    deadline_ms: Option<Ms>,
    /// Number of connections to each target; null if merged runs had different numbers to different targets.
    connections_each: Option<u64>,
    /// Number of connections that `worst` lists.
    worst: usize,
    /// Every connection is listed, however many there are.
    all_connections: bool,
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
            outage_after_ms: info.outage_after.into(),
            count: info.count,
            deadline_ms: ms(info.deadline),
            connections_each: Some(info.connections_each as u64),
            worst: info.worst,
            all_connections: info.lists_all,
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
    healthy: u64,
    degraded: u64,
    poor: u64,
    critical: u64,
    unknown: u64,
    timeout: u64,
    dead: u64,
}

impl From<&[(Status, u64)]> for StatusCountsDocument {
    fn from(counts: &[(Status, u64)]) -> StatusCountsDocument {
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
    connection_count: u64,
    /// All of them, or of more than 100 in the run the worst (see `worst`), unless `--all-connections` is given.
    connections: Vec<ConnectionDocument>,
    /// The connections that are not listed, in groups of alike ones. `stands_for` says how many an entry describes; then
    /// its counts are sums, outage and opening times are the largest, and the rest is of one of them.
    others: Vec<ConnectionDocument>,
}

/// Up to this many connections, the document lists all.
const MAX_IN_DOCUMENT: u64 = 100;

impl TargetDocument {
    fn new(report: &PingReport, index: usize, target: &TargetReport) -> TargetDocument {
        let lists_all = report.info.lists_all || report.connection_count() <= MAX_IN_DOCUMENT;
        let is_listed = |connection: &&ConnReport| {
            let id = ConnId { target: index, index: connection.index };
            connection.alike == 0 && (lists_all || report.worst.contains(&id))
        };
        let others = grouped(target.connections.iter().filter(|connection| !is_listed(connection)));
        TargetDocument {
            connection_count: target.connection_count(),
            url: target.url.clone(),
            status: target.status.into(),
            status_reason: target.status_reason.clone(),
            last_status: target.last_status.into(),
            heartbeats: target.kinds.as_slice().into(),
            connections: target.connections.iter().filter(is_listed).map(ConnectionDocument::from).collect(),
            others: others.iter().map(ConnectionDocument::from).collect(),
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
    /// Which connection of which run it was, if runs were merged.
    origin: Option<OriginDocument>,
    /// How many connections this entry describes: 1, or more in `others`.
    stands_for: u64,
    /// Status over the whole run.
    status: Name<Status>,
    status_reason: String,
    /// The status without the RTTs; it decides if these are only upper bounds.
    status_without_rtt: Name<Status>,
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
    /// Age of the connection of `last_unplanned_ending` at its last answer; null without one.
    answered_until_ms: Option<Ms>,
    unplanned_endings: u32,
    reconnects: u32,
    /// Total time without a connection after the first opening. Null if it never opened, or if it was lost and not
    /// reconnected.
    outage_ms: Option<Ms>,
    /// When the other end was away: after an end, or silent on an open connection for longer than `--outage-after`.
    outages: OutagesDocument,
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
    /// The same as numbers.
    substitute: Option<SubstituteDocument>,
    /// A frame that was incomplete at the end, so that no reply after it could come.
    incomplete: Option<IncompleteDocument>,
    /// If our only Ping was not answered: time from that Ping to the peer's end of the connection.
    ended_after_ping_ms: Option<Ms>,
    /// Presets for which such messages are typical.
    looks_like: Vec<&'static str>,
    /// The last failure to open the connection.
    error: Option<FailureDocument>,
}

/// A connection of one of several merged runs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Origin")]
struct OriginDocument {
    /// The file of the run.
    run: String,
    /// The index of the connection in it.
    index: usize,
}

impl From<&ConnOrigin> for OriginDocument {
    fn from(origin: &ConnOrigin) -> OriginDocument {
        OriginDocument { run: origin.run.to_string(), index: origin.index }
    }
}

/// What came instead of Pongs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Substitute")]
pub(super) struct SubstituteDocument {
    pub what: SubstituteName,
    pub count: u64,
    /// A message, or the payload of a Pong with another one.
    pub sample: Option<String>,
    /// Bytes of a Pong's payload that is a part of the Ping's, or has it and more.
    pub bytes: Option<usize>,
    /// Bytes of the Ping's payload.
    pub of_bytes: Option<usize>,
}

/// The kinds of what comes instead of Pongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SubstituteKind")]
pub(super) enum SubstituteName {
    /// Pongs without payload.
    EmptyPongs,
    /// Pongs with the first bytes of the Ping's payload.
    TruncatedPongs,
    /// Pongs with the Ping's payload and more.
    ExtendedPongs,
    /// Pongs with another payload.
    ForeignPongs,
    /// Our own Pings, returned as Pings.
    Pings,
    /// A message for each Ping.
    Messages,
}

impl From<&Substitute> for SubstituteDocument {
    fn from(substitute: &Substitute) -> SubstituteDocument {
        use SubstituteName as S;
        let (count, what, sample, bytes) = match substitute {
            Substitute::Pings { count } => (*count, S::Pings, None, None),
            Substitute::Messages { count, sample } => (*count, S::Messages, Some(sample), None),
            Substitute::Pongs { count, payload } => match payload {
                OtherPayload::Empty => (*count, S::EmptyPongs, None, None),
                OtherPayload::Truncated { bytes, of } => {
                    (*count, S::TruncatedPongs, None, Some((*bytes, *of)))
                }
                OtherPayload::Extended { bytes, of } => (*count, S::ExtendedPongs, None, Some((*bytes, *of))),
                OtherPayload::Foreign(payload) => (*count, S::ForeignPongs, Some(payload), None),
            },
        };
        let (bytes, of_bytes) = bytes.unzip();
        SubstituteDocument { what, count, sample: sample.map(ToString::to_string), bytes, of_bytes }
    }
}

/// What had come of data that never became complete.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Incomplete")]
pub(super) struct IncompleteDocument {
    pub part: IncompleteName,
    /// Bytes that came; null for a TLS record.
    pub bytes: Option<u64>,
    /// Bytes of the whole frame.
    pub of_bytes: Option<u64>,
    /// Complete frames of a message without the last one.
    pub fragments: Option<u64>,
    /// Time since its last bytes.
    pub since_ms: Ms,
}

/// What was incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "IncompletePart")]
pub(super) enum IncompleteName {
    FrameHead,
    Frame,
    Message,
    TlsRecord,
}

impl From<&IncompleteData> for IncompleteDocument {
    fn from(data: &IncompleteData) -> IncompleteDocument {
        let (part, bytes, of_bytes, fragments) = match data.part {
            IncompletePart::Head { bytes } => (IncompleteName::FrameHead, Some(bytes), None, None),
            IncompletePart::Frame { received, size } => {
                (IncompleteName::Frame, Some(received), Some(size), None)
            }
            IncompletePart::Message { fragments, bytes } => {
                (IncompleteName::Message, Some(bytes), None, Some(fragments))
            }
            IncompletePart::Record => (IncompleteName::TlsRecord, None, None, None),
        };
        IncompleteDocument { part, bytes, of_bytes, fragments, since_ms: data.since.into() }
    }
}

/// A message that is not an answer, and how it differs from one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct NearestToAnswer {
    message: String,
    /// How much of an answer agrees with it.
    agreeing: u32,
    /// The differences, each a fragment of a sentence.
    differences: Vec<String>,
}

impl From<&NearestMessage> for NearestToAnswer {
    fn from(nearest: &NearestMessage) -> NearestToAnswer {
        let differences = nearest.difference.points.clone();
        let agreeing = nearest.difference.agreeing;
        NearestToAnswer { message: nearest.message.to_string(), agreeing, differences }
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
            origin: connection.origin.as_ref().map(OriginDocument::from),
            stands_for: connection.count(),
            status: connection.status.into(),
            status_reason: connection.status_reason.clone(),
            status_without_rtt: connection.status_without_rtt.into(),
            last_status: connection.last_status.into(),
            last_status_reason: connection.last_status_reason.clone(),
            opening: connection
                .opened
                .as_deref()
                .map_or_else(|| OpeningDocument::failed(attempts), OpeningDocument::from),
            heartbeats: connection.kinds.as_slice().into(),
            ending: connection.ending.as_deref().map(JsonEndingDocument::from),
            last_unplanned_ending: connection.lost.as_deref().map(JsonEndingDocument::from),
            answered_until_ms: ms(connection.answered_until),
            unplanned_endings: connection.unplanned_endings,
            reconnects: connection.reconnects,
            outage_ms: ms(connection.outage),
            outages: (&connection.outages).into(),
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
            substitute: server_traffic
                .and_then(|traffic| traffic.substitute.as_ref())
                .map(SubstituteDocument::from),
            incomplete: server_traffic
                .and_then(|traffic| traffic.incomplete.as_ref())
                .map(IncompleteDocument::from),
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
            settings: Settings { connections_each: connections_each(report), ..report.info.as_ref().into() },
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
            runs: report.merged.0.iter().map(SourceRunDocument::from).collect(),
        }
    }
}

fn targets(report: &PingReport) -> Vec<TargetDocument> {
    let targets = report.targets.iter().enumerate();
    targets.map(|(index, target)| TargetDocument::new(report, index, target)).collect()
}

/// The number of connections to each target, if it is the same for all.
fn connections_each(report: &PingReport) -> Option<u64> {
    let mut numbers = report.targets.iter().map(TargetReport::connection_count);
    let first = numbers.next()?;
    numbers.all(|number| number == first).then_some(first)
}

fn main_kind(kinds: &[KindReport]) -> Option<&KindReport> {
    kinds.iter().find(|report| report.kind == HeartbeatKind::Protocol).or(kinds.first())
}

fn main_ending(report: &PingReport) -> Option<JsonEndingDocument> {
    let mut endings = report.connections().filter_map(|(_, connection)| connection.ending.as_deref());
    match report.connection_count() {
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
