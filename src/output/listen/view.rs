//! What the report says, whatever the command.

use super::findings;
use crate::domain::listen::report::ListenReport;
use crate::output::view::View;

pub fn view(report: &ListenReport) -> View {
    View {
        started_at: report.started_at,
        elapsed: report.elapsed,
        interrupted: report.partial,
        done: None,
        result: report.verdict,
        reasons: findings::reasons(report),
        criteria: Vec::new(),
        findings: findings::all(report),
    }
}
