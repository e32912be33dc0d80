//! The binary's behaviour from outside: real sockets on loopback, real clock, no timing assertions.

#![expect(unsafe_code, reason = "signals and limits of child processes")]

mod bad_input;
mod checks;
mod colors;
mod compression;
mod doc_commands;
mod doc_examples;
mod doc_tables;
mod docs;
mod doctor;
mod doctor_browsers;
mod expectations;
mod exporter;
mod exporter_load;
mod exporter_page;
mod exporter_prometheus;
mod failures;
mod faults;
mod fresh_inputs;
mod generated;
mod heartbeats;
mod hostile;
mod http2;
mod idle_causes;
mod listen;
mod long_runs;
mod many;
mod merge;
mod peer_text;
mod peers;
mod ping;
mod preset_idle;
mod preset_servers;
mod presets;
mod presets_live;
mod probe_idle;
mod products;
mod proxies;
mod refusals;
mod relay;
mod report_formats;
mod secrets;
mod secure;
mod service_manager;
mod signals;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
mod test_client;
mod timeouts;
mod trace;
mod watch;
mod zombies;
