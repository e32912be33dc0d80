//! `probe-zombie` against `wscheck serve`: the inferred policy equals the configured one.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::peers::Peer;
use crate::support::{
    CLOSE, PING, PONG, Ran, Reaped, Server, TEXT, answer_pings, closed_port, frame, read_frame, run,
    run_concurrently, upgrade, validate, wscheck,
};

const INTERVAL_MS: f64 = 2000.0;
const TIMEOUT_MS: f64 = 800.0;
/// Maximum lateness of a timer on a busy machine.
const LATE_MS: f64 = 100.0;

/// A server with this kind of heartbeat that requires the answer, or accepts any frame as a sign of life.
fn serve(kind: &str, max_missed: &str, more: &[&str]) -> Server {
    let beats =
        ["--heartbeat", kind, "--interval", "500ms", "--timeout", "200ms", "--max-missed", max_missed];
    Server::start(&[&beats, more].concat())
}

fn probe(more: &[&str], url: &str) -> Ran {
    run(&[&["probe-zombie", "--proxy", "none"], more, &[url]].concat())
}

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = probe(&[&["--json"], more].concat(), url);
    (ran.code, ran.json())
}

fn is_about(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= (expected * 0.05).max(LATE_MS))
}

fn client<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["clients"].as_array().unwrap().iter().find(|client| client["client"] == name).unwrap()
}

/// Whether an unanswering client that was closed had an app ping before its first Ping frame: both go out at the server's own
/// moments, which a client cannot choose.
fn is_asked_by_app_first(client: &Value) -> bool {
    let received = client["received"].as_array().unwrap();
    let first = |kind: &str| received.iter().find(|one| one["kind"] == kind)?["first_ms"].as_f64();
    client["result"] == "ended" && first("app_ping").zip(first("ping")).is_some_and(|(app, ping)| app < ping)
}

#[test]
fn inferred_policy_equals_the_configured_one() {
    let mut cases = Vec::new();
    for (kind, heartbeat) in [("protocol", "ping"), ("app", "app_ping"), ("both", "")] {
        for (max_missed, misses) in [("0", None), ("1", Some(1)), ("3", Some(3))] {
            for skips in [false, true] {
                cases.push((kind, heartbeat, max_missed, misses, skips));
            }
        }
    }
    // Timers are long, so that a busy machine delays them by little of their length, and all cases wait at once.
    for some in cases.chunks(9) {
        run_concurrently(some, |(kind, heartbeat, max_missed, misses, skips)| {
            let more: &[&str] = if *skips { &["--skip-if-active"] } else { &[] };
            let beats =
                ["--heartbeat", kind, "--interval", "2s", "--timeout", "800ms", "--max-missed", max_missed];
            let server = Server::start(&[&beats, more].concat());
            // Pings are more frequent than the answer timeout, so only the pings-only client survives and shows the
            // interval.
            let (code, document) = document(&["--max", "16s", "--every", "320ms"], &server.url());
            let policy = &document["policy"];
            let context = format!("{kind} {max_missed} {skips}: {document:#}");
            assert_eq!(code, Some(0), "{context}");
            let verdict = if misses.is_some() { "reaps_dead_clients" } else { "zombies_kept" };
            assert_eq!(document["verdict"], verdict, "{context}");
            if is_asked_by_app_first(client(&document, "mute")) {
                // Which of the two kinds began the server's count is unknown, and is not claimed.
                assert!(heartbeat.is_empty() && policy["kind"] == "unknown", "{context}");
                return;
            }
            assert!(is_about(&policy["interval_ms"], INTERVAL_MS), "{context}");
            assert!(heartbeat.is_empty() || policy["heartbeat"] == *heartbeat, "{context}");
            assert_eq!(
                (&policy["misses"], &policy["skips_active"]),
                (&json!(misses), &json!(skips)),
                "{context}"
            );
            assert!(misses.is_none() || is_about(&policy["timeout_ms"], TIMEOUT_MS), "{context}");
            assert_eq!(
                policy["kind"],
                if misses.is_some() { "heartbeat" } else { "heartbeat_only" },
                "{context}"
            );
        });
    }
}

