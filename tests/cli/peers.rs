//! Real servers, which nobody here wrote: `tests/peers/install.sh` installs them. One that is not
//! installed is left out, and said to be; with WSCHECK_ALL_PEERS set that is a failure.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::signals::{kill_mid_run, stop_mid_run};
use crate::support::{Server, ping_json};

/// A server's name, the file without which it is not installed, and how it is started.
pub struct Peer {
    pub name: &'static str,
    pub needs: &'static str,
    pub command: &'static [&'static str],
}

const PEERS: &[Peer] = &[
    Peer {
        name: "node ws",
        needs: "node/node_modules/ws/package.json",
        command: &["node", "node/server.js"],
    },
    Peer {
        name: "python websockets",
        needs: "python/.venv/bin/python",
        command: &["python/.venv/bin/python", "python/server.py"],
    },
    Peer { name: "go gorilla/websocket", needs: "go/peer", command: &["go/peer"] },
];

/// Where the peers are.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// Tells whoever runs the tests. Not by eprintln!, which the test harness keeps to itself when a test passes.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Says that something is not installed; gives nothing.
pub fn leave_out<T>(name: &str) -> Option<T> {
    assert!(std::env::var_os("WSCHECK_ALL_PEERS").is_none(), "{name} is not installed");
    say(&format!("left out: {name} is not installed (tests/peers/install.sh)"));
    None
}

impl Peer {
    /// `None`, and a line that says so, when it is not installed.
    pub fn start(&self) -> Option<Server> {
        if !folder().join(self.needs).exists() {
            return leave_out(self.name);
        }
        let program = match self.command[0] {
            path if path.contains('/') => folder().join(path).into_os_string(),
            name => name.into(),
        };
        let mut command = Command::new(program);
        // Their standard input stays open as long as the test: they end when it does.
        command.args(&self.command[1..]).current_dir(folder()).stdin(Stdio::piped());
        // What a server that is killed leaves behind is left where a build may be.
        command.env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
        Some(Server::spawn(command))
    }
}

#[test]
fn real_servers_are_measured_by_protocol_and_app_heartbeats() {
    for peer in PEERS {
        let Some(server) = peer.start() else { continue };
        for kind in ["protocol", "app", "both"] {
            let args = ["-c", "5", "-i", "100ms", "--heartbeat", kind, &server.url()];
            let (code, document) = ping_json(&args);
            assert_eq!(
                (code, &document["status"]),
                (Some(0), &"healthy".into()),
                "{}: {document:#}",
                peer.name
            );
            for figures in ["protocol", "app"].map(|kind| &document["heartbeats"][kind]) {
                assert!(figures.is_null() || figures["ok"] == 5, "{}: {document:#}", peer.name);
            }
        }
    }
}

#[test]
fn a_real_server_that_is_stopped_or_killed_mid_run_is_found_out() {
    for peer in PEERS {
        peer.start().into_iter().for_each(stop_mid_run);
        peer.start().into_iter().for_each(kill_mid_run);
    }
}
