//! `wscheck test-client`: arguments and run.

use std::ffi::OsString;
use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::args::{OutputArgs, positive_duration};
use super::runner;
use crate::commands::test_client::{self, ClientCommand, TestClientPlan};
use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::client_test::faults::{CLIENT_FAULTS, ClientFault};
use crate::output::client_test::ClientTestPresenter;

/// The arguments of `wscheck test-client`.
#[derive(Debug, Clone, Args)]
pub struct TestClientArgs {
    /// The client's command; its environment has the server's URL in WSCHECK_URL, and {url} in its arguments becomes it
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
    /// Test against this fault (repeatable)
    #[arg(long, value_name = "FAULT", value_parser = fault_parser(), required_unless_present = "matrix",
          conflicts_with = "matrix")]
    fault: Vec<&'static ClientFault>,
    /// Test against every fault
    #[arg(long)]
    matrix: bool,
    /// Age of a connection at which its fault begins; the delay of slow-upgrade
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = positive_duration)]
    after: Duration,
    /// Maximum time for one fault; a test ends earlier when the client has come back and answered a ping, or exits
    #[arg(long = "for", value_name = "TIME", default_value = "90s", value_parser = positive_duration)]
    limit: Duration,
    /// Fail unless this is true of the client, such as 'noticed<=10s' (repeatable); it replaces the fault's own criteria
    /// about the same metric and adds to the others (--help lists both)
    #[arg(long, value_name = "EXPR")]
    expect: Vec<ClientExpectation>,
    /// Time between the server's pings
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = positive_duration)]
    interval: Duration,
    /// Maximum time for the client to answer a ping
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = positive_duration)]
    timeout: Duration,
    /// Test one fault after another instead of side by side
    #[arg(long)]
    one_at_a_time: bool,
    #[command(flatten)]
    output: OutputArgs,
}

fn fault_parser() -> impl TypedValueParser<Value = &'static ClientFault> {
    PossibleValuesParser::new(CLIENT_FAULTS.iter().map(|fault| fault.name))
        .try_map(|name| ClientFault::named(&name))
}

/// The faults and their criteria, for help.
pub fn fault_help() -> String {
    let mut text = "Faults, and what is expected of the client (T is --after):".to_string();
    for fault in CLIENT_FAULTS {
        let expected: Vec<String> =
            fault.criteria(&[]).iter().map(|demand| demand.expectation.to_string()).collect();
        let _ = write!(text, "\n  {:<13} {}: {}", fault.name, fault.meaning_after("T"), expected.join(", "));
    }
    text
}

impl TestClientArgs {
    /// Runs the command; returns its exit code.
    pub fn main(self) -> ExitCode {
        let output = self.output.clone();
        runner::run_plan::<ClientTestPresenter, _>(&output, self.plan(), async |plan, reporter, control| {
            let report = test_client::run(plan, reporter, control.interrupt).await;
            Ok(report?.result())
        })
    }

    /// Builds the plan. The error is a lower-case fragment.
    fn plan(self) -> Result<TestClientPlan, String> {
        if self.limit <= self.after {
            return Err("--for must be longer than --after: the test would end before its fault".to_string());
        }
        let mut words = self.command.into_iter();
        let program = words.next().unwrap_or_default();
        Ok(TestClientPlan {
            command: ClientCommand { program, arguments: words.collect() },
            faults: if self.matrix { CLIENT_FAULTS.iter().collect() } else { self.fault },
            after: self.after,
            limit: self.limit,
            expected: self.expect,
            interval: self.interval,
            timeout: self.timeout,
            one_at_a_time: self.one_at_a_time,
            shows_output: !self.output.quiet,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct TestClientCli {
        #[command(flatten)]
        args: TestClientArgs,
    }

    fn plan(words: &[&str]) -> Result<TestClientPlan, String> {
        let line = ["test-client"].iter().chain(words);
        TestClientCli::try_parse_from(line).map_err(|why| why.to_string())?.args.plan()
    }

    #[test]
    fn command_follows_two_dashes_and_may_have_options() {
        let plan = plan(&["--fault", "stall", "--", "node", "client.mjs", "--for", "{url}"]).unwrap();
        assert_eq!(plan.command.program, "node");
        assert_eq!(plan.command.arguments, ["client.mjs", "--for", "{url}"]);
        assert_eq!(plan.faults.iter().map(|fault| fault.name).collect::<Vec<_>>(), ["stall"]);
    }

    #[test]
    fn matrix_is_every_fault() {
        assert_eq!(plan(&["--matrix", "--", "true"]).unwrap().faults.len(), CLIENT_FAULTS.len());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(plan(&["--", "true"]).unwrap_err().contains("--fault"));
        assert!(plan(&["--fault", "stall"]).unwrap_err().contains("COMMAND"));
        assert!(
            plan(&["--matrix", "--fault", "stall", "--", "true"]).unwrap_err().contains("cannot be used")
        );
        assert!(plan(&["--fault", "flood", "--", "true"]).unwrap_err().contains("possible values: silent"));
        let late = plan(&["--fault", "stall", "--for", "2s", "--", "true"]).unwrap_err();
        assert!(late.starts_with("--for must be longer than --after"), "{late}");
    }

    #[test]
    fn help_explains_every_fault() {
        let help = fault_help();
        for fault in CLIENT_FAULTS {
            assert!(help.contains(&format!("\n  {:<13} ", fault.name)), "{}", fault.name);
        }
    }
}
