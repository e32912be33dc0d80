//! `--preset`: whose heartbeats are spoken, and what that settles.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command};
use http::HeaderValue;
use url::Url;

use super::args::label_parser;
use super::connect::ConnectArgs;
use super::signals;
use crate::commands::detect::reconnoitre;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::presets::{
    self, CompiledPreset, IntendedTraffic, Preset, PresetDetection, PresetSelection,
};
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::secrets;
use crate::net::connect::dial::DialPlan;

/// The name that has the server tell.
const AUTO_PRESET: &str = "auto";

/// Which preset is wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PresetChoice {
    /// That which the server seems to speak.
    Auto,
    Named(&'static Preset),
}

/// Whose heartbeats are spoken.
#[derive(Debug, Clone, Args)]
pub struct PresetArgs {
    /// Use the heartbeat protocol of a service or library (`wscheck presets` lists them); auto detects it. Other
    /// options override the preset
    #[arg(long, value_name = "NAME|auto", value_parser = PresetParser, hide_possible_values = true)]
    pub preset: Option<PresetChoice>,
    /// How messages are packed: message (one each), lines (split at LF or CRLF), records (split at 0x1E) [default:
    /// message, or the preset's]
    #[arg(long, value_name = "FRAMING", value_parser = label_parser::<Framing>(), hide_possible_values = true)]
    pub framing: Option<Framing>,
}

/// Reads a preset's name.
#[derive(Debug, Clone, Copy)]
struct PresetParser;

impl TypedValueParser for PresetParser {
    type Value = PresetChoice;

