//! The output of a Nagios plugin: one line with performance data, then the details; and the plugin's exit codes.
//! Source: Monitoring Plugins development guidelines, sections "Plugin return codes", "Performance data" and "Threshold
//! and ranges".

use super::RenderedRun;
use crate::domain::run::criterion::CriterionState;
use crate::domain::run::metric::{AlertBound, MetricUnit, MetricValue};
use crate::domain::run::run_result::RunResult;
use crate::output::human::{HumanOptions, report_always};
use crate::output::view::View;

/// The state that a plugin reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginState {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl PluginState {
    /// Unreachable is critical: it is what monitoring is for. A `--warn` that is true is a warning.
    pub fn of(view: &View) -> PluginState {
        let is_warned = view.demanded().any(|one| one.only_warns() && one.state == CriterionState::NotMet);
        match view.result {
            RunResult::Failed | RunResult::Unreachable => PluginState::Critical,
            RunResult::Passed if is_warned => PluginState::Warning,
            RunResult::Passed => PluginState::Ok,
            RunResult::Usage | RunResult::Inconclusive | RunResult::Interrupted { .. } => {
                PluginState::Unknown
            }
        }
    }

    pub fn exit_code(self) -> u8 {
        match self {
            PluginState::Ok => 0,
            PluginState::Warning => 1,
            PluginState::Critical => 2,
            PluginState::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            PluginState::Ok => "OK",
            PluginState::Warning => "WARNING",
            PluginState::Critical => "CRITICAL",
            PluginState::Unknown => "UNKNOWN",
        }
    }
}

/// The first line, and the report as long output.
pub fn render(run: &RenderedRun<'_>) -> String {
    let view = run.view;
    let state = PluginState::of(view);
    let why = reason(view).filter(|_| state != PluginState::Ok);
    let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let data = performance_data(&view.metrics);
    let report = without_bars(&report_always(view, HumanOptions::default()));
    let first = one_line(&format!("{}{why}", view.headline.text()));
    format!("WEBSOCKET {} - {first} | {data}\n{report}", state.word())
}

/// A criterion that was not met, or else the first reason of the result.
fn reason(view: &View) -> Option<String> {
    let not_met = view.demanded().find(|criterion| criterion.state == CriterionState::NotMet);
    not_met
        .map(|criterion| format!("wanted {}, found {}", criterion.wanted, criterion.found))
        .or_else(|| view.reasons.first().cloned())
}

/// What a plugin prints if it could not run: `WEBSOCKET UNKNOWN - ...`.
pub fn unknown(message: &str) -> String {
    format!("WEBSOCKET {} - {}\n", PluginState::Unknown.word(), one_line(message))
}

/// A bar begins performance data, so none may stand in a text.
fn without_bars(text: &str) -> String {
    text.replace('|', "¦")
}

fn one_line(text: &str) -> String {
    without_bars(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `'rtt.p95'=0.0312s;0.2;0.5;0`
fn performance_data(metrics: &[MetricValue]) -> String {
    let known = metrics.iter().filter_map(|metric| Some(figure(metrics, metric, metric.value?)));
    known.collect::<Vec<_>>().join(" ")
}

fn figure(all: &[MetricValue], metric: &MetricValue, value: f64) -> String {
    let (value, unit, factor) = match metric.unit {
        MetricUnit::Time => (value, "s", 1.0),
        MetricUnit::Share => (value * 100.0, "%", 100.0),
        MetricUnit::Count | MetricUnit::Days => (value, "", 1.0),
    };
    let range = |bound: Option<AlertBound>| bound.map(|bound| range(bound, factor)).unwrap_or_default();
    let value = (value * 1e6).round() / 1e6;
    format!("'{}'={value}{unit};{};{};0", label(all, metric), range(metric.warn), range(metric.crit))
}

/// The name, with the check and the labels that tell its figures apart; the guidelines forbid `=` and `'` in it.
fn label(all: &[MetricValue], metric: &MetricValue) -> String {
    let alike = |key: &str| {
        let same_name = all.iter().filter(|other| other.name == metric.name);
        let mut values =
            same_name.flat_map(|other| other.labels.iter().filter(|(name, _)| *name == key)).map(|(_, v)| v);
        let first = values.next();
        values.all(|value| Some(value) == first)
    };
    let telling = metric.labels.iter().filter(|(key, _)| *key == "check" || !alike(key));
    let labels = telling.map(|(_, value)| format!(" {value}")).collect::<String>();
    format!("{}{}", metric.name, labels.replace(['=', '\'', '|'], "_"))
}

/// The range outside of which a value is an alert: `0.2` is from 0 to 0.2, `90:` is 90 and more.
fn range(bound: AlertBound, factor: f64) -> String {
    match bound {
        AlertBound::Above(limit) => format!("{}", limit * factor),
        AlertBound::Below(limit) => format!("{}:", limit * factor),
    }
}
