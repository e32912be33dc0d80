//! Runs `wscheck serve` until Ctrl-C.

use std::io;
use std::process::ExitCode;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::serve::ServeArgs;
use super::signals::Signals;
use super::usage;
use crate::commands::serve::{self, Plan, ServeError};
use crate::output::serve::{Format, write};
use crate::server::{ServerEvent, Summary, faults};

/// Runs the command and gives its exit code.
pub fn main(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return super::papers::print(faults::list().as_bytes());
    }
    let plan = match args.plan() {
        Ok(plan) => plan,
        Err(message) => return usage::complain("serve", &message, crate::output::Format::Human),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return usage::fail(&format!("cannot start: {error}")),
    };
    match runtime.block_on(until_stopped(plan)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => usage::refuse_to_serve(&error.to_string(), error.hint(), error.exit_code()),
    }
}

async fn until_stopped(plan: Plan) -> Result<Summary, ServeError> {
    let stop = CancellationToken::new();
    if let Ok(signals) = Signals::catch() {
        // Interim figures are ping's; a server's Ctrl-\ is heard and does nothing.
        tokio::spawn(signals.obey(stop.clone(), mpsc::unbounded_channel().0));
    }
    let closed = stop.clone();
    let report = move |event: &ServerEvent| {
        if write(&mut io::stdout(), Format::Human, event).is_err() {
            closed.cancel();
        }
    };
    serve::run(plan, report, stop).await
}
