//! Floor 4: arguments as typed become a Plan; signals, exit codes, completions, man page.

mod app_ping;
mod args;
mod background;
mod connect;
mod demo;
mod heartbeat;
mod listen;
mod papers;
mod ping;
mod preset;
mod presets;
mod printer;
mod probe_idle;
mod probe_zombie;
mod reader;
mod serve;
mod serving;
mod signals;
mod timeouts;
mod usage;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::output::charset;

pub use papers::{SHELLS, completions, man_page};

/// The exit codes, the same for every command; README and `--help` show them.
pub const EXIT_CODES: &[(u8, &str)] = &[
    (0, "passed: measured, and every criterion was met"),
    (
        1,
        "failed: measured, and a criterion was not met: status of the run at or worse than --fail-on (default \
         poor), a --fail-if was true, an --expect was not met, or a connection ended that should not have",
    ),
    (2, "usage: the arguments make no sense"),
    (3, "unreachable: never measured: could not resolve, connect, negotiate TLS, upgrade, or listen"),
    (
        4,
        "inconclusive: it ran, but the evidence does not support an answer (and the report says why); or \
         interrupted: a bounded run was ended before it was complete, and no criterion had failed",
    ),
    (130, "interrupted before there was anything to report"),
];

/// A diagnostic instrument for WebSocket connections: RTT, jitter, missed pongs, and why.
#[derive(Debug, Parser)]
#[command(name = "wscheck", version, max_term_width = 100, after_help = exit_code_help())]
#[command(propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Is this path healthy: how fast, how steady, how many heartbeats go unanswered?
    #[command(after_help = exit_code_help())]
    Ping(Box<ping::PingArgs>),
    /// How long may this path be idle before something cuts it, what cuts it, and what keeps it open?
    #[command(after_help = exit_code_help())]
    ProbeIdle(Box<probe_idle::ProbeIdleArgs>),
    /// Does the server send heartbeats of its own: which kind, how often, counted from what?
    #[command(after_help = exit_code_help())]
    Listen(Box<listen::ListenArgs>),
    /// How long does the server keep a dead client, and how does it find out?
    #[command(after_help = exit_code_help())]
    ProbeZombie(Box<probe_zombie::ProbeZombieArgs>),
    /// Show what `ping` does, on a test server inside this process (about five seconds)
    Demo(demo::DemoArgs),
    /// Does my client cope with a slow, lossy, silent or closing server? A server that misbehaves on order
    #[command(after_help = exit_code_help())]
    Serve(Box<serve::ServeArgs>),
    /// Which proxies, clouds, NATs and servers cut connections: when, how, what resets them, what to change
    Timeouts(timeouts::TimeoutsArgs),
    /// How services and libraries speak heartbeats: what to ask, what answers, what must not be sent
    Presets(presets::PresetsArgs),
    /// Print the JSON Schema of everything that -o json and -o ndjson print
    Schema,
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff) of wscheck or of one of its commands
    Man {
        /// The command whose page is wanted
        command: Option<String>,
    },
}

/// Parses the arguments and does what they say.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if charset::is_other_than_utf8(|name| std::env::var(name).ok()) {
        charset::limit_to_ascii();
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => return usage::refuse(&error, &args),
    };
    match cli.command {
        Command::Ping(args) => args.main(),
        Command::ProbeIdle(args) => args.main(),
        Command::Listen(args) => args.main(),
        Command::ProbeZombie(args) => args.main(),
        Command::Demo(args) => args.main(),
        Command::Serve(args) => serving::main(*args),
        Command::Timeouts(args) => args.main(),
        Command::Presets(args) => args.main(),
        Command::Schema => papers::print_schema(),
        Command::Completions { shell } => papers::print_completions(shell),
        Command::Man { command } => papers::print_man(command.as_deref()),
    }
}

/// The whole command line, for completions, the manual and the tests of the README.
pub fn command() -> clap::Command {
    Cli::command()
}

fn exit_code_help() -> String {
    let rows = EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:<4} {meaning}"));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}
