//! `wscheck probe-idle`: how long may this path be idle, what closes it, and what keeps it open?

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
use crate::domain::idle::report::{IdleEvent, IdleReport, TwoEnded};
use crate::domain::idle::{IdleFinding, PlanError, Strategy};
use crate::domain::run::reporter::Reporter;
use crate::domain::secrets::redact;
use crate::net::client::idle_probe::{TWO_ENDED, send_close, supports_two_ended};

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report. The error means an
/// invalid plan; no event is reported then.
pub async fn run(
    plan: IdlePlan,
    reporter: &mut dyn Reporter<IdleEvent>,
    interrupt: CancellationToken,
) -> Result<IdleReport, PlanError> {
    let search = plan.search.clone().checked()?;
    let plan = IdlePlan { search, ..plan };
    if plan.target.secure() {
        // Loads the system's roots before anything is timed. An error recurs when a connection opens.
        let _ = plan.dial.tls.prepare();
    }
    let mut builder = ReportBuilder::new(Arc::new(plan.info()), SystemTime::now());
    reporter.report(&IdleEvent::Started { at: builder.started_at, info: Arc::clone(&builder.info) });
    run_search(plan, reporter, &interrupt, &mut builder).await?;
    let report = builder.report();
    reporter.report(&IdleEvent::Finished(Box::new(report.clone())));
    Ok(report)
}

async fn run_search(
    plan: IdlePlan,
    reporter: &mut dyn Reporter<IdleEvent>,
    interrupt: &CancellationToken,
    builder: &mut ReportBuilder,
) -> Result<(), PlanError> {
    let start = builder.start;
    let mut plan = plan.with_two_ended_offer();
    let Some(checked) = check_target(&plan, interrupt).await else {
        builder.interrupted = true;
        return Ok(());
    };
    match checked {
        Ok((probe, speaks)) => {
            apply_two_ended(&mut plan, speaks, builder);
            limit_precision(&mut plan, probe.slack() * 3, builder);
            builder.opened = Some(Arc::new(probe.facts));
        }
        Err(error) => {
            builder.error = Some(Arc::new(error));
            return Ok(());
        }
    }
    let result = SearchDriver::new(plan.clone(), start, reporter)?.run(interrupt).await;
    builder.notes.extend(result.longest_stall.map(|stall| IdleFinding::HostStalled { stall }));
    builder.notes.extend(unmatched_note(&plan));
    let followup = FollowupPlan::of(&plan, &result.findings);
    builder.search = Some(result);
    builder.followup = followup.run(plan, start, reporter, interrupt).await;
    Ok(())
}

/// Opens a first connection: checks that the target is reachable and whether the server supports two-ended mode.
/// `None` if interrupted.
async fn check_target(
    plan: &IdlePlan,
    interrupt: &CancellationToken,
) -> Option<Result<(EstablishedProbe, bool), ConnectError>> {
    tokio::select! {
        biased;
        () = interrupt.cancelled() => None,
        checked = open_and_check(plan) => Some(checked),
    }
}

async fn open_and_check(plan: &IdlePlan) -> Result<(EstablishedProbe, bool), ConnectError> {
    let mut probe = open(plan).await?;
    let speaks =
        probe.chose_two_ended() && supports_two_ended(&mut probe.socket, plan.search.answer_timeout).await;
    send_close(&mut probe.socket).await;
    Ok((probe, speaks))
}

/// Adjusts the precision to the slack: a bracket cannot be narrower than the uncertainty of its ends.
fn limit_precision(plan: &mut IdlePlan, min_precision: Duration, builder: &mut ReportBuilder) {
    let (precision, max) = (&mut plan.search.precision, plan.search.max);
    if precision.at(max) < min_precision {
        builder.notes.push(IdleFinding::PrecisionReduced { precision: min_precision });
    }
    precision.absolute = precision.absolute.max(min_precision);
}

/// Applies the outcome of the two-ended offer. The server must know the idle span at its start, so only a search that
/// fixes each connection's span (bisect) can use it.
fn apply_two_ended(plan: &mut IdlePlan, speaks: bool, builder: &mut ReportBuilder) {
    if !plan.search.two_ended {
        return;
    }
    plan.search.two_ended = speaks;
    if speaks {
        builder.two_ended = Some(TwoEnded::Agreed);
        if plan.search.strategy != Strategy::Bisect {
            builder.notes.push(IdleFinding::OneSpanAtATime);
        }
        plan.search.strategy = Strategy::Bisect;
    } else {
        builder.two_ended = Some(TwoEnded::Refused);
        plan.dial.subprotocols.retain(|offered| offered != TWO_ENDED);
    }
}

/// A note on messages that should have been answers, if no answer came.
fn unmatched_note(plan: &IdlePlan) -> Option<IdleFinding> {
    let came = plan.unmatched.describe()?;
    let [ask, answer] = [plan.ask.to_string(), plan.answer.to_string()].map(|text| redact(&text));
    Some(IdleFinding::AnswersNotRecognized { ask, answer, came })
}
