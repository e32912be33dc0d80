//! Which convention a server speaks, as far as it shows by itself.

use std::sync::LazyLock;

use strum::IntoEnumIterator;

use crate::domain::catalogue::Preset;
use crate::domain::catalogue::presets;
use crate::domain::format;
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;

/// What is known of a server before anything is said to it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FingerprintInput {
    /// Path and query of the URL.
    pub resource: String,
    pub subprotocol: Option<String>,
    /// What its first messages look like, each with the message as it can be shown.
    pub messages: Vec<(PresetMatches, String)>,
}

/// The presets that a message is typical of.
pub type PresetMatches = Vec<&'static Preset>;

/// What a server seems to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetDetection {
    /// `None`: nothing is sure enough.
    pub preset: Option<&'static Preset>,
    /// What speaks for it, or why nothing does.
    pub evidence: Vec<String>,
}

/// A preset's marks, read.
static MARKS: LazyLock<Vec<(&'static Preset, Vec<Pattern>)>> = LazyLock::new(|| {
    let read = |preset: &'static Preset| {
        let marks = preset.marks.iter().filter_map(|mark| mark.parse().ok());
        (preset, marks.collect())
    };
    presets().map(read).collect()
});

/// The presets that a message is typical of, each of its parts seen by itself. Nothing long is typical of any.
pub fn resembles(message: MessageRef<'_>) -> PresetMatches {
    if length(message) > MAX_MESSAGE_BYTES {
        return Vec::new();
    }
    let divide = |framing: Framing| {
        let units = framing.units(message).take(MAX_MESSAGE_PARTS).map(InboundMessage::new);
        (framing, units.collect::<Vec<_>>())
    };
    let divided: Vec<_> = Framing::iter().map(divide).collect();
    let units = |preset: &Preset| {
        divided.iter().find(|(framing, _)| *framing == preset.framing).map(|(_, units)| units)
    };
    let is_marked = |(preset, marks): &&(&'static Preset, Vec<Pattern>)| {
        let mut units = units(preset).into_iter().flatten();
        units.any(|unit| marks.iter().any(|mark| mark.matches(unit).is_some()))
    };
    MARKS.iter().filter(is_marked).map(|(preset, _)| *preset).collect()
}

fn length(message: MessageRef<'_>) -> usize {
    match message {
        MessageRef::Text(text) => text.len(),
        MessageRef::Binary(bytes) => bytes.len(),
    }
}

/// The longest message that is looked at, in bytes, and so many of its parts: a peer writes it.
const MAX_MESSAGE_BYTES: usize = 16 * 1024;
const MAX_MESSAGE_PARTS: usize = 4;

/// What a subprotocol that the server chose, or a first message, is worth; the path alone is not enough.
const CERTAIN_SCORE: u32 = 2;
const PATH_SCORE: u32 = 1;

/// The subprotocols of the presets whose path this is: what to offer before anything is known.
pub fn offered_at(resource: &str) -> Vec<&'static str> {
    let mut offered: Vec<&str> = Vec::new();
    for name in presets().filter(|preset| preset.is_at(resource)).flat_map(|preset| preset.subprotocols) {
        if !offered.contains(name) {
            offered.push(name);
        }
    }
    offered
}

impl Preset {
    /// Whether the URL's path and query are this preset's own.
    fn is_at(&self, resource: &str) -> bool {
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        let is_path = self.path.is_some_and(|own| path.trim_end_matches('/') == own.trim_end_matches('/'));
        let has =
            |(name, value): &(&str, &str)| query.split('&').any(|pair| pair == format!("{name}={value}"));
        is_path && self.query.iter().all(has)
    }

    fn speaks(&self, subprotocol: &str) -> bool {
        self.subprotocols.contains(&subprotocol)
    }

    /// What speaks for this preset, and how much.
    fn evidence(&self, clues: &FingerprintInput) -> (u32, Vec<String>) {
        let (mut weight, mut evidence) = (0, Vec::new());
        if let Some(subprotocol) = clues.subprotocol.as_deref().filter(|name| self.speaks(name)) {
            weight += CERTAIN_SCORE;
            evidence.push(format!("the server chose the subprotocol {subprotocol}"));
        }
        if let Some((_, shown)) = clues.messages.iter().find(|(presets, _)| presets.contains(&self)) {
            weight += CERTAIN_SCORE;
            evidence.push(format!("it says {shown}"));
        }
        if self.is_at(&clues.resource) {
            weight += PATH_SCORE;
            evidence.push(format!("the path is that of {}", self.name));
        }
        (weight, evidence)
    }
}

