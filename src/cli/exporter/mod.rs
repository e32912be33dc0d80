//! `wscheck exporter`: arguments, configuration and run.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::args::up_to;
use super::checks::file::{self, CheckEntry, CheckFile, ModuleEntry};
use super::checks::listed_mistakes;
use super::checks::mistake::Mistake;
use super::checks::prepared::{blamed, first_option};
use super::errors::{self, StartFailure};
use super::measurement::Measurement;
use super::ping::{AttemptLimit, PingArgs};
use super::preset_args::PresetChoice;
use super::{Command, connect, parse, runner, signals};
use crate::commands::exporter::{self, ExporterPlan, KeptGroup, ProbeModule, ProbePlan};
use crate::commands::fd_limit;
use crate::commands::ping::PingPlan;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::exporter::allow::TargetPattern;
use crate::domain::run::run_result::RunResult;
use crate::net::http_server::{AccessControl, BasicCredentials, BearerToken};
use crate::output::Format;
use crate::server::tls;

/// The interval of kept targets, unless they or their preset have one: connections that are kept for weeks.
const KEPT_INTERVAL: Duration = Duration::from_secs(5);
/// The module that is there without a configuration.
const OWN_MODULE: &str = "websocket";
/// How many Pings a probe sends, unless its module says otherwise.
const PROBE_PINGS: u32 = 1;
/// Stands for the URL where a module's options are read.
const NO_URL: &str = "ws://localhost/";

/// The arguments of `wscheck exporter`.
#[derive(Debug, Clone, Args)]
pub struct ExporterArgs {
    /// Keep a connection to each of these, besides the targets of the configuration
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9788")]
    pub listen: SocketAddr,
    /// Configuration file (TOML) with [[target]] and [module.NAME]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Look for mistakes in the configuration and start nothing
    #[arg(long, requires = "config")]
    pub check_config: bool,
    /// The targets that /probe may probe with the module `websocket`: HOST[:PORT], or ws[s]://HOST[:PORT][/PATH], with *
    /// for any text (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub allow: Vec<TargetPattern>,
    /// Maximum number of probes at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = up_to::<u32>(1000))]
    pub max_probes: u32,
    /// Answer only requests with the user name and password in this file: USER:PASSWORD
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub basic_auth_file: Option<PathBuf>,
    /// Answer only requests with the bearer token in this file
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Serve https with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
}

