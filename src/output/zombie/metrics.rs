//! The figures of `probe-zombie`, by name.

use crate::domain::label::Label;
use crate::domain::run::metric::{MetricUnit, MetricValue};
use crate::domain::zombie::ClientRecord;
use crate::domain::zombie::report::ZombieReport;

/// How long each client was kept, and whether the server closed it.
pub fn metrics(report: &ZombieReport) -> Vec<MetricValue> {
    report.findings.clients.iter().flat_map(|client| of_client(&report.info.url, client)).collect()
}

fn of_client(url: &str, client: &ClientRecord) -> [MetricValue; 2] {
    let kept = client.kept().map(|kept| kept.as_secs_f64());
    let closed = kept.map(|_| if client.is_kept() { 0.0 } else { 1.0 });
    let labels = || vec![("target", url.to_string()), ("client", client.behaviour.label().to_string())];
    let kept_for = "how long a client stayed connected after its behaviour began";
    let was_closed = "1 if the client's connection ended, 0 if it was still open at the end";
    [
        MetricValue::new("client.kept", MetricUnit::Time, kept_for, labels(), kept),
        MetricValue::new("client.closed", MetricUnit::Count, was_closed, labels(), closed),
    ]
}