impl FingerprintInput {
    /// What the clues come to: the preset for which most speaks, if that is enough and for no other as much.
    pub fn guess(&self) -> PresetDetection {
        let weighed = presets().map(|preset| (preset, preset.evidence(self)));
        let mut weighed: Vec<_> = weighed.filter(|(_, (weight, _))| *weight > 0).collect();
        weighed.sort_by_key(|(_, (weight, _))| std::cmp::Reverse(*weight));
        let best = weighed.first().map_or(0, |(_, (weight, _))| *weight);
        let rivals: Vec<&str> = weighed
            .iter()
            .filter(|(_, (weight, _))| *weight == best)
            .map(|(preset, _)| preset.name)
            .collect();
        match (weighed.into_iter().next(), rivals.as_slice()) {
            (Some((preset, (weight, evidence))), [_]) if weight >= CERTAIN_SCORE => {
                PresetDetection { preset: Some(preset), evidence }
            }
            (Some((_, (weight, evidence))), [only]) if weight < CERTAIN_SCORE => {
                let found = evidence.join(", and ");
                PresetDetection {
                    preset: None,
                    evidence: vec![format!("{found}, but nothing else looks like {only}")],
                }
            }
            (Some((_, (_, evidence))), names) => {
                let found = evidence.join(", and ");
                let why = format!("{found}, which fits {} alike", format::list(names));
                PresetDetection { preset: None, evidence: vec![why] }
            }
            (None, _) => PresetDetection { preset: None, evidence: vec![self.nothing()] },
        }
    }

    fn nothing(&self) -> String {
        match self.messages.first() {
            None => {
                "the server says nothing by itself, and neither path nor subprotocol is typical".to_string()
            }
            Some((_, shown)) => format!("what it says first is typical of none: {shown}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clues(resource: &str, subprotocol: Option<&str>, messages: &[&str]) -> FingerprintInput {
        FingerprintInput {
            resource: resource.to_string(),
            subprotocol: subprotocol.map(str::to_string),
            messages: messages
                .iter()
                .map(|text| (resembles(MessageRef::Text(text)), text.to_string()))
                .collect(),
        }
    }

    fn name(clues: &FingerprintInput) -> Option<&'static str> {
        clues.guess().preset.map(|preset| preset.name)
    }

    #[test]
    fn the_first_message_tells_what_is_spoken() {
        let hello = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
        let engine = clues("/engine.io/?EIO=4&transport=websocket", None, &[hello]);
        assert_eq!(name(&engine), Some("engine.io"));
        assert_eq!(
            engine.guess().evidence,
            [format!("it says {hello}"), "the path is that of engine.io".to_string()]
        );
        let welcome = clues("/cable", Some("actioncable-v1-json"), &[r#"{"type":"welcome"}"#]);
        assert_eq!(name(&welcome), Some("action-cable"));
        let discord = r#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#;
        assert_eq!(name(&clues("/", None, &[discord])), Some("discord"));
        assert_eq!(name(&clues("/", None, &["o"])), Some("sockjs"));
    }

    #[test]
    fn message_part_may_match_a_preset_unless_too_long() {
        let names = |text: &str| {
            resembles(MessageRef::Text(text)).iter().map(|preset| preset.name).collect::<Vec<_>>()
        };
        assert_eq!(names("{}\x1e{\"type\":6}\x1e"), ["signalr"]);
        assert_eq!(
            names(&format!(r#"{{"type":"connection_ack","x":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES))),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn a_subprotocol_that_was_chosen_is_enough() {
        assert_eq!(name(&clues("/x", Some("mqtt"), &[])), Some("mqtt"));
        assert_eq!(name(&clues("/graphql", Some("graphql-transport-ws"), &[])), Some("graphql-ws"));
        assert_eq!(name(&clues("/graphql", Some("graphql-ws"), &[])), Some("subscriptions-transport-ws"));
    }

    #[test]
    fn what_is_not_sure_is_no_guess_and_says_why() {
        assert_eq!(
            clues("/", None, &[]).guess().evidence,
            ["the server says nothing by itself, and neither path nor subprotocol is typical"]
        );
        assert_eq!(
            clues("/", None, &["hello"]).guess().evidence,
            ["what it says first is typical of none: hello"]
        );
        assert_eq!(
            clues("/cable", None, &[]).guess().evidence,
            ["the path is that of action-cable, but nothing else looks like action-cable"]
        );
        let both = clues("/", None, &[r#"{"type":"welcome","id":"7"}"#]).guess();
        assert_eq!(both.preset, None);
        assert!(both.evidence[0].ends_with("which fits action-cable and kucoin alike"), "{both:?}");
    }

    #[test]
    fn what_a_path_is_typical_of_is_offered() {
        assert_eq!(offered_at("/graphql"), ["graphql-transport-ws", "graphql-ws"]);
        assert_eq!(offered_at("/cable"), ["actioncable-v1-json"]);
        assert_eq!(offered_at("/mqtt"), ["mqtt"]);
        assert!(offered_at("/").is_empty() && offered_at("/ws").is_empty());
    }
}
