//! The figures of `serve`, by name.

use crate::domain::client_test::metrics::CLIENT_METRICS;
use crate::domain::label::Label;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::server::ServerSummary;

/// Every figure.
pub fn metrics(summary: &ServerSummary) -> Vec<MetricValue> {
    let most = count("clients.most_at_once", "the most clients at once", summary.most_at_once as u64);
    let of_clients = CLIENT_METRICS.iter().map(|metric| metric.value(&summary.activity, Vec::new()));
    totals(summary).chain([most]).chain(of_clients).collect()
}

/// The figures that only grow.
pub fn totals(summary: &ServerSummary) -> impl Iterator<Item = MetricValue> {
    let uptime = MetricValue {
        unit: MetricUnit::Time,
        value: Some(summary.elapsed.as_secs_f64()),
        ..count("uptime", "how long the server has been running", 0)
    };
    let counts = [
        count("clients.opened", "connections that became clients", summary.clients),
        count("rejected", "connections that did not become clients", summary.rejected),
        count(
            "dead_clients_closed",
            "clients that missed their heartbeats and were closed",
            summary.dead_clients_closed,
        ),
        count("messages.received", "ordinary messages from clients", summary.messages),
        count("pings.received", "Ping frames from clients", summary.pings),
        count("app_pings.received", "app pings from clients", summary.app_pings),
    ];
    let beats = &summary.heartbeats;
    let outcomes =
        [("ok", beats.ok), ("late", beats.late), ("superseded", beats.superseded), ("missed", beats.missed)];
    let heartbeats = outcomes.map(|(outcome, number)| MetricValue {
        labels: [("outcome".into(), outcome.to_string())].into(),
        ..count("heartbeats", "the server's own heartbeats, by outcome", number)
    });
    let endings = summary.endings.iter().map(|((who, how), number)| MetricValue {
        labels: [("who".into(), who.label().to_string()), ("how".into(), how.label().to_string())].into(),
        ..count("endings", "clients that ended, by who and how", *number)
    });
    let faults = summary.faults.iter().map(|(fault, number)| MetricValue {
        labels: [("fault".into(), fault.to_string())].into(),
        ..count("faults", "how often faults acted, by fault", *number)
    });
    [uptime].into_iter().chain(counts).chain(heartbeats).chain(endings).chain(faults)
}

fn count(name: &'static str, meaning: &'static str, number: u64) -> MetricValue {
    MetricValue::new(name, MetricUnit::Count, meaning, Vec::new(), Some(number as f64))
}
