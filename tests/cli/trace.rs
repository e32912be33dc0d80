//! `--trace FILE`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::{Server, run};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(lines: &[Value], kind: &str) -> usize {
    lines.iter().filter(|line| line["kind"] == kind).count()
}

#[test]
fn trace_has_frames_and_events_without_secrets() {
    let (server, scratch) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let path = scratch.path().join("trace.ndjson");
    let file = path.to_str().unwrap();
    let url = format!("{}?token=s3cr3t", server.url());
    let app = ["--heartbeat", "both", "--send", r#"{"auth":"s3cr3t-login"}"#];
    let ran = run(&[&["ping", "-c", "2", "-i", "10ms", "-q", "--trace", file, &url], &app[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let lines = lines(&path);
    let frames = lines.iter().filter(|line| line["kind"] == "frame");
    let kinds = frames.fold(BTreeMap::new(), |mut kinds: BTreeMap<String, usize>, line| {
        let key = format!("{} {}", line["direction"].as_str().unwrap(), line["frame"].as_str().unwrap());
        *kinds.entry(key).or_default() += 1;
        kinds
    });
    assert_eq!((kinds["sent ping"], kinds["received pong"], kinds["sent close"]), (2, 2, 1), "{kinds:?}");
    let heartbeats = lines.iter().filter(|line| line["data"]["event"] == "heartbeat").count();
    assert_eq!(heartbeats, 4, "of each kind two");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[test]
fn trace_of_a_search_has_its_orders_and_its_inference() {
    let (server, scratch) = (Server::start(&["--idle-timeout", "700ms"]), tempfile::tempdir().unwrap());
    let path = scratch.path().join("trace.ndjson");
    let search = ["probe-idle", "--min", "300ms", "--max", "2s", "-q", "--trace", path.to_str().unwrap()];
    let ran = run(&[&search[..], &[&server.url()]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let lines = lines(&path);
    assert!(count(&lines, "order") > 3 && count(&lines, "event") > 3, "{lines:?}");
    let inference = lines.iter().find(|line| line["kind"] == "inference").unwrap();
    assert!(inference["findings"].as_str().unwrap().contains("IdleTimeout"), "{inference}");
}

#[test]
fn trace_that_cannot_be_written_is_a_usage_error() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-c", "1", "--trace", "/nonexistent/trace", &server.url()]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--trace: cannot write /nonexistent/trace"), "{}", ran.all());
}
