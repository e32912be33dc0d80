//! `wscheck listen`: does the server send heartbeats of its own: which kind, how often?

mod listener;
mod plan;
mod recorder;

#[cfg(test)]
mod tests;

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::listener::{Listener, ListenerResult};
pub use self::plan::ListenPlan;
use self::recorder::ListenRecorder;
use super::connect::{self, Connected};
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::format;
use crate::domain::listen::report::{ListenEvent, ListenInfo, ListenReport, ListenReporter};
use crate::domain::listen::{
    EndLiveness, ListenFindings, ListenState, ListenVerdict, ObservationConditions, UnansweredPolicy,
};

/// Runs the plan. Everything is told to `reporter`, the report last; it is also returned.
pub async fn run(
    plan: ListenPlan,
    reporter: &mut dyn ListenReporter,
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
        Some(Ok((room, notes))) => listen(&plan, room, notes, reporter, &interrupt).await,
    };
    let report = outcome.report(info, started_at, start);
    reporter.report(&ListenEvent::Finished(Box::new(report.clone())));
    report
}

/// Opens and greets a connection. It is listened from the opening on.
async fn open(plan: &ListenPlan) -> Result<(Connected, ListenRecorder), ConnectError> {
    let mut room = connect::connect(&plan.target, &plan.dial, plan.max_message_size, plan.largest()).await?;
    let mut notes = ListenRecorder::new(room.opened, plan.shapes.clone());
    room.greet(&plan.greeting, &plan.target, &|_| {}, &mut |word| notes.overhear(word)).await?;
    Ok((room, notes))
}

async fn listen(
    plan: &ListenPlan,
    mut room: Connected,
    notes: ListenRecorder,
    reporter: &mut dyn ListenReporter,
    interrupt: &CancellationToken,
) -> ListenOutcome {
    let facts = Arc::new(room.facts.clone());
    reporter.report(&ListenEvent::Opened { at: SystemTime::now(), opened: Arc::clone(&facts) });
    if !plan.answer {
        room.mute.start();
    }
    let overheard = Listener::new(plan, &mut room.socket, notes, reporter).listen(interrupt).await;
    if let Some(ending) = &overheard.ending {
        reporter.report(&ListenEvent::Ended(Arc::clone(ending)));
    }
    ListenOutcome::Heard(facts, Box::new(overheard))
}

/// What came of a run.
enum ListenOutcome {
    /// Before anything was open.
    Interrupted,
    NotOpened(Arc<ConnectError>),
    Heard(Arc<ConnectInfo>, Box<ListenerResult>),
}

impl ListenOutcome {
    fn report(self, info: Arc<ListenInfo>, started_at: SystemTime, start: Instant) -> ListenReport {
        let elapsed = start.elapsed();
        let nothing = || ListenState::default().findings(&ObservationConditions::default());
        let unheard = |verdict, reason: String, error| {
            let findings =
                ListenFindings { verdict: ListenVerdict::Inconclusive, reasons: vec![reason], ..nothing() };
            (findings, verdict, error)
        };
        let (opened, ending, close_reply) = match &self {
            ListenOutcome::Heard(opened, overheard) => {
                (Some(Arc::clone(opened)), overheard.ending.clone(), overheard.close_reply.clone())
            }
            ListenOutcome::Interrupted | ListenOutcome::NotOpened(_) => (None, None, None),
        };
        let partial = match &self {
            ListenOutcome::Interrupted => true,
            ListenOutcome::NotOpened(_) => false,
            ListenOutcome::Heard(_, overheard) => overheard.circumstances.interrupted,
        };
        let (findings, verdict, error) = match self {
            ListenOutcome::Interrupted => {
                let why = format!("the interrupt came while {} was still being opened", info.url);
                unheard(RunResult::Interrupted { measured: false }, why, None)
            }
            ListenOutcome::NotOpened(error) => {
                unheard(RunResult::Unreachable, error.to_string(), Some(error))
            }
            ListenOutcome::Heard(_, overheard) => {
                let verdict = judge(&overheard);
                (overheard.findings, verdict, None)
            }
        };
        let mut reasons = reasons(&findings, verdict, ending.as_deref());
        if verdict == (RunResult::Interrupted { measured: true }) {
            reasons.insert(0, cut_short(findings.listened, info.listen_for));
        }
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

/// A connection that ended before its time is found wanting, unless the server ended it, by its own hand, on a client
/// that left it unanswered, or may have because this host stood still, or a limit of ours ended it.
fn judge(overheard: &ListenerResult) -> RunResult {
    let ListenerResult { circumstances, findings, ending, excused, .. } = overheard;
    let provoked = matches!(findings.unanswered, Some(UnansweredPolicy::Ends { .. }));
    match (findings.verdict, ending) {
        (_, Some(_)) if *excused => RunResult::Inconclusive,
        // A limit of ours: what would have come later is not known.
        (_, Some(ending)) if matches!(ending.how, CloseKind::TooLarge { .. }) => RunResult::Inconclusive,
        (_, Some(_)) if !provoked => RunResult::Failed,
        (_, _) if circumstances.interrupted => RunResult::Interrupted { measured: true },
        (ListenVerdict::Inconclusive, _) => RunResult::Inconclusive,
        // It ended, and nobody knows when.
        (_, None) if circumstances.known == EndLiveness::Forgotten => RunResult::Inconclusive,
        (
            ListenVerdict::ServerPingsEvery
            | ListenVerdict::ServerIsSilentFor
            | ListenVerdict::PeriodicMessages
            | ListenVerdict::Irregular,
            _,
        ) => RunResult::Passed,
    }
}

fn cut_short(listened: Duration, listen_for: Duration) -> String {
    format!("interrupted after {} of {}", format::duration(listened), format::duration(listen_for))
}

fn reasons(findings: &ListenFindings, verdict: RunResult, ending: Option<&CloseCause>) -> Vec<String> {
    let ended = ending
        .filter(|_| verdict != RunResult::Passed)
        .map(|ending| format!("the connection ended before its time: {ending}"));
    findings.reasons.iter().cloned().chain(ended).collect()
}
