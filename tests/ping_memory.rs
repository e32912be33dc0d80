//! Memory of one of thousands of connections in `ping`. A separate process, because it counts the whole heap.

mod heap;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wscheck::commands::ping::{self, PingPlan};
use wscheck::commands::run_control::RunControl;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::domain::ping::event::Event;
use wscheck::domain::ping::health::StatusLimits;
use wscheck::domain::run::reporter::Reporter;
use wscheck::domain::run::run_result::RunResult;
use wscheck::net::client::preamble::Preamble;
use wscheck::net::client::session::plan::SessionPlan;
use wscheck::net::connect::dial::DialPlan;
use wscheck::net::connect::tls::{TlsOptions, TlsPlan};

use self::heap::USED;

/// Below the limit of 1024 files on many systems.
const CONNECTIONS: usize = 900;
/// What all connections share cancels out between this number and the other one: histograms of a run, which reach as far as
/// this host is late.
const FEWER: usize = 300;
/// Heartbeats per connection: as many as in a minute.
const HEARTBEATS: u64 = 60;

/// A server in another process, whose memory does not count.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it and returns its port.
fn serve(scratch: &Path, args: &[&str]) -> (Server, u16) {
    let port_file = scratch.join("port");
    let _ = std::fs::remove_file(&port_file);
    let child = Command::new(env!("CARGO_BIN_EXE_wscheck"))
        .args(["serve", "--bind", "127.0.0.1:0", "--heartbeat", "none", "--port-file"])
        .arg(&port_file)
        .args(args)
        .current_dir(scratch)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Server(child);
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Ok(port) = std::fs::read_to_string(&port_file).unwrap_or_default().trim().parse() {
            return (server, port);
        }
        std::thread::yield_now();
    }
    panic!("the server did not listen");
}

fn plan(url: &str, connections: usize) -> PingPlan {
    let tls = TlsPlan::build(&TlsOptions { insecure: true, ..TlsOptions::default() }).unwrap();
    PingPlan {
        preset: None,
        targets: vec![url.parse().unwrap()],
        connections_each: connections,
        ramp: None,
        worst: 5,
        lists_all: false,
        dial: DialPlan { tls: tls.into(), connect_timeout: Duration::from_secs(60), ..DialPlan::default() },
        preamble: Preamble::default(),
        inputs: Default::default(),
        session: SessionPlan {
            expected_close: Vec::new(),
            kinds: vec![HeartbeatKind::Protocol],
            interval: Some(Duration::from_millis(400)),
            degraded_interval: None,
            timeout: Duration::from_secs(30),
            count: None,
            limits: StatusLimits::default().into(),
            ask: Default::default(),
            answer: Default::default(),
            answer_pings: true,
            shown_messages: 0,
            profile: Default::default(),
        },
        max_message_size: 65_536,
        deadline: None,
        reconnect: None,
        outage_after: Duration::from_secs(30),
        policy: Default::default(),
    }
}

/// Measures the heap when every connection has had its heartbeats, then ends the run.
struct Watch {
    connections: usize,
    interrupt: CancellationToken,
    used: Option<isize>,
    opened: usize,
    answered: u64,
}

impl Reporter<Event> for Watch {
    fn report(&mut self, event: &Event) {
        use wscheck::domain::ping::event::ConnEvent::{Heartbeat, Opened};
        match event {
            Event::Connection { event: Opened(_), .. } => self.opened += 1,
            Event::Connection { event: Heartbeat(_), .. } => self.answered += 1,
            _ => {}
        }
        let done = self.opened == self.connections && self.answered >= HEARTBEATS * self.connections as u64;
        if done && self.used.is_none() {
            self.used = Some(USED.load(Relaxed));
            self.interrupt.cancel();
        }
    }
}

/// Bytes in use on the heap with this many connections.
fn used_with(url: &str, connections: usize) -> isize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let interrupt = CancellationToken::new();
    let (_ask, interim) = mpsc::unbounded_channel();
    let mut watch = Watch { connections, interrupt: interrupt.clone(), used: None, opened: 0, answered: 0 };
    let control = RunControl {
        interrupt,
        interim,
        batch_sleep: Default::default(),
        ask_now: Default::default(),
        openings: Default::default(),
    };
    let report = runtime.block_on(ping::run(plan(url, connections), &mut watch, control));
    assert_eq!(report.verdict, RunResult::Passed, "{:?}", report.reasons);
    watch.used.unwrap()
}

fn each(url: &str) -> isize {
    let fewer = used_with(url, FEWER);
    (used_with(url, CONNECTIONS) - fewer) / (CONNECTIONS - FEWER) as isize
}

#[test]
fn connection_costs_less_than_3_5_kib_or_24_with_tls() {
    let scratch = tempfile::tempdir().unwrap();
    let (server, port) = serve(scratch.path(), &[]);
    let plain = each(&format!("ws://127.0.0.1:{port}/"));
    drop(server);
    let (_server, port) = serve(scratch.path(), &["--tls"]);
    let tls = each(&format!("wss://127.0.0.1:{port}/"));
    println!("a connection costs {plain} bytes, by TLS {tls}");
    assert!(plain < 3 * 1024 + 512, "{plain} bytes a connection");
    assert!(tls < 24 * 1024, "{tls} bytes a TLS connection");
}
