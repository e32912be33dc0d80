//! `wscheck ping`, as typed.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::args::{OutputArgs, at_least_one, positive_duration};
use super::connect::ConnectArgs;
use super::heartbeat::HeartbeatArgs;
use super::{printer, usage};
use crate::commands::ping::{self, PingPlan};
use crate::domain::backoff::Backoff;
use crate::domain::event::Reporter;
use crate::domain::health::Limits;
use crate::domain::target::Target;
use crate::domain::threshold::{FailIf, FailOn};
use crate::domain::verdict::Policy;
use crate::net::session::plan::SessionPlan;

/// The arguments of `wscheck ping`.
#[derive(Debug, Clone, Args)]
pub struct PingArgs {
    /// WebSocket URLs (ws:// or wss://); one connection is opened to each
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Connections to each URL
    #[arg(short = 'n', long, value_name = "N", default_value = "1", value_parser = at_least_one::<u32>)]
    pub connections: u32,
    /// Heartbeats of each kind on each connection; without it, until Ctrl-C
    #[arg(short, long, value_name = "COUNT", value_parser = at_least_one::<u64>)]
    pub count: Option<u64>,
    /// End the whole run after this, whatever is still outstanding
    #[arg(short = 'w', long, value_name = "TIME", value_parser = positive_duration)]
    pub deadline: Option<Duration>,
    #[command(flatten)]
    pub heartbeat: HeartbeatArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub reconnect: ReconnectArgs,
    #[command(flatten)]
    pub thresholds: ThresholdArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What happens when a connection is lost.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reconnecting")]
pub struct ReconnectArgs {
    /// Open a connection again when it was lost (a first opening that fails is not repeated)
    #[arg(long)]
    pub reconnect: bool,
    /// Backoff before the first attempt; it doubles with each, and a random share of it is waited
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = positive_duration)]
    pub reconnect_base: Duration,
    /// The longest backoff
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = positive_duration)]
    pub reconnect_cap: Duration,
    /// Attempts in a row before giving up
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one::<u32>)]
    pub reconnect_attempts: u32,
}

impl ReconnectArgs {
    fn backoff(&self) -> Option<Backoff> {
        self.reconnect.then_some(Backoff {
            base: self.reconnect_base,
            cap: self.reconnect_cap,
            max_attempts: Some(self.reconnect_attempts),
        })
    }
}

/// What counts as well, and what fails the run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Status and exit code")]
pub struct ThresholdArgs {
    /// Healthy up to this mean RTT of the window
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = positive_duration)]
    pub healthy: Duration,
    /// Degraded up to this
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = positive_duration)]
    pub degraded: Duration,
    /// Poor up to this, critical above
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = positive_duration)]
    pub poor: Duration,
    /// Dead after so many heartbeats missed in a row
    #[arg(long, value_name = "N", default_value = "3", value_parser = at_least_one::<u32>)]
    pub dead_after: u32,
    /// Answered heartbeats in the rolling window
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one::<u32>)]
    pub window: u32,
    /// Exit 1 when the status is this or worse: healthy degraded poor critical timeout dead
    #[arg(long, value_name = "STATUS", default_value = "poor")]
    pub fail_on: FailOn,
    /// Exit 1 when this is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable)
    #[arg(long, value_name = "EXPR")]
    pub fail_if: Vec<FailIf>,
}

impl ThresholdArgs {
    fn limits(&self) -> Result<Limits, String> {
        if !(self.healthy < self.degraded && self.degraded < self.poor) {
            return Err(
                "--healthy, --degraded and --poor must rise: each is the upper bound of its status".into()
            );
        }
        Ok(Limits {
            healthy: self.healthy,
            degraded: self.degraded,
            poor: self.poor,
            dead_after: self.dead_after,
            window: self.window as usize,
        })
    }

    fn policy(&self) -> Policy {
        Policy { fail_on: self.fail_on, fail_if: self.fail_if.clone() }
    }
}

impl PingArgs {
    /// Runs the command and gives its exit code.
    pub fn main(self) -> ExitCode {
        let output = self.output.clone();
        match self.plan() {
            Ok(plan) => printer::run("ping", &output, async |reporter: &mut dyn Reporter, control| {
                ping::run(plan, reporter, control).await.verdict
            }),
            Err(message) => usage::complain("ping", &message, output.format.chosen()),
        }
    }

    fn plan(self) -> Result<PingPlan, String> {
        let targets = self.urls.iter().map(|url| url.parse::<Target>().map_err(|why| why.to_string()));
        Ok(PingPlan {
            targets: targets.collect::<Result<_, _>>()?,
            connections_each: self.connections as usize,
            dial: self.connect.dial()?,
            greeting: self.heartbeat.greeting()?,
            session: SessionPlan {
                kinds: self.heartbeat.heartbeat.kinds(),
                interval: self.heartbeat.interval,
                timeout: self.heartbeat.timeout,
                count: self.count,
                limits: self.thresholds.limits()?,
                ask: self.heartbeat.ask()?,
                answer: self.heartbeat.answer()?,
                answer_pings: !self.heartbeat.no_answer,
            },
            max_message_size: self.connect.max_message_size,
            deadline: self.deadline,
            reconnect: self.reconnect.backoff(),
            policy: self.thresholds.policy(),
        })
    }
}
