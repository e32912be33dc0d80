//! Arguments that define heartbeats.

use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::args::{no_effect_without, positive_duration};
use super::connect::read;
use super::preset_args::{ChosenPreset, PresetArgs};
use crate::domain::duration::parse_duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::sent_message::{parse_message, without_last_newline};
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::presets::{CompiledPreset, IntendedTraffic};
use crate::domain::secrets;
use crate::net::client::preamble::Preamble;
use crate::net::fresh_inputs::MessageSource;
use crate::net::text_file;

/// Default time limit for the awaited message.
const DEFAULT_AWAIT_TIMEOUT: Duration = Duration::from_secs(10);
/// Minimum time between heartbeats.
const MIN_INTERVAL: Duration = Duration::from_micros(100);

/// The kinds of heartbeat to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum HeartbeatKinds {
    /// Ping frames and their Pongs (RFC 6455 5.5.2)
    Protocol,
    /// Messages and the messages that answer them
    App,
    /// Both on the same connection, with separate figures
    Both,
}

impl HeartbeatKinds {
    /// The kinds, in display order.
    pub fn kinds(self) -> Vec<HeartbeatKind> {
        match self {
            HeartbeatKinds::Protocol => vec![HeartbeatKind::Protocol],
            HeartbeatKinds::App => vec![HeartbeatKind::App],
            HeartbeatKinds::Both => vec![HeartbeatKind::Protocol, HeartbeatKind::App],
        }
    }
}

/// Options of heartbeats.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats")]
pub struct HeartbeatArgs {
    /// Kind of heartbeat [default: protocol, or app if the preset defines an answer]
    #[arg(long, value_name = "KIND", value_enum)]
    pub heartbeat: Option<HeartbeatKinds>,
    /// Time between heartbeats of one kind on one connection (500ms, 1m30s; a plain number is seconds) [default:
    /// 1s, or the preset's]
    #[arg(short, long, value_name = "TIME", value_parser = interval, allow_hyphen_values = true)]
    pub interval: Option<Duration>,
    /// Maximum time to wait for an answer: an answer after this time counts as late, no answer at all as missed
    /// [default: 10s, or the preset's]
    #[arg(short = 'W', long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub timeout: Option<Duration>,
    #[command(flatten)]
    pub preamble: PreambleArgs,
}

/// Options of app heartbeats and the preamble.
#[derive(Debug, Clone, Args)]
pub struct PreambleArgs {
    /// Message to send as app heartbeat: text with {seq}, {seq1}, {id}, {now_ms} and {now_s}; text:PING\n takes
    /// escapes, binary:PING is a binary message, hex:c000 is bytes
    #[arg(long, value_name = "TEMPLATE")]
    pub app_ping: Option<String>,
    /// Pattern of the answer: JSON fields that the message contains, also after a prefix (42["pong"]); literal
    /// text; text:, binary: and hex: as in --app-ping, with ? and * as wildcards; {any} matches every message
    /// (repeatable: one must match)
    #[arg(long, value_name = "PATTERN")]
    pub app_pong: Vec<String>,
    /// Do not answer the server's own app pings
    #[arg(long)]
    pub no_answer: bool,
    #[command(flatten)]
    pub first_message: FirstMessageArgs,
}

/// Options of the preamble.
#[derive(Debug, Clone, Args)]
pub struct FirstMessageArgs {
    /// Send a message before the first heartbeat: join, subscribe, authenticate (repeatable); @FILE reads it from a
    /// file and so keeps secrets out of the process list (a final newline is dropped; ping and watch read it anew before
    /// each opening); @@ starts a text with @
    #[arg(long, value_name = "TEXT|@FILE")]
    pub send: Vec<String>,
    /// Wait for a message that matches PATTERN before the first heartbeat
    #[arg(long = "await", value_name = "PATTERN")]
    pub await_pattern: Option<String>,
    /// Maximum time to wait for the --await message [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = positive_duration, allow_hyphen_values = true)]
    pub await_timeout: Option<Duration>,
    #[command(flatten)]
    pub preset: PresetArgs,
}

/// Default interval and answer timeout.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

impl HeartbeatArgs {
    /// Rejects options without effect, and traffic that the preset forbids.
    pub fn check(&self, chosen: &ChosenPreset) -> Result<(), String> {
        let kinds = self.kinds(chosen);
        self.preamble.check(kinds.contains(&HeartbeatKind::App), "--heartbeat app or both", chosen)?;
        let (ask, interval) = (self.preamble.app_ping.as_deref(), Some(self.interval(chosen)));
        chosen.check(&IntendedTraffic { kinds: &kinds, ask, interval })
    }

    /// The kinds of heartbeat to send.
    pub fn kinds(&self, chosen: &ChosenPreset) -> Vec<HeartbeatKind> {
        self.heartbeat.map_or_else(|| vec![chosen.kind()], HeartbeatKinds::kinds)
    }

