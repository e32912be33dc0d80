//! `wscheck doctor`: arguments and run.

use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser};
use strum::{EnumMessage, IntoEnumIterator};

use super::args::{OutputArgs, positive_duration};
use super::connect::ConnectArgs;
use super::doctor_bundle::Bundle;
use super::errors;
use super::heartbeat::{HeartbeatKinds, PreambleArgs};
use super::listen::ListenArgs;
use super::measurement::Measurement;
use super::ping::PingArgs;
use super::preset_args::{ChosenPreset, PresetChoice, ServerArgs};
use super::probe_idle::ProbeIdleArgs;
use super::probe_zombie::ProbeZombieArgs;
use super::runner;
use crate::commands::doctor::{
    self, DoctorPlan, MAX_CONNECTIONS, MAX_OTHER_PATHS, MeasurementLimits, Measurements, PathPlan,
};
use crate::commands::listen::ListenPlan;
use crate::commands::ping::PingPlan;
use crate::commands::probe_idle::IdlePlan;
use crate::commands::probe_zombie::ZombiePlan;
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::connection::target::Target;
use crate::domain::doctor::report::{Depth, DoctorEvent, DoctorInfo, PathInfo};
use crate::domain::doctor::{Check, CheckSelection};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::template::{Payload, RequestKeys};
use crate::domain::label::Label;
use crate::domain::presets::PresetDetection;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::endpoint::Endpoint;
use crate::output::Format;
use crate::output::doctor::DoctorPresenter;

/// How long a quick run takes, and the longest silence that it tries.
const QUICK: (Duration, Duration) = (Duration::from_secs(22), Duration::from_secs(10));
/// The same of a normal run: timers of 60 seconds are seen.
const NORMAL: (Duration, Duration) = (Duration::from_secs(88), Duration::from_secs(65));
/// The longest silence of a thorough run.
const LONGEST_SILENCE: Duration = Duration::from_secs(5 * 60);
/// A search takes about this many times the longest silence.
const SEARCH_FACTOR: u32 = 3;
/// The other measurements go on for so long after the longest silence.
const AFTER_SILENCE: Duration = Duration::from_secs(3);

/// How long a reply to a heartbeat may take, and the time between heartbeats.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
const PING_INTERVAL: Duration = Duration::from_secs(1);
const QUICK_PING_INTERVAL: Duration = Duration::from_millis(500);

/// The arguments of `wscheck doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// WebSocket URL (ws:// or wss://)
    #[arg(value_name = "URL", required_unless_present = "list_checks")]
    pub url: Option<String>,
    #[command(flatten)]
    pub depth: DepthArgs,
    #[command(flatten)]
    pub checks: CheckArgs,
    #[command(flatten)]
    pub paths: PathArgs,
    #[command(flatten, next_help_heading = "Heartbeats")]
    pub preamble: PreambleArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much time is spent.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Depth")]
pub struct DepthArgs {
    /// Take some 20 seconds: idle timeouts up to 10 seconds [default: up to 90 seconds, idle timeouts up to 65 seconds]
    #[arg(long, conflicts_with = "thorough")]
    pub quick: bool,
    /// Also find out what keeps the path open and how long the server keeps dead clients; takes up to --max
    #[arg(long)]
    pub thorough: bool,
    /// Maximum time of --thorough
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = positive_duration, requires = "thorough")]
    pub max: Duration,
    /// Warnings fail the run, too
    #[arg(long)]
    pub strict: bool,
}

/// Which checks run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Checks")]
pub struct CheckArgs {
    /// Make only these checks (repeatable, or separated by commas)
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = check)]
    pub only: Vec<Check>,
    /// Leave these checks out (repeatable, or separated by commas)
    #[arg(long, value_name = "CHECK", value_delimiter = ',', value_parser = check)]
    pub skip: Vec<Check>,
    /// List the checks and run none
    #[arg(long)]
    pub list_checks: bool,
    /// Write what a maintainer or vendor needs to FILE.tgz: report, events, versions; secrets are redacted
    #[arg(long, value_name = "FILE.tgz")]
    pub bundle: Option<PathBuf>,
}

