//! Text for people: the report of a view, labelled rows, tables, colours and errors.

mod connect_error;
mod histogram;
mod report;
mod rows;
mod style;
mod table;

pub use connect_error::complaint;
pub(super) use connect_error::failed_opening;
pub(super) use report::{report, report_always};
pub(super) use rows::LabelledRows;
pub use style::Styler;

/// Options of human-readable output; the caller determines them from the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HumanOptions {
    /// Print only the report and errors; of several targets only the table and the result.
    pub quiet: bool,
    /// Print the details of each of several targets.
    pub verbose: bool,
    /// Whether to use colour on stdout.
    pub color: bool,
    /// Whether to use colour on stderr.
    pub stderr_color: bool,
    /// The terminal's columns; `None`: lines are not wrapped.
    pub width: Option<usize>,
    /// Whether stderr is a terminal that can show a live line.
    pub progress: bool,
}
