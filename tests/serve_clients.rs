//! Third-party clients: they answer ten heartbeats and are closed once stopped. They are installed by
//! `tests/peers/install.sh`; `cargo test -- --include-ignored` runs them.

#![expect(unsafe_code, reason = "signals and limits of child processes")]

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::server::{ServeEventKind, Server, ServerConfig, ServerHeartbeats};

/// Upper bound of any wait; a browser starts slowly.
const TEST_TIMEOUT: Duration = Duration::from_secs(60);

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/clients").join(name)
}

/// Directory installed by tests/peers/install.sh.
fn peers(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

/// Fails the test whose client is not installed.
fn missing(name: &str, why: &str) -> ! {
    panic!("{name} as a client of serve: {why}: run tests/peers/install.sh")
}

/// Whether a command runs and succeeds.
fn works(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// A client's processes, killed when dropped.
struct Peer(Child);

impl Peer {
    /// Starts it in its own process group: browsers are many processes.
    fn start(command: &mut Command) -> Peer {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Peer(command.process_group(0).spawn().unwrap())
    }

    fn signal(&self, signal: libc::c_int) {
        let group = libc::pid_t::try_from(self.0.id()).unwrap();
        // SAFETY: a signal to the group of our own child, which is not yet reaped.
        unsafe { libc::kill(-group, signal) };
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.signal(libc::SIGKILL);
        let _ = self.0.wait();
    }
}

/// Checks that it answers ten heartbeats, and is closed once stopped.
async fn check_client(kinds: &[HeartbeatKind], command: impl FnOnce(&str) -> Command) {
    let heartbeats = ServerHeartbeats {
        kinds: kinds.to_vec(),
        interval: Duration::from_millis(100),
        timeout: Duration::from_secs(3),
        any_traffic_counts: false,
        ..ServerHeartbeats::default()
    };
    let config = ServerConfig { heartbeats: Arc::new(heartbeats), ..ServerConfig::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let (events, mut happened) = unbounded_channel();
    let server = Arc::new(Server::new(config, events));
    let stop = CancellationToken::new();
    let run = tokio::spawn(Arc::clone(&server).run(listener, stop.clone()));
    let peer = Peer::start(&mut command(&url));
    let answered = || {
        let snapshot = server.snapshot();
        let beats = snapshot.clients.first().map(|client| client.figures.beats.clone()).unwrap_or_default();
        beats.iter().map(|beat| beat.counts.ok).min().unwrap_or(0)
    };
    let ten = timeout(TEST_TIMEOUT, async {
        while answered() < 10 {
            sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(ten.await.is_ok(), "only {} heartbeats were answered", answered());
    peer.signal(libc::SIGSTOP);
    let closed = timeout(TEST_TIMEOUT, async {
        loop {
            if let ServeEventKind::DeadClientClosed { missed, .. } = happened.recv().await.unwrap().what {
                return missed;
            }
        }
    });
    assert_eq!(closed.await, Ok(1));
    drop(peer);
    stop.cancel();
    timeout(TEST_TIMEOUT, run).await.unwrap().unwrap();
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn gorilla() {
    let dir = tempfile::tempdir().unwrap();
    let binary = dir.path().join("client");
    let mut build = Command::new("go");
    build.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").args(["build", "-o"]);
    if !works(build.arg(&binary).arg(file("gorilla.go"))) {
        missing("gorilla/websocket", "golang-go or golang-github-gorilla-websocket-dev is not installed");
    }
    check_client(&[HeartbeatKind::Protocol], |url| {
        let mut command = Command::new(&binary);
        command.arg(url);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn node_ws() {
    let modules = peers("node/node_modules");
    if !works(Command::new("node").env("NODE_PATH", &modules).args(["-e", "require('ws')"])) {
        missing("Node ws", "node or its module ws is not installed");
    }
    check_client(&[HeartbeatKind::Protocol], |url| {
        let mut command = Command::new("node");
        command.env("NODE_PATH", &modules).arg(file("ws.cjs")).arg(url);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn node_builtin_websocket() {
    let flag = "--experimental-websocket";
    if !works(Command::new("node").args([flag, "-e", "WebSocket"])) {
        missing("Node's own WebSocket", "node is not installed or older than 20.10");
    }
    check_client(&[HeartbeatKind::Protocol], |url| {
        let mut command = Command::new("node");
        command.arg(flag).arg(file("builtin.cjs")).arg(url);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn python_websockets() {
    let python = peers("python/.venv/bin/python");
    if !works(Command::new(&python).args(["-c", "import websockets"])) {
        missing("Python websockets", "python3 or its package websockets is not installed");
    }
    check_client(&[HeartbeatKind::Protocol], |url| {
        let mut command = Command::new(&python);
        command.arg(file("websockets_client.py")).arg(url);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn chromium_answers_app_heartbeats() {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter();
    let Some(browser) = found.into_iter().find(|name| works(Command::new(name).arg("--version"))) else {
        missing("headless Chromium", "chromium is not installed");
    };
    let profile = tempfile::tempdir().unwrap();
    check_client(&[HeartbeatKind::Protocol, HeartbeatKind::App], |url| {
        let mut command = Command::new(browser);
        command.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-quic",
            "--disable-dev-shm-usage",
        ]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg("--remote-debugging-port=0");
        command.arg(format!("file://{}#{url}", file("page.html").display()));
        command
    })
    .await;
}
