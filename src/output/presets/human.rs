//! The table of presets for people.

use super::PresetListing;
use super::command_line::ready;
use crate::domain::catalogue::{ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, VerificationLevel};
use crate::domain::format;
use crate::output::human::HumanOptions;
use crate::output::human::{LabelledRows, Styler};
use crate::output::listing::ListingTable;

const HEADER: [&str; 4] = ["name", "what it is", "heartbeat starts with", "verified"];
/// The column that is hidden on a terminal narrower than [`MIN_FULL_WIDTH`].
const VERIFIED_COLUMN: usize = 3;
const MIN_FULL_WIDTH: usize = 80;

/// The table of all presets, or one preset with all its fields.
pub fn show(listing: &PresetListing, options: HumanOptions) -> String {
    let paint = Styler { color: options.color };
    match &listing.name {
        None => format!("{}\n{}", paint.strong(HEADING), glance(&listing.presets, options.width)),
        Some(_) => {
            let full = listing.presets.iter().map(|preset| full(preset, paint, options.width));
            full.collect::<Vec<_>>().join("\n")
        }
    }
}

const HEADING: &str = "Heartbeats of real services: --preset NAME";

fn glance(presets: &[&'static Preset], width: Option<usize>) -> String {
    table(presets, width) + "Each in full, with its source: wscheck presets NAME\n"
}

fn table(presets: &[&Preset], width: Option<usize>) -> String {
    let table = ListingTable {
        header: HEADER,
        rows: presets.iter().map(|preset| cells(preset)).collect(),
        hidden_below: (VERIFIED_COLUMN, MIN_FULL_WIDTH),
        kept_at: Some((0, 28)),
        cut_at: None,
        has_row_lines: false,
    };
    table.into_text(width)
}

fn cells(preset: &Preset) -> [String; 4] {
    [
        preset.name.to_string(),
        preset.title.to_string(),
        starts(preset.starter()).to_string(),
        verified(preset.verified).to_string(),
    ]
}

fn verified(level: VerificationLevel) -> &'static str {
    match level {
        VerificationLevel::Live => "live",
        VerificationLevel::FromSource => "source code or documentation",
    }
}

fn starts(starter: HeartbeatStarter) -> &'static str {
    match starter {
        HeartbeatStarter::Client => "client",
        HeartbeatStarter::Server => "server",
        HeartbeatStarter::Both => "both",
        HeartbeatStarter::Frames => "Ping frames only",
    }
}

/// A preset with all its fields.
pub fn full(preset: &Preset, paint: Styler, width: Option<usize>) -> String {
    let mut rows = LabelledRows::new(paint, width);
    rows.add("name", &named(preset));
    rows.add("starts with", starts(preset.starter()));
    opening(&mut rows, preset);
    heartbeats(&mut rows, preset);
    for trap in preset.traps {
        rows.add("never", &forbidden_send(trap));
    }
    rows.add_some("note", Some(preset.note.to_string()).filter(|note| !note.is_empty()));
    rows.add("source", preset.source);
    rows.add("verified", verified(preset.verified));
    rows.add("try", &ready(preset));
    format!("{}\n{}", paint.strong(preset.title), rows.into_text())
}

fn named(preset: &Preset) -> String {
    match preset.aliases {
        [] => preset.name.to_string(),
        aliases => format!("{} (also {})", preset.name, aliases.join(", ")),
    }
}

fn opening(rows: &mut LabelledRows, preset: &Preset) {
    rows.add_some("path", preset.path.map(|path| format!("{path} where the URL has none")));
    let query =
        preset.query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
    rows.add_some("query", Some(query).filter(|query| !query.is_empty()));
    rows.add_some("subprotocol", some(preset.subprotocols).map(|names| names.join(", ")));
    rows.add_some("origin", preset.own_origin.then(|| "that of the URL".to_string()));
    rows.add_some("framing", framing(preset));
    rows.add_some("awaits first", preset.first.map(str::to_string));
    preset.hello.iter().for_each(|text| rows.add("sends first", text));
    rows.add_some("needs", preset.needs.map(|text| format!("--send '{text}'")));
    rows.add_some("awaits", preset.awaited.map(str::to_string));
}

fn framing(preset: &Preset) -> Option<String> {
    use crate::domain::heartbeat::framing::Framing;
    match preset.framing {
        Framing::Message => None,
        Framing::Lines => Some("a message may hold several lines".to_string()),
        Framing::Records => Some("a message may hold several records, which end in 0x1e".to_string()),
    }
}

fn some<T>(all: &[T]) -> Option<&[T]> {
    (!all.is_empty()).then_some(all)
}

fn heartbeats(rows: &mut LabelledRows, preset: &Preset) {
    if let Some(ask) = preset.ask {
        rows.add("sends", ask.ping);
        ask.pongs.iter().for_each(|pong| rows.add("answer", pong));
    }
    rows.add_some("no app RTT", preset.why_no_app_rtt().map(str::to_string));
    let timeout =
        preset.timeout.map(|timeout| format!(", timeout {}", format::duration(timeout))).unwrap_or_default();
    rows.add_some("interval", preset.every.map(|every| format!("{}{timeout}", format::duration(every))));
    let keepalive = preset
        .keepalive
        .map(|(message, every)| format!("{message} every {}, without an answer", format::duration(every)));
    rows.add_some("sends", keepalive);
    for says in preset.server {
        let reply =
            says.reply.map_or_else(|| "expects no answer".to_string(), |reply| format!("expects {reply}"));
        rows.add("server sends", &format!("{}, {reply}", says.looks));
    }
    let usual = r#"{"type":"ping"} or {"event":"ping"}, answered by the same with pong"#;
    rows.add_some("server sends", preset.usual.then(|| usual.to_string()));
    rows.add_some("how often", preset.server_every.map(|every| format!("every {}", format::duration(every))));
}

fn forbidden_send(trap: &ForbiddenSend) -> String {
    let what = match trap.never {
        ForbiddenAction::Text(text) => format!("'{text}'"),
        ForbiddenAction::Messages => "messages".to_string(),
        ForbiddenAction::PingFrames => "Ping frames".to_string(),
        ForbiddenAction::FasterThan(least) => format!("more often than every {}", format::duration(least)),
    };
    format!("{what}: {}", trap.why)
}
