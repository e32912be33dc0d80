//! `probe-idle` against servers that cut idle connections, each in its own way.

use std::io::{BufRead, BufReader};

use serde_json::Value;

use crate::support::{Ran, Reaped, Script, Server, closed_port, run, validate, wscheck};

/// A search that is soon over: the timeouts here are a second or less.
const SEARCH: &[&str] = &[
    "probe-idle",
    "--proxy",
    "none",
    "--min",
    "250ms",
    "--max",
    "2s",
    "--precision",
    "200ms",
    "--answer-timeout",
    "500ms",
];

fn probe(more: &[&str], url: &str) -> Ran {
    run(&[SEARCH, more, &[url]].concat())
}

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = probe(&[&["--json"], more].concat(), url);
    (ran.code, ran.json())
}

/// How late the timer of a server on a busy machine may be; it is never early.
const LATE_MS: f64 = 250.0;

/// Whether the bracket holds a timeout of so many milliseconds.
fn holds(document: &Value, millis: f64) -> bool {
    let end = |name: &str| document["bracket"][name].as_f64();
    end("lo_ms").is_some_and(|lo| lo <= millis + LATE_MS) && end("hi_ms").is_some_and(|hi| millis <= hi)
}

#[test]
fn a_visible_cut_is_found_with_its_bracket_and_its_samples() {
    let server = Server::start(&["--idle-timeout", "1s"]);
    let (code, document) = document(&[], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"idle_timeout".into()), "{document:#}");
    assert!(holds(&document, 1000.0), "{document:#}");
    let cut = &document["cut"];
    assert_eq!((&cut["manner"], &cut["ending"]["how"]), (&"visible".into(), &"fin".into()), "{document:#}");
    assert!(document["samples"]["count"].as_u64() >= Some(3), "{document:#}");
    assert!(document["prescription"]["interval_ms"].as_f64() < Some(1000.0), "{document:#}");
}

#[test]
fn a_silent_cut_is_found_and_a_reset_on_use_is_told_from_it() {
    for (cut, manner) in [("silent", "silent"), ("rst-on-use", "rst_on_use")] {
        let server = Server::start(&["--idle-timeout", "1s", "--idle-cut", cut]);
        let (code, document) = document(&[], &server.url());
        assert_eq!((code, &document["cut"]["manner"]), (Some(0), &manner.into()), "{document:#}");
        assert!(holds(&document, 1000.0), "{cut}: {document:#}");
    }
}

#[test]
fn a_lifetime_is_not_taken_for_an_idle_timeout() {
    let server = Server::start(&["--lifetime", "1s"]);
    let (code, document) = document(&[], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"lifetime_cap".into()), "{document:#}");
    assert!(document["prescription"]["interval_ms"].is_null(), "{document:#}");
    assert!(document["prescription"]["reconnect_before_ms"].is_number(), "{document:#}");
}