/// Points of the path to compare.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hops")]
pub struct PathArgs {
    /// Try the same URL at this point of the path, too: pod=localhost:8080, or pod=unix:PATH (repeatable, the nearest to the
    /// server first)
    #[arg(long, value_name = "NAME=HOST:PORT")]
    pub via: Vec<Via>,
    /// Try the same URL at each address of the name
    #[arg(long)]
    pub each_address: bool,
}

/// A named point of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    name: String,
    connect_to: Option<Endpoint>,
    /// Set where `connect_to` is not.
    unix_socket: Option<PathBuf>,
}

impl FromStr for Via {
    type Err = String;

    fn from_str(text: &str) -> Result<Via, String> {
        let wrong = || format!("'{text}' is not NAME=HOST:PORT or NAME=unix:PATH");
        let (name, place) = text.split_once('=').ok_or_else(wrong)?;
        if name.is_empty() || place.is_empty() {
            return Err(wrong());
        }
        let (connect_to, unix_socket) = match place.strip_prefix("unix:") {
            Some(path) => (None, Some(path.into())),
            None => (Some(place.parse()?), None),
        };
        Ok(Via { name: name.to_string(), connect_to, unix_socket })
    }
}

impl Via {
    fn path(&self, dial: &DialPlan) -> PathPlan {
        let Via { name, connect_to, unix_socket } = self.clone();
        let address = connect_to.as_ref().map(ToString::to_string);
        let address = address.or(unix_socket.as_ref().map(|path| format!("unix:{}", path.display())));
        let info = PathInfo { name, address, is_alternative: false };
        PathPlan { info, dial: DialPlan { connect_to, unix_socket, ..dial.clone() } }
    }
}

/// A check's id.
fn check(text: &str) -> Result<Check, String> {
    text.parse().map_err(|_| {
        let names = Check::iter().map(|check| check.label());
        format!("there is no check '{text}': {}", names.collect::<Vec<_>>().join(", "))
    })
}

impl Measurement for DoctorArgs {
    type Presenter = DoctorPresenter;
    type Plan = DoctorPlan;

    fn output(&self) -> &OutputArgs {
        &self.output
    }

    /// The convention is detected while it runs.
    fn server(&self) -> ServerArgs<'_> {
        let preset = &self.preamble.first_message.preset;
        ServerArgs { preset, urls: &[], connect: &self.connect, fresh: None }
    }

    fn plan(self, _: Option<&PresetDetection>) -> Result<DoctorPlan, String> {
        let url = self.url.clone().unwrap_or_default();
        let urls = std::slice::from_ref(&url);
        let chosen = self.preamble.first_message.preset.chosen(urls, None)?;
        self.preamble.check(true, "", &chosen)?;
        // Mistakes in messages are found before anything runs, and what is secret in them is learnt.
        self.preamble.preamble(&chosen)?;
        self.preamble.ask(&chosen)?;
        self.preamble.answer(&chosen)?;
        let selection = self.checks.selection()?;
        if self.paths.each_address && !self.paths.via.is_empty() {
            return Err("--each-address and --via cannot be compared with each other: give one".to_string());
        }
        let target = chosen.target(&url)?;
        let dial = chosen.offer(self.connect.dial()?, std::slice::from_ref(&target));
        let paths = self.path_plans(&target, &dial)?;
        let named_preset = chosen.preset().map(|preset| PresetDetection {
            preset: Some(preset),
            evidence: vec!["named by --preset".to_string()],
        });
        let (depth, budget, longest_silence) = self.depth.limits();
        Ok(DoctorPlan {
            info: DoctorInfo {
                url: target.to_string(),
                connect_options: self.connect.typed(),
                depth,
                budget,
                longest_silence,
                paths: paths.iter().map(|path| path.info.clone()).collect(),
                strict: self.depth.strict,
            },
            target,
            paths,
            selection,
            each_address: self.paths.each_address,
            named_preset,
            sends_own_messages: !self.preamble.first_message.send.is_empty()
                || self.preamble.app_ping.is_some(),
            max_message_size: self.connect.max_message_size,
            measurements: Box::new(move |dial, detection, limits| {
                let args = &self;
                SubArguments { args, url: &url, limits, longest_silence, depth, detection }.build(dial)
            }),
        })
    }

    fn connections(_: &DoctorPlan) -> usize {
        MAX_CONNECTIONS
    }

    async fn run(
        plan: DoctorPlan,
        reporter: &mut dyn Reporter<DoctorEvent>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure> {
        Ok(doctor::run(plan, reporter, control.interrupt).await.result)
    }

    fn main(self) -> ExitCode {
        if self.checks.list_checks {
            return runner::print(&listed(), Format::Human);
        }
        let output = self.output.clone();
        let bundle = self.checks.bundle.clone();
        let plan = self.plan(None);
        let plan = plan.and_then(|plan| Ok((plan, bundle.map(Bundle::create).transpose()?)));
        runner::run_plan::<DoctorPresenter, _>(&output, plan, async |(plan, bundle), reporter, control| {
            let Some(mut bundle) = bundle else { return DoctorArgs::run(plan, reporter, control).await };
            let mut bundling = |event: &DoctorEvent| {
                bundle.keep(event);
                reporter.report(event);
            };
            let result = DoctorArgs::run(plan, &mut bundling, control).await?;
            Ok(match bundle.finish() {
                Ok(()) => result,
                // The run has its report; that the bundle is missing must not look like success.
                Err(message) => {
                    errors::print_to_stderr(&message);
                    if result == RunResult::Passed { RunResult::Inconclusive } else { result }
                }
            })
        })
    }
}

