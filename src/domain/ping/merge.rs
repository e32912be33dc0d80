//! Several runs of `ping` as one: counts and histograms are added up, and the whole is judged again by the rules of a single
//! run. Merging is associative: runs can be merged in any grouping.
//!
//! - Targets with the same URL are one target.
//! - Counts add up. RTTs are merged bucket for bucket; mean and standard deviation are pooled (see
//!   [`Moments`](crate::domain::stats::Moments)). Jitter by RFC 3550 is the largest of all connections, as in a single run
//!   of several; the mean IPDV is pooled by its number of differences.
//! - Lag and timestamps belong to a host, so theirs are the figures of the worst host, and a run on a host that was too
//!   late makes the whole suspect.
//! - The runs must have measured and demanded the same; how many heartbeats and connections, and how long, may differ.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use thiserror::Error;

use super::conclusion::concluded;
use super::health::Status;
use super::measurement::{HostDelay, Measurement};
use super::pooled_status::{pooled_status, take_worst_status, worst};
use super::report::{ConnReport, KindReport, MergeableRtts, PingReport, StampingReport, TargetReport};
use super::run_info::RunInfo;
use super::verdict::PassCriteria;
use crate::domain::stats::timeline::Timeline;
use crate::domain::stats::{JitterSummary, LagSummary, RttsError};

