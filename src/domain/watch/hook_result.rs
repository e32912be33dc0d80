//! What became of a command that `--on-change` started.

use std::fmt;
use std::time::Duration;

use crate::domain::exit_status::ExitStatus;
use crate::domain::format::duration;

/// One run of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookResult {
    /// The command, without secrets.
    pub command: String,
    /// The name of the event that it was started for.
    pub event: String,
    pub target: String,
    pub outcome: HookOutcome,
    pub elapsed: Duration,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookOutcome {
    /// Exit status 0.
    Succeeded,
    /// The program is missing or cannot be executed.
    NotStarted { why: String },
    /// Another exit status, or a signal that was not ours.
    Failed(ExitStatus),
    /// It was ended, because it ran longer than allowed.
    TimedOut { limit: Duration },
}

impl HookResult {
    /// Whether the command did what it was started for.
    pub fn is_success(&self) -> bool {
        self.outcome == HookOutcome::Succeeded
    }
}

impl fmt::Display for HookResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let HookResult { command, event, .. } = self;
        match &self.outcome {
            HookOutcome::Succeeded => write!(f, "'{command}' succeeded for the event {event}"),
            HookOutcome::NotStarted { why } => {
                write!(f, "cannot start '{command}' for the event {event}: {why}")
            }
            HookOutcome::Failed(status) => write!(f, "'{command}' {status} for the event {event}"),
            HookOutcome::TimedOut { limit } => {
                let limit = duration(*limit);
                write!(f, "'{command}' did not end within {limit} for the event {event}, and was ended")
            }
        }
    }
}
