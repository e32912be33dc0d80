//! The status pages: JSON for scripts, Prometheus' text for monitoring.

use std::fmt::Write;

use super::document::{ClientsDocument, by_status};
use super::metrics::totals;
use crate::commands::serve::{StatusPage, StatusRenderer};
use crate::domain::label::Label;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::output::json::compact;
use crate::server::ServerSnapshot;

/// The pages as they are served.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatusPages;

impl StatusRenderer for StatusPages {
    fn clients(&self, snapshot: &ServerSnapshot) -> StatusPage {
        StatusPage { media_type: "application/json", text: compact(&ClientsDocument::from(snapshot)) }
    }

    fn metrics(&self, snapshot: &ServerSnapshot) -> StatusPage {
        StatusPage { media_type: "text/plain; version=0.0.4; charset=utf-8", text: metrics(snapshot) }
    }
}

fn metrics(snapshot: &ServerSnapshot) -> String {
    let mut text = String::new();
    let mut last_name = String::new();
    for metric in totals(&snapshot.so_far) {
        let (suffix, kind) = match metric.unit {
            MetricUnit::Time => ("seconds", "gauge"),
            MetricUnit::Count | MetricUnit::Share | MetricUnit::Days => ("total", "counter"),
        };
        let name = format!("{}_{suffix}", metric.name.replace('.', "_"));
        if metric.name != last_name {
            head(&mut text, &name, kind, &metric.meaning);
        }
        let _ = writeln!(text, "wscheck_{name}{} {}", labels(&metric), metric.value.unwrap_or(f64::NAN));
        last_name = metric.name.into_owned();
    }
    head(&mut text, "clients", "gauge", "connected clients, by status");
    for (status, count) in by_status(snapshot) {
        let _ = writeln!(text, "wscheck_clients{{status=\"{}\"}} {count}", status.label());
    }
    text
}

/// Labels need no escaping: their values are names of ours.
fn labels(metric: &MetricValue) -> String {
    let pairs: Vec<String> =
        metric.labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

/// Writing to a String cannot fail.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP wscheck_{name} {help}\n# TYPE wscheck_{name} {kind}");
}
