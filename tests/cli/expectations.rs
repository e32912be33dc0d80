//! What a run may demand: ends and refusals that are expected, and conditions, each shown with what was found.

use serde_json::{Value, json};

use crate::support::{ANY_SPEED, Server, ping_json, run, run_concurrently};

/// The states of the criteria of this option.
fn states<'a>(document: &'a Value, option: &str) -> Vec<&'a str> {
    let criteria = document["criteria"].as_array().unwrap();
    criteria
        .iter()
        .filter(|criterion| criterion["option"] == option)
        .filter_map(|c| c["state"].as_str())
        .collect()
}

#[test]
fn expected_close_passes_and_makes_nothing_dead() {
    let server = Server::start(&["--close-after", "300ms:1001"]);
    let url = server.url();
    let (code, document) =
        ping_json(&[ANY_SPEED, &["-i", "100ms", "--expect-close", "1012,1001", &url]].concat());
    assert_eq!((code, states(&document, "--expect-close")), (Some(0), vec!["met"]), "{document:#}");
    assert_eq!((&document["status"], &document["last_status"]), (&json!("healthy"), &json!("healthy")));
    assert_eq!(document["ending"]["code"], 1001, "{document:#}");
    assert_eq!(document["targets"][0]["connections"][0]["last_unplanned_ending"], Value::Null);
}

#[test]
fn other_close_or_none_fails() {
    let server = Server::start(&["--close-after", "300ms:1001"]);
    let url = server.url();
    let cases: [&[&str]; 2] = [&["--expect-close", "4000"], &["--expect-close", "1001", "-c", "1"]];
    run_concurrently(&cases, |args| {
        let (code, document) = ping_json(&[*args, &["-i", "50ms", &url]].concat());
        assert_eq!((code, states(&document, "--expect-close")), (Some(1), vec!["not_met"]), "{document:#}");
    });
}

#[test]
fn expected_refusal_passes() {
    let refusing = Server::start(&["--refuse", "401"]);
    let url = refusing.url();
    let (code, document) = ping_json(&["--expect-refused", "401,403", &url]);
    assert_eq!((code, states(&document, "--expect-refused")), (Some(0), vec!["met"]), "{document:#}");
    let human = run(&["ping", "--expect-refused", "401", &url]);
    assert!(human.stdout.contains("refused with HTTP 401, as expected"), "{}", human.all());
    assert_eq!((human.code, human.stderr.as_str()), (Some(0), ""), "an expected refusal is no error");
}

#[test]
fn other_refusal_fails_an_open_door_too_and_a_closed_port_is_unreachable() {
    let (refusing, open) = (Server::start(&["--refuse", "500"]), Server::start(&[]));
    let (_port, port) = crate::support::closed_port();
    let cases = [
        (refusing.url(), 1, "not_met"),
        (open.url(), 1, "not_met"),
        (format!("ws://127.0.0.1:{port}/"), 3, "unknown"),
    ];
    run_concurrently(&cases, |(url, expected, state)| {
        let (code, document) = ping_json(&["--expect-refused", "401", url]);
        assert_eq!(
            (code, states(&document, "--expect-refused")),
            (Some(*expected), vec![*state]),
            "{document:#}"
        );
    });
}

#[test]
fn conditions_are_kept_with_what_was_found() {
    let server = Server::start(&[]);
    let conditions = ["--fail-if", "rtt.p95>10s", "--fail-if", "sent>1", "--fail-on", "critical"];
    let (code, document) = ping_json(&[&conditions, &["-c", "2", "-i", "10ms", &server.url()][..]].concat());
    assert_eq!((code, states(&document, "--fail-if")), (Some(1), vec!["met", "not_met"]), "{document:#}");
    assert_eq!(states(&document, "--fail-on"), ["met"]);
    let settings = &document["settings"];
    assert_eq!(settings["fail_if"], json!(["rtt.p95>10s", "sent>1"]));
    assert_eq!(
        (&settings["fail_on"], &settings["thresholds"]["healthy_ms"]),
        (&json!("critical"), &json!(100.0))
    );
}

#[test]
fn command_line_is_kept_without_secrets() {
    let server = Server::start(&[]);
    let url = format!("{}?token=s3cr3t-in-url", server.url());
    let header = "X-Api-Key: s3cr3t-in-header";
    let (_, document) = ping_json(&["-c", "1", "-H", header, "--user", "me:s3cr3t-password", &url]);
    let line = document["command_line"].as_array().unwrap();
    assert_eq!((&line[0], &line[3], &line[4]), (&json!("ping"), &json!("-c"), &json!("1")), "{document:#}");
    assert!(!document.to_string().contains("s3cr3t"), "{document:#}");
}
