//! Runs a command: connections on this thread, printing on another, so that a stuck pipe cannot look like jitter.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tokio::sync::mpsc;

use super::args::{OutputArgs, terminal_width};
use super::print_queue::{PrintQueue, PrintQueueReceiver};
use super::{errors, signals};
use crate::commands::run_control::RunControl;
use crate::domain::ping::event::{Event, Reporter};
use crate::domain::run::run_result::RunResult;
use crate::net::batch_sleep::BatchSleep;
use crate::output::Format;
use crate::output::HumanOptions;
use crate::output::Writer;
use crate::output::{EventFilter, charset};

/// Sends events to the printing thread.
pub struct EventPrinter<E> {
    queue: PrintQueue<E>,
    is_wanted: IsWanted<E>,
    is_droppable: fn(&E) -> bool,
}

impl<E: Clone + Send + 'static> EventPrinter<E> {
    /// Sends an event, if it is displayed at all.
    pub fn push(&mut self, event: &E) {
        if (self.is_wanted)(event) {
            self.queue.push(event.clone(), (self.is_droppable)(event));
        }
    }
}

impl Reporter for EventPrinter<Event> {
    fn report(&mut self, event: &Event) {
        self.push(event);
    }
}

/// Displays an event; returns the write error that prevents further output.
type Show<E> = Box<dyn FnMut(&E) -> Option<io::ErrorKind> + Send>;

/// Whether an event is displayed at all; others need not wake the printing thread.
type IsWanted<E> = Box<dyn FnMut(&E) -> bool>;

/// How a command's events are displayed.
pub struct EventDisplay<E> {
    pub show: Show<E>,
    pub is_wanted: IsWanted<E>,
    /// Whether an event may be dropped when nobody reads.
    pub is_droppable: fn(&E) -> bool,
}

/// Displays events until a write fails; returns the error.
fn print_all<E: Send + 'static>(
    mut show: impl FnMut(&E) -> Option<io::ErrorKind>,
    queue: &PrintQueueReceiver<E>,
) -> Option<io::ErrorKind> {
    let mut failure = None;
    while let Some(event) = queue.next() {
        failure = show(&event);
        if failure.is_some() {
            queue.close();
        }
    }
    failure
}

/// Runs a heartbeat job to its result, with display by the arguments.
pub fn run(
    command: &'static str,
    args: &OutputArgs,
    job: impl AsyncFnOnce(&mut dyn Reporter, RunControl) -> RunResult,
) -> ExitCode {
    let mut output =
        args.format.chosen().make(command, human_options(args), stdout(args.format.chosen()), stderr());
    let show = Box::new(move |event: &Event| {
        output.report(event);
        output.error().map(io::Error::kind)
    });
    let mut filter = EventFilter::new(args.format.chosen(), human_options(args));
    let is_wanted = Box::new(move |event: &Event| filter.is_in(event));
    let display = EventDisplay { show, is_wanted, is_droppable };
    run_with_display(display, async |printer, control| job(printer, control).await.exit_code())
}

fn is_droppable(event: &Event) -> bool {
    matches!(event, Event::Connection { .. } | Event::StatusCounts(_))
}

/// Runs `job` to its exit code, with signal handling and event display.
pub fn run_with_display<E: Clone + Send + 'static>(
    display: EventDisplay<E>,
    job: impl AsyncFnOnce(&mut EventPrinter<E>, RunControl) -> u8,
) -> ExitCode {
    let EventDisplay { show, is_wanted, is_droppable } = display;
    let (queue, thread) = PrintQueue::start(move |queue| print_all(show, &queue));
    let mut printer = EventPrinter { queue, is_wanted, is_droppable };
    // A closed output counts as an interrupt.
    let interrupt = printer.queue.closed().child_token();
    let (ask, interim) = mpsc::unbounded_channel();
    let exit_code = signals::handle(interrupt.clone(), ask).and_then(|()| {
        let batch_sleep = BatchSleep::default();
        let thread_sleep = batch_sleep.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().on_thread_park(move || thread_sleep.sleep_if_allowed()).build()?;
        let exit_code = runtime.block_on(job(&mut printer, RunControl { interrupt, interim, batch_sleep }));
        // An abandoned resolver call may still block its thread; do not wait for it.
        runtime.shutdown_background();
        Ok(exit_code)
    });
    let dropped = printer.queue.dropped();
    drop(printer);
    let failure = thread.join().ok().flatten();
    errors::warn_about_dropped_events(dropped);
    match exit_code {
        Err(error) => errors::fail_inconclusive(&format!("cannot start: {error}")),
        Ok(exit_code) => finish(exit_code, failure),
    }
}

/// The exit code, given a write failure. A closed pipe ends the run quietly: a failed result stays in the exit code,
/// other results become success. Any other write failure is reported, since the report is lost.
fn finish(exit_code: u8, failure: Option<io::ErrorKind>) -> ExitCode {
    let has_failed =
        [RunResult::Failed, RunResult::Unreachable].map(RunResult::exit_code).contains(&exit_code);
    match failure {
        Some(io::ErrorKind::BrokenPipe) if !has_failed => ExitCode::SUCCESS,
        None | Some(io::ErrorKind::BrokenPipe) => ExitCode::from(exit_code),
        Some(kind) => errors::fail_inconclusive(&format!("cannot write the report to stdout: {kind}")),
    }
}

/// The writer for results. Only human text depends on the locale: JSON is UTF-8 (RFC 8259 section 8.1).
pub fn stdout(format: Format) -> Writer {
    match format {
        Format::Human => charset::writer(Box::new(io::stdout())),
        Format::Json | Format::Ndjson => Box::new(io::stdout()),
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
        color: args.color.on_stdout(),
        stderr_color: args.color.on_stderr(),
        width: terminal_width(),
        progress: io::stderr().is_terminal() && !args.quiet,
    }
}
