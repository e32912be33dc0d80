//! A check that is ready to run: its arguments are understood, and its plan is valid.

use std::pin::Pin;
use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::file::CheckEntry;
use crate::cli::errors::{StartFailure, explanation};
use crate::cli::measurement::{EventOf, Measurement};
use crate::cli::origin::{host, redacted};
use crate::cli::parse;
use crate::cli::preset_args::detect;
use crate::commands::run_control::RunControl;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::batch_sleep::BatchSleep;
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
    /// Its arguments make no sense: the name of the option that is to blame, if one is, and why.
    pub fn new(entry: CheckEntry) -> Result<PreparedCheck, (Option<String>, String)> {
        let arguments = std::iter::once("wscheck").chain(entry.arguments.iter().map(String::as_str));
        let arguments: Vec<_> = arguments.map(Into::into).collect();
        let (cli, _) = parse(&arguments).map_err(|error| blamed(&error))?;
        cli.command.prepare(entry)
    }

    /// Prepares a check whose arguments are understood.
    pub fn of<M: Measurement + Clone>(
        args: M,
        entry: CheckEntry,
    ) -> Result<PreparedCheck, (Option<String>, String)> {
        let args = args.bounded();
        // What a preset that is detected changes is found when the check runs.
        let plan = args.clone().plan(None).map_err(|message| (first_option(&message), message))?;
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

/// The option that clap blames, and why.
pub fn blamed(error: &clap::Error) -> (Option<String>, String) {
    let message = explanation(&error.render().to_string());
    (first_option(&message), message)
}

/// The first option that a message names.
pub fn first_option(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("--")?;
    let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next()?;
    (!name.is_empty()).then(|| name.to_string())
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
    let mut collector =
        Collector { presenter: M::presenter(HumanOptions::default()), origin, progress, finished: None };
    let ended = measure(args, &mut collector, interrupt).await;
    match (collector.finished, ended) {
        (Some(run), _) => CheckOutcome::Ran(Box::new(run)),
        (None, Err(failure)) => {
            let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            CheckOutcome::NotRun { at, result: failure.result, reason: format!("{}{hint}", failure.message) }
        }
        (None, Ok(result)) => CheckOutcome::NotRun { at, result, reason: "it made no report".to_string() },
    }
}

async fn measure<M: Measurement>(
    args: M,
    reporter: &mut dyn Reporter<EventOf<M>>,
    interrupt: CancellationToken,
) -> Result<RunResult, StartFailure> {
    let usage = |message: String| StartFailure::usage(&message);
    let detection = detect(args.server(), interrupt.cancelled()).await.map_err(usage)?;
    let plan = args.plan(detection.as_ref()).map_err(usage)?;
    // Nobody asks a single check for its figures.
    let (_, interim) = mpsc::unbounded_channel();
    let batch_sleep = BatchSleep::default();
    let control = RunControl {
        interrupt,
        interim,
        batch_sleep,
        ask_now: Default::default(),
        openings: Default::default(),
    };
    M::run(plan, reporter, control).await
}

/// Makes a finished run of a command's events.
struct Collector<P> {
    presenter: P,
    origin: RunOrigin,
    progress: Progress,
    finished: Option<FinishedRun>,
}

impl<P: Presenter> Reporter<P::Event> for Collector<P> {
    fn report(&mut self, event: &P::Event) {
        self.presenter.observe(event);
        if let Some(text) = self.presenter.progress(event) {
            (self.progress)(text);
        }
        if let Some(report) = P::report_in(event) {
            let (view, document) = (self.presenter.view(report), self.presenter.document(report));
            self.finished = Some(FinishedRun::new(self.origin.clone(), view, document));
        }
    }
}
