//! Floor 4: parses arguments into plans; signals, exit codes, completions, man page.

mod args;
pub(crate) mod checks;
mod compare;
mod connect;
mod demo;
mod doctor;
mod doctor_bundle;
mod errors;
mod exporter;
mod fresh_inputs;
mod generate;
mod heartbeat;
mod kept_targets;
mod listen;
mod listings;
mod live;
mod live_terminal;
mod measurement;
mod origin;
mod ping;
mod preset_args;
mod print_queue;
mod probe_idle;
mod probe_zombie;
mod random_source;
mod report;
mod report_output;
mod runner;
mod serve;
mod service_manager;
mod signals;
mod stdout_watch;
mod test_client;
mod trace;
mod unit_note;
mod version;
mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::domain::client_test::metrics::CLIENT_METRICS;
use crate::domain::ping::fail_if::METRICS;
use crate::output::charset;
use checks::{Blame, CheckEntry, PreparedCheck};
use measurement::Measurement;

pub use generate::{SHELLS, completions, man_page};

/// The exit codes of the commands that measure, as shown in README and `--help`.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "passed: measured, and every criterion was met"),
    (1, "failed: a criterion was not met, or a connection was lost"),
    (2, "usage: the arguments make no sense"),
    (
        3,
        "unreachable: nothing was measured, because resolving, connecting, TLS, the upgrade or listening failed",
    ),
    (
        4,
        "inconclusive: the evidence is not enough (the report gives the reason); or interrupted: a bounded run ended \
         early, and no criterion had failed",
    ),
    (130, "interrupted before there was anything to report"),
];

/// The exit codes of `wscheck doctor`.
const DOCTOR_EXIT_CODES: &[(u8, &str)] = &[
    (0, "passed: no check found a problem (with --strict: nor a warning)"),
    (1, "failed: a check found a problem; a refused upgrade is one"),
    (2, "usage: the arguments make no sense"),
    (3, "unreachable: no address accepted a connection"),
    (
        4,
        "inconclusive: a check that matters came to no answer; or interrupted, and no problem was found so far",
    ),
    (130, "interrupted before there was anything to report"),
];

/// The exit codes of `wscheck serve`.
const SERVE_EXIT_CODES: &[(u8, &str)] = &[
    (0, "passed: every --expect was met; without one: stopped by Ctrl-C, SIGTERM or SIGHUP, or by --for"),
    (1, "failed: an --expect was not met"),
    (2, "usage: the arguments make no sense, or a file cannot be read or written"),
    (3, "unreachable: cannot listen on the address; or no client came, and there is an --expect"),
    (
        4,
        "inconclusive: an --expect is undecided; or interrupted before --for; or cannot start or write to stdout",
    ),
    (130, "interrupted before --for, and no client had come"),
];

/// The exit codes of `wscheck exporter`.
const EXPORTER_EXIT_CODES: &[(u8, &str)] = &[
    (0, "stopped by Ctrl-C, SIGTERM or SIGHUP"),
    (2, "usage: the arguments or the configuration make no sense, or a file cannot be read"),
    (3, "cannot listen on the address"),
];

/// The help of an option whose default is another for connections that are kept.
const WATCH_INTERVAL_HELP: &str = "Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) \
                                   [default: 5s, or the preset's]";

const WATCH_ATTEMPTS_HELP: &str =
    "Give up after this number of attempts without a connection that lasted [default: unlimited]";

