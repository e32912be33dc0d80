//! `wscheck listen`: arguments and run.

use std::time::Duration;

use clap::Args;

use super::args::{OutputArgs, positive_duration, up_to};
use super::connect::ConnectArgs;
use super::heartbeat::{AppPingArgs, FirstMessageArgs, learn_secret_fields, parse};
use super::measurement::Measurement;
use super::preset_args::{ChosenPreset, ServerArgs};
use crate::commands::listen::{self, ListenPlan};
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::protocol_profile::KeepaliveSpec;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::report::{ListenEvent, ListenInfo};
use crate::domain::presets::{IntendedTraffic, PresetDetection};
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::output::listen::ListenPresenter;

/// The arguments of `wscheck listen`.
#[derive(Debug, Clone, Args)]
pub struct ListenArgs {
    /// WebSocket URL (ws:// or wss://)
    #[arg(value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub observation: ObservationArgs,
    #[command(flatten)]
    pub app_ping: AppPingArgs,
    #[command(flatten)]
    pub first_message: FirstMessageArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of listening.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct ObservationArgs {
    /// Listen for this long; an interval needs three heartbeats, or two if the first came one interval after the
    /// opening
    #[arg(long = "for", value_name = "TIME", default_value = "2m", value_parser = positive_duration)]
    pub listen_for: Duration,
    /// Stop after this number of heartbeats of one kind
    #[arg(short, long, value_name = "N", value_parser = up_to::<u64>(1_000_000))]
    pub count: Option<u64>,
    /// Send a message between heartbeats, once the interval is known, to see whether client traffic postpones them
    #[arg(long, value_name = "TEMPLATE", num_args = 0..=1, require_equals = true,
          default_missing_value = DEFAULT_STIMULUS, conflicts_with = "no_answer")]
    pub talk: Option<String>,
    /// Answer nothing: after the opening messages, send no Pong and no message
    #[arg(long)]
    pub no_answer: bool,
}

/// Default message of `--talk`: a common app ping.
const DEFAULT_STIMULUS: &str = r#"{"type":"ping","id":"{id}","timestamp":{now_ms}}"#;

impl Measurement for ListenArgs {
    type Presenter = ListenPresenter;
    type Plan = ListenPlan;

    fn output(&self) -> &OutputArgs {
        &self.output
    }

    fn server(&self) -> ServerArgs<'_> {
        ServerArgs::one(&self.first_message.preset, &self.url, &self.connect)
    }

    fn plan(self, detection: Option<&PresetDetection>) -> Result<ListenPlan, String> {
        let chosen = self.first_message.preset.chosen(std::slice::from_ref(&self.url), detection)?;
        self.first_message.check(&chosen)?;
        let answer = !self.observation.no_answer;
        let stimulus = self.observation.stimulus(&chosen)?;
        if let Some(stimulus) = &stimulus {
            learn_secret_fields(stimulus);
        }
        let preamble = self.first_message.preamble(answer, &chosen)?;
        let connect = chosen.connect(&self.url, &self.connect, preamble)?;
        Ok(ListenPlan {
            info: ListenInfo {
                url: connect.target.to_string(),
                listen_for: self.observation.listen_for,
                count: self.observation.count,
                answer,
                talk: stimulus.is_some(),
                preset: chosen.used(&[HeartbeatKind::App]),
            },
            alive: keepalive(&chosen).filter(|_| answer),
            pong: chosen.answer().unwrap_or_default(),
            known_pings: self.app_ping.known_pings()?.speaking(&connect.preamble.profile),
            connect,
            stimulus,
        })
    }

    async fn run(
        plan: ListenPlan,
        reporter: &mut dyn Reporter<ListenEvent>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure> {
        Ok(listen::run(plan, reporter, control.interrupt).await.verdict)
    }
}

/// The keepalive for such a server: its unanswered keepalive message, or else the preset's request.
fn keepalive(chosen: &ChosenPreset) -> Option<KeepaliveSpec> {
    let (preset, compiled) = (chosen.preset()?, chosen.compiled()?);
    let asks = || Some(KeepaliveSpec { message: chosen.ask()?, every: preset.every? });
    compiled.profile.keepalive.clone().or_else(asks)
}

impl ObservationArgs {
    /// The message between heartbeats: the user's, or else the preset's request.
    fn stimulus(&self, chosen: &ChosenPreset) -> Result<Option<Template>, String> {
        let Some(text) = self.talk.as_deref() else { return Ok(None) };
        let is_of_preset = text == DEFAULT_STIMULUS && chosen.compiled().is_some();
        let ask = (!is_of_preset).then_some(text);
        chosen.check(&IntendedTraffic { kinds: &[HeartbeatKind::App], ask, interval: None })?;
        if is_of_preset { Ok(chosen.ask()) } else { parse("--talk", text).map(Some) }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct TestListenCli {
        #[command(flatten)]
        args: ListenArgs,
    }

    fn plan(words: &[&str]) -> Result<ListenPlan, String> {
        let line = ["listen", "--proxy", "none", "ws://127.0.0.1:1/"].iter().chain(words);
        TestListenCli::try_parse_from(line).map_err(|why| why.to_string())?.args.plan(None)
    }

    fn refusal(words: &[&str]) -> String {
        plan(words).err().unwrap_or_default()
    }

    #[test]
    fn defaults_are_two_minutes_and_answering() {
        let plan = plan(&[]).unwrap();
        assert_eq!(
            (plan.info.listen_for, plan.info.count, plan.info.answer),
            (Duration::from_secs(120), None, true)
        );
        assert!(plan.stimulus.is_none());
    }

    #[test]
    fn talk_sends_an_app_ping_or_the_given_text() {
        assert_eq!(plan(&["--talk"]).unwrap().stimulus, Some(Template::default()));
        assert_eq!(plan(&["--talk=hello"]).unwrap().stimulus, Some("hello".parse().unwrap()));
    }

    #[test]
    fn options_without_effect_are_refused() {
        assert!(refusal(&["--talk", "--no-answer"]).contains("cannot be used with"));
        assert_eq!(refusal(&["--app-pong", "x"]), "--app-pong has no effect without --app-ping");
        assert_eq!(refusal(&["--await-timeout", "1s"]), "--await-timeout has no effect without --await");
        assert!(refusal(&["--app-ping", "{\"x"]).starts_with("--app-ping: "));
    }
}
