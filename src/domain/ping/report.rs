//! What a run found: the figures, the verdict and its reasons.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::health::Status;
use super::run_info::{ConnId, RunInfo};
use super::server_traffic::ServerTraffic;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, TimestampSource};
use crate::domain::format;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::{Counts, JitterSummary, LagSummary, RttSummary};

/// The figures of one kind of heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub struct KindReport {
    pub kind: HeartbeatKind,
    /// Over the whole run; of several connections, the worst.
    pub status: Status,
    pub counts: Counts,
    /// The longest run of consecutive heartbeats missed, on any one connection.
    pub longest_miss_run: u32,
    /// How many were missed after the last that was answered, up to the last that was judged.
    pub missed_at_end: u64,
    /// `None` before the first answer.
    pub rtt: Option<RttSummary>,
    pub jitter: JitterSummary,
    /// RTT histogram for drawing: upper bound of each bucket and its count, ascending.
    pub histogram: Vec<(Duration, u64)>,
}

impl KindReport {
    /// Why its RTTs, and a status that comes from them, are no more than upper bounds, if they are.
    ///
    /// Answers without id that come while several asks are outstanding are matched in order. If one ask
    /// was lost, every later answer goes to an ask that is too early, so no RTT is shorter than it seems.
    pub fn upper_bounds(&self) -> Option<String> {
        let (kind, ambiguous) = (self.kind, self.counts.ambiguous);
        (ambiguous > 0).then(|| {
            format!(
                "{kind} RTTs are upper bounds: {} carried no id while several asks were outstanding; give \
                 the ask an id or lengthen the interval",
                format::counted(ambiguous, "answer")
            )
        })
    }
}

/// One connection (with all its reconnections) of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnReport {
    pub index: usize,
    /// Over the whole run.
    pub status: Status,
    pub status_reason: String,
    /// The status if no RTT were long: what remains when RTTs are only upper bounds.
    pub status_without_rtt: Status,
    /// By the latest heartbeats, at the end.
    pub last_status: Status,
    pub last_status_reason: String,
    /// The first opening's facts; `None` if it never opened.
    pub opened: Option<Arc<ConnectInfo>>,
    /// The last failure to open, where there was one.
    pub open_error: Option<Arc<ConnectError>>,
    pub kinds: Vec<KindReport>,
    /// The last ending.
    pub ending: Option<Arc<CloseCause>>,
    /// The last ending that was not planned.
    pub lost: Option<Arc<CloseCause>>,
    /// How old the connection was that `lost` ended when its last answer came; `None` without one.
    pub answered_until: Option<Duration>,
    /// Endings that were not planned, reconnected or not.
    pub unplanned_endings: u32,
    pub reconnects: u32,
    /// Time without a connection, after the first opening: all gaps together that were or are to be
    /// closed by opening it again. `None` when it never opened, or was lost and not to be opened again:
    /// how long the report took to be made is no outage.
    pub outage: Option<Duration>,
    /// Ordinary messages from the server.
    pub messages: u64,
    pub server_pings_protocol: u64,
    pub server_pings_app: u64,
    /// Our own app pings that came back unchanged.
    pub echoes: u64,
    pub spikes: RttSpikes,
    /// How often the server will ask, as it said in its last hello.
    pub announced: Option<Duration>,
    /// What else was heard of the server, when the connection ended last.
    pub overheard: Option<Arc<ServerTraffic>>,
}

/// RTTs that were more than twice the mean of those before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RttSpikes {
    /// Those of which TCP could be asked.
    pub count: u64,
    /// Before these TCP had sent segments again.
    pub sent_again: u64,
}

/// One target: all of its connections together.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetReport {
    /// Redacted.
    pub url: String,
    /// The worst of its connections, and no better than the loss over all of them.
    pub status: Status,
    pub status_reason: String,
    /// The worst of its connections, by the latest heartbeats, at the end.
    pub last_status: Status,
    pub kinds: Vec<KindReport>,
    pub connections: Vec<ConnReport>,
}

impl TargetReport {
    fn connections(&self) -> impl Iterator<Item = (&TargetReport, &ConnReport)> {
        self.connections.iter().map(move |connection| (self, connection))
    }
}

/// What this host added outside the kernel's stamps, and how often it had none. It is no part of any RTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StampingReport {
    /// From the start of a heartbeat's write to its leaving; `None` where the kernel stamped none.
    pub to_wire: Option<LagSummary>,
    /// From the arrival of an answer to the return of the read that brought it.
    pub from_wire: Option<LagSummary>,
    /// RTTs that this process had to stamp at one end or both, though the kernel was to.
    pub fell_back: u64,
}

/// Whether this host was quiet enough for the figures to be believed.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Measurement {
    /// There was no RTT to be believed.
    Unknown,
    Sound,
    /// The host's own lateness is not small against the RTT; the fragment says by how much.
    Suspect(String),
}

/// The whole run.
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
    /// Connections by status, worst first; only those that occur.
    pub status_counts: Vec<(Status, usize)>,
    pub verdict: RunResult,
    /// Why the verdict is what it is; empty when there is nothing to say.
    pub reasons: Vec<String>,
    /// What to do next, and what the figures mean together.
    pub advice: Vec<String>,
    /// Over all targets, one entry a kind.
    pub kinds: Vec<KindReport>,
    pub targets: Vec<TargetReport>,
    /// The worst connections, where there are too many to list all; the worst first.
    pub worst: Vec<ConnId>,
    /// How late this host's timers and writes were.
    pub host_lag: Option<LagSummary>,
    pub stamping: StampingReport,
    pub measurement: Measurement,
    /// The user ended the run (Ctrl-C, SIGTERM or SIGHUP).
    pub interrupted: bool,
}

