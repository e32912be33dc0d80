//! Shows a table that is built in, such as that of presets, in any format.

use serde::Serialize;

use super::human::HumanOptions;
use super::json::{compact, pretty};
use super::output_format::Format;

/// Entries of a table.
pub trait Listing {
    /// The entries as text, newline included.
    fn human(&self, options: HumanOptions) -> String;

    /// The JSON document.
    fn document(&self) -> impl Serialize;

    /// The NDJSON line of each entry.
    fn lines(&self) -> impl Iterator<Item = impl Serialize>;
}

/// The listing as one text, newline included. In NDJSON each entry is a line, and the document is the last.
pub fn show(listing: &impl Listing, format: Format, options: HumanOptions) -> String {
    match format {
        // A table has no report; the command line offers none.
        Format::Human | Format::Report(_) => listing.human(options),
        Format::Json => pretty(&listing.document()),
        Format::CompactJson => compact(&listing.document()),
        Format::Ndjson => {
            let lines = listing.lines().map(|line| compact(&line));
            lines.chain([compact(&listing.document())]).collect()
        }
    }
}
