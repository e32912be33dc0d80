//! The output of `wscheck presets`: a table of all presets, or one with all its fields.

pub(super) mod command_line;
mod document;
mod human;

pub use document::{PresetEntry, PresetLine, PresetsDocument};
pub(super) use human::full;

use super::listing::Listing;
use crate::domain::catalogue::Preset;
use crate::output::human::HumanOptions;

/// The presets to show.
#[derive(Debug, Clone, PartialEq)]
pub struct PresetListing {
    /// The requested name; `None` for the whole table.
    pub name: Option<String>,
    pub presets: Vec<&'static Preset>,
}

impl Listing for PresetListing {
    fn human(&self, options: HumanOptions) -> String {
        human::show(self, options)
    }

    fn document(&self) -> impl serde::Serialize {
        PresetsDocument::from(self)
    }

    fn lines(&self) -> impl Iterator<Item = impl serde::Serialize> {
        self.presets.iter().copied().map(PresetLine::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{find_preset, presets};
    use crate::output::listing::show;
    use crate::output::output_format::Format;
    use crate::output::testing::{assert_is_well_shown, assert_table_fits};

    fn whole() -> PresetListing {
        PresetListing { name: None, presets: presets().collect() }
    }

    fn of(name: &str) -> PresetListing {
        PresetListing { name: Some(name.to_string()), presets: find_preset(name).into_iter().collect() }
    }

    fn at(width: usize) -> HumanOptions {
        HumanOptions { width: Some(width), ..HumanOptions::default() }
    }

    #[test]
    fn every_preset_is_in_the_table_once() {
        let text = show(&whole(), Format::Human, HumanOptions::default());
        for preset in presets() {
            let rows = text.lines().filter(|line| line.starts_with(&format!("{} ", preset.name))).count();
            assert_eq!(rows, 1, "{}", preset.name);
        }
    }

    #[test]
    fn a_preset_is_shown_in_full() {
        for name in ["engine.io", "phoenix", "home-assistant", "twitch-eventsub"] {
            insta::assert_snapshot!(format!("{name}.human"), show(&of(name), Format::Human, at(100)));
        }
        let json = show(&of("nats"), Format::Json, at(80));
        insta::assert_snapshot!("nats.json", json.replace(crate::output::json::WSCHECK_VERSION, "[version]"));
    }

    #[test]
    fn the_listing_is_well_shown() {
        assert_table_fits(&whole());
        assert_is_well_shown(&whole(), presets().count());
        assert_is_well_shown(&of("engine.io"), of("engine.io").presets.len());
    }
}
