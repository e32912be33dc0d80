//! Every fault of `wscheck serve` as measured by `wscheck ping`: outcome, status, ending, exit code.

use serde_json::{Value, json};
use wscheck::server::faults::FAULTS;

use crate::support::{ANY_SPEED, Server, ping_json};

/// How a connection ended: by whom, and how.
type Ended = (&'static str, &'static str);

/// A fault, the arguments to measure it, and the expected results.
struct Case {
    fault: &'static str,
    serve: &'static [&'static str],
    ping: &'static [&'static str],
    code: i32,
    status: &'static str,
    /// `None`: the connection never opened.
    ending: Option<Ended>,
    /// Expected values by JSON pointer. A number inside a one-element array is a lower bound.
    found: fn() -> Value,
}

const PROTOCOL: &str = "/heartbeats/protocol";
const FIVE: &[&str] = &["-c", "5", "-i", "20ms"];
const UNTIL_CUT: &[&str] = &["-i", "20ms", "-W", "2s", "-w", "10s"];
const QUIET: &[&str] = &["-c", "2", "-i", "400ms", "-W", "300ms", "--dead-after", "1", "-w", "10s"];
const IDLE: &[&str] = &["-i", "5s", "-w", "10s"];

/// The run was complete.
const OURS: Option<Ended> = Some(("us", "close_frame"));
/// The server hung, and wscheck closed the connection.
const GIVEN_UP: Option<Ended> = Some(("us", "timeout"));
const CLOSED: Option<Ended> = Some(("peer", "close_frame"));
const FIN: Option<Ended> = Some(("peer", "fin"));
const RST: Option<Ended> = Some(("peer", "rst"));
const VIOLATION: Option<Ended> = Some(("peer", "violation"));
/// Legal, but above our own limit.
const TOO_LARGE: Option<Ended> = Some(("us", "message_size_limit"));

fn answered() -> Value {
    json!({ "/protocol/ok": [1], "/protocol/missed": 0 })
}

fn answered_once_then_missed() -> Value {
    json!({ "/protocol/ok": 1, "/protocol/missed": 1, "/ending/code": 4000 })
}

fn nothing_answered() -> Value {
    json!({ "/protocol/ok": 0, "/protocol/missed": [1] })
}

fn refused(kind: &str, phase: &str) -> Value {
    json!({ "/result": "unreachable", "/error/kind": kind, "/error/phase": phase, "/protocol/sent": 0, "/rtt": null })
}

fn violation(rule: &str) -> Value {
    json!({ "/protocol/ok": 0, "/ending/violation": rule })
}

