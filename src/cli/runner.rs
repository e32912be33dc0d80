//! Runs a command: connections on this thread, printing on another, so that a stuck pipe cannot look like jitter.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use tokio::sync::mpsc;

use super::args::{OutputArgs, ReportOption, terminal_width};
use super::errors::{self, StartFailure};
use super::origin::origin;
use super::print_queue::{PrintQueue, PrintQueueReceiver};
use super::{signals, trace};
use crate::commands::run_control::RunControl;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::batch_sleep::BatchSleep;
use crate::output::envelope::DocumentBody;
use crate::output::finished_run::FinishedRun;
use crate::output::report_formats::nagios::PluginState;
use crate::output::{
    EventFilter, Format, HumanOptions, Presenter, ReportFile, ReportFormat, RunOutput, Writer, charset,
    workflow_guard,
};

/// Hands events to the thread that prints.
struct EventPrinter<E> {
    queue: PrintQueue<E>,
    is_shown: EventFilter<E>,
    is_droppable: fn(&E) -> bool,
}

impl<E: Clone + Send + 'static> Reporter<E> for EventPrinter<E> {
    fn report(&mut self, event: &E) {
        if (self.is_shown)(event) {
            self.queue.push(event.clone(), (self.is_droppable)(event));
        }
    }
}

/// How the printing ended.
#[derive(Default)]
pub struct PrintEnd {
    /// The error of stdout that ended it.
    failure: Option<io::ErrorKind>,
    /// The reports that could not be written, as sentences.
    failed_reports: Vec<String>,
    /// The exit code, if the format has codes of its own.
    exit_code: Option<u8>,
    /// The further reports, for a run that could not start.
    reports: Vec<ReportFile>,
}

impl PrintEnd {
    /// Says what could not be written. A plugin knows no exit code 4.
    fn fail(&self, message: &str) -> ExitCode {
        let failed = errors::fail_inconclusive(message);
        if self.exit_code.is_some() { ExitCode::from(PluginState::Unknown.exit_code()) } else { failed }
    }
}

/// Shows every event until one cannot be shown.
pub fn print_all<P: Presenter>(mut output: RunOutput<P>, queue: &PrintQueueReceiver<P::Event>) -> PrintEnd {
    while let Some(event) = queue.next() {
        output.report(&event);
        if output.error().is_some() {
            queue.close();
        }
    }
    print_end(output)
}

/// What the printing came to.
pub fn print_end<P: Presenter>(output: RunOutput<P>) -> PrintEnd {
    PrintEnd {
        failure: output.error().map(io::Error::kind),
        failed_reports: output.failed_reports(),
        exit_code: output.exit_code(),
        reports: output.into_reports(),
    }
}

/// Runs a plan to its exit code; if there is none, or the job cannot start, says why.
pub fn run_plan<T, P: Presenter>(
    presenter: impl FnOnce(HumanOptions) -> P,
    args: &OutputArgs,
    plan: Result<T, String>,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let showing = Showing { further: Vec::new(), wants_all: false, hang_up: None, show: print_all };
    run_shown(presenter, args, plan, showing, job)
}

/// How a run is shown in another way than line by line.
pub struct Showing<S> {
    /// Further reports.
    pub further: Vec<ReportFile>,
    /// It shows every event, not only what the format shows.
    pub wants_all: bool,
    /// Where a SIGHUP goes; `None`: it ends the run.
    pub hang_up: Option<mpsc::UnboundedSender<()>>,
    /// Runs on the thread that prints.
    pub show: S,
}

/// As [`run_plan`], shown in another way.
pub fn run_shown<T, P: Presenter>(
    presenter: impl FnOnce(HumanOptions) -> P,
    args: &OutputArgs,
    plan: Result<T, String>,
    showing: Showing<impl FnOnce(RunOutput<P>, &PrintQueueReceiver<P::Event>) -> PrintEnd + Send + 'static>,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let traced = args.trace.as_deref().map_or(Ok(()), trace::start);
    match args
        .format
        .check()
        .and(traced)
        .and(plan)
        .and_then(|plan| Ok((plan, report_files(&args.report, args.format.chosen())?)))
    {
        Ok((plan, mut reports)) => {
            let Showing { further, wants_all, hang_up, show } = showing;
            reports.extend(further);
            let shown = (presenter, show, wants_all);
            run(shown, hang_up, args, reports, async |reporter, control| job(plan, reporter, control).await)
        }
        Err(message) => errors::report_usage_error(P::Document::COMMAND, &message, args.format.chosen()),
    }
}

