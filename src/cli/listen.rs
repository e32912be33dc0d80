//! `wscheck listen`, as typed.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::app_ping::AppPingArgs;
use super::args::{OutputArgs, positive_duration, up_to};
use super::connect::ConnectArgs;
use super::heartbeat::{WelcomeArgs, parse};
use super::printer::{self, Printer, Showing};
use super::usage;
use crate::commands::listen::{self, ListenPlan};
use crate::commands::ping::Control;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::report::{ListenEvent, ListenReporter};
use crate::domain::target::Target;
use crate::output::listen::ListenOutput;

/// The arguments of `wscheck listen`.
#[derive(Debug, Clone, Args)]
pub struct ListenArgs {
    /// WebSocket URL (ws:// or wss://)
    #[arg(value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub hearing: HearingArgs,
    #[command(flatten)]
    pub app_ping: AppPingArgs,
    #[command(flatten)]
    pub welcome: WelcomeArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How long it is listened, and how the client behaves.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Listening")]
pub struct HearingArgs {
    /// Listen for so long; an interval is borne out by three heartbeats
    #[arg(long = "for", value_name = "TIME", default_value = "2m", value_parser = positive_duration)]
    pub listen_for: Duration,
    /// Or until so many heartbeats of one kind were heard
    #[arg(short, long, value_name = "N", value_parser = up_to::<u64>(1_000_000))]
    pub count: Option<u64>,
    /// Say something between heartbeats, once the interval is known, and see whether that moves them
    #[arg(long, value_name = "TEMPLATE", num_args = 0..=1, require_equals = true,
          default_missing_value = DEFAULT_TALK, conflicts_with = "no_answer")]
    pub talk: Option<String>,
    /// Answer nothing: no Pong leaves this machine, and no message
    #[arg(long)]
    pub no_answer: bool,
}

/// What `--talk` says when it is not told: the usual ask of an app heartbeat.
const DEFAULT_TALK: &str = r#"{"type":"ping","id":"{id}","timestamp":{now_ms}}"#;

impl ListenArgs {
    /// Runs the command and gives its exit code.
    pub fn main(self) -> ExitCode {
        let args = self.output.clone();
        match self.plan() {
            Ok(plan) => printer::run_showing(showing(&args), async |printer, control: Control| {
                listen::run(plan, printer, control.interrupt).await.verdict.exit_code()
            }),
            Err(message) => usage::complain("listen", &message, args.format.chosen()),
        }
    }

    fn plan(self) -> Result<ListenPlan, String> {
        self.welcome.check()?;
        let answer = !self.hearing.no_answer;
        let talk = self.hearing.talk.as_deref().map(|text| parse::<Template>("--talk", text)).transpose()?;
        Ok(ListenPlan {
            target: self.url.parse::<Target>().map_err(|why| why.to_string())?,
            dial: self.connect.dial()?,
            greeting: self.welcome.greeting(answer)?,
            listen_for: self.hearing.listen_for,
            count: self.hearing.count,
            answer,
            talk,
            shapes: self.app_ping.shapes()?,
            max_message_size: self.connect.max_message_size,
        })
    }
}

fn showing(args: &OutputArgs) -> Showing<ListenEvent> {
    let (stdout, stderr) = (Box::new(io::stdout()), Box::new(io::stderr()));
    let options = printer::human_options(args);
    let mut output = ListenOutput::new(args.format.chosen(), options, stdout, stderr);
    let show = Box::new(move |event: &ListenEvent| {
        output.report(event);
        output.error().map(io::Error::kind)
    });
    Showing { show, can_be_spared: |event| matches!(event, ListenEvent::Progress(_) | ListenEvent::Said(_)) }
}

impl ListenReporter for Printer<ListenEvent> {
    fn report(&mut self, event: &ListenEvent) {
        self.offer(event);
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: ListenArgs,
    }

    fn plan(words: &[&str]) -> Result<ListenPlan, String> {
        let line = ["listen", "--proxy", "none", "ws://127.0.0.1:1/"].iter().chain(words);
        Typed::try_parse_from(line).map_err(|why| why.to_string())?.args.plan()
    }

    fn refusal(words: &[&str]) -> String {
        plan(words).err().unwrap_or_default()
    }

    #[test]
    fn it_listens_for_two_minutes_and_answers_unless_told_otherwise() {
        let plan = plan(&[]).unwrap();
        assert_eq!((plan.listen_for, plan.count, plan.answer), (Duration::from_secs(120), None, true));
        assert!(plan.talk.is_none());
    }

    #[test]
    fn talk_says_an_app_ping_or_what_it_is_told() {
        assert_eq!(plan(&["--talk"]).unwrap().talk, Some(Template::default()));
        assert_eq!(plan(&["--talk=hello"]).unwrap().talk, Some("hello".parse().unwrap()));
    }

    #[test]
    fn what_would_do_nothing_is_refused() {
        assert!(refusal(&["--talk", "--no-answer"]).contains("cannot be used with"));
        assert_eq!(refusal(&["--app-pong", "x"]), "--app-pong does nothing without --app-ping");
        assert_eq!(refusal(&["--await-timeout", "1s"]), "--await-timeout does nothing without --await");
        assert!(refusal(&["--app-ping", "{\"x"]).starts_with("--app-ping: "));
    }
}
