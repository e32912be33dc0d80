//! The status pages: JSON for scripts, Prometheus' text for monitoring.

use super::document::{ClientsDocument, by_status};
use super::metrics::totals;
use crate::commands::serve::{StatusPage, StatusRenderer};
use crate::domain::exposition::{self, FamilyUnit, MetricFamily, Sample, Samples, encode};
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
        StatusPage { media_type: exposition::MEDIA_TYPE, text: metrics(snapshot) }
    }
}

fn metrics(snapshot: &ServerSnapshot) -> String {
    let mut families: Vec<MetricFamily> = Vec::new();
    for metric in totals(&snapshot.so_far) {
        let mut one = family(metric);
        match (families.last_mut().filter(|last| last.name == one.name), &mut one.samples) {
            (Some(MetricFamily { samples: Samples::Counter(samples), .. }), Samples::Counter(more)) => {
                samples.append(more);
            }
            (_, _) => families.push(one),
        }
    }
    families.push(MetricFamily::gauge(
        "wscheck_clients",
        FamilyUnit::None,
        "connected clients, by status",
        by_status(snapshot)
            .map(|(status, count)| Sample::plain(count as f64).with("status", status.label()))
            .collect(),
    ));
    encode(&families)
}

/// A family of one figure: how long the server has been running is a gauge, everything else only grows.
fn family(metric: MetricValue) -> MetricFamily {
    let name = format!("wscheck_{}", metric.name.replace('.', "_"));
    let labels = metric.labels.into_iter().collect();
    let samples = metric.value.map(|value| Sample { labels, value }).into_iter().collect();
    match metric.unit {
        MetricUnit::Time => MetricFamily::gauge(name, FamilyUnit::Seconds, metric.meaning, samples),
        MetricUnit::Count | MetricUnit::Share | MetricUnit::Days => {
            MetricFamily::counter(name, FamilyUnit::None, metric.meaning, samples)
        }
    }
}
