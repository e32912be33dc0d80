//! What the latest scheduled `probe-idle` of a target found, as metrics.

use std::time::Duration;

use strum::IntoEnumIterator;

use crate::domain::exposition::{FamilyUnit, MetricFamily, Sample, SampleLabel};
use crate::domain::idle::IdleVerdict;
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;

/// What one scheduled probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleProbeResult {
    pub verdict: IdleVerdict,
    pub bracket: Bracket,
    /// When it ended, since the exporter's start.
    pub at: Duration,
}

/// The metrics of the targets that were probed, by their labels. `now` is the time since the exporter's start.
pub fn families(found: &[(&[SampleLabel], IdleProbeResult)], now: Duration) -> [MetricFamily; 4] {
    let sample = |labels: &[SampleLabel], value| Sample { labels: labels.to_vec(), value };
    let seconds =
        |name: &'static str, help: &'static str, of: &dyn Fn(IdleProbeResult) -> Option<Duration>| {
            let samples =
                found.iter().filter_map(|(labels, idle)| Some(sample(labels, of(*idle)?.as_secs_f64())));
            MetricFamily::gauge(name, FamilyUnit::Seconds, help, samples.collect())
        };
    let verdicts = found.iter().flat_map(|(labels, idle)| {
        IdleVerdict::iter().map(move |verdict| {
            let is_it = f64::from(u8::from(idle.verdict == verdict));
            sample(labels, is_it).with("verdict", verdict.label())
        })
    });
    [
        seconds(
            "wscheck_probe_idle_timeout_lower",
            "The longest idle time that survived, by the latest probe.",
            &|idle| idle.bracket.lo,
        ),
        seconds(
            "wscheck_probe_idle_timeout_upper",
            "The shortest idle time that did not survive, by the latest probe.",
            &|idle| idle.bracket.hi,
        ),
        MetricFamily::gauge(
            "wscheck_probe_idle_verdict",
            FamilyUnit::None,
            "What the latest probe of the idle timeout found: 1 for that, 0 for the others.",
            verdicts.collect(),
        ),
        seconds(
            "wscheck_probe_idle_age",
            "Time since the latest probe of the idle timeout ended.",
            &|idle| Some(now.saturating_sub(idle.at)),
        ),
    ]
}
