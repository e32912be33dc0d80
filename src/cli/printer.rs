//! Runs a command: its connections on this thread, its printing on another, so that a stuck pipe
//! cannot look like jitter.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tokio::sync::mpsc;

use super::args::OutputArgs;
use super::background::{Background, Queue};
use super::{signals, usage};
use crate::commands::ping::Control;
use crate::domain::event::{Event, Reporter};
use crate::domain::report::Verdict;
use crate::output::Output;
use crate::output::human::HumanOptions;

/// Hands events to the thread that prints.
struct Printer(Background<Event>);

impl Reporter for Printer {
    fn report(&mut self, event: &Event) {
        self.0.offer(event.clone(), matches!(event, Event::Connection { .. }));
    }
}

/// Shows every event; gives the error that made showing them impossible.
fn print_all(mut output: Box<dyn Output + Send>, queue: &Queue<Event>) -> Option<io::ErrorKind> {
    while let Some(event) = queue.next() {
        output.report(&event);
        if output.error().is_some() {
            queue.close();
        }
    }
    output.error().map(io::Error::kind)
}

/// Runs `job` to its verdict, with signals obeyed and everything it reports printed.
pub fn run(
    command: &'static str,
    args: &OutputArgs,
    job: impl AsyncFnOnce(&mut dyn Reporter, Control) -> Verdict,
) -> ExitCode {
    let output = args.format.chosen().make(
        command,
        human_options(args),
        Box::new(io::stdout()),
        Box::new(io::stderr()),
    );
    let (background, thread) = Background::start(move |queue| print_all(output, &queue));
    let mut printer = Printer(background);
    // Whoever reads no more wants no more: as if interrupted.
    let interrupt = printer.0.closed().child_token();
    let (ask, interim) = mpsc::unbounded_channel();
    let verdict = signals::obey(interrupt.clone(), ask).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let verdict = runtime.block_on(job(&mut printer, Control { interrupt, interim }));
        // A resolver that was given up still holds its thread; nobody waits for it.
        runtime.shutdown_background();
        Ok(verdict)
    });
    let dropped = printer.0.dropped();
    drop(printer);
    let failure = thread.join().ok().flatten();
    match verdict {
        Err(error) => usage::fail(&format!("cannot start: {error}")),
        Ok(verdict) => finish(verdict, failure, dropped),
    }
}

/// A closed pipe ends the run quietly: what was found wanting by then is still in the exit code, and
/// that it was too short for more is the reader's wish. Any other failure to write is told, for the
/// report is lost.
fn finish(verdict: Verdict, failure: Option<io::ErrorKind>, dropped: u64) -> ExitCode {
    usage::warn_of_dropped(dropped);
    match failure {
        None => ExitCode::from(verdict.exit_code()),
        Some(io::ErrorKind::BrokenPipe) => match verdict {
            Verdict::Failed | Verdict::NotMeasured => ExitCode::from(verdict.exit_code()),
            Verdict::Passed | Verdict::Inconclusive | Verdict::Interrupted => ExitCode::SUCCESS,
        },
        Some(kind) => usage::fail(&format!("cannot write the report to stdout: {kind}")),
    }
}

fn human_options(args: &OutputArgs) -> HumanOptions {
    HumanOptions {
        quiet: args.quiet,
        color: args.color.on_stdout(),
        stderr_color: args.color.on_stderr(),
        width: terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)),
        progress: io::stderr().is_terminal() && !args.quiet,
    }
}
