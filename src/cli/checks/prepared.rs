//! A check that is ready to run: its arguments are understood, and its plan is valid.

use std::pin::Pin;
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;

use super::file::CheckEntry;
use super::mistake::Blame;
use crate::cli::command_of;
use crate::cli::errors::one_line;
use crate::cli::measurement::{EventOf, Measurement};
use crate::cli::origin::{host, redacted};
use crate::cli::preset_args::detect;
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::output::checks::{CheckIdentity, CheckOutcome};
use crate::output::finished_run::FinishedRun;
use crate::output::{HumanOptions, Presenter, RunOrigin};

/// Tells what a running check says on its moving line.
pub type Progress = Box<dyn Fn(String)>;

type Running = Pin<Box<dyn Future<Output = CheckOutcome>>>;

/// A check that is ready to run.
pub struct PreparedCheck {
    pub identity: CheckIdentity,
    /// The most connections that it has open at once.
    pub connections: usize,
    /// No other check runs beside it.
    pub is_serial: bool,
    start: Box<dyn FnOnce(CancellationToken, Progress) -> Running>,
}

impl PreparedCheck {
    /// Prepares a check of a file.
    ///
    /// # Errors
    ///
    /// Its arguments make no sense.
    pub fn new(entry: CheckEntry) -> Result<PreparedCheck, Blame> {
        command_of(&entry.arguments)?.prepare(entry)
    }

    /// Prepares a check whose arguments are understood.
    pub fn of<M: Measurement + Clone>(args: M, entry: CheckEntry) -> Result<PreparedCheck, Blame> {
        let args = args.bounded();
        // What a preset that is detected changes is found when the check runs.
        let plan = args.clone().plan(None)?;
        let connections = M::connections(&plan);
        let CheckEntry { identity, arguments, is_serial, .. } = entry;
        let start =
            move |interrupt, progress| -> Running { Box::pin(run(args, arguments, interrupt, progress)) };
        Ok(PreparedCheck { identity, connections, is_serial, start: Box::new(start) })
    }

    /// Runs it; `interrupt` ends it with its report so far.
    pub async fn run(self, interrupt: CancellationToken, progress: Progress) -> CheckOutcome {
        (self.start)(interrupt, progress).await
    }
}

async fn run<M: Measurement>(
    args: M,
    arguments: Vec<String>,
    interrupt: CancellationToken,
    progress: Progress,
) -> CheckOutcome {
    let at = SystemTime::now();
    // Only now is it known what is secret.
    let origin =
        RunOrigin { command_line: arguments.iter().map(|text| redacted(text)).collect(), host: host() };
    let (mut presenter, mut finished) = (M::Presenter::new(HumanOptions::default()), None);
    let mut collect = |event: &EventOf<M>| {
        presenter.observe(event);
        if let Some(text) = presenter.progress(event) {
            progress(text);
        }
        if let Some(report) = M::Presenter::report_in(event) {
            finished = Some(FinishedRun::of(&presenter, origin.clone(), report));
        }
    };
    let ended = measure(args, &mut collect, interrupt).await;
    match (finished, ended) {
        (Some(run), _) => CheckOutcome::Ran(Box::new(run)),
        (None, Err(StartFailure { result, message, hint })) => {
            let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            CheckOutcome::NotRun { at, result, reason: format!("{message}{hint}") }
        }
        (None, Ok(result)) => CheckOutcome::NotRun { at, result, reason: "it made no report".to_string() },
    }
}

async fn measure<M: Measurement>(
    args: M,
    reporter: &mut dyn Reporter<EventOf<M>>,
    interrupt: CancellationToken,
) -> Result<RunResult, StartFailure> {
    let usage = |message: String| StartFailure::usage(one_line(&message));
    let detection = detect(args.server(), interrupt.cancelled()).await.map_err(usage)?;
    let plan = args.plan(detection.as_ref()).map_err(usage)?;
    // Nobody asks a single check for its figures.
    M::run(plan, reporter, RunControl::until(interrupt)).await
}
