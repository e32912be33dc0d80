//! `wscheck probe-zombie`: arguments and run.

use std::time::Duration;

use clap::Args;
use strum::IntoEnumIterator;

use super::args::{OutputArgs, positive_duration};
use super::connect::ConnectArgs;
use super::heartbeat::{AppPingArgs, FirstMessageArgs, interval, learn_secret_fields};
use super::measurement::Measurement;
use super::preset_args::{ChosenPreset, ServerArgs};
use crate::commands::probe_zombie::{self, ZombiePlan};
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::format::exact_duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::template::Template;
use crate::domain::presets::{IntendedTraffic, PresetDetection, PresetSelection};
use crate::domain::run::expectation::Expectation;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::domain::zombie::Behaviour;
use crate::domain::zombie::report::{ZombieEvent, ZombieInfo};
use crate::output::zombie::ZombiePresenter;

/// The arguments of `wscheck probe-zombie`.
#[derive(Debug, Clone, Args)]
pub struct ProbeZombieArgs {
    /// WebSocket URL (ws:// or wss://)
    #[arg(value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub control: ControlArgs,
    #[command(flatten)]
    pub app_ping: AppPingArgs,
    #[command(flatten)]
    pub first_message: FirstMessageArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of the clients.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Clients")]
pub struct ControlArgs {
    /// Maximum time to wait for the server to close a client
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = positive_duration)]
    pub max: Duration,
    /// Exit 1 if dead clients are not closed as expected: <=60s, <2m, >=30s
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub expect: Option<Expectation>,
    /// Interval at which the control connection sends a Ping and a message, and the pings-only client a Ping
    /// [default: 1/22 of --max, at least 220ms and at most 4.4s: not a round number, so that it does not coincide with
    /// the server's interval]
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub every: Option<Duration>,
    /// Message that each client sends once before it falls silent, and the control connection repeats: text with
    /// {seq}, {id} and {now_ms}, or hex:c000 for binary [default: a JSON ping, or the preset's]
    #[arg(long, value_name = "TEMPLATE")]
    pub say: Option<Template>,
    /// Maximum time without any answer to the control connection before it counts as dead (a pause of one second
    /// more than --every makes the run inconclusive)
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = positive_duration)]
    pub answer_timeout: Duration,
}

impl Measurement for ProbeZombieArgs {
    type Presenter = ZombiePresenter;
    type Plan = ZombiePlan;

    fn output(&self) -> &OutputArgs {
        &self.output
    }

    fn server(&self) -> ServerArgs<'_> {
        ServerArgs::one(&self.first_message.preset, &self.url, &self.connect)
    }

    fn plan(self, detection: Option<&PresetDetection>) -> Result<ZombiePlan, String> {
        let chosen = self.first_message.preset.chosen(std::slice::from_ref(&self.url), detection)?;
        self.first_message.check(&chosen)?;
        let message = self.control.message(&chosen)?;
        if let Some(message) = &message {
            learn_secret_fields(message);
        }
        let preamble = self.first_message.preamble(true, &chosen)?;
        let (max, expectation) = (self.control.max, self.control.expectation()?);
        let connect = chosen.connect(&self.url, &self.connect, preamble)?;
        let preset = chosen.used(&[HeartbeatKind::App]);
        Ok(ZombiePlan {
            info: ZombieInfo {
                url: connect.target.to_string(),
                max,
                every: self.control.every()?,
                expectation,
                preset: preset.map(|used| PresetSelection { notes: Vec::new(), ..used }),
            },
            answer_timeout: self.control.answer_timeout,
            talks: message.is_some(),
            say: message.unwrap_or_default(),
            answer: chosen.answer().unwrap_or_default(),
            known_pings: self.app_ping.known_pings()?.speaking(&connect.preamble.profile),
            connect,
        })
    }

    fn connections(_: &ZombiePlan) -> usize {
        Behaviour::iter().count()
    }

    async fn run(
        plan: ZombiePlan,
        reporter: &mut dyn Reporter<ZombieEvent>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure> {
        Ok(probe_zombie::run(plan, reporter, control.interrupt).await.verdict)
    }
}

impl ControlArgs {
    /// The control's message: the user's, or the preset's; `None`: none.
    fn message(&self, chosen: &ChosenPreset) -> Result<Option<Template>, String> {
        let text = self.say.as_ref().map(Template::as_str);
        let Some(compiled) = chosen.compiled() else { return Ok(Some(self.say.clone().unwrap_or_default())) };
        let asks = text.is_some() || chosen.exchange().is_some();
        let kinds: &[HeartbeatKind] =
            if asks { &[HeartbeatKind::Protocol, HeartbeatKind::App] } else { &[HeartbeatKind::Protocol] };
        chosen.check(&IntendedTraffic { kinds, ask: text, interval: self.every })?;
        let keepalive = || compiled.profile.keepalive.as_ref().map(|keepalive| keepalive.message.clone());
        Ok(self.say.clone().or_else(|| chosen.ask()).or_else(keepalive))
    }

    /// The control's interval, which must be shorter than the run.
    fn every(&self) -> Result<Duration, String> {
        let every = self.every.unwrap_or_else(|| ZombiePlan::default_interval(self.max));
        if every < self.max {
            Ok(every)
        } else {
            Err(format!(
                "--max {} is too short: the control sends again only after {} (--every)",
                exact_duration(self.max),
                exact_duration(every)
            ))
        }
    }

    /// Rejects an expectation that no run of this length can decide.
    fn expectation(&self) -> Result<Option<Expectation>, String> {
        match &self.expect {
            Some(expected) if expected.limit() > self.max => Err(format!(
                "--expect {expected} may stay undecided: --max {} is shorter; raise it to {}",
                exact_duration(self.max),
                exact_duration(expected.limit())
            )),
            expected => Ok(expected.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestProbeZombieCli {
        #[command(flatten)]
        args: ProbeZombieArgs,
    }

    fn plan(words: &[&str]) -> Result<ZombiePlan, String> {
        let line = ["probe-zombie", "--proxy", "none", "ws://127.0.0.1:1/"].iter().chain(words);
        TestProbeZombieCli::try_parse_from(line).map_err(|why| why.to_string())?.args.plan(None)
    }

    fn every(words: &[&str]) -> u128 {
        plan(words).unwrap().info.every.as_millis()
    }

    #[test]
    fn control_interval_follows_the_length_of_the_run() {
        assert_eq!((every(&[]), every(&["--max", "30s"]), every(&["--max", "1s"])), (4400, 1363, 220));
        assert_eq!(every(&["--every", "7s"]), 7000);
        assert_eq!(plan(&[]).unwrap().say, Template::default());
    }

    #[test]
    fn interval_longer_than_the_run_is_refused() {
        let refused = |words: &[&str]| plan(words).err().unwrap();
        let text = refused(&["--max", "3s", "--every", "1h"]);
        assert_eq!(text, "--max 3 s is too short: the control sends again only after 1h (--every)");
        assert!(refused(&["--max", "200ms"]).contains("sends again only after 220 ms"));
        assert!(refused(&["--every", "1us"]).contains("at least 100 µs"));
        assert!(plan(&["--max", "200ms", "--every", "50ms"]).is_ok());
    }

    #[test]
    fn expectation_beyond_max_is_refused() {
        let refused = plan(&["--expect", "<=10m"]).err().unwrap();
        assert_eq!(refused, "--expect <=10m may stay undecided: --max 5m is shorter; raise it to 10m");
        assert!(plan(&["--expect", "<=60s"]).is_ok());
    }
}
