//! `wscheck listen`: which heartbeats does the server send by itself, and how often?

mod listener;
mod plan;
mod recorder;

#[cfg(test)]
mod tests;

use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::listener::{Listener, ListenerResult};
pub use self::plan::ListenPlan;
use self::recorder::ListenRecorder;
use super::connect::{ConnectPlan, Connected, connect};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::listen::report::{ListenEvent, ListenInfo, ListenReport};
use crate::domain::listen::{
    EndLiveness, ListenFinding, ListenFindings, ListenState, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};
use crate::net::client::preamble::PreambleEvent;
use crate::net::transport::http2::goaway_log::GoawayLog;

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    plan: ListenPlan,
    reporter: &mut dyn Reporter<ListenEvent>,
    interrupt: CancellationToken,
) -> ListenReport {
    let (info, started_at, start) = (Arc::new(plan.info.clone()), SystemTime::now(), Instant::now());
    reporter.report(&ListenEvent::Started { at: started_at, info: Arc::clone(&info) });
    let mut report = unopened(info, started_at);
    let (mut plan, goaways) = (plan, GoawayLog::default());
    plan.connect.dial.goaways = Some(goaways.clone());
    match interrupt.run_until_cancelled(open(&plan)).await {
        None => {}
        Some(Err(error)) => fail(&mut report, Arc::new(error)),
        Some(Ok((connected, recorder))) => {
            listen(&plan, connected, recorder, reporter, &interrupt, &mut report).await;
        }
    }
    report.reasons.extend(goaways.summary().map(|goaways| ListenFinding::H2GoawayReceived { goaways }));
    report.elapsed = start.elapsed();
    reporter.report(&ListenEvent::Finished(Box::new(report.clone())));
    report
}

/// Opens a connection and runs its preamble; records events from the opening on.
async fn open(plan: &ListenPlan) -> Result<(Connected, ListenRecorder), ConnectError> {
    let ConnectPlan { target, dial, max_message_size, .. } = &plan.connect;
    let mut connected = connect(target, dial, *max_message_size, plan.largest()).await?;
    let mut recorder = ListenRecorder::new(connected.opened, plan.known_pings.clone());
    let mut record = |event: PreambleEvent<'_>| recorder.record_preamble(event);
    connected.run_preamble(&plan.connect, &|_| {}, &mut record).await?;
    Ok((connected, recorder))
}

async fn listen(
    plan: &ListenPlan,
    mut connected: Connected,
    recorder: ListenRecorder,
    reporter: &mut dyn Reporter<ListenEvent>,
    interrupt: &CancellationToken,
    report: &mut ListenReport,
) {
    let opened = Arc::new(connected.info.clone());
    reporter.report(&ListenEvent::Opened { at: SystemTime::now(), opened: Arc::clone(&opened) });
    report.opened = Some(opened);
    if !plan.info.answer {
        connected.socket.tap_state().mute();
    }
    let result = Listener::new(plan, &mut connected.socket, recorder, reporter).listen(interrupt).await;
    if let Some(ending) = &result.ending {
        reporter.report(&ListenEvent::Ended(Arc::clone(ending)));
    }
    report.verdict = judge(&result);
    let ListenerResult { conditions, findings, ending, close_reply, .. } = result;
    report.reasons = findings.reasons_of(report.verdict, ending.as_ref(), plan.info.listen_for);
    report.partial = conditions.interrupted;
    (report.findings, report.ending, report.close_reply) = (findings, ending, close_reply);
}

/// The report of a run that was interrupted before its connection opened.
fn unopened(info: Arc<ListenInfo>, started_at: SystemTime) -> ListenReport {
    let why = ListenFinding::InterruptedWhileOpening { url: info.url.clone() };
    let nothing = ListenState::default().findings(&ObservationConditions::default());
    let verdict = ListenVerdict::Inconclusive;
    ListenReport {
        info,
        started_at,
        elapsed: Duration::ZERO,
        opened: None,
        error: None,
        findings: ListenFindings { verdict, reasons: vec![why.clone()], ..nothing },
        ending: None,
        close_reply: None,
        verdict: RunResult::Interrupted { measured: false },
        reasons: vec![why],
        partial: true,
    }
}

/// Notes in the report that the connection did not open.
fn fail(report: &mut ListenReport, error: Arc<ConnectError>) {
    report.reasons = vec![ListenFinding::NotOpened(Arc::clone(&error))];
    report.findings.reasons = report.reasons.clone();
    (report.verdict, report.partial, report.error) = (RunResult::Unreachable, false, Some(error));
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
