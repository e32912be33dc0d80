//! What must hold of a run in every format.

use serde_json::Value;
use strum::IntoEnumIterator;

use crate::domain::run::metric::MetricUnit;
use crate::output::finished_run::FinishedRun;
use crate::output::view::View;
use crate::output::{Format, HumanOptions, ReportFormat};

/// Renders a run in every format, and returns its document.
pub fn render_everywhere(run: &FinishedRun) -> String {
    for options in [
        HumanOptions::default(),
        HumanOptions { verbose: true, width: Some(60), ..HumanOptions::default() },
        HumanOptions { quiet: true, width: Some(20), ..HumanOptions::default() },
    ] {
        assert_has_no_controls(&run.render(Format::Human, options));
    }
    for format in ReportFormat::iter() {
        assert_has_no_controls(&run.render(Format::Report(format), HumanOptions::default()));
    }
    let [pretty, compact] =
        [Format::Json, Format::Ndjson].map(|format| run.render(format, HumanOptions::default()));
    assert!(!compact.trim_end().contains('\n'), "NDJSON is one line");
    for text in [&pretty, &compact] {
        assert_has_no_controls(text);
        assert!(serde_json::from_str::<Value>(text).is_ok(), "not JSON: {text}");
    }
    compact
}

/// A peer's text ends no line and controls no terminal.
pub fn assert_has_no_controls(text: &str) {
    let control = text.chars().find(|c| c.is_control() && *c != '\n');
    assert!(control.is_none(), "{control:?} in {text:?}");
}

/// Every figure is a number, and a share is one of 0 to 1.
pub fn check_metrics(view: &View) {
    for metric in &view.metrics {
        let is_possible = |value: f64| {
            value.is_finite() && (metric.unit != MetricUnit::Share || (0.0..=1.0).contains(&value))
        };
        assert!(metric.value.is_none_or(is_possible), "{}: {:?}", metric.name, metric.value);
    }
}