#[test]
fn a_server_that_speaks_keeps_the_path_busy() {
    let server = Server::start(&["--chatter", "300ms"]);
    let (code, document) = document(&[], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_keeps_it_busy".into()), "{document:#}");
    assert!(document["chatter"]["period_ms"].as_f64() >= Some(200.0), "{document:#}");
}

#[test]
fn a_path_without_a_timeout_is_said_to_have_none_up_to_max() {
    let server = Server::start(&[]);
    let (code, document) = document(&[], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"no_timeout_up_to_max".into()), "{document:#}");
    assert!(document["bracket"]["lo_ms"].as_f64() >= Some(2000.0), "{document:#}");
    assert!(document["bracket"]["hi_ms"].is_null() && document["cut"].is_null(), "{document:#}");
}

#[test]
fn an_expectation_is_met_or_not_or_cannot_be_told() {
    let idle = ["--idle-timeout", "1s"];
    for (server, expectation, code, met) in [
        (idle, ">=300ms", 0, true.into()),
        (idle, "<=1900ms", 0, true.into()),
        (idle, ">=1900ms", 1, false.into()),
        (["--lifetime", "1s"], ">=300ms", 4, Value::Null),
    ] {
        let server = Server::start(&server);
        let (ended, document) = document(&["--expect", expectation], &server.url());
        assert_eq!(
            (ended, &document["expectation"]["met"]),
            (Some(code), &met),
            "{expectation}: {document:#}"
        );
    }
}

#[test]
fn what_keeps_it_open_is_tried_and_the_prescription_verified() {
    let server = Server::start(&["--idle-timeout", "1s", "--messages-only"]);
    let (_, document) = document(&["--refresh", "--verify", "--heartbeat", "app"], &server.url());
    let rows = document["refresh"]["rows"].as_array().unwrap();
    let survived = |method: &str| &rows.iter().find(|row| row["method"] == method).unwrap()["survived"];
    assert_eq!(survived("ping_pong"), false, "{document:#}");
    assert_eq!(survived("app_message"), true, "{document:#}");
    assert_eq!(document["refresh"]["conclusion"], "messages_only", "{document:#}");
    assert_eq!(document["verified"]["held"], true, "{document:#}");
}

#[test]
fn two_ends_tell_which_direction_was_lost() {
    let server = Server::start(&["--idle-timeout", "1s", "--idle-cut", "silent"]);
    let (_, asked) = document(&["--two-ended"], &server.url());
    assert_eq!((&asked["two_ended"], &asked["cut"]["lost"]), (&"agreed".into(), &"both".into()), "{asked:#}");
    let peer = Script::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (code, refused) = document(&["--two-ended"], &peer.url());
    assert_eq!((code, &refused["two_ended"]), (Some(3), &Value::Null), "{refused:#}");
}

#[test]
fn people_read_the_answer_first_and_the_conversation_is_on_stderr() {
    let server = Server::start(&["--idle-timeout", "1s"]);
    let ran = probe(&[], &server.url());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("--- ws://127.0.0.1:"), "{}", ran.stdout);
    assert!(lines[1].starts_with("answer       idle timeout between "), "{}", ran.stdout);
    for words in ["closed TCP (FIN)", "send a heartbeat every ", "watcher", "verdict      passed (exit 0)"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(ran.stderr.starts_with("wscheck probe-idle ws://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains(['\x1b', '\r']), "{ran:?}");
    assert_eq!(probe(&["--quiet"], &server.url()).stderr, "");
}

#[test]
fn every_trial_is_a_line_as_it_comes_and_the_document_is_the_last() {
    let server = Server::start(&["--idle-timeout", "500ms"]);
    let ran = probe(&["-o", "ndjson"], &server.url());
    let lines = ran.ndjson();
    let trials: Vec<&Value> =
        lines.iter().filter(|line| line["event"] == "trial").map(|line| &line["trial"]).collect();
    let document = lines.last().unwrap();
    assert_eq!(document["trials"].as_array().unwrap().iter().collect::<Vec<_>>(), trials);
    assert!(
        ["started", "probe_opened", "asked", "bracket"]
            .iter()
            .all(|event| { lines.iter().any(|line| line["event"] == **event) })
    );
}

#[test]
fn an_interrupt_gives_what_is_known_so_far() {
    let server = Server::start(&[]);
    let args = ["probe-idle", "--proxy", "none", "-o", "ndjson", "--max", "10m", &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(|line| {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        validate(&value);
        value
    });
    lines.find(|line| line["event"] == "bracket").unwrap();
    process.signal(libc::SIGINT);
    let document = lines.last().unwrap();
    assert_eq!(process.0.wait().unwrap().code(), Some(4));
    assert_eq!((&document["partial"], &document["exit_code"]), (&true.into(), &4.into()), "{document:#}");
    assert!(document["bracket"]["lo_ms"].is_number(), "{document:#}");
}

#[test]
fn a_server_that_cannot_be_reached_is_an_error_in_every_format() {
    let (_held, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let (code, document) = document(&[], &url);
    assert_eq!((code, &document["error"]["kind"]), (Some(3), &"refused".into()), "{document:#}");
    assert_eq!((&document["bracket"]["lo_ms"], &document["connections"]), (&Value::Null, &0.into()));
    let human = probe(&[], &url);
    assert_eq!((human.code, human.stdout.as_str()), (Some(3), ""));
    assert!(human.stderr.contains("error: cannot open ws://127.0.0.1:"), "{}", human.stderr);
}

#[test]
fn bounds_that_make_no_sense_are_told_in_one_line() {
    for (args, told) in [
        (["--min", "3s"], "min 3 s is above max 2 s"),
        (["--precision", "0s"], "precision 0 can never be reached"),
        (["--max-connections", "2"], "2 connections are too few"),
        (["--expect", "55s"], "'55s' does not begin with >=, <=, > or <"),
        (["--expect", ">=1h"], "--expect >=1h cannot be shown: --max 2 s is shorter"),
        (["--repeat", "21"], "repeat 21 is out of bounds"),
    ] {
        let ran = run(&[&["probe-idle", "--max", "2s"], &args[..], &["ws://127.0.0.1:1/"]].concat());
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (Some(2), "", 1), "{ran:?}");
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}
