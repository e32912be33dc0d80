//! `wscheck presets`: arguments and run.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::errors;
use super::listing_args::ListingArgs;
use super::preset_args::unknown;
use crate::domain::catalogue;
use crate::output::presets::PresetListing;

/// The arguments of `wscheck presets`.
#[derive(Debug, Clone, Args)]
pub struct PresetsArgs {
    /// Name of a preset: show it in full, with its pitfalls, source and an example command line
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    #[command(flatten)]
    pub listing: ListingArgs,
}

impl PresetsArgs {
    /// Prints the table, or an error if there is no such preset.
    pub fn main(self) -> ExitCode {
        let format = self.listing.format();
        let presets = match &self.name {
            None => catalogue::presets().collect(),
            Some(name) => catalogue::find_preset(name).into_iter().collect::<Vec<_>>(),
        };
        if presets.is_empty() {
            return errors::report_usage_error(
                "presets",
                &unknown(self.name.as_deref().unwrap_or_default()),
                format,
            );
        }
        self.listing.print(&PresetListing { name: self.name, presets })
    }
}
