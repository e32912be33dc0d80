//! What every format is for its caller.

use std::io;

pub use crate::domain::ping::event::Reporter;

/// A reporter whose writer may fail: what it could not write is for the caller to judge.
pub trait Output: Reporter {
    /// The first error on stdout; nothing was written after it.
    fn error(&self) -> Option<&io::Error>;
}
