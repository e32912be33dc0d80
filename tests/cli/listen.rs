//! `listen` against servers that heartbeat, each in its own way.

use serde_json::{Value, json};

use crate::support::{
    CLOSE, PING, Ran, Reaped, Script, Server, TEXT, at_once, closed_port, frame, read_frame, run, upgrade,
    wscheck,
};

/// The interval of the servers here.
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
fn each_kind_of_heartbeat_is_heard_with_its_interval() {
    for (kind, heard) in [("protocol", "ping"), ("app", "app_ping"), ("both", "ping")] {
        let (code, document) =
            of_server(&["--heartbeat", kind, "--interval", INTERVAL, "--timeout", "300ms"], &["--for", "3s"]);
        assert_eq!((code, &document["verdict"]), (Some(0), &"server_pings_every".into()), "{document:#}");
        assert_eq!(document["heartbeat"], heard, "{document:#}");
        assert!(is_about(&document["interval"]["median_ms"], INTERVAL_MS), "{document:#}");
        let payloads: Vec<&Value> =
            document["heard"].as_array().unwrap().iter().map(|kind| &kind["payloads"]).collect();
        assert_eq!(payloads, vec!["changing"; if kind == "both" { 2 } else { 1 }], "{document:#}");
        assert_eq!(document["clears"]["cleared_ms"][0], 30_000.0);
    }
}

#[test]
fn a_server_without_heartbeats_is_silent_and_one_that_talks_is_too() {
    for (serve, messages) in
        [(&["--heartbeat", "none"][..], 0), (&["--heartbeat", "none", "--chatter", "300ms"], 3)]
    {
        let (code, document) = of_server(serve, &["--for", "1500ms"]);
        assert_eq!((code, &document["verdict"]), (Some(0), &"server_is_silent_for".into()), "{document:#}");
        assert!(document["listened_ms"].as_f64() >= Some(1500.0) && document["interval"].is_null());
        assert!(document["heard"][0]["count"].as_u64().unwrap_or(0) >= messages, "{document:#}");
    }
}

#[test]
fn talk_tells_a_server_that_skips_the_active_from_one_that_does_not() {
    let beats = ["--heartbeat", "protocol", "--interval", INTERVAL];
    let cases = [(&[][..], "unmoved", 1.0), (&["--skip-if-active"][..], "skipped", 1.5)];
    at_once(&cases, |(more, effect, longest)| {
        let (_, document) = of_server(&[&beats, *more].concat(), &["--for", "5s", "--talk"]);
        let by_client = &document["heard"][0]["by_client"];
        assert_eq!(by_client["effect"], *effect, "{document:#}");
        assert!(by_client["longest_in_intervals"].as_f64() <= Some(longest + 0.1), "{document:#}");
        assert_eq!(document["counted_from"], "fixed_clock", "{document:#}");
        assert!(is_about(&document["interval"]["median_ms"], INTERVAL_MS), "{document:#}");
    });
}

#[test]
fn a_client_that_answers_nothing_is_given_up_or_not() {
    let beats = ["--heartbeat", "protocol", "--interval", INTERVAL, "--timeout", "200ms"];
    let cases = [("0", "goes_on"), ("3", "ends_the_connection")];
    at_once(&cases, |(max_missed, outcome)| {
        let serve = [&beats[..], &["--max-missed", max_missed]].concat();
        let (code, document) = of_server(&serve, &["--for", "3s", "--no-answer"]);
        assert_eq!((code, &document["unanswered"]["outcome"]), (Some(0), &json!(outcome)), "{document:#}");
        assert_eq!(
            document["unanswered"]["after"], document["heard"][0]["count"],
            "all of them: {document:#}"
        );
        assert_eq!(document["unanswered"]["after"] == 3, *max_missed == "3", "{document:#}");
    });
}

