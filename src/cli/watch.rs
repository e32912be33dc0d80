//! `wscheck watch`: arguments and run.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::args::{OutputArgs, byte_size, positive_duration, up_to};
use super::checks::file::{self, TargetEntry};
use super::checks::listed_mistakes;
use super::checks::mistake::Mistake;
use super::errors::StartFailure;
use super::kept_targets::kept_connection;
use super::measurement::Measurement;
use super::ping::{AttemptLimit, PingArgs};
use super::preset_args::detect_before_run;
use super::print_queue::PrintQueueReceiver;
use super::service_manager::ServiceManager;
use super::{connect, live, live_terminal, runner};
use crate::commands::config_reload::ConfigReload;
use crate::commands::fd_limit::{self, TooFewFiles};
use crate::commands::kept::KeptConnection;
use crate::commands::ping::PingPlan;
use crate::commands::watch::hook::HookPlan;
use crate::commands::watch::{self, MetricsPlan, WatchControl, WatchEvent, WatchPlan};
use crate::domain::command_line::CommandLine;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::net::host_events::HostEvents;
use crate::output::exporter::TargetsPage;
use crate::output::rotating_file::{RotatingFile, RotationLimits};
use crate::output::watch::live::LiveView;
use crate::output::watch::{HookMessages, WatchPresenter};
use crate::output::{Format, ReportFile, RunOutput, charset};

/// While the status is worse than healthy, one heartbeat in this time.
const DEFAULT_DEGRADED_INTERVAL: Duration = Duration::from_secs(1);
/// The interval of connections that are kept for weeks, unless the preset has one.
const WATCH_INTERVAL: Duration = Duration::from_secs(5);
/// What the group of the command line's targets is called beside those of a file.
const COMMAND_LINE: &str = "command line";

/// The arguments of `wscheck watch`.
#[derive(Debug, Clone, Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub ping: PingArgs,
    #[command(flatten)]
    pub watching: WatchingArgs,
}

/// Options of watching.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchingArgs {
    /// Watch the targets of this configuration file (TOML), each a [[target]]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Interval while the status is worse than healthy; the first such heartbeat follows a missed one at once [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub degraded_interval: Option<Duration>,
    /// Run this command for each change, with the event as JSON on its stdin; no shell runs it
    #[arg(long, value_name = "COMMAND")]
    pub on_change: Option<CommandLine>,
    /// Write every event to this file, a line of JSON each; `wscheck report` makes a report of it
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Size at which the log is renamed to FILE.1 and begun anew
    #[arg(long, value_name = "SIZE", default_value = "10MiB", value_parser = byte_size, requires = "log")]
    pub log_size: usize,
    /// Number of earlier logs that are kept
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<u32>(1000), requires = "log")]
    pub log_files: u32,
    /// Serve the metrics of the targets, and a live page of them, on this address; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Print lines instead of the live view, which is shown on a terminal
    #[arg(long)]
    pub no_tui: bool,
}

impl WatchArgs {
    /// Watches until it is stopped.
    pub fn main(self) -> ExitCode {
        let output = self.ping.output.clone();
        let (hang_up, hang_ups) = mpsc::unbounded_channel();
        let log = self.open_log();
        let plan = log.and_then(|log| Ok((self.plan(hang_ups)?, log)));
        let (plan, log) = match plan {
            Ok((plan, log)) => (Ok(plan), log),
            Err(message) => (Err(message), None),
        };
        let (ask, asked) = mpsc::unbounded_channel();
        let connections = plan.as_ref().map_or(0, WatchPlan::connections);
        let live = self.has_live_view().then(|| {
            let is_ascii = charset::is_other_than_utf8(|name| std::env::var(name).ok());
            LiveView::new(runner::human_options(&output), connections, is_ascii)
        });
        let wants_all = live.is_some();
        let show = move |output: RunOutput<WatchPresenter>, queue: &PrintQueueReceiver<WatchEvent>| match live
        {
            Some(view) => live::show(view, ask, output, queue),
            None => runner::print_all(output, queue),
        };
        let metrics = self.watching.metrics;
        let job = async |mut plan: WatchPlan, reporter: &mut dyn Reporter<WatchEvent>, run| {
            ensure_files(&plan.groups).map_err(|error| StartFailure {
                result: RunResult::Unreachable,
                message: error.to_string(),
                hint: Some(error.hint()),
            })?;
            if let Some(address) = metrics {
                plan.metrics = Some(listen_for_metrics(address).await?);
            }
            let mut messages = HookMessages::default();
            let (host, hook_document) =
                (HostEvents::start().await, Box::new(move |event: &WatchEvent| messages.message(event)));
            let control = WatchControl { run, asked, host, hook_document };
            let (service, stop) = (ServiceManager::of_environment(), control.run.interrupt.clone());
            let mut reporter = ReloadsToService { service, reporter };
            service.ready();
            Ok(service.during(watch::run(plan, &mut reporter, control), stop).await.result())
        };
        let hang_up = self.watching.config.as_ref().map(|_| hang_up);
        let showing = runner::Showing { further: log.into_iter().collect(), wants_all, hang_up, show };
        runner::run_shown(WatchPresenter::new, &output, plan, showing, job)
    }

