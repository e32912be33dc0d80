//! `wscheck products`: arguments and run.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::errors;
use super::listing_args::{ListingArgs, not_listed};
use crate::domain::catalogue;
use crate::output::products::ProductListing;

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
        let format = self.listing.format();
        let products = match &self.name {
            None => catalogue::products().collect(),
            Some(name) => catalogue::find_products(name),
        };
        if products.is_empty() {
            let unknown = unknown(self.name.as_deref().unwrap_or_default());
            return errors::report_usage_error("products", &unknown, format);
        }
        self.listing.print(&ProductListing { name: self.name, products })
    }
}

fn unknown(name: &str) -> String {
    not_listed(name, "a known product", "products", &catalogue::near_products(name))
}
