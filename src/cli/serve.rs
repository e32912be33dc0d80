//! `wscheck serve`: arguments and run.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};

use super::args::{OutputArgs, no_effect_without, positive_duration};
use super::{errors, generate, runner, stdout_watch};
use crate::commands::serve::{self, CertificateSource, ServePlan};
use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::share::parse_share;
use crate::output::serve::{ServePresenter, StatusPages};
use crate::server::faults::{self, FAULTS, FaultValue, Faults};
use crate::server::{ServerConfig, ServerHeartbeats};

/// A server to test clients against: answers pings, echoes messages, sends heartbeats, and injects faults.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Address to listen on; port 0 takes a free port
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:9001", value_parser = socket_address)]
    bind: SocketAddr,

    /// Write the port number to this file once the server listens
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,

    /// Serve /clients (JSON) and /metrics (Prometheus text) at this address
    #[arg(long, value_name = "ADDR:PORT", value_parser = socket_address)]
    status_addr: Option<SocketAddr>,

    /// Speak HTTP/2 beside HTTP/1.1: WebSockets by extended CONNECT (RFC 8441), with TLS by ALPN, else with prior knowledge
    #[arg(long)]
    h2: bool,

    /// Serve for this long, then print the report; without it the server runs until it is stopped
    #[arg(long = "for", value_name = "TIME", value_parser = positive_duration)]
    limit: Option<Duration>,

    /// Fail unless this is true of the clients at the end, such as 'reconnects>=1' or 'reconnect.delay<=2s' (repeatable;
    /// --help lists the metrics)
    #[arg(long, value_name = "EXPR")]
    expect: Vec<ClientExpectation>,

    /// Maximum number of clients; further ones are refused with 503
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    max_clients: usize,

    /// Maximum size of a message, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024, value_parser = positive)]
    max_message_size: usize,

    /// Send each message back to its sender
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, action = ArgAction::Set)]
    echo: bool,

    /// Send this message to each client after the upgrade
    #[arg(long, value_name = "TEXT")]
    greet: Option<String>,

    /// Close a client with 4401 if its first message does not match
    #[arg(long, value_name = "PATTERN")]
    require: Option<Pattern>,

    /// Send each client its health_status when it changes
    #[arg(long)]
    tell_health: bool,

    #[command(flatten)]
    heartbeat: ServerHeartbeatArgs,

    #[command(flatten)]
    tls: TlsArgs,

    #[command(flatten)]
    output: OutputArgs,

    /// List the faults and exit
    #[arg(long, help_heading = "Faults")]
    list_faults: bool,

    /// Share of the connections that get the faults, as a percentage (20%) or a fraction (0.2)
    #[arg(long, value_name = "P%", default_value = "100%", value_parser = parse_share, help_heading = "Faults")]
    fault_share: f64,

    /// Random seed: the same seed gives the same faults
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Faults")]
    seed: u64,

    #[command(flatten)]
    faults: FaultArgs,
}

/// Options of the server's heartbeats.
#[derive(Debug, Args)]
#[command(next_help_heading = "Heartbeats")]
struct ServerHeartbeatArgs {
    /// Kind of heartbeat that the server sends
    #[arg(long, value_enum, value_name = "KIND", default_value_t = ServerHeartbeatKinds::Protocol)]
    heartbeat: ServerHeartbeatKinds,

    /// Time between heartbeats; clients are spread over it
    #[arg(long, value_name = "T", default_value = "30s", value_parser = faults::period)]
    interval: Duration,

    /// Maximum time to wait for an answer
    #[arg(long, value_name = "T", default_value = "10s", value_parser = faults::period)]
    timeout: Duration,

    /// Terminate a client after this number of consecutive missed heartbeats; 0: never
    #[arg(long, value_name = "N", default_value_t = 1)]
    max_missed: u32,

