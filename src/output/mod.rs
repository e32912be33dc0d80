//! Floor 3: shows a run. Each format implements `Reporter`, writes to the writers it is given and keeps its first
//! error; stdout is the result, stderr the conversation. To add a format: one file, and one arm of [`Format`].

pub mod charset;
mod event_filter;
pub mod human;
pub mod idle;
pub mod json;
pub mod listen;
pub mod ndjson;
mod output_format;
pub mod presets;
mod reporter;
pub mod schema;
pub mod serve;
mod terminal;
mod time_unit;
pub mod timeouts;
mod writer;
pub mod zombie;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod testing;

pub use event_filter::EventFilter;
pub use human::HumanOptions;
pub use output_format::Format;
pub use reporter::{Output, Reporter};
pub use writer::Writer;

use human::Human;
use json::Json;
use ndjson::Ndjson;

impl Format {
    /// A reporter of this format for a run of this command. `options` are for people's eyes only.
    pub fn make(
        self,
        command: &'static str,
        options: HumanOptions,
        stdout: Writer,
        stderr: Writer,
    ) -> Box<dyn Output + Send> {
        match self {
            Format::Human => Box::new(Human::new(command, options, stdout, stderr)),
            Format::Json => Box::new(Json::new(command, stdout, stderr)),
            Format::Ndjson => Box::new(Ndjson::new(command, stdout)),
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;
    use crate::domain::label::Label;
    use crate::domain::ping::event::Event;

    /// A run in one format, as one text; the version is not what these snapshots are about.
    fn shown(format: Format, events: &[Event]) -> String {
        let (stdout, stderr) = fixtures::show(format, HumanOptions::default(), events);
        let stdout = stdout.replace(&format!("\"{}\"", json::WSCHECK_VERSION), "\"[version]\"");
        if stderr.is_empty() { stdout } else { format!("{stdout}\n===== stderr =====\n{stderr}") }
    }

    #[test]
    fn every_format_shows_the_same_scripted_runs() {
        for (name, events) in fixtures::all() {
            for format in Format::iter() {
                insta::assert_snapshot!(format!("{name}.{}", format.label()), shown(format, &events));
            }
        }
    }

    #[test]
    fn the_last_line_of_ndjson_is_the_document_of_json() {
        for (name, events) in fixtures::all() {
            let (json, _) = fixtures::show(Format::Json, HumanOptions::default(), &events);
            let (ndjson, _) = fixtures::show(Format::Ndjson, HumanOptions::default(), &events);
            let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(parsed(ndjson.lines().last().unwrap()), parsed(&json), "{name}");
            assert!(ndjson.ends_with('\n') && json.ends_with('\n'));
        }
    }
}
