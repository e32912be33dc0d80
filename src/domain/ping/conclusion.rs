//! What follows from the figures of a run: the same for one that was just measured and for merged ones.

use super::criteria::criteria;
use super::findings::findings;
use super::measurement::{Measurement, measurement};
use super::pooled_status::{run_reason, status_counts, take_worst_status, worst};
use super::report::PingReport;
use super::verdict::{PassCriteria, judge};
use super::worst::worst_of;

/// Adds the status by that of the targets, the worst connections, the findings, the verdict and the criteria.
pub fn concluded(mut report: PingReport, policy: &PassCriteria) -> PingReport {
    let targets = &report.targets;
    take_worst_status(&mut report.kinds, targets.iter().map(|target| target.kinds.as_slice()));
    report.status = worst(targets.iter().map(|target| target.status));
    report.status_reason = run_reason(report.status, targets);
    report.last_status = worst(targets.iter().map(|target| target.last_status));
    report.status_counts = status_counts(targets);
    report.worst = worst_of(&report);
    report.findings = findings(&report);
    (report.verdict, report.reasons) = judge(&report, policy);
    report.criteria = criteria(&report, policy);
    report
}

/// Whether this host was idle enough: suspect if it is for any kind of heartbeat; unknown without an RTT.
pub fn measurement_of(report: &PingReport) -> Measurement {
    let Some(lag) = &report.host_lag else { return Measurement::Unknown };
    let by_kind = report.kinds.iter().filter_map(|kind| kind.rtt.as_ref());
    let found: Vec<_> = by_kind.map(|rtt| measurement(rtt, lag)).collect();
    let suspect = found.iter().find(|found| matches!(found, Measurement::Suspect(_)));
    suspect.or(found.first()).copied().unwrap_or(Measurement::Unknown)
}
