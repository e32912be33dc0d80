//! The report of a run: its figures, the verdict and its reasons.

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::finding::ReportedFinding;
use super::health::Status;
use super::history::History;
use super::measurement::Measurement;
use super::merged_runs::{ConnOrigin, MergedRuns};
use super::outages::Outages;
use super::run_info::{ConnId, RunInfo};
use super::server_traffic::ServerTraffic;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, TimestampSource};
use crate::domain::connection::goaway::GoawayNotice;
use crate::domain::format;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::run::criterion::Criterion;
use crate::domain::run::done::Done;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::timeline::Timeline;
use crate::domain::stats::{Counts, Differences, JitterSummary, LagSummary, RttSummary, Rtts};

/// The figures of one kind of heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub struct KindReport {
    pub kind: HeartbeatKind,
    /// Over the whole run; for several connections, the worst.
    pub status: Status,
    pub counts: Counts,
    /// The most consecutive missed heartbeats on any one connection.
    pub longest_miss_run: u32,
    /// How many were missed after the last answered one.
    pub missed_at_end: u64,
    /// `None` before the first answer.
    pub rtt: Option<RttSummary>,
    pub jitter: JitterSummary,
    /// RTT histogram for drawing: upper bound of each bucket and its count, ascending.
    pub histogram: Vec<(Duration, u64)>,
    /// All RTTs, to merge them with those of another run; only for a target and for the whole run.
    pub pooled: Option<Arc<MergeableRtts>>,
}

/// The RTTs of several connections, and the differences of successive ones on each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MergeableRtts {
    pub rtts: Rtts,
    pub differences: Differences,
}

impl KindReport {
    /// Why RTTs, and a status based on them, are only upper bounds; `None` if they are exact.
    ///
    /// Answers without id are matched in order if several heartbeats are outstanding. If one was lost, each
    /// later answer is matched to a heartbeat sent too early, so no RTT is longer than measured.
    pub fn upper_bounds(&self) -> Option<String> {
        let (kind, ambiguous) = (self.kind, self.counts.ambiguous);
        (ambiguous > 0).then(|| {
            format!(
                "{kind} RTTs are upper bounds: {} carried no id while several requests were outstanding; give the \
                 request an id or lengthen the interval",
                format::counted(ambiguous, "answer")
            )
        })
    }
}

/// One connection of a target, with all its reconnects.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnReport {
    pub index: usize,
    /// Which of several merged runs it is of.
    pub origin: Option<ConnOrigin>,
    /// How many further connections this entry stands for, which a document did not list one by one (see
    /// [`alike`](super::alike)); zero for a connection by itself.
    pub alike: u64,
    /// Over the whole run.
    pub status: Status,
    pub status_reason: String,
    /// The status without the RTT rule; applies if RTTs are only upper bounds.
    pub status_without_rtt: Status,
    /// By the latest heartbeats, at the end.
    pub last_status: Status,
    pub last_status_reason: String,
    /// The first connection's details; `None` if it never opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open the connection.
    pub open_error: Option<Arc<ConnectError>>,
    pub kinds: Vec<KindReport>,
    /// The last end.
    pub ending: Option<Arc<CloseCause>>,
    /// The last unplanned end.
    pub lost: Option<Arc<CloseCause>>,
    /// The shared connection of HTTP/2 that carried it then.
    pub lost_on: Option<NonZeroU32>,
    /// The last announcement by HTTP/2 that the connection will end (GOAWAY).
    pub goaway: Option<Arc<GoawayNotice>>,
    /// The age of the connection that ended with `lost` at its last answer; `None` without an answer.
    pub answered_until: Option<Duration>,
    /// Unplanned ends, reconnected or not.
    pub unplanned_endings: u32,
    pub reconnects: u32,
    /// The total time without a connection after the first opening, as far as wscheck reconnected or tries
    /// to. `None` if it never opened, or was lost without a reconnect: then the time to the report is no
    /// outage.
    pub outage: Option<Duration>,
    /// When the other end was away, silent times on an open connection included.
    pub outages: Outages,
    /// Ordinary messages from the server.
    pub messages: u64,
    pub server_pings_protocol: u64,
    pub server_pings_app: u64,
    /// Our own app pings returned unchanged.
    pub echoes: u64,
    pub spikes: RttSpikes,
    /// The ping interval that the server announced in its last hello.
    pub announced: Option<Duration>,
    /// What else the server sent, as of the connection's last end.
    pub server_traffic: Option<Arc<ServerTraffic>>,
}

/// RTT spikes: more than twice the mean of the earlier RTTs, and at least 1 ms above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RttSpikes {
    /// Spikes for which TCP could be checked.
    pub count: u64,
    /// Spikes with TCP retransmits before them.
    pub sent_again: u64,
}

