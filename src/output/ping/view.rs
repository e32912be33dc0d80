//! What the report says, whatever the command.

use super::findings::shown_findings;
use crate::domain::ping::report::PingReport;
use crate::output::view::View;

pub fn view(report: &PingReport) -> View {
    View {
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.interrupted,
        done: report.done(),
        result: report.verdict,
        reasons: report.reasons.clone(),
        criteria: report.criteria.clone(),
        findings: shown_findings(report),
    }
}
