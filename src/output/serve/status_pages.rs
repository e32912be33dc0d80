//! The status pages: JSON for scripts, Prometheus' text for monitoring.

use std::fmt::Write;

use super::document::{ClientsDocument, by_status};
use crate::domain::label::Label;
use crate::domain::stats::Counts;
use crate::server::{ServerSnapshot, ServerSummary, StatusPage, StatusRenderer};

/// The pages as they are served.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatusPages;

impl StatusRenderer for StatusPages {
    fn clients(&self, snapshot: &ServerSnapshot) -> StatusPage {
        let document = ClientsDocument::new(snapshot);
        // Strings, numbers and lists can always be written as JSON.
        let text = serde_json::to_string(&document).unwrap_or_default() + "\n";
        StatusPage { media_type: "application/json", text }
    }

    fn metrics(&self, snapshot: &ServerSnapshot) -> StatusPage {
        StatusPage { media_type: "text/plain; version=0.0.4; charset=utf-8", text: metrics(snapshot) }
    }
}

/// One metric of Prometheus' text format.
struct PrometheusMetric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&ServerSummary) -> f64,
}

const PROMETHEUS_METRICS: &[PrometheusMetric] = &[
    PrometheusMetric {
        name: "uptime_seconds",
        kind: "gauge",
        help: "How long the server has been running.",
        value: |summary| summary.elapsed.as_secs_f64(),
    },
    PrometheusMetric {
        name: "connected_total",
        kind: "counter",
        help: "Connections that became clients.",
        value: |summary| summary.clients as f64,
    },
    PrometheusMetric {
        name: "turned_away_total",
        kind: "counter",
        help: "Connections that did not become clients.",
        value: |summary| summary.rejected as f64,
    },
    PrometheusMetric {
        name: "reaped_total",
        kind: "counter",
        help: "Clients that missed their heartbeats and were terminated.",
        value: |summary| summary.dead_clients_closed as f64,
    },
    PrometheusMetric {
        name: "messages_received_total",
        kind: "counter",
        help: "Ordinary messages from clients.",
        value: |summary| summary.messages as f64,
    },
    PrometheusMetric {
        name: "pings_received_total",
        kind: "counter",
        help: "Ping frames from clients.",
        value: |summary| summary.pings as f64,
    },
    PrometheusMetric {
        name: "app_pings_received_total",
        kind: "counter",
        help: "App pings from clients.",
        value: |summary| summary.app_pings as f64,
    },
];

fn metrics(snapshot: &ServerSnapshot) -> String {
    let mut text = String::new();
    for PrometheusMetric { name, kind, help, value } in PROMETHEUS_METRICS {
        head(&mut text, name, kind, help);
        let _ = writeln!(text, "wscheck_{name} {}", value(&snapshot.so_far));
    }
    head(&mut text, "clients", "gauge", "Connected clients, by status.");
    for (status, count) in by_status(snapshot) {
        let _ = writeln!(text, "wscheck_clients{{status=\"{}\"}} {count}", status.label());
    }
    head(&mut text, "heartbeats_total", "counter", "The server's own heartbeats, by outcome.");
    for (outcome, count) in outcomes(&snapshot.so_far.heartbeats) {
        let _ = writeln!(text, "wscheck_heartbeats_total{{outcome=\"{outcome}\"}} {count}");
    }
    head(&mut text, "endings_total", "counter", "Clients that ended, by who and how.");
    for ((who, how), count) in &snapshot.so_far.endings {
        let (who, how) = (who.label(), how.label());
        let _ = writeln!(text, "wscheck_endings_total{{who=\"{who}\",how=\"{how}\"}} {count}");
    }
    text
}

/// Writing to a String cannot fail.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP wscheck_{name} {help}\n# TYPE wscheck_{name} {kind}");
}

fn outcomes(counts: &Counts) -> [(&'static str, u64); 4] {
    [("ok", counts.ok), ("late", counts.late), ("superseded", counts.superseded), ("missed", counts.missed)]
}
