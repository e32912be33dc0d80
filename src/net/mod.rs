//! Floor 1: dialing a target, the open WebSocket, and the clients that run on it.

#[cfg(test)]
pub mod testing;

pub mod batch_sleep;
pub mod client;
pub mod connect;
pub(crate) mod dial_error;
pub mod event_throttle;
pub mod fresh_inputs;
pub mod host_events;
pub mod http_server;
pub mod os_error;
pub mod process_group;
pub mod stall_detector;
pub mod suspended_time;
pub mod text_file;
pub mod time;
pub(crate) mod time_limit;
mod tls_error;
pub mod transport;
pub mod url_command;
