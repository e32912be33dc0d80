//! The whole run.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::json_path::path_of;
use crate::domain::connection::connect_info::TimestampSource;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::format::counted;
use crate::domain::ping::measurement::{HostDelay, Measurement, MeasurementName};
use crate::domain::ping::merged_runs::{MergedRuns, SourceRun};
use crate::domain::ping::report::{PingReport, StampingReport, TargetReport};
use crate::domain::stats::timeline::{Timeline, TimelineInterval};
use crate::output::envelope::HostFacts;
use crate::output::json::{ByKind, Count, FieldError, HostLag, Ms, Name, Text, Timestamp, strings};
use crate::output::ping::connection_document::OfRun;
use crate::output::ping::document::{SourceRunDocument, TargetDocument};
use crate::output::ping::settings::Settings;
use crate::output::view::RttRange;

#[derive(Debug, Deserialize)]
struct Document {
    command_line: Option<Vec<Text>>,
    host: Option<HostFacts>,
    started_at: Timestamp,
    elapsed_ms: Ms,
    interrupted: bool,
    settings: Settings,
    findings: Vec<HostFinding>,
    heartbeats: ByKind,
    targets: Vec<TargetDocument>,
    host_lag: Option<HostLag>,
    measurement: Name<MeasurementName>,
    timestamps: Name<TimestampSource>,
    timestamps_fell_back: Count,
    runs: Vec<SourceRunDocument>,
    view: Charts,
}

/// An interim line of NDJSON.
#[derive(Debug, Deserialize)]
struct Interim {
    report: Document,
}

/// Of the findings only those about this host are not made again.
#[derive(Debug, Deserialize)]
struct HostFinding {
    code: String,
    data: HostFindingData,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct HostFindingData {
    stalled_ms: Option<Ms>,
    lag_ms: Option<Ms>,
    rtt_ms: Option<Ms>,
    percentile: Option<u8>,
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
    interval_ms: Ms,
    intervals: Vec<ChartInterval>,
}

#[derive(Debug, Deserialize)]
struct ChartInterval {
    answered: Count,
    missed: Count,
    late: Count,
    rtt: Option<RttRange>,
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

pub(super) fn parsed<T: DeserializeOwned>(json: &str) -> Result<T, FieldError> {
    serde_json::from_str(json).map_err(|error| {
        let field = without_controls(&path_of(json, &error), false);
        FieldError::new(if field.is_empty() { "the document".to_string() } else { field }, &error)
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
        let [host_lag, to_wire, from_wire] = self.host_lag.map(HostLag::summaries).unwrap_or_default();
        let measurement = measurement(self.measurement.0, &self.findings)?;
        let timeline = self.view.charts.into_iter().find_map(|chart| chart.rtt_over_time);
        let (started_at, elapsed) = (self.started_at.into(), self.elapsed_ms.into());
        // Statuses and outages of several machines have no one clock: there is no history.
        let mut report = PingReport {
            kinds: self.heartbeats.with_rtts()?,
            targets: targets?,
            host_lag,
            stamping: StampingReport { to_wire, from_wire, fell_back: self.timestamps_fell_back.0 },
            measurement,
            timeline: timeline.map(RttOverTime::timeline).unwrap_or_default(),
            interrupted: self.interrupted || is_cut_off,
            ..PingReport::without_figures(Arc::new(info), started_at, elapsed)
        };
        report.merged = MergedRuns(self.runs.into_iter().map(SourceRun::from).collect());
        if report.merged.0.is_empty() {
            report.merged.0.push(SourceRun {
                name: Arc::clone(name),
                host: self.host.map(host).unwrap_or_default(),
                command_line: strings(self.command_line.unwrap_or_default()),
                started_at,
                elapsed,
                interrupted: report.interrupted,
                is_cut_off,
                done: report.done(),
                connections: report.connection_count(),
                sent: report.kinds.iter().map(|kind| kind.counts.sent()).sum(),
            });
        }
        Ok(report)
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
            "host_stalled" => Some(HostDelay::Stalled { stalled: stalled_ms?.into() }),
            "host_late" => {
                Some(HostDelay::Late { lag: lag_ms?.into(), rtt: rtt_ms?.into(), percentile: percentile? })
            }
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

impl RttOverTime {
    fn timeline(self) -> Timeline {
        let intervals = self.intervals.into_iter().map(TimelineInterval::from).collect();
        Timeline { width: self.interval_ms.into(), intervals }
    }
}

impl From<ChartInterval> for TimelineInterval {
    fn from(interval: ChartInterval) -> TimelineInterval {
        let span = |pick: fn(&RttRange) -> Ms| interval.rtt.as_ref().map(pick).unwrap_or_default().into();
        let (min, mean, max): (Duration, Duration, Duration) =
            (span(|rtt| rtt.min_ms), span(|rtt| rtt.mean_ms), span(|rtt| rtt.max_ms));
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
