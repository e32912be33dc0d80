//! `wscheck ping`: arguments and run.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::args::{OutputArgs, no_effect_without, positive_duration, up_to};
use super::connect::ConnectArgs;
use super::fresh_inputs::FreshInputArgs;
use super::heartbeat::HeartbeatArgs;
use super::measurement::Measurement;
use super::preset_args::{ChosenPreset, ServerArgs};
use crate::commands::fd_limit;
use crate::commands::ping::{self, PingPlan};
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::connection::backoff::Backoff;
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::target::Target;
use crate::domain::format;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::event::Event;
use crate::domain::ping::expected_ending::ExpectedEnding;
use crate::domain::ping::fail_if::{FailIf, FailOn};
use crate::domain::ping::health::StatusLimits;
use crate::domain::ping::ramp::Ramp;
use crate::domain::ping::run_status::RunStatusLimits;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::presets::PresetDetection;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::domain::share::parse_share;
use crate::net::client::session::plan::SessionPlan;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::http2_pool::Http2Pool;
use crate::net::fresh_inputs::InputSources;
use crate::output::ping::PingPresenter;
use crate::output::{Format, ReportFormat};

/// Maximum number of connections: more than the ports of one address to one server.
const MAX_CONNECTIONS: u64 = 100_000;
/// Maximum number of heartbeats in the rolling window, which every connection has.
const MAX_STATUS_WINDOW: u64 = 100_000;
/// Number of heartbeats where the run must end: as many as monitoring plugins send by default.
const BOUNDED_COUNT: u64 = 5;
/// The most messages of a server that `--verbose` shows; the others are counted.
const MAX_SHOWN_MESSAGES: u8 = 100;
/// TCP gives up when the peer has acknowledged nothing for this many heartbeat timeouts, but not before
/// [`MIN_USER_TIMEOUT`]: retransmits need time.
const USER_TIMEOUT_FACTOR: u32 = 3;
const MIN_USER_TIMEOUT: Duration = Duration::from_secs(30);
/// Defaults of the back-off.
const DEFAULT_RECONNECT_BASE: Duration = Duration::from_millis(500);
const DEFAULT_RECONNECT_CAP: Duration = Duration::from_secs(30);
const DEFAULT_RECONNECT_ATTEMPTS: AttemptLimit = AttemptLimit(Some(10));
const DEFAULT_RECONNECT_RESET_AFTER: Duration = Duration::from_secs(5);

/// The arguments of `wscheck ping`.
#[derive(Debug, Clone, Args)]
pub struct PingArgs {
    /// WebSocket URLs (ws:// or wss://)
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Number of connections to each URL
    #[arg(short = 'n', long, value_name = "N", default_value = "1", value_parser = up_to::<u32>(MAX_CONNECTIONS),
          allow_hyphen_values = true)]
    pub connections: u32,
    /// Open connections at this rate (500/s, 1000/m), or all of them within this time (20s) [default: as fast as
    /// possible, 64 at a time]
    #[arg(long, value_name = "RATE|TIME", allow_hyphen_values = true)]
    pub ramp: Option<Ramp>,
    /// With more than 10 connections, list the N worst
    #[arg(long, value_name = "N", default_value = "5", value_parser = up_to::<u32>(MAX_CONNECTIONS),
          allow_hyphen_values = true)]
    pub worst: u32,
    /// List every connection in the JSON document, not only the worst of more than 100
    #[arg(long)]
    pub all_connections: bool,
    /// Let this many WebSockets share a connection of HTTP/2 (with --http 2)
    #[arg(long, value_name = "N", default_value = "1", value_parser = up_to::<u32>(MAX_CONNECTIONS),
          allow_hyphen_values = true)]
    pub streams_per_connection: u32,
    /// Send the next heartbeat as soon as the previous one was answered, without an interval (like ping -A)
    #[arg(long, conflicts_with = "interval")]
    pub adaptive: bool,
    /// Also send PING frames of HTTP/2, one at a time: their RTT ends where HTTP/2 does, perhaps at a proxy before the server
    /// (with --http 2 or auto)
    #[arg(long)]
    pub h2_ping: bool,
    /// Stop after this number of heartbeats of each kind on each connection [default: run until Ctrl-C]
    #[arg(short, long, value_name = "COUNT", value_parser = up_to::<u64>(u64::MAX), allow_hyphen_values = true)]
    pub count: Option<u64>,
    /// Stop the run after this time; then wait up to the timeout for app answers that carry no id
    #[arg(short = 'w', long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub deadline: Option<Duration>,
    #[command(flatten)]
    pub heartbeat: HeartbeatArgs,
    #[command(flatten)]
    pub connect: ConnectArgs,
    #[command(flatten)]
    pub fresh: FreshInputArgs,
    /// A silence of this length after a heartbeat left counts as an outage [default: the timeout]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub outage_after: Option<Duration>,
    #[command(flatten)]
    pub reconnect: ReconnectArgs,
    #[command(flatten)]
    pub thresholds: ThresholdArgs,
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Options of reconnecting.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reconnecting")]
pub struct ReconnectArgs {
    /// Reopen a lost connection (a first opening that fails is not retried)
    #[arg(long)]
    pub reconnect: bool,
    /// Back-off before the first attempt; it doubles with each attempt, and the wait is a random part of it
    /// [default: 500ms]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub reconnect_base: Option<Duration>,
    /// Maximum back-off [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub reconnect_cap: Option<Duration>,
    /// Give up after this number of attempts (or `unlimited`: never) without a connection that lasted [default: 10]
    #[arg(long, value_name = "N|unlimited", value_parser = attempt_limit, allow_hyphen_values = true)]
    pub reconnect_attempts: Option<AttemptLimit>,
    /// Reset back-off and attempts once a connection was open for this long and answered a heartbeat [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub reconnect_reset_after: Option<Duration>,
}

