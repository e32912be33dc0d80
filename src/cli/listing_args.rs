//! The arguments of the commands that print a built-in table.

use std::io::Write;
use std::process::ExitCode;

use clap::Args;

use super::args::{Color, label_parser, terminal_width};
use super::{errors, runner};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::output::listing::{Listing, show};
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
    /// The chosen format.
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.output }
    }

    /// Prints the listing on stdout; returns the exit code.
    pub fn print(&self, listing: &impl Listing) -> ExitCode {
        let (color, width) = (self.color.on_stdout(), terminal_width());
        let options = HumanOptions { color, width, ..HumanOptions::default() };
        let text = show(listing, self.format(), options);
        errors::exit_code_of_write(runner::stdout(self.format()).write_all(text.as_bytes()))
    }
}

/// The error for a name that is not in a table: `'x' is not a preset; similar names: y`. The command lists the table.
pub fn not_listed(name: &str, what: &str, command: &str, near: &[String]) -> String {
    let near = if near.is_empty() {
        format!("'wscheck {command}' lists them all")
    } else {
        format!("similar names: {}", near.join(", "))
    };
    format!("'{}' is not {what}; {near}", UntrustedText::new(name))
}