/// One target: all its connections together.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReport {
    /// Redacted.
    pub url: String,
    /// The worst of its connections' statuses, or that of the loss over all of them.
    pub status: Status,
    pub status_reason: String,
    /// The worst of its connections, by the latest heartbeats, at the end.
    pub last_status: Status,
    pub kinds: Vec<KindReport>,
    pub connections: Vec<ConnReport>,
}

impl ConnReport {
    /// How many connections it describes.
    pub fn count(&self) -> u64 {
        self.alike.saturating_add(1)
    }

    /// The run that it is of, if runs were merged.
    pub fn run(&self) -> Option<&str> {
        self.origin.as_ref().map(|origin| origin.run.as_ref())
    }

    /// Its number, and where it comes from: `#103 (#3 of b.json)`, or `#103 and 9 like it`.
    pub fn name(&self) -> String {
        let origin = self.origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default();
        match self.alike {
            0 => format!("#{}{origin}", self.index),
            alike => format!("#{}{origin} and {alike} like it", self.index),
        }
    }
}

/// How many connections these entries describe.
pub fn count_of<'a>(connections: impl IntoIterator<Item = &'a ConnReport>) -> u64 {
    connections.into_iter().map(ConnReport::count).fold(0, u64::saturating_add)
}

impl TargetReport {
    /// How many connections to this target there were.
    pub fn connection_count(&self) -> u64 {
        count_of(&self.connections)
    }

    /// How many connections of HTTP/2 the WebSockets shared when they first opened; `None` if they shared none, or if it is not
    /// known of all.
    pub fn shared_connections(&self) -> Option<u64> {
        if self.connections.iter().any(|connection| connection.alike > 0) {
            return None;
        }
        let opened =
            self.connections.iter().filter_map(|connection| Some((connection, connection.opened.as_ref()?)));
        let shared: HashSet<_> = opened
            .filter_map(|(connection, opened)| Some((connection.run(), opened.shared_http2?.number)))
            .collect();
        (!shared.is_empty()).then_some(shared.len() as u64)
    }

    /// The only connection to this target.
    pub fn only_connection(&self) -> Option<&ConnReport> {
        match self.connections.as_slice() {
            [only] if only.alike == 0 => Some(only),
            _ => None,
        }
    }

    fn connections(&self) -> impl Iterator<Item = (&TargetReport, &ConnReport)> {
        self.connections.iter().map(move |connection| (self, connection))
    }
}

/// The delays between the kernel's timestamps and this process, and how many timestamps were missing. Not
/// part of any RTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StampingReport {
    /// From the start of a heartbeat's write to the kernel's send timestamp; `None` without any.
    pub to_wire: Option<LagSummary>,
    /// From the kernel's receive timestamp of an answer to the return of the read.
    pub from_wire: Option<LagSummary>,
    /// RTTs for which this process took at least one timestamp, although the kernel should have.
    pub fell_back: u64,
}

/// The report of a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct PingReport {
    pub info: Arc<RunInfo>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// The worst of the targets.
    pub status: Status,
    pub status_reason: String,
    /// The worst of the targets, by the latest heartbeats, at the end.
    pub last_status: Status,
    /// Connections by status, worst first; only statuses that occur.
    pub status_counts: Vec<(Status, u64)>,
    pub verdict: RunResult,
    /// The reasons of the verdict; may be empty.
    pub reasons: Vec<String>,
    /// What was demanded, and whether it was met.
    pub criteria: Vec<Criterion>,
    /// What the figures mean together.
    pub findings: Vec<ReportedFinding>,
    /// Over all targets, one entry a kind.
    pub kinds: Vec<KindReport>,
    pub targets: Vec<TargetReport>,
    /// The worst connections, the worst first, if there are too many to list all.
    pub worst: Vec<ConnId>,
    /// How late this host's timers and writes were.
    pub host_lag: Option<LagSummary>,
    pub stamping: StampingReport,
    pub measurement: Measurement,
    /// The heartbeats of all connections over the time of the run.
    pub timeline: Timeline,
    /// The statuses and the outages over time.
    pub history: History,
    /// The user ended the run (Ctrl-C, SIGTERM or SIGHUP).
    pub interrupted: bool,
    /// The runs that were merged into this one; empty for a run by itself.
    pub merged: MergedRuns,
}

