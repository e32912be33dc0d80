//! What follows from the figures of a run: the same for one that was just measured and for merged ones.

use super::criteria::criteria;
use super::findings::findings;
use super::measurement::{Measurement, measurement};
use super::report::PingReport;
use super::verdict::{PassCriteria, judge};
use super::worst::worst_of;

/// Adds the worst connections, the findings, the verdict and the criteria.
pub fn concluded(mut report: PingReport, policy: &PassCriteria) -> PingReport {
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