const CASES: &[Case] = &[
    Case {
        fault: "deflate",
        serve: &["--deflate"],
        ping: &["--compress", "--heartbeat", "both", "-c", "5", "-i", "20ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 5, "/heartbeats/app/ok": 5, "/targets/0/connections/0/compression": "permessage-deflate" }),
    },
    Case {
        fault: "deflate",
        serve: &["--deflate=server_max_window_bits=9; client_no_context_takeover; client_max_window_bits=10"],
        ping: &["--compress", "--heartbeat", "app", "-c", "5", "-i", "20ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || {
            let agreed = "permessage-deflate; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=10";
            json!({ "/heartbeats/app/ok": 5, "/targets/0/connections/0/compression": agreed })
        },
    },
    Case {
        fault: "deflate",
        serve: &["--deflate=server_max_window_bits=16"],
        ping: &["--compress", "-c", "5", "-i", "20ms"],
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("bad_upgrade", "upgrade"),
    },
    Case {
        fault: "deflate-bomb",
        serve: &["--deflate-bomb"],
        ping: &["--compress", "-c", "5", "-i", "20ms"],
        code: 4,
        status: "unknown",
        ending: TOO_LARGE,
        found: || json!({ "/protocol/ok": 0 }),
    },
    Case {
        fault: "rsv1-without-agreement",
        serve: &["--rsv1-without-agreement"],
        ping: FIVE,
        code: 1,
        status: "dead",
        ending: VIOLATION,
        found: || violation("garbage"),
    },
    Case {
        fault: "delay",
        serve: &["--delay", "150ms"],
        ping: FIVE,
        code: 0,
        status: "degraded",
        ending: OURS,
        found: || json!({ "/protocol/ok": 5, "/rtt/min_ms": [150] }),
    },
    Case {
        fault: "jitter",
        serve: &["--delay", "10ms", "--jitter", "30ms"],
        ping: &["-c", "20", "-i", "20ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 20, "/jitter/stddev_ms": [1] }),
    },
    Case {
        fault: "jitter",
        serve: &["--jitter", "normal:10ms"],
        ping: &["-c", "20", "-i", "20ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 20, "/jitter/stddev_ms": [1] }),
    },
    Case {
        fault: "jitter",
        serve: &["--jitter", "exponential:10ms"],
        ping: &["-c", "20", "-i", "20ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 20, "/jitter/stddev_ms": [1] }),
    },
    Case {
        fault: "pong-loss",
        serve: &["--pong-loss", "100%"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: nothing_answered,
    },
    Case {
        fault: "supersede",
        serve: &["--supersede"],
        ping: &["-c", "6", "-i", "500ms"],
        code: 1,
        status: "critical",
        ending: OURS,
        found: || json!({ "/protocol/ok": 3, "/protocol/unanswered": 3, "/protocol/missed": [1], "/loss": [0.1] }),
    },
    Case {
        fault: "merge-pongs",
        serve: &["--merge-pongs", "200ms"],
        ping: &["-c", "12", "-i", "50ms"],
        code: 0,
        status: "degraded",
        ending: OURS,
        found: || json!({ "/protocol/ok": [1], "/protocol/superseded": [2], "/protocol/missed": 0, "/loss": 0.0 }),
    },
    Case {
        fault: "wrong-payload",
        serve: &["--wrong-payload"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: || json!({ "/protocol/ok": 0, "/protocol/missed": 1, "/protocol/mismatched": [1] }),
    },
    Case {
        fault: "duplicate-pongs",
        serve: &["--duplicate-pongs"],
        ping: FIVE,
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 5, "/protocol/duplicate": [4] }),
    },
    Case {
        fault: "unsolicited-pong",
        serve: &["--unsolicited-pong", "20ms"],
        ping: &["-c", "4", "-i", "100ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 4, "/protocol/unsolicited": [1] }),
    },
    Case {
        fault: "stall",
        serve: &["--stall", "300ms"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: answered_once_then_missed,
    },
    Case {
        fault: "mute",
        serve: &["--mute", "300ms"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: answered_once_then_missed,
    },
    Case {
        fault: "close-after",
        serve: &["--close-after", "300ms:4321"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: CLOSED,
        found: || json!({ "/protocol/ok": [1], "/protocol/missed": 0, "/ending/code": 4321 }),
    },
    Case {
        fault: "fin-after",
        serve: &["--fin-after", "300ms"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: FIN,
        found: answered,
    },
    Case {
        fault: "rst-after",
        serve: &["--rst-after", "300ms"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: RST,
        found: answered,
    },
    Case {
        fault: "half-close",
        serve: &["--half-close", "300ms"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: FIN,
        found: answered,
    },
    Case {
        fault: "idle-timeout",
        serve: &["--idle-timeout", "200ms"],
        ping: IDLE,
        code: 1,
        status: "dead",
        ending: FIN,
        found: || json!({ "/protocol/ok": 1, "/protocol/missed": 0, "/ending/idle_ms": [100] }),
    },
    Case {
        fault: "idle-timeout",
        serve: &["--idle-timeout", "200ms..300ms"],
        ping: IDLE,
        code: 1,
        status: "dead",
        ending: FIN,
        found: || json!({ "/protocol/ok": 1, "/protocol/missed": 0, "/ending/idle_ms": [100] }),
    },
    Case {
        fault: "idle-cut",
        serve: &["--idle-timeout", "200ms", "--idle-cut", "close:1001"],
        ping: IDLE,
        code: 1,
        status: "dead",
        ending: CLOSED,
        found: || json!({ "/protocol/ok": 1, "/protocol/missed": 0, "/ending/code": 1001 }),
    },
    // Our Pings do not count, but the server's Pongs would: the connection is cut although it is never idle.
    Case {
        fault: "idle-resets",
        serve: &["--idle-timeout", "300ms", "--idle-resets", "server", "--pong-loss", "100%"],
        ping: &["-i", "50ms", "-W", "5s", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: FIN,
        found: || json!({ "/protocol/ok": 0, "/protocol/missed": 0 }),
    },
    // The server's messages do not count, and our Pings are too rare.
    Case {
        fault: "idle-resets",
        serve: &["--idle-timeout", "300ms", "--idle-resets", "client", "--chatter", "20ms"],
        ping: IDLE,
        code: 1,
        status: "dead",
        ending: FIN,
        found: || json!({ "/protocol/ok": 1, "/targets/0/connections/0/messages": [3] }),
    },
    Case {
        fault: "idle-resets",
        serve: &["--idle-timeout", "300ms", "--idle-resets", "both", "--pong-loss", "100%"],
        ping: &["-i", "50ms", "-W", "5s", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: FIN,
        found: || json!({ "/protocol/ok": 0, "/protocol/missed": 0 }),
    },
    // Never idle for so long: a heartbeat and its answer every 50 ms keep it open.
    Case {
        fault: "idle-resets",
        serve: &["--idle-timeout", "5s", "--idle-resets", "either"],
        ping: &["-c", "8", "-i", "50ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 8 }),
    },
    Case {
        fault: "messages-only",
        serve: &["--idle-timeout", "300ms", "--messages-only"],
        ping: &["-i", "50ms", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: FIN,
        found: answered,
    },
    // It goes silent at 200 ms and closes 5 s later: a heartbeat in between is lost.
    Case {
        fault: "linger",
        serve: &["--idle-timeout", "200ms", "--linger", "5s"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: answered_once_then_missed,
    },
    Case {
        fault: "lifetime",
        serve: &["--lifetime", "300ms"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: FIN,
        found: answered,
    },
    Case {
        fault: "lifetime",
        serve: &["--lifetime", "300ms:rst"],
        ping: UNTIL_CUT,
        code: 1,
        status: "dead",
        ending: RST,
        found: answered,
    },
    Case {
        fault: "chatter",
        serve: &["--chatter", "20ms"],
        ping: &["-c", "4", "-i", "100ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 4, "/targets/0/connections/0/messages": [3] }),
    },
    Case {
        fault: "ping-flood",
        serve: &["--ping-flood=2000"],
        ping: &["-c", "4", "-i", "100ms"],
        code: 0,
        status: "healthy",
        ending: OURS,
        found: || json!({ "/protocol/ok": 4, "/targets/0/connections/0/server_pings/protocol": [50] }),
    },
    Case {
        fault: "refuse",
        serve: &["--refuse", "403"],
        ping: FIVE,
        code: 3,
        status: "unknown",
        ending: None,
        found: || json!({ "/result": "unreachable", "/error/kind": "upgrade_refused", "/error/refusal/status": 403, "/protocol/sent": 0 }),
    },
    Case {
        fault: "redirect",
        serve: &["--redirect", "ws://elsewhere.example/"],
        ping: FIVE,
        code: 3,
        status: "unknown",
        ending: None,
        found: || json!({ "/result": "unreachable", "/error/kind": "upgrade_refused", "/error/refusal/status": 302, "/protocol/sent": 0 }),
    },
    Case {
        fault: "slow-upgrade",
        serve: &["--slow-upgrade", "5s"],
        ping: &["-c", "1", "--connect-timeout", "200ms"],
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("timeout", "upgrade"),
    },
    Case {
        fault: "wrong-accept",
        serve: &["--wrong-accept"],
        ping: FIVE,
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("bad_upgrade", "upgrade"),
    },
    Case {
        fault: "endless-header",
        serve: &["--endless-header"],
        ping: FIVE,
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("endless_header", "upgrade"),
    },
    Case {
        fault: "lenient-upgrade",
        serve: &["--lenient-upgrade"],
        ping: FIVE,
        code: 0,
        status: "healthy",
        ending: OURS,
        found: answered,
    },
    Case {
        fault: "no-connect-protocol",
        serve: &["--h2", "--no-connect-protocol"],
        ping: &["--http", "2", "-c", "5", "-i", "20ms"],
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("websockets_not_allowed", "upgrade"),
    },
    Case {
        fault: "h2-reset",
        serve: &["--h2", "--h2-reset", "REFUSED_STREAM"],
        ping: &["--http", "2", "-c", "5", "-i", "20ms"],
        code: 3,
        status: "unknown",
        ending: None,
        found: || refused("h2_rst_stream", "upgrade"),
    },
    Case {
        fault: "goaway-after",
        serve: &["--h2", "--goaway-after", "200ms"],
        ping: &["--http", "2", "-i", "20ms", "-W", "2s", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: Some(("peer", "h2_goaway")),
        found: || json!({ "/protocol/ok": [1], "/ending/h2_code_name": "NO_ERROR" }),
    },
    Case {
        fault: "fin-after",
        serve: &["--h2", "--fin-after", "200ms"],
        ping: &["--http", "2", "-i", "20ms", "-W", "2s", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: Some(("peer", "h2_end_stream")),
        found: || json!({ "/protocol/ok": [1] }),
    },
    Case {
        fault: "rst-after",
        serve: &["--h2", "--rst-after", "200ms"],
        ping: &["--http", "2", "-i", "20ms", "-W", "2s", "-w", "10s"],
        code: 1,
        status: "dead",
        ending: Some(("peer", "h2_rst_stream")),
        found: || json!({ "/protocol/ok": [1], "/ending/h2_code_name": "CANCEL" }),
    },
    Case {
        fault: "h2-window",
        serve: &["--h2", "--h2-window", "0"],
        ping: &["--http", "2", "-c", "2", "-i", "20ms", "-W", "300ms", "-w", "10s"],
        code: 4,
        status: "unknown",
        ending: OURS,
        found: || json!({ "/protocol/sent": 0, "/protocol/unsent": 2 }),
    },
    Case {
        fault: "garbage",
        serve: &["--garbage"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: VIOLATION,
        found: || violation("garbage"),
    },
    Case {
        fault: "huge-frame",
        serve: &["--huge-frame"],
        ping: FIVE,
        code: 4,
        status: "unknown",
        ending: TOO_LARGE,
        found: || json!({ "/protocol/ok": 0, "/ending/code": 1009 }),
    },
    Case {
        fault: "masked-frame",
        serve: &["--masked-frame"],
        ping: FIVE,
        code: 1,
        status: "dead",
        ending: VIOLATION,
        found: || violation("masked_frame"),
    },
    Case {
        fault: "invalid-utf8",
        serve: &["--invalid-utf8"],
        ping: FIVE,
        code: 1,
        status: "dead",
        ending: VIOLATION,
        found: || violation("invalid_utf8"),
    },
    Case {
        fault: "trickle",
        serve: &["--trickle"],
        ping: QUIET,
        code: 1,
        status: "dead",
        ending: GIVEN_UP,
        found: nothing_answered,
    },
];

/// The value at this pointer; `/protocol` abbreviates the results of Ping frames.
fn at<'a>(document: &'a Value, pointer: &str) -> &'a Value {
    let whole = match pointer.strip_prefix("/protocol") {
        Some(rest) => format!("{PROTOCOL}{rest}"),
        None => pointer.to_string(),
    };
    document.pointer(&whole).unwrap_or_else(|| panic!("no {whole} in {document:#}"))
}

fn check(case: &Case) {
    let server = Server::start(case.serve);
    // A delay makes a run no worse than degraded, and no delay leaves it healthy, however busy this machine is.
    let limits = match case.status {
        "healthy" => ANY_SPEED,
        "degraded" => &ANY_SPEED[2..],
        _ => &[],
    };
    let (code, document) = ping_json(&[limits, case.ping, &[&server.url()]].concat());
    let ending = case.ending.map(|(who, how)| (Value::from(who), Value::from(how)));
    let ended = document["ending"].as_object().map(|ending| (ending["who"].clone(), ending["how"].clone()));
    assert_eq!(
        (code, document["status"].as_str(), ended),
        (Some(case.code), Some(case.status), ending),
        "{:?}: {document:#}",
        case.serve
    );
    for (pointer, expected) in (case.found)().as_object().unwrap() {
        let found = at(&document, pointer);
        let holds = match expected.as_array() {
            Some(least) => found.as_f64() >= least[0].as_f64(),
            None => found == expected,
        };
        assert!(holds, "{:?}: {pointer} is {found}, not {expected}: {document:#}", case.serve);
    }
}

#[test]
fn ping_detects_every_fault() {
    // Most cases wait, so they run concurrently, but only a few at a time.
    for some in CASES.chunks(10) {
        std::thread::scope(|scope| {
            for case in some {
                scope.spawn(|| check(case));
            }
        });
    }
}

#[test]
fn every_fault_has_its_case() {
    for definition in FAULTS {
        assert!(CASES.iter().any(|case| case.fault == definition.name), "no case for --{}", definition.name);
    }
}

#[test]
fn each_idle_cut_is_distinguished() {
    let cases = [("fin", "fin"), ("rst", "rst"), ("half-close", "fin"), ("close:4000", "close_frame")];
    for (cut, how) in cases {
        let server = Server::start(&["--idle-timeout", "150ms", "--idle-cut", cut]);
        let (code, document) = ping_json(&["-i", "5s", "-w", "10s", &server.url()]);
        assert_eq!((code, &document["ending"]["how"]), (Some(1), &how.into()), "{cut}: {document:#}");
    }
    for (cut, who, how) in [("silent", "us", "timeout"), ("rst-on-use", "peer", "rst")] {
        let server = Server::start(&["--idle-timeout", "150ms", "--idle-cut", cut]);
        let args = ["-i", "400ms", "-W", "300ms", "--dead-after", "1", "-w", "10s", &server.url()];
        let (code, document) = ping_json(&args);
        let ending = &document["ending"];
        assert_eq!(
            (code, &ending["who"], &ending["how"]),
            (Some(1), &who.into(), &how.into()),
            "{cut}: {document:#}"
        );
    }
}
