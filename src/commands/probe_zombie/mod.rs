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
use crate::domain::format;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo, ZombieReport};
use crate::domain::zombie::{ZombieFindings, ZombieVerdict};

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    plan: ZombiePlan,
    reporter: &mut dyn Reporter<ZombieEvent>,
    interrupt: CancellationToken,
) -> ZombieReport {
    if plan.target.secure() {
        // Loads the system's roots before anything is timed. An error recurs when a connection opens.
        let _ = plan.dial.tls.prepare();
    }
    let info = Arc::new(plan.info());
    let started_at = SystemTime::now();
    let start = Instant::now();
    reporter.report(&ZombieEvent::Started { at: started_at, info: Arc::clone(&info) });
    let result = Supervisor::open(plan, reporter).watch(&interrupt).await;
    let report = build_report(info, result, started_at, start);
    reporter.report(&ZombieEvent::Finished(Box::new(report.clone())));
    report
}

fn build_report(
    info: Arc<ZombieInfo>,
    result: SupervisorResult,
    started_at: SystemTime,
    start: Instant,
) -> ZombieReport {
    let quality = result.quality(&info);
    let SupervisorResult { clients, opened, error, interrupted, .. } = result;
    let headers = opened.as_ref().map_or(&[][..], |opened| &opened.headers);
    let findings = ZombieFindings::of(clients, quality).with_headers(headers);
    let expectation = info.expectation.clone().map(|expected| {
        let truth = findings.meets(&expected);
        (expected, truth)
    });
    let mut reasons = findings.reasons.clone();
    let verdict = match (&opened, interrupted) {
        (None, true) => {
            reasons = vec![format!("the interrupt came while {} was still being opened", info.url)];
            RunResult::Interrupted { measured: false }
        }
        (None, false) => {
            reasons = error.iter().map(|error| error.to_string()).collect();
            RunResult::Unreachable
        }
        (Some(_), true) if !is_unmet(expectation.as_ref()) => {
            reasons.insert(0, interrupted_reason(&info, start));
            RunResult::Interrupted { measured: true }
        }
        (Some(_), _)
            if findings.verdict == ZombieVerdict::Inconclusive && !is_decided(expectation.as_ref()) =>
        {
            RunResult::Inconclusive
        }
        (Some(_), _) => {
            judge(expectation.as_ref().map(|(expected, truth)| (expected.to_string(), truth)), &mut reasons)
        }
    };
    if interrupted && verdict == RunResult::Failed {
        reasons.push(interrupted_reason(&info, start));
    }
    ZombieReport {
        info,
        started_at,
        elapsed: start.elapsed(),
        opened,
        error,
        findings,
        expectation,
        verdict,
        reasons,
        partial: interrupted,
    }
}

/// Whether the evidence decides the expectation.
fn is_decided(expectation: Option<&(Expectation, Truth)>) -> bool {
    expectation.is_some_and(|(_, truth)| !matches!(truth, Truth::Unknown(_)))
}

/// Describes how far the run got before the interrupt.
fn interrupted_reason(info: &ZombieInfo, start: Instant) -> String {
    let (elapsed, max) = (format::duration(start.elapsed()), format::duration(info.max));
    format!("interrupted after {elapsed} of at most {max}")
}

/// Whether the evidence shows the expectation unmet.
fn is_unmet(expectation: Option<&(Expectation, Truth)>) -> bool {
    expectation.is_some_and(|(_, truth)| truth.is_false())
}

fn judge(expectation: Option<(String, &Truth)>, reasons: &mut Vec<String>) -> RunResult {
    match expectation {
        None | Some((_, Truth::True(_) | Truth::TrueOfBounds(_))) => RunResult::Passed,
        Some((expected, Truth::False(_))) => {
            reasons.push(format!(
                "expected the server to close dead clients {expected}, but it did not close all"
            ));
            RunResult::Failed
        }
        Some((expected, Truth::Unknown(why))) => {
            reasons.push(format!("it is unknown whether it is {expected}: {why}"));
            RunResult::Inconclusive
        }
    }
}
