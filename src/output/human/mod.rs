//! What reports for people share: labelled rows, colours, errors, and what is known of a connection.

mod conclusion;
mod connect_error;
mod connection;
mod rows;
mod style;

pub(super) use conclusion::conclusion;
pub use connect_error::complaint;
pub(super) use connect_error::failed_opening;
pub(super) use connection::{ending, facts, phases, preset, verdict, way};
pub(super) use rows::LabelledRows;
pub use style::Styler;

/// How to show a run to people; what the terminal can do is for the caller to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HumanOptions {
    /// Only the summary, and errors.
    pub quiet: bool,
    /// Whether to use colour on stdout.
    pub color: bool,
    /// Whether to use colour on stderr.
    pub stderr_color: bool,
    /// The terminal's columns; `None` leaves lines as long as they are.
    pub width: Option<usize>,
    /// Whether stderr is a terminal on which a line may move.
    pub progress: bool,
}
