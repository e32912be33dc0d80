//! `wscheck probe-zombie`: how long does the server keep a dead client?

mod client_task;
mod plan;
mod stalled_client;
mod supervisor;
mod unread_backlog;

use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::plan::ZombiePlan;
use self::supervisor::{Supervisor, SupervisorResult};
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieReport};
use crate::domain::zombie::{ZombieFinding, ZombieFindings, ZombieVerdict};
use crate::net::transport::http2::goaway_log::GoawayLog;

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    plan: ZombiePlan,
    reporter: &mut dyn Reporter<ZombieEvent>,
    interrupt: CancellationToken,
) -> ZombieReport {
    plan.connect.prepare();
    let info = Arc::new(plan.info.clone());
    let started_at = SystemTime::now();
    let start = Instant::now();
    reporter.report(&ZombieEvent::Started { at: started_at, info: Arc::clone(&info) });
    let (mut plan, goaways) = (plan, GoawayLog::default());
    plan.connect.dial.goaways = Some(goaways.clone());
    let result = Supervisor::open(plan, Arc::clone(&info), reporter).watch(&interrupt).await;
    let mut report = build_report(info, result, started_at, start);
    report.reasons.extend(goaways.summary().map(|goaways| ZombieFinding::H2GoawayReceived { goaways }));
    reporter.report(&ZombieEvent::Finished(Box::new(report.clone())));
    report
}

fn build_report(
    info: Arc<ZombieInfo>,
    result: SupervisorResult,
    started_at: SystemTime,
    start: Instant,
) -> ZombieReport {
    let SupervisorResult { clients, opened, error, quality } = result;
    let interrupted = !quality.whole;
    let headers = opened.as_ref().map_or(&[][..], |opened| &opened.headers);
    let findings = ZombieFindings::of(clients, quality).with_headers(headers);
    // The clients are part of the findings.
    tracing::info!(target: "inference", of = "zombie policy", ?quality, ?headers, ?findings);
    let expectation = info.expectation.clone().map(|expected| {
        let truth = findings.meets(&expected);
        (expected, truth)
    });
    let verdict = match (&opened, interrupted) {
        (None, true) => RunResult::Interrupted { measured: false },
        (None, false) => RunResult::Unreachable,
        (Some(_), _) => judge(&findings, expectation.as_ref().map(|(_, truth)| truth), interrupted),
    };
    let elapsed = start.elapsed();
    let reasons = match verdict {
        RunResult::Interrupted { measured: false } => {
            vec![ZombieFinding::InterruptedWhileOpening { url: info.url.clone() }]
        }
        RunResult::Unreachable => error.iter().cloned().map(ZombieFinding::NotOpened).collect(),
        _ => findings.reasons_of(verdict, interrupted.then_some((elapsed, info.max))),
    };
    ZombieReport {
        info,
        started_at,
        elapsed,
        opened,
        error,
        findings,
        expectation,
        verdict,
        reasons,
        partial: interrupted,
    }
}

/// The result of a run that opened.
fn judge(findings: &ZombieFindings, expectation: Option<&Truth>, interrupted: bool) -> RunResult {
    match expectation {
        Some(Truth::False(_)) => RunResult::Failed,
        _ if interrupted => RunResult::Interrupted { measured: true },
        Some(Truth::Unknown(_)) => RunResult::Inconclusive,
        None if findings.verdict == ZombieVerdict::Inconclusive => RunResult::Inconclusive,
        Some(Truth::True(_) | Truth::TrueOfBounds(_)) | None => RunResult::Passed,
    }
}