impl PingReport {
    /// Every connection, with its target.
    pub fn connections(&self) -> impl Iterator<Item = (&TargetReport, &ConnReport)> {
        self.targets.iter().flat_map(TargetReport::connections)
    }

    /// Who stamped all of its RTTs: where connections differ, the less exact.
    pub fn timestamps(&self) -> TimestampSource {
        let connections = self.targets.iter().flat_map(|target| &target.connections);
        let opened = connections.filter_map(|connection| connection.opened.as_ref());
        opened.map(|opened| opened.timestamps).min().unwrap_or_default()
    }

    /// How much of a bounded run was done when the user ended it, as a fragment: `interrupted after 3 of 20 heartbeats`.
    /// `None` for a run that was complete by then, or has no bound.
    pub fn cut_short(&self) -> Option<String> {
        if !self.interrupted {
            return None;
        }
        let (info, counts) = (&self.info, self.kinds.iter().map(|figures| &figures.counts));
        let done: u64 = counts.map(|counts| counts.judged() + counts.unsent).sum();
        let streams = (info.connections() * info.kinds.len()) as u64;
        match (info.count.map(|count| count.saturating_mul(streams)), info.deadline) {
            (Some(planned), _) if done < planned => {
                Some(format!("interrupted after {done} of {}", format::counted(planned, "heartbeat")))
            }
            (None, Some(deadline)) => {
                let (elapsed, deadline) = (format::duration(self.elapsed), format::duration(deadline));
                Some(format!("interrupted after {elapsed} of {deadline}"))
            }
            (Some(_), _) | (None, None) => None,
        }
    }

    /// Why the RTTs of a kind, and a status that comes from them, are no more than upper bounds, if they
    /// are: for a reason of its own (see [`KindReport::upper_bounds`]), or because this host stood still.
    pub fn upper_bounds(&self, figures: &KindReport) -> Option<String> {
        figures.upper_bounds().or_else(|| {
            let lag = self.host_lag.filter(LagSummary::stood_still)?;
            let lag = format::duration(lag.max);
            Some(format!("RTTs are upper bounds: this host was stalled for {lag}, and read answers late"))
        })
    }
}

/// Reports for the tests of what reads them.
#[cfg(test)]
pub(crate) mod samples {
    use super::*;
    use crate::domain::connection::connect_info::TlsInfo;
    use crate::domain::connection::phase::PhaseTimes;
    use crate::domain::stats::{Differences, Rtts};

    /// Heartbeats that were all answered, with these RTTs in milliseconds.
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
        }
    }

    /// An open connection with nothing to tell.
    pub fn connection(index: usize) -> ConnReport {
        ConnReport {
            index,
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
            answered_until: None,
            unplanned_endings: 0,
            reconnects: 0,
            outage: Some(Duration::ZERO),
            messages: 0,
            server_pings_protocol: 0,
            server_pings_app: 0,
            echoes: 0,
            spikes: RttSpikes::default(),
            announced: None,
            overheard: None,
        }
    }

    /// The facts of an opening by TLS, whose phases took 1, 2, 3, 4 and 5 ms.
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

    /// A target with one open connection, whose heartbeats came to this.
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

    /// A run that came to these targets. The kinds are the first target's.
    pub fn report(targets: Vec<TargetReport>) -> PingReport {
        let kinds = targets.first().map_or_else(Vec::new, |target| target.kinds.clone());
        let info = RunInfo {
            targets: targets.iter().map(|target| target.url.clone()).collect(),
            connections_each: 1,
            kinds: kinds.iter().map(|kind| kind.kind).collect(),
            interval: Some(Duration::from_secs(1)),
            worst: 5,
            timeout: Duration::from_secs(10),
            count: None,
            deadline: None,
            preset: None,
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
            advice: Vec::new(),
            kinds,
            targets,
            worst: Vec::new(),
            host_lag: None,
            stamping: StampingReport::default(),
            measurement: Measurement::Sound,
            interrupted: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run on two connections with both kinds, of which three heartbeats of each kind are answered.
    fn interrupted(count: Option<u64>, deadline: Option<Duration>) -> PingReport {
        let kinds = [HeartbeatKind::Protocol, HeartbeatKind::App].map(|kind| samples::kind(kind, &[5, 6, 7]));
        let mut report = samples::report(vec![samples::target("ws://a/", kinds.to_vec())]);
        let info = RunInfo { connections_each: 2, count, deadline, ..report.info.as_ref().clone() };
        (report.info, report.interrupted) = (Arc::new(info), true);
        report
    }

    #[test]
    fn interrupted_run_says_how_much_was_done() {
        let told = |count, deadline: Option<u64>| {
            interrupted(count, deadline.map(Duration::from_secs)).cut_short().unwrap_or_default()
        };
        assert_eq!(told(Some(5), None), "interrupted after 6 of 20 heartbeats");
        assert_eq!(told(Some(5), Some(60)), "interrupted after 6 of 20 heartbeats");
        assert_eq!(told(None, Some(60)), "interrupted after 10 s of 60 s");
        assert_eq!(told(None, None), "", "it has no bound");
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
