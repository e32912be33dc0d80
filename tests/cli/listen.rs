//! `listen` against servers with different heartbeats.

use serde_json::{Value, json};

use crate::support::{
    CLOSE, PING, Ran, Reaped, Script, Server, TEXT, closed_port, frame, read_frame, run, run_concurrently,
    upgrade, wscheck,
};

/// Heartbeat interval of the test servers.
const INTERVAL: &str = "400ms";
const INTERVAL_MS: f64 = 400.0;

fn listen(more: &[&str], url: &str) -> Ran {
    run(&[&["listen", "--proxy", "none"], more, &[url]].concat())
}

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = listen(&[&["--json"], more].concat(), url);
    (ran.code, ran.json())
}

fn of_server(serve: &[&str], more: &[&str]) -> (Option<i32>, Value) {
    let server = Server::start(serve);
    document(more, &server.url())
}

/// Within 5 %.
fn is_about(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= expected * 0.05)
}

#[test]
fn each_heartbeat_kind_is_found_with_its_interval() {
    for (kind, received) in [("protocol", "ping"), ("app", "app_ping"), ("both", "ping")] {
        let (code, document) =
            of_server(&["--heartbeat", kind, "--interval", INTERVAL, "--timeout", "300ms"], &["--for", "3s"]);
        assert_eq!((code, &document["verdict"]), (Some(0), &"server_pings_every".into()), "{document:#}");
        assert_eq!(document["heartbeat"], received, "{document:#}");
        assert!(is_about(&document["interval"]["median_ms"], INTERVAL_MS), "{document:#}");
        let payloads: Vec<&Value> =
            document["received"].as_array().unwrap().iter().map(|kind| &kind["payloads"]).collect();
        assert_eq!(payloads, vec!["changing"; if kind == "both" { 2 } else { 1 }], "{document:#}");
        assert_eq!(document["covered_timeouts"]["covered_ms"][0], 30_000.0);
    }
}

#[test]
fn server_without_heartbeats_is_silent() {
    for (serve, verdict, messages) in [
        (&["--heartbeat", "none"][..], "server_is_silent_for", 0),
        (&["--heartbeat", "none", "--chatter", "1s"], "periodic_messages", 3),
    ] {
        let (code, document) = of_server(serve, &["--for", "5s"]);
        assert_eq!((code, &document["verdict"]), (Some(0), &verdict.into()), "{document:#}");
        assert!(document["listened_ms"].as_f64() >= Some(5000.0) && document["interval"].is_null());
        assert!(document["received"][0]["count"].as_u64().unwrap_or(0) >= messages, "{document:#}");
        assert_eq!(document["periodic"].is_null(), messages == 0, "{document:#}");
    }
}

/// A server that sends this message every second; `n` is its number. A busy machine delays it by little of that.
fn saying(message: fn(u64) -> String) -> Script {
    Script::start(move |mut stream| {
        use std::io::Write;
        upgrade(&mut stream);
        for n in 1.. {
            if stream.write_all(&frame(TEXT, message(n).as_bytes())).is_err() {
                return;
            }
            // The interval under test, not a wait for something.
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
    })
}

#[test]
fn suggested_pattern_works_when_pasted() {
    let cases: [fn(u64) -> String; 7] = [
        |_| r#"[0,"hb"]"#.to_string(),
        |_| r#"{"event":"heartbeat"}"#.to_string(),
        |n| format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{n}}}"#),
        |_| "PING :it's\r\n".to_string(),
        |n| format!("\"primus::ping::{}\"", 1_700_000_000_000 + n * 1000),
        |n| format!("~m~{}~m~~h~{n}", 3 + n.to_string().len()),
        |n| format!(r#"[{n},"hb",{{"t":{}}}]"#, n * 1000),
    ];
    run_concurrently(&cases, |message| {
        let peer = saying(*message);
        let ran = listen(&["--for", "8s"], &peer.url());
        let answer = ran.stdout.lines().nth(1).unwrap();
        assert!(answer.contains("the server sends") && answer.contains("every 1"), "{}", ran.stdout);
        assert!(ran.stdout.contains("perhaps a heartbeat"), "{}", ran.stdout);
        let (code, found) = document(&["--for", "8s"], &peer.url());
        assert_eq!((code, &found["verdict"]), (Some(0), &"periodic_messages".into()), "{found:#}");
        // The shown text is valid in a shell.
        let line = ran.stdout.lines().find(|line| line.starts_with("try ")).unwrap();
        let pasted = line.split("--app-ping ").nth(1).unwrap();
        let shell =
            std::process::Command::new("sh").args(["-c", &format!("printf %s {pasted}")]).output().unwrap();
        let pattern = String::from_utf8(shell.stdout).unwrap();
        assert_eq!(found["periodic"]["app_ping"], pattern.as_str(), "{}", ran.stdout);
        let (code, context) = document(&["-c", "4", "--for", "30s", "--app-ping", &pattern], &peer.url());
        // Whether four of them came regularly depends on this host; that each is taken as a heartbeat does not.
        let [matched] = context["received"].as_array().unwrap().as_slice() else { panic!("{context:#}") };
        assert_eq!(
            (code, &matched["kind"], &matched["count"]),
            (Some(0), &"app_ping".into(), &4.into()),
            "{pattern} {context:#}"
        );
    });
}