/// Measure and diagnose WebSocket connections: RTT, jitter, unanswered pings, idle timeouts, dead clients.
#[derive(Debug, Parser)]
#[command(name = "wscheck", version, long_version = version::long(), max_term_width = 100, after_help = exit_code_help())]
#[command(propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Find out what is wrong with an endpoint, at which hop, and what to change; `wscheck URL` alone is a quick one
    #[command(after_help = exit_codes(DOCTOR_EXIT_CODES))]
    Doctor(Box<doctor::DoctorArgs>),
    /// Measure a connection: RTT, jitter, unanswered heartbeats and status
    #[command(after_help = exit_code_help(), after_long_help = metrics_and_exit_codes())]
    Ping(Box<ping::PingArgs>),
    /// Keep connections and watch them: outages with their length and cause, as they happen, until it is stopped
    #[command(after_help = exit_code_help(), after_long_help = metrics_and_exit_codes())]
    #[command(mut_arg("urls", |arg| arg.required(false)))]
    #[command(mut_arg("interval", |arg| arg.help(WATCH_INTERVAL_HELP)))]
    #[command(mut_arg("reconnect_attempts", |arg| arg.help(WATCH_ATTEMPTS_HELP)))]
    #[command(mut_arg("reconnect", |arg| arg.hide(true)))]
    #[command(mut_arg("adaptive", |arg| arg.hide(true)))]
    #[command(mut_arg("expect_close", |arg| arg.hide(true)))]
    #[command(mut_arg("expect_refused", |arg| arg.hide(true)))]
    Watch(Box<watch::WatchArgs>),
    /// Find the idle timeout of a path, what cuts the connection, and what keeps it open
    #[command(after_help = exit_code_help())]
    ProbeIdle(Box<probe_idle::ProbeIdleArgs>),
    /// Observe the heartbeats that the server sends by itself: kind, interval, timer
    #[command(after_help = exit_code_help())]
    Listen(Box<listen::ListenArgs>),
    /// Measure how long the server keeps dead clients, and how it detects them
    #[command(after_help = exit_code_help())]
    ProbeZombie(Box<probe_zombie::ProbeZombieArgs>),
    /// Serve metrics to Prometheus: of connections that are kept, and of probes (/probe as blackbox_exporter has it)
    #[command(after_help = exit_codes(EXPORTER_EXIT_CODES))]
    Exporter(Box<exporter::ExporterArgs>),
    /// Run the checks of a file (wscheck.toml), side by side, and report on all of them
    #[command(after_help = exit_code_help())]
    Run(Box<checks::RunArgs>),
    /// Run `ping` against a test server inside this process (about five seconds)
    Demo(demo::DemoArgs),
    /// Run a test server that misbehaves on request, to test a client
    #[command(after_help = exit_codes(SERVE_EXIT_CODES), after_long_help = client_metrics_and_exit_codes())]
    Serve(Box<serve::ServeArgs>),
    /// Run your client against a test server that misbehaves, and judge what it does
    #[command(after_help = exit_code_help(), after_long_help = faults_metrics_and_exit_codes())]
    TestClient(Box<test_client::TestClientArgs>),
    /// Show an archived run (JSON or NDJSON) in any format, or several runs of ping as one
    Report(report::ReportArgs),
    /// Compare two archived runs, figure by figure, and tell changes from chance
    #[command(after_help = exit_code_help())]
    Compare(compare::CompareArgs),
    /// List known timeouts of proxies, clouds, NATs and servers, and how to change them
    Timeouts(listings::TimeoutsArgs),
    /// List the heartbeat protocols of services and libraries
    Presets(listings::PresetsArgs),
    /// List known products and services: their heartbeats, their timeouts, and how they treat dead clients
    Products(listings::ProductsArgs),
    /// Print the JSON Schema of the -o json and -o ndjson output, or of a file of checks
    Schema {
        /// What it describes
        #[arg(value_enum, default_value = "output")]
        of: generate::SchemaOf,
    },
    /// Print shell completions
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff) of wscheck or of one command
    Man {
        /// The command to document
        command: Option<String>,
    },
}

/// The commands that measure, which a file of checks may run; the first is its default.
const MEASUREMENTS: [&str; 5] = ["ping", "probe-idle", "listen", "probe-zombie", "doctor"];

impl Command {
    /// Whether it opens connections or accepts some; the others only print.
    fn uses_network(&self) -> bool {
        !matches!(
            self,
            Command::Report(_)
                | Command::Compare(_)
                | Command::Timeouts(_)
                | Command::Presets(_)
                | Command::Products(_)
                | Command::Schema { .. }
                | Command::Completions { .. }
                | Command::Man { .. }
        )
    }

    /// Prepares a check of a command that measures.
    ///
    /// # Errors
    ///
    /// As [`PreparedCheck::new`]; and any other command.
    fn prepare(self, entry: CheckEntry) -> Result<PreparedCheck, Blame> {
        match self {
            Command::Ping(args) => PreparedCheck::of(*args, entry),
            Command::ProbeIdle(args) => PreparedCheck::of(*args, entry),
            Command::Listen(args) => PreparedCheck::of(*args, entry),
            Command::ProbeZombie(args) => PreparedCheck::of(*args, entry),
            Command::Doctor(args) => PreparedCheck::of(*args, entry),
            _ => Err(format!("a check cannot run {}", entry.identity.command).into()),
        }
    }
}

/// Parses the arguments and runs the command.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = with_default_command(args.into_iter().collect());
    if charset::is_other_than_utf8(|name| std::env::var(name).ok()) {
        charset::limit_to_ascii();
    }
    errors::guess_color(&args).write_global();
    let cli = match parse(&args) {
        Ok((cli, notes)) => {
            notes.iter().for_each(|note| errors::print_to_stderr(note));
            cli
        }
        Err(error) => return errors::report_clap_error(&error, &args),
    };
    if cli.command.uses_network()
        && let Err(failure) = random_source::check()
    {
        return errors::report_failure_of(&args, &failure);
    }
    match cli.command {
        Command::Doctor(args) => args.main(),
        Command::Ping(args) => args.main(),
        Command::Watch(args) => args.main(),
        Command::ProbeIdle(args) => args.main(),
        Command::Listen(args) => args.main(),
        Command::ProbeZombie(args) => args.main(),
        Command::Exporter(args) => args.main(),
        Command::Run(args) => args.main(),
        Command::Demo(args) => args.main(),
        Command::Serve(args) => args.main(),
        Command::TestClient(args) => args.main(),
        Command::Report(args) => args.main(),
        Command::Compare(args) => args.main(),
        Command::Timeouts(args) => args.main(),
        Command::Presets(args) => args.main(),
        Command::Products(args) => args.main(),
        Command::Schema { of } => generate::print_schema(of),
        Command::Completions { shell } => generate::print_completions(shell),
        Command::Man { command } => generate::print_man(command.as_deref()),
    }
}