#[test]
fn mute_and_stall_work_below_tls() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let tls = ["--tls", "--ca-file", ca.to_str().unwrap()];
    let server = serve("protocol", "3", &tls);
    let url = format!("wss://localhost:{}/", server.port);
    let (code, document) = document(&["--max", "4s", "--cacert", ca.to_str().unwrap()], &url);
    assert_eq!((code, &document["verdict"]), (Some(0), &"reaps_dead_clients".into()), "{document:#}");
    assert_eq!(document["policy"]["misses"], 3, "{document:#}");
    for name in ["mute", "stalled"] {
        let client = client(&document, name);
        let ending = (&client["ending"]["how"], &client["ending"]["code"], &client["unanswered"]);
        assert_eq!(ending, (&json!("close_frame"), &json!(4000), &json!(3)), "{document:#}");
    }
    for name in ["control", "quiet", "pings_only"] {
        assert_eq!(client(&document, name)["result"], "kept", "{document:#}");
    }
    assert_eq!(client(&document, "half_closed")["result"], "ended", "{document:#}");
}

#[test]
fn timer_differs_from_heartbeat() {
    let timer = ["--heartbeat", "none", "--idle-timeout", "800ms"];
    run_concurrently(&[(&[][..], "any_frame"), (&["--messages-only"][..], "messages")], |(more, needs)| {
        let server = Server::start(&[&timer, *more].concat());
        let (code, document) = document(&["--max", "3s"], &server.url());
        let policy = &document["policy"];
        assert_eq!(
            (code, &policy["kind"], &policy["needs"]),
            (Some(0), &json!("idle_timeout"), &json!(needs)),
            "{document:#}"
        );
        assert!(is_about(&policy["idle_timeout_ms"], 800.0), "{document:#}");
        assert_eq!(policy["idle_timeout_edge"], "sharp", "{document:#}");
        assert_eq!(client(&document, "control")["result"], "kept", "{document:#}");
    });
}

#[test]
fn timer_is_reported_with_heartbeats() {
    let beats = ["--heartbeat", "protocol", "--interval", "900ms", "--timeout", "600ms"];
    let timer = ["--idle-timeout", "4500ms", "--messages-only"];
    run_concurrently(&[("0", "idle_timeout"), ("1", "heartbeat")], |(max_missed, kind)| {
        let server = Server::start(&[&beats[..], &["--max-missed", max_missed], &timer].concat());
        let (code, document) = document(&["--max", "12s"], &server.url());
        let policy = &document["policy"];
        let context = (code, &policy["kind"], &policy["heartbeat"], &policy["needs"]);
        assert_eq!(context, (Some(0), &json!(kind), &json!("ping"), &json!("messages")), "{document:#}");
        assert!(is_about(&policy["interval_ms"], 900.0), "{document:#}");
        assert!(is_about(&policy["idle_timeout_ms"], 4500.0), "{document:#}");
        assert_eq!(
            policy["misses"],
            if *kind == "heartbeat" { json!(1) } else { Value::Null },
            "{document:#}"
        );
    });
}

