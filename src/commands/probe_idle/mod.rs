//! `wscheck probe-idle`: how long may this path be idle, what closes it, and what keeps it open?

mod driver;
mod followup;
mod plan;
mod probe_task;
mod report;

#[cfg(test)]
mod peer_tests;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::driver::SearchDriver;
use self::followup::FollowupPlan;
pub use self::plan::IdlePlan;
use self::probe_task::{chose_two_ended, open, slack};
use self::report::RunSteps;
use super::connect::Connected;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::idle::report::{IdleEvent, IdleReport, TwoEnded};
use crate::domain::idle::{IdleFinding, PlanError, Strategy};
use crate::domain::run::reporter::Reporter;
use crate::domain::secrets::redact;
use crate::net::client::closing::close_briefly;
use crate::net::client::idle_probe::{TWO_ENDED, supports_two_ended};
use crate::net::transport::http2::goaway_log::GoawayLog;

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report. The error means an
/// invalid plan; no event is reported then.
pub async fn run(
    plan: IdlePlan,
    reporter: &mut dyn Reporter<IdleEvent>,
    interrupt: CancellationToken,
) -> Result<IdleReport, PlanError> {
    let search = plan.search.clone().checked()?;
    let plan = IdlePlan { search, ..plan };
    plan.connect.prepare();
    let (info, started_at, start) = (Arc::new(plan.info()), SystemTime::now(), Instant::now());
    reporter.report(&IdleEvent::Started { at: started_at, info: Arc::clone(&info) });
    let (mut steps, goaways) = (RunSteps::default(), GoawayLog::default());
    let mut plan = plan;
    plan.connect.dial.goaways = Some(goaways.clone());
    run_search(plan, start, reporter, &interrupt, &mut steps).await?;
    steps.notes.extend(goaways.summary().map(|goaways| IdleFinding::H2GoawayReceived { goaways }));
    let report = steps.report(info, started_at, start.elapsed());
    reporter.report(&IdleEvent::Finished(Box::new(report.clone())));
    Ok(report)
}

async fn run_search(
    plan: IdlePlan,
    start: Instant,
    reporter: &mut dyn Reporter<IdleEvent>,
    interrupt: &CancellationToken,
    steps: &mut RunSteps,
) -> Result<(), PlanError> {
    let mut plan = plan.with_two_ended_offer();
    match interrupt.run_until_cancelled(open_and_check(&plan)).await {
        None => {
            steps.interrupted = true;
            return Ok(());
        }
        Some(Err(error)) => {
            steps.error = Some(Arc::new(error));
            return Ok(());
        }
        Some(Ok((probe, speaks))) => {
            apply_two_ended(&mut plan, speaks, steps);
            limit_precision(&mut plan, slack(&probe.info) * 3, steps);
            steps.opened = Some(Arc::new(probe.info));
        }
    }
    let result = SearchDriver::new(plan.clone(), start, reporter)?.run(interrupt).await;
    steps.notes.extend(result.longest_stall.map(|stall| IdleFinding::HostStalled { stall }));
    steps.notes.extend(unmatched_note(&plan));
    let followup = FollowupPlan::of(&plan, &result.findings);
    steps.search = Some(result);
    steps.followup = followup.run(plan, start, reporter, interrupt).await;
    Ok(())
}

/// Opens a first connection: checks that the target is reachable and whether the server supports two-ended mode.
async fn open_and_check(plan: &IdlePlan) -> Result<(Connected, bool), ConnectError> {
    let mut probe = open(plan).await?;
    let speaks = chose_two_ended(&probe.info)
        && supports_two_ended(&mut probe.socket, plan.search.answer_timeout).await;
    close_briefly(&mut probe.socket).await;
    Ok((probe, speaks))
}

/// Adjusts the precision to the slack: a bracket cannot be narrower than the uncertainty of its ends.
fn limit_precision(plan: &mut IdlePlan, min_precision: Duration, steps: &mut RunSteps) {
    let (precision, max) = (&mut plan.search.precision, plan.search.max);
    if precision.at(max) < min_precision {
        steps.notes.push(IdleFinding::PrecisionReduced { precision: min_precision });
    }
    precision.absolute = precision.absolute.max(min_precision);
}

/// Applies the outcome of the two-ended offer. The server must know the idle span at its start, so only a search that
/// fixes each connection's span (bisect) can use it.
fn apply_two_ended(plan: &mut IdlePlan, speaks: bool, steps: &mut RunSteps) {
    if !plan.search.two_ended {
        return;
    }
    plan.search.two_ended = speaks;
    if speaks {
        steps.two_ended = Some(TwoEnded::Agreed);
        if plan.search.strategy != Strategy::Bisect {
            steps.notes.push(IdleFinding::OneSpanAtATime);
        }
        plan.search.strategy = Strategy::Bisect;
    } else {
        steps.two_ended = Some(TwoEnded::Refused);
        plan.connect.dial.subprotocols.retain(|offered| offered != TWO_ENDED);
    }
}

/// A note on messages that should have been answers, if no answer came.
fn unmatched_note(plan: &IdlePlan) -> Option<IdleFinding> {
    let came = plan.unmatched.describe()?;
    let [ask, answer] = [plan.ask.to_string(), plan.answer.to_string()].map(|text| redact(&text));
    Some(IdleFinding::AnswersNotRecognized { ask, answer, came })
}