impl ExporterArgs {
    /// Runs until it is stopped.
    pub fn main(self) -> ExitCode {
        let plan = match self.plan() {
            Ok(plan) => plan,
            Err(message) => return errors::report_usage_error("exporter", &message, Format::Human),
        };
        if self.check_config {
            let (kept, modules) =
                (plan.kept.iter().map(|group| group.labels.len()).sum::<usize>(), plan.probe.modules.len());
            return print(&format!("no mistake in {kept} targets and {modules} modules\n"));
        }
        if !self.listen.ip().is_loopback() && matches!(plan.access, AccessControl::Anyone) {
            errors::print_to_stderr(
                "warning: everybody who reaches this address may read the metrics and probe allowed targets; \
                 --basic-auth-file or --token-file asks for credentials",
            );
        }
        match run(plan) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => errors::report_failure(Some("exporter"), &failure, Format::Human),
        }
    }

    fn plan(&self) -> Result<ExporterPlan, String> {
        let (file, text) = self.read()?;
        let name = self.config.as_deref().map(shown).unwrap_or_default();
        let mut mistakes = Vec::new();
        let mut at = |places: &BTreeMap<String, std::ops::Range<usize>>,
                      what: &str,
                      (option, why): Blamed| {
            let place = option.and_then(|option| places.get(&option)).or_else(|| places.get("name"));
            mistakes.push(Mistake::at(&text, &place.cloned().unwrap_or_default(), format!("{what}: {why}")));
        };
        for target in &file.targets {
            if let Err(blame) = kept_plan(&target.arguments) {
                at(&target.places, &format!("target '{}'", target.identity.name), blame);
            }
        }
        let mut modules = BTreeMap::new();
        for entry in &file.modules {
            match module(entry) {
                Ok(module) => drop(modules.insert(entry.name.clone(), module)),
                Err(blame) => at(&entry.places, &format!("module '{}'", entry.name), blame),
            }
        }
        if !mistakes.is_empty() {
            return Err(listed_mistakes(&name, &mistakes));
        }
        let kept = self.kept(&file.targets)?;
        if !modules.contains_key(OWN_MODULE) {
            modules.insert(OWN_MODULE.to_string(), self.own_module()?);
        } else if !self.allow.is_empty() {
            return Err(format!("--allow has no effect: {name} has its own module '{OWN_MODULE}'"));
        }
        let targets = kept.iter().flat_map(|group| group.plan.targets.clone()).collect();
        Ok(ExporterPlan {
            listen: self.listen,
            access: self.access()?,
            tls: self.tls()?,
            probe: ProbePlan { modules, targets, max_concurrent: self.max_probes as usize },
            kept,
        })
    }

    fn read(&self) -> Result<(CheckFile, String), String> {
        let Some(path) = &self.config else { return Ok((CheckFile::default(), String::new())) };
        let name = shown(path);
        let text =
            connect::read(&path.to_string_lossy()).map_err(|why| format!("cannot read {name}: {why}"))?;
        let variable = |name: &str| std::env::var(name).ok();
        let file = file::parse(&text, variable).map_err(|mistakes| listed_mistakes(&name, &mistakes))?;
        Ok((file, text))
    }

    /// The targets, those with the same options together.
    fn kept(&self, targets: &[CheckEntry]) -> Result<Vec<KeptGroup>, String> {
        let mut groups: BTreeMap<Vec<String>, (Vec<String>, Vec<Labels>)> = BTreeMap::new();
        for target in targets {
            let mut parts = target.arguments.splitn(2, |word| word == "--");
            let (options, urls) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let labels = [("name".to_string(), target.identity.name.clone())].into_iter();
            let labels = labels.chain(target.identity.labels.clone()).collect();
            let group = groups.entry(options.to_vec()).or_default();
            group.0.extend(urls.iter().cloned());
            group.1.push(labels);
        }
        if !self.urls.is_empty() {
            let group = groups.entry(vec!["ping".to_string()]).or_default();
            group.0.extend(self.urls.iter().cloned());
            group.1.extend(self.urls.iter().map(|_| BTreeMap::new()));
        }
        let of_group = |(options, (urls, labels)): (Vec<String>, _)| {
            let arguments = [options, vec!["--".to_string()], urls].concat();
            kept_plan(&arguments).map(|plan| KeptGroup { plan, labels }).map_err(|(_, why)| why)
        };
        groups.into_iter().map(of_group).collect()
    }

    fn own_module(&self) -> Result<ProbeModule, String> {
        let entry = ModuleEntry {
            name: OWN_MODULE.to_string(),
            arguments: Vec::new(),
            allow: Vec::new(),
            places: BTreeMap::new(),
        };
        let own = module(&entry).map_err(|(_, why)| why)?;
        Ok(ProbeModule { allow: self.allow.clone(), ..own })
    }

    fn access(&self) -> Result<AccessControl, String> {
        match (&self.basic_auth_file, &self.token_file) {
            (None, None) => Ok(AccessControl::Anyone),
            (None, Some(path)) => {
                BearerToken::from_file(path).map(AccessControl::Bearer).map_err(|why| why.to_string())
            }
            (Some(path), _) => {
                let name = shown(path);
                let text = connect::read(&path.to_string_lossy())
                    .map_err(|why| format!("--basic-auth-file: cannot read {name}: {why}"))?;
                let (user, password) = text
                    .trim_end_matches(['\r', '\n'])
                    .split_once(':')
                    .ok_or_else(|| format!("--basic-auth-file: {name} does not hold USER:PASSWORD"))?;
                Ok(AccessControl::Basic(BasicCredentials::new(user, password)))
            }
        }
    }

    fn tls(&self) -> Result<Option<std::sync::Arc<rustls::ServerConfig>>, String> {
        let Some((cert, key)) = self.cert.as_ref().zip(self.key.as_ref()) else { return Ok(None) };
        tls::load(cert, key).map(|identity| Some(identity.config)).map_err(|why| why.to_string())
    }
}

/// The labels of a target.
type Labels = BTreeMap<String, String>;

/// The option that is to blame, if one is, and why.
type Blamed = (Option<String>, String);

