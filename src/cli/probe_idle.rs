//! `wscheck probe-idle`: arguments and run.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::args::{OutputArgs, label_parser, positive_duration, up_to};
use super::connect::ConnectArgs;
use super::heartbeat::PreambleArgs;
use super::measurement::Measurement;
use super::preset_args::{ChosenPreset, ServerArgs};
use crate::commands::probe_idle::{self, IdlePlan};
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::duration::parse_duration;
use crate::domain::format::exact_duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::report::IdleEvent;
use crate::domain::idle::{Precision, SearchPlan, Strategy};
use crate::domain::presets::{IntendedTraffic, PresetDetection};
use crate::domain::run::expectation::Expectation;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::client::idle_probe::UnmatchedLog;
use crate::output::idle::IdlePresenter;

/// The arguments of `wscheck probe-idle`.
#[derive(Debug, Clone, Args)]
pub struct ProbeIdleArgs {
    /// WebSocket URL (ws:// or wss://)
    #[arg(value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub search: SearchArgs,
    #[command(flatten)]
    pub question: QuestionArgs,
    #[command(flatten)]
    pub followup: FollowupArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Bounds of the search.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// Minimum idle time to try
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = positive_duration)]
    pub min: Duration,
    /// Maximum idle time to try; a search takes about four times as long (more with fewer than 13 connections, or with
    /// bisect); the first line gives the maximum
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = positive_duration)]
    pub max: Duration,
    /// Stop when the timeout is known this exactly, as a time or a percentage (500ms, 2%) [default: 1s or 2%,
    /// whichever is larger]
    #[arg(long, value_name = "TIME|PERCENT", value_parser = precision)]
    pub precision: Option<Precision>,
    /// Search with many idle connections at once (parallel), or one at a time by binary search (bisect)
    #[arg(long, value_name = "NAME", default_value = "parallel", value_parser = label_parser::<Strategy>())]
    pub strategy: Strategy,
    /// Number of connections that must end at the same idle time to confirm it
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<usize>(20))]
    pub repeat: usize,
    /// Maximum number of concurrent connections; the first line of output says how many a search opens in total
    #[arg(long, value_name = "N", default_value = "16", value_parser = up_to::<usize>(1000))]
    pub max_connections: usize,
    /// Maximum time to wait for an answer; without one the connection counts as dead
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = positive_duration)]
    pub answer_timeout: Duration,
    /// Let the server send first after the idle time, to find the direction that is cut; needs `wscheck serve` as
    /// the server
    #[arg(long)]
    pub two_ended: bool,
}

/// The kind of question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QuestionKind {
    /// Ping frames and their Pongs (RFC 6455 5.5.2)
    Protocol,
    /// Messages and the messages that answer them
    App,
}

impl From<QuestionKind> for HeartbeatKind {
    fn from(kind: QuestionKind) -> HeartbeatKind {
        match kind {
            QuestionKind::Protocol => HeartbeatKind::Protocol,
            QuestionKind::App => HeartbeatKind::App,
        }
    }
}

/// Options of the question after the idle time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Question")]
pub struct QuestionArgs {
    /// Heartbeat that tests a connection after its idle time, and keeps the control connection active [default:
    /// protocol, or app if the preset defines an answer]
    #[arg(long, value_name = "KIND", value_enum)]
    pub heartbeat: Option<QuestionKind>,
    /// Allow ordinary text messages if no app heartbeat is known. If connections that send Ping frames all end at
    /// one age, another connection sends messages too: this distinguishes a lifetime limit from a timer that only
    /// messages reset
    #[arg(long)]
    pub allow_messages: bool,
    #[command(flatten)]
    pub preamble: PreambleArgs,
}

/// Steps after the search.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Afterwards")]
pub struct FollowupArgs {
    /// Test which traffic keeps the path open: Ping frames, unsolicited Pongs, TCP keepalive, app messages
    #[arg(long)]
    pub refresh: bool,
    /// Verify the recommended interval: keep a connection open with it for two timeouts
    #[arg(long)]
    pub verify: bool,
    /// Exit 1 if the timeout is not as expected: >=55s, >1m, <=10m, <1h
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub expect: Option<Expectation>,
}

