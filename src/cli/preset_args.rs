//! `--preset`: selects a heartbeat protocol.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command};
use http::HeaderValue;
use url::Url;

use super::args::label_parser;
use super::connect::ConnectArgs;
use super::fresh_inputs::FreshInputArgs;
use super::listings::unknown_preset;
use super::signals;
use crate::commands::connect::ConnectPlan;
use crate::commands::detect::collect_fingerprint;
use crate::domain::catalogue;
use crate::domain::catalogue::Preset;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::presets::{CompiledPreset, IntendedTraffic, PresetDetection, PresetSelection};
use crate::domain::secrets;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// The name that requests detection.
const AUTO_PRESET: &str = "auto";

/// The requested preset.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PresetChoice {
    /// Detect it from the server.
    Auto,
    Named(&'static Preset),
}

/// Options of presets.
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

/// Parses a preset's name.
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
        (parse_choice as fn(&str) -> Result<PresetChoice, String>).parse_ref(cmd, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let named = catalogue::presets().map(|preset| PossibleValue::new(preset.name).help(preset.title));
        Some(Box::new(
            named.chain([PossibleValue::new(AUTO_PRESET).help("Detect the protocol of the server")]),
        ))
    }
}

fn parse_choice(name: &str) -> Result<PresetChoice, String> {
    match catalogue::find_preset(name) {
        Some(preset) => Ok(PresetChoice::Named(preset)),
        None if name == AUTO_PRESET => Ok(PresetChoice::Auto),
        None => Err(unknown_preset(name)),
    }
}

/// The servers to measure, and how to reach them.
#[derive(Debug, Clone, Copy)]
pub struct ServerArgs<'a> {
    pub preset: &'a PresetArgs,
    pub urls: &'a [String],
    pub connect: &'a ConnectArgs,
    /// What is read anew before each opening; `None`: this command has no options for it.
    pub fresh: Option<&'a FreshInputArgs>,
}

impl<'a> ServerArgs<'a> {
    /// One server of a command that reads nothing anew.
    pub fn one(preset: &'a PresetArgs, url: &'a String, connect: &'a ConnectArgs) -> ServerArgs<'a> {
        ServerArgs { preset, urls: std::slice::from_ref(url), connect, fresh: None }
    }
}

/// The selected preset.
#[derive(Debug, Clone, Default)]
pub struct ChosenPreset {
    preset: Option<(&'static Preset, CompiledPreset)>,
    /// The detection's result, if it was requested.
    detection: Option<PresetDetection>,
    framing: Option<Framing>,
}

impl PresetArgs {
    /// The preset that was named or detected.
    pub fn chosen(
        &self,
        urls: &[String],
        detection: Option<&PresetDetection>,
    ) -> Result<ChosenPreset, String> {
        let preset = match self.preset {
            Some(PresetChoice::Named(preset)) => Some(preset),
            Some(PresetChoice::Auto) => detection.and_then(|detection| detection.preset),
            None => None,
        };
        let hosts: BTreeSet<String> = urls.iter().filter_map(|url| host(url)).collect();
        if let Some(preset) = preset.filter(|preset| preset.names_host() && hosts.len() > 1) {
            return Err(format!("--preset {} works with one host only", preset.name));
        }
        let host = hosts.first().cloned().unwrap_or_default();
        let compiled = preset.map(|preset| preset.compile(&host)).transpose()?;
        Ok(ChosenPreset {
            preset: preset.zip(compiled),
            detection: detection.cloned(),
            framing: self.framing,
        })
    }
}

/// Evidence text if detection failed.
const NOT_DETECTED: &str = "detection failed (some servers answer only to a path or subprotocol of their own: name \
                      the preset)";

const INTERRUPTED: &str = "interrupted during detection";

fn host(url: &str) -> Option<String> {
    Url::parse(url.trim()).ok()?.host_str().map(str::to_string)
}

/// Detects the server's preset before a run, if requested; a termination signal ends the detection. Errors are usage
/// errors.
pub fn detect_before_run(server: ServerArgs<'_>) -> Result<Option<PresetDetection>, String> {
    if server.preset.preset != Some(PresetChoice::Auto) {
        return Ok(None);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|why| format!("cannot start: {why}"))?;
    let detection = runtime.block_on(detect(server, signals::wait_for_early_signal()));
    runtime.shutdown_background();
    detection
}

/// Detects the server's preset, if requested, unless `interrupted` ends first. Errors are usage errors.
pub async fn detect(
    server: ServerArgs<'_>,
    interrupted: impl Future<Output = ()>,
) -> Result<Option<PresetDetection>, String> {
    let url = match (server.preset.preset, server.urls) {
        (Some(PresetChoice::Auto), [url]) => url,
        (Some(PresetChoice::Auto), _) => return Err("--preset auto works with one URL only".to_string()),
        (Some(PresetChoice::Named(_)) | None, _) => return Ok(None),
    };
    let target = url.parse::<Target>().map_err(|why| why.to_string())?;
    let (mut dial, largest) = (server.connect.dial()?, server.connect.max_message_size);
    if let Some(fresh) = server.fresh {
        if fresh.url_command.is_some() {
            return Err("--preset auto does not work with --url-command: choose a preset by name".to_string());
        }
        for (name, value) in &fresh.headers()? {
            dial.headers.append(name.clone(), value.clone());
        }
    }
    let undetected = |evidence: String| PresetDetection { preset: None, evidence: vec![evidence] };
    Ok(Some(tokio::select! {
        biased;
        () = interrupted => undetected(INTERRUPTED.to_string()),
        fingerprint = collect_fingerprint(&target, &dial, largest) => match fingerprint {
            Ok(fingerprint) => fingerprint.guess(),
            Err(error) => undetected(format!("{NOT_DETECTED}: {error}")),
        },
    }))
}

impl ChosenPreset {
    pub fn preset(&self) -> Option<&'static Preset> {
        self.preset.as_ref().map(|(preset, _)| *preset)
    }

