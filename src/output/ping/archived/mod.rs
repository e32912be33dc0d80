//! A document of `ping`, read back into the report that it was made of. The file may be anybody's: numbers are checked, texts
//! are escaped again, and what is wrong is an error that names the field.

mod json_path;
mod replay;
mod run;

pub use replay::{ReplayedGroup, replay, replay_groups};
pub use run::read_run;

#[cfg(test)]
mod tests;
