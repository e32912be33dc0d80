//! The formats of a run.

use strum::{EnumIter, IntoStaticStr};

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Format {
    /// For people: lines as it happens, and a summary.
    #[default]
    Human,
    /// One document at the end.
    Json,
    /// The same document on one line; chosen by a flag, not by a name.
    #[strum(disabled)]
    CompactJson,
    /// One event a line, and the document as the last.
    Ndjson,
}
