//! `exporter` at the command line: scrapes over real sockets, and Debian's Prometheus.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Reaped, Server, closed_port, run, wscheck};

/// `wscheck exporter` on a free port.
fn exporter(args: &[&str]) -> Server {
    Server::spawn(wscheck(&[&["exporter", "--listen", "127.0.0.1:0"], args].concat()))
}

/// Status and body of a GET.
fn get_with(port: u16, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_string())
}

fn get(port: u16, path: &str) -> (u16, String) {
    get_with(port, path, "")
}

/// The value of the sample whose line begins with this.
fn sample(page: &str, start: &str) -> Option<f64> {
    page.lines().find(|line| line.starts_with(start))?.rsplit(' ').next()?.parse().ok()
}

/// Scrapes until a sample is as wanted; a test that waits for ever is ended from outside.
fn until(port: u16, start: &str, is_wanted: impl Fn(f64) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (_, page) = get(port, "/metrics");
        if sample(&page, start).is_some_and(&is_wanted) {
            return page;
        }
        assert!(Instant::now() < deadline, "{start}:\n{page}");
    }
}

const UP: &str = "wscheck_probe_up{";

fn config(folder: &std::path::Path, text: &str) -> String {
    let path = folder.join("wscheck.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn kept_target_is_counted_through_an_outage() {
    let server = Server::start(&["--heartbeat", "none"]);
    let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
    let folder = tempfile::tempdir().unwrap();
    let options = "interval = \"50ms\"\nreconnect_base = \"20ms\"\nreconnect_cap = \"50ms\"\n";
    let file = config(
        folder.path(),
        &format!("[[target]]\nname = \"chat\"\nurl = \"{url}\"\nlabels = {{ team = \"a\\\"b\" }}\n{options}"),
    );
    let exporter = exporter(&["--config", &file]);
    let count = "wscheck_probe_rtt_seconds_count{";
    let page = until(exporter.port, count, |count| count >= 3.0);
    assert!(page.contains(&format!("target=\"{url}\",name=\"chat\",team=\"a\\\"b\"")), "{page}");
    assert_eq!((sample(&page, UP), sample(&page, "wscheck_probe_outages_total{")), (Some(1.0), Some(0.0)));
    drop(server);
    let page = until(exporter.port, "wscheck_probe_failed_openings_total{", |count| count >= 1.0);
    assert_eq!((sample(&page, UP), sample(&page, "wscheck_probe_outages_total{")), (Some(0.0), Some(1.0)));
    assert!(page.contains("wscheck_probe_endings_total{"), "{page}");
    let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    let page = until(exporter.port, UP, |up| up == 1.0);
    assert_eq!(sample(&page, "wscheck_probe_opened_total{"), Some(2.0), "{page}");
    assert!(
        sample(&page, "wscheck_probe_outage_seconds_total{").is_some_and(|seconds| seconds > 0.0),
        "{page}"
    );
}

#[test]
fn probe_opens_anew_and_answers_in_time() {
    let server = Server::start(&["--heartbeat", "none"]);
    let exporter = exporter(&["--allow", "127.0.0.1"]);
    let probe =
        |url: &str, more: &str| get(exporter.port, &format!("/probe?module=websocket&target={url}{more}"));
    let (status, page) = probe(&server.url(), "");
    assert_eq!((status, sample(&page, "probe_success")), (200, Some(1.0)), "{page}");
    assert_eq!(sample(&page, "probe_websocket_status_code"), Some(101.0), "{page}");
    let (_held, port) = closed_port();
    let (status, page) = probe(&format!("ws://127.0.0.1:{port}/"), "");
    assert_eq!((status, sample(&page, "probe_success")), (200, Some(0.0)), "{page}");
    let (_, told) = probe(&server.url(), "&debug=true");
    assert!(told.contains("pong 1:") && told.contains("succeeded"), "{told}");
    assert_eq!(probe("ws://node.example/", "").0, 400);
    assert_eq!(get(exporter.port, "/probe?module=nope&target=ws://127.0.0.1/").0, 400);
    assert_eq!((get(exporter.port, "/-/ready").0, get(exporter.port, "/").0), (200, 200));
}

#[test]
fn credentials_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret-token\n").unwrap();
    let exporter = exporter(&["--token-file", token.to_str().unwrap()]);
    assert_eq!(get(exporter.port, "/metrics").0, 401);
    assert_eq!(get_with(exporter.port, "/metrics", "Authorization: Bearer wrong\r\n").0, 401);
    assert_eq!(get_with(exporter.port, "/metrics", "Authorization: Bearer s3cret-token\r\n").0, 200);
}