fn shown(path: &Path) -> String {
    without_controls(&path.display().to_string(), false)
}

/// The arguments of `ping` that these words are.
fn ping_args(words: &[String]) -> Result<PingArgs, Blamed> {
    let line: Vec<_> =
        std::iter::once("wscheck").chain(words.iter().map(String::as_str)).map(Into::into).collect();
    match parse(&line).map_err(|error| blamed(&error))?.0.command {
        Command::Ping(args) => Ok(*args),
        _ => Err((None, "it is no line of ping".to_string())),
    }
}

/// Options that end a run, or judge it.
fn unfit(args: &PingArgs) -> Option<&'static str> {
    let given = [
        (args.count.is_some(), "count"),
        (args.deadline.is_some(), "deadline"),
        (args.adaptive, "adaptive"),
        (args.connections != 1, "connections"),
        (!args.thresholds.expect_close.is_empty(), "expect-close"),
        (!args.thresholds.expect_refused.is_empty(), "expect-refused"),
        (!args.thresholds.fail_if.is_empty(), "fail-if"),
        (!args.thresholds.warn.is_empty(), "warn"),
    ];
    given.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
}

/// A connection to each target, opened again for ever.
fn kept_plan(words: &[String]) -> Result<PingPlan, Blamed> {
    let mut args = ping_args(words)?;
    if let Some(option) = unfit(&args) {
        return Err((
            Some(option.to_string()),
            format!("--{option} has no meaning for a target that is kept"),
        ));
    }
    let preset = &args.heartbeat.preamble.first_message.preset.preset;
    if *preset == Some(PresetChoice::Auto) {
        let why = "a target that is kept needs a preset by name: `wscheck ping --preset auto` finds it";
        return Err((Some("preset".to_string()), why.to_string()));
    }
    if preset.is_none() {
        args.heartbeat.interval.get_or_insert(KEPT_INTERVAL);
    }
    args.reconnect.reconnect = true;
    args.reconnect.reconnect_attempts.get_or_insert(AttemptLimit(None));
    args.plan(None).map_err(|message| (first_option(&message), message))
}

/// How a module probes: the connecting options of `ping`, its timeout and its count.
fn module(entry: &ModuleEntry) -> Result<ProbeModule, Blamed> {
    let words =
        [&["ping".to_string()][..], &entry.arguments, &["--".to_string(), NO_URL.to_string()]].concat();
    let args = ping_args(&words)?;
    let pings = args.count.map_or(PROBE_PINGS, |count| u32::try_from(count).unwrap_or(u32::MAX));
    let plan = args.plan(None).map_err(|message| (first_option(&message), message))?;
    let allow = entry.allow.iter().map(|pattern| pattern.parse::<TargetPattern>());
    let allow =
        allow.collect::<Result<_, _>>().map_err(|why| (Some("allow".to_string()), why.to_string()))?;
    Ok(ProbeModule { timeout: plan.session.timeout, pings, dial: plan.dial, allow })
}

fn run(plan: ExporterPlan) -> Result<(), StartFailure> {
    let local = |message: String, hint| StartFailure { result: RunResult::Unreachable, message, hint };
    let connections = plan.kept.iter().map(|group| group.plan.targets.len()).sum::<usize>();
    fd_limit::ensure_limit(connections + plan.probe.max_concurrent)
        .map_err(|error| local(error.to_string(), Some(error.hint())))?;
    let stop = CancellationToken::new();
    // Its figures are on its page.
    let (ask, _) = mpsc::unbounded_channel();
    let cannot_start = |error: std::io::Error| local(format!("cannot start: {error}"), None);
    signals::handle(stop.clone(), ask).map_err(cannot_start)?;
    let scheme = if plan.tls.is_some() { "https" } else { "http" };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot_start)?;
    let listening = |address: SocketAddr| {
        let _ = print(&format!("listening on {scheme}://{address}/\n"));
    };
    let ended = runtime.block_on(exporter::run(plan, listening, stop));
    runtime.shutdown_background();
    ended.map_err(|error| local(error.to_string(), None))
}

fn print(text: &str) -> ExitCode {
    errors::exit_code_of_write(runner::stdout(Format::Human).write_all(text.as_bytes()))
}
