//! Tables in text, fitted to the terminal.

use comfy_table::{
    Attribute, Cell as TextCell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle,
    Table as TextTable, presets,
};

use super::rows::wrap;
use super::style::Styler;
use crate::output::view::{Cell, Table, Tone};

/// The least width of the columns of text together.
const MIN_TEXT_COLUMNS_WIDTH: usize = 36;

/// A table in lines, each with its newline. A table wider than the terminal leaves out expendable columns, says which,
/// and wraps the words of the others.
pub fn table(table: &Table, paint: Styler, width: Option<usize>) -> String {
    let mut text = TextTable::new();
    text.force_no_tty();
    if paint.color {
        text.enforce_styling();
    }
    text.set_header(table.columns.iter().map(|column| column.name.as_str()));
    text.add_rows(table.rows.iter().map(|row| row.iter().map(|one| cell(one, paint))));
    set_columns(&mut text, table);
    let hidden = fit(&mut text, table, width);
    let lines = text.lines().map(|line| line.trim_end().to_string() + "\n");
    let notes = table.note.iter().cloned().chain(left_out(&hidden));
    let notes = notes.flat_map(|note| wrap(&note, width)).map(|line| line + "\n");
    lines.chain(notes).collect()
}

fn left_out(hidden: &[&str]) -> Option<String> {
    (!hidden.is_empty()).then(|| format!("left out for lack of room: {}", hidden.join(", ")))
}

fn cell(cell: &Cell, paint: Styler) -> TextCell {
    let text = TextCell::new(&cell.text);
    match cell.tone {
        _ if !paint.color => text,
        Tone::Neutral => text,
        Tone::Good => text.fg(Color::Green),
        Tone::Caution => text.fg(Color::Yellow),
        Tone::Bad => text.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

fn set_columns(text: &mut TextTable, table: &Table) {
    for (column, spec) in text.column_iter_mut().zip(&table.columns) {
        column.set_padding((0, 2));
        if spec.is_number {
            column.set_cell_alignment(CellAlignment::Right);
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Fits the table to the width; returns the names of the columns that were left out.
fn fit<'a>(text: &mut TextTable, table: &'a Table, width: Option<usize>) -> Vec<&'a str> {
    let plain = presets::NOTHING.header_separator(LineStyle::none().fill('─'));
    let Some(width) = width.filter(|width| *width < shown_width(text, |_| true)) else {
        text.load_style(plain);
        return Vec::new();
    };
    let hidden = shed(text, table, width);
    let has_numbers = table.columns.iter().any(|column| column.is_number);
    let style = if has_numbers { plain.row_separator(LineStyle::none().fill('╌')) } else { plain };
    text.load_style(style)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    hidden
}

/// Leaves out columns, the most expendable first, until the numbers leave room for the text.
fn shed<'a>(text: &mut TextTable, table: &'a Table, width: usize) -> Vec<&'a str> {
    let is_number = |index: usize| table.columns[index].is_number;
    let mut expendable: Vec<usize> =
        (0..table.columns.len()).filter(|index| table.columns[*index].expendability > 0).collect();
    expendable.sort_by_key(|index| std::cmp::Reverse(table.columns[*index].expendability));
    let mut hidden = Vec::new();
    for index in expendable {
        if MIN_TEXT_COLUMNS_WIDTH + shown_width(text, is_number) <= width {
            break;
        }
        if let Some(column) = text.column_mut(index) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
        hidden.push(table.columns[index].name.as_str());
    }
    hidden
}

/// The width of the chosen columns that are not hidden.
fn shown_width(text: &TextTable, is_chosen: impl Fn(usize) -> bool) -> usize {
    let widths = text.column_max_content_widths();
    let columns = text.column_iter().zip(widths).enumerate();
    columns
        .filter(|(index, (column, _))| is_chosen(*index) && !column.is_hidden())
        .map(|(_, (_, width))| usize::from(width) + 2)
        .sum()
}
