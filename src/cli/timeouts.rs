//! `wscheck timeouts`: arguments and run.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::args::{Color, label_parser, terminal_width};
use super::{errors, generate};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::middleboxes;
use crate::output::Format;
use crate::output::HumanOptions;
use crate::output::timeouts::{TimeoutListing, show};

/// The arguments of `wscheck timeouts`.
#[derive(Debug, Clone, Args)]
pub struct TimeoutsArgs {
    /// Part of a product's name or id (nginx, alb, aws.nlb), case-insensitive: show its timers in full, with
    /// sources and how to change them
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub product: Option<String>,
    /// Output format on stdout: text (human), one document (json), or one timer per line with the document last
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

impl TimeoutsArgs {
    /// Prints the table, or an error if there is no such product.
    pub fn main(self) -> ExitCode {
        let format = if self.json { Format::Json } else { self.output };
        let middleboxes = match &self.product {
            None => middleboxes::all().collect(),
            Some(product) => middleboxes::find(product),
        };
        if middleboxes.is_empty() {
            return errors::report_usage_error(
                "timeouts",
                &unknown(self.product.as_deref().unwrap_or_default()),
                format,
            );
        }
        let options = HumanOptions {
            color: self.color.on_stdout(),
            width: terminal_width(),
            ..HumanOptions::default()
        };
        generate::print_listing(
            format,
            &show(&TimeoutListing { product: self.product, middleboxes }, format, options),
        )
    }
}

fn unknown(product: &str) -> String {
    let near = middleboxes::near(product);
    let near = if near.is_empty() {
        "'wscheck timeouts' lists them all".to_string()
    } else {
        format!("similar names: {}", near.join(", "))
    };
    format!("'{}' is not a product in the table of timeouts; {near}", UntrustedText::new(product))
}