/// A time, or a percentage.
fn precision(text: &str) -> Result<Precision, String> {
    let Some(number) = text.trim().strip_suffix('%') else {
        return Ok(Precision { absolute: parse_duration(text)?, relative: 0.0 });
    };
    match number.trim().parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent >= 0.0 => {
            Ok(Precision { absolute: Duration::ZERO, relative: percent / 100.0 })
        }
        Ok(_) | Err(_) => Err(format!("'{text}' is not a percentage: write 2% or 0.5%")),
    }
}

impl Measurement for ProbeIdleArgs {
    type Presenter = IdlePresenter;
    type Plan = IdlePlan;

    fn output(&self) -> &OutputArgs {
        &self.output
    }

    fn server(&self) -> ServerArgs<'_> {
        ServerArgs::one(&self.question.preamble.first_message.preset, &self.url, &self.connect)
    }

    fn plan(self, detection: Option<&PresetDetection>) -> Result<IdlePlan, String> {
        let preamble = &self.question.preamble;
        let chosen = preamble.first_message.preset.chosen(std::slice::from_ref(&self.url), detection)?;
        let kind = self.question.heartbeat.map_or_else(|| chosen.kind(), HeartbeatKind::from);
        let messages = self.followup.refresh || self.question.allow_messages || preamble.app_ping.is_some();
        preamble.check(
            kind == HeartbeatKind::App || messages,
            "--app-ping, --allow-messages or --refresh",
            &chosen,
        )?;
        let no_messages_because = no_messages_because(&chosen, preamble.app_ping.is_some());
        let second_control = match kind {
            HeartbeatKind::Protocol | HeartbeatKind::Http2 => {
                (messages && no_messages_because.is_none()) || chosen.exchange().is_some()
            }
            HeartbeatKind::App => chosen
                .check(&IntendedTraffic { kinds: &[HeartbeatKind::Protocol], ask: None, interval: None })
                .is_ok(),
        };
        chosen.check(&IntendedTraffic {
            kinds: &[kind],
            ask: preamble.app_ping.as_deref(),
            interval: None,
        })?;
        Ok(IdlePlan {
            preset: chosen.used(&[kind]),
            connect: chosen.connect(&self.url, &self.connect, preamble.preamble(&chosen)?)?,
            search: SearchPlan { second_control, ..self.search.plan(kind)? },
            ask: preamble.ask(&chosen)?,
            answer: preamble.answer(&chosen)?,
            no_messages_because,
            refresh: self.followup.refresh,
            verify: self.followup.verify,
            expectation: self.followup.expectation(&self.search)?,
            unmatched: UnmatchedLog::default(),
        })
    }

    fn connections(plan: &IdlePlan) -> usize {
        plan.search.max_connections
    }

    async fn run(
        plan: IdlePlan,
        reporter: &mut dyn Reporter<IdleEvent>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure> {
        let ran = probe_idle::run(plan, reporter, control.interrupt).await;
        ran.map(|report| report.verdict).map_err(|why| StartFailure::usage(why.to_string()))
    }
}

/// Why no messages are sent as a keepalive trial: the preset has none that is answered.
fn no_messages_because(chosen: &ChosenPreset, has_app_ping: bool) -> Option<String> {
    let preset = chosen.preset().filter(|preset| preset.ask.is_none() && !has_app_ping)?;
    Some(format!("--preset {} defines no message that is answered", preset.name))
}

impl SearchArgs {
    fn plan(&self, kind: HeartbeatKind) -> Result<SearchPlan, String> {
        let plan = SearchPlan {
            min: self.min,
            max: self.max,
            precision: self.precision.unwrap_or_default(),
            strategy: self.strategy,
            max_connections: self.max_connections,
            answer_timeout: self.answer_timeout,
            repeat: self.repeat,
            control_interval: SearchPlan::usual_control_interval(self.min),
            kind,
            second_control: false,
            two_ended: self.two_ended,
        };
        plan.checked().map_err(|why| why.to_string())
    }
}

