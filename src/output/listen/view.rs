//! What the report says, whatever the command.

use crate::domain::listen::report::ListenReport;
use crate::output::view::View;

pub fn view(report: &ListenReport) -> View {
    View {
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.partial,
        done: None,
        result: report.verdict,
        reasons: report.reasons.clone(),
        criteria: Vec::new(),
        findings: Vec::new(),
    }
}
