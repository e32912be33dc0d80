//! `wscheck timeouts`: arguments and run.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::errors;
use super::listing_args::{ListingArgs, not_listed};
use crate::domain::catalogue;
use crate::output::timeouts::TimeoutListing;

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
        let format = self.listing.format();
        let timeouts = match &self.product {
            None => catalogue::timeouts().collect(),
            Some(product) => catalogue::find_timeouts(product),
        };
        if timeouts.is_empty() {
            return errors::report_usage_error(
                "timeouts",
                &unknown(self.product.as_deref().unwrap_or_default()),
                format,
            );
        }
        self.listing.print(&TimeoutListing { product: self.product, timeouts })
    }
}

fn unknown(product: &str) -> String {
    not_listed(product, "a product in the table of timeouts", "timeouts", &catalogue::near_timeouts(product))
}
