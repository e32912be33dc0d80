//! The report of `test-client`: what the client did about each fault.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::activity::ClientActivity;
use super::faults::{ClientFault, DemandedOfClient};
use super::verdict;
pub use crate::domain::exit_status::ExitStatus;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::run_result::RunResult;

/// What a client that never tries to connect may lack.
const NEVER_CONNECTED: &str = "the client ran without connecting: it finds the server's URL in WSCHECK_URL, or in its \
                               arguments in the place of {url}";

/// When and how a client's process ended before it was told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientExit {
    pub status: ExitStatus,
    /// Since its start.
    pub after: Duration,
    /// Whether it had connected before.
    pub had_connected: bool,
}

impl fmt::Display for ClientExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ClientExit { status, after, had_connected } = self;
        let when = if *had_connected { "" } else { " before it connected" };
        write!(f, "the client {status}{when}, after {}", crate::domain::format::duration(*after))
    }
}

/// A client that met one fault.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultTest {
    /// The name of the fault.
    pub fault: &'static str,
    /// What the server did.
    pub meaning: String,
    /// The URL that the client got; `None` if it was not started.
    pub url: Option<String>,
    pub activity: ClientActivity,
    /// `None`: wscheck ended it.
    pub exit: Option<ClientExit>,
    pub elapsed: Duration,
    pub criteria: Vec<Criterion>,
    pub result: RunResult,
    /// Why the result is what it is, as fragments.
    pub reasons: Vec<String>,
}

/// What is known when the client has been ended.
#[derive(Debug, Clone)]
pub struct FaultTestOutcome {
    /// The URL that the client got; `None` if it was not started.
    pub url: Option<String>,
    pub activity: ClientActivity,
    pub exit: Option<ClientExit>,
    pub elapsed: Duration,
    /// The user ended the test.
    pub interrupted: bool,
}

impl FaultTest {
    /// Judges what the client did.
    pub fn judge(
        fault: &'static ClientFault,
        after: Duration,
        demands: &[DemandedOfClient],
        outcome: FaultTestOutcome,
    ) -> FaultTest {
        let FaultTestOutcome { url, activity, exit, elapsed, interrupted } = outcome;
        let criterion =
            |demand: &DemandedOfClient| demand.expectation.criterion(demand.option, &activity, interrupted);
        let criteria: Vec<Criterion> = demands.iter().map(criterion).collect();
        let (result, mut reasons) = verdict::judge(&criteria, &activity, interrupted);
        match exit {
            Some(exit) if result != RunResult::Passed => reasons.push(exit.to_string()),
            None if result == RunResult::Unreachable => reasons.push(NEVER_CONNECTED.to_string()),
            Some(_) | None => {}
        }
        let meaning = fault.meaning(after);
        FaultTest { fault: fault.name, meaning, url, activity, exit, elapsed, criteria, result, reasons }
    }

    /// The whole test as one criterion: every criterion of the fault is met.
    fn criterion(&self) -> Criterion {
        let wanted: Vec<&str> = self.criteria.iter().map(|one| one.wanted.as_str()).collect();
        let found = match self.result {
            RunResult::Passed => "all met".to_string(),
            _ => self.reasons.join("; "),
        };
        let state = match self.result {
            RunResult::Passed => CriterionState::Met,
            RunResult::Failed | RunResult::Unreachable | RunResult::Usage => CriterionState::NotMet,
            RunResult::Inconclusive | RunResult::Interrupted { .. } => CriterionState::Unknown,
        };
        let wanted = format!("{}: {}", self.fault, wanted.join(", "));
        Criterion { option: Some("--fault".into()), wanted, found, state }
    }
}

/// A run of `test-client`.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientTestReport {
    /// The client's command, as typed.
    pub command: String,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub interrupted: bool,
    /// The most that the test of one fault may last.
    pub limit: Duration,
    /// When a fault begins on a connection.
    pub after: Duration,
    pub tests: Vec<FaultTest>,
}

impl ClientTestReport {
    /// The result of all tests.
    pub fn result(&self) -> RunResult {
        RunResult::of_several(&self.tests.iter().map(|test| test.result).collect::<Vec<_>>())
    }

    /// Why the result is what it is: of several faults each reason names its fault.
    pub fn reasons(&self) -> Vec<String> {
        match self.tests.as_slice() {
            [only] => only.reasons.clone(),
            several => {
                let bad = several.iter().filter(|test| test.result != RunResult::Passed);
                bad.map(|test| format!("{}: {}", test.fault, test.reasons.join("; "))).collect()
            }
        }
    }

    /// Of one fault its criteria; of several, one criterion for each fault.
    pub fn criteria(&self) -> Vec<Criterion> {
        match self.tests.as_slice() {
            [only] => only.criteria.clone(),
            several => several.iter().map(FaultTest::criterion).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection_record::tests::seconds;
    use super::*;

    fn test(fault: &str, reconnects: u64, exit: Option<ClientExit>) -> FaultTest {
        let fault = ClientFault::named(fault).unwrap();
        let mut activity = ClientActivity::default();
        (activity.clients, activity.reconnects) = (1, reconnects);
        activity.record_stop(seconds(9));
        let users = ["answered>=0%".parse().unwrap(), "reconnect.delay>=0s".parse().unwrap()];
        let demands = fault.criteria(&users);
        let demands: Vec<_> = demands.into_iter().filter(|one| one.option == "--fault").collect();
        let outcome = FaultTestOutcome {
            url: Some("ws://127.0.0.1:9/".to_string()),
            activity,
            exit,
            elapsed: seconds(9),
            interrupted: false,
        };
        FaultTest::judge(fault, seconds(3), &demands, outcome)
    }

    fn report(tests: Vec<FaultTest>) -> ClientTestReport {
        ClientTestReport {
            command: "node client.mjs".to_string(),
            started_at: SystemTime::UNIX_EPOCH,
            elapsed: seconds(9),
            interrupted: false,
            limit: seconds(90),
            after: seconds(3),
            tests,
        }
    }

    #[test]
    fn one_fault_shows_its_criteria_and_several_one_each() {
        let single = report(vec![test("rst", 1, None)]);
        assert_eq!(
            (single.result(), single.criteria()[0].wanted.as_str()),
            (RunResult::Passed, "reconnects >= 1")
        );
        let several = report(vec![test("rst", 1, None), test("rst", 0, None)]);
        let shown: Vec<_> =
            several.criteria().into_iter().map(|one| (one.wanted, one.found, one.state)).collect();
        let is = |found: &str, state| ("rst: reconnects >= 1".to_string(), found.to_string(), state);
        assert_eq!(
            shown,
            [is("all met", CriterionState::Met), is("reconnects >= 1: 0", CriterionState::NotMet)]
        );
        assert_eq!(
            (several.result(), several.reasons()),
            (RunResult::Failed, vec!["rst: reconnects >= 1: 0".to_string()])
        );
    }

    #[test]
    fn client_that_exits_is_named_with_its_status() {
        let exit = ClientExit { status: ExitStatus::Code(7), after: seconds(1), had_connected: false };
        let nobody = FaultTest { activity: ClientActivity::default(), ..test("rst", 0, Some(exit)) };
        assert_eq!(nobody.reasons[1], "the client exited with status 7 before it connected, after 1 s");
        assert_eq!(ExitStatus::Signal(11).to_string(), "was ended by signal 11");
    }
}
