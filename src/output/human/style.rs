//! Colour. It never carries a meaning that the words lack.

use anstyle::{AnsiColor, Style};

use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::ping::health::Status;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;

const GOOD: Style = AnsiColor::Green.on_default();
const CAUTION: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const WORST: Style = AnsiColor::Red.on_default().bold();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Colours text, or returns it unchanged without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Styler {
    pub color: bool,
}

impl Styler {
    fn apply(self, style: Style, text: &str) -> String {
        if self.color && style != Style::new() { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    pub fn status(self, status: Status, text: &str) -> String {
        self.apply(status_style(status), text)
    }

    pub fn outcome(self, outcome: HeartbeatOutcome, text: &str) -> String {
        let style = match outcome {
            HeartbeatOutcome::Ok => Style::new(),
            HeartbeatOutcome::Late | HeartbeatOutcome::Unsent => CAUTION,
            HeartbeatOutcome::Superseded => FAINT,
            HeartbeatOutcome::Missed => BAD,
        };
        self.apply(style, text)
    }

    pub fn verdict(self, verdict: RunResult, text: &str) -> String {
        let style = match verdict {
            RunResult::Passed => GOOD.bold(),
            RunResult::Failed | RunResult::Unreachable | RunResult::Usage => WORST,
            RunResult::Inconclusive | RunResult::Interrupted { .. } => CAUTION.bold(),
        };
        self.apply(style, text)
    }

    /// A sign such as `✓`.
    pub fn good(self, text: &str) -> String {
        self.apply(GOOD, text)
    }

    pub fn severity(self, severity: Severity, text: &str) -> String {
        let style = match severity {
            Severity::Ok => GOOD,
            Severity::Info => Style::new(),
            Severity::Warning => CAUTION,
            Severity::Problem => BAD,
        };
        self.apply(style, text)
    }

    /// A word such as `error:`.
    pub fn bad(self, text: &str) -> String {
        self.apply(WORST, text)
    }

    /// A word such as `suspect`.
    pub fn caution(self, text: &str) -> String {
        self.apply(CAUTION, text)
    }

    /// A heading.
    pub fn strong(self, text: &str) -> String {
        self.apply(STRONG, text)
    }

    /// A label, dimmed.
    pub fn faint(self, text: &str) -> String {
        self.apply(FAINT, text)
    }
}

fn status_style(status: Status) -> Style {
    match status {
        Status::Healthy => GOOD,
        Status::Degraded => CAUTION,
        Status::Poor | Status::Critical => BAD,
        Status::Unknown => FAINT,
        Status::Timeout | Status::Dead => WORST,
    }
}
