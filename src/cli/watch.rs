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
use super::checks::ReadFile;
use super::checks::file::TargetEntry;
use super::kept_targets::{kept_connection, opened_again};
use super::measurement::Measurement;
use super::ping::PingArgs;
use super::preset_args::detect_before_run;
use super::print_queue::PrintQueueReceiver;
use super::{live, live_terminal, runner, service_manager};
use crate::commands::config_reload::ConfigReload;
use crate::commands::fd_limit;
use crate::commands::kept::KeptConnection;
use crate::commands::ping::PingPlan;
use crate::commands::start_failure::StartFailure;
use crate::commands::watch::hook::HookPlan;
use crate::commands::watch::{self, MetricsPlan, WatchControl, WatchEvent, WatchPlan};
use crate::domain::command_line::CommandLine;
use crate::domain::run::reporter::Reporter;
use crate::net::host_events::HostEvents;
use crate::output::exporter::TargetsPage;
use crate::output::rotating_file::{RotatingFile, RotationLimits};
use crate::output::watch::live::LiveView;
use crate::output::watch::{HookMessages, WatchPresenter};
use crate::output::{Format, ReportFile, RunOutput, charset};

/// While the status is worse than healthy, one heartbeat in this time.
const DEFAULT_DEGRADED_INTERVAL: Duration = Duration::from_secs(1);
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
        let mut log = None;
        let plan = self.open_log().and_then(|opened| {
            log = opened;
            self.plan(hang_ups)
        });
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
            ensure_files(&plan.groups)?;
            if let Some(address) = metrics {
                plan.metrics = Some(listen_for_metrics(address).await?);
            }
            let mut messages = HookMessages::default();
            let (host, hook_document) =
                (HostEvents::start().await, Box::new(move |event: &WatchEvent| messages.message(event)));
            let control = WatchControl { run, asked, host, hook_document };
            let stop = control.run.interrupt.clone();
            let mut telling = |event: &WatchEvent| {
                // A reload is over.
                if matches!(event, WatchEvent::Reloaded(_) | WatchEvent::NotReloaded { .. }) {
                    service_manager::ready();
                }
                reporter.report(event);
            };
            service_manager::ready();
            Ok(service_manager::during(watch::run(plan, &mut telling, control), stop).await.result())
        };
        let hang_up = self.watching.config.as_ref().map(|_| hang_up);
        let showing = runner::Showing { further: log.into_iter().collect(), wants_all, hang_up, show };
        runner::run_shown(&output, plan, showing, job)
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
        let load = move || {
            service_manager::reloading();
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
    let failed = |error: std::io::Error| {
        StartFailure::unreachable(format!("--metrics: cannot listen on {address}: {error}"))
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
fn ensure_files(groups: &[KeptConnection]) -> Result<(), StartFailure> {
    fd_limit::ensure_limit(groups.iter().map(|group| group.plan.connections()).sum())
}

/// The targets of a configuration file, each as a group of its own, in the order of the file.
fn groups_of_file(path: &Path) -> Result<Vec<KeptConnection>, String> {
    let read = ReadFile::read(path)?;
    let (mut groups, mut mistakes) = (Vec::new(), Vec::new());
    for TargetEntry { entry, .. } in &read.file.targets {
        let what = format!("target '{}'", entry.identity.name);
        match kept_connection(entry) {
            Ok(group) => groups.push(group),
            Err(blame) => mistakes.push(blame.mistake(&read.text, &entry.places, &what)),
        }
    }
    read.refuse(mistakes)?;
    if groups.is_empty() { Err(format!("{} has no [[target]]", read.name)) } else { Ok(groups) }
}

/// The plan of `ping`, with connections that are opened again for ever.
fn watched_plan(args: PingArgs) -> Result<PingPlan, String> {
    if let Some(option) = unfit(&args) {
        return Err(format!("{option} has no meaning for connections that are watched"));
    }
    let detection = detect_before_run(args.server())?;
    opened_again(args).plan(detection.as_ref())
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
