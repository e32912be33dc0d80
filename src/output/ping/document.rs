//! The document of a whole run.

use serde::{Deserialize, Serialize};

use super::connection_document::{ConnectionDocument, OfRun};
use super::settings::Settings;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::alike::grouped;
use crate::domain::ping::event::ConnId;
use crate::domain::ping::health::Status;
use crate::domain::ping::measurement::MeasurementName;
use crate::domain::ping::merged_runs::SourceRun;
use crate::domain::ping::report::{ConnReport, KindReport, PingReport, TargetReport, count_of};
use crate::output::envelope::{DocumentBody, DoneDocument};
use crate::output::json::{
    ByKind, Count, FailureDocument, FieldError, HostLag, JsonEndingDocument, JsonJitterDocument,
    JsonRttDocument, Ms, Name, Text, Timestamp, document, strings,
};

document! {
    /// The report of a run. Unknown values are null; no field is ever omitted.
    pub struct PingDocument from report: &PingReport {
        settings: Settings =
            Settings::from(report.info.as_ref()).with_connections_each(connections_each(report)),
        /// Status of the whole run: the worst status of its targets.
        status: Name<Status> = report.status,
        status_reason: String = report.status_reason.clone(),
        /// The worst status of the targets at the end, judged by their latest heartbeats.
        last_status: Name<Status> = report.last_status,
        /// Number of connections in each status.
        status_counts: StatusCountsDocument = report.status_counts.as_slice(),
        /// The kind of heartbeat that `rtt`, `unanswered`, `loss` and `jitter` describe: `protocol` if it was measured,
        /// else `app`.
        heartbeat: Option<Name<HeartbeatKind>> = main_kind(report).map(|kind| kind.kind.into()),
        /// RTT over all targets; null if nothing was answered.
        rtt: Option<JsonRttDocument> = main_kind(report).and_then(|kind| kind.rtt).map(JsonRttDocument::from),
        /// Unanswered heartbeats over all targets: missed + superseded.
        unanswered: Option<u64> = main_kind(report).map(|kind| kind.counts.unanswered()),
        /// Loss over all targets: missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
        #[cfg_attr(test, schemars(range(min = 0.0, max = 1.0)))]
        loss: Option<f64> = main_kind(report).and_then(|kind| kind.counts.loss()),
        jitter: JsonJitterDocument = main_kind(report).map(|kind| kind.jitter).unwrap_or_default(),
        /// How the connection ended. With several connections: the first unplanned end.
        ending: Option<JsonEndingDocument> = main_ending(report),
        /// Why the first connection that never opened could not be opened.
        error: Option<FailureDocument> = main_error(report),
        /// Figures over all targets.
        heartbeats: ByKind = report.kinds.as_slice(),
        targets: Vec<TargetDocument> = targets(report),
        /// With more than ten connections, the worst of them: first those that are dead, then those with missed heartbeats,
        /// then the slowest.
        worst: Vec<Worst> =
            report.worst.iter().filter_map(|id| Some((*id, report.connection(*id)?.1).into())).collect::<Vec<Worst>>(),
        host_lag: Option<HostLag> = report.host_lag.map(|lag| (lag, &report.stamping).into()),
        /// Whether this host's own delays were small enough for the figures to be reliable. If not, a finding says why.
        measurement: Name<MeasurementName> = MeasurementName::from(report.measurement),
        /// Source of the timestamps for the RTT: this program (`user`), the kernel for arrivals only (`kernel_receive`), or
        /// the kernel for departures and arrivals (`kernel`).
        timestamps: Name<TimestampSource> = report.timestamps(),
        /// Number of RTTs for which an expected kernel timestamp was missing, so that this program's own was used.
        timestamps_fell_back: u64 = report.stamping.fell_back,
        /// The runs that `report` merged into this one; empty for a run by itself.
        runs: Vec<SourceRunDocument> = report.merged.0.iter().map(SourceRunDocument::from).collect::<Vec<_>>(),
    }
}

document! {
    /// One of several runs that were merged.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "SourceRun"))]
    pub(super) struct SourceRunDocument from run: &SourceRun {
        /// The file that it was read from.
        name: Text = (&run.name),
        /// The machine that measured.
        host: Text = (&run.host),
        /// The arguments of the run, without secrets.
        command_line: Vec<Text> = run.command_line.iter().map(Into::into).collect::<Vec<Text>>(),
        started_at: Timestamp = run.started_at,
        elapsed_ms: Ms = run.elapsed,
        /// The user ended the run.
        interrupted: bool = run.interrupted,
        /// The run was cut off: its figures are those of its last interim report.
        cut_off: bool = run.is_cut_off,
        /// How much of the planned run was done; null if it has no planned end.
        done: Option<DoneDocument> = run.done.map(DoneDocument::from),
        connections: Count = run.connections,
        /// Heartbeats of all kinds that were sent.
        sent: Count = run.sent,
    }
}

