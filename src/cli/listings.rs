//! The commands that print a built-in table: `presets`, `products` and `timeouts`.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::args::{Color, label_parser, terminal_width};
use super::{errors, runner};
use crate::domain::catalogue;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::output::listing::{Listing, show};
use crate::output::presets::PresetListing;
use crate::output::products::ProductListing;
use crate::output::timeouts::TimeoutListing;
use crate::output::{Format, HumanOptions};

/// How to print a built-in table.
#[derive(Debug, Clone, Args)]
pub struct ListingArgs {
    /// Output format on stdout: text (human), one document (json), or one entry per line with the document last
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

impl ListingArgs {
    /// Prints the listing on stdout, or why there is none; returns the exit code.
    fn print<L: Listing>(&self, command: &str, listing: Result<L, String>) -> ExitCode {
        let format = if self.json { Format::Json } else { self.output };
        let (color, width) = (self.color.on_stdout(), terminal_width());
        let options = HumanOptions { color, width, ..HumanOptions::default() };
        match listing {
            Ok(listing) => runner::print(&show(&listing, format, options), format),
            Err(message) => errors::report_usage_error(command, &message, format),
        }
    }
}

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
        let presets = match &self.name {
            None => Ok(catalogue::presets().collect()),
            Some(name) => {
                catalogue::find_preset(name).map(|preset| vec![preset]).ok_or_else(|| unknown_preset(name))
            }
        };
        self.listing.print("presets", presets.map(|presets| PresetListing { name: self.name, presets }))
    }
}

/// The arguments of `wscheck products`.
#[derive(Debug, Clone, Args)]
pub struct ProductsArgs {
    /// A product's id, or part of a name of it, of its presets or of its timers (phoenix, aws, mqtt), case-insensitive:
    /// show all that is known of it, with sources
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    #[command(flatten)]
    pub listing: ListingArgs,
}

impl ProductsArgs {
    /// Prints the table, or an error if there is no such product.
    pub fn main(self) -> ExitCode {
        let products = match &self.name {
            None => Ok(catalogue::products().collect()),
            Some(name) => found(catalogue::find_products(name)).ok_or_else(|| {
                not_listed(name, "a known product", "products", &catalogue::near_products(name))
            }),
        };
        self.listing.print("products", products.map(|products| ProductListing { name: self.name, products }))
    }
}

/// The arguments of `wscheck timeouts`.
#[derive(Debug, Clone, Args)]
pub struct TimeoutsArgs {
    /// Part of a product's name or id (nginx, alb, aws.nlb), case-insensitive: show its timers in full, with
    /// sources and how to change them
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub product: Option<String>,
    #[command(flatten)]
    pub listing: ListingArgs,
}

impl TimeoutsArgs {
    /// Prints the table, or an error if there is no such product.
    pub fn main(self) -> ExitCode {
        let timeouts = match &self.product {
            None => Ok(catalogue::timeouts().collect()),
            Some(name) => found(catalogue::find_timeouts(name)).ok_or_else(|| {
                let what = "a product in the table of timeouts";
                not_listed(name, what, "timeouts", &catalogue::near_timeouts(name))
            }),
        };
        let product = self.product;
        self.listing.print("timeouts", timeouts.map(|timeouts| TimeoutListing { product, timeouts }))
    }
}

fn found<T>(entries: Vec<T>) -> Option<Vec<T>> {
    Some(entries).filter(|entries| !entries.is_empty())
}

/// The error for an unknown preset name.
pub fn unknown_preset(name: &str) -> String {
    not_listed(name, "a preset", "presets", &catalogue::near_presets(name))
}

/// The error for a name that is not in a table: `'x' is not a preset; similar names: y`. The command lists the table.
fn not_listed(name: &str, what: &str, command: &str, near: &[String]) -> String {
    let near = if near.is_empty() {
        format!("'wscheck {command}' lists them all")
    } else {
        format!("similar names: {}", near.join(", "))
    };
    format!("'{}' is not {what}; {near}", UntrustedText::new(name))
}
