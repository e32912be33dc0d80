//! Runs a command: connections on this thread, printing on another, so that a stuck pipe cannot look like jitter.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tokio::sync::mpsc;

use super::args::{OutputArgs, terminal_width};
use super::errors::{self, StartFailure};
use super::origin::origin;
use super::print_queue::{PrintQueue, PrintQueueReceiver};
use super::{signals, trace};
use crate::commands::run_control::RunControl;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::batch_sleep::BatchSleep;
use crate::output::envelope::DocumentBody;
use crate::output::{EventFilter, Format, HumanOptions, Presenter, RunOutput, Writer, charset};

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

/// Shows every event until one cannot be shown; gives that error.
fn print_all<P: Presenter>(
    mut output: RunOutput<P>,
    queue: &PrintQueueReceiver<P::Event>,
) -> Option<io::ErrorKind> {
    while let Some(event) = queue.next() {
        output.report(&event);
        if output.error().is_some() {
            queue.close();
        }
    }
    output.error().map(io::Error::kind)
}

/// Runs a plan to its exit code; if there is none, or the job cannot start, says why.
pub fn run_plan<T, P: Presenter>(
    presenter: impl FnOnce(HumanOptions) -> P,
    args: &OutputArgs,
    plan: Result<T, String>,
    job: impl AsyncFnOnce(T, &mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let traced = args.trace.as_deref().map_or(Ok(()), trace::start);
    match args.format.check().and(traced).and(plan) {
        Ok(plan) => run(presenter, args, async |reporter, control| job(plan, reporter, control).await),
        Err(message) => errors::report_usage_error(P::Document::COMMAND, &message, args.format.chosen()),
    }
}

/// Runs a job to its exit code: obeys signals, and shows what it reports as the arguments say.
fn run<P: Presenter>(
    presenter: impl FnOnce(HumanOptions) -> P,
    args: &OutputArgs,
    job: impl AsyncFnOnce(&mut dyn Reporter<P::Event>, RunControl) -> Result<RunResult, StartFailure>,
) -> ExitCode {
    let (format, options) = (args.format.chosen(), human_options(args));
    let output = RunOutput::new(presenter(options), format, origin(), options, stdout(format), stderr());
    let (queue, thread) = PrintQueue::start(move |queue| print_all(output, &queue));
    let is_shown = if args.trace.is_some() { Box::new(|_: &_| true) } else { P::filter(format, options) };
    let mut printer = EventPrinter { queue, is_shown, is_droppable: P::is_droppable };
    // A reader that is gone ends the run as an interrupt does.
    let interrupt = printer.queue.closed().child_token();
    let (ask, interim) = mpsc::unbounded_channel();
    let ended = signals::handle(interrupt.clone(), ask).and_then(|()| {
        let batch_sleep = BatchSleep::default();
        let thread_sleep = batch_sleep.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().on_thread_park(move || thread_sleep.sleep_if_allowed()).build()?;
        let result = runtime.block_on(job(&mut printer, RunControl { interrupt, interim, batch_sleep }));
        // A resolver that was given up still holds its thread; nobody waits for it.
        runtime.shutdown_background();
        Ok(result)
    });
    let dropped = printer.queue.dropped();
    drop(printer);
    let failure = thread.join().ok().flatten();
    errors::warn_about_dropped_events(dropped);
    match ended {
        Err(error) => errors::fail_inconclusive(&format!("cannot start: {error}")),
        Ok(Err(failure)) => errors::report_failure(Some(P::Document::COMMAND), &failure, format),
        Ok(Ok(result)) => finish(result, failure),
    }
}

/// The exit code, given a write failure. A closed pipe ends the run quietly: a failed result stays in the exit code,
/// other results become success. Any other write failure is reported, since the report is lost.
fn finish(result: RunResult, failure: Option<io::ErrorKind>) -> ExitCode {
    let has_failed = matches!(result, RunResult::Failed | RunResult::Unreachable);
    match failure {
        Some(io::ErrorKind::BrokenPipe) if !has_failed => ExitCode::SUCCESS,
        None | Some(io::ErrorKind::BrokenPipe) => ExitCode::from(result.exit_code()),
        Some(kind) => errors::fail_inconclusive(&format!("cannot write the report to stdout: {kind}")),
    }
}

/// The writer for results. Only human text depends on the locale: JSON is UTF-8 (RFC 8259 section 8.1).
pub fn stdout(format: Format) -> Writer {
    match format {
        Format::Human => charset::writer(Box::new(io::stdout())),
        Format::Json | Format::CompactJson | Format::Ndjson => Box::new(io::stdout()),
    }
}

/// The writer for messages to the user.
pub fn stderr() -> Writer {
    charset::writer(Box::new(io::stderr()))
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
