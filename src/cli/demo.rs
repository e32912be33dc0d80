//! `wscheck demo`: arguments and run. It runs `ping` on a server inside this process.

use std::process::ExitCode;

use clap::Args;

use super::args::OutputArgs;
use super::measurement::Measurement;
use super::{Cli, Command, errors};
use crate::commands::demo::DemoServer;
use clap::Parser;

/// The arguments of `wscheck demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub output: OutputArgs,
}

impl DemoArgs {
    /// Runs the demo; returns the exit code of its `ping`.
    pub fn main(self) -> ExitCode {
        let server = match DemoServer::start() {
            Ok(server) => server,
            Err(error) => {
                return errors::fail_inconclusive(&format!("cannot start the demo's server: {error}"));
            }
        };
        let url = format!("ws://{}/", server.address);
        let arguments = ["wscheck", "ping", "-c", "50", "-i", "100ms", "-W", "2s", "--proxy", "none", &url];
        let server_command = "wscheck serve --delay 20ms --jitter 15ms --pong-loss 4%";
        let ping_command = arguments.join(" ");
        errors::print_to_stderr(&format!(
            "a server inside this process behaves like `{server_command}`; this is `{ping_command}`:\n"
        ));
        match Cli::try_parse_from(arguments) {
            Ok(Cli { command: Command::Ping(mut args) }) => {
                args.output = self.output;
                args.main()
            }
            Ok(_) | Err(_) => errors::fail_inconclusive("the demo's own command line does not parse"),
        }
    }
}
