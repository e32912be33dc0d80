//! Labelled rows of a report.

use serde::{Deserialize, Serialize};

use super::chart::Chart;
use super::phrase::Phrase;
use super::table::Table;

/// A label and its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Row {
    /// Empty if the row continues the one before.
    pub label: String,
    pub text: Phrase,
    /// A text to be copied, such as an option: formats do not break it.
    pub is_unbroken: bool,
}

/// Rows in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rows(pub Vec<Row>);

impl Rows {
    pub fn add(&mut self, label: &str, text: impl Into<String>) {
        self.add_phrase(label, Phrase::from(text.into()));
    }

    /// Adds a row if there is a text.
    pub fn add_some(&mut self, label: &str, text: Option<String>) {
        if let Some(text) = text {
            self.add(label, text);
        }
    }

    /// Adds a row for each text; only the first has the label.
    pub fn add_all(&mut self, label: &str, texts: impl IntoIterator<Item = String>) {
        for (index, text) in texts.into_iter().enumerate() {
            self.add(if index == 0 { label } else { "" }, text);
        }
    }

    pub fn add_phrase(&mut self, label: &str, text: Phrase) {
        self.0.push(Row { label: label.to_string(), text, is_unbroken: false });
    }

    /// Adds a text to be copied.
    pub fn add_unbroken(&mut self, label: &str, text: impl Into<String>) {
        self.add(label, text);
        if let Some(row) = self.0.last_mut() {
            row.is_unbroken = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The details of one target.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Section {
    /// The target.
    pub title: String,
    pub rows: Rows,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
}
