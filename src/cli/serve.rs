//! Runs `wscheck serve` until it is stopped.

use std::process::ExitCode;
use std::sync::Arc;

use super::errors::{self, StartFailure};
use super::serve_args::ServeArgs;
use super::{generate, runner, stdout_watch};
use crate::commands::serve::{self, ServeError, ServePlan};
use crate::output::serve::{ServePresenter, StatusPages};
use crate::server::faults;

/// Runs the command and gives its exit code.
pub fn main(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return generate::print(faults::list().as_bytes());
    }
    let output = args.output.clone();
    let plan = args.plan().inspect(warn_if_never_idle);
    runner::run_plan(ServePresenter::new, &output, plan, async |plan, reporter, control| {
        // A closed output stops the server, even if it has nothing to print.
        stdout_watch::watch(control.interrupt.clone());
        let served = serve::run(plan, reporter, Arc::new(StatusPages), control.interrupt).await;
        served.map(|report| report.result).map_err(StartFailure::from)
    })
}

fn warn_if_never_idle(plan: &ServePlan) {
    if plan.config.never_idles() {
        errors::print_hint(
            "the server's own heartbeats keep every connection from becoming idle; --heartbeat \
             none stops them",
        );
    }
}

impl From<ServeError> for StartFailure {
    fn from(error: ServeError) -> StartFailure {
        StartFailure {
            result: error.result(),
            message: error.to_string(),
            hint: error.hint().map(str::to_string),
        }
    }
}
