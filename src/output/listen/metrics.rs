//! The figures of `listen`, by name.

use std::time::Duration;

use crate::domain::listen::report::ListenReport;
use crate::domain::run::metric::{MetricUnit, MetricValue};

/// Every figure; those that are unknown have no value.
pub fn metrics(report: &ListenReport) -> Vec<MetricValue> {
    let found = &report.findings;
    let interval = found.interval();
    let heartbeats: u64 =
        found.kinds.iter().filter(|kind| kind.event_kind.is_heartbeat()).map(|kind| kind.count).sum();
    let spans: [(&str, &str, Option<Duration>); 5] = [
        (
            "heartbeat.interval.min",
            "the shortest interval of the server's heartbeats",
            interval.map(|i| i.min),
        ),
        (
            "heartbeat.interval.median",
            "the median interval of the server's heartbeats",
            interval.map(|i| i.median),
        ),
        (
            "heartbeat.interval.max",
            "the longest interval of the server's heartbeats",
            interval.map(|i| i.max),
        ),
        ("longest_quiet", "the longest time in which the server sent nothing", Some(found.longest_quiet)),
        ("listened", "the time that was observed", Some(found.listened)),
    ];
    let target = || vec![("target", report.info.url.clone())];
    let times = spans.into_iter().map(|(name, meaning, span)| {
        let value = span.map(|span| span.as_secs_f64());
        MetricValue::new(name, MetricUnit::Time, meaning, target(), value)
    });
    let meaning = "heartbeats that the server sent";
    let count = MetricValue::new("heartbeats", MetricUnit::Count, meaning, target(), Some(heartbeats as f64));
    times.chain([count]).collect()
}
