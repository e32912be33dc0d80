//! The formats of a run.

/// How a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// For people: lines as it happens, and a summary.
    #[default]
    Human,
    /// One document at the end.
    Json,
    /// One event a line, and the document as the last.
    Ndjson,
}

impl Format {
    /// All of them, the default first.
    pub const ALL: [Format; 3] = [Format::Human, Format::Json, Format::Ndjson];

    /// The name that `-o` takes.
    pub fn label(self) -> &'static str {
        match self {
            Format::Human => "human",
            Format::Json => "json",
            Format::Ndjson => "ndjson",
        }
    }
}
