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
use super::pooled_status::{pooled_status, run_reason, status_counts, take_worst_status, worst};
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
        let targets = &report.targets;
        take_worst_status(&mut report.kinds, targets.iter().map(|target| target.kinds.as_slice()));
        report.status = worst(targets.iter().map(|target| target.status));
        report.status_reason = run_reason(report.status, targets);
        report.last_status = worst(targets.iter().map(|target| target.last_status));
        report.status_counts = status_counts(targets);
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