    /// Accept any frame from the client as a sign of life, not only the answer
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, default_missing_value = "true",
          require_equals = true, action = ArgAction::Set)]
    any_traffic_counts: bool,

    /// Postpone the heartbeat of an active client to 1 to 1.5 intervals after its last message
    #[arg(long)]
    skip_if_active: bool,

    /// Message that the server sends as app heartbeat, with {seq} {id} {now_ms}
    #[arg(long, value_name = "TEMPLATE", default_value_t)]
    app_ping: Template,

    /// Pattern of the answer
    #[arg(long, value_name = "PATTERN", default_value_t)]
    app_pong: Pattern,
}

/// Where the CA certificate of `--tls` is written unless `--ca-file` says otherwise.
const DEFAULT_CA_FILE: &str = "wscheck-ca.pem";

/// The kinds of heartbeat to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServerHeartbeatKinds {
    Protocol,
    App,
    Both,
    None,
}

/// Options of TLS: a generated certificate or the user's.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
struct TlsArgs {
    /// Serve wss:// with a new self-signed certificate
    #[arg(long, conflicts_with_all = ["cert", "key"])]
    tls: bool,

    /// Write the CA certificate of --tls to this file [default: wscheck-ca.pem]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// Serve wss:// with this certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,

    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl ServeArgs {
    /// Serves until it is stopped; returns the exit code.
    pub fn main(self) -> ExitCode {
        if self.list_faults {
            return generate::print(faults::list().as_bytes());
        }
        let output = self.output.clone();
        let plan = self.plan().inspect(warn_if_never_idle);
        runner::run_plan::<ServePresenter, _>(&output, plan, async |plan, reporter, control| {
            // A closed output stops the server, even if it has nothing to print.
            stdout_watch::watch(control.interrupt.clone());
            let served = serve::run(plan, reporter, Arc::new(StatusPages), control.interrupt).await;
            served.map(|report| report.result)
        })
    }

    /// Builds the plan. The error is a lower-case fragment that names the value and the rule.
    fn plan(self) -> Result<ServePlan, String> {
        self.faults.0.check()?;
        self.heartbeat.check()?;
        let config = ServerConfig {
            heartbeats: Arc::new(self.heartbeat.rules()),
            tell_health: self.tell_health,
            greet: self.greet,
            require: self.require,
            echo: self.echo,
            faults: self.faults.0,
            fault_share: self.fault_share,
            seed: self.seed,
            max_clients: self.max_clients,
            max_message_size: self.max_message_size,
            http2: self.h2,
            ..ServerConfig::default()
        };
        let tls = self.tls.plan()?;
        Ok(ServePlan {
            bind: self.bind,
            port_file: self.port_file,
            status_addr: self.status_addr,
            tls,
            config,
            limit: self.limit,
            expected: self.expect,
        })
    }
}

fn warn_if_never_idle(plan: &ServePlan) {
    if plan.config.never_idles() {
        errors::print_hint(
            "the server's own heartbeats keep every connection from becoming idle; --heartbeat \
             none stops them",
        );
    }
}

impl ServerHeartbeatArgs {
    /// Rejects options without effect.
    fn check(&self) -> Result<(), String> {
        if self.skip_if_active && self.heartbeat == ServerHeartbeatKinds::None {
            return Err(no_effect_without("--skip-if-active", "heartbeats (--heartbeat)"));
        }
        Ok(())
    }

