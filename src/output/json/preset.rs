//! The preset of a run in JSON.

use serde::Deserialize;

use super::document::document;
use super::values::{Text, strings};
use crate::domain::catalogue::find_preset;
use crate::domain::presets::PresetSelection;

document! {
    /// The preset used by a run.
    #[derive(Deserialize)]
    pub struct PresetName from used: &PresetSelection {
        /// Null if the preset was to be detected, and none was certain.
        name: Option<Text> = used.preset.map(|preset| preset.name.into()),
        title: Option<Text> = used.preset.map(|preset| preset.title.into()),
        /// Whether the preset was to be detected (`--preset auto`).
        auto: bool = used.auto,
        /// The evidence for the detected preset, or why none was detected; empty if the user named it.
        evidence: Vec<Text> = used.evidence.iter().map(Into::into).collect::<Vec<Text>>(),
        /// Notes on how to read the figures.
        notes: Vec<Text> = used.notes.iter().map(Into::into).collect::<Vec<Text>>(),
    }
}

impl PresetName {
    /// The preset, read back.
    ///
    /// # Errors
    ///
    /// This version does not know it.
    pub fn selection(self) -> Result<PresetSelection, String> {
        let find = |name: String| find_preset(&name).ok_or_else(|| format!("'{name}' is no preset"));
        Ok(PresetSelection {
            preset: self.name.map(String::from).map(find).transpose()?,
            auto: self.auto,
            evidence: strings(self.evidence),
            notes: strings(self.notes),
        })
    }
}
