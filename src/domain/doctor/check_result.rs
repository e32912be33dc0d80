//! What one check found.

use super::check::Check;
use super::doctor_finding::DoctorFinding;
use crate::domain::run::finding::{Finding, Severity};

/// What one check found.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckResult {
    pub check: Check,
    pub severity: Severity,
    pub finding: DoctorFinding,
}

impl CheckResult {
    pub fn new(check: Check, finding: DoctorFinding) -> CheckResult {
        CheckResult { check, severity: finding.severity(), finding }
    }
}