/// The most attempts; `None`: unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimit(pub Option<u32>);

fn attempt_limit(text: &str) -> Result<AttemptLimit, String> {
    match text {
        "unlimited" => Ok(AttemptLimit(None)),
        number => match number.parse::<u32>() {
            Ok(most) if most > 0 => Ok(AttemptLimit(Some(most))),
            Ok(_) | Err(_) => Err(format!("it must be a number from 1 to {}, or 'unlimited'", u32::MAX)),
        },
    }
}

impl ReconnectArgs {
    fn backoff(&self) -> Result<Option<Backoff>, String> {
        let given = [
            (self.reconnect_base.is_some(), "--reconnect-base"),
            (self.reconnect_cap.is_some(), "--reconnect-cap"),
            (self.reconnect_attempts.is_some(), "--reconnect-attempts"),
            (self.reconnect_reset_after.is_some(), "--reconnect-reset-after"),
        ];
        if !self.reconnect {
            let needless = given.into_iter().find(|(given, _)| *given);
            return needless.map_or(Ok(None), |(_, flag)| Err(no_effect_without(flag, "--reconnect")));
        }
        let base = self.reconnect_base.unwrap_or(DEFAULT_RECONNECT_BASE);
        let cap = self.reconnect_cap.unwrap_or(DEFAULT_RECONNECT_CAP);
        if base > cap {
            let (base, cap) = (format::duration(base), format::duration(cap));
            return Err(format!("--reconnect-base ({base}) is above --reconnect-cap ({cap})"));
        }
        Ok(Some(Backoff {
            base,
            cap,
            max_attempts: self.reconnect_attempts.unwrap_or(DEFAULT_RECONNECT_ATTEMPTS).0,
            lasted_after: self.reconnect_reset_after.unwrap_or(DEFAULT_RECONNECT_RESET_AFTER),
        }))
    }
}

