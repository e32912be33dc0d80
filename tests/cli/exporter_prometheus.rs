//! `exporter` before Debian's Prometheus: what PromQL answers is compared with what a relay saw; the alert rules and the
//! dashboard that ship with wscheck are used.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::exporter::{config, exporter, target};
use crate::relay::Relay;
use crate::support::{Reaped, Server, root, text, wscheck};

/// A Prometheus that scrapes the kept targets and one probe, each second.
fn prometheus(folder: &Path, port: u16, url: &str) -> (Reaped, u16) {
    let rules = root().join("packaging/prometheus/wscheck.rules.yml");
    let text = format!(
        "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
         rule_files: ['{}']\nscrape_configs:\n\
         - job_name: kept\n  static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n\
         - job_name: probe\n  metrics_path: /probe\n  params: {{ module: [websocket], target: ['{url}'] }}\n  \
         static_configs: [{{ targets: ['127.0.0.1:{port}'] }}]\n",
        rules.display()
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

/// The result of a query. HTTP/1.0 has no chunks.
fn answer(port: u16, query: &str) -> Option<Value> {
    let query: String = byte_serialize(query.as_bytes()).collect();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let head = format!("GET /api/v1/query?query={query} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let answer: Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1).ok()?;
    assert_ne!(answer["status"], "error", "{query}: {answer}");
    Some(answer["data"]["result"].clone())
}

/// The value of a query's first series, once it is as wanted.
fn query(port: u16, query: &str, is_wanted: impl Fn(f64) -> bool) -> f64 {
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        let value =
            answer(port, query).and_then(|result| result[0]["value"][1].as_str()?.parse::<f64>().ok());
        match value {
            Some(value) if is_wanted(value) => return value,
            last => assert!(Instant::now() < deadline, "{query}: {last:?}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Within 5 %.
fn assert_close(what: &str, measured: f64, truth: f64) {
    println!("{what}: {measured}, and in truth {truth}");
    assert!((measured - truth).abs() <= truth * 0.05, "{what}: {measured}, and in truth {truth}");
}

/// What `histogram_quantile` makes of these RTTs with buckets that double from 50 us: linear within one.
fn quantile(rtts: &[Duration], quantile: f64) -> f64 {
    let rank = quantile * rtts.len() as f64;
    let below = |bound: f64| rtts.iter().filter(|rtt| rtt.as_secs_f64() <= bound).count() as f64;
    let bounds = std::iter::successors(Some(0.000_05), |bound| Some(bound * 2.0));
    let upper = bounds.take(40).find(|bound| below(*bound) >= rank).unwrap();
    let (lower, before) = if upper > 0.000_05 { (upper / 2.0, below(upper / 2.0)) } else { (0.0, 0.0) };
    lower + (upper - lower) * (rank - before) / (below(upper) - before)
}

/// Less than the interval; in the middle of the bucket from 51.2 ms to 102.4 ms.
const SLOW: Duration = Duration::from_millis(70);

#[test]
#[ignore = "needs Debian's prometheus (tests/peers/install.sh)"]
fn promql_answers_equal_what_a_relay_saw() {
    let server = Server::start(&["--heartbeat", "none"]);
    let bind = format!("127.0.0.1:{}", server.port);
    let (kept, probed) = (Relay::start(server.port), Relay::start(server.port));
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[[target]]\nname = \"chat\"\nurl = \"{}\"\ninterval = \"200ms\"\ntimeout = \"1s\"\noutage_after = \"1s\"\n\
         connect_timeout = \"1s\"\nreconnect_base = \"50ms\"\nreconnect_cap = \"100ms\"\n\
         [module.websocket]\nallow = \"127.0.0.1\"\n",
        kept.url()
    );
    let file = config(folder.path(), &text);
    let exporter = exporter(&["--config", &file]);
    let (_prometheus, port) = prometheus(folder.path(), exporter.port, &probed.url());
    query(port, "count_over_time(probe_success[5m])", |count| count >= 10.0);

    // Stopped: silent, and still there.
    server.process.signal(libc::SIGSTOP);
    query(port, "probe_success", |value| value == 0.0);
    query(port, "wscheck_probe_up", |value| value == 0.0);
    std::thread::sleep(Duration::from_secs(4));
    server.process.signal(libc::SIGCONT);
    query(port, "wscheck_probe_up", |value| value == 1.0);
    query(port, "probe_success", |value| value == 1.0);

    // Slow: as many heartbeats as before.
    kept.delay(SLOW);
    let until = kept.pongs() * 2;
    while kept.pongs() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    kept.delay(Duration::ZERO);

    // Killed, and back.
    drop(server);
    query(port, "probe_success", |value| value == 0.0);
    query(port, "wscheck_probe_up", |value| value == 0.0);
    std::thread::sleep(Duration::from_secs(4));
    let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    query(port, "wscheck_probe_up", |value| value == 1.0);
    query(port, "probe_success", |value| value == 1.0);

    // Nothing is away now, so that the counters of outages stay.
    let outages = kept.silences(Duration::from_secs(1));
    let count = query(port, "wscheck_probe_outages_total", |_| true);
    let seconds = query(port, "wscheck_probe_outage_seconds_total", |_| true);
    assert_eq!(count, outages.len() as f64, "{outages:?}");
    assert_close("outage seconds", seconds, outages.iter().sum::<Duration>().as_secs_f64());
    let p95 = query(port, "histogram_quantile(0.95,wscheck_probe_rtt_seconds_bucket)", |_| true);
    assert_close("p95", p95, quantile(&kept.rtts(), 0.95));
    let (connections, succeeded) = probed.counts();
    let share = query(port, "avg_over_time(probe_success[5m])", |_| true);
    assert_close("share of successful probes", share, succeeded as f64 / connections as f64);
}

/// Each query of the dashboard's panels, and the panel.
fn panel_queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&text("packaging/grafana/wscheck.json")).unwrap();
    let variables = [("$target", ".*"), ("$__rate_interval", "1m"), ("$__range_s", "60"), ("$__range", "1m")];
    let panels = dashboard["panels"].as_array().unwrap();
    let queries = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap().to_string();
        let queries = panel["targets"].as_array().unwrap().iter();
        queries.map(move |query| (title.clone(), query["expr"].as_str().unwrap().to_string()))
    });
    let with_values =
        |query: String| variables.iter().fold(query, |query, (name, value)| query.replace(name, value));
    queries.map(|(title, query)| (title, with_values(query))).collect()
}

#[test]
#[ignore = "needs Debian's prometheus (tests/peers/install.sh)"]
fn every_panel_and_every_alert_finds_series() {
    let server = Server::start(&["--heartbeat", "none"]);
    let cutting = Server::start(&["--heartbeat", "none", "--idle-timeout", "1s"]);
    let ending = Server::start(&["--heartbeat", "none", "--close-after", "2s"]);
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let secure = Server::start(&["--heartbeat", "none", "--tls", "--ca-file", ca.to_str().unwrap()]);
    let wss = secure.url().replace("ws:", "wss:");
    let targets = [
        target("chat", &server.url(), ""),
        target("secure", &wss, "insecure = true"),
        target("cut", &cutting.url(), "idle_probe = \"1h\"\nidle_probe_max = \"2s\""),
        target("ending", &ending.url(), ""),
        target("refused", "ws://127.0.0.1:1/", ""),
    ];
    let file = config(folder.path(), &targets.concat());
    let exporter = exporter(&["--config", &file]);
    let (_prometheus, port) = prometheus(folder.path(), exporter.port, &server.url());
    let queries = panel_queries();
    assert!(queries.len() > 15, "only {} queries", queries.len());
    for (panel, expression) in queries {
        let value = query(port, &expression, |value| !value.is_nan());
        println!("{panel}: {value}");
    }
    query(port, "ALERTS{alertname=\"WscheckConnectionDown\"}", |value| value == 1.0);
}

/// Runs promtool with these arguments in this folder.
fn promtool(folder: &Path, args: &[&str]) {
    let ran = Command::new("promtool").args(args).current_dir(folder).output().unwrap();
    let said = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(ran.status.success(), "promtool {args:?}: {said}");
}

#[test]
#[ignore = "needs Debian's prometheus (tests/peers/install.sh)"]
fn alert_rules_hold_their_tests() {
    let folder = root().join("packaging/prometheus");
    promtool(&folder, &["check", "rules", "wscheck.rules.yml"]);
    promtool(&folder, &["test", "rules", "wscheck.rules.test.yml"]);
    let tests = text("packaging/prometheus/wscheck.rules.test.yml");
    let rules = text("packaging/prometheus/wscheck.rules.yml");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tests.contains(&format!("alertname: {alert}")), "no test of {alert}");
    }
}

#[test]
#[ignore = "needs Debian's prometheus (tests/peers/install.sh)"]
fn scrape_configuration_of_the_docs_is_valid() {
    let page = text("docs/monitoring/prometheus.md");
    let block = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prometheus.yml"), block).unwrap();
    std::fs::copy(
        root().join("packaging/prometheus/wscheck.rules.yml"),
        folder.path().join("wscheck.rules.yml"),
    )
    .unwrap();
    promtool(folder.path(), &["check", "config", "prometheus.yml"]);
}