impl PingReport {
    /// A report without figures, and before anything follows from them.
    pub fn without_figures(info: Arc<RunInfo>, started_at: SystemTime, elapsed: Duration) -> PingReport {
        PingReport {
            info,
            started_at,
            elapsed,
            status: Status::Unknown,
            status_reason: String::new(),
            last_status: Status::Unknown,
            status_counts: Vec::new(),
            verdict: RunResult::Inconclusive,
            reasons: Vec::new(),
            criteria: Vec::new(),
            findings: Vec::new(),
            kinds: Vec::new(),
            targets: Vec::new(),
            worst: Vec::new(),
            host_lag: None,
            stamping: StampingReport::default(),
            measurement: Measurement::Unknown,
            timeline: Timeline::default(),
            history: History::default(),
            interrupted: false,
            merged: MergedRuns::default(),
        }
    }

    /// Every connection, with its target.
    pub fn connections(&self) -> impl Iterator<Item = (&TargetReport, &ConnReport)> {
        self.targets.iter().flat_map(TargetReport::connections)
    }

    /// How long every connection could be observed; of merged runs as long as the shortest.
    pub fn observed(&self) -> Duration {
        self.merged.0.iter().map(|run| run.elapsed).min().unwrap_or(self.elapsed)
    }

    /// How many connections there were.
    pub fn connection_count(&self) -> u64 {
        self.targets.iter().map(TargetReport::connection_count).fold(0, u64::saturating_add)
    }

    /// The only connection of the run.
    pub fn only_connection(&self) -> Option<&ConnReport> {
        match self.targets.as_slice() {
            [only] => only.only_connection(),
            _ => None,
        }
    }

    /// The connection with this index of this target.
    pub fn connection(&self, id: ConnId) -> Option<(&TargetReport, &ConnReport)> {
        let target = self.targets.get(id.target)?;
        let found = target.connections.iter().find(|connection| connection.index == id.index)?;
        Some((target, found))
    }

    /// The source of all RTTs' timestamps; if connections differ, the less exact one.
    pub fn timestamps(&self) -> TimestampSource {
        let connections = self.targets.iter().flat_map(|target| &target.connections);
        let opened = connections.filter_map(|connection| connection.opened.as_ref());
        opened.map(|opened| opened.timestamps).min().unwrap_or_default()
    }

    /// How much of a bounded run was done when the user ended it: `interrupted after 3 of 20 heartbeats`.
    /// `None` if it was complete or unbounded.
    pub fn cut_short(&self) -> Option<String> {
        if !self.merged.is_empty() {
            return self.merged.cut_short();
        }
        self.done().filter(|_| self.interrupted)?.cut_short()
    }

    /// How much of what was planned was done; `None` if the run is unbounded.
    pub fn done(&self) -> Option<Done> {
        if !self.merged.is_empty() {
            return self.merged.done();
        }
        let (info, counts) = (&self.info, self.kinds.iter().map(|figures| &figures.counts));
        let done: u64 = counts.map(|counts| counts.judged() + counts.unsent).sum();
        let streams = (info.connections() * info.kinds.len()) as u64;
        match (info.count, info.deadline) {
            (Some(count), _) => Some(Done::Heartbeats { done, of: count.saturating_mul(streams) }),
            (None, Some(deadline)) => Some(Done::Time { done: self.elapsed, of: deadline }),
            (None, None) => None,
        }
    }

    /// Why the RTTs of a kind, and a status based on them, are only upper bounds, if they are: for its own
    /// reason (see [`KindReport::upper_bounds`]) or because this host stalled.
    pub fn upper_bounds(&self, figures: &KindReport) -> Option<String> {
        figures.upper_bounds().or_else(|| {
            let lag = self.host_lag.filter(LagSummary::stood_still)?;
            let lag = format::duration(lag.max);
            Some(format!("RTTs are upper bounds: this host was stalled for {lag}, and read answers late"))
        })
    }
}