document! {
    /// One of the worst connections.
    struct Worst from (id, connection): (ConnId, &ConnReport) {
        /// Index into `targets`.
        target: usize = id.target,
        /// Index into its `connections`.
        index: usize = id.index,
        local: Option<String> = connection.opened.as_ref().and_then(|opened| opened.local.clone()),
        /// Its status.
        status: Name<Status> = connection.status,
        status_reason: String = connection.status_reason.clone(),
        missed: u64 = connection.kinds.iter().map(|kind| kind.counts.missed).sum::<u64>(),
        /// RTT of the slowest kind of heartbeat.
        rtt: Option<JsonRttDocument> =
            connection.kinds.iter().filter_map(|kind| kind.rtt).max_by_key(|rtt| rtt.mean).map(Into::into),
    }
}

document! {
    /// Number of connections in each status.
    #[derive(Default)]
    #[cfg_attr(test, schemars(rename = "StatusCounts"))]
    struct StatusCountsDocument from counts: &[(Status, u64)] {
        healthy: u64 = number_with(Status::Healthy, counts),
        degraded: u64 = number_with(Status::Degraded, counts),
        poor: u64 = number_with(Status::Poor, counts),
        critical: u64 = number_with(Status::Critical, counts),
        unknown: u64 = number_with(Status::Unknown, counts),
        timeout: u64 = number_with(Status::Timeout, counts),
        dead: u64 = number_with(Status::Dead, counts),
    }
}

fn number_with(status: Status, counts: &[(Status, u64)]) -> u64 {
    counts.iter().filter(|(of, _)| *of == status).map(|(_, count)| count).sum()
}

/// One target with all its connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Target"))]
pub(super) struct TargetDocument {
    /// The target, with secrets redacted.
    pub url: Text,
    /// The worst status of its connections, and no better than the loss over all of them implies.
    status: Name<Status>,
    status_reason: Text,
    /// The worst status of its connections at the end, judged by their latest heartbeats.
    last_status: Name<Status>,
    heartbeats: ByKind,
    /// How many connections to this target there were.
    connection_count: u64,
    /// How many connections of HTTP/2 the WebSockets shared when they first opened; null if they shared none, or if not all are
    /// listed.
    shared_http2_connections: Option<u64>,
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
            shared_http2_connections: target.shared_connections(),
            url: (&target.url).into(),
            status: target.status.into(),
            status_reason: (&target.status_reason).into(),
            last_status: target.last_status.into(),
            heartbeats: target.kinds.as_slice().into(),
            connections: target.connections.iter().filter(is_listed).map(ConnectionDocument::new).collect(),
            others: others.iter().map(ConnectionDocument::new).collect(),
        }
    }
}

impl TargetDocument {
    /// The target, read back; its status is left to the rules.
    pub fn report(self, run: &OfRun<'_>) -> Result<TargetReport, FieldError> {
        let kinds = self.heartbeats.with_rtts()?;
        let number = usize::try_from(self.connection_count).unwrap_or(usize::MAX);
        let lists = [("connections", self.connections), ("others", self.others)];
        let mut connections = Vec::with_capacity(lists.iter().map(|(_, list)| list.len()).sum());
        for (list, entries) in lists {
            for (place, connection) in entries.into_iter().enumerate() {
                let field = format!("{list}[{place}]");
                if connection.index >= number {
                    let why = format!("{} is not below connection_count", connection.index);
                    return Err(FieldError::new("index", why).within(&field));
                }
                connections.push(connection.report(run).map_err(|error| error.within(&field))?);
            }
        }
        let described = count_of(&connections);
        if described != self.connection_count {
            let why = format!("it is {}, and {described} are described", self.connection_count);
            return Err(FieldError::new("connection_count", why));
        }
        Ok(TargetReport {
            url: self.url.into(),
            status: Status::Unknown,
            status_reason: String::new(),
            last_status: Status::Unknown,
            kinds,
            connections,
        })
    }
}

impl From<SourceRunDocument> for SourceRun {
    fn from(run: SourceRunDocument) -> SourceRun {
        SourceRun {
            name: run.name.0.into(),
            host: run.host.into(),
            command_line: strings(run.command_line),
            started_at: run.started_at.into(),
            elapsed: run.elapsed_ms.into(),
            interrupted: run.interrupted,
            is_cut_off: run.cut_off,
            done: run.done.and_then(DoneDocument::done),
            connections: run.connections.0,
            sent: run.sent.0,
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

fn main_kind(report: &PingReport) -> Option<&KindReport> {
    report.kinds.iter().find(|figures| figures.kind == HeartbeatKind::Protocol).or(report.kinds.first())
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