impl FollowupArgs {
    /// Rejects an expectation that no search within these bounds can confirm.
    fn expectation(&self, search: &SearchArgs) -> Result<Option<Expectation>, String> {
        let Some(expected) = &self.expect else { return Ok(None) };
        let (limit, min, max) = (expected.limit(), search.min, search.max);
        if expected.wants_more() && limit > max {
            return Err(format!(
                "--expect {expected} cannot be shown: --max {} is shorter; raise it to {}",
                exact_duration(max),
                exact_duration(limit)
            ));
        }
        if !expected.wants_more() && limit < min {
            return Err(format!(
                "--expect {expected} cannot be shown: --min {} is longer; lower it",
                exact_duration(min)
            ));
        }
        Ok(Some(expected.clone()))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestProbeIdleCli {
        #[command(flatten)]
        args: ProbeIdleArgs,
    }

    fn plan(words: &[&str]) -> Result<IdlePlan, String> {
        let line = ["probe-idle", "--proxy", "none", "ws://127.0.0.1:1/"].iter().chain(words);
        TestProbeIdleCli::try_parse_from(line).map_err(|why| why.to_string())?.args.plan(None)
    }

    fn refusal(words: &[&str]) -> String {
        plan(words).err().unwrap_or_default()
    }

    #[test]
    fn defaults_are_those_of_the_search() {
        let searched = SearchPlan { second_control: false, ..SearchPlan::default() };
        assert_eq!(plan(&[]).map(|plan| plan.search), Ok(searched));
    }

    #[test]
    fn messages_are_sent_only_if_known_or_allowed() {
        let tries = |words: &[&str]| plan(words).map(|plan| plan.search.second_control);
        assert_eq!(tries(&[]), Ok(false));
        assert_eq!(tries(&["--allow-messages"]), Ok(true));
        assert_eq!(tries(&["--app-ping", "PING"]), Ok(true));
        assert_eq!(tries(&["--refresh"]), Ok(true));
        assert_eq!(tries(&["--preset", "graphql"]), Ok(true));
        assert_eq!(tries(&["--heartbeat", "app"]), Ok(true), "Ping frames are always allowed");
    }

    #[test]
    fn precision_is_a_time_or_a_percentage() {
        let second = Precision { absolute: Duration::from_secs(1), relative: 0.0 };
        assert_eq!(precision("1s"), Ok(second));
        assert_eq!(precision("2%"), Ok(Precision { absolute: Duration::ZERO, relative: 0.02 }));
        assert_eq!(precision("-1%"), Err("'-1%' is not a percentage: write 2% or 0.5%".to_string()));
        assert_eq!(precision("nan%"), Err("'nan%' is not a percentage: write 2% or 0.5%".to_string()));
    }

    #[test]
    fn control_interval_follows_a_short_min() {
        let plan = plan(&["--min", "200ms", "--max", "2s"]).map(|plan| plan.search.control_interval);
        assert_eq!(plan, Ok(Duration::from_millis(100)));
    }

    #[test]
    fn invalid_bounds_are_refused_with_value_and_rule() {
        assert_eq!(
            refusal(&["--min", "10s", "--max", "5s"]),
            "--min (10 s) must not be longer than --max (5 s)"
        );
        assert_eq!(refusal(&["--precision", "0"]), "--precision must be at least 10 ms or 0.1 %");
        assert_eq!(
            refusal(&["--max-connections", "2"]),
            "--max-connections (2) must be at least 3: a control, a watcher and a trial"
        );
        assert_eq!(refusal(&["--precision", "100%"]), "--precision (100 %) must be below 100 %");
    }

    #[test]
    fn unprovable_expectation_is_refused() {
        assert_eq!(
            refusal(&["--expect", ">=10m"]),
            "--expect >=10m cannot be shown: --max 5m is shorter; raise it to 10m"
        );
        assert_eq!(
            refusal(&["--expect", "<500ms"]),
            "--expect <500ms cannot be shown: --min 1 s is longer; lower it"
        );
        assert!(refusal(&["--expect", "55s"]).contains("'55s' does not begin with >=, <=, > or <"));
        assert!(plan(&["--expect", ">=5m"]).is_ok());
    }
}
