//! wscheck: a diagnostic instrument for WebSocket connections. This is the map.
//!
//! Floors; a file may look down, never up, and never sideways across a floor's divide:
//!
//! - 4 [`cli`]: arguments as typed become a Plan; signals, exit codes, completions, man page
//! - 3 [`output`]: implements `Reporter`: human, json, ndjson, and the JSON Schema
//! - 2 [`commands`]: one file a command: a Plan that is always valid, and `run`
//! - 1 [`net`]: name to open WebSocket, the byte tap, the session
//! - 1 [`server`]: the test server; it and `net` do not know each other
//! - 0 [`domain`]: decides with values; no socket, clock, terminal, serde or clap

pub mod cli;
pub mod commands;
pub mod domain;
pub mod net;
pub mod output;
pub mod server;
