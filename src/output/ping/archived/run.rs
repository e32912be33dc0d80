//! The whole run.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::connection::{Connection, OfRun};
use super::fields::{Count, FieldError, Instant, Millis, Named, Text, strings};
use super::figures::{ByKind, HostLag};
use crate::domain::catalogue::find_preset;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::format::counted;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::expected_ending::ExpectedEnding;
use crate::domain::ping::health::{Status, StatusLimits};
use crate::domain::ping::history::History;
use crate::domain::ping::measurement::{HostDelay, Measurement, MeasurementName};
use crate::domain::ping::merged_runs::{MergedRuns, SourceRun};
use crate::domain::ping::report::{KindReport, PingReport, StampingReport, TargetReport, count_of};
use crate::domain::ping::run_info::{Demands, RunInfo};
use crate::domain::ping::run_status::RunStatusLimits;
use crate::domain::presets::PresetSelection;
use crate::domain::run::done::Done;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::LagSummary;
use crate::domain::stats::timeline::{Timeline, TimelineInterval};
use crate::output::envelope::HostFacts;

#[derive(Debug, Deserialize)]
struct Document {
    command_line: Option<Vec<Text>>,
    host: Option<HostFacts>,
    started_at: Instant,
    elapsed_ms: Millis,
    interrupted: bool,
    settings: Settings,
    findings: Vec<HostFinding>,
    heartbeats: ByKind,
    targets: Vec<Target>,
    host_lag: Option<HostLag>,
    measurement: Named<MeasurementName>,
    timestamps: Named<TimestampSource>,
    timestamps_fell_back: Count,
    runs: Vec<Source>,
    view: Charts,
}

/// An interim line of NDJSON.
#[derive(Debug, Deserialize)]
struct Interim {
    report: Document,
}

#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    heartbeats: Vec<Named<HeartbeatKind>>,
    interval_ms: Option<Millis>,
    timeout_ms: Millis,
    outage_after_ms: Millis,
    count: Option<u64>,
    deadline_ms: Option<Millis>,
    connections_each: Option<u32>,
    worst: usize,
    all_connections: bool,
    preset: Option<Preset>,
    thresholds: Thresholds,
    fail_on: Text,
    fail_if: Vec<Text>,
    warn: Vec<Text>,
    expect_close: Vec<u16>,
    expect_refused: Vec<u16>,
}

