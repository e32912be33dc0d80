//! Metrics in Prometheus' classic text format (version 0.0.4), for node_exporter's textfile collector: seconds and
//! ratios, no timestamps.
//!
//! prometheus-client writes OpenMetrics, which ends in `# EOF` and which that collector does not read.

use std::borrow::Cow;
use std::fmt::Write;
use std::time::Duration;

use super::RenderedRun;
use crate::domain::label::Label as _;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::domain::run::run_result::RunResult;
use crate::output::json::WSCHECK_VERSION;
use crate::output::view::View;

/// The metrics of a run, names first.
pub fn render(run: &RenderedRun<'_>) -> String {
    let mut text = String::new();
    about_run(&mut text, run);
    let mut names: Vec<&str> = Vec::new();
    for metric in &run.view.metrics {
        if !names.contains(&metric.name.as_ref()) {
            names.push(&metric.name);
        }
    }
    names.iter().for_each(|name| family(&mut text, run, name));
    text
}

/// Every sample of one metric. Unknown values have none.
fn family(text: &mut String, run: &RenderedRun<'_>, name: &str) {
    let metrics: Vec<&MetricValue> = run.view.metrics.iter().filter(|metric| metric.name == name).collect();
    let Some(first) = metrics.first().filter(|_| metrics.iter().any(|metric| metric.value.is_some())) else {
        return;
    };
    let full = full_name(name, first.unit);
    head(text, &full, &first.meaning);
    for metric in metrics {
        if let Some(value) = metric.value {
            sample(text, &full, run.command, &about(run, metric), value);
        }
    }
}

/// The labels of a figure; one of the whole run gets the run's subject, so that files of several runs stand side by side.
fn about(run: &RenderedRun<'_>, metric: &MetricValue) -> Vec<MetricLabel> {
    let has_target = metric.labels.contains_key("target");
    let subject = (!has_target).then(|| subject(run));
    let own = metric.labels.iter().map(|(name, value)| (name.clone(), value.clone()));
    own.chain(subject).collect()
}

fn subject(run: &RenderedRun<'_>) -> MetricLabel {
    label("subject", &run.view.subject)
}

fn about_run(text: &mut String, run: &RenderedRun<'_>) {
    let view: &View = run.view;
    head(text, "wscheck_run_result", "the result of the run: 1 for the one that it has, 0 for the others");
    for result in RESULTS {
        let labels = [label("result", result.label()), subject(run)];
        let is_it = result.label() == view.result.label();
        sample(text, "wscheck_run_result", run.command, &labels, f64::from(u8::from(is_it)));
    }
    head(text, "wscheck_run_exit_code", "the exit code of the run");
    sample(text, "wscheck_run_exit_code", run.command, &[subject(run)], f64::from(view.result.exit_code()));
    head(text, "wscheck_run_duration_seconds", "the duration of the run");
    sample(
        text,
        "wscheck_run_duration_seconds",
        run.command,
        &[subject(run)],
        to_microseconds(view.elapsed.into()),
    );
    head(text, "wscheck_run_started_timestamp_seconds", "when the run started, in seconds since 1970");
    let started = view.started_at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    sample(
        text,
        "wscheck_run_started_timestamp_seconds",
        run.command,
        &[subject(run)],
        started.as_micros() as f64 / 1e6,
    );
    head(text, "wscheck_run_info", "the version that made the run");
    sample(text, "wscheck_run_info", run.command, &[subject(run), label("version", WSCHECK_VERSION)], 1.0);
}

type MetricLabel = (Cow<'static, str>, String);

fn label(name: &'static str, value: &str) -> MetricLabel {
    (name.into(), value.to_string())
}

/// Each result that a run may end with.
const RESULTS: [RunResult; 5] = [
    RunResult::Passed,
    RunResult::Failed,
    RunResult::Inconclusive,
    RunResult::Unreachable,
    RunResult::Interrupted { measured: true },
];

/// `rtt.p95` in time becomes `wscheck_run_rtt_p95_seconds`.
fn full_name(name: &str, unit: MetricUnit) -> String {
    let unit = match unit {
        MetricUnit::Time => "_seconds",
        MetricUnit::Share => "_ratio",
        MetricUnit::Days => "_days",
        MetricUnit::Count => "",
    };
    format!("wscheck_run_{}{unit}", name.replace(['.', '-'], "_"))
}

/// Seconds, exact to the microsecond, as archived documents keep them.
fn to_microseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e6
}

/// Writing to a String cannot fail.
fn head(text: &mut String, name: &str, meaning: &str) {
    let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} gauge", escaped(meaning, false));
}

fn sample(text: &mut String, name: &str, command: &str, labels: &[MetricLabel], value: f64) {
    let command = [label("command", command)];
    let labels =
        command.iter().chain(labels).map(|(key, value)| format!("{key}=\"{}\"", escaped(value, true)));
    let _ = writeln!(text, "{name}{{{}}} {value}", labels.collect::<Vec<_>>().join(","));
}

/// Text as the format wants it: in help a backslash and a newline are escaped, in labels a quote, too.
fn escaped(text: &str, is_label: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_label { text.replace('"', "\\\"") } else { text }
}
