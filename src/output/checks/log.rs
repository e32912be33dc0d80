//! What people read while the checks run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::{CheckIdentity, ChecksEvent, FinishedCheck};
use crate::domain::format::{counted, duration};
use crate::domain::label::Label;
use crate::domain::run::run_result::RunResult;
use crate::output::human::{HumanOptions, Styler};

/// What is shown while it runs, on stderr.
#[derive(Debug)]
pub struct ChecksLog {
    quiet: bool,
    paint: Styler,
    checks: Arc<[CheckIdentity]>,
    /// What each running check says of itself, by its position.
    running: BTreeMap<usize, String>,
    over: usize,
}

impl ChecksLog {
    pub fn new(options: HumanOptions) -> ChecksLog {
        let paint = Styler { color: options.stderr_color };
        ChecksLog { quiet: options.quiet, paint, checks: Arc::default(), running: BTreeMap::new(), over: 0 }
    }

    /// What people read of an event while the run goes on, newline included.
    pub fn lines(&mut self, event: &ChecksEvent) -> Option<String> {
        match event {
            ChecksEvent::Started { file, checks, .. } => (!self.quiet)
                .then(|| format!("wscheck run {file}: {}\n", counted(checks.len() as u64, "check"))),
            ChecksEvent::CheckFinished { check, .. } => (!self.quiet).then(|| self.over(check)),
            ChecksEvent::CheckStarted { .. } | ChecksEvent::Progress { .. } | ChecksEvent::Finished(_) => {
                None
            }
        }
    }

    /// `✓ chat  passed in 5.2 s: healthy: mean RTT of the last 5 is 0.223 ms`
    fn over(&self, check: &FinishedCheck) -> String {
        let view = check.view();
        let name = &check.identity.name;
        let width = self.checks.iter().map(|check| check.name.chars().count()).max().unwrap_or_default();
        let result = self.paint.verdict(view.result, view.result.label());
        let (sign, took) = (sign(view.result), duration(view.elapsed.into()));
        format!("{sign} {name:<width$}  {result} in {took}: {}\n", view.headline.text())
    }

    /// The text of the moving line: what is over, and what runs.
    pub fn progress(&mut self, event: &ChecksEvent) -> Option<String> {
        match event {
            ChecksEvent::Started { checks, .. } => self.checks = Arc::clone(checks),
            ChecksEvent::CheckStarted { index, .. } => drop(self.running.insert(*index, String::new())),
            ChecksEvent::Progress { index, text } => drop(self.running.insert(*index, text.clone())),
            ChecksEvent::CheckFinished { index, .. } => {
                self.running.remove(index);
                self.over += 1;
            }
            ChecksEvent::Finished(_) => return None,
        }
        Some(self.moving_line())
    }

    fn moving_line(&self) -> String {
        let total = counted(self.checks.len() as u64, "check");
        let names = self.running.keys().filter_map(|index| Some(self.checks.get(*index)?.name.as_str()));
        let names: Vec<&str> = names.collect();
        let running = match (names.as_slice(), self.running.values().next()) {
            ([], _) => String::new(),
            ([only], Some(text)) if !text.is_empty() => format!("; {only}: {text}"),
            (several, _) => format!("; running: {}", several.join(", ")),
        };
        format!("{} of {total} done{running}", self.over)
    }
}

fn sign(result: RunResult) -> &'static str {
    match result {
        RunResult::Passed => "✓",
        RunResult::Failed | RunResult::Unreachable | RunResult::Usage => "✗",
        RunResult::Inconclusive | RunResult::Interrupted { .. } => "?",
    }
}