/// Why a run cannot be merged with those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    #[error("it is the same run as {of}, and would count twice")]
    SameRun { of: Arc<str> },
    #[error("it differs from the runs before it in {what}")]
    Differs { what: &'static str },
    #[error("it differs from the runs before it in {option}: give {option} here to judge all by the same")]
    OtherCriterion { option: &'static str },
    #[error("the RTTs of {url} cannot be merged: {why}")]
    Rtts { url: String, why: RttsError },
}

/// Runs that are merged one after the other.
#[derive(Debug)]
pub struct RunMerger {
    report: PingReport,
    /// When each began, and its course.
    timelines: Vec<(SystemTime, Timeline)>,
}

impl RunMerger {
    /// Begins with this run.
    ///
    /// # Errors
    ///
    /// Its own targets with one URL cannot be merged.
    pub fn new(run: PingReport) -> Result<RunMerger, MergeError> {
        let nothing = PingReport {
            targets: Vec::new(),
            kinds: Vec::new(),
            host_lag: None,
            stamping: StampingReport::default(),
            measurement: Measurement::Unknown,
            interrupted: false,
            merged: Default::default(),
            ..run.clone()
        };
        let mut merger = RunMerger { report: nothing, timelines: Vec::new() };
        merger.take(run)?;
        Ok(merger)
    }

    /// Adds a run.
    ///
    /// # Errors
    ///
    /// It is one of the runs before it, or measured or demanded something else.
    pub fn add(&mut self, run: PingReport) -> Result<(), MergeError> {
        let before = &self.report.merged.0;
        let same = |one| before.iter().find(|other| other.is_same(one));
        if let Some(of) = run.merged.0.iter().find_map(same) {
            return Err(MergeError::SameRun { of: Arc::clone(&of.name) });
        }
        alike(&self.report.info, &run.info)?;
        self.take(run)
    }

    /// The runs as one, judged by these criteria.
    pub fn judged(self, policy: &PassCriteria) -> PingReport {
        let RunMerger { mut report, timelines } = self;
        if let Some((started_at, elapsed)) = report.merged.span() {
            (report.started_at, report.elapsed) = (started_at, elapsed);
        }
        report.timeline = on_one_clock(report.started_at, &timelines);
        for target in &mut report.targets {
            let connections = target.connections.iter();
            take_worst_status(&mut target.kinds, connections.map(|connection| connection.kinds.as_slice()));
            let of_all = pooled_status(&mut target.kinds, &target.connections, &policy.limits);
            (target.status, target.status_reason) = (of_all.status, of_all.reason);
            target.last_status = worst(target.connections.iter().map(|connection| connection.last_status));
        }
        report.info = Arc::new(RunInfo { demands: policy.demands(), ..report.info.as_ref().clone() });
        concluded(report, policy)
    }

    fn take(&mut self, run: PingReport) -> Result<(), MergeError> {
        let ours = &mut self.report;
        ours.info = Arc::new(merged_info(&ours.info, &run.info));
        for target in run.targets {
            take_target(&mut ours.targets, target)?;
        }
        merge_kinds(&mut ours.kinds, run.kinds)
            .map_err(|why| MergeError::Rtts { url: "all targets".to_string(), why })?;
        let urls = ours.targets.iter().map(|target| target.url.clone()).collect();
        ours.info = Arc::new(RunInfo { targets: urls, ..ours.info.as_ref().clone() });
        ours.host_lag = larger(ours.host_lag, run.host_lag);
        ours.stamping = StampingReport {
            to_wire: larger(ours.stamping.to_wire, run.stamping.to_wire),
            from_wire: larger(ours.stamping.from_wire, run.stamping.from_wire),
            fell_back: ours.stamping.fell_back + run.stamping.fell_back,
        };
        ours.measurement = worse(ours.measurement, run.measurement);
        ours.interrupted |= run.interrupted;
        ours.merged.0.extend(run.merged.0);
        self.timelines.push((run.started_at, run.timeline));
        Ok(())
    }
}

/// Whether the runs measured and demanded the same.
fn alike(ours: &RunInfo, theirs: &RunInfo) -> Result<(), MergeError> {
    let preset = |info: &RunInfo| info.preset.as_ref().and_then(|used| used.preset).map(|preset| preset.name);
    let (a, b) = (&ours.demands, &theirs.demands);
    let measured = [
        (ours.kinds == theirs.kinds, "the kinds of heartbeat (--heartbeat)"),
        (ours.interval == theirs.interval, "--interval"),
        (ours.timeout == theirs.timeout, "--timeout"),
        (preset(ours) == preset(theirs), "--preset"),
        (a.limits == b.limits, "the limits of the status"),
        (a.endings.close_codes == b.endings.close_codes, "--expect-close"),
        (a.endings.refused_with == b.endings.refused_with, "--expect-refused"),
    ];
    if let Some((_, what)) = measured.into_iter().find(|(is_same, _)| !is_same) {
        return Err(MergeError::Differs { what });
    }
    let demanded = [
        (a.fail_on == b.fail_on, "--fail-on"),
        (a.fail_if == b.fail_if, "--fail-if"),
        (a.warn_if == b.warn_if, "--warn"),
    ];
    match demanded.into_iter().find(|(is_same, _)| !is_same) {
        Some((_, option)) => Err(MergeError::OtherCriterion { option }),
        None => Ok(()),
    }
}

/// The amounts that may differ: unknown if they do.
fn merged_info(ours: &RunInfo, theirs: &RunInfo) -> RunInfo {
    RunInfo {
        connections_each: ours.connections_each.max(theirs.connections_each),
        worst: ours.worst.min(theirs.worst),
        lists_all: ours.lists_all || theirs.lists_all,
        count: ours.count.filter(|count| theirs.count == Some(*count)),
        deadline: ours.deadline.filter(|deadline| theirs.deadline == Some(*deadline)),
        ..ours.clone()
    }
}

fn take_target(targets: &mut Vec<TargetReport>, target: TargetReport) -> Result<(), MergeError> {
    let Some(ours) = targets.iter_mut().find(|ours| ours.url == target.url) else {
        targets.push(target);
        return Ok(());
    };
    let before = usize::try_from(ours.connection_count()).unwrap_or(usize::MAX);
    let renumbered = target.connections.into_iter().map(|connection| {
        let index = before.saturating_add(connection.index);
        ConnReport { index, ..connection }
    });
    ours.connections.extend(renumbered);
    merge_kinds(&mut ours.kinds, target.kinds).map_err(|why| MergeError::Rtts { url: target.url, why })
}

fn merge_kinds(ours: &mut Vec<KindReport>, theirs: Vec<KindReport>) -> Result<(), RttsError> {
    for kind in theirs {
        match ours.iter_mut().find(|figures| figures.kind == kind.kind) {
            Some(figures) => merge_kind(figures, &kind)?,
            None => ours.push(kind),
        }
    }
    Ok(())
}

fn merge_kind(ours: &mut KindReport, theirs: &KindReport) -> Result<(), RttsError> {
    ours.status = Status::Unknown;
    ours.counts.add(&theirs.counts);
    ours.longest_miss_run = ours.longest_miss_run.max(theirs.longest_miss_run);
    ours.missed_at_end = ours.missed_at_end.saturating_add(theirs.missed_at_end);
    let Some(more) = &theirs.pooled else { return Ok(()) };
    let pooled = Arc::make_mut(ours.pooled.get_or_insert_default());
    let MergeableRtts { rtts, differences } = pooled;
    rtts.merge_exactly(&more.rtts)?;
    differences.merge(&more.differences);
    ours.rtt = rtts.summary();
    ours.jitter = JitterSummary::new(rtts.moments(), differences);
    ours.histogram = rtts.bars();
    Ok(())
}

/// Each figure of the host that was the latest.
fn larger(ours: Option<LagSummary>, theirs: Option<LagSummary>) -> Option<LagSummary> {
    match (ours, theirs) {
        (Some(a), Some(b)) => {
            Some(LagSummary { p50: a.p50.max(b.p50), p99: a.p99.max(b.p99), max: a.max.max(b.max) })
        }
        (one, other) => one.or(other),
    }
}

/// A host that was late makes the whole suspect.
fn worse(ours: Measurement, theirs: Measurement) -> Measurement {
    fn rank(measurement: &Measurement) -> (u8, Duration) {
        match measurement {
            Measurement::Unknown => (0, Duration::ZERO),
            Measurement::Sound => (1, Duration::ZERO),
            Measurement::Suspect(HostDelay::Late { lag, .. }) => (2, *lag),
            Measurement::Suspect(HostDelay::Stalled { stalled }) => (3, *stalled),
        }
    }
    if rank(&theirs) > rank(&ours) { theirs } else { ours }
}

fn on_one_clock(start: SystemTime, timelines: &[(SystemTime, Timeline)]) -> Timeline {
    let since = |at: &SystemTime| at.duration_since(start).unwrap_or_default();
    let parts: Vec<(Duration, &Timeline)> = timelines.iter().map(|(at, of)| (since(at), of)).collect();
    Timeline::merged(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
    use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
    use crate::domain::connection::phase::Phase;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
    use crate::domain::ping::event::{ConnEvent, Event, HeartbeatResult};
    use crate::domain::ping::merged_runs::{ConnOrigin, MergedRuns, SourceRun};
    use crate::domain::ping::recorder::Recorder;
    use crate::domain::ping::report::samples;
    use crate::domain::ping::run_info::{ConnId, Demands};
    use crate::domain::run::run_result::RunResult;
    use proptest::prelude::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;

    fn info(connections: usize) -> RunInfo {
        RunInfo {
            targets: vec!["ws://a/".to_string()],
            connections_each: connections,
            kinds: vec![HeartbeatKind::Protocol],
            count: Some(5),
            ..samples::report(Vec::new()).info.as_ref().clone()
        }
    }

    fn beat(seq: u64, rtt: Option<Duration>) -> ConnEvent {
        ConnEvent::Heartbeat(HeartbeatResult {
            kind: HeartbeatKind::Protocol,
            seq,
            outcome: if rtt.is_some() { HeartbeatOutcome::Ok } else { HeartbeatOutcome::Missed },
            was: None,
            rtt,
            lag: Some(Duration::ZERO),
            to_wire: None,
            from_wire: None,
            acked: None,
            later_answered: false,
            exhausted_window: None,
            sent_again: None,
            rivals: 1,
        })
    }

    fn closed() -> ConnEvent {
        ConnEvent::Ended(Arc::new(CloseCause {
            who: ClosedBy::Us,
            how: CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() },
            reply: None,
            os_error: None,
            tcp: None,
            age: Duration::from_secs(5),
            idle: Duration::ZERO,
            at: START,
        }))
    }

    /// One connection's RTTs in the order of sending; `None` is a miss.
    type Beats = Vec<Option<Duration>>;

    /// A run with a connection for each of these, which is the first of the merged runs.
    fn run(name: &str, connections: &[Beats]) -> PingReport {
        let mut recorder = Recorder::new(info(connections.len()), PassCriteria::default(), START);
        for (index, beats) in connections.iter().enumerate() {
            let opened = ConnEvent::Opened(Arc::new(ConnectInfo::default()));
            let beats = (0..).zip(beats).map(|(seq, rtt)| beat(seq, *rtt));
            for event in std::iter::once(opened).chain(beats).chain([closed()]) {
                recorder.observe(&Event::Connection { id: ConnId { target: 0, index }, at: START, event });
            }
        }
        as_source(name, recorder.report(Duration::from_secs(5), false))
    }

    /// As an archive reads it: with its source and the origin of its connections.
    fn as_source(name: &str, mut report: PingReport) -> PingReport {
        let name: Arc<str> = name.into();
        for connection in report.targets.iter_mut().flat_map(|target| &mut target.connections) {
            connection.origin = Some(ConnOrigin { run: Arc::clone(&name), index: connection.index });
        }
        report.merged = MergedRuns(vec![SourceRun {
            host: format!("host of {name}"),
            name,
            command_line: Vec::new(),
            started_at: report.started_at,
            elapsed: report.elapsed,
            interrupted: report.interrupted,
            is_cut_off: false,
            done: report.done(),
            connections: report.connection_count(),
            sent: report.kinds.iter().map(|kind| kind.counts.sent()).sum(),
        }]);
        report
    }

    fn merged(runs: &[&PingReport]) -> PingReport {
        judged(runs, &PassCriteria::default())
    }

    fn judged(runs: &[&PingReport], policy: &PassCriteria) -> PingReport {
        let mut merger = RunMerger::new(runs[0].clone()).unwrap();
        runs[1..].iter().for_each(|run| merger.add((*run).clone()).unwrap());
        merger.judged(policy)
    }

    fn rtts(micros: &[u64]) -> Beats {
        micros.iter().map(|micros| Some(Duration::from_micros(*micros))).collect()
    }

    #[test]
    fn mean_and_stddev_are_those_of_all_rtts() {
        let (a, b) = (run("a", &[rtts(&[1_000, 3_000])]), run("b", &[rtts(&[5_000, 7_000, 9_000, 11_000])]));
        let whole = merged(&[&a, &b]);
        let figures = &whole.targets[0].kinds[0];
        let rtt = figures.rtt.unwrap();
        // x = [1, 3, 5, 7, 9, 11]: statistics.mean(x) == 6, statistics.pstdev(x) == 3.415650255319866
        assert_eq!((rtt.count, rtt.mean), (6, Duration::from_millis(6)));
        assert_eq!(figures.jitter.stddev, Some(Duration::from_nanos(3_415_650)));
        assert_eq!((rtt.min, rtt.max), (Duration::from_millis(1), Duration::from_millis(11)));
        // All four differences are 2 ms.
        assert_eq!(figures.jitter.ipdv_mean, Some(Duration::from_millis(2)));
        assert_eq!(figures.jitter.rfc3550, b.targets[0].kinds[0].jitter.rfc3550, "the largest");
        assert_eq!(whole.kinds[0].rtt, figures.rtt);
    }

    #[test]
    fn connections_are_renumbered_and_keep_their_origin() {
        let (a, b) = (run("a", &[rtts(&[1]), rtts(&[2])]), run("b", &[rtts(&[3]), vec![None, None, None]]));
        let whole = merged(&[&a, &b]);
        let names: Vec<String> = whole.targets[0].connections.iter().map(ConnReport::name).collect();
        assert_eq!(names, ["#0 (#0 of a)", "#1 (#1 of a)", "#2 (#0 of b)", "#3 (#1 of b)"]);
        assert_eq!(whole.verdict, RunResult::Failed);
        assert!(whole.reasons[0].starts_with("ws://a/ #3 (#1 of b): status is dead"), "{:?}", whole.reasons);
    }

    #[test]
    fn loss_that_no_run_shows_alone_is_judged_of_the_whole() {
        // One of 10 is missed in each run, which is degraded; 4 of 40 are 10 %, which is poor.
        let lossy: Beats = (0..10).map(|n| (n != 4).then_some(Duration::from_millis(1))).collect();
        let runs: Vec<PingReport> =
            ["a", "b", "c", "d"].map(|name| run(name, std::slice::from_ref(&lossy))).to_vec();
        assert!(runs.iter().all(|run| run.verdict == RunResult::Passed));
        let whole = merged(&runs.iter().collect::<Vec<_>>());
        assert_eq!((whole.status, whole.verdict), (Status::Poor, RunResult::Failed));
        assert_eq!(
            whole.status_reason,
            "4 of 40 heartbeats missed (10 % loss) on all 4 connections together"
        );
    }

    #[test]
    fn criteria_of_the_whole_are_judged_anew() {
        let (a, b) = (run("a", &[rtts(&[1, 2])]), run("b", &[rtts(&[3, 4])]));
        let policy = PassCriteria { fail_if: vec!["sent>3".parse().unwrap()], ..PassCriteria::default() };
        let whole = judged(&[&a, &b], &policy);
        assert_eq!((whole.verdict, &whole.reasons[..]), (RunResult::Failed, &["sent>3: it is 4".into()][..]));
        assert_eq!(whole.info.demands.fail_if, ["sent>3"]);
    }

    #[test]
    fn unreachable_run_beside_a_good_one_fails() {
        let mut bad = run("b", &[Vec::new()]);
        let connection = &mut bad.targets[0].connections[0];
        connection.opened = None;
        connection.open_error = Some(Arc::new(ConnectError {
            url: "ws://a/".to_string(),
            phase: Phase::Tcp,
            kind: FailureKind::Refused,
            cause: "connection refused".to_string(),
            hint: None,
            attempts: Vec::new(),
            reached: None,
            refusal: None,
            took: Duration::ZERO,
        }));
        let good = run("a", &[rtts(&[1, 2])]);
        assert_eq!(merged(&[&good, &bad]).verdict, RunResult::Failed);
        assert_eq!(merged(&[&bad]).verdict, RunResult::Unreachable);
    }

    #[test]
    fn run_does_not_count_twice() {
        let (a, b) = (run("a", &[rtts(&[1])]), run("b", &[rtts(&[2])]));
        let mut merger = RunMerger::new(merged(&[&a, &b])).unwrap();
        let again = MergeError::SameRun { of: "b".into() };
        assert_eq!(merger.add(b), Err(again), "although it is in a merged one");
    }

    #[test]
    fn runs_with_other_settings_are_not_merged() {
        let changed = |change: fn(&mut RunInfo)| {
            let mut other = run("b", &[rtts(&[1])]);
            let mut info = other.info.as_ref().clone();
            change(&mut info);
            other.info = Arc::new(info);
            RunMerger::new(run("a", &[rtts(&[2])])).unwrap().add(other)
        };
        assert_eq!(changed(|info| info.count = Some(7)), Ok(()), "the amount may differ");
        assert_eq!(
            changed(|info| info.timeout = Duration::from_secs(1)),
            Err(MergeError::Differs { what: "--timeout" })
        );
        assert_eq!(
            changed(|info| info.demands.limits.poor_loss = 0.5),
            Err(MergeError::Differs { what: "the limits of the status" })
        );
        assert_eq!(
            changed(|info| info.demands = Demands { fail_if: vec!["loss>1%".into()], ..info.demands.clone() }),
            Err(MergeError::OtherCriterion { option: "--fail-if" })
        );
    }

    #[test]
    fn host_that_was_late_makes_the_whole_suspect() {
        let mut late = run("b", &[rtts(&[1])]);
        let delay = Measurement::Suspect(HostDelay::Stalled { stalled: Duration::from_secs(3) });
        late.measurement = delay;
        late.host_lag =
            Some(LagSummary { p50: Duration::ZERO, p99: Duration::ZERO, max: Duration::from_secs(3) });
        for runs in [[&run("a", &[rtts(&[1])]), &late], [&late, &run("a", &[rtts(&[1])])]] {
            let whole = merged(&runs);
            assert_eq!((whole.measurement, whole.host_lag.unwrap().max), (delay, Duration::from_secs(3)));
            assert_eq!(whole.findings.len(), 1);
        }
    }

    #[test]
    fn interrupted_run_makes_the_whole_interrupted() {
        let mut cut = run("b", &[rtts(&[1])]);
        cut.interrupted = true;
        cut.merged.0[0].interrupted = true;
        let whole = merged(&[&run("a", &[rtts(&[1, 2, 3, 4, 5])]), &cut]);
        assert_eq!(whole.verdict, RunResult::Interrupted { measured: true });
        assert_eq!(whole.reasons, ["b: interrupted after 1 of 5 heartbeats"]);
        assert_eq!(whole.done(), Some(crate::domain::run::done::Done::Heartbeats { done: 6, of: 10 }));
    }

    fn some_beats() -> impl Strategy<Value = Beats> {
        let rtt = (1_000_u64..3_000_000_000).prop_map(Duration::from_nanos);
        prop::collection::vec(prop::option::weighted(0.9, rtt), 0..12)
    }

    /// The figures of all heartbeats, which do not depend on how they are split.
    fn assert_same(found: &KindReport, whole: &KindReport) -> Result<(), TestCaseError> {
        let near = |one: Option<Duration>, other: Option<Duration>| match (one, other) {
            (Some(one), Some(other)) => one.abs_diff(other) <= Duration::from_nanos(20),
            (one, other) => one == other,
        };
        let but_mean = |kind: &KindReport| {
            kind.rtt.map(|rtt| crate::domain::stats::RttSummary { mean: Duration::ZERO, ..rtt })
        };
        prop_assert_eq!(found.counts, whole.counts);
        prop_assert_eq!(but_mean(found), but_mean(whole));
        prop_assert!(near(found.rtt.map(|rtt| rtt.mean), whole.rtt.map(|rtt| rtt.mean)));
        prop_assert_eq!(&found.histogram, &whole.histogram);
        prop_assert!(near(found.jitter.stddev, whole.jitter.stddev));
        prop_assert!(near(found.jitter.ipdv_mean, whole.jitter.ipdv_mean));
        prop_assert_eq!(found.jitter.rfc3550, whole.jitter.rfc3550);
        prop_assert_eq!(found.longest_miss_run, whole.longest_miss_run);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn split_run_is_the_whole_run(
            connections in prop::collection::vec(some_beats(), 2..9), split in 1_usize..8,
        ) {
            let whole = run("all", &connections);
            let parts: Vec<PingReport> = connections
                .chunks(split.min(connections.len() - 1))
                .enumerate()
                .map(|(n, part)| run(&n.to_string(), part))
                .collect();
            let found = merged(&parts.iter().collect::<Vec<_>>());
            assert_same(&found.kinds[0], &whole.kinds[0])?;
            assert_same(&found.targets[0].kinds[0], &whole.targets[0].kinds[0])?;
            prop_assert_eq!(&found.status_counts, &whole.status_counts);
            prop_assert_eq!((found.status, found.last_status), (whole.status, whole.last_status));
            prop_assert_eq!(found.verdict, whole.verdict);
            prop_assert_eq!(&found.worst, &whole.worst);
            let answered = |report: &PingReport| report.timeline.intervals.iter().map(|i| i.answered).sum::<u64>();
            prop_assert_eq!(answered(&found), answered(&whole));
        }

        #[test]
        fn merging_is_associative(connections in prop::collection::vec(some_beats(), 6)) {
            let [a, b, c] = [0, 2, 4].map(|n| run(&n.to_string(), &connections[n..n + 2]));
            let (ab, bc) = (merged(&[&a, &b]), merged(&[&b, &c]));
            let (left, right, flat) = (merged(&[&ab, &c]), merged(&[&a, &bc]), merged(&[&a, &b, &c]));
            for other in [&right, &flat] {
                assert_same(&left.kinds[0], &other.kinds[0])?;
                prop_assert_eq!(&left.targets[0].connections, &other.targets[0].connections);
                prop_assert_eq!((left.started_at, left.elapsed), (other.started_at, other.elapsed));
                prop_assert_eq!(&left.merged, &other.merged);
                prop_assert_eq!((left.verdict, &left.reasons), (other.verdict, &other.reasons));
                prop_assert_eq!((&left.worst, &left.findings), (&other.worst, &other.findings));
            }
        }
    }
}