    /// The interval between heartbeats.
    pub fn interval(&self, chosen: &ChosenPreset) -> Duration {
        self.interval.or_else(|| chosen.preset()?.every).unwrap_or(DEFAULT_INTERVAL)
    }

    /// The time limit for an answer.
    pub fn timeout(&self, chosen: &ChosenPreset) -> Duration {
        self.timeout.or_else(|| chosen.preset()?.timeout).unwrap_or(DEFAULT_TIMEOUT)
    }
}

impl PreambleArgs {
    /// The request of app heartbeats.
    pub fn ask(&self, chosen: &ChosenPreset) -> Result<Template, String> {
        let own = self.app_ping.as_deref().map(|text| parse("--app-ping", text)).transpose()?;
        if let Some(own) = &own {
            learn_secret_fields(own);
        }
        Ok(own.or_else(|| chosen.ask()).unwrap_or_default())
    }

    /// The pattern of answers to app heartbeats.
    pub fn answer(&self, chosen: &ChosenPreset) -> Result<Pattern, String> {
        let own = self.app_pong.iter().map(|text| parse("--app-pong", text));
        let own = Pattern::any_of(own.collect::<Result<_, _>>()?);
        Ok(own.or_else(|| chosen.answer()).unwrap_or_default())
    }

    /// Rejects options without effect: without app heartbeats (`app`), they need what `needed` names.
    pub fn check(&self, app: bool, needed: &str, chosen: &ChosenPreset) -> Result<(), String> {
        match (&self.app_ping, self.app_pong.as_slice()) {
            (Some(_), _) if !app => Err(no_effect_without("--app-ping", needed)),
            (_, [_, ..]) if !app => Err(no_effect_without("--app-pong", needed)),
            (_, _) => self.first_message.check(chosen),
        }
    }

    /// The preamble.
    pub fn preamble(&self, chosen: &ChosenPreset) -> Result<Preamble, String> {
        self.first_message.preamble(!self.no_answer, chosen)
    }
}

impl FirstMessageArgs {
    /// Rejects options without effect.
    pub fn check(&self, chosen: &ChosenPreset) -> Result<(), String> {
        let awaits = |compiled: &CompiledPreset| compiled.first.is_some() || compiled.awaited.is_some();
        let awaits = self.await_pattern.is_some() || chosen.compiled().is_some_and(awaits);
        match (self.await_timeout, chosen.preset().and_then(|preset| Some((preset.name, preset.needs?)))) {
            (Some(_), _) if !awaits => Err(no_effect_without("--await-timeout", "--await")),
            (_, Some((name, needs))) if self.send.is_empty() => {
                Err(format!("--preset {name} needs what only you know: --send '{needs}'"))
            }
            (_, _) => Ok(()),
        }
    }

    /// All messages to send, if one of them is in a file that is read anew before each opening; else none.
    pub fn sources(&self) -> Result<Vec<MessageSource>, String> {
        if !self.send.iter().any(|given| lasting_file(given).is_some()) {
            return Ok(Vec::new());
        }
        let source = |given: &String| match lasting_file(given) {
            Some(path) => Ok(MessageSource::File(path.into())),
            None => message(given).map(MessageSource::Fixed),
        };
        self.send.iter().map(source).collect()
    }

    /// The preamble; explicit options override the preset. `answer_pings`: whether the server's app pings are answered
    /// meanwhile.
    pub fn preamble(&self, answer_pings: bool, chosen: &ChosenPreset) -> Result<Preamble, String> {
        let send = self.send.iter().map(|given| message(given)).collect::<Result<Vec<_>, _>>()?;
        let awaited = self.await_pattern.as_deref().map(|text| parse("--await", text)).transpose()?;
        let compiled = chosen.compiled();
        Ok(Preamble {
            first: compiled.and_then(|compiled| compiled.first.clone()),
            send: match (send.is_empty(), compiled) {
                (true, Some(compiled)) => compiled.hello.clone(),
                (true, None) | (false, _) => send,
            },
            awaited: awaited.or_else(|| compiled?.awaited.clone()),
            timeout: self.await_timeout.unwrap_or(DEFAULT_AWAIT_TIMEOUT),
            answer_pings,
            profile: chosen.profile(),
        })
    }
}

/// Options of the server's app pings, in addition to the known ones.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats")]
pub struct AppPingArgs {
    /// Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal
    /// text, or hex:c000
    #[arg(long, value_name = "PATTERN")]
    pub app_ping: Option<String>,
    /// Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]
    #[arg(long, value_name = "TEMPLATE")]
    pub app_pong: Option<String>,
}