/// Thresholds of statuses and of failing.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Status and exit code")]
pub struct ThresholdArgs {
    /// Maximum mean RTT of a healthy connection (of the whole run; in live lines of the window)
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = positive_duration,
          allow_hyphen_values = true)]
    pub healthy: Duration,
    /// Maximum mean RTT of a degraded connection
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = positive_duration,
          allow_hyphen_values = true)]
    pub degraded: Duration,
    /// Maximum mean RTT of a poor connection; above it is critical
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = positive_duration,
          allow_hyphen_values = true)]
    pub poor: Duration,
    /// Number of consecutive missed heartbeats after which a connection is dead
    #[arg(long, value_name = "N", default_value = "3", value_parser = up_to::<u32>(u32::MAX.into()),
          allow_hyphen_values = true)]
    pub dead_after: u32,
    /// A run that ends with this number of consecutive missed heartbeats has status timeout
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<u32>(u32::MAX.into()),
          allow_hyphen_values = true)]
    pub timeout_after: u32,
    /// A run with more loss than this is at least poor (any loss makes it at least degraded)
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = parse_share,
          allow_hyphen_values = true)]
    pub poor_loss: f64,
    /// A run with more loss than this is at least critical
    #[arg(long, value_name = "PERCENT", default_value = "20%", value_parser = parse_share,
          allow_hyphen_values = true)]
    pub critical_loss: f64,
    /// Minimum number of missed heartbeats before loss makes a run poor or critical
    #[arg(long, value_name = "N", default_value = "2", value_parser = up_to::<u64>(u64::MAX),
          allow_hyphen_values = true)]
    pub loss_min_missed: u64,
    /// Size of the rolling window for the live status, in answered heartbeats
    #[arg(long, value_name = "N", default_value = "10", value_parser = up_to::<u32>(MAX_STATUS_WINDOW),
          allow_hyphen_values = true)]
    pub window: u32,
    /// Exit 1 if the status of the run is this or worse: healthy, degraded, poor, critical, timeout, dead
    #[arg(long, value_name = "STATUS", default_value = "poor")]
    pub fail_on: FailOn,
    /// Exit 1 if this expression is true: rtt.p95>200ms, loss>1%, jitter>20ms, tls.days_left<14 (repeatable; see
    /// Metrics below)
    #[arg(long, value_name = "EXPR", visible_alias = "crit")]
    pub fail_if: Vec<FailIf>,
    /// Show a warning if this expression is true, but do not fail; with -o nagios the state is WARNING (repeatable)
    #[arg(long, value_name = "EXPR")]
    pub warn: Vec<FailIf>,
    /// Pass only if the peer closes every connection with one of these close codes: 1001, or 1012,4000. Such an end makes
    /// no connection dead
    #[arg(long, value_name = "CODE,...", value_delimiter = ',', value_parser = close_code,
          conflicts_with = "reconnect")]
    pub expect_close: Vec<u16>,
    /// Pass only if every upgrade is refused with one of these HTTP statuses: 401, or 401,403. If one opens, the run
    /// ends after one heartbeat, unless --count or --deadline says otherwise
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = http_status,
          conflicts_with_all = ["fail_if", "warn", "expect_close", "reconnect"])]
    pub expect_refused: Vec<u16>,
}

/// A close code that a peer can send (RFC 6455 7.4).
fn close_code(text: &str) -> Result<u16, String> {
    let code =
        text.parse::<u16>().ok().filter(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999));
    code.ok_or_else(|| {
        "it must be a close code that a peer can send: 1000 to 1003, 1007 to 1014, or 3000 to 4999"
            .to_string()
    })
}

/// A status with which a server refuses an upgrade: any but 101.
fn http_status(text: &str) -> Result<u16, String> {
    let status = text.parse::<u16>().ok().filter(|status| (200..=599).contains(status));
    status.ok_or_else(|| "it must be an HTTP status from 200 to 599".to_string())
}

impl ThresholdArgs {
    fn run_limits(&self) -> Result<RunStatusLimits, String> {
        if self.poor_loss > self.critical_loss {
            let [poor, critical] = [self.poor_loss, self.critical_loss].map(format::exact_percent);
            return Err(format!("--poor-loss ({poor}) is above --critical-loss ({critical})"));
        }
        if !(self.healthy < self.degraded && self.degraded < self.poor) {
            let [healthy, degraded, poor] = [self.healthy, self.degraded, self.poor].map(format::duration);
            return Err(format!(
                "--healthy ({healthy}), --degraded ({degraded}) and --poor ({poor}) must increase: each is the \
                 upper bound of its status"
            ));
        }
        Ok(RunStatusLimits {
            connection: StatusLimits {
                healthy: self.healthy,
                degraded: self.degraded,
                poor: self.poor,
                dead_after: self.dead_after,
                window: self.window as usize,
            },
            poor_loss: self.poor_loss,
            critical_loss: self.critical_loss,
            loss_min_missed: self.loss_min_missed,
            timeout_after: self.timeout_after,
        })
    }

