//! The table of presets in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::PresetListing;
use super::command_line::ready;
use crate::domain::catalogue::{ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, VerificationLevel};
use crate::domain::heartbeat::framing::Framing;
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, ms};

/// What `wscheck presets -o json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetsDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "presets"))]
    command: &'static str,
    wscheck_version: &'static str,
    /// The requested preset; null for the whole table.
    name: Option<String>,
    presets: Vec<PresetEntry>,
}

/// A line of `wscheck presets -o ndjson`; the document is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetLine {
    #[schemars(extend("const" = "preset"))]
    event: &'static str,
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    preset: PresetEntry,
}

/// The heartbeats of one protocol, library or service. Texts are templates and patterns, written as on the command
/// line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetEntry {
    name: &'static str,
    aliases: &'static [&'static str],
    title: &'static str,
    /// Who begins an app heartbeat: the client, the server or both. `frames`: there are none, only Ping frames.
    starts: Name<HeartbeatStarter>,
    /// The path that is used if the URL has none.
    path: Option<&'static str>,
    /// Required query parameters.
    query: Vec<Parameter>,
    subprotocols: &'static [&'static str],
    /// Whether an Origin header made from the URL is sent.
    own_origin: bool,
    /// How one WebSocket message is divided into protocol messages.
    framing: Name<Framing>,
    /// The message that must arrive before anything is sent.
    first: Option<&'static str>,
    hello: &'static [&'static str],
    /// What only the user knows, such as a token. Give it with --send; it replaces `hello`.
    needs: Option<&'static str>,
    /// The message that must arrive before heartbeats begin.
    awaited: Option<&'static str>,
    /// The app ping; null if the protocol answers nothing that a client sends.
    ping: Option<&'static str>,
    /// The possible answers to the app ping.
    pongs: &'static [&'static str],
    /// Why no app RTT can be measured; null if it can.
    no_app_rtt: Option<&'static str>,
    interval_ms: Option<Ms>,
    timeout_ms: Option<Ms>,
    /// A keepalive message that has no answer.
    upkeep: Option<&'static str>,
    upkeep_ms: Option<Ms>,
    /// Heartbeats that the server sends by itself.
    server: Vec<ServerEntry>,
    /// The preset has no server heartbeats of its own: {"type":"ping"} and {"event":"ping"} from the server are
    /// answered by the same object with "pong".
    usual: bool,
    /// The server's default heartbeat interval.
    server_interval_ms: Option<Ms>,
    /// A pattern for the server's message that announces its heartbeat interval: the number at {seq}, in units of
    /// `announces_unit_ms`.
    announces: Option<&'static str>,
    announces_unit_ms: Option<Ms>,
    traps: Vec<TrapEntry>,
    note: Option<&'static str>,
    source: &'static str,
    /// How the preset was verified: tests use it with a real server, or compare it with wire text from the source.
    verified: Name<VerificationLevel>,
    command_line: String,
}

/// A query parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Parameter {
    name: &'static str,
    value: &'static str,
}

/// A heartbeat of the server, and the expected reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ServerEntry {
    says: &'static str,
    /// The reply; null if none is expected.
    reply: Option<&'static str>,
}

/// What wscheck refuses to send with this preset, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TrapEntry {
    /// What is refused.
    never: Name<ForbiddenAction>,
    /// The refused message, if `never` is about one.
    text: Option<&'static str>,
    /// The shortest allowed interval, if `never` is about one.
    least_interval_ms: Option<Ms>,
    why: &'static str,
}

impl PresetsDocument {
    /// The listing as a document.
    pub fn new(listing: &PresetListing) -> PresetsDocument {
        PresetsDocument {
            schema_version: SCHEMA_VERSION,
            command: "presets",
            wscheck_version: WSCHECK_VERSION,
            name: listing.name.clone(),
            presets: listing.presets.iter().map(|preset| (*preset).into()).collect(),
        }
    }
}

impl PresetLine {
    /// One preset as a line.
    pub fn new(preset: &Preset) -> PresetLine {
        PresetLine { event: "preset", schema_version: SCHEMA_VERSION, preset: preset.into() }
    }
}

impl From<&Preset> for PresetEntry {
    fn from(preset: &Preset) -> PresetEntry {
        let server = preset.server.iter().map(|says| ServerEntry { says: says.looks, reply: says.reply });
        PresetEntry {
            name: preset.name,
            aliases: preset.aliases,
            title: preset.title,
            starts: preset.starter().into(),
            path: preset.path,
            query: preset.query.iter().map(|(name, value)| Parameter { name, value }).collect(),
            subprotocols: preset.subprotocols,
            own_origin: preset.own_origin,
            framing: preset.framing.into(),
            first: preset.first,
            hello: preset.hello,
            needs: preset.needs,
            awaited: preset.awaited,
            ping: preset.ask.map(|ask| ask.ping),
            pongs: preset.ask.map_or(&[], |ask| ask.pongs),
            no_app_rtt: preset.why_no_app_rtt(),
            interval_ms: ms(preset.every),
            timeout_ms: ms(preset.timeout),
            upkeep: preset.keepalive.map(|(message, _)| message),
            upkeep_ms: ms(preset.keepalive.map(|(_, every)| every)),
            server: server.collect(),
            usual: preset.usual,
            server_interval_ms: ms(preset.server_every),
            announces: preset.announces.map(|(pattern, _)| pattern),
            announces_unit_ms: ms(preset.announces.map(|(_, unit)| unit)),
            traps: preset.traps.iter().map(TrapEntry::from).collect(),
            note: Some(preset.note).filter(|note| !note.is_empty()),
            source: preset.source,
            verified: preset.verified.into(),
            command_line: ready(preset),
        }
    }
}

impl From<&ForbiddenSend> for TrapEntry {
    fn from(trap: &ForbiddenSend) -> TrapEntry {
        let text = if let ForbiddenAction::Text(text) = trap.never { Some(text) } else { None };
        let least = if let ForbiddenAction::FasterThan(least) = trap.never { Some(least) } else { None };
        TrapEntry { never: trap.never.into(), text, least_interval_ms: ms(least), why: trap.why }
    }
}
