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
use wscheck::domain::connection::connect_info::HttpVersion;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::server::faults::{self, Faults};
use wscheck::server::tls::self_signed;
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

const DEFLATE: Option<&str> = Some("permessage-deflate");

/// Checks that it answers ten heartbeats, is closed once stopped, and compresses messages as `compression` says.
async fn check_client(
    kinds: &[HeartbeatKind],
    compression: Option<&str>,
    command: impl FnOnce(&str) -> Command,
) {
    check_client_over(HttpVersion::Http1, None, kinds, compression, command).await;
}

/// Checks the same of a client that must choose this version of HTTP; with `tls`, over TLS.
async fn check_client_over(
    version: HttpVersion,
    tls: Option<Arc<rustls::ServerConfig>>,
    kinds: &[HeartbeatKind],
    compression: Option<&str>,
    command: impl FnOnce(&str) -> Command,
) {
    let heartbeats = ServerHeartbeats {
        kinds: kinds.to_vec(),
        interval: Duration::from_millis(100),
        timeout: Duration::from_secs(3),
        any_traffic_counts: false,
        ..ServerHeartbeats::default()
    };
    let mut faults = Faults::default();
    faults::set(&mut faults, "deflate", "").unwrap();
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let http2 = version == HttpVersion::Http2;
    let config =
        ServerConfig { heartbeats: Arc::new(heartbeats), faults, tls, http2, ..ServerConfig::default() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{scheme}://{}/", listener.local_addr().unwrap());
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
        let mut agreed = None;
        loop {
            match happened.recv().await.unwrap().what {
                ServeEventKind::Opened { compression, http, .. } => {
                    assert_eq!(http, version);
                    agreed = compression;
                }
                ServeEventKind::DeadClientClosed { missed, .. } => return (missed, agreed),
                _ => {}
            }
        }
    });
    assert_eq!(closed.await, Ok((1, compression.map(str::to_string))));
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
    check_client(&[HeartbeatKind::Protocol], None, |url| {
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
    check_client(&[HeartbeatKind::Protocol], DEFLATE, |url| {
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
    check_client(&[HeartbeatKind::Protocol], DEFLATE, |url| {
        let mut command = Command::new("node");
        command.arg(flag).arg(file("builtin.cjs")).arg(url);
        command
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn node_http2() {
    if !works(Command::new("node").args(["-e", "require('node:http2')"])) {
        missing("Node's http2", "node is not installed");
    }
    check_client_over(HttpVersion::Http2, None, &[HeartbeatKind::Protocol], None, |url| {
        let mut command = Command::new("node");
        command.arg(file("http2.cjs")).arg(url);
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
    check_client(&[HeartbeatKind::Protocol], DEFLATE, |url| {
        let mut command = Command::new(&python);
        command.arg(file("websockets_client.py")).arg(url);
        command
    })
    .await;
}

/// Headless Chromium that opens a page with the URL after its #.
fn chromium(profile: &Path, page: &str, url: &str) -> Command {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter();
    let Some(browser) = found.into_iter().find(|name| works(Command::new(name).arg("--version"))) else {
        missing("headless Chromium", "chromium is not installed");
    };
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
        // The test authority is not among those that it trusts.
        "--ignore-certificate-errors",
    ]);
    command.arg(format!("--user-data-dir={}", profile.display()));
    command.arg("--remote-debugging-port=0");
    command.arg(format!("file://{}#{url}", file(page).display()));
    command
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn chromium_answers_app_heartbeats() {
    let profile = tempfile::tempdir().unwrap();
    let kinds = [HeartbeatKind::Protocol, HeartbeatKind::App];
    check_client(&kinds, DEFLATE, |url| chromium(profile.path(), "page.html", url)).await;
}

#[tokio::test]
#[ignore = "needs a real client: tests/peers/install.sh"]
async fn chromium_opens_a_stream_of_its_http2_session() {
    let profile = tempfile::tempdir().unwrap();
    let kinds = [HeartbeatKind::Protocol, HeartbeatKind::App];
    let tls = Some(self_signed("127.0.0.1".parse().unwrap()).unwrap().config);
    let browser = |url: &str| chromium(profile.path(), "http2_page.html", url);
    check_client_over(HttpVersion::Http2, tls, &kinds, DEFLATE, browser).await;
}