    /// The criteria for passing. Rejects an expression about something that is not measured.
    fn policy(&self, kinds: &[HeartbeatKind], targets: &[Target]) -> Result<PassCriteria, String> {
        let failures = self.fail_if.iter().map(|expression| ("--fail-if", expression));
        let warnings = self.warn.iter().map(|expression| ("--warn", expression));
        for (option, expression) in failures.chain(warnings) {
            let about = match expression.kind() {
                Some(HeartbeatKind::Http2) if !kinds.contains(&HeartbeatKind::Http2) => {
                    "PINGs of HTTP/2 (see --h2-ping)".to_string()
                }
                Some(kind) if !kinds.contains(&kind) => format!("{kind} heartbeats (see --heartbeat)"),
                _ if expression.is_of_tls() && !targets.iter().any(Target::secure) => "TLS".to_string(),
                _ => continue,
            };
            return Err(format!("{option}: '{expression}' is about {about}, which this run does not have"));
        }
        Ok(PassCriteria {
            limits: self.run_limits()?,
            fail_on: self.fail_on,
            fail_if: self.fail_if.clone(),
            warn_if: self.warn.clone(),
            endings: ExpectedEnding {
                close_codes: self.expect_close.clone(),
                refused_with: self.expect_refused.clone(),
            },
        })
    }
}

impl Measurement for PingArgs {
    type Presenter = PingPresenter;
    type Plan = PingPlan;

    fn output(&self) -> &OutputArgs {
        &self.output
    }

    fn server(&self) -> ServerArgs<'_> {
        ServerArgs {
            preset: &self.heartbeat.preamble.first_message.preset,
            urls: &self.urls,
            connect: &self.connect,
            fresh: Some(&self.fresh),
        }
    }

    /// A program that waits for the result needs an end. A connection that was to be refused, and opens, has shown enough
    /// by one heartbeat.
    fn bounded(self) -> PingArgs {
        let is_open_ended = self.count.is_none() && self.deadline.is_none();
        let enough = if self.thresholds.expect_refused.is_empty() { BOUNDED_COUNT } else { 1 };
        PingArgs { count: if is_open_ended { Some(enough) } else { self.count }, ..self }
    }

    fn plan(self, detection: Option<&PresetDetection>) -> Result<PingPlan, String> {
        let args = if self.must_end() { self.bounded() } else { self };
        let chosen = args.heartbeat.preamble.first_message.preset.chosen(&args.urls, detection)?;
        if args.h2_ping && args.connect.http == HttpChoice::Http1 {
            return Err(no_effect_without("--h2-ping", "--http 2 or auto"));
        }
        if args.h2_ping && args.streams_per_connection > 1 {
            let why = "--h2-ping: PINGs belong to a connection, so each needs one WebSocket: leave out --streams-per-connection";
            return Err(why.to_string());
        }
        let targets = args.targets(&chosen)?;
        let of_websocket = args.heartbeat.kinds(&chosen);
        let of_http2 = args.h2_ping.then_some(HeartbeatKind::Http2);
        let kinds: Vec<_> = of_websocket.iter().copied().chain(of_http2).collect();
        args.heartbeat.check(&chosen)?;
        let policy = args.thresholds.policy(&kinds, &targets)?;
        Ok(PingPlan {
            dial: args.dial(&chosen, &targets)?,
            targets,
            connections_each: args.connections as usize,
            ramp: args.ramp,
            worst: args.worst as usize,
            lists_all: args.all_connections,
            preamble: args.heartbeat.preamble.preamble(&chosen)?,
            inputs: args.inputs()?,
            preset: chosen.used(&of_websocket),
            session: SessionPlan {
                kinds,
                interval: (!args.adaptive).then(|| args.heartbeat.interval(&chosen)),
                degraded_interval: None,
                timeout: args.heartbeat.timeout(&chosen),
                count: args.count,
                expected_close: policy.endings.close_codes.clone(),
                limits: policy.limits.connection.into(),
                ask: args.heartbeat.preamble.ask(&chosen)?,
                answer: args.heartbeat.preamble.answer(&chosen)?,
                answer_pings: !args.heartbeat.preamble.no_answer,
                shown_messages: if args.output.verbose { MAX_SHOWN_MESSAGES } else { 0 },
                profile: chosen.profile(),
            },
            max_message_size: args.connect.max_message_size,
            deadline: args.deadline,
            reconnect: args.reconnect.backoff()?,
            outage_after: args.outage_after.unwrap_or(args.heartbeat.timeout(&chosen)),
            policy,
        })
    }

    fn connections(plan: &PingPlan) -> usize {
        plan.connections()
    }

    async fn run(
        plan: PingPlan,
        reporter: &mut dyn Reporter<Event>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure> {
        fd_limit::ensure_limit(plan.connections())?;
        Ok(ping::run(plan, reporter, control).await.verdict)
    }
}