    pub fn compiled(&self) -> Option<&CompiledPreset> {
        self.preset.as_ref().map(|(_, compiled)| compiled)
    }

    /// The preset's request and the pattern of its answer, if it defines them.
    pub fn exchange(&self) -> Option<&(Template, Pattern)> {
        self.compiled()?.ask.as_ref()
    }

    /// The request of the preset.
    pub fn ask(&self) -> Option<Template> {
        self.exchange().map(|(ask, _)| ask.clone())
    }

    /// The pattern of answers to the preset's request.
    pub fn answer(&self) -> Option<Pattern> {
        self.exchange().map(|(_, answer)| answer.clone())
    }

    /// The default kind of heartbeat: the preset's own, if it defines one.
    pub fn kind(&self) -> HeartbeatKind {
        if self.exchange().is_some() { HeartbeatKind::App } else { HeartbeatKind::Protocol }
    }

    /// The server's heartbeat protocol.
    pub fn profile(&self) -> ProtocolProfile {
        let profile = self.compiled().map(|compiled| compiled.profile.clone()).unwrap_or_default();
        ProtocolProfile { framing: self.framing.unwrap_or(profile.framing), ..profile }
    }

    /// The preset's entry in the report.
    pub fn used(&self, kinds: &[HeartbeatKind]) -> Option<PresetSelection> {
        let evidence = self.detection.as_ref().map(|detection| detection.evidence.clone());
        match (self.preset(), evidence) {
            (Some(preset), evidence) => Some(PresetSelection::of(preset, evidence, kinds)),
            (None, Some(evidence)) => Some(PresetSelection::unsure(evidence)),
            (None, None) => None,
        }
    }

    /// Rejects traffic that the preset forbids.
    pub fn check(&self, intent: &IntendedTraffic) -> Result<(), String> {
        self.preset().and_then(|preset| preset.refuses(intent)).map_or(Ok(()), Err)
    }

    /// Offers the preset's subprotocols unless the user offers any. Sends the targets' Origin header if the preset
    /// requires it and the user gives none.
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

