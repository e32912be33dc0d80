//! The preset of a run in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::presets::PresetSelection;

/// The preset used by a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct PresetName {
    /// Null if the preset was to be detected, and none was certain.
    name: Option<&'static str>,
    title: Option<&'static str>,
    /// Whether the preset was to be detected (`--preset auto`).
    auto: bool,
    /// The evidence for the detected preset, or why none was detected; empty if the user named it.
    evidence: Vec<String>,
    /// Notes on how to read the figures.
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
