//! Runs `wscheck serve` until Ctrl-C.

use std::io;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::print_queue::{PrintQueue, PrintQueueReceiver};
use super::serve_args::ServeArgs;
use super::{errors, generate, runner, signals, stdout_watch};
use crate::commands::serve::{self, ServeError, ServePlan};
use crate::domain::run::run_result::RunResult;
use crate::output::Format;
use crate::output::serve::{ServeReporter, StatusPages};
use crate::server::{ServeEvent, ServerSummary, faults};

/// Runs the command and gives its exit code.
pub fn main(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return generate::print(faults::list().as_bytes());
    }
    let format = args.format.chosen();
    let plan = match args.plan() {
        Ok(plan) => plan,
        Err(message) => return errors::report_usage_error("serve", &message, format),
    };
    if plan.config.never_idles() {
        errors::print_to_stderr(
            "hint: the server's own heartbeats keep every connection from becoming idle; --heartbeat \
             none stops them",
        );
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return errors::fail_inconclusive(&format!("cannot start: {error}")),
    };
    let (mut printer, thread) = PrintQueue::start(move |queue| print_all(format, &queue));
    // A closed output stops the server, even if it has nothing to print.
    let stop = printer.closed().child_token();
    stdout_watch::watch(printer.closed().clone());
    // Only ping has interim reports; Ctrl-\ is caught and does nothing here.
    if let Err(error) = signals::handle(stop.clone(), mpsc::unbounded_channel().0) {
        return errors::fail_inconclusive(&format!("cannot start: {error}"));
    }
    let served = runtime.block_on(until_stopped(plan, &mut printer, stop));
    errors::warn_about_dropped_events(printer.dropped());
    drop(printer);
    let failure = thread.join().ok().flatten();
    match served {
        Ok(_) => exit_code_of(failure),
        Err(error) => {
            let failure = errors::StartFailure {
                result: RunResult::of_exit_code(error.exit_code()),
                message: error.to_string(),
                hint: error.hint().map(str::to_string),
            };
            errors::report_failure(Some("serve"), &failure, format)
        }
    }
}

/// The exit code, given a write failure: a closed pipe is success.
fn exit_code_of(failure: Option<io::ErrorKind>) -> ExitCode {
    match failure {
        None | Some(io::ErrorKind::BrokenPipe) => ExitCode::SUCCESS,
        Some(kind) => errors::fail_inconclusive(&format!("cannot write to stdout: {kind}")),
    }
}

/// Prints every event; returns the write error that stopped it.
fn print_all(format: Format, queue: &PrintQueueReceiver<ServeEvent>) -> Option<io::ErrorKind> {
    let mut reporter = ServeReporter::new(runner::stdout(format), format);
    while let Some(event) = queue.next() {
        if let Err(error) = reporter.report(&event) {
            queue.close();
            return Some(error.kind());
        }
    }
    None
}

async fn until_stopped(
    plan: ServePlan,
    printer: &mut PrintQueue<ServeEvent>,
    stop: CancellationToken,
) -> Result<ServerSummary, ServeError> {
    let report = |event: &ServeEvent| {
        printer.push(event.clone(), event.client.is_some());
        ControlFlow::Continue(())
    };
    serve::run(plan, report, Arc::new(StatusPages), stop).await
}
