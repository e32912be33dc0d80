//! Shows a table that is built in, such as that of presets, in any format.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets};

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

/// A table of a listing: in its natural width, wrapped where the terminal is narrower.
#[derive(Debug)]
pub struct ListingTable<const N: usize> {
    pub header: [&'static str; N],
    pub rows: Vec<[String; N]>,
    /// The column that is hidden on a terminal narrower than this many columns.
    pub hidden_below: (usize, usize),
    /// A column that is wrapped last, and how many columns it has at least.
    pub kept_at: Option<(usize, u16)>,
    /// A column that is wrapped first, and how many columns it has at most.
    pub cut_at: Option<(usize, u16)>,
    /// Wrapped rows are long and need lines between them.
    pub has_row_lines: bool,
}

impl<const N: usize> ListingTable<N> {
    /// The table as text, newlines included.
    pub fn into_text(self, width: Option<usize>) -> String {
        let mut table = Table::new();
        table.force_no_tty().set_header(self.header).add_rows(&self.rows);
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, 2));
        });
        let plain = presets::NOTHING.header_separator(LineStyle::none().fill('─'));
        let natural: usize =
            table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum();
        match width.filter(|width| *width < natural) {
            None => {
                table.load_style(plain);
            }
            Some(width) => {
                let lined = plain.row_separator(LineStyle::none().fill('╌'));
                table.load_style(if self.has_row_lines { lined } else { plain });
                self.fit(&mut table, width);
            }
        }
        table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
    }

    fn fit(&self, table: &mut Table, width: usize) {
        let (hidden, least_width) = self.hidden_below;
        let is_hidden = width < least_width;
        let constraints = [
            is_hidden.then_some((hidden, ColumnConstraint::Hidden)),
            self.kept_at
                .map(|(column, least)| (column, ColumnConstraint::LowerBoundary(Width::Fixed(least)))),
            self.cut_at.map(|(column, most)| (column, ColumnConstraint::UpperBoundary(Width::Fixed(most)))),
        ];
        for (column, constraint) in constraints.into_iter().flatten() {
            if let Some(column) = table.column_mut(column) {
                column.set_constraint(constraint);
            }
        }
        table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
}