    fn parse_ref(
        &self,
        cmd: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<PresetChoice, clap::Error> {
        (wanted as fn(&str) -> Result<PresetChoice, String>).parse_ref(cmd, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let named = presets::all().map(|preset| PossibleValue::new(preset.name).help(preset.title));
        Some(Box::new(named.chain([PossibleValue::new(AUTO_PRESET).help("What the server seems to speak")])))
    }
}

fn wanted(name: &str) -> Result<PresetChoice, String> {
    match presets::find(name) {
        Some(preset) => Ok(PresetChoice::Named(preset)),
        None if name == AUTO_PRESET => Ok(PresetChoice::Auto),
        None => Err(unknown(name)),
    }
}

/// What to say of a name that no preset has.
pub fn unknown(name: &str) -> String {
    let near = presets::near(name);
    let near = if near.is_empty() {
        "'wscheck presets' lists them all".to_string()
    } else {
        format!("near it are: {}", near.join(", "))
    };
    format!("'{}' is no preset; {near}", UntrustedText::new(name))
}

/// What `--preset` comes to.
#[derive(Debug, Clone, Default)]
pub struct ChosenPreset {
    preset: Option<(&'static Preset, CompiledPreset)>,
    /// What was found out, where that was wanted.
    guess: Option<PresetDetection>,
    framing: Option<Framing>,
}

impl PresetArgs {
    /// Looks at the server, where that is wanted; the error is one of usage.
    pub fn guess(&self, urls: &[String], connect: &ConnectArgs) -> Result<Option<PresetDetection>, String> {
        match (self.preset, urls) {
            (Some(PresetChoice::Auto), [url]) => look(url, connect).map(Some),
            (Some(PresetChoice::Auto), _) => {
                Err("--preset auto looks at one server: give one URL".to_string())
            }
            (Some(PresetChoice::Named(_)) | None, _) => Ok(None),
        }
    }

    /// What was chosen, or guessed.
    pub fn chosen(&self, urls: &[String], guess: Option<&PresetDetection>) -> Result<ChosenPreset, String> {
        let preset = match self.preset {
            Some(PresetChoice::Named(preset)) => Some(preset),
            Some(PresetChoice::Auto) => guess.and_then(|guess| guess.preset),
            None => None,
        };
        let hosts: BTreeSet<String> = urls.iter().filter_map(|url| host(url)).collect();
        if let Some(preset) = preset.filter(|preset| preset.names_host() && hosts.len() > 1) {
            return Err(format!("--preset {} says hello to one host: give URLs of the same", preset.name));
        }
        let host = hosts.first().cloned().unwrap_or_default();
        let spoken = preset.map(|preset| preset.spoken(&host)).transpose()?;
        Ok(ChosenPreset { preset: preset.zip(spoken), guess: guess.cloned(), framing: self.framing })
    }
}

/// Why nothing was found out.
const NOT_DETECTED: &str = "it could not be looked at (some servers answer only to a path or subprotocol of their own: name \
                      the preset)";

const INTERRUPTED: &str = "the interrupt came while the server was looked at";

fn host(url: &str) -> Option<String> {
    Url::parse(url.trim()).ok()?.host_str().map(str::to_string)
}

fn look(url: &str, connect: &ConnectArgs) -> Result<PresetDetection, String> {
    let target = url.parse::<Target>().map_err(|why| why.to_string())?;
    let dial = connect.dial()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| format!("cannot start: {why}"))?;
    let clues = runtime.block_on(async {
        tokio::select! {
            biased;
            () = signals::early_end() => None,
            clues = reconnoitre(&target, &dial, connect.max_message_size) => Some(clues),
        }
    });
    runtime.shutdown_background();
    Ok(match clues {
        None => PresetDetection { preset: None, evidence: vec![INTERRUPTED.to_string()] },
        Some(Ok(clues)) => clues.guess(),
        Some(Err(error)) => {
            PresetDetection { preset: None, evidence: vec![format!("{NOT_DETECTED}: {error}")] }
        }
    })
}

impl ChosenPreset {
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.as_ref().map(|(preset, _)| *preset)
    }

    pub fn spoken(&self) -> Option<&CompiledPreset> {
        self.preset.as_ref().map(|(_, spoken)| spoken)
    }

    /// The kinds of heartbeat that are measured when nothing is said of it: the preset's own, where it has one.
    pub fn kind(&self) -> HeartbeatKind {
        if self.spoken().is_some_and(|spoken| spoken.ask.is_some()) {
            HeartbeatKind::App
        } else {
            HeartbeatKind::Protocol
        }
    }

    /// How the server speaks.
    pub fn convention(&self) -> ProtocolProfile {
        let convention = self.spoken().map(|spoken| spoken.convention.clone()).unwrap_or_default();
        ProtocolProfile { framing: self.framing.unwrap_or(convention.framing), ..convention }
    }

    /// What the report says of it.
    pub fn used(&self, kinds: &[HeartbeatKind]) -> Option<PresetSelection> {
        let evidence = self.guess.as_ref().map(|guess| guess.evidence.clone());
        match (self.preset(), evidence) {
            (Some(preset), evidence) => Some(PresetSelection::of(preset, evidence, kinds)),
            (None, Some(evidence)) => Some(PresetSelection::unsure(evidence)),
            (None, None) => None,
        }
    }

    /// Refuses what the preset says must not be sent.
    pub fn check(&self, intent: &IntendedTraffic) -> Result<(), String> {
        self.preset().and_then(|preset| preset.refuses(intent)).map_or(Ok(()), Err)
    }

    /// Offers the preset's subprotocols, where the user offers none, and the Origin header of these targets, where the
    /// preset wants it and the user gives none.
    pub fn offer(&self, mut dial: DialPlan, targets: &[Target]) -> DialPlan {
        let Some(preset) = self.preset() else { return dial };
        if dial.subprotocols.is_empty() {
            dial.subprotocols = preset.subprotocols.iter().map(|name| name.to_string()).collect();
        }
        let origins: BTreeSet<String> = targets.iter().map(origin).collect();
        if let (true, 1, Some(origin)) = (preset.own_origin, origins.len(), origins.first()) {
            dial.origin = dial.origin.or_else(|| HeaderValue::from_str(origin).ok());
        }
        dial
    }

    /// The target, with the preset's path where the URL has none, and what its query must say.
    pub fn target(&self, url: &str) -> Result<Target, String> {
        let target = url.parse::<Target>().map_err(|why| why.to_string())?;
        secrets::learn(|sent| target.secrets().iter().for_each(|secret| sent.value(secret)));
        match (self.preset(), Url::parse(url.trim())) {
            (Some(preset), Ok(parsed)) => {
                let url = completed(preset, url.trim(), parsed)?;
                url.parse().map_err(|why: crate::domain::connection::target::TargetError| why.to_string())
            }
            (None, _) | (_, Err(_)) => Ok(target),
        }
    }
}

/// The origin of a page that the same server delivers.
fn origin(target: &Target) -> String {
    let scheme = if target.secure() { "https" } else { "http" };
    format!("{scheme}://{}", target.authority())
}

/// Whether a URL, from its host on, names no path: the slash alone is what browsers add. `/.` is the root itself.
fn is_missing(rest: &str) -> bool {
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    rest[..end].split_once('/').is_none_or(|(_, path)| path.is_empty())
}

/// Whether the path is the preset's but for the slash at its end, without which Engine.IO does not know it.
fn lacks_slash(url: &Url, path: &str) -> bool {
    path.strip_suffix('/').is_some_and(|bare| url.path() == bare)
}

fn completed(preset: &Preset, given: &str, mut url: Url) -> Result<String, String> {
    let rest = given.split_once("://").map_or("", |(_, rest)| rest);
    if let Some(path) = preset.path.filter(|path| is_missing(rest) || lacks_slash(&url, path)) {
        url.set_path(path);
    }
    for (name, value) in preset.query {
        let said = url.query_pairs().find(|(said, _)| said == name).map(|(_, said)| said.into_owned());
        match said {
            Some(said) if said == *value => {}
            Some(said) => {
                return Err(format!(
                    "--preset {} wants {name}={value} in the URL's query, which says {name}={}",
                    preset.name,
                    UntrustedText::new(&said)
                ));
            }
            None => drop(url.query_pairs_mut().append_pair(name, value)),
        }
    }
    Ok(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(name: &str) -> ChosenPreset {
        let preset = match wanted(name) {
            Ok(preset) => Some(preset),
            Err(why) => panic!("{why}"),
        };
        PresetArgs { preset, framing: None }.chosen(&[], None).unwrap()
    }

    fn resource(name: &str, url: &str) -> String {
        chosen(name).target(url).map(|target| target.resource().to_string()).unwrap_or_else(|why| why)
    }

    #[test]
    fn a_url_without_a_path_gets_the_presets() {
        assert_eq!(resource("socket.io", "ws://a:3000"), "/socket.io/?EIO=4&transport=websocket");
        let completed = "/socket.io/?EIO=4&transport=websocket";
        for url in ["ws://a:3000/", "ws://a:3000/socket.io", "ws://a:3000/socket.io/", " ws://a:3000/ "] {
            assert_eq!(resource("socket.io", url), completed, "{url}");
        }
        assert_eq!(resource("socket.io", "ws://a/?t=1"), "/socket.io/?t=1&EIO=4&transport=websocket");
        assert_eq!(resource("socket.io", "ws://a?t=/"), "/socket.io/?t=/&EIO=4&transport=websocket");
        assert_eq!(
            resource("socket.io", "ws://a/app/"),
            "/app/?EIO=4&transport=websocket",
            "another path stays"
        );
        assert_eq!(resource("socket.io", "ws://a/."), "/?EIO=4&transport=websocket", "the root itself");
        assert_eq!(resource("mqtt", "ws://a/"), "/mqtt");
        assert_eq!(
            resource("engine.io", "ws://a/x/?transport=websocket&t=1"),
            "/x/?transport=websocket&t=1&EIO=4"
        );
        assert_eq!(resource("nats", "ws://a"), "/");
        assert_eq!(resource("phoenix", "ws://a/live/websocket"), "/live/websocket?vsn=2.0.0");
    }

    #[test]
    fn a_query_that_says_otherwise_is_refused() {
        assert_eq!(
            resource("engine.io", "ws://a/engine.io/?EIO=3&transport=websocket"),
            "--preset engine.io wants EIO=4 in the URL's query, which says EIO=3"
        );
    }

    #[test]
    fn a_name_that_is_none_is_answered_by_those_near_it() {
        assert_eq!(wanted("phonix").unwrap_err(), "'phonix' is no preset; near it are: phoenix, phoenix-v1");
        assert_eq!(
            wanted("qqqq\u{1b}").unwrap_err(),
            "'qqqq\\u{1b}' is no preset; 'wscheck presets' lists them all"
        );
        assert_eq!(wanted("auto"), Ok(PresetChoice::Auto));
    }

    #[test]
    fn preset_origin_is_sent_unless_overridden() {
        let targets = ["wss://a:8443/cable".parse().unwrap()];
        let origin = |dial: DialPlan| chosen("action-cable").offer(dial, &targets).origin;
        assert_eq!(origin(DialPlan::default()), Some(HeaderValue::from_static("https://a:8443")));
        let given = Some(HeaderValue::from_static("https://b"));
        assert_eq!(origin(DialPlan { origin: given.clone(), ..DialPlan::default() }), given);
        assert_eq!(chosen("phoenix").offer(DialPlan::default(), &targets).origin, None);
        assert_eq!(
            chosen("action-cable").offer(DialPlan::default(), &targets).subprotocols,
            ["actioncable-v1-json"]
        );
    }

    #[test]
    fn no_preset_settles_nothing() {
        let nothing = PresetArgs { preset: None, framing: Some(Framing::Lines) }.chosen(&[], None).unwrap();
        assert_eq!(
            (nothing.kind(), nothing.used(&[]), nothing.convention().name),
            (HeartbeatKind::Protocol, None, None)
        );
        assert_eq!(nothing.convention().framing, Framing::Lines);
        assert_eq!(nothing.target("ws://a").unwrap().resource(), "/");
    }
}
