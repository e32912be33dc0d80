//! The preset of a run in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::heartbeat::presets::PresetSelection;

/// The preset of a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetName {
    /// Null when it was to be found out, and nothing was sure.
    name: Option<&'static str>,
    title: Option<&'static str>,
    /// It was to be found out.
    auto: bool,
    /// What speaks for it, or why nothing does; empty where it was named.
    evidence: Vec<String>,
    /// What to know when reading the figures.
    notes: Vec<String>,
}

impl From<&PresetSelection> for PresetName {
    fn from(used: &PresetSelection) -> PresetName {
        PresetName {
            name: used.preset.map(|preset| preset.name),
            title: used.preset.map(|preset| preset.title),
            auto: used.auto,
            evidence: used.evidence.clone(),
            notes: used.notes.clone(),
        }
    }
}