/// A URL alone asks what is wrong with it.
fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    let is_url = |text: &str| {
        let text = text.trim().to_ascii_lowercase();
        text.starts_with("ws://") || text.starts_with("wss://")
    };
    if args.get(1).and_then(|first| first.to_str()).is_some_and(is_url) {
        args.insert(1, "doctor".into());
        let has_depth = args.iter().any(|word| word == "--thorough" || word == "--quick");
        if !has_depth {
            args.insert(2, "--quick".into());
        }
    }
    args
}

/// The arguments, and notes on those that may not mean what the user expects.
fn parse(args: &[OsString]) -> Result<(Cli, Vec<String>), clap::Error> {
    let matches = Cli::command().try_get_matches_from(args)?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))?;
    Ok((cli, unit_note::unit_notes(&matches)))
}

/// The command that these words are, as one would type them after `wscheck`.
fn command_of(words: &[String]) -> Result<Command, clap::Error> {
    let line: Vec<OsString> =
        std::iter::once("wscheck").chain(words.iter().map(String::as_str)).map(Into::into).collect();
    parse(&line).map(|(cli, _)| cli.command)
}

/// The whole command line, for completions, the manual and tests of the README.
pub fn command() -> clap::Command {
    Cli::command()
}

fn metrics_and_exit_codes() -> String {
    format!("{}\n\n{}", metric_help(), exit_code_help())
}

fn client_metrics_and_exit_codes() -> String {
    format!("{}\n\n{}", client_metric_help(), exit_codes(SERVE_EXIT_CODES))
}

fn faults_metrics_and_exit_codes() -> String {
    let faults = test_client::fault_help();
    format!("{faults}\n\n{}\n\n{}", client_metric_help(), exit_code_help())
}

/// The metrics of `--expect` about clients, from the table that evaluates them.
fn client_metric_help() -> String {
    let metrics = CLIENT_METRICS.iter().map(|metric| (metric.name, metric.meaning));
    metric_rows("--expect", metrics)
        + "\n\n  Operators: > >= < <= == !=. Times need a unit (2s), shares a % (90%) or a point (0.9)."
}

/// The metrics of `--fail-if`, from the table that evaluates them.
fn metric_help() -> String {
    let metrics = METRICS.iter().map(|metric| (metric.name, metric.meaning));
    metric_rows("--fail-if", metrics)
        + "\n\n  With --heartbeat both, protocol. or app. before the name of a heartbeat's metric selects one kind. \
            Operators: > >= < <= == !=. Times need a unit (200ms), shares a % (1%) or a point (0.01)."
}

fn metric_rows<'a>(option: &str, metrics: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let rows = metrics.map(|(name, meaning)| format!("\n  {name:<20} {meaning}"));
    format!("Metrics (for {option}):{}", rows.collect::<String>())
}

fn exit_code_help() -> String {
    exit_codes(EXIT_CODES)
}

fn exit_codes(codes: &[(u8, &str)]) -> String {
    let rows = codes.iter().map(|(code, meaning)| format!("  {code:<4} {meaning}"));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_and_manual_explain_every_client_metric() {
        let help = client_metric_help();
        let manual = String::from_utf8(man_page(Some("serve")).unwrap()).unwrap().replace('\\', "");
        for metric in CLIENT_METRICS {
            let is_explained = |line: &str| line.contains(metric.name) && line.contains(metric.meaning);
            assert!(help.lines().any(is_explained), "--help lacks {}", metric.name);
            assert!(manual.lines().any(is_explained), "the manual lacks {}", metric.name);
        }
    }

    #[test]
    fn help_and_manual_explain_every_metric() {
        let help = metric_help();
        let manual = String::from_utf8(man_page(Some("ping")).unwrap()).unwrap().replace('\\', "");
        for metric in METRICS {
            let is_explained = |line: &str| line.contains(metric.name) && line.contains(metric.meaning);
            assert!(help.lines().any(is_explained), "--help lacks {}", metric.name);
            assert!(manual.lines().any(is_explained), "the manual lacks {}", metric.name);
        }
    }
}
