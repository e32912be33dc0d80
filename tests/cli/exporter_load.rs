//! `exporter` with a thousand kept targets, and during a flood of requests.
//!
//! `EXPORTER_LOAD` is the time to watch them in seconds; `.ci/long exporter` takes five minutes. The figures are printed.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::exporter::{config, exporter, get, sample};
use crate::support::Server;

const TARGETS: usize = 1000;
/// Scrapes before memory is compared: all buffers have their size then.
const WARM_UP: usize = 5;
/// The timeout of a scrape, unless Prometheus is told otherwise.
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(10);

/// Resident memory of a process in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// CPU time of a process so far: `utime` and `stime` of proc(5), in ticks of 10 ms.
fn cpu(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    Duration::from_millis(
        [11, 12].map(|at: usize| fields[at].parse::<u64>().unwrap()).iter().sum::<u64>() * 10,
    )
}

/// The exporter with a thousand targets, all of them open.
fn with_targets(server: &Server) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for number in 0..TARGETS {
        let url = format!("{}?{number}", server.url());
        write!(text, "[[target]]\nname = \"{number}\"\nurl = \"{url}\"\n").unwrap();
    }
    let exporter = exporter(&["--config", &config(folder.path(), &text), "--max-probes", "1"]);
    let deadline = Instant::now() + Duration::from_secs(120);
    while up(&get(exporter.port, "/metrics").1) < TARGETS {
        assert!(Instant::now() < deadline, "not all targets are open");
        std::thread::sleep(Duration::from_millis(200));
    }
    exporter
}

/// How many targets a page says are up.
fn up(page: &str) -> usize {
    page.lines().filter(|line| line.starts_with("wscheck_probe_up{") && line.ends_with(" 1")).count()
}

#[test]
fn thousand_kept_targets_stay_small_and_are_scraped() {
    let server = Server::start(&["--heartbeat", "none"]);
    let exporter = with_targets(&server);
    let process = exporter.process.0.id();
    let watched = std::env::var("EXPORTER_LOAD").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(10);
    let (began, cpu_before) = (Instant::now(), cpu(process));
    let (mut slowest, mut scrapes, mut early) = (Duration::ZERO, 0, None);
    while began.elapsed() < Duration::from_secs(watched) || early.is_none() {
        let asked = Instant::now();
        let (status, page) = get(exporter.port, "/metrics");
        slowest = slowest.max(asked.elapsed());
        scrapes += 1;
        assert_eq!((status, up(&page)), (200, TARGETS));
        if scrapes == WARM_UP {
            early = Some(memory(process));
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    let (early, late) = (early.unwrap(), memory(process));
    let share = (cpu(process) - cpu_before).as_secs_f64() / began.elapsed().as_secs_f64();
    println!(
        "| {TARGETS} | {watched} s | {scrapes} | {:.0} ms | {:.1} % | {early} KiB | {late} KiB |",
        slowest.as_secs_f64() * 1e3,
        share * 100.0
    );
    assert!(late <= early * 5 / 4 + 1024, "{early} KiB, then {late} KiB");
}

#[test]
fn scrape_answers_during_a_flood() {
    let server = Server::start(&["--heartbeat", "none"]);
    let exporter = with_targets(&server);
    let port = exporter.port;
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    answered.fetch_add(u64::from(flood(port, "/metrics")), Relaxed);
                }
            });
        }
        // Clients that send half a request, and that do not read.
        let silent: Vec<TcpStream> =
            (0..200).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
        for mut stream in &silent {
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
        }
        let mut slowest = Duration::ZERO;
        for _ in 0..5 {
            let asked = Instant::now();
            let (status, page) = get(port, "/metrics");
            assert_eq!((status, up(&page)), (200, TARGETS));
            slowest = slowest.max(asked.elapsed());
        }
        is_over.store(true, Relaxed);
        println!("slowest of 5 scrapes: {slowest:?}; of the flood, {} were answered", answered.load(Relaxed));
        assert!(slowest < SCRAPE_TIMEOUT, "{slowest:?}");
    });
    let page = get(port, "/metrics").1;
    assert_eq!(sample(&page, "wscheck_probe_endings_total{"), None, "the connections were kept");
}

/// Whether a request of the flood was answered; it may be refused or cut.
fn flood(port: u16, path: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes()).is_ok()
        && stream.read_to_end(&mut answer).is_ok()
        && answer.starts_with(b"HTTP/1.1 200")
}
