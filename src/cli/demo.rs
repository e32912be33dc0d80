//! `wscheck demo`, as typed: `ping` on a server inside this process.

use std::process::ExitCode;

use clap::Args;

use super::args::OutputArgs;
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
    /// Runs the demo and gives the exit code of its `ping`.
    pub fn main(self) -> ExitCode {
        let server = match DemoServer::start() {
            Ok(server) => server,
            Err(error) => return errors::fail(&format!("cannot start the demo's server: {error}")),
        };
        let url = format!("ws://{}/", server.address);
        let line = ["wscheck", "ping", "-c", "50", "-i", "100ms", "-W", "2s", "--proxy", "none", &url];
        let told = "wscheck serve --delay 20ms --jitter 15ms --pong-loss 4%";
        let shown = line.join(" ");
        errors::tell(&format!("a server inside this process behaves like `{told}`; this is `{shown}`:\n"));
        match Cli::try_parse_from(line) {
            Ok(Cli { command: Command::Ping(mut args) }) => {
                args.output = self.output;
                args.main()
            }
            Ok(_) | Err(_) => errors::fail("the demo's own command line does not parse"),
        }
    }
}
