//! `--trace FILE`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::support::{Server, run};

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The trace of a run that measured, with whatever result: a busy machine may make it inconclusive.
fn traced(args: &[&str], url: &str) -> Vec<Value> {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("trace.ndjson");
    let ran = run(&[args, &["--trace", path.to_str().unwrap(), url]].concat());
    assert!(matches!(ran.code, Some(0 | 1 | 4)), "{}", ran.all());
    lines(&path)
}

/// There is one inference of this name, and each of its fields contains the text.
fn assert_inference(lines: &[Value], of: &str, parts: &[(&str, &str)]) {
    let mut such = lines.iter().filter(|line| line["kind"] == "inference" && line["of"] == of);
    let (Some(inference), None) = (such.next(), such.next()) else {
        panic!("not one inference of {of}: {lines:?}")
    };
    for (field, text) in parts {
        let is_there = inference[field].as_str().is_some_and(|value| value.contains(text));
        assert!(is_there, "{field}: no {text}: {inference}");
    }
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
    let server = Server::start(&["--idle-timeout", "700ms"]);
    let lines = traced(&["probe-idle", "--min", "300ms", "--max", "2s", "-q"], &server.url());
    assert!(count(&lines, "order") > 3 && count(&lines, "event") > 3, "{lines:?}");
    assert_inference(&lines, "idle search", &[("search", "SearchPlan"), ("findings", "IdleTimeout")]);
    assert_inference(
        &lines,
        "product naming",
        &[("observed", "CutObservation"), ("naming", "ProductNaming")],
    );
}

#[test]
fn trace_of_ping_has_the_inputs_of_its_result() {
    let server = Server::start(&[]);
    let lines = traced(&["ping", "-c", "2", "-i", "10ms", "-q"], &server.url());
    assert_inference(&lines, "ping result", &[("targets", "RttSummary"), ("verdict", "")]);
}

#[test]
fn trace_of_listen_has_the_inputs_of_its_inference() {
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "300ms", "--timeout", "200ms"]);
    let lines = traced(&["listen", "--for", "2s", "-q"], &server.url());
    let parts =
        [("listening", "ListenState"), ("conditions", "ObservationConditions"), ("findings", "KindFindings")];
    assert_inference(&lines, "server heartbeats", &parts);
}

#[test]
fn trace_of_probe_zombie_has_the_inputs_of_its_inference() {
    let beats = ["--heartbeat", "protocol", "--interval", "300ms", "--timeout", "200ms"];
    let server = Server::start(&[&beats[..], &["--max-missed", "1"]].concat());
    let lines = traced(&["probe-zombie", "--max", "4s", "-q"], &server.url());
    let parts = [
        ("quality", "control_confirmed"),
        ("headers", "["),
        ("findings", "ClientRecord"),
        ("findings", "policy"),
    ];
    assert_inference(&lines, "zombie policy", &parts);
}

#[test]
fn trace_that_cannot_be_written_is_a_usage_error() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-c", "1", "--trace", "/nonexistent/trace", &server.url()]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--trace: cannot write /nonexistent/trace"), "{}", ran.all());
}