impl PingArgs {
    /// Whether a program waits for the end of the run.
    fn must_end(&self) -> bool {
        let is_plugin = self.output.format.chosen() == Format::Report(ReportFormat::Nagios);
        is_plugin || !self.thresholds.expect_refused.is_empty()
    }

    fn targets(&self, chosen: &ChosenPreset) -> Result<Vec<Target>, String> {
        let (urls, each) = (self.urls.len() as u64, u64::from(self.connections));
        if urls.saturating_mul(each) > MAX_CONNECTIONS {
            return Err(format!(
                "--connections: {urls} URLs with {each} each are too many: at most {MAX_CONNECTIONS} together"
            ));
        }
        self.urls.iter().map(|url| chosen.target(url)).collect()
    }

    /// What is read anew before each opening.
    fn inputs(&self) -> Result<InputSources, String> {
        if self.fresh.url_command.is_some() && self.urls.len() > 1 {
            return Err("--url-command gives one URL, so that it works with one target only".to_string());
        }
        let messages = self.heartbeat.preamble.first_message.sources()?;
        self.fresh.sources(self.connect.connect_timeout, messages)
    }

    /// The dial plan, with a default TCP user timeout unless the user sets one.
    fn dial(&self, chosen: &ChosenPreset, targets: &[Target]) -> Result<DialPlan, String> {
        let mut dial = chosen.offer(self.connect.dial()?, targets);
        if self.streams_per_connection > 1 {
            if self.connect.http != HttpChoice::Http2 {
                return Err(no_effect_without("--streams-per-connection", "--http 2"));
            }
            dial.http2_pool = Some(Arc::new(Http2Pool::new(self.streams_per_connection)));
        }
        if self.connect.user_timeout.is_none() {
            let timeout = self.heartbeat.timeout(chosen).saturating_mul(USER_TIMEOUT_FACTOR);
            dial.user_timeout = Some(timeout.max(MIN_USER_TIMEOUT));
        }
        Ok(dial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct TestPingCli {
        #[command(flatten)]
        ping: PingArgs,
    }

    #[test]
    fn tcp_user_timeout_follows_the_timeout() {
        let timeout = |args: &[&str]| {
            let line = ["ping", "--proxy", "none", "ws://a.example/"].iter().chain(args);
            TestPingCli::try_parse_from(line).unwrap().ping.plan(None).unwrap().dial.user_timeout
        };
        assert_eq!(timeout(&["-W", "1m"]), Some(Duration::from_secs(180)));
        assert_eq!(timeout(&["-W", "1m", "--user-timeout", "5s"]), Some(Duration::from_secs(5)));
        assert_eq!(timeout(&["--user-timeout", "none"]), None);
    }

    /// Heavier traffic must be explicit: the server may belong to somebody else.
    #[test]
    fn default_is_one_ping_a_second_without_reconnect() {
        let line = TestPingCli::try_parse_from(["ping", "--proxy", "none", "ws://a.example/"]).unwrap();
        let plan = line.ping.plan(None).unwrap();
        assert_eq!((plan.connections(), &plan.session.kinds), (1, &vec![HeartbeatKind::Protocol]));
        assert_eq!(
            (plan.session.interval, plan.session.timeout),
            (Some(Duration::from_secs(1)), Duration::from_secs(10))
        );
        assert_eq!((*plan.session.limits, plan.session.count), (StatusLimits::default(), None));
        assert_eq!(plan.policy.limits, RunStatusLimits::default());
        assert_eq!(plan.dial.user_timeout, Some(Duration::from_secs(30)));
        assert!(
            plan.preamble.send.is_empty() && plan.reconnect.is_none() && plan.dial.tcp_keepalive.is_none()
        );
    }
}
