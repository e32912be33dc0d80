//! `wscheck presets`: arguments and run.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::args::{Color, label_parser, terminal_width};
use super::preset_args::unknown;
use super::{errors, generate};
use crate::domain::heartbeat::presets;
use crate::output::Format;
use crate::output::HumanOptions;
use crate::output::presets::{PresetListing, show};

/// The arguments of `wscheck presets`.
#[derive(Debug, Clone, Args)]
pub struct PresetsArgs {
    /// Name of a preset: show it in full, with its pitfalls, source and an example command line
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Output format on stdout: text (human), one document (json), or one preset per line with the document last
    /// (ndjson)
    #[arg(short, long, value_name = "FORMAT", default_value = "human", value_parser = label_parser::<Format>())]
    pub output: Format,
    /// Short for -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl PresetsArgs {
    /// Prints the table, or an error if there is no such preset.
    pub fn main(self) -> ExitCode {
        let format = if self.json { Format::Json } else { self.output };
        let presets = match &self.name {
            None => presets::all().collect(),
            Some(name) => presets::find(name).into_iter().collect::<Vec<_>>(),
        };
        if presets.is_empty() {
            return errors::report_usage_error(
                "presets",
                &unknown(self.name.as_deref().unwrap_or_default()),
                format,
            );
        }
        let options = HumanOptions {
            color: self.color.on_stdout(),
            width: terminal_width(),
            ..HumanOptions::default()
        };
        generate::print_listing(format, &show(&PresetListing { name: self.name, presets }, format, options))
    }
}