#[test]
fn client_closed_without_pings_is_explained() {
    let server = Server::start(&["--heartbeat", "none", "--idle-timeout", "1s", "--idle-cut", "silent"]);
    let (code, document) = document(&["--max", "3s", "--answer-timeout", "1s"], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert_eq!(document["policy"]["kind"], "unknown", "{document:#}");
    assert_eq!(client(&document, "quiet")["why"], "its last Ping was not answered", "{document:#}");
    assert_eq!(client(&document, "pings_only")["why"], Value::Null, "{document:#}");
    let reason = document["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("the quiet client was still connected, but its last Ping was not answered"),
        "{reason}"
    );
}

#[test]
fn unanswered_final_check_is_inconclusive() {
    // Everything is answered until shortly before the last other client ends.
    let server = Server::start(&["--heartbeat", "none", "--stall", "2500ms"]);
    let args = ["--max", "3s", "--every", "500ms", "--answer-timeout", "2s"];
    let (code, document) = document(&args, &server.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert_eq!(document["policy"]["kind"], "unknown", "{document:#}");
}

#[test]
fn end_of_the_control_voids_the_run() {
    let server = Server::start(&["--heartbeat", "none", "--lifetime", "1s"]);
    let (code, document) = document(&["--max", "5s", "--expect", "<=3s"], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(
        document["reasons"][0]
            .as_str()
            .unwrap()
            .contains("all clients except half-closed ended at about that age: a lifetime limit"),
        "{document:#}"
    );
    assert_eq!(
        (&document["policy"]["kind"], &document["criteria"][0]["state"]),
        (&json!("unknown"), &json!("unknown"))
    );
}

#[test]
fn expectation_is_met_or_not() {
    let cases = [("1", "<=2s", 0, "met"), ("1", ">=1500ms", 1, "not_met"), ("0", "<=2s", 1, "not_met")];
    run_concurrently(&cases, |(max_missed, expect, code, state)| {
        let server = serve("protocol", max_missed, &[]);
        let (ended, document) = document(&["--max", "3s", "--expect", expect], &server.url());
        let criterion = &document["criteria"][0];
        assert_eq!((ended, &criterion["state"]), (Some(*code), &json!(state)), "{expect}: {document:#}");
        let reason = document["reasons"][0].as_str().unwrap_or_default();
        let expected = "expected dead clients to be closed ";
        assert_eq!(reason.starts_with(expected), *code == 1, "{expect}: {document:#}");
    });
}

#[test]
fn unreachable_server_is_not_measured() {
    let (_kept, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let (code, document) = document(&[], &url);
    assert_eq!((code, &document["error"]["kind"]), (Some(3), &json!("refused")), "{document:#}");
    let ran = probe(&[], &url);
    assert_eq!((ran.stdout.as_str(), ran.stderr.matches("error: cannot open ").count()), ("", 1), "{ran:?}");
}

#[test]
fn interrupt_reports_what_is_known() {
    use std::io::{BufRead, BufReader};
    let cases = [("1", "reaps_dead_clients"), ("0", "inconclusive")];
    run_concurrently(&cases, |(max_missed, verdict)| {
        let server = serve("protocol", max_missed, &[]);
        let args = [
            "probe-zombie",
            "--proxy",
            "none",
            "-o",
            "ndjson",
            "--max",
            "1h",
            "--every",
            "300ms",
            &server.url(),
        ];
        let mut process = Reaped(wscheck(&args).spawn().unwrap());
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
        // The half-closed client ends at once; the mute and stalled ones if they are not kept.
        let gone = if *max_missed == "0" { 1 } else { 3 };
        assert_eq!(
            lines.by_ref().filter(|line| line.contains(r#""event":"client_result""#)).take(gone).count(),
            gone
        );
        process.signal(libc::SIGINT);
        let last: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
        validate(&last);
        assert_eq!((&last["verdict"], &last["interrupted"]), (&json!(verdict), &json!(true)), "{last:#}");
        let reason = last["reasons"][0].as_str().unwrap();
        assert!(reason.starts_with("interrupted after ") && reason.ends_with(" of at most 1h"), "{last:#}");
        assert_eq!((&last["result"], process.0.wait().unwrap().code()), (&json!("interrupted"), Some(4)));
    });
}

#[test]
fn text_starts_with_the_diagnosis() {
    let server = serve("protocol", "1", &[]);
    let lines = probe(&["-o", "ndjson", "--max", "2s"], &server.url()).ndjson();
    for event in ["started", "opened", "received", "client_result"] {
        assert!(lines.iter().any(|line| line["event"] == event), "{event}");
    }
    let over =
        lines.iter().filter(|line| line["event"] == "client_result" && line["client"] != "control").count();
    assert_eq!(over, 5, "{lines:#?}");
    let ran = probe(&["--max", "2s"], &server.url());
    assert!(ran.stdout.lines().nth(1).unwrap().starts_with("answer       the server closes dead clients"));
    assert!(
        ran.stdout.contains("the server sends a Ping frame every ")
            && ran.stdout.contains("after an unanswered one")
    );
    assert!(ran.stderr.starts_with("wscheck probe-zombie ws://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains(['\x1b', '\r']), "{ran:?}");
}

/// More than the sockets between two processes can buffer, in frames of 60 KiB.
const FRAMES: usize = 140;
const FRAME: usize = 60 * 1024;

/// Address of a server that handles each connection in its own thread.
fn serving(act: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let act = Arc::new(act);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    // Ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = Arc::clone(&act);
            std::thread::spawn(move || act(stream));
        }
    });
    url
}

/// Sends much data at first, closes clients that do not read it within a second, then answers Pings.
fn send_backlog_then_pong(mut stream: TcpStream) {
    upgrade(&mut stream);
    // Unread data would trigger an RST.
    (0..2).for_each(|_| drop(read_frame(&mut stream)));
    stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut frame = vec![0x82, 126];
    frame.extend((FRAME as u16).to_be_bytes());
    frame.extend(vec![0; FRAME]);
    let all_taken = (0..FRAMES).all(|_| stream.write_all(&frame).is_ok());
    if all_taken {
        answer_pings(&mut stream);
    }
}

#[test]
fn stalled_client_with_full_window_learns_its_end_late() {
    let (code, document) = document(&["--max", "4s"], &serving(send_backlog_then_pong));
    let stalled = client(&document, "stalled");
    assert_eq!((&stalled["result"], &stalled["at_latest"]), (&json!("ended"), &json!(true)), "{document:#}");
    assert!(stalled["kept_ms"].as_f64() >= Some(4000.0), "an upper bound: {document:#}");
    // Clients that read are kept, dead or not.
    assert_eq!((code, &document["verdict"]), (Some(0), &"zombies_kept".into()), "{document:#}");
    assert_eq!(client(&document, "mute")["result"], "kept", "{document:#}");
}

/// Sends a close frame to clients that are silent for 800 ms, and waits as long for the reply.
fn close_and_wait(mut stream: TcpStream) {
    upgrade(&mut stream);
    stream.set_read_timeout(Some(Duration::from_millis(800))).unwrap();
    answer_pings(&mut stream);
    let _ = stream.write_all(&frame(CLOSE, &4000_u16.to_be_bytes()));
    read_frame(&mut stream);
}

#[test]
fn unread_close_frame_is_dated_by_arrival() {
    let (code, document) = document(&["--max", "4s"], &serving(close_and_wait));
    assert_eq!((code, &document["verdict"]), (Some(0), &"reaps_dead_clients".into()), "{document:#}");
    for name in ["mute", "stalled"] {
        let client = client(&document, name);
        assert_eq!((&client["ending"]["code"], &client["at_latest"]), (&json!(4000), &json!(false)));
        // The close frame comes after 800 ms at the earliest, the FIN as long after it.
        let kept = client["kept_ms"].as_f64().unwrap();
        assert!((750.0..1600.0).contains(&kept), "and not by the FIN: {document:#}");
    }
}

/// Upgrades, and closes each connection after a second.
fn close_after_one_second(mut stream: TcpStream) {
    upgrade(&mut stream);
    let clone = stream.try_clone().unwrap();
    std::thread::spawn(move || answer_pings(&mut { clone }));
    // The age under test, not a wait for something.
    std::thread::sleep(Duration::from_millis(1000));
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

#[test]
fn control_ended_by_age_voids_the_run() {
    // The stalled client starts last and must not make the control's end look like another client's.
    let (code, document) = document(&["--max", "3s"], &serving(close_after_one_second));
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert_eq!(document["policy"]["kind"], "unknown", "{document:#}");
}

/// Answers nothing, and sends pings without a pause.
fn flood(mut stream: TcpStream) {
    upgrade(&mut stream);
    let mut reader = stream.try_clone().unwrap();
    std::thread::spawn(move || while read_frame(&mut reader).is_some() {});
    let many = frame(PING, b"x").repeat(1000);
    while stream.write_all(&many).is_ok() {}
}

#[test]
fn flood_ends_at_the_time_limit() {
    let (_, document) = document(&["--max", "1s", "--answer-timeout", "20s"], &serving(flood));
    for name in ["mute", "half_closed", "quiet"] {
        assert_eq!(client(&document, name)["result"], "kept", "{document:#}");
    }
}

#[test]
fn unanswering_server_is_not_a_leak() {
    let server = Server::start(&["--heartbeat", "none", "--stall", "0ms"]);
    let args = ["--max", "4s", "--every", "200ms", "--answer-timeout", "300ms", "--expect", "<=1s"];
    let (code, document) = document(&args, &server.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    let reason = document["reasons"][0].as_str().unwrap();
    assert!(reason.contains("the control, a healthy client, was never answered in"), "{reason}");
}

/// A chat server: relays each message to the other clients, and closes clients that are silent for a second.
fn chat(room: &Mutex<Vec<TcpStream>>, mut stream: TcpStream) {
    upgrade(&mut stream);
    room.lock().unwrap().push(stream.try_clone().unwrap());
    let me = stream.peer_addr().unwrap();
    let mut spoke = Instant::now();
    while let Some(left) = CHAT_PATIENCE.checked_sub(spoke.elapsed()).filter(|left| !left.is_zero()) {
        stream.set_read_timeout(Some(left)).unwrap();
        let Some((first, payload)) = read_frame(&mut stream) else { break };
        let members = room.lock().unwrap();
        let others = || members.iter().filter(|other| other.peer_addr().is_ok_and(|other| other != me));
        match first {
            TEXT => {
                spoke = Instant::now();
                others().for_each(|mut other| drop(other.write_all(&frame(TEXT, &payload))));
            }
            PING => drop(stream.write_all(&frame(PONG, &payload))),
            CLOSE => drop(stream.write_all(&frame(CLOSE, &payload))),
            _ => {}
        }
    }
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

const CHAT_PATIENCE: Duration = Duration::from_secs(1);

fn relay_messages() -> String {
    let room = Mutex::new(Vec::new());
    serving(move |stream| chat(&room, stream))
}

#[test]
fn relayed_chat_messages_are_not_heartbeats() {
    let (code, document) = document(&["--max", "3s"], &relay_messages());
    assert_eq!((code, &document["verdict"]), (Some(0), &"reaps_dead_clients".into()), "{document:#}");
    let policy = &document["policy"];
    assert_eq!(
        (&policy["kind"], &policy["needs"]),
        (&json!("idle_timeout"), &json!("messages")),
        "{document:#}"
    );
    assert_eq!(client(&document, "mute")["unanswered"], 0, "{document:#}");
    assert!(is_about(&policy["idle_timeout_ms"], 1000.0), "{document:#}");
}

#[test]
fn altered_relayed_messages_give_no_policy() {
    let (code, document) = document(&["--max", "3s", "--say", "ping"], &relay_messages());
    assert_eq!((code, &document["policy"]["kind"]), (Some(0), &"unknown".into()), "{document:#}");
    let reason = document["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("the server relays one client's messages to the others"), "{reason}");
}

/// Closes clients that send nothing within a second, and keeps the others forever.
fn login(mut stream: TcpStream) {
    upgrade(&mut stream);
    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    while let Some((first, payload)) = read_frame(&mut stream) {
        match first {
            TEXT => {
                stream.set_read_timeout(None).unwrap();
                return answer_pings(&mut stream);
            }
            PING => drop(stream.write_all(&frame(PONG, &payload))),
            _ => {}
        }
    }
}

#[test]
fn login_deadline_is_not_reaping() {
    let (code, document) = document(&["--max", "3s"], &serving(login));
    assert_eq!((code, &document["verdict"]), (Some(0), &"zombies_kept".into()), "{document:#}");
    assert_eq!(document["policy"]["kind"], "none", "{document:#}");
}

/// Answers Pings at once, and messages after two seconds.
fn answer_messages_late(mut stream: TcpStream) {
    upgrade(&mut stream);
    while let Some((first, payload)) = read_frame(&mut stream) {
        match first {
            PING => drop(stream.write_all(&frame(PONG, &payload))),
            TEXT => {
                let mut stream = stream.try_clone().unwrap();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_secs(2));
                    let answer = String::from_utf8(payload).unwrap().replace("ping", "pong");
                    stream.write_all(&frame(TEXT, answer.as_bytes()))
                });
            }
            _ => {}
        }
    }
}

#[test]
fn slow_first_answer_is_not_a_server_stall() {
    let (code, document) = document(&["--max", "4s"], &serving(answer_messages_late));
    assert_eq!((code, &document["verdict"]), (Some(0), &"zombies_kept".into()), "{document:#}");
}

/// The library with non-default intervals, which are in no table.
const WEBSOCKETS: Peer = Peer {
    name: "python websockets",
    needs: "python/.venv/bin/python",
    command: &["python/.venv/bin/python", "python/server.py", "1"],
};

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn websockets_is_named_by_its_close_frame_at_any_interval() {
    let server = WEBSOCKETS.start();
    let (_, document) = document(&["--max", "6s", "--every", "500ms"], &server.url());
    let named = document["consistent_with"].as_array().unwrap();
    let ids: Vec<&Value> = named.iter().map(|library| &library["id"]).collect();
    assert_eq!(ids, ["python.websockets"], "{document:#}");
    assert_eq!(named[0]["is_default"], false, "{document:#}");
    let closes = "closes with close frame 1011 \"keepalive ping timeout\"";
    assert_eq!(named[0]["closes"], closes, "{document:#}");
}

#[test]
fn control_refused_with_a_reason_gets_no_guess() {
    let closing = |code: u16, reason: &'static str| {
        serving(move |mut stream| {
            upgrade(&mut stream);
            let _ = stream.write_all(&frame(CLOSE, &[&code.to_be_bytes()[..], reason.as_bytes()].concat()));
            read_frame(&mut stream);
        })
    };
    for url in [closing(4001, "token expired"), closing(1008, ""), closing(1013, "")] {
        let (code, document) = document(&["--max", "400ms"], &url);
        let reasons = document["reasons"].to_string();
        assert_eq!(code, Some(4), "{document:#}");
        assert!(reasons.contains("the close frame says why"), "{reasons}");
        assert!(!reasons.contains("--say") && !reasons.contains("outage"), "{reasons}");
    }
}

#[test]
fn control_that_got_no_websocket_traffic_gets_no_guess() {
    for bytes in [&b"HTTP/1.1 502 Bad Gateway\r\n\r\n"[..], b"\x81\x85\0\0\0\0hello"] {
        let url = serving(move |mut stream| {
            upgrade(&mut stream);
            let _ = stream.write_all(bytes);
            while read_frame(&mut stream).is_some() {}
        });
        let (code, document) = document(&["--max", "400ms"], &url);
        let reasons = document["reasons"].to_string();
        assert_eq!(code, Some(4), "{document:#}");
        assert!(reasons.contains("invalid WebSocket traffic"), "{reasons}");
        assert!(!reasons.contains("--say") && !reasons.contains("one connection"), "{reasons}");
    }
}