/// A line for each check: id, category and meaning.
fn listed() -> String {
    let line = |check: Check| {
        let meaning = check.get_documentation().unwrap_or_default();
        format!("{:<18} {:<18} {meaning}\n", check.label(), check.category().label())
    };
    Check::iter().map(line).collect()
}

impl DoctorArgs {
    /// The points of the path, then the URL itself.
    fn path_plans(&self, target: &Target, dial: &DialPlan) -> Result<Vec<PathPlan>, String> {
        let vias = &self.paths.via;
        if vias.len() > MAX_OTHER_PATHS {
            return Err(format!("--via: at most {MAX_OTHER_PATHS} points can be compared with the URL"));
        }
        let main = PathInfo { name: target.authority(), address: None, is_alternative: false };
        let is_twice = |index: usize| vias[..index].iter().any(|other| other.name == vias[index].name);
        if let Some(index) = (0..vias.len()).find(|index| is_twice(*index) || vias[*index].name == main.name)
        {
            return Err(format!("--via: the name '{}' is given twice", vias[index].name));
        }
        let last = PathPlan { info: main, dial: dial.clone() };
        Ok(vias.iter().map(|via| via.path(dial)).chain([last]).collect())
    }
}

impl CheckArgs {
    fn selection(&self) -> Result<CheckSelection, String> {
        let selection = CheckSelection { only: self.only.clone(), skip: self.skip.clone() };
        if Check::iter().any(|check| selection.has(check)) {
            Ok(selection)
        } else {
            Err("--skip: no check is left".to_string())
        }
    }
}

impl DepthArgs {
    /// The depth, how long the run takes at most, and the longest silence that it tries.
    fn limits(&self) -> (Depth, Duration, Duration) {
        if self.quick {
            (Depth::Quick, QUICK.0, QUICK.1)
        } else if self.thorough {
            (Depth::Thorough, self.max, (self.max / SEARCH_FACTOR).min(LONGEST_SILENCE))
        } else {
            (Depth::Normal, NORMAL.0, NORMAL.1)
        }
    }
}

/// A command's options, as they are typed.
#[derive(Parser)]
struct CommandLine<A: Args> {
    #[command(flatten)]
    args: A,
}

/// The options of a command that is given a URL and nothing else.
fn defaults<A: Args>(url: &str) -> Result<A, String> {
    let line = CommandLine::<A>::try_parse_from(["wscheck", url]);
    line.map(|line| line.args).map_err(|error| error.to_string())
}

/// What the other commands would be told.
struct SubArguments<'a> {
    args: &'a DoctorArgs,
    url: &'a str,
    limits: MeasurementLimits,
    longest_silence: Duration,
    depth: Depth,
    detection: Option<&'a PresetDetection>,
}

