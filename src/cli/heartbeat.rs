//! The arguments that say what a heartbeat is.

use std::time::Duration;

use clap::{Args, ValueEnum};

use super::args::{positive_duration, without};
use crate::domain::duration_text::parse_duration;
use crate::domain::heartbeat::Kind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::net::greeting::Greeting;

/// How long the awaited message may take, when nothing is said of it.
const AWAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest time between heartbeats.
const SHORTEST_INTERVAL: Duration = Duration::from_micros(100);

/// Which heartbeats are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Heartbeats {
    /// Ping frames and their Pongs (RFC 6455 5.5.2)
    Protocol,
    /// Messages and the messages that answer them
    App,
    /// Both on the same connection, with separate figures
    Both,
}

impl Heartbeats {
    /// The kinds, in the order in which they are shown.
    pub fn kinds(self) -> Vec<Kind> {
        match self {
            Heartbeats::Protocol => vec![Kind::Protocol],
            Heartbeats::App => vec![Kind::App],
            Heartbeats::Both => vec![Kind::Protocol, Kind::App],
        }
    }
}

/// What is asked and what answers it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats")]
pub struct HeartbeatArgs {
    /// Which heartbeats to run
    #[arg(long, value_name = "KIND", value_enum, default_value_t = Heartbeats::Protocol)]
    pub heartbeat: Heartbeats,
    /// Time between heartbeats of a kind on a connection (500ms, 1m30s; plain numbers are seconds)
    #[arg(short, long, value_name = "TIME", default_value = "1s", value_parser = interval, allow_hyphen_values = true)]
    pub interval: Duration,
    /// How long an answer may take; what comes later is late, what never comes is missed
    #[arg(short = 'W', long, value_name = "TIME", default_value = "10s", value_parser = positive_duration,
          allow_hyphen_values = true)]
    pub timeout: Duration,
    #[command(flatten)]
    pub greeting: GreetingArgs,
}

/// What app heartbeats are, and what is said before the first.
#[derive(Debug, Clone, Args)]
pub struct GreetingArgs {
    /// The app heartbeat's ask: text with {seq}, {id} and {now_ms}, or hex:c000 for binary
    #[arg(long, value_name = "TEMPLATE")]
    pub app_ping: Option<String>,
    /// What answers it: JSON fields a message must contain, literal text, or hex:c000
    #[arg(long, value_name = "PATTERN")]
    pub app_pong: Option<String>,
    /// Leave the server's own app pings unanswered
    #[arg(long)]
    pub no_answer: bool,
    #[command(flatten)]
    pub welcome: WelcomeArgs,
}

/// What is said and awaited first.
#[derive(Debug, Clone, Args)]
pub struct WelcomeArgs {
    /// Send a message before the first heartbeat: join, subscribe, authenticate (repeatable)
    #[arg(long, value_name = "TEXT")]
    pub send: Vec<String>,
    /// Begin heartbeats only when a message matching PATTERN has come
    #[arg(long = "await", value_name = "PATTERN")]
    pub await_pattern: Option<String>,
    /// How long the awaited message may take [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub await_timeout: Option<Duration>,
}

impl HeartbeatArgs {
    /// Refuses what would do nothing.
    pub fn check(&self) -> Result<(), String> {
        let app = self.heartbeat.kinds().contains(&Kind::App);
        self.greeting.check(app, "--heartbeat app or both")
    }
}

impl GreetingArgs {
    /// What app heartbeats ask.
    pub fn ask(&self) -> Result<Template, String> {
        self.app_ping.as_deref().map_or_else(|| Ok(Template::default()), |text| parse("--app-ping", text))
    }

    /// What answers them.
    pub fn answer(&self) -> Result<Pattern, String> {
        self.app_pong.as_deref().map_or_else(|| Ok(Pattern::default()), |text| parse("--app-pong", text))
    }

    /// Refuses what would do nothing, where app heartbeats run (`app`) only with what `needed` names.
    pub fn check(&self, app: bool, needed: &str) -> Result<(), String> {
        match (&self.app_ping, &self.app_pong) {
            (Some(_), _) if !app => Err(without("--app-ping", needed)),
            (_, Some(_)) if !app => Err(without("--app-pong", needed)),
            (_, _) => self.welcome.check(),
        }
    }

    /// What is said and awaited first.
    pub fn greeting(&self) -> Result<Greeting, String> {
        self.welcome.greeting(!self.no_answer)
    }
}

impl WelcomeArgs {
    /// Refuses what would do nothing.
    pub fn check(&self) -> Result<(), String> {
        match self.await_timeout {
            Some(_) if self.await_pattern.is_none() => Err(without("--await-timeout", "--await")),
            _ => Ok(()),
        }
    }

    /// What is said and awaited first; `answer_pings`: the server's own app pings are answered meanwhile.
    pub fn greeting(&self, answer_pings: bool) -> Result<Greeting, String> {
        let send = self.send.iter().map(|text| parse("--send", text));
        Ok(Greeting {
            send: send.collect::<Result<_, _>>()?,
            awaited: self.await_pattern.as_deref().map(|text| parse("--await", text)).transpose()?,
            timeout: self.await_timeout.unwrap_or(AWAIT_TIMEOUT),
            answer_pings,
        })
    }
}

/// Shorter intervals are those of a slip of the pen: nothing between here and the peer keeps them.
fn interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        short if short < SHORTEST_INTERVAL => Err("the interval must be at least 100us".to_string()),
        interval => Ok(interval),
    }
}

/// Parses the value of a flag.
pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|why| format!("{flag}: {why}"))
}