    fn open_log(&self) -> Result<Option<ReportFile>, String> {
        let Some(path) = &self.watching.log else { return Ok(None) };
        let limits = RotationLimits {
            size: self.watching.log_size as u64,
            files: std::num::NonZeroU32::new(self.watching.log_files).unwrap_or(std::num::NonZeroU32::MIN),
        };
        let open = || {
            let mut file = RotatingFile::open(path, limits)?;
            // Each run has a file of its own, which can be read by itself.
            file.begin_anew()?;
            Ok(file)
        };
        let file = open()
            .map_err(|error: std::io::Error| format!("--log: cannot write {}: {error}", path.display()))?;
        Ok(Some(ReportFile::log(file, live_terminal::tell)))
    }

    fn plan(&self, hang_ups: mpsc::UnboundedReceiver<()>) -> Result<WatchPlan, String> {
        let of_line = self.of_command_line()?;
        let groups = self.groups(of_line.clone())?;
        let on_change = self.watching.on_change.clone().map(|command| HookPlan {
            // It would write over the live view.
            shows_output: !self.has_live_view(),
            ..HookPlan::new(command)
        });
        let file = self.watching.config.as_deref().map(|path| path.display().to_string());
        let args = self.clone();
        let service = ServiceManager::of_environment();
        let load = move || {
            service.reloading();
            let groups = args.groups(of_line.clone())?;
            ensure_files(&groups).map_err(|error| error.to_string())?;
            Ok(groups)
        };
        let reload = file.is_some().then(|| ConfigReload::new(Arc::new(load), hang_ups));
        Ok(WatchPlan { file, groups, reload, metrics: None, on_change })
    }

    /// The targets of the command line, if it has any.
    fn of_command_line(&self) -> Result<Option<KeptConnection>, String> {
        if self.ping.urls.is_empty() {
            return Ok(None);
        }
        let name = ("name".to_string(), COMMAND_LINE.to_string());
        let labels = self.watching.config.iter().map(|_| name.clone()).collect();
        Ok(Some(KeptConnection { key: Vec::new(), labels, plan: watched_plan(self.ping.clone())? }))
    }

    /// The targets of the configuration file as it is now, and those of the command line.
    fn groups(&self, of_line: Option<KeptConnection>) -> Result<Vec<KeptConnection>, String> {
        let of_file = self.watching.config.as_deref().map(groups_of_file).transpose()?;
        let mut groups: Vec<_> = of_file.into_iter().flatten().chain(of_line).collect();
        if groups.is_empty() {
            return Err(
                "there is nothing to watch: give a URL, or --config FILE with a [[target]]".to_string()
            );
        }
        let degraded = self.watching.degraded_interval.unwrap_or(DEFAULT_DEGRADED_INTERVAL);
        for KeptConnection { plan, .. } in &mut groups {
            plan.session.degraded_interval = Some(degraded);
            // They are of the whole run, also where the targets are of a file.
            plan.deadline = self.ping.deadline.or(plan.deadline);
            plan.session.count = self.ping.count.or(plan.session.count);
        }
        Ok(groups)
    }