#[derive(Debug, Deserialize)]
struct Preset {
    name: Option<Text>,
    auto: bool,
    evidence: Vec<Text>,
    notes: Vec<Text>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Thresholds {
    healthy_ms: Millis,
    degraded_ms: Millis,
    poor_ms: Millis,
    dead_after: u32,
    timeout_after: u32,
    poor_loss: f64,
    critical_loss: f64,
    loss_min_missed: u64,
    window: usize,
}

#[derive(Debug, Deserialize)]
struct Target {
    url: Text,
    heartbeats: ByKind,
    connection_count: u64,
    connections: Vec<Connection>,
    others: Vec<Connection>,
}

/// Of the findings only those about this host are not made again.
#[derive(Debug, Deserialize)]
struct HostFinding {
    code: String,
    data: HostFindingData,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct HostFindingData {
    stalled_ms: Option<Millis>,
    lag_ms: Option<Millis>,
    rtt_ms: Option<Millis>,
    percentile: Option<u8>,
}

#[derive(Debug, Deserialize)]
struct Source {
    name: Text,
    host: Text,
    command_line: Vec<Text>,
    started_at: Instant,
    elapsed_ms: Millis,
    interrupted: bool,
    cut_off: bool,
    done: Option<HowMuch>,
    connections: Count,
    sent: Count,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct HowMuch {
    heartbeats: Option<u64>,
    of_heartbeats: Option<u64>,
    time_ms: Option<Millis>,
    of_time_ms: Option<Millis>,
}

#[derive(Debug, Deserialize)]
struct Charts {
    charts: Vec<Chart>,
}

/// The other charts are made again of the histograms.
#[derive(Debug, Deserialize)]
struct Chart {
    rtt_over_time: Option<RttOverTime>,
}

#[derive(Debug, Deserialize)]
struct RttOverTime {
    interval_ms: Millis,
    intervals: Vec<ChartInterval>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct ChartInterval {
    answered: Count,
    missed: Count,
    late: Count,
    rtt: Option<RttRange>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct RttRange {
    min_ms: Millis,
    mean_ms: Millis,
    max_ms: Millis,
}

/// The report that a document was made of; status, verdict and findings are left to the rules. `name` is the file's;
/// `is_interim`: the text is an interim line of NDJSON, after which the run was cut off.
///
/// # Errors
///
/// A field is missing, or its value cannot be right.
pub fn read_run(json: &str, name: &str, is_interim: bool) -> Result<PingReport, FieldError> {
    let document =
        if is_interim { parsed::<Interim>(json).map(|line| line.report) } else { parsed::<Document>(json) };
    document?.report(&Arc::from(name), is_interim)
}

/// Reads without tracking the place, which costs time, and once more with it for an error.
pub(super) fn parsed<T: DeserializeOwned>(json: &str) -> Result<T, FieldError> {
    serde_json::from_str(json).or_else(|error| {
        let tracked = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(json));
        tracked.map_err(|found| {
            let field = found.path().to_string();
            FieldError::new(if field == "." { "the document".to_string() } else { field }, &error)
        })
    })
}

impl Document {
    fn report(self, name: &Arc<str>, is_cut_off: bool) -> Result<PingReport, FieldError> {
        let info = self.settings.info(self.targets.iter().map(|target| target.url.0.clone()).collect())?;
        let of_run = OfRun { name, timestamps: self.timestamps.0 };
        let each = self.targets.into_iter().enumerate();
        let targets: Result<Vec<TargetReport>, FieldError> = each
            .map(|(index, target)| {
                target.report(&of_run).map_err(|error| error.within(&format!("targets[{index}]")))
            })
            .collect();
        let measurement = measurement(self.measurement.0, &self.findings)?;
        let timeline = self.view.charts.into_iter().find_map(|chart| chart.rtt_over_time);
        let mut report = PingReport {
            info: Arc::new(info),
            started_at: self.started_at.0,
            elapsed: self.elapsed_ms.0,
            status: Status::Unknown,
            status_reason: String::new(),
            last_status: Status::Unknown,
            status_counts: Vec::new(),
            verdict: RunResult::Inconclusive,
            reasons: Vec::new(),
            criteria: Vec::new(),
            findings: Vec::new(),
            kinds: self.heartbeats.with_rtts()?,
            targets: targets?,
            worst: Vec::new(),
            host_lag: self.host_lag.map(LagSummary::from),
            stamping: StampingReport {
                to_wire: self.host_lag.and_then(|lag| lag.to_wire).map(LagSummary::from),
                from_wire: self.host_lag.and_then(|lag| lag.from_wire).map(LagSummary::from),
                fell_back: self.timestamps_fell_back.0,
            },
            measurement,
            timeline: timeline.map(RttOverTime::timeline).unwrap_or_default(),
            // Statuses and outages of several machines have no one clock.
            history: History::default(),
            interrupted: self.interrupted || is_cut_off,
            merged: MergedRuns::default(),
        };
        let sources = self.runs.into_iter().map(SourceRun::from).collect::<Vec<_>>();
        report.merged = MergedRuns(if sources.is_empty() {
            let command_line = strings(self.command_line.unwrap_or_default());
            vec![source(
                &report,
                Arc::clone(name),
                self.host.map(host).unwrap_or_default(),
                command_line,
                is_cut_off,
            )]
        } else {
            sources
        });
        Ok(report)
    }
}

/// The run itself, as the only one of itself.
fn source(
    report: &PingReport,
    name: Arc<str>,
    host: String,
    command_line: Vec<String>,
    is_cut_off: bool,
) -> SourceRun {
    SourceRun {
        name,
        host,
        command_line,
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.interrupted,
        is_cut_off,
        done: report.done(),
        connections: report.connection_count(),
        sent: report.kinds.iter().map(|kind| kind.counts.sent()).sum(),
    }
}

/// `linux 6.12.0 x86_64, 4 CPUs`
fn host(host: HostFacts) -> String {
    let kernel = host.kernel.map(|kernel| format!(" {kernel}")).unwrap_or_default();
    let cpus = host.cpus.map(|cpus| format!(", {}", counted(cpus as u64, "CPU"))).unwrap_or_default();
    without_controls(&format!("{}{kernel} {}{cpus}", host.os, host.arch), false)
}

fn measurement(name: MeasurementName, findings: &[HostFinding]) -> Result<Measurement, FieldError> {
    let delay = |finding: &HostFinding| {
        let HostFindingData { stalled_ms, lag_ms, rtt_ms, percentile } = finding.data;
        match finding.code.as_str() {
            "host_stalled" => Some(HostDelay::Stalled { stalled: stalled_ms?.0 }),
            "host_late" => Some(HostDelay::Late { lag: lag_ms?.0, rtt: rtt_ms?.0, percentile: percentile? }),
            _ => None,
        }
    };
    match name {
        MeasurementName::Unknown => Ok(Measurement::Unknown),
        MeasurementName::Sound => Ok(Measurement::Sound),
        MeasurementName::Suspect => {
            findings.iter().find_map(delay).map(Measurement::Suspect).ok_or_else(|| {
                FieldError::new("measurement", "it is suspect, and no finding says how late the host was")
            })
        }
    }
}

impl Settings {
    pub(super) fn info(self, targets: Vec<String>) -> Result<RunInfo, FieldError> {
        let wrong = |field: &str, error: &dyn ToString| {
            FieldError::new(format!("settings.{field}"), error.to_string())
        };
        let demands = Demands {
            limits: self.thresholds.limits(),
            fail_on: self.fail_on.0,
            fail_if: strings(self.fail_if),
            warn_if: strings(self.warn),
            endings: ExpectedEnding { close_codes: self.expect_close, refused_with: self.expect_refused },
        };
        let preset = self.preset.map(Preset::selection).transpose().map_err(|why| wrong("preset", &why))?;
        Ok(RunInfo {
            targets,
            connections_each: self.connections_each.unwrap_or_default() as usize,
            worst: self.worst,
            lists_all: self.all_connections,
            kinds: self.heartbeats.into_iter().map(|kind| kind.0).collect(),
            interval: self.interval_ms.map(|ms| ms.0),
            timeout: self.timeout_ms.0,
            outage_after: self.outage_after_ms.0,
            count: self.count,
            deadline: self.deadline_ms.map(|ms| ms.0),
            preset,
            demands,
        })
    }
}

impl Preset {
    fn selection(self) -> Result<PresetSelection, String> {
        let preset = match &self.name {
            Some(Text(name)) => Some(find_preset(name).ok_or_else(|| format!("'{name}' is no preset"))?),
            None => None,
        };
        let (evidence, notes) = (strings(self.evidence), strings(self.notes));
        Ok(PresetSelection { preset, auto: self.auto, evidence, notes })
    }
}

impl Thresholds {
    fn limits(self) -> RunStatusLimits {
        RunStatusLimits {
            connection: StatusLimits {
                healthy: self.healthy_ms.0,
                degraded: self.degraded_ms.0,
                poor: self.poor_ms.0,
                dead_after: self.dead_after,
                window: self.window,
            },
            poor_loss: self.poor_loss,
            critical_loss: self.critical_loss,
            loss_min_missed: self.loss_min_missed,
            timeout_after: self.timeout_after,
        }
    }
}

impl Target {
    fn report(self, run: &OfRun<'_>) -> Result<TargetReport, FieldError> {
        let kinds: Vec<KindReport> = self.heartbeats.with_rtts()?;
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
            url: self.url.0,
            status: Status::Unknown,
            status_reason: String::new(),
            last_status: Status::Unknown,
            kinds,
            connections,
        })
    }
}

impl From<Source> for SourceRun {
    fn from(run: Source) -> SourceRun {
        SourceRun {
            name: run.name.0.into(),
            host: run.host.0,
            command_line: strings(run.command_line),
            started_at: run.started_at.0,
            elapsed: run.elapsed_ms.0,
            interrupted: run.interrupted,
            is_cut_off: run.cut_off,
            done: run.done.and_then(HowMuch::done),
            connections: run.connections.0,
            sent: run.sent.0,
        }
    }
}

impl HowMuch {
    fn done(self) -> Option<Done> {
        match (self.heartbeats.zip(self.of_heartbeats), self.time_ms.zip(self.of_time_ms)) {
            (Some((done, of)), _) => Some(Done::Heartbeats { done, of }),
            (None, Some((done, of))) => Some(Done::Time { done: done.0, of: of.0 }),
            (None, None) => None,
        }
    }
}

impl RttOverTime {
    fn timeline(self) -> Timeline {
        let intervals = self.intervals.into_iter().map(TimelineInterval::from).collect();
        Timeline { width: self.interval_ms.0, intervals }
    }
}

impl From<ChartInterval> for TimelineInterval {
    fn from(interval: ChartInterval) -> TimelineInterval {
        let span = |pick: fn(RttRange) -> Millis| interval.rtt.map_or(Duration::ZERO, |rtt| pick(rtt).0);
        let (min, mean, max) = (span(|rtt| rtt.min_ms), span(|rtt| rtt.mean_ms), span(|rtt| rtt.max_ms));
        let sum = mean.as_secs_f64() * interval.answered.0 as f64;
        TimelineInterval {
            answered: interval.answered.0,
            late: interval.late.0,
            missed: interval.missed.0,
            sum: Duration::try_from_secs_f64(sum).unwrap_or(Duration::MAX),
            min,
            max,
        }
    }
}
