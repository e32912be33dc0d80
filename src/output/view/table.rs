//! Tables of a report.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::phrase::Tone;

/// A table; each row has a cell for each column.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Table {
    /// What it lists, as a plural: `targets`.
    pub name: Cow<'static, str>,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// Rows that are left out, as a fragment such as `3 more`; formats show it below.
    pub note: Option<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Column {
    pub name: String,
    /// Numbers are aligned to the right and never broken.
    pub is_number: bool,
    /// Where there is no room for all columns, those with the highest number are left out first; 0 always stays.
    pub expendability: u8,
}

/// A cell. Its text may have several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl Table {
    /// A table of texts, none of which can be left out.
    pub fn of_texts<const N: usize>(
        name: &'static str,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Table {
        let rows = rows.into_iter().map(|row| row.map(Cell::from).to_vec()).collect();
        Table { name: name.into(), columns: columns.map(Column::text).to_vec(), rows, note: None }
    }
}

impl Column {
    pub fn text(name: &str) -> Column {
        Column { name: name.to_string(), is_number: false, expendability: 0 }
    }

    pub fn number(name: &str, expendability: u8) -> Column {
        Column { name: name.to_string(), is_number: true, expendability }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, tone: Tone::Neutral }
    }
}