    fn rules(self) -> ServerHeartbeats {
        let kinds = match self.heartbeat {
            ServerHeartbeatKinds::Protocol => vec![HeartbeatKind::Protocol],
            ServerHeartbeatKinds::App => vec![HeartbeatKind::App],
            ServerHeartbeatKinds::Both => vec![HeartbeatKind::Protocol, HeartbeatKind::App],
            ServerHeartbeatKinds::None => Vec::new(),
        };
        ServerHeartbeats {
            kinds,
            interval: self.interval,
            timeout: self.timeout,
            max_missed: self.max_missed,
            any_traffic_counts: self.any_traffic_counts,
            skip_if_active: self.skip_if_active,
            app_ping: self.app_ping,
            app_pong: self.app_pong,
        }
    }
}

impl TlsArgs {
    fn plan(self) -> Result<Option<CertificateSource>, String> {
        if self.ca_file.is_some() && !self.tls {
            return Err(no_effect_without("--ca-file", "--tls"));
        }
        match (self.tls, self.cert, self.key) {
            (true, ..) => {
                let ca_file = self.ca_file.unwrap_or_else(|| DEFAULT_CA_FILE.into());
                Ok(Some(CertificateSource::Made { ca_file }))
            }
            (false, Some(cert), Some(key)) => Ok(Some(CertificateSource::Own { cert, key })),
            (false, None, None) => Ok(None),
            (false, Some(cert), None) => {
                Err(format!("--cert {} needs its private key: --key FILE", cert.display()))
            }
            (false, None, Some(key)) => {
                Err(format!("--key {} needs its certificate: --cert FILE", key.display()))
            }
        }
    }
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("'{text}' is not ADDR:PORT, such as 127.0.0.1:9001"))
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err(format!("'{text}' is not a count: write a whole number of at least 1")),
        Ok(count) => Ok(count),
    }
}

/// One flag for each fault in the table.
#[derive(Debug)]
struct FaultArgs(Faults);

