//! Floor 2: one file a command, each a Plan that is always valid and a `run`.

pub mod demo;
pub mod files;
pub mod listen;
pub mod ping;
pub mod probe_idle;
pub mod probe_zombie;
pub mod recon;
mod room;
pub mod serve;
mod telling;
