//! `wscheck test-client`: runs the user's client against a test server in this process, once for each fault, and judges
//! what it did.

mod event;
mod fault_test;
mod plan;

pub use event::{TestClientEvent, TestClientEventKind};
pub use plan::{ClientCommand, TestClientPlan};

use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::start_failure::StartFailure;
use crate::domain::client_test::faults::ClientFault;
use crate::domain::client_test::report::{ClientTestReport, FaultTest};
use crate::domain::run::reporter::Reporter;
pub use crate::net::process_group::kill_all as kill_clients;

/// Tests the client against each fault; reports each event, the report last.
///
/// # Errors
///
/// The client or the server cannot be started; then every client that was started has ended.
pub async fn run(
    plan: TestClientPlan,
    reporter: &mut dyn Reporter<TestClientEvent>,
    interrupt: CancellationToken,
) -> Result<ClientTestReport, StartFailure> {
    let (started_at, started) = (SystemTime::now(), Instant::now());
    let (events, mut happened) = unbounded_channel();
    reporter.report(&TestClientEvent::of_run(TestClientEventKind::Started {
        command: plan.command.text(),
        faults: plan.faults.iter().map(|fault| fault.name).collect(),
        limit: plan.limit,
    }));
    let mut testing = Box::pin(test_all(&plan, events, &interrupt));
    let tests = loop {
        tokio::select! {
            biased;
            Some(event) = happened.recv() => reporter.report(&event),
            tests = &mut testing => break tests,
        }
    };
    drop(testing);
    while let Some(event) = happened.recv().await {
        reporter.report(&event);
    }
    let report = ClientTestReport {
        command: plan.command.text(),
        started_at,
        elapsed: started.elapsed(),
        interrupted: interrupt.is_cancelled(),
        limit: plan.limit,
        after: plan.after,
        tests: tests?,
    };
    reporter.report(&TestClientEvent::of_run(TestClientEventKind::Finished(Box::new(report.clone()))));
    Ok(report)
}

/// Tests all faults, side by side or one after another.
async fn test_all(
    plan: &TestClientPlan,
    events: UnboundedSender<TestClientEvent>,
    interrupt: &CancellationToken,
) -> Result<Vec<FaultTest>, StartFailure> {
    let test = |fault: &'static ClientFault| fault_test::run(plan, fault, events.clone(), interrupt.clone());
    if !plan.one_at_a_time {
        return join_all(plan.faults.iter().map(|fault| test(fault))).await.into_iter().collect();
    }
    let mut tests = Vec::new();
    for fault in &plan.faults {
        tests.push(test(fault).await?);
    }
    Ok(tests)
}
