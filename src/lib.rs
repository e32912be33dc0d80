//! wscheck: a diagnostic instrument for WebSocket connections. This is the map.
//!
//! Floors. A file may look down, never up, and never sideways across a floor's divide; folders and files that lie side by
//! side never look at each other in a circle (`tests/floors.rs` reads the sources and checks both):
//!
//! - 4 [`cli`]: turns arguments into a plan; prints on a thread of its own, handles signals on another; exit codes,
//!   completions, man page
//! - 3 [`output`]: shows events and reports. A command implements `Presenter`; its report becomes a `View` (headline, criteria,
//!   findings, evidence, tables, charts, metrics). `human` and each file of `report_formats` render the view and know no
//!   command; `envelope` makes the JSON document of it and of the command's own fields, whose parts `json::document!` declares.
//!   `archive` reads a document back into a view, and `compare` makes one of two runs. `ping::read_run` reads a document back into its `PingReport`
//! - 2 [`commands`]: one file or folder a command: a plan that is always valid, and `run`
//! - 1 [`net`]: `connect` leads from a name to an open WebSocket; `transport` is the byte stream below it (socket, kernel
//!   timestamps, the byte tap); `client` runs on it (heartbeat session, observer, idle probe); `http_server` answers wscheck's
//!   own pages
//! - 1 [`server`]: the test server, its heartbeats and its faults; it and `net` do not know each other
//! - 0 [`domain`]: decides with values; no socket, clock, terminal, serde or clap
//!
//! `ping`: each connection's session emits `ConnEvent`s. The command passes each to the `Recorder` and to the reporter. The
//! `Recorder` turns them into a `PingReport` at any time: `run_status` gives its status, `verdict` its `RunResult`, `findings`
//! what its figures mean together. Nothing is computed anywhere else. `output::ping::findings` puts the findings in words.
//! `merge` makes one report of several runs, which the same rules conclude (`conclusion`).
//!
//! `probe-idle`: `domain::idle::Search` is a state machine without a clock or a socket; its module describes what it
//! orders and what it must be told. `commands::probe_idle` carries the orders out, one task a connection
//! (`net::client::idle_probe`), and passes on what they see. What follows the search (what keeps the path open,
//! whether the recommendation holds) runs on the same pieces.
//!
//! `run`: `cli::checks` reads a file of checks. Each becomes what one would type, and so a `Measurement`, as on the command
//! line. They run side by side, and `output::checks` makes one view of their views.
//!
//! `listen` and `probe-zombie`: a `net::client::observer` reports what the server sends by itself. `domain::listen` infers the
//! interval of each kind of event. `commands::probe_zombie` runs six clients that fall silent each in its own way
//! (`domain::zombie::Behaviour`; the muted tap below TLS keeps a dead one from answering), and `domain::zombie` infers the server's
//! policy from what they differ in. A control client must live to the end, a `net::stall_detector` tells whether this host
//! stood still, and `net::transport::tcp_liveness` whether the peer's kernel still has the connection.
//!
//! `doctor`: `commands::doctor` opens each path once by itself (name, addresses, TLS, upgrade and what it depends on),
//! tries HTTP/2 and compression as browsers do (`feature_trials`), then runs `ping`, `listen`, `probe-idle` and `probe-zombie`
//! beside each other. What was measured on a path is its `PathEvidence`;
//! `domain::doctor::examine` decides what each check concludes from it, `advise` what follows from several, `compare` at which
//! hop something begins. Findings of the other commands stay theirs: doctor passes them on with its own severity.
//!
//! `exporter`: `commands::exporter` runs `ping` for the targets that are kept, and counts their events
//! (`domain::exporter::kept`); a request of `/probe` opens its target anew (`probe`). Both are pages of `net::http_server`, as
//! are those of `serve`. `domain::exposition` writes the `MetricFamily`s of all of them, and of reports, as Prometheus' text.
//!
//! The page `/` is of `kept_pages`: `output::exporter` makes its HTML, and server-sent events bring it up to date. `cli::service_manager` tells
//! systemd how `exporter` and `watch` do.
//!
//! `commands::config_reload` reads the configuration again, and `commands::kept` starts and stops what changed; `watch` uses both.
//!
//! An *outage* (`domain::ping::outages`) lasts from the last proof of life to the first answer after it; one
//! `OutageTracker` finds them for the report of `ping` and for the exporter.
//!
//! `watch`: `commands::watch` runs `ping` for each group of targets, asks all connections at once (`net::client::ask_now`) when
//! this host changes (`net::host_events`), and starts a command for each change (`commands::watch::hook`). A session with a
//! degraded interval sends `ExtraHeartbeat`s. `output::watch` shows lines, and `output::watch::live` the live view, whose terminal
//! is `cli::live`. The log is a `ReportFile` of NDJSON that is rotated (`output::rotating_file`), each file with the lines that make it
//! readable by itself (`output::log_head`).
//!
//! Before each opening `ping` reads what expires anew (`net::fresh_inputs`: headers, messages, URL); what cannot be read is a failed
//! opening in the phase `input`.
//!
//! HTTP/2: `net::transport::http2` is the connection, its streams and what comes on it frame by frame;
//! `net::connect::extended_connect` opens a WebSocket on it, and `http2_pool` lets several share it.
//! `transport::http2::send_windows` accounts for flow control, and `signals` is what a WebSocket sees of PING and GOAWAY.
//!
//! Compression: `domain::connection::permessage_deflate` judges what a server agrees to. `net::client::deflate` compresses messages before
//! the WebSocket library takes them, and decompresses them below it; `server::deflate` does the other side. Both decompress by
//! `domain::connection::message_decompressor`.
//!
//! `serve` over HTTP/2: a `server::http2::Http2Driver` accepts the requests of a connection. Each extended CONNECT becomes a
//! `ClientSocket` like a TCP connection, so that all that the server does for a client works on its stream.
//!
//! `serve` and `test-client`: the server keeps a `ConnectionRecord` of each connection. `domain::client_test` adds them up
//! (`ClientActivity`), reads its `CLIENT_METRICS` and judges expectations by them. `commands::test_client` starts a server and the
//! user's client for each entry of `CLIENT_FAULTS`, follows the test (`TestCourse`), and ends the client's process group.
//!
//! `fuzzing` holds the entry points of the fuzz targets in `fuzz/`. It is compiled for fuzzing and for tests only, and looks
//! into every floor.
//!
//! What is known of products stands in one table, `domain::catalogue`: how each speaks, when and how it cuts, how it treats
//! clients that do not answer. `domain::presets` reads how it speaks, and `cli::preset_args` lets the command line override it;
//! `domain::idle::product_naming` and `domain::zombie` say which products a measurement is consistent with. A `ProtocolProfile` is what a preset has besides its request and
//! reply. `commands::detect` looks at a server for `--preset auto`; `domain::ping::preset_mismatch` finds a wrong preset.
//!
//! # Glossary
//!
//! - **heartbeat**: a request and its reply; *protocol*: a Ping frame and its Pong; *app*: two messages; *http2*: a PING of HTTP/2
//!   and its acknowledgement
//! - **outcome** of a heartbeat: `ok`, `late`, `missed`, `superseded` (a later one was answered; the server may have held both), `unsent`, `in_flight`
//! - **finding**: one thing learned, with a code, a severity and data; **criterion**: one thing demanded, met or not met
//! - **preset**: a service's way of heartbeats, by name; **protocol profile**: what it says besides request and reply
//! - **preamble**: what is sent and awaited before the first heartbeat
//! - **tap**: notes at the socket, below TLS, when bytes pass; **mute**: keeps what is written from leaving there
//! - **control**: a connection that is never idle; it shows that the path and the server were there all the time
//! - **trial**: a connection that is silent for a span and then asked once; **watcher**: one that is silent throughout
//! - **bracket**: the longest span that survived and the shortest that did not; the idle timeout lies in between
//! - **zombie**: a client that is dead and that the server keeps; **reaping**: the server closes it
//! - **behaviour** of a zombie client: how it falls silent (mute, half-closed, stalled, quiet ...)
//! - **noticed**: a client began to end a connection whose server a fault had made silent
//! - **stimulus**: a message of ours that shows whether traffic moves the server's next heartbeat
//! - **batching**: the connections' thread sleeps a millisecond between two looks at the network
//! - **stall**: this process did not run for a while, so that timings around it are unreliable
//!
//! # Where it departs from the plainest rules
//!
//! - the domain reads JSON by `serde_json`, because patterns and heartbeats are JSON; it serializes nothing
//! - what the user sent is one set for the whole process (`domain::secrets`), which `domain::connection::untrusted_text`
//!   looks into: no text of a peer's can be shown without it
//! - hints and remedies name flags as words for the reader; below [`cli`] no code depends on one
//! - what a peer can send at will reaches the rest as counts (`PeerTraffic`), so that a flood stays cheap
//! - of a run of many connections only what is shown reaches the printing thread (`output::EventFilter`), and the
//!   connections' thread may sleep (`net::batch_sleep`, allowed by `commands::ping::batching_policy`), since the kernel
//!   has timestamped what came
//! - the groups of the processes that were started are one set for the whole process (`net::process_group`), so that a
//!   second signal leaves none behind
//! - RTTs of replies without an id are upper bounds, and never fail a run by themselves

#[cfg(not(unix))]
compile_error!(
    "wscheck needs a Unix system: Linux, or macOS (without kernel timestamps and without TCP's own figures)"
);

#[cfg(test)]
extern crate self as wscheck;

pub mod cli;
pub mod commands;
pub mod domain;
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub mod fuzzing;
pub mod net;
pub mod output;
pub mod server;
