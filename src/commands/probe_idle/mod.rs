//! `wscheck probe-idle`: how long may this path be idle, what cuts it, and what keeps it open?

mod after;
mod conclude;
mod hunt;
mod line;
mod plan;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;

use self::after::Trials;
use self::conclude::Gathered;
use self::hunt::Hunt;
use self::line::{Ready, open};
pub use self::plan::IdlePlan;
use crate::domain::idle::report::{IdleEvent, IdleReport, IdleReporter, TwoEnded};
use crate::domain::idle::{PlanError, Prescription, Strategy};
use crate::domain::opening::OpenError;
use crate::net::trial::part;

/// Runs the plan. Everything is told to `reporter`, the report last; it is also returned. An error is a plan
/// that makes no sense, before anything is told.
pub async fn run(
    plan: IdlePlan,
    reporter: &mut dyn IdleReporter,
    interrupt: CancellationToken,
) -> Result<IdleReport, PlanError> {
    let search = plan.search.clone().checked()?;
    let plan = IdlePlan { search, ..plan };
    if plan.target.secure() {
        // The system's roots are read once, before anything is timed; opening meets the error again.
        let _ = plan.dial.tls.prepare();
    }
    let mut gathered = Gathered::new(Arc::new(plan.info()), SystemTime::now());
    reporter.report(&IdleEvent::Started { at: gathered.started_at, info: Arc::clone(&gathered.info) });
    pursue(plan, reporter, &interrupt, &mut gathered).await?;
    let report = gathered.report();
    reporter.report(&IdleEvent::Finished(Box::new(report.clone())));
    Ok(report)
}

async fn pursue(
    plan: IdlePlan,
    reporter: &mut dyn IdleReporter,
    interrupt: &CancellationToken,
    gathered: &mut Gathered,
) -> Result<(), PlanError> {
    let start = gathered.start;
    let mut plan = plan.with_offer();
    let Some(opened) = scout(&plan, interrupt).await else {
        gathered.interrupted = true;
        return Ok(());
    };
    let opened = match opened {
        Ok(ready) => {
            agree(&mut plan, ready.agreed(), gathered);
            // What is found dead is told later by the slack; a bracket cannot be narrower than that.
            let precision = &mut plan.search.precision;
            precision.absolute = precision.absolute.max(ready.slack() * 3);
            ready.facts
        }
        Err(error) => {
            gathered.error = Some(Arc::new(error));
            return Ok(());
        }
    };
    gathered.opened = Some(Arc::new(opened));
    let catch = Hunt::new(plan.clone(), start, reporter)?.run(interrupt).await;
    let prescription = Prescription::of(&catch.findings);
    let trials = Trials::of(&plan, &catch.findings, prescription);
    gathered.catch = Some(catch);
    if let Some(trials) = trials {
        gathered.after = trials.run(plan, start, reporter, interrupt).await;
    }
    Ok(())
}

/// A first connection: whether there is anything to measure, and with whom. `None`: interrupted.
async fn scout(plan: &IdlePlan, interrupt: &CancellationToken) -> Option<Result<Ready, OpenError>> {
    let mut opened = tokio::select! {
        biased;
        () = interrupt.cancelled() => return None,
        opened = open(plan) => opened,
    };
    if let Ok(ready) = &mut opened {
        part(&mut ready.socket).await;
    }
    Some(opened)
}

/// A server that is to speak after a silence must know the silence when it begins: only a search that binds
/// each connection to its span from the start can have it speak.
fn agree(plan: &mut IdlePlan, agreed: bool, gathered: &mut Gathered) {
    if !plan.search.two_ended {
        return;
    }
    gathered.two_ended = Some(if agreed { TwoEnded::Agreed } else { TwoEnded::Refused });
    plan.search.two_ended = agreed;
    if agreed {
        plan.search.strategy = Strategy::Bisect;
    }
}
