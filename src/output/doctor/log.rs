//! What people read while `doctor` runs: each check as it is over.

use super::findings;
use super::view::heading;
use crate::domain::doctor::report::{DoctorEvent, DoctorInfo, DoctorProgress};
use crate::domain::doctor::{CheckResult, DoctorFinding};
use crate::domain::format::duration;
use crate::domain::run::finding::Severity;
use crate::output::human::{HumanOptions, Styler};

/// What is shown while it runs, on stderr.
#[derive(Debug)]
pub struct DoctorLog {
    quiet: bool,
    paint: Styler,
}

impl DoctorLog {
    pub fn new(options: HumanOptions) -> DoctorLog {
        DoctorLog { quiet: options.quiet, paint: Styler { color: options.stderr_color } }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&self, event: &DoctorEvent, info: Option<&DoctorInfo>) -> Option<String> {
        if self.quiet {
            return None;
        }
        match event {
            DoctorEvent::Started { info, .. } => Some(introduction(info)),
            DoctorEvent::Checked { path, result, .. } => self.checked(*path, result, info?),
            DoctorEvent::Progress(_) | DoctorEvent::Finished(_) => None,
        }
    }

    /// `✓ reach: accepts TCP connections: 127.0.0.1:9001 in 87 µs`
    fn checked(&self, path: usize, result: &CheckResult, info: &DoctorInfo) -> Option<String> {
        if matches!(result.finding, DoctorFinding::NotChecked(_)) {
            return None;
        }
        let name = info.paths.get(path).filter(|_| info.paths.len() > 1);
        let name = name.map(|path| format!("{}: ", path.name)).unwrap_or_default();
        let message = findings::explain_alone(&result.finding, info).message;
        let sign = self.paint.severity(result.severity, sign(result.severity));
        Some(format!("{sign} {name}{}: {message}\n", heading(result.check.category())))
    }
}

fn introduction(info: &DoctorInfo) -> String {
    let paths = match info.paths.len() {
        0 | 1 => String::new(),
        several => format!(", on {several} paths"),
    };
    let (budget, silence) = (duration(info.budget), duration(info.longest_silence));
    format!("wscheck doctor {}: up to {budget}{paths}; idle up to {silence}\n", info.url)
}

/// What the moving line says; the time that has passed stands before it.
pub fn progress(progress: &DoctorProgress) -> String {
    let until = duration(progress.until);
    let running = if progress.running.is_empty() {
        "opening".to_string()
    } else {
        format!("measuring {}", progress.running.join(", "))
    };
    format!("of at most {until}: {running}")
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "✓",
        Severity::Info => "i",
        Severity::Warning => "!",
        Severity::Problem => "✗",
    }
}
