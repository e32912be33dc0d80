//! The evidence as tables: what became of each silent connection, and what kept the path open.

use comfy_table::{ContentArrangement, LineStyle, Table, presets};

use super::trials::{Outcome, Trial};
use super::words::{cut, death, exact, method, roughly};
use crate::domain::idle::Role;
use crate::domain::idle::refresh::{Fate, Row};
use crate::output::units::{Unit, spoken};

/// More rows say no more to people; the JSON has them all.
const MOST_ROWS: usize = 40;

/// A row for each connection, by how long it was silent; `None` without any.
pub fn trials(trials: &[Trial], width: Option<usize>) -> Option<String> {
    let mut rows: Vec<&Trial> = trials.iter().filter(|trial| trial.role != Role::Control).collect();
    rows.sort_by_key(|trial| trial.idle);
    let shown = rows.iter().take(MOST_ROWS).map(|trial| cells(trial));
    let text = table(["silent for", "as", "what became of it"], shown, width)?;
    Some(match rows.len().saturating_sub(MOST_ROWS) {
        0 => text,
        more => format!("{text}and {more} more: -o json has them all\n"),
    })
}

fn cells(trial: &Trial) -> [String; 3] {
    let said = match &trial.outcome {
        Outcome::Survived { rtt } => format!("answered in {}", Unit::of([*rtt]).span(*rtt)),
        Outcome::Died(how) => format!("dead: {}", death(how)),
        Outcome::Ended(how) => format!("ended: {}", cut(how)),
    };
    [exact(trial.idle), trial.role.label().to_string(), said]
}

/// A row for each kind of traffic that was tried.
pub fn refresh(rows: &[Row], width: Option<usize>) -> Option<String> {
    table(["what was sent", "every", "result"], rows.iter().map(refresh_cells), width)
}

fn refresh_cells(row: &Row) -> [String; 3] {
    let every = row.every.map_or_else(|| "-".to_string(), roughly);
    let result = match &row.fate {
        Fate::Survived => format!("survived {}", spoken(row.held)),
        Fate::Died { after, how } => format!("died after {}: {how}", spoken(*after)),
        Fate::Untold { why } => format!("not known: {why}"),
    };
    [method(row.method).to_string(), every, result]
}

/// As wide as it must be, or wrapped to the terminal.
fn table(header: [&str; 3], rows: impl Iterator<Item = [String; 3]>, width: Option<usize>) -> Option<String> {
    let mut table = Table::new();
    table.force_no_tty().set_header(header).add_rows(rows);
    if table.is_empty() {
        return None;
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    table.load_style(presets::NOTHING.header_separator(LineStyle::none().fill('─')));
    let natural: usize = table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum();
    if let Some(width) = width.filter(|width| *width < natural) {
        let width = u16::try_from(width).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    Some(table.lines().map(|line| line.trim_end().to_string() + "\n").collect())
}
