//! The figures of an idle search, by name.

use std::time::Duration;

use crate::domain::idle::Recommendation;
use crate::domain::idle::report::IdleReport;
use crate::domain::run::metric::{MetricUnit, MetricValue};

/// Every figure; those that the search did not find have no value.
pub fn metrics(report: &IdleReport) -> Vec<MetricValue> {
    let findings = &report.findings;
    let interval = match report.recommendation {
        Some(Recommendation::Heartbeat { interval, .. }) => Some(interval),
        Some(Recommendation::Reconnect { .. }) | None => None,
    };
    let spans: [(&str, &str, Option<Duration>); 5] = [
        ("idle_timeout.lo", "the longest silence that survived", findings.bracket.lo),
        ("idle_timeout.hi", "the shortest silence that did not survive", findings.bracket.hi),
        ("lifetime.lo", "the highest age of an open connection", findings.lifetime.map(|age| age.lo)),
        ("lifetime.hi", "the age at which connections had ended", findings.lifetime.map(|age| age.hi)),
        ("recommended.interval", "the interval of heartbeats that keeps the path open", interval),
    ];
    let target = || vec![("target", report.info.url.clone())];
    let times = spans.into_iter().map(|(name, meaning, span)| {
        let value = span.map(|span| span.as_secs_f64());
        MetricValue::new(name, MetricUnit::Time, meaning, target(), value)
    });
    let opened = Some(f64::from(findings.connections));
    let meaning = "connections that were opened";
    let connections = MetricValue::new("connections", MetricUnit::Count, meaning, target(), opened);
    times.chain([connections]).collect()
}