#[test]
fn mistakes_of_the_configuration_have_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        (
            "[[target]]\nname = \"a\"\nurl = \"ws://a/\"\ncount = 3\n",
            "4:9: target 'a': --count has no meaning",
        ),
        ("[[target]]\nname = \"a\"\nurl = [\"ws://a/\", \"ws://b/\"]\n", "3:7: a target has one 'url'"),
        ("[[target]]\nname = \"a\"\ncommand = \"listen\"\nurl = \"ws://a/\"\n", "a target has no 'command'"),
        ("[module.m]\nallow = \"a b@c\"\n", "module 'm'"),
        ("[module.m]\ncolour = \"red\"\n", "2:1: ping has no option 'colour'"),
        ("[[target]]\nname = \"a\"\nurl = \"ws://a/\"\npreset = \"auto\"\n", "needs a preset by name"),
    ] {
        let file = config(folder.path(), text);
        let ran = run(&["exporter", "--config", &file, "--check-config"]);
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.all());
        assert!(ran.all().contains(why), "{text}: {}", ran.all());
    }
    let file = config(folder.path(), "[[target]]\nname = \"a\"\nurl = \"ws://a.example/\"\n[module.m]\n");
    let ran = run(&["exporter", "--config", &file, "--check-config"]);
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "no mistake in 1 targets and 2 modules"));
}

/// A Prometheus that scrapes the kept targets and one probe, each second.
fn prometheus(folder: &std::path::Path, port: u16, url: &str) -> (Reaped, u16) {
    let text = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s }}\nscrape_configs:\n\
         - job_name: kept\n  static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n\
         - job_name: probe\n  metrics_path: /probe\n  params: {{ module: [websocket], target: ['{url}'] }}\n  \
         static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n"
    );
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, text).unwrap();
    let child = Command::new("prometheus")
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg("--web.listen-address=127.0.0.1:0")
        .stderr(std::process::Stdio::piped())
        .spawn();
    let mut process = Reaped(child.unwrap());
    let mut log = BufReader::new(process.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    let said = log.find_map(|line| {
        let at = line.find("msg=\"Listening on\"").and_then(|_| line.find("127.0.0.1:"))?;
        line[at + "127.0.0.1:".len()..].split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
    });
    // Its log is read on, or it would wait.
    std::thread::spawn(move || log.for_each(drop));
    (process, said.expect("prometheus listens"))
}

/// The value of a query's only series, once it has one.
fn query(port: u16, query: &str, is_wanted: impl Fn(f64) -> bool) -> f64 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let value = TcpStream::connect(("127.0.0.1", port)).ok().and_then(|_| {
            let (_, body) = get(port, &format!("/api/v1/query?query={query}"));
            let body = body.find('{').map(|at| body[at..].to_string())?;
            let answer: Value =
                serde_json::Deserializer::from_str(&body).into_iter::<Value>().next()?.ok()?;
            answer["data"]["result"][0]["value"][1].as_str()?.parse::<f64>().ok()
        });
        match value {
            Some(value) if is_wanted(value) => return value,
            last => assert!(Instant::now() < deadline, "{query}: {last:?}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
#[ignore = "needs Debian's prometheus (tests/peers/install.sh)"]
fn prometheus_sees_what_happened() {
    let server = Server::start(&["--heartbeat", "none"]);
    let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
    let folder = tempfile::tempdir().unwrap();
    let options = "interval = \"100ms\"\nreconnect_base = \"50ms\"\nreconnect_cap = \"100ms\"\n";
    let file = config(folder.path(), &format!("[[target]]\nname = \"chat\"\nurl = \"{url}\"\n{options}"));
    let exporter = exporter(&["--config", &file]);
    let (_prometheus, port) = prometheus(folder.path(), exporter.port, &url);
    query(port, "probe_success", |value| value == 1.0);
    query(port, "wscheck_probe_up", |value| value == 1.0);
    let away = Instant::now();
    drop(server);
    query(port, "probe_success", |value| value == 0.0);
    query(port, "wscheck_probe_up", |value| value == 0.0);
    let at_least = away.elapsed();
    let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    query(port, "probe_success", |value| value == 1.0);
    query(port, "wscheck_probe_up", |value| value == 1.0);
    let at_most = away.elapsed() + Duration::from_millis(500);
    let seconds = query(port, "wscheck_probe_outage_seconds_total", |_| true);
    let truth = at_least.as_secs_f64()..=at_most.as_secs_f64();
    assert!(truth.contains(&seconds), "{seconds} s, {truth:?}");
    let p95 =
        query(port, "histogram_quantile(0.95,rate(wscheck_probe_rtt_seconds_bucket%5B1m%5D))", |value| {
            value.is_finite()
        });
    assert!(p95 > 0.0, "{p95}");
}