/// Runs a job to its exit code: obeys signals, and shows what it reports as the arguments say.
fn run<P: Presenter>(
    (presenter, show, wants_all): (
        impl FnOnce(HumanOptions) -> P,
        impl FnOnce(RunOutput<P>, &PrintQueueReceiver<P::Event>) -> PrintEnd + Send + 'static,
        bool,
    ),
    hang_up: Option<mpsc::UnboundedSender<()>>,
    args: &OutputArgs,
    reports: Vec<ReportFile>,
    job: impl AsyncFnOnce(&mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let (format, options) = (args.format.chosen(), human_options(args));
    let shows_all =
        wants_all || args.trace.is_some() || reports.iter().any(|report| report.format == Format::Ndjson);
    let output = RunOutput::new(presenter(options), format, origin(), options, stdout(format), stderr())
        .with_reports(reports);
    let (queue, thread) = PrintQueue::start(move |queue| show(output, &queue));
    let is_shown = if shows_all { Box::new(|_: &_| true) } else { P::filter(format, options) };
    let mut printer = EventPrinter { queue, is_shown, is_droppable: P::is_droppable };
    // A reader that is gone ends the run as an interrupt does.
    let interrupt = printer.queue.closed().child_token();
    let (ask, interim) = mpsc::unbounded_channel();
    let ended = signals::handle(interrupt.clone(), ask, hang_up).and_then(|()| {
        let batch_sleep = BatchSleep::default();
        let thread_sleep = batch_sleep.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().on_thread_park(move || thread_sleep.sleep_if_allowed()).build()?;
        let control = RunControl {
            interrupt,
            interim,
            batch_sleep,
            ask_now: Default::default(),
            openings: Default::default(),
        };
        let result = runtime.block_on(job(&mut printer, control));
        // A resolver that was given up still holds its thread; nobody waits for it.
        runtime.shutdown_background();
        Ok(result)
    });
    let dropped = printer.queue.dropped();
    drop(printer);
    let end = thread.join().unwrap_or_default();
    errors::warn_about_dropped_events(dropped);
    match ended {
        Err(error) => errors::fail_inconclusive(&format!("cannot start: {error}")),
        Ok(Err(failure)) => {
            write_failure(P::Document::COMMAND, &failure, end.reports);
            errors::report_failure(Some(P::Document::COMMAND), &failure, format)
        }
        Ok(Ok(result)) => finish(result, &end),
    }
}

/// Writes why a run did not start to its further reports.
fn write_failure(command: &str, failure: &StartFailure, reports: Vec<ReportFile>) {
    let StartFailure { result, message, hint } = failure;
    let run = FinishedRun::not_started(command, origin(), *result, message, hint.as_deref());
    for mut report in reports {
        report.write(&run.render(report.format, HumanOptions::default()));
        if let Some(failure) = report.failure() {
            errors::print_to_stderr(&failure);
        }
    }
}

/// The further reports of `--report`; each file is checked. Under GitHub Actions its format also fills the step's
/// summary.
pub fn report_files(options: &[ReportOption], format: Format) -> Result<Vec<ReportFile>, String> {
    let open = |option: &ReportOption| match &option.path {
        None => Ok(ReportFile::stream(option.format, "stderr", Box::new(io::stderr()))),
        Some(path) => ReportFile::create(option.format, path.clone()).map_err(|error| {
            format!("--report {}: cannot write {}: {error}", option.format.name(), path.display())
        }),
    };
    if let Some(twice) = given_twice(options) {
        return Err(format!(
            "--report: {} is given twice, and would hold only one of the reports",
            twice.display()
        ));
    }
    let mut files = options.iter().map(open).collect::<Result<Vec<_>, String>>()?;
    let github = Format::Report(ReportFormat::Github);
    let is_for_github = format == github || files.iter().any(|file| file.format == github);
    let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| is_for_github && !path.is_empty());
    let markdown = Format::Report(ReportFormat::Markdown);
    files.extend(summary.map(|path| ReportFile::append(markdown, path.into())));
    Ok(files)
}

/// A file that two reports would be written to.
fn given_twice(options: &[ReportOption]) -> Option<&Path> {
    let paths: Vec<&Path> = options.iter().filter_map(|option| option.path.as_deref()).collect();
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        path.canonicalize().ok().or_else(|| Some(folder.canonicalize().ok()?.join(path.file_name()?)))
    };
    let places: Vec<_> = paths.iter().map(|path| place(path)).collect();
    let is_twice = |index: &usize| places[*index].is_some() && places[..*index].contains(&places[*index]);
    (0..paths.len()).find(is_twice).map(|index| paths[index])
}

/// The exit code, given a write failure. A closed pipe ends the run quietly: a failed result stays in the exit code,
/// other results become success. Any other write failure is reported, since the report is lost.
fn finish(result: RunResult, end: &PrintEnd) -> ExitCode {
    if !end.failed_reports.is_empty() {
        return end.fail(&end.failed_reports.join("; "));
    }
    let has_failed = matches!(result, RunResult::Failed | RunResult::Unreachable);
    match end.failure {
        Some(io::ErrorKind::BrokenPipe) if !has_failed => ExitCode::SUCCESS,
        None | Some(io::ErrorKind::BrokenPipe) => ExitCode::from(end.exit_code.unwrap_or(result.exit_code())),
        Some(kind) => end.fail(&format!("cannot write the report to stdout: {kind}")),
    }
}

/// The writer for results. Only human text depends on the locale: JSON is UTF-8 (RFC 8259 section 8.1).
pub fn stdout(format: Format) -> Writer {
    let github = Format::Report(ReportFormat::Github);
    let is_json = matches!(format, Format::Json | Format::CompactJson | Format::Ndjson);
    let stdout: Writer = Box::new(io::stdout());
    match format {
        format if format == github => stdout,
        Format::Human => charset::writer(guarded(stdout, is_json)),
        Format::Json | Format::CompactJson | Format::Ndjson | Format::Report(_) => guarded(stdout, is_json),
    }
}

/// Under GitHub Actions, no text of a peer may be a command of the workflow.
fn guarded(writer: Writer, is_json: bool) -> Writer {
    let is_read_by_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    if is_read_by_github { workflow_guard::writer(writer, is_json) } else { writer }
}

/// The writer for messages to the user.
pub fn stderr() -> Writer {
    charset::writer(guarded(Box::new(io::stderr()), false))
}

/// Display options, from the terminal and the arguments.
pub fn human_options(args: &OutputArgs) -> HumanOptions {
    HumanOptions {
        quiet: args.quiet,
        verbose: args.verbose,
        color: args.color.on_stdout(),
        stderr_color: args.color.on_stderr(),
        width: terminal_width(),
        progress: io::stderr().is_terminal() && !args.quiet,
    }
}