impl AppPingArgs {
    /// The known pings, with the user's addition.
    pub fn known_pings(&self) -> Result<KnownPings, String> {
        let pong = self.app_pong.as_deref().map(|text| parse::<Template>("--app-pong", text)).transpose()?;
        if let Some(pong) = &pong {
            learn_secret_fields(pong);
        }
        match self.app_ping.as_deref() {
            None if pong.is_some() => Err(no_effect_without("--app-pong", "--app-ping")),
            None => Ok(KnownPings::default()),
            Some(text) => Ok(KnownPings::with(Some((parse::<Pattern>("--app-ping", text)?, pong)))),
        }
    }
}

/// The file that `--send` names; `None`: it is the message.
fn file_of(given: &str) -> Option<&str> {
    given.strip_prefix('@').filter(|rest| !rest.starts_with('@'))
}

/// The file that `--send` names, if it can be read again: what comes from a pipe is there only once.
fn lasting_file(given: &str) -> Option<&str> {
    file_of(given).filter(|path| text_file::is_lasting(Path::new(path)))
}

/// The message of `--send`, literal or from a file. It may contain secrets, so they are redacted from output.
fn message(given: &str) -> Result<Template, String> {
    let text = match (file_of(given), given.strip_prefix('@')) {
        (Some(path), _) => from_file(path).map_err(|why| format!("--send: {why}"))?,
        (None, Some(escaped)) => escaped.to_string(),
        (None, None) => given.to_string(),
    };
    parse_message(&text).map_err(|why| format!("--send: {why}"))
}

/// A message from a file, without the final newline that editors add.
fn from_file(path: &str) -> Result<String, String> {
    if path.is_empty() {
        return Err("@ needs a file name (write @@ for a text that begins with @)".to_string());
    }
    let text = read(path)
        .map_err(|why| format!("cannot read {path}: {why} (write @@ for a text that begins with @)"))?;
    let message = without_last_newline(&text).ok_or_else(|| format!("{path} contains no message"))?;
    Ok(message.to_string())
}

/// Registers the secret fields of a repeated message for redaction.
pub fn learn_secret_fields(template: &Template) {
    secrets::learn(|sent| sent.fields(template.as_str()));
}

/// The interval. Shorter ones are surely mistakes: nothing on the path keeps them.
pub(super) fn interval(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        short if short < MIN_INTERVAL => Err("the interval must be at least 100 µs".to_string()),
        interval => Ok(interval),
    }
}

/// Parses a flag's value.
pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(flag: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|why| format!("{flag}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct TestMessageCli {
        #[command(flatten)]
        args: FirstMessageArgs,
    }

    fn file(text: &[u8]) -> (tempfile::NamedTempFile, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let given = format!("@{}", file.path().display());
        (file, given)
    }

    fn sent(given: &str) -> String {
        message(given).map_or_else(|why| why, |template| template.to_string())
    }

    #[test]
    fn message_comes_from_file_without_last_newline() {
        for (text, expected) in
            [("a {id}\n", "a {id}"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a\nb ", " a\nb "), ("@a", "@a")]
        {
            let (_file, given) = file(text.as_bytes());
            assert_eq!(sent(&given), expected, "{text:?}");
        }
        assert_eq!(sent("a@b"), "a@b");
        assert_eq!(sent("@@a"), "@a", "a literal @");
    }

    #[test]
    fn only_files_that_can_be_read_again_are_sources() {
        let (_file, given) = file(b"login");
        let sources = |send: &[&str]| {
            let words = send.iter().flat_map(|message| ["--send", message]);
            let line = ["wscheck"].into_iter().chain(words);
            <TestMessageCli as clap::Parser>::try_parse_from(line).unwrap().args.sources().unwrap().len()
        };
        assert_eq!([sources(&["a", "@@b"]), sources(&["a", &given]), sources(&["@/dev/null"])], [0, 2, 0]);
    }

    #[test]
    fn file_without_message_is_refused() {
        let hint = "(write @@ for a text that begins with @)";
        assert_eq!(
            sent("@/nonexistent/file"),
            format!("--send: cannot read /nonexistent/file: no such file or directory (ENOENT) {hint}")
        );
        assert_eq!(sent("@"), format!("--send: @ needs a file name {hint}"));
        for text in ["", "\n"] {
            let (_file, given) = file(text.as_bytes());
            assert_eq!(sent(&given), format!("--send: {} contains no message", &given[1..]));
        }
        let (_file, given) = file(b"\xff");
        assert!(sent(&given).contains("it is not UTF-8 text"));
    }

    #[test]
    fn refused_message_hides_its_secret() {
        let (_file, given) = file(br#"text:{"token":"n0t-shown-1"}\q"#);
        assert!(
            sent(&given).contains("is no escape") && !sent(&given).contains("n0t-shown-1"),
            "{}",
            sent(&given)
        );
    }

    #[test]
    fn sent_secrets_are_redacted() {
        message("LOGIN my-Secret-88213").unwrap();
        assert_eq!(secrets::redact("you are my-Secret-88213!"), "you are ***!");
        message("hex:0061332d5061737377307264377800").unwrap();
        assert_eq!(secrets::redact("a3-Passw0rd7x"), "***");
    }
}
