//! The NDJSON lines of several checks.

use serde::Serialize;

use super::report::ChecksEvent;
use crate::domain::run::run_result::RunResult;
use crate::output::json::{Ms, Name};
use crate::output::ndjson::{EventBody, bodies, run_line};

bodies! {
    /// The checks that will run.
    ChecksStarted = "started" {
        /// The file that lists them.
        file: String,
        /// Their names, in the order of the file.
        checks: Vec<String>,
    }

    /// A check starts.
    CheckRunning = "check_started" {
        /// Its position in the file, from 0.
        index: usize,
    }

    /// A check is over.
    CheckOver = "check_finished" {
        /// Its position in the file, from 0.
        index: usize,
        name: String,
        result: Name<RunResult>,
        exit_code: u8,
        elapsed_ms: Ms,
        /// What it found, in one line.
        answer: String,
    }
}

/// The line of an event; the report is the document.
pub fn line(event: &ChecksEvent) -> Option<String> {
    match event {
        ChecksEvent::Started { at, file, checks } => {
            let checks = checks.iter().map(|check| check.name.clone()).collect();
            Some(run_line(*at, ChecksStarted { file: file.clone(), checks }))
        }
        ChecksEvent::CheckStarted { at, index } => Some(run_line(*at, CheckRunning { index: *index })),
        ChecksEvent::CheckFinished { at, index, check } => {
            let view = check.view();
            let over = CheckOver {
                index: *index,
                name: check.identity.name.clone(),
                result: view.result.into(),
                exit_code: view.result.exit_code(),
                elapsed_ms: view.elapsed,
                answer: view.headline.text(),
            };
            Some(run_line(*at, over))
        }
        ChecksEvent::Progress { .. } | ChecksEvent::Finished(_) => None,
    }
}
