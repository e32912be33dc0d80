//! `wscheck doctor`: what is wrong, at which hop, and what to change.

mod feature_trials;
mod opening;
mod path_task;
mod plan;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;

use self::path_task::{PathMessage, PathTask};
pub use self::plan::{
    DoctorPlan, MAX_CONNECTIONS, MAX_OTHER_PATHS, MeasurementLimits, Measurements, PathPlan,
};
use crate::domain::connection::target::Target;
use crate::domain::doctor::evidence::PathEvidence;
use crate::domain::doctor::report::{
    DoctorEvent, DoctorInfo, DoctorProgress, DoctorReport, ExaminedPath, PathInfo, judge,
};
use crate::domain::doctor::{Check, CheckResult, Conditions, advise, compare, examine};
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::endpoint::Endpoint;
use crate::net::connect::reach;

/// How often progress is reported.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// Connections beside those of the search for the idle timeout: RTTs, heartbeats of the server, fragments.
const OTHER_CONNECTIONS: usize = 3;
/// A search needs a control and two more.
const LEAST_IDLE_CONNECTIONS: usize = 3;
/// The dead clients and their control.
const ZOMBIE_CONNECTIONS: usize = 6;

/// Runs the plan. Reports every event to `reporter`, the report last; also returns the report.
pub async fn run(
    mut plan: DoctorPlan,
    reporter: &mut dyn Reporter<DoctorEvent>,
    interrupt: CancellationToken,
) -> Arc<DoctorReport> {
    let (started_at, start) = (SystemTime::now(), Instant::now());
    if plan.each_address {
        let expanded = expand_addresses(&plan.target, &plan.paths).await;
        plan.info.paths = expanded.iter().map(|path| path.info.clone()).collect();
        plan.paths = expanded;
    }
    if plan.target.secure() {
        // Loads the system's roots before anything is timed. An error recurs when a connection opens.
        let _ = plan.paths.first().map(|path| path.dial.tls.prepare());
    }
    let info = Arc::new(plan.info.clone());
    reporter.report(&DoctorEvent::Started { at: started_at, info: Arc::clone(&info) });
    let evidence = examine_paths(&plan, start, reporter, &interrupt).await;
    let interrupted = interrupt.is_cancelled();
    let report = Arc::new(conclude(&plan, info, evidence, (started_at, start.elapsed()), interrupted));
    reporter.report(&DoctorEvent::Finished(Arc::clone(&report)));
    report
}

/// A path for each address of the name, then the given ones.
async fn expand_addresses(target: &Target, paths: &[PathPlan]) -> Vec<PathPlan> {
    let Some(main) = paths.last() else { return Vec::new() };
    let survey = reach::survey(&main.dial, target).await;
    let addresses = survey.outcome.unwrap_or_default();
    if addresses.len() < 2 {
        return paths.to_vec();
    }
    let of_address = |address: &str| {
        let connect_to: Endpoint = address.parse().ok()?;
        let name = address.to_string();
        let info = PathInfo { address: Some(name.clone()), name, is_alternative: true };
        Some(PathPlan { info, dial: DialPlan { connect_to: Some(connect_to), ..main.dial.clone() } })
    };
    let each = addresses.iter().take(MAX_OTHER_PATHS).filter_map(|attempt| of_address(&attempt.address));
    each.chain(paths.iter().cloned()).collect()
}

async fn examine_paths(
    plan: &DoctorPlan,
    start: Instant,
    reporter: &mut dyn Reporter<DoctorEvent>,
    interrupt: &CancellationToken,
) -> Vec<PathEvidence> {
    let ends_at = start + plan.info.budget;
    let stop = interrupt.child_token();
    let (says, mut said) = mpsc::unbounded_channel();
    let tasks = plan.paths.iter().enumerate().map(|(index, path)| {
        let task = PathTask {
            plan,
            index,
            path: path.clone(),
            says: says.clone(),
            stop: stop.clone(),
            interrupt: interrupt.clone(),
            ends_at,
            idle_connections: idle_connections(plan, index),
        };
        task.run()
    });
    let mut tasks: FuturesUnordered<_> = tasks.collect();
    let mut found: Vec<PathEvidence> = plan.paths.iter().map(|_| PathEvidence::default()).collect();
    let mut running: Vec<&'static str> = Vec::new();
    let mut ticks = interval(PROGRESS_INTERVAL);
    loop {
        tokio::select! {
            biased;
            Some(message) = said.recv() => match message {
                PathMessage::Event(event) => reporter.report(&event),
                PathMessage::Running(name, true) => running.push(name),
                PathMessage::Running(name, false) => {
                    running.iter().position(|known| *known == name).map(|index| running.remove(index));
                }
            },
            () = tokio::time::sleep_until(ends_at), if !stop.is_cancelled() => stop.cancel(),
            Some((index, evidence)) = tasks.next() => found[index] = evidence,
            _ = ticks.tick() => reporter.report(&progress(plan, &running)),
        }
        if tasks.is_empty() && said.is_empty() {
            break;
        }
    }
    found
}

fn progress(plan: &DoctorPlan, running: &[&'static str]) -> DoctorEvent {
    let mut running = running.to_vec();
    running.sort_unstable();
    running.dedup();
    DoctorEvent::Progress(DoctorProgress { until: plan.info.budget, running })
}

/// How many connections the search of a path may have open. Beside the URL itself, others have few.
fn idle_connections(plan: &DoctorPlan, index: usize) -> usize {
    let others = plan.paths.len().saturating_sub(1);
    if index < others {
        return LEAST_IDLE_CONNECTIONS;
    }
    let zombies = if plan.looks_for_dead_clients() { ZOMBIE_CONNECTIONS } else { 0 };
    let taken = others * LEAST_IDLE_CONNECTIONS + OTHER_CONNECTIONS + zombies;
    MAX_CONNECTIONS.saturating_sub(taken).max(LEAST_IDLE_CONNECTIONS)
}

fn conclude(
    plan: &DoctorPlan,
    info: Arc<DoctorInfo>,
    evidence: Vec<PathEvidence>,
    (started_at, elapsed): (SystemTime, Duration),
    interrupted: bool,
) -> DoctorReport {
    let has_hops = plan.paths.len() > 1;
    let conditions = Conditions { selection: &plan.selection, depth: info.depth, has_hops, interrupted };
    let paths: Vec<ExaminedPath> = evidence
        .into_iter()
        .zip(&info.paths)
        .map(|(evidence, path)| {
            let results = examine(&evidence, conditions);
            ExaminedPath { info: path.clone(), evidence, results }
        })
        .collect();
    let advice = paths.last().map(|path| advise(&path.evidence)).unwrap_or_default();
    let has_advice = plan.selection.has(Check::Advice);
    let wanted = |result: &CheckResult| plan.selection.has(result.check);
    let advice = advice.into_iter().filter(|result| has_advice || wanted(result));
    let joined = compare(&paths).into_iter().filter(wanted).chain(advice).collect();
    let result = RunResult::Passed;
    let report = DoctorReport { info, started_at, elapsed, interrupted, paths, joined, result };
    let result = judge(&report);
    DoctorReport { result, ..report }
}