#[test]
fn no_answer_leaves_this_machine_when_none_is_to() {
    // It says what it was sent.
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
fn a_pattern_of_the_users_is_a_heartbeat_too_and_a_greeting_is_said_first() {
    let beats = ["--heartbeat", "app", "--interval", "300ms", "--app-ping", r#"{"k":"hb","n":{seq}}"#];
    let serve = [&beats[..], &["--app-pong", r#"{"k":"ok"}"#]].concat();
    let greeted = ["--send", "join", "--await", "join", "--for", "2s"];
    let (code, document) = of_server(&serve, &greeted);
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_is_silent_for".into()), "{document:#}");
    let told = ["--app-ping", r#"{"k":"hb"}"#, "--app-pong", r#"{"k":"ok"}"#, "-c", "4"];
    let (code, document) = of_server(&serve, &[&greeted[..], &told].concat());
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_pings_every".into()), "{document:#}");
    assert_eq!(
        (&document["heard"][0]["shape"], &document["heard"][0]["count"]),
        (&json!("as told"), &json!(4))
    );
}

#[test]
fn a_heartbeat_that_comes_during_the_greeting_is_heard() {
    let peer = Script::start(|mut stream| {
        use std::io::{Read, Write};
        upgrade(&mut stream);
        let _ = stream.write_all(&frame(PING, b"early"));
        let _ = stream.write_all(&frame(TEXT, br#"{"type":"welcome"}"#));
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    let greeted = ["--await", r#"{"type":"welcome"}"#, "--for", "500ms"];
    let lines = listen(&[&greeted[..], &["-o", "ndjson"]].concat(), &peer.url()).ndjson();
    let said: Vec<&Value> = lines.iter().filter(|line| line["event"] == "said").collect();
    assert_eq!((said.len(), &said[0]["payload"], &said[0]["answered"]), (1, &json!("early"), &json!(true)));
    let document = lines.last().unwrap();
    assert_eq!(document["verdict"], "inconclusive", "one is no interval: {document:#}");
    assert!(document["heard"][0]["first_ms"].is_number(), "{document:#}");
}

#[test]
fn a_message_that_comes_bit_by_bit_is_no_silence() {
    let peer = Script::start(|mut stream| {
        use std::io::Write;
        upgrade(&mut stream);
        // A Ping of 100 bytes, of which one comes every half second.
        let mut bytes = vec![0x89, 100];
        bytes.extend([b'x'; 100]);
        for byte in bytes {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            // How slow it is, nothing that is waited for.
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    });
    let (code, document) = document(&["--for", "3s"], &peer.url());
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    let reason = document["reasons"][1].as_str().unwrap();
    assert!(reason.starts_with("bytes came of a message that was not whole"), "{reason}");
}

#[test]
fn a_connection_that_ends_before_its_time_is_found_wanting() {
    let (code, document) =
        of_server(&["--heartbeat", "none", "--close-after", "300ms:1001"], &["--for", "3s"]);
    assert_eq!((code, &document["ending"]["code"]), (Some(1), &json!(1001)), "{document:#}");
    assert!(document["reasons"].to_string().contains("before its time"), "{document:#}");
    let (_kept, port) = closed_port();
    let (code, document) = self::document(&[], &format!("ws://127.0.0.1:{port}/"));
    assert_eq!((code, &document["error"]["kind"]), (Some(3), &json!("refused")), "{document:#}");
}

#[test]
fn an_interrupt_gives_the_report_so_far() {
    use std::io::{BufRead, BufReader};
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "200ms"]);
    let args = ["listen", "--proxy", "none", "-o", "ndjson", "--for", "1h", &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let heard = lines.by_ref().filter(|line| line.contains(r#""event":"said""#)).take(4).count();
    process.signal(libc::SIGINT);
    let last: Value = serde_json::from_str(&lines.last().unwrap()).unwrap();
    crate::support::validate(&last);
    assert_eq!((heard, &last["verdict"], &last["partial"]), (4, &"server_pings_every".into(), &json!(true)));
    assert_eq!(process.0.wait().unwrap().code(), Some(0));
}

#[test]
fn people_read_the_diagnosis_first_and_the_conversation_is_on_stderr() {
    let server = Server::start(&["--heartbeat", "protocol", "--interval", "300ms"]);
    let ran = listen(&["-c", "5"], &server.url());
    assert!(
        ran.stdout.lines().nth(1).unwrap().starts_with("answer       the server sends Ping frames every ")
    );
    assert!(ran.stderr.starts_with("wscheck listen ws://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains(['\x1b', '\r']), "{ran:?}");
    assert_eq!(listen(&["-q", "-c", "2"], &server.url()).stderr, "");
}

#[test]
fn over_tls_nothing_leaves_either_and_talk_does() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let tls = ["--tls", "--ca-file", ca.to_str().unwrap(), "--heartbeat", "protocol", "--interval", INTERVAL];
    let server = Server::start(&[&tls[..], &["--timeout", "200ms", "--max-missed", "3"]].concat());
    let url = format!("wss://localhost:{}/", server.port);
    let trust = ["--cacert", ca.to_str().unwrap(), "--for", "3s"];
    let (code, muted) = document(&[&trust[..], &["--no-answer"]].concat(), &url);
    assert_eq!((code, &muted["unanswered"]["after"]), (Some(0), &json!(3)), "{muted:#}");
    let (code, talked) = document(&[&trust[..], &["--talk"]].concat(), &url);
    assert_eq!(
        (code, &talked["heard"][0]["by_client"]["effect"]),
        (Some(0), &json!("unmoved")),
        "{talked:#}"
    );
    assert!(is_about(&talked["interval"]["median_ms"], INTERVAL_MS), "{talked:#}");
}

/// The kernel keeps a stamp of each answer until it is taken, in the room for what arrives.
#[test]
fn whoever_answered_many_pings_still_hears() {
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
    let heard: Vec<_> = (0..2).map(|kind| document["heard"][kind]["count"].as_u64()).collect();
    assert_eq!(
        (heard, &document["ending"]["code"]),
        (vec![Some(400), Some(8)], &4000.into()),
        "{document:#}"
    );
}

#[test]
fn a_flood_costs_counts_and_ends_by_the_deadline() {
    use std::io::Write;
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        let many = frame(PING, b"x").repeat(1000);
        while stream.write_all(&many).is_ok() {}
    });
    let lines = listen(&["-o", "ndjson", "--for", "1s"], &peer.url()).ndjson();
    let document = lines.last().unwrap();
    let heard = document["heard"][0]["count"].as_u64().unwrap();
    assert!(heard > 1000 && lines.len() < 200, "{heard} pings in {} lines", lines.len());
}