    /// How connections to this URL are opened.
    pub fn connect(&self, url: &str, args: &ConnectArgs, preamble: Preamble) -> Result<ConnectPlan, String> {
        let target = self.target(url)?;
        let dial = self.offer(args.dial()?, std::slice::from_ref(&target));
        Ok(ConnectPlan { target, dial, preamble, max_message_size: args.max_message_size })
    }

    /// The target, completed with the preset's path and query.
    pub fn target(&self, url: &str) -> Result<Target, String> {
        let target = url.parse::<Target>().map_err(|why| why.to_string())?;
        secrets::learn(|sent| {
            for secret in target.secrets() {
                sent.value(&secret);
            }
        });
        match (self.preset(), Url::parse(url.trim())) {
            (Some(preset), Ok(parsed)) => {
                let url = completed(preset, url.trim(), parsed)?;
                url.parse().map_err(|why: crate::domain::connection::target::TargetError| why.to_string())
            }
            (None, _) | (_, Err(_)) => Ok(target),
        }
    }
}

/// The origin of a page from the same server.
fn origin(target: &Target) -> String {
    let scheme = if target.secure() { "https" } else { "http" };
    format!("{scheme}://{}", target.authority())
}

/// Whether a URL's part from the host on has no path; a single slash counts as none, since browsers add it. `/.` is an
/// explicit root.
fn is_missing(rest: &str) -> bool {
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    rest[..end].split_once('/').is_none_or(|(_, path)| path.is_empty())
}

/// Whether only the final slash of the preset's path is missing; Engine.IO requires it.
fn lacks_slash(url: &Url, path: &str) -> bool {
    path.strip_suffix('/').is_some_and(|bare| url.path() == bare)
}

fn completed(preset: &Preset, given: &str, mut url: Url) -> Result<String, String> {
    let rest = given.split_once("://").map_or("", |(_, rest)| rest);
    if let Some(path) = preset.path.filter(|path| is_missing(rest) || lacks_slash(&url, path)) {
        url.set_path(path);
    }
    for (name, value) in preset.query {
        let given_value = url
            .query_pairs()
            .find(|(given_value, _)| given_value == name)
            .map(|(_, given_value)| given_value.into_owned());
        match given_value {
            Some(given_value) if given_value == *value => {}
            Some(given_value) => {
                return Err(format!(
                    "--preset {} needs {name}={value} in the URL's query, not {name}={}",
                    preset.name,
                    UntrustedText::new(&given_value)
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
        let preset = match parse_choice(name) {
            Ok(preset) => Some(preset),
            Err(why) => panic!("{why}"),
        };
        PresetArgs { preset, framing: None }.chosen(&[], None).unwrap()
    }

    fn resource(name: &str, url: &str) -> String {
        chosen(name).target(url).map(|target| target.resource().to_string()).unwrap_or_else(|why| why)
    }

    #[test]
    fn url_without_path_gets_the_presets_path() {
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
    fn conflicting_query_is_refused() {
        assert_eq!(
            resource("engine.io", "ws://a/engine.io/?EIO=3&transport=websocket"),
            "--preset engine.io needs EIO=4 in the URL's query, not EIO=3"
        );
    }

    #[test]
    fn unknown_name_suggests_similar_ones() {
        assert_eq!(
            parse_choice("phonix").unwrap_err(),
            "'phonix' is not a preset; similar names: phoenix, phoenix-v1"
        );
        assert_eq!(
            parse_choice("qqqq\u{1b}").unwrap_err(),
            "'qqqq\\u{1b}' is not a preset; 'wscheck presets' lists them all"
        );
        assert_eq!(parse_choice("auto"), Ok(PresetChoice::Auto));
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
    fn no_preset_changes_nothing() {
        let nothing = PresetArgs { preset: None, framing: Some(Framing::Lines) }.chosen(&[], None).unwrap();
        assert_eq!(
            (nothing.kind(), nothing.used(&[]), nothing.profile().name),
            (HeartbeatKind::Protocol, None, None)
        );
        assert_eq!(nothing.profile().framing, Framing::Lines);
        assert_eq!(nothing.target("ws://a").unwrap().resource(), "/");
    }
}
