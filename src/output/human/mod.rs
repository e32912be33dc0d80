//! Parts that human-readable reports share: labelled rows, colours, errors, and the facts of a connection.

mod conclusion;
mod connect_error;
mod connection;
mod findings;
mod rows;
mod style;

pub(super) use conclusion::conclusion;
pub use connect_error::complaint;
pub(super) use connect_error::failed_opening;
pub(super) use connection::{ending, facts, peer_address, phases, preset, verdict};
pub(super) use findings::findings;
pub(super) use rows::LabelledRows;
pub use style::Styler;

/// Options of human-readable output; the caller determines them from the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HumanOptions {
    /// Print only the summary and errors.
    pub quiet: bool,
    /// Whether to use colour on stdout.
    pub color: bool,
    /// Whether to use colour on stderr.
    pub stderr_color: bool,
    /// The terminal's columns; `None`: lines are not wrapped.
    pub width: Option<usize>,
    /// Whether stderr is a terminal that can show a live line.
    pub progress: bool,
}
