//! Real third-party servers, installed by `tests/peers/install.sh`. Tests that need one are ignored unless they are asked
//! for: `cargo test -- --include-ignored`.

use std::process::{Command, Stdio};

use crate::signals::{kill_mid_run, stop_mid_run};
pub use crate::support::programs::{folder, missing};
use crate::support::{ANY_SPEED, Server, ping_json};

/// A server's name, the file that shows its installation, and how to start it.
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

impl Peer {
    /// Starts a server.
    pub fn start(&self) -> Server {
        if !folder().join(self.needs).exists() {
            missing(self.name);
        }
        let program = match self.command[0] {
            path if path.contains('/') => folder().join(path).into_os_string(),
            name => name.into(),
        };
        let mut command = Command::new(program);
        // Standard input stays open until the test ends; the servers then exit.
        command.args(&self.command[1..]).current_dir(folder()).stdin(Stdio::piped());
        // Files left by a killed server go to the build directory.
        command.env("TMPDIR", env!("CARGO_TARGET_TMPDIR"));
        Server::spawn(command)
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_servers_are_measured_by_protocol_and_app_heartbeats() {
    for peer in PEERS {
        let server = peer.start();
        for kind in ["protocol", "app", "both"] {
            let args = ["-c", "5", "-i", "100ms", "--heartbeat", kind, &server.url()];
            let (code, document) = ping_json(&[ANY_SPEED, &args].concat());
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

/// What each library agrees to of what browsers offer, with messages that compress well.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_servers_compress_app_heartbeats() {
    let request = format!(r#"{{"type":"ping","id":"{{id}}","padding":"{}"}}"#, "wscheck ".repeat(500));
    for (peer, agreed) in PEERS.iter().zip([
        "permessage-deflate",
        "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    ]) {
        let server = peer.start();
        let args = ["-c", "5", "-i", "100ms", "--heartbeat", "app", "--app-ping", &request, "--compress"];
        let (code, document) = ping_json(&[ANY_SPEED, &args, &[server.url().as_str()]].concat());
        assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &5.into()), "{document:#}");
        assert_eq!(document["targets"][0]["connections"][0]["compression"], agreed, "{}", peer.name);
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn stopped_or_killed_server_is_detected() {
    for peer in PEERS {
        stop_mid_run(peer.start());
        kill_mid_run(peer.start());
    }
}
