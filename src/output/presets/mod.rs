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
        PresetsDocument::new(self)
    }

    fn lines(&self) -> impl Iterator<Item = impl serde::Serialize> {
        self.presets.iter().map(|preset| PresetLine::new(preset))
    }
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;

    use super::*;
    use crate::domain::catalogue::{find_preset, presets};
    use crate::output::listing::show;
    use crate::output::output_format::Format;
    use crate::output::schema::schema;

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
    fn the_table_fits_the_terminal() {
        for width in [60, 80, 100, 120] {
            let text = show(&whole(), Format::Human, at(width));
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{widest:?} at {width}");
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
    fn colour_only_repeats_what_the_words_say() {
        for listing in [whole(), of("engine.io")] {
            let plain = show(&listing, Format::Human, at(100));
            let colored = show(&listing, Format::Human, HumanOptions { color: true, ..at(100) });
            assert!(colored.contains('\x1b'));
            assert_eq!(strip_str(&colored).to_string(), plain);
        }
    }

    #[test]
    fn lines_match_schema_and_the_last_is_the_document() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let ndjson = show(&whole(), Format::Ndjson, HumanOptions::default());
        for line in ndjson.lines() {
            let errors: Vec<String> =
                validator.iter_errors(&parsed(line)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{line}");
        }
        assert_eq!(ndjson.lines().count(), presets().count() + 1);
        let json = show(&whole(), Format::Json, HumanOptions::default());
        assert_eq!(parsed(ndjson.lines().last().unwrap()), parsed(&json));
    }
}
