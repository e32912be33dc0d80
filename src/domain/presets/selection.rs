//! The preset of a run, and why it is that one.

use crate::domain::catalogue::{HeartbeatStarter, Preset};
use crate::domain::format::exact_duration;
use crate::domain::heartbeat::HeartbeatKind;

/// Which preset a run speaks.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetSelection {
    /// `None`: it was to be found out, and nothing was sure.
    pub preset: Option<&'static Preset>,
    /// Whether the preset was to be detected (`--preset auto`).
    pub auto: bool,
    /// What speaks for it, or why nothing does.
    pub evidence: Vec<String>,
    /// Notes on how to read the figures.
    pub notes: Vec<String>,
}

impl PresetSelection {
    /// A preset that was named, or that was found out by this evidence, where these kinds of heartbeat are measured.
    pub fn of(
        preset: &'static Preset,
        evidence: Option<Vec<String>>,
        kinds: &[HeartbeatKind],
    ) -> PresetSelection {
        let auto = evidence.is_some();
        PresetSelection {
            preset: Some(preset),
            auto,
            evidence: evidence.unwrap_or_default(),
            notes: notes(preset, kinds),
        }
    }

    /// Nothing was found out.
    pub fn unsure(evidence: Vec<String>) -> PresetSelection {
        let notes = vec!["no preset is sure enough, so Ping frames are measured".to_string()];
        PresetSelection { preset: None, auto: true, evidence, notes }
    }
}

fn notes(preset: &Preset, kinds: &[HeartbeatKind]) -> Vec<String> {
    let without = preset.why_no_app_rtt().filter(|_| preset.starter() != HeartbeatStarter::Frames);
    let no_rtt = without
        .filter(|_| !kinds.contains(&HeartbeatKind::App))
        .map(|why| format!("there is no app RTT: {why}; Ping frames are measured instead"));
    let keepalive = preset.keepalive.map(|(_, every)| {
        format!(
            "a heartbeat that has no answer leaves every {}, as the server expects",
            exact_duration(every)
        )
    });
    no_rtt.into_iter().chain(keepalive).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::find_preset;

    fn notes_of(name: &str, kinds: &[HeartbeatKind]) -> Vec<String> {
        PresetSelection::of(find_preset(name).unwrap(), None, kinds).notes
    }

    #[test]
    fn where_no_answer_is_by_design_that_is_said() {
        assert_eq!(
            notes_of("signalr", &[HeartbeatKind::Protocol]),
            [
                "there is no app RTT: heartbeats are one-way: none has an answer; Ping frames are measured instead",
                "a heartbeat that has no answer leaves every 15 s, as the server expects"
            ]
        );
        assert_eq!(
            notes_of("action-cable", &[HeartbeatKind::Protocol]),
            [
                "there is no app RTT: the server's heartbeats are one-way, and a client sends none; Ping frames are \
              measured instead"
            ]
        );
        assert!(notes_of("phoenix", &[HeartbeatKind::App]).is_empty());
        assert!(notes_of("slack", &[HeartbeatKind::Protocol]).is_empty());
    }
}
