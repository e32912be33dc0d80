//! Floor 0: decides with values. No socket, clock, terminal, serde or clap.

pub mod catalogue;
pub mod client_test;
pub mod command_line;
pub mod compare;
pub mod connection;
pub mod doctor;
pub mod duration;
pub mod exit_status;
pub mod exporter;
pub mod exposition;
pub mod format;
pub mod heartbeat;
pub mod idle;
pub mod label;
pub mod listen;
pub mod nanos;
pub mod ping;
pub mod presets;
pub mod rate_limit;
pub mod run;
pub mod secrets;
pub mod share;
#[cfg(test)]
mod simulated_worlds;
pub mod stats;
pub mod watch;
pub mod zombie;