    /// Whether there is a terminal for the live view, and nothing else was asked for.
    fn has_live_view(&self) -> bool {
        let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
        let OutputArgs { quiet, verbose, format, .. } = &self.ping.output;
        let is_wanted = !self.watching.no_tui && !quiet && !verbose && format.chosen() == Format::Human;
        is_wanted && !is_dumb && std::io::stdout().is_terminal() && std::io::stdin().is_terminal()
    }
}

/// Listens, and says where.
async fn listen_for_metrics(address: SocketAddr) -> Result<MetricsPlan, StartFailure> {
    let failed = |error: std::io::Error| StartFailure {
        result: RunResult::Unreachable,
        message: format!("--metrics: cannot listen on {address}: {error}"),
        hint: None,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    live_terminal::tell(&format!("metrics on http://{address}/metrics"));
    if !address.ip().is_loopback() {
        live_terminal::tell("warning: everybody who reaches this address may read the metrics");
    }
    Ok(MetricsPlan {
        listener,
        renderer: Arc::new(TargetsPage { title: "wscheck watch", has_config: false }),
    })
}

/// Raises the limit on open files to what these need.
fn ensure_files(groups: &[KeptConnection]) -> Result<(), TooFewFiles> {
    fd_limit::ensure_limit(groups.iter().map(|group| group.plan.connections()).sum())
}

/// The targets of a configuration file, each as a group of its own, in the order of the file.
fn groups_of_file(path: &Path) -> Result<Vec<KeptConnection>, String> {
    let name = without_controls(&path.display().to_string(), false);
    let text = connect::read(&path.to_string_lossy()).map_err(|why| format!("cannot read {name}: {why}"))?;
    let variable = |name: &str| std::env::var(name).ok();
    let file = file::parse(&text, variable).map_err(|mistakes| listed_mistakes(&name, &mistakes))?;
    let (mut groups, mut mistakes) = (Vec::new(), Vec::new());
    for TargetEntry { entry, .. } in &file.targets {
        let of = &entry.identity.name;
        match kept_connection(entry) {
            Ok(group) => groups.push(group),
            Err((option, why)) => {
                let place = option.and_then(|option| entry.places.get(&option));
                let place = place.or_else(|| entry.places.get("name")).cloned().unwrap_or_default();
                mistakes.push(Mistake::at(&text, &place, format!("target '{of}': {why}")));
            }
        }
    }
    match (mistakes.is_empty(), groups.is_empty()) {
        (false, _) => Err(listed_mistakes(&name, &mistakes)),
        (true, true) => Err(format!("{name} has no [[target]]")),
        (true, false) => Ok(groups),
    }
}

/// Tells the service manager when a reload is over.
struct ReloadsToService<'a> {
    service: ServiceManager,
    reporter: &'a mut dyn Reporter<WatchEvent>,
}

impl Reporter<WatchEvent> for ReloadsToService<'_> {
    fn report(&mut self, event: &WatchEvent) {
        if matches!(event, WatchEvent::Reloaded(_) | WatchEvent::NotReloaded { .. }) {
            self.service.ready();
        }
        self.reporter.report(event);
    }
}

/// The plan of `ping`, with connections that are opened again for ever.
fn watched_plan(mut args: PingArgs) -> Result<PingPlan, String> {
    if let Some(option) = unfit(&args) {
        return Err(format!("{option} has no meaning for connections that are watched"));
    }
    let detection = detect_before_run(args.server())?;
    if args.heartbeat.preamble.first_message.preset.preset.is_none() {
        args.heartbeat.interval.get_or_insert(WATCH_INTERVAL);
    }
    args.reconnect.reconnect = true;
    args.reconnect.reconnect_attempts.get_or_insert(AttemptLimit(None));
    args.plan(detection.as_ref())
}

/// An option that is against watching.
fn unfit(args: &PingArgs) -> Option<&'static str> {
    let given = [
        (args.adaptive, "--adaptive"),
        (!args.thresholds.expect_close.is_empty(), "--expect-close"),
        (!args.thresholds.expect_refused.is_empty(), "--expect-refused"),
    ];
    given.into_iter().find(|(given, _)| *given).map(|(_, option)| option)
}