impl Args for FaultArgs {
    fn augment_args(command: Command) -> Command {
        command.args(FAULTS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        FaultArgs::augment_args(command)
    }
}

fn flag(definition: &'static faults::FaultDefinition) -> Arg {
    let arg = Arg::new(definition.name).long(definition.name).help(definition.help).help_heading("Faults");
    // Validates the value here, so that the usage error names the flag.
    let set = definition.set;
    let validated = move |text: &str| set(&mut Faults::default(), text).map(|()| text.to_string());
    let arg = if definition.needs_http2() { arg.requires("h2") } else { arg };
    match definition.value {
        FaultValue::None => arg.action(ArgAction::SetTrue),
        FaultValue::Needed(form) => arg.value_name(form).value_parser(ValueParser::from(validated)),
        FaultValue::Optional(form, default) => arg
            .value_name(form)
            .value_parser(ValueParser::from(validated))
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value(default),
    }
}

impl FromArgMatches for FaultArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<FaultArgs, clap::Error> {
        let mut faults = Faults::default();
        for definition in FAULTS {
            let value = match definition.value {
                FaultValue::None => matches.get_flag(definition.name).then(String::new),
                FaultValue::Needed(_) | FaultValue::Optional(..) => {
                    matches.get_one::<String>(definition.name).cloned()
                }
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
    use crate::server::faults::CutAction;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct TestServeCli {
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn plan(args: &[&str]) -> Result<ServePlan, String> {
        let typed = ["wscheck"].iter().chain(args);
        TestServeCli::try_parse_from(typed).map_err(|error| error.to_string())?.serve.plan()
    }

    #[test]
    fn defaults_are_an_echo_server_on_loopback() {
        let plan = plan(&[]).unwrap();
        assert_eq!(plan.bind.to_string(), "127.0.0.1:9001");
        assert_eq!((plan.config.echo, plan.config.faults), (true, Faults::default()));
        let beats = plan.config.heartbeats;
        assert_eq!((beats.interval, beats.timeout), (Duration::from_secs(30), Duration::from_secs(10)));
        assert_eq!(
            (&beats.kinds[..], beats.max_missed, beats.any_traffic_counts),
            (&[HeartbeatKind::Protocol][..], 1, true)
        );
    }

    #[test]
    fn certificate_and_key_need_each_other() {
        let own = plan(&["--cert", "c", "--key", "k"]).unwrap().tls;
        assert_eq!(own, Some(CertificateSource::Own { cert: "c".into(), key: "k".into() }));
        assert_eq!(
            plan(&["--tls"]).unwrap().tls,
            Some(CertificateSource::Made { ca_file: "wscheck-ca.pem".into() })
        );
        assert_eq!(
            plan(&["--tls", "--ca-file", "a"]).unwrap().tls,
            Some(CertificateSource::Made { ca_file: "a".into() })
        );
        assert_eq!(plan(&["--cert", "c"]).unwrap_err(), "--cert c needs its private key: --key FILE");
        assert_eq!(plan(&["--key", "k"]).unwrap_err(), "--key k needs its certificate: --cert FILE");
        assert!(plan(&["--tls", "--cert", "c", "--key", "k"]).is_err());
    }

    #[test]
    fn option_without_effect_is_refused() {
        assert_eq!(plan(&["--ca-file", "a"]).unwrap_err(), "--ca-file has no effect without --tls");
        assert_eq!(
            plan(&["--heartbeat", "none", "--skip-if-active"]).unwrap_err(),
            "--skip-if-active has no effect without heartbeats (--heartbeat)"
        );
        assert!(plan(&["--skip-if-active"]).unwrap().config.heartbeats.skip_if_active);
    }

    #[test]
    fn address_without_port_is_refused() {
        let refused = plan(&["--bind", "foo"]).unwrap_err();
        assert!(refused.contains("'foo' is not ADDR:PORT, such as 127.0.0.1:9001"), "{refused}");
        assert!(plan(&["--status-addr", "127.0.0.1"]).unwrap_err().contains("is not ADDR:PORT"));
    }

    #[test]
    fn share_is_a_percentage_or_a_fraction() {
        let loss = |text| plan(&["--pong-loss", text]).map(|plan| plan.config.faults.answers.loss);
        assert_eq!([loss("30%"), loss("0.3")], [Ok(0.3), Ok(0.3)]);
        assert!(loss("30").unwrap_err().contains("'30' has no unit: write 30%"));
        assert_eq!(plan(&["--fault-share", "0.25"]).unwrap().config.fault_share, 0.25);
    }

    #[test]
    fn heartbeat_flags_are_applied() {
        let beats = plan(&["--heartbeat", "both", "--any-traffic-counts=false", "--max-missed", "3"]);
        let beats = beats.unwrap().config.heartbeats;
        assert_eq!((beats.kinds.len(), beats.any_traffic_counts, beats.max_missed), (2, false, 3));
        assert!(plan(&["--interval", "0"]).unwrap_err().contains("'0' must be above zero"));
    }

    #[test]
    fn every_fault_has_its_flag() {
        use clap::CommandFactory;
        let command = TestServeCli::command();
        for definition in FAULTS {
            let arg = command.get_arguments().find(|arg| arg.get_long() == Some(definition.name));
            assert!(arg.is_some(), "{}", definition.name);
        }
    }

    #[test]
    fn faults_of_http2_need_it() {
        let refused = plan(&["--goaway-after", "1s"]).unwrap_err();
        assert!(refused.contains("--h2"), "{refused}");
        let faults = plan(&["--h2", "--goaway-after", "1s", "--h2-window", "0"]).unwrap().config.faults.http2;
        assert_eq!((faults.goaway_after, faults.window), (Some(Duration::from_secs(1)), Some(0)));
    }

    #[test]
    fn faults_are_combined_from_flags() {
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
        assert_eq!(config.faults.timeline, [(Duration::from_secs(2), CutAction::Close(4001))]);
        assert_eq!(config.faults.answers.latest_of, Some(2));
        assert_eq!(config.faults.trickle, Some(Duration::from_secs(2)));
        assert!(!config.echo);
    }

    #[test]
    fn bad_values_name_flag_and_rule() {
        let refused = plan(&["--pong-loss", "120%"]).unwrap_err();
        assert!(refused.contains("'--pong-loss <P%>': '120%' is above 100%"), "{refused}");
        let refused = plan(&["--idle-cut", "rst"]).unwrap_err();
        assert_eq!(refused, "--idle-cut modifies --idle-timeout and needs it");
        let refused = plan(&["--max-clients", "0"]).unwrap_err();
        assert!(refused.contains("'0' is not a count"), "{refused}");
    }
}
