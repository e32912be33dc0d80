//! Runs a command: connections on this thread, printing on another, so that a stuck pipe cannot look like jitter.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use tokio::sync::mpsc;

use super::args::{OutputArgs, ReportOption, terminal_width};
use super::errors;
use super::origin::origin;
use super::print_queue::{PrintQueue, PrintQueueReceiver};
use super::{signals, trace};
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::output::envelope::DocumentBody;
use crate::output::finished_run::FinishedRun;
use crate::output::report_formats::nagios::PluginState;
use crate::output::{
    Format, HumanOptions, Presenter, ReportFile, ReportFormat, RunOutput, Writer, charset, workflow_guard,
};

/// Shows every event until one cannot be shown.
pub fn print_all<P: Presenter>(
    mut output: RunOutput<P>,
    queue: &PrintQueueReceiver<P::Event>,
) -> RunOutput<P> {
    while let Some(event) = queue.next() {
        output.report(&event);
        if output.error().is_some() {
            queue.close();
        }
    }
    output
}

/// Runs a plan to its exit code; if there is none, or the job cannot start, says why.
pub fn run_plan<P: Presenter, T>(
    args: &OutputArgs,
    plan: Result<T, String>,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let showing = Showing { further: Vec::new(), wants_all: false, hang_up: None, show: print_all::<P> };
    run_shown(args, plan, showing, job)
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
pub fn run_shown<P: Presenter, T>(
    args: &OutputArgs,
    plan: Result<T, String>,
    showing: Showing<
        impl FnOnce(RunOutput<P>, &PrintQueueReceiver<P::Event>) -> RunOutput<P> + Send + 'static,
    >,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let format = args.format.chosen();
    let traced = args.trace.as_deref().map_or(Ok(()), trace::start);
    let checked = args.format.check().and(traced).and(plan);
    match checked.and_then(|plan| Ok((plan, report_files(&args.report, format)?))) {
        Ok((plan, reports)) => run(args, plan, reports, showing, job),
        Err(message) => errors::report_usage_error(P::Document::COMMAND, &message, format),
    }
}

/// Runs a valid plan to its exit code: obeys signals, and shows what is reported as the arguments say.
fn run<P: Presenter, T>(
    args: &OutputArgs,
    plan: T,
    mut reports: Vec<ReportFile>,
    showing: Showing<
        impl FnOnce(RunOutput<P>, &PrintQueueReceiver<P::Event>) -> RunOutput<P> + Send + 'static,
    >,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let (format, options) = (args.format.chosen(), human_options(args));
    let Showing { further, wants_all, hang_up, show } = showing;
    reports.extend(further);
    let shows_all =
        wants_all || args.trace.is_some() || reports.iter().any(|report| report.format == Format::Ndjson);
    let output = RunOutput::new(P::new(options), format, origin(), options, stdout(format), stderr())
        .with_reports(reports);
    let (mut queue, thread) = PrintQueue::start(move |queue| show(output, &queue));
    // A reader that is gone ends the run as an interrupt does.
    let interrupt = queue.closed().child_token();
    let mut is_shown = if shows_all { Box::new(|_: &_| true) } else { P::filter(format, options) };
    let mut print = |event: &P::Event| {
        if is_shown(event) {
            queue.push(event.clone(), P::is_droppable(event));
        }
    };
    let (ask, interim) = mpsc::unbounded_channel();
    let ended = signals::handle(interrupt.clone(), ask, hang_up).and_then(|()| {
        let control = RunControl { interim, ..RunControl::until(interrupt) };
        let thread_sleep = control.batch_sleep.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().on_thread_park(move || thread_sleep.sleep_if_allowed()).build()?;
        let result = runtime.block_on(job(plan, &mut print, control));
        // A resolver that was given up still holds its thread; nobody waits for it.
        runtime.shutdown_background();
        Ok(result)
    });
    let dropped = queue.dropped();
    drop(queue);
    let output = thread.join().ok();
    errors::warn_about_dropped_events(dropped);
    match ended {
        Err(error) => errors::fail_inconclusive(&format!("cannot start: {error}")),
        Ok(Err(failure)) => {
            let reports = output.map(RunOutput::into_reports).unwrap_or_default();
            write_failure(P::Document::COMMAND, &failure, reports);
            errors::report_failure(Some(P::Document::COMMAND), &failure, format)
        }
        Ok(Ok(result)) => finish(result, output.as_ref()),
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
fn finish<P: Presenter>(result: RunResult, output: Option<&RunOutput<P>>) -> ExitCode {
    // A plugin has exit codes of its own, and no 4.
    let own_code = output.and_then(RunOutput::exit_code);
    let fail = |message: &str| {
        let failed = errors::fail_inconclusive(message);
        own_code.map_or(failed, |_| PluginState::Unknown.exit_code().into())
    };
    let failed_reports = output.map(RunOutput::failed_reports).unwrap_or_default();
    if !failed_reports.is_empty() {
        return fail(&failed_reports.join("; "));
    }
    let has_failed = matches!(result, RunResult::Failed | RunResult::Unreachable);
    match output.and_then(RunOutput::error).map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) if !has_failed => ExitCode::SUCCESS,
        None | Some(io::ErrorKind::BrokenPipe) => own_code.unwrap_or(result.exit_code()).into(),
        Some(kind) => fail(&format!("cannot write the report to stdout: {kind}")),
    }
}

/// Prints text on stdout; returns the exit code.
pub fn print(text: &str, format: Format) -> ExitCode {
    errors::exit_code_of_write(stdout(format).write_all(text.as_bytes()))
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
