//! Metrics in Prometheus' classic text format, for node_exporter's textfile collector: seconds and ratios, no timestamps.

use std::time::Duration;

use super::RenderedRun;
use crate::domain::exposition::{FamilyUnit, MetricFamily, Sample, SampleLabel, encode};
use crate::domain::label::Label as _;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::domain::run::run_result::RunResult;
use crate::output::json::WSCHECK_VERSION;

/// The metrics of a run, names first.
pub fn render(run: &RenderedRun<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for metric in &run.view.metrics {
        if !names.contains(&metric.name.as_ref()) {
            names.push(&metric.name);
        }
    }
    let of_metrics = names.iter().filter_map(|name| family(run, name));
    let families: Vec<MetricFamily> = about_run(run).into_iter().chain(of_metrics).collect();
    encode(&families)
}

/// Every sample of one metric. Unknown values have none.
fn family(run: &RenderedRun<'_>, name: &str) -> Option<MetricFamily> {
    let metrics: Vec<&MetricValue> = run.view.metrics.iter().filter(|metric| metric.name == name).collect();
    let first = metrics.first()?;
    let unit = match first.unit {
        MetricUnit::Time => FamilyUnit::Seconds,
        MetricUnit::Share => FamilyUnit::Ratio,
        MetricUnit::Days => FamilyUnit::Days,
        MetricUnit::Count => FamilyUnit::None,
    };
    let samples = metrics.iter().filter_map(|metric| Some(sample(run, about(run, metric), metric.value?)));
    let samples = samples.collect();
    Some(MetricFamily::gauge(full_name(name), unit, first.meaning.clone(), samples))
}

/// The labels of a figure; one of the whole run gets the run's subject, so that files of several runs stand side by side.
fn about(run: &RenderedRun<'_>, metric: &MetricValue) -> Vec<SampleLabel> {
    let has_target = metric.labels.contains_key("target");
    let subject = (!has_target).then(|| subject(run));
    let own = metric.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    own.chain(subject).collect()
}

fn subject(run: &RenderedRun<'_>) -> SampleLabel {
    label("subject", &run.view.subject)
}

fn about_run(run: &RenderedRun<'_>) -> Vec<MetricFamily> {
    let view = run.view;
    let one = |name, unit, help, value| {
        MetricFamily::gauge(full_name(name), unit, help, vec![sample(run, vec![subject(run)], value)])
    };
    let results = RESULTS.map(|result| {
        let labels = vec![label("result", result.label()), subject(run)];
        sample(run, labels, f64::from(u8::from(result.label() == view.result.label())))
    });
    let meaning = "the result of the run: 1 for the one that it has, 0 for the others";
    let started = view.started_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let started = started.as_micros() as f64 / 1e6;
    let version = vec![subject(run), label("version", WSCHECK_VERSION)];
    let versions = vec![sample(run, version, 1.0)];
    let duration = to_microseconds(view.elapsed.into());
    vec![
        MetricFamily::gauge(full_name("result"), FamilyUnit::None, meaning, results.into()),
        one("exit_code", FamilyUnit::None, "the exit code of the run", f64::from(view.result.exit_code())),
        one("duration", FamilyUnit::Seconds, "the duration of the run", duration),
        one("started_timestamp", FamilyUnit::Seconds, "when the run started, in seconds since 1970", started),
        MetricFamily::gauge(full_name("info"), FamilyUnit::None, "the version that made the run", versions),
    ]
}

fn label(name: &'static str, value: &str) -> SampleLabel {
    (name.into(), value.to_string())
}

fn sample(run: &RenderedRun<'_>, labels: Vec<SampleLabel>, value: f64) -> Sample<f64> {
    let labels = [label("command", run.command)].into_iter().chain(labels).collect();
    Sample { labels, value }
}

/// Each result that a run may end with.
const RESULTS: [RunResult; 5] = [
    RunResult::Passed,
    RunResult::Failed,
    RunResult::Inconclusive,
    RunResult::Unreachable,
    RunResult::Interrupted { measured: true },
];

/// `rtt.p95` becomes `wscheck_run_rtt_p95`.
fn full_name(name: &str) -> String {
    format!("wscheck_run_{}", name.replace(['.', '-'], "_"))
}

/// Seconds, exact to the microsecond, as archived documents keep them.
fn to_microseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e6
}