/// Sample reports for tests.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::domain::connection::connect_info::TlsInfo;
    use crate::domain::connection::phase::PhaseTimes;

    /// Answered heartbeats with these RTTs in milliseconds.
    pub fn kind(kind: HeartbeatKind, rtts: &[u64]) -> KindReport {
        let mut figures = Rtts::default();
        rtts.iter().for_each(|rtt| figures.record(Duration::from_millis(*rtt)));
        KindReport {
            kind,
            status: if rtts.is_empty() { Status::Unknown } else { Status::Healthy },
            counts: Counts { ok: rtts.len() as u64, ..Counts::default() },
            longest_miss_run: 0,
            missed_at_end: 0,
            rtt: figures.summary(),
            jitter: JitterSummary::new(figures.moments(), &Differences::default()),
            histogram: figures.bars(),
            pooled: None,
        }
    }

    /// An open connection without findings.
    pub fn connection(index: usize) -> ConnReport {
        ConnReport {
            index,
            origin: None,
            alike: 0,
            status: Status::Healthy,
            status_reason: String::new(),
            status_without_rtt: Status::Healthy,
            last_status: Status::Healthy,
            last_status_reason: String::new(),
            opened: Some(Arc::new(ConnectInfo::default())),
            open_error: None,
            kinds: Vec::new(),
            ending: None,
            lost: None,
            lost_on: None,
            goaway: None,
            answered_until: None,
            unplanned_endings: 0,
            reconnects: 0,
            outage: Some(Duration::ZERO),
            outages: Outages::default(),
            messages: 0,
            server_pings_protocol: 0,
            server_pings_app: 0,
            echoes: 0,
            spikes: RttSpikes::default(),
            announced: None,
            server_traffic: None,
        }
    }

    /// The details of a TLS connection, whose phases took 1, 2, 3, 4 and 5 ms.
    pub fn opened_tls(days_left: i64) -> ConnectInfo {
        let ms = |value| Some(Duration::from_millis(value));
        let tls = TlsInfo {
            version: "TLSv1.3".to_string(),
            cipher: "TLS13_AES_128_GCM_SHA256".to_string(),
            alpn: None,
            days_left: Some(days_left),
            subject: None,
            issuer: None,
            verified: true,
        };
        let phases = PhaseTimes {
            dns: ms(1),
            tcp: ms(2),
            proxy: ms(3),
            tls: ms(4),
            upgrade: ms(5),
            total: Duration::from_millis(16),
        };
        ConnectInfo { phases, tls: Some(tls), ..ConnectInfo::default() }
    }

    /// A target with one open connection and these heartbeats.
    pub fn target(url: &str, kinds: Vec<KindReport>) -> TargetReport {
        let connections = vec![ConnReport { kinds: kinds.clone(), ..connection(0) }];
        TargetReport {
            url: url.to_string(),
            status: Status::Healthy,
            status_reason: String::new(),
            last_status: Status::Healthy,
            kinds,
            connections,
        }
    }

    /// A run with these targets. The kinds are the first target's.
    pub fn report(targets: Vec<TargetReport>) -> PingReport {
        let kinds = targets.first().map_or_else(Vec::new, |target| target.kinds.clone());
        let info = RunInfo {
            targets: targets.iter().map(|target| target.url.clone()).collect(),
            connections_each: 1,
            kinds: kinds.iter().map(|kind| kind.kind).collect(),
            interval: Some(Duration::from_secs(1)),
            worst: 5,
            lists_all: false,
            timeout: Duration::from_secs(10),
            outage_after: Duration::from_secs(10),
            count: None,
            deadline: None,
            preset: None,
            demands: Default::default(),
        };
        PingReport {
            info: Arc::new(info),
            started_at: SystemTime::UNIX_EPOCH,
            elapsed: Duration::from_secs(10),
            status: Status::Healthy,
            status_reason: String::new(),
            last_status: Status::Healthy,
            status_counts: Vec::new(),
            verdict: RunResult::Passed,
            reasons: Vec::new(),
            criteria: Vec::new(),
            findings: Vec::new(),
            kinds,
            targets,
            worst: Vec::new(),
            host_lag: None,
            stamping: StampingReport::default(),
            measurement: Measurement::Sound,
            timeline: Timeline::default(),
            history: History::default(),
            interrupted: false,
            merged: MergedRuns::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run on two connections with both kinds; three heartbeats of each kind are answered.
    fn interrupted(count: Option<u64>, deadline: Option<Duration>) -> PingReport {
        let kinds = [HeartbeatKind::Protocol, HeartbeatKind::App].map(|kind| samples::kind(kind, &[5, 6, 7]));
        let mut report = samples::report(vec![samples::target("ws://a/", kinds.to_vec())]);
        let info = RunInfo { connections_each: 2, count, deadline, ..report.info.as_ref().clone() };
        (report.info, report.interrupted) = (Arc::new(info), true);
        report
    }

    #[test]
    fn interrupted_run_says_how_much_was_done() {
        let interrupted = |count, deadline: Option<u64>| {
            interrupted(count, deadline.map(Duration::from_secs)).cut_short().unwrap_or_default()
        };
        assert_eq!(interrupted(Some(5), None), "interrupted after 6 of 20 heartbeats");
        assert_eq!(interrupted(Some(5), Some(60)), "interrupted after 6 of 20 heartbeats");
        assert_eq!(interrupted(None, Some(60)), "interrupted after 10 s of 60 s");
        assert_eq!(interrupted(None, None), "", "it has no bound");
    }

    #[test]
    fn run_that_was_complete_is_not_cut_short() {
        let mut report = interrupted(Some(2), None);
        report.kinds[0].counts.unsent = 2;
        assert_eq!(report.cut_short(), None, "8 of 8");
        let mut report = interrupted(Some(5), None);
        report.interrupted = false;
        assert_eq!(report.cut_short(), None);
    }
}
