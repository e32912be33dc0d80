//! The table of presets in JSON.

use super::PresetListing;
use super::command_line::ready;
use crate::domain::catalogue::{
    ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, ServerMessage, VerificationLevel,
};
use crate::domain::heartbeat::framing::Framing;
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, document, ms};

document! {
    /// What `wscheck presets -o json` prints.
    pub struct PresetsDocument from listing: &PresetListing {
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        #[cfg_attr(test, schemars(extend("const" = "presets")))]
        command: &'static str = "presets",
        wscheck_version: &'static str = WSCHECK_VERSION,
        /// The requested preset; null for the whole table.
        name: Option<String> = listing.name.clone(),
        presets: Vec<PresetEntry> =
            listing.presets.iter().copied().map(PresetEntry::from).collect::<Vec<_>>(),
    }

    /// A line of `wscheck presets -o ndjson`; the document is the last line.
    pub struct PresetLine from preset: &Preset {
        #[cfg_attr(test, schemars(extend("const" = "preset")))]
        event: &'static str = "preset",
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        preset: PresetEntry = preset,
    }

    /// The heartbeats of one protocol, library or service. Texts are templates and patterns, written as on the command
    /// line.
    pub struct PresetEntry from preset: &Preset {
        name: &'static str = preset.name,
        aliases: &'static [&'static str] = preset.aliases,
        title: &'static str = preset.title,
        /// Who begins an app heartbeat: the client, the server or both. `frames`: there are none, only Ping frames.
        starts: Name<HeartbeatStarter> = preset.starter(),
        /// The path that is used if the URL has none.
        path: Option<&'static str> = preset.path,
        /// Required query parameters.
        query: Vec<Parameter> = preset.query.iter().map(Parameter::from).collect::<Vec<_>>(),
        subprotocols: &'static [&'static str] = preset.subprotocols,
        /// Whether an Origin header made from the URL is sent.
        own_origin: bool = preset.own_origin,
        /// How one WebSocket message is divided into protocol messages.
        framing: Name<Framing> = preset.framing,
        /// The message that must arrive before anything is sent.
        first: Option<&'static str> = preset.first,
        hello: &'static [&'static str] = preset.hello,
        /// What only the user knows, such as a token. Give it with --send; it replaces `hello`.
        needs: Option<&'static str> = preset.needs,
        /// The message that must arrive before heartbeats begin.
        awaited: Option<&'static str> = preset.awaited,
        /// The app ping; null if the protocol answers nothing that a client sends.
        ping: Option<&'static str> = preset.ask.map(|ask| ask.ping),
        /// The possible answers to the app ping.
        pongs: &'static [&'static str] = preset.ask.map(|ask| ask.pongs).unwrap_or_default(),
        /// Why no app RTT can be measured; null if it can.
        no_app_rtt: Option<&'static str> = preset.why_no_app_rtt(),
        interval_ms: Option<Ms> = ms(preset.every),
        timeout_ms: Option<Ms> = ms(preset.timeout),
        /// A keepalive message that has no answer.
        upkeep: Option<&'static str> = preset.keepalive.map(|(message, _)| message),
        upkeep_ms: Option<Ms> = ms(preset.keepalive.map(|(_, every)| every)),
        /// Heartbeats that the server sends by itself.
        server: Vec<ServerEntry> = preset.server.iter().map(ServerEntry::from).collect::<Vec<_>>(),
        /// The preset has no server heartbeats of its own: {"type":"ping"} and {"event":"ping"} from the server are
        /// answered by the same object with "pong".
        usual: bool = preset.usual,
        /// The server's default heartbeat interval.
        server_interval_ms: Option<Ms> = ms(preset.server_every),
        /// A pattern for the server's message that announces its heartbeat interval: the number at {seq}, in units of
        /// `announces_unit_ms`.
        announces: Option<&'static str> = preset.announces.map(|(pattern, _)| pattern),
        announces_unit_ms: Option<Ms> = ms(preset.announces.map(|(_, unit)| unit)),
        traps: Vec<TrapEntry> = preset.traps.iter().map(TrapEntry::from).collect::<Vec<_>>(),
        note: Option<&'static str> = Some(preset.note).filter(|note| !note.is_empty()),
        source: &'static str = preset.source,
        /// How the preset was verified: tests use it with a real server, or compare it with wire text from the source.
        verified: Name<VerificationLevel> = preset.verified,
        command_line: String = ready(preset),
    }

    /// A query parameter.
    struct Parameter from (name, value): &(&'static str, &'static str) {
        name: &'static str = *name,
        value: &'static str = *value,
    }

    /// A heartbeat of the server, and the expected reply.
    struct ServerEntry from says: &ServerMessage {
        says: &'static str = says.looks,
        /// The reply; null if none is expected.
        reply: Option<&'static str> = says.reply,
    }

    /// What wscheck refuses to send with this preset, and why.
    struct TrapEntry from trap: &ForbiddenSend {
        /// What is refused.
        never: Name<ForbiddenAction> = trap.never,
        /// The refused message, if `never` is about one.
        text: Option<&'static str> =
            if let ForbiddenAction::Text(text) = trap.never { Some(text) } else { None },
        /// The shortest allowed interval, if `never` is about one.
        least_interval_ms: Option<Ms> =
            if let ForbiddenAction::FasterThan(least) = trap.never { Some(Ms::from(least)) } else { None },
        why: &'static str = trap.why,
    }
}
