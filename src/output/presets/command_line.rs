//! A command line that works when it is copied unchanged.

use crate::domain::catalogue::{ForbiddenAction, Preset};

/// The command that shows the heartbeats of a server of this preset.
pub fn ready(preset: &Preset) -> String {
    let command = if preset.forbids(ForbiddenAction::PingFrames) { "listen" } else { "ping" };
    let send = preset.needs.map(|text| format!(" --send {}", quoted(text))).unwrap_or_default();
    format!("wscheck {command} --preset {}{send} {}", preset.name, quoted(preset.url))
}

/// Quotes a word for a shell if it has special characters.
pub fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if text.chars().all(is_plain) { text.to_string() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::find_preset;

    #[test]
    fn a_command_line_is_ready_for_a_shell() {
        let line = |name: &str| ready(find_preset(name).unwrap());
        assert_eq!(line("mqtt"), "wscheck ping --preset mqtt ws://example.org/mqtt");
        assert_eq!(
            line("engine.io"),
            "wscheck ping --preset engine.io 'ws://example.org/engine.io/?EIO=4&transport=websocket'"
        );
        assert!(line("twitch-eventsub").starts_with("wscheck listen --preset twitch-eventsub "));
        assert!(line("home-assistant").contains(r#"--send '{"type":"auth","access_token":"TOKEN"}'"#));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
