//! wscheck: a diagnostic instrument for WebSocket connections. This is the map.
//!
//! Floors; a file may look down, never up, and never sideways across a floor's divide (`tests/floors.rs`
//! reads the sources and says so):
//!
//! - 4 [`cli`]: arguments as typed become a Plan; printing on a thread of its own, signals on another;
//!   exit codes, completions, man page
//! - 3 [`output`]: implements `Reporter`: human, json, ndjson, and the JSON Schema; shows what `serve` tells
//!   and the tables of known timers and of presets
//! - 2 [`commands`]: one file or folder a command: a Plan that is always valid, and `run`
//! - 1 [`net`]: name to open WebSocket (`dial`), TCP with the kernel's stamps and figures (`tcp`), the byte tap on it
//!   (`wire`), the greeting, and the `session` that runs heartbeats, the `trial` that is silent and then asked, or the
//!   `guest` that hears what the server says by itself
//! - 1 [`server`]: the test server, its heartbeats and its faults; it and `net` do not know each other
//! - 0 [`domain`]: decides with values; no socket, clock, terminal, serde or clap
//!
//! How a run of `ping` flows: every connection's session emits `ConnEvent`s; the command feeds each to the
//! `Recorder` and to the reporter; the `Recorder` turns them into a `PingReport` at any time:
//! `run_status` gives its status, `verdict` its `RunResult`, `advice` says what its figures mean together. Nothing is
//! computed anywhere else.
//!
//! How a run of `probe-idle` flows: `domain::idle::Search` is a state machine without a clock or a socket; its
//! module describes what it orders and what it must be told. `commands::probe_idle` carries the orders out, a
//! task for each connection (`net::trial`), feeds it what they see, and hands it to the reporter; what follows
//! the search (what keeps the path open, whether the prescription holds) runs on the same pieces. The
//! report is `domain::idle::report`, shown by `output::idle`.
//!
//! How `listen` and `probe-zombie` flow: a `net::guest` hears; `domain::listen::ListenState` takes the moments of each
//! kind of sound and says what they come to. `commands::listen` has one guest; `commands::probe_zombie` has six, each a
//! task that says something and then dies in its way (`domain::zombie::Behaviour`; the `wire`'s valve, below TLS, keeps a dead one from answering),
//! and `domain::zombie::ZombieFindings` puts their lives together; a policy is inferred from what the clients differ in. The
//! control vouches at the end, a `net::vigil` for this host (who stood still himself reads late), and a `net::proof` for
//! the path (what it forgot looks silent, and kept). Each claim of either
//! is tried against simulated servers (`domain::listen::simulated`, `domain::zombie::simulated`). Shown by
//! `output::listen` and `output::zombie`.
//!
//! How services speak heartbeats stands in one place: `domain::heartbeat::presets`, a slice of definitions in the language
//! of templates and patterns; `spoken` reads one, and `cli::preset` lets the command line override it. What a preset has
//! besides its ask and answer is a `ProtocolProfile`, which the greeting, the session, the trial and the guest take alike.
//! `commands::recon` looks at a server for `--preset auto`; `domain::recognition` finds that a preset was the wrong one.
//!
//! Where it departs from the plainest rules:
//!
//! - the domain reads JSON by `serde_json`, because patterns and heartbeats are JSON; it serializes nothing
//! - what the user sent is one set for the whole process (`domain::secrets`), which `domain::connection::untrusted_text` looks into: no text
//!   of a peer's can be shown without it
//! - hints and advice name flags as words for the reader; below [`cli`] no code depends on one
//! - what a peer can send at will reaches the rest as counts (`FormRecord`), so that a flood stays cheap
//! - of a run of many connections only what is shown reaches the printing thread (`output::EventFilter`), and the thread of
//!   the connections may rest a millisecond between two looks at the network (`net::nap`, allowed by
//!   `commands::ping::calm`), since the kernel has stamped what came
//! - RTTs of answers that carry no id are upper bounds, and never fail a run by themselves

#[cfg(not(unix))]
compile_error!(
    "wscheck needs a Unix system: Linux, or macOS (without kernel timestamps and without TCP's own figures)"
);

#[cfg(test)]
extern crate self as wscheck;

pub mod cli;
pub mod commands;
pub mod domain;
pub mod net;
pub mod output;
pub mod server;
