//! The table of presets in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::PresetListing;
use super::command_line::ready;
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::presets::{
    ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, VerificationLevel,
};
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
    /// The preset that was asked for; null for the whole table.
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

/// A convention of heartbeats. Its texts are templates and patterns, as the command line takes them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetEntry {
    name: &'static str,
    aliases: &'static [&'static str],
    title: &'static str,
    /// Who starts a heartbeat.
    starts: Name<HeartbeatStarter>,
    /// The path of a URL that has none.
    path: Option<&'static str>,
    /// What the query must say.
    query: Vec<Parameter>,
    subprotocols: &'static [&'static str],
    /// The Origin header of the URL is sent.
    own_origin: bool,
    /// How a message is divided.
    framing: Name<Framing>,
    /// What must come before anything is sent.
    first: Option<&'static str>,
    hello: &'static [&'static str],
    /// What only the user knows; give it with --send instead of the hello.
    needs: Option<&'static str>,
    /// What must come before heartbeats begin.
    awaited: Option<&'static str>,
    /// What is asked; null where nothing that a client sends is answered by design.
    ping: Option<&'static str>,
    /// What answers it: any of these.
    pongs: &'static [&'static str],
    /// Why there is no app RTT; null where there is one.
    no_app_rtt: Option<&'static str>,
    interval_ms: Option<Ms>,
    timeout_ms: Option<Ms>,
    /// What is sent without an answer.
    upkeep: Option<&'static str>,
    upkeep_ms: Option<Ms>,
    /// What the server says by itself.
    server: Vec<ServerEntry>,
    /// Nothing of its own: {"type":"ping"} and {"event":"ping"} of the server's are answered by the same object with pong in it.
    usual: bool,
    /// How often, by default.
    server_interval_ms: Option<Ms>,
    /// Where its hello says how often: the number at {seq}, in this unit.
    announces: Option<&'static str>,
    announces_unit_ms: Option<Ms>,
    traps: Vec<TrapEntry>,
    note: Option<&'static str>,
    source: &'static str,
    /// How well it is known: tests drive a real server by it, or hold its wire text.
    verified: Name<VerificationLevel>,
    command_line: String,
}

/// A parameter of the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Parameter {
    name: &'static str,
    value: &'static str,
}

/// What the server says, and what it wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ServerEntry {
    says: &'static str,
    /// Null: nothing.
    reply: Option<&'static str>,
}

/// What is not sent, and why.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct TrapEntry {
    /// What is not sent.
    never: Name<ForbiddenAction>,
    /// The message that `never` is about.
    text: Option<&'static str>,
    /// The shortest interval that `never` is about.
    least_interval_ms: Option<Ms>,
    why: &'static str,
}

impl PresetsDocument {
    /// The listing as scripts see it.
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
