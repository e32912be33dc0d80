//! Runs a command: its connections on this thread, its printing on another, so that a stuck pipe
//! cannot look like jitter.

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

/// Hands events to the thread that prints.
pub struct EventPrinter<E> {
    background: PrintQueue<E>,
    is_wanted: IsWanted<E>,
    can_be_spared: fn(&E) -> bool,
}

impl<E: Clone + Send + 'static> EventPrinter<E> {
    /// Hands one over.
    pub fn offer(&mut self, event: &E) {
        if (self.is_wanted)(event) {
            self.background.offer(event.clone(), (self.can_be_spared)(event));
        }
    }
}

impl Reporter for EventPrinter<Event> {
    fn report(&mut self, event: &Event) {
        self.offer(event);
    }
}

/// Shows an event; gives the error that made showing it impossible, from then on.
type Show<E> = Box<dyn FnMut(&E) -> Option<io::ErrorKind> + Send>;

/// Whether an event is shown at all: what is not need not wake the thread that prints.
type IsWanted<E> = Box<dyn FnMut(&E) -> bool>;

/// How the events of one command are shown.
pub struct EventDisplay<E> {
    pub show: Show<E>,
    pub is_wanted: IsWanted<E>,
    /// Whether an event may be dropped when nobody reads.
    pub can_be_spared: fn(&E) -> bool,
}

/// Shows every event until one cannot be shown; gives the error.
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

/// Runs a job of heartbeats, shown as the arguments say, to its verdict.
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
    let mut interest = EventFilter::new(args.format.chosen(), human_options(args));
    let is_wanted = Box::new(move |event: &Event| interest.is_in(event));
    let showing = EventDisplay { show, is_wanted, can_be_spared };
    run_showing(showing, async |printer, control| job(printer, control).await.exit_code())
}

fn can_be_spared(event: &Event) -> bool {
    matches!(event, Event::Connection { .. } | Event::StatusCounts(_))
}

/// Runs `job` to its exit code, with signals obeyed and everything it reports shown.
pub fn run_showing<E: Clone + Send + 'static>(
    showing: EventDisplay<E>,
    job: impl AsyncFnOnce(&mut EventPrinter<E>, RunControl) -> u8,
) -> ExitCode {
    let EventDisplay { show, is_wanted, can_be_spared } = showing;
    let (background, thread) = PrintQueue::start(move |queue| print_all(show, &queue));
    let mut printer = EventPrinter { background, is_wanted, can_be_spared };
    // Whoever reads no more wants no more: as if interrupted.
    let interrupt = printer.background.closed().child_token();
    let (ask, interim) = mpsc::unbounded_channel();
    let exit_code = signals::obey(interrupt.clone(), ask).and_then(|()| {
        let batch_sleep = BatchSleep::default();
        let idle_sleep = batch_sleep.clone();
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().on_thread_park(move || idle_sleep.sleep_if_allowed()).build()?;
        let exit_code = runtime.block_on(job(&mut printer, RunControl { interrupt, interim, batch_sleep }));
        // A resolver that was given up still holds its thread; nobody waits for it.
        runtime.shutdown_background();
        Ok(exit_code)
    });
    let dropped = printer.background.dropped();
    drop(printer);
    let failure = thread.join().ok().flatten();
    errors::warn_of_dropped(dropped);
    match exit_code {
        Err(error) => errors::fail(&format!("cannot start: {error}")),
        Ok(exit_code) => finish(exit_code, failure),
    }
}

/// A closed pipe ends the run quietly: what was found wanting by then is still in the exit code, and
/// that it was too short for more is the reader's wish. Any other failure to write is told, for the
/// report is lost.
fn finish(exit_code: u8, failure: Option<io::ErrorKind>) -> ExitCode {
    let wanting = [RunResult::Failed, RunResult::Unreachable].map(RunResult::exit_code).contains(&exit_code);
    match failure {
        Some(io::ErrorKind::BrokenPipe) if !wanting => ExitCode::SUCCESS,
        None | Some(io::ErrorKind::BrokenPipe) => ExitCode::from(exit_code),
        Some(kind) => errors::fail(&format!("cannot write the report to stdout: {kind}")),
    }
}

/// Where the result goes. Only text for people depends on the locale: JSON is UTF-8 (RFC 8259 section 8.1).
pub fn stdout(format: Format) -> Writer {
    match format {
        Format::Human => charset::writer(Box::new(io::stdout())),
        Format::Json | Format::Ndjson => Box::new(io::stdout()),
    }
}

/// Where the conversation goes.
pub fn stderr() -> Writer {
    charset::writer(Box::new(io::stderr()))
}

/// What the terminal can do, and what the arguments say of it.
pub fn human_options(args: &OutputArgs) -> HumanOptions {
    HumanOptions {
        quiet: args.quiet,
        color: args.color.on_stdout(),
        stderr_color: args.color.on_stderr(),
        width: terminal_width(),
        progress: io::stderr().is_terminal() && !args.quiet,
    }
}
