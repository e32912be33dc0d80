//! `wscheck serve` as typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::commands::serve::Plan;
use crate::server::Config;
use crate::server::faults::{self, DEFINITIONS, Faults, Value};

/// A server to test clients against: it answers pings, echoes messages, and misbehaves on order.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001")]
    bind: SocketAddr,

    /// Write the port's number to this file, once the server listens
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Send messages back to who sent them
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, action = ArgAction::Set)]
    echo: bool,

    /// More clients than these are answered 503
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    max_clients: usize,

    /// The most bytes of a message
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024, value_parser = positive)]
    max_message_size: usize,

    /// The share of the connections that the faults happen to
    #[arg(long, value_name = "P%", default_value = "100%", value_parser = faults::share)]
    fault_share: f64,

    /// Where randomness begins: the same seed gives the same faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// List the faults and exit
    #[arg(long)]
    pub list_faults: bool,

    #[command(flatten)]
    faults: FaultArgs,
}

impl ServeArgs {
    /// What is to be done; the error is a lower-case fragment that names the value and the rule.
    pub fn plan(self) -> Result<Plan, String> {
        self.faults.0.check()?;
        let config = Config {
            echo: self.echo,
            faults: self.faults.0,
            fault_share: self.fault_share,
            seed: self.seed,
            max_clients: self.max_clients,
            max_message_size: self.max_message_size,
            ..Config::default()
        };
        Ok(Plan { bind: self.bind, port_file: self.port_file, config })
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("'{text}' is not a count: write a whole number of at least 1")),
        Ok(count) => Ok(count),
    }
}

/// One flag for each fault of the table.
#[derive(Debug)]
struct FaultArgs(Faults);

impl Args for FaultArgs {
    fn augment_args(command: Command) -> Command {
        command.args(DEFINITIONS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        FaultArgs::augment_args(command)
    }
}

fn flag(definition: &'static faults::Definition) -> Arg {
    let arg = Arg::new(definition.name).long(definition.name).help(definition.help).help_heading("Faults");
    // The value is tried here, so that a bad one is a usage error that names its flag.
    let set = definition.set;
    let tried = move |text: &str| set(&mut Faults::default(), text).map(|()| text.to_string());
    match definition.value {
        Value::None => arg.action(ArgAction::SetTrue),
        Value::Needed(form) => arg.value_name(form).value_parser(ValueParser::from(tried)),
        Value::Optional(form, default) => arg
            .value_name(form)
            .value_parser(ValueParser::from(tried))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(default),
    }
}

impl FromArgMatches for FaultArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<FaultArgs, clap::Error> {
        let mut faults = Faults::default();
        for definition in DEFINITIONS {
            let value = match definition.value {
                Value::None => matches.get_flag(definition.name).then(String::new),
                Value::Needed(_) | Value::Optional(..) => matches.get_one::<String>(definition.name).cloned(),
            };
            if let Some(value) = value {
                let bad = |why| clap::Error::raw(clap::error::ErrorKind::ValueValidation, why);
                faults::set(&mut faults, definition.name, &value).map_err(bad)?;
            }
        }
        Ok(FaultArgs(faults))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = FaultArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::faults::Cut;
    use clap::Parser;
    use std::time::Duration;

    #[derive(Debug, Parser)]
    struct Door {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn plan(args: &[&str]) -> Result<Plan, String> {
        let typed = ["wscheck"].iter().chain(args);
        Door::try_parse_from(typed).map_err(|error| error.to_string())?.serve.plan()
    }

    #[test]
    fn without_flags_it_is_a_well_behaved_echo_on_loopback() {
        let plan = plan(&[]).unwrap();
        assert_eq!(plan.bind.to_string(), "127.0.0.1:9001");
        assert_eq!((plan.config.echo, plan.config.faults), (true, Faults::default()));
    }

    #[test]
    fn every_fault_has_its_flag() {
        use clap::CommandFactory;
        let command = Door::command();
        for definition in DEFINITIONS {
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(definition.name));
            assert!(arg.is_some(), "{}", definition.name);
        }
    }

    #[test]
    fn faults_are_put_together_from_their_flags() {
        let plan = plan(&[
            "--delay",
            "50ms",
            "--close-after=2s:4001",
            "--supersede",
            "--trickle=2s",
            "--echo=false",
        ]);
        let config = plan.unwrap().config;
        assert_eq!(config.faults.answers.delay, Duration::from_millis(50));
        assert_eq!(config.faults.timeline, [(Duration::from_secs(2), Cut::Close(4001))]);
        assert_eq!(config.faults.answers.latest_of, Some(2));
        assert_eq!(config.faults.trickle, Some(Duration::from_secs(2)));
        assert!(!config.echo);
    }

    #[test]
    fn bad_values_are_named_with_their_flag_and_rule() {
        let refused = plan(&["--pong-loss", "120%"]).unwrap_err();
        assert!(refused.contains("'--pong-loss <P%>': '120%' is not a share"), "{refused}");
        let refused = plan(&["--idle-cut", "rst"]).unwrap_err();
        assert_eq!(refused, "--idle-cut says how --idle-timeout works, and needs it");
        let refused = plan(&["--max-clients", "0"]).unwrap_err();
        assert!(refused.contains("'0' is not a count"), "{refused}");
    }
}
