//! `wscheck listen`: which heartbeats does the server send by itself, and how often?

mod listener;
mod plan;
mod recorder;

#[cfg(test)]
mod tests;

use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::listener::{Listener, ListenerResult};
pub use self::plan::ListenPlan;
use self::recorder::ListenRecorder;
use super::connect::{self, Connected};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::listen::report::{ListenEvent, ListenInfo, ListenReport};
use crate::domain::listen::{
    EndLiveness, ListenFinding, ListenFindings, ListenState, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    plan: ListenPlan,
    reporter: &mut dyn Reporter<ListenEvent>,
    interrupt: CancellationToken,
) -> ListenReport {
    let info = Arc::new(plan.info());
    let started_at = SystemTime::now();
    let start = Instant::now();
    reporter.report(&ListenEvent::Started { at: started_at, info: Arc::clone(&info) });
    let opened = tokio::select! {
        biased;
        () = interrupt.cancelled() => None,
        opened = open(&plan) => Some(opened),
    };
    let outcome = match opened {
        None => ListenOutcome::Interrupted,
        Some(Err(error)) => ListenOutcome::NotOpened(Arc::new(error)),
        Some(Ok((connected, recorder))) => listen(&plan, connected, recorder, reporter, &interrupt).await,
    };
    let report = outcome.report(info, started_at, start);
    reporter.report(&ListenEvent::Finished(Box::new(report.clone())));
    report
}

/// Opens a connection and runs its preamble; records events from the opening on.
async fn open(plan: &ListenPlan) -> Result<(Connected, ListenRecorder), ConnectError> {
    let mut connected =
        connect::connect(&plan.target, &plan.dial, plan.max_message_size, plan.largest()).await?;
    let mut recorder = ListenRecorder::new(connected.opened, plan.known_pings.clone());
    connected
        .run_preamble(&plan.preamble, &plan.target, &|_| {}, &mut |event| recorder.record_preamble(event))
        .await?;
    Ok((connected, recorder))
}

async fn listen(
    plan: &ListenPlan,
    mut connected: Connected,
    recorder: ListenRecorder,
    reporter: &mut dyn Reporter<ListenEvent>,
    interrupt: &CancellationToken,
) -> ListenOutcome {
    let facts = Arc::new(connected.info.clone());
    reporter.report(&ListenEvent::Opened { at: SystemTime::now(), opened: Arc::clone(&facts) });
    if !plan.answer {
        connected.mute.start();
    }
    let result = Listener::new(plan, &mut connected.socket, recorder, reporter).listen(interrupt).await;
    if let Some(ending) = &result.ending {
        reporter.report(&ListenEvent::Ended(Arc::clone(ending)));
    }
    ListenOutcome::Listened(facts, Box::new(result))
}

/// Outcome of a run.
enum ListenOutcome {
    /// Interrupted before the connection was open.
    Interrupted,
    NotOpened(Arc<ConnectError>),
    Listened(Arc<ConnectInfo>, Box<ListenerResult>),
}

impl ListenOutcome {
    fn report(self, info: Arc<ListenInfo>, started_at: SystemTime, start: Instant) -> ListenReport {
        let elapsed = start.elapsed();
        let nothing = || ListenState::default().findings(&ObservationConditions::default());
        let unheard = |verdict, reason: ListenFinding, error| {
            let findings =
                ListenFindings { verdict: ListenVerdict::Inconclusive, reasons: vec![reason], ..nothing() };
            (findings, verdict, error)
        };
        let (opened, ending, close_reply) = match &self {
            ListenOutcome::Listened(opened, result) => {
                (Some(Arc::clone(opened)), result.ending.clone(), result.close_reply.clone())
            }
            ListenOutcome::Interrupted | ListenOutcome::NotOpened(_) => (None, None, None),
        };
        let partial = match &self {
            ListenOutcome::Interrupted => true,
            ListenOutcome::NotOpened(_) => false,
            ListenOutcome::Listened(_, result) => result.conditions.interrupted,
        };
        let (findings, verdict, error) = match self {
            ListenOutcome::Interrupted => {
                let why = ListenFinding::InterruptedWhileOpening { url: info.url.clone() };
                unheard(RunResult::Interrupted { measured: false }, why, None)
            }
            ListenOutcome::NotOpened(error) => {
                unheard(RunResult::Unreachable, ListenFinding::NotOpened(Arc::clone(&error)), Some(error))
            }
            ListenOutcome::Listened(_, result) => {
                let verdict = judge(&result);
                (result.findings, verdict, None)
            }
        };
        let reasons = findings.reasons_of(verdict, ending.as_ref(), info.listen_for);
        ListenReport {
            info,
            started_at,
            elapsed,
            opened,
            error,
            findings,
            ending,
            close_reply,
            verdict,
            reasons,
            partial,
        }
    }
}

/// The result. A connection that ended early fails the run, with exceptions: the server closed it because of missing
/// answers, this host's stall may have caused it, or one of our limits ended it.
fn judge(result: &ListenerResult) -> RunResult {
    let ListenerResult { conditions, findings, ending, may_be_our_fault, .. } = result;
    let closed_for_missing_answers = matches!(findings.unanswered, Some(UnansweredPolicy::Ends { .. }));
    match (findings.verdict, ending) {
        (_, Some(_)) if *may_be_our_fault => RunResult::Inconclusive,
        // One of our limits: what would have come later is unknown.
        (_, Some(ending)) if matches!(ending.how, CloseKind::TooLarge { .. }) => RunResult::Inconclusive,
        (_, Some(_)) if !closed_for_missing_answers => RunResult::Failed,
        (_, _) if conditions.interrupted => RunResult::Interrupted { measured: true },
        (ListenVerdict::Inconclusive, _) => RunResult::Inconclusive,
        // The end was lost, so its time is unknown.
        (_, None) if conditions.known == EndLiveness::Forgotten => RunResult::Inconclusive,
        (
            ListenVerdict::ServerPingsEvery
            | ListenVerdict::ServerIsSilentFor
            | ListenVerdict::PeriodicMessages
            | ListenVerdict::Irregular,
            _,
        ) => RunResult::Passed,
    }
}