impl SubArguments<'_> {
    fn build(&self, dial: &DialPlan) -> Result<Measurements, String> {
        // The user's own heartbeat options, with the detected convention.
        let mut preamble = self.args.preamble.clone();
        preamble.first_message.preset.preset.get_or_insert(PresetChoice::Auto);
        let chosen = preamble.first_message.preset.chosen(&[self.url.to_string()], self.detection)?;
        let mut built = Measurements {
            ping: self.ping(&preamble, &chosen)?,
            idle: self.idle(&preamble)?,
            listen: self.listen(&preamble)?,
            zombie: self.zombie(&preamble)?,
            message: message(&preamble, &chosen)?,
        };
        adopt(&mut built.ping.dial, dial);
        for connect in [&mut built.listen.connect, &mut built.idle.connect, &mut built.zombie.connect] {
            adopt(&mut connect.dial, dial);
        }
        Ok(built)
    }

    /// How long the others run beside the search.
    fn beside(&self) -> Duration {
        (self.longest_silence + AFTER_SILENCE).min(self.limits.time)
    }

    /// Both kinds of heartbeat where the convention has its own; where it forbids one, the other.
    fn ping(&self, preamble: &PreambleArgs, chosen: &ChosenPreset) -> Result<PingPlan, String> {
        let mut args: PingArgs = defaults(self.url)?;
        args.deadline = Some(self.beside());
        args.connect = self.args.connect.clone();
        args.heartbeat.preamble = preamble.clone();
        args.heartbeat.timeout = Some(PING_TIMEOUT);
        let has_own = self.detection.and_then(|detection| detection.preset?.every).is_some();
        let every = if self.depth == Depth::Quick { QUICK_PING_INTERVAL } else { PING_INTERVAL };
        args.heartbeat.interval = (!has_own).then_some(every);
        let with_kinds = |kinds: Option<HeartbeatKinds>| {
            let mut args = args.clone();
            args.heartbeat.heartbeat = kinds;
            args.plan(self.detection)
        };
        let app = chosen.kind() == HeartbeatKind::App || preamble.app_ping.is_some();
        let both = app.then(|| with_kinds(Some(HeartbeatKinds::Both)).ok()).flatten();
        both.map_or_else(|| with_kinds(None), Ok)
    }

    fn listen(&self, preamble: &PreambleArgs) -> Result<ListenPlan, String> {
        let mut args: ListenArgs = defaults(self.url)?;
        args.observation.listen_for = self.beside();
        args.connect = self.args.connect.clone();
        args.first_message = preamble.first_message.clone();
        args.plan(self.detection)
    }

    fn idle(&self, preamble: &PreambleArgs) -> Result<IdlePlan, String> {
        let mut args: ProbeIdleArgs = defaults(self.url)?;
        args.search.max = self.longest_silence;
        args.search.max_connections = self.limits.idle_connections;
        args.followup.refresh = self.depth == Depth::Thorough;
        args.connect = self.args.connect.clone();
        args.question.preamble = preamble.clone();
        // Own patterns are for messages, which a search by Ping frames does without.
        args.question.allow_messages |= preamble.app_ping.is_some();
        args.plan(self.detection)
    }

    fn zombie(&self, preamble: &PreambleArgs) -> Result<ZombiePlan, String> {
        let mut args: ProbeZombieArgs = defaults(self.url)?;
        args.control.max = self.longest_silence.min(self.limits.time);
        args.connect = self.args.connect.clone();
        args.first_message = preamble.first_message.clone();
        args.plan(self.detection)
    }
}

/// A message that the server expects: the user's own, or that of the convention.
fn message(preamble: &PreambleArgs, chosen: &ChosenPreset) -> Result<Option<String>, String> {
    if preamble.app_ping.is_none() && chosen.exchange().is_none() {
        return Ok(None);
    }
    let keys = RequestKeys { seq: 1, id: "wscheck".to_string(), now_ms: 0 };
    Ok(match preamble.ask(chosen)?.render(&keys) {
        Payload::Text(text) => Some(text),
        Payload::Binary(_) => None,
    })
}

/// The path and what the upgrade turned out to need; what a preset offers stays.
fn adopt(of_command: &mut DialPlan, found: &DialPlan) {
    of_command.connect_to = found.connect_to.clone();
    of_command.unix_socket = found.unix_socket.clone();
    of_command.http = found.http;
    for (name, value) in &found.headers {
        of_command.headers.entry(name).or_insert_with(|| value.clone());
    }
    if found.origin.is_some() {
        of_command.origin = found.origin.clone();
    }
    if !found.subprotocols.is_empty() {
        of_command.subprotocols = found.subprotocols.clone();
    }
    of_command.tls = Arc::clone(&found.tls);
}
