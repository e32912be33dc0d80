//! A scripted run of checks, for the tests of every format.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::*;
use crate::domain::run::run_result::RunResult;
use crate::output::finished_run::FinishedRun;
use crate::output::idle::{self, IdlePresenter};
use crate::output::listen::{self, ListenPresenter};
use crate::output::output_format::Format;
use crate::output::ping::{self, PingPresenter};
use crate::output::testing::{self, CapturedOutput, HOSTILE, NOON, PLAIN, finished};

/// What a format prints of the run.
pub fn show(format: Format, options: HumanOptions) -> CapturedOutput {
    testing::show(ChecksPresenter::new(options), format, options, &run())
}

fn check(name: &str, run: FinishedRun) -> FinishedCheck {
    let identity = CheckIdentity {
        name: name.to_string(),
        command: run.command.clone(),
        target: run.view.subject.clone(),
        labels: BTreeMap::from([("team".to_string(), "chat".to_string())]),
    };
    FinishedCheck { identity, outcome: CheckOutcome::Ran(Box::new(run)) }
}

fn not_run(name: &str, at: SystemTime) -> FinishedCheck {
    let identity = CheckIdentity {
        name: name.to_string(),
        command: "ping".to_string(),
        target: "ws://d.example/".to_string(),
        labels: BTreeMap::new(),
    };
    let result = RunResult::Interrupted { measured: false };
    let reason = "the run was interrupted before it began".to_string();
    FinishedCheck { identity, outcome: CheckOutcome::NotRun { at, result, reason } }
}

/// Four checks, one of which did not begin.
pub fn run() -> Vec<ChecksEvent> {
    let at = SystemTime::UNIX_EPOCH + NOON;
    let ping = |events: &[_]| finished(PingPresenter::new(PLAIN), events);
    let checks = vec![
        check("chat", ping(&ping::fixtures::healthy())),
        check("hostile", ping(&ping::fixtures::hostile())),
        check("idle", finished(IdlePresenter::new(PLAIN), &idle::fixtures::visible())),
        check("heartbeats", finished(ListenPresenter::new(PLAIN), &listen::fixtures::pings())),
        not_run("later", at),
    ];
    let checks: Vec<Arc<FinishedCheck>> = checks.into_iter().map(Arc::new).collect();
    let identities = checks.iter().map(|check| check.identity.clone()).collect();
    let mut events = vec![ChecksEvent::Started { at, file: "wscheck.toml".to_string(), checks: identities }];
    for (index, check) in checks.iter().enumerate() {
        events.push(ChecksEvent::CheckStarted { at, index });
        events.push(ChecksEvent::Progress { index, text: format!("sent 3 {}", HOSTILE.len()) });
        events.push(ChecksEvent::CheckFinished { at, index, check: Arc::clone(check) });
    }
    let elapsed = Duration::from_secs(9);
    let file = "wscheck.toml".to_string();
    let report = ChecksReport { file, started_at: at, elapsed, interrupted: true, checks };
    events.push(ChecksEvent::Finished(Arc::new(report)));
    events
}
