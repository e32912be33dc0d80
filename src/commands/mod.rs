//! Floor 2: one file or folder a command, each with a plan that is always valid and a `run`.

pub mod config_reload;
pub mod connect;
pub mod demo;
pub mod detect;
pub mod doctor;
pub mod exporter;
pub mod fd_limit;
pub mod kept;
pub mod listen;
pub mod ping;
pub mod probe_idle;
pub mod probe_zombie;
pub mod run_control;
pub mod serve;
pub mod start_failure;
pub mod test_client;
#[cfg(test)]
mod testing;
pub mod watch;