#[test]
fn last_message_is_reported_escaped() {
    let peer = Script::upgraded_then(
        [
            frame(TEXT, br#"{"type":"welcome"}"#),
            frame(TEXT, b"{\"error\":\"unknown command\x1b[2J\"}"),
            frame(CLOSE, b"\x0f\xa1go away\x1b[31m"),
        ]
        .concat(),
    );
    let ran = listen(&["--for", "5s"], &peer.url());
    let words = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in [r#"{"type":"welcome"}"#, r#"{"error":"unknown command\u{1b}[2J"}"#, r"go away\u{1b}[31m"] {
        assert!(words.contains(said), "{words}");
    }
    assert!(!ran.stdout.contains('\x1b'));
}

#[test]
fn prices_at_one_rate_are_perhaps_data() {
    let peer = saying(|n| format!(r#"{{"type":"ticker","price":{}.25}}"#, 100 + n * 37 % 11));
    let ran = listen(&["--for", "8s"], &peer.url());
    assert!(ran.stdout.contains("perhaps data"), "{}", ran.stdout);
    let (_, found) = document(&["--for", "8s"], &peer.url());
    assert_eq!(found["periodic"]["like_heartbeat"], false, "{found:#}");
}

#[test]
fn known_shapes_in_other_letter_case_are_heartbeats() {
    let cases: [fn(u64) -> String; 2] =
        [|_| r#"{"type":"HEARTBEAT"}"#.to_string(), |_| r#"{"Type":"Ping"}"#.to_string()];
    run_concurrently(&cases, |message| {
        let (_, found) = document(&["-c", "4", "--for", "30s"], &saying(*message).url());
        assert_eq!(found["verdict"], "server_pings_every", "{found:#}");
    });
}

#[test]
fn slow_tls_message_is_no_silence() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let serve = ["--tls", "--ca-file", ca.to_str().unwrap(), "--heartbeat", "none", "--chatter", "3s"];
    let server = Server::start(&serve);
    // A hop that forwards the server's bytes one by one once the connection is open.
    let port = server.port;
    let hop = Script::start(move |near| {
        use std::io::{Read, Write};
        let mut far = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut up, mut down) = (near.try_clone().unwrap(), near);
        let mut to_server = far.try_clone().unwrap();
        std::thread::spawn(move || drop(std::io::copy(&mut up, &mut to_server)));
        let opened = std::time::Instant::now();
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = far.read(&mut bytes) {
            let is_slow = opened.elapsed() > std::time::Duration::from_secs(2);
            for piece in bytes[..read].chunks(if is_slow { 4 } else { 4096 }) {
                if down.write_all(piece).is_err() {
                    return;
                }
                if is_slow {
                    std::thread::sleep(std::time::Duration::from_millis(150));
                }
            }
        }
    });
    let url = format!("wss://localhost:{}/", hop.port);
    let (_, found) = document(&["--cacert", ca.to_str().unwrap(), "--for", "5500ms"], &url);
    // Bytes come from 3 s on, for at least 2 s; no message is complete until then.
    assert!(found["longest_quiet_ms"].as_f64() < Some(4000.0), "{found:#}");
}

#[test]
fn stimulus_finds_servers_that_skip_active_clients() {
    let beats = ["--heartbeat", "protocol", "--interval", "1200ms"];
    let cases = [(&[][..], "unmoved", 1.0), (&["--skip-if-active"][..], "skipped", 1.5)];
    run_concurrently(&cases, |(more, effect, longest)| {
        let (_, document) = of_server(&[&beats, *more].concat(), &["--for", "15s", "--talk"]);
        let by_client = &document["received"][0]["by_client"];
        assert_eq!(by_client["effect"], *effect, "{document:#}");
        assert!(by_client["longest_in_intervals"].as_f64() <= Some(longest + 0.1), "{document:#}");
        assert_eq!(document["counted_from"], "fixed_clock", "{document:#}");
        assert!(is_about(&document["interval"]["median_ms"], 1200.0), "{document:#}");
    });
}

#[test]
fn unanswering_client_policy_is_found() {
    let beats = ["--heartbeat", "protocol", "--interval", "1200ms", "--timeout", "600ms"];
    // Five: a busy host delays some, and the gaps of fewer would have to be more alike to show the interval.
    let cases = [("0", "goes_on"), ("5", "ends_the_connection")];
    run_concurrently(&cases, |(max_missed, outcome)| {
        let serve = [&beats[..], &["--max-missed", max_missed]].concat();
        let (code, document) = of_server(&serve, &["--for", "9s", "--no-answer"]);
        assert_eq!((code, &document["unanswered"]["outcome"]), (Some(0), &json!(outcome)), "{document:#}");
        assert_eq!(
            document["unanswered"]["after"], document["received"][0]["count"],
            "all of them: {document:#}"
        );
        assert_eq!(document["unanswered"]["after"] == 5, *max_missed == "5", "{document:#}");
    });
}

#[test]
fn no_answer_sends_nothing() {
    // The server reports what it received.
    let peer = Script::start(|mut stream| {
        use std::io::{Read, Write};
        upgrade(&mut stream);
        let _ = stream.write_all(&frame(PING, b"are you there"));
        let _ = stream.write_all(&frame(TEXT, br#"{"type":"ping"}"#));
        stream.set_read_timeout(Some(std::time::Duration::from_millis(700))).unwrap();
        let sent = stream.read(&mut [0; 64]).unwrap_or(0);
        let mut goodbye = (4000_u16 + sent as u16).to_be_bytes().to_vec();
        goodbye.extend(b"bytes");
        let _ = stream.write_all(&frame(CLOSE, &goodbye));
    });
    let (_, document) = document(&["--for", "5s", "--no-answer"], &peer.url());
    assert_eq!(document["ending"]["code"], 4000, "{document:#}");
}

#[test]
fn user_pattern_counts_and_preamble_comes_first() {
    let beats = ["--heartbeat", "app", "--interval", "300ms", "--app-ping", r#"{"k":"hb","n":{seq}}"#];
    let serve = [&beats[..], &["--app-pong", r#"{"k":"ok"}"#]].concat();
    let greeted = ["--send", "join", "--await", "join", "--for", "2s"];
    let (code, document) = of_server(&serve, &greeted);
    assert_eq!((code, &document["verdict"]), (Some(0), &"periodic_messages".into()), "{document:#}");
    let context = ["--app-ping", r#"{"k":"hb"}"#, "--app-pong", r#"{"k":"ok"}"#, "-c", "4"];
    let (code, document) = of_server(&serve, &[&greeted[..], &context].concat());
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_pings_every".into()), "{document:#}");
    assert_eq!(
        (&document["received"][0]["shape"], &document["received"][0]["count"]),
        (&json!("as told"), &json!(4))
    );
}

#[test]
fn heartbeat_during_the_preamble_counts() {
    let peer = Script::start(|mut stream| {
        use std::io::{Read, Write};
        upgrade(&mut stream);
        let _ = stream.write_all(&frame(PING, b"early"));
        let _ = stream.write_all(&frame(TEXT, br#"{"type":"welcome"}"#));
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    let greeted = ["--await", r#"{"type":"welcome"}"#, "--for", "500ms"];
    let lines = listen(&[&greeted[..], &["-o", "ndjson"]].concat(), &peer.url()).ndjson();
    let said: Vec<&Value> = lines.iter().filter(|line| line["event"] == "received").collect();
    assert_eq!((said.len(), &said[0]["payload"], &said[0]["answered"]), (1, &json!("early"), &json!(true)));
    let document = lines.last().unwrap();
    assert_eq!(document["verdict"], "inconclusive", "an interval needs more: {document:#}");
    assert!(document["received"][0]["first_ms"].is_number(), "{document:#}");
}

#[test]
fn slow_ping_is_no_silence() {
    let peer = Script::start(|mut stream| {
        use std::io::Write;
        upgrade(&mut stream);
        // A Ping of 100 bytes, sent one byte every half second.
        let mut bytes = vec![0x89, 100];
        bytes.extend([b'x'; 100]);
        for byte in bytes {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            // The byte rate under test, not a wait for something.
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    });
    let (code, document) = document(&["--for", "3s"], &peer.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    let reason = document["reasons"][1].as_str().unwrap();
    assert!(
        reason.starts_with("a frame is incomplete: ") && reason.contains(" of 100 bytes came"),
        "{reason}"
    );
}

#[test]
fn early_end_fails_the_run() {
    let (code, document) =
        of_server(&["--heartbeat", "none", "--close-after", "300ms:1001"], &["--for", "3s"]);
    assert_eq!((code, &document["ending"]["code"]), (Some(1), &json!(1001)), "{document:#}");
    let reason = document["reasons"][0].as_str().unwrap();
    assert!(
        reason.starts_with("the connection ended after ") && reason.contains(" of 3 s: "),
        "{document:#}"
    );
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings[0]["code"], "connection_ended_early", "{document:#}");
    let (_kept, port) = closed_port();
    let (code, document) = self::document(&[], &format!("ws://127.0.0.1:{port}/"));
    assert_eq!((code, &document["error"]["kind"]), (Some(3), &json!("refused")), "{document:#}");
}

#[test]
fn interrupt_reports_what_is_known() {
    use std::io::{BufRead, BufReader};
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "1s"]);
    let args = ["listen", "--proxy", "none", "-o", "ndjson", "--for", "1h", &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let received = lines.by_ref().filter(|line| line.contains(r#""event":"received""#)).take(4).count();
    process.signal(libc::SIGINT);
    let last: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    crate::support::validate(&last);
    assert_eq!(
        (received, &last["verdict"], &last["interrupted"]),
        (4, &"server_pings_every".into(), &json!(true))
    );
    let reason = last["reasons"][0].as_str().unwrap();
    assert!(reason.starts_with("interrupted after ") && reason.ends_with(" of 1h"), "{last:#}");
    assert_eq!((last["result"].as_str(), process.0.wait().unwrap().code()), (Some("interrupted"), Some(4)));
}

#[test]
fn human_diagnosis_first_and_log_on_stderr() {
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "1s"]);
    let ran = listen(&["-c", "5"], &server.url());
    assert!(
        ran.stdout.lines().nth(1).unwrap().starts_with("answer       the server sends Ping frames every ")
    );
    assert!(ran.stderr.starts_with("wscheck listen ws://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains(['\x1b', '\r']), "{ran:?}");
    assert_eq!(listen(&["-q", "-c", "2"], &server.url()).stderr, "");
}

#[test]
fn no_answer_and_talk_work_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    // Few gaps show an interval only if they agree closely: a busy machine moves them by little of a second.
    let tls = ["--tls", "--ca-file", ca.to_str().unwrap(), "--heartbeat", "protocol", "--interval", "1s"];
    let server = Server::start(&[&tls[..], &["--timeout", "500ms", "--max-missed", "3"]].concat());
    let url = format!("wss://localhost:{}/", server.port);
    let trust = ["--cacert", ca.to_str().unwrap(), "--for", "8s"];
    let (code, muted) = document(&[&trust[..], &["--no-answer"]].concat(), &url);
    assert_eq!((code, &muted["unanswered"]["after"]), (Some(0), &json!(3)), "{muted:#}");
    let (code, talked) = document(&[&trust[..], &["--talk"]].concat(), &url);
    assert_eq!(
        (code, &talked["received"][0]["by_client"]["effect"]),
        (Some(0), &json!("unmoved")),
        "{talked:#}"
    );
    assert!(is_about(&talked["interval"]["median_ms"], 1000.0), "{talked:#}");
}

/// The kernel keeps a timestamp of each answer in the receive buffer until it is read.
#[test]
fn many_answered_pings_do_not_block_reading() {
    use std::io::Write;
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        for _ in 0..400 {
            stream.write_all(&frame(PING, b"x")).unwrap();
            read_frame(&mut stream).unwrap();
        }
        let mut message = vec![0x82, 126, 0xf0, 0];
        message.extend(vec![0; 0xf000]);
        (0..8).for_each(|_| stream.write_all(&message).unwrap());
        let _ = stream.write_all(&frame(CLOSE, &4000_u16.to_be_bytes()));
    });
    let (_, document) = document(&["--for", "20s"], &peer.url());
    let received: Vec<_> = (0..2).map(|kind| document["received"][kind]["count"].as_u64()).collect();
    assert_eq!(
        (received, &document["ending"]["code"]),
        (vec![Some(400), Some(8)], &4000.into()),
        "{document:#}"
    );
}

#[test]
fn flood_is_counted_and_ends_by_the_deadline() {
    use std::io::Write;
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        let many = frame(PING, b"x").repeat(1000);
        while stream.write_all(&many).is_ok() {}
    });
    let lines = listen(&["-o", "ndjson", "--for", "1s"], &peer.url()).ndjson();
    let document = lines.last().unwrap();
    let received = document["received"][0]["count"].as_u64().unwrap();
    assert!(received > 1000 && lines.len() < 200, "{received} pings in {} lines", lines.len());
}
