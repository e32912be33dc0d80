//! Floor 2: one file a command: a Plan that is always valid, and `run`.

pub mod serve;
