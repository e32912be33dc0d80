//! `wscheck probe-idle`: how long may this path be idle, what cuts it, and what keeps it open?

mod driver;
mod followup;
mod plan;
mod probe_task;
mod report_builder;

#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use self::driver::SearchDriver;
use self::followup::FollowupPlan;
pub use self::plan::IdlePlan;
use self::probe_task::{EstablishedProbe, open};
use self::report_builder::ReportBuilder;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::format::{duration, exact_duration as show};
use crate::domain::idle::report::{IdleEvent, IdleReport, IdleReporter, TwoEnded};
use crate::domain::idle::{PlanError, Strategy};
use crate::domain::secrets::redact;
use crate::net::client::idle_probe::{TWO_ENDED, send_close, supports_two_ended};

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
    let mut gathered = ReportBuilder::new(Arc::new(plan.info()), SystemTime::now());
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
    gathered: &mut ReportBuilder,
) -> Result<(), PlanError> {
    let start = gathered.start;
    let mut plan = plan.with_offer();
    let Some(scouted) = scout(&plan, interrupt).await else {
        gathered.interrupted = true;
        return Ok(());
    };
    match scouted {
        Ok((ready, speaks)) => {
            agree(&mut plan, speaks, gathered);
            be_content(&mut plan, ready.slack() * 3, gathered);
            gathered.opened = Some(Arc::new(ready.facts));
        }
        Err(error) => {
            gathered.error = Some(Arc::new(error));
            return Ok(());
        }
    }
    let catch = SearchDriver::new(plan.clone(), start, reporter)?.run(interrupt).await;
    gathered.notes.extend(catch.standstill.map(stood_still));
    gathered.notes.extend(unmatched(&plan));
    let trials = FollowupPlan::of(&plan, &catch.findings);
    gathered.catch = Some(catch);
    gathered.after = trials.run(plan, start, reporter, interrupt).await;
    Ok(())
}

/// A first connection: whether there is anything to measure, and with whom; and whether the server speaks when
/// asked to. `None`: interrupted.
async fn scout(
    plan: &IdlePlan,
    interrupt: &CancellationToken,
) -> Option<Result<(EstablishedProbe, bool), ConnectError>> {
    tokio::select! {
        biased;
        () = interrupt.cancelled() => None,
        met = meet(plan) => Some(met),
    }
}

async fn meet(plan: &IdlePlan) -> Result<(EstablishedProbe, bool), ConnectError> {
    let mut ready = open(plan).await?;
    let speaks = ready.agreed() && supports_two_ended(&mut ready.socket, plan.search.answer_timeout).await;
    send_close(&mut ready.socket).await;
    Ok((ready, speaks))
}

/// What is found dead is told later by the slack; a bracket cannot be narrower than that.
fn be_content(plan: &mut IdlePlan, least: Duration, gathered: &mut ReportBuilder) {
    let (precision, max) = (&mut plan.search.precision, plan.search.max);
    if precision.at(max) < least {
        let least = show(least);
        gathered
            .notes
            .push(format!("the opening takes too long for the precision asked for: {least} is enough"));
    }
    precision.absolute = precision.absolute.max(least);
}

/// A server that is to speak after a silence must know the silence when it begins: only a search that binds
/// each connection to its span from the start can have it speak.
fn agree(plan: &mut IdlePlan, speaks: bool, gathered: &mut ReportBuilder) {
    if !plan.search.two_ended {
        return;
    }
    plan.search.two_ended = speaks;
    if speaks {
        gathered.two_ended = Some(TwoEnded::Agreed);
        if plan.search.strategy != Strategy::Bisect {
            gathered
                .notes
                .push("a server that speaks first is asked for one silence at a time (bisect)".to_string());
        }
        plan.search.strategy = Strategy::Bisect;
    } else {
        gathered.two_ended = Some(TwoEnded::Refused);
        plan.dial.subprotocols.retain(|offered| offered != TWO_ENDED);
    }
}

/// What came in answer to the questions, where nothing that came was an answer.
fn unmatched(plan: &IdlePlan) -> Option<String> {
    let words = plan.unmatched.words()?;
    let [ask, answer] = [plan.ask.to_string(), plan.answer.to_string()].map(|text| redact(&text));
    Some(format!("no message answered '{ask}' by the pattern '{answer}'; what came: {words}"))
}

fn stood_still(span: Duration) -> String {
    let span = duration(span);
    format!("this host was stalled for {span} during the search: what ended meanwhile was read late")
}
